// SPDX-License-Identifier: GPL-2.0
// One parameter of each standard type.
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>

static unsigned char a_byte = 1;
static short a_short = -2;
static unsigned short a_ushort = 3;
static int an_int = -4;
static unsigned int a_uint = 5;
static long a_long = -6;
static unsigned long a_ulong = 7;
static long long a_llong = -8;
static unsigned long long a_ullong = 8;
static unsigned int a_hexint = 0x9;
static char *a_charp = "ten";
static bool a_bool;
static bool an_invbool;
static int a_bint;

module_param(a_byte, byte, 0644);
module_param(a_short, short, 0644);
module_param(a_ushort, ushort, 0644);
module_param(an_int, int, 0644);
module_param(a_uint, uint, 0644);
module_param(a_long, long, 0644);
module_param(a_ulong, ulong, 0644);
module_param_cb(a_llong, &param_ops_long, &a_llong, 0444);
module_param(a_ullong, ullong, 0644);
module_param(a_hexint, hexint, 0644);
module_param(a_charp, charp, 0644);
module_param(a_bool, bool, 0644);
module_param(an_invbool, invbool, 0644);
module_param(a_bint, bint, 0600);

MODULE_PARM_DESC(an_int, "a whole number");
MODULE_PARM_DESC(a_charp, "some text");

static int __init params_init(void)
{
	pr_info("params: byte %u short %d ushort %u\n", a_byte, a_short, a_ushort);
	pr_info("params: int %d uint %u hexint %#x\n", an_int, a_uint, a_hexint);
	pr_info("params: long %ld ulong %lu llong %lld ullong %llu\n", a_long, a_ulong, a_llong, a_ullong);
	pr_info("params: charp \"%s\"\n", a_charp);
	pr_info("params: bool %d invbool %d bint %d\n", a_bool, an_invbool, a_bint);
	return 0;
}

static void __exit params_exit(void)
{
	pr_info("params: int %d at exit\n", an_int);
}

module_init(params_init);
module_exit(params_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("A parameter of each standard type");
