// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The same program, the same exits, whoever made the CPU: each of the programs in
 * guest/exits.S writes what userspace sees of it to a log, and scripts/compare-exits
 * compares the logs of two machines.  What can be said without another machine is said
 * here: how each ends, and what it reports on the way.
 */
#include "kselftest_harness.h"
#include "exits.h"

GUEST(g_pio);
GUEST(g_pio_real);
GUEST(g_prot32);
GUEST(g_prot32_ud);
GUEST(g_mmio_moves);
GUEST(g_mmio_modify);
GUEST(g_mmio_strings);
GUEST(g_mmio_straddle);
GUEST(g_mmio_unreal);
GUEST(g_xapic);
GUEST(g_exec_nowhere);
GUEST(g_walk_nowhere);
GUEST(g_memory);
GUEST(g_msrs);
GUEST(g_cpuid);
GUEST(g_hlt);
GUEST(g_hypercalls);
GUEST(g_hypercall_64);
GUEST(g_hypercall_32);
GUEST(g_hypercall_user);
GUEST(g_control);
GUEST(g_xsetbv);
GUEST(g_exceptions);
GUEST(g_raised);
GUEST(g_delivery);
GUEST(g_triple);
GUEST(g_user);
GUEST(g_msi);
GUEST(g_apic);
GUEST(g_nmi);
GUEST(g_nmi_after);
GUEST(g_debug);
GUEST(g_modes);
GUEST(g_tasks);
GUEST(g_smp);

/* Runs to the end, which has to be this exit, and compares what was said on the way. */
#define EXPECT_RUN(m, end, ...) \
	expect_run(_metadata, m, end, (const uint64_t[]){ __VA_ARGS__ }, \
		   sizeof((const uint64_t[]){ __VA_ARGS__ }) / sizeof(uint64_t))

static void expect_run(struct __test_metadata *_metadata, struct machine *m, unsigned int end,
		       const uint64_t *want, size_t nr)
{
	size_t i;

	ASSERT_EQ(end, run(m)) vt_dump(&m->cpu[0]);
	EXPECT_EQ(nr, m->nr_said);
	for (i = 0; i < nr && i < m->nr_said; i++)
		EXPECT_EQ(want[i], m->said[i]) TH_LOG("number %zu", i);
}

/* --------------------------------------------------------------------- devices */

TEST(pio)
{
	struct machine *m = boot("pio", VT_LONG, g_pio);

	EXPECT_RUN(m, VITRO_EXIT_HLT, 0xa5b63827, 0xffffffc7, 0xa5b63827);
}

TEST(pio_real)
{
	struct machine *m = boot("pio_real", VT_REAL, g_pio_real);

	EXPECT_RUN(m, VITRO_EXIT_HLT, 0xdead139b, 0xc4d8);
}

TEST(prot32)
{
	struct machine *m = boot("prot32", VT_PSE, g_prot32);

	EXPECT_RUN(m, VITRO_EXIT_HLT, 0x32329f9e, (uintptr_t)g_prot32_ud, SEL_CODE32);
}

TEST(mmio_moves)
{
	struct machine *m = boot("mmio_moves", VT_LONG, g_mmio_moves);

	EXPECT_RUN(m, VITRO_EXIT_HLT, 0x22112211, 0x44332211);
}

TEST(mmio_modify)
{
	struct machine *m = boot("mmio_modify", VT_LONG, g_mmio_modify);

	EXPECT_RUN(m, VITRO_EXIT_HLT, 0x44, 0x95, 0x894, 0x80000000, 0x1235, 0x123a,
		   0x48);
}

TEST(mmio_strings)
{
	struct machine *m = boot("mmio_strings", VT_LONG, g_mmio_strings);

	EXPECT_RUN(m, VITRO_EXIT_HLT, 0x88778805, 0x04030201, 12, 7, 0x05040302);
}

TEST(mmio_straddle)
{
	struct machine *m = boot("mmio_straddle", VT_LONG, g_mmio_straddle);

	EXPECT_RUN(m, VITRO_EXIT_HLT, 0x81804433, 0x55667788, 0x11223344);
}

TEST(mmio_unreal)
{
	struct machine *m = boot("mmio_unreal", VT_REAL, g_mmio_unreal);

	EXPECT_RUN(m, VITRO_EXIT_HLT, 0x8111c445);
}

TEST(xapic)
{
	struct machine *m = boot("xapic", VT_LONG, g_xapic);

	EXPECT_RUN(m, VITRO_EXIT_HLT, 4, TRAP(0x51), 0);
}

/* There is nothing to go on with: the exit is the end. */
TEST(exec_nowhere)
{
	struct machine *m = boot("exec_nowhere", VT_LONG, g_exec_nowhere);

	EXPECT_RUN(m, VITRO_EXIT_MMIO);
}

TEST(walk_nowhere)
{
	struct machine *m = boot("walk_nowhere", VT_LONG, g_walk_nowhere);

	EXPECT_RUN(m, VITRO_EXIT_MMIO);
}

TEST(memory)
{
	struct machine *m = boot("memory", VT_LONG, g_memory);

	EXPECT_RUN(m, VITRO_EXIT_HLT, 0, 0, 1);
}

/* ---------------------------------------------------- intercepted instructions */

TEST(msrs)
{
	struct machine *m = boot("msrs", VT_LONG, g_msrs);

	EXPECT_RUN(m, VITRO_EXIT_HLT, 0x55667788, 0x11223344, TRAP(13), TRAP(13), 0x500,
		   0xd01, TRAP(13), 0x70406, TRAP(13), 0xfee00900, 0x04030201,
		   0x14131211, 0x24232221, 0x89abcdef);
}

/* A table that each CPU can provide, with features that each has. */
static void set_cpuid(struct machine *m)
{
	static const struct vitro_cpuid_entry table[] = {
		{ .leaf = 0, .eax = 4, .ebx = 0x72746976, .ecx = 0x736d6172, .edx = 0x6720216f },
		{ .leaf = 1, .eax = 0x10203, .ebx = 0x800, .ecx = 0x80000001, .edx = 0x078bab7d },
		{ .leaf = 4, .subleaf = 0, .flags = VITRO_CPUID_INDEXED, .eax = 0x11, .edx = 1 },
		{ .leaf = 4, .subleaf = 1, .flags = VITRO_CPUID_INDEXED, .eax = 0x22, .edx = 2 },
		{ .leaf = 0x40000000, .eax = 0x40000000, .ebx = 1, .ecx = 2, .edx = 3 },
		{ .leaf = 0x80000000, .eax = 0x80000001 },
		{ .leaf = 0x80000001, .edx = 1 << 29 },		/* long mode */
	};

	if (vitro_vcpu_set_cpuid(m->vcpu[0], table, ARRAY_SIZE(table)))
		vt_die("%s", vitro_error());
}

TEST(cpuid)
{
	struct machine *m = boot("cpuid", VT_LONG, g_cpuid);

	set_cpuid(m);
	EXPECT_RUN(m, VITRO_EXIT_HLT, 4, 0x72746976, 0x736d6172, 0x6720216f, 0x10203,
		   0x800, 0x80000001, 0x078bab7d, 0x11, 0, 0, 1, 0x22, 0, 0, 2, 0, 0, 0,
		   0, 0, 0, 0, 0, 0x40000000, 1, 2, 3, 0, 0, 0, 1 << 29);
}

TEST(hlt)
{
	struct machine *m = boot("hlt", VT_LONG, g_hlt);

	EXPECT_RUN(m, VITRO_EXIT_HLT, 1, TRAP(0x41), 2, TRAP(0x60), 3, TRAP(0x61), 4);
}

static void set_hypercalls(struct machine *m)
{
	vendor_hypercall(&m->vt, g_hypercall_64);
	vendor_hypercall(&m->vt, g_hypercall_32);
}

TEST(hypercalls)
{
	struct machine *m = boot("hypercalls", VT_LONG, g_hypercalls);

	set_hypercalls(m);
	EXPECT_RUN(m, VITRO_EXIT_HLT, 0x13, 0x1f);
}

TEST(control)
{
	struct machine *m = boot("control", VT_LONG, g_control);

	EXPECT_RUN(m, VITRO_EXIT_HLT, 0x80010031, 0x620, 0x6a0, TRAP(13), TRAP(13),
		   0x6a0, TRAP(7), 0x80050031, 0x8005003b, 6);
}

TEST(xsetbv)
{
	struct machine *m = boot("xsetbv", VT_LONG, g_xsetbv);

	if (!(m->vt.info.xcr0 & 2)) {
		log_skip(m, "this CPU has no XSAVE");
		SKIP(return, "this CPU has no XSAVE");
	}
	EXPECT_RUN(m, VITRO_EXIT_HLT, TRAP(6), 1, 3, TRAP(13), 3);
}

/* ------------------------------------------------------- exceptions, interrupts */

TEST(exceptions)
{
	struct machine *m = boot("exceptions", VT_LONG, g_exceptions);

	EXPECT_RUN(m, VITRO_EXIT_HLT, TRAP(0), TRAP(6), TRAP(3), TRAP(13), TRAP(13),
		   TRAP(14), TRAP(14), TRAP(14), TRAP(14), TRAP(16), TRAP(0x77));
}

TEST(raised)
{
	struct machine *m = boot("raised", VT_LONG, g_raised);

	EXPECT_RUN(m, VITRO_EXIT_HLT, TRAP(6), TRAP(13), TRAP(14), TRAP(17), 1);
}

TEST(delivery)
{
	struct machine *m = boot("delivery", VT_LONG, g_delivery);

	EXPECT_RUN(m, VITRO_EXIT_HLT, TRAP(0x77), TRAP(6), TRAP(0x41));
}

TEST(triple)
{
	struct machine *m = boot("triple", VT_LONG, g_triple);

	EXPECT_RUN(m, VITRO_EXIT_SHUTDOWN, TRAP(8), 1);
}

static void set_hypercall_user(struct machine *m)
{
	vendor_hypercall(&m->vt, g_hypercall_user);
}

TEST(user)
{
	struct machine *m = boot("user", VT_LONG, g_user);

	set_hypercall_user(m);
	EXPECT_RUN(m, VITRO_EXIT_HLT, TRAP(13), TRAP(13), TRAP(13), TRAP(13), TRAP(14),
		   TRAP(0x90), 0xffffffff, 0x402);
}

TEST(msi)
{
	struct machine *m = boot("msi", VT_LONG, g_msi);

	EXPECT_RUN(m, VITRO_EXIT_HLT, TRAP(0xe1), TRAP(0x40), TRAP(0x31), 1, TRAP(0x61),
		   2, TRAP(0x51), 3, TRAP(0x41), TRAP(0x71), TRAP(0xa4), 3);
}

TEST(apic)
{
	struct machine *m = boot("apic", VT_LONG, g_apic);

	EXPECT_RUN(m, VITRO_EXIT_HLT, TRAP(0x51), TRAP(0x52), TRAP(0x53), TRAP(13),
		   1 << 1, 1 << 0, 0x40, TRAP(0x40), 1);
}

TEST(nmi)
{
	struct machine *m = boot("nmi", VT_LONG, g_nmi);

	EXPECT_RUN(m, VITRO_EXIT_HLT, 1, (uintptr_t)g_nmi_after, 2, 1);
}

TEST(debug)
{
	struct machine *m = boot("debug", VT_LONG, g_debug);

	EXPECT_RUN(m, VITRO_EXIT_HLT, TRAP(1), TRAP(1), TRAP(1), TRAP(1), TRAP(1),
		   TRAP(1), TRAP(1), 0x20000);
}

/* --------------------------------------------------------------- modes and CPUs */

TEST(modes)
{
	struct machine *m = boot("modes", VT_REAL, g_modes);

	EXPECT_RUN(m, VITRO_EXIT_HLT, 16, 32, 33, 64, 34, 17);
}

TEST(tasks)
{
	struct machine *m = boot("tasks", VT_PROT, g_tasks);

	EXPECT_RUN(m, VITRO_EXIT_HLT, 0x58, 0x22222222, 8, 1, 0x4000, 0x50, 2, 0x50);
}

TEST(smp)
{
	struct machine *m = boot("smp", VT_LONG, g_smp);

	add_cpu(m);
	EXPECT_RUN(m, VITRO_EXIT_HLT, 0xa9, TRAP(0x61), 1);
}

TEST_HARNESS_MAIN
