// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * storm.ko: host NMIs at a high rate, each of which has to arrive, and an alarm clock for
 * machines whose RTC does not wake them.  A test's module: see selftests/storm_cpu.c.
 *
 * Perf would make NMIs as well, but the emulators have no PMU; and it would not notice
 * that one is missing.
 */
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/smp.h>
#include <linux/suspend.h>
#include <linux/uaccess.h>
#include <asm/apic.h>
#include <asm/nmi.h>

#include "storm.h"

#define A_MINUTE	60	/* seconds: an emulated CPU may stand still for some */

/* Sent to this CPU, and taken by it. */
static DEFINE_PER_CPU(atomic_t, sent);
static DEFINE_PER_CPU(atomic_t, taken);

static struct hrtimer alarm_clock;
static ktime_t wake_period;

/* Ours is an NMI that comes when one is under way; else somebody else wants it. */
static int nmi(unsigned int type, struct pt_regs *regs)
{
	if (atomic_read(this_cpu_ptr(&taken)) == atomic_read(this_cpu_ptr(&sent)))
		return NMI_DONE;
	atomic_inc(this_cpu_ptr(&taken));
	return NMI_HANDLED;
}

static bool arrived(unsigned int cpu, int number)
{
	return atomic_read(per_cpu_ptr(&taken, cpu)) == number;
}

/* One NMI.  Without preemption, and with the receiver online: it cannot go away meanwhile. */
static int send(unsigned int cpu)
{
	unsigned long end = jiffies + A_MINUTE * HZ;
	int number;

	preempt_disable();
	if (cpu == smp_processor_id() || !cpu_online(cpu)) {
		preempt_enable();
		return -EAGAIN;
	}
	number = atomic_inc_return(per_cpu_ptr(&sent, cpu));
	apic->send_IPI(cpu, NMI_VECTOR);
	preempt_enable();

	while (!arrived(cpu, number)) {
		if (time_after(jiffies, end))
			return -ETIMEDOUT;
		cpu_relax();
		cond_resched();
	}
	return 0;
}

static int send_all(struct storm_nmis *n)
{
	int ret = 0;

	if (n->pad || n->cpu >= nr_cpu_ids)
		return -EINVAL;
	for (n->arrived = 0; n->arrived < n->nr && !ret && !signal_pending(current);) {
		ret = send(n->cpu);
		if (!ret)
			n->arrived++;
	}
	return ret;
}

/* Again and again: the first may come before the machine has fallen asleep. */
static enum hrtimer_restart wake(struct hrtimer *timer)
{
	pm_system_wakeup();
	hrtimer_forward_now(timer, wake_period);
	return HRTIMER_RESTART;
}

static long storm_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	void __user *user = (void __user *)arg;
	struct storm_nmis n;
	int ret;

	switch (cmd) {
	case STORM_NMIS:
		if (copy_from_user(&n, user, sizeof(n)))
			return -EFAULT;
		ret = send_all(&n);
		return copy_to_user(user, &n, sizeof(n)) ? -EFAULT : ret;
	case STORM_WAKE:
		hrtimer_cancel(&alarm_clock);
		wake_period = ms_to_ktime(arg);
		if (arg)
			hrtimer_start(&alarm_clock, wake_period, HRTIMER_MODE_REL);
		return 0;
	default:
		return -ENOTTY;
	}
}

static const struct file_operations fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = storm_ioctl,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "storm",
	.fops = &fops,
	.mode = 0600,
};

static int __init storm_init(void)
{
	int ret;

	hrtimer_init(&alarm_clock, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	alarm_clock.function = wake;
	ret = register_nmi_handler(NMI_LOCAL, nmi, 0, "storm");
	if (ret)
		return ret;
	ret = misc_register(&device);
	if (ret)
		unregister_nmi_handler(NMI_LOCAL, "storm");
	return ret;
}
module_init(storm_init);

static void __exit storm_exit(void)
{
	misc_deregister(&device);
	hrtimer_cancel(&alarm_clock);
	unregister_nmi_handler(NMI_LOCAL, "storm");
}
module_exit(storm_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("vitro's storms: NMIs and an alarm clock");
