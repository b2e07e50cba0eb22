// SPDX-License-Identifier: GPL-2.0
// Calls through a pointer that points nowhere.
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>

static void (*volatile target)(void) = (void (*)(void))0xfffff00012345678;

static int __init start(void)
{
	target();
	return 0;
}

static void __exit stop(void)
{
	pr_info("exit\n");
}

module_init(start);
module_exit(stop);

MODULE_LICENSE("GPL");
