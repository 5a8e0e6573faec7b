/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A few lines of TAP (testanything.org), for tests that run on the host without
 * /dev/vitro.  A test program calls check() for each promise, and ends with
 * "return tap_done();".
 */
#ifndef TAP_H
#define TAP_H

#include <stdbool.h>
#include <stdio.h>

static int tap_nr, tap_failed;

/* Report one case, and what was found when it is not what was promised. */
static inline bool tap_case(bool ok, const char *name, const char *file, int line, const char *cond)
{
	printf("%sok %d %s\n", ok ? "" : "not ", ++tap_nr, name);
	if (!ok) {
		printf("# %s:%d: not true: %s\n", file, line, cond);
		tap_failed++;
	}
	return ok;
}

#define check(name, cond)	tap_case(cond, name, __FILE__, __LINE__, #cond)

static inline void tap_skip(const char *name, const char *why)
{
	printf("ok %d %s # SKIP %s\n", ++tap_nr, name, why);
}

static inline int tap_done(void)
{
	printf("1..%d\n", tap_nr);
	return tap_failed != 0;
}

#endif /* TAP_H */
