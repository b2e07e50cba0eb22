// SPDX-License-Identifier: GPL-2.0
// Numbers at the edges of their types, limited by param_set_uint_minmax.
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

static unsigned int level = 2;

static int set_level(const char *val, const struct kernel_param *kp)
{
	return param_set_uint_minmax(val, kp, 1, 5);
}

static const struct kernel_param_ops level_ops = {
	.set = set_level,
	.get = param_get_uint,
};
module_param_cb(level, &level_ops, &level, 0644);

static int __init level_init(void)
{
	pr_info("level: %u\n", level);
	return 0;
}

static void __exit level_exit(void)
{
}

module_init(level_init);
module_exit(level_exit);

MODULE_LICENSE("GPL");
