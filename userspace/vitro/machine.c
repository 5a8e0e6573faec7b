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

#include "gdb.h"
#include "machine.h"

/* ISA interrupts. */
#define IRQ_PIT		0
#define IRQ_COM1	4
#define IRQ_RTC		8
#define IRQ_SCI		9	/* the FADT says so */

/* The message that is the 8259s' wire to the bootstrap processor (VITRO_SIGNAL_MSI). */
#define PIC_ADDR	0xfee00000
#define PIC_LEVEL	(7U << 8 | 1U << 15)	/* ExtINT, by level */
#define PIC_UP		(1U << 14)

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

/**
 * machine_wake - the main thread's queue of one: "look again"
 * @m: the machine; from any thread
 */
void machine_wake(struct machine *m)
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
 *
 * Return: whether it is this one.
 */
bool machine_end(struct machine *m, enum exitcode status, const char *fmt, ...)
{
	va_list args;
	bool first;
	int n = 0;

	pthread_mutex_lock(&m->end_lock);
	first = !m->ended;
	if (first) {
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
		machine_wake(m);
	}
	pthread_mutex_unlock(&m->end_lock);
	return first;
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
	machine_wake(opaque);
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

static void pic_output(void *opaque, bool level)
{
	struct machine *m = opaque;

	vitro_vm_msi(m->vm, PIC_ADDR, PIC_LEVEL | (level ? PIC_UP : 0));
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

static void arm_pit(void *opaque, int64_t at)
{
	struct machine *m = opaque;

	arm_timer(m->pit_fd, TFD_TIMER_ABSTIME, at / NSEC_PER_SEC, at % NSEC_PER_SEC);
}

/* The guest ends the run by its debug port: this is no crash, whatever was before. */
static void debug_exit(void *opaque, uint32_t value)
{
	struct machine *m = opaque;

	m->panicked = false;
	machine_end(m, (value << 1 | 1) & 0xff, "the guest wrote 0x%x to its debug exit port",
		    value);
}

/* ------------------------------------------------------------------- wiring */

/*
 * An ISA interrupt goes to the 8259s and to the I/O APIC.  The guest uses one of them
 * and masks the other.
 */
static void set_isa_line(void *opaque, int irq, bool level)
{
	struct machine *m = opaque;

	pic_set_line(&m->pic, irq, level);
	ioapic_set_line(&m->ioapic, irq == IRQ_PIT ? IOAPIC_PIN_TIMER : irq, level);
}

static struct irq_line isa_line(struct machine *m, int irq)
{
	return (struct irq_line){ .set = set_isa_line, .opaque = m, .pin = irq };
}

static void init_devices(struct machine *m)
{
	const struct machine_port port = { .request = request, .opaque = m };
	const struct uart_host terminal = {
		.transmit = transmit, .ready = uart_ready, .opaque = m,
	};
	const struct rtc_host clock = { .now = realtime_ns, .arm = arm_rtc, .opaque = m };
	const struct pit_host timer = { .now = monotonic_ns, .arm = arm_pit, .opaque = m };

	ioapic_init(&m->ioapic, send_msi, m);
	m->ioapic.rerouted = rerouted;
	pic_init(&m->pic, 1U << IRQ_SCI, pic_output, m);
	pit_init(&m->pit, isa_line(m, IRQ_PIT), timer);
	uart_init(&m->uart, isa_line(m, IRQ_COM1), terminal);
	rtc_init(&m->rtc, isa_line(m, IRQ_RTC), clock);
	pm_init(&m->pm, port, isa_line(m, IRQ_SCI), monotonic_ns);
	i8042_init(&m->i8042, port);
	pvpanic_init(&m->pvpanic, port);
	debugcon_init(&m->debugcon, transmit, m);
}

static void plug_devices(struct machine *m)
{
	const struct bus_range ports[] = {
		{ PIC_MASTER, PIC_PORTS, &pic_ops, &m->pic.chip[0] },
		{ PIT_PORT, PIT_PORTS, &pit_ops, &m->pit },
		{ I8042_DATA, 1, &i8042_data_ops, &m->i8042 },
		{ PIT_GATE_PORT, 1, &pit_gate_ops, &m->pit },
		{ I8042_COMMAND, 1, &i8042_ops, &m->i8042 },
		{ RTC_PORT, RTC_PORTS, &rtc_ops, &m->rtc },
		{ PIC_SLAVE, PIC_PORTS, &pic_ops, &m->pic.chip[1] },
		{ DEBUGCON_PORT, 1, &debugcon_ops, &m->debugcon },
		{ UART_COM1, UART_PORTS, &uart_ops, &m->uart },
		{ PIC_ELCR, PIC_ELCR_PORTS, &pic_elcr_ops, &m->pic },
		{ PVPANIC_PORT, 1, &pvpanic_ops, &m->pvpanic },
		{ FW_CFG_PORT, FW_CFG_PORTS, &fw_cfg_ops, &m->fw_cfg },
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
 * machine_add_debugexit - let the guest end the run by a port
 * @m: the machine
 * @port: which
 *
 * Return: 0, or -EEXIST another device has it.
 */
int machine_add_debugexit(struct machine *m, unsigned int port)
{
	debugexit_init(&m->debugexit, debug_exit, m);
	return bus_add(&m->bus, BUS_PIO, port, 1, &debugexit_ops, &m->debugexit);
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
	pause_init(&m->pause);
	m->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	m->rtc_fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	m->pit_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	m->panic_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (m->wake_fd < 0 || m->rtc_fd < 0 || m->pit_fd < 0 || m->panic_fd < 0)
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

	refused_close(m);
	control_free(m->control);
	gdb_free(m);
	io_fini(m);
	if (m->hvc) {
		close(m->hvc_pipe[0]);
		close(m->hvc_pipe[1]);
	}
	for (i = 0; i < m->nr_cpus; i++)
		vitro_vcpu_destroy(m->cpu[i].vcpu);
	vitro_vm_destroy(m->vm);
	vitro_close(m->dev);
	close(m->wake_fd);
	close(m->rtc_fd);
	close(m->pit_fd);
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
	if (m->hvc) {
		n = hvc_feed(m, m->console.in, m->console.in_len);
	} else {
		pthread_mutex_lock(&m->lock);
		n = uart_receive(&m->uart, m->console.in, m->console.in_len);
		pthread_mutex_unlock(&m->lock);
	}
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

/**
 * machine_pit_tick - pit_fd has expired
 * @m: the machine
 */
void machine_pit_tick(struct machine *m)
{
	pthread_mutex_lock(&m->lock);
	pit_tick(&m->pit);
	pthread_mutex_unlock(&m->lock);
}

/**
 * machine_press_button - the user presses the power button
 * @m: the machine
 */
void machine_press_button(struct machine *m)
{
	pthread_mutex_lock(&m->lock);
	pm_press_button(&m->pm);
	pthread_mutex_unlock(&m->lock);
}

/**
 * machine_inta - the bootstrap processor takes an interrupt of the 8259s'
 * @m: the machine
 *
 * Return: its vector, or -1: the request has been taken back, and the wire is down.
 */
int machine_inta(struct machine *m)
{
	int vector;

	pthread_mutex_lock(&m->lock);
	vector = pic_ack(&m->pic);
	pthread_mutex_unlock(&m->lock);
	return vector;
}
