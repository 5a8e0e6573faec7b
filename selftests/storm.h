/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Storms: guests at work while the host changes everything around them.
 *
 * A case is a loop
 *
 *	while (storm_goes_on(20))
 *		...
 *
 * of so many cycles in make check.  A program's options make it longer and repeat it:
 *
 *	--cycles N    so many instead, in each case
 *	--seconds N   so long instead, all cases together
 *	--seed S      other random numbers (1)
 *	--case NAME   this case alone
 *
 * Nothing here is judged by time.  Who waits for something waits for a minute; then the
 * case has failed.
 */
#ifndef STORM_H
#define STORM_H

#include <getopt.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "vt.h"

#define WORKERS_MAX	2
#define AREA_GPA	0x1000000	/* 2 MiB pages fit */
#define AREA_PAGES	512		/* of one worker, at most: such a page */

/**
 * struct storm_options - what the command line says
 * @cycles: 0: as the case says
 * @seconds: of one case; 0: count cycles
 * @seed: of storm_random()
 * @name: the only case, or NULL
 */
struct storm_options {
	unsigned int cycles;
	unsigned int seconds;
	uint32_t seed;
	const char *name;
};

extern struct storm_options storm_options;

/**
 * struct worker - a vCPU at work on its pages (guest/storm_work.S), and its thread
 * @cpu: the vCPU
 * @thread: runs it, while @running
 * @running: it has a thread
 * @stop: tells the thread to end
 * @round: the last round that the guest has finished, in its memory
 * @mem: hva of its first page
 * @pages: how many it has
 * @alike: all have the same content
 * @lossy: the host may make pages zero
 * @between: what the thread does after each exit, or NULL
 * @exits: how often VITRO_RUN has returned
 */
struct worker {
	struct vt_cpu *cpu;
	pthread_t thread;
	bool running;
	volatile bool stop;
	volatile uint64_t *round;
	char *mem;
	unsigned int pages;
	bool alike;
	bool lossy;
	void (*between)(struct worker *w);
	unsigned long exits;
};

/**
 * struct crew - a VM whose vCPUs are all at work
 * @vm: the VM
 * @nr: how many work: one for each CPU, up to WORKERS_MAX
 * @worker: they
 * @area: hva of AREA_GPA; the workers' pages, one worker's behind the other's
 * @size: of it, in bytes
 * @room: the mapping that has it somewhere
 * @room_size: of that
 */
struct crew {
	struct vt_vm *vm;
	int nr;
	struct worker worker[WORKERS_MAX];
	char *area;
	size_t size;
	char *room;
	size_t room_size;
};

/* Options: true if the program may go on. */
bool storm_parse(int argc, char **argv);
uint32_t storm_random(void);
/* One more cycle?  usual: how many in make check. */
bool storm_goes_on(unsigned int usual);
unsigned int storm_cycles(void);		/* how many there have been */
void storm_report(const char *what);		/* prints it, as so many of what */
/* Waits until done(arg); ends the test, saying what, if that takes a minute. */
void storm_await(bool (*done)(void *arg), void *arg, const char *what);
bool storm_write(const char *path, const char *text);	/* to a file of sysfs; false: refused */
long storm_read(const char *path);			/* a number; -1: no such file */

void crew_form(struct crew *c, unsigned int pages, bool lossy, bool alike);
void crew_start(struct crew *c);
void crew_stop(struct crew *c);
void crew_unmap(struct crew *c);	/* takes their memory away, even while they run */
void crew_forget(struct crew *c);	/* the rest: descriptors are closed, threads ended */
/* Waits until each worker has finished so many more rounds, begun after the call. */
void crew_await(struct crew *c, unsigned int rounds);
/* Ends the test if the host does not see what the guests have written. */
void crew_compare(struct crew *c);

#ifdef __KSELFTEST_HARNESS_H

/*
 * What main() of a storm does.  The harness knows neither options nor long cases; both are
 * a matter of its list of tests.
 */
static int storm_main(int argc, char **argv)
{
	struct __test_metadata *t;
	unsigned int nr = 0;

	if (!storm_parse(argc, argv))
		return KSFT_FAIL;
	for (t = _fixture_global.tests; t; t = t->next, nr++) {
		if (!storm_options.name || strcmp(t->name, storm_options.name))
			continue;
		_fixture_global.tests = t;
		t->next = NULL;
		storm_options.name = NULL;
		nr = 0;
	}
	if (storm_options.name) {
		fprintf(stderr, "no case is called %s\n", storm_options.name);
		return KSFT_FAIL;
	}
	if (storm_options.seconds)
		storm_options.seconds = storm_options.seconds / nr ?: 1;
	for (t = _fixture_global.tests; t; t = t->next)
		t->timeout = 240 + 8 * storm_options.seconds + 4 * storm_options.cycles;
	return test_harness_run(argc, argv);
}

#endif

#endif /* STORM_H */
