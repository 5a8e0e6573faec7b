/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The virtio devices of a machine, each with a thread that does its I/O.
 *
 * The guest's kick comes by an ioeventfd, the device's interrupt goes by an irqfd:
 * no vCPU's thread takes part.  Letters in brackets as in machine.h and virtio.h.
 */
#ifndef VITRO_IO_H
#define VITRO_IO_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "sandbox.h"
#include "../devices/loop.h"
#include "../devices/virtio.h"
#include "../devices/virtio_mmio.h"

struct machine;

/**
 * struct io_kick - an eventfd that the guest signals
 * @io: [I] whose
 * @queue: [I] for which queue
 * @source: [I] in the thread's loop
 */
struct io_kick {
	struct io *io;
	unsigned int queue;
	struct loop_source source;
};

/* What a vCPU's thread asks a device's thread for. */
enum io_order { IO_NOTHING, IO_START, IO_STOP };

/**
 * struct io - a virtio device in the machine
 * @machine: [I] it
 * @dev: [I] the device
 * @role: [I] what its thread may do
 * @mmio: [m] its registers
 * @loop: its thread's event loop
 * @kick: [I] a doorbell for each queue
 * @nr_kicks: [I] how many are registered
 * @control: [I] eventfd: look at @order and @quit
 * @order: [a] enum io_order, for the thread
 * @quit: [a] the machine has ended
 * @thread: [I] which
 * @has_thread: [I] it has been started
 * @irq_fd: [I] eventfd that sends the device's interrupt while it is @bound
 * @pin: [I] of the I/O APIC
 * @bound: [m] the kernel sends the message when @irq_fd is written
 * @addr: @data: [m] the message
 * @complaints: [d] messages about this device so far
 */
struct io {
	struct machine *machine;
	struct virtio_dev *dev;
	enum sandbox_role role;
	struct virtio_mmio mmio;
	struct loop loop;
	struct io_kick kick[VIRTIO_MAX_QUEUES];
	unsigned int nr_kicks;
	struct loop_source control;
	atomic_uint order;
	atomic_bool quit;
	pthread_t thread;
	bool has_thread;
	int irq_fd;
	int pin;
	bool bound;
	uint64_t addr;
	uint32_t data;
	unsigned int complaints;
};

int io_add(struct machine *m, struct virtio_dev *dev, enum sandbox_role role);
int io_start(struct machine *m);
void io_stop(struct machine *m);
void io_fini(struct machine *m);
void io_settle(struct machine *m);
void io_rerouted(struct machine *m, int pin);

#endif /* VITRO_IO_H */
