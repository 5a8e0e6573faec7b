// SPDX-License-Identifier: GPL-2.0-or-later
/* Power-off and reset, the power button, the PM timer. */
#include "../../userspace/devices/pm.c"
#include "tap.h"

static int64_t now;
static int poweroffs, resets;

static int64_t read_now(void)
{
	return now;
}

static void request(void *opaque, enum machine_request what)
{
	(void)opaque;
	poweroffs += what == MACHINE_POWEROFF;
	resets += what == MACHINE_RESET;
}

static bool sci;

static void set_sci(void *opaque, int pin, bool level)
{
	(void)opaque;
	(void)pin;
	sci = level;
}

static const struct machine_port machine = { .request = request };
static const struct irq_line line = { .set = set_sci };

static void test_pm1(void)
{
	struct pm pm;

	pm_init(&pm, machine, line, read_now);
	check("ACPI mode is on", pm_ops.read(&pm, PM1_CNT_OFFSET, 2) == CNT_SCI_EN);
	check("no event", pm_ops.read(&pm, PM1_STATUS, 2) == 0);
	pm_ops.write(&pm, PM1_ENABLE, 2, 0x0321);
	check("enable is remembered", pm_ops.read(&pm, PM1_ENABLE, 2) == 0x0321);
	check("by bytes too", pm_ops.read(&pm, PM1_ENABLE + 1, 1) == 0x03);
	pm_ops.write(&pm, PM1_STATUS, 2, 0xffff);
	check("status stays 0", pm_ops.read(&pm, PM1_STATUS, 2) == 0);

	pm_ops.write(&pm, PM1_CNT_OFFSET, 2, 1 << 10 | CNT_SLP_EN);
	check("another sleep state is ignored", poweroffs == 0);
	pm_ops.write(&pm, PM1_CNT_OFFSET, 2, PM_SLP_TYP_S5 << 10);
	check("S5 without SLP_EN: not yet", poweroffs == 0);
	check("SLP_TYP is remembered",
	      pm_ops.read(&pm, PM1_CNT_OFFSET, 2) == (PM_SLP_TYP_S5 << 10 | CNT_SCI_EN));
	pm_ops.write(&pm, PM1_CNT_OFFSET + 1, 1, (PM_SLP_TYP_S5 << 10 | CNT_SLP_EN) >> 8);
	check("S5 with SLP_EN powers off, by a byte write too", poweroffs == 1);
	check("SLP_EN is write-only",
	      !(pm_ops.read(&pm, PM1_CNT_OFFSET, 2) & CNT_SLP_EN) && resets == 0);
}

/* ACPI 6.5 section 4.8.2.2.1, fixed power button */
static void test_button(void)
{
	struct pm pm;

	pm_init(&pm, machine, line, read_now);
	pm_press_button(&pm);
	check("the button is in the status", pm_ops.read(&pm, PM1_STATUS, 2) == 0x100);
	check("... by bytes", pm_ops.read(&pm, PM1_STATUS + 1, 1) == 0x01);
	check("no interrupt before it is enabled", !sci);
	pm_ops.write(&pm, PM1_ENABLE, 2, 0x100);
	check("then there is one", sci);
	check("status and enable at once", pm_ops.read(&pm, PM1_STATUS, 4) == 0x01000100);
	pm_ops.write(&pm, PM1_STATUS, 2, 0xfeff);
	check("other bits do not clear it", sci);
	pm_ops.write(&pm, PM1_STATUS, 2, 0x100);
	check("its own does", !sci && pm_ops.read(&pm, PM1_STATUS, 2) == 0);
	pm_press_button(&pm);
	check("again", sci);
	pm_ops.write(&pm, PM1_STATUS, 4, 0x00000000);
	check("disabled", !sci && pm_ops.read(&pm, PM1_STATUS, 4) == 0x100);
	pm_ops.write(&pm, PM1_STATUS + 1, 1, 0x01);
	check("cleared by a byte", pm_ops.read(&pm, PM1_STATUS, 2) == 0);
	check("the guest decides what comes of it", poweroffs == 1 && resets == 0);
}

static void test_timer(void)
{
	struct pm pm;
	uint32_t a, b;

	pm_init(&pm, machine, line, read_now);
	now = 0;
	a = pm_ops.read(&pm, PM_TMR_OFFSET, 4);
	now = NSEC_PER_SEC;
	b = pm_ops.read(&pm, PM_TMR_OFFSET, 4);
	check("3579545 ticks a second", b - a == 3579545);
	now = 30 * 86400 * NSEC_PER_SEC;
	a = pm_ops.read(&pm, PM_TMR_OFFSET, 4);
	check("after 30 days it is right, modulo 2^32", a == (uint32_t)(30 * 86400LL * 3579545));
	now += NSEC_PER_SEC - 1;
	b = pm_ops.read(&pm, PM_TMR_OFFSET, 4);
	check("also between seconds", b - a == 3579544);
}

static void test_reset(void)
{
	struct pm pm;

	pm_init(&pm, machine, line, read_now);
	resets = 0;
	pm_reset_ops.write(&pm, 0, 1, 0x02);
	check("choosing the kind does not reset", resets == 0);
	pm_reset_ops.write(&pm, 0, 1, PM_RESET_VALUE);
	check("bit 2 resets", resets == 1);
	check("the port can be read", pm_reset_ops.read(&pm, 0, 1) == PM_RESET_VALUE);
	pm_reset_ops.write(&pm, 0, 1, PM_RESET_VALUE);
	check("only when it changes", resets == 1);
}

int main(void)
{
	test_pm1();
	test_button();
	test_timer();
	test_reset();
	return tap_done();
}
