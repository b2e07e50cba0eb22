// SPDX-License-Identifier: GPL-2.0
// Uses a function of a namespace without importing the namespace.
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include "exporter.h"

static int __init import_init(void)
{
	pr_info("importer-no-ns: 3 * 14 = %d\n", exported_ns_triple(14));
	return 0;
}

static void __exit import_exit(void)
{
	pr_info("importer-no-ns: exit\n");
}

module_init(import_init);
module_exit(import_exit);

MODULE_LICENSE("GPL");
