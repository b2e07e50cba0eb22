// SPDX-License-Identifier: GPL-2.0
// BUG(): says that what never happens has happened.
#include <linux/bug.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>

static int __init start(void)
{
	pr_info("bug: about to\n");
	BUG();
	return 0;
}

static void __exit stop(void)
{
	pr_info("exit\n");
}

module_init(start);
module_exit(stop);

MODULE_LICENSE("GPL");
