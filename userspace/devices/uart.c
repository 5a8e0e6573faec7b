// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A 16550A serial port: registers, FIFO, interrupts, loopback.
 *
 * Characters take no time: what the guest sends is on the host's side at once,
 * so the transmitter is always empty, and what the host sends is in the FIFO at
 * once, so "characters wait below the trigger level" (the time-out interrupt)
 * begins with the first of them.  Parity, framing and break do not occur.
 *
 * Section numbers are those of the PC16550D data sheet.
 */
#include <string.h>

#include "uart.h"

enum uart_reg {
	REG_DATA,	/* RBR and THR; divisor low byte while DLAB is set */
	REG_IER,	/* interrupt enable; divisor high byte while DLAB is set */
	REG_IIR,	/* read: interrupt identification; write: FCR, FIFO control */
	REG_LCR,	/* line control */
	REG_MCR,	/* modem control */
	REG_LSR,	/* line status */
	REG_MSR,	/* modem status */
	REG_SCR,	/* scratch */
};

#define IER_RDA		0x01	/* received data available */
#define IER_THRE	0x02	/* transmitter holding register empty */
#define IER_RLS		0x04	/* receiver line status */
#define IER_MSI		0x08	/* modem status */
#define IER_ALL		0x0f

/* Identifications, highest priority first (8.6 and table 4). */
#define IIR_RLS		0x06
#define IIR_RDA		0x04
#define IIR_TIMEOUT	0x0c
#define IIR_THRE	0x02
#define IIR_MSI		0x00
#define IIR_NONE	0x01
#define IIR_FIFO	0xc0

#define FCR_ENABLE	0x01
#define FCR_CLEAR_RX	0x02

#define LCR_DLAB	0x80

#define MCR_DTR		0x01
#define MCR_RTS		0x02
#define MCR_OUT1	0x04
#define MCR_OUT2	0x08
#define MCR_LOOP	0x10
#define MCR_ALL		0x1f

#define LSR_DR		0x01
#define LSR_OE		0x02
#define LSR_THRE	0x20
#define LSR_TEMT	0x40

#define MSR_DELTA	0x0f
#define MSR_TERI	0x04	/* trailing edge of RI: set on its fall only */
#define MSR_CTS		0x10
#define MSR_DSR		0x20
#define MSR_RI		0x40
#define MSR_DCD		0x80

/* Status reads in a row after which the guest is taken to poll for input. */
#define POLLS_MEAN_INPUT	4

static int rx_capacity(const struct uart *uart)
{
	return uart->fifo ? UART_FIFO_SIZE : 1;
}

static uint8_t identify(const struct uart *uart)
{
	if ((uart->ier & IER_RLS) && uart->overrun)
		return IIR_RLS;
	if ((uart->ier & IER_RDA) && uart->rx_count >= uart->trigger)
		return IIR_RDA;
	if ((uart->ier & IER_RDA) && uart->rx_count)
		return IIR_TIMEOUT;
	if ((uart->ier & IER_THRE) && uart->thre)
		return IIR_THRE;
	if ((uart->ier & IER_MSI) && (uart->msr & MSR_DELTA))
		return IIR_MSI;
	return IIR_NONE;
}

/*
 * On a PC's board, OUT2 gates the interrupt line.  In loopback the pins are
 * disconnected, OUT2 included (8.7).
 */
static bool irq_gate(const struct uart *uart)
{
	return (uart->mcr & (MCR_OUT2 | MCR_LOOP)) == MCR_OUT2;
}

static void update_irq(struct uart *uart)
{
	irq_line_set(&uart->irq, irq_gate(uart) && identify(uart) != IIR_NONE);
}

/* The modem lines: in loopback our own outputs, else a terminal that is there. */
static void update_modem(struct uart *uart)
{
	uint8_t old = uart->msr, lines = MSR_CTS | MSR_DSR | MSR_DCD;
	uint8_t changed;

	if (uart->mcr & MCR_LOOP) {
		lines = 0;
		lines |= uart->mcr & MCR_RTS ? MSR_CTS : 0;
		lines |= uart->mcr & MCR_DTR ? MSR_DSR : 0;
		lines |= uart->mcr & MCR_OUT1 ? MSR_RI : 0;
		lines |= uart->mcr & MCR_OUT2 ? MSR_DCD : 0;
	}
	changed = ((old ^ lines) >> 4) & MSR_DELTA;
	if (lines & MSR_RI)
		changed &= ~MSR_TERI;
	uart->msr = lines | (old & MSR_DELTA) | changed;
}

static void rx_push(struct uart *uart, uint8_t c)
{
	uart->rx[(uart->rx_head + uart->rx_count) % UART_FIFO_SIZE] = c;
	uart->rx_count++;
}

static uint8_t rx_pop(struct uart *uart)
{
	uint8_t c;

	if (!uart->rx_count)
		return 0;
	c = uart->rx[uart->rx_head];
	uart->rx_head = (uart->rx_head + 1) % UART_FIFO_SIZE;
	uart->rx_count--;
	return c;
}

static void transmit(struct uart *uart, uint8_t c)
{
	if (uart->mcr & MCR_LOOP) {
		if (uart->rx_count < rx_capacity(uart))
			rx_push(uart, c);
		else
			uart->overrun = true;
	} else {
		uart->host.transmit(uart->host.opaque, c);
	}
	/* It is empty again: writing cleared the interrupt, being empty raises it. */
	uart->thre = true;
}

static void write_ier(struct uart *uart, uint8_t value)
{
	/*
	 * Enabling the transmitter interrupt while the transmitter is empty
	 * raises it at once.  Linux tests this when it opens the port, and
	 * works around chips that do not do it.
	 */
	if ((value & ~uart->ier) & IER_THRE)
		uart->thre = true;
	uart->ier = value & IER_ALL;
}

static void write_fcr(struct uart *uart, uint8_t value)
{
	static const int trigger[] = { 1, 4, 8, 14 };
	bool enable = value & FCR_ENABLE;

	/*
	 * Changing the mode empties the FIFOs (8.5).  Not so here when FIFO mode
	 * begins: Linux enables the receive interrupt just before, and a host is
	 * quicker than any line to send the character that would be lost.
	 */
	if ((uart->fifo && !enable) || (enable && (value & FCR_CLEAR_RX)))
		uart->rx_count = 0;
	uart->fifo = enable;
	uart->trigger = enable ? trigger[value >> 6] : 1;
}

/*
 * Give the guest characters only when it looks for them: it can get the receive
 * interrupt, or it polls.  A driver that starts up tries what bits the chip has,
 * empties the FIFO, and reads the data register once or twice for luck; what
 * somebody typed before that has to wait on the host's side, or it would be gone.
 */
static size_t rx_room(const struct uart *uart)
{
	if (uart->mcr & MCR_LOOP)
		return 0;
	if (!((uart->ier & IER_RDA) && irq_gate(uart)) && uart->polls < POLLS_MEAN_INPUT)
		return 0;
	return rx_capacity(uart) - uart->rx_count;
}

/* Called after each access.  Asking for more only when all is read saves work. */
static void tell_host(struct uart *uart)
{
	if (uart->starved && !uart->rx_count && rx_room(uart)) {
		uart->starved = false;
		uart->host.ready(uart->host.opaque);
	}
}

static uint8_t read_lsr(struct uart *uart)
{
	uint8_t value = LSR_THRE | LSR_TEMT;

	if (uart->rx_count)
		value |= LSR_DR;
	if (uart->overrun)
		value |= LSR_OE;
	uart->overrun = false;
	return value;
}

static uint8_t read_iir(struct uart *uart)
{
	uint8_t value = identify(uart);

	/* Seeing this one in IIR clears it (table 4); others by their own register. */
	if (value == IIR_THRE)
		uart->thre = false;
	return value | (uart->fifo ? IIR_FIFO : 0);
}

static uint8_t read_msr(struct uart *uart)
{
	uint8_t value = uart->msr;

	uart->msr &= ~MSR_DELTA;
	return value;
}

static uint8_t read_reg(struct uart *uart, enum uart_reg reg)
{
	bool dlab = uart->lcr & LCR_DLAB;

	switch (reg) {
	case REG_DATA:
		return dlab ? uart->divisor & 0xff : rx_pop(uart);
	case REG_IER:
		return dlab ? uart->divisor >> 8 : uart->ier;
	case REG_IIR:
		return read_iir(uart);
	case REG_LCR:
		return uart->lcr;
	case REG_MCR:
		return uart->mcr;
	case REG_LSR:
		return read_lsr(uart);
	case REG_MSR:
		return read_msr(uart);
	case REG_SCR:
		return uart->scr;
	}
	return 0xff;
}

static uint64_t uart_read(void *dev, uint64_t offset, int size)
{
	struct uart *uart = dev;
	uint8_t value;

	(void)size;
	if (offset == REG_LSR) {
		if (uart->polls < POLLS_MEAN_INPUT)
			uart->polls++;
	} else if (offset != REG_DATA) {
		uart->polls = 0;
	}
	value = read_reg(uart, offset);
	update_irq(uart);
	tell_host(uart);
	return value;
}

static void uart_write(void *dev, uint64_t offset, int size, uint64_t value)
{
	struct uart *uart = dev;
	bool dlab = uart->lcr & LCR_DLAB;

	(void)size;
	uart->polls = 0;
	switch ((enum uart_reg)offset) {
	case REG_DATA:
		if (dlab)
			uart->divisor = (uart->divisor & 0xff00) | value;
		else
			transmit(uart, value);
		break;
	case REG_IER:
		if (dlab)
			uart->divisor = (uart->divisor & 0xff) | value << 8;
		else
			write_ier(uart, value);
		break;
	case REG_IIR:
		write_fcr(uart, value);
		break;
	case REG_LCR:
		uart->lcr = value;
		break;
	case REG_MCR:
		uart->mcr = value & MCR_ALL;
		update_modem(uart);
		break;
	case REG_LSR:
	case REG_MSR:
		break;		/* read-only; writing is for the chip's factory test */
	case REG_SCR:
		uart->scr = value;
		break;
	}
	update_irq(uart);
	tell_host(uart);
}

const struct bus_ops uart_ops = {
	.read = uart_read,
	.write = uart_write,
	.width = 1,
};

/**
 * uart_init - a serial port after reset (table 1)
 * @uart: the port
 * @irq: its interrupt line
 * @host: who is connected
 */
void uart_init(struct uart *uart, struct irq_line irq, struct uart_host host)
{
	memset(uart, 0, sizeof(*uart));
	uart->irq = irq;
	uart->host = host;
	uart->divisor = 12;	/* 9600 baud */
	uart->trigger = 1;
	uart->msr = MSR_CTS | MSR_DSR | MSR_DCD;
}

/**
 * uart_receive - characters for the guest
 * @uart: the port
 * @buf: the characters
 * @len: how many
 *
 * Return: how many it took.  After taking fewer than @len, it calls the host's
 * ready() when it can take more.
 */
size_t uart_receive(struct uart *uart, const uint8_t *buf, size_t len)
{
	size_t i, room = rx_room(uart);

	if (len > room)
		uart->starved = true;
	else
		room = len;
	for (i = 0; i < room; i++)
		rx_push(uart, buf[i]);
	update_irq(uart);
	return room;
}
