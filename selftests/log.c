// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The last test: the machine's kernel log since boot has no report of a bug, by
 * whichever of the kernel's own checkers.  It judges all tests that ran before.
 * On a debug kernel, it also sees to it that the checkers were awake to the end.
 * scripts/debug/reports tests this test.
 */
#include "kselftest_harness.h"
#include <fcntl.h>
#include <sys/klog.h>
#include <unistd.h>
#include "reports.h"

#define LOCKDEP		"/proc/lockdep_stats"
#define KMEMLEAK	"/sys/kernel/debug/kmemleak"
#define OLD_ENOUGH	6	/* seconds; what is younger than 5, kmemleak leaves alone */

/* Actions of syslog(2). */
#define READ_ALL	3
#define SIZE_BUFFER	10

/* The checker itself: knows reports, and lines that only look like some. */
TEST(checker)
{
	static const char *const bad[] = {
		"<4>[    3.5] WARNING: CPU: 0 PID: 103 at mm/tdp.c:378 tdp_fini+0x6b/0x70 [vitro]",
		"<4>[    3.5] WARNING: possible circular locking dependency detected",
		"<1>[    4.5] BUG: kernel NULL pointer dereference, address: 0000000000000090",
		"<3>[    4.5] BUG: KASAN: use-after-free in vcpu_run+0x1/0x2 [vitro]",
		"<4>[    4.5] Oops: 0000 [#1] PREEMPT SMP NOPTI",
		"<3>[    4.5] UBSAN: shift-out-of-bounds in apic/timer.c:50:3",
		"<0>[   40.1] watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [hlt:100]",
		"<3>[   60.0] rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:",
		"<3>[    7.9] pagealloc: memory corruption",
		"<3>[    8.0] [Right Redzone overwritten] 0x00000000a1b2c3d4-0x00000000a1b2c3d4 @offset=64",
		"<3>[    8.1] ODEBUG: free active (active state 0) object type: timer_list hint: 0x0",
	};
	static const char *const good[] = {
		"<6>[    0.4] AMD Zen1 FPDSS bug detected, enabling mitigation.",
		"<4>[    0.4] Speculative Return Stack Overflow: WARNING: See https://kernel.org/",
		"<6>[    1.7] AMD-Vi: AMD IOMMUv2 functionality not available - This is not a bug.",
		"<6>[    3.8] vitro: AMD-V, ABI 1",
		"<6>[    0.9] kmemleak: Kernel memory leak detector initialized (mem pool available: 30126)",
		"<4>[    0.0] ** This means that this kernel is a debug kernel and it is slower! **",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT_TRUE(is_report(bad[i])) TH_LOG("line %zu", i);
	for (i = 0; i < ARRAY_SIZE(good); i++)
		EXPECT_FALSE(is_report(good[i])) TH_LOG("line %zu", i);
}

/* A stack that was asked for ends, and what comes after it counts. */
TEST(asked_for)
{
	static const char *const dump[] = {
		"<5>[    9.0] FAULT_INJECTION: forcing a failure.",
		"<5>[    9.0] name failslab, interval 1, probability 0, space 0, times 0",
		"<4>[    9.0] Call Trace:",
		"<4>[    9.0]  vm_create+0x2e/0x1f0 [vitro]",
		"<4>[    9.0]  </TASK>",
	};
	int left = 0;
	size_t i;

	EXPECT_FALSE(is_asked_for("<4>[    8.9] Call Trace:", &left));
	for (i = 0; i < ARRAY_SIZE(dump); i++)
		EXPECT_TRUE(is_asked_for(dump[i], &left)) TH_LOG("line %zu", i);
	EXPECT_FALSE(is_asked_for("<4>[    9.1] Call Trace:", &left));
	/* One that has no end, as its rest was lost, does not cover all that follows. */
	EXPECT_TRUE(is_asked_for(dump[0], &left));
	for (i = 0; i < STACK_LINES; i++)
		EXPECT_TRUE(is_asked_for(dump[3], &left));
	EXPECT_FALSE(is_asked_for("<4>[    9.1] Call Trace:", &left));
	/* vmalloc() complains itself: of what was made to fail, in these two programs only. */
	EXPECT_FALSE(is_asked_for("vitro: vmalloc error: size 4096, failed to map pages", &left));
	EXPECT_FALSE(is_asked_for("fuzz_abi: vmalloc error: size 1, exceeds total pages", &left));
	EXPECT_TRUE(is_asked_for("fuzz_abi: vmalloc error: size 1, failed to map pages", &left));
}

/* Lockdep gives up with its first report, and when one of its tables is full. */
TEST(lockdep)
{
	char *line = NULL;
	size_t size = 0;
	FILE *f = fopen(LOCKDEP, "re");
	int on = -1;

	if (!f)
		SKIP(return, "no lockdep in this kernel");
	while (getline(&line, &size, f) > 0)
		if (sscanf(line, " debug_locks: %d", &on) == 1)
			break;
	EXPECT_EQ(1, on);
	fclose(f);
	free(line);
}

/* A fixture for the time that it may take. */
FIXTURE(leaks) {
};

FIXTURE_SETUP(leaks)
{
}

FIXTURE_TEARDOWN(leaks)
{
}

/*
 * Memory that no pointer points to any more.  One scan is not enough: a pointer may be on
 * its way from one place to another.  What two scans miss, and find unchanged, is lost.
 */
TEST_F_TIMEOUT(leaks, none, 600)
{
	int scan, fd = open(KMEMLEAK, O_RDWR | O_CLOEXEC);
	char text[4096] = "";

	if (fd < 0)
		SKIP(return, "no kmemleak in this kernel");
	for (scan = 0; scan < 2; scan++) {
		sleep(OLD_ENOUGH);
		ASSERT_EQ(4, write(fd, "scan", 4));
	}
	EXPECT_EQ(0, read(fd, text, sizeof(text) - 1)) TH_LOG("%s", text);
}

TEST(clean)
{
	int size = klogctl(SIZE_BUFFER, NULL, 0), len, left = 0, nr = 0;
	char *log, *line, *rest;

	ASSERT_LT(0, size);
	log = malloc(size + 1);
	len = klogctl(READ_ALL, log, size);
	ASSERT_LT(0, len);
	log[len] = 0;
	/* Without its beginning, the log proves nothing. */
	ASSERT_NE(NULL, strstr(log, "Linux version"))
		TH_LOG("the log overflowed; boot with a larger log_buf_len");
	/* What was said before the module was inserted is between the kernel and its machine. */
	line = strstr(log, "vitro: ");
	ASSERT_NE(NULL, line) TH_LOG("the module never said anything");
	for (line = strtok_r(line, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		if (is_asked_for(line, &left) || !is_report(line))
			continue;
		TH_LOG("%s", line);
		nr++;
	}
	EXPECT_EQ(0, nr);
}

TEST_HARNESS_MAIN
