/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The registers by which a driver finds and sets up a virtio device (virtio 1.2, 4.2). */
#ifndef DEVICES_VIRTIO_MMIO_H
#define DEVICES_VIRTIO_MMIO_H

#include "bus.h"
#include "virtio.h"

/* Where the devices are: one page each, so that a guest can map them apart. */
#define VIRTIO_MMIO_BASE	0xfe000000ULL
#define VIRTIO_MMIO_SIZE	0x1000
#define VIRTIO_MMIO_MAX		16
#define VIRTIO_MMIO_NOTIFY	0x050	/* register: QueueNotify */

/* Pins of the I/O APIC: those that the ISA bus does not have, in turn. */
#define VIRTIO_MMIO_PIN(n)	(16 + (n) % 8)

/**
 * struct virtio_mmio_host - whoever owns the device's thread
 * @start: have the thread call virtio_start().  Does not wait for it.
 * @stop: have it call virtio_stop(), then virtio_mmio_stopped() under the lock that
 *	register accesses are under.  Does not wait for it.
 * @kick: have it call virtio_kick() for a queue
 * @interrupt: send the device's interrupt: an edge; from any thread
 * @fail: tell the user that the device has stopped, and why; device's thread
 * @opaque: handed to them
 */
struct virtio_mmio_host {
	void (*start)(void *opaque);
	void (*stop)(void *opaque);
	void (*kick)(void *opaque, unsigned int queue);
	void (*interrupt)(void *opaque);
	void (*fail)(void *opaque, const char *why);
	void *opaque;
};

/**
 * struct virtio_mmio - the registers of a device; letters as in virtio.h
 * @dev: [I] the device
 * @host: [I] who runs it
 * @status: [a] device status (2.1), without DEVICE_NEEDS_RESET
 * @stopping: a reset is on its way; @status becomes 0 at its end
 * @features_sel: which half of the features DeviceFeatures shows
 * @driver_sel: which half DriverFeatures sets
 * @driver_features: what the driver has set so far
 * @queue_sel: which queue the queue registers mean
 * @interrupts: [a] InterruptStatus
 *
 * What has no letter belongs to register accesses, which come one at a time.
 */
struct virtio_mmio {
	struct virtio_dev *dev;
	struct virtio_mmio_host host;
	atomic_uint status;
	bool stopping;
	uint32_t features_sel;
	uint32_t driver_sel;
	uint64_t driver_features;
	uint32_t queue_sel;
	atomic_uint interrupts;
};

extern const struct bus_ops virtio_mmio_ops;

void virtio_mmio_init(struct virtio_mmio *mmio, struct virtio_dev *dev,
		      struct virtio_mmio_host host);
void virtio_mmio_stopped(struct virtio_mmio *mmio);

#endif /* DEVICES_VIRTIO_MMIO_H */
