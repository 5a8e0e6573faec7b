// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Kernel images with random damage, under the address and undefined behaviour sanitizers,
 * with which the library is built into this program: whatever an image says, loading it is
 * a success or one line of error, and nothing is written outside of the guest's RAM.
 */
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"
#include "loader.h"

#define ROUNDS		8000	/* of each kind */
#define DAMAGES		8
#define INPUT_MAX	128	/* enough for them */

/* Numbers that are at the edge of something. */
static uint64_t nasty(void)
{
	static const uint64_t edges[] = {
		0, 1, 3, 4, 0x1ff, 0x200, 0xfff, 0x1000, 0x80000, 0x100000, RAM_END - 1, RAM_END,
		0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, INT64_MAX, UINT64_MAX,
	};

	return edges[rnd(ARRAY_LEN(edges))] + rnd(3) - 1;
}

/* A change: a byte, an edge at any width, a block moved. */
static void damage(uint8_t *image, size_t size, size_t part)
{
	size_t at = rnd(part), width = 1ULL << rnd(4);
	uint64_t value;

	if (width > size - at)
		width = size - at;
	if (one_in(16)) {
		memmove(image + at, image + rnd(size - width + 1), width);
		return;
	}
	value = rnd(2) ? nasty() : rnd(UINT64_MAX);
	memcpy(image + at, &value, width);
}

struct flat_image {
	uint32_t hdr[8];
	uint8_t code[0x400];
};

static void make_flat(struct flat_image *flat)
{
	memset(flat, 0x90, sizeof(*flat));
	set_multiboot(flat->hdr, 1U << 16 | 3);
	flat->hdr[3] = 0x100000;
	flat->hdr[4] = 0x100000;
	flat->hdr[5] = 0x100000 + sizeof(*flat);
	flat->hdr[6] = 0x102000;
	flat->hdr[7] = 0x100020;
}

enum kind { BZIMAGE, ELF64, MULTIBOOT_ELF32, MULTIBOOT };

/* An image of the kind; returns its size, and in @head how much of it is headers. */
static size_t make(enum kind kind, uint8_t *image, size_t *head)
{
	struct elf32_image *elf32 = (void *)image;

	switch (kind) {
	case BZIMAGE:
		make_bzimage(image);
		*head = 0x1f1 + sizeof(struct setup_header);
		return BZ_SIZE;
	case ELF64:
		make_elf((void *)image);
		*head = offsetof(struct elf_image, code);
		return sizeof(struct elf_image);
	case MULTIBOOT_ELF32:
		make_elf32(elf32);
		set_multiboot(elf32->multiboot, 3);
		*head = offsetof(struct elf32_image, code);
		return sizeof(struct elf32_image);
	default:
		make_flat((void *)image);
		*head = sizeof(uint32_t[8]);
		return sizeof(struct flat_image);
	}
}

/* Makes an image and damages it; returns its size. */
static size_t make_damaged(enum kind kind, uint8_t *image)
{
	bool cut = one_in(4), repair = rnd(2);
	size_t head, size = make(kind, image, &head);
	unsigned int n;

	for (n = 0; n < DAMAGES && fuzz_more(); n++)
		damage(image, size, one_in(4) ? size : head);
	if (kind >= MULTIBOOT_ELF32 && repair) {	/* or the checksum would find nearly all */
		uint32_t *hdr = kind == MULTIBOOT_ELF32 ? ((struct elf32_image *)image)->multiboot :
							  (uint32_t *)image;

		set_multiboot(hdr, hdr[1]);
	}
	return cut ? rnd(size + 1) : size;
}

static struct loader loader;

enum { LOADED, REFUSED };

static void one_round(const void *what)
{
	static _Alignas(16) uint8_t image[IMAGE_MAX];
	static char module_data[100];
	const struct vitro_module module = { .image = { module_data, 100 }, .cmdline = "m" };
	struct vitro_boot *boot = &loader.boot;

	boot->module = &module;
	boot->nr_modules = 1;
	boot->kernel.size = make_damaged(*(const enum kind *)what, image);
	/* An allocation of its own, with the sanitizer's red zone behind it. */
	boot->kernel.data = malloc(boot->kernel.size);
	if (!boot->kernel.data && boot->kernel.size)
		abort();
	memcpy(boot->kernel.data, image, boot->kernel.size);
	if (!load(&loader))
		fuzz_count(LOADED);
	else if (!*vitro_error() || strchr(vitro_error(), '\n'))
		fuzz_wrong("refused without a line that says why");
	else
		fuzz_count(REFUSED);
	free(boot->kernel.data);
}

static const enum kind kinds[] = { BZIMAGE, ELF64, MULTIBOOT_ELF32, MULTIBOOT };

#define OUTCOMES	{ "were loaded", "were refused" }

static const struct fuzz_target targets[] = {
	{ "bzImage", one_round, &kinds[0], ROUNDS, INPUT_MAX, OUTCOMES },
	{ "elf64", one_round, &kinds[1], ROUNDS, INPUT_MAX, OUTCOMES },
	{ "multiboot-elf32", one_round, &kinds[2], ROUNDS, INPUT_MAX, OUTCOMES },
	{ "multiboot", one_round, &kinds[3], ROUNDS, INPUT_MAX, OUTCOMES },
};

int main(int argc, char **argv)
{
	loader_init(&loader);
	return fuzz_main(argc, argv, targets, ARRAY_LEN(targets));
}
