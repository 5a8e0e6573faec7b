// SPDX-License-Identifier: GPL-2.0-or-later
/* libvitro's multiboot loader: what the specification promises a kernel, and broken ones. */
#include "kselftest_harness.h"

#include "loader.h"

#define INFO		VI_BOOT_INFO
#define HDR_AT		0x20		/* of the header in a flat image */
#define LOAD		0x100000

/* An image that is neither ELF nor anything else: its header says where it goes. */
struct flat_image {
	uint8_t before[HDR_AT];
	uint32_t hdr[8];
	uint8_t code[0x400];
};

FIXTURE(multiboot)
{
	struct loader l;
	struct flat_image flat;
};

static void make_flat(struct flat_image *flat)
{
	memset(flat, 0x90, sizeof(*flat));
	set_multiboot(flat->hdr, 1U << 16 | 3);
	flat->hdr[3] = LOAD + HDR_AT;			/* header_addr */
	flat->hdr[4] = LOAD;				/* load_addr */
	flat->hdr[5] = LOAD + sizeof(*flat) - 0x10;	/* load_end_addr */
	flat->hdr[6] = LOAD + 0x2000;			/* bss_end_addr */
	flat->hdr[7] = LOAD + HDR_AT + 0x20;		/* entry_addr */
	for (unsigned int i = 0; i < sizeof(flat->code); i++)
		flat->code[i] = i * 7;
}

FIXTURE_SETUP(multiboot)
{
	loader_init(&self->l);
	make_flat(&self->flat);
	set_image(&self->l, &self->flat, sizeof(self->flat));
}

FIXTURE_TEARDOWN(multiboot)
{
	loader_free(&self->l);
}

static uint32_t at32(struct loader *l, uint64_t gpa)
{
	uint32_t value;

	memcpy(&value, l->ram + gpa, sizeof(value));
	return value;
}

/* 3.2, machine state */
TEST_F(multiboot, state)
{
	struct vitro_state *state = self->l.fake.state;

	ASSERT_EQ(0, load(&self->l)) TH_LOG("%s", vitro_error());
	EXPECT_EQ(LOAD + HDR_AT + 0x20, state->gprs.rip);
	EXPECT_EQ(0x2badb002, state->gprs.gpr[VITRO_RAX]);
	EXPECT_EQ(INFO, state->gprs.gpr[VITRO_RBX]);
	EXPECT_EQ(CR0_PE | CR0_ET, state->crs.cr0);
	EXPECT_EQ(0, state->crs.efer);
	EXPECT_EQ(FLAG_FIXED, state->gprs.rflags);
	EXPECT_EQ(0xc9b, state->segs.seg[VITRO_CS].attrib);
	EXPECT_EQ(0, state->segs.seg[VITRO_CS].base);
	EXPECT_EQ(0xffffffff, state->segs.seg[VITRO_CS].limit);
	for (int i = VITRO_ES; i <= VITRO_GS; i++) {
		if (i == VITRO_CS)
			continue;
		EXPECT_EQ(0xc93, state->segs.seg[i].attrib);
		EXPECT_EQ(0, state->segs.seg[i].base);
		EXPECT_EQ(0xffffffff, state->segs.seg[i].limit);
	}
}

/* 3.1.3, the header's address fields */
TEST_F(multiboot, addresses)
{
	memset(self->l.ram + LOAD, 0xee, 0x3000);
	ASSERT_EQ(0, load(&self->l)) TH_LOG("%s", vitro_error());
	EXPECT_EQ(0, memcmp(self->l.ram + LOAD, &self->flat, sizeof(self->flat) - 0x10));
	EXPECT_EQ(0, self->l.ram[LOAD + sizeof(self->flat) - 0x10]);
	EXPECT_EQ(0, self->l.ram[LOAD + 0x1fff]);
	EXPECT_EQ(0xee, self->l.ram[LOAD + 0x2000]);

	/* The beginning of the file need not be loaded; without an end, all else is. */
	self->flat.hdr[4] = LOAD + HDR_AT;
	self->flat.hdr[5] = 0;
	self->flat.hdr[6] = 0;
	set_image(&self->l, &self->flat, sizeof(self->flat));
	memset(self->l.ram + LOAD, 0xee, 0x3000);
	ASSERT_EQ(0, load(&self->l)) TH_LOG("%s", vitro_error());
	EXPECT_EQ(0xee, self->l.ram[LOAD + HDR_AT - 1]);
	EXPECT_EQ(0, memcmp(self->l.ram + LOAD + HDR_AT, self->flat.hdr,
			    sizeof(self->flat) - HDR_AT));
	EXPECT_EQ(0xee, self->l.ram[LOAD + sizeof(self->flat)]);
}

/* 3.3, the information structure */
TEST_F(multiboot, info)
{
	struct loader *l = &self->l;
	uint64_t map;

	ASSERT_EQ(0, load(l)) TH_LOG("%s", vitro_error());
	EXPECT_EQ(1 << 0 | 1 << 2 | 1 << 3 | 1 << 6 | 1 << 9, at32(l, INFO));
	EXPECT_EQ(0x9fc00 / 1024, at32(l, INFO + 4));
	EXPECT_EQ((RAM_END - (1 << 20)) / 1024, at32(l, INFO + 8));
	EXPECT_STREQ("console=ttyS0", (char *)l->ram + at32(l, INFO + 16));
	EXPECT_EQ(0, at32(l, INFO + 20));
	EXPECT_EQ(3 * 24, at32(l, INFO + 44));
	map = at32(l, INFO + 48);
	EXPECT_EQ(20, at32(l, map + 24));
	EXPECT_EQ(0xe0000, at32(l, map + 28));
	EXPECT_EQ(0, at32(l, map + 32));
	EXPECT_EQ(0x20000, at32(l, map + 36));
	EXPECT_EQ(0, at32(l, map + 40));
	EXPECT_EQ(2, at32(l, map + 44));
	EXPECT_STREQ("vitro", (char *)l->ram + at32(l, INFO + 64));
}

TEST_F(multiboot, modules)
{
	char one[5000], two[1] = { '2' };
	const struct vitro_module module[2] = {
		{ .image = { two, sizeof(two) }, .cmdline = "second arg" },
		{ .image = { two, sizeof(two) } },
	};
	struct loader *l = &self->l;
	uint64_t mods;

	memset(one, '1', sizeof(one));
	l->boot.initrd = (struct vitro_image){ one, sizeof(one) };
	l->boot.module = module;
	l->boot.nr_modules = 2;
	ASSERT_EQ(0, load(l)) TH_LOG("%s", vitro_error());
	ASSERT_EQ(3, at32(l, INFO + 20));
	mods = at32(l, INFO + 24);
	EXPECT_EQ(LOAD + 0x2000, at32(l, mods));	/* behind the kernel's bss */
	EXPECT_EQ(LOAD + 0x2000 + sizeof(one), at32(l, mods + 4));
	EXPECT_STREQ("", (char *)l->ram + at32(l, mods + 8));
	EXPECT_EQ(0, memcmp(l->ram + at32(l, mods), one, sizeof(one)));
	EXPECT_EQ(LOAD + 0x4000, at32(l, mods + 16));
	EXPECT_EQ(LOAD + 0x4001, at32(l, mods + 20));
	EXPECT_STREQ("second arg", (char *)l->ram + at32(l, mods + 24));
	EXPECT_EQ('2', l->ram[LOAD + 0x4000]);
	EXPECT_EQ(LOAD + 0x5000, at32(l, mods + 32));
	EXPECT_STREQ("", (char *)l->ram + at32(l, mods + 40));
	EXPECT_STREQ("console=ttyS0", (char *)l->ram + at32(l, INFO + 16));

	l->boot.initrd.size = RAM_END;
	EXPECT_EQ(-ENOSPC, load(l));
	EXPECT_TRUE(says("module"));
	l->boot.initrd.size = 0;
	l->boot.nr_modules = VITRO_MAX_MODULES + 1;
	EXPECT_EQ(-EINVAL, load(l));
}

TEST_F(multiboot, long_strings)
{
	char *text = malloc(0x60000);
	struct vitro_module module = { .image = { text, 1 }, .cmdline = "x" };

	memset(text, 'p', 0x60000);
	text[0x4ffff] = 0;		/* exactly what there is room for */
	self->l.boot.cmdline = text;
	EXPECT_EQ(0, load(&self->l));
	self->l.boot.module = &module;
	self->l.boot.nr_modules = 1;
	EXPECT_EQ(-E2BIG, load(&self->l));
	free(text);
}

TEST_F(multiboot, elf32)
{
	struct elf32_image elf;

	make_elf32(&elf);
	set_multiboot(elf.multiboot, 3);
	set_image(&self->l, &elf, sizeof(elf));
	ASSERT_EQ(0, load(&self->l)) TH_LOG("%s", vitro_error());
	EXPECT_EQ(0x200010, self->l.fake.state->gprs.rip);
	EXPECT_EQ(0x2badb002, self->l.fake.state->gprs.gpr[VITRO_RAX]);
	EXPECT_EQ(0, memcmp(self->l.ram + 0x200000, elf.code, sizeof(elf.code)));
	EXPECT_EQ(0, self->l.ram[0x202fff]);
	elf.eh.e_entry = 0x203000;
	set_image(&self->l, &elf, sizeof(elf));
	EXPECT_EQ(-ENOEXEC, load(&self->l));
	EXPECT_TRUE(says("not within"));

	/* Address fields go before the ELF headers. */
	set_multiboot(elf.multiboot, 1U << 16);
	elf.multiboot[3] = 0x400000 + offsetof(struct elf32_image, multiboot);
	elf.multiboot[4] = 0x400000;
	elf.multiboot[7] = 0x400100;
	set_image(&self->l, &elf, sizeof(elf));
	ASSERT_EQ(0, load(&self->l)) TH_LOG("%s", vitro_error());
	EXPECT_EQ(0x400100, self->l.fake.state->gprs.rip);
}

/* Where the header may be: on 4 bytes, and whole within the first 8 KiB. */
TEST_F(multiboot, header_position)
{
	static uint8_t image[0x3000];
	uint32_t *hdr = (uint32_t *)(image + 8192 - 32);

	memcpy(hdr, self->flat.hdr, 32);
	hdr[3] = LOAD + 8192 - 32;
	hdr[5] = 0;
	hdr[6] = 0;
	hdr[7] = LOAD + 0x2000;
	set_image(&self->l, image, sizeof(image));
	EXPECT_EQ(0, load(&self->l)) TH_LOG("%s", vitro_error());
	memmove(image + 8192 - 28, hdr, 32);		/* its address fields are cut off */
	set_image(&self->l, image, sizeof(image));
	EXPECT_EQ(-ENOEXEC, load(&self->l));
	memset(image, 0, sizeof(image));
	memcpy(image + 8192, self->flat.hdr, 32);
	set_image(&self->l, image, sizeof(image));
	EXPECT_EQ(-ENOEXEC, load(&self->l));
	EXPECT_TRUE(says("not multiboot"));
	memset(image, 0, sizeof(image));
	memcpy(image + 0x22, self->flat.hdr, 32);
	set_image(&self->l, image, sizeof(image));
	EXPECT_EQ(-ENOEXEC, load(&self->l));
}

TEST_F(multiboot, wrong)
{
	struct flat_image *flat = &self->flat;

#define WRONG(error, change, text) do {							\
	make_flat(flat);								\
	change;										\
	set_image(&self->l, flat, sizeof(*flat));					\
	EXPECT_EQ(error, load(&self->l)) TH_LOG("%s", #change);				\
	EXPECT_TRUE(says(text));								\
} while (0)

	WRONG(-ENOEXEC, flat->hdr[0]++, "not multiboot");
	WRONG(-ENOEXEC, flat->hdr[2]++, "not multiboot");
	WRONG(-ENOEXEC, set_multiboot(flat->hdr, 1U << 16 | 4), "video");
	WRONG(-ENOEXEC, set_multiboot(flat->hdr, 1U << 16 | 1U << 15), "flags 0x18000");
	WRONG(-ENOEXEC, set_multiboot(flat->hdr, 0), "not an ELF file");
	WRONG(-ENOEXEC, flat->hdr[3] = LOAD - 1, "header_addr");
	WRONG(-ENOEXEC, flat->hdr[3] = ~0U, "header_addr");
	WRONG(-ENOEXEC, flat->hdr[5] = LOAD, "cut off");
	WRONG(-ENOEXEC, flat->hdr[5] = LOAD + sizeof(*flat) + 1, "cut off");
	WRONG(-ENOEXEC, flat->hdr[5] = ~0U, "cut off");
	WRONG(-ENOEXEC, flat->hdr[6] = LOAD, "bss_end_addr");
	WRONG(-ENOEXEC, flat->hdr[7] = LOAD - 1, "not within");
	WRONG(-ENOEXEC, flat->hdr[7] = LOAD + 0x2000, "not within");
	WRONG(-ENOSPC, flat->hdr[6] = ~0U, "no RAM");
	WRONG(-ENOSPC, (flat->hdr[3] -= LOAD, flat->hdr[4] = 0, flat->hdr[5] = 0,
			flat->hdr[6] = 0, flat->hdr[7] -= LOAD), "no RAM above 0x80000");
	/* Flags from 16 on are wishes that need not be known. */
	make_flat(flat);
	set_multiboot(flat->hdr, 0xffff0000);
	set_image(&self->l, flat, sizeof(*flat));
	EXPECT_EQ(0, load(&self->l)) TH_LOG("%s", vitro_error());
	EXPECT_EQ(-ENOEXEC, (self->l.boot.kernel.size = 0,
			     vitro_load_multiboot(&self->l.fake.vcpu, &self->l.boot)));
}

TEST_F(multiboot, truncated)
{
	for (size_t size = 0; size < sizeof(self->flat) - 0x10; size++) {
		set_image(&self->l, &self->flat, size);
		ASSERT_EQ(-ENOEXEC, load(&self->l)) TH_LOG("%zu bytes", size);
		ASSERT_EQ(-ENOEXEC, vitro_load_multiboot(&self->l.fake.vcpu, &self->l.boot));
	}
	EXPECT_TRUE(says("cut off"));
}

TEST_HARNESS_MAIN
