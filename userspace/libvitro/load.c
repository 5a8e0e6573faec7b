// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Loading a guest: files, the memory map, and what goes into memory beside a kernel.
 *
 * No image is trusted: every offset and length in one is checked against the image
 * before it is followed, and every address against the guest's RAM.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "internal.h"

#define MIB		(1ULL << 20)
#define MAX_MAP		128	/* what boot_params has room for */

/* ------------------------------------------------------------------- files */

static int read_all(int fd, uint8_t *to, size_t size, const char *path)
{
	while (size) {
		ssize_t got = read(fd, to, size);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return vi_fail(errno, "cannot read %s: %s", path, strerror(errno));
		if (!got)
			return vi_fail(EIO, "%s became shorter while it was read", path);
		to += got;
		size -= got;
	}
	return 0;
}

int vitro_image_read(struct vitro_image *image, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	int ret;

	*image = (struct vitro_image){ 0 };
	if (fd < 0)
		return vi_fail(errno, "cannot open %s: %s", path, strerror(errno));
	if (fstat(fd, &st) < 0) {
		ret = vi_fail(errno, "cannot stat %s: %s", path, strerror(errno));
	} else if (!S_ISREG(st.st_mode) || !st.st_size) {
		ret = vi_fail(EINVAL, "%s is not a regular file, or is empty", path);
	} else {
		image->size = st.st_size;
		image->data = malloc(image->size);
		ret = image->data ? read_all(fd, image->data, image->size, path) :
				    vi_fail(ENOMEM, "no memory for the %zu bytes of %s",
					    image->size, path);
	}
	close(fd);
	if (ret)
		vitro_image_free(image);
	return ret;
}

void vitro_image_free(struct vitro_image *image)
{
	free(image->data);
	*image = (struct vitro_image){ 0 };
}

int vitro_load_flat(struct vitro_vm *vm, const struct vitro_image *image, uint64_t gpa)
{
	return vitro_write_gpa(vm, gpa, image->data, image->size);
}

/* -------------------------------------------------------------- memory map */

/**
 * vi_boot_check - check the memory map that the caller promises
 * @vcpu: the bootstrap processor
 * @boot: its @map and @nr_map
 *
 * Return: 0, or -EINVAL or -ENXIO as vitro_load_kernel() says.
 */
int vi_boot_check(struct vitro_vcpu *vcpu, const struct vitro_boot *boot)
{
	uint64_t end = 0;

	if (!boot->nr_map || boot->nr_map > MAX_MAP)
		return vi_fail(EINVAL, "a memory map of %u lines; 1 to %d are possible",
			       boot->nr_map, MAX_MAP);
	for (unsigned int i = 0; i < boot->nr_map; i++) {
		const struct vitro_range *range = &boot->map[i];

		if (!range->size || range->start < end ||
		    range->size > UINT64_MAX - range->start)
			return vi_fail(EINVAL, "line %u of the memory map is empty or out of order",
				       i);
		end = range->start + range->size;
	}
	if (!vi_ram_has(boot, 0, VI_BOOT_END))
		return vi_fail(EINVAL, "the memory map does not begin with RAM up to 0x%llx",
			       VI_BOOT_END);
	if (!vitro_gpa_to_hva(vcpu->vm, 0, VI_BOOT_END))
		return -ENXIO;
	return 0;
}

/**
 * vi_ram_has - is a range RAM?
 * @boot: with the memory map
 * @start: gpa
 * @size: bytes
 *
 * Return: whether [@start, @start + @size) is within one line of RAM.
 */
bool vi_ram_has(const struct vitro_boot *boot, uint64_t start, uint64_t size)
{
	for (unsigned int i = 0; i < boot->nr_map; i++) {
		const struct vitro_range *range = &boot->map[i];

		if (range->type == VITRO_RANGE_RAM && start >= range->start &&
		    size <= range->size && start - range->start <= range->size - size)
			return true;
	}
	return false;
}

/**
 * vi_ram_lowest - find room in RAM, as low as possible
 * @boot: with the memory map
 * @from: not below
 * @size: bytes
 * @align: a power of two
 *
 * Return: gpa, or UINT64_MAX.
 */
uint64_t vi_ram_lowest(const struct vitro_boot *boot, uint64_t from, uint64_t size,
		       uint64_t align)
{
	for (unsigned int i = 0; i < boot->nr_map; i++) {
		uint64_t start = boot->map[i].start > from ? boot->map[i].start : from;

		start = (start + align - 1) & ~(align - 1);
		if (start >= from && vi_ram_has(boot, start, size))	/* else it wrapped */
			return start;
	}
	return UINT64_MAX;
}

/*
 * Room for @size bytes as high as possible, below @limit, above 1 MiB, and clear of
 * [@hole, @hole + @hole_size).  UINT64_MAX if there is none.
 */
static uint64_t ram_highest(const struct vitro_boot *boot, uint64_t size, uint64_t limit,
			    uint64_t hole, uint64_t hole_size)
{
	for (unsigned int i = boot->nr_map; i-- > 0;) {
		const struct vitro_range *range = &boot->map[i];
		uint64_t end = range->start + range->size;
		uint64_t start;

		if (end > limit)
			end = limit;
		for (int below_hole = 0; below_hole < 2; below_hole++) {
			if (below_hole && end > hole)
				end = hole;
			if (end < size)
				break;
			start = (end - size) & ~PAGE_MASK;
			if (start < MIB || !vi_ram_has(boot, start, size))
				break;
			if (start + size <= hole || start >= hole + hole_size)
				return start;
		}
	}
	return UINT64_MAX;
}

/* -------------------------------------------------- kernel parameters, initrd */

/**
 * vi_load_cmdline - put the kernel parameters to VI_BOOT_CMDLINE
 * @vm: the VM
 * @boot: with the parameters
 * @max: bytes that the kernel reads, without the final 0
 *
 * Return: 0, -E2BIG, or -ENXIO.
 */
int vi_load_cmdline(struct vitro_vm *vm, const struct vitro_boot *boot, size_t max)
{
	const char *text = boot->cmdline ? boot->cmdline : "";
	size_t len = strlen(text);

	if (max > VI_BOOT_END - VI_BOOT_CMDLINE - 1)
		max = VI_BOOT_END - VI_BOOT_CMDLINE - 1;
	if (len > max)
		return vi_fail(E2BIG, "the kernel parameters have %zu characters; "
			       "this kernel reads %zu", len, max);
	return vitro_write_gpa(vm, VI_BOOT_CMDLINE, text, len + 1);
}

/**
 * vi_load_initrd - put the initial RAM disk where the kernel will not be
 * @vm: the VM
 * @boot: with the RAM disk, whose size may be 0
 * @limit: first gpa that the kernel cannot reach
 * @kernel: where the kernel is
 * @kernel_size: memory that it needs there
 * @where: set to the gpa; 0 without a RAM disk
 *
 * Return: 0, -ENOSPC, or -ENXIO.
 */
int vi_load_initrd(struct vitro_vm *vm, const struct vitro_boot *boot, uint64_t limit,
		   uint64_t kernel, uint64_t kernel_size, uint64_t *where)
{
	*where = 0;
	if (!boot->initrd.size)
		return 0;
	*where = ram_highest(boot, boot->initrd.size, limit, kernel, kernel_size);
	if (*where == UINT64_MAX)
		return vi_fail(ENOSPC, "no room for the initrd of %zu bytes; "
			       "the kernel needs 0x%llx at 0x%llx; give the guest more memory",
			       boot->initrd.size, (unsigned long long)kernel_size,
			       (unsigned long long)kernel);
	return vitro_write_gpa(vm, *where, boot->initrd.data, boot->initrd.size);
}

/**
 * vi_load_code - put a part of a kernel where it belongs, with zeros behind it
 * @vm: the VM
 * @boot: with the memory map
 * @gpa: where
 * @data: from the file
 * @size: its bytes
 * @room: what the part takes in memory, at least @size
 *
 * Return: 0, -ENOSPC no RAM there that is not the loaders' own, or -ENXIO.
 */
int vi_load_code(struct vitro_vm *vm, const struct vitro_boot *boot, uint64_t gpa,
		 const void *data, uint64_t size, uint64_t room)
{
	uint8_t *hva;

	if (gpa < VI_BOOT_END || !vi_ram_has(boot, gpa, room))
		return vi_fail(ENOSPC, "no RAM above 0x%llx for 0x%llx bytes of kernel at 0x%llx; "
			       "give the guest more memory", VI_BOOT_END,
			       (unsigned long long)room, (unsigned long long)gpa);
	hva = vitro_gpa_to_hva(vm, gpa, room);
	if (!hva)
		return -errno;
	memcpy(hva, data, size);
	memset(hva + size, 0, room - size);
	return 0;
}

/* ---------------------------------------------------------------- which one */

int vitro_load_kernel(struct vitro_vcpu *vcpu, const struct vitro_boot *boot)
{
	const struct vitro_image *kernel = &boot->kernel;
	const uint8_t *data = kernel->data;

	bool is_elf = kernel->size >= 4 && !memcmp(data, "\177ELF", 4);

	if (!is_elf && kernel->size >= 0x206 && !memcmp(data + 0x202, "HdrS", 4))
		return vitro_load_bzimage(vcpu, boot);
	if (vi_is_multiboot(kernel))
		return vitro_load_multiboot(vcpu, boot);
	if (is_elf)
		return vitro_load_elf(vcpu, boot);
	return vi_fail(ENOEXEC, "the kernel is no bzImage, no ELF file and not multiboot; "
		       "a Linux kernel package has one in /boot/vmlinuz-*");
}
