// SPDX-License-Identifier: GPL-2.0
// Reads a field of a structure through a NULL pointer.
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>

struct box {
	long pad[3];
	int value;
};

static struct box *box;

static noinline __noipa int open_box(struct box *b)
{
	return b->value;
}

static int __init start(void)
{
	pr_info("null-read: value %d\n", open_box(READ_ONCE(box)));
	return 0;
}

static void __exit stop(void)
{
	pr_info("exit\n");
}

module_init(start);
module_exit(stop);

MODULE_LICENSE("GPL");
