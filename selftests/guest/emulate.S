/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Instructions with a memory operand, for the comparison of libvitro's emulation with the
 * CPU.  None of this runs here: emulate.c takes the instructions one by one, replaces
 * displacements that stand alone, and finds registers so that the operand is where it
 * should be.
 *
 * A family is a macro; \m is its memory operand.  FAMILY expands it for 16, 32 and 64-bit
 * code; `bits` says which.  Immediates are such that sign extension shows.
 */
#include "guest.h"

#define FAMILY(f)							\
	.code16; .set bits, 16; LABEL(g_##f##_16) f##_forms (%bx);	\
	.code32; .set bits, 32; LABEL(g_##f##_32) f##_forms (%ebx);	\
	.code64; .set bits, 64; LABEL(g_##f##_64) f##_forms (%rbx);	\
	LABEL(g_##f##_end)

/* Stands for an address; emulate.c puts another in its place. */
.macro movabs_forms
	mov	%al, 0x1234
	mov	%ax, 0x1234
	mov	%eax, 0x1234
	mov	0x1234, %al
	mov	0x1234, %ax
	mov	0x1234, %eax
.endm

.macro mov_forms m
	mov	%al, \m
	mov	%dh, \m
	mov	%cx, \m
	mov	%edx, \m
	mov	\m, %cl
	mov	\m, %bh
	mov	\m, %si
	mov	\m, %edi
	mov	\m, %ebx
	movb	$0x85, \m
	movw	$0x8123, \m
	movl	$0x81234567, \m
	movw	%es, \m
	movnti	%ebp, \m
	.if	bits == 64
	mov	%sil, \m
	mov	%r9b, \m
	mov	%r10w, \m
	mov	%r11d, \m
	mov	%r12, \m
	mov	\m, %bpl
	mov	\m, %r13w
	mov	\m, %r14d
	mov	\m, %rbx
	movq	$-0x7edcba99, \m
	movnti	%r15, \m
	movabs	%al, 0x1122334455667788
	movabs	%rax, 0x1122334455667788
	movabs	0x1122334455667788, %ax
	movabs	0x1122334455667788, %rax
	.else
	movabs_forms
	.endif
.endm
FAMILY(mov)

.macro extend_forms m
	movzbw	\m, %dx
	movzbl	\m, %esi
	movzwl	\m, %ebx
	movsbw	\m, %ax
	movsbl	\m, %ecx
	movswl	\m, %edi
	movbe	\m, %bp
	movbe	\m, %eax
	movbe	%cx, \m
	movbe	%edx, \m
	.if	bits == 64
	movzbq	\m, %r8
	movzwq	\m, %rbx
	movsbq	\m, %r9
	movswq	\m, %r10
	movslq	\m, %r11
	movslq	\m, %rbx
	movbe	\m, %r12
	movbe	%r13, \m
	.endif
.endm
FAMILY(extend)

.macro binary op, m
	\op	%ah, \m
	\op	%cx, \m
	\op	%edx, \m
	\op\()b	$0x91, \m
	\op\()w	$0x7fff, \m
	\op\()l	$-3, \m
	\op\()l	$0x87654321, \m
	.if	bits == 64
	\op	%dil, \m
	\op	%r8, \m
	\op\()q	$-128, \m
	\op\()q	$-0x12345678, \m
	.endif
.endm
.macro binary_from op, m
	\op	\m, %ch
	\op	\m, %bx
	\op	\m, %ebp
	.if	bits == 64
	\op	\m, %r9b
	\op	\m, %r10
	.endif
.endm

.macro sum_forms m
	.irp	op, add, adc, sub, sbb
	binary	\op, \m
	binary_from \op, \m
	.endr
.endm
FAMILY(sum)

.macro logic_forms m
	.irp	op, and, or, xor
	binary	\op, \m
	binary_from \op, \m
	.endr
.endm
FAMILY(logic)

.macro cmp_test_forms m
	binary	cmp, \m
	binary_from cmp, \m
	binary	test, \m
.endm
FAMILY(cmp_test)

.macro unary op, m
	\op\()b	\m
	\op\()w	\m
	\op\()l	\m
	.if	bits == 64
	\op\()q	\m
	.endif
.endm
.macro unary_forms m
	.irp	op, inc, dec, not, neg
	unary	\op, \m
	.endr
.endm
FAMILY(unary)

.macro exchange_forms m
	.irp	op, xchg, xadd
	\op	%dh, \m
	\op	%cx, \m
	\op	%esi, \m
	\op	%ebx, \m
	.if	bits == 64
	\op	%spl, \m
	\op	%rbx, \m
	\op	%r14d, \m
	\op	%r15, \m
	.endif
	.endr
.endm
FAMILY(exchange)

.macro cmpxchg_forms m
	cmpxchg	%cl, \m
	cmpxchg	%dh, \m
	cmpxchg	%si, \m
	cmpxchg	%edi, \m
	cmpxchg	%ebx, \m
	.if	bits == 64
	cmpxchg	%r11b, \m
	cmpxchg	%r12d, \m
	cmpxchg	%rdx, \m
	cmpxchg	%r8, \m
	.endif
.endm
FAMILY(cmpxchg)

/* The base register is an operand of these, so another one has to be the address. */
.macro cmpxchg_pair_forms m
	.if	bits == 16
	cmpxchg8b (%si)
	lock cmpxchg8b (%di)
	.elseif	bits == 32
	cmpxchg8b (%esi)
	lock cmpxchg8b (%edi)
	.else
	cmpxchg8b (%rsi)
	lock cmpxchg8b (%r8)
	.endif
.endm
FAMILY(cmpxchg_pair)

/* The operand has to be aligned, and there is none outside of 64-bit mode. */
.macro cmpxchg16b_forms m
	.if	bits == 64
	cmpxchg16b (%rsi)
	lock cmpxchg16b (%r8)
	.endif
.endm
FAMILY(cmpxchg16b)

.macro shift op, m
	\op\()b	$1, \m
	\op\()l	$1, \m
	\op\()b	$5, \m
	\op\()w	$11, \m
	\op\()l	$31, \m
	\op\()b	%cl, \m
	\op\()w	%cl, \m
	\op\()l	%cl, \m
	.if	bits == 64
	\op\()q	$1, \m
	\op\()q	$45, \m
	\op\()q	%cl, \m
	.endif
.endm
.macro shift_forms m
	.irp	op, rol, ror, rcl, rcr, shl, shr, sar
	shift	\op, \m
	.endr
	.irp	op, shld, shrd
	\op	$1, %dx, \m
	\op	$7, %si, \m
	\op	$1, %eax, \m
	\op	$30, %edi, \m
	\op	%cl, %ebp, \m
	.if	bits == 64
	\op	$33, %r8, \m
	\op	%cl, %r9, \m
	.endif
	.endr
.endm
FAMILY(shift)

.macro bit op, m
	\op	%cx, \m
	\op	%edx, \m
	\op\()w	$13, \m
	\op\()w	$0x91, \m
	\op\()l	$31, \m
	.if	bits == 64
	\op	%r8w, \m
	\op	%r9, \m
	\op\()q	$63, \m
	.endif
.endm
.macro bit_forms m
	.irp	op, bt, bts, btr, btc
	bit	\op, \m
	.endr
.endm
FAMILY(bit)

.macro condition_forms m
	.irp	cc, o, no, b, ae, e, ne, be, a, s, ns, p, np, l, ge, le, g
	set\cc	\m
	cmov\cc	\m, %dx
	cmov\cc	\m, %esi
	.if	bits == 64
	cmov\cc	\m, %r11
	.endif
	.endr
.endm
FAMILY(condition)

/* PUSH and POP: with two memory operands, and with one, which is the stack. */
.macro stack_forms m
	pushw	\m
	popw	\m
	pushw	%cx
	popw	%si
	pushw	$-2
	pushw	$0x1234
	pushw	%fs
	.if	bits == 64
	pushq	\m
	popq	\m
	pushq	%rdx
	pushq	%r9
	popq	%rdi
	popq	%r10
	pushq	$-2
	pushq	$0x76543210
	pushq	%gs
	.else
	pushl	\m
	popl	\m
	pushl	%edx
	popl	%edi
	pushl	$-2
	pushl	$0x76543210
	.endif
.endm
FAMILY(stack)

.macro string op
	\op\()b
	\op\()w
	\op\()l
	.if	bits == 64
	\op\()q
	.endif
.endm
.macro string_forms m
	.irp	op, movs, stos, lods, cmps, scas
	string	\op
	.endr
.endm
FAMILY(string)

/* The address size is that of the count as well; a segment override is for rSI. */
.macro repeated op
	rep \op\()b
	rep \op\()w
	rep \op\()l
	repne \op\()b
	.if	bits == 16
	addr32 rep \op\()b
	addr32 rep \op\()l
	.elseif	bits == 32
	addr16 rep \op\()b
	addr16 rep \op\()l
	.else
	rep \op\()q
	addr32 rep \op\()b
	addr32 rep \op\()q
	.endif
.endm
.macro rep_forms m
	.irp	op, movs, stos, lods
	repeated \op
	.endr
	fs rep	movsb
	gs rep	movsl
	gs rep	lodsw
.endm
FAMILY(rep)

.macro repeated_compare rep, op
	\rep \op\()b
	\rep \op\()w
	\rep \op\()l
	.if	bits == 16
	addr32 \rep \op\()b
	.elseif	bits == 32
	addr16 \rep \op\()b
	.else
	\rep \op\()q
	addr32 \rep \op\()l
	.endif
.endm
.macro rep_compare_forms m
	.irp	rep, repe, repne
	repeated_compare \rep, cmps
	repeated_compare \rep, scas
	.endr
	fs repe	cmpsb
	gs repne cmpsl
.endm
FAMILY(rep_compare)

/* Each way to write an address: a load, a store, and a read-modify-write. */
.macro addressed m:vararg
	mov	\m, %edx
	mov	%dl, \m
	addw	$0x1234, \m
.endm
.macro addresses_16
	addressed (%bx,%si)
	addressed (%bx,%di)
	addressed (%bp,%si)
	addressed (%bp,%di)
	addressed (%si)
	addressed (%di)
	addressed 0x7f(%bp)
	addressed -0x80(%bx)
	addressed 0x1234(%si)
	addressed -0x1234(%bp,%di)
	addressed 0x1234
.endm
.macro addresses_32
	addressed (%eax)
	addressed (%esp)
	addressed 5(%ebp)
	addressed -0x80(%ecx)
	addressed 0x12345678(%edi)
	addressed (%ebx,%ecx)
	addressed (%esi,%edi,4)
	addressed -8(%ebp,%eax,8)
	addressed 0x1234(%esp,%ebp,2)
	addressed 0x11(,%ecx,2)
.endm
.macro addressing_forms m
	.if	bits == 16
	addresses_16
	addresses_32
	.elseif bits == 32
	addresses_32
	addresses_16
	addressed 0x12345678
	.else
	addresses_32
	addressed (%rax)
	addressed (%rsp)
	addressed (%r12)
	addressed (%r13)
	addressed -5(%rbp)
	addressed 0x12345678(%r8)
	addressed (%rbx,%rcx)
	addressed (%r9,%r10,4)
	addressed -8(%rsp,%r12,8)
	addressed 0x1234(%rbp,%rax,2)
	addressed 0x11(,%rcx,2)
	addressed 8(%r10d,%r11d,4)
	addressed 0x12345678
	addressed 0x1234(%rip)
	addressed 0x1234(%eip)
	addressed -1(%r15)
	.endif
.endm
FAMILY(addressing)

.macro segment_forms m
	.irp	seg, es, cs, ss, ds, fs, gs
	mov	%\seg:\m, %eax
	cmpw	$0x1234, %\seg:\m
	.ifnc	\seg, cs			/* not writable, outside of real mode */
	mov	%eax, %\seg:\m
	orb	$0x5a, %\seg:\m
	.endif
	.endr
	.if	bits == 64
	mov	%fs:0x12345678, %edx
	mov	%r8, %gs:(%rbp)
	movabs	%gs:0x1122334455667788, %al
	.else
	mov	%fs:0x1234, %eax
	mov	%ax, %es:0x1234
	mov	%ds:(%ebp), %edx
	mov	%gs:(%esp), %edx
	.endif
.endm
FAMILY(segment)

.macro lock_forms m
	.irp	op, add, adc, sub, sbb, and, or, xor, xadd, cmpxchg, xchg
	lock \op %dl, \m
	lock \op %cx, \m
	lock \op %edi, \m
	.if	bits == 64
	lock \op %r9, \m
	.endif
	.endr
	.irp	op, incb, decl, negw, notl, incw, decb, negl, notb
	lock \op \m
	.endr
	.irp	op, bts, btr, btc
	lock \op %cx, \m
	lock \op %edx, \m
	.endr
	lock btsw $5, \m
	lock btrl $0x3f, \m
	lock btcw $0x10, \m
.endm
FAMILY(lock)

/* The operand has to be aligned. */
.macro sse_aligned_forms m
	.irp	op, movaps, movapd, movdqa
	\op	\m, %xmm1
	\op	%xmm2, \m
	.if	bits == 64
	\op	\m, %xmm11
	\op	%xmm12, \m
	.endif
	.endr
	movntdqa \m, %xmm3
	movntps	%xmm4, \m
	movntpd	%xmm5, \m
	movntdq	%xmm6, \m
.endm
FAMILY(sse_aligned)

.macro sse_forms m
	.irp	op, movups, movupd, movdqu, movq, movss, movsd, movlps, movlpd, movhps, movhpd, movd
	\op	\m, %xmm1
	\op	%xmm2, \m
	.if	bits == 64
	\op	\m, %xmm11
	\op	%xmm12, \m
	.endif
	.endr
	lddqu	\m, %xmm7
	.if	bits == 64
	rex.w movd \m, %xmm0
	rex.w movd %xmm15, \m
	.endif
.endm
FAMILY(sse)

.macro avx op, m
	\op	\m, %xmm1
	\op	%xmm2, \m
	\op	\m, %ymm1
	\op	%ymm2, \m
	.if	bits == 64
	\op	\m, %xmm13
	\op	%xmm14, \m
	\op	\m, %ymm15
	\op	%ymm8, \m
	.endif
.endm
.macro avx_aligned_forms m
	.irp	op, vmovaps, vmovapd, vmovdqa
	avx	\op, \m
	.endr
	vmovntdqa \m, %xmm3
	vmovntdqa \m, %ymm4
	.irp	op, vmovntps, vmovntpd, vmovntdq
	\op	%xmm5, \m
	\op	%ymm6, \m
	.endr
.endm
FAMILY(avx_aligned)

.macro avx_forms m
	.irp	op, vmovups, vmovupd, vmovdqu
	avx	\op, \m
	.endr
	.irp	op, vmovq, vmovd, vmovss, vmovsd
	\op	\m, %xmm3
	\op	%xmm4, \m
	.endr
	.irp	op, vmovlps, vmovlpd, vmovhps, vmovhpd
	\op	\m, %xmm5, %xmm6
	\op	\m, %xmm7, %xmm7
	\op	%xmm0, \m
	.endr
	vlddqu	\m, %xmm1
	vlddqu	\m, %ymm2
	.if	bits == 64
	vmovq	\m, %xmm8
	vmovhps	\m, %xmm9, %xmm10
	.endif
.endm
FAMILY(avx)

.macro port_forms m
	insb
	insw
	insl
	outsb
	outsw
	outsl
	rep insb
	rep insw
	rep insl
	rep outsb
	rep outsw
	rep outsl
	fs rep outsl
.endm
FAMILY(port)

/*
 * Of each kind some, for faults: read, write, both, two operands, 16 bytes, strings.  No
 * CMPS: which of its operands faults first is the CPU's choice.
 */
.macro fault_forms m
	mov	\m, %ecx
	mov	%cx, \m
	movb	$1, \m
	cmpl	$1, \m
	addl	$0x12345678, \m
	lock subw %dx, \m
	incw	\m
	xchg	%esi, \m
	xadd	%dx, \m
	cmpxchg %ecx, \m
	btsl	$9, \m
	roll	$3, \m
	setnz	\m
	cmovnz	\m, %edi
	movzwl	\m, %eax
	movups	\m, %xmm1
	movups	%xmm2, \m
	movq	%xmm3, \m
	movswl	\m, %edx
	movsb
	movsl
	stosw
	lodsl
	scasw
	rep movsb
	rep movsl
	rep stosb
	rep lodsw
	repne scasl
	.if	bits == 64
	pushq	\m
	popq	\m
	pushq	%rcx
	popq	%rdx
	mov	%r8, \m
	sbb	%r9, \m
	.endif
.endm
FAMILY(fault)

/* The same addresses, but with rBP, relative to SS, and in the other segments. */
.macro segment_fault_forms m
	fault_forms \m
	.if	bits == 16
	mov	(%bp), %edx
	mov	%ax, (%bp,%si)
	.elseif	bits == 32
	mov	(%ebp), %edx
	mov	%ax, (%ebp,%esi,2)
	.else
	mov	(%rbp), %edx
	mov	%ax, (%rsp,%rcx,2)
	.endif
	mov	%fs:\m, %eax
	add	%eax, %gs:\m
	.if	bits != 64
	mov	%eax, %cs:\m
	pushl	%edx
	popw	%cx
	pushw	\m
	popl	\m
	.endif
.endm
FAMILY(segment_fault)
