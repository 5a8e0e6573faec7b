/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The initial RAM disk of the Linux that is booted, which has /init and no more. */
	.section .rodata
	.globl	guest_initrd, guest_initrd_end
guest_initrd:
	.incbin	"initrd"
guest_initrd_end:

	.section .note.GNU-stack, "", @progbits
