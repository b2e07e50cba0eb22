// SPDX-License-Identifier: GPL-2.0
// Init returns a positive number, which is against the rules but not refused.
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>

static int __init start(void)
{
	pr_info("returns-positive: init\n");
	return 7;
}

static void __exit stop(void)
{
	pr_info("returns-positive: exit\n");
}

module_init(start);
module_exit(stop);

MODULE_LICENSE("GPL");
