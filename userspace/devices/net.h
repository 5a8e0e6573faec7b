/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is behind a network card: a back end, which takes the guest's frames and has
 * frames for the guest.
 *
 * Each frame has a struct virtio_net_hdr before it, in both directions: what one side
 * has left for the other to do (checksum, segmentation), as negotiated.
 */
#ifndef DEVICES_NET_H
#define DEVICES_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "loop.h"

/* The header (virtio 1.2, 5.1.6); all zero: an ordinary frame. */
struct virtio_net_hdr {
	uint8_t flags;
	uint8_t gso_type;
	uint16_t hdr_len;
	uint16_t gso_size;
	uint16_t csum_start;
	uint16_t csum_offset;
	uint16_t num_buffers;
};

/* Features of a network card that depend on its back end (5.1.3). */
#define NET_F_CSUM		(1ULL << 0)
#define NET_F_GUEST_CSUM	(1ULL << 1)
#define NET_F_GUEST_TSO4	(1ULL << 7)
#define NET_F_GUEST_TSO6	(1ULL << 8)
#define NET_F_HOST_TSO4		(1ULL << 11)
#define NET_F_HOST_TSO6		(1ULL << 12)

#define NET_MTU_MIN	68
#define NET_MTU_MAX	65520

/*
 * Header and largest frame: what segmentation offload can come to, and an Ethernet
 * header with a VLAN tag before it.
 */
#define NET_FRAME_MAX	(sizeof(struct virtio_net_hdr) + 18 + 65535)

/* Frames that a back end keeps for the guest, at most. */
#define NET_BACKLOG	256

struct net_backend;

/**
 * struct net_error - why there is no back end
 * @text: one line without its end: what is wrong, and the cure
 */
struct net_error {
	char text[400];
};

/**
 * struct net_backend_ops - what a back end can do; all in the device's thread
 * @start: the driver is ready; it knows @features.  Put descriptors into @loop.
 * @stop: it is not any more: take them out
 * @send: the guest has sent a frame, @len bytes in @nr parts; drop what cannot be sent
 * @sent: there are no more to @send for now; NULL: no matter
 * @receive: take a frame for the guest; returns its length, 0 if there is none
 * @want: the guest has room for frames or not: call net_backend.ready or don't;
 *	NULL: no matter
 * @free: close and free it
 */
struct net_backend_ops {
	void (*start)(struct net_backend *net, struct loop *loop, uint64_t features);
	void (*stop)(struct net_backend *net);
	void (*send)(struct net_backend *net, const struct iovec *part, unsigned int nr,
		     size_t len);
	void (*sent)(struct net_backend *net);
	size_t (*receive)(struct net_backend *net, void *frame, size_t room);
	void (*want)(struct net_backend *net, bool room);
	void (*free)(struct net_backend *net);
};

/**
 * struct net_backend - a back end; embedded in the struct of each kind
 * @ops: [I] what it can do
 * @features: [I] NET_F_*: what it offers
 * @mtu: [I] largest packet, without the Ethernet header
 * @ready: [I] set by the card: there may be frames to receive
 * @down: [I] set by the card: there will be no more; the cable is out
 * @opaque: [I] handed to both
 */
struct net_backend {
	const struct net_backend_ops *ops;
	uint64_t features;
	uint16_t mtu;
	void (*ready)(void *opaque);
	void (*down)(void *opaque);
	void *opaque;
};

/* tap.c */
struct net_backend *tap_open(const char *name, struct net_error *why);

/* slirp.c */
struct net_backend *slirp_open(unsigned int mtu, struct net_error *why);
bool slirp_forward(struct net_backend *net, const char *rule, struct net_error *why);

#endif /* DEVICES_NET_H */
