// SPDX-License-Identifier: GPL-2.0
// The usual conversions.
#include <linux/err.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>

static int __init formats_init(void)
{
	static const u8 mac[6] = { 0x00, 0x1b, 0x63, 0x84, 0x45, 0xe6 };

	pr_info("formats: %d %i %u %x %X %o %c %s %%\n", -1, 2, 3u, 0xabc, 0xabc, 8, 'c', "text");
	pr_info("formats: [%5d] [%-5d] [%05d] [%+d] [% d] [%#x] [%.3d]\n", 42, 42, 42, 42, 42, 42, 42);
	pr_info("formats: [%10s] [%-10s] [%.2s] [%*d]\n", "right", "left", "cut", 6, 7);
	pr_info("formats: %hhd %hd %ld %lld %zu\n", (signed char)-3, (short)-4, -5l, -6ll, sizeof(long));
	pr_info("formats: %llx %#018llx\n", 0x123456789abcdefull, 0x1234ull);
	pr_info("formats: %pS %ps\n", formats_init, formats_init);
	pr_info("formats: %pM %*ph\n", mac, 6, mac);
	pr_info("formats: NULL as text %s, as pointer %p, error %pe\n", (char *)NULL, NULL, ERR_PTR(-EINVAL));
	return 0;
}

static void __exit formats_exit(void)
{
}

module_init(formats_init);
module_exit(formats_exit);

MODULE_LICENSE("GPL");
