// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A split virtqueue (virtio 1.2, 2.7).  Sections named below are of that document.
 *
 * This runs on x86 hosts for x86 guests: the rings' byte order is the host's.
 */
#include <string.h>

#include "virtio.h"

/* ------------------------------------------------ shared memory, read once */

static uint16_t load16(const uint16_t *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static void store16(uint16_t *p, uint16_t value)
{
	__atomic_store_n(p, value, __ATOMIC_RELEASE);
}

/*
 * A table of descriptors in an indirect buffer may lie at any address.  The barrier
 * keeps the compiler from reading the guest's copy again in the place of ours.
 */
static struct virtq_desc load_desc(const struct virtq_desc *table, unsigned int i)
{
	struct virtq_desc desc;

	memcpy(&desc, (const uint8_t *)table + i * sizeof(desc), sizeof(desc));
	__asm__ volatile("" : : : "memory");
	return desc;
}

/* The fields behind the rings (2.7.6, 2.7.8), for VIRTIO_F_EVENT_IDX. */
static uint16_t *used_event(const struct virtqueue *vq)
{
	return &vq->avail->ring[vq->num];
}

static uint16_t *avail_event(const struct virtqueue *vq)
{
	return (uint16_t *)&vq->used->ring[vq->num];
}

/* ------------------------------------------------------------ start and stop */

static void *map_ring(struct virtqueue *vq, const char *what, uint64_t gpa, uint64_t len,
		      unsigned int align)
{
	uint64_t got = len;
	void *ring = guest_memory_find(vq->dev->mem, gpa, &got);

	if (gpa % align) {
		virtio_fail(vq->dev, "queue %u: the %s is at 0x%llx, not on %u bytes", vq->index,
			    what, (unsigned long long)gpa, align);
		return NULL;
	}
	if (!ring || got < len) {
		virtio_fail(vq->dev, "queue %u: the %s is at 0x%llx, outside of memory", vq->index,
			    what, (unsigned long long)gpa);
		return NULL;
	}
	return ring;
}

/**
 * virtqueue_start - the driver has set up a queue: find it in memory
 * @vq: the queue
 *
 * Return: false if the driver set it up wrongly; then the device has failed.
 */
bool virtqueue_start(struct virtqueue *vq)
{
	uint64_t num = vq->num;

	virtqueue_stop(vq);
	if (!vq->ready)
		return true;
	if (!num || num > VIRTQ_MAX_SIZE || num & (num - 1)) {
		virtio_fail(vq->dev, "queue %u: size %u; powers of 2 up to %d are possible",
			    vq->index, vq->num, VIRTQ_MAX_SIZE);
		return false;
	}
	vq->event_idx = virtio_has(vq->dev, VIRTIO_F_EVENT_IDX);
	vq->indirect = virtio_has(vq->dev, VIRTIO_F_INDIRECT_DESC);
	/* Both rings have a field behind them, which exists with VIRTIO_F_EVENT_IDX only. */
	vq->avail = map_ring(vq, "available ring", vq->avail_gpa,
			     4 + num * 2 + (vq->event_idx ? 2 : 0), 2);
	vq->used = map_ring(vq, "used ring", vq->used_gpa, 4 + num * 8 + (vq->event_idx ? 2 : 0),
			    4);
	vq->desc = map_ring(vq, "descriptor table", vq->desc_gpa, num * sizeof(*vq->desc), 16);
	return vq->avail && vq->used && vq->desc;
}

/**
 * virtqueue_stop - the queue is the driver's again; do not touch it any more
 * @vq: the queue
 */
void virtqueue_stop(struct virtqueue *vq)
{
	vq->desc = NULL;
	vq->avail = NULL;
	vq->used = NULL;
	vq->next_avail = 0;
	vq->next_used = 0;
	vq->signalled = 0;
}

/* -------------------------------------------------------- taking buffers */

/*
 * Append memory to a buffer.  A driver that has contiguous memory may still describe
 * it page by page; to the host one long part costs less than many short ones.
 */
static inline bool append(struct virtq_buffer *b, unsigned int *nr, uint8_t *hva, uint64_t len)
{
	struct iovec *next = &b->part[b->nr_out + b->nr_in];

	if (*nr && (uint8_t *)next[-1].iov_base + next[-1].iov_len == hva) {
		next[-1].iov_len += len;
		return true;
	}
	if (next == b->part + VIRTQ_MAX_PARTS)
		return false;
	next->iov_base = hva;
	next->iov_len = len;
	++*nr;
	return true;
}

/*
 * What a descriptor describes, cut where the guest's memory is not contiguous here.
 * A request of 1 MiB has 256 of them: what is done for each one counts.
 */
static inline bool add_part(struct virtqueue *vq, struct virtq_buffer *b,
			    const struct virtq_desc *desc)
{
	bool in = desc->flags & VIRTQ_DESC_F_WRITE;
	uint64_t gpa = desc->addr, left = desc->len, len;
	uint32_t *total = in ? &b->in_len : &b->out_len;
	unsigned int *nr = in ? &b->nr_in : &b->nr_out;
	void *hva;

	if (!in && b->nr_in) {		/* 2.7.4.2 */
		virtio_fail(vq->dev, "queue %u: a part to read after a part to write", vq->index);
		return false;
	}
	/* 2.7.5.2: a chain has at most 2^32 bytes; that one byte less is kept here */
	if (left > (uint64_t)UINT32_MAX - b->out_len - b->in_len) {
		virtio_fail(vq->dev, "queue %u: a buffer of more than 4 GiB", vq->index);
		return false;
	}
	*total += left;
	for (; left; left -= len, gpa += len) {
		len = left;
		hva = guest_memory_find(vq->dev->mem, gpa, &len);
		if (!hva) {
			virtio_fail(vq->dev, "queue %u: a buffer at 0x%llx, outside of memory",
				    vq->index, (unsigned long long)gpa);
			return false;
		}
		if (!append(b, nr, hva, len)) {
			virtio_fail(vq->dev, "queue %u: a buffer of more than %d parts", vq->index,
				    VIRTQ_MAX_PARTS);
			return false;
		}
	}
	return true;
}

/* The table that an indirect descriptor refers to (2.7.5.3); NULL: malformed. */
static const struct virtq_desc *indirect_table(struct virtqueue *vq, const struct virtq_desc *desc)
{
	uint64_t len = desc->len;
	const void *table = guest_memory_find(vq->dev->mem, desc->addr, &len);

	if (!vq->indirect) {
		virtio_fail(vq->dev, "queue %u: an indirect descriptor, without the feature",
			    vq->index);
		return NULL;
	}
	if ((desc->flags & VIRTQ_DESC_F_NEXT) || !desc->len || desc->len % sizeof(*desc)) {
		virtio_fail(vq->dev, "queue %u: an indirect descriptor of %u bytes, flags %u",
			    vq->index, desc->len, desc->flags);
		return NULL;
	}
	if (!table || len < desc->len) {
		virtio_fail(vq->dev, "queue %u: an indirect table at 0x%llx, outside of memory",
			    vq->index, (unsigned long long)desc->addr);
		return NULL;
	}
	return table;
}

/*
 * Follow a chain.  It is a loop if it has more descriptors than its table; nothing
 * else needs to be known of those already visited.
 */
static bool read_chain(struct virtqueue *vq, unsigned int i, struct virtq_buffer *b)
{
	const struct virtq_desc *table = vq->desc;
	unsigned int size = vq->num, seen;
	struct virtq_desc desc;

	for (seen = 0; i < size && seen < size && seen < VIRTQ_MAX_PARTS; seen++) {
		desc = load_desc(table, i);
		if (desc.flags & VIRTQ_DESC_F_INDIRECT) {
			if (table != vq->desc)
				break;	/* a table in a table */
			table = indirect_table(vq, &desc);
			if (!table)
				return false;
			size = desc.len / sizeof(desc);
			seen = -1;	/* 0 for the next round, with the table's first */
			i = 0;
			continue;
		}
		if (!add_part(vq, b, &desc))
			return false;
		if (!(desc.flags & VIRTQ_DESC_F_NEXT))
			return true;
		i = desc.next;
	}
	virtio_fail(vq->dev, "queue %u: a chain of descriptors with a loop, or out of its table",
		    vq->index);
	return false;
}

/**
 * virtqueue_pop - take the next buffer that the driver has made available
 * @vq: the queue
 * @buffer: filled
 *
 * Return: false if there is none; also if the queue is malformed: then the device
 * has failed.
 */
bool virtqueue_pop(struct virtqueue *vq, struct virtq_buffer *buffer)
{
	uint16_t idx, head;

	if (!vq->desc || vq->dev->failed)
		return false;
	idx = load16(&vq->avail->idx);
	if (idx == vq->next_avail)
		return false;
	if ((uint16_t)(idx - vq->next_avail) > vq->num) {
		virtio_fail(vq->dev, "queue %u: %u buffers in a queue of %u", vq->index,
			    (uint16_t)(idx - vq->next_avail), vq->num);
		return false;
	}
	head = load16(&vq->avail->ring[vq->next_avail % vq->num]);
	buffer->head = head;
	buffer->nr_out = 0;
	buffer->nr_in = 0;
	buffer->out_len = 0;
	buffer->in_len = 0;
	if (!read_chain(vq, head, buffer))
		return false;
	vq->next_avail++;
	return true;
}

/* ----------------------------------------------------- returning buffers */

/**
 * virtqueue_stage - prepare to return a buffer; the driver does not see it yet
 * @vq: the queue
 * @head: of a buffer from virtqueue_pop()
 * @written: bytes written to its parts for that, from the first on
 */
void virtqueue_stage(struct virtqueue *vq, uint16_t head, uint32_t written)
{
	struct virtq_used_elem *elem;

	if (!vq->desc || vq->dev->failed)
		return;
	elem = &vq->used->ring[vq->next_used % vq->num];
	elem->id = head;
	elem->len = written;
	vq->next_used++;
}

/**
 * virtqueue_publish - return all staged buffers at once
 * @vq: the queue
 *
 * The driver is not interrupted: see virtqueue_notify().
 */
void virtqueue_publish(struct virtqueue *vq)
{
	if (!vq->desc || vq->dev->failed)
		return;
	store16(&vq->used->idx, vq->next_used);
}

/**
 * virtqueue_push - return a buffer to the driver
 * @vq: the queue
 * @buffer: from virtqueue_pop()
 * @written: bytes written to its parts for that, from the first on
 *
 * The driver is not interrupted: see virtqueue_notify().
 */
void virtqueue_push(struct virtqueue *vq, const struct virtq_buffer *buffer, uint32_t written)
{
	virtqueue_stage(vq, buffer->head, written);
	virtqueue_publish(vq);
}

/* Does the driver want an interrupt for what was returned since the last (2.7.7.2)? */
static bool wants_interrupt(const struct virtqueue *vq)
{
	uint16_t returned = vq->next_used - vq->signalled;

	if (vq->event_idx)
		return (uint16_t)(vq->next_used - load16(used_event(vq)) - 1) < returned;
	return returned && !(load16(&vq->avail->flags) & VIRTQ_AVAIL_F_NO_INTERRUPT);
}

/**
 * virtqueue_notify - buffers have been returned: interrupt the driver if it wants that
 * @vq: the queue
 *
 * Best once after several virtqueue_push().
 */
void virtqueue_notify(struct virtqueue *vq)
{
	if (!vq->desc || vq->dev->failed)
		return;
	/* Either we see that the driver wants one, or the driver sees the buffers. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (wants_interrupt(vq))
		vq->dev->port.used(vq->dev->port.opaque);
	vq->signalled = vq->next_used;
}

/* -------------------------------------------------------------- kicks */

/**
 * virtqueue_kicks_off - we look at the queue: the driver need not kick
 * @vq: the queue
 *
 * With VIRTIO_F_EVENT_IDX that is so already, once it has kicked (2.7.10).
 */
void virtqueue_kicks_off(struct virtqueue *vq)
{
	if (vq->desc && !vq->event_idx)
		store16(&vq->used->flags, VIRTQ_USED_F_NO_NOTIFY);
}

/**
 * virtqueue_kicks_on - we go to sleep: the driver has to kick for the next buffer
 * @vq: the queue
 *
 * Return: true if it added one just before; then do not sleep.
 */
bool virtqueue_kicks_on(struct virtqueue *vq)
{
	if (!vq->desc || vq->dev->failed)
		return false;
	if (vq->event_idx)
		store16(avail_event(vq), vq->next_avail);
	else
		store16(&vq->used->flags, 0);
	/* Either we see the buffer, or the driver sees that it has to kick. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return load16(&vq->avail->idx) != vq->next_avail;
}

/**
 * virtqueue_serve - take buffers, do what they ask for, and return them
 * @vq: the queue
 * @buffer: room for one
 * @serve: does what one asks for; returns the bytes it wrote into it
 *
 * At most VIRTQ_BATCH of them.  This is a virtio_ops.kick for devices that never
 * keep a buffer.
 *
 * A driver that was interrupted adds its next buffers at once; where it has to share a
 * CPU with this thread, that is before the end of virtqueue_notify().  So look again
 * before going to sleep: it costs less than to be woken.
 *
 * Return: true if there are more.
 */
bool virtqueue_serve(struct virtqueue *vq, struct virtq_buffer *buffer,
		     uint32_t (*serve)(struct virtqueue *vq, struct virtq_buffer *buffer))
{
	bool more;
	int n = 0;

	do {
		virtqueue_kicks_off(vq);
		for (; n < VIRTQ_BATCH && virtqueue_pop(vq, buffer); n++)
			virtqueue_push(vq, buffer, serve(vq, buffer));
		virtqueue_notify(vq);
		more = virtqueue_kicks_on(vq);
	} while (more && n < VIRTQ_BATCH);
	return more;
}

/* ------------------------------------------------------- copying helpers */

/*
 * Copy between @data and the bytes from @offset on of @nr parts; to the parts if
 * @in.  Returns the number of bytes that were there.
 */
static size_t copy(const struct iovec *part, unsigned int nr, size_t offset, uint8_t *data,
		   size_t len, bool in)
{
	size_t done = 0, n;
	uint8_t *p;

	for (; nr && done < len; part++, nr--) {
		if (offset >= part->iov_len) {
			offset -= part->iov_len;
			continue;
		}
		p = (uint8_t *)part->iov_base + offset;
		n = part->iov_len - offset;
		if (n > len - done)
			n = len - done;
		memcpy(in ? p : data + done, in ? data + done : p, n);
		done += n;
		offset = 0;
	}
	return done;
}

/**
 * virtq_read - copy from the parts that the device reads
 * @buffer: the buffer
 * @offset: bytes to leave out at the beginning
 * @data: to
 * @len: bytes
 *
 * Return: the bytes copied: less than @len if the buffer has no more.
 */
size_t virtq_read(const struct virtq_buffer *buffer, size_t offset, void *data, size_t len)
{
	return copy(buffer->part, buffer->nr_out, offset, data, len, false);
}

/**
 * virtq_write - copy to the parts that the device writes
 * @buffer: the buffer
 * @offset: bytes to leave out at the beginning
 * @data: from
 * @len: bytes
 *
 * Return: the bytes copied: less than @len if the buffer has no more room.
 */
size_t virtq_write(const struct virtq_buffer *buffer, size_t offset, const void *data, size_t len)
{
	return copy(buffer->part + buffer->nr_out, buffer->nr_in, offset, (uint8_t *)data, len,
		    true);
}
