// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Who gets a message: every kind of destination (SDM 3A 11.6.2, 11.12.10), in xAPIC
 * and in x2APIC mode.
 *
 * Nobody takes interrupts here, so what arrived stays in the IRR, where the test finds
 * it.  Each message of a test has a vector of its own.
 */
#include "kselftest_harness.h"
#include "vt.h"

GUEST(g_enable);
GUEST(g_wrmsr);
GUEST(g_rdmsr);
GUEST(g_take);

#define ALL		64		/* vCPUs, the most there can be */
#define EVERYONE	(~0ULL)
#define BIT(n)		(1ULL << (n))

/* Offsets of registers in the xAPIC page; x2APIC MSR 0x800 + offset / 16. */
enum {
	APIC_TPR = 0x80, APIC_LDR = 0xd0, APIC_DFR = 0xe0, APIC_SVR = 0xf0, APIC_IRR = 0x200,
	APIC_ICR = 0x300, APIC_ICR2 = 0x310,
};

/* The interrupt command (SDM 3A 11.6.1). */
#define LOWEST		(1U << 8)
#define LOGICAL		(1U << 11)
#define SELF		(1U << 18)
#define ALL_INC		(2U << 18)
#define ALL_BUT		(3U << 18)

#define FLAT		0xffffffff	/* DFR */
#define CLUSTER		0x0fffffff

static struct vt_vm *vm;
static struct vt_cpu *cpu[ALL];
static bool x2apic;

static void access_page(struct vt_cpu *c, struct vitro_lapic_rw *rw)
{
	int ret = vt_ioctl(c->fd, VITRO_LAPIC_RW, rw);

	if (ret)
		vt_die("VITRO_LAPIC_RW %#x: %s", rw->offset, strerror(-ret));
}

/* RDMSR or WRMSR by the guest. */
static void access_msr(struct vt_cpu *c, const void *code, uint32_t offset, uint64_t value)
{
	c->gpr[VITRO_RCX] = 0x800 + offset / 16;
	c->gpr[VITRO_RAX] = (uint32_t)value;
	c->gpr[VITRO_RDX] = value >> 32;
	vt_jump(c, code);
}

static void write_reg(struct vt_cpu *c, uint32_t offset, uint64_t value)
{
	struct vitro_lapic_rw rw = {
		.offset = offset, .flags = VITRO_LAPIC_WRITE, .value = value,
	};

	if (!x2apic) {
		access_page(c, &rw);
		return;
	}
	access_msr(c, g_wrmsr, offset, value);
	if (vt_says(c) != 2)
		vt_die("WRMSR of register %#x failed", offset);
}

static uint32_t read_reg(struct vt_cpu *c, uint32_t offset)
{
	struct vitro_lapic_rw rw = { .offset = offset };

	if (!x2apic) {
		access_page(c, &rw);
		return rw.value;
	}
	access_msr(c, g_rdmsr, offset, 0);
	return vt_says(c);
}

/* @nr vCPUs, all runnable in 64-bit mode, with their APICs enabled. */
static void start(unsigned int nr, bool wanted_x2apic)
{
	unsigned int i;

	vm = vt_vm();
	x2apic = wanted_x2apic;
	for (i = 0; i < nr; i++) {
		cpu[i] = vt_cpu(vm, i);
		vt_set_mode(cpu[i], VT_LONG, g_enable);
		vt_get(cpu[i], VITRO_STATE_EVENTS);
		cpu[i]->comm->state.events.mp_state = VITRO_MP_RUNNABLE;
		cpu[i]->comm->dirty |= VITRO_STATE_EVENTS;
		if (!x2apic)
			write_reg(cpu[i], APIC_SVR, 0x1ff);
		else if (vt_says(cpu[i]) != 1)
			vt_die("vCPU %u does not start", i);
	}
}

/* Number @from sends an IPI. */
static void send(unsigned int from, uint32_t dest, uint32_t command)
{
	if (x2apic) {
		write_reg(cpu[from], APIC_ICR, (uint64_t)dest << 32 | command);
	} else {
		write_reg(cpu[from], APIC_ICR2, dest << 24);
		write_reg(cpu[from], APIC_ICR, command);
	}
}

/* Who has the interrupt: a bit for each. */
static uint64_t have(uint8_t vector)
{
	uint64_t who = 0;
	int i;

	for (i = 0; i < ALL && cpu[i]; i++)
		if (read_reg(cpu[i], APIC_IRR + vector / 32 * 16) >> vector % 32 & 1)
			who |= BIT(i);
	return who;
}

/* ------------------------------------------------------------------- x2APIC */

/* As many vCPUs as there can be, and each gets what is sent to it, alone. */
TEST(x2apic_physical)
{
	int i;

	start(ALL, true);
	ASSERT_EQ(ALL, vm->info.max_vcpus);
	for (i = 0; i < ALL; i++)
		send(ALL - 1 - i, i, 0x40 + i);
	for (i = 0; i < ALL; i++)
		ASSERT_EQ(BIT(i), have(0x40 + i));
	send(0, ALL, 0x80);		/* nobody */
	send(0, 0xff, 0x81);		/* in xAPIC mode, this would be everybody */
	send(0, 0x10001, 0x82);		/* ids have 32 bits */
	EXPECT_EQ(0, have(0x80));
	EXPECT_EQ(0, have(0x81));
	EXPECT_EQ(0, have(0x82));
}

TEST(x2apic_broadcast)
{
	start(ALL, true);
	send(3, 0xffffffff, 0x40);
	send(3, 0xffffffff, LOGICAL | 0x41);
	send(3, 0, ALL_INC | 0x42);
	send(3, 0, ALL_BUT | 0x43);
	send(3, 5, SELF | 0x44);
	EXPECT_EQ(EVERYONE, have(0x40));
	EXPECT_EQ(EVERYONE, have(0x41));
	EXPECT_EQ(EVERYONE, have(0x42));
	EXPECT_EQ(EVERYONE & ~BIT(3), have(0x43));
	EXPECT_EQ(BIT(3), have(0x44));
}

/* Clusters of 16: the upper half names the cluster, the lower has a bit each. */
TEST(x2apic_cluster)
{
	start(ALL, true);
	send(0, 0x0000ffff, LOGICAL | 0x40);
	send(0, 0x00018001, LOGICAL | 0x41);
	send(0, 0x00030004, LOGICAL | 0x42);
	send(0, 0x00020000, LOGICAL | 0x43);	/* no bit: nobody */
	send(0, 0x00040001, LOGICAL | 0x44);	/* no such cluster */
	send(0, 0x000000ff, LOGICAL | 0x45);	/* no broadcast here */
	EXPECT_EQ(0xffff, have(0x40));
	EXPECT_EQ(BIT(16) | BIT(31), have(0x41));
	EXPECT_EQ(BIT(50), have(0x42));
	EXPECT_EQ(0, have(0x43));
	EXPECT_EQ(0, have(0x44));
	EXPECT_EQ(0xff, have(0x45));
}

/* A device's MSI has 8 bits for the destination, whatever mode the APICs are in. */
TEST(x2apic_msi)
{
	start(ALL, true);
	EXPECT_EQ(1, vt_msi(vm, VT_MSI | 63 << 12, 0x40));
	EXPECT_EQ(ALL, vt_msi(vm, VT_MSI | 0xff << 12, 0x41));
	EXPECT_EQ(2, vt_msi(vm, VT_MSI | 4 | 0x81 << 12, 0x42));	/* logical: cluster 0 */
	EXPECT_EQ(BIT(63), have(0x40));
	EXPECT_EQ(EVERYONE, have(0x41));
	EXPECT_EQ(BIT(0) | BIT(7), have(0x42));
}

/* -------------------------------------------------------------------- xAPIC */

TEST(xapic_physical)
{
	start(ALL, false);
	send(2, 0, 0x40);
	send(2, 63, 0x41);
	send(2, 64, 0x42);
	send(2, 0xff, 0x43);
	send(2, 0, ALL_BUT | 0x44);
	send(2, 0, SELF | 0x45);
	EXPECT_EQ(BIT(0), have(0x40));
	EXPECT_EQ(BIT(63), have(0x41));
	EXPECT_EQ(0, have(0x42));
	EXPECT_EQ(EVERYONE, have(0x43));
	EXPECT_EQ(EVERYONE & ~BIT(2), have(0x44));
	EXPECT_EQ(BIT(2), have(0x45));
}

/* Flat model: eight bits, which software deals out (SDM 3A 11.6.2.2). */
TEST(xapic_flat)
{
	int i;

	start(9, false);
	for (i = 0; i < 8; i++) {
		write_reg(cpu[i], APIC_DFR, FLAT);
		write_reg(cpu[i], APIC_LDR, 1U << (24 + i));
	}
	send(0, 0x20, LOGICAL | 0x40);
	send(0, 0x81, LOGICAL | 0x41);
	send(0, 0, LOGICAL | 0x42);
	send(0, 0xff, LOGICAL | 0x43);
	EXPECT_EQ(BIT(5), have(0x40));
	EXPECT_EQ(BIT(7) | BIT(0), have(0x41));
	EXPECT_EQ(0, have(0x42));
	EXPECT_EQ(0x1ff, have(0x43));		/* broadcast: also who has no bit */
}

/* Cluster model: four bits of cluster, four of member; three clusters of four here. */
TEST(xapic_cluster)
{
	int i;

	start(12, false);
	for (i = 0; i < 12; i++) {
		write_reg(cpu[i], APIC_DFR, CLUSTER);
		write_reg(cpu[i], APIC_LDR, (i / 4) << 28 | 1U << (24 + i % 4));
	}
	send(0, 0x01, LOGICAL | 0x40);
	send(0, 0x2a, LOGICAL | 0x41);
	send(0, 0x1f, LOGICAL | 0x42);
	send(0, 0x31, LOGICAL | 0x43);
	send(0, 0xff, LOGICAL | 0x44);
	EXPECT_EQ(BIT(0), have(0x40));
	EXPECT_EQ(BIT(9) | BIT(11), have(0x41));
	EXPECT_EQ(0xf0, have(0x42));
	EXPECT_EQ(0, have(0x43));
	EXPECT_EQ(0xfff, have(0x44));
}

/* --------------------------------------------------------- whoever has least to do */

/* Lowest priority (SDM 3A 11.6.2.4): the lowest task priority wins, and only one gets it. */
static void lowest_priority(struct __test_metadata *_metadata)
{
	const uint32_t both = x2apic ? 0x000f : 0x0f;
	int i;

	for (i = 0; i < 4; i++) {
		if (!x2apic) {
			write_reg(cpu[i], APIC_DFR, FLAT);
			write_reg(cpu[i], APIC_LDR, 1U << (24 + i));
		}
		write_reg(cpu[i], APIC_TPR, (8 - i) << 4);
	}
	send(0, both, LOGICAL | LOWEST | 0x40);
	EXPECT_EQ(BIT(3), have(0x40));
	write_reg(cpu[1], APIC_TPR, 0);
	send(0, both, LOGICAL | LOWEST | 0x41);
	EXPECT_EQ(BIT(1), have(0x41));
	send(0, both & ~2, LOGICAL | LOWEST | 0x42);
	EXPECT_EQ(BIT(3), have(0x42));

	/* An MSI chooses by its delivery mode, or by the redirection hint in its address. */
	EXPECT_EQ(1, vt_msi(vm, VT_MSI | 4 | both << 12, LOWEST | 0x43));
	EXPECT_EQ(1, vt_msi(vm, VT_MSI | 0xc | both << 12, 0x44));
	EXPECT_EQ(BIT(1), have(0x43));
	EXPECT_EQ(BIT(1), have(0x44));

	/* Who is busy with an interrupt has its priority, 0xe0. */
	ASSERT_EQ(1, vt_msi(vm, VT_MSI | 1 << 12, 0xe5));
	vt_jump(cpu[1], g_take);
	ASSERT_EQ(0xe5, vt_trap(cpu[1]));
	send(0, both, LOGICAL | LOWEST | 0x45);
	EXPECT_EQ(BIT(3), have(0x45));

	/* Who is disabled by software is no candidate. */
	write_reg(cpu[3], APIC_SVR, 0xff);
	send(0, both, LOGICAL | LOWEST | 0x46);
	EXPECT_EQ(BIT(2), have(0x46));
}

TEST(lowest_priority_xapic)
{
	start(4, false);
	lowest_priority(_metadata);
}

TEST(lowest_priority_x2apic)
{
	start(4, true);
	lowest_priority(_metadata);
}

/* All have the same priority: one gets it, not none and not all. */
TEST(lowest_priority_tie)
{
	uint64_t who;

	start(4, true);
	send(1, 0xf, LOGICAL | LOWEST | 0x40);
	who = have(0x40);
	EXPECT_NE(0, who);
	EXPECT_EQ(0, who & (who - 1));
	EXPECT_EQ(0, who & ~0xfULL);
}

/* An APIC that software has disabled takes NMIs, but no interrupts (SDM 3A 11.4.7.2). */
TEST(disabled_takes_nmi)
{
	start(2, false);
	write_reg(cpu[1], APIC_SVR, 0xff);
	send(0, 1, 0x40);
	EXPECT_EQ(0, have(0x40));
	send(0, 1, 4 << 8);
	vt_get(cpu[1], VITRO_STATE_EVENTS);
	EXPECT_EQ(1, cpu[1]->comm->state.events.nmi_pending);
}

TEST_HARNESS_MAIN
