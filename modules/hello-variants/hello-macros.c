// SPDX-License-Identifier: GPL-2.0
// module_init and module_exit, __init and __exit, and a prefix for every message.
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt
#include <linux/init.h>
#include <linux/module.h>
#include <linux/printk.h>

static int __init start(void)
{
	pr_info("in, from %s\n", __func__);
	return 0;
}

static void __exit stop(void)
{
	pr_info("out, from %s\n", __func__);
}

module_init(start);
module_exit(stop);

MODULE_LICENSE("GPL v2");
