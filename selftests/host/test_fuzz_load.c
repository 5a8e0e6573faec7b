// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Kernel images with random damage, under the address and undefined behaviour sanitizers,
 * with which the library is built into this program: whatever an image says, loading it is
 * a success or one line of error, and nothing is written outside of the guest's RAM.
 *
 *	test_fuzz_load [--seconds N] [--seed N]
 */
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"
#include "loader.h"
#include "tap.h"

#define ROUNDS	20000

/* Numbers that are at the edge of something. */
static uint64_t nasty(void)
{
	static const uint64_t edges[] = {
		0, 1, 3, 4, 0x1ff, 0x200, 0xfff, 0x1000, 0x80000, 0x100000, RAM_END - 1, RAM_END,
		0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, INT64_MAX, UINT64_MAX,
	};

	return edges[rnd(ARRAY_LEN(edges))] + rnd(3) - 1;
}

/* One to eight changes: bytes, edges at any width, a block moved. */
static void damage(uint8_t *image, size_t size)
{
	for (uint64_t n = rnd(8) + 1; n; n--) {
		size_t at = rnd(size), width = 1ULL << rnd(4);
		uint64_t value = rnd(2) ? nasty() : rnd(UINT64_MAX);

		if (width > size - at)
			width = size - at;
		if (rnd(16))
			memcpy(image + at, &value, width);
		else
			memmove(image + at, image + rnd(size - width + 1), width);
	}
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

/* An image of the kind; returns its size, and in @head how much of it is headers. */
static size_t make(unsigned int kind, uint8_t *image, size_t *head)
{
	struct elf32_image *elf32 = (void *)image;

	switch (kind) {
	case 0:
		make_bzimage(image);
		*head = 0x1f1 + sizeof(struct setup_header);
		return BZ_SIZE;
	case 1:
		make_elf((void *)image);
		*head = offsetof(struct elf_image, code);
		return sizeof(struct elf_image);
	case 2:
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

/* Loads damaged images while @clock says so; returns how many were loaded all the same. */
static unsigned long fuzz(struct loader *l, unsigned int kind, struct fuzz_clock *clock)
{
	static _Alignas(16) uint8_t image[IMAGE_MAX];
	static char module_data[100];
	const struct vitro_module module = { .image = { module_data, 100 }, .cmdline = "m" };
	unsigned long loaded = 0;
	size_t size, head;

	l->boot.module = &module;
	l->boot.nr_modules = 1;
	while (fuzz_goes_on(clock)) {
		size = make(kind, image, &head);
		/* Mostly in the headers, where it matters. */
		damage(image, rnd(4) ? head : size);
		if (kind >= 2 && rnd(2)) {	/* or the checksum would find nearly all */
			uint32_t *hdr = kind == 2 ? ((struct elf32_image *)image)->multiboot :
						    (uint32_t *)image;

			set_multiboot(hdr, hdr[1]);
		}
		if (!rnd(4))
			size = rnd(size + 1);
		/* An allocation of its own, with the sanitizer's red zone behind it. */
		l->boot.kernel.data = malloc(size);
		if (!l->boot.kernel.data && size)
			abort();
		memcpy(l->boot.kernel.data, image, size);
		l->boot.kernel.size = size;
		loaded += load(l) == 0;
		free(l->boot.kernel.data);
	}
	return loaded;
}

int main(int argc, char **argv)
{
	static const char *const kinds[] = { "bzImage", "ELF64", "multiboot ELF32", "multiboot" };
	unsigned long seconds = fuzz_options(argc, argv);
	struct fuzz_clock clock;
	static struct loader l;

	loader_init(&l);
	for (unsigned int kind = 0; kind < ARRAY_LEN(kinds); kind++) {
		unsigned long loaded, rounds;

		fuzz_begin(&clock, (seconds + 3) / ARRAY_LEN(kinds), ROUNDS);
		loaded = fuzz(&l, kind, &clock);
		rounds = clock.rounds - 1;
		printf("# figure: %s: %lu of %lu were loaded\n", kinds[kind], loaded, rounds);
		check(kinds[kind], loaded > 0 && loaded < rounds);
	}
	loader_free(&l);
	return tap_done();
}
