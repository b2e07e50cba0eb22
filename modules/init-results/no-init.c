// SPDX-License-Identifier: GPL-2.0
// Has no init at all: only something to export.
#include <linux/export.h>
#include <linux/module.h>

int no_init_value = 5;
EXPORT_SYMBOL_GPL(no_init_value);

MODULE_LICENSE("GPL");
