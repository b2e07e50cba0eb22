// SPDX-License-Identifier: GPL-2.0
// Arrays with and without a count, and a string copied into a buffer of the module's own.
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>

static int numbers[4] = { 10, 20, 30, 40 };
static int numbers_count;
module_param_array(numbers, int, &numbers_count, 0444);

static bool switches[3];
module_param_array(switches, bool, NULL, 0444);

static char *names[2] = { "first", "second" };
static unsigned int names_count;
module_param_array_named(name, names, charp, &names_count, 0444);

static char text[8] = "short";
module_param_string(text, text, sizeof(text), 0644);

static int __init array_init(void)
{
	int i;

	pr_info("array: %d numbers given\n", numbers_count);
	for (i = 0; i < ARRAY_SIZE(numbers); i++)
		pr_info("array: numbers[%d] = %d\n", i, numbers[i]);
	pr_info("array: switches %d %d %d\n", switches[0], switches[1], switches[2]);
	pr_info("array: %u names: %s, %s\n", names_count, names[0], names[1]);
	pr_info("array: text \"%s\"\n", text);
	return 0;
}

static void __exit array_exit(void)
{
}

module_init(array_init);
module_exit(array_exit);

MODULE_LICENSE("GPL");
