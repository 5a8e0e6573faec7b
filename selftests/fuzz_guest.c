// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The guest fuzzer: see guest.h, and Documentation/fuzzing.md.
 *
 *	fuzz_guest [--seed S] [--first N] [--programs N | --seconds N] [--workers N] [--tick US]
 *	fuzz_guest [--seed S] --only N
 *
 * The second form shows all that program N does.  With --trace, numbers are printed before the
 * programs are run, for those that take the machine down.  Programs are run in batches.  Each is a
 * process with a VM of its own, so that what kills a process, or spoils a VM, is known and ends
 * with it.
 */
#define _GNU_SOURCE
#include <cpuid.h>
#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fuzz/guest.h"
#include "host/tap.h"

#define BATCH		2048	/* programs to a VM */
#define GOOD_EVERY	32	/* programs between two runs of the known one */
#define MAX_WORKERS	16

bool verbose;
bool on_tcg;

static uint64_t seed = 1;
static uint64_t nr_programs, first;
static bool trace;
static unsigned int seconds, workers = 1, tick_us;

/**
 * struct shared - what the processes tell each other
 * @programs: programs that were run
 * @both: of these, on two vCPUs at once
 * @good: runs of the known program
 * @exits: exits to userspace
 * @endings: how programs ended, one for each vCPU
 * @current: the program that worker i is at
 */
struct shared {
	uint64_t programs, both, good, exits;
	uint64_t endings[NR_ENDINGS];
	uint64_t current[MAX_WORKERS];
};

static struct shared *shared;
static unsigned int worker;

void die(const char *format, ...)
{
	va_list args;

	printf("# program %llu of seed %llu: ", (unsigned long long)shared->current[worker],
	       (unsigned long long)seed);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
	_exit(1);
}

static void add(uint64_t *counter, uint64_t n)
{
	__atomic_fetch_add(counter, n, __ATOMIC_RELAXED);
}

/* --------------------------------------------------------------- the programs */

/*
 * vCPU 1 has a thread, which does all that runs it: when another thread takes a vCPU over,
 * VITRO_RUN waits for an RCU grace period.
 */
static sem_t go, done;
static void (*second_does)(struct cpu *cpu);

static void *second_cpu(void *arg)
{
	for (;;) {
		while (sem_wait(&go))
			;
		second_does(arg);
		sem_post(&done);
	}
	return NULL;
}

#define FIRST	1
#define SECOND	2

/* Does something with vCPUs, at once if it is both. */
static void on_cpus(struct vm *vm, unsigned int which, void (*what)(struct cpu *cpu))
{
	second_does = what;
	if (which & SECOND)
		sem_post(&go);
	if (which & FIRST)
		what(&vm->cpu[0]);
	while ((which & SECOND) && sem_wait(&done))
		;
}

static struct rng stream(uint64_t program, unsigned int which)
{
	struct rng rng = { seed };

	rng.state = rnd(&rng) ^ program;
	rng.state = rnd(&rng) + which;
	return rng;
}

static void show_program(struct vm *vm, unsigned int cpus)
{
	unsigned int id, i;

	for (id = 0; id < cpus; id++) {
		const struct vitro_state *s = &vm->cpu[id].comm->state;
		const unsigned char *code = vm->slot[SLOT_RAM].mem + s->gprs.rip;

		printf("# vCPU %u: %u bits, rip 0x%llx rflags 0x%llx ", id, vm->cpu[id].bits,
		       (unsigned long long)s->gprs.rip, (unsigned long long)s->gprs.rflags);
		printf("cr0 0x%llx cr3 0x%llx cr4 0x%llx efer 0x%llx\n",
		       (unsigned long long)s->crs.cr0, (unsigned long long)s->crs.cr3,
		       (unsigned long long)s->crs.cr4, (unsigned long long)s->crs.efer);
		for (i = 0; i < VITRO_NR_GPRS; i++)
			printf("%s%llx%s", i ? " " : "#   registers ",
			       (unsigned long long)s->gprs.gpr[i],
			       i == VITRO_NR_GPRS - 1 ? "\n" : "");
		for (i = 0; i < VITRO_NR_SEGS; i++)
			printf("#   segment %u: %x attrib %x limit %x base %llx\n", i,
			       s->segs.seg[i].selector, s->segs.seg[i].attrib, s->segs.seg[i].limit,
			       (unsigned long long)s->segs.seg[i].base);
		for (i = 0; i < 512; i++)
			printf("%s%02x%s", i % 32 ? " " : "#   code ", code[i],
			       i % 32 == 31 ? "\n" : "");
	}
}

/* Makes and runs program @number. */
static void one_program(struct vm *vm, uint64_t number)
{
	struct rng rng = stream(number, FUZZ_CPUS);
	unsigned int which = one_in(&rng, 2) ? FIRST | SECOND : FIRST;
	unsigned int cpus = which & SECOND ? FUZZ_CPUS : 1;
	unsigned int id;

	/*
	 * An exit of a guest with EFER.LME set and CR4.PAE and CR0.PG clear, and QEMU 7.2 leaves
	 * paging off in the host (Documentation/fuzzing.md).
	 */
	vm->no_lme = on_tcg && one_in(&rng, 3);
	vm->no_cr4 = on_tcg && !vm->no_lme;
	__atomic_store_n(&shared->current[worker], number, __ATOMIC_RELAXED);
	on_cpus(vm, which, vm_reset);
	fill_memory(vm, &rng);
	for (id = 0; id < cpus; id++) {
		struct cpu *cpu = &vm->cpu[id];

		cpu->rng = stream(number, id);
		random_state(cpu);
		random_code(cpu, cpu->comm->state.gprs.rip - CODE(id));
	}
	if (trace) {
		printf("# program %llu\n", (unsigned long long)number);
		fflush(stdout);
	}
	if (verbose)
		show_program(vm, cpus);

	on_cpus(vm, which, run_program);
	for (id = 0; id < cpus; id++) {
		if (verbose || trace) {
			printf("# vCPU %u: %s\n", id, ending_names[vm->cpu[id].ending]);
			run_show(&vm->cpu[id]);
		}
		add(&shared->endings[vm->cpu[id].ending], 1);
		add(&shared->exits, vm->cpu[id].exits);
	}
	add(&shared->programs, 1);
	add(&shared->both, cpus > 1);
}

static void must_be_well(struct vm *vm, bool thorough)
{
	const char *damaged = vm_damage(vm, thorough);

	if (damaged)
		die("this one, or one since the last good one, has written to %s", damaged);
	if (!thorough)
		return;
	on_cpus(vm, FIRST, run_known_good);
	on_cpus(vm, SECOND, run_known_good);
	add(&shared->good, FUZZ_CPUS);
}

/* A process: programs in one VM, which must be good at the beginning and at the end. */
static void batch(uint64_t from, uint64_t nr)
{
	static struct vm vm;
	pthread_t thread;
	uint64_t i;

	shared->current[worker] = from;
	vm_open(&vm);
	run_watch(&vm, tick_us);
	sem_init(&go, 0, 0);
	sem_init(&done, 0, 0);
	if (pthread_create(&thread, NULL, second_cpu, &vm.cpu[1]))
		die("no thread for vCPU 1");
	must_be_well(&vm, true);
	for (i = 0; i < nr; i++) {
		one_program(&vm, from + i);
		must_be_well(&vm, i % GOOD_EVERY == GOOD_EVERY - 1 || i == nr - 1);
	}
	fflush(stdout);
	_exit(0);
}

/* ---------------------------------------------------------------- the batches */

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

static void progress(uint64_t since)
{
	static uint64_t last;

	if (now() - last < 10)
		return;
	last = now();
	printf("# %llu programs in %llu s\n", (unsigned long long)shared->programs,
	       (unsigned long long)(now() - since));
	fflush(stdout);
}

/* Waits for a batch to end; the number of its worker, or -1 if it did not end well. */
static int wait_batch(const pid_t *pids)
{
	int status;
	pid_t pid = wait(&status);
	unsigned int i;

	for (i = 0; pids[i] != pid; i++)
		;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return i;
	if (WIFSIGNALED(status))
		printf("# program %llu of seed %llu: the process died of signal %d\n",
		       (unsigned long long)shared->current[i], (unsigned long long)seed,
		       WTERMSIG(status));
	return -1;
}

static bool run_batches(void)
{
	uint64_t start = now(), next = first, end = first + nr_programs;
	unsigned int running = 0;
	pid_t pids[MAX_WORKERS] = {};
	bool well = true;
	int slot = 0;

	while (well || running) {
		bool more = well && (seconds ? now() - start < seconds : next < end);

		if (more && running < workers) {
			uint64_t nr = seconds || end - next > BATCH ? BATCH : end - next;

			for (slot = 0; pids[slot]; slot++)
				;
			fflush(stdout);
			worker = slot;
			pids[slot] = fork();
			if (pids[slot] < 0)
				die("fork: %s", strerror(errno));
			if (!pids[slot])
				batch(next, nr);
			next += nr;
			running++;
			continue;
		}
		if (!running)
			break;
		slot = wait_batch(pids);
		running--;
		if (slot < 0)
			well = false;
		else
			pids[slot] = 0;
		progress(start);
	}
	return well;
}

static void report(uint64_t took)
{
	unsigned int i;

	printf("# figure: %llu guest programs in %llu s, %llu of them on two vCPUs; %llu exits\n",
	       (unsigned long long)shared->programs, (unsigned long long)took,
	       (unsigned long long)shared->both, (unsigned long long)shared->exits);
	printf("# figure: %llu runs of the known program between them\n",
	       (unsigned long long)shared->good);
	for (i = 0; i < NR_ENDINGS; i++)
		printf("# figure: %10llu %s\n", (unsigned long long)shared->endings[i],
		       ending_names[i]);
}

static void parse(int argc, char **argv)
{
	static const struct option options[] = {
		{ "seed", required_argument, NULL, 's' },
		{ "first", required_argument, NULL, 'f' },
		{ "programs", required_argument, NULL, 'p' },
		{ "seconds", required_argument, NULL, 't' },
		{ "workers", required_argument, NULL, 'w' },
		{ "tick", required_argument, NULL, 'i' },
		{ "only", required_argument, NULL, 'o' },
		{ "trace", no_argument, NULL, 'v' },
		{}
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		uint64_t value = optarg ? strtoull(optarg, NULL, 0) : 0;

		switch (c) {
		case 's':
			seed = value;
			break;
		case 'o':
			verbose = true;
			nr_programs = 1;
			first = value;
			break;
		case 'v':
			trace = true;
			break;
		case 'f':
			first = value;
			break;
		case 'p':
			nr_programs = value;
			break;
		case 't':
			seconds = value;
			break;
		case 'w':
			workers = value && value < MAX_WORKERS ? value : 1;
			break;
		case 'i':
			tick_us = value < 1000000 ? value : 0;
			break;
		default:
			fprintf(stderr, "see the head of selftests/fuzz/guest.c\n");
			exit(2);
		}
	}
}

static bool is_tcg(void)
{
	unsigned int eax, sig[3];

	__cpuid(0x40000000, eax, sig[0], sig[1], sig[2]);
	return !memcmp(sig, "TCGTCGTCGTCG", sizeof(sig));
}

/* Bochs, where a second is ten million instructions, has a longer tick and fewer programs. */
static void set_defaults(void)
{
	bool bochs = getenv("VITRO_MACHINE") && !on_tcg;

	if (!tick_us)
		tick_us = bochs ? 4000 : 300;
	if (!nr_programs)
		nr_programs = bochs ? 150 : 1500;
}

int main(int argc, char **argv)
{
	uint64_t start = now();

	on_tcg = is_tcg();
	parse(argc, argv);
	set_defaults();
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	if (shared == MAP_FAILED) {
		perror("mmap");
		return 1;
	}
	check("hostile guests do no harm", run_batches());
	report(now() - start);
	return tap_done();
}
