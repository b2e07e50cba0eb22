// SPDX-License-Identifier: GPL-2.0
// Registers a function with hook-a for as long as it is loaded.
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include "hook-a.h"

static void on_tick(int round)
{
	pr_info("hook-b: round %d\n", round);
}

static int __init hook_b_init(void)
{
	pr_info("hook-b: loaded\n");
	hook_a_reg(on_tick);
	hook_a_say("hook-b");
	return 0;
}

static void __exit hook_b_exit(void)
{
	hook_a_unreg();
	pr_info("hook-b: unloaded\n");
}

module_init(hook_b_init);
module_exit(hook_b_exit);

MODULE_LICENSE("GPL");
