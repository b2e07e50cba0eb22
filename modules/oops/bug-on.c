// SPDX-License-Identifier: GPL-2.0
// BUG_ON() in a function that holds a mutex: the lock stays held.
#include <linux/bug.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/mutex.h>

static DEFINE_MUTEX(lock);
static int limit = 10;
module_param(limit, int, 0444);

static noinline __noipa void check(int n)
{
	mutex_lock(&lock);
	BUG_ON(n > limit);
	mutex_unlock(&lock);
}

static int __init start(void)
{
	check(5);
	pr_info("bug-on: 5 is fine\n");
	check(11);
	return 0;
}

static void __exit stop(void)
{
	pr_info("exit\n");
}

module_init(start);
module_exit(stop);

MODULE_LICENSE("GPL");
