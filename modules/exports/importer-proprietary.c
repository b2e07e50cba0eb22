// SPDX-License-Identifier: GPL-2.0
// A proprietary module that uses only what is exported for everybody.
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include "exporter.h"

static int __init import_init(void)
{
	printk(KERN_INFO "importer-proprietary: 4 + 5 = %d\n", exported_add(4, 5));
	return 0;
}

static void __exit import_exit(void)
{
	pr_info("importer-proprietary: exit\n");
}

module_init(import_init);
module_exit(import_exit);

MODULE_LICENSE("Proprietary");
