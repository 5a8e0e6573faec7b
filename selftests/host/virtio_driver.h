/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The other side of a virtio device, for its tests: guest memory, and a driver for
 * split queues that does exactly what it is told, wrong things included.
 *
 * A test includes the sources of the device and of what all have in common, then this.
 */
#ifndef VIRTIO_DRIVER_H
#define VIRTIO_DRIVER_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define MEM_GPA		0x100000ULL	/* guest memory does not begin at 0 */
#define MEM_SIZE	(8ULL << 20)
#define RINGS_GPA	MEM_GPA		/* a page each: descriptors, available, used */
#define DATA_GPA	(MEM_GPA + 0x100000)
#define QUEUE_SIZE	16

/**
 * struct driver - a device and its driver
 * @dev: the device
 * @mem: the guest's memory
 * @loop: the device's loop
 * @used: @config: interrupts so far
 * @why: what the device last failed with; "" if it did not
 * @free: next descriptor to use, by queue
 * @seen: buffers taken back, by queue
 */
static struct driver {
	struct virtio_dev *dev;
	struct guest_memory mem;
	struct loop loop;
	int used, config;
	char why[200];
	unsigned int free[VIRTIO_MAX_QUEUES];
	uint16_t seen[VIRTIO_MAX_QUEUES];
} drv;

static void drv_used(void *opaque)
{
	(void)opaque;
	drv.used++;
}

static void drv_config(void *opaque)
{
	(void)opaque;
	drv.config++;
}

static void drv_fail(void *opaque, const char *why)
{
	(void)opaque;
	snprintf(drv.why, sizeof(drv.why), "%s", why);
}

/* Guest memory at @gpa. */
static inline uint8_t *at(uint64_t gpa)
{
	return drv.mem.region[0].hva + (gpa - MEM_GPA);
}

static inline struct virtq_desc *drv_desc(unsigned int q)
{
	return (struct virtq_desc *)at(RINGS_GPA + q * 0x3000);
}

static inline struct virtq_avail *drv_avail(unsigned int q)
{
	return (struct virtq_avail *)at(RINGS_GPA + q * 0x3000 + 0x1000);
}

static inline struct virtq_used *drv_used_ring(unsigned int q)
{
	return (struct virtq_used *)at(RINGS_GPA + q * 0x3000 + 0x2000);
}

/* Memory and a loop for a device after its init function. */
static inline void drv_plug(struct virtio_dev *dev)
{
	void *hva = mmap(NULL, MEM_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);

	if (hva == MAP_FAILED || loop_init(&drv.loop))
		abort();
	drv.dev = dev;
	drv.mem.region[0] = (struct guest_region){ MEM_GPA, MEM_SIZE, hva };
	drv.mem.nr = 1;
	dev->mem = &drv.mem;
	dev->loop = &drv.loop;
	dev->port = (struct virtio_port){ drv_used, drv_config, drv_fail, NULL };
}

/* Let the device do what its loop has for it. */
static inline void drv_run(void)
{
	int i;

	for (i = 0; i < 1000 && loop_once(&drv.loop, 0); i++)
		;
}

/* Reset, accept features, set up all queues, DRIVER_OK. */
static inline void drv_start(uint64_t features)
{
	unsigned int q;

	virtio_stop(drv.dev);
	atomic_store(&drv.dev->needs_reset, false);
	drv.used = 0;
	drv.config = 0;
	drv.why[0] = '\0';
	drv.dev->acked = features | VIRTIO_F_VERSION_1;
	for (q = 0; q < drv.dev->ops->nr_queues; q++) {
		struct virtqueue *vq = &drv.dev->vq[q];

		memset(drv_desc(q), 0, 0x3000);
		drv.free[q] = 0;
		drv.seen[q] = 0;
		vq->num = QUEUE_SIZE;
		vq->ready = true;
		vq->desc_gpa = RINGS_GPA + q * 0x3000;
		vq->avail_gpa = vq->desc_gpa + 0x1000;
		vq->used_gpa = vq->desc_gpa + 0x2000;
	}
	virtio_start(drv.dev);
}

/**
 * struct part - of a buffer
 * @gpa: where
 * @len: bytes
 * @in: the device writes there
 */
struct part {
	uint64_t gpa;
	uint32_t len;
	bool in;
};

/* Make a buffer of @nr parts available; returns its head. */
static inline unsigned int drv_add(unsigned int q, const struct part *part, unsigned int nr)
{
	struct virtq_avail *avail = drv_avail(q);
	unsigned int i, d = drv.free[q], head = d;

	for (i = 0; i < nr; i++) {
		unsigned int next = (d + 1) % QUEUE_SIZE;

		drv_desc(q)[d] = (struct virtq_desc){
			.addr = part[i].gpa, .len = part[i].len, .next = next,
			.flags = (part[i].in ? VIRTQ_DESC_F_WRITE : 0) |
				 (i + 1 < nr ? VIRTQ_DESC_F_NEXT : 0),
		};
		d = next;
	}
	drv.free[q] = d;
	avail->ring[avail->idx % QUEUE_SIZE] = head;
	avail->idx++;
	return head;
}

/* One part. */
static inline unsigned int drv_add1(unsigned int q, uint64_t gpa, uint32_t len, bool in)
{
	const struct part part = { gpa, len, in };

	return drv_add(q, &part, 1);
}

/* Kick, and serve until the device has nothing more to do. */
static inline void drv_kick(unsigned int q)
{
	int i;

	for (i = 0; i < 1000 && virtio_kick(drv.dev, q); i++)
		;
	drv_run();
}

/* Take a returned buffer: false if there is none. */
static inline bool drv_take(unsigned int q, struct virtq_used_elem *elem)
{
	const struct virtq_used *used = drv_used_ring(q);

	if (used->idx == drv.seen[q])
		return false;
	*elem = used->ring[drv.seen[q]++ % QUEUE_SIZE];
	return true;
}

/* The length of the buffer returned next; -1: there is none. */
static inline int64_t drv_taken(unsigned int q)
{
	struct virtq_used_elem elem;

	return drv_take(q, &elem) ? (int64_t)elem.len : -1;
}

/* Has the device failed, with such a message? */
static inline bool drv_failed(const char *message)
{
	return drv.dev->failed && atomic_load(&drv.dev->needs_reset) && strstr(drv.why, message);
}

static inline uint64_t drv_config_read(uint64_t offset, int size)
{
	return drv.dev->ops->config_read(drv.dev, offset, size);
}

#endif /* VIRTIO_DRIVER_H */
