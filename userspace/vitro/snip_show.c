// SPDX-License-Identifier: GPL-2.0-or-later
/* vitro snip: each exit, with what it was about and which registers have changed. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "family.h"
#include "recording.h"
#include "snip.h"

#define RING_SIZE	4096	/* records: exits of one VITRO_RUN that can be shown */

/**
 * struct shown - an exit, as it is shown
 * @reason: its name
 * @place: where it went to
 * @rip: where the guest was
 * @insn: the instruction there
 * @what: what it was about
 * @changes: registers that have changed since the exit before, or NULL: not known
 */
struct shown {
	const char *reason;
	const char *place;
	uint64_t rip;
	char insn[160];
	char what[96];
	json_t *changes;
};

static void print_text(const struct snip *s, const struct shown *shown)
{
	const char *name;
	json_t *value;

	printf("%4llu  %-11s rip 0x%llx  ", (unsigned long long)s->nr_exits, shown->reason,
	       (unsigned long long)shown->rip);
	printf(shown->what[0] || s->trace ? "%-32s" : "%s", shown->insn);
	if (shown->what[0])
		printf("  %s", shown->what);
	if (s->trace)
		printf("  [%s]", shown->place);
	printf("\n");
	if (!json_object_size(shown->changes))
		return;
	printf("     ");
	json_object_foreach(shown->changes, name, value)
		printf(" %s=%s", name, json_string_value(value));
	printf("\n");
}

/* Takes over @shown->changes. */
static void show(struct snip *s, struct shown *shown)
{
	json_t *object;

	s->nr_exits++;
	if (!s->json) {
		print_text(s, shown);
		fflush(stdout);
		json_decref(shown->changes);
		return;
	}
	object = json_pack("{s:I, s:s, s:s, s:o, s:s, s:s}", "nr", (json_int_t)s->nr_exits,
			   "reason", shown->reason, "place", shown->place,
			   "rip", json_sprintf("0x%llx", (unsigned long long)shown->rip),
			   "insn", shown->insn, "what", shown->what);
	if (shown->changes)
		json_object_set_new(object, "changed", shown->changes);
	json_array_append_new(s->list, object);
}

/* ---------------------------------------------------------- exits of the module's own */

/**
 * snip_trace_start - let the recorder run
 * @s: with a vCPU
 *
 * Return: false if it cannot; the reason has been said.
 */
bool snip_trace_start(struct snip *s)
{
	struct vitro_record_start start = { .nr = RING_SIZE };
	const size_t size = VITRO_RING_RECORDS + RING_SIZE * sizeof(struct vitro_record);
	int fd = ioctl(vitro_vcpu_fd(s->vcpu), VITRO_RECORD, &start);
	void *ring = fd < 0 ? MAP_FAILED : mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);

	if (ring == MAP_FAILED) {
		snip_error("cannot record: %s", strerror(errno));
		if (fd >= 0)
			close(fd);
		return false;
	}
	close(fd);
	s->ring = ring;
	if (s->ring->record_size != sizeof(struct vitro_record)) {
		snip_error("the recorder is of another version of vitro");
		return false;
	}
	return true;
}

/* What the module has dealt with since the exit before.  No vCPU runs: all is complete. */
static void show_inner(struct snip *s)
{
	const struct vitro_record *slots = (const void *)((const char *)s->ring +
							  VITRO_RING_RECORDS);

	if (s->ring->head - s->ring_next > RING_SIZE) {
		snip_error("%llu exits were too many for the recorder",
			   (unsigned long long)(s->ring->head - RING_SIZE - s->ring_next));
		s->ring_next = s->ring->head - RING_SIZE;
	}
	for (; s->ring_next < s->ring->head; s->ring_next++) {
		struct trace_entry e = { .record = slots[s->ring_next % RING_SIZE] };
		struct shown shown = {
			.reason = reason_name(e.record.reason),
			.place = place_name(e.record.place),
			.rip = e.record.rip,
		};

		if (e.record.place == VITRO_PLACE_USER)	/* is shown with its registers */
			continue;
		disassemble(&e, shown.insn, sizeof(shown.insn));
		describe_exit(&e.record, shown.what, sizeof(shown.what));
		show(s, &shown);
	}
}

/* ------------------------------------------------------------- exits to this program */

/**
 * snip_show_exit - show the last exit, and those that the module kept to itself before
 * @s: with GPRS, SEGS and CRS of its vCPU valid
 */
void snip_show_exit(struct snip *s)
{
	const struct vitro_comm *comm = vitro_vcpu_comm(s->vcpu);
	const struct vitro_record record = exit_as_record(&comm->exit);
	struct shown shown = {
		.reason = reason_name(comm->exit.reason),
		.place = place_name(VITRO_PLACE_USER),
		.rip = comm->state.gprs.rip,
	};

	if (s->ring)
		show_inner(s);
	vitro_disassemble(s->vcpu, shown.insn, sizeof(shown.insn));
	describe_exit(&record, shown.what, sizeof(shown.what));
	shown.changes = snip_changes(&s->before, &comm->state);
	s->before = comm->state;
	show(s, &shown);
}
