/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How to tell a report of a bug from the other lines of the kernel log. */
#ifndef REPORTS_H
#define REPORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* What such reports begin with. */
static const char *const reports[] = {
	"WARNING: ",			/* WARN_ON, lockdep, RCU; but see mitigations() */
	"BUG: ",			/* oops, KASAN, lockups, sleeping while atomic */
	"kernel BUG at ",
	"Oops: ",
	"general protection fault",
	"UBSAN: ",
	"INFO: task ",			/* ... blocked for more than */
	"INFO: rcu",			/* stalls */
	"rcu_preempt detected",
	"INFO: trying to register",
	"possible recursive locking detected",
	"unchecked MSR access error",
	"Bad page state",
	"kmemleak: ",
	"Kernel panic",
	"refcount_t: ",
	"list_add corruption",
	"list_del corruption",
	"Call Trace:",
};

/* Says at boot that a mitigation is weak: not a report about the kernel's own doing. */
static inline bool mitigations(const char *line)
{
	return strstr(line, "WARNING: See https://");
}

static inline bool is_report(const char *line)
{
	size_t i;

	if (mitigations(line))
		return false;
	for (i = 0; i < sizeof(reports) / sizeof(reports[0]); i++)
		if (strstr(line, reports[i]))
			return true;
	return false;
}

#endif /* REPORTS_H */
