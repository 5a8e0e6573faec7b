// SPDX-License-Identifier: GPL-2.0-or-later
/* Time: the guest's TSC and the paravirtual clock agree with the host's clocks. */
#include "kselftest_harness.h"
#include <time.h>
#include "vt.h"

GUEST(g_tsc);
GUEST(g_clock);
GUEST(g_wall);

/*
 * How far two of the host's clocks may be apart.  Linux takes a TSC rate that it measured over
 * 10 ms with 50,000 ticks of doubt at either end (arch/x86/kernel/tsc.c), and where the TSC is
 * not its clock source, never gets to know better.
 */
#define PERCENT		100
#define MIN_NS		(300 * 1000000ULL * (PERCENT - 1) / PERCENT)
#define MAX_NS(ns)	((ns) * (PERCENT + 1) / PERCENT)

#define PVCLOCK_STABLE	1	/* flags: the clocks of all vCPUs are one */

/* What the guest reads: KVM's documented layout (Documentation/virt/kvm/x86/msr.rst). */
struct pvclock {
	uint32_t version, pad;
	uint64_t tsc_timestamp, system_time;
	uint32_t tsc_to_system_mul;
	int8_t tsc_shift;
	uint8_t flags, pad2[2];
} __attribute__((packed));

struct wall_clock {
	uint32_t version, sec, nsec;
} __attribute__((packed));

/* The TSC as the guest reads it, in g_tsc or g_clock. */
static uint64_t guest_tsc(struct vt_cpu *cpu)
{
	if (vt_run(cpu) != VITRO_EXIT_IO)
		vt_die("exit %u", cpu->comm->exit.reason);
	vt_finish(cpu);
	return cpu->gpr[VITRO_RDX] << 32 | (uint32_t)cpu->gpr[VITRO_RAX];
}

/* a * b / 2^32, without losing the bits in between. */
static uint64_t mul_u64_u32_shr32(uint64_t a, uint32_t b)
{
	return (a >> 32) * b + ((a & 0xffffffff) * b >> 32);
}

/* Nanoseconds of the clock at a TSC, worked out as a guest does. */
static uint64_t guest_ns(const struct pvclock *p, uint64_t tsc)
{
	uint64_t delta = tsc - p->tsc_timestamp;

	delta = p->tsc_shift >= 0 ? delta << p->tsc_shift : delta >> -p->tsc_shift;
	return p->system_time + mul_u64_u32_shr32(delta, p->tsc_to_system_mul);
}

TEST(tsc_never_goes_back)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_tsc);
	uint64_t last = 0, now;
	int i;

	for (i = 0; i < 2000; i++) {
		now = guest_tsc(cpu);
		ASSERT_LT(last, now);
		last = now;
	}
}

/* It runs at the rate that vitro_info tells, also while the guest does not. */
TEST(tsc_rate)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_tsc);
	uint64_t start, ticks, before, after, ns;

	before = vt_now_ns();
	start = guest_tsc(cpu);
	vt_sleep_ms(300);
	ticks = guest_tsc(cpu) - start;
	after = vt_now_ns();
	ns = ticks * 1000000 / cpu->vm->info.tsc_khz;
	EXPECT_LE(MIN_NS, ns);
	EXPECT_GE(MAX_NS(after - before), ns);
}

/* Loaded by userspace, it goes on from there. */
TEST(tsc_loaded)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_tsc);
	uint64_t now;

	cpu->comm->state.time.tsc = 1ULL << 50;
	cpu->comm->dirty |= VITRO_STATE_TIME;
	now = guest_tsc(cpu);
	EXPECT_LE(1ULL << 50, now);
	EXPECT_GT((1ULL << 50) + cpu->vm->info.tsc_khz * 1000ULL * VT_SECONDS, now);
	vt_get(cpu, VITRO_STATE_TIME);
	EXPECT_LE(now, cpu->comm->state.time.tsc);
}

TEST(clock_advances)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_clock);
	struct pvclock *p = (void *)(cpu->vm->mem + FREE_MEM);
	uint64_t before, after, start, ns;

	cpu->gpr[VITRO_RBX] = FREE_MEM;
	before = vt_now_ns();
	start = guest_ns(p, guest_tsc(cpu));
	ASSERT_NE(0, p->version);
	ASSERT_EQ(0, p->version & 1);			/* even: complete */
	ASSERT_NE(0, p->tsc_to_system_mul);
	start = guest_ns(p, guest_tsc(cpu));
	vt_sleep_ms(300);
	ns = guest_ns(p, guest_tsc(cpu)) - start;
	after = vt_now_ns();
	EXPECT_LE(MIN_NS, ns);
	EXPECT_GE(MAX_NS(after - before), ns);

	/* The state group tells the same clock. */
	ns = guest_ns(p, guest_tsc(cpu));
	vt_get(cpu, VITRO_STATE_TIME);
	EXPECT_LE(ns, MAX_NS(cpu->comm->state.time.clock_ns));
	EXPECT_GE(MAX_NS(ns + VT_SECONDS * 1000000000ULL), cpu->comm->state.time.clock_ns);
	vt_get(cpu, VITRO_STATE_MSRS);
	EXPECT_EQ(FREE_MEM | 1, cpu->comm->state.msrs.kvm_system_time);
}

/*
 * Neither does the clock go back, whatever the kernel does to its page meanwhile.  A page that is
 * not "stable" is written again on another CPU, by another clock of the host: then it is only
 * system_time that never goes back, and guests take the larger one of two readings (pvclock.c).
 */
TEST(clock_never_goes_back)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_clock);
	struct pvclock *p = (void *)(cpu->vm->mem + FREE_MEM);
	struct pvclock old;
	uint64_t last = 0, now;
	int i;

	cpu->gpr[VITRO_RBX] = FREE_MEM;
	guest_tsc(cpu);
	for (i = 0, old = *p; i < 1000; i++, old = *p) {
		now = guest_ns(p, guest_tsc(cpu));
		ASSERT_LE(old.system_time, p->system_time);
		if (old.version == p->version || p->flags & PVCLOCK_STABLE)
			ASSERT_LE(last, now);
		last = now;
	}
}

/* The wall clock at boot plus the clock is the time of day. */
TEST(wall_clock)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_wall);
	struct wall_clock *w = (void *)(cpu->vm->mem + FREE_MEM);
	int64_t now;

	cpu->gpr[VITRO_RBX] = FREE_MEM;
	ASSERT_EQ(1, vt_says(cpu));
	ASSERT_NE(0, w->version);
	ASSERT_EQ(0, w->version & 1);
	vt_get(cpu, VITRO_STATE_TIME);
	now = w->sec + cpu->comm->state.time.clock_ns / 1000000000;
	EXPECT_GE(2, llabs(now - time(NULL)));
}

TEST_HARNESS_MAIN
