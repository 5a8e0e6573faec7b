// SPDX-License-Identifier: GPL-2.0-or-later
/* Processor modes: a guest runs in each of them, and changes between them. */
#include "kselftest_harness.h"
#include "vendor.h"

GUEST(g_reset_vector);
GUEST(g_real_segments);
GUEST(g_real_int);
GUEST(g_unreal);
GUEST(g_add32);
GUEST(g_read32);
GUEST(g_read64);
GUEST(g_gprs);
GUEST(g_tour);
GUEST(g_compat);
GUEST(g_read_crs);
GUEST(g_write_cr0);
GUEST(g_write_cr0_end);
GUEST(g_write_cr4);
GUEST(g_write_cr4_end);
GUEST(g_write_cr8);
GUEST(g_write_cr8_end);
GUEST(g_user);
GUEST(g_user_in);
GUEST(g_user_hlt);
GUEST(g_user_int);

/* A vCPU that nobody prepared starts at the reset vector, 16 bytes below 4 GiB. */
TEST(reset_vector)
{
	struct vt_cpu *cpu = vt_cpu(vt_vm(), 0);
	char *rom = vt_pages(4096);

	memcpy(rom + 0xff0, vt_ptr(cpu->vm, g_reset_vector), 16);
	ASSERT_EQ(0, vt_slot(cpu->vm, 1, 0xfffff000, 4096, rom, 0));

	/* EAX is 0 after power-on, and AX was loaded. */
	ASSERT_EQ(0x1234, vt_says(cpu));
	ASSERT_EQ(VITRO_EXIT_HLT, vt_run(cpu));
}

TEST(real_segments)
{
	struct vt_cpu *cpu = vt_boot(VT_REAL, g_real_segments);

	ASSERT_EQ(0x2000, vt_says(cpu));
	EXPECT_EQ(0xcafe, *(uint16_t *)(cpu->vm->mem + 0x20010));

	/* The hidden base followed the selector. */
	ASSERT_EQ(VITRO_EXIT_HLT, vt_run(cpu));
	vt_get(cpu, VITRO_STATE_SEGS);
	EXPECT_EQ(0x2000, cpu->comm->state.segs.seg[VITRO_DS].selector);
	EXPECT_EQ(0x20000, cpu->comm->state.segs.seg[VITRO_DS].base);
}

TEST(real_interrupt_table)
{
	struct vt_cpu *cpu = vt_boot(VT_REAL, g_real_int);

	ASSERT_EQ(0x42, vt_says(cpu));
}

TEST(unreal)
{
	struct vt_cpu *cpu = vt_boot(VT_REAL, g_unreal);

	ASSERT_EQ(0xdecade, vt_says(cpu));
	EXPECT_EQ(0xdecade, *(uint32_t *)(cpu->vm->mem + 0x100000));
}

/* 0xfffffffe + 7 = 5 and a carry. */
TEST(protected_32bit)
{
	struct vt_cpu *cpu = vt_boot(VT_PROT, g_add32);

	ASSERT_EQ(6, vt_says(cpu));
}

/*
 * Paging really translates: a virtual address above 4 MiB, where no memory is,
 * leads to FREE_MEM.  One test per format of the tables.
 */
TEST(paging_32bit)
{
	struct vt_cpu *cpu = vt_boot(VT_PSE, g_read32);
	uint32_t *dir = (void *)(cpu->vm->mem + PAGE_DIR_PSE);
	uint32_t *table = (void *)(cpu->vm->mem + FREE_MEM + 0x1000);

	dir[3] = (FREE_MEM + 0x1000) | 3;	/* 12 MiB and up: 4 KiB pages */
	table[5] = FREE_MEM | 3;
	*(uint32_t *)(cpu->vm->mem + FREE_MEM + 8) = 0x32323232;
	cpu->gpr[VITRO_RBX] = 3 << 22 | 5 << 12 | 8;
	ASSERT_EQ(0x32323232, vt_says(cpu));
	EXPECT_EQ(0x20, table[5] & 0x20);	/* accessed: the CPU walked it */
}

TEST(paging_pae)
{
	struct vt_cpu *cpu = vt_boot(VT_PAE, g_read32);
	uint64_t *dir = (void *)(cpu->vm->mem + PAGE_DIRS);
	uint64_t *table = (void *)(cpu->vm->mem + FREE_MEM + 0x1000);

	dir[3] = (FREE_MEM + 0x1000) | 3;
	table[5] = FREE_MEM | 3;
	*(uint32_t *)(cpu->vm->mem + FREE_MEM + 8) = 0x9ae9ae;
	cpu->gpr[VITRO_RBX] = 3 << 21 | 5 << 12 | 8;
	ASSERT_EQ(0x9ae9ae, vt_says(cpu));
	EXPECT_EQ(0x20, table[5] & 0x20);
}

TEST(paging_long)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_read64);
	uint64_t *pml4 = (void *)(cpu->vm->mem + PML4);
	uint64_t *tables = (void *)(cpu->vm->mem + FREE_MEM + 0x1000);

	/* The highest page of the canonical address space, four levels of index 511. */
	pml4[511] = (FREE_MEM + 0x1000) | 3;
	tables[511] = (FREE_MEM + 0x2000) | 3;
	tables[512 + 511] = (FREE_MEM + 0x3000) | 3;
	tables[1024 + 511] = FREE_MEM | 3;
	*(uint32_t *)(cpu->vm->mem + FREE_MEM + 8) = 0x64646464;
	cpu->gpr[VITRO_RBX] = 0xfffffffffffff008;
	ASSERT_EQ(0x64646464, vt_says(cpu));
	EXPECT_EQ(0x20, tables[1024 + 511] & 0x20);
}

/* Every general register goes in and comes out whole. */
TEST(general_registers)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_gprs);
	uint64_t before[VITRO_NR_GPRS];
	int i;

	for (i = 0; i < VITRO_NR_GPRS; i++) {
		before[i] = 0x8877665544332200 + 0x0101010101010101 * i;
		cpu->gpr[i] = before[i];
	}
	ASSERT_EQ(VITRO_EXIT_IO, vt_run(cpu)) vt_dump(cpu);
	for (i = 0; i < VITRO_NR_GPRS; i++)
		EXPECT_EQ(before[i] + i + 1, cpu->gpr[i]) TH_LOG("register %d", i);
}

TEST(real_to_long_and_back)
{
	struct vt_cpu *cpu = vt_boot(VT_REAL, g_tour);

	ASSERT_EQ(16, vt_says(cpu));
	ASSERT_EQ(32, vt_says(cpu));
	ASSERT_EQ(64, vt_says(cpu));
	vt_get(cpu, VITRO_STATE_CRS);
	EXPECT_EQ(0x500, cpu->comm->state.crs.efer);	/* LME, and LMA by itself */
	ASSERT_EQ(32, vt_says(cpu));
	vt_get(cpu, VITRO_STATE_CRS);
	EXPECT_EQ(0, cpu->comm->state.crs.efer);
	ASSERT_EQ(16, vt_says(cpu));
	ASSERT_EQ(VITRO_EXIT_HLT, vt_run(cpu));
}

TEST(compatibility_mode)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_compat);

	ASSERT_EQ(0, vt_says(cpu));
}

/* What the guest reads of its control registers is what was loaded. */
TEST(control_registers_read)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_read_crs);

	cpu->comm->state.crs.cr8 = 9;
	ASSERT_EQ(0x80010031, vt_says(cpu));
	ASSERT_EQ(PML4, vt_says(cpu));
	ASSERT_EQ(0x620, vt_says(cpu));
	ASSERT_EQ(9, vt_says(cpu));
}

struct refused {
	const char *entry, *end;
	uint64_t value;
	const char *why;
};

/* MOV to a control register with a bad value: #GP(0), and nothing changes. */
static void refuse(struct __test_metadata *_metadata, const struct refused *r)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, r->entry);

	cpu->gpr[VITRO_RBX] = r->value;
	ASSERT_EQ(13, vt_trap(cpu)) TH_LOG("%s", r->why);
	EXPECT_EQ(0, vt_frame(cpu)->error);
	EXPECT_EQ((uintptr_t)r->entry, vt_frame(cpu)->rip);
	vt_frame(cpu)->rip = (uintptr_t)r->end;
	ASSERT_EQ(VITRO_EXIT_HLT, vt_run(cpu));
	vt_get(cpu, VITRO_STATE_CRS);
	EXPECT_EQ(0x80010031, cpu->comm->state.crs.cr0) TH_LOG("%s", r->why);
	EXPECT_EQ(0x620, cpu->comm->state.crs.cr4) TH_LOG("%s", r->why);
	EXPECT_EQ(0, cpu->comm->state.crs.cr8) TH_LOG("%s", r->why);
}

TEST(cr4_refused)
{
	static const struct refused cases[] = {
		{ g_write_cr4, g_write_cr4_end, 0x600, "PAE off in long mode" },
		{ g_write_cr4, g_write_cr4_end, 0x2620, "VMXE, which no guest has" },
		{ g_write_cr4, g_write_cr4_end, 0x8620, "CR4 bit 15" },
		{ g_write_cr4, g_write_cr4_end, 0x100000620, "CR4 bit 32" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		refuse(_metadata, &cases[i]);
}

/* vitro leaves these to the CPU. */
TEST(cr0_cr8_refused)
{
	static const struct refused cases[] = {
		{ g_write_cr0, g_write_cr0_end, 0x80000010, "PG without PE" },
		{ g_write_cr0, g_write_cr0_end, 0xa0010031, "NW without CD" },
		{ g_write_cr0, g_write_cr0_end, 0x180010031, "CR0 bit 32" },
		{ g_write_cr8, g_write_cr8_end, 0x10, "CR8 bit 4" },
	};
	size_t i;

	if (vendor_is_tcg())
		SKIP(return, "QEMU TCG lets any value into CR0 and CR8");
	for (i = 0; i < ARRAY_SIZE(cases); i++)
		refuse(_metadata, &cases[i]);
}

/* At CPL 3, privileged instructions are the guest kernel's business: no exit. */
TEST(user_mode)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_user);

	ASSERT_EQ(13, vt_trap(cpu));
	EXPECT_EQ((uintptr_t)g_user_in, vt_frame(cpu)->rip);
	EXPECT_EQ(SEL_USER_CODE | 3, vt_frame(cpu)->cs);
	vt_frame(cpu)->rip = (uintptr_t)g_user_hlt;
	ASSERT_EQ(13, vt_trap(cpu));
	EXPECT_EQ((uintptr_t)g_user_hlt, vt_frame(cpu)->rip);
	vt_frame(cpu)->rip = (uintptr_t)g_user_int;
	ASSERT_EQ(0x90, vt_trap(cpu));
	EXPECT_EQ(SEL_USER_DATA | 3, vt_frame(cpu)->ss);
}

TEST_HARNESS_MAIN
