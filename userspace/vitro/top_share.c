// SPDX-License-Identifier: GPL-2.0-or-later
/* Dividing a vCPU's time: the module times exits, and what is left is the guest's, or sleep. */
#include "top.h"

/*
 * Whose is the time that no exit accounts for?  An exit is counted when it is over, so that
 * one which goes on just now may be part of it.
 */
static enum share rest(const struct top_vcpu *v, bool exited)
{
	if (v->in_guest)
		return SHARE_GUEST;
	if (v->state != VITRO_MP_RUNNABLE)
		return SHARE_IDLE;
	/*
	 * A vCPU that could run exits with each tick of the host.  If it did not even do
	 * that, its process is busy elsewhere, or was stopped.
	 */
	return exited ? SHARE_GUEST : SHARE_USER;
}

/**
 * top_share - what a vCPU did between two looks
 * @v: the vCPU at the later look; its rates are set, @v->exits as a number
 * @before: what its exits had taken at the earlier look
 * @cycles: of the TSC that have passed
 *
 * An exit that began before the earlier look is counted whole when it ends: a sleep of ten
 * seconds at the end of the tenth.  So what is more than there was time is taken off, from
 * sleep first.
 */
void top_share(struct top_vcpu *v, const struct top_used *before, double cycles)
{
	double used[NR_SHARES], sum = 0, over;
	int i;

	v->exits = v->used.nr - before->nr;
	for (i = 0; i < NR_SHARES; i++) {
		used[i] = v->used.cycles[i] - before->cycles[i];
		sum += used[i];
	}
	if (sum < cycles)
		used[rest(v, v->exits > 0)] += cycles - sum;
	over = sum > cycles ? sum - cycles : 0;
	if (over > used[SHARE_IDLE])
		over = used[SHARE_IDLE];
	used[SHARE_IDLE] -= over;
	for (sum = 0, i = 0; i < NR_SHARES; i++)
		sum += used[i];
	for (i = 0; i < NR_SHARES; i++)
		v->share[i] = sum > 0 ? used[i] / sum : 0;
}
