/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the guest starts with: files, and where they go in its memory. */
#ifndef VITRO_BOOT_H
#define VITRO_BOOT_H

#include "config.h"
#include "machine.h"

/* Guest physical memory (see Documentation/vitro-run.rst). */
#define LOW_RAM_END	0xa0000ULL	/* then video memory on a PC, and firmware */
#define HIGH_RAM	0x100000ULL
#define HOLE_START	0xc0000000ULL	/* devices live below 4 GiB */
#define HOLE_END	0x100000000ULL

/**
 * struct images - the files
 * @code: kernel or snippet
 * @initrd: empty if there is none
 * @module: multiboot modules; their strings belong to the config
 */
struct images {
	struct vitro_image code;
	struct vitro_image initrd;
	struct vitro_module module[MAX_MODULES];
};

/* boot.c */
int images_read(struct images *images, const struct config *config);
void images_free(struct images *images);
int boot_load(struct machine *m, const struct config *config, const struct images *images);

/* disks.c */
int disks_add(struct machine *m, const struct config *config);

/* nets.c */
int nets_add(struct machine *m, const struct config *config);

/* extras.c */
int extras_add(struct machine *m, const struct config *config);

/* build.c */
int machine_build(struct machine *m, const struct config *config);

/* memory.c */
void *memory_alloc(struct machine *m, uint64_t gpa, uint64_t size,
		   const struct backing_config *backing);

#endif /* VITRO_BOOT_H */
