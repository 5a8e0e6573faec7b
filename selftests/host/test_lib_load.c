// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libvitro's loaders: that what the boot protocols demand is there, and that no
 * truncated, broken or hostile image does harm.
 */
#include "kselftest_harness.h"

#include "loader.h"

FIXTURE(load)
{
	struct loader l;
};

FIXTURE_SETUP(load)
{
	loader_init(&self->l);
}

FIXTURE_TEARDOWN(load)
{
	loader_free(&self->l);
}

/* ----------------------------------------------------------------- bzImage */

TEST_F(load, bzimage)
{
	struct boot_params *params = (struct boot_params *)(self->l.ram + VI_BOOT_INFO);
	struct vitro_state *state = self->l.fake.state;
	uint8_t image[BZ_SIZE];
	char initrd[5000];
	uint64_t gpa;

	make_bzimage(image);
	set_image(&self->l, image, sizeof(image));
	memset(initrd, 'i', sizeof(initrd));
	self->l.boot.initrd = (struct vitro_image){ initrd, sizeof(initrd) };
	memset(self->l.ram + VI_BOOT_INFO, 0x5a, 4096);
	ASSERT_EQ(0, load(&self->l)) TH_LOG("%s", vitro_error());

	/* The code, where it prefers to be, and the CPU at its entry. */
	EXPECT_EQ(0, memcmp(self->l.ram + 0x1000000, image + (1 + SETUP_SECTS) * 512, CODE_SIZE));
	EXPECT_EQ(0x1000200, state->gprs.rip);
	EXPECT_EQ(VI_BOOT_INFO, state->gprs.gpr[VITRO_RSI]);
	EXPECT_EQ(0, state->gprs.rflags & 0x200);

	/* The zero page: header, parameters, memory map; the rest zero. */
	EXPECT_EQ(0, memcmp(&params->hdr.header, "HdrS", 4));
	EXPECT_EQ(0xff, params->hdr.type_of_loader);
	EXPECT_EQ(0, params->sentinel);
	EXPECT_EQ(0, params->hdr.setup_data);
	EXPECT_EQ(0, params->screen_info.orig_x);
	EXPECT_EQ(0, params->alt_mem_k);
	EXPECT_EQ(0xe0000, params->acpi_rsdp_addr);
	EXPECT_EQ(3, params->e820_entries);
	EXPECT_EQ(0xe0000, params->e820_table[1].addr);
	EXPECT_EQ(0x20000, params->e820_table[1].size);
	EXPECT_EQ(2, params->e820_table[1].type);
	EXPECT_STREQ("console=ttyS0", (char *)self->l.ram + params->hdr.cmd_line_ptr);

	/* The initrd, as high as possible, on a page border. */
	EXPECT_EQ(sizeof(initrd), params->hdr.ramdisk_size);
	EXPECT_EQ(RAM_END - 0x2000, params->hdr.ramdisk_image);
	EXPECT_EQ(0, memcmp(self->l.ram + RAM_END - 0x2000, initrd, sizeof(initrd)));

	/* All that the kernel needs is mapped to itself, and can be executed. */
	ASSERT_EQ(0, vitro_gva_to_gpa(&self->l.fake.vcpu, state->gprs.rip, VITRO_ACCESS_EXEC, &gpa,
				      NULL));
	EXPECT_EQ(0x1000200, gpa);
	ASSERT_EQ(0, vitro_gva_to_gpa(&self->l.fake.vcpu, 0xfffff000, VITRO_ACCESS_WRITE, &gpa,
				      NULL));
	EXPECT_EQ(0xfffff000, gpa);
	EXPECT_EQ(CR0_PE | CR0_PG | CR0_ET, state->crs.cr0);
	EXPECT_EQ(EFER_LME | EFER_LMA, state->crs.efer);
	EXPECT_EQ(VITRO_STATE_GPRS | VITRO_STATE_SEGS | VITRO_STATE_CRS | VITRO_STATE_EVENTS,
		  self->l.fake.comm->dirty);
}

/* __BOOT_CS and __BOOT_DS: in the registers, and in the GDT for who reloads them. */
TEST_F(load, bzimage_gdt)
{
	struct vitro_segs *segs = &self->l.fake.state->segs;
	uint8_t image[BZ_SIZE];
	uint64_t *gdt;

	make_bzimage(image);
	set_image(&self->l, image, sizeof(image));
	ASSERT_EQ(0, load(&self->l));
	EXPECT_EQ(0x10, segs->seg[VITRO_CS].selector);
	EXPECT_EQ(0xa9b, segs->seg[VITRO_CS].attrib);
	EXPECT_EQ(0x18, segs->seg[VITRO_SS].selector);
	EXPECT_EQ(0xc93, segs->seg[VITRO_DS].attrib);
	EXPECT_EQ(0xffffffff, segs->seg[VITRO_DS].limit);
	EXPECT_EQ(0x8b, segs->seg[VITRO_TR].attrib);
	EXPECT_EQ(0, segs->seg[VITRO_LDTR].attrib);
	gdt = (uint64_t *)(self->l.ram + segs->gdtr.base);
	EXPECT_EQ(0x00af9b000000ffff, gdt[0x10 / 8]);
	EXPECT_EQ(0x00cf93000000ffff, gdt[0x18 / 8]);
	EXPECT_EQ(0x00008b0000000067, gdt[0x20 / 8]);
	EXPECT_LE(0x2f, segs->gdtr.limit);
}

/* The kernel moves when it cannot be where it prefers, and the initrd makes room. */
TEST_F(load, bzimage_placement)
{
	struct boot_params *params = (struct boot_params *)(self->l.ram + VI_BOOT_INFO);
	uint8_t image[BZ_SIZE];
	struct setup_header *hdr = make_bzimage(image);
	static char initrd[4096];

	hdr->pref_address = 0x40000000;
	set_image(&self->l, image, sizeof(image));
	ASSERT_EQ(0, load(&self->l)) TH_LOG("%s", vitro_error());
	EXPECT_EQ(0x200200, self->l.fake.state->gprs.rip);

	hdr->pref_address = RAM_END - 0x800000;
	self->l.boot.initrd = (struct vitro_image){ initrd, sizeof(initrd) };
	set_image(&self->l, image, sizeof(image));
	ASSERT_EQ(0, load(&self->l)) TH_LOG("%s", vitro_error());
	EXPECT_EQ(RAM_END - 0x800000 + 0x200, self->l.fake.state->gprs.rip);
	EXPECT_EQ(RAM_END - 0x801000, params->hdr.ramdisk_image);

	/* A kernel that cannot reach high memory limits the initrd. */
	hdr->xloadflags = XLF_KERNEL_64;
	hdr->initrd_addr_max = 0x1ffffff;
	set_image(&self->l, image, sizeof(image));
	ASSERT_EQ(0, load(&self->l)) TH_LOG("%s", vitro_error());
	EXPECT_EQ(0x1fff000, params->hdr.ramdisk_image);

	hdr->relocatable_kernel = 0;
	hdr->pref_address = 0x40000000;
	set_image(&self->l, image, sizeof(image));
	EXPECT_EQ(-ENOSPC, load(&self->l));
	EXPECT_TRUE(says("0x40000000"));
	hdr->relocatable_kernel = 1;
	hdr->init_size = RAM_END;
	set_image(&self->l, image, sizeof(image));
	EXPECT_EQ(-ENOSPC, load(&self->l));
	hdr->init_size = 0x800000;
	self->l.boot.initrd.size = RAM_END;
	set_image(&self->l, image, sizeof(image));
	EXPECT_EQ(-ENOSPC, load(&self->l));
	EXPECT_TRUE(says("initrd"));
}

/* Cut off at every length: an error, and never a read beyond the end. */
TEST_F(load, bzimage_truncated)
{
	uint8_t image[BZ_SIZE];

	make_bzimage(image);
	/* The code is counted in paragraphs, of which the last one need not be complete. */
	for (size_t size = 0; size <= sizeof(image) - 16; size++) {
		set_image(&self->l, image, size);
		ASSERT_EQ(-ENOEXEC, load(&self->l)) TH_LOG("%zu bytes", size);
		ASSERT_EQ(-ENOEXEC, vitro_load_bzimage(&self->l.fake.vcpu, &self->l.boot));
	}
	EXPECT_TRUE(says("cut off"));
	set_image(&self->l, image, sizeof(image) - 15);
	EXPECT_EQ(0, load(&self->l));
}

/* Without a 64-bit entry: at the beginning, in protected mode. */
TEST_F(load, bzimage_32)
{
	struct boot_params *params = (struct boot_params *)(self->l.ram + VI_BOOT_INFO);
	struct vitro_state *state = self->l.fake.state;
	uint8_t image[BZ_SIZE];
	struct setup_header *hdr = make_bzimage(image);
	static char initrd[4096];

	hdr->xloadflags = XLF_CAN_BE_LOADED_ABOVE_4G;	/* means nothing for this entry */
	hdr->initrd_addr_max = 0x1ffffff;
	set_image(&self->l, image, sizeof(image));
	self->l.boot.initrd = (struct vitro_image){ initrd, sizeof(initrd) };
	ASSERT_EQ(0, load(&self->l)) TH_LOG("%s", vitro_error());
	EXPECT_EQ(0x1000000, state->gprs.rip);
	EXPECT_EQ(VI_BOOT_INFO, state->gprs.gpr[VITRO_RSI]);
	EXPECT_EQ(0, state->gprs.gpr[VITRO_RBP]);
	EXPECT_EQ(0, state->gprs.gpr[VITRO_RDI]);
	EXPECT_EQ(0, state->gprs.gpr[VITRO_RBX]);
	EXPECT_EQ(CR0_PE | CR0_ET, state->crs.cr0);
	EXPECT_EQ(0, state->crs.efer);
	EXPECT_EQ(0x10, state->segs.seg[VITRO_CS].selector);
	EXPECT_EQ(0xc9b, state->segs.seg[VITRO_CS].attrib);
	EXPECT_EQ(0x18, state->segs.seg[VITRO_DS].selector);
	EXPECT_EQ(FLAG_FIXED, state->gprs.rflags);
	EXPECT_EQ(0x1000000, params->hdr.code32_start);
	EXPECT_EQ(0x1fff000, params->hdr.ramdisk_image);
}

/* Before protocol 2.10 a kernel has one place, before 2.06 short parameters. */
TEST_F(load, bzimage_old)
{
	uint8_t image[BZ_SIZE];
	struct setup_header *hdr = make_bzimage(image);
	char text[300];

	hdr->version = 0x0204;
	hdr->relocatable_kernel = 0;
	hdr->xloadflags = XLF_KERNEL_64;	/* not a field yet */
	set_image(&self->l, image, sizeof(image));
	ASSERT_EQ(0, load(&self->l)) TH_LOG("%s", vitro_error());
	EXPECT_EQ(0x100000, self->l.fake.state->gprs.rip);
	EXPECT_EQ(CR0_PE | CR0_ET, self->l.fake.state->crs.cr0);
	memset(text, 'p', sizeof(text));
	text[256] = 0;
	self->l.boot.cmdline = text;
	EXPECT_EQ(-E2BIG, load(&self->l));
	text[255] = 0;
	EXPECT_EQ(0, load(&self->l));
}

TEST_F(load, bzimage_wrong)
{
	uint8_t image[BZ_SIZE];
	struct setup_header *hdr = make_bzimage(image);

#define WRONG(change, text) do {							\
	make_bzimage(image);								\
	change;										\
	set_image(&self->l, image, sizeof(image));						\
	EXPECT_EQ(-ENOEXEC, load(&self->l)) TH_LOG("%s", #change);				\
	EXPECT_TRUE(says(text));								\
} while (0)

	WRONG(hdr->header = 0, "not multiboot");
	WRONG(hdr->boot_flag = 0, "no Linux header");
	WRONG(hdr->version = 0x0203, "2.03");
	WRONG(hdr->loadflags = 0, "zImage");
	WRONG(hdr->syssize = 0, "no code");
	WRONG(hdr->syssize = 0xffffffff, "cut off");
	WRONG(hdr->setup_sects = 255, "cut off");
	WRONG((hdr->pref_address = 0, hdr->kernel_alignment = 0), "alignment");
	WRONG((hdr->pref_address = 0, hdr->kernel_alignment = 0x300000), "alignment");
	WRONG((hdr->xloadflags = 0, hdr->syssize = 0), "no code");

	/* Addresses and sizes at the end of all: no wrap-around. */
	make_bzimage(image);
	hdr->pref_address = ~0ULL;
	hdr->init_size = ~0U;
	set_image(&self->l, image, sizeof(image));
	EXPECT_EQ(-ENOSPC, load(&self->l));
	/* Below 512 KiB are the loader's own tables. */
	make_bzimage(image);
	hdr->pref_address = 0;
	hdr->init_size = 0;
	set_image(&self->l, image, sizeof(image));
	EXPECT_EQ(0, load(&self->l));
	EXPECT_EQ(0x200200, self->l.fake.state->gprs.rip);
}

/* Any byte of the header may be anything: an error or not, but no harm. */
TEST_F(load, bzimage_garbage)
{
	uint8_t image[BZ_SIZE];
	int loaded = 0;

	srandom(1);
	for (int round = 0; round < 20000; round++) {
		make_bzimage(image);
		for (int i = random() % 8; i >= 0; i--)
			image[0x1f1 + random() % sizeof(struct setup_header)] = random();
		set_image(&self->l, image, sizeof(image));
		loaded += !load(&self->l);
	}
	EXPECT_LT(0, loaded);
	EXPECT_GT(20000, loaded);
}

/* --------------------------------------------------------------------- ELF */

/* Xen's struct hvm_start_info, by offsets. */
static uint64_t info64(struct loader *l, unsigned int offset)
{
	uint64_t value;

	memcpy(&value, l->ram + VI_BOOT_INFO + offset, sizeof(value));
	return value;
}

TEST_F(load, elf)
{
	struct vitro_state *state = self->l.fake.state;
	struct elf_image elf;
	uint64_t *module, *memmap;
	char initrd[100] = "initrd";

	make_elf(&elf);
	set_image(&self->l, &elf, sizeof(elf));
	self->l.boot.initrd = (struct vitro_image){ initrd, sizeof(initrd) };
	memset(self->l.ram + 0x200000, 0xee, 0x4000);
	ASSERT_EQ(0, load(&self->l)) TH_LOG("%s", vitro_error());

	/* The segments, with zeros behind what is in the file. */
	EXPECT_EQ(0, memcmp(self->l.ram + 0x200000, elf.code, sizeof(elf.code)));
	EXPECT_EQ(0, self->l.ram[0x200100]);
	EXPECT_EQ(0, self->l.ram[0x202fff]);
	EXPECT_EQ(0xee, self->l.ram[0x203000]);
	EXPECT_EQ(0, memcmp(self->l.ram + 0x400000, elf.code, 4));

	/* 32-bit protected mode, no paging, flat segments, EBX. */
	EXPECT_EQ(0x200040, state->gprs.rip);
	EXPECT_EQ(VI_BOOT_INFO, state->gprs.gpr[VITRO_RBX]);
	EXPECT_EQ(CR0_PE | CR0_ET, state->crs.cr0);
	EXPECT_EQ(0, state->crs.cr4);
	EXPECT_EQ(0, state->crs.efer);
	EXPECT_EQ(FLAG_FIXED, state->gprs.rflags);
	EXPECT_EQ(0xc9b, state->segs.seg[VITRO_CS].attrib);
	EXPECT_EQ(0xc93, state->segs.seg[VITRO_ES].attrib);
	EXPECT_EQ(0xffffffff, state->segs.seg[VITRO_CS].limit);
	EXPECT_EQ(0x67, state->segs.seg[VITRO_TR].limit);

	/* The start info. */
	EXPECT_EQ(0x1336ec578, info64(&self->l, 0));	/* magic and version */
	EXPECT_EQ(1, info64(&self->l, 8) >> 32);
	module = (uint64_t *)(self->l.ram + info64(&self->l, 16));
	EXPECT_EQ(RAM_END - 0x1000, module[0]);
	EXPECT_EQ(sizeof(initrd), module[1]);
	EXPECT_STREQ("initrd", (char *)self->l.ram + module[0]);
	EXPECT_STREQ("console=ttyS0", (char *)self->l.ram + info64(&self->l, 24));
	EXPECT_EQ(0xe0000, info64(&self->l, 32));
	memmap = (uint64_t *)(self->l.ram + info64(&self->l, 40));
	EXPECT_EQ(3, info64(&self->l, 48));
	EXPECT_EQ(0xe0000, memmap[3]);
	EXPECT_EQ(0x20000, memmap[4]);
	EXPECT_EQ(VITRO_RANGE_RESERVED, memmap[5]);
}

/* An ELF64 file without the note is started as vmlinux is. */
TEST_F(load, elf_linux)
{
	struct boot_params *params = (struct boot_params *)(self->l.ram + VI_BOOT_INFO);
	struct vitro_state *state = self->l.fake.state;
	struct elf_image elf;

	make_elf(&elf);
	elf.note[1].nh.n_type = 19;
	elf.eh.e_entry = 0x200080;
	set_image(&self->l, &elf, sizeof(elf));
	ASSERT_EQ(0, load(&self->l)) TH_LOG("%s", vitro_error());
	EXPECT_EQ(0x200080, state->gprs.rip);
	EXPECT_EQ(VI_BOOT_INFO, state->gprs.gpr[VITRO_RSI]);
	EXPECT_EQ(EFER_LME | EFER_LMA, state->crs.efer);
	EXPECT_EQ(0, memcmp(&params->hdr.header, "HdrS", 4));
	EXPECT_EQ(3, params->e820_entries);
	EXPECT_EQ(0xe0000, params->acpi_rsdp_addr);
	EXPECT_STREQ("console=ttyS0", (char *)self->l.ram + params->hdr.cmd_line_ptr);
}

/* PVH in a file of a 32-bit kernel. */
TEST_F(load, elf32)
{
	struct elf_image elf;
	struct elf32_image small;

	make_elf(&elf);
	make_elf32(&small);
	memcpy(small.note, elf.note, sizeof(small.note));
	set_image(&self->l, &small, sizeof(small));
	ASSERT_EQ(0, load(&self->l)) TH_LOG("%s", vitro_error());
	EXPECT_EQ(0x200040, self->l.fake.state->gprs.rip);
	EXPECT_EQ(VI_BOOT_INFO, self->l.fake.state->gprs.gpr[VITRO_RBX]);
	EXPECT_EQ(0, memcmp(self->l.ram + 0x200000, small.code, sizeof(small.code)));
	EXPECT_EQ(0x1336ec578, info64(&self->l, 0));

	small.note[1].nh.n_type = 19;
	set_image(&self->l, &small, sizeof(small));
	EXPECT_EQ(-ENOEXEC, load(&self->l));
	EXPECT_TRUE(says("without PVH entry"));
	for (size_t size = 0; size < sizeof(small); size++) {
		set_image(&self->l, &small, size);
		ASSERT_EQ(-ENOEXEC, load(&self->l)) TH_LOG("%zu bytes", size);
	}
}

TEST_F(load, elf_truncated)
{
	struct elf_image elf;

	make_elf(&elf);
	for (size_t size = 0; size < sizeof(elf); size++) {
		set_image(&self->l, &elf, size);
		ASSERT_EQ(-ENOEXEC, load(&self->l)) TH_LOG("%zu bytes", size);
		ASSERT_EQ(-ENOEXEC, vitro_load_elf(&self->l.fake.vcpu, &self->l.boot));
	}
	EXPECT_TRUE(says("cut off"));
}

TEST_F(load, elf_wrong)
{
	struct elf_image elf;

#undef WRONG
#define WRONG(error, change, text) do {							\
	make_elf(&elf);									\
	change;										\
	set_image(&self->l, &elf, sizeof(elf));						\
	EXPECT_EQ(error, load(&self->l)) TH_LOG("%s", #change);				\
	EXPECT_TRUE(says(text));								\
} while (0)

	WRONG(-ENOEXEC, elf.eh.e_ident[EI_CLASS] = ELFCLASS32, "32 bits");
	WRONG(-ENOEXEC, elf.eh.e_machine = EM_AARCH64, "not for x86");
	WRONG(-ENOEXEC, elf.eh.e_type = ET_REL, "not executable");
	WRONG(-ENOEXEC, elf.eh.e_phentsize = 32, "program headers");
	WRONG(-ENOEXEC, elf.eh.e_phnum = 0, "program headers");
	WRONG(-ENOEXEC, elf.eh.e_phnum = 0xffff, "program headers");
	WRONG(-ENOEXEC, elf.eh.e_phoff = ~0ULL, "program headers");
	WRONG(-ENOEXEC, elf.ph[0].p_offset = ~0ULL, "segment");
	WRONG(-ENOEXEC, elf.ph[0].p_filesz = ~0ULL, "segment");
	WRONG(-ENOEXEC, elf.ph[0].p_memsz = 1, "segment");
	WRONG(-ENOSPC, elf.ph[0].p_memsz = ~0ULL, "no RAM");
	WRONG(-ENOSPC, elf.ph[0].p_paddr = ~0ULL, "no RAM");
	WRONG(-ENOSPC, elf.ph[0].p_paddr = VI_BOOT_INFO, "no RAM");
	WRONG(-ENOSPC, elf.ph[0].p_paddr = RAM_END - 0x1000, "no RAM");
	/* Without a note to start by, there is the entry of the file, which here is 0. */
	WRONG(-ENOEXEC, elf.note[1].nh.n_type = 19, "ELF entry");
	WRONG(-ENOEXEC, elf.note[1].nh.n_descsz = 12, "ELF entry");
	WRONG(-ENOEXEC, elf.note[0].nh.n_descsz = ~0U, "ELF entry");
	WRONG(-ENOEXEC, elf.note[0].nh.n_namesz = ~0U, "ELF entry");
	WRONG(-ENOEXEC, elf.ph[2].p_filesz = sizeof(elf.note) - 1, "ELF entry");
	WRONG(-ENOEXEC, elf.ph[2].p_offset = ~0ULL, "ELF entry");
	WRONG(-ENOEXEC, (elf.ph[0].p_memsz = 0, elf.ph[1].p_memsz = 0), "nothing to load");
	WRONG(-ENOEXEC, elf.note[1].desc = 0x100000, "not within");
	WRONG(-ENOEXEC, elf.note[1].desc = ~0ULL, "not within");
}

TEST_F(load, elf_garbage)
{
	struct elf_image elf;
	int loaded = 0;

	srandom(1);
	for (int round = 0; round < 20000; round++) {
		make_elf(&elf);
		for (int i = random() % 8; i >= 0; i--)
			((uint8_t *)&elf)[random() % sizeof(elf)] = random();
		set_image(&self->l, &elf, sizeof(elf));
		loaded += !load(&self->l);
	}
	EXPECT_LT(0, loaded);
	EXPECT_GT(20000, loaded);
}

/* --------------------------------------------------------------- the others */

TEST_F(load, neither)
{
	set_image(&self->l, "#!/bin/sh\n", 10);
	EXPECT_EQ(-ENOEXEC, load(&self->l));
	EXPECT_TRUE(says("bzImage"));
	set_image(&self->l, "", 0);
	EXPECT_EQ(-ENOEXEC, load(&self->l));
}

TEST_F(load, memory_map)
{
	uint8_t image[BZ_SIZE];

	make_bzimage(image);
	set_image(&self->l, image, sizeof(image));
	self->l.boot.nr_map = 0;
	EXPECT_EQ(-EINVAL, load(&self->l));
	self->l.boot.nr_map = 129;
	EXPECT_EQ(-EINVAL, load(&self->l));
	self->l.boot.nr_map = 3;
	self->l.map[1].start = 0x9f000;			/* overlaps */
	EXPECT_EQ(-EINVAL, load(&self->l));
	self->l.map[1].start = 0xe0000;
	self->l.map[2].size = ~0ULL;			/* wraps around */
	EXPECT_EQ(-EINVAL, load(&self->l));
	self->l.map[2].size = RAM_END;			/* promises more than there is */
	self->l.boot.initrd = (struct vitro_image){ image, sizeof(image) };
	EXPECT_EQ(-ENXIO, load(&self->l));
	self->l.map[2].size = RAM_END - (1 << 20);
	self->l.map[0].size = 0x10000;			/* no room for our tables */
	EXPECT_EQ(-EINVAL, load(&self->l));
}

TEST_F(load, long_parameters)
{
	uint8_t image[BZ_SIZE];
	char *text = malloc(0x100000);

	memset(text, 'p', 0x100000);
	text[0x100000 - 1] = 0;
	self->l.boot.cmdline = text;
	make_bzimage(image)->cmdline_size = ~0U;
	set_image(&self->l, image, sizeof(image));
	EXPECT_EQ(-E2BIG, load(&self->l));
	make_bzimage(image);
	set_image(&self->l, image, sizeof(image));
	text[2048] = 0;
	EXPECT_EQ(-E2BIG, load(&self->l));
	EXPECT_TRUE(says("2047"));
	text[2047] = 0;
	EXPECT_EQ(0, load(&self->l));
	EXPECT_STREQ(text, (char *)self->l.ram + VI_BOOT_CMDLINE);
	self->l.boot.cmdline = NULL;
	EXPECT_EQ(0, load(&self->l));
	EXPECT_STREQ("", (char *)self->l.ram + VI_BOOT_CMDLINE);
	free(text);
}

TEST_F(load, flat)
{
	char text[] = "flat";
	struct vitro_image image = { text, sizeof(text) };

	EXPECT_EQ(0, vitro_load_flat(&self->l.fake.vm, &image, 0x7c00));
	EXPECT_STREQ("flat", (char *)self->l.ram + 0x7c00);
	EXPECT_EQ(-ENXIO, vitro_load_flat(&self->l.fake.vm, &image, RAM_END - 2));
}

TEST_F(load, files)
{
	char path[] = "/tmp/vitro-test-XXXXXX";
	struct vitro_image image;
	int fd = mkstemp(path);

	ASSERT_LE(0, fd);
	EXPECT_EQ(-EINVAL, vitro_image_read(&image, path));	/* empty */
	EXPECT_EQ(NULL, image.data);
	ASSERT_EQ(5, write(fd, "hello", 5));
	close(fd);
	ASSERT_EQ(0, vitro_image_read(&image, path));
	EXPECT_EQ(5, image.size);
	EXPECT_EQ(0, memcmp(image.data, "hello", 5));
	vitro_image_free(&image);
	EXPECT_EQ(NULL, image.data);
	unlink(path);
	EXPECT_EQ(-ENOENT, vitro_image_read(&image, path));
	EXPECT_TRUE(says(path));
	EXPECT_EQ(-EINVAL, vitro_image_read(&image, "/tmp"));
}

TEST_F(load, modes)
{
	struct vitro_vcpu *vcpu = &self->l.fake.vcpu;
	struct vitro_state *state = self->l.fake.state;

	ASSERT_EQ(0, vitro_vcpu_set_mode(vcpu, VITRO_MODE_REAL, 0x7c00, 0));
	EXPECT_EQ(0x7c00, state->gprs.rip);
	EXPECT_EQ(0, state->segs.seg[VITRO_CS].base);
	ASSERT_EQ(0, vitro_vcpu_set_mode(vcpu, VITRO_MODE_REAL, 0xffff0, 0));
	EXPECT_EQ(0xfff0, state->gprs.rip);
	EXPECT_EQ(0xf000, state->segs.seg[VITRO_CS].selector);
	EXPECT_EQ(0xf0000, state->segs.seg[VITRO_CS].base);
	EXPECT_EQ(VITRO_MP_RUNNABLE, state->events.mp_state);
	EXPECT_EQ(-EINVAL, vitro_vcpu_set_mode(vcpu, VITRO_MODE_REAL, 0x100000, 0));
	EXPECT_EQ(-EINVAL, vitro_vcpu_set_mode(vcpu, VITRO_MODE_LONG, 1ULL << 32, TABLES));
	EXPECT_EQ(-EINVAL, vitro_vcpu_set_mode(vcpu, VITRO_MODE_LONG, 0, TABLES + 8));
	EXPECT_EQ(-ENXIO, vitro_vcpu_set_mode(vcpu, VITRO_MODE_LONG, 0, RAM_END - 0x1000));
	EXPECT_EQ(-EINVAL, vitro_vcpu_set_mode(vcpu, 8, 0, TABLES));
}

TEST_HARNESS_MAIN
