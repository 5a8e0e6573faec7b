/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * vitro - the second dimension of paging: guest physical to host physical
 *
 * Included by <linux/vitro.h>, which has the ioctl.
 */
#ifndef _UAPI_LINUX_VITRO_TDP_H
#define _UAPI_LINUX_VITRO_TDP_H

#include <linux/types.h>

#define VITRO_TDP_LEVELS	5	/* at most */

/**
 * struct vitro_tdp_walk - VITRO_TDP_WALK: the second-level tables' entries for an address
 * @gpa: in: guest physical address
 * @flags: in: zero
 * @vendor: out: enum vitro_vendor, which says how entries look: AMD's are those of long
 *	mode (APM 2 5.3.3, 15.25), Intel's are EPT's (SDM 3C 29.3.2)
 * @levels: out: of the tables: 4, or 5
 * @nr: out: entries that the walk read, from 1 to @levels: the last is a page's, or absent
 * @withheld: out: 1: the caller lacks CAP_SYS_ADMIN, and does not get the host's physical
 *	addresses: @root, @hpa and bits 51:12 of each entry are 0
 * @pad: in: zero
 * @root: out: physical address of the top table, as in nCR3 or EPTP, without their low bits
 * @page_size: out: 0: not mapped; else 4096, 2 MiB or 1 GiB
 * @hpa: out: host physical address of @gpa, when it is mapped
 * @entry: out: the entries, the top table's first
 *
 * A page that the guest has not touched, or that the host has taken away since, is not
 * mapped: the next access brings it.  What is returned was so at one moment, and may have
 * changed since.  Nothing changes by looking.
 *
 * Errors: EINVAL @gpa has more than info->gpa_bits bits, @flags, @pad.
 */
struct vitro_tdp_walk {
	__u64 gpa;
	__u32 flags;
	__u32 vendor;
	__u32 levels;
	__u32 nr;
	__u32 withheld;
	__u32 pad;
	__u64 root;
	__u64 page_size;
	__u64 hpa;
	__u64 entry[VITRO_TDP_LEVELS];
};

#endif /* _UAPI_LINUX_VITRO_TDP_H */
