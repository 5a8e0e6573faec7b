/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Puts the programs of fuzz/regressions, one file behind the other, into the fuzzer. */
	.section .rodata
	.globl	regressions, regressions_end
regressions:
	.incbin	"regressions.txt"
regressions_end:
	.section .note.GNU-stack, "", @progbits
