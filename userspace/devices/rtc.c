// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A PC's real-time clock: the host's clock in MC146818 registers.
 *
 * Time is computed when somebody looks.  Only a guest that enabled the update or
 * the alarm interrupt needs a tick each second.  The periodic interrupt is not
 * here: Linux makes its own from high-resolution timers.  Neither is daylight
 * saving (register B's DSE), which PCs stopped using long ago.
 */
#include <string.h>
#include <time.h>

#include "rtc.h"

/* Bytes of the CMOS memory (data sheet, address map). */
enum {
	CMOS_SECOND, CMOS_SECOND_ALARM, CMOS_MINUTE, CMOS_MINUTE_ALARM,
	CMOS_HOUR, CMOS_HOUR_ALARM, CMOS_WEEKDAY, CMOS_DAY, CMOS_MONTH, CMOS_YEAR,
	CMOS_A, CMOS_B, CMOS_C, CMOS_D,
};

#define A_UIP		0x80	/* update in progress */
#define A_DEFAULT	0x26	/* 32768 Hz, 1024 Hz periodic rate */

#define B_SET		0x80	/* the guest sets the time: updates stop */
#define B_AIE		0x20
#define B_UIE		0x10
#define B_BINARY	0x04	/* not BCD */
#define B_24H		0x02

#define C_IRQF		0x80
#define C_AF		0x20
#define C_UF		0x10

#define D_VALID		0x80	/* the battery is good */

#define HOUR_PM		0x80	/* in the 12-hour format */
#define ALARM_ANY	0xc0	/* an alarm byte with both bits set matches everything */

#define NSEC_PER_SEC	1000000000LL
#define UIP_NS		244000	/* UIP is 1 from 244 us before an update */

static int64_t guest_second(const struct rtc *rtc)
{
	return rtc->host.now() / NSEC_PER_SEC + rtc->offset;
}

static uint8_t encode(const struct rtc *rtc, int value)
{
	if (rtc->cmos[CMOS_B] & B_BINARY)
		return value;
	return value / 10 << 4 | value % 10;
}

static int decode(const struct rtc *rtc, uint8_t value)
{
	if (rtc->cmos[CMOS_B] & B_BINARY)
		return value;
	return (value >> 4) * 10 + (value & 0x0f);
}

static uint8_t encode_hour(const struct rtc *rtc, int hour)
{
	if (rtc->cmos[CMOS_B] & B_24H)
		return encode(rtc, hour);
	return encode(rtc, hour % 12 ? hour % 12 : 12) | (hour >= 12 ? HOUR_PM : 0);
}

static int decode_hour(const struct rtc *rtc, uint8_t value)
{
	if (rtc->cmos[CMOS_B] & B_24H)
		return decode(rtc, value);
	return decode(rtc, value & ~HOUR_PM) % 12 + (value & HOUR_PM ? 12 : 0);
}

static void time_to_cmos(struct rtc *rtc, int64_t second)
{
	time_t t = second;
	struct tm tm;
	int year;

	if (!gmtime_r(&t, &tm))
		return;
	year = tm.tm_year < -1900 ? 0 : tm.tm_year + 1900;	/* month 0 of year 0 was set */
	rtc->cmos[CMOS_SECOND] = encode(rtc, tm.tm_sec);
	rtc->cmos[CMOS_MINUTE] = encode(rtc, tm.tm_min);
	rtc->cmos[CMOS_HOUR] = encode_hour(rtc, tm.tm_hour);
	rtc->cmos[CMOS_WEEKDAY] = encode(rtc, tm.tm_wday + 1);
	rtc->cmos[CMOS_DAY] = encode(rtc, tm.tm_mday);
	rtc->cmos[CMOS_MONTH] = encode(rtc, tm.tm_mon + 1);
	rtc->cmos[CMOS_YEAR] = encode(rtc, year % 100);
	rtc->cmos[RTC_CENTURY] = encode(rtc, year / 100);
}

static int64_t cmos_to_time(const struct rtc *rtc)
{
	struct tm tm = {
		.tm_sec = decode(rtc, rtc->cmos[CMOS_SECOND]),
		.tm_min = decode(rtc, rtc->cmos[CMOS_MINUTE]),
		.tm_hour = decode_hour(rtc, rtc->cmos[CMOS_HOUR]),
		.tm_mday = decode(rtc, rtc->cmos[CMOS_DAY]),
		.tm_mon = decode(rtc, rtc->cmos[CMOS_MONTH]) - 1,
		.tm_year = decode(rtc, rtc->cmos[RTC_CENTURY]) * 100 +
			   decode(rtc, rtc->cmos[CMOS_YEAR]) - 1900,
	};

	return timegm(&tm);
}

static bool is_time(uint8_t index)
{
	switch (index) {
	case CMOS_SECOND:
	case CMOS_MINUTE:
	case CMOS_HOUR:
	case CMOS_WEEKDAY:
	case CMOS_DAY:
	case CMOS_MONTH:
	case CMOS_YEAR:
	case RTC_CENTURY:
		return true;
	}
	return false;
}

static bool alarm_byte_matches(uint8_t alarm, uint8_t now)
{
	return (alarm & ALARM_ANY) == ALARM_ANY || alarm == now;
}

static bool alarm_matches(const struct rtc *rtc, int64_t second)
{
	time_t t = second;
	struct tm tm;

	if (!gmtime_r(&t, &tm))
		return false;
	return alarm_byte_matches(rtc->cmos[CMOS_SECOND_ALARM], encode(rtc, tm.tm_sec)) &&
	       alarm_byte_matches(rtc->cmos[CMOS_MINUTE_ALARM], encode(rtc, tm.tm_min)) &&
	       alarm_byte_matches(rtc->cmos[CMOS_HOUR_ALARM], encode_hour(rtc, tm.tm_hour));
}

/* Note the updates since the last look.  After a day every alarm has matched once. */
static void catch_up(struct rtc *rtc)
{
	int64_t now = guest_second(rtc);

	if (rtc->cmos[CMOS_B] & B_SET)
		return;
	if (now < rtc->seen)
		rtc->seen = now;	/* the host's clock was set back */
	if (now - rtc->seen > 24 * 60 * 60)
		rtc->seen = now - 24 * 60 * 60;
	while (rtc->seen < now) {
		rtc->seen++;
		rtc->cmos[CMOS_C] |= C_UF;
		if (alarm_matches(rtc, rtc->seen))
			rtc->cmos[CMOS_C] |= C_AF;
	}
}

static void update_irq(struct rtc *rtc)
{
	/* Register C has its flags at the places of register B's enable bits. */
	bool level = rtc->cmos[CMOS_B] & rtc->cmos[CMOS_C] & (B_AIE | B_UIE);

	rtc->cmos[CMOS_C] = (rtc->cmos[CMOS_C] & ~C_IRQF) | (level ? C_IRQF : 0);
	irq_line_set(&rtc->irq, level);
}

static void arm(struct rtc *rtc)
{
	bool wanted = !(rtc->cmos[CMOS_B] & B_SET) && (rtc->cmos[CMOS_B] & (B_AIE | B_UIE));
	int64_t next = (rtc->seen + 1 - rtc->offset) * NSEC_PER_SEC;

	rtc->host.arm(rtc->host.opaque, wanted ? next : 0);
}

/**
 * rtc_tick - the time that was asked for by arm() is there
 * @rtc: the clock
 */
void rtc_tick(struct rtc *rtc)
{
	catch_up(rtc);
	update_irq(rtc);
	arm(rtc);
}

static uint8_t read_c(struct rtc *rtc)
{
	uint8_t value;

	catch_up(rtc);
	update_irq(rtc);
	value = rtc->cmos[CMOS_C];
	rtc->cmos[CMOS_C] = 0;
	update_irq(rtc);
	return value;
}

static uint64_t rtc_read(void *dev, uint64_t offset, int size)
{
	struct rtc *rtc = dev;
	bool set = rtc->cmos[CMOS_B] & B_SET;

	(void)size;
	if (offset == 0)
		return 0xff;		/* the index cannot be read back */
	if (is_time(rtc->index) && !set)
		time_to_cmos(rtc, guest_second(rtc));
	if (rtc->index == CMOS_A && !set &&
	    rtc->host.now() % NSEC_PER_SEC >= NSEC_PER_SEC - UIP_NS)
		return rtc->cmos[CMOS_A] | A_UIP;
	if (rtc->index == CMOS_C)
		return read_c(rtc);
	return rtc->cmos[rtc->index];
}

static void set_time(struct rtc *rtc)
{
	rtc->offset += cmos_to_time(rtc) - guest_second(rtc);
	rtc->seen = guest_second(rtc);
}

static void write_b(struct rtc *rtc, uint8_t value)
{
	uint8_t old = rtc->cmos[CMOS_B];

	catch_up(rtc);
	if (!(old & B_SET) && (value & B_SET)) {
		time_to_cmos(rtc, guest_second(rtc));
		value &= ~B_UIE;	/* SET clears it (data sheet, register B) */
	}
	rtc->cmos[CMOS_B] = value;
	if ((old & B_SET) && !(value & B_SET))
		set_time(rtc);
	update_irq(rtc);
	arm(rtc);
}

static void write_data(struct rtc *rtc, uint8_t value)
{
	bool set = rtc->cmos[CMOS_B] & B_SET;

	switch (rtc->index) {
	case CMOS_A:
		rtc->cmos[CMOS_A] = value & ~A_UIP;
		return;
	case CMOS_B:
		write_b(rtc, value);
		return;
	case CMOS_C:
	case CMOS_D:
		return;			/* read-only */
	}
	if (is_time(rtc->index) && !set)
		time_to_cmos(rtc, guest_second(rtc));
	rtc->cmos[rtc->index] = value;
	if (is_time(rtc->index) && !set)
		set_time(rtc);
}

static void rtc_write(void *dev, uint64_t offset, int size, uint64_t value)
{
	struct rtc *rtc = dev;

	(void)size;
	if (offset == 0)
		rtc->index = value & 0x7f;	/* bit 7 masks NMI on a PC; none here */
	else
		write_data(rtc, value);
}

const struct bus_ops rtc_ops = {
	.read = rtc_read,
	.write = rtc_write,
	.width = 1,
};

/**
 * rtc_init - a clock that shows the host's time as UTC, in BCD, 24 hours
 * @rtc: the clock
 * @irq: its interrupt line
 * @host: time and alarm clock
 */
void rtc_init(struct rtc *rtc, struct irq_line irq, struct rtc_host host)
{
	memset(rtc, 0, sizeof(*rtc));
	rtc->irq = irq;
	rtc->host = host;
	rtc->cmos[CMOS_A] = A_DEFAULT;
	rtc->cmos[CMOS_B] = B_24H;
	rtc->cmos[CMOS_D] = D_VALID;
	rtc->seen = guest_second(rtc);
}
