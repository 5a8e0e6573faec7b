// SPDX-License-Identifier: GPL-2.0-or-later
/* A source of random numbers (virtio 1.2, 5.4): the host kernel's. */
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "virtio_rng.h"

/*
 * A device may fill a buffer in part (5.4.6.1).  Nobody seeds a generator with more
 * than this, and a guest that asks for 4 GiB at once must not have us busy with it.
 */
#define MOST	4096

/* Random bytes; returns how many, fewer than @len only if the host has none. */
static size_t get_random(void *data, size_t len)
{
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = getrandom((uint8_t *)data + done, len - done, 0);
		if (n > 0)
			done += n;
		else if (n == 0 || errno != EINTR)
			break;
	}
	return done;
}

static uint32_t serve(struct virtqueue *vq, struct virtq_buffer *buffer)
{
	uint8_t data[MOST];
	size_t len = buffer->in_len < MOST ? buffer->in_len : MOST;

	if (!len || buffer->nr_out) {	/* 5.4.6 */
		virtio_fail(vq->dev, "queue 0: %u bytes to read, and room for %u to write",
			    buffer->out_len, buffer->in_len);
		return 0;
	}
	return virtq_write(buffer, 0, data, get_random(data, len));
}

static bool kick(struct virtio_dev *dev, struct virtqueue *vq)
{
	struct virtio_rng *rng = (struct virtio_rng *)dev;

	return virtqueue_serve(vq, &rng->buffer, serve);
}

static void rng_free(struct virtio_dev *dev)
{
	free((struct virtio_rng *)dev);
}

static const struct virtio_ops ops = {
	.id = VIRTIO_ID_RNG,
	.nr_queues = 1,
	.kick = kick,
	.free = rng_free,
};

/**
 * virtio_rng_init - the device, after reset
 * @rng: the device, all zero; from malloc, for its @free
 * @name: for messages
 */
void virtio_rng_init(struct virtio_rng *rng, const char *name)
{
	virtio_init(&rng->dev, &ops, name, 0);
}
