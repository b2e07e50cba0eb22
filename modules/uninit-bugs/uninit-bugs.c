// SPDX-License-Identifier: GPL-2.0
// One function for each kind of use of memory that nobody has written, and after them ("fine_...") what looks alike and
// is right; the parameter "bug" names the one that runs.
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt
#include <linux/gfp.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

static char *bug = "none";
module_param(bug, charp, 0444);
MODULE_PARM_DESC(bug, "which use to make");

struct item {
	u64 first;
	u32 number;
	u8 kind;
	/* three bytes of padding */
	u64 last;
	char label[16];
};

struct flags {
	unsigned int ready : 1;
	unsigned int mode : 3;
	unsigned int count : 12;
};

static int table[16] = { 3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3 };
static int sink;
static struct item kept;

static noinline void one(void)
{
	sink += 1;
}

static noinline void two(void)
{
	sink += 2;
}

/* The compiler must not see that nobody has written there: it would make something up. */
static __always_inline void *hidden(void *p)
{
	OPTIMIZER_HIDE_VAR(p);
	return p;
}

static noinline struct item *make_item(void)
{
	struct item *item = kmalloc(sizeof(*item), GFP_KERNEL);

	barrier(); /* no tail call: this function shall be on the stack */
	return hidden(item);
}

static noinline void drop(void *p)
{
	kfree(p);
	barrier();
}

/* ---- uses */

static noinline void branch_heap(void)
{
	struct item *item = make_item();

	if (item->number == 7)
		one();
	else
		two();
	drop(item);
}

static noinline void branch_stack(void)
{
	int local;
	int *p = &local;

	OPTIMIZER_HIDE_VAR(p);
	if (*p > 3)
		one();
	else
		two();
}

static noinline void branch_sum(void)
{
	struct item *item = make_item();
	u64 sum;

	item->first = 5;
	sum = item->first + 2 * item->last;
	if (sum > 100)
		one();
	else
		two();
	drop(item);
}

static noinline void branch_bit_field(void)
{
	struct flags *flags = hidden(kmalloc(sizeof(*flags), GFP_KERNEL));

	flags->ready = 1;
	flags->mode = 2;
	if (flags->count == 9)
		one();
	else
		two();
	drop(flags);
}

static noinline void table_index(void)
{
	struct item *item = make_item();

	sink += table[item->number & 15];
	drop(item);
}

static noinline void division(void)
{
	struct item *item = make_item();

	sink += 1000 / (item->number | 1);
	drop(item);
}

static noinline void function_pointer(void)
{
	void (**calls)(void) = hidden(kmalloc(2 * sizeof(*calls), GFP_KERNEL));
	unsigned long nobodys = READ_ONCE(*(unsigned long *)calls);

	/* the right address, made with bits that nobody has written */
	WRITE_ONCE(calls[1], one + (nobodys - READ_ONCE(*(unsigned long *)calls)));
	barrier();
	calls[1]();
	drop(calls);
}

static noinline void printed_number(void)
{
	struct item *item = make_item();

	pr_info("the number is %u\n", item->number);
	drop(item);
}

static noinline void printed_argument(void)
{
	struct item *item = make_item();

	/* beyond the registers: on the stack */
	pr_info("%d %d %d %d %d %d %u\n", 1, 2, 3, 4, 5, 6, item->number);
	drop(item);
}

static noinline void printed_string(void)
{
	struct item *item = make_item();

	pr_info("the label is %.3s\n", item->label);
	drop(item);
}

static noinline void compared_strings(void)
{
	struct item *item = make_item();

	if (strcmp(item->label, kept.label) == 0)
		one();
	drop(item);
}

static noinline void compared_padding(void)
{
	struct item *a = make_item();
	struct item *b = make_item();

	memset(b, 0, sizeof(*b));
	a->first = b->first;
	a->number = b->number;
	a->kind = b->kind;
	a->last = b->last;
	memset(a->label, 0, sizeof(a->label));
	if (memcmp(a, b, sizeof(*a)) == 0)
		one();
	drop(a);
	drop(b);
}

static noinline void copied_then_used(void)
{
	struct item *item = make_item();
	struct item *copy = make_item();

	item->first = 1;
	memcpy(copy, item, sizeof(*copy));
	kept.number = READ_ONCE(copy->number);
	if (READ_ONCE(kept.number) == 12)
		one();
	else
		two();
	drop(copy);
	drop(item);
}

static noinline void allocated_size(void)
{
	struct item *item = make_item();
	void *p = kmalloc(item->number & 63, GFP_KERNEL);

	kfree(p);
	drop(item);
}

static noinline void grown(void)
{
	u32 *numbers = hidden(kzalloc(2 * sizeof(u32), GFP_KERNEL));

	numbers = hidden(krealloc(numbers, 20 * sizeof(u32), GFP_KERNEL));
	if (numbers[1] == 0 && numbers[2] == 0)
		one();
	else
		two();
	drop(numbers);
}

static noinline void page(void)
{
	unsigned long addr = __get_free_page(GFP_KERNEL);
	u8 *bytes = hidden((void *)addr);

	if (bytes[77] == 1)
		one();
	else
		two();
	free_page(addr);
}

static noinline void vmalloc_area(void)
{
	u64 *words = hidden(vmalloc(10000));

	if ((s64)words[500] < 0)
		one();
	else
		two();
	vfree(words);
}

static noinline __noclone void fill(u32 *result, int code)
{
	OPTIMIZER_HIDE_VAR(result);
	if (code > 0)
		*result = code;
}

static noinline int out_parameter(int code)
{
	u32 result;

	fill(&result, code);
	return result > 5 ? 1 : 2;
}

static noinline void forgotten_result(void)
{
	int code = 0;

	OPTIMIZER_HIDE_VAR(code);
	if (out_parameter(code) == 2)
		one();
}

static noinline void again_and_again(void)
{
	u32 *numbers = hidden(kmalloc(1000 * sizeof(u32), GFP_KERNEL));
	int i;

	for (i = 0; i < 1000; i++) {
		if (READ_ONCE(numbers[i]) == 5)
			one();
	}
	drop(numbers);
}

/* ---- no uses */

static noinline void fine_padding_copy(void)
{
	struct item *item = make_item();

	item->first = 1;
	item->number = 2;
	item->kind = 3;
	item->last = 4;
	memset(item->label, 0, sizeof(item->label));
	kept = *item;
	drop(item);
	if (kept.first + kept.number + kept.kind + kept.last == 10)
		one();
}

static noinline void fine_partial_struct(void)
{
	struct item *item = make_item();
	struct item *copy;

	item->number = 12;
	copy = kmemdup(item, sizeof(*item), GFP_KERNEL);
	if (copy && copy->number == 12)
		one();
	kept = *copy;
	drop(copy);
	drop(item);
	memset(&kept, 0, sizeof(kept));
}

static noinline void fine_bit_fields(void)
{
	struct flags *flags = hidden(kmalloc(sizeof(*flags), GFP_KERNEL));

	flags->ready = 1;
	flags->mode = 5;
	if (flags->ready && flags->mode == 5)
		one();
	flags->count = 77;
	if (flags->count > 70)
		two();
	drop(flags);
}

static noinline void fine_masked(void)
{
	struct item *item = make_item();
	u8 *bytes = (u8 *)&item->number;

	bytes[1] = 0x55;
	if ((item->number & 0xff00) == 0x5500)
		one();
	if ((item->number | ~0xff00u) == 0xffff55ff)
		two();
	drop(item);
}

static noinline void fine_string(void)
{
	struct item *item = make_item();

	strcpy(item->label, "short");
	if (strlen(item->label) == 5 && strcmp(item->label, "short") == 0)
		one();
	pr_info("the label is %s\n", item->label);
	drop(item);
}

static noinline void fine_snprintf(void)
{
	char buffer[64];
	int length = snprintf(buffer, sizeof(buffer), "%d %s", table[3], "text");

	OPTIMIZER_HIDE_VAR(length);
	if (length == 6 && buffer[0] == '1' && buffer[6] == '\0')
		one();
	pr_info("the text is %s\n", buffer);
}

static noinline void fine_self_xor(void)
{
	u32 *word = hidden(kmalloc(sizeof(*word), GFP_KERNEL));
	u32 value = *word;

	asm volatile("xorl %0, %0" : "+r"(value));
	if (value == 0)
		one();
	drop(word);
}

static noinline void fine_zeroed(void)
{
	u32 *numbers = hidden(kcalloc(40, sizeof(u32), GFP_KERNEL));
	unsigned long addr = get_zeroed_page(GFP_KERNEL);
	u32 *more = hidden(vzalloc(5000));

	if (numbers[33] == 0 && *(u8 *)hidden((void *)addr) == 0 && more[1000] == 0)
		one();
	drop(numbers);
	free_page(addr);
	vfree(more);
}

static noinline void fine_list(void)
{
	struct node {
		struct list_head list;
		int number;
	} *node;
	LIST_HEAD(head);
	int i, sum = 0;

	for (i = 0; i < 5; i++) {
		node = kmalloc(sizeof(*node), GFP_KERNEL);
		node->number = i;
		list_add(&node->list, &head);
	}
	while (!list_empty(&head)) {
		node = list_first_entry(&head, struct node, list);
		sum += node->number;
		list_del(&node->list);
		kfree(node);
	}
	if (sum == 10)
		one();
}

static noinline void fine_defined_decides(void)
{
	struct item *item = make_item();

	item->kind = 200;
	/* whatever the other bytes are, one that is known differs; and the top byte decides the order */
	((u8 *)&item->last)[7] = 0x80;
	if (item->last > 0x7000000000000000ull)
		one();
	if (item->last == 0x1234)
		two();
	drop(item);
}

static noinline void fine_memset(void)
{
	u8 *bytes = hidden(kmalloc(100, GFP_KERNEL));
	int i, sum = 0;

	memset(bytes, 1, 100);
	for (i = 0; i < 100; i++)
		sum += bytes[i];
	if (sum == 100)
		one();
	drop(bytes);
}

static noinline void fine_local_array(void)
{
	int local[32];
	int *p = local;
	int i;

	OPTIMIZER_HIDE_VAR(p);
	for (i = 0; i < 8; i++)
		p[i] = table[i];
	for (i = 0; i < 8; i++)
		sink += p[i] > 3;
}

static noinline void fine_choice(void)
{
	struct item *item = make_item();
	u32 value;

	item->kind = 0;
	/* read before it is known whether it is wanted */
	value = READ_ONCE(item->number);
	barrier();
	if (item->kind)
		sink += value;
	drop(item);
}

#define ENTRY_OF(name) { #name, name }

static const struct {
	const char *name;
	void (*function)(void);
} entries[] = {
	ENTRY_OF(branch_heap),
	ENTRY_OF(branch_stack),
	ENTRY_OF(branch_sum),
	ENTRY_OF(branch_bit_field),
	ENTRY_OF(table_index),
	ENTRY_OF(division),
	ENTRY_OF(function_pointer),
	ENTRY_OF(printed_number),
	ENTRY_OF(printed_argument),
	ENTRY_OF(printed_string),
	ENTRY_OF(compared_strings),
	ENTRY_OF(compared_padding),
	ENTRY_OF(copied_then_used),
	ENTRY_OF(allocated_size),
	ENTRY_OF(grown),
	ENTRY_OF(page),
	ENTRY_OF(vmalloc_area),
	ENTRY_OF(forgotten_result),
	ENTRY_OF(again_and_again),
	ENTRY_OF(fine_padding_copy),
	ENTRY_OF(fine_partial_struct),
	ENTRY_OF(fine_bit_fields),
	ENTRY_OF(fine_masked),
	ENTRY_OF(fine_string),
	ENTRY_OF(fine_snprintf),
	ENTRY_OF(fine_self_xor),
	ENTRY_OF(fine_zeroed),
	ENTRY_OF(fine_list),
	ENTRY_OF(fine_defined_decides),
	ENTRY_OF(fine_memset),
	ENTRY_OF(fine_local_array),
	ENTRY_OF(fine_choice),
};

static noinline void run(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(entries); i++) {
		if (strcmp(bug, entries[i].name) == 0) {
			entries[i].function();
			barrier();
		}
	}
}

static int __init uninit_bugs_init(void)
{
	run();
	pr_info("init is done\n");
	return 0;
}

static void __exit uninit_bugs_exit(void)
{
	pr_info("exit is done\n");
}

module_init(uninit_bugs_init);
module_exit(uninit_bugs_exit);
MODULE_DESCRIPTION("Uses of memory that nobody has written, and what only looks alike");
MODULE_AUTHOR("Ringside");
MODULE_LICENSE("GPL");
