// SPDX-License-Identifier: GPL-2.0
// Everything that MODULE_* macros can say about a module.
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>

static int __init start(void)
{
	pr_info("%s: version %s\n", THIS_MODULE->name, THIS_MODULE->version);
	return 0;
}

static void __exit stop(void)
{
}

module_init(start);
module_exit(stop);

MODULE_LICENSE("Dual MIT/GPL");
MODULE_AUTHOR("First Author <first@example.org>");
MODULE_AUTHOR("Second Author");
MODULE_DESCRIPTION("A module with every kind of description: quotes \"like these\", and commas");
MODULE_VERSION("1.2.3");
MODULE_ALIAS("ringside-alias");
MODULE_SOFTDEP("pre: crc32c post: zlib_deflate");
MODULE_FIRMWARE("ringside/none.bin");
MODULE_INFO(custom, "any key will do");
