// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libvitro's loaders: that what the boot protocols demand is there, and that no
 * truncated, broken or hostile image does harm.  The images end where a page that
 * cannot be accessed begins, so that reading beyond them ends the test.
 */
#include "kselftest_harness.h"

#include <asm/bootparam.h>
#include <elf.h>

#include "fake.h"

#define RAM_END		(64ULL << 20)	/* of the loaders' tests: more than the fake's own */
#define IMAGE_MAX	(64 * 1024)

/**
 * struct guarded - memory with an inaccessible page behind it
 * @map: where it begins
 * @end: first byte of that page
 */
struct guarded {
	uint8_t *map;
	uint8_t *end;
};

static struct guarded guarded_alloc(void)
{
	struct guarded g;

	g.map = mmap(NULL, IMAGE_MAX + 4096, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (g.map == MAP_FAILED)
		abort();
	g.end = g.map + IMAGE_MAX;
	mprotect(g.end, 4096, PROT_NONE);
	return g;
}

/* A fake machine with more RAM, and what to load into it. */
struct loader {
	struct fake fake;
	struct vitro_range map[4];
	struct vitro_boot boot;
	uint8_t *ram;
	struct guarded image;
};

FIXTURE(load)
{
	struct loader l;
};

FIXTURE_SETUP(load)
{
	fake_init(&self->l.fake);
	self->l.ram = mmap(NULL, RAM_END, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ASSERT_NE(MAP_FAILED, self->l.ram);
	self->l.fake.vm.slot[0] = (struct vi_slot){ .gpa = 0, .size = RAM_END, .hva = self->l.ram };
	self->l.fake.vm.nr_slots = 1;
	self->l.image = guarded_alloc();
	self->l.map[0] = (struct vitro_range){ 0, 0x9fc00, VITRO_RANGE_RAM };
	self->l.map[1] = (struct vitro_range){ 0xe0000, 0x20000, VITRO_RANGE_RESERVED };
	self->l.map[2] = (struct vitro_range){ 1 << 20, RAM_END - (1 << 20), VITRO_RANGE_RAM };
	self->l.boot = (struct vitro_boot){
		.cmdline = "console=ttyS0",
		.map = self->l.map,
		.nr_map = 3,
		.rsdp = 0xe0000,
	};
}

FIXTURE_TEARDOWN(load)
{
	munmap(self->l.image.map, IMAGE_MAX + 4096);
	munmap(self->l.ram, RAM_END);
	fake_free(&self->l.fake);
}

/* The image is @size bytes right before the inaccessible page. */
static void set_image(struct loader *l, const void *data, size_t size)
{
	l->boot.kernel.data = l->image.end - size;
	l->boot.kernel.size = size;
	memcpy(l->boot.kernel.data, data, size);
}

static int load(struct loader *l)
{
	return vitro_load_kernel(&l->fake.vcpu, &l->boot);
}

/* Does the last error message contain this? */
static bool says(const char *text)
{
	if (strstr(vitro_error(), text))
		return true;
	printf("# %s: expected '%s'\n", vitro_error(), text);
	return false;
}

/* ----------------------------------------------------------------- bzImage */

#define SETUP_SECTS	2
#define CODE_SIZE	0x1000
#define BZ_SIZE		((1 + SETUP_SECTS) * 512 + CODE_SIZE)

/* A bzImage as small as can be: code whose bytes are their own offset. */
static struct setup_header *make_bzimage(uint8_t *image)
{
	struct setup_header *hdr = (struct setup_header *)(image + 0x1f1);

	memset(image, 0xcc, BZ_SIZE);
	memset(hdr, 0, sizeof(*hdr));
	hdr->setup_sects = SETUP_SECTS;
	hdr->syssize = CODE_SIZE / 16;
	hdr->boot_flag = 0xaa55;
	hdr->jump = 0x6aeb;		/* the header ends at 0x202 + 0x6a */
	memcpy(&hdr->header, "HdrS", 4);
	hdr->version = 0x020f;
	hdr->loadflags = LOADED_HIGH;
	hdr->xloadflags = XLF_KERNEL_64 | XLF_CAN_BE_LOADED_ABOVE_4G;
	hdr->initrd_addr_max = 0x7fffffff;
	hdr->kernel_alignment = 0x200000;
	hdr->relocatable_kernel = 1;
	hdr->cmdline_size = 2047;
	hdr->pref_address = 0x1000000;
	hdr->init_size = 0x800000;
	hdr->setup_data = 0x1234;	/* nothing of ours: must not be passed on */
	for (unsigned int i = 0; i < CODE_SIZE; i++)
		image[(1 + SETUP_SECTS) * 512 + i] = i ^ i >> 8;
	return hdr;
}

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
	for (size_t size = 0; size < sizeof(image); size++) {
		set_image(&self->l, image, size);
		ASSERT_EQ(-ENOEXEC, load(&self->l)) TH_LOG("%zu bytes", size);
		ASSERT_EQ(-ENOEXEC, vitro_load_bzimage(&self->l.fake.vcpu, &self->l.boot));
	}
	EXPECT_TRUE(says("cut off"));
	set_image(&self->l, image, sizeof(image));
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

	WRONG(hdr->header = 0, "neither");
	WRONG(hdr->boot_flag = 0, "no Linux header");
	WRONG(hdr->version = 0x020b, "2.11");
	WRONG(hdr->xloadflags = 0, "32-bit");
	WRONG(hdr->loadflags = 0, "zImage");
	WRONG(hdr->syssize = 0, "no code");
	WRONG(hdr->syssize = 0xffffffff, "cut off");
	WRONG(hdr->setup_sects = 255, "cut off");
	WRONG((hdr->pref_address = 0, hdr->kernel_alignment = 0), "alignment");
	WRONG((hdr->pref_address = 0, hdr->kernel_alignment = 0x300000), "alignment");
	/* A header that says it is short: what it does not have counts as 0. */
	WRONG(hdr->jump = 0x10eb, "32-bit");

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

struct elf_image {
	Elf64_Ehdr eh;
	Elf64_Phdr ph[3];
	struct {
		Elf64_Nhdr nh;
		char name[4];
		uint64_t desc;
	} note[2];
	uint8_t code[0x100];
};

/* Two segments and a note, and before that a note of somebody else's. */
static void make_elf(struct elf_image *elf)
{
	memset(elf, 0, sizeof(*elf));
	memcpy(elf->eh.e_ident, ELFMAG, SELFMAG);
	elf->eh.e_ident[EI_CLASS] = ELFCLASS64;
	elf->eh.e_ident[EI_DATA] = ELFDATA2LSB;
	elf->eh.e_type = ET_EXEC;
	elf->eh.e_machine = EM_X86_64;
	elf->eh.e_phoff = offsetof(struct elf_image, ph);
	elf->eh.e_phentsize = sizeof(Elf64_Phdr);
	elf->eh.e_phnum = 3;
	elf->ph[0] = (Elf64_Phdr) {
		.p_type = PT_LOAD,
		.p_offset = offsetof(struct elf_image, code),
		.p_paddr = 0x200000,
		.p_filesz = sizeof(elf->code),
		.p_memsz = 0x3000,
	};
	elf->ph[1] = (Elf64_Phdr) {
		.p_type = PT_LOAD,
		.p_offset = offsetof(struct elf_image, code),
		.p_paddr = 0x400000,
		.p_filesz = 4,
		.p_memsz = 4,
	};
	elf->ph[2] = (Elf64_Phdr) {
		.p_type = PT_NOTE,
		.p_offset = offsetof(struct elf_image, note),
		.p_filesz = sizeof(elf->note),
		.p_memsz = sizeof(elf->note),
	};
	for (int i = 0; i < 2; i++) {
		elf->note[i].nh.n_namesz = 4;
		elf->note[i].nh.n_descsz = 8;
		elf->note[i].nh.n_type = 18;
		memcpy(elf->note[i].name, i ? "Xen" : "GNU", 4);
	}
	elf->note[1].desc = 0x200040;
	for (unsigned int i = 0; i < sizeof(elf->code); i++)
		elf->code[i] = i + 1;
}

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

	WRONG(-ENOEXEC, elf.eh.e_ident[EI_CLASS] = ELFCLASS32, "x86_64");
	WRONG(-ENOEXEC, elf.eh.e_machine = EM_AARCH64, "x86_64");
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
	WRONG(-ENOEXEC, elf.note[1].nh.n_type = 19, "CONFIG_PVH");
	WRONG(-ENOEXEC, elf.note[1].nh.n_descsz = 12, "CONFIG_PVH");
	WRONG(-ENOEXEC, elf.note[0].nh.n_descsz = ~0U, "CONFIG_PVH");
	WRONG(-ENOEXEC, elf.note[0].nh.n_namesz = ~0U, "CONFIG_PVH");
	WRONG(-ENOEXEC, elf.ph[2].p_filesz = sizeof(elf.note) - 1, "CONFIG_PVH");
	WRONG(-ENOEXEC, elf.ph[2].p_offset = ~0ULL, "CONFIG_PVH");
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
