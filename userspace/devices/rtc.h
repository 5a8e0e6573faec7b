/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A PC's real-time clock and CMOS memory (Motorola MC146818A data sheet). */
#ifndef DEVICES_RTC_H
#define DEVICES_RTC_H

#include "bus.h"

#define RTC_PORT	0x70
#define RTC_PORTS	2
#define RTC_CENTURY	0x32	/* where a PC's firmware keeps it; the FADT says so too */

/**
 * struct rtc_host - what the clock needs of the world
 * @now: nanoseconds since 1970, UTC
 * @arm: call rtc_tick() when @now will be @at; 0 calls it off
 * @opaque: handed to @arm
 */
struct rtc_host {
	int64_t (*now)(void);
	void (*arm)(void *opaque, int64_t at);
	void *opaque;
};

/**
 * struct rtc - the clock
 * @irq: its interrupt line
 * @host: time and alarm clock
 * @index: CMOS byte that the data port shows
 * @cmos: all bytes; those of time are current only while register B's SET is 1
 * @offset: seconds that the guest's clock is ahead of the host's
 * @seen: the guest's second that was last looked at for update and alarm
 */
struct rtc {
	struct irq_line irq;
	struct rtc_host host;
	uint8_t index;
	uint8_t cmos[128];
	int64_t offset;
	int64_t seen;
};

extern const struct bus_ops rtc_ops;

void rtc_init(struct rtc *rtc, struct irq_line irq, struct rtc_host host);
void rtc_tick(struct rtc *rtc);

#endif /* DEVICES_RTC_H */
