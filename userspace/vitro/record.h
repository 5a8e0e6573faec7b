/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Recordings of exits: the file, who writes it (record.c) and who reads it (trace.c). */
#ifndef VITRO_RECORD_H
#define VITRO_RECORD_H

#include <linux/vitro.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct machine;

#define TRACE_MAGIC	"vitrotr2"

#define RING_RECORDS	65536		/* per vCPU: some tenths of a second, if it exits a lot */
#define RECORD_PAUSE_NS	5000000		/* between two looks at the rings */

/**
 * struct trace_header - the file's first bytes
 * @magic: TRACE_MAGIC, without the zero
 * @vendor: enum vitro_vendor
 * @tsc_khz: rate of the TSC
 * @nr_vcpus: vCPUs
 * @entry_size: bytes of an entry, which follow this header
 * @lstar: the guest's MSR LSTAR in the end, 0 if not known
 * @lost: exits that were lost; 0 also if recording was cut short
 */
struct trace_header {
	char magic[8];
	uint32_t vendor;
	uint32_t tsc_khz;
	uint32_t nr_vcpus;
	uint32_t entry_size;
	uint64_t lstar;
	uint64_t lost;
};

/**
 * struct trace_entry - an exit in the file; all of a vCPU's are in their order
 * @vcpu: of this vCPU
 * @lost: records of this vCPU that are missing before this one
 * @record: as the kernel wrote it
 */
struct trace_entry {
	uint16_t vcpu;
	uint16_t pad[3];
	uint64_t lost;
	struct vitro_record record;
};

/**
 * struct source - a vCPU's ring
 * @ring: its header, and the records behind it
 * @next: record to read next
 * @lost: records before that one that could not be read, since the last that could
 */
struct source {
	const volatile struct vitro_ring *ring;
	uint64_t next;
	uint64_t lost;
};

/**
 * struct recorder - a recording in progress
 * @file: its name
 * @out: where it goes
 * @header: as it will be in the end
 * @nr: vCPUs
 * @source: theirs, by id
 * @written: records in the file
 * @failed: errno of a write that failed
 */
struct recorder {
	const char *file;
	FILE *out;
	struct trace_header header;
	unsigned int nr;
	struct source source[VITRO_MAX_VCPUS];
	uint64_t written;
	int failed;
};

/* record.c */
bool recorder_open(struct recorder *r, const char *file, const struct trace_header *h);
bool recorder_add(struct recorder *r, int fd);
bool recorder_drain(struct recorder *r, bool all);
bool recorder_close(struct recorder *r);

/* record_command.c: vitro trace record; an exit status */
int record_command(const char *file, const char *which, uint64_t duration);

/* record_machine.c: what a machine tells about itself to those who look from outside. */
void tell_name(const struct machine *m, const char *name);
void tell_panic(const struct machine *m);

/* Whoever asks by the control socket may record it. */
void record_serve(struct machine *m);

/* Recording, if record_to() was called; between them the machine runs. */
void record_to(const char *file);
bool record_start(struct machine *m);
bool record_stop(struct machine *m);

#endif /* VITRO_RECORD_H */
