// SPDX-License-Identifier: GPL-2.0
// Init returns an error number that user space has no name for.
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>

static int __init start(void)
{
	pr_info("returns-unknown: init\n");
	return -517;
}

static void __exit stop(void)
{
	pr_info("returns-unknown: exit\n");
}

module_init(start);
module_exit(stop);

MODULE_LICENSE("GPL");
