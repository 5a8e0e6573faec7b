// SPDX-License-Identifier: GPL-2.0-or-later
/* A debugger outside of the guest: steps, breakpoints, and a guest that notices nothing. */
#include "kselftest_harness.h"
#include "vendor.h"

GUEST(g_steps);
GUEST(g_steps_1);
GUEST(g_steps_2);
GUEST(g_steps_3);
GUEST(g_steps_4);
GUEST(g_steps_rep);
GUEST(g_steps_5);
GUEST(g_steps_6);
GUEST(g_steps_end);
GUEST(g_flags);
GUEST(g_flags_1);
GUEST(g_flags_2);
GUEST(g_flags_3);
GUEST(g_iret);
GUEST(g_iret_insn);
GUEST(g_iret_1);
GUEST(g_faults);
GUEST(g_faults_1);
GUEST(g_faults_read);
GUEST(g_faults_2);
GUEST(g_faults_3);
GUEST(g_interrupts);
GUEST(g_interrupts_1);
GUEST(g_interrupts_2);
GUEST(g_interrupts_3);
GUEST(g_shadows);
GUEST(g_shadows_ss);
GUEST(g_shadows_1);
GUEST(g_shadows_2);
GUEST(g_shadows_hlt);
GUEST(g_shadows_end);
GUEST(g_own);
GUEST(g_own_here);
GUEST(g_own_after);
GUEST(g_broken);
GUEST(g_broken_here);
GUEST(g_broken_written);
GUEST(g_broken_read);
GUEST(g_broken_var);
GUEST(g_int3);
GUEST(g_int3_after);
GUEST(g_stubs);

enum { DB = 1, BP = 3, UD = 6, PF = 14, VECTOR = 0x40 };

#define TF	0x100

static int set_debug(struct vt_cpu *cpu, const struct vitro_debug *debug)
{
	return vt_ioctl(cpu->fd, VITRO_SET_DEBUG, debug);
}

static void debug(struct vt_cpu *cpu, uint32_t flags)
{
	const struct vitro_debug debug = { .flags = flags };

	if (set_debug(cpu, &debug))
		vt_die("VITRO_SET_DEBUG does not take flags %#x\n", flags);
}

/* One instruction: where is it then?  VT_NOTHING: something else came. */
static uint64_t step(struct vt_cpu *cpu)
{
	if (vt_run(cpu) != VITRO_EXIT_DEBUG || cpu->comm->exit.debug.flags != VITRO_DEBUG_STEP) {
		vt_dump(cpu);
		return VT_NOTHING;
	}
	return cpu->comm->state.gprs.rip;
}

static bool step_to(struct vt_cpu *cpu, const void *where)
{
	int i;

	for (i = 0; i < 50; i++) {
		if (step(cpu) == (uintptr_t)where)
			return true;
	}
	return false;
}

static uint64_t *stack(struct vt_cpu *cpu)
{
	return vt_ptr(cpu->vm, (void *)cpu->gpr[VITRO_RSP]);
}

/* The handler of @vector is about to start; its frame, as struct vt_frame has it from rip on. */
static uint64_t *in_handler(struct vt_cpu *cpu, unsigned int vector, bool error)
{
	if (cpu->comm->state.gprs.rip != (uintptr_t)g_stubs + 16 * vector)
		return NULL;
	return stack(cpu) + error;
}

TEST(steps)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_steps);

	debug(cpu, VITRO_DEBUG_STEP);
	ASSERT_EQ((uintptr_t)g_steps_1, step(cpu));
	EXPECT_EQ(0x11, cpu->gpr[VITRO_RAX]);
	EXPECT_EQ(0, cpu->comm->state.gprs.rflags & TF);
	ASSERT_EQ((uintptr_t)g_steps_2, step(cpu));
	ASSERT_EQ((uintptr_t)g_steps_3, step(cpu));
	ASSERT_EQ((uintptr_t)g_steps_4, step(cpu));
	ASSERT_TRUE(step_to(cpu, g_steps_rep));
	EXPECT_EQ(2, cpu->gpr[VITRO_RCX]);
	ASSERT_EQ((uintptr_t)g_steps_rep, step(cpu));
	EXPECT_EQ(1, cpu->gpr[VITRO_RCX]);
	ASSERT_TRUE(step_to(cpu, g_steps_5));
	EXPECT_EQ(0, cpu->gpr[VITRO_RCX]);
	step(cpu);
	ASSERT_EQ(VITRO_EXIT_IO, vt_run(cpu));		/* the OUT: as ever */
	vt_finish(cpu);
	ASSERT_EQ((uintptr_t)g_steps_6 + 1, step(cpu));
	debug(cpu, 0);
	ASSERT_EQ(VITRO_EXIT_HLT, vt_run(cpu));
	EXPECT_EQ(0, cpu->comm->state.gprs.rflags & TF);
}

TEST(trap_flag_is_the_guests)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_flags);
	uint64_t *frame;

	debug(cpu, VITRO_DEBUG_STEP);
	ASSERT_EQ((uintptr_t)g_flags_1, step(cpu));
	EXPECT_EQ(0, *stack(cpu) & TF);
	ASSERT_TRUE(step_to(cpu, g_flags_2));
	ASSERT_EQ((uintptr_t)g_flags_3, step(cpu));
	EXPECT_EQ(TF, cpu->comm->state.gprs.rflags & TF);
	/* Two are stepping now: first the debugger sees the NOP, then the guest's handler comes. */
	ASSERT_EQ((uintptr_t)g_flags_3 + 1, step(cpu));
	step(cpu);
	frame = in_handler(cpu, DB, false);
	ASSERT_NE(NULL, frame);
	EXPECT_EQ((uintptr_t)g_flags_3 + 1, frame[0]);
	EXPECT_EQ(TF, frame[2] & TF);
	vt_get(cpu, VITRO_STATE_DRS);
	EXPECT_EQ(1 << 14, cpu->comm->state.drs.dr6 & 1 << 14);	/* BS */
	frame[2] &= ~TF;
	debug(cpu, 0);
	ASSERT_EQ(DB, vt_trap(cpu));
	ASSERT_EQ(VITRO_EXIT_HLT, vt_run(cpu));
	EXPECT_EQ(0, cpu->gpr[VITRO_RBX] & TF);
}

TEST(iret_loads_the_guests_flags)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_iret);

	debug(cpu, VITRO_DEBUG_STEP);
	ASSERT_TRUE(step_to(cpu, g_iret_insn));
	ASSERT_EQ((uintptr_t)g_iret_1, step(cpu));
	EXPECT_EQ(0, cpu->comm->state.gprs.rflags & TF);
	debug(cpu, 0);
	ASSERT_EQ(VITRO_EXIT_HLT, vt_run(cpu));
	EXPECT_EQ(2, cpu->gpr[VITRO_RAX]);
}

/* An exception is a step to its handler, and what is on the stack says nothing of us. */
TEST(steps_into_handlers)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_faults);
	uint64_t *frame;

	debug(cpu, VITRO_DEBUG_STEP);
	step(cpu);
	frame = in_handler(cpu, UD, false);
	ASSERT_NE(NULL, frame);
	EXPECT_EQ((uintptr_t)g_faults, frame[0]);
	EXPECT_EQ(0, frame[2] & TF);
	vt_jump(cpu, g_faults_1);
	ASSERT_EQ((uintptr_t)g_faults_read, step(cpu));
	step(cpu);
	frame = in_handler(cpu, PF, true);
	ASSERT_NE(NULL, frame);
	EXPECT_EQ(0, frame[-1]);			/* the error code: a read, not present */
	EXPECT_EQ((uintptr_t)g_faults_read, frame[0]);
	EXPECT_EQ(0, frame[2] & TF);
	vt_get(cpu, VITRO_STATE_CRS);
	EXPECT_EQ(0x7000001234, cpu->comm->state.crs.cr2);
	vt_jump(cpu, g_faults_2);
	step(cpu);
	frame = in_handler(cpu, BP, false);
	ASSERT_NE(NULL, frame);
	EXPECT_EQ((uintptr_t)g_faults_3, frame[0]);
	EXPECT_EQ(0, frame[2] & TF);
}

TEST(interrupts_wait)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_interrupts);

	ASSERT_EQ(1, vt_says(cpu));
	vt_msi(cpu->vm, VT_MSI, VECTOR);
	debug(cpu, VITRO_DEBUG_STEP);
	/* QEMU TCG makes no trap between STI and the next instruction. */
	if (!vendor_is_tcg())
		ASSERT_EQ((uintptr_t)g_interrupts_1, step(cpu));
	ASSERT_EQ((uintptr_t)g_interrupts_2, step(cpu));
	debug(cpu, 0);
	ASSERT_EQ(VECTOR, vt_trap(cpu));
	EXPECT_EQ((uintptr_t)g_interrupts_2, vt_frame(cpu)->rip);
	EXPECT_EQ(0, vt_frame(cpu)->rflags & TF);
	ASSERT_EQ(2, vt_says(cpu));
}

TEST(shadow_and_halt)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_shadows);

	debug(cpu, VITRO_DEBUG_STEP);
	ASSERT_EQ((uintptr_t)g_shadows_ss, step(cpu));
	ASSERT_EQ((uintptr_t)g_shadows_1, step(cpu));
	ASSERT_EQ((uintptr_t)g_shadows_2, step(cpu));
	cpu->comm->state.gprs.rflags |= 1 << 9;		/* IF: the HLT may end */
	vt_jump(cpu, g_shadows_hlt);
	ASSERT_EQ((uintptr_t)g_shadows_end, step(cpu));
	vt_get(cpu, VITRO_STATE_EVENTS);
	EXPECT_EQ(VITRO_MP_HALTED, cpu->comm->state.events.mp_state);
}

TEST(own_registers)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_own);

	debug(cpu, VITRO_DEBUG_STEP);
	ASSERT_TRUE(step_to(cpu, g_own_here));
	EXPECT_EQ((uintptr_t)g_own_here, cpu->gpr[VITRO_RBX]);
	EXPECT_EQ(0x404, cpu->gpr[VITRO_RCX]);
	EXPECT_EQ(0xffff0ff0, cpu->gpr[VITRO_RDX]);
	vt_get(cpu, VITRO_STATE_DRS);
	EXPECT_EQ((uintptr_t)g_own_here, cpu->comm->state.drs.dr[1]);
	EXPECT_EQ(0x404, cpu->comm->state.drs.dr7);
	debug(cpu, 0);
	vt_get(cpu, VITRO_STATE_DRS);
	EXPECT_EQ(0x404, cpu->comm->state.drs.dr7);
	if (vendor_is_tcg())
		SKIP(return, "QEMU TCG arms no breakpoints by VMRUN, only by MOV to DR7");
	ASSERT_EQ(DB, vt_trap(cpu));			/* in force again */
	EXPECT_EQ((uintptr_t)g_own_here, vt_frame(cpu)->rip);
	vt_frame(cpu)->rflags |= 1 << 16;
	ASSERT_EQ(VITRO_EXIT_HLT, vt_run(cpu));
}

TEST(breakpoints)
{
	struct vitro_debug hw = {
		.flags = VITRO_DEBUG_HW,
		.dr = { (uintptr_t)g_broken_here, 0, (uintptr_t)g_broken_var },
		.dr7 = 1 << 1 | 1 << 5 | 0xdU << 24,	/* G0 execution; G2 write of 4 bytes */
	};
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_broken);

	if (vendor_is_tcg())
		SKIP(return, "QEMU TCG arms no breakpoints by VMRUN, only by MOV to DR7");
	ASSERT_EQ(0, set_debug(cpu, &hw));
	ASSERT_EQ(1, vt_says(cpu));
	ASSERT_EQ(VITRO_EXIT_DEBUG, vt_run(cpu));
	EXPECT_EQ(VITRO_DEBUG_HW, cpu->comm->exit.debug.flags);
	EXPECT_EQ(1, cpu->comm->exit.debug.dr6 & 0xf);
	EXPECT_EQ((uintptr_t)g_broken_here, cpu->comm->state.gprs.rip);
	vt_get(cpu, VITRO_STATE_DRS);
	EXPECT_EQ(0xffff0ff0, cpu->comm->state.drs.dr6);	/* not the guest's business */
	EXPECT_EQ(0x400, cpu->comm->state.drs.dr7);
	EXPECT_EQ(0, cpu->comm->state.drs.dr[0]);
	cpu->comm->state.gprs.rflags |= 1 << 16;	/* RF: past it */
	cpu->comm->dirty |= VITRO_STATE_GPRS;
	ASSERT_EQ(VITRO_EXIT_DEBUG, vt_run(cpu));
	EXPECT_EQ(4, cpu->comm->exit.debug.dr6 & 0xf);
	EXPECT_EQ((uintptr_t)g_broken_written, cpu->comm->state.gprs.rip);
	hw.dr7 |= 2 << 24;				/* reads, too */
	ASSERT_EQ(0, set_debug(cpu, &hw));
	ASSERT_EQ(VITRO_EXIT_DEBUG, vt_run(cpu));
	EXPECT_EQ(4, cpu->comm->exit.debug.dr6 & 0xf);
	EXPECT_EQ((uintptr_t)g_broken_read, cpu->comm->state.gprs.rip);
	ASSERT_EQ(2, vt_says(cpu));
}

TEST(int3)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_int3);

	debug(cpu, VITRO_DEBUG_BP);
	ASSERT_EQ(VITRO_EXIT_DEBUG, vt_run(cpu));
	EXPECT_EQ(VITRO_DEBUG_BP, cpu->comm->exit.debug.flags);
	EXPECT_EQ((uintptr_t)g_int3, cpu->comm->state.gprs.rip);
	vt_raise(cpu, BP, -1);				/* the guest's own */
	ASSERT_EQ(BP, vt_trap(cpu));
	EXPECT_EQ((uintptr_t)g_int3_after, vt_frame(cpu)->rip);
	ASSERT_EQ(1, vt_says(cpu));
	vt_jump(cpu, g_int3);
	debug(cpu, 0);
	ASSERT_EQ(BP, vt_trap(cpu));			/* nobody asks any more */
	ASSERT_EQ(1, vt_says(cpu));
}

/* What is written between steps is what the next step goes by. */
TEST(registers_between_steps)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_steps);

	debug(cpu, VITRO_DEBUG_STEP | VITRO_DEBUG_BP);
	ASSERT_EQ((uintptr_t)g_steps_1, step(cpu));
	vt_jump(cpu, g_steps);
	ASSERT_EQ((uintptr_t)g_steps_1, step(cpu));
	*(uint8_t *)vt_ptr(cpu->vm, g_steps_1) = 0xcc;
	ASSERT_EQ(VITRO_EXIT_DEBUG, vt_run(cpu));
	EXPECT_EQ(VITRO_DEBUG_BP, cpu->comm->exit.debug.flags);
	EXPECT_EQ((uintptr_t)g_steps_1, cpu->comm->state.gprs.rip);
	*(uint8_t *)vt_ptr(cpu->vm, g_steps_1) = 0x90;
	ASSERT_EQ((uintptr_t)g_steps_2, step(cpu));
}

TEST(bad_arguments)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_steps);
	const struct vitro_debug bad[] = {
		{ .flags = 8 },
		{ .pad = 1 },
		{ .flags = VITRO_DEBUG_HW, .dr7 = 1ULL << 32 },
		{ .flags = VITRO_DEBUG_HW, .dr7 = 1 << 13 },	/* GD */
	};
	unsigned int i;

	for (i = 0; i < 4; i++)
		EXPECT_EQ(-EINVAL, set_debug(cpu, &bad[i])) TH_LOG("number %u", i);
}

TEST_HARNESS_MAIN
