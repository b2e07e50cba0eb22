// SPDX-License-Identifier: GPL-2.0
// A parameter with functions of its own: set refuses odd numbers, get prints in words; and one that needs no value.
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>

static int even;

static int set_even(const char *val, const struct kernel_param *kp)
{
	int n, ret = kstrtoint(val, 0, &n);

	pr_info("cb: set %s to \"%s\"\n", kp->name, val);
	if (ret)
		return ret;
	if (n & 1)
		return -ERANGE;
	*(int *)kp->arg = n;
	return 0;
}

static int get_even(char *buffer, const struct kernel_param *kp)
{
	return sprintf(buffer, "an even %d\n", *(int *)kp->arg);
}

static const struct kernel_param_ops even_ops = {
	.set = set_even,
	.get = get_even,
};
module_param_cb(even, &even_ops, &even, 0644);

static int set_flag(const char *val, const struct kernel_param *kp)
{
	pr_info("cb: flag, value %s\n", val ? val : "(none)");
	return 0;
}

static const struct kernel_param_ops flag_ops = {
	.flags = KERNEL_PARAM_OPS_FL_NOARG,
	.set = set_flag,
};
module_param_cb(flag, &flag_ops, NULL, 0);

static int __init cb_init(void)
{
	pr_info("cb: even %d\n", even);
	return 0;
}

static void __exit cb_exit(void)
{
	pr_info("cb: even %d at exit\n", even);
}

module_init(cb_init);
module_exit(cb_exit);

MODULE_LICENSE("GPL");
