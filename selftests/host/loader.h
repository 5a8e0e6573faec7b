/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A fake machine to load kernels into.  Around its RAM, and behind the images, are pages
 * that cannot be accessed, so that leaving them ends the test.
 */
#ifndef LOADER_H
#define LOADER_H

#include <asm/bootparam.h>
#include <elf.h>
#include <stdio.h>

#include "fake.h"

#define RAM_END		(64ULL << 20)	/* of the loaders' tests: more than the fake's own */
#define IMAGE_MAX	(64 * 1024)

/**
 * struct loader - a fake machine with more RAM, and what to load into it
 * @fake: the machine
 * @map: its memory map
 * @boot: what is loaded
 * @ram: hva of gpa 0
 * @image_map: IMAGE_MAX bytes for an image
 * @image_end: the inaccessible page behind them
 */
struct loader {
	struct fake fake;
	struct vitro_range map[4];
	struct vitro_boot boot;
	uint8_t *ram;
	uint8_t *image_map;
	uint8_t *image_end;
};

static inline void loader_init(struct loader *l)
{
	fake_init(&l->fake);
	l->ram = mmap(NULL, RAM_END + 2 * 4096, PROT_NONE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	l->image_map = mmap(NULL, IMAGE_MAX + 4096, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (l->ram == MAP_FAILED || l->image_map == MAP_FAILED)
		abort();
	l->ram += 4096;
	mprotect(l->ram, RAM_END, PROT_READ | PROT_WRITE);
	l->image_end = l->image_map + IMAGE_MAX;
	mprotect(l->image_end, 4096, PROT_NONE);
	l->fake.vm.slot[0] = (struct vi_slot){ .gpa = 0, .size = RAM_END, .hva = l->ram };
	l->fake.vm.nr_slots = 1;
	l->map[0] = (struct vitro_range){ 0, 0x9fc00, VITRO_RANGE_RAM };
	l->map[1] = (struct vitro_range){ 0xe0000, 0x20000, VITRO_RANGE_RESERVED };
	l->map[2] = (struct vitro_range){ 1 << 20, RAM_END - (1 << 20), VITRO_RANGE_RAM };
	l->boot = (struct vitro_boot){
		.cmdline = "console=ttyS0",
		.map = l->map,
		.nr_map = 3,
		.rsdp = 0xe0000,
	};
}

static inline void loader_free(struct loader *l)
{
	munmap(l->image_map, IMAGE_MAX + 4096);
	munmap(l->ram - 4096, RAM_END + 2 * 4096);
	fake_free(&l->fake);
}

/* The image is @size bytes right before the inaccessible page. */
static inline void set_image(struct loader *l, const void *data, size_t size)
{
	l->boot.kernel.data = l->image_end - size;
	l->boot.kernel.size = size;
	memcpy(l->boot.kernel.data, data, size);
}

static inline int load(struct loader *l)
{
	return vitro_load_kernel(&l->fake.vcpu, &l->boot);
}

/* Does the last error message contain this? */
static inline bool says(const char *text)
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
static inline struct setup_header *make_bzimage(uint8_t *image)
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
static inline void make_elf(struct elf_image *elf)
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

struct elf32_image {
	Elf32_Ehdr eh;
	Elf32_Phdr ph[2];
	struct {
		Elf64_Nhdr nh;
		char name[4];
		uint64_t desc;
	} __attribute__((packed, aligned(4))) note[2];
	uint32_t multiboot[8];
	uint8_t code[0x100];
};

/* A segment, and room for notes and a multiboot header. */
static inline void make_elf32(struct elf32_image *elf)
{
	memset(elf, 0, sizeof(*elf));
	memcpy(elf->eh.e_ident, ELFMAG, SELFMAG);
	elf->eh.e_ident[EI_CLASS] = ELFCLASS32;
	elf->eh.e_ident[EI_DATA] = ELFDATA2LSB;
	elf->eh.e_type = ET_EXEC;
	elf->eh.e_machine = EM_386;
	elf->eh.e_entry = 0x200010;
	elf->eh.e_phoff = offsetof(struct elf32_image, ph);
	elf->eh.e_phentsize = sizeof(Elf32_Phdr);
	elf->eh.e_phnum = 2;
	elf->ph[0] = (Elf32_Phdr) {
		.p_type = PT_LOAD,
		.p_offset = offsetof(struct elf32_image, code),
		.p_paddr = 0x200000,
		.p_filesz = sizeof(elf->code),
		.p_memsz = 0x3000,
	};
	elf->ph[1] = (Elf32_Phdr) {
		.p_type = PT_NOTE,
		.p_offset = offsetof(struct elf32_image, note),
		.p_filesz = sizeof(elf->note),
		.p_memsz = sizeof(elf->note),
	};
	for (unsigned int i = 0; i < sizeof(elf->code); i++)
		elf->code[i] = i + 1;
}

#define MB_MAGIC	0x1badb002

/* A multiboot header with these flags; its address fields are left alone. */
static inline void set_multiboot(uint32_t *hdr, uint32_t flags)
{
	hdr[0] = MB_MAGIC;
	hdr[1] = flags;
	hdr[2] = -(MB_MAGIC + flags);
}

#endif /* LOADER_H */
