// SPDX-License-Identifier: GPL-2.0
// Oopses in exit: the module can never be removed.
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>

static int *volatile nothing;

static int __init start(void)
{
	pr_info("exit-oops: loaded\n");
	return 0;
}

static void __exit stop(void)
{
	*nothing = 1;
}

module_init(start);
module_exit(stop);

MODULE_LICENSE("GPL");
