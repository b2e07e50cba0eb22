// SPDX-License-Identifier: GPL-2.0
// Says that it may sleep: a call through a static call of the kernel, which the loader patches.
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/sched.h>

static int __init start(void)
{
	might_sleep();
	cond_resched();
	pr_info("might-sleep: done\n");
	return 0;
}

static void __exit stop(void)
{
}

module_init(start);
module_exit(stop);
MODULE_LICENSE("GPL");
