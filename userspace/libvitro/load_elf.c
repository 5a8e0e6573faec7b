// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * An ELF kernel, started by PVH (docs/misc/pvh.pandoc and xen/include/public/arch-x86/
 * hvm/start_info.h in Xen's sources): in 32-bit protected mode without paging, at an
 * address that a note in the file gives, with EBX pointing to a start info.
 */

#include <elf.h>
#include <errno.h>
#include <string.h>

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

/* What the page at VI_BOOT_INFO holds. */
struct boot_info {
	struct start_info start;
	struct module initrd;
	struct memmap map[128];
};

_Static_assert(sizeof(struct start_info) == 56, "as PVH has it");
_Static_assert(sizeof(struct boot_info) <= 4096, "one page");

/**
 * struct elf - an ELF file, checked
 * @data: its bytes
 * @size: how many
 * @ph: its program headers, at any alignment: use phdr()
 * @nr_ph: how many
 * @low: the RAM that its segments take: first address
 * @high: ... and the one behind
 */
struct elf {
	const uint8_t *data;
	uint64_t size;
	const uint8_t *ph;
	unsigned int nr_ph;
	uint64_t low;
	uint64_t high;
};

static Elf64_Phdr phdr(const struct elf *elf, unsigned int i)
{
	Elf64_Phdr ph;

	memcpy(&ph, elf->ph + i * sizeof(ph), sizeof(ph));
	return ph;
}

/* Is [offset, offset + len) within the file? */
static bool within(const struct elf *elf, uint64_t offset, uint64_t len)
{
	return len <= elf->size && offset <= elf->size - len;
}

static int parse(struct elf *elf, const struct vitro_image *image)
{
	Elf64_Ehdr eh;

	*elf = (struct elf){ .data = image->data, .size = image->size, .low = UINT64_MAX };
	if (image->size < sizeof(eh) || memcmp(image->data, ELFMAG, SELFMAG))
		return vi_fail(ENOEXEC, "not an ELF file, or cut off within its header");
	memcpy(&eh, image->data, sizeof(eh));
	if (eh.e_ident[EI_CLASS] != ELFCLASS64 || eh.e_ident[EI_DATA] != ELFDATA2LSB ||
	    eh.e_machine != EM_X86_64)
		return vi_fail(ENOEXEC, "the ELF kernel is not for x86_64");
	if (eh.e_type != ET_EXEC && eh.e_type != ET_DYN)
		return vi_fail(ENOEXEC, "the ELF file is not executable; its type is %u",
			       eh.e_type);
	if (eh.e_phentsize != sizeof(Elf64_Phdr) || !eh.e_phnum ||
	    !within(elf, eh.e_phoff, (uint64_t)eh.e_phnum * sizeof(Elf64_Phdr)))
		return vi_fail(ENOEXEC, "the ELF kernel is cut off or broken; "
			       "it has %u program headers of %u bytes at 0x%llx",
			       eh.e_phnum, eh.e_phentsize, (unsigned long long)eh.e_phoff);
	elf->ph = elf->data + eh.e_phoff;
	elf->nr_ph = eh.e_phnum;
	return 0;
}

static int load_segment(struct elf *elf, const Elf64_Phdr *ph, struct vitro_vm *vm,
			const struct vitro_boot *boot)
{
	uint8_t *hva;

	if (ph->p_filesz > ph->p_memsz || !within(elf, ph->p_offset, ph->p_filesz))
		return vi_fail(ENOEXEC, "the ELF kernel is cut off or broken; "
			       "it has a segment of 0x%llx bytes at 0x%llx of the file",
			       (unsigned long long)ph->p_filesz, (unsigned long long)ph->p_offset);
	if (ph->p_paddr < VI_BOOT_END || !vi_ram_has(boot, ph->p_paddr, ph->p_memsz))
		return vi_fail(ENOSPC, "no RAM above 0x%llx for 0x%llx bytes of kernel at 0x%llx; "
			       "give the guest more memory", VI_BOOT_END,
			       (unsigned long long)ph->p_memsz,
			       (unsigned long long)ph->p_paddr);
	hva = vitro_gpa_to_hva(vm, ph->p_paddr, ph->p_memsz);
	if (!hva)
		return -errno;
	memcpy(hva, elf->data + ph->p_offset, ph->p_filesz);
	memset(hva + ph->p_filesz, 0, ph->p_memsz - ph->p_filesz);
	if (ph->p_paddr < elf->low)
		elf->low = ph->p_paddr;
	if (ph->p_paddr + ph->p_memsz > elf->high)
		elf->high = ph->p_paddr + ph->p_memsz;
	return 0;
}

/*
 * Looks for the PVH note in a segment of notes, each of them a header, a name and a
 * descriptor, the latter two padded to 4 bytes.  Returns whether it is there.
 */
static bool find_entry(const struct elf *elf, const Elf64_Phdr *ph, uint64_t *entry)
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

static int load_segments(struct elf *elf, struct vitro_vm *vm, const struct vitro_boot *boot,
			 uint64_t *entry)
{
	bool found = false;
	int ret;

	for (unsigned int i = 0; i < elf->nr_ph; i++) {
		Elf64_Phdr ph = phdr(elf, i);

		if (ph.p_type == PT_LOAD && ph.p_memsz) {
			ret = load_segment(elf, &ph, vm, boot);
			if (ret)
				return ret;
		}
		if (ph.p_type == PT_NOTE && !found && within(elf, ph.p_offset, ph.p_filesz))
			found = find_entry(elf, &ph, entry);
	}
	if (!found)
		return vi_fail(ENOEXEC, "the ELF kernel has no PVH entry; "
			       "build it with CONFIG_PVH=y, or use the bzImage");
	if (*entry < elf->low || *entry >= elf->high)
		return vi_fail(ENOEXEC, "the PVH entry 0x%llx is not within the kernel",
			       (unsigned long long)*entry);
	return 0;
}

static void fill_info(struct boot_info *info, const struct vitro_boot *boot, uint64_t initrd)
{
	memset(info, 0, sizeof(*info));
	info->start = (struct start_info){
		.magic = START_MAGIC,
		.version = 1,
		.nr_modules = boot->initrd.size ? 1 : 0,
		.modlist = VI_BOOT_INFO + offsetof(struct boot_info, initrd),
		.cmdline = VI_BOOT_CMDLINE,
		.rsdp = boot->rsdp,
		.memmap = VI_BOOT_INFO + offsetof(struct boot_info, map),
		.nr_memmap = boot->nr_map,
	};
	info->initrd.start = initrd;
	info->initrd.size = boot->initrd.size;
	for (unsigned int i = 0; i < boot->nr_map; i++) {
		info->map[i].start = boot->map[i].start;
		info->map[i].size = boot->map[i].size;
		info->map[i].type = boot->map[i].type;
	}
}

int vitro_load_elf(struct vitro_vcpu *vcpu, const struct vitro_boot *boot)
{
	struct boot_info *info;
	struct elf elf;
	uint64_t entry, initrd;
	int ret = vi_boot_check(vcpu, boot);

	if (!ret)
		ret = parse(&elf, &boot->kernel);
	if (!ret)
		ret = load_segments(&elf, vcpu->vm, boot, &entry);
	if (!ret)
		ret = vi_load_initrd(vcpu->vm, boot, 4 * GIB, elf.low, elf.high - elf.low,
				     &initrd);
	if (!ret)
		ret = vi_load_cmdline(vcpu->vm, boot, CMDLINE_MAX);
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
