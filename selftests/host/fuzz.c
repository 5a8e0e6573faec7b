// SPDX-License-Identifier: GPL-2.0-or-later
/* Fuzzers that run on the host: see fuzz.h. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz.h"
#include "tap.h"

#define SEED		1
#define MAX_ARGS	64
#define WRITTEN		"Test unit written to "	/* how libFuzzer says where */

/* ----------------------------------------------------------------- in a round */

static const struct fuzz_target *current;
static const uint8_t *input, *input_end;
static unsigned long *counts;	/* of outcomes, for whoever started this process, too */

/**
 * rnd - a choice
 * @below: of so many
 *
 * Takes as many bytes of the input as the choice needs, in the order in which the CPU stores
 * them: so libFuzzer finds in the input what the code under test compares, and replaces it.
 *
 * Return: a number less than @below; 0 when the input has ended.
 */
uint64_t rnd(uint64_t below)
{
	uint64_t value = 0, most = below - 1;
	unsigned int shift;

	for (shift = 0; most && input < input_end; shift += 8, most >>= 8)
		value |= (uint64_t)*input++ << shift;
	return value % below;
}

/**
 * fuzz_more - is there more input?
 *
 * Return: false when a round should come to its end.
 */
bool fuzz_more(void)
{
	return input < input_end;
}

/**
 * fuzz_count - this round has come to something
 * @outcome: index of the target's outcomes
 */
void fuzz_count(unsigned int outcome)
{
	counts[outcome]++;
}

/**
 * fuzz_wrong - this round has shown a fault: libFuzzer is to save its input
 * @fmt: what is wrong
 */
void fuzz_wrong(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
	abort();
}

/* ------------------------------------------------------------ under libFuzzer */

static int run(const uint8_t *data, size_t size)
{
	input = data;
	input_end = data + size;
	current->round(current->what);
	return 0;
}

/*
 * A third of all new inputs are a kept one up to some place, and behind it anything, of any
 * length: libFuzzer's own mutations alone seldom make an input longer, and a round that goes
 * on for long takes a long input.
 */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
	uint64_t state = 0x9e3779b97f4a7c15 ^ seed;
	size_t i;

	if (rnd_from(&state, 3))
		return LLVMFuzzerMutate(data, size, max);
	i = rnd_from(&state, (size < max ? size : max) + 1);
	size = i + rnd_from(&state, max - i + 1);
	for (; i < size; i++)
		data[i] = rnd_from(&state, 256);
	return size;
}

/*
 * binutils' addr2line is there, as it came with the compiler; llvm-symbolizer is used if that
 * is there, too.  What is freed need not be kept for as long as in a program that runs alone.
 */
const char *__asan_default_options(void)
{
	return "allow_addr2line=1:quarantine_size_mb=32";
}

const char *__ubsan_default_options(void)
{
	return "print_stacktrace=1";
}

/* Never returns: libFuzzer ends the process.  @more are its own options, and come last. */
static void fuzz(const struct fuzz_target *t, char **more)
{
	char max_len[32], prefix[PATH_MAX], program[PATH_MAX - 256] = "";
	char *args[MAX_ARGS] = {
		program, max_len, prefix, "-len_control=0", "-timeout=60", "-print_funcs=0",
	};
	char **argv = args;
	int argc = 6;

	current = t;
	if (readlink("/proc/self/exe", program, sizeof(program) - 1) < 0)
		exit(1);
	snprintf(max_len, sizeof(max_len), "-max_len=%u", t->max_len);
	snprintf(prefix, sizeof(prefix), "-artifact_prefix=%s.%s-", program, t->name);
	while (*more && argc < MAX_ARGS - 1)
		args[argc++] = *more++;
	LLVMFuzzerRunDriver(&argc, &argv, run);
	exit(1);
}

/* ------------------------------------------------------------------- reporting */

/**
 * struct summary - what libFuzzer said
 * @runs: rounds
 * @edges: that were reached, and how many there are
 * @features: edges, by about how often a round came along
 * @corpus: inputs that were worth keeping
 * @artifact: where a failing one is, or ""
 */
struct summary {
	unsigned long runs, edges, all_edges, features, corpus;
	char artifact[PATH_MAX];
};

/* How many edges there are, from the line that says so; 0 from any other. */
static unsigned long counters(const char *line)
{
	unsigned long nr;

	return sscanf(line, "INFO: Loaded %*u modules (%lu inline", &nr) == 1 ? nr : 0;
}

static void summarize(FILE *log, struct summary *s)
{
	char line[PATH_MAX + 100];
	const char *unit;

	memset(s, 0, sizeof(*s));
	rewind(log);
	while (fgets(line, sizeof(line), log)) {
		unit = strstr(line, WRITTEN);
		if (unit) {
			unit += strlen(WRITTEN);
			snprintf(s->artifact, sizeof(s->artifact), "%.*s",
				 (int)strcspn(unit, "\n"), unit);
			continue;
		}
		if (sscanf(line, "#%lu DONE cov: %lu ft: %lu corp: %lu", &s->runs, &s->edges,
			   &s->features, &s->corpus) != 4)
			s->all_edges += counters(line);
	}
}

/* All that was said but how it went before. */
static void show(FILE *log)
{
	char line[512];

	rewind(log);
	while (fgets(line, sizeof(line), log)) {
		if (line[0] != '#' && strncmp(line, "INFO: ", 6))
			printf("# %s", line);
	}
}

static void report(const struct fuzz_target *t, FILE *log, bool good, const char *program)
{
	struct summary s;
	unsigned int i;

	summarize(log, &s);
	if (good) {
		printf("# figure: %s: %lu rounds, %lu of %lu edges, %lu features, %lu inputs kept",
		       t->name, s.runs, s.edges, s.all_edges, s.features, s.corpus);
		for (i = 0; i < FUZZ_OUTCOMES && t->outcome[i]; i++) {
			printf("; %lu %s", counts[i], t->outcome[i]);
			good = good && counts[i];
		}
		printf("\n");
	} else {
		show(log);
		if (s.artifact[0])
			printf("# again: FUZZ_TARGET=%s %s %s\n", t->name, program, s.artifact);
	}
	check(t->name, good);
}

/**
 * struct plan - how long to go on, and with what
 * @seconds: for each target, or 0 for a fixed number of rounds
 * @seed: of libFuzzer's choices
 */
struct plan {
	unsigned long seconds;
	unsigned int seed;
};

/* In a process of its own, as the first fault is its end. */
static void fuzz_in_child(const struct fuzz_target *t, const struct plan *plan, const char *program)
{
	char seed[32], limit[48], *args[] = { seed, limit, NULL };
	FILE *log = tmpfile();
	int status;
	pid_t pid;

	if (!log)
		abort();
	snprintf(seed, sizeof(seed), "-seed=%u", plan->seed);
	if (plan->seconds)
		snprintf(limit, sizeof(limit), "-max_total_time=%lu", plan->seconds);
	else
		snprintf(limit, sizeof(limit), "-runs=%u", t->runs);
	memset(counts, 0, FUZZ_OUTCOMES * sizeof(*counts));
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		abort();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (dup2(fileno(log), STDOUT_FILENO) < 0 || dup2(fileno(log), STDERR_FILENO) < 0)
			_exit(1);
		fuzz(t, args);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	report(t, log, status == 0, program);
	fclose(log);
}

static struct plan read_options(int argc, char **argv, size_t nr_targets)
{
	static const struct option options[] = {
		{ "seconds", required_argument, NULL, 's' },
		{ "seed", required_argument, NULL, 'r' },
		{ NULL, 0, NULL, 0 }
	};
	struct plan plan = { .seed = SEED };
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 's')
			plan.seconds = 1 + strtoul(optarg, NULL, 0) / nr_targets;
		else if (c == 'r')
			plan.seed = strtoul(optarg, NULL, 0);
		else
			exit(2);
	}
	if (!plan.seed)
		plan.seed = SEED;	/* for 0, libFuzzer would take one of its own */
	printf("# seed %u\n", plan.seed);
	return plan;
}

/*
 * libFuzzer learns from all that is compared, pointers included: the same seed makes the same
 * rounds if everything is at the same address.  Where that is forbidden, nearly the same.
 */
static void fix_addresses(char **argv)
{
	int now = personality(0xffffffff);	/* asks */

	if (now >= 0 && !(now & ADDR_NO_RANDOMIZE) && personality(now | ADDR_NO_RANDOMIZE) >= 0)
		execv("/proc/self/exe", argv);
}

/**
 * fuzz_main - what main() of a fuzzer does
 * @argc: @argv: its arguments
 * @targets: what it fuzzes
 * @nr: how many
 *
 * Return: the program's exit status.
 */
int fuzz_main(int argc, char **argv, const struct fuzz_target *targets, size_t nr)
{
	const char *name = getenv("FUZZ_TARGET");
	struct plan plan;
	size_t i;

	fix_addresses(argv);
	counts = mmap(NULL, FUZZ_OUTCOMES * sizeof(*counts), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (counts == MAP_FAILED)
		abort();
	for (i = 0; name && i < nr; i++) {
		if (!strcmp(name, targets[i].name))
			fuzz(&targets[i], argv + 1);
	}
	if (name) {
		fprintf(stderr, "FUZZ_TARGET=%s: there are:", name);
		for (i = 0; i < nr; i++)
			fprintf(stderr, " %s", targets[i].name);
		fprintf(stderr, "\n");
		return 2;
	}
	plan = read_options(argc, argv, nr);
	for (i = 0; i < nr; i++)
		fuzz_in_child(&targets[i], &plan, argv[0]);
	return tap_done();
}
