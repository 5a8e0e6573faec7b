// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * All that a guest reaches by ports and registers, but for virtio: serial port, interrupt
 * controllers, timers, clock, keyboard controller, power management, fw_cfg and the small
 * ones, on one bus and wired as in a machine, under the address and undefined behaviour
 * sanitizers.  A guest that does anything, input from outside, and time that jumps must not
 * lead to
 *
 *   - an access out of bounds, an overflow, or a step that does not end;
 *   - a value wider than what was read;
 *   - a message that is no interrupt's, a vector that is none, a timer set to before 1970;
 *   - more in the serial port's FIFO than fits, or bytes that nobody has sent;
 *
 * and after a reset, everything works.
 */
#include <string.h>
#include <unistd.h>

#include "../../userspace/devices/bus.h"
#include "../../userspace/devices/debugcon.h"
#include "../../userspace/devices/debugexit.h"
#include "../../userspace/devices/fw_cfg.h"
#include "../../userspace/devices/i8042.h"
#include "../../userspace/devices/ioapic.h"
#include "../../userspace/devices/pic.h"
#include "../../userspace/devices/pit.h"
#include "../../userspace/devices/pm.h"
#include "../../userspace/devices/pvpanic.h"
#include "../../userspace/devices/rtc.h"
#include "../../userspace/devices/uart.h"

#include "fuzz.h"

#define ROUNDS		2000
#define INPUT_MAX	2048		/* for some 200 steps */
#define START		1000000000000000000	/* nanoseconds since 1970 */
#define IRQ_COM1	4
#define IRQ_RTC		8
#define IRQ_SCI		9
#define DEBUGEXIT	0xf4
#define NEVER		INT64_MAX

/**
 * struct board - the devices, and what they have asked for
 * @bus: where they are
 * @now: nanoseconds, for all clocks
 * @rtc_at: @pit_at: when they want to be called
 */
static struct board {
	struct bus bus;
	struct uart uart;
	struct ioapic ioapic;
	struct pic pic;
	struct pit pit;
	struct rtc rtc;
	struct pm pm;
	struct i8042 i8042;
	struct fw_cfg fw_cfg;
	struct pvpanic pvpanic;
	struct debugcon debugcon;
	struct debugexit debugexit;
	int64_t now, rtc_at, pit_at;
} b;

enum { MESSAGES, REQUESTS, SENT };

static void must(bool good, const char *what)
{
	if (!good)
		fuzz_wrong("%s", what);
}

/* --------------------------------------------------------------------- what they call */

static int64_t now(void)
{
	return b.now;
}

static void arm_rtc(void *opaque, int64_t at)
{
	(void)opaque;
	must(at >= 0, "the clock wants to be called before 1970");
	b.rtc_at = at ? at : NEVER;
}

static void arm_pit(void *opaque, int64_t at)
{
	(void)opaque;
	must(at >= 0, "the interval timer wants to be called before 1970");
	b.pit_at = at ? at : NEVER;
}

/* SDM 3A 11.11.1: the address of a message to a local APIC. */
static void send_msi(void *opaque, uint64_t addr, uint32_t data)
{
	(void)opaque;
	must(addr >> 20 == 0xfee, "a message that goes to memory");
	must(!(data & 0xffff3800), "a message with reserved bits");
	fuzz_count(MESSAGES);
}

static void intr(void *opaque, bool level)
{
	(void)opaque;
	(void)level;
}

static void set_line(void *opaque, int pin, bool level)
{
	(void)opaque;
	pic_set_line(&b.pic, pin, level);
	ioapic_set_line(&b.ioapic, pin ? pin : IOAPIC_PIN_TIMER, level);
}

static void request(void *opaque, enum machine_request what)
{
	(void)opaque;
	must(what <= MACHINE_PANIC, "a request that there is not");
	fuzz_count(REQUESTS);
}

static void transmit(void *opaque, uint8_t c)
{
	(void)opaque;
	(void)c;
	fuzz_count(SENT);
}

static void ready(void *opaque)
{
	(void)opaque;
}

static void debug_exit(void *opaque, uint32_t value)
{
	(void)opaque;
	(void)value;
	fuzz_count(REQUESTS);
}

/* --------------------------------------------------------------------------- the board */

static void plug(uint64_t base, uint64_t len, const struct bus_ops *ops, void *dev)
{
	if (bus_add(&b.bus, BUS_PIO, base, len, ops, dev))
		abort();
}

static void plug_all(void)
{
	memset(&b.bus, 0, sizeof(b.bus));
	plug(PIC_MASTER, PIC_PORTS, &pic_ops, &b.pic.chip[0]);
	plug(PIC_SLAVE, PIC_PORTS, &pic_ops, &b.pic.chip[1]);
	plug(PIC_ELCR, PIC_ELCR_PORTS, &pic_elcr_ops, &b.pic);
	plug(PIT_PORT, PIT_PORTS, &pit_ops, &b.pit);
	plug(PIT_GATE_PORT, 1, &pit_gate_ops, &b.pit);
	plug(I8042_DATA, 1, &i8042_data_ops, &b.i8042);
	plug(I8042_COMMAND, 1, &i8042_ops, &b.i8042);
	plug(RTC_PORT, RTC_PORTS, &rtc_ops, &b.rtc);
	plug(DEBUGCON_PORT, 1, &debugcon_ops, &b.debugcon);
	plug(DEBUGEXIT, 1, &debugexit_ops, &b.debugexit);
	plug(UART_COM1, UART_PORTS, &uart_ops, &b.uart);
	plug(PVPANIC_PORT, 1, &pvpanic_ops, &b.pvpanic);
	plug(FW_CFG_PORT, FW_CFG_PORTS, &fw_cfg_ops, &b.fw_cfg);
	plug(PM_BASE, PM_PORTS, &pm_ops, &b.pm);
	plug(PM_RESET_PORT, 1, &pm_reset_ops, &b.pm);
	if (bus_add(&b.bus, BUS_MMIO, IOAPIC_BASE, IOAPIC_SIZE, &ioapic_ops, &b.ioapic))
		abort();
}

static struct irq_line line(int pin)
{
	return (struct irq_line){ .set = set_line, .pin = pin };
}

static void reset(void)
{
	const struct machine_port port = { .request = request };
	const struct uart_host terminal = { .transmit = transmit, .ready = ready };
	const struct rtc_host clock = { .now = now, .arm = arm_rtc };
	const struct pit_host timer = { .now = now, .arm = arm_pit };

	b.rtc_at = NEVER;
	b.pit_at = NEVER;
	ioapic_init(&b.ioapic, send_msi, NULL);
	pic_init(&b.pic, 1U << IRQ_SCI, intr, NULL);
	pit_init(&b.pit, line(0), timer);
	uart_init(&b.uart, line(IRQ_COM1), terminal);
	rtc_init(&b.rtc, line(IRQ_RTC), clock);
	pm_init(&b.pm, port, line(IRQ_SCI), now);
	i8042_init(&b.i8042, port);
	pvpanic_init(&b.pvpanic, port);
	debugcon_init(&b.debugcon, transmit, NULL);
	debugexit_init(&b.debugexit, debug_exit, NULL);
	fw_cfg_init(&b.fw_cfg, 256 << 20, 4);
}

static uint8_t in(uint16_t port)
{
	return bus_read(&b.bus, BUS_PIO, port, 1);
}

static void out(uint16_t port, uint8_t value)
{
	bus_write(&b.bus, BUS_PIO, port, 1, value);
}

static bool works(void)
{
	char who[5] = "";
	int i;

	out(UART_COM1 + 7, 0x5a);			/* scratch register */
	out(UART_COM1 + 4, 8);				/* OUT2: interrupts, */
	out(UART_COM1 + 1, 1);				/* for input */
	bus_write(&b.bus, BUS_PIO, FW_CFG_PORT, 2, 0);	/* the signature */
	for (i = 0; i < 4; i++)
		who[i] = in(FW_CFG_PORT + 1);
	bus_write(&b.bus, BUS_MMIO, IOAPIC_BASE, 4, 1);	/* IOAPICVER */
	out(RTC_PORT, 0);				/* seconds, in BCD */
	return in(UART_COM1 + 7) == 0x5a && !strcmp(who, "QEMU") && in(RTC_PORT + 1) < 0x60 &&
	       bus_read(&b.bus, BUS_MMIO, IOAPIC_BASE + 0x10, 4) >> 16 == IOAPIC_PINS - 1 &&
	       pic_ack(&b.pic) == -1 && uart_receive(&b.uart, (const uint8_t *)"x", 1) == 1 &&
	       in(UART_COM1) == 'x';
}

/* ------------------------------------------------------------------------------- steps */

/* Values that registers have bits for, more often than others. */
static uint64_t some_value(void)
{
	switch (rnd(4)) {
	case 0:
		return 1ULL << rnd(64);
	case 1:
		return rnd(2) ? ~0ULL : 0;
	default:
		return rnd(~0ULL);
	}
}

/* On or near a device, mostly; sizes as the bus may see them. */
static void access_registers(void)
{
	enum bus_space space = one_in(4) ? BUS_MMIO : BUS_PIO;
	const struct bus_range *range = &b.bus.range[space][rnd(b.bus.nr[space])];
	uint64_t addr = range->base + rnd(range->len + 2) - rnd(2);
	int size = 1 << rnd(space == BUS_PIO ? 3 : 4);
	unsigned int times = one_in(8) ? 1 + rnd(64) : 1;	/* as REP INS and REP OUTS do */
	uint64_t value;

	/* The I/O APIC's two registers are all of its page that is used. */
	if (space == BUS_MMIO && !one_in(4))
		addr = IOAPIC_BASE + 0x10 * rnd(2);
	if (space == BUS_PIO)
		addr &= 0xffff;
	if (rnd(2)) {
		while (times--)
			bus_write(&b.bus, space, addr, size, some_value());
		return;
	}
	while (times--) {
		value = bus_read(&b.bus, space, addr, size);
		must(size == 8 || value >> (8 * size) == 0, "a value wider than what was read");
	}
}

/* An entry of the I/O APIC that is open: by chance alone, hardly any is. */
static void route(void)
{
	bus_write(&b.bus, BUS_MMIO, IOAPIC_BASE, 4, 0x10 + 2 * rnd(IOAPIC_PINS));
	bus_write(&b.bus, BUS_MMIO, IOAPIC_BASE + 0x10, 4, rnd(~0ULL) & ~(1ULL << 16));
}

static void type(void)
{
	uint8_t text[40];
	size_t len = 1 + rnd(sizeof(text)), i, n;

	for (i = 0; i < len; i++)
		text[i] = rnd(256);
	n = uart_receive(&b.uart, text, len);
	must(n <= len && n <= UART_FIFO_SIZE, "the serial port takes more than it was given");
}

/* Timers are late, early, or on time. */
static void let_time_pass(void)
{
	b.now += one_in(8) ? rnd(1ULL << 50) : rnd(20000000);
	if (b.now >= b.rtc_at || one_in(16)) {
		b.rtc_at = NEVER;
		rtc_tick(&b.rtc);
	}
	if (b.now >= b.pit_at || one_in(16)) {
		b.pit_at = NEVER;
		pit_tick(&b.pit);
	}
}

static void acknowledge(void)
{
	int vector = pic_ack(&b.pic);

	must(vector >= -1 && vector <= 255, "a vector that is none");
	ioapic_eoi(&b.ioapic, rnd(256));
}

static void one_step(void)
{
	switch (rnd(16)) {
	case 0:
		type();
		break;
	case 1:
		let_time_pass();
		break;
	case 2:
		acknowledge();
		break;
	case 3:
		ioapic_set_line(&b.ioapic, rnd(IOAPIC_PINS), rnd(2));
		break;
	case 4:
		if (one_in(8))
			pm_press_button(&b.pm);
		break;
	case 5:
		route();
		break;
	default:
		access_registers();
		break;
	}
	must(b.uart.rx_count >= 0 && b.uart.rx_count <= UART_FIFO_SIZE &&
	     b.uart.rx_head >= 0 && b.uart.rx_head < UART_FIFO_SIZE,
	     "the serial port's FIFO is out of bounds");
}

static void one_round(const void *what)
{
	(void)what;
	b.now = START;
	reset();
	while (fuzz_more())
		one_step();
	reset();
	must(works(), "after a reset, not all works");
}

static const struct fuzz_target board = {
	"board", one_round, NULL, ROUNDS, INPUT_MAX, { "messages", "requests", "characters" }
};

int main(int argc, char **argv)
{
	plug_all();
	return fuzz_main(argc, argv, &board, 1);
}
