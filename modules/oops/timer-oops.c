// SPDX-License-Identifier: GPL-2.0
// A timer that follows a NULL pointer: a fault in an interrupt takes the machine down.
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/timer.h>

static int *volatile nothing;

static void timer_fn(struct timer_list *t)
{
	*nothing = 1;
}

static DEFINE_TIMER(timer, timer_fn);

static int __init start(void)
{
	mod_timer(&timer, jiffies + HZ / 2);
	pr_info("timer-oops: armed\n");
	return 0;
}

static void __exit stop(void)
{
	del_timer_sync(&timer);
}

module_init(start);
module_exit(stop);

MODULE_LICENSE("GPL");
