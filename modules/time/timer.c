// SPDX-License-Identifier: GPL-2.0
// A timer that fires three times, a second apart.
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/timer.h>

static int left = 3;

static void fire(struct timer_list *t)
{
	pr_info("timer: %d left, in softirq %d\n", --left, !!in_serving_softirq());
	if (left)
		mod_timer(t, jiffies + HZ);
}

static DEFINE_TIMER(timer, fire);

static int __init timer_init(void)
{
	mod_timer(&timer, jiffies + HZ);
	pr_info("timer: pending %d\n", timer_pending(&timer));
	return 0;
}

static void __exit timer_exit(void)
{
	pr_info("timer: was pending %d\n", del_timer_sync(&timer));
}

module_init(timer_init);
module_exit(timer_exit);

MODULE_LICENSE("GPL");
