// SPDX-License-Identifier: GPL-2.0
// As small as a module that can be unloaded gets: prints nothing.
#include <linux/module.h>

static int __init start(void)
{
	return 0;
}

static void __exit stop(void)
{
}

module_init(start);
module_exit(stop);

MODULE_LICENSE("GPL");
