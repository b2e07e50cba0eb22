// SPDX-License-Identifier: GPL-2.0
// Init finds no device.
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>

static int __init start(void)
{
	pr_info("returns-enodev: init\n");
	return -ENODEV;
}

static void __exit stop(void)
{
	pr_info("returns-enodev: exit\n");
}

module_init(start);
module_exit(stop);

MODULE_LICENSE("GPL");
