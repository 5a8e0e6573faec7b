// SPDX-License-Identifier: GPL-2.0-or-later
/* CPUID: vitro's table, changes to it, and the answers that depend on state. */
#include "kselftest_harness.h"
#include "vt.h"

GUEST(g_cpuid);
GUEST(g_osxsave);
GUEST(g_xsave_size);

struct regs {
	uint32_t eax, ebx, ecx, edx;
};

/* Asks the guest, which has to be in g_cpuid. */
static struct regs ask(struct vt_cpu *cpu, uint32_t leaf, uint32_t subleaf)
{
	cpu->gpr[VITRO_RAX] = leaf;
	cpu->gpr[VITRO_RCX] = subleaf;
	cpu->comm->dirty |= VITRO_STATE_GPRS;
	if (vt_run(cpu) != VITRO_EXIT_IO)
		vt_die("exit %u", cpu->comm->exit.reason);
	vt_finish(cpu);
	return (struct regs){ cpu->gpr[VITRO_RAX], cpu->gpr[VITRO_RBX], cpu->gpr[VITRO_RCX],
			      cpu->gpr[VITRO_RDX] };
}

static struct vitro_cpuid_entry table[VITRO_MAX_CPUID];

/* Fetches vitro's own table; returns its length. */
static unsigned int get_table(struct vt_vm *vm)
{
	struct vitro_info info = { .nr_cpuid = VITRO_MAX_CPUID, .cpuid = (uintptr_t)table };
	int ret = vt_ioctl(vm->dev, VITRO_GET_INFO, &info);

	if (ret)
		vt_die("VITRO_GET_INFO: %s", strerror(-ret));
	return info.nr_cpuid;
}

static struct vitro_cpuid_entry *find(unsigned int nr, uint32_t leaf)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (table[i].leaf == leaf)
			return &table[i];
	vt_die("no leaf %#x in the table", leaf);
}

static int set_table(struct vt_cpu *cpu, unsigned int nr)
{
	struct vitro_cpuid req = { .nr = nr, .entries = (uintptr_t)table };

	return vt_ioctl(cpu->fd, VITRO_SET_CPUID, &req);
}

/* A guest finds out that it is one, and by which interface (KVM's: CPUID 0x40000000). */
TEST(hypervisor_leaf)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_cpuid);
	struct regs r = ask(cpu, 1, 0);

	EXPECT_EQ(1U << 31, r.ecx & 1U << 31);
	r = ask(cpu, 0x40000000, 0);
	EXPECT_LE(0x40000001, r.eax);
	EXPECT_EQ(0, memcmp("KVMKVMKVM\0\0\0", &r.ebx, 12));
	r = ask(cpu, 0x40000001, 0);
	EXPECT_EQ(1U << 3, r.eax & 1U << 3);		/* clock by MSR 0x4b564d00 */
}

/* There is no nested virtualization: no SVM, no VMX, and the leaf of SVM is empty. */
TEST(no_nesting)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_cpuid);
	struct regs r = ask(cpu, 0x80000001, 0);

	EXPECT_EQ(0, r.ecx & 1 << 2);
	EXPECT_EQ(1 << 29, r.edx & 1 << 29);		/* but long mode there is */
	r = ask(cpu, 1, 0);
	EXPECT_EQ(0, r.ecx & 1 << 5);
	r = ask(cpu, 0x8000000a, 0);
	EXPECT_EQ(0, r.eax | r.ebx | r.ecx | r.edx);
}

/* The default table is what the guest gets without VITRO_SET_CPUID. */
TEST(default_table)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_cpuid);
	unsigned int nr = get_table(cpu->vm);
	struct vitro_cpuid_entry *e = find(nr, 0);
	struct regs r = ask(cpu, 0, 0);

	ASSERT_LT(4, nr);
	EXPECT_EQ(e->eax, r.eax);
	EXPECT_EQ(e->ebx, r.ebx);
	EXPECT_EQ(e->ecx, r.ecx);
	EXPECT_EQ(e->edx, r.edx);
	/* A leaf that no table has. */
	r = ask(cpu, 0x5fffffff, 0);
	EXPECT_EQ(0, r.eax | r.ebx | r.ecx | r.edx);
}

TEST(set_cpuid)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_cpuid);
	unsigned int nr = get_table(cpu->vm);
	struct regs r;

	memcpy(&find(nr, 0x80000002)->eax, "a CPU in glass..", 16);
	ASSERT_EQ(0, set_table(cpu, nr));
	r = ask(cpu, 0x80000002, 0);
	EXPECT_EQ(0, memcmp("a CPU in glass..", &r, 16));
	/* Once it ran, a CPU does not change any more. */
	EXPECT_EQ(-EBUSY, set_table(cpu, nr));
}

/* The table is replaced as a whole: a leaf that is no longer in it reads as 0. */
TEST(set_cpuid_replaces)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_cpuid);
	unsigned int nr = get_table(cpu->vm);
	struct regs r;

	*find(nr, 0x40000000) = table[nr - 1];
	memcpy(&find(nr, 0)->ebx, "VitroVitroX!", 12);
	ASSERT_EQ(0, set_table(cpu, nr - 1));
	r = ask(cpu, 0, 0);
	EXPECT_EQ(0, memcmp("VitroVitroX!", &r.ebx, 12));
	r = ask(cpu, 0x40000000, 0);
	EXPECT_EQ(0, r.eax | r.ebx | r.ecx | r.edx);
}

/* Features that vitro cannot provide stay off, whatever userspace asks for. */
TEST(set_cpuid_masks)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_cpuid);
	unsigned int nr = get_table(cpu->vm);
	struct vitro_cpuid_entry *e1 = find(nr, 1), *e81 = find(nr, 0x80000001);
	uint32_t ecx = e1->ecx, edx = e1->edx, ecx81 = e81->ecx, edx81 = e81->edx;
	struct regs r;

	e1->ecx = ~0U;
	e1->edx = ~0U;
	e81->ecx = ~0U;
	e81->edx = ~0U;
	ASSERT_EQ(0, set_table(cpu, nr));
	r = ask(cpu, 1, 0);
	/* OSXSAVE is the guest's doing: CR4. */
	EXPECT_EQ(ecx & ~(1U << 27), r.ecx & ~(1U << 27));
	EXPECT_EQ(edx, r.edx);
	r = ask(cpu, 0x80000001, 0);
	EXPECT_EQ(ecx81, r.ecx);
	EXPECT_EQ(edx81, r.edx);
}

TEST(set_cpuid_bad)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_cpuid);
	struct vitro_cpuid req = { .nr = 1 };

	EXPECT_EQ(-EINVAL, set_table(cpu, VITRO_MAX_CPUID + 1));
	EXPECT_EQ(-EFAULT, vt_ioctl(cpu->fd, VITRO_SET_CPUID, &req));
	memset(table, 0, sizeof(table));
	table[0].pad = 1;
	EXPECT_EQ(-EINVAL, set_table(cpu, 1));
	table[0].pad = 0;
	table[0].flags = 0x80;
	EXPECT_EQ(-EINVAL, set_table(cpu, 1));
}

TEST(osxsave_follows_cr4)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_osxsave);

	if (!cpu->vm->info.xcr0)
		SKIP(return, "this CPU has no XSAVE");
	EXPECT_EQ(0, vt_says(cpu) & 1 << 27);
	EXPECT_EQ(1 << 27, vt_says(cpu) & 1 << 27);
	EXPECT_EQ(0, vt_says(cpu) & 1 << 27);
}

TEST(xsave_size_follows_xcr0)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_xsave_size);

	if ((cpu->vm->info.xcr0 & 7) != 7)
		SKIP(return, "this CPU has no AVX");
	/* Legacy area and header: 512 + 64; AVX adds its 256 bytes after it. */
	EXPECT_EQ(576, vt_says(cpu));
	EXPECT_EQ(576, vt_says(cpu));
	EXPECT_EQ(832, vt_says(cpu));
}

/* APIC ids are the vCPU's id: leaf 1 EBX 31:24, and x2APIC id in leaf 0xb EDX. */
TEST(apic_id)
{
	struct vt_cpu *cpu = vt_cpu(vt_vm(), 5);
	struct regs r;

	vt_set_mode(cpu, VT_LONG, g_cpuid);
	vt_get(cpu, VITRO_STATE_EVENTS);
	EXPECT_EQ(VITRO_MP_WAIT_SIPI, cpu->comm->state.events.mp_state);
	cpu->comm->state.events.mp_state = VITRO_MP_RUNNABLE;
	cpu->comm->dirty |= VITRO_STATE_EVENTS;
	r = ask(cpu, 1, 0);
	EXPECT_EQ(5, r.ebx >> 24);
	r = ask(cpu, 0, 0);
	if (r.eax >= 0xb) {
		r = ask(cpu, 0xb, 0);
		EXPECT_EQ(5, r.edx);
	}
}

TEST_HARNESS_MAIN
