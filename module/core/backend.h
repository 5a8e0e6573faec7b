/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The contract between the core and a vendor's backend: all that the core knows
 * of SVM and VMX is on this page.
 */
#ifndef VITRO_BACKEND_H
#define VITRO_BACKEND_H

#include "mm/mm.h"

/**
 * struct guest_code - where the guest executes, for reading its code
 * @paging: for the walk of its page tables
 * @linear_rip: RIP as a linear address
 * @bits: 16, 32 or 64
 */
struct guest_code {
	struct guest_paging paging;
	u64 linear_rip;
	u8 bits;
};

/* What a vCPU may wait for with an event that it cannot take now. */
#define WINDOW_IRQ	BIT(0)	/* RFLAGS.IF = 1 and no interrupt shadow */
#define WINDOW_NMI	BIT(1)	/* the end of the NMI handler, and no shadow */
#define WINDOW_TPR	BIT(2)	/* a write to CR8 */

/**
 * struct dump - a dump in the making
 * @entries: room for it
 * @room: entries there
 * @nr: values so far, with those for which there was no room
 * @secrets: those of the host are wanted, too
 * @withheld: values left out because they are not
 */
struct dump {
	struct vitro_dump_entry *entries;
	u32 room;
	u32 nr;
	bool secrets;
	u32 withheld;
};

void dump_add(struct dump *dump, u32 kind, u32 key, u64 value);
void dump_add_secret(struct dump *dump, u32 kind, u32 key, u64 value);
void dump_msrs(struct dump *dump, const u32 *index, int nr);

/**
 * struct vitro_backend - a vendor
 * @name: for humans
 * @vendor: enum vitro_vendor
 * @features: VITRO_CPU_* bits, known after probe
 * @tdp: format of the second-level tables, known after probe
 * @watches_deadline: @run lets the guest run no longer than to vcpu->apic.tsc_deadline, while
 *	apic.timer_watched, and asks apic_timer_over() then; known after probe
 *
 * Those marked (burst) are called with interrupts off between cpu_enter and
 * cpu_leave.  The others are called with the vCPU's mutex held, outside of a
 * burst, unless it says otherwise.
 *
 * @probe: can this host run guests?  If not, a negative errno, and *@why says so
 *	in one sentence with the cure.
 * @setup: allocate what the module needs
 * @teardown: undo it
 * @cpu_enter: (burst) make this CPU a hypervisor with @vcpu loaded.  -EBUSY when
 *	another hypervisor holds it.
 * @cpu_leave: (burst) make it an ordinary CPU again
 * @vcpu_init: allocate vcpu->arch
 * @vcpu_free: free it
 * @vcpu_reset: state after INIT; @power_on: after power-on
 * @load_state: check and load the groups in @mask that live in the backend: SEGS,
 *	CRS (cr0, cr2, cr3, cr4, efer), DRS (dr6, dr7), MSRS (those @get_msr has).
 *	On -EINVAL nothing is loaded; on -ENOMEM, -EINTR it is to be called again.
 * @store_state: the way back; also in a burst
 * @run: (burst) enter the guest with vcpu->regs, return after the exit with
 *	vcpu->regs, vcpu->shadow, vcpu->exit and vcpu->events.inflight up to date, and
 *	with dirty_logged() called for each write that the CPU has logged.
 *	exit.reason is an enum vitro_exit_reason or an enum internal_exit.
 * @inject: (burst) deliver @ev with the next entry
 * @set_window: (burst) exit as soon as what is held back can be delivered; @windows
 *	is a set of WINDOW_*, and replaces the one before
 * @set_tsc_offset: (burst) vcpu->tsc_offset has changed since cpu_enter
 * @tlb_flush: (burst) forget this vCPU's guest translations at the next entry
 * @intercept_drs: (burst) exit, or not, when the guest touches a debug register
 * @intercept_exceptions: exit on these exceptions, too: a bit for each vector
 * @dr6: @set_dr6: (burst) DR6 as the guest has it, if no debugger does
 * @dr7: (burst) DR7, likewise
 * @cpl: also in a burst
 * @is_64bit: does the guest run 64-bit code?  Also in a burst
 * @code: where the instruction at RIP is; also in a burst
 * @get_msr: @set_msr: EFER, PAT, and those the guest accesses without exit; -ENOENT
 *	for others.  Values were checked by the core.  Also in a burst
 * @dump: add to @dump all that VM entry goes by.  After a refused entry, everything is
 *	as it was then, until the next cpu_enter.
 * @set_cr0: for a backend that exits on some writes to CR0; as @set_cr4
 * @set_cr4: @value was checked by the core.  Also in a burst
 */
struct vitro_backend {
	const char *name;
	enum vitro_vendor vendor;
	u64 features;
	const struct tdp_format *tdp;
	bool watches_deadline;

	int (*probe)(const char **why);
	int (*setup)(void);
	void (*teardown)(void);

	int (*cpu_enter)(struct vitro_vcpu *vcpu);
	void (*cpu_leave)(struct vitro_vcpu *vcpu);

	int (*vcpu_init)(struct vitro_vcpu *vcpu);
	void (*vcpu_free)(struct vitro_vcpu *vcpu);
	void (*vcpu_reset)(struct vitro_vcpu *vcpu, bool power_on);

	int (*load_state)(struct vitro_vcpu *vcpu, const struct vitro_state *state,
			  u64 mask);
	void (*store_state)(struct vitro_vcpu *vcpu, struct vitro_state *state,
			    u64 mask);

	void (*run)(struct vitro_vcpu *vcpu);
	void (*inject)(struct vitro_vcpu *vcpu, const struct vcpu_event *ev);
	void (*set_window)(struct vitro_vcpu *vcpu, unsigned int windows);
	void (*set_tsc_offset)(struct vitro_vcpu *vcpu);
	void (*tlb_flush)(struct vitro_vcpu *vcpu);
	void (*intercept_drs)(struct vitro_vcpu *vcpu, bool on);
	void (*intercept_exceptions)(struct vitro_vcpu *vcpu, u32 vectors);
	u64 (*dr6)(struct vitro_vcpu *vcpu);
	void (*set_dr6)(struct vitro_vcpu *vcpu, u64 value);
	u64 (*dr7)(struct vitro_vcpu *vcpu);

	u8 (*cpl)(struct vitro_vcpu *vcpu);
	bool (*is_64bit)(struct vitro_vcpu *vcpu);
	void (*code)(struct vitro_vcpu *vcpu, struct guest_code *code);
	void (*dump)(struct vitro_vcpu *vcpu, struct dump *dump);
	int (*get_msr)(struct vitro_vcpu *vcpu, u32 index, u64 *value);
	int (*set_msr)(struct vitro_vcpu *vcpu, u32 index, u64 value);
	void (*set_cr0)(struct vitro_vcpu *vcpu, u64 value);
	void (*set_cr4)(struct vitro_vcpu *vcpu, u64 value);
};

/*
 * For backend->run: all of the exit but @raw is 0.  In parts of at most 32 bytes, which the
 * compiler writes out; more at a time is a REP STOS, which takes longer to start than that.
 */
static inline void exit_clear(struct vitro_exit *exit)
{
	int i, half = ARRAY_SIZE(exit->reserved) / 2;

	memset(exit, 0, offsetof(typeof(*exit), reserved));
	for (i = 0; i < ARRAY_SIZE(exit->reserved); i += half)
		memset(exit->reserved + i, 0, half * sizeof(*exit->reserved));
}

/* The backend of this host; set once at load. */
extern struct vitro_backend *backend;
extern struct vitro_backend svm_backend;
extern struct vitro_backend vmx_backend;

#endif /* VITRO_BACKEND_H */
