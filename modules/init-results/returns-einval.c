// SPDX-License-Identifier: GPL-2.0
// Init refuses with EINVAL.
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>

static int __init start(void)
{
	pr_info("returns-einval: init\n");
	return -EINVAL;
}

static void __exit stop(void)
{
	pr_info("returns-einval: exit\n");
}

module_init(start);
module_exit(stop);

MODULE_LICENSE("GPL");
