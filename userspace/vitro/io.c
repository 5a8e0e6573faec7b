// SPDX-License-Identifier: GPL-2.0-or-later
/* The virtio devices of a machine, each with a thread that does its I/O. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "machine.h"

#define MAX_COMPLAINTS	10	/* of a device: a guest could fill the terminal */

static void signal_fd(int fd)
{
	const uint64_t one = 1;
	ssize_t n = write(fd, &one, sizeof(one));

	(void)n;	/* fails only when it is signalled anyway */
}

static void drain_fd(int fd)
{
	uint64_t count;
	ssize_t n = read(fd, &count, sizeof(count));

	(void)n;
}

/* -------------------------------------------- what registers ask the thread for */

static void order(struct io *io, enum io_order what)
{
	atomic_store(&io->order, what);
	signal_fd(io->control.fd);
}

static void host_start(void *opaque)
{
	order(opaque, IO_START);
}

/*
 * If the thread has not begun yet, IO_START is forgotten: then there is nothing to
 * stop.  No other order comes in between: while it stops, mmio takes no new status.
 */
static void host_stop(void *opaque)
{
	struct io *io = opaque;

	io->machine->nr_stopping++;
	order(io, IO_STOP);
}

/* A kick that the kernel could not decode, so that it came as an exit. */
static void host_kick(void *opaque, unsigned int queue)
{
	struct io *io = opaque;

	signal_fd(io->kick[queue].source.fd);
}

static void host_interrupt(void *opaque)
{
	struct io *io = opaque;

	signal_fd(io->irq_fd);
}

static void host_fail(void *opaque, const char *why)
{
	struct io *io = opaque;

	if (io->complaints++ >= MAX_COMPLAINTS)
		return;
	fprintf(stderr, "vitro: %s stops until the guest resets it: %s%s\r\n", io->dev->name, why,
		io->complaints == MAX_COMPLAINTS ? " (no more such messages)" : "");
}

/**
 * io_settle - wait until no device is being reset
 * @m: the machine; its lock is held, and given up while waiting
 *
 * For a vCPU's thread that has written a register.  A driver may use its memory for
 * other things when its write of the reset is done; Linux does not read the status
 * back (virtio 1.2, 2.4.2).
 */
void io_settle(struct machine *m)
{
	while (m->nr_stopping)
		pthread_cond_wait(&m->settled, &m->lock);
}

/* ------------------------------------------------------------- the thread */

static void stop_device(struct io *io)
{
	struct machine *m = io->machine;

	virtio_stop(io->dev);
	pthread_mutex_lock(&m->lock);
	virtio_mmio_stopped(&io->mmio);
	m->nr_stopping--;
	pthread_cond_broadcast(&m->settled);
	pthread_mutex_unlock(&m->lock);
}

static void on_control(void *opaque, uint32_t events)
{
	struct io *io = opaque;
	unsigned int i;

	(void)events;
	drain_fd(io->control.fd);
	switch (atomic_exchange(&io->order, IO_NOTHING)) {
	case IO_START:
		virtio_start(io->dev);
		/* A kick may have come before the start, and done nothing. */
		for (i = 0; i < io->nr_kicks; i++)
			signal_fd(io->kick[i].source.fd);
		break;
	case IO_STOP:
		stop_device(io);
		break;
	}
}

/* Edge-triggered: each signal makes the source ready once, and nobody reads the count. */
static void on_kick(void *opaque, uint32_t events)
{
	struct io_kick *kick = opaque;

	(void)events;
	if (virtio_kick(kick->io->dev, kick->queue))
		signal_fd(kick->source.fd);	/* there is more; others first */
}

static void *io_run(void *arg)
{
	struct io *io = arg;

	if (!sandbox_enter(io->role))
		machine_end(io->machine, END_HOST, "no sandbox for a device's thread");
	while (!atomic_load(&io->quit))
		loop_once(&io->loop, -1);
	virtio_stop(io->dev);
	return NULL;
}

/**
 * io_start - start the devices' threads
 * @m: the machine; its vCPUs do not run yet
 *
 * Return: 0 or -errno; io_stop() is due in any case.
 */
int io_start(struct machine *m)
{
	unsigned int i;
	int err;

	for (i = 0; i < m->nr_io; i++) {
		err = pthread_create(&m->io[i]->thread, NULL, io_run, m->io[i]);
		if (err)
			return -err;
		m->io[i]->has_thread = true;
		pthread_setname_np(m->io[i]->thread, m->io[i]->dev->name);
	}
	return 0;
}

/**
 * io_stop - end the devices' threads, and wait for that
 * @m: the machine; its vCPUs do not run any more
 */
void io_stop(struct machine *m)
{
	unsigned int i;

	for (i = 0; i < m->nr_io; i++) {
		if (!m->io[i]->has_thread)
			continue;
		atomic_store(&m->io[i]->quit, true);
		signal_fd(m->io[i]->control.fd);
		pthread_join(m->io[i]->thread, NULL);
	}
}

/* ------------------------------------------------------------ interrupts */

/**
 * io_rerouted - the guest has written an entry of the I/O APIC
 * @m: the machine; its lock is held
 * @pin: the entry's
 *
 * An irqfd carries its message, so that it has to be made anew.  While it is not
 * there, because the pin is masked, the eventfd counts; when it is bound again, the
 * kernel finds the count and sends the message: no interrupt is lost.
 */
void io_rerouted(struct machine *m, int pin)
{
	unsigned int i;

	for (i = 0; i < m->nr_io; i++) {
		struct io *io = m->io[i];
		uint64_t addr;
		uint32_t data;
		bool open = ioapic_edge_message(&m->ioapic, pin, &addr, &data);

		if (io->pin != pin ||
		    (io->bound == open && (!open || (addr == io->addr && data == io->data))))
			continue;
		if (io->bound)
			vitro_vm_irqfd(m->vm, io->irq_fd, io->addr, io->data,
				       VITRO_IRQFD_DEASSIGN);
		/* The kernel refuses what is no message: the guest gets no interrupts. */
		io->bound = open && !vitro_vm_irqfd(m->vm, io->irq_fd, addr, data, 0);
		io->addr = addr;
		io->data = data;
	}
}

/* ------------------------------------------------------- adding a device */

static int make_eventfd(struct loop *loop, struct loop_source *source, uint32_t events,
			void (*ready)(void *opaque, uint32_t events), void *opaque)
{
	source->ready = ready;
	source->opaque = opaque;
	source->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return source->fd < 0 ? -errno : loop_add(loop, source, events);
}

/* A doorbell: the guest writes the queue's number to QueueNotify. */
static int add_kick(struct io *io, uint64_t base, unsigned int queue)
{
	struct io_kick *kick = &io->kick[queue];
	struct vitro_ioeventfd bell = {
		.addr = base + VIRTIO_MMIO_NOTIFY,
		.datamatch = queue,
		.len = 4,
		.flags = VITRO_IOEVENTFD_DATAMATCH,
	};
	int err;

	kick->io = io;
	kick->queue = queue;
	io->nr_kicks++;
	err = make_eventfd(&io->loop, &kick->source, EPOLLIN | EPOLLET, on_kick, kick);
	if (err)
		return err;
	bell.fd = kick->source.fd;
	return vitro_vm_ioeventfd(io->machine->vm, &bell);
}

static void io_free(struct io *io)
{
	unsigned int i;

	if (io->dev->ops->free)
		io->dev->ops->free(io->dev);
	for (i = 0; i < io->nr_kicks; i++)
		close(io->kick[i].source.fd);
	close(io->control.fd);
	close(io->irq_fd);
	loop_fini(&io->loop);
	free(io);
}

static int plug(struct io *io, unsigned int slot)
{
	uint64_t base = VIRTIO_MMIO_BASE + slot * VIRTIO_MMIO_SIZE;
	unsigned int i;
	int err = loop_init(&io->loop);

	io->irq_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (!err && io->irq_fd < 0)
		err = -errno;
	if (!err)
		err = make_eventfd(&io->loop, &io->control, EPOLLIN, on_control, io);
	for (i = 0; i < io->dev->ops->nr_queues && !err; i++)
		err = add_kick(io, base, i);
	if (!err)
		err = bus_add(&io->machine->bus, BUS_MMIO, base, VIRTIO_MMIO_SIZE,
			      &virtio_mmio_ops, &io->mmio);
	return err;
}

/**
 * io_add - put a virtio device into the machine
 * @m: the machine; it has its memory, does not run, and its ACPI tables are not made
 * @dev: the device; the machine owns it from now on, also on failure
 * @role: what its thread may do
 *
 * Return: 0 or -errno; -ENOSPC too many.
 */
int io_add(struct machine *m, struct virtio_dev *dev, enum sandbox_role role)
{
	const struct virtio_mmio_host host = {
		.start = host_start, .stop = host_stop, .kick = host_kick,
		.interrupt = host_interrupt, .fail = host_fail,
	};
	struct io *io = m->nr_io < VIRTIO_MMIO_MAX ? calloc(1, sizeof(*io)) : NULL;
	int err;

	if (!io) {
		err = m->nr_io < VIRTIO_MMIO_MAX ? -ENOMEM : -ENOSPC;
		if (dev->ops->free)
			dev->ops->free(dev);
		return err;
	}
	io->machine = m;
	io->dev = dev;
	io->role = role;
	io->pin = VIRTIO_MMIO_PIN(m->nr_io);
	io->control.fd = -1;
	dev->mem = &m->memory;
	dev->loop = &io->loop;
	virtio_mmio_init(&io->mmio, dev, host);
	io->mmio.host.opaque = io;
	err = plug(io, m->nr_io);
	if (err)
		io_free(io);
	else
		m->io[m->nr_io++] = io;
	return err;
}

/**
 * io_fini - free the devices
 * @m: the machine; their threads have ended
 */
void io_fini(struct machine *m)
{
	while (m->nr_io)
		io_free(m->io[--m->nr_io]);
}
