// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * guest-io read|write FILE MIB [DEPTH [registered]]: reads or writes that much from the
 * start of FILE on, and prints how many ticks of the TSC a MiB took.  What is written is
 * stable at the end.
 *
 * Without DEPTH by read() and write(), 1 MiB at a time.  With it, DEPTH requests of 1 MiB
 * are given to the kernel at once, and when all are done, the next DEPTH (io_uring):
 * that is how programs get a disk's throughput.  "registered": the kernel has been told
 * of the buffers before, and need not look up their pages for each request.
 *
 * A block device is accessed without the page cache (O_DIRECT), so that what is measured
 * is the device.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <x86intrin.h>

#define MIB		(1 << 20)
#define HUGE		((size_t)2 * MIB)
#define MAX_DEPTH	64

static int fail(const char *what)
{
	perror(what);
	return 1;
}

static int open_file(const char *name, int writing)
{
	int flags = writing ? O_WRONLY : O_RDONLY;
	struct stat st;

	if (stat(name, &st) == 0 && S_ISBLK(st.st_mode))
		flags |= O_DIRECT;
	return open(name, flags);
}

/* This and those for queues return 0, or -1 after an error or the end of the file. */
static int one_by_one(int fd, char *buf, long mib, int writing)
{
	long i;

	for (i = 0; i < mib; i++)
		if ((writing ? write(fd, buf, MIB) : read(fd, buf, MIB)) != MIB)
			return -1;
	return 0;
}

/**
 * struct queue - requests under way
 * @ring: the kernel's side
 * @fd: the file
 * @buf: a MiB for each
 * @depth: how many
 * @writing: or else reading
 * @registered: the kernel knows @buf
 */
struct queue {
	struct io_uring ring;
	int fd;
	char *buf;
	int depth;
	int writing;
	int registered;
};

static void prepare(struct queue *q, int n, off_t offset)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&q->ring);
	char *part = q->buf + (size_t)n * MIB;

	if (q->registered && q->writing)
		io_uring_prep_write_fixed(sqe, q->fd, part, MIB, offset, 0);
	else if (q->registered)
		io_uring_prep_read_fixed(sqe, q->fd, part, MIB, offset, 0);
	else if (q->writing)
		io_uring_prep_write(sqe, q->fd, part, MIB, offset);
	else
		io_uring_prep_read(sqe, q->fd, part, MIB, offset);
}

/* A round: as many requests as are allowed, from @offset on. */
static int round_from(struct queue *q, off_t offset)
{
	struct io_uring_cqe *cqe;
	int n;

	for (n = 0; n < q->depth; n++)
		prepare(q, n, offset + (off_t)n * MIB);
	if (io_uring_submit_and_wait(&q->ring, q->depth) != q->depth)
		return -1;
	for (n = 0; n < q->depth; n++) {
		if (io_uring_peek_cqe(&q->ring, &cqe))
			return -1;
		if (cqe->res != MIB) {
			errno = cqe->res < 0 ? -cqe->res : EIO;
			return -1;
		}
		io_uring_cqe_seen(&q->ring, cqe);
	}
	return 0;
}

static int queued(struct queue *q, long mib)
{
	long i;

	for (i = 0; i < mib; i += q->depth)
		if (round_from(q, (off_t)i * MIB))
			return -1;
	return 0;
}

static int open_queue(struct queue *q)
{
	const struct iovec whole = { q->buf, (size_t)q->depth * MIB };
	int err = io_uring_queue_init(q->depth, &q->ring, 0);

	if (!err && q->registered)
		err = io_uring_register_buffers(&q->ring, &whole, 1);
	errno = -err;
	return err;
}

/* Huge pages, if the kernel has them for us; there before the clock starts. */
static char *make_buffer(size_t size)
{
	void *buf;

	size = (size + HUGE - 1) & -HUGE;
	if (posix_memalign(&buf, HUGE, size))
		return NULL;
	madvise(buf, size, MADV_HUGEPAGE);
	return memset(buf, 0x5a, size);
}

int main(int argc, char **argv)
{
	struct queue q = { .registered = argc == 6 && !strcmp(argv[5], "registered") };
	long mib = argc >= 4 ? atol(argv[3]) : 0;
	unsigned long long start;
	int ret;

	if (argc >= 5)
		q.depth = atoi(argv[4]);
	if (argc > 6 || (argc == 6 && !q.registered) || mib <= 0 ||
	    (strcmp(argv[1], "read") && strcmp(argv[1], "write")) ||
	    q.depth < 0 || q.depth > MAX_DEPTH || (q.depth && mib % q.depth)) {
		fprintf(stderr, "usage: guest-io read|write FILE MIB [DEPTH [registered]]\n");
		return 2;
	}
	q.writing = !strcmp(argv[1], "write");
	q.fd = open_file(argv[2], q.writing);
	if (q.fd < 0)
		return fail(argv[2]);
	q.buf = make_buffer((size_t)(q.depth ? q.depth : 1) * MIB);
	if (!q.buf)
		return fail("memory");
	if (q.depth && open_queue(&q))
		return fail("io_uring");
	start = __rdtsc();
	ret = q.depth ? queued(&q, mib) : one_by_one(q.fd, q.buf, mib, q.writing);
	if (ret || (q.writing && fsync(q.fd)))
		return fail(argv[2]);
	printf("ticks per MiB: %llu\n", (__rdtsc() - start) / mib);
	return 0;
}
