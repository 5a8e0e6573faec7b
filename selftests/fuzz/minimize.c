// SPDX-License-Identifier: GPL-2.0-or-later
/* Shrinks a program that fails: what can be left out without that it stops failing, goes. */
#include <string.h>
#include "fuzz.h"

static bool try(struct program *p, const struct program *smaller,
		bool (*fails)(const struct program *p, void *opaque), void *opaque)
{
	if (same_program(p, smaller) || !fails(smaller, opaque))
		return false;
	*p = *smaller;
	return true;
}

/* @p without @nr calls from @at on. */
static struct program without(const struct program *p, unsigned int at, unsigned int nr)
{
	struct program q = *p;
	unsigned int end = at + nr;

	memmove(&q.call[at], &q.call[end], (p->nr - end) * sizeof(q.call[0]));
	q.nr -= nr;
	if (p->serial >= end)
		q.serial -= nr;
	else if (p->serial > at)
		q.serial = at;
	return q;
}

/**
 * minimize() - shrink a program that fails
 * @p: the program
 * @fails: does it fail?  It is asked some hundred times, with smaller ones.
 * @opaque: for @fails
 *
 * First half of the calls at once, then a quarter, and so on to single ones; then threads;
 * then each argument that is not 0.  In the end, nothing of this helps any more.
 */
void minimize(struct program *p, bool (*fails)(const struct program *p, void *opaque),
	      void *opaque)
{
	unsigned int nr, at, i;
	struct program q;
	bool changed;

	do {
		changed = false;
		for (nr = p->nr / 2 ? p->nr / 2 : 1; nr; nr /= 2)
			for (at = 0; at + nr <= p->nr;) {
				q = without(p, at, nr);
				if (try(p, &q, fails, opaque))
					changed = true;
				else
					at += nr;
			}
		q = *p;
		q.serial = q.nr;
		for (i = 0; i < q.nr; i++)
			q.call[i].thread = 0;
		changed |= try(p, &q, fails, opaque);
		q = *p;
		q.user = false;
		changed |= try(p, &q, fails, opaque);
		for (at = 0; at < p->nr; at++)
			for (i = 0; i < MAX_ARGS; i++) {
				q = *p;
				q.call[at].arg[i] = 0;
				changed |= try(p, &q, fails, opaque);
			}
	} while (changed);
}
