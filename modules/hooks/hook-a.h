// SPDX-License-Identifier: GPL-2.0
#ifndef HOOK_A_H
#define HOOK_A_H

typedef void (*hook_fn)(int round);

void hook_a_reg(hook_fn fn);
void hook_a_unreg(void);
void hook_a_say(const char *who);

#endif
