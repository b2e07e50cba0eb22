// SPDX-License-Identifier: GPL-2.0
// Allocates, fills, grows and frees memory of several kinds.
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

struct item {
	struct list_head list;
	int number;
	char label[20];
};

static LIST_HEAD(items);

static int add(int number)
{
	struct item *it = kzalloc(sizeof(*it), GFP_KERNEL);

	if (!it)
		return -ENOMEM;
	it->number = number;
	snprintf(it->label, sizeof(it->label), "item-%d", number);
	list_add_tail(&it->list, &items);
	return 0;
}

static void free_all(void)
{
	struct item *it, *next;

	list_for_each_entry_safe(it, next, &items, list) {
		list_del(&it->list);
		kfree(it);
	}
}

static int __init allocate_init(void)
{
	struct item *it;
	char *text;
	int i, sum = 0, *array;

	for (i = 1; i <= 3; i++)
		if (add(i)) {
			free_all();
			return -ENOMEM;
		}
	list_for_each_entry(it, &items, list)
		pr_info("allocate: %s\n", it->label);

	array = kcalloc(100, sizeof(*array), GFP_KERNEL);
	if (!array) {
		free_all();
		return -ENOMEM;
	}
	for (i = 0; i < 100; i++)
		array[i] += i;
	for (i = 0; i < 100; i++)
		sum += array[i];
	kfree(array);
	pr_info("allocate: sum %d\n", sum);

	text = kstrdup("abc", GFP_KERNEL);
	pr_info("allocate: \"%s\" of %zu bytes, room for %zu\n", text, strlen(text), ksize(text));
	kfree(text);
	text = kasprintf(GFP_KERNEL, "%s-%d", "made", 5);
	pr_info("allocate: \"%s\"\n", text);
	text = krealloc(text, 100, GFP_KERNEL);
	pr_info("allocate: still \"%s\"\n", text);
	kfree(text);
	kfree(NULL);
	return 0;
}

static void __exit allocate_exit(void)
{
	int n = 0;
	struct item *it;

	list_for_each_entry(it, &items, list)
		n += it->number;
	free_all();
	pr_info("allocate: freed items with sum %d\n", n);
}

module_init(allocate_init);
module_exit(allocate_exit);

MODULE_LICENSE("GPL");
