// SPDX-License-Identifier: GPL-2.0-or-later
/* Port I/O: each IN or OUT is an exit that names port, size, direction and data. */
#include "kselftest_harness.h"
#include "vendor.h"

GUEST(g_out);
GUEST(g_in);
GUEST(g_last_port);
GUEST(g_out16);
GUEST(g_out32);
GUEST(g_outs);
GUEST(g_ins);
GUEST(g_outs16);
GUEST(g_rep_zero);

TEST(out_sizes)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_out);
	struct vitro_exit *e = &cpu->comm->exit;
	static const struct {
		unsigned int port, size, data, length;
	} want[] = {
		{ 0x42, 1, 0x11, 2 }, { 0x42, 2, 0x2211, 3 }, { 0x42, 4, 0x44332211, 2 },
		{ 0x1234, 1, 0x11, 1 }, { 0x1234, 2, 0x2211, 2 }, { 0x1234, 4, 0x44332211, 1 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(want); i++) {
		ASSERT_EQ(VITRO_EXIT_IO, vt_run(cpu)) vt_dump(cpu);
		EXPECT_EQ(want[i].port, e->io.port) TH_LOG("case %zu", i);
		EXPECT_EQ(want[i].size, e->io.size) TH_LOG("case %zu", i);
		EXPECT_EQ(want[i].data, e->io.data) TH_LOG("case %zu", i);
		EXPECT_EQ(want[i].length, e->insn_len) TH_LOG("case %zu", i);
		EXPECT_EQ(0, e->io.flags) TH_LOG("case %zu", i);
		vt_finish(cpu);
	}
	ASSERT_EQ(VITRO_EXIT_HLT, vt_run(cpu));
}

TEST(in_sizes)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_in);
	struct vitro_exit *e = &cpu->comm->exit;

	ASSERT_EQ(VITRO_EXIT_IO, vt_run(cpu));
	EXPECT_EQ(0xabc, e->io.port);
	EXPECT_EQ(1, e->io.size);
	EXPECT_EQ(VITRO_IO_IN, e->io.flags);
	vt_in(cpu, 0x12);
	ASSERT_EQ(VITRO_EXIT_IO, vt_run(cpu));
	EXPECT_EQ(0xffffffffffffff12, cpu->gpr[VITRO_RAX]);
	EXPECT_EQ(0x55, e->io.port);
	EXPECT_EQ(2, e->io.size);
	vt_in(cpu, 0x3456);
	ASSERT_EQ(VITRO_EXIT_IO, vt_run(cpu));
	EXPECT_EQ(0xffffffffffff3456, cpu->gpr[VITRO_RAX]);
	EXPECT_EQ(4, e->io.size);
	vt_in(cpu, 0x89abcdef);
	ASSERT_EQ(0, vt_says(cpu));		/* the upper half of RAX */
}

TEST(last_port)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_last_port);

	ASSERT_EQ(VITRO_EXIT_IO, vt_run(cpu));
	EXPECT_EQ(0xffff, cpu->comm->exit.io.port);
	vt_finish(cpu);
	ASSERT_EQ(VITRO_EXIT_IO, vt_run(cpu));
	EXPECT_EQ(0xffff, cpu->comm->exit.io.port);
	vt_in(cpu, 0x99);
	ASSERT_EQ(0x99, vt_says(cpu));
}

/* Operand size and instruction length depend on the mode. */
TEST(sizes_by_mode)
{
	static const struct {
		enum vt_mode mode;
		const char *entry;
		int length16, length32;
	} cases[] = {
		{ VT_REAL, g_out16, 2, 3 },
		{ VT_PROT, g_out32, 3, 2 },
		{ VT_PAE, g_out32, 3, 2 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct vt_cpu *cpu = vt_boot(cases[i].mode, cases[i].entry);
		struct vitro_exit *e = &cpu->comm->exit;

		ASSERT_EQ(VITRO_EXIT_IO, vt_run(cpu));
		EXPECT_EQ(2, e->io.size);
		EXPECT_EQ(0x1357, e->io.data);
		EXPECT_EQ(cases[i].length16, e->insn_len);
		vt_finish(cpu);
		ASSERT_EQ(VITRO_EXIT_IO, vt_run(cpu));
		EXPECT_EQ(4, e->io.size);
		EXPECT_EQ(0xdead1357, e->io.data);
		EXPECT_EQ(cases[i].length32, e->insn_len);
		vt_finish(cpu);
		ASSERT_EQ(VITRO_EXIT_HLT, vt_run(cpu));
	}
}

/* OUTS: the exit describes the instruction; moving the data is userspace's part. */
TEST(outs)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_outs);
	struct vitro_exit *e = &cpu->comm->exit;

	ASSERT_EQ(VITRO_EXIT_IO, vt_run(cpu));
	EXPECT_EQ(0x300, e->io.port);
	EXPECT_EQ(1, e->io.size);
	EXPECT_EQ(VITRO_IO_STRING | VITRO_IO_REP, e->io.flags);
	EXPECT_EQ(8, e->io.addr_size);
	EXPECT_EQ(2, e->insn_len);
	EXPECT_EQ(FREE_MEM, cpu->gpr[VITRO_RSI]);
	EXPECT_EQ(3, cpu->gpr[VITRO_RCX]);
	EXPECT_EQ(VITRO_STATE_GPRS | VITRO_STATE_SEGS | VITRO_STATE_CRS,
		  cpu->comm->valid & (VITRO_STATE_GPRS | VITRO_STATE_SEGS | VITRO_STATE_CRS));
	EXPECT_EQ(VITRO_DS, e->io.seg);
	vt_finish(cpu);

	ASSERT_EQ(VITRO_EXIT_IO, vt_run(cpu));
	EXPECT_EQ(2, e->io.size);
	EXPECT_EQ(VITRO_IO_STRING, e->io.flags);
	EXPECT_EQ(2, e->insn_len);
	vt_finish(cpu);

	ASSERT_EQ(VITRO_EXIT_IO, vt_run(cpu));
	EXPECT_EQ(4, e->io.size);
	EXPECT_EQ(4, e->io.addr_size);
	EXPECT_EQ(2, e->insn_len);
	vt_finish(cpu);
	ASSERT_EQ(VITRO_EXIT_HLT, vt_run(cpu));
}

TEST(ins)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_ins);
	struct vitro_exit *e = &cpu->comm->exit;

	ASSERT_EQ(VITRO_EXIT_IO, vt_run(cpu));
	EXPECT_EQ(4, e->io.size);
	EXPECT_EQ(VITRO_IO_IN | VITRO_IO_STRING | VITRO_IO_REP,
		  e->io.flags);
	EXPECT_EQ(VITRO_ES, e->io.seg);
	EXPECT_EQ(FREE_MEM, cpu->gpr[VITRO_RDI]);
	vt_finish(cpu);
	ASSERT_EQ(VITRO_EXIT_HLT, vt_run(cpu));
}

TEST(outs_16bit)
{
	struct vt_cpu *cpu = vt_boot(VT_REAL, g_outs16);
	struct vitro_exit *e = &cpu->comm->exit;

	ASSERT_EQ(VITRO_EXIT_IO, vt_run(cpu));
	EXPECT_EQ(2, e->io.size);
	EXPECT_EQ(2, e->io.addr_size);
	EXPECT_EQ(2, e->insn_len);
	EXPECT_EQ(VITRO_IO_STRING | VITRO_IO_REP, e->io.flags);
}

/* With a count of 0 there is no access: whoever sees an exit must see RCX = 0. */
TEST(rep_zero)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_rep_zero);

	if (vt_run(cpu) == VITRO_EXIT_IO && cpu->comm->exit.io.flags & VITRO_IO_STRING) {
		EXPECT_EQ(0, cpu->gpr[VITRO_RCX]);
		vt_finish(cpu);
		vt_run(cpu);
	}
	ASSERT_EQ(PORT_SAY, cpu->comm->exit.io.port);
	ASSERT_EQ(1, cpu->comm->exit.io.data);
}

/* rip stays at the instruction until userspace moves it: running again repeats it. */
TEST(unfinished_repeats)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_out);
	int i;

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(VITRO_EXIT_IO, vt_run(cpu));
		EXPECT_EQ(1, cpu->comm->exit.io.size);
		EXPECT_EQ(VITRO_STATE_GPRS, cpu->comm->valid & VITRO_STATE_GPRS);
	}
	EXPECT_EQ(vendor_raw_io(cpu->vm), cpu->comm->exit.raw.code);
}

TEST_HARNESS_MAIN
