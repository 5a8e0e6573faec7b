// SPDX-License-Identifier: GPL-2.0-or-later
/* Arithmetic of struct vitro_times: sums, differences, quantiles. */
#include <stdio.h>

#include "times.h"

/**
 * times_add - the exits of two vCPUs together
 * @to: one, and the sum
 * @t: the other
 */
void times_add(struct vitro_times *to, const struct vitro_times *t)
{
	int i;

	for (i = 0; i < VITRO_NR_PLACES; i++) {
		to->nr[i] += t->nr[i];
		to->cycles[i] += t->cycles[i];
	}
	for (i = 0; i < VITRO_NR_BUCKETS; i++)
		to->bucket[i] += t->bucket[i];
	if (t->max && (!to->max || t->min < to->min))
		to->min = t->min;
	if (t->max > to->max)
		to->max = t->max;
}

/**
 * times_since - what has come between two looks
 * @now: the later look
 * @before: the earlier one
 *
 * Shortest and longest are as exact as the histogram, unless there was nothing before.
 *
 * Return: the difference.
 */
struct vitro_times times_since(const struct vitro_times *now, const struct vitro_times *before)
{
	struct vitro_times d = *now;
	int i;

	for (i = 0; i < VITRO_NR_PLACES; i++) {
		d.nr[i] -= before->nr[i];
		d.cycles[i] -= before->cycles[i];
	}
	for (i = 0; i < VITRO_NR_BUCKETS; i++)
		d.bucket[i] -= before->bucket[i];
	if (!before->max)
		return d;
	for (i = 0; i < VITRO_NR_BUCKETS && !d.bucket[i]; i++)
		;
	if (i < VITRO_NR_BUCKETS && 1ULL << i > d.min)
		d.min = 1ULL << i;
	for (i = VITRO_NR_BUCKETS - 1; i > 0 && !d.bucket[i]; i--)
		;
	if (i < VITRO_NR_BUCKETS - 1 && (2ULL << i) - 1 < d.max)
		d.max = (2ULL << i) - 1;
	return d;
}

/**
 * times_count - how many exits
 * @t: they
 *
 * Return: the number.
 */
uint64_t times_count(const struct vitro_times *t)
{
	uint64_t n = 0;
	int i;

	for (i = 0; i < VITRO_NR_PLACES; i++)
		n += t->nr[i];
	return n;
}

/**
 * times_cycles - how long they took together
 * @t: the exits
 *
 * Return: TSC cycles.
 */
uint64_t times_cycles(const struct vitro_times *t)
{
	uint64_t n = 0;
	int i;

	for (i = 0; i < VITRO_NR_PLACES; i++)
		n += t->cycles[i];
	return n;
}

/**
 * times_quantile - the time that so many of the exits did not exceed
 * @t: the exits
 * @percent: how many of them: 50 for the median
 *
 * Within a bucket of the histogram, exits are taken to be evenly spread.
 *
 * Return: TSC cycles; 0 without exits.
 */
uint64_t times_quantile(const struct vitro_times *t, unsigned int percent)
{
	uint64_t all = 0, below = 0, value, rank;
	int i;

	for (i = 0; i < VITRO_NR_BUCKETS; i++)
		all += t->bucket[i];
	if (!all)
		return 0;
	rank = (all * percent + 99) / 100;	/* of the exit in question, from 1 */
	for (i = 0; below + t->bucket[i] < rank; i++)
		below += t->bucket[i];
	value = (1ULL << i) + (double)(1ULL << i) * (rank - below) / t->bucket[i];
	if (value < t->min)
		value = t->min;
	return value > t->max ? t->max : value;
}

/**
 * times_text - a time with its unit
 * @cycles: it
 * @tsc_khz: rate of the TSC
 * @buf: where it goes
 *
 * Return: @buf.
 */
const char *times_text(uint64_t cycles, uint32_t tsc_khz, char buf[16])
{
	double ns = cycles * 1e6 / tsc_khz;

	if (ns < 1e3)
		snprintf(buf, 16, "%.0f ns", ns);
	else if (ns < 1e6)
		snprintf(buf, 16, "%.2f us", ns / 1e3);
	else if (ns < 1e9)
		snprintf(buf, 16, "%.2f ms", ns / 1e6);
	else
		snprintf(buf, 16, "%.2f s", ns / 1e9);
	return buf;
}
