// SPDX-License-Identifier: GPL-2.0
// Follows a pointer out of a poisoned list: a general protection fault.
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/poison.h>

// stands before the function that faults, so that there is code to show around the fault
static noinline __noipa unsigned int checksum(const char *text)
{
	unsigned int sum = 0;

	while (*text)
		sum = sum * 31 + *text++;
	return sum;
}

static noinline __noipa int follow(struct list_head *l)
{
	return l->next == l->prev;
}

static int __init start(void)
{
	struct list_head *l = LIST_POISON1;

	OPTIMIZER_HIDE_VAR(l);
	pr_info("wild-pointer: checksum %#x\n", checksum("wild-pointer"));
	pr_info("wild-pointer: %d\n", follow(l));
	return 0;
}

static void __exit stop(void)
{
	pr_info("exit\n");
}

module_init(start);
module_exit(stop);

MODULE_LICENSE("GPL");
