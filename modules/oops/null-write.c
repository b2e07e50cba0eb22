// SPDX-License-Identifier: GPL-2.0
// Writes a field of a structure through a NULL pointer.
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>

struct box {
	long pad[3];
	int value;
};

static struct box *box;

// stands before the function that faults, so that there is code to show around the fault
static noinline __noipa unsigned int checksum(const char *text)
{
	unsigned int sum = 0;

	while (*text)
		sum = sum * 31 + *text++;
	return sum;
}

static noinline __noipa void fill_box(struct box *b, int value)
{
	b->value = value;
}

static int __init start(void)
{
	pr_info("null-write: checksum %#x\n", checksum("null-write"));
	fill_box(READ_ONCE(box), 42);
	pr_info("null-write: done\n");
	return 0;
}

static void __exit stop(void)
{
	pr_info("exit\n");
}

module_init(start);
module_exit(stop);

MODULE_LICENSE("GPL");
