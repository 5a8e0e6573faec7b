/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How to tell a report of a bug from the other lines of the kernel log. */
#ifndef REPORTS_H
#define REPORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#endif

/* What such reports begin with, or have in them. */
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
	"INFO: lockdep is turned off",
	"possible recursive locking detected",
	"unchecked MSR access error",
	"Bad page state",
	"page dumped because",		/* CONFIG_DEBUG_VM */
	"pagealloc: ",			/* written to after it was freed */
	"edzone overwritten",		/* SLUB, in six ways */
	"adding overwritten",
	"Poison overwritten",
	"Object already free",
	"Objects remaining in",
	"ODEBUG: ",			/* freed or initialized while in use */
	"suspected memory leaks",	/* kmemleak, if it scans by itself */
	"memory leak detector disabled",
	"Kernel panic",
	"PANIC: ",			/* double fault */
	"refcount_t: ",
	"list_add corruption",
	"list_add double add",
	"list_del corruption",
	"nobody cared",			/* an interrupt */
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
	for (i = 0; i < ARRAY_SIZE(reports); i++)
		if (strstr(line, reports[i]))
			return true;
	return false;
}

#define STACK_LINES	64	/* in a dump of one stack, and more than there ever are */

/*
 * Of vmalloc(), whose caller is one of the two that make allocations fail.  A size that no
 * machine has was not made to fail, but comes from userspace unchecked.
 */
static inline bool is_injected_vmalloc(const char *line)
{
	return (strstr(line, "inject: vmalloc error: ") ||
		strstr(line, "fuzz_abi: vmalloc error: ")) &&
	       !strstr(line, "exceeds total pages");
}

/*
 * "inject" and "fuzz_abi" make allocations fail, and the kernel says where that was: the stack
 * it then dumps is not a report.  *@left: lines of it that may still come; 0 in the beginning.
 */
static inline bool is_asked_for(const char *line, int *left)
{
	bool inside = *left > 0;

	if (strstr(line, "FAULT_INJECTION: forcing a failure") ||
	    is_injected_vmalloc(line)) {
		*left = STACK_LINES;
		return true;
	}
	if (inside)
		*left = strstr(line, " </TASK>") ? 0 : *left - 1;
	return inside;
}

#endif /* REPORTS_H */
