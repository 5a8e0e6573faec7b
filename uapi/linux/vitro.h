/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * vitro - the ABI between vitro.ko and the process that owns a virtual machine
 *
 * Objects are file descriptors:
 *
 *   /dev/vitro --CREATE_VM--> VM fd --CREATE_VCPU--> vCPU fd --mmap--> comm area
 *
 * Closing is destroying: a vCPU ends with its fd, and a VM with the last of the
 * VM's own fd and its vCPUs' fds.  All of them work only in the process (the
 * address space) that created the VM; elsewhere every ioctl gives EIO.
 *
 * Conventions, for every ioctl and struct in this file:
 *
 *  - Addresses: gva is guest virtual, gpa guest physical, hva an address in the
 *    owning process, hpa host physical.  Sizes are bytes unless they say pages.
 *  - Fields named pad, and flag bits without a name here, must be zero: EINVAL.
 *  - A struct may grow at its end.  The ioctl number carries the caller's size.
 *    The kernel reads what is missing as zero, and refuses with E2BIG a longer
 *    struct whose unknown tail is not zero.
 *  - Common errors: ENOTTY not an ioctl of this fd; EFAULT a bad pointer; EIO
 *    not the owning address space, or the machine can no longer be entered;
 *    ENOMEM; EINTR a signal while waiting for another user of the same object.
 */
#ifndef _UAPI_LINUX_VITRO_H
#define _UAPI_LINUX_VITRO_H

#include <linux/ioctl.h>
#include <linux/types.h>
#include <linux/vitro_debug.h>
#include <linux/vitro_glass.h>
#include <linux/vitro_limits.h>
#include <linux/vitro_tdp.h>

#define VITRO_ABI_VERSION	1	/* grows only when something old stops working */

/* ------------------------------------------------------------------ device */

enum vitro_vendor {
	VITRO_VENDOR_SVM	= 1,	/* AMD-V: VMCB, NPT, ASID */
	VITRO_VENDOR_VMX	= 2,	/* VT-x: VMCS, EPT, VPID */
};

/*
 * What the CPU offers and vitro uses.  Information only: nothing in the ABI
 * changes with these, but a test may skip for the lack of one.
 */
#define VITRO_CPU_NRIPS		(1ULL << 0)	/* next rip saved on exit (APM 2 15.7.1) */
#define VITRO_CPU_DECODE	(1ULL << 1)	/* decode assists (APM 2 15.8) */
#define VITRO_CPU_FLUSH_ASID	(1ULL << 2)	/* flush by ASID (APM 2 15.16.1) */
#define VITRO_CPU_CLEAN_BITS	(1ULL << 3)	/* VMCB clean bits (APM 2 15.15) */
#define VITRO_CPU_VGIF		(1ULL << 4)	/* virtual GIF (APM 2 15.33) */
#define VITRO_CPU_PAUSE_FILTER	(1ULL << 5)	/* notices a spinning guest: pause filter
						 * (APM 2 15.14.4), PAUSE-loop exiting
						 * (SDM 3C 25.1.3)
						 */
#define VITRO_CPU_PML		(1ULL << 6)	/* page-modification log (SDM 3C 29.3.6) */

/**
 * struct vitro_cpuid_entry - one leaf, or one subleaf of an indexed leaf
 * @leaf: EAX of the query
 * @subleaf: ECX of the query; ignored unless VITRO_CPUID_INDEXED
 * @flags: VITRO_CPUID_INDEXED
 * @eax: @ebx: @ecx: @edx: the answer
 */
struct vitro_cpuid_entry {
	__u32 leaf;
	__u32 subleaf;
	__u32 flags;
#define VITRO_CPUID_INDEXED	(1U << 0)
	__u32 eax, ebx, ecx, edx;
	__u32 pad;
};

/**
 * struct vitro_info - VITRO_GET_INFO: what this module on this CPU can do
 * @abi_version: out: VITRO_ABI_VERSION of the module
 * @vendor: out: enum vitro_vendor
 * @cpu_features: out: VITRO_CPU_* bits
 * @max_vcpus: out: vCPUs per VM
 * @max_slots: out: memslots per VM
 * @gpa_bits: out: width of a guest physical address
 * @comm_size: out: bytes to mmap of a vCPU fd
 * @tsc_khz: out: rate of the guests' TSC, which is the host's
 * @nr_cpuid: in: entries that @cpuid has room for; out: entries there are
 * @cpuid: in: hva of struct vitro_cpuid_entry[], or 0 to ask for the number only.
 *	The table is what a vCPU answers if VITRO_SET_CPUID is never called.
 * @xcr0: out: XCR0 bits that a guest may set (SDM 1 13.3)
 * @xsave_size: out: bytes of struct vitro_fpu that carry state
 * @pad: zero
 *
 * Errors: E2BIG when @nr_cpuid is too small (it is updated all the same).
 */
struct vitro_info {
	__u32 abi_version;
	__u32 vendor;
	__u64 cpu_features;
	__u32 max_vcpus;
	__u32 max_slots;
	__u32 gpa_bits;
	__u32 comm_size;
	__u32 tsc_khz;
	__u32 nr_cpuid;
	__u64 cpuid;
	__u64 xcr0;
	__u32 xsave_size;
	__u32 pad;
};

/**
 * struct vitro_create_vm - VITRO_CREATE_VM: returns a VM fd (close-on-exec)
 * @flags: @pad: zero
 *
 * The VM maps memory of the calling process, and of no other, ever.
 * Errors: EMFILE/ENFILE no fd left; ENOSPC too many VMs (see vitro_limits.h).
 */
struct vitro_create_vm {
	__u32 flags;
	__u32 pad;
};

/* ---------------------------------------------------------------------- VM */

/**
 * struct vitro_memslot - VITRO_SET_MEMSLOT: add, change or delete a memslot
 * @slot: its number
 * @flags: VITRO_SLOT_*
 * @gpa: first guest physical address; a multiple of 4096
 * @size: bytes, a multiple of 4096; 0 deletes the slot
 * @hva: first address in the process; a multiple of 4096
 *
 * Maps [gpa, gpa + size) to [hva, hva + size) of the process.  Nothing is
 * pinned and nothing is touched: what the process has at an hva at the moment
 * the guest accesses it is what the guest gets, and munmap, mprotect, fork and
 * the like take effect at once.  Setting a slot that exists replaces it.  May
 * be called while vCPUs run; when it returns, no vCPU uses the old mapping.
 *
 * Replacing a slot discards its dirty log.
 * Errors: EEXIST it would overlap another slot; ENOENT deleting what is not
 * there; EINVAL alignment, wrap-around, beyond gpa_bits, not a user address, a
 * slot over the APIC's page at 0xfee00000, a dirty log of more than 1 TiB.
 */
struct vitro_memslot {
	__u32 slot;
	__u32 flags;
#define VITRO_SLOT_READONLY	(1U << 0)	/* guest writes exit as VITRO_EXIT_MMIO */
#define VITRO_SLOT_LOG_DIRTY	(1U << 1)	/* keep a dirty log for VITRO_DIRTY_LOG */
	__u64 gpa;
	__u64 size;
	__u64 hva;
};

/**
 * struct vitro_dirty_log - VITRO_DIRTY_LOG: which pages the guest wrote
 * @slot: a slot with VITRO_SLOT_LOG_DIRTY
 * @flags: zero
 * @first: first page in the slot, a multiple of 64
 * @nr: pages; a multiple of 64, or up to the end of the slot
 * @bitmap: hva of nr / 64 rounded up __u64 words; bit n of word w is page
 *	@first + 64 * w + n.  Filled with the log, which is cleared: each write of
 *	the guest is reported by exactly one call.
 *
 * Errors, which leave the log as it was: ENOENT no such slot, or it has no log;
 * EINVAL out of the slot; EFAULT; ENOMEM.
 */
struct vitro_dirty_log {
	__u32 slot;
	__u32 flags;
	__u64 first;
	__u64 nr;
	__u64 bitmap;
};

/**
 * struct vitro_create_vcpu - VITRO_CREATE_VCPU: returns a vCPU fd (close-on-exec)
 * @id: vCPU number and initial APIC id.  vCPU 0 is the bootstrap processor and
 *	starts runnable; the others wait for INIT and SIPI.
 * @flags: zero
 *
 * The vCPU is in the state after power-on (SDM 3A 10.1.1, APM 2 14.1.3).
 * Errors: EEXIST the id is taken; EINVAL id out of range.
 */
struct vitro_create_vcpu {
	__u32 id;
	__u32 flags;
};

/**
 * struct vitro_msi - VITRO_SIGNAL_MSI: a message-signalled interrupt
 * @addr: as a device would write it (SDM 3A 11.11.1): destination id in bits
 *	19:12, its bits 14:8 in bits 11:5 (KVM's extended destination), redirection
 *	hint, destination mode
 * @data: vector, delivery mode (fixed, lowest priority, NMI, INIT, ExtINT),
 *	level and trigger mode (SDM 3A 11.11.2)
 * @flags: zero
 *
 * A level-triggered ExtINT is the wire from an 8259 to the processor: it goes up with
 * the level bit and down without, and its vector means nothing.  While it is up, a vCPU
 * that can take an interrupt exits with VITRO_EXIT_INTA.  An edge-triggered one is a
 * single interrupt with the message's vector.
 *
 * Returns the number of vCPUs that took it; 0 when nobody is addressed.
 * Errors: EINVAL not the address of an MSI, or a reserved delivery mode.
 */
struct vitro_msi {
	__u64 addr;
	__u32 data;
	__u32 flags;
};

/**
 * struct vitro_irqfd - VITRO_IRQFD: an eventfd that sends an MSI when signalled
 * @fd: the eventfd
 * @flags: VITRO_IRQFD_DEASSIGN takes it off again
 * @addr: @data: the message, as in struct vitro_msi
 * @pad: zero
 *
 * Errors: EBADF/EINVAL not an eventfd, or not an MSI; EEXIST it is one already;
 * ENOENT on deassign; ENOSPC too many.
 */
struct vitro_irqfd {
	__s32 fd;
	__u32 flags;
#define VITRO_IRQFD_DEASSIGN	(1U << 0)
	__u64 addr;
	__u32 data;
	__u32 pad;
};

/**
 * struct vitro_ioeventfd - VITRO_IOEVENTFD: an eventfd signalled by a guest write
 * @addr: port or gpa
 * @datamatch: value to match, with VITRO_IOEVENTFD_DATAMATCH
 * @len: width of the write in bytes: 1, 2, 4, 8 (not for ports); 0 for any width
 * @fd: the eventfd
 * @flags: VITRO_IOEVENTFD_*
 * @pad: zero
 *
 * A write that matches is swallowed: it does not exit to userspace.
 * Errors: EBADF/EINVAL not an eventfd, bad width; EEXIST it would be ambiguous;
 * ENOENT on deassign; ENOSPC too many.
 */
struct vitro_ioeventfd {
	__u64 addr;
	__u64 datamatch;
	__u32 len;
	__s32 fd;
	__u32 flags;
#define VITRO_IOEVENTFD_PIO		(1U << 0)	/* @addr is a port, else a gpa */
#define VITRO_IOEVENTFD_DATAMATCH	(1U << 1)
#define VITRO_IOEVENTFD_DEASSIGN	(1U << 2)	/* the other fields as at assign */
	__u32 pad;
};

/* Indices into vitro_stats.counter. */
enum vitro_counter {
	VITRO_STAT_RUNS,		/* VITRO_RUN calls */
	VITRO_STAT_BURSTS,		/* stretches with interrupts off */
	VITRO_STAT_EXITS,		/* exits from the guest, of all kinds */
	VITRO_STAT_EXIT_INTR,		/* ... because the host had an interrupt or NMI */
	VITRO_STAT_EXIT_IO,
	VITRO_STAT_EXIT_MMIO,
	VITRO_STAT_EXIT_MSR,
	VITRO_STAT_EXIT_CPUID,
	VITRO_STAT_EXIT_HLT,
	VITRO_STAT_EXIT_HYPERCALL,
	VITRO_STAT_EXIT_WINDOW,		/* ... because an interrupt or NMI window opened */
	VITRO_STAT_EXIT_TDP,		/* ... second-level page faults */
	VITRO_STAT_EXIT_OTHER,
	VITRO_STAT_TO_USER,		/* exits that VITRO_RUN returned */
	VITRO_STAT_INJECT_IRQ,
	VITRO_STAT_INJECT_NMI,
	VITRO_STAT_INJECT_EXCEPTION,
	VITRO_STAT_TLB_FLUSH,		/* flushes of this vCPU's guest translations */
	VITRO_STAT_PAGES_MAPPED,
	VITRO_STAT_NR
};

/**
 * struct vitro_stats - VITRO_STATS: counters of one vCPU since it was created
 * @vcpu: its id
 * @pad: zero
 * @counter: out, indexed by enum vitro_counter.  Each is read without a lock:
 *	exact when the vCPU does not run.
 *
 * Errors: ENOENT no such vCPU.
 */
struct vitro_stats {
	__u32 vcpu;
	__u32 pad;
	__u64 counter[32];
};

/* -------------------------------------------------------- vCPU: state groups */

/* Bits of the masks wanted, valid, dirty; and of VITRO_GET_STATE, VITRO_SET_STATE. */
#define VITRO_STATE_GPRS	(1ULL << 0)
#define VITRO_STATE_SEGS	(1ULL << 1)
#define VITRO_STATE_CRS		(1ULL << 2)
#define VITRO_STATE_DRS		(1ULL << 3)
#define VITRO_STATE_MSRS	(1ULL << 4)
#define VITRO_STATE_EVENTS	(1ULL << 5)
#define VITRO_STATE_TIME	(1ULL << 6)
#define VITRO_STATE_FPU		(1ULL << 7)
#define VITRO_STATE_ALL		0xffULL

/* Numbers of the general registers, as in ModRM and REX (SDM 2A 2.1.5). */
enum vitro_gpr {
	VITRO_RAX, VITRO_RCX, VITRO_RDX, VITRO_RBX,
	VITRO_RSP, VITRO_RBP, VITRO_RSI, VITRO_RDI,
	VITRO_R8, VITRO_R9, VITRO_R10, VITRO_R11,
	VITRO_R12, VITRO_R13, VITRO_R14, VITRO_R15,
	VITRO_NR_GPRS
};

/**
 * struct vitro_gprs - VITRO_STATE_GPRS
 * @gpr: indexed by enum vitro_gpr
 * @rip: the instruction that exited, or the next one to run.  Loading a rip
 *	that differs from the present one ends an interrupt shadow.
 * @rflags: bit 1 is always set, whatever is loaded
 */
struct vitro_gprs {
	__u64 gpr[VITRO_NR_GPRS];
	__u64 rip;
	__u64 rflags;
};

/**
 * struct vitro_segment - a segment register with its hidden part
 * @selector: visible part
 * @attrib: descriptor bits 47:40 in bits 7:0 and 55:52 in bits 11:8, as in a
 *	VMCB (APM 2 15.5.1); a segment that is not present is unusable
 * @limit: in bytes, granularity applied
 * @base: linear address
 */
struct vitro_segment {
	__u16 selector;
	__u16 attrib;
#define VITRO_SEG_TYPE		0x000f
#define VITRO_SEG_S		0x0010	/* code or data, not system */
#define VITRO_SEG_DPL		0x0060
#define VITRO_SEG_P		0x0080
#define VITRO_SEG_AVL		0x0100
#define VITRO_SEG_L		0x0200	/* 64-bit code */
#define VITRO_SEG_DB		0x0400
#define VITRO_SEG_G		0x0800
	__u32 limit;
	__u64 base;
};

/**
 * struct vitro_dtable - GDTR or IDTR
 * @base: linear address
 * @limit: in bytes
 * @pad: zero
 */
struct vitro_dtable {
	__u64 base;
	__u32 limit;
	__u32 pad;
};

/* Numbers of the segment registers, as in ModRM.reg (SDM 2A, MOV Sreg), then two more. */
enum vitro_seg {
	VITRO_ES, VITRO_CS, VITRO_SS, VITRO_DS, VITRO_FS, VITRO_GS,
	VITRO_LDTR, VITRO_TR,
	VITRO_NR_SEGS
};

/**
 * struct vitro_segs - VITRO_STATE_SEGS
 * @seg: indexed by enum vitro_seg.  CPL is the DPL of SS.
 * @gdtr: @idtr: the descriptor tables
 */
struct vitro_segs {
	struct vitro_segment seg[VITRO_NR_SEGS];
	struct vitro_dtable gdtr, idtr;
};

/**
 * struct vitro_crs - VITRO_STATE_CRS
 * @cr0: @cr2: @cr3: @cr4: @cr8: control registers; @cr8 is the APIC's TPR bits 7:4
 * @efer: EFER as the guest sees it (never with SVME)
 * @xcr0: XCR0, a subset of vitro_info.xcr0
 *
 * Loading what a MOV to the register or WRMSR would refuse gives EINVAL.
 */
struct vitro_crs {
	__u64 cr0, cr2, cr3, cr4, cr8;
	__u64 efer;
	__u64 xcr0;
};

/**
 * struct vitro_drs - VITRO_STATE_DRS
 * @dr: DR0 to DR3, breakpoint addresses
 * @dr6: @dr7: status and control (SDM 3B 18.2)
 */
struct vitro_drs {
	__u64 dr[4];
	__u64 dr6, dr7;
};

/**
 * struct vitro_msrs - VITRO_STATE_MSRS: model-specific registers held per vCPU
 *
 * FS.base and GS.base are in struct vitro_segs, EFER in struct vitro_crs.
 * Loading what WRMSR would refuse gives EINVAL.
 */
struct vitro_msrs {
	__u64 star, lstar, cstar, sfmask;
	__u64 kernel_gs_base;
	__u64 sysenter_cs, sysenter_esp, sysenter_eip;
	__u64 pat;
	__u64 tsc_aux;
	__u64 apic_base;	/* SDM 3A 11.4.4; the base itself cannot be moved */
	__u64 tsc_deadline;	/* guest TSC, 0 when disarmed */
	__u64 kvm_system_time;	/* paravirtual clock: MSR 0x4b564d01 */
	__u64 kvm_wall_clock;	/* paravirtual clock: MSR 0x4b564d00 */
};

enum vitro_mp_state {
	VITRO_MP_RUNNABLE,
	VITRO_MP_HALTED,	/* executed HLT; VITRO_RUN sleeps until an event */
	VITRO_MP_WAIT_SIPI,	/* after INIT; VITRO_RUN sleeps until a SIPI */
	VITRO_MP_SHUTDOWN,	/* triple fault; VITRO_RUN reports it again */
};

/**
 * struct vitro_events - VITRO_STATE_EVENTS: what is in flight between instructions
 * @exc_pending: an exception to raise before the next instruction
 * @exc_vector: its vector, 0 to 31
 * @exc_has_error: it pushes @exc_error (SDM 3A table 6-1)
 * @exc_error: its error code
 * @intr_pending: an external interrupt already taken from the APIC whose
 *	delivery was interrupted
 * @intr_vector: its vector
 * @nmi_pending: NMIs waiting, 0 to 2; loading can add some, but takes none away
 * @nmi_blocked: an NMI handler runs: no NMI until IRET
 * @shadow: STI or MOV SS blocks interrupts for one instruction
 * @pad: zero
 * @mp_state: enum vitro_mp_state
 *
 * For a #PF, load @cr2 of struct vitro_crs as well.  What loading
 * exc_pending = 1 means, an exception of the instruction at rip, is how
 * userspace raises a fault in an instruction it emulates.
 */
struct vitro_events {
	__u8 exc_pending;
	__u8 exc_vector;
	__u8 exc_has_error;
	__u8 intr_pending;
	__u8 intr_vector;
	__u8 nmi_pending;
	__u8 nmi_blocked;
	__u8 shadow;
	__u32 exc_error;
	__u32 mp_state;
	__u64 pad;
};

/**
 * struct vitro_time - VITRO_STATE_TIME
 * @tsc: the guest's time-stamp counter at the time of the copy
 * @clock_ns: the paravirtual clock's nanoseconds at that moment; not loadable
 */
struct vitro_time {
	__u64 tsc;
	__u64 clock_ns;
};

/**
 * struct vitro_fpu - VITRO_STATE_FPU
 * @xsave: an XSAVE area in standard format (SDM 1 13.4); an XSTATE_BV bit that
 *	is clear means the component's initial state.  Loading one with bits other than
 *	x87, SSE and those in vitro_info.xcr0, or a reserved MXCSR bit, gives EINVAL.
 */
struct vitro_fpu {
	__u8 xsave[4096];
};

/**
 * struct vitro_state - all groups
 */
struct vitro_state {
	struct vitro_gprs gprs;
	struct vitro_segs segs;
	struct vitro_crs crs;
	struct vitro_drs drs;
	struct vitro_msrs msrs;
	struct vitro_events events;
	struct vitro_time time;
	struct vitro_fpu fpu;
};

/* ---------------------------------------------------------------- vCPU: exits */

enum vitro_exit_reason {
	VITRO_EXIT_NONE,	/* never run */
	VITRO_EXIT_INTR,	/* a signal, immediate_exit, or work of the kernel's: run again */
	VITRO_EXIT_IO,		/* IN, OUT, INS, OUTS */
	VITRO_EXIT_MMIO,	/* a gpa without a slot, or a write to a read-only one */
	VITRO_EXIT_RDMSR,	/* an MSR that the kernel side does not know */
	VITRO_EXIT_WRMSR,
	VITRO_EXIT_HLT,		/* HLT with RFLAGS.IF = 0: only NMI or INIT could end it */
	VITRO_EXIT_HYPERCALL,	/* VMMCALL or VMCALL at CPL 0 */
	VITRO_EXIT_EOI,		/* end of a level-triggered interrupt */
	VITRO_EXIT_SHUTDOWN,	/* triple fault */
	VITRO_EXIT_FAIL_ENTRY,	/* the CPU refused the guest state */
	VITRO_EXIT_MEMFAULT,	/* an hva behind a slot cannot be accessed by the process itself */
	VITRO_EXIT_UNHANDLED,	/* an exit that vitro does not know: see raw */
	VITRO_EXIT_TASK_SWITCH,	/* Intel only: an AMD CPU makes the switch itself */
	VITRO_EXIT_INTA,	/* the 8259's interrupt is taken now: see below */
	VITRO_EXIT_DEBUG,	/* what VITRO_SET_DEBUG has asked for */
	VITRO_EXIT_DEADLINE,	/* that of VITRO_SET_DEADLINE has passed */
};

/**
 * struct vitro_exit - why VITRO_RUN returned
 * @reason: enum vitro_exit_reason
 * @insn_len: length in bytes of the instruction that exited, 0 when the CPU
 *	does not say and vitro did not need it.  rip still points at that
 *	instruction: to finish it, userspace loads rip + @insn_len.
 * @pad: zero
 * @io: VITRO_EXIT_IO; @insn_len is always given
 * @mmio: VITRO_EXIT_MMIO and VITRO_EXIT_MEMFAULT
 * @msr: VITRO_EXIT_RDMSR, VITRO_EXIT_WRMSR; @insn_len is always given
 * @hypercall: VITRO_EXIT_HYPERCALL; @insn_len is always given
 * @eoi: VITRO_EXIT_EOI; the guest's instruction is complete
 * VITRO_EXIT_INTA has no fields: the guest is between two instructions, and userspace
 *	loads vitro_events with @intr_pending and the vector from its 8259
 * @task_switch: VITRO_EXIT_TASK_SWITCH; nothing of the switch has been done
 * @raw: the vendor's own exit, for readers, on every exit
 */
struct vitro_exit {
	__u32 reason;
	__u8 insn_len;
	__u8 pad[3];
	union {
		/**
		 * @port: 0 to 65535
		 * @size: bytes of one element: 1, 2, 4
		 * @flags: VITRO_IO_*
		 * @seg: enum vitro_seg of a string instruction's memory operand
		 * @addr_size: 2, 4, 8: width of its rSI or rDI, and rCX
		 * @data: what OUT writes, zero-extended
		 */
		struct {
			__u16 port;
			__u8 size;
			__u8 flags;
#define VITRO_IO_IN		(1U << 0)
#define VITRO_IO_STRING		(1U << 1)
#define VITRO_IO_REP		(1U << 2)
			__u8 seg;
			__u8 addr_size;
			__u8 pad[2];
			__u32 data;
			__u32 pad2;
		} io;
		/**
		 * @gpa: the address accessed, exact to the byte on AMD and Intel
		 * @flags: VITRO_MMIO_*
		 * @nr_bytes: instruction bytes that the CPU gave, 0 when it gave none
		 * @bytes: they
		 */
		struct {
			__u64 gpa;
			__u8 flags;
#define VITRO_MMIO_READ		(1U << 0)
#define VITRO_MMIO_WRITE	(1U << 1)
#define VITRO_MMIO_EXEC		(1U << 2)	/* fetching the instruction itself */
#define VITRO_MMIO_WALK		(1U << 3)	/* reading the guest's page tables */
			__u8 nr_bytes;
			__u8 bytes[15];
			__u8 pad[7];
		} mmio;
		/**
		 * @index: ECX
		 * @data: EDX:EAX of WRMSR
		 */
		struct {
			__u32 index;
			__u32 pad;
			__u64 data;
		} msr;
		/**
		 * @nr: RAX; @args: RBX, RCX, RDX, RSI, truncated to 32 bits unless in
		 *	64-bit mode.  At CPL 1 to 3 there is no exit: RAX becomes -1 (-EPERM).
		 */
		struct {
			__u64 nr;
			__u64 args[4];
		} hypercall;
		/** @vector: the interrupt's vector */
		struct {
			__u32 vector;
			__u32 pad;
		} eoi;
		/**
		 * @selector: of the TSS to switch to
		 * @source: VITRO_TASK_*
		 * @event: 1 if an exception or interrupt is delivered through the task gate;
		 *	INT n is none: @insn_len tells it from that
		 * @vector: @has_error: @error: that event; an error code goes on the new stack.
		 *	It is pending still in VITRO_STATE_EVENTS: take it from there.
		 */
		struct {
			__u16 selector;
			__u8 source;
#define VITRO_TASK_CALL		0
#define VITRO_TASK_IRET		1
#define VITRO_TASK_JMP		2
#define VITRO_TASK_GATE		3
			__u8 event;
			__u8 vector;
			__u8 has_error;
			__u8 pad[2];
			__u32 error;
			__u32 pad2;
		} task_switch;
		struct vitro_debug_exit debug;	/* VITRO_EXIT_DEBUG */
		__u64 reserved[8];
	};
	/**
	 * @code: VMCB EXITCODE, or the VMCS exit reason
	 * @info1: @info2: EXITINFO1 and EXITINFO2, or exit qualification and
	 *	guest-physical address, of exits that have one
	 * @intinfo: EXITINTINFO, or IDT-vectoring information and error code
	 */
	struct {
		__u64 code;
		__u64 info1;
		__u64 info2;
		__u64 intinfo;
	} raw;
};

/**
 * struct vitro_comm - the comm area: mmap(vcpu_fd, offset 0, vitro_info.comm_size)
 * @wanted: from userspace: groups to copy to @state at every exit
 * @dirty: from userspace: groups to load from @state when VITRO_RUN starts;
 *	the kernel clears it once they are loaded.  On EINVAL, nothing was loaded.
 * @valid: from the kernel: groups that @state holds as of this exit: what was
 *	wanted, and what finishing this exit takes (IO: GPRS, and for string
 *	instructions, MMIO and TASK_SWITCH: GPRS, SEGS, CRS; RDMSR, WRMSR, HYPERCALL, HLT: GPRS)
 * @immediate_exit: from userspace: VITRO_RUN gives VITRO_EXIT_INTR without
 *	entering the guest; for signal handlers
 * @pad: zero
 * @exit: from the kernel: the last exit
 * @state: both ways, as the masks say
 *
 * The kernel reads each field once and trusts none.  Only the thread in
 * VITRO_RUN, VITRO_GET_STATE or VITRO_SET_STATE makes the kernel touch it.
 */
struct vitro_comm {
	__u64 wanted;
	__u64 dirty;
	__u64 valid;
	__u32 immediate_exit;
	__u32 pad;
	struct vitro_exit exit;
	__u64 reserved[47];
	struct vitro_state state;
};

/* --------------------------------------------------------------- vCPU: others */

/**
 * struct vitro_state_mask - VITRO_GET_STATE, VITRO_SET_STATE
 * @mask: groups to copy from the vCPU to its comm area, or to load from there
 *
 * Waits for a running VITRO_RUN of the same vCPU (kick it by a signal).
 * Errors: EINVAL a group that does not exist, a value that the CPU would refuse.
 */
struct vitro_state_mask {
	__u64 mask;
};

/**
 * struct vitro_cpuid - VITRO_SET_CPUID: what CPUID answers on this vCPU
 * @nr: entries, up to VITRO_MAX_CPUID
 * @pad: zero
 * @entries: hva of struct vitro_cpuid_entry[]
 *
 * Replaces the whole table.  A feature bit that vitro cannot provide (see
 * vitro_info.cpuid) is cleared; APIC ids, OSXSAVE and the size of the enabled
 * XSAVE state are filled in when the guest asks.
 * Errors: EINVAL too many; EBUSY the vCPU has run.
 */
struct vitro_cpuid {
	__u32 nr;
	__u32 pad;
	__u64 entries;
};

/**
 * struct vitro_lapic_rw - VITRO_LAPIC_RW: an access to the xAPIC page
 * @offset: register, 0 to 0xff0, a multiple of 16 (SDM 3A table 11-1)
 * @flags: VITRO_LAPIC_WRITE
 * @value: in on a write, out on a read
 * @pad: zero
 *
 * For a guest whose APIC is in xAPIC mode: the access to 0xfee00000 comes out as
 * VITRO_EXIT_MMIO, userspace decodes it and passes it on.
 * Errors: EINVAL offset; ENXIO the APIC is disabled or in x2APIC mode.
 */
struct vitro_lapic_rw {
	__u32 offset;
	__u32 flags;
#define VITRO_LAPIC_WRITE	(1U << 0)
	__u32 value;
	__u32 pad;
};

/**
 * struct vitro_dump_entry - one value of a dump
 * @kind: enum vitro_dump_kind
 * @key: what of that kind
 * @value: zero-extended
 */
struct vitro_dump_entry {
	__u32 kind;
	__u32 key;
	__u64 value;
};

enum vitro_dump_kind {
	VITRO_DUMP_VMCS		= 1,	/* a field; @key is its encoding (SDM 3D appendix B) */
	VITRO_DUMP_VMCB		= 2,	/* 8 bytes; @key is their offset (APM 2 appendix B) */
	VITRO_DUMP_VAPIC	= 3,	/* 4 bytes of the virtual-APIC page; @key: offset */
	VITRO_DUMP_MSR		= 4,	/* an MSR of the host; @key is its number */
};

/**
 * struct vitro_dump - VITRO_DUMP: all that VM entry goes by
 * @nr: in: entries that @entries has room for; out: entries there are
 * @vendor: out: enum vitro_vendor
 * @entries: hva of struct vitro_dump_entry[], or 0 to ask for the number only
 * @withheld: out: fields left out: addresses in the host, and its state, are for
 *	CAP_SYS_ADMIN only
 * @pad: zero
 *
 * For those who want to know why the CPU refused an entry (VITRO_EXIT_FAIL_ENTRY):
 * the control structure as it was at that entry, with the event that was to be
 * delivered, the host state that vitro loads, and the MSRs that say what this CPU
 * accepts.  After other exits, and before the first run, it is the control structure as
 * the CPU left it; what vitro writes only at entry (Intel: RSP, RIP, RFLAGS, host state;
 * AMD: RAX, RSP, RIP, RFLAGS) is then that of the last entry or exit.
 *
 * A VMCS is given as all the fields this CPU has, sorted by encoding; a VMCB as its 4 KiB.
 * CPUID, of which some checks depend, userspace can ask by itself.
 * Errors: E2BIG when @nr is too small (it is updated all the same); EFAULT; ENOMEM.
 */
struct vitro_dump {
	__u32 nr;
	__u32 vendor;
	__u64 entries;
	__u32 withheld;
	__u32 pad;
};

/* --------------------------------------------------------------------- ioctls */

#define VITRO_IOC		0xB1

/* on /dev/vitro */
#define VITRO_GET_INFO		_IOWR(VITRO_IOC, 0x00, struct vitro_info)
#define VITRO_CREATE_VM		_IOW(VITRO_IOC, 0x01, struct vitro_create_vm)

/* on a VM */
#define VITRO_SET_MEMSLOT	_IOW(VITRO_IOC, 0x10, struct vitro_memslot)
#define VITRO_DIRTY_LOG		_IOW(VITRO_IOC, 0x11, struct vitro_dirty_log)
#define VITRO_CREATE_VCPU	_IOW(VITRO_IOC, 0x12, struct vitro_create_vcpu)
#define VITRO_SIGNAL_MSI	_IOW(VITRO_IOC, 0x13, struct vitro_msi)
#define VITRO_IRQFD		_IOW(VITRO_IOC, 0x14, struct vitro_irqfd)
#define VITRO_IOEVENTFD		_IOW(VITRO_IOC, 0x15, struct vitro_ioeventfd)
#define VITRO_STATS		_IOWR(VITRO_IOC, 0x16, struct vitro_stats)
#define VITRO_SET_NAME		_IOW(VITRO_IOC, 0x17, struct vitro_name)
#define VITRO_REPORT		_IOW(VITRO_IOC, 0x18, struct vitro_report)
#define VITRO_TDP_WALK		_IOWR(VITRO_IOC, 0x19, struct vitro_tdp_walk)

/*
 * on a vCPU.  VITRO_RUN enters the guest and returns 0 with comm->exit filled,
 * whatever ended the run, a signal included.  Errors, which leave comm->exit
 * alone: EINVAL a dirty group was refused; EBUSY another hypervisor holds the CPU
 * (unload it: rmmod kvm_amd).
 */
#define VITRO_RUN		_IO(VITRO_IOC, 0x20)
#define VITRO_GET_STATE		_IOW(VITRO_IOC, 0x21, struct vitro_state_mask)
#define VITRO_SET_STATE		_IOW(VITRO_IOC, 0x22, struct vitro_state_mask)
#define VITRO_SET_CPUID		_IOW(VITRO_IOC, 0x23, struct vitro_cpuid)
#define VITRO_LAPIC_RW		_IOWR(VITRO_IOC, 0x24, struct vitro_lapic_rw)
#define VITRO_DUMP		_IOWR(VITRO_IOC, 0x25, struct vitro_dump)
#define VITRO_RECORD		_IOW(VITRO_IOC, 0x26, struct vitro_record_start)

#endif /* _UAPI_LINUX_VITRO_H */
