/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A network card (virtio 1.2, 5.1). */
#ifndef DEVICES_VIRTIO_NET_H
#define DEVICES_VIRTIO_NET_H

#include "net.h"
#include "virtio.h"

/* The configuration space (5.1.4). */
struct virtio_net_config {
	uint8_t mac[6];
	uint16_t status;
	uint16_t max_virtqueue_pairs;
	uint16_t mtu;
};

/**
 * struct virtio_net - the device
 * @dev: what it has in common with others
 * @backend: [I] where frames go to and come from
 * @mac: [I] its address
 * @up: [a] the cable is in
 * @frame: [d] one for the guest, with its header, that did not find room yet
 * @len: [d] bytes of @frame; 0: there is none
 * @done: [d] bytes of it that are in buffers already
 * @first: [d] the buffer that its beginning goes to
 * @has_first: [d] there is one
 * @held: [d] all buffers with parts of @frame, @first included
 * @nr_held: [d] how many
 * @sending: [d] a buffer with a frame from the guest
 */
struct virtio_net {
	struct virtio_dev dev;
	struct net_backend *backend;
	uint8_t mac[6];
	atomic_bool up;
	uint8_t frame[NET_FRAME_MAX];
	size_t len;
	size_t done;
	struct virtq_buffer first;
	bool has_first;
	struct virtq_used_elem held[VIRTQ_MAX_SIZE];
	unsigned int nr_held;
	struct virtq_buffer sending;
};

void virtio_net_init(struct virtio_net *net, const char *name, struct net_backend *backend,
		     const uint8_t mac[6]);

#endif /* DEVICES_VIRTIO_NET_H */
