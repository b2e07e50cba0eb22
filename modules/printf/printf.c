// SPDX-License-Identifier: GPL-2.0
/*
 * Asks the kernel's formatting, scanning and parsing functions what they make of the cases in cases.h, and prints
 * the answers: "PF index return-value hex-of-output".
 */
#include <linux/blkdev.h>
#include <linux/dcache.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/ioport.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/printk.h>
#include <linux/rtc.h>
#include <linux/string_helpers.h>
#include <linux/page-flags.h>

enum { PF_FORMAT, PF_SCAN, PF_NUMBER, PF_SIZE, PF_ESCAPE, PF_UNESCAPE, PF_DUMP };

/* An argument that stands for a struct va_format made at run time. */
#define PF_VA_MARK 0x7bad000000000000UL
#define PF_VA(n) (PF_VA_MARK + (n))

struct pf_case {
	int op;
	const char *fmt;
	unsigned long size;
	unsigned long a[8];
};

struct pf_va {
	const char *fmt;
	unsigned long a[6];
};

void pf_symbol(void);
noinline void pf_symbol(void)
{
	asm volatile("nop; nop; nop; nop; nop; nop");
}

#include "cases.h"

static char out[1024];
static char hex[2100];

static void answer(int i, long ret, const void *data, size_t len)
{
	*bin2hex(hex, data, len) = 0;
	while (strlen(hex) > 800) {
		char save = hex[800];

		hex[800] = 0;
		pr_info("PFC %d %s\n", i, hex);
		hex[800] = save;
		memmove(hex, hex + 800, strlen(hex + 800) + 1);
	}
	pr_info("PF %d %ld %s\n", i, ret, hex);
}

static int call(const struct pf_case *c, const unsigned long *a);

/* Turns marked arguments into va_formats, one stack frame each, then makes the call. */
static int with_va(const struct pf_case *c, unsigned long *a, int which, const char *fmt, ...)
{
	struct va_format vaf = { .fmt = fmt };
	va_list args;
	int ret;

	va_start(args, fmt);
	vaf.va = &args;
	a[which] = (unsigned long)&vaf;
	ret = call(c, a);
	va_end(args);
	return ret;
}

static int with_inner(const struct pf_case *c, unsigned long *a, int which, const struct pf_va *v,
		      unsigned long *inner, const char *fmt, ...)
{
	struct va_format vaf = { .fmt = fmt };
	va_list args;
	int ret;

	va_start(args, fmt);
	vaf.va = &args;
	inner[0] = (unsigned long)&vaf;
	ret = with_va(c, a, which, v->fmt, inner[0], inner[1], inner[2], inner[3], inner[4], inner[5]);
	va_end(args);
	return ret;
}

static int call(const struct pf_case *c, const unsigned long *args)
{
	unsigned long a[8];
	int i;

	memcpy(a, args, sizeof(a));
	for (i = 0; i < 8; i++) {
		if ((a[i] & ~0xffUL) == PF_VA_MARK) {
			const struct pf_va *v = &pf_vas[a[i] & 0xff];

			if ((v->a[0] & ~0xffUL) == PF_VA_MARK) {
				const struct pf_va *w = &pf_vas[v->a[0] & 0xff];
				unsigned long inner[6];

				memcpy(inner, v->a, sizeof(inner));
				return with_inner(c, a, i, v, inner, w->fmt, w->a[0], w->a[1], w->a[2],
						  w->a[3], w->a[4], w->a[5]);
			}
			return with_va(c, a, i, v->fmt, v->a[0], v->a[1], v->a[2], v->a[3], v->a[4], v->a[5]);
		}
	}
	return snprintf(out, c->size, c->fmt, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7]);
}

static void do_format(int i, const struct pf_case *c)
{
	int ret;

	memset(out, 0xaa, sizeof(out));
	ret = call(c, c->a);
	answer(i, ret, out, min_t(size_t, c->size, (size_t)ret + 1));
}

static void do_scan(int i, const struct pf_case *c)
{
	static u8 o[8][16];
	int ret;

	memset(o, 0xaa, sizeof(o));
	ret = sscanf((const char *)c->a[0], c->fmt, o[0], o[1], o[2], o[3], o[4], o[5], o[6], o[7]);
	answer(i, ret, o, 16 * c->size);
}

#define KSTRTO(n, type, f) case n: { type v = 0; ret = f(c->fmt, c->a[0], &v); value = v; break; }
#define SIMPLE(n, f) case n: { char *end; value = f(c->fmt, &end, c->a[0]); ret = end - c->fmt; break; }

static void do_number(int i, const struct pf_case *c)
{
	long long value = 0;
	int ret = 0;

	switch (c->size) {
	KSTRTO(0, unsigned long long, kstrtoull)
	KSTRTO(1, long long, kstrtoll)
	KSTRTO(2, unsigned int, kstrtouint)
	KSTRTO(3, int, kstrtoint)
	KSTRTO(4, u16, kstrtou16)
	KSTRTO(5, s16, kstrtos16)
	KSTRTO(6, u8, kstrtou8)
	KSTRTO(7, s8, kstrtos8)
	case 8: {
		bool v = false;

		ret = kstrtobool(c->fmt, &v);
		value = v;
		break;
	}
	SIMPLE(9, simple_strtoull)
	SIMPLE(10, simple_strtoll)
	SIMPLE(11, simple_strtoul)
	SIMPLE(12, simple_strtol)
	}
	answer(i, ret, &value, sizeof(value));
}

static void do_other(int i, const struct pf_case *c)
{
	const unsigned long *a = c->a;
	const char *only = (const char *)a[2];
	int ret;

	memset(out, 0xaa, sizeof(out));
	switch (c->op) {
	case PF_SIZE:
		string_get_size(a[0], a[1], a[2] ? STRING_UNITS_2 : STRING_UNITS_10, out, c->size);
		answer(i, 0, out, strlen(out));
		break;
	case PF_ESCAPE:
		ret = string_escape_mem(c->fmt, a[0], out, c->size, a[1], *only ? only : NULL);
		answer(i, ret, out, min_t(size_t, ret, c->size));
		break;
	case PF_UNESCAPE: {
		static char src[100];

		strscpy(src, c->fmt, sizeof(src));
		ret = string_unescape(src, out, c->size, a[0]);
		answer(i, ret, out, ret + 1);
		break;
	}
	case PF_DUMP: {
		size_t used;

		ret = hex_dump_to_buffer(pf_dump_bytes, a[0], a[1], a[2], out, c->size, a[3]);
		for (used = 0; used < c->size && (u8)out[used] != 0xaa; used++)
			;
		answer(i, ret, out, used);
		break;
	}
	}
}

#define LAYOUT(type, member) \
	pr_info("PFL %s %s %zu %zu %zu\n", #type, #member, offsetof(struct type, member), \
		sizeof_field(struct type, member), sizeof(struct type))
#define ENUM(name) pr_info("PFE %s %d\n", #name, (int)(name))
#define SYMBOL(a) pr_info("PFY %px %pS %ps %pB\n", (void *)(a), (void *)(a), (void *)(a), (void *)(a))

static void facts(void)
{
	LAYOUT(resource, start);
	LAYOUT(resource, end);
	LAYOUT(resource, flags);
	LAYOUT(rtc_time, tm_year);
	LAYOUT(rtc_time, tm_mon);
	LAYOUT(rtc_time, tm_mday);
	LAYOUT(rtc_time, tm_hour);
	LAYOUT(rtc_time, tm_min);
	LAYOUT(rtc_time, tm_sec);
	LAYOUT(dentry, d_parent);
	LAYOUT(dentry, d_name.name);
	LAYOUT(file, f_path.dentry);
	LAYOUT(gendisk, disk_name);
	LAYOUT(block_device, bd_disk);
	LAYOUT(block_device, bd_partno);
	LAYOUT(va_format, fmt);
	LAYOUT(va_format, va);
	LAYOUT(kernel_param, name);
	LAYOUT(kernel_param, ops);
	LAYOUT(kernel_param, level);
	LAYOUT(kernel_param, flags);
	LAYOUT(kernel_param, arg);
	LAYOUT(kernel_param_ops, flags);
	LAYOUT(kernel_param_ops, set);
	LAYOUT(kernel_param_ops, get);
	LAYOUT(kernel_param_ops, free);
	LAYOUT(kparam_array, max);
	LAYOUT(kparam_array, elemsize);
	LAYOUT(kparam_array, num);
	LAYOUT(kparam_array, ops);
	LAYOUT(kparam_array, elem);
	LAYOUT(kparam_string, maxlen);
	LAYOUT(kparam_string, string);
	ENUM(PG_locked); ENUM(PG_waiters); ENUM(PG_error); ENUM(PG_referenced); ENUM(PG_uptodate);
	ENUM(PG_dirty); ENUM(PG_lru); ENUM(PG_active); ENUM(PG_workingset); ENUM(PG_slab);
	ENUM(PG_owner_priv_1); ENUM(PG_arch_1); ENUM(PG_reserved); ENUM(PG_private);
	ENUM(PG_private_2); ENUM(PG_writeback); ENUM(PG_head); ENUM(PG_mappedtodisk);
	ENUM(PG_reclaim); ENUM(PG_swapbacked); ENUM(PG_unevictable); ENUM(PG_mlocked);
	ENUM(PG_uncached); ENUM(PG_hwpoison);
#ifdef CONFIG_PAGE_IDLE_FLAG
	ENUM(PG_young); ENUM(PG_idle);
#endif
#ifdef CONFIG_64BIT
	ENUM(PG_arch_2);
#endif
	ENUM(__NR_PAGEFLAGS); ENUM(__MAX_NR_ZONES);
	SYMBOL((unsigned long)vsnprintf);
	SYMBOL((unsigned long)vsnprintf + 5);
	SYMBOL((unsigned long)pf_symbol + 3);
	SYMBOL(0x1234);
	SYMBOL(0);
	SYMBOL(-1L);
}

static int __init pf_init(void)
{
	int i;

	facts();
	for (i = 0; i < ARRAY_SIZE(pf_cases); i++) {
		const struct pf_case *c = &pf_cases[i];

		if (c->op == PF_FORMAT)
			do_format(i, c);
		else if (c->op == PF_SCAN)
			do_scan(i, c);
		else if (c->op == PF_NUMBER)
			do_number(i, c);
		else
			do_other(i, c);
	}
	pr_info("PFEND %d\n", i);
	return 0;
}

static void __exit pf_exit(void)
{
}

module_init(pf_init);
module_exit(pf_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Prints what the kernel's formatting functions make of a table of cases");
