// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A guest's own small stress test: what makes virtual CPUs interrupt each other, wait for each
 * other and share memory, with each result checked.
 *
 *	stress ROUNDS
 *
 * starts one thread of each kind for each CPU, all at once, and prints what was wrong, if anything
 * was, and last "stress: passed" or "stress: failed".  ROUNDS are counted, not timed: on a slow
 * machine it takes longer.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_CPUS	64
#define PAGES		16
#define PAGE		4096
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

static unsigned int nr_cpus, rounds;
static atomic_bool failed;

__attribute__((format(printf, 1, 2)))
static void fail(const char *format, ...)
{
	va_list args;

	failed = true;
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
}

/* To another CPU each time, so that state has to come along. */
static void move_on(unsigned int n)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(n % nr_cpus, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/* Sums that are exact in binary, in registers of the FPU that travel from CPU to CPU. */
static void *cpu(void *arg)
{
	unsigned int me = (uintptr_t)arg, i, k;

	for (i = 0; i < rounds; i++) {
		volatile double sum = 0;

		for (k = 1; k <= 2000; k++) {
			sum += k * 0.25;
			if (k == 1000)
				move_on(me + i);
		}
		if (sum != 2000 * 2001 / 2 * 0.25)
			fail("cpu: the sum is %f\n", sum);
	}
	return NULL;
}

/* Memory comes and goes: each munmap() and mprotect() is a shootdown on the other CPUs. */
static void *memory(void *arg)
{
	unsigned int me = (uintptr_t)arg, i, k;

	for (i = 0; i < rounds; i++) {
		unsigned char *p = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
					MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED) {
			fail("memory: no more of it\n");
			break;
		}
		for (k = 0; k < PAGES; k++) {
			if (p[k * PAGE])
				fail("memory: a new page is not empty\n");
			memset(p + k * PAGE, me + i + k, PAGE);
		}
		mprotect(p, PAGES * PAGE, PROT_READ);
		move_on(me + i);
		for (k = 0; k < PAGES * PAGE; k += 64) {
			if (p[k] != (unsigned char)(me + i + k / PAGE))
				fail("memory: %#x at %u is wrong\n", p[k], k);
		}
		munmap(p, PAGES * PAGE);
	}
	return NULL;
}

/* Children that inherit a word, and give it back. */
static void *processes(void *arg)
{
	unsigned int me = (uintptr_t)arg, i;

	for (i = 0; i < rounds / 4; i++) {
		unsigned char word = me + i;
		pid_t child = fork();
		int status;

		if (child == 0)
			_exit(word);
		if (child < 0 || waitpid(child, &status, 0) != child ||
		    !WIFEXITED(status) || WEXITSTATUS(status) != word)
			fail("processes: a child was lost\n");
	}
	return NULL;
}

/* A sleep is never too short, and time goes forward on each CPU. */
static void *timers(void *arg)
{
	const struct timespec nap = { .tv_nsec = 200000 };
	unsigned int me = (uintptr_t)arg, i;

	for (i = 0; i < rounds / 4; i++) {
		struct timespec before, after;
		long long slept;

		clock_gettime(CLOCK_MONOTONIC, &before);
		nanosleep(&nap, NULL);
		move_on(me + i);
		clock_gettime(CLOCK_MONOTONIC, &after);
		slept = (after.tv_sec - before.tv_sec) * 1000000000LL + after.tv_nsec -
			before.tv_nsec;
		if (slept < nap.tv_nsec)
			fail("timers: slept %lld ns instead of %ld\n", slept, nap.tv_nsec);
	}
	return NULL;
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t next = PTHREAD_COND_INITIALIZER;
static unsigned int turn;

/* Futexes: each thread sleeps until it is its turn, and wakes the others. */
static void *turns(void *arg)
{
	unsigned int me = (uintptr_t)arg, i;

	for (i = 0; i < rounds; i++) {
		pthread_mutex_lock(&mutex);
		while (turn % nr_cpus != me)
			pthread_cond_wait(&next, &mutex);
		turn++;
		pthread_cond_broadcast(&next);
		pthread_mutex_unlock(&mutex);
	}
	return NULL;
}

static pthread_spinlock_t spinlock;
static unsigned int counter;

/* A lock that nobody sleeps for: whoever holds it may have lost its CPU. */
static void *spinners(void *arg)
{
	unsigned int i;

	(void)arg;
	for (i = 0; i < rounds; i++) {
		pthread_spin_lock(&spinlock);
		counter++;
		pthread_spin_unlock(&spinlock);
	}
	return NULL;
}

static void *(* const kinds[])(void *) = {
	cpu, memory, processes, timers, turns, spinners,
};

int main(int argc, char **argv)
{
	static pthread_t thread[MAX_CPUS * ARRAY_SIZE(kinds)];
	unsigned int i, each;

	nr_cpus = sysconf(_SC_NPROCESSORS_ONLN);
	rounds = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;
	if (!rounds || nr_cpus > MAX_CPUS) {
		fputs("usage: stress ROUNDS\n", stderr);
		return 2;
	}
	each = nr_cpus * rounds;
	pthread_spin_init(&spinlock, PTHREAD_PROCESS_PRIVATE);
	for (i = 0; i < nr_cpus * ARRAY_SIZE(kinds); i++) {
		uintptr_t me = i / ARRAY_SIZE(kinds);

		if (pthread_create(&thread[i], NULL, kinds[i % ARRAY_SIZE(kinds)], (void *)me)) {
			printf("stress: thread %u cannot be started\n", i);
			return 1;
		}
	}
	while (i)
		pthread_join(thread[--i], NULL);
	if (turn != each || counter != each)
		fail("%u turns and %u of the lock, instead of %u\n", turn, counter, each);
	printf("stress: %s on %u CPUs\n", failed ? "failed" : "passed", nr_cpus);
	return failed;
}
