// SPDX-License-Identifier: GPL-2.0-or-later
/* The local APIC: x2APIC by MSR in the kernel, xAPIC by VITRO_LAPIC_RW. */
#include "kselftest_harness.h"
#include "vt.h"

GUEST(g_apic);
GUEST(g_rdmsr);
GUEST(g_wrmsr);
GUEST(g_self_ipi);
GUEST(g_xapic);

#define GP		13
#define OK		0

/* Offsets of registers in the xAPIC page; x2APIC MSR 0x800 + offset / 16. */
enum {
	APIC_ID = 0x20, APIC_VERSION = 0x30, APIC_TPR = 0x80, APIC_PPR = 0xa0,
	APIC_EOI = 0xb0, APIC_LDR = 0xd0, APIC_DFR = 0xe0, APIC_SVR = 0xf0,
	APIC_ISR = 0x100, APIC_IRR = 0x200, APIC_ESR = 0x280, APIC_ICR = 0x300,
	APIC_ICR2 = 0x310, APIC_LVT_TIMER = 0x320, APIC_LVT_ERROR = 0x370,
	APIC_INITIAL = 0x380, APIC_CURRENT = 0x390, APIC_DIVIDE = 0x3e0, APIC_SELF_IPI = 0x3f0,
};

/* WRMSR and RDMSR of x2APIC registers in the guest: OK or GP. */
static uint64_t write_reg(struct vt_cpu *cpu, uint32_t offset, uint64_t value)
{
	struct vitro_exit *e = &cpu->comm->exit;

	cpu->gpr[VITRO_RCX] = 0x800 + offset / 16;
	cpu->gpr[VITRO_RAX] = (uint32_t)value;
	cpu->gpr[VITRO_RDX] = value >> 32;
	cpu->gpr[VITRO_RSP] = STACK_TOP;
	vt_jump(cpu, g_wrmsr);
	if (vt_run(cpu) != VITRO_EXIT_IO)
		return VT_NOTHING;
	return e->io.port == PORT_TRAP ? e->io.data : OK;
}

static uint64_t read_reg(struct vt_cpu *cpu, uint32_t offset, uint64_t *value)
{
	struct vitro_exit *e = &cpu->comm->exit;

	cpu->gpr[VITRO_RCX] = 0x800 + offset / 16;
	cpu->gpr[VITRO_RSP] = STACK_TOP;
	vt_jump(cpu, g_rdmsr);
	if (vt_run(cpu) != VITRO_EXIT_IO)
		return VT_NOTHING;
	*value = cpu->gpr[VITRO_RDX] << 32 | (uint32_t)cpu->gpr[VITRO_RAX];
	return e->io.port == PORT_TRAP ? e->io.data : OK;
}

/* VITRO_LAPIC_RW. */
static int lapic_rw(struct vt_cpu *cpu, uint32_t offset, uint32_t flags, uint32_t *value)
{
	struct vitro_lapic_rw req = { .offset = offset, .flags = flags, .value = *value };
	int ret = vt_ioctl(cpu->fd, VITRO_LAPIC_RW, &req);

	*value = req.value;
	return ret;
}

static int page_write(struct vt_cpu *cpu, uint32_t offset, uint32_t value)
{
	return lapic_rw(cpu, offset, VITRO_LAPIC_WRITE, &value);
}

static uint32_t page_read(struct vt_cpu *cpu, uint32_t offset)
{
	uint32_t value = 0;
	int ret = lapic_rw(cpu, offset, 0, &value);

	if (ret)
		vt_die("VITRO_LAPIC_RW %#x: %s", offset, strerror(-ret));
	return value;
}

TEST(x2apic_identity)
{
	struct vt_cpu *cpu = vt_cpu(vt_vm(), 18);
	uint64_t value;

	vt_set_mode(cpu, VT_LONG, g_apic);
	vt_get(cpu, VITRO_STATE_EVENTS);
	cpu->comm->state.events.mp_state = VITRO_MP_RUNNABLE;
	cpu->comm->dirty |= VITRO_STATE_EVENTS;
	ASSERT_EQ(1, vt_says(cpu));
	ASSERT_EQ(OK, read_reg(cpu, APIC_ID, &value));
	EXPECT_EQ(18, value);
	/* The logical id follows from it: cluster 1, bit 2 (SDM 3A 11.12.10.2). */
	ASSERT_EQ(OK, read_reg(cpu, APIC_LDR, &value));
	EXPECT_EQ(0x10004, value);
	ASSERT_EQ(OK, read_reg(cpu, APIC_VERSION, &value));
	EXPECT_EQ(0x10, value & 0xf0);			/* integrated, not 82489DX */
	EXPECT_LE(5, value >> 16 & 0xff);		/* six LVT entries at least */
}

/* The MSRs forgive nothing (SDM 3A 11.12.1.2, 11.12.1.3). */
TEST(x2apic_refuses)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_apic);
	uint64_t value;

	ASSERT_EQ(1, vt_says(cpu));
	EXPECT_EQ(GP, read_reg(cpu, 0x10, &value)) TH_LOG("reserved register");
	EXPECT_EQ(GP, read_reg(cpu, APIC_EOI, &value)) TH_LOG("write-only");
	EXPECT_EQ(GP, read_reg(cpu, APIC_DFR, &value)) TH_LOG("xAPIC only");
	EXPECT_EQ(GP, read_reg(cpu, APIC_ICR2, &value)) TH_LOG("xAPIC only");
	EXPECT_EQ(GP, write_reg(cpu, APIC_ID, 1)) TH_LOG("read-only");
	EXPECT_EQ(GP, write_reg(cpu, APIC_LDR, 1)) TH_LOG("read-only");
	EXPECT_EQ(GP, write_reg(cpu, APIC_EOI, 1)) TH_LOG("not zero");
	EXPECT_EQ(GP, write_reg(cpu, APIC_ESR, 1)) TH_LOG("not zero");
	EXPECT_EQ(GP, write_reg(cpu, APIC_TPR, 0x100)) TH_LOG("reserved bit");
	EXPECT_EQ(GP, write_reg(cpu, APIC_SVR, 1ULL << 32)) TH_LOG("reserved bit");
	EXPECT_EQ(GP, write_reg(cpu, APIC_SELF_IPI, 0x100)) TH_LOG("reserved bit");
	EXPECT_EQ(GP, write_reg(cpu, 0x7f0, 0)) TH_LOG("reserved register");
	EXPECT_EQ(OK, write_reg(cpu, APIC_TPR, 0x55));
	ASSERT_EQ(OK, read_reg(cpu, APIC_TPR, &value));
	EXPECT_EQ(0x55, value);
	/* CR8 is its upper half. */
	vt_get(cpu, VITRO_STATE_CRS);
	EXPECT_EQ(5, cpu->comm->state.crs.cr8);
}

/* In xAPIC mode the MSRs do not exist. */
TEST(x2apic_msrs_need_the_mode)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_rdmsr);
	uint64_t value;

	EXPECT_EQ(GP, read_reg(cpu, APIC_ID, &value));
	EXPECT_EQ(GP, write_reg(cpu, APIC_EOI, 0));
}

TEST(self_ipi)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_self_ipi);

	ASSERT_EQ(0x51, vt_trap(cpu));
	ASSERT_EQ(0x52, vt_trap(cpu));
	ASSERT_EQ(0x53, vt_trap(cpu));
	ASSERT_EQ(1, vt_says(cpu));
}

/*
 * Vectors below 16 are illegal: noted, not sent.  ESR shows what happened up to
 * the last write to it (SDM 3A 11.5.3).
 */
TEST(error_status)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_apic);
	uint64_t value;

	ASSERT_EQ(1, vt_says(cpu));
	ASSERT_EQ(OK, write_reg(cpu, APIC_SELF_IPI, 3));
	ASSERT_EQ(OK, read_reg(cpu, APIC_IRR, &value));
	EXPECT_EQ(0, value);
	ASSERT_EQ(OK, write_reg(cpu, APIC_ESR, 0));
	ASSERT_EQ(OK, read_reg(cpu, APIC_ESR, &value));
	EXPECT_NE(0, value & 0x60);			/* send or receive illegal vector */
	ASSERT_EQ(OK, write_reg(cpu, APIC_ESR, 0));
	ASSERT_EQ(OK, read_reg(cpu, APIC_ESR, &value));
	EXPECT_EQ(0, value);
}

/* A software-disabled APIC masks its LVT and takes no interrupts (SDM 3A 11.4.7.2). */
TEST(software_disabled)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_apic);
	uint64_t value;

	ASSERT_EQ(1, vt_says(cpu));
	ASSERT_EQ(OK, write_reg(cpu, APIC_LVT_ERROR, 0xee));
	ASSERT_EQ(OK, write_reg(cpu, APIC_SVR, 0xff));
	ASSERT_EQ(OK, read_reg(cpu, APIC_LVT_ERROR, &value));
	EXPECT_EQ(0x100ee, value);
	ASSERT_EQ(OK, write_reg(cpu, APIC_LVT_ERROR, 0xee));
	ASSERT_EQ(OK, read_reg(cpu, APIC_LVT_ERROR, &value));
	EXPECT_EQ(0x100ee, value);
	EXPECT_EQ(0, vt_msi(cpu->vm, VT_MSI, 0x41));
	ASSERT_EQ(OK, read_reg(cpu, APIC_IRR + 0x20, &value));
	EXPECT_EQ(0, value);
}

TEST(xapic_page)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_xapic);

	EXPECT_EQ(0, page_read(cpu, APIC_ID));
	EXPECT_EQ(0x10, page_read(cpu, APIC_VERSION) & 0xf0);
	EXPECT_EQ(0xff, page_read(cpu, APIC_SVR));	/* after power-on: disabled */
	EXPECT_EQ(0, page_write(cpu, APIC_SVR, 0x1fe));
	EXPECT_EQ(0x1fe, page_read(cpu, APIC_SVR));
	EXPECT_EQ(0, page_write(cpu, APIC_LDR, 0x20123456));
	EXPECT_EQ(0x20000000, page_read(cpu, APIC_LDR));	/* only 31:24 exist */
	EXPECT_EQ(0, page_write(cpu, APIC_VERSION, 0));	/* read-only: ignored */
	EXPECT_EQ(0x10, page_read(cpu, APIC_VERSION) & 0xf0);
	EXPECT_EQ(0, page_read(cpu, 0x10));			/* reserved: nothing there */
}

/* An interrupt in xAPIC mode, with its EOI written by userspace. */
TEST(xapic_interrupt)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_xapic);

	ASSERT_EQ(0, page_write(cpu, APIC_SVR, 0x1ff));
	ASSERT_EQ(1, vt_says(cpu));
	ASSERT_EQ(1, vt_msi(cpu->vm, VT_MSI, 0x45));
	EXPECT_EQ(1 << 5, page_read(cpu, APIC_IRR + 0x20));
	ASSERT_EQ(0x45, vt_trap(cpu));
	EXPECT_EQ(0, page_read(cpu, APIC_IRR + 0x20));
	EXPECT_EQ(1 << 5, page_read(cpu, APIC_ISR + 0x20));
	EXPECT_EQ(0x40, page_read(cpu, APIC_PPR));
	EXPECT_EQ(0, page_write(cpu, APIC_EOI, 0));
	EXPECT_EQ(0, page_read(cpu, APIC_ISR + 0x20));
	ASSERT_EQ(2, vt_says(cpu));
}

/* In xAPIC mode logical destinations are set by software, eight at most. */
TEST(xapic_logical)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_xapic);

	ASSERT_EQ(0, page_write(cpu, APIC_SVR, 0x1ff));
	ASSERT_EQ(0, page_write(cpu, APIC_DFR, 0xffffffff));	/* flat model */
	ASSERT_EQ(0, page_write(cpu, APIC_LDR, 0x04000000));
	/* Address bit 2: logical mode.  Bit 2 of the id is ours, bit 3 is not. */
	EXPECT_EQ(1, vt_msi(cpu->vm, VT_MSI | 4 | 0x04 << 12, 0x41));
	EXPECT_EQ(1, vt_msi(cpu->vm, VT_MSI | 4 | 0x0c << 12, 0x42));
	EXPECT_EQ(0, vt_msi(cpu->vm, VT_MSI | 4 | 0x08 << 12, 0x43));
	EXPECT_EQ(6, page_read(cpu, APIC_IRR + 0x20));
}

TEST(xapic_page_refused)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_apic);
	uint32_t value = 0;

	EXPECT_EQ(-EINVAL, lapic_rw(cpu, 0x1000, 0, &value));
	EXPECT_EQ(-EINVAL, lapic_rw(cpu, APIC_ID + 4, 0, &value));
	EXPECT_EQ(-EINVAL, lapic_rw(cpu, APIC_ID, 0x80, &value));
	EXPECT_EQ(0, lapic_rw(cpu, APIC_ID, 0, &value));
	ASSERT_EQ(1, vt_says(cpu));			/* now in x2APIC mode */
	EXPECT_EQ(-ENXIO, lapic_rw(cpu, APIC_ID, 0, &value));
	EXPECT_EQ(-ENXIO, lapic_rw(cpu, APIC_TPR, VITRO_LAPIC_WRITE, &value));
}

/* The page itself: nobody maps it, so an access is an exit for userspace to pass on. */
TEST(xapic_access_exits)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_xapic);

	/* Run at the page: easiest access of all. */
	cpu->comm->state.gprs.rip = 0xfee00020;
	ASSERT_EQ(VITRO_EXIT_MMIO, vt_run(cpu));
	EXPECT_EQ(0xfee00020, cpu->comm->exit.mmio.gpa);
}

TEST_HARNESS_MAIN
