// SPDX-License-Identifier: GPL-2.0
// Exports a function and a variable for everybody, a function for GPL modules, and one in a namespace.
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include "exporter.h"

int exported_value = 100;
EXPORT_SYMBOL(exported_value);

int exported_add(int a, int b)
{
	return a + b;
}
EXPORT_SYMBOL(exported_add);

int exported_gpl_double(int a)
{
	return 2 * a;
}
EXPORT_SYMBOL_GPL(exported_gpl_double);

int exported_ns_triple(int a)
{
	return 3 * a;
}
EXPORT_SYMBOL_NS_GPL(exported_ns_triple, RINGSIDE);

static int __init exporter_init(void)
{
	pr_info("exporter: ready, value %d\n", exported_value);
	return 0;
}

static void __exit exporter_exit(void)
{
	pr_info("exporter: value %d at exit\n", exported_value);
}

module_init(exporter_init);
module_exit(exporter_exit);

MODULE_LICENSE("GPL");
