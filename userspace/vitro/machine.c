// SPDX-License-Identifier: GPL-2.0-or-later
/* A machine: which devices it has, how they are wired, and how it ends. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "machine.h"

/* Pins of the I/O APIC: on a PC they are the ISA interrupt's numbers. */
#define PIN_COM1	4
#define PIN_RTC		8

#define NSEC_PER_SEC	1000000000LL

/* After pvpanic: time to print the rest, and to reset if the guest wants to. */
#define PANIC_GRACE_S	1

static int64_t clock_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

static int64_t realtime_ns(void)
{
	return clock_ns(CLOCK_REALTIME);
}

static int64_t monotonic_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

/* The main thread's queue of one: "look again". */
static void wake_main(struct machine *m)
{
	const uint64_t one = 1;
	ssize_t n = write(m->wake_fd, &one, sizeof(one));

	(void)n;	/* fails only when it is awake anyway */
}

/* ------------------------------------------------------------------ the end */

/* An end that a crashed kernel comes to sooner or later. */
static bool follows_panic(enum exitcode status)
{
	return status == END_RESET || status == END_HALTED || status == END_TRIPLE ||
	       status == END_DEADLINE;
}

/**
 * machine_end - the machine has ended; from any thread, under any lock but end_lock
 * @m: the machine
 * @status: exit status of the command
 * @fmt: why, in words
 *
 * The first reason counts.
 */
void machine_end(struct machine *m, enum exitcode status, const char *fmt, ...)
{
	va_list args;
	int n = 0;

	pthread_mutex_lock(&m->end_lock);
	if (!m->ended) {
		m->status = status;
		if (m->panicked && follows_panic(status)) {
			m->status = END_PANIC;
			n = snprintf(m->why, sizeof(m->why), "guest panic; then ");
		}
		va_start(args, fmt);
		vsnprintf(m->why + n, sizeof(m->why) - n, fmt, args);
		va_end(args);
		m->ended = true;
		console_release(&m->console);
		wake_main(m);
	}
	pthread_mutex_unlock(&m->end_lock);
}

/* -------------------------------------------------- what the devices call for */

static void arm_timer(int fd, int flags, time_t sec, long nsec)
{
	const struct itimerspec when = { .it_value = { .tv_sec = sec, .tv_nsec = nsec } };

	timerfd_settime(fd, flags, &when, NULL);
}

static void request(void *opaque, enum machine_request what)
{
	struct machine *m = opaque;

	switch (what) {
	case MACHINE_POWEROFF:
		machine_end(m, END_POWEROFF, "the guest powered itself off");
		break;
	case MACHINE_RESET:
		machine_end(m, END_RESET, "the guest reset itself");
		break;
	case MACHINE_PANIC:
		m->panicked = true;
		arm_timer(m->panic_fd, 0, PANIC_GRACE_S, 0);
		break;
	}
}

static void transmit(void *opaque, uint8_t c)
{
	struct machine *m = opaque;

	console_put(&m->console, c);
	if (panic_scan_char(&m->panic_scan, c))
		m->panicked = true;
}

static void uart_ready(void *opaque)
{
	wake_main(opaque);
}

static void send_msi(void *opaque, uint64_t addr, uint32_t data)
{
	struct machine *m = opaque;

	/*
	 * A message to nobody, or a malformed one, is the guest's own fault: an
	 * I/O APIC sends what it was told to.
	 */
	vitro_vm_msi(m->vm, addr, data);
}

static void rerouted(void *opaque, int pin)
{
	io_rerouted(opaque, pin);
}

static void arm_rtc(void *opaque, int64_t at)
{
	struct machine *m = opaque;

	arm_timer(m->rtc_fd, TFD_TIMER_ABSTIME, at / NSEC_PER_SEC, at % NSEC_PER_SEC);
}

/* ------------------------------------------------------------------- wiring */

static struct irq_line wire(struct machine *m, int pin)
{
	return (struct irq_line){ .set = ioapic_set_line, .opaque = &m->ioapic, .pin = pin };
}

static void init_devices(struct machine *m)
{
	const struct machine_port port = { .request = request, .opaque = m };
	const struct uart_host terminal = {
		.transmit = transmit, .ready = uart_ready, .opaque = m,
	};
	const struct rtc_host clock = { .now = realtime_ns, .arm = arm_rtc, .opaque = m };

	ioapic_init(&m->ioapic, send_msi, m);
	m->ioapic.rerouted = rerouted;
	uart_init(&m->uart, wire(m, PIN_COM1), terminal);
	rtc_init(&m->rtc, wire(m, PIN_RTC), clock);
	pm_init(&m->pm, port, monotonic_ns);
	i8042_init(&m->i8042, port);
	pic_init(&m->pic[0]);
	pic_init(&m->pic[1]);
	pvpanic_init(&m->pvpanic, port);
	debugcon_init(&m->debugcon, transmit, m);
}

static void plug_devices(struct machine *m)
{
	const struct bus_range ports[] = {
		{ PIC_MASTER, PIC_PORTS, &pic_ops, &m->pic[0] },
		{ I8042_DATA, 1, &i8042_data_ops, &m->i8042 },
		{ I8042_COMMAND, 1, &i8042_ops, &m->i8042 },
		{ RTC_PORT, RTC_PORTS, &rtc_ops, &m->rtc },
		{ PIC_SLAVE, PIC_PORTS, &pic_ops, &m->pic[1] },
		{ DEBUGCON_PORT, 1, &debugcon_ops, &m->debugcon },
		{ UART_COM1, UART_PORTS, &uart_ops, &m->uart },
		{ PVPANIC_PORT, 1, &pvpanic_ops, &m->pvpanic },
		{ PM_BASE, PM_PORTS, &pm_ops, &m->pm },
		{ PM_RESET_PORT, 1, &pm_reset_ops, &m->pm },
		{ 0, 0, NULL, NULL }
	};
	const struct bus_range *p;

	for (p = ports; p->len; p++)
		bus_add(&m->bus, BUS_PIO, p->base, p->len, p->ops, p->dev);
	bus_add(&m->bus, BUS_MMIO, IOAPIC_BASE, IOAPIC_SIZE, &ioapic_ops, &m->ioapic);
}

/**
 * machine_init - a machine with devices, without memory and processors
 * @m: the machine, all zero
 *
 * Return: false if the host has no file descriptors left; errno says why.
 */
bool machine_init(struct machine *m)
{
	pthread_mutex_init(&m->lock, NULL);
	pthread_mutex_init(&m->end_lock, NULL);
	pthread_cond_init(&m->settled, NULL);
	m->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	m->rtc_fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	m->panic_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (m->wake_fd < 0 || m->rtc_fd < 0 || m->panic_fd < 0)
		return false;
	console_init(&m->console);
	init_devices(m);
	plug_devices(m);
	return true;
}

/**
 * machine_fini - give back what the machine has of the host
 * @m: the machine; its vCPUs' threads have ended
 */
void machine_fini(struct machine *m)
{
	unsigned int i;

	io_fini(m);
	for (i = 0; i < m->nr_cpus; i++)
		vitro_vcpu_destroy(m->cpu[i].vcpu);
	vitro_vm_destroy(m->vm);
	vitro_close(m->dev);
	close(m->wake_fd);
	close(m->rtc_fd);
	close(m->panic_fd);
}

/* ------------------------------------------ what the main thread has for it */

/**
 * machine_feed - give the guest what the user typed, as far as it takes it
 * @m: the machine; main thread only
 */
void machine_feed(struct machine *m)
{
	size_t n;

	if (!m->console.in_len)
		return;
	pthread_mutex_lock(&m->lock);
	n = uart_receive(&m->uart, m->console.in, m->console.in_len);
	pthread_mutex_unlock(&m->lock);
	console_in_taken(&m->console, n);
}

/**
 * machine_rtc_tick - rtc_fd has expired
 * @m: the machine
 */
void machine_rtc_tick(struct machine *m)
{
	pthread_mutex_lock(&m->lock);
	rtc_tick(&m->rtc);
	pthread_mutex_unlock(&m->lock);
}
