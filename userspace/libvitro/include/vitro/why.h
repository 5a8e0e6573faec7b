/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Why did the processor refuse to enter the guest?
 *
 * A struct vitro_entry holds what a VM entry goes by: the fields of a VMCS or VMCB, and
 * what the processor can do.  vitro_why() checks it against the rules of the manual: chapter
 * 27 of SDM 3C, or section 15.5 of APM 2.  All of this works without /dev/vitro.
 *
 * As text an entry has one field a line, a name and a number; '#' begins a comment:
 *
 *	vendor vmx
 *	GUEST_CR0 0x80050033
 *	IA32_VMX_CR0_FIXED0 0x80000021
 *
 * Nothing here is shared between threads, except that many may read one entry.
 */
#ifndef VITRO_WHY_H
#define VITRO_WHY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How an entry fails (SDM 3C 27.2, 27.3.1, 27.4; APM 2 15.5.1). */
enum vitro_why_class {
	VITRO_WHY_ENTERS,	/* it does not */
	VITRO_WHY_CONTROLS,	/* VMX: VMfailValid 7, invalid control fields */
	VITRO_WHY_HOST,		/* VMX: VMfailValid 8, invalid host-state fields */
	VITRO_WHY_GUEST,	/* VMX: exit reason 33, invalid guest state */
	VITRO_WHY_MSRS,		/* VMX: exit reason 34, MSR loading */
	VITRO_WHY_INVALID,	/* SVM: VMEXIT_INVALID, which tells no more */
};

struct vitro_entry;

/* Numbers of fields: the encoding of a VMCS field, or from here on; facts have others. */
#define VITRO_FIELD_MSR		0x10000	/* + index of an MSR */
#define VITRO_FIELD_VMCB	0x30000	/* + offset in the VMCB */

/**
 * struct vitro_entry_field - a field
 * @id: the field's number
 * @value: its value
 */
struct vitro_entry_field {
	uint32_t id;
	uint64_t value;
};

#define VITRO_WHY_MAX_FIELDS	8

/**
 * struct vitro_violation - a rule that is violated
 * @class: how the processor fails
 * @section: of the manual, such as "SDM 3C 27.3.1.1"
 * @rule: the rule in a sentence
 * @nr_fields: entries in use of @field
 * @field: which fields violate it, and how
 * @field.id: which
 * @field.value: its value
 * @field.bits: those bits that violate the rule
 * @field.nearest: the nearest value that does not, as far as this rule goes
 * @cap: MSR or fact that tells what is legal; 0 if none does
 * @cap_value: its value
 * @when: controls on which the rule depends, in words; "" if it always holds
 */
struct vitro_violation {
	enum vitro_why_class class;
	char section[24];
	const char *rule;
	unsigned int nr_fields;
	struct {
		uint32_t id;
		uint64_t value;
		uint64_t bits;
		uint64_t nearest;
	} field[VITRO_WHY_MAX_FIELDS];
	uint32_t cap;
	uint64_t cap_value;
	char when[192];
};

/**
 * vitro_entry_new - an empty entry
 * @vendor: enum vitro_vendor
 *
 * Return: it; vitro_entry_free() is due.  NULL without memory (vitro_error()).
 */
struct vitro_entry *vitro_entry_new(unsigned int vendor);

/**
 * vitro_entry_free - forget an entry
 * @entry: it, or NULL
 */
void vitro_entry_free(struct vitro_entry *entry);

/**
 * vitro_entry_vendor - whose it is
 * @entry: it
 *
 * Return: an enum vitro_vendor.
 */
unsigned int vitro_entry_vendor(const struct vitro_entry *entry);

/**
 * vitro_entry_read - read an entry's text
 * @file: where from, to its end
 * @name: of the file, for messages
 *
 * Return: the entry; vitro_entry_free() is due.  NULL if it is none: vitro_error()
 * has the line and what is wrong there.
 */
struct vitro_entry *vitro_entry_read(FILE *file, const char *name);

/**
 * vitro_entry_write - write an entry's text
 * @entry: it
 * @file: where to; errors are to be had by ferror()
 */
void vitro_entry_write(const struct vitro_entry *entry, FILE *file);

/**
 * vitro_entry_set - give a field a value
 * @entry: it
 * @id: field
 * @value: bits that the field has not are dropped
 *
 * Return: 0; -EINVAL there is no such field; -ENOMEM.
 */
int vitro_entry_set(struct vitro_entry *entry, uint32_t id, uint64_t value);

/**
 * vitro_entry_get - a field's value
 * @entry: it
 * @id: field
 * @value: set to it; 0 if the entry does not have it
 *
 * Return: does the entry have it?
 */
bool vitro_entry_get(const struct vitro_entry *entry, uint32_t id, uint64_t *value);

/**
 * vitro_entry_field_at - the fields in order
 * @entry: it
 * @index: 0, 1, ...
 * @field: set to the field
 *
 * Return: false after the last one.
 */
bool vitro_entry_field_at(const struct vitro_entry *entry, size_t index,
			  struct vitro_entry_field *field);

/**
 * vitro_entry_add_cpu - what CPUID tells of the processor that runs this
 * @entry: it gets the facts CPU_*, but those that only a kernel knows
 *
 * Return: 0; -ENOMEM.
 */
int vitro_entry_add_cpu(struct vitro_entry *entry);

struct vitro_vcpu;

/**
 * vitro_vcpu_entry - what the last entry of a vCPU went by
 * @vcpu: the vCPU, which is not running
 *
 * After VITRO_EXIT_FAIL_ENTRY this is what the processor has refused.  What only
 * CAP_SYS_ADMIN may see, the host's state above all, is missing otherwise.
 *
 * Return: the entry; vitro_entry_free() is due.  NULL on failure (vitro_error()).
 */
struct vitro_entry *vitro_vcpu_entry(struct vitro_vcpu *vcpu);

/**
 * vitro_field_id - number of a field
 * @vendor: enum vitro_vendor
 * @name: its name, in any case
 * @id: set on success
 *
 * Return: is there such a field?
 */
bool vitro_field_id(unsigned int vendor, const char *name, uint32_t *id);

/**
 * vitro_field_name - name of a field
 * @vendor: enum vitro_vendor
 * @id: its number
 *
 * Return: the name, or NULL.
 */
const char *vitro_field_name(unsigned int vendor, uint32_t id);

/**
 * vitro_field_bits - width of a field
 * @vendor: enum vitro_vendor
 * @id: its number
 *
 * Return: 8, 16, 32 or 64; 0 if there is no such field.
 */
unsigned int vitro_field_bits(unsigned int vendor, uint32_t id);

/**
 * vitro_why - which rules does an entry with this state violate?
 * @entry: the state
 * @out: filled with violations, in the order in which the manual has the rules
 * @max: room in @out
 *
 * A field that the entry lacks violates no rule, and neither does one whose limits are
 * in a capability MSR that it lacks; what else is missing is taken to be 0.
 *
 * Return: number of violations; only the first @max are in @out.  With none, the
 * processor enters the guest; else it fails as the first one's class says.
 */
size_t vitro_why(const struct vitro_entry *entry, struct vitro_violation *out, size_t max);

#ifdef __cplusplus
}
#endif

#endif /* VITRO_WHY_H */
