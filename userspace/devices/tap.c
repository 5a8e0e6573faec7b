// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A network card's back end: a TAP interface of the host's.
 *
 * The kernel speaks virtio's header (IFF_VNET_HDR), so that checksums and segments
 * can be left to whoever is last: the host's network card, or nobody at all.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "net.h"

/**
 * struct tap - a TAP interface
 * @net: what it has in common with others
 * @loop: [d] the device's loop while its driver runs
 * @source: [d] the interface in it
 * @watching: [d] the loop looks at it
 */
struct tap {
	struct net_backend net;
	struct loop *loop;
	struct loop_source source;
	bool watching;
};

static struct tap *to_tap(struct net_backend *net)
{
	return (struct tap *)net;
}

/* ----------------------------------------------------------------- frames */

/*
 * A frame that the kernel does not take is lost, as on a wire: it is malformed (its
 * header is the guest's, and is checked there), or the interface is down.
 */
static void send_frame(struct net_backend *net, const struct iovec *part, unsigned int nr,
		       size_t len)
{
	ssize_t n = writev(to_tap(net)->source.fd, part, nr);

	(void)n;
	(void)len;
}

static void watch(struct net_backend *net, bool room)
{
	struct tap *tap = to_tap(net);

	if (room == tap->watching || !tap->loop)
		return;
	if (room)
		loop_add(tap->loop, &tap->source, EPOLLIN);
	else
		loop_remove(tap->loop, &tap->source);
	tap->watching = room;
}

static size_t receive(struct net_backend *net, void *frame, size_t room)
{
	struct tap *tap = to_tap(net);
	ssize_t n = read(tap->source.fd, frame, room);

	if (n > 0)
		return n;
	if (n < 0 && errno == EBADFD) {		/* somebody has deleted the interface */
		watch(net, false);
		tap->loop = NULL;
		net->down(net->opaque);
	}
	return 0;
}

static void on_frame(void *opaque, uint32_t events)
{
	struct tap *tap = opaque;

	(void)events;
	tap->net.ready(tap->net.opaque);
}

/* ------------------------------------------------------------------ driver */

/* What the kernel may leave for the guest to do (5.1.3: the guest's features). */
static void set_offloads(int fd, uint64_t features)
{
	unsigned int flags = 0;

	if (features & NET_F_GUEST_CSUM) {
		flags |= TUN_F_CSUM;
		flags |= features & NET_F_GUEST_TSO4 ? TUN_F_TSO4 : 0;
		flags |= features & NET_F_GUEST_TSO6 ? TUN_F_TSO6 : 0;
	}
	ioctl(fd, TUNSETOFFLOAD, flags);
}

static void start(struct net_backend *net, struct loop *loop, uint64_t features)
{
	struct tap *tap = to_tap(net);

	set_offloads(tap->source.fd, features);
	tap->loop = loop;
	watch(net, true);
}

static void stop(struct net_backend *net)
{
	watch(net, false);
	to_tap(net)->loop = NULL;
}

static void tap_free(struct net_backend *net)
{
	close(to_tap(net)->source.fd);
	free(to_tap(net));
}

static const struct net_backend_ops tap_ops = {
	.start = start,
	.stop = stop,
	.send = send_frame,
	.receive = receive,
	.want = watch,
	.free = tap_free,
};

/* -------------------------------------------------------------------- open */

#define MAKE	"make it: ip tuntap add dev %1$s mode tap user USER; ip link set %1$s up"

static int complain(struct net_error *why, const char *name, int err)
{
	const char *fmt;

	switch (err) {
	case ENODEV:
		fmt = "there is no network interface %1$s; " MAKE;
		break;
	case EPERM:
		fmt = "%1$s belongs to another user; " MAKE;
		break;
	case EBUSY:
		fmt = "another program uses %1$s; a TAP interface connects one guest";
		break;
	case EINVAL:
		fmt = "%1$s is no TAP interface, or has several queues; " MAKE;
		break;
	case ENOENT:
		fmt = "tap=%1$s: there is no /dev/net/tun; load its module: modprobe tun";
		break;
	case EACCES:
		fmt = "tap=%1$s: /dev/net/tun is not for this user; chmod 0666 /dev/net/tun";
		break;
	default:
		fmt = "tap=%1$s: %2$s";
		break;
	}
	snprintf(why->text, sizeof(why->text), fmt, name, strerror(err));
	return -1;
}

/* The interface has to exist: otherwise the kernel would make one, for privileged users. */
static int attach(const char *name, struct net_error *why)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	int header = sizeof(struct virtio_net_hdr), fd, err;

	if (!*name || strlen(name) >= IFNAMSIZ || !if_nametoindex(name))
		return complain(why, name, ENODEV);
	fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return complain(why, name, errno);
	strcpy(ifr.ifr_name, name);
	if (ioctl(fd, TUNSETIFF, &ifr) < 0 || ioctl(fd, TUNSETVNETHDRSZ, &header) < 0) {
		err = errno;
		close(fd);
		return complain(why, name, err);
	}
	return fd;
}

/* What the interface can carry; 1500 if it does not say. */
static uint16_t get_mtu(const char *name)
{
	struct ifreq ifr = { .ifr_mtu = 0 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool ok;

	strcpy(ifr.ifr_name, name);
	ok = fd >= 0 && ioctl(fd, SIOCGIFMTU, &ifr) == 0;
	close(fd);
	return ok && ifr.ifr_mtu >= NET_MTU_MIN && ifr.ifr_mtu <= NET_MTU_MAX ? ifr.ifr_mtu : 1500;
}

/**
 * tap_open - attach to a TAP interface
 * @name: the interface's
 * @why: set on failure
 *
 * Return: the back end, or NULL.
 */
struct net_backend *tap_open(const char *name, struct net_error *why)
{
	int fd = attach(name, why);
	struct tap *tap = fd < 0 ? NULL : calloc(1, sizeof(*tap));

	if (!tap) {
		if (fd >= 0) {
			complain(why, name, ENOMEM);
			close(fd);
		}
		return NULL;
	}
	tap->net.ops = &tap_ops;
	tap->net.mtu = get_mtu(name);
	tap->net.features = NET_F_CSUM | NET_F_HOST_TSO4 | NET_F_HOST_TSO6 |
			    NET_F_GUEST_CSUM | NET_F_GUEST_TSO4 | NET_F_GUEST_TSO6;
	tap->source = (struct loop_source){ .fd = fd, .ready = on_frame, .opaque = tap };
	return &tap->net;
}
