// SPDX-License-Identifier: GPL-2.0
// Holds a reference to itself for two seconds: cannot be removed before.
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/timer.h>

static void release(struct timer_list *t)
{
	pr_info("holder: released, count was %d\n", module_refcount(THIS_MODULE));
	module_put(THIS_MODULE);
}

static DEFINE_TIMER(timer, release);

static int __init holder_init(void)
{
	pr_info("holder: try_module_get gives %d\n", try_module_get(THIS_MODULE));
	__module_get(THIS_MODULE);
	module_put(THIS_MODULE);
	mod_timer(&timer, jiffies + 2 * HZ);
	return 0;
}

static void __exit holder_exit(void)
{
	del_timer_sync(&timer);
	pr_info("holder: exit\n");
}

module_init(holder_init);
module_exit(holder_exit);

MODULE_LICENSE("GPL");
