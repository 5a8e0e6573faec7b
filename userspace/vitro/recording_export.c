// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A recording in the JSON that Perfetto and chrome://tracing read (the "Trace Event
 * Format"): a lane for each vCPU and place, times in microseconds.
 */
#include <inttypes.h>
#include <stdio.h>

#include "family.h"
#include "recording.h"

static double us(uint64_t cycles, const struct recording *r)
{
	return cycles * 1e3 / r->header->tsc_khz;
}

static void print_span(const struct recording *r, const struct trace_entry *e, const char *name,
		       unsigned int lane, uint64_t start, uint64_t cycles)
{
	char symbol[SYMBOL_TEXT];

	printf(",\n{\"ph\":\"X\",\"pid\":%u,\"tid\":%u,\"ts\":%.3f,\"dur\":%.3f,\"name\":\"%s\"",
	       e->vcpu, lane, us(start - r->entry[0]->record.tsc, r), us(cycles, r), name);
	printf(",\"args\":{\"seq\":%" PRIu64 ",\"rip\":\"0x%" PRIx64 "\"",
	       (uint64_t)e->record.seq, (uint64_t)e->record.rip);
	symbols_format(r->symbols, e->record.linear, symbol, sizeof(symbol));
	if (symbol[0])
		printf(",\"symbol\":\"%s\"", symbol);
	printf("}}");
}

/*
 * Lane 0 is the guest, then the places.  A record has how long the exit was in each, not in
 * which turn: it begins in the burst, and userspace, if it came to that, is the end.
 */
static void print_exit(const struct recording *r, const struct trace_entry *e, uint64_t *entered)
{
	uint64_t at = e->record.tsc;
	bool wanted = is_wanted(r, e);
	unsigned int i;

	if (*entered && wanted)
		print_span(r, e, "guest", 0, *entered, at - *entered);
	for (i = 0; i < VITRO_NR_PLACES; i++) {
		if (e->record.cycles[i] && wanted)
			print_span(r, e, reason_name(e->record.reason), i + 1, at,
				   e->record.cycles[i]);
		at += e->record.cycles[i];
	}
	*entered = at;
}

static void print_lanes(const struct recording *r)
{
	unsigned int vcpu, i;

	for (vcpu = 0; vcpu < r->header->nr_vcpus; vcpu++) {
		printf("%s{\"ph\":\"M\",\"pid\":%u,\"name\":\"process_name\",",
		       vcpu ? ",\n" : "", vcpu);
		printf("\"args\":{\"name\":\"vCPU %u\"}}", vcpu);
		for (i = 0; i <= VITRO_NR_PLACES; i++) {
			printf(",\n{\"ph\":\"M\",\"pid\":%u,\"tid\":%u,", vcpu, i);
			printf("\"name\":\"thread_name\",\"args\":{\"name\":\"%s\"}}",
			       i ? place_name(i - 1) : "guest");
		}
	}
}

/**
 * recording_export - print it for Perfetto
 * @r: the recording
 *
 * Return: 0, or -1 when it could not be written.
 */
int recording_export(const struct recording *r)
{
	uint64_t entered[VITRO_MAX_VCPUS] = { 0 };
	size_t i;

	printf("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n");
	print_lanes(r);
	for (i = 0; i < r->nr; i++)
		print_exit(r, r->entry[i], &entered[r->entry[i]->vcpu]);
	printf("\n]}\n");
	return fflush(stdout) || ferror(stdout) ? -1 : 0;
}
