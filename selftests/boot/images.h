/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The test kernels, in images.S: each from its name to its name with _end. */
#ifndef BOOT_IMAGES_H
#define BOOT_IMAGES_H

extern const char multiboot_32[], multiboot_32_end[];
extern const char multiboot_64[], multiboot_64_end[];
extern const char multiboot_flat[], multiboot_flat_end[];	/* the latter without ELF headers */
extern const char pvh_32[], pvh_32_end[];
extern const char pvh_64[], pvh_64_end[];

#endif /* BOOT_IMAGES_H */
