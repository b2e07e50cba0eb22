// SPDX-License-Identifier: GPL-2.0
// Calls into its own data, which must not be executed.
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>

static unsigned char code[] = { 0xc3 };
static void (*volatile target)(void) = (void (*)(void))code;

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
