// SPDX-License-Identifier: GPL-2.0
// WARN_TAINT() and add_taint().
#include <linux/bug.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>

static int __init start(void)
{
	WARN_TAINT(1, TAINT_CRAP, "warn-taint: this driver is of the staging kind\n");
	add_taint(TAINT_USER, LOCKDEP_STILL_OK);
	pr_info("warn-taint: after\n");
	return 0;
}

static void __exit stop(void)
{

}

module_init(start);
module_exit(stop);

MODULE_LICENSE("GPL");
