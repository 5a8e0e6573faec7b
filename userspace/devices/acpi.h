/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ACPI tables that describe the machine to the guest. */
#ifndef DEVICES_ACPI_H
#define DEVICES_ACPI_H

#include <stddef.h>
#include <stdint.h>

/* Where kernels look for the root pointer: between 0xe0000 and 1 MiB, 16-byte steps. */
#define ACPI_BASE	0xe0000
#define ACPI_SIZE	0x4000

size_t acpi_build(uint8_t *buf, size_t size, uint64_t gpa, unsigned int nr_cpus,
		  unsigned int nr_virtio);

#endif /* DEVICES_ACPI_H */
