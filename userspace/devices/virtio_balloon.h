/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A memory balloon (virtio 1.2, 5.5): how a guest gives memory back to its host. */
#ifndef DEVICES_VIRTIO_BALLOON_H
#define DEVICES_VIRTIO_BALLOON_H

#include "virtio.h"

/* The configuration space (5.5.4), in pages of 4 KiB. */
struct virtio_balloon_config {
	uint32_t num_pages;	/* the host asks for that many */
	uint32_t actual;	/* the driver has given that many */
};

/**
 * struct virtio_balloon - the device
 * @dev: what it has in common with others
 * @target: [a] pages that the guest is asked to do without
 * @actual: [a] pages that it says it does without
 * @buffer: [d] the one being looked at
 */
struct virtio_balloon {
	struct virtio_dev dev;
	atomic_uint target;
	atomic_uint actual;
	struct virtq_buffer buffer;
};

void virtio_balloon_init(struct virtio_balloon *balloon, const char *name, uint64_t target);
void virtio_balloon_set_target(struct virtio_balloon *balloon, uint64_t bytes);

#endif /* DEVICES_VIRTIO_BALLOON_H */
