/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Puts the guest image IMAGE into the test program, as data. */
	.section .rodata
	.globl	guest_image, guest_image_end
guest_image:
	.incbin	IMAGE
guest_image_end:
	.section .note.GNU-stack, "", @progbits
