// SPDX-License-Identifier: GPL-2.0
// Warns from a timer, half a second after init.
#include <linux/bug.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/timer.h>

static void timer_fn(struct timer_list *t)
{
	WARN_ON(t->expires);
	pr_info("timer-warn: after the warning\n");
}

static DEFINE_TIMER(timer, timer_fn);

static int __init start(void)
{
	mod_timer(&timer, jiffies + HZ / 2);
	pr_info("timer-warn: armed\n");
	return 0;
}

static void __exit stop(void)
{
	del_timer_sync(&timer);
	pr_info("timer-warn: exit\n");
}

module_init(start);
module_exit(stop);

MODULE_LICENSE("GPL");
