// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Multiboot 1 (the Multiboot Specification, version 0.6.96): a kernel with a header of
 * magic, flags and checksum somewhere in its first 8 KiB, started in 32-bit protected
 * mode without paging, with a magic number in EAX and the address of an information
 * structure in EBX.  Section numbers are those of the specification.
 *
 * Where the kernel goes is said by its header ("address fields", for files that are
 * neither ELF nor anything else), or by its ELF program headers.  ELF64 files are taken
 * as well, which the specification does not mention: the processor starts in 32-bit
 * mode all the same.
 */

#include <errno.h>
#include <string.h>

#include "internal.h"

#define SEARCH		8192		/* 3.1: the header ends within so many bytes */
#define HEADER_MAGIC	0x1badb002
#define BOOT_MAGIC	0x2badb002	/* 3.2: in EAX */

/* 3.1.2: what the kernel wants.  It must not be started if a bit of 0 to 15 is unknown. */
#define WANT_ALIGN	(1U << 0)	/* modules on page borders: they always are */
#define WANT_MEMORY	(1U << 1)	/* mem_*, mmap_*: they are always there */
#define WANT_VIDEO	(1U << 2)
#define WANT_MUST	0xffffU
#define HAS_ADDRESSES	(1U << 16)

/* 3.1 */
struct header {
	uint32_t magic;
	uint32_t flags;
	uint32_t checksum;
	uint32_t header_addr;	/* from here on: with HAS_ADDRESSES only */
	uint32_t load_addr;
	uint32_t load_end_addr;	/* 0: all of the file */
	uint32_t bss_end_addr;	/* 0: no bss */
	uint32_t entry_addr;
};

#define HEADER_SHORT	12

/* 3.3, up to what is filled in here */
struct info {
	uint32_t flags;
#define INFO_MEMORY	(1U << 0)
#define INFO_CMDLINE	(1U << 2)
#define INFO_MODULES	(1U << 3)
#define INFO_MMAP	(1U << 6)
#define INFO_LOADER	(1U << 9)
	uint32_t mem_lower;	/* KiB from 0 */
	uint32_t mem_upper;	/* KiB from 1 MiB */
	uint32_t boot_device;
	uint32_t cmdline;
	uint32_t mods_count;
	uint32_t mods_addr;
	uint32_t syms[4];
	uint32_t mmap_length;	/* bytes */
	uint32_t mmap_addr;
	uint32_t drives_length;
	uint32_t drives_addr;
	uint32_t config_table;
	uint32_t boot_loader_name;
	uint32_t apm_table;
	uint32_t vbe[4];
};

struct module {
	uint32_t start;
	uint32_t end;		/* the first byte behind it */
	uint32_t string;
	uint32_t reserved;
};

struct mmap_entry {
	uint32_t size;		/* of the rest */
	uint64_t start;
	uint64_t length;
	uint32_t type;		/* E820 numbers */
} __attribute__((packed));

/* What VI_BOOT_INFO holds. */
struct boot_info {
	struct info info;
	struct module module[1 + VITRO_MAX_MODULES];
	struct mmap_entry map[128];
	char name[8];
};

_Static_assert(sizeof(struct info) == 88, "as the specification has it");
_Static_assert(sizeof(struct mmap_entry) == 24, "as the specification has it");
_Static_assert(sizeof(struct boot_info) <= VI_BOOT_CMDLINE - VI_BOOT_INFO, "room for it");

/**
 * struct multiboot - what the loader has to know of an image
 * @hdr: its header
 * @offset: where that is in the file
 * @entry: gpa of its first instruction
 * @end: the first gpa behind it
 * @text: next free byte for strings, from VI_BOOT_CMDLINE on
 */
struct multiboot {
	struct header hdr;
	uint64_t offset;
	uint64_t entry;
	uint64_t end;
	uint64_t text;
};

/* Finds the header.  Address fields that it does not have are 0. */
static bool find_header(struct multiboot *mb, const struct vitro_image *image)
{
	size_t end = image->size < SEARCH ? image->size : SEARCH;
	const uint8_t *data = image->data;

	for (size_t at = 0; at + HEADER_SHORT <= end; at += 4) {
		memset(mb, 0, sizeof(*mb));
		memcpy(&mb->hdr, data + at, HEADER_SHORT);
		if (mb->hdr.magic != HEADER_MAGIC ||
		    mb->hdr.magic + mb->hdr.flags + mb->hdr.checksum)
			continue;
		if ((mb->hdr.flags & HAS_ADDRESSES) && at + sizeof(mb->hdr) <= end)
			memcpy(&mb->hdr, data + at, sizeof(mb->hdr));
		mb->offset = at;
		return true;
	}
	return false;
}

/**
 * vi_is_multiboot - has an image a multiboot header?
 * @image: the image
 */
bool vi_is_multiboot(const struct vitro_image *image)
{
	struct multiboot mb;

	return find_header(&mb, image);
}

/* ------------------------------------------------------------------ the kernel */

/* 3.1.3: the header is at header_addr in memory, so the rest of the file is around it. */
static int load_by_addresses(struct multiboot *mb, const struct vitro_image *image,
			     struct vitro_vm *vm, const struct vitro_boot *boot)
{
	const struct header *hdr = &mb->hdr;
	uint64_t before = (uint64_t)hdr->header_addr - hdr->load_addr;
	uint64_t first, size, room;

	if (hdr->load_addr > hdr->header_addr || before > mb->offset)
		return vi_fail(ENOEXEC,
			       "broken multiboot header: header_addr 0x%x, load_addr 0x%x, at 0x%llx",
			       hdr->header_addr, hdr->load_addr,
			       (unsigned long long)mb->offset);
	first = mb->offset - before;
	size = image->size - first;
	if (hdr->load_end_addr) {
		if (hdr->load_end_addr <= hdr->load_addr ||
		    hdr->load_end_addr - hdr->load_addr > size)
			return vi_fail(ENOEXEC, "the multiboot kernel is cut off or broken; "
				       "load_addr 0x%x, load_end_addr 0x%x, 0x%llx bytes in the file",
				       hdr->load_addr, hdr->load_end_addr,
				       (unsigned long long)size);
		size = hdr->load_end_addr - hdr->load_addr;
	}
	room = size;
	if (hdr->bss_end_addr) {
		if (hdr->bss_end_addr < hdr->load_addr + size)
			return vi_fail(ENOEXEC, "the multiboot kernel is broken; "
				       "bss_end_addr 0x%x is before the end of what is loaded",
				       hdr->bss_end_addr);
		room = hdr->bss_end_addr - hdr->load_addr;
	}
	mb->entry = hdr->entry_addr;
	mb->end = hdr->load_addr + room;
	if (mb->entry < hdr->load_addr || mb->entry >= mb->end)
		return vi_fail(ENOEXEC, "the multiboot entry 0x%x is not within the kernel",
			       hdr->entry_addr);
	return vi_load_code(vm, boot, hdr->load_addr, (const uint8_t *)image->data + first, size,
			    room);
}

static int load_by_elf(struct multiboot *mb, const struct vitro_image *image,
		       struct vitro_vm *vm, const struct vitro_boot *boot)
{
	struct vi_elf elf;
	int ret = vi_elf_parse(&elf, image);

	if (!ret)
		ret = vi_elf_load(&elf, vm, boot);
	if (ret)
		return ret;
	mb->entry = elf.entry;
	mb->end = elf.high;
	if (mb->entry < elf.low || mb->entry >= elf.high)
		return vi_fail(ENOEXEC, "the ELF entry 0x%llx is not within the kernel",
			       (unsigned long long)mb->entry);
	return 0;
}

static int load_image(struct multiboot *mb, const struct vitro_image *image,
		      struct vitro_vm *vm, const struct vitro_boot *boot)
{
	const uint32_t known = WANT_ALIGN | WANT_MEMORY;

	if (!find_header(mb, image))
		return vi_fail(ENOEXEC, "no multiboot header in the first %d bytes", SEARCH);
	if ((mb->hdr.flags & HAS_ADDRESSES) &&
	    mb->offset + sizeof(mb->hdr) > (image->size < SEARCH ? image->size : SEARCH))
		return vi_fail(ENOEXEC, "the multiboot header at 0x%llx is cut off",
			       (unsigned long long)mb->offset);
	if (mb->hdr.flags & WANT_VIDEO)
		return vi_fail(ENOEXEC, "the multiboot kernel asks for a video mode (flag 2); "
			       "there is no display");
	if (mb->hdr.flags & WANT_MUST & ~known)
		return vi_fail(ENOEXEC, "the multiboot kernel has unknown demands: flags 0x%x",
			       mb->hdr.flags);
	if (mb->hdr.flags & HAS_ADDRESSES)
		return load_by_addresses(mb, image, vm, boot);
	return load_by_elf(mb, image, vm, boot);
}

/* --------------------------------------------------------- what it is told */

/* Puts a string behind the others; returns 0 or a negative error. */
static int put_text(struct multiboot *mb, struct vitro_vm *vm, const char *text, uint32_t *where)
{
	size_t size = strlen(text ? text : "") + 1;

	if (size > VI_BOOT_END - mb->text)
		return vi_fail(E2BIG, "the parameters are too long; "
			       "those of kernel and modules have %llu bytes together",
			       VI_BOOT_END - VI_BOOT_CMDLINE);
	*where = mb->text;
	mb->text += size;
	return vitro_write_gpa(vm, *where, text ? text : "", size);
}

/* On the first page border behind the kernel and the modules before it (3.1.2, bit 0). */
static int put_module(struct multiboot *mb, struct vitro_vm *vm, const struct vitro_boot *boot,
		      const struct vitro_module *from, struct module *module)
{
	uint64_t where = vi_ram_lowest(boot, mb->end, from->image.size, PAGE_SIZE);
	int ret;

	if (where > 4 * GIB - 1 || from->image.size > 4 * GIB - 1 - where)
		return vi_fail(ENOSPC, "no room below 4 GiB for a module of %zu bytes; "
			       "give the guest more memory", from->image.size);
	ret = vitro_write_gpa(vm, where, from->image.data, from->image.size);
	if (!ret)
		ret = put_text(mb, vm, from->cmdline, &module->string);
	module->start = where;
	module->end = where + from->image.size;
	mb->end = module->end;
	return ret;
}

/* The initial RAM disk is the first module. */
static int put_modules(struct multiboot *mb, struct vitro_vm *vm, const struct vitro_boot *boot,
		       struct boot_info *boot_info)
{
	const struct vitro_module initrd = { .image = boot->initrd };
	uint32_t nr = 0;
	int ret = 0;

	if (boot->nr_modules > VITRO_MAX_MODULES)
		return vi_fail(EINVAL, "%u modules; %d are possible", boot->nr_modules,
			       VITRO_MAX_MODULES);
	if (boot->initrd.size)
		ret = put_module(mb, vm, boot, &initrd, &boot_info->module[nr++]);
	for (unsigned int i = 0; i < boot->nr_modules && !ret; i++)
		ret = put_module(mb, vm, boot, &boot->module[i], &boot_info->module[nr++]);
	boot_info->info.mods_count = nr;
	boot_info->info.mods_addr = VI_BOOT_INFO + offsetof(struct boot_info, module);
	return ret;
}

/* KiB of RAM from @start to the first address that is none. */
static uint32_t kib_from(const struct vitro_boot *boot, uint64_t start)
{
	for (unsigned int i = 0; i < boot->nr_map; i++) {
		const struct vitro_range *range = &boot->map[i];
		uint64_t end = range->start + range->size;

		if (range->type == VITRO_RANGE_RAM && range->start <= start && start < end)
			return end - start < 4 * GIB ? (end - start) >> 10 : (4 * GIB - 1) >> 10;
	}
	return 0;
}

static void put_memory(struct boot_info *boot_info, const struct vitro_boot *boot)
{
	struct info *info = &boot_info->info;

	info->mem_lower = kib_from(boot, 0);
	if (info->mem_lower > 640)
		info->mem_lower = 640;		/* its maximum (3.3) */
	info->mem_upper = kib_from(boot, 1 << 20);
	info->mmap_addr = VI_BOOT_INFO + offsetof(struct boot_info, map);
	info->mmap_length = boot->nr_map * sizeof(boot_info->map[0]);
	for (unsigned int i = 0; i < boot->nr_map; i++)
		boot_info->map[i] = (struct mmap_entry){
			.size = sizeof(boot_info->map[i]) - 4,
			.start = boot->map[i].start,
			.length = boot->map[i].size,
			.type = boot->map[i].type,
		};
}

static int put_info(struct multiboot *mb, struct vitro_vm *vm, const struct vitro_boot *boot)
{
	struct boot_info *boot_info = vitro_gpa_to_hva(vm, VI_BOOT_INFO, sizeof(*boot_info));
	int ret;

	if (!boot_info)
		return -errno;
	memset(boot_info, 0, sizeof(*boot_info));
	boot_info->info.flags = INFO_MEMORY | INFO_CMDLINE | INFO_MODULES | INFO_MMAP | INFO_LOADER;
	put_memory(boot_info, boot);
	memcpy(boot_info->name, "vitro", 6);
	boot_info->info.boot_loader_name = VI_BOOT_INFO + offsetof(struct boot_info, name);
	ret = put_text(mb, vm, boot->cmdline, &boot_info->info.cmdline);
	return ret ? ret : put_modules(mb, vm, boot, boot_info);
}

int vitro_load_multiboot(struct vitro_vcpu *vcpu, const struct vitro_boot *boot)
{
	struct multiboot mb;
	int ret = vi_boot_check(vcpu, boot);

	if (!ret)
		ret = load_image(&mb, &boot->kernel, vcpu->vm, boot);
	mb.text = VI_BOOT_CMDLINE;
	if (!ret)
		ret = put_info(&mb, vcpu->vm, boot);
	/* 3.2: flat 32-bit segments, A20 on, paging, VM86 and interrupts off */
	if (!ret)
		ret = vitro_vcpu_set_mode(vcpu, VITRO_MODE_PROTECTED, mb.entry, VI_BOOT_TABLES);
	if (ret)
		return ret;
	vcpu->comm->state.gprs.gpr[VITRO_RAX] = BOOT_MAGIC;
	vcpu->comm->state.gprs.gpr[VITRO_RBX] = VI_BOOT_INFO;
	return 0;
}
