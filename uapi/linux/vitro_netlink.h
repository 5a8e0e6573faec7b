/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * vitro - generic netlink family "vitro": which VMs are there, and what they do
 *
 * Described by vitro.yaml, which a test compares with this file.
 *
 * A VM is visible to sockets of the user that created it, and to CAP_SYS_ADMIN; to all
 * others it does not exist (ENOENT).  Joining the group of events takes CAP_SYS_ADMIN
 * in the network namespace's user namespace.  The family is there in the initial network
 * namespace only.  Events are dropped for a socket whose buffer is full: recv() gives
 * ENOBUFS.
 */
#ifndef _UAPI_LINUX_VITRO_NETLINK_H
#define _UAPI_LINUX_VITRO_NETLINK_H

#define VITRO_FAMILY_NAME	"vitro"
#define VITRO_FAMILY_VERSION	1

enum {
	VITRO_A_PAD = 1,
	VITRO_A_VM_ID,		/* u64 */
	VITRO_A_NAME,		/* string; missing when the VM has none */
	VITRO_A_PID,		/* u32: the process that owns the VM, as the reader sees it */
	VITRO_A_UID,		/* u32: the user that created it */
	VITRO_A_NR_VCPUS,	/* u32 */
	VITRO_A_WATCHED,	/* u8: 1 when exits are timed */
	VITRO_A_VENDOR,		/* u32: enum vitro_vendor */
	VITRO_A_TSC_KHZ,	/* u32 */
	VITRO_A_VCPU_ID,	/* u32 */
	VITRO_A_TID,		/* u32: the thread in VITRO_RUN, or the last one */
	VITRO_A_MP_STATE,	/* u32: enum vitro_mp_state */
	VITRO_A_IN_GUEST,	/* u8: 1 when it runs the guest just now */
	VITRO_A_COUNTERS,	/* binary: u64, by enum vitro_counter */
	VITRO_A_REASON,		/* u32: of an exit */
	VITRO_A_TIMES,		/* binary: struct vitro_times */
	VITRO_A_EVENT,		/* u32: enum vitro_event */
	VITRO_A_RIP,		/* u64 */
	VITRO_A_CODE,		/* u64: raw exit code */
	VITRO_A_CYCLES,		/* u64: TSC cycles */

	__VITRO_A_MAX,
	VITRO_A_MAX = __VITRO_A_MAX - 1
};

enum {
	VITRO_CMD_VM_GET = 1,	/* do: VM_ID; dump: all that the reader may see */
	VITRO_CMD_VCPU_GET,	/* dump: VM_ID; one message a vCPU */
	VITRO_CMD_STATS_GET,	/* dump: VM_ID; a message of counters for each vCPU, then one of
				 * times for each reason that it exited for while watched
				 */
	VITRO_CMD_VM_SET,	/* do: VM_ID, WATCHED: 1 times exits, 0 stops it */
	VITRO_CMD_EVENT_NTF,	/* multicast */

	__VITRO_CMD_MAX,
	VITRO_CMD_MAX = __VITRO_CMD_MAX - 1
};

enum vitro_event {
	VITRO_EVENT_VM_CREATED = 1,
	VITRO_EVENT_VM_DESTROYED,
	VITRO_EVENT_VM_NAMED,
	VITRO_EVENT_VCPU_CREATED,	/* VCPU_ID */
	VITRO_EVENT_GUEST_PANIC,	/* userspace says so: VITRO_REPORT */
	VITRO_EVENT_TRIPLE_FAULT,	/* VCPU_ID, RIP */
	VITRO_EVENT_ENTRY_FAILURE,	/* VCPU_ID, RIP, CODE */
	VITRO_EVENT_SLOW_USER,		/* VCPU_ID, REASON, CYCLES: a watched vCPU's exit was in
					 * userspace for more than 100 ms; one a second and vCPU
					 */
};

#define VITRO_MCGRP_EVENTS	"events"

#endif /* _UAPI_LINUX_VITRO_NETLINK_H */
