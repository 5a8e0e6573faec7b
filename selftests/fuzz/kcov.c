// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which code of the module has run: KCOV (Documentation/dev-tools/kcov.rst of the kernel).
 *
 * A kernel with KCOV has a call at the beginning of each piece of code between two jumps,
 * which notes where it is, for the thread that asked for it.  Each thread of a program has
 * an area for that, opened by the judge, as only root may.
 */
#include <fcntl.h>
#include <linux/kcov.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include "fuzz.h"

#define AREA_WORDS	(64UL << 10)

static struct {
	int fd;
	uint64_t *area;	/* the number of addresses, then they */
} watch[NR_THREADS];

static uint64_t text, text_size;
static bool watching;

static uint64_t read_number(const char *path)
{
	FILE *f = fopen(path, "r");
	uint64_t number = 0;
	char line[64];

	if (f && fgets(line, sizeof(line), f))
		number = strtoull(line, NULL, 0);
	if (f)
		fclose(f);
	return number;
}

/**
 * kcov_init() - prepare to watch
 *
 * Return: false if this kernel cannot tell.
 */
bool kcov_init(void)
{
	unsigned int i;

	text = read_number("/sys/module/vitro/sections/.text");
	text_size = read_number("/sys/module/vitro/coresize");
	if (!text || !text_size)
		return false;
	if (text_size > MAX_TEXT)
		text_size = MAX_TEXT;
	for (i = 0; i < NR_THREADS; i++) {
		int fd = open("/sys/kernel/debug/kcov", O_RDWR);

		if (fd < 0 || ioctl(fd, KCOV_INIT_TRACE, AREA_WORDS))
			return false;
		watch[i].fd = fd;
		watch[i].area = mmap(NULL, AREA_WORDS * sizeof(uint64_t), PROT_READ | PROT_WRITE,
				     MAP_SHARED, fd, 0);
		if (watch[i].area == MAP_FAILED)
			return false;
	}
	watching = true;
	return true;
}

/**
 * kcov_start() - watch this thread, until it ends
 * @thread: its number
 */
void kcov_start(unsigned int thread)
{
	if (!watching)
		return;
	watch[thread].area[0] = 0;
	if (ioctl(watch[thread].fd, KCOV_ENABLE, KCOV_TRACE_PC))
		vt_die("KCOV_ENABLE failed");
}

/**
 * kcov_collect() - note what this thread has run since the last time
 * @thread: its number
 * @shared: where it is noted
 */
void kcov_collect(unsigned int thread, struct shared *shared)
{
	volatile uint64_t *area = watch[thread].area;
	uint64_t i, nr;

	if (!watching)
		return;
	nr = area[0];
	for (i = 1; i <= nr; i++) {
		uint64_t at = area[i] - text;

		if (at < text_size && !shared->seen[at]) {
			shared->seen[at] = 1;
			__atomic_add_fetch(&shared->fresh, 1, __ATOMIC_RELAXED);
		}
	}
	area[0] = 0;
}

/**
 * kcov_forget() - of this process, nothing is watched
 */
void kcov_forget(void)
{
	watching = false;
}

/**
 * kcov_seen() - how much code of the module has ever run
 * @shared: what has been noted
 */
unsigned int kcov_seen(const struct shared *shared)
{
	unsigned int i, nr = 0;

	for (i = 0; i < MAX_TEXT; i++)
		nr += shared->seen[i];
	return nr;
}

/**
 * kcov_save() - write the addresses of what has run, from the start of .text
 * @shared: what has been noted
 * @path: name of the file
 *
 * Return: 0 or -1.
 */
int kcov_save(const struct shared *shared, const char *path)
{
	FILE *f = fopen(path, "w");
	unsigned int i;

	if (!f)
		return -1;
	for (i = 0; i < MAX_TEXT; i++)
		if (shared->seen[i])
			fprintf(f, "%#x\n", i);
	return fclose(f);
}
