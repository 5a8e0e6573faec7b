/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between kernels, and nothing else.  The rest of the module is written for
 * the newest; this file makes up for what older ones lack.  COMPAT_HAS_* is in probed.h,
 * which is made for each kernel by trying: see probes.c.  The versions in the comments are
 * for readers only.
 */
#ifndef VITRO_COMPAT_H
#define VITRO_COMPAT_H

#include <linux/eventfd.h>
#include <linux/hrtimer.h>
#include <linux/smp.h>
#include <trace/events/ipi.h>	/* 6.4: smp_send_reschedule() traces, and does not include it */
#include <asm/cpufeature.h>
#include <asm/msr.h>
#include <asm/nospec-branch.h>
#include <net/genetlink.h>

#include "compat/probed.h"

/* 6.16: cpuid() and its kin have a header of their own; before, they came with others. */
#ifdef COMPAT_HAS_CPUID_API
#include <asm/cpuid/api.h>
#else
#include <asm/processor.h>
#endif

/* 6.8: the value that eventfd_signal adds is always 1. */
static inline void compat_eventfd_signal(struct eventfd_ctx *ctx)
{
#ifdef COMPAT_HAS_EVENTFD_SIGNAL_ONE
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
#ifdef COMPAT_HAS_HRTIMER_SETUP
	hrtimer_setup(timer, fire, clock, mode);
#else
	hrtimer_init(timer, clock, mode);
	timer->function = fire;
#endif
}

/* 6.6: attributes of a dump's request are where those of other requests are. */
static inline struct nlattr **compat_dump_attrs(struct netlink_callback *cb)
{
#ifdef COMPAT_HAS_GENL_INFO_DUMP
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

/* 6.16: the names for MSRs as one number of 64 bits end in q. */
#ifndef COMPAT_HAS_RDMSRQ
#define rdmsrq(msr, value)	rdmsrl(msr, value)
#define rdmsrq_safe(msr, value)	rdmsrl_safe(msr, value)
#define wrmsrq(msr, value)	wrmsrl(msr, value)
#endif

/* 6.15: the barrier is a function; 6.19: it is for KVM alone, so here is another. */
#ifdef COMPAT_HAS_WRITE_IBPB
void compat_write_ibpb(void);

static inline void compat_ibpb(void)
{
	if (cpu_feature_enabled(X86_FEATURE_IBPB))
		compat_write_ibpb();
}
#else
static inline void compat_ibpb(void)
{
	indirect_branch_prediction_barrier();
}
#endif

/*
 * 6.17, and later 6.1 and 6.12: a guest may have trained the predictor against the programs
 * of the host (VMSCAPE).  Where that is so, the next return to userspace issues an IBPB; or,
 * if the kernel cannot be told that it has to, here is one.
 */
static inline void compat_guest_ran(void)
{
#ifdef X86_FEATURE_IBPB_EXIT_TO_USER
	if (!cpu_feature_enabled(X86_FEATURE_IBPB_EXIT_TO_USER))
		return;
#ifdef COMPAT_HAS_IBPB_EXIT_TO_USER
	this_cpu_write(x86_ibpb_exit_to_user, true);
#else
	compat_ibpb();
#endif
#endif
}

#endif /* VITRO_COMPAT_H */
