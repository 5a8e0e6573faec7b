// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ACPI power management: how the guest powers itself off, resets itself, and
 * reads the time. (Section numbers are those of ACPI 6.5.)
 *
 * There is one event, the power button.  The timer does not report its overflow.
 */
#include "pm.h"

#define PM1_STATUS	0	/* offsets in the event block */
#define PM1_ENABLE	2

/* PM1 status and enable have the same bits (4.8.3.1.1, 4.8.3.1.2) */
#define EVENT_BUTTON	0x0100

/* PM1 control (4.8.3.2.1) */
#define CNT_SCI_EN	0x0001
#define CNT_SLP_TYP(x)	(((x) >> 10) & 7)
#define CNT_SLP_EN	0x2000	/* write-only */
#define CNT_STORED	0x1c06	/* BM_RLD, GBL_RLS, SLP_TYP */

/* The reset port of Intel's chipsets since the PIIX; the FADT points to it. */
#define RESET_CPU	0x04	/* resets when it changes from 0 to 1 */
#define RESET_STORED	0x0a	/* kind of reset: there is one kind here */

#define PM_TIMER_HZ	3579545	/* 4.8.3.3 */
#define NSEC_PER_SEC	1000000000LL

static uint32_t read_timer(const struct pm *pm)
{
	int64_t ns = pm->now();

	/* In two parts, or the product would overflow after 43 minutes. */
	return ns / NSEC_PER_SEC * PM_TIMER_HZ + ns % NSEC_PER_SEC * PM_TIMER_HZ / NSEC_PER_SEC;
}

/* The SCI is a level: as long as an event that is enabled has not been cleared. */
static void update_sci(struct pm *pm)
{
	irq_line_set(&pm->sci, pm->status & pm->enable);
}

/**
 * pm_press_button - somebody presses the power button
 * @pm: the registers
 *
 * What comes of it is the guest's decision.
 */
void pm_press_button(struct pm *pm)
{
	pm->status |= EVENT_BUTTON;
	update_sci(pm);
}

static uint64_t pm_read(void *dev, uint64_t offset, int size)
{
	struct pm *pm = dev;
	unsigned int shift = 8 * (offset & 1);

	if (offset >= PM_TMR_OFFSET)
		return read_timer(pm) >> (8 * (offset - PM_TMR_OFFSET));
	switch (offset & ~1ULL) {
	case PM1_STATUS:
		/* Together with PM1 enable, if the access is that wide. */
		return (size > 2 ? pm->status | (uint32_t)pm->enable << 16 : pm->status) >> shift;
	case PM1_ENABLE:
		return pm->enable >> shift;
	case PM1_CNT_OFFSET:
		/* No SMI command switches ACPI on or off: it is always on. */
		return (pm->control | CNT_SCI_EN) >> shift;
	}
	return ~0ULL;
}

static uint16_t merge(uint16_t old, uint64_t offset, int size, uint64_t value)
{
	if (size > 1)
		return value;
	if (offset & 1)
		return (old & 0x00ff) | value << 8;
	return (old & 0xff00) | value;
}

static void write_control(struct pm *pm, uint16_t value)
{
	pm->control = value & CNT_STORED;
	if ((value & CNT_SLP_EN) && CNT_SLP_TYP(value) == PM_SLP_TYP_S5)
		pm->machine.request(pm->machine.opaque, MACHINE_POWEROFF);
}

static void pm_write(void *dev, uint64_t offset, int size, uint64_t value)
{
	struct pm *pm = dev;

	/* The timer is read-only. */
	switch (offset & ~1ULL) {
	case PM1_STATUS:
		pm->status &= ~merge(0, offset, size, value);	/* cleared by writing 1 */
		if (size > 2)
			pm->enable = value >> 16;
		update_sci(pm);
		break;
	case PM1_ENABLE:
		pm->enable = merge(pm->enable, offset, size, value);
		update_sci(pm);
		break;
	case PM1_CNT_OFFSET:
		write_control(pm, merge(pm->control, offset, size, value));
		break;
	}
}

static uint64_t pm_reset_read(void *dev, uint64_t offset, int size)
{
	struct pm *pm = dev;

	(void)offset;
	(void)size;
	return pm->reset;
}

static void pm_reset_write(void *dev, uint64_t offset, int size, uint64_t value)
{
	struct pm *pm = dev;

	(void)offset;
	(void)size;
	if (value & ~pm->reset & RESET_CPU)
		pm->machine.request(pm->machine.opaque, MACHINE_RESET);
	pm->reset = value & (RESET_STORED | RESET_CPU);
}

const struct bus_ops pm_ops = {
	.read = pm_read,
	.write = pm_write,
	.width = 4,
};

const struct bus_ops pm_reset_ops = {
	.read = pm_reset_read,
	.write = pm_reset_write,
	.width = 1,
};

/**
 * pm_init - the registers after power-on
 * @pm: the registers
 * @machine: who is powered off or reset
 * @sci: the interrupt line for events
 * @now: nanoseconds of a clock that never goes back
 */
void pm_init(struct pm *pm, struct machine_port machine, struct irq_line sci,
	     int64_t (*now)(void))
{
	*pm = (struct pm){ .machine = machine, .sci = sci, .now = now };
}
