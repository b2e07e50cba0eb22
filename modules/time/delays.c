// SPDX-License-Identifier: GPL-2.0
// Sleeps and waits in init; the clock must show it.
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/module.h>

static int __init delays_init(void)
{
	DECLARE_COMPLETION_ONSTACK(never);
	ktime_t start = ktime_get();
	unsigned long left;

	msleep(500);
	pr_info("delays: msleep took half a second: %d\n", ktime_ms_delta(ktime_get(), start) / 400 == 1);
	start = ktime_get();
	left = wait_for_completion_timeout(&never, HZ / 2);
	pr_info("delays: time-out leaves %lu, took half a second: %d\n", left,
		ktime_ms_delta(ktime_get(), start) / 400 == 1);
	start = ktime_get();
	mdelay(20);
	pr_info("delays: mdelay took about 20 ms: %d\n", ktime_us_delta(ktime_get(), start) / 10000 > 0);
	return 0;
}

static void __exit delays_exit(void)
{
}

module_init(delays_init);
module_exit(delays_exit);

MODULE_LICENSE("GPL");
