// SPDX-License-Identifier: GPL-2.0
// Its exit calls its own __init function, which is gone by then: oopses.
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>

static noinline __init void report(const char *when)
{
	pr_info("exit-noinline: %s\n", when);
}

static int __init start(void)
{
	report("init");
	return 0;
}

static void __exit stop(void)
{
	report("exit");
}

module_init(start);
module_exit(stop);

MODULE_LICENSE("GPL");
