// SPDX-License-Identifier: GPL-2.0-or-later
/* libvitro's port I/O: IN, OUT, INS, OUTS, and finishing instructions. */
#include "kselftest_harness.h"

#include "fake.h"

FIXTURE(io)
{
	struct fake fake;
	struct vitro_gprs *gprs;
	struct vitro_exit *exit;
};

FIXTURE_SETUP(io)
{
	fake_init(&self->fake);
	self->gprs = &self->fake.state->gprs;
	self->exit = &self->fake.comm->exit;
	ASSERT_EQ(0, vitro_vcpu_set_mode(&self->fake.vcpu, VITRO_MODE_LONG, CODE, TABLES));
}

FIXTURE_TEARDOWN(io)
{
	fake_free(&self->fake);
}

/* An exit of a port instruction two bytes long, emulated. */
static int emulate(struct fake *fake, uint8_t flags, uint8_t size)
{
	struct vitro_exit *exit = &fake->comm->exit;

	memset(exit, 0, sizeof(*exit));
	exit->reason = VITRO_EXIT_IO;
	exit->insn_len = 2;
	exit->io.port = 0x3f8;
	exit->io.size = size;
	exit->io.flags = flags;
	exit->io.addr_size = 8;
	exit->io.seg = flags & VITRO_IO_IN ? VITRO_ES : VITRO_DS;
	exit->io.data = flags & VITRO_IO_IN ? 0 : 0x99aabbcc & vi_mask(size);
	fake->state->gprs.rip = CODE;
	fake->nr_access = 0;
	fake->comm->dirty = 0;
	return vitro_emulate_io(&fake->vcpu, &fake->bus);
}

TEST_F(io, in)
{
	struct bus_access *access = self->fake.access;

	self->gprs->gpr[VITRO_RAX] = ~0ULL;
	EXPECT_EQ(0, emulate(&self->fake, VITRO_IO_IN, 1));
	EXPECT_EQ(0xffffffffffffff11, self->gprs->gpr[VITRO_RAX]);
	EXPECT_EQ(0, emulate(&self->fake, VITRO_IO_IN, 2));
	EXPECT_EQ(0xffffffffffff2211, self->gprs->gpr[VITRO_RAX]);
	EXPECT_EQ(0, emulate(&self->fake, VITRO_IO_IN, 4));
	EXPECT_EQ(0x44332211, self->gprs->gpr[VITRO_RAX]);
	EXPECT_EQ(CODE + 2, self->gprs->rip);
	EXPECT_EQ(VITRO_STATE_GPRS, self->fake.comm->dirty);
	EXPECT_EQ(1, self->fake.nr_access);
	EXPECT_EQ(0x3f8, access->addr);
	EXPECT_EQ(4, access->size);
}

TEST_F(io, out)
{
	self->gprs->gpr[VITRO_RAX] = 0x5555555599aabbcc;
	EXPECT_EQ(0, emulate(&self->fake, 0, 2));
	EXPECT_EQ(1, self->fake.nr_access);
	EXPECT_TRUE(self->fake.access[0].write);
	EXPECT_EQ(0xbbcc, self->fake.access[0].data);
	EXPECT_EQ(0x5555555599aabbcc, self->gprs->gpr[VITRO_RAX]);
	EXPECT_EQ(CODE + 2, self->gprs->rip);
}

/* IN and OUT must not need more than the exit brings: another system call would fail. */
TEST_F(io, general_registers_are_enough)
{
	self->fake.comm->valid = VITRO_STATE_GPRS;
	EXPECT_EQ(0, emulate(&self->fake, 0, 1));
	EXPECT_EQ(0, emulate(&self->fake, VITRO_IO_IN, 1));
	/* When rip carries into bit 16, the mode matters; and the fake has no kernel. */
	self->gprs->rip = 0xffff;
	self->exit->insn_len = 1;
	EXPECT_EQ(-EBADF, vitro_finish_insn(&self->fake.vcpu));
	self->fake.comm->valid = VITRO_STATE_ALL;
	EXPECT_EQ(0, vitro_finish_insn(&self->fake.vcpu));
	EXPECT_EQ(0x10000, self->gprs->rip);
}

TEST_F(io, nobody_answers)
{
	self->fake.bus.io = NULL;
	EXPECT_EQ(0, emulate(&self->fake, VITRO_IO_IN, 2));
	EXPECT_EQ(0xffff, self->gprs->gpr[VITRO_RAX]);
	EXPECT_EQ(0, emulate(&self->fake, 0, 2));
}

TEST_F(io, error_of_the_bus)
{
	self->fake.bus_error = -ECANCELED;
	EXPECT_EQ(-ECANCELED, emulate(&self->fake, VITRO_IO_IN, 4));
	EXPECT_EQ(CODE, self->gprs->rip);
	EXPECT_EQ(0, self->fake.comm->dirty);
	self->fake.bus_error = 1;		/* no such result is agreed on */
	EXPECT_EQ(-EPROTO, emulate(&self->fake, VITRO_IO_IN, 4));
}

TEST_F(io, ins)
{
	self->gprs->gpr[VITRO_RDI] = 0x8000;
	EXPECT_EQ(0, emulate(&self->fake, VITRO_IO_IN | VITRO_IO_STRING, 2));
	EXPECT_EQ(0x2211, *(uint32_t *)(self->fake.ram + 0x8000));
	EXPECT_EQ(0x8002, self->gprs->gpr[VITRO_RDI]);
	EXPECT_EQ(CODE + 2, self->gprs->rip);

	self->gprs->gpr[VITRO_RCX] = 3;
	EXPECT_EQ(0, emulate(&self->fake, VITRO_IO_IN | VITRO_IO_STRING | VITRO_IO_REP, 4));
	EXPECT_EQ(0x44332213, *(uint32_t *)(self->fake.ram + 0x800a));
	EXPECT_EQ(0x800e, self->gprs->gpr[VITRO_RDI]);
	EXPECT_EQ(0, self->gprs->gpr[VITRO_RCX]);
	EXPECT_EQ(3, self->fake.nr_access);
	EXPECT_EQ(CODE + 2, self->gprs->rip);
}

TEST_F(io, outs_downwards)
{
	memcpy(self->fake.ram + 0x8000, "abcdef", 6);
	self->gprs->gpr[VITRO_RSI] = 0x8004;
	self->gprs->gpr[VITRO_RCX] = 3;
	self->gprs->rflags |= FLAG_DF;
	EXPECT_EQ(0, emulate(&self->fake, VITRO_IO_STRING | VITRO_IO_REP, 1));
	EXPECT_EQ(3, self->fake.nr_access);
	EXPECT_EQ('e', self->fake.access[0].data);
	EXPECT_EQ('c', self->fake.access[2].data);
	EXPECT_EQ(0x8001, self->gprs->gpr[VITRO_RSI]);
}

TEST_F(io, outs_segment)
{
	self->fake.ram[0x8010] = 'x';
	self->fake.state->segs.seg[VITRO_FS].base = 0x8000;
	self->gprs->gpr[VITRO_RSI] = 0x10;
	EXPECT_EQ(0, emulate(&self->fake, VITRO_IO_STRING, 1));
	EXPECT_NE('x', self->fake.access[0].data);
	self->exit->io.seg = VITRO_FS;
	self->gprs->gpr[VITRO_RSI] = 0x10;
	self->fake.nr_access = 0;
	EXPECT_EQ(0, vitro_emulate_io(&self->fake.vcpu, &self->fake.bus));
	EXPECT_EQ('x', self->fake.access[0].data);
	self->exit->io.seg = VITRO_TR;
	EXPECT_EQ(-EINVAL, vitro_emulate_io(&self->fake.vcpu, &self->fake.bus));
}

/* 16-bit addresses: si, di and cx count and change, and wrap; the rest stays. */
TEST_F(io, addresses_of_16_bits)
{
	ASSERT_EQ(0, vitro_vcpu_set_mode(&self->fake.vcpu, VITRO_MODE_REAL, CODE, 0));
	self->gprs->gpr[VITRO_RDI] = 0xabcdffff;
	self->gprs->gpr[VITRO_RCX] = 0x12340002;
	memset(self->exit, 0, sizeof(*self->exit));
	self->exit->reason = VITRO_EXIT_IO;
	self->exit->insn_len = 2;
	self->exit->io.size = 1;
	self->exit->io.flags = VITRO_IO_IN | VITRO_IO_STRING | VITRO_IO_REP;
	self->exit->io.addr_size = 2;
	self->exit->io.seg = VITRO_ES;
	EXPECT_EQ(0, vitro_emulate_io(&self->fake.vcpu, &self->fake.bus));
	EXPECT_EQ(0x11, self->fake.ram[0xffff]);
	EXPECT_EQ(0x12, self->fake.ram[0]);
	EXPECT_EQ(0xabcd0001, self->gprs->gpr[VITRO_RDI]);
	EXPECT_EQ(0x12340000, self->gprs->gpr[VITRO_RCX]);
	EXPECT_EQ(CODE + 2, self->gprs->rip);

	/* A word that begins at the limit does not wrap: it faults. */
	self->gprs->rip = CODE;
	self->gprs->gpr[VITRO_RDI] = 0xffff;
	self->gprs->gpr[VITRO_RCX] = 1;
	self->exit->io.size = 2;
	self->fake.nr_access = 0;
	EXPECT_EQ(0, vitro_emulate_io(&self->fake.vcpu, &self->fake.bus));
	EXPECT_EQ(1, self->fake.state->events.exc_pending);
	EXPECT_EQ(13, self->fake.state->events.exc_vector);
	EXPECT_EQ(0, self->fake.nr_access);
	EXPECT_EQ(CODE, self->gprs->rip);
}

TEST_F(io, rep_of_nothing)
{
	self->gprs->gpr[VITRO_RCX] = 0;
	EXPECT_EQ(0, emulate(&self->fake, VITRO_IO_IN | VITRO_IO_STRING | VITRO_IO_REP, 1));
	EXPECT_EQ(0, self->fake.nr_access);
	EXPECT_EQ(CODE + 2, self->gprs->rip);
}

TEST_F(io, long_rep_comes_back)
{
	self->gprs->gpr[VITRO_RDI] = 0x100000;
	self->gprs->gpr[VITRO_RCX] = VI_REP_MAX + 10;
	EXPECT_EQ(0, emulate(&self->fake, VITRO_IO_IN | VITRO_IO_STRING | VITRO_IO_REP, 1));
	EXPECT_EQ(CODE, self->gprs->rip);
	EXPECT_EQ(10, self->gprs->gpr[VITRO_RCX]);
	EXPECT_EQ(0, emulate(&self->fake, VITRO_IO_IN | VITRO_IO_STRING | VITRO_IO_REP, 1));
	EXPECT_EQ(CODE + 2, self->gprs->rip);
	EXPECT_EQ(0, self->gprs->gpr[VITRO_RCX]);
}

/* A page fault in the third element: two are done, and the port is not read for it. */
TEST_F(io, ins_fault)
{
	uint64_t *pd = (uint64_t *)(self->fake.ram + TABLES + 0x3000);

	pd[1] = 0;
	self->gprs->gpr[VITRO_RDI] = 0x200000 - 4;
	self->gprs->gpr[VITRO_RCX] = 3;
	EXPECT_EQ(0, emulate(&self->fake, VITRO_IO_IN | VITRO_IO_STRING | VITRO_IO_REP, 2));
	EXPECT_EQ(2, self->fake.nr_access);
	EXPECT_EQ(1, self->gprs->gpr[VITRO_RCX]);
	EXPECT_EQ(0x200000, self->gprs->gpr[VITRO_RDI]);
	EXPECT_EQ(CODE, self->gprs->rip);
	EXPECT_EQ(14, self->fake.state->events.exc_vector);
	EXPECT_EQ(2, self->fake.state->events.exc_error);
	EXPECT_EQ(0x200000, self->fake.state->crs.cr2);
	EXPECT_EQ(VITRO_STATE_GPRS | VITRO_STATE_CRS | VITRO_STATE_EVENTS,
		  self->fake.comm->dirty);
}

TEST_F(io, finish_insn)
{
	struct vitro_events *events = &self->fake.state->events;

	memset(self->exit, 0, sizeof(*self->exit));
	self->exit->reason = VITRO_EXIT_RDMSR;
	self->gprs->rip = CODE;
	EXPECT_EQ(-EINVAL, vitro_finish_insn(&self->fake.vcpu));
	self->exit->insn_len = 2;
	self->gprs->rflags |= FLAG_RF | FLAG_TF;
	EXPECT_EQ(0, vitro_finish_insn(&self->fake.vcpu));
	EXPECT_EQ(CODE + 2, self->gprs->rip);
	EXPECT_EQ(0, self->gprs->rflags & FLAG_RF);
	EXPECT_EQ(1, events->exc_pending);
	EXPECT_EQ(1, events->exc_vector);
	EXPECT_EQ(DR6_BS, self->fake.state->drs.dr6);

	/* 32-bit code: eip wraps. */
	ASSERT_EQ(0, vitro_vcpu_set_mode(&self->fake.vcpu, VITRO_MODE_PROTECTED, CODE, TABLES));
	self->gprs->rip = 0xffffffff;
	EXPECT_EQ(0, vitro_finish_insn(&self->fake.vcpu));
	EXPECT_EQ(1, self->gprs->rip);
}

TEST_F(io, raise)
{
	struct vitro_events *events = &self->fake.state->events;

	events->nmi_blocked = 1;
	EXPECT_EQ(0, vitro_raise(&self->fake.vcpu, 13, true, 0x18));
	EXPECT_EQ(1, events->exc_pending);
	EXPECT_EQ(13, events->exc_vector);
	EXPECT_EQ(0x18, events->exc_error);
	EXPECT_EQ(1, events->nmi_blocked);
	EXPECT_EQ(0, vitro_raise(&self->fake.vcpu, 6, false, 0x18));
	EXPECT_EQ(0, events->exc_has_error);
	EXPECT_EQ(0, events->exc_error);
	EXPECT_EQ(-EINVAL, vitro_raise(&self->fake.vcpu, 32, false, 0));
}

TEST_HARNESS_MAIN
