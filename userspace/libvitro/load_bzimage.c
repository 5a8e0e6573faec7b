// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Linux' bzImage (Documentation/x86/boot.rst in the kernel's sources).
 *
 * A bzImage is a boot sector and real-mode setup code, neither of which runs here,
 * with the header among them; and then the protected-mode code, which unpacks the
 * kernel proper.  The loader copies the latter to memory, hands the header back in
 * struct boot_params ("the zero page"), and starts it: a kernel that says that it has
 * a 64-bit entry 0x200 behind its beginning, in 64-bit mode; any other at its
 * beginning, in 32-bit mode without paging.
 */

#include <errno.h>
#include <string.h>
#include <asm/bootparam.h>

#include "internal.h"

#define HEADER		0x1f1		/* where struct setup_header is in the file */
#define SECTOR		512
#define ENTRY_64	0x200
#define LOADER_UNKNOWN	0xff		/* type_of_loader of those without a number */

/* Versions of the protocol, and what holds before them. */
#define VERSION_MIN	0x0204		/* syssize can be relied on */
#define VERSION_CMDLINE	0x0206		/* cmdline_size */
#define VERSION_INIT	0x020a		/* pref_address, init_size */
#define VERSION_XLOAD	0x020c		/* xloadflags */
#define OLD_CMDLINE	255
#define OLD_ADDRESS	0x100000

/**
 * struct bzimage - what the loader has to know of an image
 * @hdr: its header
 * @code: the protected-mode code
 * @code_size: bytes
 * @load: gpa for it
 * @need: bytes that the kernel needs from @load on, until it knows its memory map
 * @is_64: it has a 64-bit entry
 */
struct bzimage {
	struct setup_header hdr;
	const uint8_t *code;
	size_t code_size;
	uint64_t load;
	uint64_t need;
	bool is_64;
};

static int parse(struct bzimage *bz, const struct vitro_image *image)
{
	const uint8_t *data = image->data;
	size_t setup, header_end;

	if (image->size < HEADER + sizeof(bz->hdr))
		return vi_fail(ENOEXEC, "the bzImage is cut off within its header, after %zu bytes",
			       image->size);
	/* The header says how long it is, by the target of the jump over it. */
	header_end = 0x202 + data[0x201];
	if (header_end > HEADER + sizeof(bz->hdr))
		header_end = HEADER + sizeof(bz->hdr);
	memset(&bz->hdr, 0, sizeof(bz->hdr));
	memcpy(&bz->hdr, data + HEADER, header_end - HEADER);

	if (bz->hdr.boot_flag != 0xaa55 || memcmp(&bz->hdr.header, "HdrS", 4))
		return vi_fail(ENOEXEC, "not a bzImage: its boot sector has no Linux header");
	if (bz->hdr.version < VERSION_MIN)
		return vi_fail(ENOEXEC, "the bzImage has boot protocol %u.%02u; "
			       "2.04 is needed (Linux 2.6.14 and later)",
			       bz->hdr.version >> 8, bz->hdr.version & 0xff);
	if (!(bz->hdr.loadflags & LOADED_HIGH))
		return vi_fail(ENOEXEC, "the kernel is a zImage, for low memory; use a bzImage");

	setup = (1 + (bz->hdr.setup_sects ? bz->hdr.setup_sects : 4)) * SECTOR;
	bz->code_size = (size_t)bz->hdr.syssize * 16;
	bz->is_64 = bz->hdr.version >= VERSION_XLOAD && (bz->hdr.xloadflags & XLF_KERNEL_64);
	if (bz->code_size <= (bz->is_64 ? ENTRY_64 : 0))
		return vi_fail(ENOEXEC, "the bzImage has no code: syssize is %u", bz->hdr.syssize);
	/* syssize counts paragraphs of 16 bytes, and a file may end within the last. */
	if (setup > image->size || bz->code_size > image->size - setup + 15)
		return vi_fail(ENOEXEC, "the bzImage is cut off: %zu bytes of %zu are there",
			       image->size, setup + bz->code_size);
	bz->code = data + setup;
	if (bz->code_size > image->size - setup)
		bz->code_size = image->size - setup;
	return 0;
}

/* To the address that it prefers, or, if it can move, to the lowest that will do. */
static int place(struct bzimage *bz, const struct vitro_boot *boot)
{
	uint64_t align = bz->hdr.kernel_alignment;
	uint64_t wanted;

	bz->load = OLD_ADDRESS;
	bz->need = 0;
	if (bz->hdr.version >= VERSION_INIT) {
		bz->load = bz->hdr.pref_address;
		bz->need = bz->hdr.init_size;
	}
	if (bz->need < bz->code_size)
		bz->need = bz->code_size;
	wanted = bz->load;
	if (bz->load >= VI_BOOT_END && vi_ram_has(boot, bz->load, bz->need) &&
	    bz->load + bz->need <= 4 * GIB)
		return 0;
	if (bz->hdr.relocatable_kernel) {
		if (!align || align & (align - 1) || align > GIB)
			return vi_fail(ENOEXEC, "the bzImage is broken: alignment 0x%llx",
				       (unsigned long long)align);
		bz->load = vi_ram_lowest(boot, 1 << 20, bz->need, align);
		if (bz->load < 4 * GIB && bz->load + bz->need <= 4 * GIB)
			return 0;
	}
	return vi_fail(ENOSPC, "no room for the kernel: it needs 0x%llx bytes at 0x%llx%s; "
		       "give the guest more memory",
		       (unsigned long long)bz->need, (unsigned long long)wanted,
		       bz->hdr.relocatable_kernel ? " or elsewhere below 4 GiB" : "");
}

static void fill_map(struct boot_params *params, const struct vitro_boot *boot)
{
	params->e820_entries = boot->nr_map;
	for (unsigned int i = 0; i < boot->nr_map; i++) {
		params->e820_table[i].addr = boot->map[i].start;
		params->e820_table[i].size = boot->map[i].size;
		params->e820_table[i].type = boot->map[i].type;
	}
}

/**
 * vi_load_params - fill struct boot_params at VI_BOOT_INFO
 * @vcpu: the bootstrap processor
 * @boot: what to tell the kernel
 * @hdr: the kernel's own header; what the loader has to change in it is changed
 * @initrd: gpa of the RAM disk
 *
 * Return: 0, -E2BIG the parameters are longer than @hdr allows, or -ENXIO.
 */
int vi_load_params(struct vitro_vcpu *vcpu, const struct vitro_boot *boot,
		   const struct setup_header *hdr, uint64_t initrd)
{
	struct boot_params *params;
	size_t max = hdr->version >= VERSION_CMDLINE ? hdr->cmdline_size : OLD_CMDLINE;
	int ret = vi_load_cmdline(vcpu->vm, boot, max);

	if (ret)
		return ret;
	params = vitro_gpa_to_hva(vcpu->vm, VI_BOOT_INFO, sizeof(*params));
	if (!params)
		return -errno;
	memset(params, 0, sizeof(*params));
	params->hdr = *hdr;
	params->hdr.type_of_loader = LOADER_UNKNOWN;
	params->hdr.cmd_line_ptr = VI_BOOT_CMDLINE;
	params->hdr.ramdisk_image = initrd;
	params->hdr.ramdisk_size = boot->initrd.size;
	params->hdr.setup_data = 0;
	params->acpi_rsdp_addr = boot->rsdp;
	fill_map(params, boot);
	return 0;
}

int vitro_load_bzimage(struct vitro_vcpu *vcpu, const struct vitro_boot *boot)
{
	struct bzimage bz;
	uint64_t initrd, initrd_limit = 4 * GIB;
	int ret = vi_boot_check(vcpu, boot);

	if (!ret)
		ret = parse(&bz, &boot->kernel);
	if (!ret)
		ret = place(&bz, boot);
	if (!ret)
		ret = vitro_write_gpa(vcpu->vm, bz.load, bz.code, bz.code_size);
	if (ret)
		return ret;

	if (!bz.is_64 || !(bz.hdr.xloadflags & XLF_CAN_BE_LOADED_ABOVE_4G))
		initrd_limit = bz.hdr.initrd_addr_max + 1ULL;
	ret = vi_load_initrd(vcpu->vm, boot, initrd_limit, bz.load, bz.need, &initrd);
	bz.hdr.code32_start = bz.load;
	if (!ret)
		ret = vi_load_params(vcpu, boot, &bz.hdr, initrd);
	if (ret)
		return ret;

	if (bz.is_64)
		ret = vitro_vcpu_set_mode(vcpu, VITRO_MODE_LONG, bz.load + ENTRY_64,
					  VI_BOOT_TABLES);
	else
		ret = vitro_vcpu_set_mode(vcpu, VITRO_MODE_PROTECTED, bz.load, VI_BOOT_TABLES);
	if (!ret)
		vcpu->comm->state.gprs.gpr[VITRO_RSI] = VI_BOOT_INFO;
	return ret;
}
