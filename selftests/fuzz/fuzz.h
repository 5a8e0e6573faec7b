/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ABI fuzzer: programs of calls, tables of what there is to call, and what runs and
 * judges them.  Documentation/fuzzing.md has the whole story.
 *
 *	abi.c		the table: every ioctl with its fields, and what else can be done
 *	generate.c	new programs, and changed ones
 *	text.c		programs as text, and back
 *	execute.c	runs a program, in a process made for it
 *	ops.c		the calls that are no ioctls
 *	netlink.c	the calls that go by netlink
 *	judge.c		forks that process, waits for its end, reads the kernel log
 *	kcov.c		which code of the module has run
 *	minimize.c	shrinks a program that fails
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "../vt.h"
#include "kselftest.h"

#define MAX_CALLS	96
#define MAX_ARGS	12
#define NR_FDS		16	/* a program's file descriptors go by numbers in a table */
#define NR_THREADS	4

/*
 * Fixed addresses, so that a program means the same each time: memory of the guest, with
 * the guest image in it, and one window for each fd that can be mapped.
 */
#define ARENA		0x100000000000ULL
#define ARENA_SIZE	0x1000000ULL
#define DATA		(ARENA + 0x400000)	/* for what ioctls point at */
#define WINDOWS		0x200000000000ULL
#define WINDOW_SIZE	0x1000000ULL
#define WINDOW(n)	(WINDOWS + (n) * WINDOW_SIZE)

/* What a program finds in the table of fds. */
enum { FD_DEV, FD_EVENT, FD_EVENT2, FD_NULL, FD_FIRST_FREE };

/* Kinds of fds, as far as the generator knows. */
enum kind { K_NONE, K_DEV, K_VM, K_VCPU, K_EVENT, K_RING, K_OTHER };

/* What a field means, so that likely values can be chosen: see pools in generate.c. */
enum field_type {
	F_END, F_FD, F_TO, F_FORM, F_EVENTFD, F_SLOT, F_1_FLAG, F_2_FLAGS, F_3_FLAGS, F_GPA,
	F_SIZE, F_HVA, F_POINTER, F_ID, F_PAD, F_MASK, F_MSI_ADDR, F_MSI_DATA, F_IO_ADDR,
	F_IO_LEN, F_NR, F_PAGES, F_LAPIC, F_REG, F_OFFSET, F_OFFSET_LEN, F_PROT, F_MAP,
	F_ADVICE, F_MODE, F_ENTRY, F_COUNT, F_SEED, F_THREAD, F_COMMAND, F_NAME, F_NR_TYPES
};

/*
 * Ways to pass an ioctl's struct (F_FORM); the common errors at the top of linux/vitro.h
 * are about them.
 */
enum form {
	FORM_EXACT, FORM_LONGER, FORM_LONGER_NONZERO, FORM_SHORTER, FORM_NULL, FORM_KERNEL,
	FORM_STRADDLE, FORM_READONLY, FORM_DIRECTION, FORM_OTHER_TYPE, NR_FORMS
};

struct exec;

/**
 * struct field - an argument of a call
 * @name: in text
 * @type: enum field_type
 * @size: bytes in the ioctl's struct; 0 if it is not in there
 * @offset: in the ioctl's struct
 */
struct field {
	const char *name;
	uint8_t type;
	uint8_t size;
	uint16_t offset;
};

/**
 * struct call_type - something that can be called
 * @name: in text
 * @cmd: the ioctl; 0 if it is none
 * @op: what to do instead; returns 0 or more, or -errno
 * @on: enum kind of the fd it is for
 * @makes: enum kind of the fd it returns
 * @weight: how often, compared with others
 * @field: arguments, ended by F_END
 */
struct call_type {
	const char *name;
	unsigned long cmd;
	long (*op)(struct exec *x, const uint64_t *arg);
	uint8_t on;
	uint8_t makes;
	uint8_t weight;
	struct field field[MAX_ARGS + 1];
};

extern const struct call_type call_types[];
extern const unsigned int nr_call_types;

/* Made by the Makefile: all ioctls that linux/vitro*.h define, and all of fuzz/regressions. */
extern const unsigned long abi_ioctls[];
extern const unsigned int nr_abi_ioctls;
extern const char regressions[], regressions_end[];

/**
 * struct call - a call of a program
 * @type: index in call_types
 * @thread: of the parallel part: who makes it
 * @arg: as the type's fields
 */
struct call {
	uint8_t type;
	uint8_t thread;
	uint64_t arg[MAX_ARGS];
};

/**
 * struct program - a sequence of calls
 * @user: run it as an ordinary user
 * @nr: calls
 * @serial: so many come one after the other; then all threads start
 * @call: the calls
 */
struct program {
	bool user;
	unsigned int nr;
	unsigned int serial;
	struct call call[MAX_CALLS];
};

/* ------------------------------------------------------------ random numbers */

/* splitmix64, by Sebastiano Vigna: one word of state, so that a seed is all there is. */
struct rng {
	uint64_t state;
};

static inline uint64_t rng_next(struct rng *r)
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

static inline unsigned int rng_below(struct rng *r, unsigned int limit)
{
	return rng_next(r) % limit;
}

static inline bool rng_percent(struct rng *r, unsigned int percent)
{
	return rng_below(r, 100) < percent;
}

/* ------------------------------------------------------------------ programs */

void generate(struct rng *r, struct program *p);
void mutate(struct rng *r, struct program *p, const struct program *other);

void print_program(FILE *f, const struct program *p, const int32_t *results);
int parse_program(FILE *f, struct program *p);	/* 1: here it is; 0: no more; -1: bad */
bool same_program(const struct program *a, const struct program *b);

void minimize(struct program *p, bool (*fails)(const struct program *p, void *opaque),
	      void *opaque);

/* ------------------------------------------------------------------- running */

#define UNCALLED	INT32_MIN	/* a call that was not reached */

/**
 * struct shared - what the process that runs a program tells the one that judges
 * @results: what each call returned, or UNCALLED
 * @calls: made since the start, by all programs
 * @fresh: pieces of code that ran for the first time
 * @seen: by address in the module's text: has it ever run?
 */
struct shared {
	int32_t results[MAX_CALLS];
	unsigned long calls;
	unsigned int fresh;
	uint8_t seen[];
};

/**
 * struct exec - a thread that runs calls
 * @shared: with the judge
 * @program: what it runs
 * @fds: the table of fds, of all threads
 * @thread: number of this one
 * @next: index of the next call, for OPs that look ahead
 * @fail: which of all that can fail in the next call is to fail; 0: nothing
 * @stop: time is up: for loops to look at
 */
struct exec {
	struct shared *shared;
	const struct program *program;
	int *fds;
	unsigned int thread;
	unsigned int next;
	unsigned int fail;
	volatile bool *stop;
};

_Noreturn void execute(const struct program *p, struct shared *shared, int dev);
void execute_call(struct exec *x, unsigned int i);
bool guarded(void (*access)(void *), void *arg);	/* false: it was not to be had */
void run_alone(struct exec *x, unsigned int nr);
void interrupt_thread(unsigned int thread);
void set_fd(struct exec *x, uint64_t to, int fd);

/* ------------------------------------------------------------------- judging */

/*
 * REPORTED: by the kernel, in its log.  STUCK: somebody does not come back from it.
 * LEFT: the module still has something of a program that is gone.
 */
enum verdict { FINE, REPORTED, STUCK, LEFT };

/**
 * struct judge - runs programs and looks what they have done to the kernel
 * @dev: /dev/vitro
 * @kmsg: /dev/kmsg
 * @shared: with the programs
 * @users: of the module, besides this one
 * @areas: pieces of vmalloc memory that the module has without any program
 */
struct judge {
	int dev;
	int kmsg;
	struct shared *shared;
	int users;
	unsigned int areas;
};

void judge_init(struct judge *j);
enum verdict judge(struct judge *j, const struct program *p);
bool all_gone(struct judge *j, unsigned int seconds);
bool reported(struct judge *j);

/* ------------------------------------------------------------------ coverage */

#define MAX_TEXT	(1U << 20)	/* of the module, in bytes */

bool kcov_init(void);			/* false: this kernel has none */
void kcov_start(unsigned int thread);	/* in the thread */
void kcov_collect(unsigned int thread, struct shared *shared);	/* ... after each call */
void kcov_forget(void);			/* in a forked child, which is not watched */
unsigned int kcov_seen(const struct shared *shared);
int kcov_save(const struct shared *shared, const char *path);

#endif /* FUZZ_H */
