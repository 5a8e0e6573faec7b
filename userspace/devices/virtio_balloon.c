// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A memory balloon (virtio 1.2, 5.5): how a guest gives memory back to its host.
 *
 * Two ways.  The balloon proper: the host asks the guest to do without some of its
 * memory (@target); the driver takes pages from its own system and tells their
 * numbers ("inflates").  And free page reporting: the driver tells in passing what is
 * free, and may use it again whenever it likes.
 *
 * In both cases the host gets the pages by MADV_DONTNEED: they are gone from this
 * process, and the kernel's MMU notifier takes them out of the guest's page tables.
 * When the guest touches one again, it gets a page of zeros.  So to deflate the
 * balloon nothing has to be done, and nothing has to be announced.
 */
#include <stdlib.h>
#include <sys/mman.h>

#include "virtio_balloon.h"

/* Features (5.5.3). */
#define F_DEFLATE_ON_OOM	(1ULL << 2)
#define F_PAGE_REPORTING	(1ULL << 5)

/*
 * Queues (5.5.2).  By the specification, reporting has number 4; but Linux leaves no
 * numbers out for queues that belong to features it has not got, and uses 2.  As there
 * are no such queues here, whatever comes after the first two is reporting.
 */
#define QUEUE_INFLATE	0
#define QUEUE_DEFLATE	1
#define NR_QUEUES	5

#define PAGE		4096ULL		/* a page of the balloon's, on any machine (5.5.6) */

/* Page numbers in a buffer.  Linux has 256; a million would keep us from stopping. */
#define MOST_PAGES	65536

static struct virtio_balloon *to_balloon(struct virtio_dev *dev)
{
	return (struct virtio_balloon *)dev;
}

/* ------------------------------------------------------------ giving back */

/*
 * The host's pages that lie completely in a stretch of guest memory.  Where that fails
 * the guest's memory is locked, or of huge pages: it stays, and does no harm.
 */
static void give_back(void *hva, uint64_t len)
{
	uintptr_t start = ((uintptr_t)hva + PAGE - 1) & -PAGE;
	uintptr_t end = ((uintptr_t)hva + len) & -PAGE;

	if (start < end)
		madvise((void *)start, end - start, MADV_DONTNEED);
}

/**
 * struct run - adjacent pages, to be given back at once
 * @gpa: the first
 * @len: bytes; 0: none yet
 */
struct run {
	uint64_t gpa;
	uint64_t len;
};

static void run_end(const struct guest_memory *mem, struct run *run)
{
	uint64_t gpa, len, left = run->len;
	void *hva;

	for (gpa = run->gpa; left; gpa += len, left -= len) {
		len = left;
		hva = guest_memory_find(mem, gpa, &len);
		give_back(hva, len);
	}
	run->len = 0;
}

/* Linux takes pages from the top down, mostly. */
static void run_add(const struct guest_memory *mem, struct run *run, uint64_t gpa)
{
	if (run->len && gpa + PAGE == run->gpa) {
		run->gpa = gpa;
	} else if (!run->len || gpa != run->gpa + run->len) {
		run_end(mem, run);
		run->gpa = gpa;
	}
	run->len += PAGE;
}

static bool is_page(const struct guest_memory *mem, uint64_t gpa)
{
	uint64_t len = PAGE;

	return guest_memory_find(mem, gpa, &len) && len == PAGE;
}

/* ------------------------------------------------------------------ queues */

static uint32_t inflate(struct virtqueue *vq, struct virtq_buffer *buffer)
{
	const struct guest_memory *mem = vq->dev->mem;
	struct run run = { .len = 0 };
	uint32_t pfn[256];
	size_t offset, i, n;

	if (buffer->in_len || buffer->out_len % sizeof(*pfn) ||
	    buffer->out_len > MOST_PAGES * sizeof(*pfn)) {
		virtio_fail(vq->dev, "queue %u: %u bytes of page numbers, and %u to write",
			    vq->index, buffer->out_len, buffer->in_len);
		return 0;
	}
	for (offset = 0; offset < buffer->out_len; offset += n) {
		n = virtq_read(buffer, offset, pfn, sizeof(pfn));
		for (i = 0; i < n / sizeof(*pfn); i++) {
			if (!is_page(mem, pfn[i] * PAGE)) {
				virtio_fail(vq->dev, "queue %u: there is no memory at page 0x%x",
					    vq->index, pfn[i]);
				return 0;
			}
			run_add(mem, &run, pfn[i] * PAGE);
		}
	}
	run_end(mem, &run);
	return 0;
}

static uint32_t deflate(struct virtqueue *vq, struct virtq_buffer *buffer)
{
	(void)vq;
	(void)buffer;
	return 0;
}

/* The buffer itself is what is free (5.5.6.7). */
static uint32_t report(struct virtqueue *vq, struct virtq_buffer *buffer)
{
	unsigned int i;

	if (buffer->nr_out) {
		virtio_fail(vq->dev, "queue %u: free pages that cannot be written", vq->index);
		return 0;
	}
	for (i = 0; i < buffer->nr_in; i++)
		give_back(buffer->part[i].iov_base, buffer->part[i].iov_len);
	return 0;
}

static bool kick(struct virtio_dev *dev, struct virtqueue *vq)
{
	struct virtq_buffer *buffer = &to_balloon(dev)->buffer;

	switch (vq->index) {
	case QUEUE_INFLATE:
		return virtqueue_serve(vq, buffer, inflate);
	case QUEUE_DEFLATE:
		return virtqueue_serve(vq, buffer, deflate);
	default:
		if (!virtio_has(dev, F_PAGE_REPORTING)) {
			virtio_fail(dev, "queue %u: used without its feature", vq->index);
			return false;
		}
		return virtqueue_serve(vq, buffer, report);
	}
}

/* ----------------------------------------------------------- configuration */

static uint64_t config_read(struct virtio_dev *dev, uint64_t offset, int size)
{
	struct virtio_balloon *balloon = to_balloon(dev);
	const struct virtio_balloon_config config = {
		.num_pages = atomic_load(&balloon->target),
		.actual = atomic_load(&balloon->actual),
	};

	return virtio_bytes(&config, sizeof(config), offset, size);
}

static void config_write(struct virtio_dev *dev, uint64_t offset, int size, uint64_t value)
{
	if (offset == offsetof(struct virtio_balloon_config, actual) && size == 4)
		atomic_store(&to_balloon(dev)->actual, value);
}

static void stop(struct virtio_dev *dev)
{
	atomic_store(&to_balloon(dev)->actual, 0);
}

static void balloon_free(struct virtio_dev *dev)
{
	free(to_balloon(dev));
}

static const struct virtio_ops ops = {
	.id = VIRTIO_ID_BALLOON,
	.nr_queues = NR_QUEUES,
	.config_read = config_read,
	.config_write = config_write,
	.kick = kick,
	.stop = stop,
	.free = balloon_free,
};

/* -------------------------------------------------------------------- life */

/**
 * virtio_balloon_init - the device, after reset
 * @balloon: the device, all zero; from malloc, for its @free
 * @name: for messages
 * @target: bytes that the guest is asked to do without
 */
void virtio_balloon_init(struct virtio_balloon *balloon, const char *name, uint64_t target)
{
	virtio_init(&balloon->dev, &ops, name, F_DEFLATE_ON_OOM | F_PAGE_REPORTING);
	atomic_store(&balloon->target, target / PAGE);
}

/**
 * virtio_balloon_set_target - ask the guest to do without more, or less
 * @balloon: the device; from any thread
 * @bytes: how much
 */
void virtio_balloon_set_target(struct virtio_balloon *balloon, uint64_t bytes)
{
	atomic_store(&balloon->target, bytes / PAGE);
	virtio_config_changed(&balloon->dev);
}
