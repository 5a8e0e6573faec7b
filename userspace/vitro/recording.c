// SPDX-License-Identifier: GPL-2.0-or-later
/* Recordings of exits: reading the file, and putting an exit into words. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <Zydis/Zydis.h>

#include "recording.h"

static int by_time(const void *a, const void *b)
{
	const struct trace_entry *x = *(const struct trace_entry **)a;
	const struct trace_entry *y = *(const struct trace_entry **)b;

	if (x->record.tsc != y->record.tsc)
		return x->record.tsc < y->record.tsc ? -1 : 1;
	return x->vcpu - y->vcpu;
}

static bool is_valid(const struct trace_header *h, size_t size)
{
	return size >= sizeof(*h) && !memcmp(h->magic, TRACE_MAGIC, sizeof(h->magic)) &&
	       h->entry_size == sizeof(struct trace_entry) && h->tsc_khz &&
	       h->nr_vcpus && h->nr_vcpus <= VITRO_MAX_VCPUS;
}

/* What the rest of this program uses as an index must be one. */
static bool entries_valid(const struct recording *r)
{
	size_t i;

	for (i = 0; i < r->nr; i++) {
		const struct trace_entry *e = r->entry[i];

		if (e->vcpu >= r->header->nr_vcpus || e->record.nr_bytes > sizeof(e->record.bytes))
			return false;
	}
	return true;
}

/**
 * recording_open - read a file
 * @r: filled in; recording_close() is due on success
 * @file: its name
 *
 * Return: false if it cannot be; the reason has been said.
 */
bool recording_open(struct recording *r, const char *file)
{
	const struct trace_entry *first;
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	struct stat st;
	size_t i;

	memset(r, 0, sizeof(*r));
	if (fd < 0 || fstat(fd, &st)) {
		fprintf(stderr, "vitro: cannot read '%s': %s\n", file, strerror(errno));
		if (fd >= 0)
			close(fd);
		return false;
	}
	r->size = st.st_size;
	r->map = mmap(NULL, r->size ? r->size : 1, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (r->map == MAP_FAILED || !is_valid(r->map, r->size)) {
		fprintf(stderr, "vitro: '%s' is no recording of this version\n", file);
		if (r->map != MAP_FAILED)
			munmap(r->map, r->size ? r->size : 1);
		return false;
	}
	r->header = r->map;
	r->rip_last = UINT64_MAX;
	r->nr = (r->size - sizeof(*r->header)) / sizeof(struct trace_entry);
	r->entry = calloc(r->nr + 1, sizeof(*r->entry));
	first = (const void *)(r->header + 1);
	for (i = 0; r->entry && i < r->nr; i++)
		r->entry[i] = &first[i];
	if (!r->entry || !entries_valid(r)) {
		fprintf(stderr, "vitro: '%s' is damaged, or too large for this host\n", file);
		recording_close(r);
		return false;
	}
	qsort(r->entry, r->nr, sizeof(*r->entry), by_time);
	return true;
}

/**
 * recording_close - undo recording_open()
 * @r: the recording
 */
void recording_close(struct recording *r)
{
	symbols_close(r->symbols);
	free(r->entry);
	munmap(r->map, r->size);
}

/**
 * entry_cycles - how long an exit took
 * @e: it
 *
 * Return: TSC cycles.
 */
uint64_t entry_cycles(const struct trace_entry *e)
{
	uint64_t sum = 0;
	int i;

	for (i = 0; i < VITRO_NR_PLACES; i++)
		sum += e->record.cycles[i];
	return sum;
}

/**
 * disassemble - the instruction that exited, as text
 * @e: the exit
 * @buf: where the text goes
 * @size: of @buf
 */
void disassemble(const struct trace_entry *e, char *buf, size_t size)
{
	ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];
	ZydisMachineMode mode = ZYDIS_MACHINE_MODE_LEGACY_16;
	ZydisStackWidth stack = ZYDIS_STACK_WIDTH_16;
	ZydisDecodedInstruction insn;
	ZydisFormatter formatter;
	ZydisDecoder decoder;

	if (e->record.bits == 64) {
		mode = ZYDIS_MACHINE_MODE_LONG_64;
		stack = ZYDIS_STACK_WIDTH_64;
	} else if (e->record.bits == 32) {
		mode = ZYDIS_MACHINE_MODE_LEGACY_32;
		stack = ZYDIS_STACK_WIDTH_32;
	}
	snprintf(buf, size, e->record.nr_bytes ? "(bad)" : "(not readable)");
	if (ZYAN_SUCCESS(ZydisDecoderInit(&decoder, mode, stack)) &&
	    ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, e->record.bytes, e->record.nr_bytes,
						&insn, op)) &&
	    ZYAN_SUCCESS(ZydisFormatterInit(&formatter, ZYDIS_FORMATTER_STYLE_INTEL)))
		ZydisFormatterFormatInstruction(&formatter, &insn, op, insn.operand_count_visible,
						buf, size, e->record.rip, NULL);
}

/**
 * place_name - the name of a place
 * @place: enum vitro_place
 *
 * Return: it.
 */
const char *place_name(unsigned int place)
{
	static const char *const names[] = { "burst", "kernel", "user" };

	return place < VITRO_NR_PLACES ? names[place] : "unknown";
}

/**
 * describe_exit - what an exit was about, in a few words
 * @r: the exit
 * @buf: where they go; empty when there is nothing to say
 * @size: of @buf
 */
void describe_exit(const struct vitro_record *r, char *buf, size_t size)
{
	unsigned long long detail = r->detail, data = r->data;
	unsigned int flags = detail >> 24;

	buf[0] = '\0';
	switch (r->reason) {
	case VITRO_EXIT_IO:
		if (flags & VITRO_IO_IN)
			snprintf(buf, size, "in port 0x%llx size %llu%s", detail & 0xffff,
				 detail >> 16 & 0xff, flags & VITRO_IO_STRING ? " string" : "");
		else
			snprintf(buf, size, "out port 0x%llx size %llu%s data 0x%llx",
				 detail & 0xffff, detail >> 16 & 0xff,
				 flags & VITRO_IO_STRING ? " string" : "", data);
		break;
	case VITRO_EXIT_MMIO:
	case VITRO_EXIT_MEMFAULT:
	case VITRO_INNER_TDP:
		snprintf(buf, size, "%s gpa 0x%llx%s", data & VITRO_MMIO_EXEC ? "exec" :
			 data & VITRO_MMIO_WRITE ? "write" : "read", detail,
			 data & VITRO_MMIO_WALK ? " by a walk" : "");
		break;
	case VITRO_EXIT_RDMSR:
		snprintf(buf, size, "msr 0x%llx", detail);
		break;
	case VITRO_EXIT_WRMSR:
	case VITRO_EXIT_EOI:
		snprintf(buf, size, "msr 0x%llx data 0x%llx", detail, data);
		break;
	case VITRO_INNER_CPUID:
		snprintf(buf, size, "leaf 0x%llx subleaf 0x%llx", detail, data);
		break;
	case VITRO_EXIT_HYPERCALL:
		snprintf(buf, size, "nr 0x%llx", detail);
		break;
	case VITRO_INNER_CR:
		snprintf(buf, size, "cr%llu %s", detail, data ? "write" : "read");
		break;
	case VITRO_INNER_EXCEPTION:
		snprintf(buf, size, "vector %llu error 0x%llx", detail, data);
		break;
	}
}

/**
 * exit_as_record - an exit as the recorder has it, for describe_exit()
 * @x: the exit
 *
 * Return: the record; only what describe_exit() goes by is set.
 */
struct vitro_record exit_as_record(const struct vitro_exit *x)
{
	struct vitro_record r = { .reason = x->reason };

	switch (x->reason) {
	case VITRO_EXIT_IO:
		r.detail = x->io.port | x->io.size << 16 | (uint32_t)x->io.flags << 24;
		r.data = x->io.data;
		break;
	case VITRO_EXIT_MMIO:
	case VITRO_EXIT_MEMFAULT:
		r.detail = x->mmio.gpa;
		r.data = x->mmio.flags;
		break;
	case VITRO_EXIT_RDMSR:
	case VITRO_EXIT_WRMSR:
		r.detail = x->msr.index;
		r.data = x->msr.data;
		break;
	case VITRO_EXIT_HYPERCALL:
		r.detail = x->hypercall.nr;
		break;
	default:
		break;
	}
	return r;
}
