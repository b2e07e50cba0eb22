# Small loops, each of which rests on one feature of the engine: (%rdi = 64 KiB of memory, %rsi = rounds).
# features.ts runs them translated, features.c natively.
	.text
.macro function name
	.p2align 4
	.globl \name
	.type \name, @function
\name:
.endm
.macro done name
	ret
	.size \name, . - \name
.endm

# A taken jump backwards each round: fuel is looked at.
function f_loop
1:	lea 1(%rax,%rax,4),%rax
	dec %rsi
	jnz 1b
done f_loop

# Eight blocks a round: each takes its instructions off the fuel.
function f_blocks
1:	.rept 8
	lea 1(%rax,%rax,4),%rax
	test %rax,%rdi
	jz 3f
	.endr
3:	dec %rsi
	jnz 1b
done f_blocks

# Eight of the same without blocks.
function f_straight
1:	.rept 8
	lea 1(%rax,%rax,4),%rax
	.endr
	dec %rsi
	jnz 1b
done f_straight

# A call and a return: depth and fuel at the entry, the return address on the guest's stack.
function f_call
1:	call f_callee
	dec %rsi
	jnz 1b
done f_call
function f_callee
	lea 1(%rax,%rax,4),%rax
done f_callee

# The same with flags that are set before the call, and must be exact in it.
function f_call_flags
1:	add %rdi,%rdx
	call f_callee
	dec %rsi
	jnz 1b
done f_call_flags

# The same through a register.
function f_call_indirect
	lea f_callee(%rip),%rdx
1:	call *%rdx
	dec %rsi
	jnz 1b
done f_call_indirect

# Eight loads off one base: one check stands for all.
function f_loads_near
1:	.irp n,0,1,2,3,4,5,6,7
	add 8*\n(%rdi),%rax
	.endr
	dec %rsi
	jnz 1b
done f_loads_near

# Eight loads too far from each other: a check each.
function f_loads_apart
1:	.irp n,0,1,2,3,4,5,6,7
	add 264*\n(%rdi),%rax
	.endr
	dec %rsi
	jnz 1b
done f_loads_apart

function f_stores_near
1:	.irp n,0,1,2,3,4,5,6,7
	mov %rsi,8*\n(%rdi)
	.endr
	dec %rsi
	jnz 1b
done f_stores_near

function f_stores_apart
1:	.irp n,0,1,2,3,4,5,6,7
	mov %rsi,264*\n(%rdi)
	.endr
	dec %rsi
	jnz 1b
done f_stores_apart

function f_bytes_apart
1:	.irp n,0,1,2,3,4,5,6,7
	movzbl 264*\n(%rdi),%ecx
	add %rcx,%rax
	.endr
	dec %rsi
	jnz 1b
done f_bytes_apart

# One access a round, to whatever is at %rdi.
function f_load
1:	mov (%rdi),%rax
	dec %rsi
	jnz 1b
done f_load

function f_store
1:	mov %rsi,(%rdi)
	dec %rsi
	jnz 1b
done f_store

# Calls whatever is at %rdi.
function f_call_at
	mov %rdi,%rdx
1:	call *%rdx
	dec %rsi
	jnz 1b
done f_call_at

# Small functions that are called for the first time.
	.altmacro
.macro first n
function f_first\n
	lea \n(%rdi),%rax
	cmp (%rdi),%rax
	je 1f
	mov %rax,8(%rdi)
1:
done f_first\n
.endm
	.set i,0
	.rept 256
	first %i
	.set i,i+1
	.endr
	.section .note.GNU-stack,"",@progbits
