/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ACPI power management registers (ACPI 6.5 section 4.8) and the reset port. */
#ifndef DEVICES_PM_H
#define DEVICES_PM_H

#include "bus.h"

#define PM_BASE		0x600	/* PM1a event block, then the control block, then the timer */
#define PM1_EVT_LEN	4
#define PM1_CNT_OFFSET	4
#define PM1_CNT_LEN	2
#define PM_TMR_OFFSET	8
#define PM_TMR_LEN	4
#define PM_PORTS	12

#define PM_SLP_TYP_S5	5	/* what the DSDT's \_S5 says */

#define PM_RESET_PORT	0xcf9
#define PM_RESET_VALUE	0x06

/**
 * struct pm - the registers
 * @machine: who is powered off or reset
 * @sci: the interrupt line for events
 * @now: nanoseconds of a clock that never goes back
 * @status: PM1 status: events that came
 * @enable: PM1 enable: those that interrupt
 * @control: PM1 control
 * @reset: the reset port
 */
struct pm {
	struct machine_port machine;
	struct irq_line sci;
	int64_t (*now)(void);
	uint16_t status;
	uint16_t enable;
	uint16_t control;
	uint8_t reset;
};

extern const struct bus_ops pm_ops;
extern const struct bus_ops pm_reset_ops;

void pm_init(struct pm *pm, struct machine_port machine, struct irq_line sci,
	     int64_t (*now)(void));
void pm_press_button(struct pm *pm);

#endif /* DEVICES_PM_H */
