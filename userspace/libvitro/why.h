/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The explainer of failed VM entries: which rule of the manual is violated?
 *
 * Rules are tables, one rule one place (why_vmx_*.c, why_svm.c).  What a rule needs
 * to know, of the VMCS or VMCB as well as of the processor, are fields of an entry.
 */
#ifndef WHY_H
#define WHY_H

#include <vitro/why.h>

#include "internal.h"

/*
 * Numbers of fields: encodings of the VMCS, MSRs, offsets into the VMCB, and facts,
 * which are about the processor and about memory that an entry looks at.
 */
#define WHY_MSR		VITRO_FIELD_MSR
#define WHY_VMCB	VITRO_FIELD_VMCB
#define WHY_FACTS	0x40000

enum why_fact {
	CPU_PHYS_BITS = WHY_FACTS,	/* width of a physical address */
	CPU_LINEAR_BITS,		/* width of a linear address */
	CPU_EFER,			/* EFER at the entry */
	CPU_EFER_BITS,			/* bits of EFER that the processor has */
	CPU_CR4_BITS,			/* bits of CR4 that the processor has */
	CPU_DEBUGCTL_BITS,		/* bits of IA32_DEBUGCTL that the processor has */
	CPU_PERF_BITS,			/* bits of IA32_PERF_GLOBAL_CTRL that the processor has */
	CPU_IN_SMM,			/* 1 in system-management mode */
	CPU_SGX,			/* 1 if the processor has SGX */
	CPU_RTM,			/* 1 if the processor has RTM */
	CPU_AVIC,			/* 1 if the processor has AVIC */
	MEM_VTPR,			/* byte 0x80 of the virtual-APIC page */
	MEM_LINK_REVISION,		/* the first 4 bytes where the VMCS link pointer points */
	MEM_CURRENT_VMCS,		/* current-VMCS pointer */
	MEM_PDPTE0,			/* the 4 entries that guest CR3 points to */
	MEM_PDPTE1,
	MEM_PDPTE2,
	MEM_PDPTE3,
	MSR_LOAD0_INDEX,		/* first 8 bytes of the entry MSR-load area */
	MSR_LOAD0_VALUE,		/* next 8 bytes, and so on */
	MSR_LOAD1_INDEX,
	MSR_LOAD1_VALUE,
	MSR_LOAD2_INDEX,
	MSR_LOAD2_VALUE,
	MSR_LOAD3_INDEX,
	MSR_LOAD3_VALUE,
};

#define WHY_MSR_LOADS	4	/* entries of the entry MSR-load area that have names */

#define CR4_PCIDE	(1ULL << 17)
#define CR4_CET		(1ULL << 23)

/* A bit of a control word, as a positive number. */
#define WHY_CONTROL(word, bit)	((word) << 6 | (bit))
#define WHY_MAX_WORDS	8
#define ON(control)		(control)
#define OFF(control)		(-(int)(control))

struct why;

/**
 * struct why_rule - a rule of the manual
 * @class: how the processor fails when it is violated
 * @section: of SDM 3C, or APM 2
 * @text: the rule in a sentence
 * @when: controls, each ON() or OFF(), under which it holds; all of them must be so
 * @check: calls why_bad() for each field that violates it
 * @field: for @check
 * @arg: for @check: a mask, a bit, a limit
 * @control: for why_must(): ON() or OFF()
 * @cap: capability MSR or fact that says what is legal, or 0
 */
struct why_rule {
	enum vitro_why_class class;
	const char *section;
	const char *text;
	int when[4];
	void (*check)(struct why *w, const struct why_rule *r);
	uint32_t field;
	uint64_t arg;
	int control;
	uint32_t cap;
};

/**
 * struct why_vendor - what an explanation knows of a vendor
 * @rules: tables, each ending with a rule without text; a NULL ends them
 * @nr_words: control words, from 1 on; an activator comes before what it activates
 * @control_field: field of control word @word
 * @activator: the control without which a word is taken to be 0; 0 if there is none
 * @control_name: the manual's name of the bit, NULL if no rule needs it
 * @knows: does the entry have what a rule's .cap names?  Facts have a value in any case
 */
struct why_vendor {
	const struct why_rule *const *rules;
	int nr_words;
	uint32_t (*control_field)(int word);
	int (*activator)(int word);
	const char *(*control_name)(int control);
	bool (*knows)(const struct why *w, uint32_t cap);
};

/**
 * struct why - an explanation in the making
 * @entry: the state
 * @vendor: whose rules
 * @rule: the one being checked
 * @last: the last one found violated
 * @word: the control words, as far as they are in force
 * @out: violations found
 * @max: room in it
 * @nr: violations found; may be more than @max
 */
struct why {
	const struct vitro_entry *entry;
	const struct why_vendor *vendor;
	const struct why_rule *rule;
	const struct why_rule *last;
	uint64_t word[WHY_MAX_WORDS];
	struct vitro_violation *out;
	size_t max;
	size_t nr;
};

/* For rules. */
uint64_t why_get(const struct why *w, uint32_t field);
uint64_t why_fact(const struct why *w, uint32_t fact, uint64_t otherwise);
bool why_has(const struct why *w, uint32_t field);
bool why_on(const struct why *w, int control);
void why_bad(struct why *w, uint32_t field, uint64_t bits, uint64_t nearest);

/* Checks that many rules share. */
void why_must(struct why *w, const struct why_rule *r);
void why_zero(struct why *w, const struct why_rule *r);
void why_phys(struct why *w, const struct why_rule *r);
void why_canonical(struct why *w, const struct why_rule *r);
void why_nonzero(struct why *w, const struct why_rule *r);
void why_set(struct why *w, const struct why_rule *r);
void why_known(struct why *w, const struct why_rule *r);
void why_pat(struct why *w, const struct why_rule *r);
void why_cet_wp(struct why *w, const struct why_rule *r);

static inline uint64_t why_ones(unsigned int bits)
{
	return bits >= 64 ? ~0ULL : (1ULL << bits) - 1;
}

uint64_t why_phys_bits(const struct why *w);
uint64_t why_make_canonical(const struct why *w, uint64_t address);

extern const struct why_vendor why_vmx;
extern const struct why_vendor why_svm;

#endif /* WHY_H */
