/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A source of random numbers (virtio 1.2, 5.4). */
#ifndef DEVICES_VIRTIO_RNG_H
#define DEVICES_VIRTIO_RNG_H

#include "virtio.h"

/**
 * struct virtio_rng - the device
 * @dev: what it has in common with others
 * @buffer: [d] the one being filled
 */
struct virtio_rng {
	struct virtio_dev dev;
	struct virtq_buffer buffer;
};

void virtio_rng_init(struct virtio_rng *rng, const char *name);

#endif /* DEVICES_VIRTIO_RNG_H */
