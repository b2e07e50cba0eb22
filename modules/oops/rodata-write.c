// SPDX-License-Identifier: GPL-2.0
// Writes to a constant of its own.
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>

static const int constant = 17;

static int __init start(void)
{
	int *p = (int *)&constant;

	OPTIMIZER_HIDE_VAR(p);
	*p = 18;
	pr_info("rodata-write: %d\n", *p);
	return 0;
}

static void __exit stop(void)
{
	pr_info("exit\n");
}

module_init(start);
module_exit(stop);

MODULE_LICENSE("GPL");
