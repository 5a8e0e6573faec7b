// SPDX-License-Identifier: GPL-2.0-or-later
/* What the storms share: options, random numbers, and a crew of vCPUs at work. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "storm.h"

#define A_MINUTE	60000000000ULL	/* ns; emulators have been seen to stand still for some */

GUEST(g_work);

struct storm_options storm_options = { .seed = 1 };

static unsigned int cycles;
static uint64_t begin;
static uint32_t random_state;

bool storm_parse(int argc, char **argv)
{
	static const struct option options[] = {
		{ "cycles", required_argument, NULL, 'c' },
		{ "seconds", required_argument, NULL, 't' },
		{ "seed", required_argument, NULL, 's' },
		{ "case", required_argument, NULL, 'n' },
		{}
	};
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (opt) {
		case 'c':
			storm_options.cycles = strtoul(optarg, NULL, 0);
			break;
		case 't':
			storm_options.seconds = strtoul(optarg, NULL, 0);
			break;
		case 's':
			storm_options.seed = strtoul(optarg, NULL, 0);
			break;
		case 'n':
			storm_options.name = optarg;
			break;
		default:
			return false;
		}
	}
	return true;
}

/* Marsaglia's xorshift: any program can do it again from the seed. */
uint32_t storm_random(void)
{
	if (!random_state)
		random_state = storm_options.seed * 2654435761U ?: 1;
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state;
}

bool storm_goes_on(unsigned int usual)
{
	if (!begin)
		begin = vt_now_ns();
	if (storm_options.seconds) {
		if (vt_now_ns() - begin > storm_options.seconds * 1000000000ULL)
			return false;
	} else if (cycles >= (storm_options.cycles ?: usual)) {
		return false;
	}
	cycles++;
	return true;
}

unsigned int storm_cycles(void)
{
	return cycles;
}

void storm_report(const char *what)
{
	fprintf(stderr, "# figure: %u %s in %.1f s\n", cycles, what, (vt_now_ns() - begin) / 1e9);
}

void storm_await(bool (*done)(void *arg), void *arg, const char *what)
{
	uint64_t end = vt_now_ns() + A_MINUTE;

	while (!done(arg)) {
		if (vt_now_ns() > end)
			vt_die("cycle %u: waited a minute for %s", cycles, what);
		vt_sleep_ms(1);
	}
}

bool storm_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return ok;
}

long storm_read(const char *path)
{
	char text[32] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	return len <= 0 ? -1 : strtol(text, NULL, 10);
}

/* ------------------------------------------------------------------- the crew */

static void nothing(int sig)
{
	(void)sig;
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct vitro_exit *e = &w->cpu->comm->exit;
	int ret;

	while (!w->stop) {
		ret = vt_ioctl(w->cpu->fd, VITRO_RUN, NULL);
		if (ret && ret != -EINTR)
			vt_die("VITRO_RUN: %s", strerror(-ret));
		w->exits++;
		if (ret || e->reason == VITRO_EXIT_INTR) {
			;
		} else if (e->reason == VITRO_EXIT_MEMFAULT || e->reason == VITRO_EXIT_MMIO) {
			/* The page, or its slot, is away just now: the same access again. */
			sched_yield();
		} else {
			vt_dump(w->cpu);
			vt_die("cycle %u: the guest found something wrong in round %llu, at %#llx",
			       cycles, w->cpu->gpr[VITRO_R8], w->cpu->gpr[VITRO_RDX]);
		}
		if (w->between)
			w->between(w);
	}
	return NULL;
}

void crew_form(struct crew *c, unsigned int pages, bool lossy, bool alike)
{
	struct sigaction act = { .sa_handler = nothing };
	cpu_set_t cpus;
	int i;

	sigaction(SIGUSR1, &act, NULL);
	sched_getaffinity(0, sizeof(cpus), &cpus);
	c->nr = CPU_COUNT(&cpus) < WORKERS_MAX ? CPU_COUNT(&cpus) : WORKERS_MAX;
	c->vm = vt_vm();
	c->size = (size_t)c->nr * pages * 4096;
	/* Where large pages could be, as far as the size goes. */
	c->room_size = c->size + 2 * AREA_PAGES * 4096;
	c->room = vt_pages(c->room_size);
	c->area = (char *)(((uintptr_t)c->room + AREA_PAGES * 4096 - 1) & -(AREA_PAGES * 4096UL));
	/* There before the guests are: not one fault after the other. */
	memset(c->area, 0, c->size);
	if (vt_slot(c->vm, 1, AREA_GPA, c->size, c->area, 0))
		vt_die("no slot for the area");

	for (i = 0; i < c->nr; i++) {
		struct worker *w = &c->worker[i];

		*w = (struct worker){
			.cpu = vt_cpu(c->vm, i), .pages = pages, .lossy = lossy, .alike = alike,
			.mem = c->area + (size_t)i * pages * 4096,
			.round = (void *)(c->vm->mem + FREE_MEM + 64 * i),
		};
		vt_set_mode(w->cpu, VT_LONG, g_work);
		w->cpu->comm->state.events.mp_state = VITRO_MP_RUNNABLE;
		w->cpu->gpr[VITRO_RBX] = AREA_GPA + (uint64_t)i * pages * 4096;
		w->cpu->gpr[VITRO_RCX] = pages;
		w->cpu->gpr[VITRO_RDI] = FREE_MEM + 64 * i;
		w->cpu->gpr[VITRO_R10] = lossy;
		w->cpu->gpr[VITRO_R11] = !alike;
		w->cpu->comm->dirty |= VITRO_STATE_EVENTS;
	}
}

void crew_start(struct crew *c)
{
	int i;

	for (i = 0; i < c->nr; i++) {
		struct worker *w = &c->worker[i];

		w->stop = false;
		w->cpu->comm->immediate_exit = 0;
		if (pthread_create(&w->thread, NULL, work, w))
			vt_die("no thread for a vCPU");
		w->running = true;
	}
}

void crew_stop(struct crew *c)
{
	int i;

	for (i = 0; i < c->nr; i++) {
		struct worker *w = &c->worker[i];

		if (!w->running)
			continue;
		/* In this order: the signal may come before VITRO_RUN, which then looks at it. */
		w->stop = true;
		w->cpu->comm->immediate_exit = 1;
		pthread_kill(w->thread, SIGUSR1);
		pthread_join(w->thread, NULL);
		w->running = false;
	}
}

void crew_unmap(struct crew *c)
{
	munmap(c->room, c->room_size);
	munmap(c->vm->mem, MEM_SIZE);
}

void crew_forget(struct crew *c)
{
	int i;

	for (i = 0; i < c->nr; i++) {
		munmap(c->worker[i].cpu->comm, c->vm->info.comm_size);
		free(c->worker[i].cpu);
	}
	free(c->vm);
}

/* A worker, and the round that it is to finish. */
struct goal {
	struct worker *w;
	uint64_t round;
};

static bool reached(void *arg)
{
	struct goal *g = arg;

	return *g->w->round >= g->round;
}

void crew_await(struct crew *c, unsigned int rounds)
{
	struct goal goal[WORKERS_MAX];
	int i;

	/* One more: that which is under way has begun before. */
	for (i = 0; i < c->nr; i++)
		goal[i] = (struct goal){ &c->worker[i], *c->worker[i].round + rounds + 1 };
	for (i = 0; i < c->nr; i++)
		storm_await(reached, &goal[i], "the guest to go on");
}

/* A page's word, between the rounds @before and @after, which may be under way. */
static bool plausible(const struct worker *w, unsigned int page, uint64_t word, uint64_t before,
		      uint64_t after)
{
	uint64_t factor = w->alike ? 1 : 1 + page;

	return word % factor == 0 && word / factor >= before && word / factor <= after + 1;
}

void crew_compare(struct crew *c)
{
	unsigned int page;
	int i;

	for (i = 0; i < c->nr; i++) {
		struct worker *w = &c->worker[i];

		for (page = 0; page < w->pages; page++) {
			volatile uint64_t *p = (void *)(w->mem + (size_t)page * 4096);
			uint64_t before = *w->round, first = p[0], last = p[511];

			if (!plausible(w, page, first, before, *w->round) ||
			    !plausible(w, page, last, before, *w->round))
				vt_die("cycle %u: page %u of worker %d: %#llx, %#llx in round %llu",
				       cycles, page, i, (unsigned long long)first,
				       (unsigned long long)last, (unsigned long long)before);
		}
	}
}
