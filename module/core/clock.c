// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's TSC and the paravirtual clock that KVM published
 * (Documentation/virt/kvm/x86/msr.rst in the kernel's source).
 *
 * The guest names a page by an MSR.  We write there a moment, as guest TSC and as
 * nanoseconds, and the rate of the TSC; the guest reads its TSC and works out the
 * time without an exit.
 *
 * Where the host's TSC is reliable, all vCPUs get the same moment, the creation of
 * the VM.  So they all compute the same function of the same TSC, no page is ever
 * out of date, and time cannot go backwards from one vCPU to the next.  This clock
 * runs at the TSC's rate and not at that of the host's disciplined clock.
 *
 * Elsewhere the moment is now, by the host's boot clock, and holds only for the CPU
 * that took it: the page is written again when the vCPU starts a burst on another
 * CPU.  The guest is told not to compare vCPUs without care (no STABLE bit).
 */
#include <linux/ktime.h>
#include <linux/timekeeping.h>
#include <asm/cpufeature.h>
#include <asm/msr.h>
#include <asm/pvclock.h>
#include <asm/tsc.h>

#include "apic/apic.h"
#include "core/vitro.h"
#include "mm/mm.h"

#define CLOCK_ENABLE	BIT_ULL(0)
#define CLOCK_ALIGN	4
#define ANY_CPU		(-1)

/**
 * struct moment - one instant on two clocks
 * @tsc: of the host
 * @ns: of the guests' clock, 0 at the VM's creation
 * @cpu: on which CPU they belong together, or ANY_CPU
 */
struct moment {
	u64 tsc;
	u64 ns;
	int cpu;
};

/*
 * The same on all CPUs, at a constant rate, also while idle?  Asked each time: the
 * host's watchdog may find out later that it is not.
 */
static bool tsc_reliable(void)
{
	return boot_cpu_has(X86_FEATURE_CONSTANT_TSC) &&
	       boot_cpu_has(X86_FEATURE_NONSTOP_TSC) && !check_tsc_unstable();
}

/* The TSC's rate, as the factor and shift of the published formula. */
static void tsc_scale(u32 *mul, s8 *shift)
{
	u64 hz = (u64)tsc_khz * 1000;

	*shift = 0;
	while (hz > 2 * (u64)NSEC_PER_SEC) {
		hz >>= 1;
		--*shift;
	}
	while (hz <= NSEC_PER_SEC) {
		hz <<= 1;
		++*shift;
	}
	/* Now it is above 1 GHz, so that the quotient is below 2^32. */
	*mul = div64_u64((u64)NSEC_PER_SEC << 32, hz);
}

static struct moment moment_now(struct vitro_vm *vm)
{
	struct moment now;
	unsigned long flags;
	s8 shift;
	u32 mul;

	if (tsc_reliable()) {
		tsc_scale(&mul, &shift);
		now.cpu = ANY_CPU;
		now.tsc = rdtsc_ordered();
		now.ns = pvclock_scale_delta(now.tsc - vm->clock_base_tsc, mul, shift);
		return now;
	}
	local_irq_save(flags);
	now.cpu = smp_processor_id();
	now.tsc = rdtsc_ordered();
	now.ns = ktime_get_boottime_ns() - vm->clock_base_ns;
	local_irq_restore(flags);
	return now;
}

/**
 * clock_vm_init - the guests' clocks start: TSC and paravirtual clock are 0 now
 * @vm: a new VM
 */
void clock_vm_init(struct vitro_vm *vm)
{
	unsigned long flags;

	local_irq_save(flags);
	vm->clock_base_tsc = rdtsc_ordered();
	vm->clock_base_ns = ktime_get_boottime_ns();
	local_irq_restore(flags);
	vm->tsc_offset = -vm->clock_base_tsc;
}

/**
 * clock_guest_tsc - what RDTSC would give the guest now
 * @vcpu: the vCPU; from any context
 *
 * Return: the guest's TSC.
 */
u64 clock_guest_tsc(struct vitro_vcpu *vcpu)
{
	return rdtsc_ordered() + READ_ONCE(vcpu->tsc_offset);
}

/**
 * clock_set_guest_tsc - set the guest's TSC
 * @vcpu: the vCPU, on its own thread, in a burst or outside of one
 * @guest_tsc: its value now
 *
 * All that is told in guest TSC moves along: the clock page (by REQ_CLOCK) and the
 * APIC timer's deadline.
 */
void clock_set_guest_tsc(struct vitro_vcpu *vcpu, u64 guest_tsc)
{
	WRITE_ONCE(vcpu->tsc_offset, guest_tsc - rdtsc_ordered());
	if (vcpu->clock_msr & CLOCK_ENABLE)
		set_bit(REQ_CLOCK, &vcpu->requests);
	apic_timer_tsc_moved(vcpu);
}

/* No value that this vCPU gets is below an earlier one. */
static u64 never_back(struct vitro_vcpu *vcpu, u64 ns)
{
	vcpu->clock_last_ns = max(vcpu->clock_last_ns, ns);
	return vcpu->clock_last_ns;
}

/**
 * clock_guest_ns - the paravirtual clock now
 * @vcpu: the vCPU, on its own thread
 *
 * Return: nanoseconds since the VM was created.
 */
u64 clock_guest_ns(struct vitro_vcpu *vcpu)
{
	return never_back(vcpu, moment_now(vcpu->vm).ns);
}

/**
 * clock_set_system_time - WRMSR to MSR_KVM_SYSTEM_TIME_NEW
 * @vcpu: the vCPU, on its own thread, in a burst or outside of one
 * @value: address of the page, bit 0 enables
 *
 * Sets REQ_CLOCK: the caller leaves the burst for it.
 *
 * Return: 0, or -EINVAL, for which the guest gets #GP: the address is misaligned.
 */
int clock_set_system_time(struct vitro_vcpu *vcpu, u64 value)
{
	if (!IS_ALIGNED(value & ~CLOCK_ENABLE, CLOCK_ALIGN))
		return -EINVAL;
	vcpu->clock_msr = value;
	if (value & CLOCK_ENABLE)
		set_bit(REQ_CLOCK, &vcpu->requests);
	return 0;
}

/**
 * clock_set_wall_clock - WRMSR to MSR_KVM_WALL_CLOCK_NEW
 * @vcpu: the vCPU, on its own thread, in a burst or outside of one
 * @value: where to write the wall clock, once; 0 for nowhere
 *
 * Sets REQ_WALL_CLOCK: the caller leaves the burst for it.
 *
 * Return: 0, or -EINVAL, for which the guest gets #GP: the address is misaligned.
 */
int clock_set_wall_clock(struct vitro_vcpu *vcpu, u64 value)
{
	if (!IS_ALIGNED(value, CLOCK_ALIGN))
		return -EINVAL;
	vcpu->wall_msr = value;
	if (value)
		set_bit(REQ_WALL_CLOCK, &vcpu->requests);
	return 0;
}

/**
 * clock_stale - must the clock page be written again before this burst?
 * @vcpu: the vCPU, on its own thread, which cannot move to another CPU
 *
 * A page for ANY_CPU is stale as soon as the TSC turns out not to be reliable.
 *
 * Return: true to leave the burst and call clock_write_page.
 */
bool clock_stale(struct vitro_vcpu *vcpu)
{
	return (vcpu->clock_msr & CLOCK_ENABLE) && vcpu->clock_cpu != smp_processor_id() &&
	       !tsc_reliable();
}

/*
 * Writes a structure whose first word is its version, odd while it changes.  Other
 * vCPUs may read it all the while.  The guest's version is continued, so that a
 * reader interrupted by a snapshot sees the change.  An error may leave it odd; who
 * tries again, continues from there.
 */
static int try_publish(struct vitro_vm *vm, u64 gpa, void *data, size_t len)
{
	u32 *version = data;
	int ret;

	ret = guest_read(vm, gpa, version, sizeof(*version));
	if (ret)
		return ret;
	*version = (*version + 1) | 1;
	ret = guest_write(vm, gpa, version, sizeof(*version));
	if (ret)
		return ret;
	smp_wmb();	/* odd before anything else changes */
	ret = guest_write(vm, gpa, data, len);
	if (ret)
		return ret;
	smp_wmb();	/* all of it before it is even again */
	++*version;
	return guest_write(vm, gpa, version, sizeof(*version));
}

/*
 * Where the guest has no memory, nothing is written: it would find nothing there either.
 * But that the host has none just now is no reason to let the guest's clock stand still.
 */
static int publish(struct vitro_vm *vm, u64 gpa, void *data, size_t len)
{
	int ret = try_publish(vm, gpa, data, len);

	return ret == -ENOMEM || ret == -EINTR ? ret : 0;
}

/**
 * clock_write_page - write the paravirtual clock's page, if it is enabled
 * @vcpu: the vCPU, on its own thread, outside of a burst; may sleep
 *
 * Return: 0, or -ENOMEM, -EINTR: to be called again.
 */
int clock_write_page(struct vitro_vcpu *vcpu)
{
	struct vitro_vm *vm = vcpu->vm;
	struct pvclock_vcpu_time_info info = {};
	struct moment when = moment_now(vm);

	if (!(vcpu->clock_msr & CLOCK_ENABLE))
		return 0;
	if (when.cpu == ANY_CPU) {
		when.tsc = vm->clock_base_tsc;
		when.ns = 0;
		info.flags = PVCLOCK_TSC_STABLE_BIT;
	} else {
		when.ns = never_back(vcpu, when.ns);
	}
	vcpu->clock_cpu = when.cpu;

	info.tsc_timestamp = when.tsc + vcpu->tsc_offset;
	info.system_time = when.ns;
	tsc_scale(&info.tsc_to_system_mul, &info.tsc_shift);
	return publish(vm, vcpu->clock_msr & ~CLOCK_ENABLE, &info, sizeof(info));
}

/**
 * clock_write_wall - write the time of day at which the guest's clock was 0
 * @vcpu: the vCPU, on its own thread, outside of a burst; may sleep
 *
 * Return: 0, or -ENOMEM, -EINTR: to be called again.
 */
int clock_write_wall(struct vitro_vcpu *vcpu)
{
	u64 zero = ktime_get_real_ns() - clock_guest_ns(vcpu);
	struct timespec64 ts = ns_to_timespec64(zero);
	struct pvclock_wall_clock wall = { .sec = ts.tv_sec, .nsec = ts.tv_nsec };

	if (!vcpu->wall_msr)
		return 0;
	return publish(vcpu->vm, vcpu->wall_msr, &wall, sizeof(wall));
}
