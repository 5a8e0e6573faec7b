// SPDX-License-Identifier: GPL-2.0-or-later
/* State groups: after power-on, round trips, what is refused; and the other exits. */
#include "kselftest_harness.h"
#include "vendor.h"

GUEST(g_say);
GUEST(g_hypercall);
GUEST(g_hypercall32);
GUEST(g_hypercall_user);
GUEST(g_vmload);

/* SDM 3A table 10-1, APM 2 table 14-1. */
TEST(power_on)
{
	struct vt_cpu *cpu = vt_cpu(vt_vm(), 0);
	struct vitro_state *s = &cpu->comm->state;

	vt_get(cpu, VITRO_STATE_ALL);
	EXPECT_EQ(0xfff0, s->gprs.rip);
	EXPECT_EQ(2, s->gprs.rflags);
	EXPECT_EQ(0xf000, s->segs.seg[VITRO_CS].selector);
	EXPECT_EQ(0xffff0000, s->segs.seg[VITRO_CS].base);
	EXPECT_EQ(0xffff, s->segs.seg[VITRO_CS].limit);
	EXPECT_EQ(0, s->segs.seg[VITRO_DS].base);
	EXPECT_EQ(0xffff, s->segs.gdtr.limit);
	EXPECT_EQ(0xffff, s->segs.idtr.limit);
	EXPECT_EQ(0x60000010, s->crs.cr0);
	EXPECT_EQ(0, s->crs.cr3);
	EXPECT_EQ(0, s->crs.cr4);
	EXPECT_EQ(0, s->crs.cr8);
	EXPECT_EQ(0, s->crs.efer);
	EXPECT_EQ(1, s->crs.xcr0);
	EXPECT_EQ(0x0007040600070406, s->msrs.pat);
	EXPECT_EQ(0xfee00900, s->msrs.apic_base);
	EXPECT_EQ(0, s->msrs.lstar);
	EXPECT_EQ(0, s->msrs.kvm_system_time);
	EXPECT_EQ(VITRO_MP_RUNNABLE, s->events.mp_state);
	EXPECT_EQ(0, s->events.exc_pending);
	EXPECT_EQ(0, s->events.nmi_pending);
	EXPECT_EQ(VITRO_EXIT_NONE, cpu->comm->exit.reason);
}

/* Every group that is read and loaded again unchanged reads the same afterwards. */
TEST(round_trip)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_say);
	struct vitro_state *s = &cpu->comm->state, *before = malloc(sizeof(*s));
	const uint64_t mask = VITRO_STATE_ALL & ~VITRO_STATE_TIME;

	ASSERT_EQ(1, vt_says(cpu));
	cpu->comm->dirty = 0;
	vt_get(cpu, mask);
	s->msrs.star = 0x1122334455667788;
	s->msrs.lstar = 0xffffffff81000000;
	s->msrs.cstar = 0x7fffffffffff;
	s->msrs.sfmask = 0x47700;
	s->msrs.kernel_gs_base = 0xffff888000000000;
	s->msrs.sysenter_cs = 0x10;
	s->msrs.sysenter_esp = 0xffffc90000000000;
	s->msrs.sysenter_eip = 0xffffffff81000100;
	s->msrs.tsc_aux = 0x1234;
	s->msrs.pat = 0x0407010500070106;
	s->segs.seg[VITRO_FS].base = 0x7f0000001000;
	s->segs.seg[VITRO_GS].base = 0xffff888000001000;
	s->segs.seg[VITRO_LDTR] = (struct vitro_segment){ .selector = 0x50, .attrib = 0x82,
							   .limit = 0x1f, .base = 0x3000 };
	s->crs.cr2 = 0x7fff00001234;
	s->crs.cr8 = 3;
	s->gprs.gpr[VITRO_R15] = 0xf15f15f15f15;
	memcpy(before, s, sizeof(*s));
	ASSERT_EQ(0, vt_set(cpu, mask));
	memset(s, 0xaa, sizeof(*s));
	vt_get(cpu, mask);
	EXPECT_EQ(0, memcmp(&before->gprs, &s->gprs, sizeof(s->gprs)));
	EXPECT_EQ(0, memcmp(&before->segs, &s->segs, sizeof(s->segs)));
	EXPECT_EQ(0, memcmp(&before->crs, &s->crs, sizeof(s->crs)));
	EXPECT_EQ(0, memcmp(&before->drs, &s->drs, sizeof(s->drs)));
	EXPECT_EQ(0, memcmp(&before->msrs, &s->msrs, sizeof(s->msrs)));
	EXPECT_EQ(0, memcmp(&before->events, &s->events, sizeof(s->events)));
	EXPECT_EQ(0, memcmp(&before->fpu, &s->fpu, cpu->vm->info.xsave_size));
}

/* Only what was asked for is touched, in both directions. */
TEST(masks)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_say);
	struct vitro_state *s = &cpu->comm->state;

	ASSERT_EQ(1, vt_says(cpu));
	s->crs.cr3 = 0x1234;
	vt_get(cpu, VITRO_STATE_GPRS | VITRO_STATE_SEGS);
	EXPECT_EQ(0x1234, s->crs.cr3);
	s->gprs.gpr[VITRO_RBX] = 77;
	s->crs.cr2 = 99;
	ASSERT_EQ(0, vt_set(cpu, VITRO_STATE_GPRS));
	vt_get(cpu, VITRO_STATE_GPRS | VITRO_STATE_CRS);
	EXPECT_EQ(77, s->gprs.gpr[VITRO_RBX]);
	EXPECT_EQ(0, s->crs.cr2);
	EXPECT_EQ(PML4, s->crs.cr3);
}

/* RFLAGS bit 1 is always set (SDM 1 3.4.3). */
TEST(rflags_bit_1)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_say);

	cpu->comm->state.gprs.rflags = 0;
	ASSERT_EQ(1, vt_says(cpu));
	EXPECT_EQ(2, cpu->comm->state.gprs.rflags);
}

/* What MOV to a control register, WRMSR or XSETBV would refuse is refused here. */
TEST(crs_refused)
{
	static const struct {
		size_t reg;
		uint64_t value;
		const char *why;
	} cases[] = {
		{ offsetof(struct vitro_crs, cr0), 0x80000010, "PG without PE" },
		{ offsetof(struct vitro_crs, cr0), 0xa0010031, "NW without CD" },
		{ offsetof(struct vitro_crs, cr0), 0x180010031, "CR0 bit 32" },
		{ offsetof(struct vitro_crs, cr3), 1ULL << 60, "CR3 beyond MAXPHYADDR" },
		{ offsetof(struct vitro_crs, cr4), 0x2620, "VMXE" },
		{ offsetof(struct vitro_crs, cr4), 1ULL << 40 | 0x620, "CR4 bit 40" },
		{ offsetof(struct vitro_crs, cr8), 16, "CR8 bit 4" },
		{ offsetof(struct vitro_crs, efer), 0x1500, "SVME" },
		{ offsetof(struct vitro_crs, efer), 0x502, "EFER bit 1" },
		{ offsetof(struct vitro_crs, xcr0), 0, "XCR0 without x87" },
		{ offsetof(struct vitro_crs, xcr0), 5, "AVX without SSE" },
		{ offsetof(struct vitro_crs, xcr0), 1ULL << 50 | 1, "XCR0 bit 50" },
	};
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_say);
	size_t i;

	ASSERT_EQ(1, vt_says(cpu));
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		vt_get(cpu, VITRO_STATE_CRS);
		*(__u64 *)((char *)&cpu->comm->state.crs + cases[i].reg) = cases[i].value;
		EXPECT_EQ(-EINVAL, vt_set(cpu, VITRO_STATE_CRS)) TH_LOG("%s", cases[i].why);
	}
	vt_get(cpu, VITRO_STATE_CRS);
	EXPECT_EQ(0, vt_set(cpu, VITRO_STATE_CRS));
	ASSERT_EQ(VITRO_EXIT_HLT, vt_run(cpu));
}

TEST(msrs_refused)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_say);
	struct vitro_msrs *m = &cpu->comm->state.msrs;
	const uint64_t noncanonical = 0x0001000000000000;

	vt_get(cpu, VITRO_STATE_MSRS);
	m->pat = 2;
	EXPECT_EQ(-EINVAL, vt_set(cpu, VITRO_STATE_MSRS)) TH_LOG("pat");
	vt_get(cpu, VITRO_STATE_MSRS);
	m->lstar = noncanonical;
	EXPECT_EQ(-EINVAL, vt_set(cpu, VITRO_STATE_MSRS)) TH_LOG("lstar");
	vt_get(cpu, VITRO_STATE_MSRS);
	m->kernel_gs_base = noncanonical;
	EXPECT_EQ(-EINVAL, vt_set(cpu, VITRO_STATE_MSRS)) TH_LOG("kernel_gs_base");
	vt_get(cpu, VITRO_STATE_MSRS);
	m->sysenter_eip = noncanonical;
	EXPECT_EQ(-EINVAL, vt_set(cpu, VITRO_STATE_MSRS)) TH_LOG("sysenter_eip");
	vt_get(cpu, VITRO_STATE_MSRS);
	m->apic_base = 0xfed00900;
	EXPECT_EQ(-EINVAL, vt_set(cpu, VITRO_STATE_MSRS)) TH_LOG("apic_base");
	vt_get(cpu, VITRO_STATE_MSRS);
	m->tsc_aux = 1ULL << 32;
	EXPECT_EQ(-EINVAL, vt_set(cpu, VITRO_STATE_MSRS)) TH_LOG("tsc_aux");
	vt_get(cpu, VITRO_STATE_MSRS);
	EXPECT_EQ(0, vt_set(cpu, VITRO_STATE_MSRS));
}

/*
 * A refused dirty group: VITRO_RUN gives EINVAL and loads none of them, not even
 * those that are good; corrected, all are loaded.
 */
TEST(run_refuses_all_or_nothing)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_say);
	struct vitro_state *s = &cpu->comm->state;

	s->gprs.gpr[VITRO_RBX] = 0xbad;
	s->crs.cr8 = 16;
	EXPECT_EQ(-EINVAL, vt_ioctl(cpu->fd, VITRO_RUN, NULL));
	EXPECT_EQ(VITRO_EXIT_NONE, cpu->comm->exit.reason);
	EXPECT_EQ(VITRO_STATE_GPRS | VITRO_STATE_SEGS | VITRO_STATE_CRS, cpu->comm->dirty);
	vt_get(cpu, VITRO_STATE_GPRS);
	EXPECT_EQ(0, s->gprs.gpr[VITRO_RBX]);
	EXPECT_EQ(0xfff0, s->gprs.rip);
	vt_set_mode(cpu, VT_LONG, g_say);
	ASSERT_EQ(1, vt_says(cpu));
	EXPECT_EQ(VITRO_STATE_GPRS, cpu->comm->dirty);	/* of vt_finish() */
	/* A group that does not exist. */
	cpu->comm->dirty |= 1ULL << 20;
	EXPECT_EQ(-EINVAL, vt_ioctl(cpu->fd, VITRO_RUN, NULL));
}

/*
 * Groups that are good by themselves and do not fit each other are the CPU's to
 * refuse (APM 2 15.5.1): that is an exit, and with good state the vCPU runs again.
 */
TEST(entry_failure)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_say);

	cpu->comm->state.segs.seg[VITRO_CS].attrib |= VITRO_SEG_DB;	/* L and D */
	ASSERT_EQ(VITRO_EXIT_FAIL_ENTRY, vt_run(cpu)) vt_dump(cpu);
	vt_set_mode(cpu, VT_LONG, g_say);
	cpu->comm->state.crs.cr4 = 0;			/* no PAE in long mode */
	ASSERT_EQ(VITRO_EXIT_FAIL_ENTRY, vt_run(cpu)) vt_dump(cpu);
	vt_set_mode(cpu, VT_LONG, g_say);
	ASSERT_EQ(1, vt_says(cpu));
}

/* Groups asked for by wanted come with every exit, and no others are promised. */
TEST(wanted)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_say);
	struct vitro_state *s = &cpu->comm->state;

	cpu->comm->wanted = VITRO_STATE_CRS | VITRO_STATE_MSRS;
	ASSERT_EQ(VITRO_EXIT_IO, vt_run(cpu));
	EXPECT_EQ(VITRO_STATE_GPRS | VITRO_STATE_CRS | VITRO_STATE_MSRS,
		  cpu->comm->valid & (VITRO_STATE_GPRS | VITRO_STATE_CRS | VITRO_STATE_MSRS));
	EXPECT_EQ(0xfee00900, s->msrs.apic_base);
	cpu->comm->wanted = 0;
	s->msrs.apic_base = 0x1234;
	ASSERT_EQ(VITRO_EXIT_IO, vt_run(cpu));
	EXPECT_EQ(0, cpu->comm->valid & VITRO_STATE_MSRS);
	EXPECT_EQ(0x1234, s->msrs.apic_base);
}

TEST(hypercall)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_hypercall);
	struct vitro_exit *e = &cpu->comm->exit;

	vendor_hypercall(cpu->vm, g_hypercall);
	cpu->gpr[VITRO_RAX] = 0x1111111122222222;
	cpu->gpr[VITRO_RBX] = 0x3333333344444444;
	cpu->gpr[VITRO_RCX] = 3;
	cpu->gpr[VITRO_RDX] = 4;
	cpu->gpr[VITRO_RSI] = 5;
	ASSERT_EQ(VITRO_EXIT_HYPERCALL, vt_run(cpu)) vt_dump(cpu);
	EXPECT_EQ(0x1111111122222222, e->hypercall.nr);
	EXPECT_EQ(0x3333333344444444, e->hypercall.args[0]);
	EXPECT_EQ(3, e->hypercall.args[1]);
	EXPECT_EQ(4, e->hypercall.args[2]);
	EXPECT_EQ(5, e->hypercall.args[3]);
	EXPECT_EQ(3, e->insn_len);
	cpu->gpr[VITRO_RAX] = 9;
	vt_finish(cpu);
	ASSERT_EQ(9, vt_says(cpu));
}

/* Outside of 64-bit mode, registers have 32 bits. */
TEST(hypercall_32bit)
{
	struct vt_cpu *cpu = vt_boot(VT_PROT, g_hypercall32);
	struct vitro_exit *e = &cpu->comm->exit;

	vendor_hypercall(cpu->vm, g_hypercall32);
	cpu->gpr[VITRO_RAX] = 0x1111111122222222;
	cpu->gpr[VITRO_RBX] = 0x3333333344444444;
	ASSERT_EQ(VITRO_EXIT_HYPERCALL, vt_run(cpu)) vt_dump(cpu);
	EXPECT_EQ(0x22222222, e->hypercall.nr);
	EXPECT_EQ(0x44444444, e->hypercall.args[0]);
}

/* A guest's user programs cannot reach userspace: they get -1, KVM's EPERM. */
TEST(hypercall_from_user)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_hypercall_user);

	vendor_hypercall(cpu->vm, g_hypercall);
	ASSERT_EQ(13, vt_trap(cpu));			/* the OUT behind it */
	EXPECT_EQ((uintptr_t)g_hypercall + 3, vt_frame(cpu)->rip);
	EXPECT_EQ(-1ULL, vt_frame(cpu)->rax);
}

/* No nested virtualization: its instructions do not exist. */
TEST(no_nested_instructions)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_vmload);

	ASSERT_EQ(6, vt_trap(cpu));
}

/* The counters count: two exits to userspace, of which one was IO and one HLT. */
TEST(stats)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_say);
	struct vitro_stats stats = {};

	ASSERT_EQ(1, vt_says(cpu));
	ASSERT_EQ(VITRO_EXIT_HLT, vt_run(cpu));
	ASSERT_EQ(0, vt_ioctl(cpu->vm->fd, VITRO_STATS, &stats));
	EXPECT_EQ(2, stats.counter[VITRO_STAT_RUNS]);
	EXPECT_EQ(2, stats.counter[VITRO_STAT_TO_USER]);
	EXPECT_EQ(1, stats.counter[VITRO_STAT_EXIT_IO]);
	EXPECT_EQ(1, stats.counter[VITRO_STAT_EXIT_HLT]);
	EXPECT_LE(2, stats.counter[VITRO_STAT_BURSTS]);
	EXPECT_LE(1, stats.counter[VITRO_STAT_PAGES_MAPPED]);
	stats.vcpu = 7;
	EXPECT_EQ(-ENOENT, vt_ioctl(cpu->vm->fd, VITRO_STATS, &stats));
}

TEST_HARNESS_MAIN
