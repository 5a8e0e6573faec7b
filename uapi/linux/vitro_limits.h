/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * vitro - how much there can be of everything, and for how long
 *
 * Part of the ABI in <linux/vitro.h>, which includes this file.
 *
 * All that a VM takes is charged to the memory cgroup of who asks for it.  These numbers
 * bound what a cgroup does not: how long the kernel may have to look for something.
 */
#ifndef _UAPI_LINUX_VITRO_LIMITS_H
#define _UAPI_LINUX_VITRO_LIMITS_H

#include <linux/types.h>

#define VITRO_MAX_VCPUS		64	/* per VM; vCPU ids, which are APIC ids, are 0..63 */
#define VITRO_MAX_SLOTS		512	/* per VM; slot numbers are 0..511 */
#define VITRO_MAX_IRQFDS	1024	/* per VM: ENOSPC */
#define VITRO_MAX_IOEVENTFDS	1024	/* per VM: ENOSPC */
#define VITRO_MAX_CPUID		128	/* entries in a CPUID table */
#define VITRO_MAX_DUMP		2048	/* entries in a dump; there are never more */

/*
 * VMs of all users together: the module's parameter max_vms, this many unless it is given.
 * One more, and VITRO_CREATE_VM gives ENOSPC.
 */
#define VITRO_DEFAULT_VMS	512

/**
 * struct vitro_deadline - VITRO_SET_DEADLINE: when a VM is to stop, whatever it does
 * @ns: nanoseconds from now on, of CLOCK_MONOTONIC; 0: no deadline
 * @flags: @pad: zero
 *
 * When it has passed, each VITRO_RUN of the VM's vCPUs returns VITRO_EXIT_DEADLINE: those
 * that are in the guest or asleep, now; others, also of vCPUs that are made later, as soon
 * as they are called.  The guest can go on once there is a new deadline, or none.
 *
 * The kernel's own timer does that: it needs no thread of the process to get its turn.
 * Errors: EINVAL.
 */
struct vitro_deadline {
	__u64 ns;
	__u32 flags;
	__u32 pad;
};

#define VITRO_SET_DEADLINE	_IOW(VITRO_IOC, 0x1a, struct vitro_deadline)	/* on a VM */

#endif /* _UAPI_LINUX_VITRO_LIMITS_H */
