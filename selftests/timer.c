// SPDX-License-Identifier: GPL-2.0-or-later
/* The APIC timer: never early, in all three modes, and silent when it shall be. */
#include "kselftest_harness.h"
#include "vt.h"

GUEST(g_oneshot);
GUEST(g_periodic);
GUEST(g_deadline);
GUEST(g_never);
GUEST(g_past);
GUEST(g_count);
GUEST(g_start);
GUEST(g_times);

#define MS		1000000U		/* in counts of the timer, by 1 */

/* Guest TSC ticks from start to the n-th interrupt, from 0. */
static uint64_t ticks_to(struct vt_cpu *cpu, int n)
{
	return vt_var(cpu->vm, g_times + 8 * n) - vt_var(cpu->vm, g_start);
}

TEST(one_shot)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_oneshot);
	uint64_t count, tick_per_ms = cpu->vm->info.tsc_khz;

	cpu->gpr[VITRO_RBX] = 100 * MS;
	count = vt_says(cpu);
	EXPECT_LT(0, count);
	EXPECT_GE(100 * MS, count);
	ASSERT_EQ(0, vt_says(cpu));
	ASSERT_EQ(1, vt_says(cpu));
	/* One in a thousand for the rounding of tsc_khz. */
	EXPECT_LE(100 * tick_per_ms * 999 / 1000, ticks_to(cpu, 0));
}

/* The n-th comes not before n periods. */
TEST(periodic)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_periodic);
	uint64_t tick_per_ms = cpu->vm->info.tsc_khz;
	int i;

	cpu->gpr[VITRO_RBX] = 10 * MS;			/* by 2: 20 ms */
	ASSERT_LE(4, vt_says(cpu));
	for (i = 0; i < 4; i++)
		EXPECT_LE((i + 1) * 20 * tick_per_ms * 999 / 1000, ticks_to(cpu, i))
			TH_LOG("interrupt %d", i);
}

/* Compared with the guest's own TSC, exactly; the MSR is 0 when it has fired. */
TEST(tsc_deadline)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_deadline);
	uint64_t armed;

	cpu->gpr[VITRO_RBX] = cpu->vm->info.tsc_khz * 50ULL;
	armed = vt_says(cpu);
	EXPECT_EQ((uint32_t)vt_var(cpu->vm, g_start), armed);
	ASSERT_EQ(0, vt_says(cpu));
	EXPECT_EQ(1, vt_var(cpu->vm, g_count));
	EXPECT_LE(vt_var(cpu->vm, g_start), vt_var(cpu->vm, g_times));
}

TEST(deadline_in_the_past)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_past);

	ASSERT_EQ(1, vt_says(cpu));
}

TEST(masked)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_never);

	cpu->gpr[VITRO_RBX] = cpu->vm->info.tsc_khz * 100ULL;
	cpu->gpr[VITRO_RDI] = 0;
	ASSERT_EQ(0, vt_says(cpu));
}

TEST(disarmed)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_never);

	cpu->gpr[VITRO_RBX] = cpu->vm->info.tsc_khz * 100ULL;
	cpu->gpr[VITRO_RDI] = 1;
	ASSERT_EQ(0, vt_says(cpu));
}

TEST_HARNESS_MAIN
