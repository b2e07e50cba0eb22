/* features.S natively: `features NAME ROUNDS TIMES` prints nanoseconds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NAMES(x) \
	x(loop) x(blocks) x(straight) x(call) x(call_flags) x(call_indirect) x(loads_near) x(loads_apart) \
	x(stores_near) x(stores_apart) x(bytes_apart)
#define DECLARE(name) unsigned long f_##name(void *memory, unsigned long rounds);
#define ENTRY(name) {#name, f_##name},
NAMES(DECLARE)
static const struct {
	const char *name;
	unsigned long (*function)(void *, unsigned long);
} table[] = {NAMES(ENTRY)};

int main(int count, char **words)
{
	void *memory = aligned_alloc(4096, 65536);
	if (count < 4)
		return 2;
	memset(memory, 0, 65536);
	for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (strcmp(table[i].name, words[1]) != 0)
			continue;
		for (int n = atoi(words[3]); n > 0; n--) {
			struct timespec start, end;
			clock_gettime(CLOCK_MONOTONIC, &start);
			table[i].function(memory, strtoul(words[2], NULL, 10));
			clock_gettime(CLOCK_MONOTONIC, &end);
			printf("%ld ", (end.tv_sec - start.tv_sec) * 1000000000l + end.tv_nsec - start.tv_nsec);
		}
		printf("\n0\n");
		return 0;
	}
	return 1;
}
