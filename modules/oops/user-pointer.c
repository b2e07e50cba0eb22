// SPDX-License-Identifier: GPL-2.0
// Reads a user address directly, which nobody mapped.
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>

static int __init start(void)
{
	long *p = (long *)0x10000;

	OPTIMIZER_HIDE_VAR(p);
	pr_info("user-pointer: %ld\n", *p);
	return 0;
}

static void __exit stop(void)
{
	pr_info("exit\n");
}

module_init(start);
module_exit(stop);

MODULE_LICENSE("GPL");
