/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What fuzzers that run on the host share: random numbers, which a seed repeats, and how
 * long they go on.  Without options they do a fixed number of rounds from a fixed seed, as
 * in make check; with --seconds as many as that takes, as in make soak.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define FUZZ_SEED	1

static uint64_t fuzz_state = FUZZ_SEED;

/* xorshift64: the same numbers everywhere.  Each thread needs a state of its own. */
static inline uint64_t rnd_from(uint64_t *state, uint64_t below)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state % below;
}

static inline uint64_t rnd(uint64_t below)
{
	return rnd_from(&fuzz_state, below);
}

/* Reads the options; returns the seconds, or 0 for a fixed number of rounds. */
static inline unsigned long fuzz_options(int argc, char **argv)
{
	static const struct option options[] = {
		{ "seconds", required_argument, NULL, 's' },
		{ "seed", required_argument, NULL, 'r' },
		{ NULL, 0, NULL, 0 }
	};
	unsigned long seconds = 0;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 's')
			seconds = strtoul(optarg, NULL, 0);
		else if (c == 'r')
			fuzz_state = strtoull(optarg, NULL, 0);
		else
			exit(2);
	}
	if (!fuzz_state)
		fuzz_state = FUZZ_SEED;		/* from 0, xorshift gets nowhere */
	printf("# seed %llu\n", (unsigned long long)fuzz_state);
	return seconds;
}

/**
 * struct fuzz_clock - how long to go on
 * @rounds: that have begun
 * @limit: of them, if there is no @end
 * @end: or until then
 */
struct fuzz_clock {
	unsigned long rounds, limit;
	time_t end;
};

static inline void fuzz_begin(struct fuzz_clock *clock, unsigned long seconds,
			      unsigned long rounds)
{
	*clock = (struct fuzz_clock){ .limit = rounds };
	if (seconds)
		clock->end = time(NULL) + seconds;
}

static inline bool fuzz_goes_on(struct fuzz_clock *clock)
{
	if (clock->end && !(clock->rounds % 64))
		clock->limit = time(NULL) < clock->end ? clock->rounds + 64 : 0;
	return clock->rounds++ < clock->limit;
}

#endif /* FUZZ_H */
