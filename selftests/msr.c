// SPDX-License-Identifier: GPL-2.0-or-later
/* Model-specific registers: those vitro knows, those it refuses, and the others. */
#include "kselftest_harness.h"
#include "vt.h"

GUEST(g_rdmsr);
GUEST(g_rdmsr_end);
GUEST(g_wrmsr);
GUEST(g_wrmsr_end);
GUEST(g_bases);
GUEST(g_syscall);
GUEST(g_syscall_after);
GUEST(g_rdtscp);

#define MSR_TSC			0x10
#define MSR_APIC_BASE		0x1b
#define MSR_SYSENTER_CS		0x174
#define MSR_SYSENTER_ESP	0x175
#define MSR_SYSENTER_EIP	0x176
#define MSR_PAT			0x277
#define MSR_EFER		0xc0000080
#define MSR_STAR		0xc0000081
#define MSR_LSTAR		0xc0000082
#define MSR_CSTAR		0xc0000083
#define MSR_SFMASK		0xc0000084
#define MSR_KERNEL_GS_BASE	0xc0000102
#define MSR_TSC_AUX		0xc0000103
#define MSR_UNKNOWN		0xc0de0001

#define GP			13
#define OK			0

/*
 * WRMSR in the guest: OK, GP, or VT_NOTHING for anything else.  The GPRs have to
 * be valid: the vCPU is fresh from vt_boot() or comes from one of these.
 */
static uint64_t wrmsr(struct vt_cpu *cpu, uint32_t index, uint64_t value)
{
	struct vitro_exit *e = &cpu->comm->exit;

	cpu->gpr[VITRO_RCX] = index;
	cpu->gpr[VITRO_RAX] = (uint32_t)value;
	cpu->gpr[VITRO_RDX] = value >> 32;
	cpu->gpr[VITRO_RSP] = STACK_TOP;
	vt_jump(cpu, g_wrmsr);
	if (vt_run(cpu) != VITRO_EXIT_IO)
		return VT_NOTHING;
	return e->io.port == PORT_TRAP ? e->io.data : OK;
}

/* RDMSR in the guest, likewise; the value goes to *value. */
static uint64_t rdmsr(struct vt_cpu *cpu, uint32_t index, uint64_t *value)
{
	struct vitro_exit *e = &cpu->comm->exit;

	cpu->gpr[VITRO_RCX] = index;
	cpu->gpr[VITRO_RSP] = STACK_TOP;
	vt_jump(cpu, g_rdmsr);
	if (vt_run(cpu) != VITRO_EXIT_IO)
		return VT_NOTHING;
	*value = cpu->gpr[VITRO_RDX] << 32 | (uint32_t)cpu->gpr[VITRO_RAX];
	return e->io.port == PORT_TRAP ? e->io.data : OK;
}

TEST(segment_bases)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_bases);

	*(uint32_t *)(cpu->vm->mem + FREE_MEM + 0x100) = 1;
	*(uint32_t *)(cpu->vm->mem + FREE_MEM + 0x200) = 2;
	ASSERT_EQ(1, vt_says(cpu));
	/* The state groups see the same registers. */
	vt_get(cpu, VITRO_STATE_SEGS | VITRO_STATE_MSRS);
	EXPECT_EQ(0x1200000000 + FREE_MEM, cpu->comm->state.segs.seg[VITRO_FS].base);
	EXPECT_EQ(FREE_MEM + 0x100, cpu->comm->state.segs.seg[VITRO_GS].base);
	EXPECT_EQ(FREE_MEM + 0x200, cpu->comm->state.msrs.kernel_gs_base);
	ASSERT_EQ(2, vt_says(cpu));
	/* After SWAPGS, which does not exit, too. */
	vt_get(cpu, VITRO_STATE_SEGS | VITRO_STATE_MSRS);
	EXPECT_EQ(FREE_MEM + 0x200, cpu->comm->state.segs.seg[VITRO_GS].base);
	EXPECT_EQ(FREE_MEM + 0x100, cpu->comm->state.msrs.kernel_gs_base);
	ASSERT_EQ(1, vt_says(cpu));
}

TEST(syscall_and_sysret)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_syscall);

	ASSERT_EQ((SEL_USER_CODE | 3) << 16 | SEL_CODE64, vt_says(cpu));
	ASSERT_EQ((uintptr_t)g_syscall_after, vt_says(cpu));
	ASSERT_EQ(0, vt_says(cpu) & 0x400);
	ASSERT_EQ(0x400, vt_says(cpu) & 0x400);
}

/*
 * MSRs that the guest accesses without an exit: two vCPUs of two VMs, run in
 * turns, keep their own, and so does this process: it goes on making syscalls.
 */
TEST(isolated_between_vcpus)
{
	static const uint32_t msrs[] = {
		MSR_STAR, MSR_LSTAR, MSR_CSTAR, MSR_SFMASK, MSR_KERNEL_GS_BASE, MSR_TSC_AUX,
		MSR_SYSENTER_CS, MSR_SYSENTER_ESP, MSR_SYSENTER_EIP,
	};
	struct vt_cpu *cpu[2] = { vt_boot(VT_LONG, g_wrmsr), vt_boot(VT_LONG, g_wrmsr) };
	uint64_t value;
	size_t i;
	int c;

	for (i = 0; i < ARRAY_SIZE(msrs); i++)
		for (c = 0; c < 2; c++)
			ASSERT_EQ(OK, wrmsr(cpu[c], msrs[i], 0x1000 * (i + 1) + c))
				TH_LOG("msr %#x", msrs[i]);
	for (i = 0; i < ARRAY_SIZE(msrs); i++)
		for (c = 0; c < 2; c++) {
			ASSERT_EQ(OK, rdmsr(cpu[c], msrs[i], &value));
			EXPECT_EQ(0x1000 * (i + 1) + c, value)
				TH_LOG("msr %#x of vCPU %d", msrs[i], c);
		}
}

TEST(efer)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_wrmsr);
	uint64_t value;

	ASSERT_EQ(OK, rdmsr(cpu, MSR_EFER, &value));
	EXPECT_EQ(0x500, value);			/* SVME is the host's, and hidden */
	ASSERT_EQ(OK, wrmsr(cpu, MSR_EFER, 0xd01));	/* NXE, SCE */
	ASSERT_EQ(OK, rdmsr(cpu, MSR_EFER, &value));
	EXPECT_EQ(0xd01, value);
	EXPECT_EQ(GP, wrmsr(cpu, MSR_EFER, 0x502));	/* reserved bit 1 */
	EXPECT_EQ(GP, wrmsr(cpu, MSR_EFER, 0x1500));	/* SVME: no nesting */
	EXPECT_EQ(GP, wrmsr(cpu, MSR_EFER, 0x8000000000000500));
	EXPECT_EQ(GP, wrmsr(cpu, MSR_EFER, 0));		/* LME while paging is on */
	ASSERT_EQ(OK, rdmsr(cpu, MSR_EFER, &value));
	EXPECT_EQ(0xd01, value);
}

/* The eight PAT entries are 0, 1, 4, 5, 6 or 7; 2 and 3 are reserved (APM 2 7.8.1). */
TEST(pat)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_wrmsr);
	uint64_t value;

	ASSERT_EQ(OK, rdmsr(cpu, MSR_PAT, &value));
	EXPECT_EQ(0x0007040600070406, value);		/* after power-on */
	ASSERT_EQ(OK, wrmsr(cpu, MSR_PAT, 0x0007050100070406));
	EXPECT_EQ(GP, wrmsr(cpu, MSR_PAT, 0x0007040600070402));
	EXPECT_EQ(GP, wrmsr(cpu, MSR_PAT, 0x0307040600070406));
	EXPECT_EQ(GP, wrmsr(cpu, MSR_PAT, 0x000704060007040e));
	ASSERT_EQ(OK, rdmsr(cpu, MSR_PAT, &value));
	EXPECT_EQ(0x0007050100070406, value);
}

/* The base cannot move, and x2APIC does not go back to xAPIC (SDM 3A 11.12.5). */
TEST(apic_base)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_wrmsr);
	uint64_t value;

	ASSERT_EQ(OK, rdmsr(cpu, MSR_APIC_BASE, &value));
	EXPECT_EQ(0xfee00900, value);			/* enabled, bootstrap processor */
	EXPECT_EQ(GP, wrmsr(cpu, MSR_APIC_BASE, 0xfed00900));
	EXPECT_EQ(GP, wrmsr(cpu, MSR_APIC_BASE, 0xfee00901));
	EXPECT_EQ(GP, wrmsr(cpu, MSR_APIC_BASE, 0xfee00500));	/* x2APIC, not enabled */
	ASSERT_EQ(OK, wrmsr(cpu, MSR_APIC_BASE, 0xfee00d00));
	EXPECT_EQ(GP, wrmsr(cpu, MSR_APIC_BASE, 0xfee00900));
	ASSERT_EQ(OK, wrmsr(cpu, MSR_APIC_BASE, 0xfee00100));	/* off: allowed */
	ASSERT_EQ(OK, rdmsr(cpu, MSR_APIC_BASE, &value));
	EXPECT_EQ(0xfee00100, value);
}

/* The guest's time-stamp counter takes what is written, and goes on from there. */
TEST(tsc)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_wrmsr);
	uint64_t value;

	ASSERT_EQ(OK, wrmsr(cpu, MSR_TSC, 0x1000000000000));
	ASSERT_EQ(OK, rdmsr(cpu, MSR_TSC, &value));
	EXPECT_LT(0x1000000000000, value);
	EXPECT_GT(0x1000000000000 + cpu->vm->info.tsc_khz * 1000ULL * VT_SECONDS, value);
}

TEST(tsc_aux)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_rdtscp);

	ASSERT_EQ(0xa5a5, vt_says(cpu));
	vt_get(cpu, VITRO_STATE_MSRS);
	EXPECT_EQ(0xa5a5, cpu->comm->state.msrs.tsc_aux);
}

/* An MSR that the kernel side does not know is userspace's: it may give a value, */
TEST(unknown_read)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_rdmsr);
	struct vitro_exit *e = &cpu->comm->exit;

	cpu->gpr[VITRO_RCX] = MSR_UNKNOWN;
	ASSERT_EQ(VITRO_EXIT_RDMSR, vt_run(cpu)) vt_dump(cpu);
	EXPECT_EQ(MSR_UNKNOWN, e->msr.index);
	EXPECT_EQ(2, e->insn_len);
	cpu->gpr[VITRO_RAX] = 0x1111;
	cpu->gpr[VITRO_RDX] = 0x2222;
	vt_finish(cpu);
	ASSERT_EQ(VITRO_EXIT_IO, vt_run(cpu));
	EXPECT_EQ(0x1111, cpu->gpr[VITRO_RAX]);
	EXPECT_EQ(0x2222, cpu->gpr[VITRO_RDX]);
}

/* take one, */
TEST(unknown_write)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_wrmsr);
	struct vitro_exit *e = &cpu->comm->exit;

	cpu->gpr[VITRO_RCX] = MSR_UNKNOWN;
	cpu->gpr[VITRO_RAX] = 0xffffffff89abcdef;	/* only EAX and EDX count */
	cpu->gpr[VITRO_RDX] = 0xffffffff01234567;
	ASSERT_EQ(VITRO_EXIT_WRMSR, vt_run(cpu)) vt_dump(cpu);
	EXPECT_EQ(MSR_UNKNOWN, e->msr.index);
	EXPECT_EQ(0x0123456789abcdef, e->msr.data);
	EXPECT_EQ(2, e->insn_len);
	vt_finish(cpu);
	ASSERT_EQ(VITRO_EXIT_IO, vt_run(cpu));
}

/* or refuse it: #GP(0), at the instruction. */
TEST(unknown_refused)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_rdmsr);

	cpu->gpr[VITRO_RCX] = MSR_UNKNOWN;
	ASSERT_EQ(VITRO_EXIT_RDMSR, vt_run(cpu));
	vt_raise(cpu, GP, 0);
	ASSERT_EQ(GP, vt_trap(cpu));
	EXPECT_EQ((uintptr_t)g_rdmsr, vt_frame(cpu)->rip);
	EXPECT_EQ(0, vt_frame(cpu)->error);
}

TEST_HARNESS_MAIN
