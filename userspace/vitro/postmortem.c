// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How a guest came to its triple fault: what libvitro has found out, in words and as JSON.
 *
 * One paragraph for each event: who raised it, where its gate leads, which rule its delivery
 * has violated, and what that raises.
 */
#include <string.h>

#include "postmortem.h"
#include "symbols.h"

#define INDENT	"       "

/* ------------------------------------------------------------------------- pieces */

static const char *event_name(const struct vitro_fault *event, char *buf, size_t size)
{
	const char *name = vitro_exception_name(event->vector);

	if (name)
		return name;
	snprintf(buf, size, "vector %u", event->vector);
	return buf;
}

/* What the bits of an error code mean (SDM 3A 4.7, 6.13). */
static void print_error(FILE *out, const struct vitro_fault *event)
{
	const uint32_t error = event->error;

	fprintf(out, ", error code 0x%x", error);
	if (event->vector == 14)
		fprintf(out, " (%s, %s, %s)", error & 16 ? "fetch" : error & 2 ? "write" : "read",
			error & 4 ? "user" : "supervisor",
			error & 8 ? "reserved bit" : error & 1 ? "not allowed" : "not present");
	else if (error & 2)
		fprintf(out, " (entry %u of the IDT)", error >> 3);
	else if (error & ~7U)
		fprintf(out, " (selector 0x%x)", error & ~7U);
}

/* An address, with its symbol if there is one. */
static void print_address(FILE *out, const struct symbols *symbols, uint64_t address)
{
	char name[SYMBOL_TEXT];

	symbols_format(symbols, address, name, sizeof(name));
	fprintf(out, "0x%llx%s%s%s", (unsigned long long)address, name[0] ? " <" : "", name,
		name[0] ? ">" : "");
}

static const char *const certainties[] = {
	[VITRO_PM_CERTAIN] = "certain",
	[VITRO_PM_LIKELY] = "likely",
	[VITRO_PM_UNKNOWN] = "unknown",
};

static const char *const outcomes[] = {
	[VITRO_PM_SHUTDOWN] = "shutdown",
	[VITRO_PM_DELIVERED] = "delivered",
	[VITRO_PM_LEFT] = "not followed",
};

/* --------------------------------------------------------------------------- text */

static void print_gate(FILE *out, const struct symbols *symbols, const struct vitro_delivery *d)
{
	if (!d->has_gate) {
		fprintf(out, INDENT "its gate would be at gva 0x%llx\n",
			(unsigned long long)d->gate_gva);
		return;
	}
	fprintf(out, INDENT "its gate, at gva 0x%llx: 0x%016llx", (unsigned long long)d->gate_gva,
		(unsigned long long)d->gate[0]);
	if (d->gate_size == 16)
		fprintf(out, " 0x%016llx", (unsigned long long)d->gate[1]);
	fprintf(out, ", leads to 0x%x:", d->selector);
	print_address(out, symbols, d->handler);
	fprintf(out, "\n");
	if (d->stack)
		fprintf(out, INDENT "its frame goes below gva 0x%llx\n",
			(unsigned long long)d->stack);
}

static void print_delivery(FILE *out, const struct symbols *symbols, unsigned int nr,
			   const struct vitro_delivery *d, enum vitro_outcome outcome, bool last)
{
	char name[32];

	fprintf(out, "  %u. %s", nr, event_name(&d->event, name, sizeof(name)));
	if (d->event.has_error)
		print_error(out, &d->event);
	fprintf(out, ": %s\n", d->reason);
	print_gate(out, symbols, d);
	if (!d->rule) {
		fprintf(out, INDENT "it is delivered\n");
		return;
	}
	fprintf(out, INDENT "%s %s [%s]\n", last && outcome == VITRO_PM_LEFT ? "the end:" :
		"violated:", d->rule, d->section);
	if (d->detail[0])
		fprintf(out, INDENT "          %s\n", d->detail);
	if (last && outcome == VITRO_PM_LEFT)
		return;
	fprintf(out, INDENT "which raises %s", event_name(&d->next, name, sizeof(name)));
	if (d->next.has_error)
		print_error(out, &d->next);
	fprintf(out, "%s\n", last ? ": the CPU shuts down" : "");
}

static void print_notes(FILE *out, const char *notes)
{
	while (*notes) {
		const int length = strcspn(notes, "\n");

		fprintf(out, "  note: %.*s\n", length, notes);
		notes += length + (notes[length] == '\n');
	}
}

static const char *headline(const struct vitro_postmortem *pm)
{
	if (pm->outcome == VITRO_PM_DELIVERED)
		return "replayed, it does not come to a triple fault; something has changed since";
	if (pm->outcome == VITRO_PM_LEFT)
		return "replayed, as far as it can be followed";
	if (pm->certainty == VITRO_PM_UNKNOWN)
		return "only its end can be told";
	return pm->certainty == VITRO_PM_LIKELY ? "what probably happened" : "what happened";
}

static void print(FILE *out, const struct symbols *symbols, const struct vitro_postmortem *pm)
{
	unsigned int i;

	fprintf(out, "triple fault, %s:\n  at rip ", headline(pm));
	print_address(out, symbols, pm->rip);
	fprintf(out, ": %s\n", pm->insn[0] ? pm->insn : "not readable");
	for (i = 0; i < pm->nr; i++)
		print_delivery(out, symbols, i + 1, &pm->delivery[i], pm->outcome,
			       i + 1 == pm->nr);
	print_notes(out, pm->notes);
	if (pm->interrupted && symbols) {
		fprintf(out, "  note: the handler was called at ");
		print_address(out, symbols, pm->interrupted);
		fprintf(out, "\n");
	}
}

/**
 * postmortem_print - how a vCPU came to its shutdown, in words
 * @vcpu: the vCPU, after VITRO_EXIT_SHUTDOWN
 * @symbols: names of the guest's addresses, or NULL
 * @out: where to
 */
void postmortem_print(struct vitro_vcpu *vcpu, const struct symbols *symbols, FILE *out)
{
	struct vitro_postmortem pm;

	if (vitro_postmortem(vcpu, &pm))
		fprintf(out, "triple fault: %s\n", vitro_error());
	else
		print(out, symbols, &pm);
}

/* --------------------------------------------------------------------------- JSON */

/* JSON's own numbers cannot hold an address. */
static json_t *hex(uint64_t value)
{
	return json_sprintf("0x%llx", (unsigned long long)value);
}

static void set_address(json_t *object, const char *key, const struct symbols *symbols,
			uint64_t address)
{
	char name[SYMBOL_TEXT], symbol_key[32];

	json_object_set_new(object, key, hex(address));
	symbols_format(symbols, address, name, sizeof(name));
	snprintf(symbol_key, sizeof(symbol_key), "%s_symbol", key);
	if (name[0])
		json_object_set_new(object, symbol_key, json_string(name));
}

static json_t *event_json(const struct vitro_fault *event)
{
	json_t *object = json_object();
	char name[32];

	json_object_set_new(object, "vector", json_integer(event->vector));
	json_object_set_new(object, "name", json_string(event_name(event, name, sizeof(name))));
	if (event->has_error)
		json_object_set_new(object, "error", hex(event->error));
	if (event->vector == 14)
		json_object_set_new(object, "address", hex(event->address));
	return object;
}

static json_t *delivery_json(const struct vitro_delivery *d, const struct symbols *symbols)
{
	json_t *object = event_json(&d->event);

	json_object_set_new(object, "reason", json_string(d->reason));
	json_object_set_new(object, "software", json_boolean(d->software));
	json_object_set_new(object, "gate_gva", hex(d->gate_gva));
	if (d->has_gate) {
		json_object_set_new(object, "selector", hex(d->selector));
		set_address(object, "handler", symbols, d->handler);
	}
	if (d->stack)
		json_object_set_new(object, "stack", hex(d->stack));
	if (d->rule) {
		json_object_set_new(object, "rule", json_string(d->rule));
		json_object_set_new(object, "section", json_string(d->section));
		json_object_set_new(object, "detail", json_string(d->detail));
		json_object_set_new(object, "raises", event_json(&d->next));
	}
	return object;
}

/**
 * postmortem_json - how a vCPU came to its shutdown, for programs
 * @vcpu: the vCPU, after VITRO_EXIT_SHUTDOWN
 * @symbols: names of the guest's addresses, or NULL
 *
 * Return: the object; the caller's.
 */
json_t *postmortem_json(struct vitro_vcpu *vcpu, const struct symbols *symbols)
{
	json_t *object = json_object(), *list = json_array();
	struct vitro_postmortem pm;
	unsigned int i;

	if (vitro_postmortem(vcpu, &pm)) {
		json_decref(list);
		json_object_set_new(object, "error", json_string(vitro_error()));
		return object;
	}
	set_address(object, "rip", symbols, pm.rip);
	json_object_set_new(object, "insn", json_string(pm.insn));
	json_object_set_new(object, "certainty", json_string(certainties[pm.certainty]));
	json_object_set_new(object, "outcome", json_string(outcomes[pm.outcome]));
	for (i = 0; i < pm.nr; i++)
		json_array_append_new(list, delivery_json(&pm.delivery[i], symbols));
	json_object_set_new(object, "deliveries", list);
	json_object_set_new(object, "cr2", hex(pm.cr2));
	if (pm.interrupted)
		set_address(object, "interrupted", symbols, pm.interrupted);
	json_object_set_new(object, "notes", json_string(pm.notes));
	return object;
}
