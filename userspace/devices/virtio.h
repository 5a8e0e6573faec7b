/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What all virtio devices have in common (virtio 1.2, chapter 2).
 *
 * Two sides meet in a device:
 *
 *  - Registers: the guest's accesses, decoded by a transport (virtio_mmio.c).  They
 *    come from the vCPUs' threads, one at a time, and never wait for I/O.
 *  - Queues: the device's own thread, which takes buffers from the virtqueues and
 *    does the I/O.  It runs the callbacks @start, @kick and @stop of struct
 *    virtio_ops, and whatever the device has put into @loop.
 *
 * The driver's DRIVER_OK hands the queues to the device's thread, a reset takes
 * them back; in between they belong to that thread.  So neither side needs a lock.
 * The letters in brackets say who may touch a field:
 *
 *   [I] immutable after the machine has been built
 *   [r] written by register accesses while the device does not run; after that,
 *	 until it is reset, it may be read by both sides
 *   [d] the device's thread, while it runs
 *   [a] atomic: both
 *
 * Devices know nothing of vitro: a test calls these functions itself, in one thread.
 */
#ifndef DEVICES_VIRTIO_H
#define DEVICES_VIRTIO_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "loop.h"
#include "memory.h"
#include "virtqueue.h"

#define VIRTIO_MAX_QUEUES	8

/* Feature bits of all devices (6). */
#define VIRTIO_F_INDIRECT_DESC	(1ULL << 28)
#define VIRTIO_F_EVENT_IDX	(1ULL << 29)
#define VIRTIO_F_VERSION_1	(1ULL << 32)

/* Device IDs (5). */
enum virtio_id {
	VIRTIO_ID_NET		= 1,
	VIRTIO_ID_BLOCK		= 2,
	VIRTIO_ID_CONSOLE	= 3,
	VIRTIO_ID_RNG		= 4,
	VIRTIO_ID_BALLOON	= 5,
	VIRTIO_ID_VSOCK		= 19,
};

/**
 * struct virtio_ops - what makes a device a disk, a network card, ...
 * @id: which
 * @nr_queues: virtqueues
 * @negotiated: the driver has accepted features: see dev->acked.  A register access,
 *	before the device runs; what the configuration space says may depend on it.
 *	NULL: nothing does.
 * @config_read: value of @size bytes (1, 2, 4) at @offset of the configuration
 *	space; beyond its end, anything.  A register access: what it shares with the
 *	device's thread has to be atomic.  NULL: no configuration space.
 * @config_write: the driver writes there; NULL: nothing can be written
 * @start: device's thread: the driver is ready; dev->acked tells what it knows, the
 *	queues can be used.  Put descriptors into dev->loop.  NULL: nothing to do.
 * @kick: device's thread: buffers may have been added to a queue.  Return true when
 *	there is more to do: it is called again soon, after others had their turn.
 * @stop: device's thread: reset.  Forget buffers, take descriptors out of dev->loop,
 *	return to the state after init.  NULL: nothing to do.
 * @free: the machine has ended: close files, and free @dev.  NULL: nothing to do.
 *
 * After virtio_fail() only @stop is called; sources in dev->loop remain, so look at
 * dev->failed in them, or make do with virtqueue_pop() giving nothing.
 */
struct virtio_ops {
	enum virtio_id id;
	unsigned int nr_queues;
	void (*negotiated)(struct virtio_dev *dev);
	uint64_t (*config_read)(struct virtio_dev *dev, uint64_t offset, int size);
	void (*config_write)(struct virtio_dev *dev, uint64_t offset, int size, uint64_t value);
	void (*start)(struct virtio_dev *dev);
	bool (*kick)(struct virtio_dev *dev, struct virtqueue *vq);
	void (*stop)(struct virtio_dev *dev);
	void (*free)(struct virtio_dev *dev);
};

/**
 * struct virtio_port - what a device asks its transport for; from any thread
 * @used: buffers have been returned: interrupt the driver
 * @config: the configuration, or the status, has changed: interrupt the driver
 * @fail: tell the user that the device has stopped, and why
 * @opaque: handed to them
 */
struct virtio_port {
	void (*used)(void *opaque);
	void (*config)(void *opaque);
	void (*fail)(void *opaque, const char *why);
	void *opaque;
};

/**
 * struct virtio_dev - a device; embedded in the struct of each kind
 * @ops: [I] what it is
 * @name: [I] for messages, such as "disk0"
 * @features: [I] what it offers
 * @mem: [I] the guest's memory
 * @loop: [I] event loop of its thread
 * @port: [I] towards the transport
 * @vq: the queues
 * @acked: [r] the features that the driver accepted
 * @running: [d] @start has been called, and @stop not yet
 * @failed: [d] a queue is malformed; waits for a reset
 * @needs_reset: [a] the same, for the status register
 * @generation: [a] counts changes of the configuration (2.5.1)
 */
struct virtio_dev {
	const struct virtio_ops *ops;
	char name[16];
	uint64_t features;
	const struct guest_memory *mem;
	struct loop *loop;
	struct virtio_port port;
	struct virtqueue vq[VIRTIO_MAX_QUEUES];
	uint64_t acked;
	bool running;
	bool failed;
	atomic_bool needs_reset;
	atomic_uint generation;
};

/* For devices. */
void virtio_init(struct virtio_dev *dev, const struct virtio_ops *ops, const char *name,
		 uint64_t features);
void virtio_config_changed(struct virtio_dev *dev);
void virtio_fail(struct virtio_dev *dev, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), cold));
uint64_t virtio_bytes(const void *config, size_t len, uint64_t offset, int size);

static inline bool virtio_has(const struct virtio_dev *dev, uint64_t feature)
{
	return dev->acked & feature;
}

/* For whoever runs the device's thread. */
void virtio_start(struct virtio_dev *dev);
bool virtio_kick(struct virtio_dev *dev, unsigned int queue);
void virtio_stop(struct virtio_dev *dev);

#endif /* DEVICES_VIRTIO_H */
