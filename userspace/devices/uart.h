/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A 16550A serial port (National Semiconductor PC16550D data sheet). */
#ifndef DEVICES_UART_H
#define DEVICES_UART_H

#include <stddef.h>

#include "bus.h"

#define UART_COM1	0x3f8
#define UART_PORTS	8
#define UART_FIFO_SIZE	16

/**
 * struct uart_host - the other end of the cable
 * @transmit: the guest sent a character
 * @ready: the port takes characters again, after uart_receive() took fewer than
 *	it was given
 * @opaque: handed to both
 */
struct uart_host {
	void (*transmit)(void *opaque, uint8_t c);
	void (*ready)(void *opaque);
	void *opaque;
};

/**
 * struct uart - a serial port
 * @irq: its interrupt line
 * @host: who is connected
 * @ier: @lcr: @mcr: @scr: registers as the guest wrote them
 * @divisor: of the baud rate clock; remembered, but characters take no time here
 * @msr: modem status, with its four change bits
 * @overrun: a character was lost; only loopback can lose one
 * @fifo: FIFO mode is on
 * @trigger: characters that raise the interrupt in FIFO mode
 * @thre: the interrupt "transmitter is empty" waits to be seen
 * @rx: received characters, a ring
 * @rx_head: index of the oldest
 * @rx_count: how many
 * @polls: status reads in a row without anything else in between
 * @starved: the host has more to give
 */
struct uart {
	struct irq_line irq;
	struct uart_host host;
	uint8_t ier, lcr, mcr, scr;
	uint16_t divisor;
	uint8_t msr;
	bool overrun;
	bool fifo;
	int trigger;
	bool thre;
	uint8_t rx[UART_FIFO_SIZE];
	int rx_head;
	int rx_count;
	int polls;
	bool starved;
};

extern const struct bus_ops uart_ops;

void uart_init(struct uart *uart, struct irq_line irq, struct uart_host host);
size_t uart_receive(struct uart *uart, const uint8_t *buf, size_t len);

#endif /* DEVICES_UART_H */
