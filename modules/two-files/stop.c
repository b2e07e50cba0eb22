// SPDX-License-Identifier: GPL-2.0
// The second half: exit, and what both files share.
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include "two-files.h"

int shared_count = 7;

void count_up(const char *who)
{
	shared_count++;
	pr_info("two-files: %s counted up to %d\n", who, shared_count);
}

static void __exit stop(void)
{
	count_up("stop.c");
}

module_exit(stop);
