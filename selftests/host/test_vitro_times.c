// SPDX-License-Identifier: GPL-2.0-or-later
/* Sums, differences and quantiles of times. */
#include "kselftest_harness.h"
#include "../../userspace/vitro/times.c"

/* One exit of so many cycles, all of them in a place. */
static void add(struct vitro_times *t, uint64_t cycles, int place)
{
	struct vitro_times one = { .min = cycles, .max = cycles };

	one.nr[place] = 1;
	one.cycles[place] = cycles;
	one.bucket[63 - __builtin_clzll(cycles)] = 1;
	times_add(t, &one);
}

TEST(sum)
{
	struct vitro_times t = { .min = 0 };

	add(&t, 1000, VITRO_PLACE_USER);
	add(&t, 10, VITRO_PLACE_BURST);
	add(&t, 100, VITRO_PLACE_KERNEL);
	EXPECT_EQ(3, times_count(&t));
	EXPECT_EQ(1110, times_cycles(&t));
	EXPECT_EQ(10, t.min);
	EXPECT_EQ(1000, t.max);
	EXPECT_EQ(1000, t.cycles[VITRO_PLACE_USER]);
}

TEST(quantiles)
{
	struct vitro_times t = { .min = 0 };
	uint64_t median;

	EXPECT_EQ(0, times_quantile(&t, 50));
	for (int i = 0; i < 99; i++)
		add(&t, 1024 + 10 * i, VITRO_PLACE_BURST);
	add(&t, 1 << 20, VITRO_PLACE_USER);
	median = times_quantile(&t, 50);
	EXPECT_LE(1500, median);
	EXPECT_GE(1600, median);
	EXPECT_GT(2048 + 1, times_quantile(&t, 99));
	EXPECT_EQ(1 << 20, times_quantile(&t, 100));
}

TEST(of_one)
{
	struct vitro_times t = { .min = 0 };

	add(&t, 777, VITRO_PLACE_KERNEL);
	EXPECT_EQ(777, times_quantile(&t, 50));
	EXPECT_EQ(777, times_quantile(&t, 99));
}

TEST(since)
{
	struct vitro_times before = { .min = 0 }, now, d;

	add(&before, 10, VITRO_PLACE_BURST);
	add(&before, 1 << 20, VITRO_PLACE_BURST);
	now = before;
	add(&now, 3000, VITRO_PLACE_USER);
	d = times_since(&now, &before);
	EXPECT_EQ(1, times_count(&d));
	EXPECT_EQ(3000, times_cycles(&d));
	EXPECT_EQ(2048, d.min);
	EXPECT_EQ(4095, d.max);

	before = (struct vitro_times){ .min = 0 };
	d = times_since(&now, &before);
	EXPECT_EQ(10, d.min);
	EXPECT_EQ(1 << 20, d.max);
}

TEST_HARNESS_MAIN
