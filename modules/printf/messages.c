// SPDX-License-Identifier: GPL-2.0
/* Hands the texts in messages.h to printk, one after the other, between two marks. */
#include <linux/init.h>
#include <linux/module.h>
#include <linux/printk.h>

#include "messages.h"

static int __init pk_init(void)
{
	int i;

	printk("PKBEGIN\n");
	for (i = 0; i < ARRAY_SIZE(pk_messages); i++)
		_printk("%s", pk_messages[i]);
	printk(KERN_INFO "PKEND\n");
	return 0;
}

static void __exit pk_exit(void)
{
}

module_init(pk_init);
module_exit(pk_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Prints a table of texts, to see what the log makes of them");
