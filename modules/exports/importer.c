// SPDX-License-Identifier: GPL-2.0
// Uses what exporter exports for everybody, and changes the exporter's variable.
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include "exporter.h"

static int __init import_init(void)
{
	exported_value++;
	pr_info("importer: 2 + 3 = %d, value %d\n", exported_add(2, 3), exported_value);
	return 0;
}

static void __exit import_exit(void)
{
	pr_info("importer: exit\n");
}

module_init(import_init);
module_exit(import_exit);

MODULE_LICENSE("GPL");
