// SPDX-License-Identifier: GPL-2.0
// Recurses until the stack is full.
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>

static noinline __noipa int recurse(int n)
{
	volatile char page[512];

	page[n & 511] = n;
	return n ? recurse(n + 1) + page[n & 511] : 0;
}

static int __init start(void)
{
	pr_info("stack-overflow: %d\n", recurse(1));
	return 0;
}

static void __exit stop(void)
{
	pr_info("exit\n");
}

module_init(start);
module_exit(stop);

MODULE_LICENSE("GPL");
