// SPDX-License-Identifier: GPL-2.0-or-later
/* How vitro top divides a vCPU's time. */
#include "kselftest_harness.h"
#include "../../userspace/vitro/top_share.c"

#define SECOND	1e6	/* cycles that pass between two looks */

static double sum(const struct top_vcpu *v)
{
	double all = 0;
	int i;

	for (i = 0; i < NR_SHARES; i++)
		all += v->share[i];
	return all;
}

/* What exits do not account for is the guest's. */
TEST(guest_has_the_rest)
{
	struct top_used before = { .nr = 100, .cycles = { [SHARE_BURST] = 7 } };
	struct top_vcpu v = {
		.state = VITRO_MP_RUNNABLE,
		.used = { .nr = 350, .cycles = {
			[SHARE_BURST] = 100007, [SHARE_KERNEL] = 50000, [SHARE_USER] = 250000,
		} },
	};

	top_share(&v, &before, SECOND);
	EXPECT_EQ(250, v.exits);
	EXPECT_EQ(0.6, v.share[SHARE_GUEST]);
	EXPECT_EQ(0.1, v.share[SHARE_BURST]);
	EXPECT_EQ(0.05, v.share[SHARE_KERNEL]);
	EXPECT_EQ(0.25, v.share[SHARE_USER]);
	EXPECT_EQ(0, v.share[SHARE_IDLE]);
}

/* A vCPU that sleeps has not yet been told to have slept. */
TEST(asleep_since_long)
{
	struct top_used before = { .nr = 5 };
	struct top_vcpu v = { .state = VITRO_MP_HALTED, .used = { .nr = 5 } };

	top_share(&v, &before, SECOND);
	EXPECT_EQ(1, v.share[SHARE_IDLE]);
	/* One that waits for its SIPI does so, too. */
	v.state = VITRO_MP_WAIT_SIPI;
	top_share(&v, &before, SECOND);
	EXPECT_EQ(1, v.share[SHARE_IDLE]);
}

/* It wakes up after ten seconds, all of which were accounted for already. */
TEST(woken_up)
{
	struct top_used before = { .nr = 5 };
	struct top_vcpu v = {
		.state = VITRO_MP_RUNNABLE, .in_guest = true,
		.used = { .nr = 6, .cycles = {
			[SHARE_IDLE] = 10 * SECOND, [SHARE_USER] = 400000,
		} },
	};

	top_share(&v, &before, SECOND);
	EXPECT_EQ(0.6, v.share[SHARE_IDLE]);
	EXPECT_EQ(0.4, v.share[SHARE_USER]);
	EXPECT_EQ(0, v.share[SHARE_GUEST]);
}

/* Not even the host's ticks made it exit: it is not in the guest. */
TEST(stuck_in_userspace)
{
	struct top_used before = { .nr = 5 };
	struct top_vcpu v = { .state = VITRO_MP_RUNNABLE, .used = { .nr = 5 } };

	top_share(&v, &before, SECOND);
	EXPECT_EQ(1, v.share[SHARE_USER]);
	v.in_guest = true;	/* a host without ticks */
	top_share(&v, &before, SECOND);
	EXPECT_EQ(1, v.share[SHARE_GUEST]);
}

/* Whatever the module says, shares are shares. */
TEST(sum_is_one)
{
	struct top_used before = { .nr = 0 };
	struct top_vcpu v = { .used = { .nr = 1, .cycles = {
		[SHARE_BURST] = 3 * SECOND, [SHARE_USER] = 9 * SECOND, [SHARE_IDLE] = SECOND,
	} } };

	top_share(&v, &before, SECOND);
	EXPECT_EQ(1, sum(&v));
	EXPECT_EQ(0, v.share[SHARE_IDLE]);
	EXPECT_EQ(0.75, v.share[SHARE_USER]);
}

TEST_HARNESS_MAIN
