// SPDX-License-Identifier: GPL-2.0-or-later
/* The clock: formats, setting, update in progress, alarm and update interrupts. */
#include "../../userspace/devices/rtc.c"
#include "tap.h"

/* 2026-11-21 22:05:09 UTC, a Saturday */
#define START	1795298709LL

static struct rtc rtc;
static int64_t now;
static int64_t armed;
static bool line;

static int64_t read_now(void)
{
	return now;
}

static void set_arm(void *opaque, int64_t at)
{
	(void)opaque;
	armed = at;
}

static void set_irq(void *opaque, int pin, bool level)
{
	(void)opaque;
	(void)pin;
	line = level;
}

static uint8_t get(uint8_t index)
{
	rtc_ops.write(&rtc, 0, 1, index);
	return rtc_ops.read(&rtc, 1, 1);
}

static void set(uint8_t index, uint8_t value)
{
	rtc_ops.write(&rtc, 0, 1, index);
	rtc_ops.write(&rtc, 1, 1, value);
}

static void reset(void)
{
	const struct irq_line irq = { .set = set_irq };
	const struct rtc_host host = { .now = read_now, .arm = set_arm };

	now = START * NSEC_PER_SEC;
	armed = 0;
	line = false;
	rtc_init(&rtc, irq, host);
}

static void pass(int64_t seconds)
{
	now += seconds * NSEC_PER_SEC;
	if (armed && now >= armed)
		rtc_tick(&rtc);
}

static void test_formats(void)
{
	reset();
	check("BCD time", get(CMOS_HOUR) == 0x22 && get(CMOS_MINUTE) == 0x05 &&
	      get(CMOS_SECOND) == 0x09);
	check("BCD date", get(CMOS_YEAR) == 0x26 && get(CMOS_MONTH) == 0x11 &&
	      get(CMOS_DAY) == 0x21);
	check("weekday counts from Sunday = 1", get(CMOS_WEEKDAY) == 7);
	check("century", get(RTC_CENTURY) == 0x20);
	check("the battery is good", get(CMOS_D) == D_VALID);
	set(CMOS_B, B_24H | B_BINARY);
	check("binary time", get(CMOS_HOUR) == 22 && get(CMOS_YEAR) == 26);
	set(CMOS_B, B_BINARY);
	check("12 hours: 10 pm", get(CMOS_HOUR) == (HOUR_PM | 10));
	now += 2 * 3600 * NSEC_PER_SEC;
	check("12 hours: midnight is 12 am", get(CMOS_HOUR) == 12);
	check("the date went on", get(CMOS_DAY) == 22 && get(CMOS_WEEKDAY) == 1);
	now += 12 * 3600 * NSEC_PER_SEC;
	check("12 hours: noon is 12 pm", get(CMOS_HOUR) == (HOUR_PM | 12));
	set(0x40, 0x77);
	check("other bytes are memory", get(0x40) == 0x77);
	check("the index cannot be read", rtc_ops.read(&rtc, 0, 1) == 0xff);
	rtc_ops.write(&rtc, 0, 1, 0x80 | 0x40);
	check("bit 7 of the index is the NMI mask", rtc_ops.read(&rtc, 1, 1) == 0x77);
}

static void test_update(void)
{
	reset();
	check("no update at the beginning of a second", !(get(CMOS_A) & A_UIP));
	now += NSEC_PER_SEC - UIP_NS - 1;
	check("nor long before its end", !(get(CMOS_A) & A_UIP));
	now += 1;
	check("update in progress, 244 us before the end", get(CMOS_A) & A_UIP);
	now += UIP_NS;
	check("then it is over, and the second has changed",
	      !(get(CMOS_A) & A_UIP) && get(CMOS_SECOND) == 0x10);
	set(CMOS_A, 0xff);
	check("UIP cannot be written", !(get(CMOS_A) & A_UIP));
}

static void test_set(void)
{
	reset();
	set(CMOS_B, B_24H | B_SET | B_UIE);
	check("SET clears the update interrupt", !(get(CMOS_B) & B_UIE));
	set(CMOS_SECOND, 0x58);
	set(CMOS_MINUTE, 0x59);
	set(CMOS_HOUR, 0x23);
	set(CMOS_DAY, 0x31);
	set(CMOS_MONTH, 0x12);
	set(CMOS_YEAR, 0x99);
	set(RTC_CENTURY, 0x19);
	pass(100);
	check("while SET is 1 the clock stands", get(CMOS_SECOND) == 0x58);
	set(CMOS_B, B_24H);
	pass(2);
	check("then it runs from there, over the century",
	      get(CMOS_SECOND) == 0 && get(CMOS_HOUR) == 0 && get(CMOS_DAY) == 1 &&
	      get(CMOS_MONTH) == 1 && get(CMOS_YEAR) == 0 && get(RTC_CENTURY) == 0x20);
	set(CMOS_MINUTE, 0x30);
	check("one byte set without SET", get(CMOS_MINUTE) == 0x30 && get(CMOS_HOUR) == 0);
}

static void test_interrupts(void)
{
	reset();
	check("nobody wants ticks", armed == 0);
	pass(1);
	check("flags come without being enabled", get(CMOS_C) == C_UF && !line);
	check("reading C clears it", get(CMOS_C) == 0);

	set(CMOS_B, B_24H | B_UIE);
	check("the update interrupt needs the next second",
	      armed == (START + 2) * NSEC_PER_SEC && !line);
	pass(1);
	check("it comes", line);
	check("C says so", get(CMOS_C) == (C_IRQF | C_UF));
	check("and the line drops", !line && get(CMOS_C) == 0);
	check("the next one is asked for", armed == (START + 3) * NSEC_PER_SEC);
	set(CMOS_B, B_24H);
	check("disabled: called off", armed == 0);

	set(CMOS_SECOND_ALARM, 0x20);
	set(CMOS_MINUTE_ALARM, 0x05);
	set(CMOS_HOUR_ALARM, ALARM_ANY);
	set(CMOS_B, B_24H | B_AIE);
	pass(8);		/* :19 */
	check("not before the alarm", !line);
	pass(1);
	check("the alarm", line && (get(CMOS_C) & (C_IRQF | C_AF)) == (C_IRQF | C_AF));
	pass(3599);
	check("not a second before the next hour's", !line);
	pass(1);
	check("any hour: again after one", line);
	get(CMOS_C);

	pass(3600 * 24 * 365);
	check("a year without ticks is caught up with", line);
	get(CMOS_C);
	now -= 500 * NSEC_PER_SEC;
	rtc_tick(&rtc);
	check("the host's clock may be set back", !line && armed > now);
}

int main(void)
{
	test_formats();
	test_update();
	test_set();
	test_interrupts();
	return tap_done();
}
