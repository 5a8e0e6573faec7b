/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the test module oracle.ko and the test program say to each other.  The module enters
 * a guest with any control structure that it is given, and tells what the CPU made of it.
 *
 * For root, in a test machine.  Nothing protects the machine from an entry whose exit loads
 * a host that is none: the program asks only for what it knows to be survivable.
 */
#ifndef ORACLE_H
#define ORACLE_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * struct oracle_field - a field and its value
 * @id: VMX: encoding in the VMCS; SVM: offset in the VMCB; or what enum oracle_id has
 * @size: SVM: bytes
 * @value: the value
 */
struct oracle_field {
	__u32 id;
	__u32 size;
	__u64 value;
};

enum oracle_id {
	ORACLE_MSR	= 0x10000,	/* + index: an MSR of this CPU, to be read only */
	ORACLE_PAGE	= 0x20000,	/* + n: address of a page of ours, to be read only */
	ORACLE_MEMORY	= 0x30000,	/* + offset: 8 bytes in those pages */
	ORACLE_CURRENT	= 0x40000,	/* address of the control structure, to be read only */
};

/* Pages for what a control structure points to, 0 at first; below 4 GiB. */
#define ORACLE_PAGES	16

enum oracle_outcome {
	ORACLE_ENTERED	= 1,	/* @reason is that of the exit */
	ORACLE_FAILED	= 2,	/* VMX: the instruction did; @reason is the error number; 0: CF */
	ORACLE_REFUSED	= 3,	/* @reason is that of the exit, @detail its qualification */
};

#define ORACLE_CHANGES	6

/**
 * struct oracle_case - an entry to try
 * @nr: entries in use of @change
 * @outcome: out: enum oracle_outcome
 * @reason: out: see there
 * @detail: out: see there
 * @change: how it differs from the base
 */
struct oracle_case {
	__u32 nr;
	__u32 outcome;
	__u64 reason;
	__u64 detail;
	struct oracle_field change[ORACLE_CHANGES];
};

/**
 * struct oracle_run - entries to try
 * @nr_base: fields at @base
 * @nr_cases: cases at @cases
 * @base: address of struct oracle_field[], written before those of each case; host state
 *	comes from the module, for it is this CPU's
 * @cases: address of struct oracle_case[]
 */
struct oracle_run {
	__u32 nr_base;
	__u32 nr_cases;
	__u64 base;
	__u64 cases;
};

/**
 * struct oracle_list - what there is: fields, the host's with values; MSRs; pages
 * @nr: in: room at @fields; out: how many there are
 * @svm: out: 1 for SVM, 0 for VMX
 * @fields: address of struct oracle_field[]
 */
struct oracle_list {
	__u32 nr;
	__u32 svm;
	__u64 fields;
};

#define ORACLE_MAX_FIELDS	512
#define ORACLE_MAX_CASES	4096

#define ORACLE_LIST	_IOWR('O', 1, struct oracle_list)
#define ORACLE_RUN	_IOW('O', 2, struct oracle_run)

#endif /* ORACLE_H */
