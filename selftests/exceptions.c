// SPDX-License-Identifier: GPL-2.0-or-later
/* Exceptions: the guest handles its own, userspace can raise some, three are a shutdown. */
#include "kselftest_harness.h"
#include "vt.h"

GUEST(g_de);
GUEST(g_de_insn);
GUEST(g_de_after);
GUEST(g_various);
GUEST(g_ud_insn);
GUEST(g_bp_insn);
GUEST(g_bp_after);
GUEST(g_gp_insn);
GUEST(g_gp_after);
GUEST(g_int_after);
GUEST(g_pf);
GUEST(g_pf_read);
GUEST(g_pf_write);
GUEST(g_pf_end);
GUEST(g_step);
GUEST(g_step_1);
GUEST(g_step_2);
GUEST(g_idle);
GUEST(g_idle_here);
GUEST(g_ud32);
GUEST(g_ud32_insn);
GUEST(g_triple);
GUEST(g_triple_insn);
GUEST(g_double);
GUEST(g_int_new_stack);
GUEST(g_int_new_stack_after);
GUEST(g_ud_new_stack);
GUEST(g_ud_new_stack_insn);

enum { DE = 0, DB = 1, BP = 3, UD = 6, DF = 8, GP = 13, PF = 14 };

TEST(divide)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_de);

	ASSERT_EQ(DE, vt_trap(cpu));
	EXPECT_EQ((uintptr_t)g_de_insn, vt_frame(cpu)->rip);
	vt_frame(cpu)->rip = (uintptr_t)g_de_after;
	ASSERT_EQ(1, vt_says(cpu));
}

TEST(faults_and_traps)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_various);

	ASSERT_EQ(UD, vt_trap(cpu));
	EXPECT_EQ((uintptr_t)g_ud_insn, vt_frame(cpu)->rip);
	vt_frame(cpu)->rip = (uintptr_t)g_bp_insn;
	ASSERT_EQ(BP, vt_trap(cpu));
	EXPECT_EQ((uintptr_t)g_bp_after, vt_frame(cpu)->rip);
	ASSERT_EQ(GP, vt_trap(cpu));
	EXPECT_EQ((uintptr_t)g_gp_insn, vt_frame(cpu)->rip);
	EXPECT_EQ(0x1238, vt_frame(cpu)->error);
	vt_frame(cpu)->rip = (uintptr_t)g_gp_after;
	ASSERT_EQ(0x77, vt_trap(cpu));
	EXPECT_EQ((uintptr_t)g_int_after, vt_frame(cpu)->rip);
	ASSERT_EQ(VITRO_EXIT_HLT, vt_run(cpu));
}

TEST(page_fault)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_pf);

	ASSERT_EQ(PF, vt_trap(cpu));
	vt_get(cpu, VITRO_STATE_CRS);
	EXPECT_EQ(0x7000001234, cpu->comm->state.crs.cr2);
	EXPECT_EQ((uintptr_t)g_pf_read, vt_frame(cpu)->rip);
	EXPECT_EQ(0, vt_frame(cpu)->error);		/* not present, read, supervisor */
	vt_frame(cpu)->rip = (uintptr_t)g_pf_write;
	ASSERT_EQ(PF, vt_trap(cpu));
	EXPECT_EQ(2, vt_frame(cpu)->error);		/* write */
	vt_frame(cpu)->rip = (uintptr_t)g_pf_end;
	ASSERT_EQ(VITRO_EXIT_HLT, vt_run(cpu));
}

/* An instruction that vitro finishes in the CPU's stead steps like all others. */
TEST(single_step)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_step);

	ASSERT_EQ(DB, vt_trap(cpu));			/* after the NOP */
	EXPECT_EQ((uintptr_t)g_step_1, vt_frame(cpu)->rip);
	vt_get(cpu, VITRO_STATE_DRS);
	EXPECT_EQ(1 << 14, cpu->comm->state.drs.dr6 & 1 << 14);	/* BS */
	ASSERT_EQ(DB, vt_trap(cpu));			/* after the CPUID */
	EXPECT_EQ((uintptr_t)g_step_2, vt_frame(cpu)->rip);
	vt_frame(cpu)->rflags &= ~0x100;
	ASSERT_EQ(VITRO_EXIT_HLT, vt_run(cpu));
}

TEST(protected_mode)
{
	struct vt_cpu *cpu = vt_boot(VT_PROT, g_ud32);

	ASSERT_EQ((uintptr_t)g_ud32_insn, vt_says(cpu));
	ASSERT_EQ(SEL_CODE32, vt_says(cpu));
}

/* Raised by userspace, with and without error code: before the next instruction. */
TEST(raised_by_userspace)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_idle);

	ASSERT_EQ(1, vt_says(cpu));
	vt_raise(cpu, UD, -1);
	ASSERT_EQ(UD, vt_trap(cpu));
	EXPECT_EQ((uintptr_t)g_idle_here, vt_frame(cpu)->rip);
	ASSERT_EQ(2, vt_says(cpu));			/* once, not again */

	vt_set_mode(cpu, VT_LONG, g_idle);
	ASSERT_EQ(1, vt_says(cpu));
	vt_raise(cpu, GP, 0x1230);
	ASSERT_EQ(GP, vt_trap(cpu));
	EXPECT_EQ(0x1230, vt_frame(cpu)->error);
	ASSERT_EQ(2, vt_says(cpu));

	vt_set_mode(cpu, VT_LONG, g_idle);
	ASSERT_EQ(1, vt_says(cpu));
	vt_raise(cpu, PF, 2);
	vt_get(cpu, VITRO_STATE_CRS);
	cpu->comm->state.crs.cr2 = 0x7000005678;
	cpu->comm->dirty |= VITRO_STATE_CRS;
	ASSERT_EQ(PF, vt_trap(cpu));
	EXPECT_EQ(2, vt_frame(cpu)->error);
	vt_get(cpu, VITRO_STATE_CRS);
	EXPECT_EQ(0x7000005678, cpu->comm->state.crs.cr2);
	ASSERT_EQ(2, vt_says(cpu));
}

/* 32 is no exception; a bad value anywhere in the group refuses all of it. */
TEST(raised_bad)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_idle);
	struct vitro_events *ev = &cpu->comm->state.events;

	vt_get(cpu, VITRO_STATE_EVENTS);
	ev->exc_pending = 1;
	ev->exc_vector = 32;
	EXPECT_EQ(-EINVAL, vt_set(cpu, VITRO_STATE_EVENTS));
	ev->exc_vector = UD;
	ev->pad = 1;
	EXPECT_EQ(-EINVAL, vt_set(cpu, VITRO_STATE_EVENTS));
	ev->pad = 0;
	ev->mp_state = VITRO_MP_SHUTDOWN + 1;
	EXPECT_EQ(-EINVAL, vt_set(cpu, VITRO_STATE_EVENTS));
	/* Nothing of it was loaded. */
	ASSERT_EQ(1, vt_says(cpu));
	ASSERT_EQ(2, vt_says(cpu));
}

TEST(double_fault)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_double);

	ASSERT_EQ(DF, vt_trap(cpu));
	EXPECT_EQ(0, vt_frame(cpu)->error);
}

/* A shutdown is reported again and again, until the state is replaced. */
TEST(triple_fault)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_triple);

	ASSERT_EQ(VITRO_EXIT_SHUTDOWN, vt_run(cpu));
	ASSERT_EQ(VITRO_EXIT_SHUTDOWN, vt_run(cpu));
	vt_get(cpu, VITRO_STATE_EVENTS);
	EXPECT_EQ(VITRO_MP_SHUTDOWN, cpu->comm->state.events.mp_state);
	EXPECT_EQ(0, cpu->comm->state.events.exc_pending);

	memset(&cpu->comm->state.events, 0, sizeof(cpu->comm->state.events));
	cpu->comm->dirty |= VITRO_STATE_EVENTS;
	vt_set_mode(cpu, VT_LONG, g_idle);
	ASSERT_EQ(1, vt_says(cpu));
}

/* Delivery interrupted by a second-level fault: completed, once, with the right rip. */
TEST(int_on_new_stack)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_int_new_stack);

	ASSERT_EQ(0x77, vt_trap(cpu));
	EXPECT_EQ((uintptr_t)g_int_new_stack_after, vt_frame(cpu)->rip);
	ASSERT_EQ(1, vt_says(cpu));
	ASSERT_EQ(VITRO_EXIT_HLT, vt_run(cpu));
}

TEST(fault_on_new_stack)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_ud_new_stack);

	ASSERT_EQ(UD, vt_trap(cpu));
	EXPECT_EQ((uintptr_t)g_ud_new_stack_insn, vt_frame(cpu)->rip);
}

TEST_HARNESS_MAIN
