// SPDX-License-Identifier: GPL-2.0
// One module out of two source files: this one holds init and calls into the other.
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include "two-files.h"

static int __init start(void)
{
	count_up("start.c");
	pr_info("two-files: started, count %d\n", shared_count);
	return 0;
}

module_init(start);

MODULE_LICENSE("GPL");
