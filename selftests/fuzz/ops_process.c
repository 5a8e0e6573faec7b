// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Calls that are no ioctls: what any process may do to its memory, its file descriptors and
 * itself, while the module has to do with them.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>
#include "ops.h"

/* As root, these take pages of the machine away for good. */
#define HWPOISON	100
#define SOFT_OFFLINE	101

static long result(long ret)
{
	return ret < 0 ? -errno : ret;
}

/* An address within the arena: nothing else of the process may go away.  Not aligned. */
static void *in_arena(uint64_t at)
{
	return (void *)(ARENA + at % ARENA_SIZE);
}

/* A length that stays within it. */
static size_t arena_len(uint64_t at, uint64_t len)
{
	uint64_t room = ARENA_SIZE - at % ARENA_SIZE;

	return len < room ? len : room;
}

/* ----------------------------------------------------------------------------- fds */

long op_map(struct exec *x, const uint64_t *arg)
{
	int flags = arg[3] & 1 ? MAP_PRIVATE : MAP_SHARED;
	size_t len = arg[1] < WINDOW_SIZE ? arg[1] : WINDOW_SIZE;
	void *at = mmap((void *)WINDOW(arg[0] % NR_FDS), len, arg[2] & 7, flags | MAP_FIXED,
			x->fds[arg[0] % NR_FDS], arg[4]);

	return at == MAP_FAILED ? -errno : 0;
}

long op_unmap(struct exec *x, const uint64_t *arg)
{
	size_t len = arg[1] < WINDOW_SIZE ? arg[1] : WINDOW_SIZE;

	(void)x;
	return result(munmap((void *)WINDOW(arg[0] % NR_FDS), len));
}

long op_close(struct exec *x, const uint64_t *arg)
{
	set_fd(x, arg[0], -1);
	return 0;
}

long op_dup(struct exec *x, const uint64_t *arg)
{
	int fd = dup(x->fds[arg[0] % NR_FDS]);

	if (fd < 0)
		return -errno;
	set_fd(x, arg[1], fd);
	return 0;
}

long op_eventfd(struct exec *x, const uint64_t *arg)
{
	set_fd(x, arg[0], eventfd(0, EFD_NONBLOCK));
	return 0;
}

long op_signal(struct exec *x, const uint64_t *arg)
{
	return result(write(x->fds[arg[0] % NR_FDS], &arg[1], 8));
}

long op_take(struct exec *x, const uint64_t *arg)
{
	uint64_t count;

	return result(read(x->fds[arg[0] % NR_FDS], &count, 8));
}

long op_poll(struct exec *x, const uint64_t *arg)
{
	struct pollfd p = { .fd = x->fds[arg[0] % NR_FDS], .events = POLLIN | POLLOUT };

	return result(poll(&p, 1, 0));
}

/* -------------------------------------------------------------------------- memory */

long op_mmap(struct exec *x, const uint64_t *arg)
{
	int flags = arg[3] & 1 ? MAP_SHARED : MAP_PRIVATE, fd = -1;
	void *at;

	(void)x;
	if (arg[3] & 2) {
		fd = memfd_create("fuzz", MFD_CLOEXEC);
		if (fd >= 0 && ftruncate(fd, ARENA_SIZE))
			fd = -1;
	} else {
		flags |= MAP_ANONYMOUS;
	}
	if (arg[3] & 4)
		flags |= MAP_POPULATE;
	at = mmap(in_arena(arg[0]), arena_len(arg[0], arg[1]), arg[2] & 7, flags | MAP_FIXED,
		  fd, 0);
	if (fd >= 0)
		close(fd);
	return at == MAP_FAILED ? -errno : 0;
}

long op_munmap(struct exec *x, const uint64_t *arg)
{
	(void)x;
	return result(munmap(in_arena(arg[0]), arena_len(arg[0], arg[1])));
}

long op_mprotect(struct exec *x, const uint64_t *arg)
{
	(void)x;
	return result(mprotect(in_arena(arg[0]), arena_len(arg[0], arg[1]), arg[2] & 7));
}

long op_madvise(struct exec *x, const uint64_t *arg)
{
	(void)x;
	if ((int)arg[2] == HWPOISON || (int)arg[2] == SOFT_OFFLINE)
		return -EINVAL;
	return result(madvise(in_arena(arg[0]), arena_len(arg[0], arg[1]), arg[2]));
}

long op_mremap(struct exec *x, const uint64_t *arg)
{
	size_t len = arena_len(arg[2], arena_len(arg[0], arg[1]));
	void *at = mremap(in_arena(arg[0]), len, len, MREMAP_MAYMOVE | MREMAP_FIXED,
			  in_arena(arg[2]));

	(void)x;
	return at == MAP_FAILED ? -errno : 0;
}

struct filling {
	uint64_t *at;
	size_t words;
	struct rng rng;
};

static void fill(void *opaque)
{
	struct filling *f = opaque;

	while (f->words--)
		*f->at++ = rng_next(&f->rng) >> rng_below(&f->rng, 64);
}

/* Any numbers into memory, small ones more often. */
long op_fill(struct exec *x, const uint64_t *arg)
{
	struct filling f = {
		.at = in_arena(arg[0] & ~7ULL),
		.words = arena_len(arg[0], arg[1]) / 8,
		.rng.state = arg[2],
	};

	(void)x;
	if (f.words > 1024)
		f.words = 1024;
	return guarded(fill, &f) ? 0 : -EFAULT;
}

static void write_word(void *opaque)
{
	const uint64_t *arg = opaque;

	memcpy(in_arena((arg[0] + (arg[1] & 0xff) * 4) & ~3ULL), &arg[2], 4);
}

/* 4 bytes into memory: of a table for an ioctl, or of the guest's. */
long op_write(struct exec *x, const uint64_t *arg)
{
	(void)x;
	return guarded(write_word, (void *)arg) ? 0 : -EFAULT;
}

/* -------------------------------------------------------------------------- itself */

/* A child that goes on with the next calls, as the parent does. */
long op_fork(struct exec *x, const uint64_t *arg)
{
	pid_t child = fork();

	if (child)
		return child < 0 ? -errno : 0;
	run_alone(x, arg[0] & 7);
	_exit(0);
}

long op_interrupt(struct exec *x, const uint64_t *arg)
{
	(void)x;
	interrupt_thread(arg[0]);
	return 0;
}

long op_pause(struct exec *x, const uint64_t *arg)
{
	(void)x;
	usleep(arg[0] & 0xfff);
	return 0;
}

/* In the thread's next call, if it is one of the module's, one thing fails that can. */
long op_fail(struct exec *x, const uint64_t *arg)
{
	x->fail = arg[0] & 15;
	return 0;
}

long op_die(struct exec *x, const uint64_t *arg)
{
	(void)x;
	(void)arg;
	return result(kill(getpid(), SIGKILL));
}
