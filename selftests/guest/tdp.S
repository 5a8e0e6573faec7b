/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Accesses whose second-level entries the test looks at.  RBX is the address. */
#include "guest.h"

/* Reads again and again. */
GUEST64(g_read)
	say	(%rbx)
	jmp	g_read

/* Writes ECX again and again. */
GUEST64(g_write)
	mov	%ecx, (%rbx)
	say	$1
	jmp	g_write

/* Calls what is there. */
GUEST64(g_call)
	call	*%rbx
	say	$1
	jmp	g_call
