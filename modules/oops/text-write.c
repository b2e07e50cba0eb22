// SPDX-License-Identifier: GPL-2.0
// Writes to a function of its own.
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>

static noinline __noipa void victim(void)
{
	pr_info("text-write: in victim\n");
}

static int __init start(void)
{
	unsigned char *p = (unsigned char *)victim;

	OPTIMIZER_HIDE_VAR(p);
	victim();
	*p = 0xc3;
	victim();
	return 0;
}

static void __exit stop(void)
{
	pr_info("exit\n");
}

module_init(start);
module_exit(stop);

MODULE_LICENSE("GPL");
