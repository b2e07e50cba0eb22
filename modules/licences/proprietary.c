// SPDX-License-Identifier: GPL-2.0
// A module that is not free software: loads, and taints the kernel.
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>

static int __init start(void)
{
	printk(KERN_INFO "proprietary: loaded\n");
	return 0;
}

static void __exit stop(void)
{
	printk(KERN_INFO "proprietary: unloaded\n");
}

module_init(start);
module_exit(stop);

MODULE_LICENSE("Proprietary");
