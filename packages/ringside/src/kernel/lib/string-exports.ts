import { asAddr, NULL } from '../../bytes/index.ts';
import { type ExportTable, fn } from '../exports.ts';
import type { Kernel } from '../kernel.ts';
import * as string from './string.ts';

/** Virtual time of touching so many bytes: about what a processor's string instructions take. */
function bytesNs(size: number): number {
  return Math.ceil(size / 16);
}

function kstrdup(k: Kernel, limit: number): number {
  const from = k.args.addr(0);
  if (from === NULL) return NULL;
  const text = k.memory.readCString(from, limit);
  const addr = k.kmalloc.alloc(text.length + 1);
  if (addr === NULL) return NULL;
  k.memory.writeBytes(addr, text);
  k.memory.writeU8(asAddr(addr + text.length), 0);
  return addr;
}

/** lib/string.c, lib/string_helpers.c, mm/util.c, arch/x86/lib/mem*.S */
export const stringExports: ExportTable = {
  strlen: fn('size_t strlen(const char *s)', (k) => string.strlen(k.memory, k.args.addr(0))),
  strnlen: fn('size_t strnlen(const char *s, size_t count)', (k) =>
    string.strnlen(k.memory, k.args.addr(0), k.args.size(1)),
  ),
  strcpy: fn('char *strcpy(char *dest, const char *src)', (k) =>
    string.strcpy(k.memory, k.args.addr(0), k.args.addr(1)),
  ),
  strncpy: fn('char *strncpy(char *dest, const char *src, size_t count)', (k) =>
    string.strncpy(k.memory, k.args.addr(0), k.args.addr(1), k.args.size(2)),
  ),
  strlcpy: fn('size_t strlcpy(char *dest, const char *src, size_t size)', (k) =>
    string.strlcpy(k.memory, k.args.addr(0), k.args.addr(1), k.args.size(2)),
  ),
  strscpy: fn('ssize_t strscpy(char *dest, const char *src, size_t count)', (k) =>
    string.strscpy(k.memory, k.args.addr(0), k.args.addr(1), k.args.size(2)),
  ),
  strcat: fn('char *strcat(char *dest, const char *src)', (k) =>
    string.strcat(k.memory, k.args.addr(0), k.args.addr(1)),
  ),
  strncat: fn('char *strncat(char *dest, const char *src, size_t count)', (k) =>
    string.strncat(k.memory, k.args.addr(0), k.args.addr(1), k.args.size(2)),
  ),
  strcmp: fn('int strcmp(const char *cs, const char *ct)', (k) =>
    string.strcmp(k.memory, k.args.addr(0), k.args.addr(1)),
  ),
  strncmp: fn('int strncmp(const char *cs, const char *ct, size_t count)', (k) =>
    string.strncmp(k.memory, k.args.addr(0), k.args.addr(1), k.args.size(2)),
  ),
  strcasecmp: fn('int strcasecmp(const char *s1, const char *s2)', (k) =>
    string.strcasecmp(k.memory, k.args.addr(0), k.args.addr(1)),
  ),
  strncasecmp: fn('int strncasecmp(const char *s1, const char *s2, size_t len)', (k) =>
    string.strncasecmp(k.memory, k.args.addr(0), k.args.addr(1), k.args.size(2)),
  ),
  strchr: fn('char *strchr(const char *s, int c)', (k) =>
    string.strchr(k.memory, k.args.addr(0), k.args.u32(1) & 0xff),
  ),
  strchrnul: fn('char *strchrnul(const char *s, int c)', (k) =>
    string.strchrnul(k.memory, k.args.addr(0), k.args.u32(1) & 0xff),
  ),
  strrchr: fn('char *strrchr(const char *s, int c)', (k) =>
    string.strrchr(k.memory, k.args.addr(0), k.args.u32(1) & 0xff),
  ),
  strnchr: fn('char *strnchr(const char *s, size_t count, int c)', (k) =>
    string.strnchr(k.memory, k.args.addr(0), k.args.size(1), k.args.u32(2) & 0xff),
  ),
  strstr: fn('char *strstr(const char *s1, const char *s2)', (k) =>
    string.strstr(k.memory, k.args.addr(0), k.args.addr(1)),
  ),
  strnstr: fn('char *strnstr(const char *s1, const char *s2, size_t len)', (k) =>
    string.strnstr(k.memory, k.args.addr(0), k.args.addr(1), k.args.size(2)),
  ),
  strspn: fn('size_t strspn(const char *s, const char *accept)', (k) =>
    string.strspn(k.memory, k.args.addr(0), k.args.addr(1)),
  ),
  strcspn: fn('size_t strcspn(const char *s, const char *reject)', (k) =>
    string.strcspn(k.memory, k.args.addr(0), k.args.addr(1)),
  ),
  strpbrk: fn('char *strpbrk(const char *cs, const char *ct)', (k) =>
    string.strpbrk(k.memory, k.args.addr(0), k.args.addr(1)),
  ),
  strsep: fn('char *strsep(char **s, const char *ct)', (k) =>
    string.strsep(k.memory, k.args.addr(0), k.args.addr(1)),
  ),
  skip_spaces: fn('char *skip_spaces(const char *str)', (k) => string.skipSpaces(k.memory, k.args.addr(0))),
  strim: fn('char *strim(char *s)', (k) => string.strim(k.memory, k.args.addr(0))),
  sysfs_streq: fn('bool sysfs_streq(const char *s1, const char *s2)', (k) =>
    string.sysfsStreq(k.memory, k.args.addr(0), k.args.addr(1)),
  ),
  match_string: fn('int match_string(const char * const *array, size_t n, const char *string)', (k) =>
    string.matchString(k.memory, k.args.addr(0), k.args.size(1), k.args.addr(2)),
  ),
  memcpy: fn('void *memcpy(void *dest, const void *src, size_t count)', (k) => {
    const dest = k.args.addr(0);
    k.memory.writeBytes(dest, k.memory.readBytes(k.args.addr(1), k.args.size(2)));
    k.natives.spend(bytesNs(k.args.size(2)));
    return dest;
  }),
  memmove: fn('void *memmove(void *dest, const void *src, size_t count)', (k) => {
    const dest = k.args.addr(0);
    k.memory.writeBytes(dest, k.memory.readBytes(k.args.addr(1), k.args.size(2)));
    k.natives.spend(bytesNs(k.args.size(2)));
    return dest;
  }),
  memset: fn('void *memset(void *s, int c, size_t count)', (k) => {
    const dest = k.args.addr(0);
    k.memory.fill(dest, k.args.u32(1) & 0xff, k.args.size(2));
    k.natives.spend(bytesNs(k.args.size(2)));
    return dest;
  }),
  memcmp: fn('int memcmp(const void *cs, const void *ct, size_t count)', (k) =>
    string.memcmp(k.memory, k.args.addr(0), k.args.addr(1), k.args.size(2)),
  ),
  memchr: fn('void *memchr(const void *s, int c, size_t n)', (k) =>
    string.memchr(k.memory, k.args.addr(0), k.args.u32(1) & 0xff, k.args.size(2)),
  ),
  memchr_inv: fn('void *memchr_inv(const void *start, int c, size_t bytes)', (k) =>
    string.memchrInv(k.memory, k.args.addr(0), k.args.u32(1) & 0xff, k.args.size(2)),
  ),
  kstrdup: fn('char *kstrdup(const char *s, gfp_t gfp)', (k) => kstrdup(k, Number.POSITIVE_INFINITY)),
  kstrdup_const: fn('const char *kstrdup_const(const char *s, gfp_t gfp)', (k) =>
    kstrdup(k, Number.POSITIVE_INFINITY),
  ),
  kstrndup: fn('char *kstrndup(const char *s, size_t max, gfp_t gfp)', (k) => kstrdup(k, k.args.size(1))),
  kfree_const: fn('void kfree_const(const void *x)', (k) => {
    k.kmalloc.free(k.args.addr(0));
  }),
  kmemdup: fn('void *kmemdup(const void *src, size_t len, gfp_t gfp)', (k) => {
    const size = k.args.size(1);
    const addr = k.kmalloc.alloc(size);
    if (addr !== NULL) k.memory.writeBytes(addr, k.memory.readBytes(k.args.addr(0), size));
    return addr;
  }),
};
