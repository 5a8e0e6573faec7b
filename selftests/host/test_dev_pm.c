// SPDX-License-Identifier: GPL-2.0-or-later
/* Power-off and reset: PM1 control, the reset port, the i8042; and the PM timer. */
#include "../../userspace/devices/i8042.c"
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

static const struct machine_port machine = { .request = request };

static void test_pm1(void)
{
	struct pm pm;

	pm_init(&pm, machine, read_now);
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

static void test_timer(void)
{
	struct pm pm;
	uint32_t a, b;

	pm_init(&pm, machine, read_now);
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
	struct i8042 i8042;

	pm_init(&pm, machine, read_now);
	resets = 0;
	pm_reset_ops.write(&pm, 0, 1, 0x02);
	check("choosing the kind does not reset", resets == 0);
	pm_reset_ops.write(&pm, 0, 1, PM_RESET_VALUE);
	check("bit 2 resets", resets == 1);
	check("the port can be read", pm_reset_ops.read(&pm, 0, 1) == PM_RESET_VALUE);
	pm_reset_ops.write(&pm, 0, 1, PM_RESET_VALUE);
	check("only when it changes", resets == 1);

	i8042_init(&i8042, machine);
	check("the keyboard controller is ready for a command", i8042_ops.read(&i8042, 0, 1) == 0);
	i8042_ops.write(&i8042, 0, 1, 0xaa);
	i8042_data_ops.write(&i8042, 0, 1, 0xfe);
	check("other commands, and data, do nothing", resets == 1);
	i8042_ops.write(&i8042, 0, 1, 0xfe);
	check("command 0xfe resets", resets == 2);
}

int main(void)
{
	test_pm1();
	test_timer();
	test_reset();
	return tap_done();
}
