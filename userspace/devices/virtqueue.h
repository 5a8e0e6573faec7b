/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A virtqueue: how a driver hands buffers to a device (virtio 1.2, 2.6 and 2.7).
 *
 * The driver puts the numbers of buffers into the available ring; the device takes
 * them, does what they ask for, and returns them by the used ring.  A buffer is a
 * chain of descriptors: parts that the device reads ("out", as seen by the guest),
 * then parts that it writes ("in").
 *
 * The rings lie in memory that the guest may change at any moment.  Whatever is
 * read from there is read once, and checked afterwards.  What is malformed stops
 * the device (virtio_fail): virtqueue_pop() gives no more buffers until the driver
 * has reset it.
 *
 * All functions here are for the device's own thread, while the device runs.
 */
#ifndef DEVICES_VIRTQUEUE_H
#define DEVICES_VIRTQUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#define VIRTQ_MAX_SIZE	512	/* largest queue offered: a chain for 1 MiB in scattered pages */
#define VIRTQ_MAX_PARTS	1024	/* of a buffer: one more wherever a part crosses two regions */
#define VIRTQ_BATCH	64	/* buffers to serve before looking at other things */

struct virtio_dev;

/* The rings' parts in the guest's memory (2.7.5, 2.7.6, 2.7.8); all little endian. */
struct virtq_desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags;
#define VIRTQ_DESC_F_NEXT	1
#define VIRTQ_DESC_F_WRITE	2
#define VIRTQ_DESC_F_INDIRECT	4
	uint16_t next;
};

struct virtq_avail {
	uint16_t flags;
#define VIRTQ_AVAIL_F_NO_INTERRUPT	1
	uint16_t idx;
	uint16_t ring[];	/* then: used_event */
};

struct virtq_used_elem {
	uint32_t id;
	uint32_t len;
};

struct virtq_used {
	uint16_t flags;
#define VIRTQ_USED_F_NO_NOTIFY	1
	uint16_t idx;
	struct virtq_used_elem ring[];	/* then: avail_event */
};

/**
 * struct virtq_buffer - a buffer that the driver has made available
 * @head: number of its first descriptor; it is returned by this
 * @nr_out: @nr_in: parts to be read, and parts to be written
 * @out_len: @in_len: bytes in them; less than 2^32 together
 * @part: first those to be read, then those to be written
 *
 * Parts are not the driver's descriptors: where these follow one another in memory,
 * they are one.  A device may change @part, as long as no part grows.
 */
struct virtq_buffer {
	uint16_t head;
	unsigned int nr_out;
	unsigned int nr_in;
	uint32_t out_len;
	uint32_t in_len;
	struct iovec part[VIRTQ_MAX_PARTS];
};

/**
 * struct virtqueue - a queue
 * @dev: [I] whose
 * @index: [I] its number in the device
 * @num: [r] entries, as the driver chose: a power of 2
 * @ready: [r] the driver has set it up
 * @desc_gpa: @avail_gpa: @used_gpa: [r] where
 * @desc: @avail: @used: [d] the same in this process; NULL if not @ready
 * @next_avail: [d] counts the buffers taken
 * @next_used: [d] counts the buffers returned
 * @signalled: [d] @next_used at the last virtqueue_notify()
 * @event_idx: [d] VIRTIO_F_EVENT_IDX is negotiated
 * @indirect: [d] VIRTIO_F_INDIRECT_DESC is
 *
 * For the letters, see virtio.h.
 */
struct virtqueue {
	struct virtio_dev *dev;
	unsigned int index;
	uint32_t num;
	bool ready;
	uint64_t desc_gpa;
	uint64_t avail_gpa;
	uint64_t used_gpa;
	struct virtq_desc *desc;
	struct virtq_avail *avail;
	struct virtq_used *used;
	uint16_t next_avail;
	uint16_t next_used;
	uint16_t signalled;
	bool event_idx;
	bool indirect;
};

bool virtqueue_start(struct virtqueue *vq);
void virtqueue_stop(struct virtqueue *vq);

bool virtqueue_pop(struct virtqueue *vq, struct virtq_buffer *buffer);
void virtqueue_stage(struct virtqueue *vq, uint16_t head, uint32_t written);
void virtqueue_publish(struct virtqueue *vq);
void virtqueue_push(struct virtqueue *vq, const struct virtq_buffer *buffer, uint32_t written);
void virtqueue_notify(struct virtqueue *vq);
bool virtqueue_serve(struct virtqueue *vq, struct virtq_buffer *buffer,
		     uint32_t (*serve)(struct virtqueue *vq, struct virtq_buffer *buffer));
void virtqueue_kicks_off(struct virtqueue *vq);
bool virtqueue_kicks_on(struct virtqueue *vq);

size_t virtq_read(const struct virtq_buffer *buffer, size_t offset, void *data, size_t len);
size_t virtq_write(const struct virtq_buffer *buffer, size_t offset, const void *data, size_t len);

#endif /* DEVICES_VIRTQUEUE_H */
