// SPDX-License-Identifier: GPL-2.0
// A work item, one flushed, one delayed, and a queue of its own.
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/workqueue.h>

static struct workqueue_struct *queue;
static int runs;

static void run(struct work_struct *work)
{
	pr_info("work: run %d, in a kernel thread %d\n", ++runs, !!(current->flags & PF_KTHREAD));
}

static DECLARE_WORK(now, run);
static DECLARE_DELAYED_WORK(later, run);
static DECLARE_WORK(own, run);

static int __init work_init(void)
{
	queue = alloc_ordered_workqueue("ringside", 0);
	if (!queue)
		return -ENOMEM;
	schedule_work(&now);
	flush_work(&now);
	pr_info("work: flushed\n");
	queue_work(queue, &own);
	flush_workqueue(queue);
	pr_info("work: queue flushed\n");
	pr_info("work: delayed %d\n", schedule_delayed_work(&later, HZ));
	pr_info("work: delayed again %d\n", schedule_delayed_work(&later, HZ));
	return 0;
}

static void __exit work_exit(void)
{
	pr_info("work: cancelled %d\n", cancel_delayed_work_sync(&later));
	destroy_workqueue(queue);
}

module_init(work_init);
module_exit(work_exit);

MODULE_LICENSE("GPL");
