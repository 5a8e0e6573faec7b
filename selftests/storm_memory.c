// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Storms over the memory of running guests: whatever the host's memory management does to
 * the pages behind a slot, the guest finds what it has written, and the host sees what the
 * guest has written.
 *
 * The guests are those of guest/storm_work.S.  Each cycle does one thing to their area,
 * waits until they have gone through all of it, and compares.
 */
#define _GNU_SOURCE
#include "kselftest_harness.h"
#include <fcntl.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/swap.h>
#include <sys/sysinfo.h>
#include "storm.h"

/* Newer than the C library's headers. */
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif
#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT	21
#endif
#ifndef MADV_SOFT_OFFLINE
#define MADV_SOFT_OFFLINE	101	/* of the kernel's own headers */
#endif

#define FEW		16		/* pages of a worker, where it does not matter */
#define PAGE		4096

#define KSM		"/sys/kernel/mm/ksm/"

static struct crew crew;

/* A random piece of the area, at least a page. */
static char *piece(size_t *size)
{
	unsigned int pages = crew.size / PAGE, first = storm_random() % pages;

	*size = (1 + storm_random() % (pages - first)) * PAGE;
	return crew.area + (size_t)first * PAGE;
}

static void do_or_die(int ret, const char *what)
{
	if (ret < 0)
		vt_die("%s: %s", what, strerror(errno));
}

/* One cycle after the other: @blow, then the guests go on, then compare. */
static void storm(void (*blow)(void), unsigned int usual, const char *what)
{
	crew_start(&crew);
	crew_await(&crew, 1);
	while (storm_goes_on(usual)) {
		blow();
		/* What a lossy storm has emptied is written in the first full round. */
		crew_await(&crew, crew.worker[0].lossy ? 2 : 1);
		crew_compare(&crew);
	}
	crew_stop(&crew);
	crew_compare(&crew);
	storm_report(what);
}

/* ------------------------------------------------------------------ the pages go */

static void discard(void)
{
	size_t size;
	char *at = piece(&size);

	do_or_die(madvise(at, size, MADV_DONTNEED), "MADV_DONTNEED");
}

TEST(discarded)
{
	crew_form(&crew, FEW, true, false);
	storm(discard, 8, "times pages discarded");
}

/* By turns at one stroke, and with a moment in which nothing is there. */
static void replace(void)
{
	size_t size;
	char *at = piece(&size);

	if (storm_random() & 1)
		do_or_die(munmap(at, size), "munmap");
	if (mmap(at, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
		 -1, 0) != at)
		vt_die("mmap in place: %s", strerror(errno));
}

TEST(replaced)
{
	crew_form(&crew, FEW, true, false);
	storm(replace, 8, "times pages replaced");
}

/* ---------------------------------------------------------------- the pages move */

static void protect(void)
{
	size_t size;
	char *at = piece(&size);

	do_or_die(mprotect(at, size, storm_random() & 1 ? PROT_READ : PROT_NONE), "mprotect");
	do_or_die(mprotect(at, size, PROT_READ | PROT_WRITE), "mprotect");
}

TEST(protected)
{
	crew_form(&crew, FEW, false, false);
	storm(protect, 8, "times pages protected");
}

/* Somewhere else, and back. */
static void move(void)
{
	void *away = vt_pages(crew.size);

	if (mremap(crew.area, crew.size, crew.size, MREMAP_MAYMOVE | MREMAP_FIXED, away) != away)
		vt_die("mremap: %s", strerror(errno));
	if (mremap(away, crew.size, crew.size, MREMAP_MAYMOVE | MREMAP_FIXED, crew.area) !=
	    crew.area)
		vt_die("mremap back: %s", strerror(errno));
}

TEST(moved)
{
	crew_form(&crew, FEW, false, false);
	storm(move, 8, "times the area moved");
}

static uint64_t sum_of_area(void)
{
	uint64_t *p = (void *)crew.area, sum = 0;
	size_t i;

	for (i = 0; i < crew.size / sizeof(*p); i++)
		sum = sum * 31 + p[i];
	return sum;
}

/* The child's memory is a copy from the moment of the fork: no guest may write there. */
static void fork_and_look(void)
{
	int status, i;
	pid_t child = fork();

	if (!child) {
		uint64_t sum = sum_of_area();

		for (i = 0; i < 3; i++) {
			sched_yield();
			if (sum_of_area() != sum)
				_exit(1);
		}
		_exit(0);
	}
	if (waitpid(child, &status, 0) != child || status)
		vt_die("a guest has written to the memory of a forked process");
}

TEST(forked)
{
	crew_form(&crew, FEW, false, false);
	storm(fork_and_look, 4, "forks");
}

/* ------------------------------------------------------ the kernel moves the pages */

static void compact(void)
{
	static char *holes[2];
	size_t i, size = 256 << 10;
	int n = storm_cycles() & 1;

	/* Free pages here and there, for something to be moved. */
	if (holes[n])
		munmap(holes[n], size);
	holes[n] = vt_pages(size);
	for (i = 0; i < size; i += PAGE)
		holes[n][i] = 1;
	for (i = 0; i < size; i += 2 * PAGE)
		madvise(holes[n] + i, PAGE, MADV_DONTNEED);
	if (!storm_write("/proc/sys/vm/compact_memory", "1"))
		vt_die("no compaction: %s", strerror(errno));
}

TEST(compacted)
{
	if (access("/proc/sys/vm/compact_memory", W_OK))
		SKIP(return, "this kernel has no compaction");
	crew_form(&crew, FEW, false, false);
	madvise(crew.area, crew.size, MADV_NOHUGEPAGE);
	storm(compact, 2, "compactions");
}

/* Migration at will: the page is brought elsewhere, and its frame taken out of use, for ever. */
static unsigned int migrated_pages;

static void migrate(void)
{
	char *at = crew.area + storm_random() % (crew.size / PAGE) * PAGE;

	if (!madvise(at, PAGE, MADV_SOFT_OFFLINE))
		migrated_pages++;
	else if (errno != EBUSY && errno != EIO)	/* somebody has it in hand just now */
		vt_die("MADV_SOFT_OFFLINE: %s", strerror(errno));
}

TEST(migrated)
{
	crew_form(&crew, FEW, false, false);
	madvise(crew.area, crew.size, MADV_NOHUGEPAGE);
	if (madvise(vt_pages(PAGE), PAGE, MADV_SOFT_OFFLINE) && errno == EINVAL)
		SKIP(return, "this kernel has no CONFIG_MEMORY_FAILURE");
	storm(migrate, 8, "tries to migrate a page");
	EXPECT_LT(0, migrated_pages);
}

static bool scanned(void *until)
{
	return storm_read(KSM "full_scans") >= *(long *)until;
}

/*
 * The guests rest, so that their pages, which are alike, are merged; then they write to
 * all of them.  A page is merged in the second scan that finds it unchanged.
 */
static void merge(void)
{
	long until;

	crew_stop(&crew);
	/* That which is under way, two, and one more. */
	until = storm_read(KSM "full_scans") + 4;
	storm_await(scanned, &until, "ksmd to scan all memory");
	if (storm_read(KSM "pages_sharing") <= 0)
		vt_die("ksmd has merged nothing");
	crew_start(&crew);
}

TEST(merged)
{
	if (!storm_write(KSM "run", "1"))
		SKIP(return, "this kernel has no KSM");
	storm_write(KSM "sleep_millisecs", "20");
	storm_write(KSM "pages_to_scan", "1000");
	crew_form(&crew, FEW, false, true);
	do_or_die(madvise(crew.area, crew.size, MADV_MERGEABLE), "MADV_MERGEABLE");
	storm(merge, 2, "times all pages merged");
	storm_write(KSM "run", "2");
}

/* Huge pages are made of small ones, and split up again. */
static void collapse_and_split(void)
{
	char command[64];

	/* A page of it was in somebody's hands; or there is no huge page to be had. */
	if (madvise(crew.area, crew.size, MADV_COLLAPSE) && errno != EAGAIN && errno != EBUSY &&
	    errno != ENOMEM)
		vt_die("MADV_COLLAPSE: %s", strerror(errno));
	crew_await(&crew, 0);
	snprintf(command, sizeof(command), "%d,%p,%p", getpid(), crew.area, crew.area + crew.size);
	if (!storm_write("/sys/kernel/debug/split_huge_pages", command))
		vt_die("split_huge_pages: %s", strerror(errno));
}

TEST(collapsed_and_split)
{
	crew_form(&crew, AREA_PAGES, false, false);
	if (access("/sys/kernel/debug/split_huge_pages", W_OK))
		SKIP(return, "no split_huge_pages: no huge pages, or no debugfs");
	do_or_die(madvise(crew.area, crew.size, MADV_HUGEPAGE), "MADV_HUGEPAGE");
	storm(collapse_and_split, 2, "times huge pages made and split");
}

/* --------------------------------------------------------------------- and swap */

/* A loop device on a memfd, with the header of a swap area on it. */
static bool swap_to_memory(size_t size)
{
	static const char magic[] = "SWAPSPACE2";
	uint32_t header[3] = { 1, size / PAGE - 1, 0 };	/* version, last page, bad pages */
	int file = memfd_create("swap", 0), loop = open("/dev/loop0", O_RDWR);

	if (file < 0 || loop < 0 || ftruncate(file, size) ||
	    pwrite(file, header, sizeof(header), 1024) != sizeof(header) ||
	    pwrite(file, magic, 10, PAGE - 10) != 10 || ioctl(loop, LOOP_SET_FD, file))
		return false;
	return !swapon("/dev/loop0", 0);
}

static void page_out(void)
{
	size_t size;
	char *at = piece(&size);

	do_or_die(madvise(at, size, MADV_PAGEOUT), "MADV_PAGEOUT");
}

static unsigned long swap_in_use(void)
{
	struct sysinfo info;

	do_or_die(sysinfo(&info), "sysinfo");
	return info.totalswap - info.freeswap;
}

TEST(swapped)
{
	if (access("/dev/loop0", W_OK) && system("modprobe loop 2>/dev/null"))
		SKIP(return, "no loop device to swap to");
	ASSERT_TRUE(swap_to_memory(8 << 20)) TH_LOG("no swap: %s", strerror(errno));
	crew_form(&crew, FEW, false, false);
	madvise(crew.area, crew.size, MADV_NOHUGEPAGE);
	storm(page_out, 8, "times pages swapped out");

	/* With nobody there to bring them back at once, it shows that they were out. */
	do_or_die(madvise(crew.area, crew.size, MADV_PAGEOUT), "MADV_PAGEOUT");
	EXPECT_LT(0, swap_in_use());
	crew_start(&crew);
	crew_await(&crew, 0);
	crew_stop(&crew);
	crew_compare(&crew);
	EXPECT_EQ(0, swapoff("/dev/loop0"));
	ioctl(open("/dev/loop0", O_RDWR), LOOP_CLR_FD, 0);
}

/* ------------------------------------------------------------------- the slots */

#define SLOT(flags)	vt_slot(crew.vm, 1, AREA_GPA, crew.size, crew.area, flags)

static void change_slot(void)
{
	switch (storm_random() % 4) {
	case 0:		/* away */
		do_or_die(vt_slot(crew.vm, 1, 0, 0, NULL, 0), "removing the slot");
		break;
	case 1:		/* elsewhere */
		do_or_die(vt_slot(crew.vm, 1, 0, 0, NULL, 0), "removing the slot");
		do_or_die(vt_slot(crew.vm, 1, 4 * AREA_GPA, crew.size, crew.area, 0), "moving");
		do_or_die(vt_slot(crew.vm, 1, 0, 0, NULL, 0), "removing the slot");
		break;
	case 2:
		do_or_die(SLOT(VITRO_SLOT_READONLY), "making it read-only");
		break;
	case 3:
		do_or_die(SLOT(VITRO_SLOT_LOG_DIRTY), "logging");
		break;
	}
	sched_yield();
	do_or_die(SLOT(0), "putting the slot back");
}

TEST(slots_changed)
{
	crew_form(&crew, FEW, false, false);
	storm(change_slot, 8, "changes of a slot");
}

/* All of it at once, from threads of their own: nothing is waited for in between. */
static volatile bool over;

static void *blow_on(void *arg)
{
	void (*blow)(void) = *(void (**)(void))arg;

	while (!over) {
		blow();
		sched_yield();
	}
	return NULL;
}

TEST(all_at_once)
{
	static void (*winds[])(void) = { discard, protect, change_slot };
	pthread_t thread[ARRAY_SIZE(winds)];
	size_t i;

	crew_form(&crew, FEW, true, false);
	crew_start(&crew);
	crew_await(&crew, 1);
	for (i = 0; i < ARRAY_SIZE(winds); i++)
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, blow_on, &winds[i]));
	while (storm_goes_on(3))
		crew_await(&crew, 1);
	over = true;
	for (i = 0; i < ARRAY_SIZE(winds); i++)
		pthread_join(thread[i], NULL);
	crew_await(&crew, 2);
	crew_compare(&crew);
	storm_report("rounds with all of that at once");
}

int main(int argc, char **argv)
{
	return storm_main(argc, argv);
}
