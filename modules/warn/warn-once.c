// SPDX-License-Identifier: GPL-2.0
// WARN_ON_ONCE() in a loop warns once.
#include <linux/bug.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>

static int __init start(void)
{
	int i;

	for (i = 0; i < 3; i++) {
		pr_info("warn-once: turn %d\n", i);
		WARN_ON_ONCE(i >= 0);
	}
	pr_info("warn-once: after\n");
	return 0;
}

static void __exit stop(void)
{

}

module_init(start);
module_exit(stop);

MODULE_LICENSE("GPL");
