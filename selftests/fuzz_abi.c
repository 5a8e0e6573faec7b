// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The ABI fuzzer: random programs of ioctls and of what else a process can do, made by tables
 * and guided by the code they reach.  Documentation/fuzzing.md says how to use it.
 *
 * Without arguments it is a test: some hundred programs, always the same.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include "fuzz/fuzz.h"
#include "kselftest.h"

#define TRACEFS		"/sys/kernel/tracing"
#define MAX_CORPUS	1024
#define RECENT		64	/* programs to change when nothing says which are worth it */
#define BATCH		64	/* programs, after which the module must have let go of all */
#define GOES_IN		120	/* seconds: a machine may stand still for long */
#define GOES_SOON	2	/* ... for one that is asked again and again */

/**
 * struct fuzzer - a run
 * @judge: runs programs
 * @seed: decides all programs; with coverage, also what they reach
 * @watching: coverage is to be had
 * @tracing: print each program before it runs
 * @rounds: programs run
 * @began: when
 * @corpus: programs that are worth changing: which reached code that none had before
 * @nr_corpus: so many
 * @batch: the last programs, by round
 */
struct fuzzer {
	struct judge judge;
	uint64_t seed;
	bool watching;
	bool tracing;
	unsigned long rounds;
	uint64_t began;
	struct program *corpus;
	unsigned int nr_corpus;
	struct program *batch;
};

static void fuzzer_init(struct fuzzer *f, uint64_t seed)
{
	*f = (struct fuzzer){ .seed = seed, .began = vt_now_ns() };
	f->corpus = calloc(MAX_CORPUS, sizeof(f->corpus[0]));
	f->batch = calloc(BATCH, sizeof(f->batch[0]));
	judge_init(&f->judge);
	f->watching = kcov_init();
	if (!f->watching)
		printf("# blind: this kernel has no KCOV to tell what code is reached\n");
}

/* The round's number and the seed decide, and the corpus. */
static void next_program(struct fuzzer *f, struct program *p)
{
	struct rng r = { .state = f->seed ^ f->rounds << 32 };

	rng_next(&r);
	if (!f->nr_corpus || rng_percent(&r, f->watching ? 40 : 60)) {
		generate(&r, p);
	} else {
		*p = f->corpus[rng_below(&r, f->nr_corpus)];
		mutate(&r, p, &f->corpus[rng_below(&r, f->nr_corpus)]);
	}
}

static void keep(struct fuzzer *f, const struct program *p)
{
	struct rng r = { .state = f->rounds };

	if (!f->watching)
		f->corpus[f->rounds % RECENT] = *p;
	else if (f->nr_corpus == MAX_CORPUS)
		f->corpus[rng_below(&r, MAX_CORPUS)] = *p;
	else
		f->corpus[f->nr_corpus++] = *p;
	if (!f->watching && f->nr_corpus < RECENT)
		f->nr_corpus++;
}

static void figures(struct fuzzer *f, const char *title)
{
	double seconds = (vt_now_ns() - f->began) / 1e9;

	printf("# %s: %lu executions of %lu calls, %.1f/s, seed %llu", title, f->rounds,
	       f->judge.shared->calls, f->rounds / seconds, (unsigned long long)f->seed);
	if (f->watching)
		printf(", %u edges in vitro.ko, corpus of %u", kcov_seen(f->judge.shared),
		       f->nr_corpus);
	putchar('\n');
	fflush(stdout);
}

/* ------------------------------------------------------------------------- failures */

/* Reports that come once in a life are to come again. */
static void allow_again(void)
{
	FILE *f = fopen("/sys/kernel/debug/clear_warn_once", "w");

	if (f) {
		fputc('1', f);
		fclose(f);
	}
}

/* A race may need some attempts, and what is freed by a work queue a moment. */
static bool fails_here(const struct program *p, void *opaque)
{
	struct judge *j = opaque;
	int i;

	allow_again();
	for (i = 0; i < 3; i++)
		if (judge(j, p) != FINE || !all_gone(j, GOES_SOON))
			return true;
	vt_sleep_ms(300);
	return reported(j);
}

/* By a command, which gets the name of a file with the program: one that boots a machine. */
static bool fails_there(const struct program *p, void *opaque)
{
	char name[] = "/tmp/fuzz-XXXXXX", command[1024];
	int fd = mkstemp(name), status;
	FILE *f = fdopen(fd, "w");

	if (!f)
		vt_die("cannot write to /tmp");
	print_program(f, p, NULL);
	fclose(f);
	snprintf(command, sizeof(command), "%s %s", (const char *)opaque, name);
	status = system(command);
	unlink(name);
	return status != 0;
}

static void save(const struct program *p, const char *path)
{
	FILE *f = fopen(path, "w");

	if (!f)
		return;
	print_program(f, p, NULL);
	fclose(f);
}

/* Prints what has failed, and what of it is needed to fail. */
static void failed(struct fuzzer *f, struct program *p, enum verdict verdict)
{
	printf("# the program of round %lu, seed %llu:\n", f->rounds,
	       (unsigned long long)f->seed);
	print_program(stdout, p, f->judge.shared->results);
	save(p, "/out/failed.txt");
	if (verdict == STUCK)
		return;
	if (!fails_here(p, &f->judge)) {
		printf("# it does not fail again; was that a late report about the one before?\n");
		*p = f->batch[(f->rounds + BATCH - 1) % BATCH];
		if (!f->rounds || !fails_here(p, &f->judge)) {
			printf("# that does not, either\n");
			return;
		}
	}
	minimize(p, fails_here, &f->judge);
	printf("# this is enough:\n");
	print_program(stdout, p, NULL);
	save(p, "/out/minimized.txt");
}

/* ---------------------------------------------------------------------------- runs */

/* One round.  False: it has failed. */
static bool one_round(struct fuzzer *f)
{
	enum verdict verdict;
	struct program p;

	next_program(f, &p);
	if (f->tracing) {
		printf("# round %lu\n", f->rounds);
		print_program(stdout, &p, NULL);
	}
	verdict = judge(&f->judge, &p);
	if (verdict != FINE) {
		failed(f, &p, verdict);
		return false;
	}
	if (!f->watching || f->judge.shared->fresh)
		keep(f, &p);
	f->batch[f->rounds % BATCH] = p;
	f->rounds++;
	return true;
}

/*
 * Has the module let go of what the last @nr programs made?  If not: which of them was it?
 */
static bool nothing_left(struct fuzzer *f, unsigned int nr)
{
	if (all_gone(&f->judge, GOES_IN))
		return true;
	for (; nr; nr--) {
		struct program *p = &f->batch[(f->rounds - nr) % BATCH];

		if (judge(&f->judge, p) == FINE && all_gone(&f->judge, GOES_SOON))
			continue;
		f->rounds -= nr;
		failed(f, p, LEFT);
		return false;
	}
	printf("# none of the last programs does that again by itself\n");
	return false;
}

static bool fuzz(struct fuzzer *f, unsigned long rounds, unsigned long seconds)
{
	uint64_t end = f->began + seconds * 1000000000ULL, next = f->began;

	while (rounds ? f->rounds < rounds : vt_now_ns() < end) {
		if (!one_round(f))
			return false;
		if (seconds && vt_now_ns() > next) {
			next += 30000000000ULL;
			figures(f, "so far");
		}
		if (f->rounds % BATCH == 0 && !nothing_left(f, BATCH))
			return false;
	}
	return nothing_left(f, f->rounds % BATCH);
}

/* Runs all programs of a file, and prints what each call returns.  False: one has failed. */
static bool replay(struct fuzzer *f, FILE *file)
{
	struct program p;
	int ret;

	while ((ret = parse_program(file, &p)) == 1) {
		bool fine = judge(&f->judge, &p) == FINE;

		if (!fine || f->tracing)
			print_program(stdout, &p, f->judge.shared->results);
		if (!fine)
			return false;
		if (f->judge.shared->fresh)
			keep(f, &p);
		f->rounds++;
	}
	return ret == 0 && all_gone(&f->judge, GOES_IN);
}

static FILE *open_programs(const char *path)
{
	FILE *file = fopen(path, "r");

	if (!file)
		vt_die("%s: no such file", path);
	return file;
}

static void save_corpus(const struct fuzzer *f, const char *path)
{
	FILE *file = fopen(path, "w");
	unsigned int i;

	if (!file)
		vt_die("cannot write %s", path);
	for (i = 0; i < f->nr_corpus; i++)
		print_program(file, &f->corpus[i], NULL);
	fclose(file);
}

/* ---------------------------------------------------------------- as a test */

static bool table_is_complete(void)
{
	unsigned int i, j;
	bool complete = true;

	for (i = 0; i < nr_abi_ioctls; i++) {
		for (j = 0; j < nr_call_types; j++)
			if (call_types[j].cmd == abi_ioctls[i])
				break;
		if (j < nr_call_types)
			continue;
		printf("# no entry in fuzz/abi.c for ioctl %#lx\n", _IOC_NR(abi_ioctls[i]));
		complete = false;
	}
	return complete && nr_abi_ioctls > 15;
}

static bool text_and_back(void)
{
	struct rng r = { .state = 1 };
	struct program p, q, last = {};
	int i;

	for (i = 0; i < 50; i++) {
		FILE *f = tmpfile();
		bool same;

		generate(&r, &p);
		mutate(&r, &p, &last);
		print_program(f, &p, NULL);
		rewind(f);
		same = parse_program(f, &q) == 1 && same_program(&p, &q) &&
		       parse_program(f, &q) == 0;
		fclose(f);
		if (!same) {
			print_program(stdout, &p, NULL);
			return false;
		}
		last = p;
	}
	return true;
}

/* Fails if a call of "mode" with a register comes somewhere before one of "enter". */
static bool pretends_to_fail(const struct program *p, void *opaque)
{
	bool begun = false;
	unsigned int i;

	(*(int *)opaque)++;
	for (i = 0; i < p->nr; i++) {
		const char *name = call_types[p->call[i].type].name;

		if (!strcmp(name, "mode") && p->call[i].arg[3])
			begun = true;
		if (!strcmp(name, "enter") && begun)
			return true;
	}
	return false;
}

static bool minimizes(void)
{
	struct rng r = { .state = 1 };
	int i, asked, found = 0;
	struct program p;

	for (i = 0; i < 100 && found < 3; i++) {
		generate(&r, &p);
		asked = 0;
		if (!pretends_to_fail(&p, &asked))
			continue;
		found++;
		minimize(&p, pretends_to_fail, &asked);
		if (p.nr != 2 || !p.call[0].arg[3] || p.call[0].arg[4] || asked > 1000) {
			print_program(stdout, &p, NULL);
			return false;
		}
	}
	return found == 3;
}

/* Without coverage, two runs with one seed are the same. */
static bool seed_decides(void)
{
	struct fuzzer f = { .seed = 1 }, g = { .seed = 1 };
	struct program p, q;
	bool same = true;

	f.corpus = calloc(RECENT, sizeof(p));
	g.corpus = calloc(RECENT, sizeof(p));
	for (; f.rounds < 50 && same; f.rounds++, g.rounds++) {
		next_program(&f, &p);
		next_program(&g, &q);
		same = same_program(&p, &q);
		keep(&f, &p);
		keep(&g, &q);
	}
	g.seed = 2;
	next_program(&f, &p);
	next_program(&g, &q);
	return same && !same_program(&p, &q);
}

static bool regressions_stay_fixed(struct fuzzer *f)
{
	FILE *file = fmemopen((void *)regressions, regressions_end - regressions, "r");
	bool fine = replay(f, file);

	fclose(file);
	return fine;
}

static int test(void)
{
	const char *machine = getenv("VITRO_MACHINE");
	unsigned long rounds = machine && !strcmp(machine, "amd") ? 100 : 6;
	struct fuzzer f;

	ksft_print_header();
	ksft_set_plan(6);
	ksft_test_result(table_is_complete(), "table_is_complete\n");
	ksft_test_result(text_and_back(), "text_and_back\n");
	ksft_test_result(minimizes(), "minimizes\n");
	ksft_test_result(seed_decides(), "seed_decides\n");
	fuzzer_init(&f, 1);
	ksft_test_result(regressions_stay_fixed(&f), "regressions_stay_fixed\n");
	f.rounds = 0;
	f.watching = false;	/* or the programs would not always be the same */
	ksft_test_result(fuzz(&f, rounds, 0), "programs\n");
	figures(&f, "figure");
	ksft_finished();
	return 0;
}

/* ------------------------------------------------------------------- command line */

/* The module's tracepoints are code, too. */
static void trace_all(void)
{
	FILE *f;

	if (mount("tracefs", TRACEFS, "tracefs", 0, NULL) && errno != EBUSY)
		return;
	f = fopen(TRACEFS "/events/vitro/enable", "w");
	if (f) {
		fputc('1', f);
		fclose(f);
	}
}

static const char usage[] =
	"usage: fuzz_abi                      some programs, always the same, as a test\n"
	"       fuzz_abi --seconds N | --rounds N\n"
	"                                     random programs, until one fails\n"
	"            [--seed N]               others than seed 1 makes\n"
	"            [--corpus FILE]          begin with these; write what is worth keeping\n"
	"            [--coverage FILE]        write what code was reached (/out/coverage.txt)\n"
	"            [--trace]                print each program before it runs\n"
	"       fuzz_abi --replay FILE [--trace]\n"
	"                                     the programs in a file; do they fail?\n"
	"       fuzz_abi --minimize FILE [--judge COMMAND]\n"
	"                                     what of a program is needed to fail; whether one\n"
	"                                     does, a command that gets a file with it may say\n";

static int shrink(const char *path, char *command)
{
	struct program p;
	struct fuzzer f;

	if (parse_program(open_programs(path), &p) != 1)
		vt_die("%s: no program", path);
	if (command) {
		minimize(&p, fails_there, command);
	} else {
		fuzzer_init(&f, 1);
		minimize(&p, fails_here, &f.judge);
	}
	print_program(stdout, &p, NULL);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "seconds", required_argument, NULL, 's' },
		{ "rounds", required_argument, NULL, 'n' },
		{ "seed", required_argument, NULL, 'S' },
		{ "corpus", required_argument, NULL, 'c' },
		{ "coverage", required_argument, NULL, 'C' },
		{ "trace", no_argument, NULL, 't' },
		{ "replay", required_argument, NULL, 'r' },
		{ "minimize", required_argument, NULL, 'm' },
		{ "judge", required_argument, NULL, 'j' },
		{}
	};
	char *value['z' + 1] = {};
	struct fuzzer f;
	bool fine;
	int c;

	if (argc == 1)
		return test();
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == '?' || c > 'z')
			vt_die("unknown option\n%s", usage);
		value[c] = optarg ? optarg : argv[0];
	}
	if (value['m'])
		return shrink(value['m'], value['j']);
	if (!value['s'] && !value['n'] && !value['r'])
		vt_die("what to do?\n%s", usage);

	fuzzer_init(&f, value['S'] ? strtoull(value['S'], NULL, 0) : 1);
	f.tracing = value['t'];
	trace_all();
	if (value['r'])
		return !replay(&f, open_programs(value['r']));
	fine = !value['c'] || access(value['c'], R_OK) || replay(&f, open_programs(value['c']));
	f.rounds = 0;
	f.began = vt_now_ns();
	fine = fine && fuzz(&f, value['n'] ? strtoul(value['n'], NULL, 0) : 0,
			    value['s'] ? strtoul(value['s'], NULL, 0) : 0);
	figures(&f, "figure");
	if (value['c'])
		save_corpus(&f, value['c']);
	if (f.watching)
		kcov_save(f.judge.shared, value['C'] ? value['C'] : "/out/coverage.txt");
	printf("# %s\n", fine ? "fine" : "FAILED");
	return !fine;
}
