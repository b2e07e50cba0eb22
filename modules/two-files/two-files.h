// SPDX-License-Identifier: GPL-2.0
#ifndef TWO_FILES_H
#define TWO_FILES_H

extern int shared_count;
void count_up(const char *who);

#endif
