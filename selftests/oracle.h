/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of the test "oracle" share. */
#ifndef ORACLE_TEST_H
#define ORACLE_TEST_H

#include <linux/vitro.h>
#include <stdbool.h>
#include <vitro/vitro.h>
#include <vitro/why.h>

#include "oracle/oracle.h"

#define MAX_VIOLATIONS	24

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#endif

/* Classes of outcomes, beside those that the explainer can predict. */
#define CLASS_OTHER	100

/**
 * struct trial - a state, what the explainer says of it, and what the CPU did
 * @entry: the state
 * @v: rules that it violates
 * @nr: how many
 * @outcome: enum vitro_why_class, or CLASS_OTHER
 * @reason: as in struct oracle_case
 */
struct trial {
	const struct vitro_entry *entry;
	struct vitro_violation v[MAX_VIOLATIONS];
	size_t nr;
	unsigned int outcome;
	uint64_t reason;
};

/**
 * struct excuse - something in which an emulator is known not to do as the manual says
 * @manual: what the manual says, with its section
 * @emulator: what the emulator does instead
 * @omits: part of the sentence of a rule that the emulator does not check, or NULL
 * @outcome: else, an outcome that the manual does not tell
 * @when: for which states and, with @omits, violations; NULL for all
 * @rare: needs not occur in each run
 * @count: how often it was met
 */
struct excuse {
	const char *manual;
	const char *emulator;
	const char *omits;
	unsigned int outcome;
	bool (*when)(const struct trial *t, const struct vitro_violation *v);
	bool rare;
	unsigned int count;
};

/**
 * struct memory_field - a fact about memory, which the module writes
 * @name: of the field
 * @at: offset in the module's pages
 */
struct memory_field {
	const char *name;
	unsigned int at;
};

/**
 * struct vendor_test - what the test does in a vendor's way
 * @nr_bases: states to start from
 * @base: makes one of them; @name is set to its name.  NULL: this CPU cannot have it
 * @is_mutable: is it a field to change?
 * @unknown: does the outcome depend on memory that is not the test's?
 * @unsafe: why a state that the CPU should enter is not tried; NULL if it is
 * @memory: facts about memory, ended by one without name
 * @excuses: returns those for this machine, ended by one without @manual
 */
struct vendor_test {
	unsigned int nr_bases;
	struct vitro_entry *(*base)(unsigned int i, const char **name);
	bool (*is_mutable)(uint32_t id);
	bool (*unknown)(const struct vitro_entry *base, const struct vitro_entry *entry);
	const char *(*unsafe)(const struct vitro_entry *base, const struct vitro_entry *entry);
	const struct memory_field *memory;
	struct excuse *(*excuses)(void);
};

extern const struct vendor_test vendor_vmx, vendor_svm;

/* oracle.c */
uint64_t listed(uint32_t id);
bool is_listed(uint32_t id);
bool listed_at(unsigned int i, uint32_t *id);
uint32_t field_id(unsigned int vendor, const char *name);
uint64_t field(const struct vitro_entry *entry, const char *name);
void set_field(struct vitro_entry *entry, const char *name, uint64_t value);
bool is_machine(const char *name);
const struct memory_field *memory_of(uint32_t id);

#endif /* ORACLE_TEST_H */
