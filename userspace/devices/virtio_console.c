// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A console with one port (virtio 1.2, 5.3): Linux calls it hvc0.
 *
 * It moves whole buffers, where a serial port moves characters.  Whoever is slow makes
 * the other side wait: output waits for the terminal, in @transmit; input stays in its
 * pipe while the guest has no buffers for it.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "virtio_console.h"

#define F_SIZE		(1ULL << 0)	/* 5.3.3: the terminal's size is known */

/* 5.3.2 */
#define QUEUE_RECEIVE	0
#define QUEUE_TRANSMIT	1
#define NR_QUEUES	2

#define PIECE		4096		/* most to be moved at once */

static struct virtio_console *to_console(struct virtio_dev *dev)
{
	return (struct virtio_console *)dev;
}

/* ------------------------------------------------------------------- output */

static uint32_t transmit(struct virtqueue *vq, struct virtq_buffer *buffer)
{
	struct virtio_console *con = to_console(vq->dev);
	uint8_t data[PIECE];
	size_t offset, n;

	for (offset = 0; offset < buffer->out_len; offset += n) {
		n = virtq_read(buffer, offset, data, sizeof(data));
		con->host.transmit(con->host.opaque, data, n);
	}
	return 0;
}

/* -------------------------------------------------------------------- input */

/*
 * Input that nobody wants now is taken out of the loop: the pipe's end would be
 * reported even with no events asked for, again and again.
 */
static void watch_input(struct virtio_console *con, bool on)
{
	if (on == con->watching)
		return;
	if (on)
		loop_add(con->dev.loop, &con->input, EPOLLIN);
	else
		loop_remove(con->dev.loop, &con->input);
	con->watching = on;
}

/* Have a buffer at hand; false if the driver has none left, and will kick. */
static bool take_buffer(struct virtio_console *con, struct virtqueue *vq)
{
	do {
		con->has_buffer = con->has_buffer || virtqueue_pop(vq, &con->receiving);
	} while (!con->has_buffer && virtqueue_kicks_on(vq));
	return con->has_buffer;
}

static bool has_room(struct virtqueue *vq, const struct virtq_buffer *buffer)
{
	if (buffer->in_len && !buffer->nr_out)
		return true;
	virtio_fail(vq->dev, "queue %u: a buffer for input has room for %u bytes, and %u to read",
		    vq->index, buffer->in_len, buffer->out_len);
	return false;
}

/* Fill one buffer: the loop comes back as long as there is input. */
static void input_ready(void *opaque, uint32_t events)
{
	struct virtio_console *con = opaque;
	struct virtqueue *vq = &con->dev.vq[QUEUE_RECEIVE];
	uint32_t room;
	uint8_t data[PIECE];
	ssize_t n;

	(void)events;
	if (!take_buffer(con, vq) || !has_room(vq, &con->receiving)) {
		watch_input(con, false);
		return;
	}
	room = con->receiving.in_len;
	n = read(con->host.input, data, room < PIECE ? room : PIECE);
	if (n > 0) {
		virtqueue_push(vq, &con->receiving, virtq_write(&con->receiving, 0, data, n));
		con->has_buffer = false;
		virtqueue_notify(vq);
		con->host.taken(con->host.opaque);
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		watch_input(con, false);
	}
}

/* ------------------------------------------------------------------- driver */

static void start(struct virtio_dev *dev)
{
	watch_input(to_console(dev), true);
}

static bool kick(struct virtio_dev *dev, struct virtqueue *vq)
{
	struct virtio_console *con = to_console(dev);

	if (vq->index == QUEUE_TRANSMIT)
		return virtqueue_serve(vq, &con->sending, transmit);
	virtqueue_kicks_off(vq);
	watch_input(con, true);
	return false;
}

static void stop(struct virtio_dev *dev)
{
	struct virtio_console *con = to_console(dev);

	watch_input(con, false);
	con->has_buffer = false;
}

static uint64_t config_read(struct virtio_dev *dev, uint64_t offset, int size)
{
	unsigned int both = atomic_load(&to_console(dev)->size);
	const struct virtio_console_config config = { .cols = both, .rows = both >> 16 };

	return virtio_bytes(&config, sizeof(config), offset, size);
}

static void console_free(struct virtio_dev *dev)
{
	free(to_console(dev));
}

static const struct virtio_ops ops = {
	.id = VIRTIO_ID_CONSOLE,
	.nr_queues = NR_QUEUES,
	.config_read = config_read,
	.start = start,
	.kick = kick,
	.stop = stop,
	.free = console_free,
};

/* -------------------------------------------------------------------- life */

/**
 * virtio_console_init - the device, after reset
 * @con: the device, all zero; from malloc, for its @free
 * @name: for messages
 * @host: who is connected
 */
void virtio_console_init(struct virtio_console *con, const char *name,
			 struct virtio_console_host host)
{
	virtio_init(&con->dev, &ops, name, F_SIZE);
	con->host = host;
	con->input = (struct loop_source){
		.fd = host.input, .ready = input_ready, .opaque = con,
	};
}

/**
 * virtio_console_resize - the terminal has another size
 * @con: the device; from any thread
 * @cols: columns
 * @rows: rows
 */
void virtio_console_resize(struct virtio_console *con, uint16_t cols, uint16_t rows)
{
	atomic_store(&con->size, cols | (unsigned int)rows << 16);
	virtio_config_changed(&con->dev);
}
