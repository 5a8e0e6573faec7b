// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is asked of a kernel's headers: each part compiles where they have the interface
 * that it uses.  module/compat/probe tries them one by one.  Distributions take changes
 * over into older kernels, so that a kernel's version would tell less.
 */
#include <linux/eventfd.h>
#include <linux/hrtimer.h>
#include <asm/msr.h>
#include <asm/nospec-branch.h>
#include <net/genetlink.h>

#ifdef PROBE_EVENTFD_SIGNAL_ONE
static void probe(struct eventfd_ctx *ctx)
{
	eventfd_signal(ctx);
}
#endif

#ifdef PROBE_HRTIMER_SETUP
static void probe(struct hrtimer *timer, enum hrtimer_restart (*fire)(struct hrtimer *))
{
	hrtimer_setup(timer, fire, CLOCK_MONOTONIC, HRTIMER_MODE_ABS);
}
#endif

#ifdef PROBE_GENL_INFO_DUMP
static struct nlattr **probe(struct netlink_callback *cb)
{
	return genl_info_dump(cb)->attrs;
}
#endif

#ifdef PROBE_RDMSRQ
static int probe(u64 *value)
{
	rdmsrq(MSR_EFER, *value);
	wrmsrq(MSR_EFER, *value);
	return rdmsrq_safe(MSR_EFER, value);
}
#endif

#ifdef PROBE_WRITE_IBPB
static void (*probe(void))(void)
{
	return write_ibpb;
}
#endif

#ifdef PROBE_IBPB_EXIT_TO_USER
static void probe(void)
{
	this_cpu_write(x86_ibpb_exit_to_user, true);
}
#endif

#ifdef PROBE_CPUID_API
#include <asm/cpuid/api.h>

static unsigned int probe(void)
{
	return cpuid_eax(1);
}
#endif

/* Without any of them, it compiles in any case: else it is not the interface that lacks. */
void *compat_probes[] = {
#ifdef PROBE
	probe,
#endif
};
