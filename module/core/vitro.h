/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The objects of vitro.ko, and what its rooms offer each other.
 *
 * Lock legend, the letter in brackets on each member:
 *
 *   [I] immutable once the object can be reached by others
 *   [a] atomic, or a single word read and written with READ_ONCE/WRITE_ONCE
 *   [v] vcpu->mutex: only the thread in an ioctl of this vCPU
 *   [l] vm->lock
 *   [m] vm->mmu.lock
 *   [r] RCU: written under vm->lock
 *   [s] SRCU (vitro_srcu): written under vm->lock
 *
 * Lock order: vcpu->mutex, vm->lock, mmap_lock (taken by gup), vm->mmu.lock.
 * With interrupts off, that is in a burst, none of them may be waited for; dirty_fault()
 * takes vm->mmu.lock if it is free.
 */
#ifndef VITRO_H
#define VITRO_H

#include <linux/hrtimer.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/srcu.h>
#include <linux/vitro.h>
#include <linux/wait.h>

#include "glass/state.h"

#undef pr_fmt
#define pr_fmt(fmt) "vitro: " fmt

struct vitro_vm;
struct vitro_vcpu;
struct tdp_format;

/* Guards readers of slots, which may sleep in page faults. */
extern struct srcu_struct vitro_srcu;

/* ------------------------------------------------------------------- memory */

#define PT_LEVELS_MAX	5

/**
 * struct vitro_slot - a memslot
 * @base_gfn: [I] first guest frame
 * @npages: [I] 4 KiB pages
 * @hva: [I] address of the first page in the process
 * @flags: [I] VITRO_SLOT_*
 * @id: [I] number
 * @dirty: [a] one bit a page, or NULL when dirty pages are not logged
 */
struct vitro_slot {
	u64 base_gfn;
	u64 npages;
	unsigned long hva;
	u32 flags;
	u32 id;
	unsigned long *dirty;
};

/**
 * struct vitro_slots - all slots of a VM, replaced as a whole
 * @nr: [I] slots
 * @slot: [I] sorted by base_gfn
 */
struct vitro_slots {
	int nr;
	struct vitro_slot *slot[];
};

/**
 * struct vitro_mmu - second-level paging of a VM
 * @lock: "mmu_lock" in comments; with interrupts off, only dirty_fault() tries it
 * @root: [I] top table
 * @root_hpa: [I] its physical address, for nCR3: with the host's memory encryption bit
 * @levels: [I] of the tables: 4, or 5 on an AMD host that runs with LA57
 * @slots: [s] the memslots
 * @notifier: [I] tells us of changes in the process's address space
 * @invalidating: [m] number of invalidations that have started and not ended;
 *	never 0 again once the owner's address space is gone
 * @invalidate_seq: [m] number of invalidations that have ended; faults read it early
 * @tlb_gen: [a] grows whenever a mapping that a TLB may hold was taken away
 * @pages: [m] table pages in use
 * @doomed: [m] table pages that wait for a flush to be freed, linked by page->private
 */
struct vitro_mmu {
	spinlock_t lock;	/* see the lock order */
	u64 *root;
	phys_addr_t root_hpa;
	int levels;
	struct vitro_slots __rcu *slots;
	struct mmu_notifier notifier;
	unsigned long invalidating;
	unsigned long invalidate_seq;
	atomic64_t tlb_gen;
	unsigned long pages;
	u64 *doomed;
};

/**
 * struct vitro_pt_cache - table pages allocated ahead, where sleeping is allowed
 * @nr: [v] pages in @page
 * @page: [v] zeroed pages
 */
struct vitro_pt_cache {
	int nr;
	u64 *page[PT_LEVELS_MAX];
};

/* ------------------------------------------------------------------------ VM */

/**
 * struct vitro_vm - a virtual machine
 * @id: [I] never used twice, unlike the object's address
 * @refs: one for the VM fd, one for each vCPU fd
 * @mm: [I] the owning address space; mm_count is held, not mm_users
 * @lock: serializes changes of the machine's shape
 * @mmu: guest memory
 * @vcpu: [r] by id
 * @tsc_offset: [I] the guests' TSC minus the host's, at creation
 * @clock_base_ns: [I] host boot time at which the guests' clock was 0
 * @clock_base_tsc: [I] host TSC at that moment
 * @irqfds: [l] list of struct irqfd
 * @nr_irqfds: [l] its length
 * @ioeventfds: [r] table of struct ioeventfd, replaced as a whole
 * @deadline: fires when the VM's time is over
 * @overdue: [a] it has fired, and was not set since
 * @glass: what those who look inside know of it
 */
struct vitro_vm {
	u64 id;
	refcount_t refs;
	struct mm_struct *mm;
	struct mutex lock;	/* the machine's shape */
	struct vitro_mmu mmu;
	struct vitro_vcpu __rcu *vcpu[VITRO_MAX_VCPUS];
	u64 tsc_offset;
	u64 clock_base_ns;
	u64 clock_base_tsc;
	struct list_head irqfds;
	int nr_irqfds;
	struct ioeventfd_table __rcu *ioeventfds;
	struct hrtimer deadline;
	bool overdue;
	struct glass_vm glass;
};

/* ---------------------------------------------------------------------- vCPU */

/**
 * enum vcpu_mode - where a vCPU's thread is, for those who want its attention
 * @OUTSIDE: not in a burst, or leaving it: it will look at its requests by itself
 * @IN_GUEST: in the guest or past the last look before it: needs an interrupt
 */
enum vcpu_mode { OUTSIDE, IN_GUEST };

/* Bits of vcpu->requests: work to do before the next entry, outside of a burst. */
enum vcpu_request {
	REQ_CLOCK,		/* write the paravirtual clock page */
	REQ_WALL_CLOCK,		/* write the wall clock */
	REQ_INIT,		/* INIT arrived */
	REQ_TIMER,		/* a TSC deadline is near: wait for it, and fire */
	REQ_DEAD,		/* the address space is gone */
	REQ_DEADLINE,		/* the VM's time is over; stays until that changes */
};

/**
 * enum verdict - what the handler of an exit wants next
 * @AGAIN: enter the guest again, still in the burst
 * @LEAVE: leave the burst (let the host breathe, look at requests), then enter
 * @LEAVE_FAULT: leave it and resolve the second-level fault in vcpu->exit
 * @LEAVE_FETCH: leave it and touch the instruction at rip, which was not in memory
 * @LEAVE_YIELD: leave it and let another vCPU of the VM run in its stead
 * @LEAVE_HALT: leave it and sleep until something happens
 * @LEAVE_USER: leave it and return vcpu->exit to userspace
 */
enum verdict {
	AGAIN, LEAVE, LEAVE_FAULT, LEAVE_FETCH, LEAVE_YIELD, LEAVE_HALT, LEAVE_USER
};

/* Exits that never reach userspace; only those who look inside see their numbers. */
enum internal_exit {
	EXIT_HOST	= VITRO_INNER_HOST,
	EXIT_CPUID	= VITRO_INNER_CPUID,
	EXIT_IRQ_WINDOW	= VITRO_INNER_IRQ_WINDOW,
	EXIT_NMI_WINDOW	= VITRO_INNER_NMI_WINDOW,	/* an IRET: NMIs are open after it */
	EXIT_TDP	= VITRO_INNER_TDP,		/* of NPT or EPT: see exit.mmio */
	EXIT_CR		= VITRO_INNER_CR,		/* see vcpu->cr_access */
	EXIT_DR		= VITRO_INNER_DR,
	EXIT_XSETBV	= VITRO_INNER_XSETBV,
	EXIT_EXCEPTION	= VITRO_INNER_EXCEPTION,	/* see vcpu->exit_exception */
	EXIT_UD		= VITRO_INNER_UD,
	EXIT_GP		= VITRO_INNER_GP,
	EXIT_SKIP	= VITRO_INNER_SKIP,
	EXIT_PAUSE	= VITRO_INNER_PAUSE,
	EXIT_RESUME	= VITRO_INNER_RESUME,
	EXIT_FETCH	= VITRO_INNER_FETCH,		/* the backend could not read it */
};

/**
 * struct vcpu_event - an exception, interrupt or NMI on its way into the guest
 * @type: EV_*
 * @vector: 0 to 255
 * @has_error: @error is pushed
 * @error: error code
 */
struct vcpu_event {
	u8 type;
#define EV_NONE		0
#define EV_EXCEPTION	1
#define EV_NMI		2
#define EV_INTR		3
	u8 vector;
	bool has_error;
	u32 error;
};

/**
 * struct vcpu_events - what is pending for a vCPU
 * @exception: [v] raised by us or by userspace, not yet injected
 * @inflight: [v] given to the CPU; after the exit, what it failed to deliver
 * @nmi_pending: [a] 0 to 2: one being handled may be followed by one more
 * @nmi_blocked: [v] an NMI handler runs in the guest
 * @windows: [v] WINDOW_* that the backend was last asked for
 */
struct vcpu_events {
	struct vcpu_event exception;
	struct vcpu_event inflight;
	atomic_t nmi_pending;
	bool nmi_blocked;
	unsigned int windows;
};

/* Entries of the local vector table (SDM 3A 11.5.1), in the order of their registers. */
enum lapic_lvt {
	LVT_TIMER, LVT_THERMAL, LVT_PERF, LVT_LINT0, LVT_LINT1, LVT_ERROR,
	NR_LVT
};

/**
 * struct lapic - a local APIC (SDM 3A chapter 11)
 *
 * Its APIC id is vcpu->id and cannot be changed.
 *
 * @base: [a] IA32_APIC_BASE
 * @irr: [a] 256 bits: requested
 * @isr: [v] 256 bits: in service; senders of lowest-priority messages peek at it
 * @tmr: [a] 256 bits: level-triggered, set or cleared when irr is set
 * @extint: [a] vector of an ExtINT that waits, -1 for none
 * @pic: [a] the wire from an 8259 is up
 * @eoi_vector: [v] level-triggered vector just ended, -1 for none: see lapic_take_eoi
 * @tpr: [a] task priority
 * @ldr: [a] logical destination
 * @dfr: [a] destination format, xAPIC only
 * @svr: [a] spurious vector and enable bit
 * @esr: [v] error status as the guest reads it
 * @esr_pending: [a] errors since the guest last wrote the ESR
 * @icr: [v] last interrupt command
 * @lvt: [a] local vector table, by enum lapic_lvt
 * @timer: fires the timer interrupt
 * @timer_icr: [a] initial count; changes only while @timer is stopped
 * @timer_dcr: [a] divide configuration; likewise
 * @tsc_deadline: [a] guest TSC, 0 when disarmed
 * @timer_watched: [v] the CPU watches for @tsc_deadline while the guest runs: @timer is
 *	not set for it, see apic_timer_sleep()
 * @timer_lead: [a] how far ahead of it @timer is set, in ticks of the TSC
 */
struct lapic {
	u64 base;
	unsigned long irr[256 / BITS_PER_LONG];
	unsigned long isr[256 / BITS_PER_LONG];
	unsigned long tmr[256 / BITS_PER_LONG];
	int extint;
	bool pic;
	int eoi_vector;
	u32 tpr;
	u32 ldr;
	u32 dfr;
	u32 svr;
	u32 esr;
	atomic_t esr_pending;
	u64 icr;
	u32 lvt[NR_LVT];
	struct hrtimer timer;
	u32 timer_icr;
	u32 timer_dcr;
	u64 tsc_deadline;
	bool timer_watched;
	u64 timer_lead;
};

/**
 * struct cr_access - operand of EXIT_CR and EXIT_DR
 * @cr: number of the control or debug register
 * @gpr: number of the general register
 * @write: MOV to it, not from it
 */
struct cr_access {
	u8 cr;
	u8 gpr;
	bool write;
};

/* What an instruction does with RFLAGS.TF, beside starting with it. */
enum tf_use {
	TF_UNUSED,
	TF_PUSHED,		/* PUSHF */
	TF_LOADED,		/* POPF, IRET */
};

/**
 * struct vcpu_debug - what a debugger outside has asked for, and how far it is
 * @flags: VITRO_DEBUG_*
 * @dr: @dr7: its breakpoints, with VITRO_DEBUG_HW
 * @guest_dr6: @guest_dr7: the guest's own, while debug_has_drs(): they are not in the CPU
 * @step_rip: @step_tf: what the instruction at this RIP does with TF
 * @borrowed: the last entry had TF set for a step
 * @delivering: the last entry was to deliver an event, which is the step
 * @tf: @rip: @shadow: what they were when TF was borrowed
 * @done: VITRO_DEBUG_*: what has happened and is to be reported
 * @dr6: with VITRO_DEBUG_HW in @done: DR6 then
 */
struct vcpu_debug {
	u32 flags;
	u64 dr[4];
	u64 dr7;
	u64 guest_dr6;
	u64 guest_dr7;
	u64 step_rip;
	enum tf_use step_tf;
	bool borrowed;
	bool delivering;
	u64 tf;
	u64 rip;
	bool shadow;
	u32 done;
	u64 dr6;
};

/**
 * struct vitro_vcpu - a virtual CPU
 * @vm: [I] its machine; a reference is held
 * @id: [I] number, and initial APIC id
 * @mutex: held by the thread in one of its ioctls
 * @comm: [I] the area shared with userspace: hostile
 * @state: [v] room for state groups on their way from or to @comm
 * @regs: [v] general registers, rip and rflags: always current outside of the guest
 * @dr: [v] DR0 to DR3
 * @dr_loaded: [v] they are in the CPU: this burst's guest uses them
 * @debug: [v] for a debugger outside
 * @shadow: [v] interrupt shadow: STI or MOV SS just ran
 * @guest_cr4: [v] CR4 as the guest sees it
 * @xcr0: [v] XCR0
 * @xsave: [v] the guest's XSAVE area, valid outside of a burst
 * @tsc_aux: [v] MSR TSC_AUX
 * @host_tsc_aux: [v] the host's, during a burst
 * @host_dr: [v] DR0 to DR3 of the host, during a burst, if it uses them
 * @exit: [v] the last exit, in the making
 * @cr_access: [v] with EXIT_CR and EXIT_DR
 * @exit_exception: [v] with EXIT_EXCEPTION
 * @events: pending events
 * @mp_state: [v] enum vitro_mp_state; an INIT changes it by way of REQ_INIT
 * @sipi_vector: [a] page number of the start-up code, -1 for none
 * @has_run: [v] it was in the guest once: CPUID is fixed
 * @apic: local APIC
 * @requests: [a] bits of enum vcpu_request
 * @mode: [a] enum vcpu_mode
 * @cpu: [a] the CPU of the last burst, -1 before the first
 * @wait: where the thread sleeps in HLT
 * @task: [a] the thread in VITRO_RUN, or the last one
 * @tlb_gen: [v] value of vm->mmu.tlb_gen that this vCPU's TLB entries respect
 * @pt_cache: [v] pages for the second-level tables
 * @clock_msr: @wall_msr: [v] MSRs of the paravirtual clock
 * @clock_cpu: [v] CPU for which the clock page was written, -1 for all
 * @clock_last_ns: [v] its last value, below which the clock never falls
 * @tsc_offset: [a] guest TSC minus host TSC: see clock_set_guest_tsc
 * @stat: [a] counters, by enum vitro_counter, but for those of single reasons to exit
 * @exits: [a] exits, by reason: enum vitro_exit_reason, enum internal_exit
 * @cpuid: [v] the CPUID table
 * @nr_cpuid: [v] its length
 * @cr4_allowed: [v] bits of CR4 that its features give
 * @efer_allowed: [v] bits of EFER
 * @glass: [v] what those who look inside know of it
 * @arch: [v] the backend's own: struct svm_vcpu or struct vmx_vcpu
 * @rcu: frees it
 */
struct vitro_vcpu {
	struct vitro_vm *vm;
	u32 id;
	struct mutex mutex;	/* one ioctl at a time */
	struct vitro_comm *comm;
	struct vitro_state *state;

	struct vitro_gprs regs;
	u64 dr[4];
	bool dr_loaded;
	struct vcpu_debug debug;
	bool shadow;
	u64 guest_cr4;
	u64 xcr0;
	void *xsave;
	u64 tsc_aux;
	u64 host_tsc_aux;
	u64 host_dr[4];

	struct vitro_exit exit;
	struct cr_access cr_access;
	struct vcpu_event exit_exception;
	struct vcpu_events events;
	u32 mp_state;
	int sipi_vector;
	bool has_run;
	struct lapic apic;

	unsigned long requests;
	int mode;
	int cpu;
	wait_queue_head_t wait;
	struct pid __rcu *task;

	u64 tlb_gen;
	struct vitro_pt_cache pt_cache;

	u64 clock_msr;
	u64 wall_msr;
	int clock_cpu;
	u64 clock_last_ns;
	u64 tsc_offset;

	u64 stat[VITRO_STAT_NR];
	u64 exits[VITRO_NR_REASONS];
	struct vitro_cpuid_entry *cpuid;
	int nr_cpuid;
	u64 cr4_allowed;
	u64 efer_allowed;

	struct glass_vcpu glass;
	void *arch;
	struct rcu_head rcu;
};

/* core/vcpu.c */
void vcpu_kick(struct vitro_vcpu *vcpu);
static inline void vcpu_request(struct vitro_vcpu *vcpu, enum vcpu_request req)
{
	set_bit(req, &vcpu->requests);
	vcpu_kick(vcpu);
}

/* core/event.c */
void event_raise(struct vitro_vcpu *vcpu, u8 vector);
void event_raise_error(struct vitro_vcpu *vcpu, u8 vector, u32 error);
void event_nmi(struct vitro_vcpu *vcpu);

/* core/clock.c */
void clock_vm_init(struct vitro_vm *vm);
u64 clock_guest_tsc(struct vitro_vcpu *vcpu);
void clock_set_guest_tsc(struct vitro_vcpu *vcpu, u64 guest_tsc);
u64 clock_guest_ns(struct vitro_vcpu *vcpu);
int clock_set_system_time(struct vitro_vcpu *vcpu, u64 value);
int clock_set_wall_clock(struct vitro_vcpu *vcpu, u64 value);
bool clock_stale(struct vitro_vcpu *vcpu);
int clock_write_page(struct vitro_vcpu *vcpu);
int clock_write_wall(struct vitro_vcpu *vcpu);

/* core/eventfd.c */
int irqfd_set(struct vitro_vm *vm, const struct vitro_irqfd *req);
int ioeventfd_set(struct vitro_vm *vm, const struct vitro_ioeventfd *req);
bool ioeventfd_signal(struct vitro_vm *vm, bool pio, u64 addr, u32 len, u64 data);
bool ioeventfd_covers(struct vitro_vm *vm, u64 gpa);
void eventfd_vm_fini(struct vitro_vm *vm);
int eventfd_init(void);
void eventfd_exit(void);

#endif /* VITRO_H */
