// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The last test: the machine's kernel log since boot has no report of a bug, by
 * whichever of the kernel's own checkers.  It judges all tests that ran before.
 */
#include "kselftest_harness.h"
#include <sys/klog.h>
#include "reports.h"

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
	};
	static const char *const good[] = {
		"<6>[    0.4] AMD Zen1 FPDSS bug detected, enabling mitigation.",
		"<4>[    0.4] Speculative Return Stack Overflow: WARNING: See https://kernel.org/",
		"<6>[    1.7] AMD-Vi: AMD IOMMUv2 functionality not available - This is not a bug.",
		"<6>[    3.8] vitro: AMD-V, ABI 1",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT_TRUE(is_report(bad[i])) TH_LOG("line %zu", i);
	for (i = 0; i < ARRAY_SIZE(good); i++)
		EXPECT_FALSE(is_report(good[i])) TH_LOG("line %zu", i);
}

TEST(clean)
{
	int size = klogctl(SIZE_BUFFER, NULL, 0), len, nr = 0;
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
		if (!is_report(line))
			continue;
		TH_LOG("%s", line);
		nr++;
	}
	EXPECT_EQ(0, nr);
}

TEST_HARNESS_MAIN
