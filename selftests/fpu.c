// SPDX-License-Identifier: GPL-2.0-or-later
/* FPU state: everybody's registers are their own, and XCR0 takes legal values only. */
#include "kselftest_harness.h"
#include <sys/syscall.h>
#include "vt.h"

GUEST(g_xmm);
GUEST(g_ymm);
GUEST(g_xsetbv);
GUEST(g_xsetbv_off);
GUEST(g_xcr0);
GUEST(g_state);
GUEST(g_ts);
GUEST(g_ts_insn);

#define XMM(cpu, n)	((uint64_t *)((cpu)->comm->state.fpu.xsave + 160 + 16 * (n)))
#define MXCSR(cpu)	((uint32_t *)((cpu)->comm->state.fpu.xsave + 24))
#define XSTATE_BV(cpu)	((uint64_t *)((cpu)->comm->state.fpu.xsave + 512))
#define XCOMP_BV(cpu)	(XSTATE_BV(cpu) + 1)

/* Two vCPUs of two VMs in turns, and this process with values of its own. */
TEST(xmm_isolated)
{
	struct vt_cpu *a = vt_boot(VT_LONG, g_xmm), *b = vt_boot(VT_LONG, g_xmm);

	a->gpr[VITRO_RBX] = 0xaaaaaaaa00000000;
	b->gpr[VITRO_RBX] = 0xbbbbbbbb00000000;
	ASSERT_EQ(1, vt_says(a));
	ASSERT_EQ(1, vt_says(b));
	asm volatile("pxor %%xmm0, %%xmm0\n\tpxor %%xmm14, %%xmm14" ::: "xmm0", "xmm14");
	ASSERT_EQ(0, vt_says(a));
	ASSERT_EQ(0, vt_says(b));
}

TEST(ymm_isolated)
{
	struct vt_cpu *a = vt_boot(VT_LONG, g_ymm), *b = vt_boot(VT_LONG, g_ymm);

	if ((a->vm->info.xcr0 & 7) != 7)
		SKIP(return, "this CPU has no AVX");
	a->gpr[VITRO_RBX] = 0xaaaaaaaa00000000;
	b->gpr[VITRO_RBX] = 0xbbbbbbbb00000000;
	ASSERT_EQ(1, vt_says(a));
	ASSERT_EQ(1, vt_says(b));
	ASSERT_EQ(1, vt_says(a));
	ASSERT_EQ(1, vt_says(b));
}

/* A system call preserves the vector registers; VITRO_RUN is one. */
TEST(host_registers_survive)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_xmm);
	uint64_t before = 0x1122334455667788, low, high;
	long ret;

	cpu->gpr[VITRO_RBX] = 0xaaaaaaaa00000000;
	do {
		ret = SYS_ioctl;
		asm volatile("movq %[before], %%xmm3\n\t"
			     "movq %[before], %%xmm14\n\t"
			     "syscall\n\t"
			     "movq %%xmm3, %[low]\n\t"
			     "movq %%xmm14, %[high]"
			     : "+a"(ret), [low] "=&r"(low), [high] "=&r"(high)
			     : "D"((long)cpu->fd), "S"((long)VITRO_RUN), "d"(0L),
			       [before] "r"(before)
			     : "rcx", "r11", "xmm3", "xmm14", "memory");
		ASSERT_EQ(0, ret);
	} while (cpu->comm->exit.reason == VITRO_EXIT_INTR);
	EXPECT_EQ(VITRO_EXIT_IO, cpu->comm->exit.reason);
	EXPECT_EQ(before, low);
	EXPECT_EQ(before, high);
}

/* XCR0: x87 always; AVX only with SSE; only what vitro_info.xcr0 has (SDM 1 13.3). */
TEST(xsetbv)
{
	static const struct {
		uint64_t xcr0;
		uint32_t index;
		bool refused;
	} cases[] = {
		{ 1, 0, false }, { 3, 0, false }, { 0, 0, true }, { 2, 0, true },
		{ 5, 0, true }, { 1ULL << 63 | 3, 0, true }, { 1ULL << 40 | 3, 0, true },
		{ 3, 1, true },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct vt_cpu *cpu = vt_boot(VT_LONG, g_xsetbv);
		uint64_t want = cases[i].xcr0;

		if (!cpu->vm->info.xcr0)
			SKIP(return, "this CPU has no XSAVE");
		cpu->gpr[VITRO_RAX] = (uint32_t)want;
		cpu->gpr[VITRO_RDX] = want >> 32;
		cpu->gpr[VITRO_RCX] = cases[i].index;
		if (cases[i].refused) {
			ASSERT_EQ(13, vt_trap(cpu)) TH_LOG("case %zu", i);
			want = 1;			/* as after power-on */
		} else {
			ASSERT_EQ(want, vt_says(cpu)) TH_LOG("case %zu", i);
		}
		vt_get(cpu, VITRO_STATE_CRS);
		EXPECT_EQ(want, cpu->comm->state.crs.xcr0) TH_LOG("case %zu", i);
	}
}

static uint64_t xgetbv(void)
{
	uint32_t low, high;

	asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return (uint64_t)high << 32 | low;
}

/* The guest keeps its XCR0, and this process its own, through all exits. */
TEST(xcr0_switched)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_xcr0);
	uint64_t xcr0;

	if ((cpu->vm->info.xcr0 & 7) != 7)
		SKIP(return, "this CPU has no AVX");
	xcr0 = xgetbv();
	ASSERT_EQ(3, vt_says(cpu));
	EXPECT_EQ(xcr0, xgetbv());
	ASSERT_EQ(3, vt_says(cpu));
	EXPECT_EQ(xcr0, xgetbv());
}

TEST(xsetbv_without_osxsave)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_xsetbv_off);

	ASSERT_EQ(6, vt_trap(cpu));
}

/* What is loaded is what the guest has, and what it leaves can be read. */
TEST(state_group)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_state);

	vt_get(cpu, VITRO_STATE_FPU);
	EXPECT_EQ(0x1f80, *MXCSR(cpu));			/* after power-on */
	XMM(cpu, 3)[0] = 0xfeed;
	*XSTATE_BV(cpu) |= 3;
	*MXCSR(cpu) = 0x3f80;
	cpu->comm->dirty |= VITRO_STATE_FPU;
	ASSERT_EQ(0xfeed, vt_says(cpu));
	ASSERT_EQ(0x3f80, vt_says(cpu));
	memset(&cpu->comm->state.fpu, 0, sizeof(cpu->comm->state.fpu));
	vt_get(cpu, VITRO_STATE_FPU);
	EXPECT_EQ(0x600d, XMM(cpu, 3)[0]);
	EXPECT_EQ(0x3f80, *MXCSR(cpu));
}

/* A component whose XSTATE_BV bit is clear is in its initial state: zero. */
TEST(initial_state)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_state);

	vt_get(cpu, VITRO_STATE_FPU);
	XMM(cpu, 3)[0] = 0xfeed;
	*XSTATE_BV(cpu) &= ~2ULL;
	cpu->comm->dirty |= VITRO_STATE_FPU;
	ASSERT_EQ(0, vt_says(cpu));
}

TEST(state_refused)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_state);

	vt_get(cpu, VITRO_STATE_FPU);
	*MXCSR(cpu) = 0x10000;
	EXPECT_EQ(-EINVAL, vt_set(cpu, VITRO_STATE_FPU)) TH_LOG("reserved MXCSR bit");
	*MXCSR(cpu) = 0x1f80;
	*XSTATE_BV(cpu) |= 1ULL << 62;
	EXPECT_EQ(-EINVAL, vt_set(cpu, VITRO_STATE_FPU)) TH_LOG("unknown component");
	*XSTATE_BV(cpu) &= 3;
	*XCOMP_BV(cpu) = 1ULL << 63;
	EXPECT_EQ(-EINVAL, vt_set(cpu, VITRO_STATE_FPU)) TH_LOG("compacted format");
	*XCOMP_BV(cpu) = 0;
	EXPECT_EQ(0, vt_set(cpu, VITRO_STATE_FPU));
}

TEST(task_switched)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_ts);

	ASSERT_EQ(7, vt_trap(cpu));
	EXPECT_EQ((uintptr_t)g_ts_insn, vt_frame(cpu)->rip);
}

TEST_HARNESS_MAIN
