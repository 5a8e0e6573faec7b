/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest to close, kill and abandon: counts for ever if RBX is not 0. */
#include "guest.h"

GUEST64(g_spin)
	incq	g_counter
	test	%rbx, %rbx
	jnz	g_spin
	stop
VAR(g_counter)
