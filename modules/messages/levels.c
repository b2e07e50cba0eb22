// SPDX-License-Identifier: GPL-2.0
// A message of each level, and of none.
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>

static int __init levels_init(void)
{
	pr_emerg("emerg\n");
	pr_alert("alert\n");
	pr_crit("crit\n");
	pr_err("err\n");
	pr_warn("warn\n");
	pr_notice("notice\n");
	pr_info("info\n");
	pr_debug("debug by pr_debug: off unless dyndbg switches it on\n");
	printk(KERN_DEBUG "levels: debug\n");
	printk("levels: no level\n");
	printk(KERN_DEFAULT "levels: default level\n");
	return 0;
}

static void __exit levels_exit(void)
{
	printk_once(KERN_INFO "levels: exit\n");
}

module_init(levels_init);
module_exit(levels_exit);

MODULE_LICENSE("GPL");
