// SPDX-License-Identifier: GPL-2.0
// A parameter under another name than its variable's; one that taints the kernel when set; a required one.
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>

static unsigned int internal_size = 64;
module_param_named(buffer_size, internal_size, uint, 0444);
MODULE_PARM_DESC(buffer_size, "size in bytes");

static bool dangerous;
module_param_unsafe(dangerous, bool, 0444);

static int must = -1;
module_param(must, int, 0444);

static int __init named_init(void)
{
	if (must < 0) {
		pr_err("named: parameter \"must\" is missing\n");
		return -EINVAL;
	}
	pr_info("named: size %u dangerous %d must %d\n", internal_size, dangerous, must);
	return 0;
}

static void __exit named_exit(void)
{
}

module_init(named_init);
module_exit(named_exit);

MODULE_LICENSE("GPL");
