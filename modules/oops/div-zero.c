// SPDX-License-Identifier: GPL-2.0
// Divides by zero.
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>

static int divisor;
module_param(divisor, int, 0444);

// stands before the function that faults, so that there is code to show around the fault
static noinline __noipa unsigned int checksum(const char *text)
{
	unsigned int sum = 0;

	while (*text)
		sum = sum * 31 + *text++;
	return sum;
}

static noinline __noipa int divide(int a, int b)
{
	return a / b;
}

static int __init start(void)
{
	pr_info("div-zero: checksum %#x\n", checksum("div-zero"));
	pr_info("div-zero: 100 / %d = %d\n", divisor, divide(100, divisor));
	return 0;
}

static void __exit stop(void)
{
	pr_info("exit\n");
}

module_init(start);
module_exit(stop);

MODULE_LICENSE("GPL");
