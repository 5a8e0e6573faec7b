/* SPDX-License-Identifier: GPL-2.0-only */
/* What the room "glass" keeps in each VM and vCPU.  The lock legend is in core/vitro.h. */
#ifndef VITRO_GLASS_STATE_H
#define VITRO_GLASS_STATE_H

#include <linux/list.h>
#include <linux/uidgid.h>
#include <linux/vitro.h>

struct pid;
struct glass_ring;

/**
 * struct glass_vm - a VM, for those who look inside
 *
 * [g] is vms_lock in netlink.c.
 *
 * @list: [g] in the list of all VMs
 * @uid: [I] the user that created it
 * @pid: [I] the process that created it
 * @name: [g] what userspace calls it
 * @watched: [a] exits are timed; written with [g]
 */
struct glass_vm {
	struct list_head list;
	kuid_t uid;
	struct pid *pid;
	char name[VITRO_NAME_SIZE];
	bool watched;
};

/**
 * struct glass_times - times of a vCPU's exits; readers hold RCU
 * @reason: [a] by reason
 */
struct glass_times {
	struct vitro_times reason[VITRO_NR_REASONS];
};

/**
 * struct glass_vcpu - a vCPU's last exit, timed and recorded
 * @open: [v] the number of the exit, by VITRO_STAT_EXITS, while there was no entry
 *	since; 0 for none.  An older one has been forgotten: nobody watched.
 * @place: [v] where the vCPU's thread has got to since then
 * @furthest: [v] where it has been
 * @reason: [v] of the exit
 * @mark: [v] TSC when it came to @place
 * @cycles: [v] time since the exit, by place
 * @slow_tsc: [v] TSC of the last event about slow userspace
 * @times: [I] all exits so far
 * @ring: [v] the recorder, or NULL
 */
struct glass_vcpu {
	u64 open;
	u8 place;
	u8 furthest;
	u32 reason;
	u64 mark;
	u64 cycles[VITRO_NR_PLACES];
	u64 slow_tsc;
	struct glass_times *times;
	struct glass_ring *ring;
};

#endif /* VITRO_GLASS_STATE_H */
