// SPDX-License-Identifier: GPL-2.0
// WARN_ON_ONCE() in a loop warns once.
#include <linux/bug.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>

// a function of its own, or the compiler would unroll the loop into three places that warn once each
static noinline __noipa void warn(int turn)
{
	WARN_ON_ONCE(turn >= 0);
}

static int __init start(void)
{
	int i;

	for (i = 0; i < 3; i++) {
		pr_info("warn-once: turn %d\n", i);
		warn(i);
	}
	pr_info("warn-once: after\n");
	return 0;
}

static void __exit stop(void)
{

}

module_init(start);
module_exit(stop);

MODULE_LICENSE("GPL");
