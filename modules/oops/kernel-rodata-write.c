// SPDX-License-Identifier: GPL-2.0
// Writes to a constant of the kernel.
#include <linux/ctype.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>

static int __init start(void)
{
	unsigned char *p = (unsigned char *)_ctype;

	OPTIMIZER_HIDE_VAR(p);
	*p = 1;
	return 0;
}

static void __exit stop(void)
{
	pr_info("exit\n");
}

module_init(start);
module_exit(stop);

MODULE_LICENSE("GPL");
