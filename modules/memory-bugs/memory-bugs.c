// SPDX-License-Identifier: GPL-2.0
// One function for each kind of memory error; the parameter "bug" names the one that runs. "-exit" ones run at exit.
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

static char *bug = "none";
module_param(bug, charp, 0444);
MODULE_PARM_DESC(bug, "which error to make");

struct item {
	u64 first;
	u32 number;
	char label[28];
};

static int counters[5] = { 1, 2, 3, 4, 5 };
static u64 behind_counters = 6;
static const u64 primes[5] = { 2, 3, 5, 7, 11 };
static const u32 squares[33] = { 0, 1, 4, 9, 16, 25, 36 };
static int __initdata boot_number = 7;
static int *boot_number_later = &boot_number;
static int (*boot_function_later)(int);
static char name_buffer[20];

/* The compiler must not see where a pointer comes from: it would leave the error out. */
static __always_inline void *hidden(void *p)
{
	OPTIMIZER_HIDE_VAR(p);
	return p;
}

static noinline struct item *make_item(void)
{
	struct item *item = kmalloc(sizeof(*item), GFP_KERNEL);

	barrier(); /* no tail call: this function shall be on the stack */
	return item;
}

static noinline void drop_item(struct item *item)
{
	kfree(item);
	barrier();
}

static noinline void slab_right(void)
{
	struct item *item = make_item();

	((char *)hidden(item))[sizeof(*item)] = 1;
	drop_item(item);
}

static noinline void slab_left(void)
{
	struct item *item = make_item();

	pr_info("memory-bugs: read %d\n", ((char *)hidden(item))[-1] != 0);
	drop_item(item);
}

/* The last four of the eight bytes are inside. */
static noinline void slab_across(void)
{
	char *text = kmalloc(20, GFP_KERNEL);

	*(u64 *)((char *)hidden(text) + 16) = 0;
	kfree(text);
}

static noinline void slab_far(void)
{
	u32 *numbers = kcalloc(10, sizeof(*numbers), GFP_KERNEL);
	u32 *all = hidden(numbers);
	int i;

	for (i = 0; i <= 11; i++)
		all[i] = i;
	kfree(numbers);
}

static noinline void slab_memset(void)
{
	struct item *item = make_item();
	size_t size = sizeof(*item) + 2;

	OPTIMIZER_HIDE_VAR(size);
	memset(hidden(item), 0, size);
	drop_item(item);
}

static noinline void slab_strcpy(void)
{
	char *copy = kmalloc(strlen(bug), GFP_KERNEL);

	strcpy(hidden(copy), bug);
	kfree(copy);
}

static noinline void use_after_free(void)
{
	struct item *item = make_item();

	item->number = 5;
	drop_item(item);
	((struct item *)hidden(item))->number = 6;
}

static noinline void use_after_free_read(void)
{
	struct item *item = kzalloc(sizeof(*item), GFP_KERNEL);

	kfree(item);
	pr_info("memory-bugs: label %d\n", ((struct item *)hidden(item))->label[27]);
}

static noinline void use_after_krealloc(void)
{
	char *old = kmalloc(16, GFP_KERNEL), *kept = hidden(old);
	char *larger = krealloc(old, 256, GFP_KERNEL);

	kept[3] = 'x';
	kfree(larger);
}

static noinline void double_free(void)
{
	struct item *item = make_item();

	drop_item(item);
	drop_item(hidden(item));
	barrier();
}

static noinline void invalid_free(void)
{
	struct item *item = make_item();

	kfree((char *)hidden(item) + 8);
	drop_item(item);
}

static noinline void free_global(void)
{
	kfree(hidden(counters));
	barrier();
}

static noinline void large_right(void)
{
	char *large = kmalloc(10000, GFP_KERNEL);

	((char *)hidden(large))[10000] = 1;
	kfree(large);
}

static noinline void large_use_after_free(void)
{
	char *large = kmalloc(10000, GFP_KERNEL);

	kfree(large);
	((char *)hidden(large))[77] = 1;
}

static noinline void page_right(void)
{
	char *page = (char *)__get_free_page(GFP_KERNEL);

	((char *)hidden(page))[PAGE_SIZE] = 1;
	free_page((unsigned long)page);
}

static noinline void page_use_after_free(void)
{
	char *page = (char *)__get_free_page(GFP_KERNEL);

	free_page((unsigned long)page);
	((char *)hidden(page))[100] = 1;
}

static noinline void vmalloc_right(void)
{
	char *area = vmalloc(5000);

	((char *)hidden(area))[5000] = 1;
	vfree(area);
}

static noinline void vmalloc_guard(void)
{
	char *area = vmalloc(2 * PAGE_SIZE);

	((char *)hidden(area))[2 * PAGE_SIZE] = 1;
	vfree(area);
}

static noinline void vmalloc_use_after_free(void)
{
	char *area = vmalloc(5000);

	vfree(area);
	((char *)hidden(area))[10] = 1;
}

static noinline void global_right(void)
{
	int *all = hidden(counters);
	int i;

	for (i = 0; i <= 5; i++)
		all[i] = i;
	pr_info("memory-bugs: %llu\n", behind_counters);
}

static noinline void global_const_right(void)
{
	const u32 *all = hidden((void *)squares);

	pr_info("memory-bugs: read %d of %llu\n", all[36] != 0, primes[all[1]]);
}

static noinline void global_snprintf(void)
{
	size_t size = sizeof(name_buffer) + 8;

	OPTIMIZER_HIDE_VAR(size);
	snprintf(hidden(name_buffer), size, "%s", "a name that is too long");
	barrier();
}

static noinline void percpu_use_after_free(void)
{
	u64 __percpu *values = alloc_percpu(u64);
	u64 *mine = get_cpu_ptr(values);

	put_cpu_ptr(values);
	free_percpu(values);
	*(u64 *)hidden(mine) = 1;
}

static noinline void percpu_right(void)
{
	u32 __percpu *values = __alloc_percpu(3 * sizeof(u32), sizeof(u32));
	u32 *mine = get_cpu_ptr(values);

	put_cpu_ptr(values);
	((u32 *)hidden(mine))[3] = 1;
	free_percpu(values);
}

static noinline void null_pointer(void)
{
	((struct item *)hidden(NULL))->number = 1;
}

static noinline void user_pointer(void)
{
	*(int *)hidden((void *)0x12345678) = 1;
}

static noinline void wild_pointer(void)
{
	*(int *)hidden((void *)0xdead4ead00000010) = 1;
}

static noinline void rodata_write(void)
{
	*(u32 *)hidden((void *)squares) = 1;
}

static noinline void text_write(void)
{
	*(u32 *)hidden(rodata_write) = 0;
}

static noinline void data_execute(void)
{
	((void (*)(void))hidden(counters))();
	barrier();
}

static noinline void null_execute(void)
{
	((void (*)(void))hidden(NULL))();
	barrier();
}

static noinline int recurse(int depth)
{
	char room[256];

	memset(room, depth, sizeof(room));
	return depth == 0 ? 0 : recurse(depth - 1) + *(char *)hidden(room);
}

static noinline void stack_overflow(void)
{
	pr_info("memory-bugs: %d\n", recurse(100000));
}

static noinline void again_and_again(void)
{
	struct item *item = make_item();
	int i;

	for (i = 0; i < 1000; i++)
		((char *)hidden(item))[sizeof(*item)] = i;
	drop_item(item);
}

static noinline void init_data_exit(void)
{
	*(int *)hidden(boot_number_later) = 8;
}

static noinline void init_function_exit(void)
{
	boot_function_later(3);
	barrier();
}

static noinline int __init twice(int n)
{
	return 2 * n;
}

#define ENTRY_OF(function) { #function, function }
static const struct {
	const char *name;
	void (*run)(void);
} bugs[] = {
	ENTRY_OF(slab_right),
	ENTRY_OF(slab_left),
	ENTRY_OF(slab_across),
	ENTRY_OF(slab_far),
	ENTRY_OF(slab_memset),
	ENTRY_OF(slab_strcpy),
	ENTRY_OF(use_after_free),
	ENTRY_OF(use_after_free_read),
	ENTRY_OF(use_after_krealloc),
	ENTRY_OF(double_free),
	ENTRY_OF(invalid_free),
	ENTRY_OF(free_global),
	ENTRY_OF(large_right),
	ENTRY_OF(large_use_after_free),
	ENTRY_OF(page_right),
	ENTRY_OF(page_use_after_free),
	ENTRY_OF(vmalloc_right),
	ENTRY_OF(vmalloc_guard),
	ENTRY_OF(vmalloc_use_after_free),
	ENTRY_OF(global_right),
	ENTRY_OF(global_const_right),
	ENTRY_OF(global_snprintf),
	ENTRY_OF(percpu_use_after_free),
	ENTRY_OF(percpu_right),
	ENTRY_OF(null_pointer),
	ENTRY_OF(user_pointer),
	ENTRY_OF(wild_pointer),
	ENTRY_OF(rodata_write),
	ENTRY_OF(text_write),
	ENTRY_OF(data_execute),
	ENTRY_OF(null_execute),
	ENTRY_OF(stack_overflow),
	ENTRY_OF(again_and_again),
	ENTRY_OF(init_data_exit),
	ENTRY_OF(init_function_exit),
};

static void run(bool at_exit)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bugs); i++) {
		const char *end = strstr(bugs[i].name, "_exit");

		if (strcmp(bugs[i].name, bug) == 0 && (end != NULL) == at_exit)
			bugs[i].run();
	}
}

static int __init memory_bugs_init(void)
{
	boot_function_later = twice;
	run(false);
	pr_info("memory-bugs: init is done\n");
	return 0;
}

static void __exit memory_bugs_exit(void)
{
	run(true);
	pr_info("memory-bugs: exit is done\n");
}

module_init(memory_bugs_init);
module_exit(memory_bugs_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Makes the memory error that its parameter names");
