// SPDX-License-Identifier: GPL-2.0
// Has an init and no exit: can never be unloaded.
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>

static int __init start(void)
{
	pr_info("no-exit: here to stay\n");
	return 0;
}

module_init(start);

MODULE_LICENSE("GPL");
