// SPDX-License-Identifier: GPL-2.0
// A work item that follows a NULL pointer: the worker goes down, the module stays.
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/workqueue.h>

static int *volatile nothing;

static noinline __noipa void work_fn(struct work_struct *work)
{
	pr_info("work-oops: in the work item\n");
	*nothing = 1;
}

static DECLARE_WORK(work, work_fn);

static int __init start(void)
{
	schedule_work(&work);
	pr_info("work-oops: scheduled\n");
	return 0;
}

static void __exit stop(void)
{
	pr_info("exit\n");
}

module_init(start);
module_exit(stop);

MODULE_LICENSE("GPL");
