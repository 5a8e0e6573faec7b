/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The other side of a virtio device: a driver, for tests.  Its memory has a border
 * between two regions, and a hole; each region is an allocation of its own, so that
 * ASan sees an access that leaves it.
 *
 * The device's thread is the test's own: what a register access asks it for is done
 * before the access returns.
 */
#ifndef VIRTIO_DRIVER_H
#define VIRTIO_DRIVER_H

#include <stdlib.h>
#include <string.h>

#include "../../userspace/devices/loop.c"
#include "../../userspace/devices/virtqueue.c"
#include "../../userspace/devices/virtio.c"
#include "../../userspace/devices/virtio_mmio.c"

#define REGION		0x40000ULL	/* each; two from 0 on, and one at HIGH */
#define HIGH		0x100000000ULL
#define DATA		0x30000ULL	/* free for buffers, up to 2 * REGION */

/* The rings of a queue; queue 4 ends where DATA begins. */
#define RINGS(q)	(0x4000ULL + (q) * 0x3000ULL)
#define DESC(q)		RINGS(q)
#define AVAIL(q)	(RINGS(q) + 0x1000)
#define USED(q)		(RINGS(q) + 0x2000)

/**
 * struct driver - a driver and the machine it runs in
 * @mmio: the device's registers
 * @dev: the device
 * @memory: its view of the guest's memory
 * @loop: its event loop
 * @size: entries of each queue
 * @nr_avail: buffers made available so far, by queue
 * @nr_seen: buffers seen in the used ring, by queue
 * @next_desc: descriptor to use next, by queue; for driver_put()
 * @interrupts: how many came
 * @held: stops do not happen at once: the device's thread is busy
 * @why: the last message about a failure
 */
struct driver {
	struct virtio_mmio mmio;
	struct virtio_dev *dev;
	struct guest_memory memory;
	struct loop loop;
	unsigned int size;
	uint16_t nr_avail[VIRTIO_MAX_QUEUES];
	uint16_t nr_seen[VIRTIO_MAX_QUEUES];
	unsigned int next_desc[VIRTIO_MAX_QUEUES];
	int interrupts;
	bool held;
	char why[200];
};

/* ---------------------------------------------------------- the machine */

static void driver_host_start(void *opaque)
{
	struct driver *d = opaque;

	virtio_start(d->dev);
}

static void driver_host_stop(void *opaque)
{
	struct driver *d = opaque;

	if (d->held)
		return;
	virtio_stop(d->dev);
	virtio_mmio_stopped(&d->mmio);
}

static void driver_host_kick(void *opaque, unsigned int queue)
{
	struct driver *d = opaque;
	int rounds = 0;

	/* It may say that there is more; but not for ever without that being true. */
	while (virtio_kick(d->dev, queue) && ++rounds < 10000)
		;
}

static void driver_host_interrupt(void *opaque)
{
	struct driver *d = opaque;

	d->interrupts++;
}

static void driver_host_fail(void *opaque, const char *why)
{
	struct driver *d = opaque;

	snprintf(d->why, sizeof(d->why), "%s", why);
}

static inline void driver_init(struct driver *d, struct virtio_dev *dev)
{
	static const uint64_t start[] = { 0, REGION, HIGH };
	const struct virtio_mmio_host host = {
		.start = driver_host_start, .stop = driver_host_stop, .kick = driver_host_kick,
		.interrupt = driver_host_interrupt, .fail = driver_host_fail, .opaque = d,
	};
	unsigned int i;

	memset(d, 0, sizeof(*d));
	loop_init(&d->loop);
	d->dev = dev;
	for (i = 0; i < 3; i++)
		d->memory.region[d->memory.nr++] =
			(struct guest_region){ start[i], REGION, calloc(1, REGION) };
	dev->mem = &d->memory;
	dev->loop = &d->loop;
	virtio_mmio_init(&d->mmio, dev, host);
}

static inline void driver_fini(struct driver *d)
{
	unsigned int i;

	virtio_stop(d->dev);
	if (d->dev->ops->free)
		d->dev->ops->free(d->dev);
	for (i = 0; i < d->memory.nr; i++)
		free(d->memory.region[i].hva);
	loop_fini(&d->loop);
}

/* ------------------------------------------------------ registers, memory */

static inline uint32_t reg_get(struct driver *d, uint64_t reg)
{
	return virtio_mmio_ops.read(&d->mmio, reg, 4);
}

static inline void reg_set(struct driver *d, uint64_t reg, uint32_t value)
{
	virtio_mmio_ops.write(&d->mmio, reg, 4, value);
}

/* Guest memory; @len bytes have to be in one region. */
static inline void *at(struct driver *d, uint64_t gpa, uint64_t len)
{
	uint64_t got = len;
	void *p = guest_memory_find(&d->memory, gpa, &got);

	if (!p || got < len)
		abort();	/* the test's own fault */
	return p;
}

static inline void guest_put(struct driver *d, uint64_t gpa, const void *data, uint64_t len)
{
	const uint8_t *p = data;

	while (len--)
		*(uint8_t *)at(d, gpa++, 1) = *p++;
}

static inline void guest_get(struct driver *d, uint64_t gpa, void *data, uint64_t len)
{
	uint8_t *p = data;

	while (len--)
		*p++ = *(uint8_t *)at(d, gpa++, 1);
}

/* -------------------------------------------------------------- set-up (3.1) */

static inline uint64_t driver_features(struct driver *d)
{
	uint64_t features;

	reg_set(d, REG_FEATURES_SEL, 1);
	features = (uint64_t)reg_get(d, REG_DEVICE_FEATURES) << 32;
	reg_set(d, REG_FEATURES_SEL, 0);
	return features | reg_get(d, REG_DEVICE_FEATURES);
}

/* Up to FEATURES_OK; says whether the device agreed. */
static inline bool driver_negotiate(struct driver *d, uint64_t features)
{
	reg_set(d, REG_STATUS, 0);
	reg_set(d, REG_STATUS, 1);
	reg_set(d, REG_STATUS, 3);
	reg_set(d, REG_DRIVER_SEL, 0);
	reg_set(d, REG_DRIVER_FEATURES, features);
	reg_set(d, REG_DRIVER_SEL, 1);
	reg_set(d, REG_DRIVER_FEATURES, features >> 32);
	reg_set(d, REG_STATUS, 11);
	return reg_get(d, REG_STATUS) == 11;
}

static inline void driver_add_queue(struct driver *d, unsigned int q)
{
	reg_set(d, REG_QUEUE_SEL, q);
	reg_set(d, REG_QUEUE_NUM, d->size);
	reg_set(d, REG_QUEUE_DESC_LOW, DESC(q));
	reg_set(d, REG_QUEUE_DESC_HIGH, 0);
	reg_set(d, REG_QUEUE_AVAIL_LOW, AVAIL(q));
	reg_set(d, REG_QUEUE_AVAIL_HIGH, 0);
	reg_set(d, REG_QUEUE_USED_LOW, USED(q));
	reg_set(d, REG_QUEUE_USED_HIGH, 0);
	reg_set(d, REG_QUEUE_READY, 1);
	memset(at(d, RINGS(q), 0x3000), 0, 0x3000);
	d->nr_avail[q] = 0;
	d->nr_seen[q] = 0;
	d->next_desc[q] = 0;
}

/* All of it, with queues of @size entries; says whether the device runs. */
static inline bool driver_start(struct driver *d, uint64_t features, unsigned int size)
{
	unsigned int q;

	d->size = size;
	d->why[0] = '\0';
	if (!driver_negotiate(d, features | VIRTIO_F_VERSION_1))
		return false;
	for (q = 0; q < d->dev->ops->nr_queues; q++)
		driver_add_queue(d, q);
	reg_set(d, REG_STATUS, 15);
	d->interrupts = 0;
	return reg_get(d, REG_STATUS) == 15;
}

/* ----------------------------------------------------------------- buffers */

static inline struct virtq_desc *desc(struct driver *d, unsigned int q, unsigned int i)
{
	return (struct virtq_desc *)at(d, DESC(q), d->size * 16) + i;
}

static inline struct virtq_avail *avail(struct driver *d, unsigned int q)
{
	return at(d, AVAIL(q), 6 + d->size * 2);
}

static inline struct virtq_used *used(struct driver *d, unsigned int q)
{
	return at(d, USED(q), 6 + d->size * 8);
}

/**
 * struct part - a part of a buffer
 * @gpa: where
 * @len: how long; 0 ends a list
 * @in: the device writes it
 */
struct part {
	uint64_t gpa;
	uint32_t len;
	bool in;
};

/* Make a buffer available, of descriptors from @head on; no kick. */
static inline void driver_add(struct driver *d, unsigned int q, unsigned int head,
			      const struct part *part)
{
	unsigned int i;

	for (i = head; part->len; i++, part++)
		*desc(d, q, i) = (struct virtq_desc){
			part->gpa, part->len,
			(part->in ? VIRTQ_DESC_F_WRITE : 0) | (part[1].len ? VIRTQ_DESC_F_NEXT : 0),
			i + 1,
		};
	avail(d, q)->ring[d->nr_avail[q]++ % d->size] = head;
	avail(d, q)->idx = d->nr_avail[q];
}

static inline void driver_kick(struct driver *d, unsigned int q)
{
	reg_set(d, REG_QUEUE_NOTIFY, q);
}

/* The next used buffer: its head, and how much was written to it; -1 if there is none. */
static inline int driver_take(struct driver *d, unsigned int q, uint32_t *written)
{
	struct virtq_used_elem *elem;

	if (used(d, q)->idx == d->nr_seen[q])
		return -1;
	elem = &used(d, q)->ring[d->nr_seen[q]++ % d->size];
	if (written)
		*written = elem->len;
	return elem->id;
}

/* A buffer of descriptors from 0 on, there and back: the bytes written, or -1. */
static inline int64_t driver_do(struct driver *d, unsigned int q, const struct part *part)
{
	uint32_t written;

	driver_add(d, q, 0, part);
	driver_kick(d, q);
	return driver_take(d, q, &written) == 0 ? (int64_t)written : -1;
}

/* ------------------------- queues with several buffers, devices with a loop */

/* Make a buffer available, of the descriptors that follow those of the last one. */
static inline void driver_put(struct driver *d, unsigned int q, const struct part *part)
{
	unsigned int nr = 0;

	while (part[nr].len)
		nr++;
	if (d->next_desc[q] + nr > d->size)
		d->next_desc[q] = 0;
	driver_add(d, q, d->next_desc[q], part);
	d->next_desc[q] += nr;
}

static inline void driver_put1(struct driver *d, unsigned int q, uint64_t gpa, uint32_t len,
			       bool in)
{
	const struct part part[] = { { gpa, len, in }, { 0, 0, false } };

	driver_put(d, q, part);
}

/* Let the device do what its event loop has for it. */
static inline void driver_run(struct driver *d)
{
	int i;

	for (i = 0; i < 10000 && loop_once(&d->loop, 0); i++)
		;
}

/* How many bytes were written to the buffer that comes back next; -1: none does. */
static inline int64_t driver_taken(struct driver *d, unsigned int q)
{
	uint32_t written;

	return driver_take(d, q, &written) < 0 ? -1 : (int64_t)written;
}

/* Has the device failed, and said so? */
static inline bool driver_failed(struct driver *d, const char *why)
{
	return d->dev->failed && (reg_get(d, REG_STATUS) & STATUS_NEEDS_RESET) &&
	       strstr(d->why, why);
}

#endif /* VIRTIO_DRIVER_H */
