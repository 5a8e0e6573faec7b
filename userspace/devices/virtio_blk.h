/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A virtio disk (virtio 1.2, 5.2). */
#ifndef DEVICES_VIRTIO_BLK_H
#define DEVICES_VIRTIO_BLK_H

#include "disk.h"
#include "virtio.h"

/* Configuration space (5.2.4). */
struct virtio_blk_config {
	uint64_t capacity;		/* in sectors */
	uint32_t size_max;
	uint32_t seg_max;
	uint16_t cylinders;
	uint8_t heads;
	uint8_t sectors;
	uint32_t blk_size;
	uint8_t physical_block_exp;
	uint8_t alignment_offset;
	uint16_t min_io_size;
	uint32_t opt_io_size;
	uint8_t writeback;
	uint8_t unused0;
	uint16_t num_queues;
	uint32_t max_discard_sectors;
	uint32_t max_discard_seg;
	uint32_t discard_sector_alignment;
	uint32_t max_write_zeroes_sectors;
	uint32_t max_write_zeroes_seg;
	uint8_t write_zeroes_may_unmap;
	uint8_t unused1[3];
};

#define VIRTIO_BLK_ID_BYTES	20

/**
 * struct virtio_blk - the device
 * @dev: what all have
 * @disk: [I] where the sectors are; the device's own
 * @config: [I] what the driver reads, but for @writeback
 * @writeback: [a] completed writes need not be stable before a flush
 * @serial: [I] what GET_ID gives; padded with zeros
 * @buffer: [d] the request in the works
 */
struct virtio_blk {
	struct virtio_dev dev;
	struct disk *disk;
	struct virtio_blk_config config;
	atomic_bool writeback;
	char serial[VIRTIO_BLK_ID_BYTES];
	struct virtq_buffer buffer;
};

void virtio_blk_init(struct virtio_blk *blk, const char *name, struct disk *disk);

#endif /* DEVICES_VIRTIO_BLK_H */
