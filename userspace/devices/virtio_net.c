// SPDX-License-Identifier: GPL-2.0-or-later
/* A network card (virtio 1.2, 5.1), with one queue for each direction. */
#include <stdlib.h>
#include <string.h>

#include "virtio_net.h"

/* Features (5.1.3), apart from those of back ends. */
#define F_MTU		(1ULL << 3)
#define F_MAC		(1ULL << 5)
#define F_MRG_RXBUF	(1ULL << 15)
#define F_STATUS	(1ULL << 16)

#define STATUS_LINK_UP	1

/* 5.1.2 */
#define QUEUE_RECEIVE	0
#define QUEUE_TRANSMIT	1
#define NR_QUEUES	2

#define HEADER		sizeof(struct virtio_net_hdr)

static struct virtio_net *to_net(struct virtio_dev *dev)
{
	return (struct virtio_net *)dev;
}

/* ------------------------------------------------------- from the guest */

/* No copy: the back end takes the frame out of the guest's memory. */
static uint32_t transmit(struct virtqueue *vq, struct virtq_buffer *buffer)
{
	struct net_backend *backend = to_net(vq->dev)->backend;

	if (buffer->out_len < HEADER)
		virtio_fail(vq->dev, "queue %u: a frame of %u bytes; its header has %zu",
			    vq->index, buffer->out_len, HEADER);
	else if (buffer->out_len <= NET_FRAME_MAX)
		backend->ops->send(backend, buffer->part, buffer->nr_out, buffer->out_len);
	return 0;
}

static bool transmit_all(struct virtio_net *net, struct virtqueue *vq)
{
	struct net_backend *backend = net->backend;
	bool more = virtqueue_serve(vq, &net->sending, transmit);

	if (backend->ops->sent)
		backend->ops->sent(backend);
	return more;
}

/* --------------------------------------------------------- to the guest */

/* Take a buffer; false if the driver has none left, and will kick. */
static bool take(struct virtqueue *vq, struct virtq_buffer *buffer)
{
	do {
		if (virtqueue_pop(vq, buffer))
			return true;
	} while (virtqueue_kicks_on(vq));
	return false;
}

/* Fill a buffer with what comes next of the frame, and keep it. */
static void fill(struct virtio_net *net, struct virtqueue *vq, const struct virtq_buffer *buffer)
{
	size_t n = virtq_write(buffer, 0, net->frame + net->done, net->len - net->done);

	if (!n || net->nr_held == vq->num) {
		virtio_fail(vq->dev, "queue %u: %u buffers, the last of %u bytes, for one frame",
			    vq->index, net->nr_held + 1, buffer->in_len);
		return;
	}
	net->held[net->nr_held++] = (struct virtq_used_elem){ .id = buffer->head, .len = n };
	net->done += n;
}

/*
 * The frame is complete.  How many buffers it has is in its header, and the driver
 * must not see some of them without the others (5.1.6.4).
 */
static void hand_over(struct virtio_net *net, struct virtqueue *vq)
{
	const uint16_t nr = net->nr_held;
	unsigned int i;

	virtq_write(&net->first, offsetof(struct virtio_net_hdr, num_buffers), &nr, sizeof(nr));
	for (i = 0; i < net->nr_held; i++)
		virtqueue_stage(vq, net->held[i].id, net->held[i].len);
	virtqueue_publish(vq);
	net->has_first = false;
	net->nr_held = 0;
	net->len = 0;
	net->done = 0;
}

/*
 * Put the frame into the driver's buffers; false if they do not suffice, and the rest
 * has to wait.  Without F_MRG_RXBUF a frame gets one buffer: if it is too large for
 * that it is lost, as on a wire, and the buffer is for the next.
 */
static bool deliver(struct virtio_net *net, struct virtqueue *vq)
{
	struct virtq_buffer buffer;

	if (!net->has_first && !take(vq, &net->first))
		return false;
	net->has_first = true;
	if (!virtio_has(&net->dev, F_MRG_RXBUF) && net->first.in_len < net->len) {
		net->len = 0;
		return true;
	}
	if (!net->nr_held)
		fill(net, vq, &net->first);
	while (net->done < net->len) {
		if (!take(vq, &buffer))
			return false;
		fill(net, vq, &buffer);
	}
	hand_over(net, vq);
	return true;
}

/* Give the guest the frames that there are, as long as it has buffers. */
static void receive_all(struct virtio_net *net)
{
	struct virtqueue *vq = &net->dev.vq[QUEUE_RECEIVE];
	struct net_backend *backend = net->backend;
	bool room = true;
	int i;

	virtqueue_kicks_off(vq);
	for (i = 0; i < NET_BACKLOG && room; i++) {
		if (!net->len)
			net->len = backend->ops->receive(backend, net->frame, NET_FRAME_MAX);
		if (!net->len)
			break;
		room = deliver(net, vq);
	}
	virtqueue_notify(vq);
	if (backend->ops->want)
		backend->ops->want(backend, room);
}

/* -------------------------------------------------- what the back end calls */

static void backend_ready(void *opaque)
{
	receive_all(opaque);
}

static void backend_down(void *opaque)
{
	struct virtio_net *net = opaque;

	atomic_store(&net->up, false);
	virtio_config_changed(&net->dev);
}

/* ------------------------------------------------------------------ driver */

static void start(struct virtio_dev *dev)
{
	struct virtio_net *net = to_net(dev);

	net->backend->ops->start(net->backend, dev->loop, dev->acked);
}

static bool kick(struct virtio_dev *dev, struct virtqueue *vq)
{
	if (vq->index == QUEUE_TRANSMIT)
		return transmit_all(to_net(dev), vq);
	receive_all(to_net(dev));
	return false;
}

static void stop(struct virtio_dev *dev)
{
	struct virtio_net *net = to_net(dev);

	net->backend->ops->stop(net->backend);
	net->has_first = false;
	net->nr_held = 0;
	net->len = 0;
	net->done = 0;
}

static uint64_t config_read(struct virtio_dev *dev, uint64_t offset, int size)
{
	const struct virtio_net *net = to_net(dev);
	struct virtio_net_config config = {
		.status = atomic_load(&net->up) ? STATUS_LINK_UP : 0,
		.max_virtqueue_pairs = 1,
		.mtu = net->backend->mtu,
	};

	memcpy(config.mac, net->mac, sizeof(config.mac));
	return virtio_bytes(&config, sizeof(config), offset, size);
}

static void net_free(struct virtio_dev *dev)
{
	struct virtio_net *net = to_net(dev);

	net->backend->ops->free(net->backend);
	free(net);
}

static const struct virtio_ops ops = {
	.id = VIRTIO_ID_NET,
	.nr_queues = NR_QUEUES,
	.config_read = config_read,
	.start = start,
	.kick = kick,
	.stop = stop,
	.free = net_free,
};

/**
 * virtio_net_init - the device, after reset
 * @net: the device, all zero; from malloc, for its @free
 * @name: for messages
 * @backend: where frames go; the device frees it
 * @mac: its address
 */
void virtio_net_init(struct virtio_net *net, const char *name, struct net_backend *backend,
		     const uint8_t mac[6])
{
	virtio_init(&net->dev, &ops, name,
		    F_MTU | F_MAC | F_MRG_RXBUF | F_STATUS | backend->features);
	net->backend = backend;
	backend->ready = backend_ready;
	backend->down = backend_down;
	backend->opaque = net;
	memcpy(net->mac, mac, sizeof(net->mac));
	atomic_store(&net->up, true);
}
