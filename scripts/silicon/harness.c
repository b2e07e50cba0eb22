/*
 * Runs instruction sequences on the processor itself and tells what it did.
 *
 * stdin: cases of sizeof(struct in); stdout: one struct out for each. Registers are loaded and read back through
 * signal frames, so that all sixteen and the flags are exact: a case starts by returning from a SIGUSR1 and ends in
 * its int3 or in a fault.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#define CODE 0x60000000ul
#define DATA 0x50001000ul
#define WINDOW 0x400 /* offset of the compared bytes in the data page */
#define BYTES 512
#define FX 416 /* the registers of fxsave */

struct in {
	uint8_t code[64];
	uint64_t regs[16];
	uint64_t flags;
	uint8_t memory[BYTES];
	uint8_t fx[FX];
};

struct out {
	uint64_t trap, error, address;
	uint64_t regs[16];
	uint64_t flags, rip;
	uint8_t memory[BYTES];
	uint8_t fx[FX];
};

static struct in in;
static struct out out;
static sigjmp_buf back;
static const int order[16] = { REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
			       REG_R8,	REG_R9,	 REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15 };

static void start(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	for (int i = 0; i < 16; i++)
		uc->uc_mcontext.gregs[order[i]] = in.regs[i];
	uc->uc_mcontext.gregs[REG_EFL] = in.flags;
	uc->uc_mcontext.gregs[REG_RIP] = CODE;
	memcpy(uc->uc_mcontext.fpregs, in.fx, FX);
	/* XSTATE_BV behind the area: x87 and SSE are not in their initial state. */
	*(uint64_t *)((uint8_t *)uc->uc_mcontext.fpregs + 512) |= 3;
}

static void stop(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	for (int i = 0; i < 16; i++)
		out.regs[i] = uc->uc_mcontext.gregs[order[i]];
	out.flags = uc->uc_mcontext.gregs[REG_EFL];
	out.rip = uc->uc_mcontext.gregs[REG_RIP] - CODE;
	out.trap = uc->uc_mcontext.gregs[REG_TRAPNO];
	out.error = uc->uc_mcontext.gregs[REG_ERR];
	out.address = uc->uc_mcontext.gregs[REG_CR2];
	memcpy(out.fx, uc->uc_mcontext.fpregs, FX);
	siglongjmp(back, 1);
}

int main(void)
{
	static char alternate[1 << 16];
	stack_t stack = { .ss_sp = alternate, .ss_size = sizeof alternate };
	struct sigaction action = { .sa_flags = SA_SIGINFO | SA_ONSTACK };
	sigaltstack(&stack, NULL);
	action.sa_sigaction = start;
	sigaction(SIGUSR1, &action, NULL);
	action.sa_sigaction = stop;
	int fatal[] = { SIGTRAP, SIGSEGV, SIGILL, SIGFPE, SIGBUS };
	for (int i = 0; i < 5; i++)
		sigaction(fatal[i], &action, NULL);
	uint8_t *code = mmap((void *)CODE, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	uint8_t *data = mmap((void *)DATA, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	if (code == MAP_FAILED || data == MAP_FAILED)
		return 1;
	while (fread(&in, sizeof in, 1, stdin) == 1) {
		memset(code, 0xcc, 128);
		memcpy(code, in.code, sizeof in.code);
		memset(data, 0, 4096);
		memcpy(data + WINDOW, in.memory, BYTES);
		memset(&out, 0, sizeof out);
		if (!sigsetjmp(back, 1))
			raise(SIGUSR1);
		memcpy(out.memory, data + WINDOW, BYTES);
		fwrite(&out, sizeof out, 1, stdout);
	}
	return 0;
}
