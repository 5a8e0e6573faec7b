// SPDX-License-Identifier: GPL-2.0-or-later
/* The serial port: registers, interrupts and flow, as drivers use them. */
#include "../../userspace/devices/uart.c"
#include "tap.h"

static struct uart uart;
static bool line;
static int edges, ready_calls, nr_sent;
static uint8_t sent[64];

static void set_irq(void *opaque, int pin, bool level)
{
	(void)opaque;
	(void)pin;
	edges += level && !line;
	line = level;
}

static void host_transmit(void *opaque, uint8_t c)
{
	(void)opaque;
	sent[nr_sent++ % sizeof(sent)] = c;
}

static void host_ready(void *opaque)
{
	(void)opaque;
	ready_calls++;
}

static uint8_t in(int reg)
{
	return uart_ops.read(&uart, reg, 1);
}

static void out(int reg, uint8_t value)
{
	uart_ops.write(&uart, reg, 1, value);
}

static void reset(void)
{
	const struct irq_line irq = { .set = set_irq };
	const struct uart_host host = { .transmit = host_transmit, .ready = host_ready };

	uart_init(&uart, irq, host);
	line = false;
	edges = 0;
	ready_calls = 0;
	nr_sent = 0;
}

static bool receive(const char *s)
{
	return uart_receive(&uart, (const uint8_t *)s, strlen(s)) == strlen(s);
}

static void test_registers(void)
{
	reset();
	check("after reset: transmitter empty, nothing received", in(REG_LSR) == 0x60);
	check("after reset: no interrupt", in(REG_IIR) == IIR_NONE && !line);
	check("after reset: a terminal is connected", in(REG_MSR) == 0xb0);
	out(REG_SCR, 0x5a);
	check("scratch register", in(REG_SCR) == 0x5a);
	out(REG_IER, 0xff);
	check("the upper bits of IER are 0", in(REG_IER) == 0x0f);
	out(REG_IER, 0);

	out(REG_LCR, 0x83);
	out(REG_DATA, 0x01);
	out(REG_IER, 0x02);
	check("DLAB shows the divisor", in(REG_DATA) == 1 && in(REG_IER) == 2);
	out(REG_LCR, 0x03);
	check("without DLAB IER is back", in(REG_IER) == 0 && nr_sent == 0);
	out(REG_LSR, 0);
	check("LSR cannot be written", in(REG_LSR) == 0x60);
}

/* What drivers/tty/serial/8250 does to find out which chip this is. */
static void test_linux_autoconfig(void)
{
	reset();
	out(REG_IER, 0);
	check("Linux: IER holds 0", (in(REG_IER) & 0x0f) == 0);
	out(REG_IER, 0x0f);
	check("Linux: IER holds 0x0f", (in(REG_IER) & 0x0f) == 0x0f);
	out(REG_IER, 0);
	out(REG_MCR, 0x1a);
	check("Linux: loopback shows RTS and OUT2 as CTS and DCD", (in(REG_MSR) & 0xf0) == 0x90);
	out(REG_MCR, 0);
	out(REG_LCR, 0xbf);
	out(REG_IIR, 0);	/* EFR, in chips that have one */
	out(REG_LCR, 0);
	out(REG_IIR, FCR_ENABLE);
	check("Linux: FIFOs, so a 16550A", in(REG_IIR) >> 6 == 3);

	/* serial8250_do_startup: does the chip raise the interrupt again? */
	out(REG_IER, IER_THRE);
	check("Linux: enabling THRE with an empty transmitter raises it",
	      (in(REG_IIR) & 0x3f) == IIR_THRE);
	out(REG_IER, 0);
	out(REG_IER, IER_THRE);
	check("Linux: and again", (in(REG_IIR) & 0x3f) == IIR_THRE);
}

static void test_transmit(void)
{
	reset();
	out(REG_MCR, MCR_OUT2);
	out(REG_DATA, 'v');
	check("a character goes out", nr_sent == 1 && sent[0] == 'v');
	check("the transmitter is empty at once", in(REG_LSR) == 0x60);
	check("no interrupt unless enabled", !line);
	out(REG_IER, IER_THRE);
	check("enabling it raises the line", line);
	check("IIR says why", in(REG_IIR) == IIR_THRE);
	check("reading IIR clears it", in(REG_IIR) == IIR_NONE && !line);
	edges = 0;
	out(REG_DATA, 'w');
	check("the next character raises it again: an edge", line && edges == 1);
	out(REG_IER, 0);
	check("disabling drops the line", !line);
}

static void test_receive(void)
{
	reset();
	check("nothing is taken before the guest looks", !receive("x") && ready_calls == 0);
	out(REG_MCR, MCR_OUT2);
	out(REG_IIR, FCR_ENABLE | FCR_CLEAR_RX | 0x80);		/* trigger at 8 */
	out(REG_IER, IER_RDA);
	check("enabling the receive interrupt asks for what waits", ready_calls == 1);
	check("the host gives it", receive("x"));
	check("below the trigger: time-out interrupt",
	      line && in(REG_IIR) == (IIR_FIFO | IIR_TIMEOUT));
	check("data ready", in(REG_LSR) & LSR_DR);
	check("the character", in(REG_DATA) == 'x');
	check("read: the line drops", !line && !(in(REG_LSR) & LSR_DR));

	receive("12345678");
	check("at the trigger: received data", in(REG_IIR) == (IIR_FIFO | IIR_RDA));
	out(REG_IIR, FCR_ENABLE | FCR_CLEAR_RX);
	check("FCR empties the FIFO", !(in(REG_LSR) & LSR_DR) && !line);
}

static void test_flow(void)
{
	static const char text[] = "the quick brown fox jumps over the lazy dog";
	size_t given = 0, got = 0, len = strlen(text);
	char seen[64] = "";
	bool overrun = false;

	reset();
	out(REG_MCR, MCR_OUT2);
	out(REG_IIR, FCR_ENABLE);
	out(REG_IER, IER_RDA);
	given = uart_receive(&uart, (const uint8_t *)text, len);
	check("the FIFO takes 16", given == 16);
	check("and no more", uart_receive(&uart, (const uint8_t *)text + given, 1) == 0);
	while (got < len && (in(REG_LSR) & LSR_DR)) {
		seen[got++] = in(REG_DATA);
		overrun |= uart.overrun;
		if (ready_calls) {
			ready_calls = 0;
			given += uart_receive(&uart, (const uint8_t *)text + given, len - given);
		}
	}
	check("all characters arrive, in order", got == len && !memcmp(seen, text, len));
	check("no overrun", !overrun);

	/* The order of Linux' startup and set_termios. */
	reset();
	receive("k");
	out(REG_IER, 0x0f);
	check("trying IER's bits without OUT2 is not looking for input", ready_calls == 0);
	out(REG_IER, 0);
	out(REG_MCR, MCR_OUT2);
	out(REG_IER, IER_RDA);
	check("then it is wanted", ready_calls == 1 && receive("k"));
	out(REG_IIR, FCR_ENABLE);
	check("turning the FIFOs on does not lose it", in(REG_DATA) == 'k');

	reset();
	check("a guest that does not look gets nothing", !receive("k"));
	out(REG_DATA, '>');
	for (got = 0; got < POLLS_MEAN_INPUT; got++)
		in(REG_LSR);
	check("one that polls is noticed", ready_calls == 1 && receive("k"));
	check("and gets it", in(REG_DATA) == 'k');
	reset();
	receive("k");
	for (got = 0; got < 100; got++) {
		in(REG_LSR);
		out(REG_DATA, '.');
	}
	check("waiting for the transmitter is not polling for input", ready_calls == 0);
}

static void test_loopback(void)
{
	int i;

	reset();
	out(REG_MCR, MCR_LOOP | MCR_OUT2);
	out(REG_DATA, 'l');
	check("loopback: nothing goes out", nr_sent == 0);
	check("loopback: it comes back", in(REG_DATA) == 'l');
	check("loopback: the host has to wait", !receive("h"));
	out(REG_IER, IER_RLS);
	for (i = 0; i < 2; i++)
		out(REG_DATA, 'a' + i);
	check("without FIFO the second character overruns",
	      (in(REG_IIR) & 0x0f) == IIR_RLS);
	check("the pins are disconnected, the interrupt's gate too", !line);
	check("LSR says overrun, once", (in(REG_LSR) & LSR_OE) && !(in(REG_LSR) & LSR_OE));
	check("the first character is still there", in(REG_DATA) == 'a');
}

static void test_priority(void)
{
	reset();
	out(REG_IIR, FCR_ENABLE);
	out(REG_IER, IER_ALL);
	out(REG_MCR, MCR_OUT2);
	receive("p");
	out(REG_MCR, MCR_LOOP);		/* CTS, DSR and DCD change */
	uart.overrun = true;
	check("1st: line status", (in(REG_IIR) & 0x0f) == IIR_RLS);
	in(REG_LSR);
	check("2nd: received data", (in(REG_IIR) & 0x0f) == IIR_RDA);
	in(REG_DATA);
	check("3rd: transmitter", (in(REG_IIR) & 0x0f) == IIR_THRE);
	check("4th: modem status", (in(REG_IIR) & 0x0f) == IIR_MSI);
	check("which lines changed", (in(REG_MSR) & MSR_DELTA) == 0x0b);
	check("then none", (in(REG_IIR) & 0x0f) == IIR_NONE);
	check("OUT2 gates the line", !line);
	out(REG_MCR, 0);
	check("without OUT2 no interrupt, whatever waits",
	      in(REG_IIR) != (IIR_FIFO | IIR_NONE) && !line);
}

int main(void)
{
	test_registers();
	test_linux_autoconfig();
	test_transmit();
	test_receive();
	test_flow();
	test_loopback();
	test_priority();
	return tap_done();
}
