// SPDX-License-Identifier: GPL-2.0
#ifndef EXPORTER_H
#define EXPORTER_H

extern int exported_value;
int exported_add(int a, int b);
int exported_gpl_double(int a);
int exported_ns_triple(int a);

#endif
