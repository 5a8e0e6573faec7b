/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between kernel versions, and nothing else.  The rest of the
 * module is written for the newest kernel; this file makes up for older ones.
 */
#ifndef VITRO_COMPAT_H
#define VITRO_COMPAT_H

#include <linux/eventfd.h>
#include <linux/hrtimer.h>
#include <linux/version.h>
#include <net/genetlink.h>

/* 6.8: the value that eventfd_signal adds is always 1. */
static inline void compat_eventfd_signal(struct eventfd_ctx *ctx)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0)
	eventfd_signal(ctx);
#else
	eventfd_signal(ctx, 1);
#endif
}

/* 6.13: the callback is an argument; 6.15: hrtimer_init is gone. */
static inline void compat_hrtimer_setup(struct hrtimer *timer,
					enum hrtimer_restart (*fire)(struct hrtimer *),
					clockid_t clock, enum hrtimer_mode mode)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
	hrtimer_setup(timer, fire, clock, mode);
#else
	hrtimer_init(timer, clock, mode);
	timer->function = fire;
#endif
}

/* 6.6: attributes of a dump's request are where those of other requests are. */
static inline struct nlattr **compat_dump_attrs(struct netlink_callback *cb)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
	return genl_info_dump(cb)->attrs;
#else
	return genl_dumpit_info(cb)->attrs;
#endif
}

/* 6.7, and later 6.1: groups have flags of their own.  Before, there was CAP_NET_ADMIN. */
#ifdef GENL_MCAST_CAP_SYS_ADMIN
#define COMPAT_MCAST_CAP_SYS_ADMIN	GENL_MCAST_CAP_SYS_ADMIN
#else
#define COMPAT_MCAST_CAP_SYS_ADMIN	GENL_UNS_ADMIN_PERM
#endif

#endif /* VITRO_COMPAT_H */
