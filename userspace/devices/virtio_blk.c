// SPDX-License-Identifier: GPL-2.0-or-later
/* A virtio disk.  Sections named below are of virtio 1.2. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "virtio_blk.h"

/* 5.2.3 */
#define F_SEG_MAX	(1ULL << 2)
#define F_RO		(1ULL << 5)
#define F_BLK_SIZE	(1ULL << 6)
#define F_FLUSH		(1ULL << 9)
#define F_TOPOLOGY	(1ULL << 10)
#define F_CONFIG_WCE	(1ULL << 11)
#define F_DISCARD	(1ULL << 13)
#define F_WRITE_ZEROES	(1ULL << 14)

/* 5.2.6 */
enum {
	T_IN		= 0,
	T_OUT		= 1,
	T_FLUSH		= 4,
	T_GET_ID	= 8,
	T_DISCARD	= 11,
	T_WRITE_ZEROES	= 13,
};

enum { S_OK = 0, S_IOERR = 1, S_UNSUPP = 2 };

struct request {
	uint32_t type;
	uint32_t reserved;
	uint64_t sector;
};

struct range {			/* of T_DISCARD and T_WRITE_ZEROES */
	uint64_t sector;
	uint32_t nr;
	uint32_t flags;
#define RANGE_UNMAP	1U
};

/* Two descriptors of a request are its header and its status. */
#define SEG_MAX		(VIRTQ_MAX_SIZE - 2)
#define MAX_RANGES	16U

/* What one range may cover: 2 GiB; 32 MiB, for it may have to be written. */
#define MAX_DISCARD	(4U << 20)
#define MAX_ZEROES	(64U << 10)

static struct virtio_blk *to_blk(struct virtio_dev *dev)
{
	return (struct virtio_blk *)((char *)dev - offsetof(struct virtio_blk, dev));
}

/* -------------------------------------------------------------- requests */

static bool on_disk(const struct virtio_blk *blk, uint64_t sector, uint64_t nr)
{
	return nr <= blk->config.capacity && sector <= blk->config.capacity - nr;
}

static uint8_t status(int err)
{
	return err ? S_IOERR : S_OK;
}

/* Without a cache that the driver knows of, a write is complete when it is stable (5.2.6.2). */
static int finish_write(struct virtio_blk *blk, int err)
{
	return err || atomic_load(&blk->writeback) ? err : disk_flush(blk->disk);
}

/* The bytes after the header are the data to write, those before the status are to be read. */
static uint8_t transfer(struct virtio_blk *blk, const struct request *req,
			struct virtq_buffer *b, bool write)
{
	struct disk *disk = blk->disk;
	uint32_t len = write ? b->out_len : b->in_len;
	uint64_t offset = req->sector * SECTOR_SIZE;

	if (len % SECTOR_SIZE || !on_disk(blk, req->sector, len / SECTOR_SIZE))
		return S_IOERR;
	if (!write)
		return status(disk->ops->read(disk, b->part + b->nr_out, b->nr_in, offset));
	if (disk->read_only)
		return S_IOERR;
	return status(finish_write(blk, disk->ops->write(disk, b->part, b->nr_out, offset)));
}

/* 5.2.6.2 says which flags are for which, and what to answer. */
static uint8_t check_range(const struct virtio_blk *blk, const struct range *r, bool discard)
{
	if (r->flags & ~(discard ? 0 : RANGE_UNMAP))
		return S_UNSUPP;
	if (r->nr > (discard ? MAX_DISCARD : MAX_ZEROES) || !on_disk(blk, r->sector, r->nr))
		return S_IOERR;
	return S_OK;
}

static uint8_t change_range(struct virtio_blk *blk, const struct range *r, bool discard)
{
	struct disk *disk = blk->disk;
	uint64_t offset = r->sector * SECTOR_SIZE, len = (uint64_t)r->nr * SECTOR_SIZE;
	uint8_t result = check_range(blk, r, discard);

	if (result != S_OK || !len)
		return result;
	if (discard)
		return status(disk->ops->discard(disk, offset, len));
	return status(disk->ops->zero(disk, offset, len, r->flags & RANGE_UNMAP));
}

static uint8_t change_ranges(struct virtio_blk *blk, const struct virtq_buffer *b, bool discard)
{
	struct range range[MAX_RANGES];
	uint8_t result = S_OK;
	unsigned int i;

	if (blk->disk->read_only || b->out_len % sizeof(*range) || b->out_len > sizeof(range))
		return S_IOERR;
	virtq_read(b, 0, range, b->out_len);
	for (i = 0; i < b->out_len / sizeof(*range) && result == S_OK; i++)
		result = change_range(blk, &range[i], discard);
	return result == S_OK ? status(finish_write(blk, 0)) : result;
}

static uint8_t get_id(const struct virtio_blk *blk, const struct virtq_buffer *b)
{
	virtq_write(b, 0, blk->serial, sizeof(blk->serial));
	return S_OK;
}

static uint8_t execute(struct virtio_blk *blk, const struct request *req, struct virtq_buffer *b)
{
	switch (req->type) {
	case T_IN:
		return transfer(blk, req, b, false);
	case T_OUT:
		return transfer(blk, req, b, true);
	case T_FLUSH:
		return status(disk_flush(blk->disk));
	case T_GET_ID:
		return get_id(blk, b);
	case T_DISCARD:
		return change_ranges(blk, b, true);
	case T_WRITE_ZEROES:
		return change_ranges(blk, b, false);
	default:
		return S_UNSUPP;
	}
}

/* -------------------------------------------------- from buffer to request */

/*
 * Where a part ends and another begins means nothing (2.7.4.1): the header is the
 * first bytes to be read, the status is the last one to be written.  Takes both off
 * the buffer, so that what is left is data; returns where the status goes.
 */
static uint8_t *strip(struct virtq_buffer *b, struct request *req)
{
	struct iovec *last;
	size_t skip = sizeof(*req);
	uint8_t *end;
	unsigned int i;

	if (!b->nr_in || virtq_read(b, 0, req, sizeof(*req)) < sizeof(*req))
		return NULL;
	for (i = 0; skip; i++) {
		size_t n = b->part[i].iov_len < skip ? b->part[i].iov_len : skip;

		b->part[i].iov_base = (uint8_t *)b->part[i].iov_base + n;
		b->part[i].iov_len -= n;
		skip -= n;
	}
	b->out_len -= sizeof(*req);
	b->in_len--;
	last = &b->part[b->nr_out + b->nr_in - 1];
	last->iov_len--;	/* no part is empty in a buffer from virtqueue_pop() */
	end = (uint8_t *)last->iov_base + last->iov_len;
	if (!last->iov_len)
		b->nr_in--;
	return end;
}

static uint32_t serve(struct virtqueue *vq, struct virtq_buffer *b)
{
	struct virtio_blk *blk = to_blk(vq->dev);
	struct request req;
	uint8_t *end = strip(b, &req);
	uint32_t data = b->in_len, written = 0;
	uint8_t result;

	if (!end) {
		virtio_fail(vq->dev, "queue %u: a request without header or status", vq->index);
		return 0;
	}
	result = execute(blk, &req, b);
	*end = result;
	/* How far it was written from its beginning on, without a gap (2.7.8.2). */
	if (result == S_OK && req.type == T_IN)
		written = data;
	else if (result == S_OK && req.type == T_GET_ID)
		written = data < sizeof(blk->serial) ? data : sizeof(blk->serial);
	return written == data ? data + 1 : written;
}

static bool kick(struct virtio_dev *dev, struct virtqueue *vq)
{
	return virtqueue_serve(vq, &to_blk(dev)->buffer, serve);
}

/* --------------------------------------------------------- configuration */

static uint64_t config_read(struct virtio_dev *dev, uint64_t offset, int size)
{
	struct virtio_blk *blk = to_blk(dev);
	struct virtio_blk_config config = blk->config;

	config.writeback = atomic_load(&blk->writeback);
	return virtio_bytes(&config, sizeof(config), offset, size);
}

static void config_write(struct virtio_dev *dev, uint64_t offset, int size, uint64_t value)
{
	if (offset == offsetof(struct virtio_blk_config, writeback) && size == 1 &&
	    virtio_has(dev, F_CONFIG_WCE))
		atomic_store(&to_blk(dev)->writeback, value & 1);
}

/* A driver that cannot flush needs a disk without a cache (5.2.5.2). */
static void negotiated(struct virtio_dev *dev)
{
	atomic_store(&to_blk(dev)->writeback, virtio_has(dev, F_FLUSH));
}

static void blk_free(struct virtio_dev *dev)
{
	struct virtio_blk *blk = to_blk(dev);

	disk_close(blk->disk);
	free(blk);
}

static const struct virtio_ops blk_ops = {
	.id = VIRTIO_ID_BLOCK,
	.nr_queues = 1,
	.negotiated = negotiated,
	.config_read = config_read,
	.config_write = config_write,
	.kick = kick,
	.free = blk_free,
};

/**
 * virtio_blk_init - a disk
 * @blk: the device, all zero; from malloc, for its @free
 * @name: for messages, and for GET_ID
 * @disk: its sectors; the device closes it
 */
void virtio_blk_init(struct virtio_blk *blk, const char *name, struct disk *disk)
{
	uint64_t features = F_SEG_MAX | F_BLK_SIZE | F_TOPOLOGY;

	features |= disk->read_only ? F_RO : F_FLUSH | F_CONFIG_WCE | F_DISCARD | F_WRITE_ZEROES;
	virtio_init(&blk->dev, &blk_ops, name, features);
	blk->disk = disk;
	memcpy(blk->serial, name, strnlen(name, sizeof(blk->serial)));
	blk->config = (struct virtio_blk_config){
		.capacity = disk->size / SECTOR_SIZE,
		.seg_max = SEG_MAX,
		.blk_size = SECTOR_SIZE,
		.physical_block_exp = 3,	/* 4096 bytes: no copy-up in an overlay */
		.opt_io_size = 0,
		.num_queues = 1,
		.max_discard_sectors = MAX_DISCARD,
		.max_discard_seg = MAX_RANGES,
		.discard_sector_alignment = 4096 / SECTOR_SIZE,
		.max_write_zeroes_sectors = MAX_ZEROES,
		.max_write_zeroes_seg = MAX_RANGES,
		.write_zeroes_may_unmap = 1,
	};
}
