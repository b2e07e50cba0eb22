// SPDX-License-Identifier: GPL-2.0
// Lines put together with pr_cont, a text of several lines, an empty line, a very long one, a line that never ends.
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>

static char long_text[1200] __initdata;

static int __init continued_init(void)
{
	int i;

	pr_info("continued:");
	for (i = 1; i <= 5; i++)
		pr_cont(" %d", i);
	pr_cont("\n");
	pr_info("continued: line one\nline two\nline three\n");
	pr_info("\n");
	pr_info("continued: interrupted");
	pr_warn("continued: by a warning\n");
	pr_cont("continued: a continuation of nothing\n");
	pr_info("continued: with a tab\tand a control character \x02 and a backslash \\\n");
	for (i = 0; i < sizeof(long_text) - 1; i++)
		long_text[i] = 'a' + i % 26;
	pr_info("continued: %s\n", long_text);
	pr_info("continued: never ends");
	return 0;
}

static void __exit continued_exit(void)
{
	pr_info("continued: exit\n");
}

module_init(continued_init);
module_exit(continued_exit);

MODULE_LICENSE("GPL");
