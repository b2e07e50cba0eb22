// SPDX-License-Identifier: GPL-2.0
// Calls, every 12 seconds from a delayed work, through a function pointer that another module has registered.
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/workqueue.h>
#include "hook-a.h"

static DEFINE_MUTEX(hook_lock);
static hook_fn hook;
static int round;

static void tick(struct work_struct *work);
static DECLARE_DELAYED_WORK(ticker, tick);

void hook_a_reg(hook_fn fn)
{
	mutex_lock(&hook_lock);
	hook = fn;
	mutex_unlock(&hook_lock);
	pr_info("hook-a: registered\n");
}
EXPORT_SYMBOL_GPL(hook_a_reg);

void hook_a_unreg(void)
{
	mutex_lock(&hook_lock);
	hook = NULL;
	mutex_unlock(&hook_lock);
	pr_info("hook-a: unregistered\n");
}
EXPORT_SYMBOL_GPL(hook_a_unreg);

void hook_a_say(const char *who)
{
	pr_info("hook-a: called by %s\n", who);
}
EXPORT_SYMBOL_GPL(hook_a_say);

static void tick(struct work_struct *work)
{
	round++;
	mutex_lock(&hook_lock);
	if (hook)
		hook(round);
	else
		pr_info("hook-a: round %d, nobody there\n", round);
	mutex_unlock(&hook_lock);
	schedule_delayed_work(&ticker, 12 * HZ);
}

static int __init hook_a_init(void)
{
	pr_info("hook-a: loaded\n");
	schedule_delayed_work(&ticker, 12 * HZ);
	return 0;
}

static void __exit hook_a_exit(void)
{
	cancel_delayed_work_sync(&ticker);
	pr_info("hook-a: unloaded after %d rounds\n", round);
}

module_init(hook_a_init);
module_exit(hook_a_exit);

MODULE_LICENSE("GPL");
