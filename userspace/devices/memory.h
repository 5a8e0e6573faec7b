/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guest's memory, as devices see it: where it is in this process. */
#ifndef DEVICES_MEMORY_H
#define DEVICES_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#define GUEST_MEMORY_REGIONS	8

/**
 * struct guest_region - a stretch of guest memory
 * @gpa: its guest physical address
 * @size: bytes
 * @hva: where it is in this process
 */
struct guest_region {
	uint64_t gpa;
	uint64_t size;
	uint8_t *hva;
};

/**
 * struct guest_memory - all memory that devices may reach; never changes while they run
 * @region: the stretches, without overlap
 * @nr: their number
 */
struct guest_memory {
	struct guest_region region[GUEST_MEMORY_REGIONS];
	unsigned int nr;
};

/**
 * guest_memory_find - find guest memory, or the lack of it
 * @mem: the memory
 * @gpa: guest physical address
 * @len: in: bytes wanted; out: how many of them are in the same region
 *
 * Return: the memory, or NULL when there is none at @gpa.
 */
static inline void *guest_memory_find(const struct guest_memory *mem, uint64_t gpa, uint64_t *len)
{
	unsigned int i;

	for (i = 0; i < mem->nr; i++) {
		const struct guest_region *region = &mem->region[i];
		uint64_t offset = gpa - region->gpa;	/* huge when gpa is below */

		if (offset >= region->size)
			continue;
		if (*len > region->size - offset)
			*len = region->size - offset;
		return region->hva + offset;
	}
	return NULL;
}

#endif /* DEVICES_MEMORY_H */
