// SPDX-License-Identifier: GPL-2.0
// WARN_ON() in a function called by init.
#include <linux/bug.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>

static noinline __noipa int check(int n)
{
	return WARN_ON(n > 3);
}

static int __init start(void)
{
	pr_info("warn: check gives %d, %d\n", check(3), check(4));
	pr_info("warn: after\n");
	return 0;
}

static void __exit stop(void)
{

}

module_init(start);
module_exit(stop);

MODULE_LICENSE("GPL");
