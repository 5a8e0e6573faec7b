// SPDX-License-Identifier: LGPL-2.1-or-later
/* The explainer: goes through the rules, and notes who violates them. */
#include <stdio.h>
#include <string.h>

#include "why.h"

static const struct why_vendor *vendor_of(const struct vitro_entry *entry)
{
	return vitro_entry_vendor(entry) == VITRO_VENDOR_SVM ? &why_svm : &why_vmx;
}

/* ------------------------------------------------------ what rules ask for */

/**
 * why_get - value of a field
 * @w: the explanation
 * @field: which
 *
 * Return: its value; 0 if the entry does not have it.
 */
uint64_t why_get(const struct why *w, uint32_t field)
{
	uint64_t value;

	vitro_entry_get(w->entry, field, &value);
	return value;
}

/**
 * why_has - does the entry have it?
 * @w: the explanation
 * @field: which
 */
bool why_has(const struct why *w, uint32_t field)
{
	uint64_t value;

	return vitro_entry_get(w->entry, field, &value);
}

/**
 * why_fact - what the entry says of the processor
 * @w: the explanation
 * @fact: a field
 * @otherwise: what to assume if it says nothing
 */
uint64_t why_fact(const struct why *w, uint32_t fact, uint64_t otherwise)
{
	uint64_t value;

	return vitro_entry_get(w->entry, fact, &value) ? value : otherwise;
}

/**
 * why_on - is a bit of a control word in force?
 * @w: the explanation
 * @control: WHY_CONTROL()
 */
bool why_on(const struct why *w, int control)
{
	return w->word[control >> 6] >> (control & 63) & 1;
}

/**
 * why_phys_bits - bits that a physical address cannot have
 * @w: the explanation
 */
uint64_t why_phys_bits(const struct why *w)
{
	return ~why_ones(why_fact(w, CPU_PHYS_BITS, 52));
}

/**
 * why_make_canonical - the canonical address with the same low bits
 * @w: the explanation
 * @address: any address
 */
uint64_t why_make_canonical(const struct why *w, uint64_t address)
{
	unsigned int shift = 64 - why_fact(w, CPU_LINEAR_BITS, 48);

	return (uint64_t)((int64_t)(address << shift) >> shift);
}

/* ------------------------------------------------------ what rules answer */

/* "with "enable EPT" = 1, "unrestricted guest" = 0" */
static void describe_conditions(const struct why *w, char *buf, size_t size)
{
	size_t len = 0;
	const int *when;
	int control;

	buf[0] = 0;
	for (when = w->rule->when; *when; when++) {
		control = *when < 0 ? -*when : *when;
		len += snprintf(buf + len, size - len, "%s\"%s\" = %d", len ? ", " : "",
				w->vendor->control_name(control), *when > 0);
		if (len >= size)
			return;
	}
}

static void begin_violation(const struct why *w, struct vitro_violation *v)
{
	*v = (struct vitro_violation){
		.class = w->rule->class,
		.rule = w->rule->text,
		.cap = w->rule->cap,
		.cap_value = w->rule->cap ? why_get(w, w->rule->cap) : 0,
	};
	snprintf(v->section, sizeof(v->section), "%s", w->rule->section);
	describe_conditions(w, v->when, sizeof(v->when));
}

/**
 * why_bad - a field violates the rule that is being checked
 * @w: the explanation
 * @field: which
 * @bits: those of its bits that do
 * @nearest: the nearest value that would not
 *
 * A second call for the same rule adds a field to the same violation.  Of a field that the
 * entry lacks, nobody knows.
 */
void why_bad(struct why *w, uint32_t field, uint64_t bits, uint64_t nearest)
{
	struct vitro_violation *v;
	unsigned int i;

	if (!why_has(w, field))
		return;
	if (w->last != w->rule) {
		w->last = w->rule;
		w->nr++;
		if (w->nr <= w->max)
			begin_violation(w, &w->out[w->nr - 1]);
	}
	if (w->nr > w->max)
		return;
	v = &w->out[w->nr - 1];
	i = v->nr_fields;
	if (i == VITRO_WHY_MAX_FIELDS)
		return;
	v->field[i].id = field;
	v->field[i].value = why_get(w, field);
	v->field[i].bits = bits;
	v->field[i].nearest = nearest;
	v->nr_fields++;
}

/* -------------------------------------------------------- checks they share */

static void bad_control(struct why *w, int control, bool on)
{
	uint32_t field = w->vendor->control_field(control >> 6);
	uint64_t bit = 1ULL << (control & 63), value = why_get(w, field);

	why_bad(w, field, bit, on ? value | bit : value & ~bit);
}

/**
 * why_must - a control must be ON() or OFF()
 * @w: the explanation
 * @r: the rule, with .control
 */
void why_must(struct why *w, const struct why_rule *r)
{
	int control = r->control < 0 ? -r->control : r->control;
	int active = w->vendor->activator(control >> 6);

	bool on = r->control > 0;

	if (why_on(w, control) == on)
		return;
	bad_control(w, control, on);
	if (on && active && !why_on(w, active))
		bad_control(w, active, true);
}

/**
 * why_zero - bits of a field must be 0
 * @w: the explanation
 * @r: the rule, with .field, and in .arg the bits
 */
void why_zero(struct why *w, const struct why_rule *r)
{
	uint64_t value = why_get(w, r->field);

	if (value & r->arg)
		why_bad(w, r->field, value & r->arg, value & ~r->arg);
}

/**
 * why_phys - a field is an aligned physical address
 * @w: the explanation
 * @r: the rule, with .field, and in .arg the bits that alignment makes 0
 */
void why_phys(struct why *w, const struct why_rule *r)
{
	uint64_t mask = why_phys_bits(w) | r->arg, value = why_get(w, r->field);

	if (value & mask)
		why_bad(w, r->field, value & mask, value & ~mask);
}

/**
 * why_canonical - a field is a canonical address
 * @w: the explanation
 * @r: the rule, with .field
 */
void why_canonical(struct why *w, const struct why_rule *r)
{
	uint64_t value = why_get(w, r->field), canonical = why_make_canonical(w, value);

	if (value != canonical)
		why_bad(w, r->field, value ^ canonical, canonical);
}

/**
 * why_nonzero - a field is not 0
 * @w: the explanation
 * @r: the rule, with .field, and in .arg the least value
 */
void why_nonzero(struct why *w, const struct why_rule *r)
{
	unsigned int bits = vitro_field_bits(vitro_entry_vendor(w->entry), r->field);

	if (!why_get(w, r->field))
		why_bad(w, r->field, why_ones(bits), r->arg);
}

/**
 * why_set - bits of a field must be 1
 * @w: the explanation
 * @r: the rule, with .field, and in .arg the bits
 */
void why_set(struct why *w, const struct why_rule *r)
{
	uint64_t value = why_get(w, r->field);

	if (~value & r->arg)
		why_bad(w, r->field, ~value & r->arg, value | r->arg);
}

/**
 * why_known - a field has only bits that the processor has
 * @w: the explanation
 * @r: the rule, with .field, and in .cap the fact that is a mask of them
 */
void why_known(struct why *w, const struct why_rule *r)
{
	uint64_t value = why_get(w, r->field), may = why_fact(w, r->cap, ~0ULL);

	if (value & ~may)
		why_bad(w, r->field, value & ~may, value & may);
}

/**
 * why_pat - each byte is a memory type (SDM 3A 12.12.2, APM 2 7.8.2)
 * @w: the explanation
 * @r: the rule, with .field
 */
void why_pat(struct why *w, const struct why_rule *r)
{
	uint64_t value = why_get(w, r->field), bits = 0;
	uint8_t type;
	int i;

	for (i = 0; i < 64; i += 8) {
		type = value >> i;
		if (type > 7 || type == 2 || type == 3)
			bits |= 0xffULL << i;
	}
	if (bits)	/* UC, which is 0, suits everything */
		why_bad(w, r->field, bits, value & ~bits);
}

/**
 * why_cet_wp - CR4.CET needs CR0.WP
 * @w: the explanation
 * @r: the rule, with CR0 as .field, and CR4 as .arg
 */
void why_cet_wp(struct why *w, const struct why_rule *r)
{
	uint64_t cr0 = why_get(w, r->field);

	if ((why_get(w, r->arg) & CR4_CET) && !(cr0 & CR0_WP))
		why_bad(w, r->field, CR0_WP, cr0 | CR0_WP);
}

/* ----------------------------------------------------------- the explanation */

static void get_words(struct why *w)
{
	int i, active;

	for (i = 1; i <= w->vendor->nr_words; i++) {
		active = w->vendor->activator(i);
		if (!active || why_on(w, active))
			w->word[i] = why_get(w, w->vendor->control_field(i));
	}
}

static bool applies(const struct why *w, const struct why_rule *rule)
{
	const int *when;

	if (rule->cap && !w->vendor->knows(w, rule->cap))
		return false;
	for (when = rule->when; *when; when++)
		if (why_on(w, *when < 0 ? -*when : *when) != (*when > 0))
			return false;
	return true;
}

/* The interface is documented in <vitro/why.h>. */
size_t vitro_why(const struct vitro_entry *entry, struct vitro_violation *out, size_t max)
{
	struct why w = { .entry = entry, .vendor = vendor_of(entry), .out = out, .max = max };
	const struct why_rule *const *table;

	get_words(&w);
	for (table = w.vendor->rules; *table; table++) {
		for (w.rule = *table; w.rule->text; w.rule++)
			if (applies(&w, w.rule))
				w.rule->check(&w, w.rule);
	}
	return w.nr;
}
