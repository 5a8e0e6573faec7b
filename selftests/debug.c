// SPDX-License-Identifier: GPL-2.0-or-later
/* Debug registers: the guest's work in the guest, the host's in the host. */
#include "kselftest_harness.h"
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include "vendor.h"

GUEST(g_exec);
GUEST(g_exec_here);
GUEST(g_watch);
GUEST(g_watch_after);
GUEST(g_armed);
GUEST(g_drs);
GUEST(g_fixed);
GUEST(g_storm);
GUEST(g_held);

#define DB	1

TEST(execution_breakpoint)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_exec);

	ASSERT_EQ(1, vt_says(cpu));
	ASSERT_EQ(DB, vt_trap(cpu));
	EXPECT_EQ((uintptr_t)g_exec_here, vt_frame(cpu)->rip);
	vt_get(cpu, VITRO_STATE_DRS);
	EXPECT_EQ(1, cpu->comm->state.drs.dr6 & 0xf);
	vt_frame(cpu)->rflags |= 1 << 16;		/* RF: past it this time */
	ASSERT_EQ(2, vt_says(cpu));
}

TEST(watchpoint)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_watch);

	ASSERT_EQ(DB, vt_trap(cpu));
	EXPECT_EQ((uintptr_t)g_watch_after, vt_frame(cpu)->rip);
	vt_get(cpu, VITRO_STATE_DRS);
	EXPECT_EQ(8, cpu->comm->state.drs.dr6 & 0xf);
	ASSERT_EQ(1, vt_says(cpu));
}

/* Two vCPUs in turns keep their own. */
TEST(isolated_between_vcpus)
{
	struct vt_cpu *cpu[2] = { vt_boot(VT_LONG, g_drs), vt_boot(VT_LONG, g_drs) };
	int c, n;

	cpu[0]->gpr[VITRO_RBX] = 0x1000;
	cpu[1]->gpr[VITRO_RBX] = 0x2000;
	for (c = 0; c < 2; c++)
		ASSERT_EQ(1, vt_says(cpu[c]));
	for (n = 0; n < 4; n++)
		for (c = 0; c < 2; c++)
			ASSERT_EQ(0x1000 * (c + 1) + n, vt_says(cpu[c])) TH_LOG("dr%d", n);
}

TEST(state_group)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_drs);
	struct vitro_drs *drs = &cpu->comm->state.drs;
	int i;

	vt_get(cpu, VITRO_STATE_DRS);
	EXPECT_EQ(0xffff0ff0, drs->dr6);		/* after power-on */
	EXPECT_EQ(0x400, drs->dr7);
	for (i = 0; i < 4; i++)
		EXPECT_EQ(0, drs->dr[i]);
	cpu->gpr[VITRO_RBX] = 0x5000;
	ASSERT_EQ(1, vt_says(cpu));
	vt_get(cpu, VITRO_STATE_DRS);
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(0x5000 + i, drs->dr[i]);
		drs->dr[i] = 0x6000 + i;
	}
	cpu->comm->dirty |= VITRO_STATE_DRS;
	for (i = 0; i < 4; i++)
		ASSERT_EQ(0x6000 + i, vt_says(cpu)) TH_LOG("dr%d", i);
	drs->dr7 = 1ULL << 32;
	EXPECT_EQ(-EINVAL, vt_set(cpu, VITRO_STATE_DRS));
}

/* A breakpoint that is armed from outside works as the guest's own. */
TEST(armed_from_outside)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_armed);
	struct vitro_drs *drs = &cpu->comm->state.drs;

	if (vendor_is_tcg())
		SKIP(return, "QEMU TCG arms no breakpoints by VMRUN, only by MOV to DR7");
	vt_get(cpu, VITRO_STATE_DRS);
	drs->dr[2] = (uintptr_t)g_armed;
	drs->dr7 = 0x400 | 1 << 4;			/* L2 */
	cpu->comm->dirty |= VITRO_STATE_DRS;
	ASSERT_EQ(DB, vt_trap(cpu));
	EXPECT_EQ((uintptr_t)g_armed, vt_frame(cpu)->rip);
	vt_get(cpu, VITRO_STATE_DRS);
	EXPECT_EQ(4, drs->dr6 & 0xf);
	EXPECT_EQ((uintptr_t)g_armed, drs->dr[2]);
}

/*
 * A #DB whose delivery is the reason for the next one.  Traps go before interrupts (SDM 3A
 * 6.9), and before the first instruction of the handler, so that nothing of the host's gets
 * through to a CPU that enters such a guest again and again.  It must let go of it.
 */
TEST(delivered_for_ever)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_storm);
	struct sigaction act = { .sa_handler = vt_interrupt };
	pthread_t self = pthread_self(), thread;

	if (vendor_is_tcg())
		SKIP(return, "QEMU TCG ends itself when an exception's frame hits a watchpoint");
	sigaction(SIGUSR1, &act, NULL);
	ASSERT_EQ(1, vt_says(cpu));
	ASSERT_EQ(0, pthread_create(&thread, NULL, vt_interrupter, &self));
	ASSERT_EQ(VITRO_EXIT_INTR, vt_run(cpu));
	pthread_join(thread, NULL);
}

/*
 * The trap of a MOV SS waits for the next instruction (SDM 3A 6.8.3), which exits.  It is the
 * old state's: another that is loaded has not made it.
 */
TEST(forgotten_with_its_breakpoint)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_held);

	if (vendor_is_tcg())
		SKIP(return, "QEMU TCG does not hold back the trap of a MOV SS");
	ASSERT_EQ(1, vt_says(cpu));
	vt_set_mode(cpu, VT_LONG, g_armed);
	vt_get(cpu, VITRO_STATE_DRS);
	cpu->comm->state.drs.dr7 = 0x400;
	cpu->comm->dirty |= VITRO_STATE_DRS;
	ASSERT_EQ(1, vt_says(cpu));
}

TEST(fixed_bits)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_fixed);

	EXPECT_EQ(0xffff0ff0, vt_says(cpu));
	EXPECT_EQ(0x400, vt_says(cpu));
	ASSERT_EQ(13, vt_trap(cpu));
}

/*
 * The host's breakpoints (a perf event on a variable of this process) count on
 * while guests use the same registers, and the guest does not hit them.
 */
TEST(host_breakpoints_survive)
{
	static volatile uint32_t variable __attribute__((aligned(8)));
	struct perf_event_attr attr = {
		.type = PERF_TYPE_BREAKPOINT, .size = sizeof(attr), .bp_type = HW_BREAKPOINT_W,
		.bp_addr = (uintptr_t)&variable, .bp_len = HW_BREAKPOINT_LEN_4,
		.exclude_kernel = 1, .exclude_hv = 1,
	};
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_watch);
	uint64_t count;
	int fd;

	if (vendor_is_tcg())
		SKIP(return, "QEMU TCG crashes when host and guest both arm breakpoints");
	fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
	ASSERT_LE(0, fd);
	variable = 1;
	ASSERT_EQ(DB, vt_trap(cpu));
	variable = 2;
	ASSERT_EQ(1, vt_says(cpu));
	variable = 3;
	ASSERT_EQ(sizeof(count), read(fd, &count, sizeof(count)));
	EXPECT_EQ(3, count);
}

TEST_HARNESS_MAIN
