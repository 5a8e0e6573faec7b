/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * vitro - what readers see of exits: names of all reasons, times, the exit recorder
 *
 * Included by <linux/vitro.h>, which has the ioctls.
 */
#ifndef _UAPI_LINUX_VITRO_GLASS_H
#define _UAPI_LINUX_VITRO_GLASS_H

#include <linux/types.h>

/*
 * Reasons of exits that VITRO_RUN never returns, in the same space as enum
 * vitro_exit_reason: vitro.ko deals with them.
 */
enum vitro_inner_exit {
	VITRO_INNER_HOST	= 32,	/* host interrupt, NMI or SMI */
	VITRO_INNER_CPUID	= 33,
	VITRO_INNER_IRQ_WINDOW	= 34,	/* the guest can take the interrupt that waits */
	VITRO_INNER_NMI_WINDOW	= 35,
	VITRO_INNER_TDP		= 36,	/* second-level fault, resolved; else it is MMIO */
	VITRO_INNER_CR		= 37,	/* access to a control register */
	VITRO_INNER_DR		= 38,	/* first access to a debug register in a burst */
	VITRO_INNER_XSETBV	= 39,
	VITRO_INNER_EXCEPTION	= 40,	/* an intercepted exception, given to the guest */
	VITRO_INNER_UD		= 41,	/* an instruction that this machine does not have */
	VITRO_INNER_GP		= 42,	/* an instruction that this machine refuses */
	VITRO_INNER_SKIP	= 43,	/* an instruction that does nothing here */
	VITRO_INNER_PAUSE	= 44,	/* the guest spins */
	VITRO_INNER_RESUME	= 45,	/* the vendor's part dealt with it */
	VITRO_INNER_FETCH	= 46,	/* the instruction must be brought into memory first */
};

#define VITRO_NR_REASONS	48	/* all reasons are less */

/*
 * How far an exit went before the guest was entered again.  Time is counted by the
 * place where it was spent: an exit to userspace has some of each.
 */
enum vitro_place {
	VITRO_PLACE_BURST,	/* with interrupts off, next to the guest */
	VITRO_PLACE_KERNEL,	/* in VITRO_RUN, also asleep */
	VITRO_PLACE_USER,	/* VITRO_RUN returned */
	VITRO_NR_PLACES
};

#define VITRO_NR_BUCKETS	40

/**
 * struct vitro_times - times of one vCPU's exits for one reason, in TSC cycles
 * @nr: exits, by the place they went to
 * @cycles: time from exit to next entry, by where it was spent
 * @min: @max: shortest and longest exit; both 0 when there was none
 * @bucket: exits that took less than 2^(i+1) cycles, and in bucket i > 0 at least
 *	2^i; the last has all that took longer
 *
 * All grows while the guest runs, so sums may be off by the exit being counted.
 */
struct vitro_times {
	__u64 nr[VITRO_NR_PLACES];
	__u64 cycles[VITRO_NR_PLACES];
	__u64 min, max;
	__u64 bucket[VITRO_NR_BUCKETS];
};

/**
 * struct vitro_record - one exit
 * @seq: its number, from 0 on since the recorder was started
 * @tsc: the host's TSC at the exit
 * @reason: enum vitro_exit_reason or enum vitro_inner_exit
 * @place: enum vitro_place: what was done about it
 * @cpl: privilege level of the guest, 0 to 3
 * @bits: of its code: 16, 32, 64
 * @paging: of its own: 0 none, 2 levels for 32 bits, 3 PAE, 4, 5
 * @rip: the instruction that exited, or the next one
 * @linear: @rip as a linear address
 * @cr3: CR3
 * @code: @info1: @info2: @intinfo: the vendor's own words, as in struct vitro_exit
 * @detail: port | size << 16 | VITRO_IO_* << 24 for IO; gpa for MMIO, TDP, MEMFAULT; number
 *	of the MSR for RDMSR, WRMSR, and of the APIC's register for EOI; EAX for CPUID; RAX
 *	for HYPERCALL; number of the register for CR; vector for EXCEPTION; else 0
 * @data: what OUT and WRMSR write; ECX for CPUID; VITRO_MMIO_* for MMIO, TDP; 1 for a
 *	write to CR; error code of EXCEPTION; else 0
 * @cycles: as in struct vitro_times
 * @nr_bytes: how many of @bytes are valid
 * @bytes: the instruction at @linear, and what follows it: as the guest's memory was at
 *	the exit, or, if its page had to be brought first, at the next entry.  None if the
 *	guest's page tables lead to no memory there.
 *
 * @reason, @place, @cycles, @nr_bytes and @bytes of the youngest record may still change: it
 * is complete when there is a younger one, or the vCPU is gone.
 */
struct vitro_record {
	__u64 seq;
	__u64 tsc;
	__u32 reason;
	__u8 place;
	__u8 cpl;
	__u8 bits;
	__u8 paging;
	__u64 rip;
	__u64 linear;
	__u64 cr3;
	__u64 code, info1, info2, intinfo;
	__u64 detail;
	__u64 data;
	__u64 cycles[VITRO_NR_PLACES];
	__u8 nr_bytes;
	__u8 bytes[15];
};

#define VITRO_MAX_RECORDS	(1U << 17)

/**
 * struct vitro_record_start - VITRO_RECORD: record the exits of a vCPU
 * @nr: room in records: a power of 2 from 32 to VITRO_MAX_RECORDS; 0 to record no more
 * @flags: zero
 *
 * Returns an fd (close-on-exec), to be mapped shared and read-only: struct vitro_ring at
 * offset 0, the records from VITRO_RING_RECORDS on.  Any process that has it may map it;
 * it stays readable when the vCPU is gone.  A vCPU that records already starts anew in the
 * new ring; the old one stays as it is.  Recording ends with the vCPU, or by @nr 0, which
 * returns 0.
 * Errors: EINVAL @nr, @flags; ENOMEM also when it exceeds the memory control group;
 * EMFILE/ENFILE.  mmap gives EACCES for a writable mapping, EINVAL for a private one.
 */
struct vitro_record_start {
	__u32 nr;
	__u32 flags;
};

/**
 * struct vitro_ring - the first page of a recorder's mapping
 * @head: records written so far; the next one has this number.  Record s is in slot
 *	s % @nr.
 * @overwritten: records that are gone: all before this number
 * @nr: slots
 * @record_size: bytes of a slot; may grow
 * @tsc_khz: rate of the TSC
 * @vendor: enum vitro_vendor
 * @vm: id of the VM
 * @vcpu: id of the vCPU
 * @ended: the vCPU is gone: nothing will change any more
 *
 * To read while the guest runs: read @head (acquire), copy the records, then read
 * @overwritten: copies of records before that number + 1 may be torn.
 * The kernel reads nothing of this: it has its own.
 */
struct vitro_ring {
	__u64 head;
	__u64 overwritten;
	__u32 nr;
	__u32 record_size;
	__u32 tsc_khz;
	__u32 vendor;
	__u64 vm;
	__u32 vcpu;
	__u32 ended;
};

#define VITRO_RING_RECORDS	4096

#define VITRO_NAME_SIZE		64

/**
 * struct vitro_name - VITRO_SET_NAME: what readers call the VM
 * @name: printable ASCII without spaces and quotes, ended by a zero, then zeroes; may
 *	be empty.  Names need not be unique.
 *
 * Errors: EINVAL.
 */
struct vitro_name {
	char name[VITRO_NAME_SIZE];
};

/**
 * struct vitro_report - VITRO_REPORT: tell the listeners of what userspace alone knows
 * @what: VITRO_REPORT_PANIC: the guest's kernel said that it has panicked
 * @pad: zero
 *
 * Errors: EINVAL.
 */
struct vitro_report {
	__u32 what;
#define VITRO_REPORT_PANIC	1
	__u32 pad;
};

#endif /* _UAPI_LINUX_VITRO_GLASS_H */
