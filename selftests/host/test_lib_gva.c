// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The walk of the guest's page tables: every paging mode, page size, right, and error
 * code (SDM 3A chapter 4).
 */
#include "kselftest_harness.h"

#include <pthread.h>
#include <vitro/walk.h>

#include "fake.h"

#define P	0x01ULL
#define W	0x02ULL
#define U	0x04ULL
#define A	0x20ULL
#define D	0x40ULL
#define PS	0x80ULL
#define NX	(1ULL << 63)

/* Tables of the tests, by level; level 1 is the last. */
#define TABLE(level)	(0x20000ULL + (level) * 0x1000)
#define PAGE		0x30000ULL	/* what is mapped */

#define WRITE	VITRO_ACCESS_WRITE
#define EXEC	VITRO_ACCESS_EXEC
#define SYSTEM	VITRO_ACCESS_SYSTEM
#define DEBUG	VITRO_ACCESS_DEBUG

/* A fake machine, and what the last walk() found. */
struct walker {
	struct fake fake;
	struct vitro_fault fault;
	uint64_t gpa;
};

static uint64_t *entry8(struct fake *fake, unsigned int level, unsigned int index)
{
	return (uint64_t *)(fake->ram + TABLE(level)) + index;
}

static uint32_t *entry4(struct fake *fake, unsigned int level, unsigned int index)
{
	return (uint32_t *)(fake->ram + TABLE(level)) + index;
}

/* Long mode with @levels levels, in which @gva maps to PAGE with all rights. */
static void map_long(struct fake *fake, unsigned int levels, uint64_t gva)
{
	struct vitro_crs *crs = &fake->state->crs;

	crs->cr0 = CR0_PE | CR0_PG | CR0_WP;
	crs->cr4 = CR4_PAE | (levels == 5 ? CR4_LA57 : 0);
	crs->efer = EFER_LME | EFER_LMA | EFER_NXE;
	crs->cr3 = TABLE(levels) | 0x18;	/* PCD and PWT are not the address */
	for (unsigned int level = levels; level > 1; level--)
		*entry8(fake, level, gva >> (12 + 9 * (level - 1)) & 511) =
			TABLE(level - 1) | P | W | U;
	*entry8(fake, 1, gva >> 12 & 511) = PAGE | P | W | U;
	fake->state->segs.seg[VITRO_CS].attrib = VITRO_SEG_L | 0x9b;
}

static void set_cpl(struct fake *fake, unsigned int cpl)
{
	fake->state->segs.seg[VITRO_SS].attrib = 0x93 | cpl << 5;
}

static int walk(struct walker *w, uint64_t gva, unsigned int access)
{
	memset(&w->fault, 0, sizeof(w->fault));
	return vitro_gva_to_gpa(&w->fake.vcpu, gva, access, &w->gpa, &w->fault);
}

FIXTURE(gva)
{
	struct walker w;
};

FIXTURE_SETUP(gva)
{
	memset(&self->w, 0, sizeof(self->w));
	fake_init(&self->w.fake);
}

FIXTURE_TEARDOWN(gva)
{
	fake_free(&self->w.fake);
}

TEST_F(gva, paging_off)
{
	self->w.fake.state->crs.cr0 = CR0_PE;
	EXPECT_EQ(0, walk(&self->w, 0x12345678, WRITE));
	EXPECT_EQ(0x12345678, self->w.gpa);
	EXPECT_EQ(0, walk(&self->w, 0x100000010, 0));	/* linear addresses have 32 bits */
	EXPECT_EQ(0x10, self->w.gpa);
}

TEST_F(gva, levels_4)
{
	uint64_t gva = 0xffff812345678123;

	map_long(&self->w.fake, 4, gva);
	ASSERT_EQ(0, walk(&self->w, gva, 0)) TH_LOG("%s", vitro_error());
	EXPECT_EQ(PAGE | 0x123, self->w.gpa);
}

TEST_F(gva, levels_5)
{
	uint64_t gva = 0xff12345678912345;

	map_long(&self->w.fake, 5, gva);
	ASSERT_EQ(0, walk(&self->w, gva, 0)) TH_LOG("%s", vitro_error());
	EXPECT_EQ(PAGE | 0x345, self->w.gpa);
}

TEST_F(gva, not_canonical)
{
	map_long(&self->w.fake, 4, 0);
	EXPECT_EQ(-EFAULT, walk(&self->w, 0x0000800000000000, 0));
	EXPECT_EQ(13, self->w.fault.vector);
	EXPECT_EQ(0, self->w.fault.error);
	EXPECT_EQ(-EFAULT, walk(&self->w, 0xffff7fffffffffff, 0));
	/* Two more bytes of address with five levels. */
	map_long(&self->w.fake, 5, 0x0000800000000000);
	EXPECT_EQ(0, walk(&self->w, 0x0000800000000000, 0));
	EXPECT_EQ(-EFAULT, walk(&self->w, 0x0100000000000000, 0));
}

TEST_F(gva, large_pages)
{
	map_long(&self->w.fake, 4, 0x40201234);
	*entry8(&self->w.fake, 2, 1) = 0x7fe00000 | P | W | PS;
	EXPECT_EQ(0, walk(&self->w, 0x403fffff, 0));
	EXPECT_EQ(0x7fffffff, self->w.gpa);
	*entry8(&self->w.fake, 3, 1) = 0x1c0000000 | P | W | PS;
	EXPECT_EQ(0, walk(&self->w, 0x7ffffffe, 0));
	EXPECT_EQ(0x1fffffffe, self->w.gpa);
}

TEST_F(gva, pae)
{
	struct vitro_crs *crs = &self->w.fake.state->crs;
	uint64_t *pdpte = (uint64_t *)(self->w.fake.ram + TABLE(3) + 0x20);

	/* The four top entries need no page of their own, and have no rights. */
	crs->cr0 = CR0_PE | CR0_PG | CR0_WP;
	crs->cr4 = CR4_PAE;
	crs->cr3 = TABLE(3) + 0x20;
	pdpte[3] = TABLE(2) | P;
	*entry8(&self->w.fake, 2, 511) = TABLE(1) | P | W | U;
	*entry8(&self->w.fake, 1, 511) = PAGE | P | W | U;
	set_cpl(&self->w.fake, 3);
	ASSERT_EQ(0, walk(&self->w, 0xfffffabc, WRITE)) TH_LOG("%s", vitro_error());
	EXPECT_EQ(PAGE | 0xabc, self->w.gpa);
	EXPECT_EQ(TABLE(2) | P, pdpte[3]);	/* they have no A bit either */

	*entry8(&self->w.fake, 2, 511) = 0x600000 | P | W | U | PS;
	EXPECT_EQ(0, walk(&self->w, 0xffffffff, 0));
	EXPECT_EQ(0x7fffff, self->w.gpa);

	pdpte[3] |= W;				/* reserved there */
	EXPECT_EQ(-EFAULT, walk(&self->w, 0xffffffff, 0));
	EXPECT_EQ(0xd, self->w.fault.error);
}

TEST_F(gva, two_levels)
{
	struct vitro_crs *crs = &self->w.fake.state->crs;

	crs->cr0 = CR0_PE | CR0_PG | CR0_WP;
	crs->cr3 = TABLE(2);
	*entry4(&self->w.fake, 2, 1023) = TABLE(1) | P | W | U;
	*entry4(&self->w.fake, 1, 1022) = PAGE | P | W;
	ASSERT_EQ(0, walk(&self->w, 0xffffe004, WRITE)) TH_LOG("%s", vitro_error());
	EXPECT_EQ(PAGE | 4, self->w.gpa);
	EXPECT_EQ(TABLE(1) | P | W | U | A, *entry4(&self->w.fake, 2, 1023));
	EXPECT_EQ(PAGE | P | W | A | D, *entry4(&self->w.fake, 1, 1022));
	EXPECT_EQ(0, *entry4(&self->w.fake, 1, 1023));	/* nothing written beside it */

	/* PS counts only with CR4.PSE; then bits 20:13 are address bits 39:32. */
	*entry4(&self->w.fake, 2, 1) = 0x00800000 | 0x2000 | P | W | PS;
	EXPECT_EQ(-ENXIO, walk(&self->w, 0x7fffff, 0));
	crs->cr4 = CR4_PSE;
	EXPECT_EQ(0, walk(&self->w, 0x7fffff, 0));
	EXPECT_EQ(0x100bfffff, self->w.gpa);
	*entry4(&self->w.fake, 2, 1) |= 1 << 21;
	EXPECT_EQ(-EFAULT, walk(&self->w, 0x7fffff, 0));
	EXPECT_EQ(9, self->w.fault.error);
}

TEST_F(gva, accessed_and_dirty)
{
	uint64_t gva = 0x1234567000;

	map_long(&self->w.fake, 4, gva);
	EXPECT_EQ(0, walk(&self->w, gva, DEBUG | WRITE));
	EXPECT_EQ(PAGE | P | W | U, *entry8(&self->w.fake, 1, gva >> 12 & 511));
	EXPECT_EQ(0, walk(&self->w, gva, 0));
	EXPECT_EQ(PAGE | P | W | U | A, *entry8(&self->w.fake, 1, gva >> 12 & 511));
	EXPECT_EQ(TABLE(3) | P | W | U | A, *entry8(&self->w.fake, 4, gva >> 39 & 511));
	EXPECT_EQ(0, walk(&self->w, gva, WRITE));
	EXPECT_EQ(PAGE | P | W | U | A | D, *entry8(&self->w.fake, 1, gva >> 12 & 511));
	EXPECT_EQ(TABLE(1) | P | W | U | A, *entry8(&self->w.fake, 2, gva >> 21 & 511));
}

/*
 * Tables that contain themselves, as some kernels have them: setting A in the first
 * entry changes the second, which is the same, and the walk has to notice.
 */
TEST_F(gva, recursive_tables)
{
	uint64_t *entry = entry8(&self->w.fake, 4, 511);

	map_long(&self->w.fake, 4, 0);
	*entry = TABLE(4) | P | W;
	ASSERT_EQ(0, walk(&self->w, 0xfffffffffffff123, WRITE)) TH_LOG("%s", vitro_error());
	EXPECT_EQ(TABLE(4) | 0x123, self->w.gpa);
	EXPECT_EQ(TABLE(4) | P | W | A | D, *entry);
}

/* How often the race below is tried: often enough to be lost, if two CPUs are idle. */
#define WALKS	1000000

/* Another vCPU of the guest, which unmaps the page and maps it again. */
struct flipper {
	uint64_t *pte;
	bool stop;
	unsigned long spoilt;
};

static void *flip(void *arg)
{
	const uint64_t gone = 0x1234567800;	/* not present: the guest's to use, as for swap */
	struct flipper *flipper = arg;

	while (!__atomic_load_n(&flipper->stop, __ATOMIC_RELAXED)) {
		__atomic_store_n(flipper->pte, PAGE | P | W | U, __ATOMIC_SEQ_CST);
		for (int i = 0; i < 5; i++)
			__builtin_ia32_pause();
		__atomic_store_n(flipper->pte, gone, __ATOMIC_SEQ_CST);
		for (int i = 0; i < 5; i++)
			__builtin_ia32_pause();
		if (__atomic_load_n(flipper->pte, __ATOMIC_SEQ_CST) != gone)
			flipper->spoilt++;
	}
	return NULL;
}

/* A bit must go to the entry that was used, not to what took its place meanwhile. */
TEST_F(gva, a_changed_entry_is_not_marked)
{
	struct flipper flipper = { .pte = entry8(&self->w.fake, 1, 0) };
	int mapped = 0, unmapped = 0;
	pthread_t thread;

	map_long(&self->w.fake, 4, 0);
	ASSERT_EQ(0, pthread_create(&thread, NULL, flip, &flipper));
	for (int i = 0; i < WALKS; i++) {
		int ret = walk(&self->w, 0, WRITE);

		mapped += ret == 0;
		unmapped += ret == -EFAULT;
	}
	__atomic_store_n(&flipper.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	EXPECT_EQ(WALKS, mapped + unmapped);
	EXPECT_LT(0, mapped);
	EXPECT_LT(0, unmapped);
	EXPECT_EQ(0, flipper.spoilt);
}

TEST_F(gva, a_fault_marks_nothing)
{
	map_long(&self->w.fake, 4, 0);
	*entry8(&self->w.fake, 1, 0) = PAGE | P;
	EXPECT_EQ(-EFAULT, walk(&self->w, 0, WRITE));
	EXPECT_EQ(PAGE | P, *entry8(&self->w.fake, 1, 0));
}

/* Which combinations are allowed, and the error code of those that are not. */
TEST_F(gva, rights)
{
	static const struct {
		uint64_t take;		/* rights that the last entry lacks */
		uint64_t give;		/* bits that it has in addition */
		uint64_t cr4;
		bool no_wp, ac;
		unsigned int cpl;
		unsigned int access;
		int error;		/* -1: allowed */
	} cases[] = {
		{ .cpl = 0, .access = 0, .error = -1 },
		{ .cpl = 0, .access = WRITE, .error = -1 },
		{ .cpl = 0, .access = EXEC, .error = -1 },
		{ .cpl = 3, .access = WRITE, .error = -1 },
		/* Not present: whatever else, the code says only who did what. */
		{ .take = P, .cpl = 0, .access = 0, .error = 0 },
		{ .take = P, .cpl = 3, .access = WRITE, .error = 6 },
		{ .take = P, .cpl = 3, .access = EXEC, .error = 0x14 },
		{ .take = P, .cpl = 3, .access = SYSTEM, .error = 0 },
		/* Supervisor pages. */
		{ .take = U, .cpl = 0, .access = WRITE, .error = -1 },
		{ .take = U, .cpl = 3, .access = 0, .error = 5 },
		{ .take = U, .cpl = 3, .access = WRITE, .error = 7 },
		{ .take = U, .cpl = 3, .access = SYSTEM, .error = -1 },
		/* Read-only pages. */
		{ .take = W, .cpl = 0, .access = 0, .error = -1 },
		{ .take = W, .cpl = 0, .access = WRITE, .error = 3 },
		{ .take = W, .cpl = 0, .access = WRITE, .no_wp = true, .error = -1 },
		{ .take = W, .cpl = 3, .access = WRITE, .no_wp = true, .error = 7 },
		{ .take = W, .cpl = 0, .access = WRITE | DEBUG, .error = -1 },
		/* No execution. */
		{ .give = NX, .cpl = 0, .access = 0, .error = -1 },
		{ .give = NX, .cpl = 0, .access = EXEC, .error = 0x11 },
		{ .give = NX, .cpl = 3, .access = EXEC, .error = 0x15 },
		/* SMEP: the supervisor does not execute user pages. */
		{ .cr4 = CR4_SMEP, .cpl = 0, .access = EXEC, .error = 0x11 },
		{ .cr4 = CR4_SMEP, .cpl = 3, .access = EXEC, .error = -1 },
		{ .cr4 = CR4_SMEP, .take = U, .cpl = 0, .access = EXEC, .error = -1 },
		{ .cr4 = CR4_SMEP, .cpl = 0, .access = 0, .error = -1 },
		/* SMAP: nor does it access them, unless it says so by RFLAGS.AC. */
		{ .cr4 = CR4_SMAP, .cpl = 0, .access = 0, .error = 1 },
		{ .cr4 = CR4_SMAP, .cpl = 0, .access = WRITE, .no_wp = true, .error = 3 },
		{ .cr4 = CR4_SMAP, .cpl = 0, .access = 0, .ac = true, .error = -1 },
		{ .cr4 = CR4_SMAP, .cpl = 3, .access = 0, .error = -1 },
		{ .cr4 = CR4_SMAP, .cpl = 3, .access = SYSTEM, .ac = true, .error = 1 },
		{ .cr4 = CR4_SMAP, .take = U, .cpl = 0, .access = 0, .error = -1 },
		/* Reserved bits: an address beyond the guest's 40 bits. */
		{ .give = 1ULL << 40, .cpl = 0, .access = 0, .error = 9 },
		{ .give = 1ULL << 51, .cpl = 3, .access = WRITE, .error = 0xf },
	};

	for (unsigned int i = 0; i < ARRAY_LEN(cases); i++) {
		struct vitro_state *state = self->w.fake.state;
		int ret;

		map_long(&self->w.fake, 4, 0);
		*entry8(&self->w.fake, 1, 0) = (PAGE | P | W | U | cases[i].give) & ~cases[i].take;
		state->crs.cr4 |= cases[i].cr4;
		if (cases[i].no_wp)
			state->crs.cr0 &= ~CR0_WP;
		state->gprs.rflags = FLAG_FIXED;
		if (cases[i].ac)
			state->gprs.rflags |= FLAG_AC;
		set_cpl(&self->w.fake, cases[i].cpl);
		ret = walk(&self->w, 0x123, cases[i].access);
		if (cases[i].error < 0) {
			EXPECT_EQ(0, ret)
				TH_LOG("case %u: %s", i, vitro_error());
			EXPECT_EQ(PAGE | 0x123, self->w.gpa);
			continue;
		}
		EXPECT_EQ(-EFAULT, ret) TH_LOG("case %u", i);
		EXPECT_EQ(14, self->w.fault.vector);
		EXPECT_TRUE(self->w.fault.has_error);
		EXPECT_EQ(cases[i].error, self->w.fault.error) TH_LOG("case %u", i);
		EXPECT_EQ(0x123, self->w.fault.address);
	}
}

/* Rights are those of all levels together. */
TEST_F(gva, rights_of_upper_levels)
{
	for (unsigned int level = 2; level <= 4; level++) {
		map_long(&self->w.fake, 4, 0);
		set_cpl(&self->w.fake, 3);
		*entry8(&self->w.fake, level, 0) &= ~U;
		EXPECT_EQ(-EFAULT, walk(&self->w, 0, 0));
		EXPECT_EQ(5, self->w.fault.error);
		*entry8(&self->w.fake, level, 0) |= U | NX;
		EXPECT_EQ(0, walk(&self->w, 0, WRITE));
		EXPECT_EQ(-EFAULT, walk(&self->w, 0, EXEC));
		EXPECT_EQ(0x15, self->w.fault.error);
		*entry8(&self->w.fake, level, 0) &= ~(W | NX);
		EXPECT_EQ(-EFAULT, walk(&self->w, 0, WRITE));
		EXPECT_EQ(7, self->w.fault.error);
	}
}

TEST_F(gva, reserved_without_nxe)
{
	map_long(&self->w.fake, 4, 0);
	self->w.fake.state->crs.efer &= ~EFER_NXE;
	*entry8(&self->w.fake, 1, 0) |= NX;
	EXPECT_EQ(-EFAULT, walk(&self->w, 0, 0));
	EXPECT_EQ(9, self->w.fault.error);
	*entry8(&self->w.fake, 1, 0) = 0;
	EXPECT_EQ(-EFAULT, walk(&self->w, 0, EXEC));
	EXPECT_EQ(0, self->w.fault.error);	/* fetches are not told apart */
}

TEST_F(gva, reserved_in_large_pages)
{
	map_long(&self->w.fake, 4, 0);
	*entry8(&self->w.fake, 2, 0) = 0x2000 | P | W | PS;
	EXPECT_EQ(-EFAULT, walk(&self->w, 0, 0));
	EXPECT_EQ(9, self->w.fault.error);
	*entry8(&self->w.fake, 3, 0) = 0x200000 | P | W | PS;
	EXPECT_EQ(-EFAULT, walk(&self->w, 0, 0));
	*entry8(&self->w.fake, 4, 0) |= PS;
	*entry8(&self->w.fake, 3, 0) = TABLE(2) | P | W;
	EXPECT_EQ(-EFAULT, walk(&self->w, 0, 0));
	EXPECT_EQ(9, self->w.fault.error);
}

TEST_F(gva, tables_where_no_memory_is)
{
	map_long(&self->w.fake, 4, 0);
	*entry8(&self->w.fake, 3, 0) = 0x80000000 | P | W;
	EXPECT_EQ(-ENXIO, walk(&self->w, 0, 0));
	EXPECT_NE(NULL, strstr(vitro_error(), "0x80000000"));
}

/* A bit must not be set in ROM, and its lack must not hurt. */
TEST_F(gva, tables_in_rom)
{
	map_long(&self->w.fake, 4, 0);
	memcpy(self->w.fake.rom, entry8(&self->w.fake, 1, 0), 8);
	*entry8(&self->w.fake, 2, 0) = ROM | P | W | U;
	EXPECT_EQ(0, walk(&self->w, 0, WRITE));
	EXPECT_EQ(PAGE | P | W | U, *(uint64_t *)self->w.fake.rom);
	EXPECT_EQ(ROM | P | W | U | A, *entry8(&self->w.fake, 2, 0));	/* and no D there */
}

TEST_F(gva, copies_cross_pages)
{
	struct vitro_vcpu *vcpu = &self->w.fake.vcpu;
	char text[] = "across the border";
	char back[sizeof(text)];

	map_long(&self->w.fake, 4, 0);
	*entry8(&self->w.fake, 1, 1) = (PAGE + 0x5000) | P | W | U;
	ASSERT_EQ(0, vitro_write_gva(vcpu, 0xff8, text, sizeof(text), 0, &self->w.fault));
	EXPECT_EQ(0, memcmp(self->w.fake.ram + PAGE + 0xff8, text, 8));
	EXPECT_EQ(0, memcmp(self->w.fake.ram + PAGE + 0x5000, text + 8, sizeof(text) - 8));
	ASSERT_EQ(0, vitro_read_gva(vcpu, 0xff8, back, sizeof(back), 0, &self->w.fault));
	EXPECT_STREQ(text, back);

	/* If the second page faults, the first is not written. */
	*entry8(&self->w.fake, 1, 1) = 0;
	memset(self->w.fake.ram + PAGE, 0, 4096);
	EXPECT_EQ(-EFAULT, vitro_write_gva(vcpu, 0xff8, text, sizeof(text), 0, &self->w.fault));
	EXPECT_EQ(0x1000, self->w.fault.address);
	EXPECT_EQ(2, self->w.fault.error);
	EXPECT_EQ(0, self->w.fake.ram[PAGE + 0xff8]);
}

TEST_F(gva, physical_copies_cross_slots)
{
	struct vitro_vm *vm = &self->w.fake.vm;
	char text[] = "ram and rom";

	ASSERT_EQ(0, vitro_write_gpa(vm, ROM - 4, text, sizeof(text)));
	EXPECT_EQ(0, memcmp(self->w.fake.ram + ROM - 4, "ram ", 4));
	EXPECT_STREQ("and rom", (char *)self->w.fake.rom);
	EXPECT_EQ(NULL, vitro_gpa_to_hva(vm, ROM - 4, 8));
	EXPECT_EQ(self->w.fake.ram + ROM - 8, (uint8_t *)vitro_gpa_to_hva(vm, ROM - 8, 8));
	EXPECT_EQ(-ENXIO, vitro_write_gpa(vm, RAM_SIZE - 4, text, sizeof(text)));
	EXPECT_EQ(-ENXIO, vitro_read_gpa(vm, ~0ULL, text, 1));
}

/* -------------------------------------------------------------- step by step */

#define RW	VITRO_RIGHT_WRITE
#define RU	VITRO_RIGHT_USER
#define RX	VITRO_RIGHT_EXEC

TEST_F(gva, steps)
{
	uint64_t gva = 0xffff812345678123;
	struct vitro_walk w;

	map_long(&self->w.fake, 4, gva);
	*entry8(&self->w.fake, 3, gva >> 30 & 511) &= ~W;
	*entry8(&self->w.fake, 2, gva >> 21 & 511) |= NX;
	ASSERT_EQ(0, vitro_walk(&self->w.fake.vcpu, gva, 0, &w));
	EXPECT_EQ(VITRO_WALK_OK, w.result);
	EXPECT_EQ(gva, w.gva);
	EXPECT_EQ(4, w.levels);
	EXPECT_EQ(8, w.entry_size);
	EXPECT_EQ(PAGE | 0x123, w.gpa);
	EXPECT_EQ(4096, w.page_size);
	ASSERT_EQ(4, w.nr);
	for (unsigned int i = 0; i < 4; i++) {
		const struct vitro_walk_step *s = &w.step[i];
		unsigned int level = 4 - i;

		EXPECT_EQ(level, s->level);
		EXPECT_EQ(gva >> (12 + 9 * (level - 1)) & 511, s->index);
		EXPECT_EQ(TABLE(level) + 8 * s->index, s->gpa);
		EXPECT_EQ(*entry8(&self->w.fake, level, s->index), s->entry);
		EXPECT_FALSE(s->entry & (A | D));	/* looking sets nothing */
		EXPECT_EQ(level == 1, s->leaf);
		EXPECT_EQ(0, s->reserved);
	}
	EXPECT_EQ(RW | RU | RX, w.step[0].rights);
	EXPECT_EQ(RU | RX, w.step[1].rights);
	EXPECT_EQ(RU, w.step[2].rights);
	EXPECT_EQ(RU, w.step[3].rights);

	/* And so it is these two that are to blame. */
	ASSERT_EQ(0, vitro_walk(&self->w.fake.vcpu, gva, WRITE, &w));
	EXPECT_EQ(VITRO_WALK_WRITE, w.result);
	EXPECT_EQ(1, w.blamed);
	EXPECT_EQ(3, w.fault.error);
	EXPECT_EQ(PAGE | 0x123, w.gpa);
	ASSERT_EQ(0, vitro_walk(&self->w.fake.vcpu, gva, EXEC, &w));
	EXPECT_EQ(VITRO_WALK_EXEC, w.result);
	EXPECT_EQ(2, w.blamed);
	EXPECT_EQ(0x11, w.fault.error);
}

TEST_F(gva, steps_that_fail)
{
	struct vitro_state *state = self->w.fake.state;
	struct vitro_walk w;

	map_long(&self->w.fake, 4, 0);
	*entry8(&self->w.fake, 2, 0) = 0xabc00;		/* not present: whatever it says */
	ASSERT_EQ(0, vitro_walk(&self->w.fake.vcpu, 0, 0, &w));
	EXPECT_EQ(VITRO_WALK_ABSENT, w.result);
	EXPECT_EQ(3, w.nr);
	EXPECT_EQ(2, w.blamed);
	EXPECT_EQ(0xabc00, w.step[2].entry);
	EXPECT_EQ(0, w.page_size);
	EXPECT_EQ(14, w.fault.vector);

	*entry8(&self->w.fake, 2, 0) = TABLE(1) | P | 1ULL << 51;
	ASSERT_EQ(0, vitro_walk(&self->w.fake.vcpu, 0, 0, &w));
	EXPECT_EQ(VITRO_WALK_RESERVED, w.result);
	EXPECT_EQ(1ULL << 51, w.step[w.blamed].reserved);

	*entry8(&self->w.fake, 2, 0) = 0x80000000 | P;
	ASSERT_EQ(0, vitro_walk(&self->w.fake.vcpu, 0x5000, 0, &w));
	EXPECT_EQ(VITRO_WALK_NO_MEMORY, w.result);
	EXPECT_EQ(4, w.nr);
	EXPECT_EQ(3, w.blamed);
	EXPECT_EQ(0x80000028, w.step[3].gpa);

	map_long(&self->w.fake, 4, 0);
	set_cpl(&self->w.fake, 3);
	*entry8(&self->w.fake, 4, 0) &= ~U;
	ASSERT_EQ(0, vitro_walk(&self->w.fake.vcpu, 0, 0, &w));
	EXPECT_EQ(VITRO_WALK_USER, w.result);
	EXPECT_TRUE(w.user);
	EXPECT_EQ(0, w.blamed);
	ASSERT_EQ(0, vitro_walk(&self->w.fake.vcpu, 0, SYSTEM, &w));
	EXPECT_EQ(VITRO_WALK_OK, w.result);
	EXPECT_FALSE(w.user);
	set_cpl(&self->w.fake, 0);
	ASSERT_EQ(0, vitro_walk(&self->w.fake.vcpu, 0, VITRO_ACCESS_USER, &w));
	EXPECT_EQ(VITRO_WALK_USER, w.result);
	EXPECT_TRUE(w.user);

	map_long(&self->w.fake, 4, 0);
	set_cpl(&self->w.fake, 0);
	state->crs.cr4 |= CR4_SMEP | CR4_SMAP;
	ASSERT_EQ(0, vitro_walk(&self->w.fake.vcpu, 0, EXEC, &w));
	EXPECT_EQ(VITRO_WALK_SMEP, w.result);
	EXPECT_EQ(3, w.blamed);
	ASSERT_EQ(0, vitro_walk(&self->w.fake.vcpu, 0, 0, &w));
	EXPECT_EQ(VITRO_WALK_SMAP, w.result);
	EXPECT_EQ(3, w.blamed);

	ASSERT_EQ(0, vitro_walk(&self->w.fake.vcpu, 1ULL << 47, 0, &w));
	EXPECT_EQ(VITRO_WALK_CANONICAL, w.result);
	EXPECT_EQ(0, w.nr);
	EXPECT_EQ(13, w.fault.vector);
}

TEST_F(gva, steps_of_other_modes)
{
	struct vitro_crs *crs = &self->w.fake.state->crs;
	struct vitro_walk w;

	crs->cr0 = CR0_PE;
	ASSERT_EQ(0, vitro_walk(&self->w.fake.vcpu, 0x112345678, 0, &w));
	EXPECT_EQ(0, w.levels);
	EXPECT_EQ(0, w.nr);
	EXPECT_EQ(0x12345678, w.gva);
	EXPECT_EQ(0x12345678, w.gpa);
	EXPECT_EQ(4096, w.page_size);

	crs->cr0 = CR0_PE | CR0_PG;
	crs->cr4 = CR4_PSE;
	crs->cr3 = TABLE(2);
	*entry4(&self->w.fake, 2, 2) = 0x00800000 | P | PS;
	ASSERT_EQ(0, vitro_walk(&self->w.fake.vcpu, 0xabcdef, 0, &w));
	EXPECT_EQ(2, w.levels);
	EXPECT_EQ(4, w.entry_size);
	EXPECT_EQ(1, w.nr);
	EXPECT_TRUE(w.step[0].leaf);
	EXPECT_EQ(TABLE(2) + 8, w.step[0].gpa);
	EXPECT_EQ(4 << 20, w.page_size);
	EXPECT_EQ(0xabcdef, w.gpa);

	crs->cr4 = CR4_PAE;
	crs->cr3 = TABLE(3) + 0x20;
	*(uint64_t *)(self->w.fake.ram + TABLE(3) + 0x20) = TABLE(2) | P;
	*entry8(&self->w.fake, 2, 0) = 0x600000 | P | W | PS;
	ASSERT_EQ(0, vitro_walk(&self->w.fake.vcpu, 0x123456, WRITE, &w));
	EXPECT_EQ(VITRO_WALK_OK, w.result);
	EXPECT_EQ(3, w.levels);
	EXPECT_EQ(2, w.nr);
	EXPECT_EQ(TABLE(3) + 0x20, w.step[0].gpa);
	EXPECT_EQ(RW | RU | RX, w.step[0].rights);	/* a PDPTE denies nothing */
	EXPECT_EQ(2 << 20, w.page_size);
	EXPECT_EQ(0x723456, w.gpa);
}

/* A walk that was taken before is taken again as soon as anything that it hangs on differs. */
TEST_F(gva, known_walks)
{
	struct fake *fake = &self->w.fake;
	struct vitro_crs *crs = &fake->state->crs;
	uint64_t gva = 0x7f1234567123, *leaf;

	map_long(fake, 4, gva);
	set_cpl(fake, 0);
	leaf = entry8(fake, 1, gva >> 12 & 511);
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, walk(&self->w, gva + i, 0)) TH_LOG("%s", vitro_error());
		EXPECT_EQ((PAGE | 0x123) + i, self->w.gpa);
		EXPECT_EQ(PAGE | P | W | U | A, *leaf);
	}
	*leaf &= ~A;
	ASSERT_EQ(0, walk(&self->w, gva, 0));
	EXPECT_EQ(PAGE | P | W | U | A, *leaf);
	ASSERT_EQ(0, walk(&self->w, gva, WRITE));
	EXPECT_EQ(PAGE | P | W | U | A | D, *leaf);

	*leaf += 0x1000;
	ASSERT_EQ(0, walk(&self->w, gva, 0));
	EXPECT_EQ((PAGE | 0x123) + 0x1000, self->w.gpa);
	*leaf &= ~U;
	ASSERT_EQ(0, walk(&self->w, gva, 0));
	set_cpl(fake, 3);
	EXPECT_EQ(-EFAULT, walk(&self->w, gva, 0));
	set_cpl(fake, 0);

	*leaf = PAGE | P | U;
	crs->cr0 &= ~CR0_WP;
	ASSERT_EQ(0, walk(&self->w, gva, WRITE));
	crs->cr0 |= CR0_WP;
	EXPECT_EQ(-EFAULT, walk(&self->w, gva, WRITE));

	crs->cr4 |= CR4_SMAP;
	fake->state->gprs.rflags |= FLAG_AC;
	ASSERT_EQ(0, walk(&self->w, gva, 0));
	fake->state->gprs.rflags &= ~FLAG_AC;
	EXPECT_EQ(-EFAULT, walk(&self->w, gva, 0));
	crs->cr4 &= ~CR4_SMAP;

	ASSERT_EQ(0, walk(&self->w, gva, 0));
	crs->cr3 += 0x1000;
	EXPECT_EQ(-EFAULT, walk(&self->w, gva, 0));
	crs->cr3 -= 0x1000;
	ASSERT_EQ(0, walk(&self->w, gva, 0));
	*entry8(fake, 3, gva >> 30 & 511) = 0;
	EXPECT_EQ(-EFAULT, walk(&self->w, gva, 0));
}

TEST_HARNESS_MAIN
