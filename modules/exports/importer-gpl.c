// SPDX-License-Identifier: GPL-2.0
// Uses a function that is exported for GPL modules only.
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include "exporter.h"

static int __init import_init(void)
{
	pr_info("importer-gpl: 2 * 21 = %d\n", exported_gpl_double(21));
	return 0;
}

static void __exit import_exit(void)
{
	pr_info("importer-gpl: exit\n");
}

module_init(import_init);
module_exit(import_exit);

MODULE_LICENSE("GPL");
