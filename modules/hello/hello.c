// SPDX-License-Identifier: GPL-2.0
// The first module to try: says hello to whoever it is told to, and good bye when it goes.
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>

static char *name = "world";
module_param(name, charp, 0444);
MODULE_PARM_DESC(name, "whom to greet");

static int __init hello_init(void)
{
	pr_info("hello: Hello, %s!\n", name);
	return 0;
}

static void __exit hello_exit(void)
{
	pr_info("hello: Good bye, %s.\n", name);
}

module_init(hello_init);
module_exit(hello_exit);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("The Ringside authors");
MODULE_DESCRIPTION("Says hello");
