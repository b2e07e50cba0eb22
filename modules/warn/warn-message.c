// SPDX-License-Identifier: GPL-2.0
// WARN() with a message, and WARN_ONCE().
#include <linux/bug.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>

static int __init start(void)
{
	int i;

	for (i = 0; i < 2; i++)
		WARN_ONCE(1, "warn-message: once, turn %d\n", i);
	WARN(1, "warn-message: %s %d\n", "number", 5);
	pr_info("warn-message: after\n");
	return 0;
}

static void __exit stop(void)
{

}

module_init(start);
module_exit(stop);

MODULE_LICENSE("GPL");
