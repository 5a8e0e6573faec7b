/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * After a triple fault: which exceptions led to it, and why none could be delivered?
 *
 * A processor shuts down when it cannot deliver a double fault (SDM 3A 6.15, #DF; APM 2
 * 8.2.9), and tells no more than that.  But nothing has changed since: the instruction at
 * rip is the one that raised the first exception, and IDT, GDT, TSS, stack and page tables
 * are as the processor found them.  So vitro_postmortem() repeats, step by step and on a
 * copy of the registers, what the processor did: what does this instruction raise, at which
 * step does the delivery of that fail, what does the failure raise, and so on.
 *
 * What it cannot know it says: see vitro_postmortem.certainty.  Not looked at are
 * control-flow enforcement (CET), protection keys, FRED, and what happens in a task switch.
 * AMD leaves undefined what state a guest has after a shutdown (APM 2 15.14.3).
 */
#ifndef VITRO_POSTMORTEM_H
#define VITRO_POSTMORTEM_H

#include <stdbool.h>
#include <stdint.h>
#include <vitro/vitro.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VITRO_MAX_DELIVERIES	8	/* benign exceptions of one another make a chain longer */

/**
 * struct vitro_delivery - an event, and how far it came
 * @event: which; its @address is what CR2 becomes, for a #PF
 * @software: by INT n, INT3 or INTO: the gate's privilege level counts
 * @reason: who raised it, in words
 * @has_gate: the gate was read: the fields up to @stack have a meaning
 * @gate_gva: linear address of the gate, or of the real-mode vector
 * @gate: its bytes, as one or two little-endian numbers
 * @gate_size: 4, 8, or in long mode 16
 * @selector: of the code segment in it
 * @handler: offset of the handler in it
 * @stack: linear address above the frame, 0 as long as it is not known
 * @rule: the rule that was violated, in a sentence; NULL: it was delivered
 * @section: of the manuals, where the rule is; NULL with @rule
 * @detail: the values that violate it; empty: the rule says it all
 * @next: what the failure raises
 */
struct vitro_delivery {
	struct vitro_fault event;
	bool software;
	char reason[160];
	bool has_gate;
	uint64_t gate_gva;
	uint64_t gate[2];
	unsigned int gate_size;
	uint16_t selector;
	uint64_t handler;
	uint64_t stack;
	const char *rule;
	const char *section;
	char detail[160];
	struct vitro_fault next;
};

/* How sure is it that the chain is what happened? */
enum vitro_certainty {
	VITRO_PM_CERTAIN,	/* the state leaves no other first exception */
	VITRO_PM_LIKELY,	/* the first exception is the one that the instruction can raise */
	VITRO_PM_UNKNOWN,	/* the chain begins with the last exception, #DF */
};

/* What came of the replay. */
enum vitro_outcome {
	VITRO_PM_SHUTDOWN,	/* a shutdown: the chain explains it */
	VITRO_PM_DELIVERED,	/* the last one is delivered: something has changed since */
	VITRO_PM_LEFT,		/* by a task gate, or to where no memory is: not followed */
};

/**
 * struct vitro_postmortem - how a processor came to its shutdown
 * @rip: where it stopped
 * @insn: the instruction there, disassembled; empty if it cannot be read
 * @certainty: how sure the first exception is
 * @outcome: what came of the replay
 * @nr: deliveries that were tried
 * @delivery: they; the last one is that of #DF, unless @outcome says otherwise
 * @cr2: the register
 * @cr2_differs: it has not got the address of the last page fault in the chain, so that
 *	the chain may be wrong
 * @in_handler: rip is the entry of the handler of exception @handler_of
 * @handler_of: its vector; the highest, if the handler has several
 * @interrupted: where that handler was called from, if there is a frame; else 0
 * @repeats: frames of the same handler between: it faulted again and again
 * @notes: observations, a sentence each; lines end with '\n'
 */
struct vitro_postmortem {
	uint64_t rip;
	char insn[160];
	enum vitro_certainty certainty;
	enum vitro_outcome outcome;
	unsigned int nr;
	struct vitro_delivery delivery[VITRO_MAX_DELIVERIES];
	uint64_t cr2;
	bool cr2_differs;
	bool in_handler;
	uint8_t handler_of;
	uint64_t interrupted;
	unsigned int repeats;
	char notes[640];
};

/**
 * vitro_postmortem - find out how a vCPU came to its shutdown
 * @vcpu: the vCPU, after VITRO_EXIT_SHUTDOWN; its state stays as it is
 * @pm: filled
 *
 * It only reads, except for accessed bits of the guest's page tables, which the processor
 * has set before.
 *
 * Return: 0, or -errno: the state is not to be had; -ENOMEM.
 */
int vitro_postmortem(struct vitro_vcpu *vcpu, struct vitro_postmortem *pm);

/**
 * vitro_exception_name - short name of a vector
 * @vector: 0 to 255
 *
 * Return: such as "#PF"; NULL for those that the processor does not raise.
 */
const char *vitro_exception_name(unsigned int vector);

#ifdef __cplusplus
}
#endif

#endif /* VITRO_POSTMORTEM_H */
