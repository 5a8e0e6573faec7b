// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * An ELF kernel without a multiboot header.  There are two ways to start one:
 *
 *  - PVH (docs/misc/pvh.pandoc and xen/include/public/arch-x86/hvm/start_info.h in
 *    Xen's sources), in 32-bit protected mode without paging, at an address that a
 *    note in the file gives, with EBX pointing to a start info;
 *  - an ELF64 file without that note as Linux' vmlinux expects it, by the 64-bit boot
 *    protocol: at the file's entry, with RSI pointing to struct boot_params.
 */

#include <elf.h>
#include <errno.h>
#include <string.h>
#include <asm/bootparam.h>

#include "internal.h"

#define NOTE_PHYS32_ENTRY	18		/* owner "Xen" */
#define START_MAGIC		0x336ec578
#define CMDLINE_MAX		2047		/* Linux' COMMAND_LINE_SIZE less the final 0 */

struct start_info {
	uint32_t magic;
	uint32_t version;	/* 1: there is a memory map */
	uint32_t flags;
	uint32_t nr_modules;
	uint64_t modlist;	/* gpa of struct module[] */
	uint64_t cmdline;	/* gpa of a string */
	uint64_t rsdp;
	uint64_t memmap;	/* gpa of struct memmap[] */
	uint32_t nr_memmap;
	uint32_t reserved;
};

struct module {
	uint64_t start;
	uint64_t size;
	uint64_t cmdline;
	uint64_t reserved;
};

struct memmap {
	uint64_t start;
	uint64_t size;
	uint32_t type;		/* E820 numbers */
	uint32_t reserved;
};

/* What VI_BOOT_INFO holds. */
struct boot_info {
	struct start_info start;
	struct module module[1];
	struct memmap map[128];
};

_Static_assert(sizeof(struct start_info) == 56, "as PVH has it");
_Static_assert(sizeof(struct boot_info) <= VI_BOOT_CMDLINE - VI_BOOT_INFO, "room for it");

/*
 * Looks for the PVH note in a segment of notes, each of them a header, a name and a
 * descriptor, the latter two padded to 4 bytes.  Returns whether it is there.
 */
static bool find_note(const struct vi_elf *elf, const Elf64_Phdr *ph, uint64_t *entry)
{
	const uint8_t *pos = elf->data + ph->p_offset;
	uint64_t left = ph->p_filesz;
	Elf64_Nhdr note;

	while (left >= sizeof(note)) {
		uint64_t name, desc;

		memcpy(&note, pos, sizeof(note));
		name = (note.n_namesz + 3ULL) & ~3ULL;
		desc = (note.n_descsz + 3ULL) & ~3ULL;
		if (name + desc > left - sizeof(note))
			return false;
		if (note.n_type == NOTE_PHYS32_ENTRY && note.n_namesz == 4 &&
		    !memcmp(pos + sizeof(note), "Xen", 4) &&
		    (note.n_descsz == 4 || note.n_descsz == 8)) {
			*entry = 0;
			memcpy(entry, pos + sizeof(note) + name, note.n_descsz);
			return true;
		}
		pos += sizeof(note) + name + desc;
		left -= sizeof(note) + name + desc;
	}
	return false;
}

static bool find_pvh(const struct vi_elf *elf, uint64_t *entry)
{
	for (unsigned int i = 0; i < elf->nr_ph; i++) {
		Elf64_Phdr ph = vi_elf_phdr(elf, i);

		if (ph.p_type == PT_NOTE && vi_elf_within(elf, ph.p_offset, ph.p_filesz) &&
		    find_note(elf, &ph, entry))
			return true;
	}
	return false;
}

static void fill_info(struct boot_info *info, const struct vitro_boot *boot, uint64_t initrd)
{
	struct module *module = info->module;

	memset(info, 0, sizeof(*info));
	if (boot->initrd.size)
		*module++ = (struct module){ .start = initrd, .size = boot->initrd.size };
	info->start = (struct start_info){
		.magic = START_MAGIC,
		.version = 1,
		.nr_modules = module - info->module,
		.modlist = VI_BOOT_INFO + offsetof(struct boot_info, module),
		.cmdline = VI_BOOT_CMDLINE,
		.rsdp = boot->rsdp,
		.memmap = VI_BOOT_INFO + offsetof(struct boot_info, map),
		.nr_memmap = boot->nr_map,
	};
	for (unsigned int i = 0; i < boot->nr_map; i++) {
		info->map[i].start = boot->map[i].start;
		info->map[i].size = boot->map[i].size;
		info->map[i].type = boot->map[i].type;
	}
}

static int start_pvh(struct vitro_vcpu *vcpu, const struct vitro_boot *boot, uint64_t entry,
		     uint64_t initrd)
{
	struct boot_info *info;
	int ret = vi_load_cmdline(vcpu->vm, boot, CMDLINE_MAX);

	if (ret)
		return ret;
	info = vitro_gpa_to_hva(vcpu->vm, VI_BOOT_INFO, sizeof(*info));
	if (!info)
		return -errno;
	fill_info(info, boot, initrd);
	ret = vitro_vcpu_set_mode(vcpu, VITRO_MODE_PROTECTED, entry, VI_BOOT_TABLES);
	if (!ret)
		vcpu->comm->state.gprs.gpr[VITRO_RBX] = VI_BOOT_INFO;
	return ret;
}

/* The file has no setup header; these are the fields that vmlinux looks at. */
static int start_linux(struct vitro_vcpu *vcpu, const struct vitro_boot *boot, uint64_t entry,
		       uint64_t initrd)
{
	const struct setup_header hdr = {
		.boot_flag = 0xaa55,
		.header = 0x53726448,		/* "HdrS" */
		.version = 0x020f,
		.kernel_alignment = 2 << 20,
		.cmdline_size = CMDLINE_MAX,
	};
	int ret = vi_load_params(vcpu, boot, &hdr, initrd);

	if (ret)
		return ret;
	ret = vitro_vcpu_set_mode(vcpu, VITRO_MODE_LONG, entry, VI_BOOT_TABLES);
	if (!ret)
		vcpu->comm->state.gprs.gpr[VITRO_RSI] = VI_BOOT_INFO;
	return ret;
}

int vitro_load_elf(struct vitro_vcpu *vcpu, const struct vitro_boot *boot)
{
	struct vi_elf elf;
	uint64_t entry, initrd;
	bool pvh;
	int ret = vi_boot_check(vcpu, boot);

	if (!ret)
		ret = vi_elf_parse(&elf, &boot->kernel);
	if (ret)
		return ret;
	pvh = find_pvh(&elf, &entry);
	if (!pvh && !elf.is_64)
		return vi_fail(ENOEXEC,
			       "32-bit ELF without PVH entry or multiboot header; use a bzImage");
	if (!pvh)
		entry = elf.entry;
	ret = vi_elf_load(&elf, vcpu->vm, boot);
	if (ret)
		return ret;
	if (entry < elf.low || entry >= elf.high)
		return vi_fail(ENOEXEC, "the %s entry 0x%llx is not within the kernel",
			       pvh ? "PVH" : "ELF", (unsigned long long)entry);
	ret = vi_load_initrd(vcpu->vm, boot, 4 * GIB, elf.low, elf.high - elf.low, &initrd);
	if (ret)
		return ret;
	return pvh ? start_pvh(vcpu, boot, entry, initrd) : start_linux(vcpu, boot, entry, initrd);
}
