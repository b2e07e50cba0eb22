// SPDX-License-Identifier: GPL-2.0
// Data that is thrown away after init: variables, a constant table and the strings of __init code.
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>

static int count __initdata = 3;
static char greeting[] __initdata = "Hello from discarded data";
static const char *const words[] __initconst = { "one", "two", "three" };
static int kept = 40;

static int __init start(void)
{
	int i;

	for (i = 0; i < count; i++)
		pr_info("%s: %s\n", greeting, words[i]);
	kept += count;
	return 0;
}

static void __exit stop(void)
{
	pr_info("kept is %d\n", kept);
}

module_init(start);
module_exit(stop);

MODULE_LICENSE("GPL");
