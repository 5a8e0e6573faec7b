/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Running one instruction on this very CPU, from given registers and flags: what
 * emulation is compared with.
 */
#ifndef NATIVE_H
#define NATIVE_H

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

/**
 * struct native - registers, before and after; the assembly below knows the offsets
 * @gpr: indexed by enum vitro_gpr; rsp is neither loaded nor stored
 * @rflags: the flags
 * @rsp: the caller's, during the run
 */
struct native {
	uint64_t gpr[16];
	uint64_t rflags;
	uint64_t rsp;
};

struct native native;

extern uint8_t native_return[];
void native_enter(void *code);

asm("	.text\n"
"native_enter:\n"
"	push %rbp; push %rbx; push %r12; push %r13; push %r14; push %r15\n"
"	mov %rsp, native + 136(%rip)\n"
"	push %rdi\n"
"	push native + 128(%rip)\n"
"	mov native + 0(%rip), %rax\n"
"	mov native + 8(%rip), %rcx\n"
"	mov native + 16(%rip), %rdx\n"
"	mov native + 24(%rip), %rbx\n"
"	mov native + 40(%rip), %rbp\n"
"	mov native + 48(%rip), %rsi\n"
"	mov native + 56(%rip), %rdi\n"
"	mov native + 64(%rip), %r8\n"
"	mov native + 72(%rip), %r9\n"
"	mov native + 80(%rip), %r10\n"
"	mov native + 88(%rip), %r11\n"
"	mov native + 96(%rip), %r12\n"
"	mov native + 104(%rip), %r13\n"
"	mov native + 112(%rip), %r14\n"
"	mov native + 120(%rip), %r15\n"
"	popf\n"
"	ret\n"				/* to the code, whose address was pushed first */
"	.globl native_return\n"
"native_return:\n"
"	mov %rax, native + 0(%rip)\n"
"	mov %rcx, native + 8(%rip)\n"
"	mov %rdx, native + 16(%rip)\n"
"	mov %rbx, native + 24(%rip)\n"
"	mov %rbp, native + 40(%rip)\n"
"	mov %rsi, native + 48(%rip)\n"
"	mov %rdi, native + 56(%rip)\n"
"	mov %r8, native + 64(%rip)\n"
"	mov %r9, native + 72(%rip)\n"
"	mov %r10, native + 80(%rip)\n"
"	mov %r11, native + 88(%rip)\n"
"	mov %r12, native + 96(%rip)\n"
"	mov %r13, native + 104(%rip)\n"
"	mov %r14, native + 112(%rip)\n"
"	mov %r15, native + 120(%rip)\n"
"	mov native + 136(%rip), %rsp\n"	/* which moves no flag */
"	pushf\n"
"	pop native + 128(%rip)\n"
"	cld\n"
"	pop %r15; pop %r14; pop %r13; pop %r12; pop %rbx; pop %rbp\n"
"	ret\n");

/* Executable memory for native_run(). */
static inline uint8_t *native_page(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return page == MAP_FAILED ? NULL : page;
}

/* Runs the instruction, and then a jump through the 8 bytes behind that. */
static inline void native_run(uint8_t *page, const uint8_t *code, size_t len)
{
	static const uint8_t jump[] = { 0xff, 0x25, 0, 0, 0, 0 };
	uint64_t target = (uintptr_t)native_return;

	memcpy(page, code, len);
	memcpy(page + len, jump, sizeof(jump));
	memcpy(page + len + sizeof(jump), &target, sizeof(target));
	native_enter(page);
}

#endif /* NATIVE_H */
