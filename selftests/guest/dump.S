/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Something to run, for dumps before and after. */
#include "guest.h"

GUEST64(g_say)
	say	$1
	stop
