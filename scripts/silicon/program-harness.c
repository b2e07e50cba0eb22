/*
 * Runs generated functions on the processor itself and tells what they did.
 *
 * stdin: struct head, the text, the pages of data, then runs; stdout: for each run a struct out, then the words of
 * data and stack that it has changed. A run starts by returning from a SIGUSR1 and ends in an int3 or a fault.
 */
#define _GNU_SOURCE
#include <asm/prctl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define TEXT 0xc0000000ul
#define DATA 0xd0000000ul /* two pages, one that is not there, one to read only */
#define DATA_SIZE 0x2000ul
#define READ_ONLY (DATA + 0x3000ul)
#define STACK 0xe0000000ul
#define STACK_SIZE 0x4000ul
#define FX 416 /* the registers of fxsave */

struct head {
	uint32_t text_size, images;
};

struct in {
	uint32_t entry, image, fx, count;
	uint64_t regs[16];
	uint64_t flags, fs, gs;
};

struct out {
	uint64_t trap, error, address;
	uint64_t regs[16];
	uint64_t flags, rip, retired, changed;
	uint8_t fx[FX];
};

static struct in in;
static struct out out;
static sigjmp_buf back;
static uint64_t own_fs;
static volatile int counting;
static uint64_t last;
static uint8_t images[64][DATA_SIZE], fx[64][FX];
static const int order[16] = { REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
			       REG_R8,	REG_R9,	 REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15 };

/* Without the C library, whose errno is behind FS. */
static inline long prctl_base(int what, uint64_t value)
{
	long result;
	__asm__ volatile("syscall" : "=a"(result) : "0"(SYS_arch_prctl), "D"(what), "S"(value) : "rcx", "r11", "memory");
	return result;
}

static void start(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	for (int i = 0; i < 16; i++)
		uc->uc_mcontext.gregs[order[i]] = in.regs[i];
	uc->uc_mcontext.gregs[REG_EFL] = in.flags | (in.count ? 0x100 : 0);
	uc->uc_mcontext.gregs[REG_RIP] = TEXT + in.entry;
	memcpy(uc->uc_mcontext.fpregs, fx[in.fx], FX);
	/* XSTATE_BV behind the area: x87 and SSE are not in their initial state. */
	*(uint64_t *)((uint8_t *)uc->uc_mcontext.fpregs + 512) |= 3;
	counting = in.count;
	last = TEXT + in.entry;
	prctl_base(ARCH_SET_GS, in.gs);
	prctl_base(ARCH_SET_FS, in.fs);
}

static int is_rep(const uint8_t *code)
{
	for (;; code++) {
		if (*code == 0xf2 || *code == 0xf3)
			break;
		if (*code != 0x66 && *code != 0x64 && *code != 0x65)
			return 0;
	}
	do
		code++;
	while (*code == 0x66 || (*code & 0xf0) == 0x40);
	return (*code >= 0xa4 && *code <= 0xa7) || (*code >= 0xaa && *code <= 0xaf);
}

static void stop(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	uint64_t rip = uc->uc_mcontext.gregs[REG_RIP];
	if (counting && sig == SIGTRAP && uc->uc_mcontext.gregs[REG_TRAPNO] == 1) {
		/* One round of a rep is no instruction of its own. */
		if (!(rip == last && is_rep((uint8_t *)rip)))
			out.retired++;
		last = rip;
		return;
	}
	prctl_base(ARCH_SET_FS, own_fs);
	for (int i = 0; i < 16; i++)
		out.regs[i] = uc->uc_mcontext.gregs[order[i]];
	out.flags = uc->uc_mcontext.gregs[REG_EFL];
	out.rip = rip;
	out.trap = uc->uc_mcontext.gregs[REG_TRAPNO];
	out.error = uc->uc_mcontext.gregs[REG_ERR];
	out.address = uc->uc_mcontext.gregs[REG_CR2];
	memcpy(out.fx, uc->uc_mcontext.fpregs, FX);
	siglongjmp(back, 1);
}

static void map(uint64_t at, uint64_t size, int protection)
{
	if (mmap((void *)at, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_POPULATE, -1, 0) == MAP_FAILED)
		_exit(1);
}

struct change {
	uint64_t at, value;
};
static struct change changes[(DATA_SIZE + STACK_SIZE) / 8];

/* Notes the words that differ and makes them what they were. */
static void compare(uint64_t at, const uint8_t *before, uint64_t size)
{
	uint64_t *now = (uint64_t *)at;
	const uint64_t *was = (const uint64_t *)before;
	for (uint64_t i = 0; i < size / 8; i++) {
		if (now[i] == was[i])
			continue;
		changes[out.changed].at = at + 8 * i;
		changes[out.changed++].value = now[i];
		now[i] = was[i];
	}
}

int main(void)
{
	static char alternate[1 << 16];
	static const uint8_t zeros[STACK_SIZE];
	struct head head;
	stack_t stack = { .ss_sp = alternate, .ss_size = sizeof alternate };
	struct sigaction action = { .sa_flags = SA_SIGINFO | SA_ONSTACK };
	sigaltstack(&stack, NULL);
	action.sa_sigaction = start;
	sigaction(SIGUSR1, &action, NULL);
	action.sa_sigaction = stop;
	int fatal[] = { SIGTRAP, SIGSEGV, SIGILL, SIGFPE, SIGBUS };
	for (int i = 0; i < 5; i++)
		sigaction(fatal[i], &action, NULL);
	prctl_base(ARCH_GET_FS, (uint64_t)&own_fs);
	if (fread(&head, sizeof head, 1, stdin) != 1)
		return 1;
	map(TEXT, (head.text_size + 4095) & ~4095ul, PROT_READ | PROT_WRITE);
	fread((void *)TEXT, head.text_size, 1, stdin);
	mprotect((void *)TEXT, (head.text_size + 4095) & ~4095ul, PROT_READ | PROT_EXEC);
	map(DATA, DATA_SIZE, PROT_READ | PROT_WRITE);
	map(READ_ONLY, 0x1000, PROT_READ);
	map(STACK, STACK_SIZE, PROT_READ | PROT_WRITE);
	for (uint32_t i = 0; i < head.images; i++) {
		fread(images[i], DATA_SIZE, 1, stdin);
		fread(fx[i], FX, 1, stdin);
	}
	uint32_t present = ~0u;
	while (fread(&in, sizeof in, 1, stdin) == 1) {
		if (present != in.image)
			memcpy((void *)DATA, images[in.image], DATA_SIZE);
		present = in.image;
		*(uint64_t *)in.regs[4] = TEXT;
		memset(&out, 0, sizeof out);
		if (!sigsetjmp(back, 1))
			raise(SIGUSR1);
		compare(DATA, images[in.image], DATA_SIZE);
		compare(STACK, zeros, STACK_SIZE);
		fwrite(&out, sizeof out, 1, stdout);
		fwrite(changes, sizeof *changes, out.changed, stdout);
	}
	return 0;
}
