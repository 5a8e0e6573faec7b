/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The first process of the Linux that is booted: says that it is there. */
#include <asm/unistd.h>

#include "guest.h"

	.globl	_start
_start:
	mov	$__NR_iopl, %eax
	mov	$3, %edi
	syscall
	out	%al, $PORT_DONE
1:	pause
	jmp	1b

	.section .note.GNU-stack, "", @progbits
