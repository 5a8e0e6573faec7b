/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The test kernels as data, each with its end behind it. */
#define IMAGE(name, file)		\
	.globl	name, name##_end;	\
name:	.incbin	file;			\
name##_end:

	.section .rodata
IMAGE(multiboot_32, "multiboot-32")
IMAGE(multiboot_64, "multiboot-64")
IMAGE(multiboot_flat, "multiboot-64.bin")
IMAGE(pvh_32, "pvh-32")
IMAGE(pvh_64, "pvh-64")
	.section .note.GNU-stack, "", @progbits
