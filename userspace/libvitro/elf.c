// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * ELF files, 32-bit and 64-bit: what the loaders need of them.
 *
 * Everything in a file is a claim of whoever made it: headers are copied out and
 * checked, since they may be at any alignment, or not be there at all.
 */

#include <elf.h>
#include <errno.h>
#include <string.h>

#include "internal.h"

/**
 * vi_elf_within - is [offset, offset + len) within the file?
 * @elf: the file
 * @offset: first byte
 * @len: bytes
 */
bool vi_elf_within(const struct vi_elf *elf, uint64_t offset, uint64_t len)
{
	return len <= elf->size && offset <= elf->size - len;
}

/**
 * vi_elf_phdr - a program header, in the form of ELF64
 * @elf: the file
 * @i: which; less than @elf->nr_ph
 */
Elf64_Phdr vi_elf_phdr(const struct vi_elf *elf, unsigned int i)
{
	Elf64_Phdr ph;
	Elf32_Phdr small;

	if (elf->is_64) {
		memcpy(&ph, elf->ph + i * sizeof(ph), sizeof(ph));
		return ph;
	}
	memcpy(&small, elf->ph + i * sizeof(small), sizeof(small));
	return (Elf64_Phdr){
		.p_type = small.p_type,
		.p_offset = small.p_offset,
		.p_vaddr = small.p_vaddr,
		.p_paddr = small.p_paddr,
		.p_filesz = small.p_filesz,
		.p_memsz = small.p_memsz,
	};
}

/* The ELF header in the form of ELF64; false if the file is not long enough. */
static bool read_header(const struct vitro_image *image, Elf64_Ehdr *eh)
{
	Elf32_Ehdr small;

	if (image->size < sizeof(small) || memcmp(image->data, ELFMAG, SELFMAG))
		return false;
	memcpy(&small, image->data, sizeof(small));
	if (small.e_ident[EI_CLASS] == ELFCLASS64) {
		if (image->size < sizeof(*eh))
			return false;
		memcpy(eh, image->data, sizeof(*eh));
		return true;
	}
	*eh = (Elf64_Ehdr){
		.e_type = small.e_type,
		.e_machine = small.e_machine,
		.e_entry = small.e_entry,
		.e_phoff = small.e_phoff,
		.e_phentsize = small.e_phentsize,
		.e_phnum = small.e_phnum,
	};
	memcpy(eh->e_ident, small.e_ident, sizeof(eh->e_ident));
	return true;
}

/**
 * vi_elf_parse - check an ELF file's header
 * @elf: filled in
 * @image: the file
 *
 * Return: 0, or -ENOEXEC it is none, is cut off, or is for another processor.
 */
int vi_elf_parse(struct vi_elf *elf, const struct vitro_image *image)
{
	size_t ph_size;
	Elf64_Ehdr eh;
	bool is_64;

	if (!read_header(image, &eh))
		return vi_fail(ENOEXEC, "not an ELF file, or cut off within its header");
	is_64 = eh.e_ident[EI_CLASS] == ELFCLASS64;
	if (eh.e_ident[EI_DATA] != ELFDATA2LSB || eh.e_machine != (is_64 ? EM_X86_64 : EM_386))
		return vi_fail(ENOEXEC, "the ELF kernel is not for x86: machine %u, %u bits",
			       eh.e_machine, is_64 ? 64 : 32);
	if (eh.e_type != ET_EXEC && eh.e_type != ET_DYN)
		return vi_fail(ENOEXEC, "the ELF file is not executable; its type is %u",
			       eh.e_type);
	ph_size = is_64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
	*elf = (struct vi_elf){
		.data = image->data,
		.size = image->size,
		.is_64 = is_64,
		.nr_ph = eh.e_phnum,
		.entry = eh.e_entry,
		.low = UINT64_MAX,
	};
	if (eh.e_phentsize != ph_size || !eh.e_phnum ||
	    !vi_elf_within(elf, eh.e_phoff, eh.e_phnum * ph_size))
		return vi_fail(ENOEXEC, "the ELF kernel is cut off or broken; "
			       "it has %u program headers of %u bytes at 0x%llx",
			       eh.e_phnum, eh.e_phentsize, (unsigned long long)eh.e_phoff);
	elf->ph = elf->data + eh.e_phoff;
	return 0;
}

static int load_segment(struct vi_elf *elf, const Elf64_Phdr *ph, struct vitro_vm *vm,
			const struct vitro_boot *boot)
{
	if (ph->p_filesz > ph->p_memsz || !vi_elf_within(elf, ph->p_offset, ph->p_filesz))
		return vi_fail(ENOEXEC, "the ELF kernel is cut off or broken; "
			       "it has a segment of 0x%llx bytes at 0x%llx of the file",
			       (unsigned long long)ph->p_filesz, (unsigned long long)ph->p_offset);
	if (elf->low > ph->p_paddr)
		elf->low = ph->p_paddr;
	if (elf->high < ph->p_paddr + ph->p_memsz)
		elf->high = ph->p_paddr + ph->p_memsz;
	return vi_load_code(vm, boot, ph->p_paddr, elf->data + ph->p_offset, ph->p_filesz,
			    ph->p_memsz);
}

/**
 * vi_elf_load - copy the segments of an ELF file to where they say
 * @elf: the file; @low and @high are set
 * @vm: the VM
 * @boot: with the memory map
 *
 * Return: 0, or -ENOEXEC broken, or nothing to load; -ENOSPC no RAM there; -ENXIO.
 */
int vi_elf_load(struct vi_elf *elf, struct vitro_vm *vm, const struct vitro_boot *boot)
{
	for (unsigned int i = 0; i < elf->nr_ph; i++) {
		Elf64_Phdr ph = vi_elf_phdr(elf, i);

		if (ph.p_type == PT_LOAD && ph.p_memsz) {
			int ret = load_segment(elf, &ph, vm, boot);

			if (ret)
				return ret;
		}
	}
	if (!elf->high)
		return vi_fail(ENOEXEC, "the ELF kernel has nothing to load");
	return 0;
}
