// SPDX-License-Identifier: GPL-2.0
// Prints a stack dump from two calls deep in init, and another in exit.
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>

static noinline __noipa void inner(int depth)
{
	pr_info("dump-stack: depth %d\n", depth);
	dump_stack();
	barrier();
}

static noinline __noipa void outer(int depth)
{
	inner(depth + 1);
	barrier();
}

static int __init dump_init(void)
{
	outer(1);
	pr_info("dump-stack: still here\n");
	return 0;
}

static void __exit dump_exit(void)
{
	inner(0);
}

module_init(dump_init);
module_exit(dump_exit);

MODULE_LICENSE("GPL");
