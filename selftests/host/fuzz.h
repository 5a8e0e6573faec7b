/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What fuzzers that run on the host share.  A fuzzer is a function that plays one round with
 * what it tests, and draws all its choices with rnd().  These come from the input that
 * libFuzzer (llvm.org/docs/LibFuzzer.html) makes: an input that reaches what none before it
 * has reached is kept, and changed further.
 *
 * Where an input ends, all choices are 0.  So a round has its harmless choice there, ends its
 * loops when fuzz_more() says so, and a shorter input means less of a round: which is what
 * makes a failing input small, and small ones readable.
 *
 *	test_fuzz_NAME [--seconds N] [--seed N]
 *
 * tests each target in a process of its own and reports in TAP: without options a fixed number
 * of rounds from a fixed seed, as in make check; with --seconds as many as that takes, as in
 * make soak.
 *
 *	FUZZ_TARGET=NAME test_fuzz_NAME [LIBFUZZER-OPTION | FILE | DIRECTORY]...
 *
 * is libFuzzer's own program for one target: it replays the inputs in files, keeps a corpus
 * in a directory, makes a failing input smaller with -minimize_crash=1; see -help=1.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define FUZZ_OUTCOMES	4

/**
 * struct fuzz_target - what is fuzzed
 * @name: of the case; without spaces, for it becomes part of file names
 * @round: one round, as the same input always plays it
 * @what: for @round
 * @runs: how many rounds are right for make check
 * @max_len: the longest input; there are more short ones than long ones
 * @outcome: what rounds come to, each counted by fuzz_count(), in words: if there is
 *	something that no round has come to, the fuzzer is at fault
 */
struct fuzz_target {
	const char *name;
	void (*round)(const void *what);
	const void *what;
	unsigned int runs;
	unsigned int max_len;
	const char *outcome[FUZZ_OUTCOMES];
};

uint64_t rnd(uint64_t below);
bool fuzz_more(void);
void fuzz_count(unsigned int outcome);
void fuzz_wrong(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
int fuzz_main(int argc, char **argv, const struct fuzz_target *targets, size_t nr);

/* True for one choice of @n, and not where the input has ended. */
static inline bool one_in(uint64_t n)
{
	return rnd(n) == n - 1;
}

/* xorshift64, for what no input decides.  Each thread needs a state of its own, not 0. */
static inline uint64_t rnd_from(uint64_t *state, uint64_t below)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state % below;
}

/* libFuzzer's, which has no header for C; and what it, and the sanitizers, call. */
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*run)(const uint8_t *data, size_t size));
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed);
const char *__asan_default_options(void);
const char *__ubsan_default_options(void);

#endif /* FUZZ_H */
