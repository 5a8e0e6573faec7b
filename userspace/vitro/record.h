/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Recordings of exits: the file, who writes it (record.c) and who reads it (trace.c). */
#ifndef VITRO_RECORD_H
#define VITRO_RECORD_H

#include <linux/vitro.h>
#include <stdbool.h>
#include <stdint.h>

struct machine;

#define TRACE_MAGIC	"vitrotr1"

/**
 * struct trace_header - the file's first bytes
 * @magic: TRACE_MAGIC, without the zero
 * @vendor: enum vitro_vendor
 * @tsc_khz: rate of the TSC
 * @nr_vcpus: vCPUs
 * @entry_size: bytes of an entry, which follow this header
 */
struct trace_header {
	char magic[8];
	uint32_t vendor;
	uint32_t tsc_khz;
	uint32_t nr_vcpus;
	uint32_t entry_size;
};

/**
 * struct trace_entry - an exit in the file; all of a vCPU's are in their order
 * @vcpu: of this vCPU
 * @nr_bytes: bytes of @bytes that could be read
 * @bytes: instruction at the record's linear address, when the record was collected
 * @lost: records of this vCPU that are missing before this one
 * @record: as the kernel wrote it
 */
struct trace_entry {
	uint16_t vcpu;
	uint8_t nr_bytes;
	uint8_t bytes[15];
	uint8_t pad[6];
	uint64_t lost;
	struct vitro_record record;
};

/* What a machine tells about itself to those who look from outside. */
void tell_name(const struct machine *m, const char *name);
void tell_panic(const struct machine *m);

/* Recording, if record_to() was called; between them the machine runs. */
void record_to(const char *file);
bool record_start(struct machine *m);
bool record_stop(void);

#endif /* VITRO_RECORD_H */
