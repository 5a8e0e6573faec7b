// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * guest-io read|write FILE MIB: reads or writes that much from the start of FILE on, 1
 * MiB at a time, and prints how many ticks of the TSC a MiB took.  A block device is
 * accessed without the page cache (O_DIRECT), so that what is measured is the device.
 * What is written is stable at the end.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <x86intrin.h>

#define MIB	(1 << 20)

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

/* Returns 0, or -1 after an error or the end of the file. */
static int transfer(int fd, void *buf, long mib, int writing)
{
	long i;

	for (i = 0; i < mib; i++)
		if ((writing ? write(fd, buf, MIB) : read(fd, buf, MIB)) != MIB)
			return -1;
	return writing ? fsync(fd) : 0;
}

int main(int argc, char **argv)
{
	long mib = argc == 4 ? atol(argv[3]) : 0;
	int writing, fd;
	unsigned long long start;
	void *buf;

	if (mib <= 0 || (strcmp(argv[1], "read") && strcmp(argv[1], "write"))) {
		fprintf(stderr, "usage: guest-io read|write FILE MIB\n");
		return 2;
	}
	writing = !strcmp(argv[1], "write");
	fd = open_file(argv[2], writing);
	if (fd < 0)
		return fail(argv[2]);
	if (posix_memalign(&buf, MIB, MIB))
		return fail("memory");
	memset(buf, 0x5a, MIB);		/* there before the clock starts */
	start = __rdtsc();
	if (transfer(fd, buf, mib, writing))
		return fail(argv[2]);
	printf("ticks per MiB: %llu\n", (__rdtsc() - start) / mib);
	return 0;
}
