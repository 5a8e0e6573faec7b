// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A network card's TAP interface, in a network namespace of the test's own, with a
 * packet socket as the rest of the network.
 */
#define _GNU_SOURCE		/* unshare() */
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <sys/socket.h>

#include "../../userspace/devices/loop.c"
#include "../../userspace/devices/tap.c"
#include "tap.h"

#define HEADER	sizeof(struct virtio_net_hdr)
#define TYPE	0x88b5		/* "local experimental": nobody else sends such frames */

static struct net_backend *net;
static struct loop loop;
static int nr_ready, nr_down;

static void on_ready(void *opaque)
{
	(void)opaque;
	nr_ready++;
}

static void on_down(void *opaque)
{
	(void)opaque;
	nr_down++;
}

/* What an administrator does: ip tuntap add dev NAME mode tap; ip link set NAME up mtu 1400. */
static bool make_tap(const char *name)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	int fd = open("/dev/net/tun", O_RDWR), s = socket(AF_INET, SOCK_DGRAM, 0);
	bool ok;

	strcpy(ifr.ifr_name, name);
	ok = fd >= 0 && !ioctl(fd, TUNSETIFF, &ifr) && !ioctl(fd, TUNSETPERSIST, 1);
	ifr.ifr_mtu = 1400;
	ok = ok && !ioctl(s, SIOCSIFMTU, &ifr);
	ifr.ifr_flags = IFF_UP | IFF_RUNNING;
	ok = ok && !ioctl(s, SIOCSIFFLAGS, &ifr);
	close(fd);
	close(s);
	return ok;
}

/* ip link delete NAME */
static void delete_tap(const char *name)
{
	int s = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	struct {
		struct nlmsghdr nl;
		struct ifinfomsg info;
	} message = {
		.nl = { .nlmsg_len = sizeof(message), .nlmsg_type = RTM_DELLINK,
			.nlmsg_flags = NLM_F_REQUEST },
		.info = { .ifi_index = if_nametoindex(name) },
	};

	if (send(s, &message, sizeof(message), 0) != sizeof(message))
		perror("# RTM_DELLINK");
	close(s);
}

/* The network's end: a socket that gets and sends frames of TYPE. */
static int packet_socket(const char *name)
{
	const struct sockaddr_ll addr = {
		.sll_family = AF_PACKET, .sll_protocol = htons(TYPE),
		.sll_ifindex = if_nametoindex(name),
	};
	int s = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, htons(TYPE));

	return s < 0 || bind(s, (const struct sockaddr *)&addr, sizeof(addr)) ? -1 : s;
}

/* Ethernet header, then text. */
static size_t make_frame(uint8_t *frame, const char *text)
{
	memset(frame, 0xff, 6);
	memcpy(frame + 6, "\x02\0\0\0\0\1", 6);
	frame[12] = TYPE >> 8;
	frame[13] = TYPE & 0xff;
	memset(frame + 14, 0, 100);
	strcpy((char *)frame + 14, text);
	return 114;
}

/* Frames of the kernel's own (IPv6 asks for neighbours) are not meant. */
static size_t wait_frame(uint8_t *frame, size_t room)
{
	size_t len;
	int i;

	for (i = 0; i < 200; i++) {
		len = net->ops->receive(net, frame, room);
		if (len >= HEADER + 14 && frame[HEADER + 12] == TYPE >> 8 &&
		    frame[HEADER + 13] == (TYPE & 0xff))
			return len;
		loop_once(&loop, 10);
	}
	return 0;
}

static void test_errors(void)
{
	struct net_error why;

	check("no such interface", !tap_open("tap9", &why) &&
	      strstr(why.text, "ip tuntap add dev tap9 mode tap"));
	check("none without a name", !tap_open("", &why));
	check("nor with a long one", !tap_open("a-name-of-sixteen", &why));
	check("an interface that is no TAP", !tap_open("lo", &why) &&
	      strstr(why.text, "lo is no TAP interface"));
	check("one that is in use", !tap_open("tap0", &why) &&
	      strstr(why.text, "another program uses tap0"));
}

static void test_frames(int s)
{
	uint8_t frame[NET_FRAME_MAX] = { 0 }, got[200];
	struct iovec parts[2];
	size_t len;

	len = make_frame(frame + HEADER, "to the network");
	parts[0] = (struct iovec){ frame, 20 };
	parts[1] = (struct iovec){ frame + 20, HEADER + len - 20 };
	net->ops->send(net, parts, 2, HEADER + len);
	check("a frame from the guest", recv(s, got, sizeof(got), 0) == (ssize_t)len &&
	      !strcmp((char *)got + 14, "to the network"));

	frame[1] = 99;			/* gso_type: there is no such */
	net->ops->send(net, parts, 2, HEADER + len);
	check("one with a bad header is lost", recv(s, got, sizeof(got), 0) < 0);
	parts[0].iov_len = 5;
	net->ops->send(net, parts, 1, 5);
	check("so is half a header", recv(s, got, sizeof(got), 0) < 0);

	len = make_frame(got, "to the guest");
	check("a frame for the guest", send(s, got, len, 0) == (ssize_t)len &&
	      wait_frame(frame, sizeof(frame)) == HEADER + len &&
	      !strcmp((char *)frame + HEADER + 14, "to the guest") && frame[1] == 0);
}

static void test_want(int s)
{
	uint8_t frame[NET_FRAME_MAX];
	size_t len = make_frame(frame, "later");

	while (net->ops->receive(net, frame + 200, sizeof(frame) - 200))
		;
	net->ops->want(net, false);
	send(s, frame, len, 0);
	nr_ready = 0;
	check("without room nothing is looked at", !loop_once(&loop, 50) && !nr_ready);
	net->ops->want(net, true);
	loop_once(&loop, 1000);
	check("with room it is", nr_ready == 1 && wait_frame(frame, sizeof(frame)));
	net->ops->stop(net);
	check("after a reset neither", !loop_once(&loop, 50));
	net->ops->start(net, &loop, 0);
}

static void test_deleted(void)
{
	uint8_t frame[200];
	int i;

	delete_tap("tap0");
	for (i = 0; i < 100 && !nr_down; i++)
		if (loop_once(&loop, 10))
			while (net->ops->receive(net, frame, sizeof(frame)))
				;
	check("the card learns that its interface is gone", nr_down == 1);
	check("and does not look at it any more", !loop_once(&loop, 50));
}

int main(void)
{
	struct net_error why;
	int s;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) || !make_tap("tap0")) {
		tap_skip("everything", "no user namespaces, or no /dev/net/tun, for this user");
		return tap_done();
	}
	net = tap_open("tap0", &why);
	if (!check("it opens", net)) {
		printf("# %s\n", why.text);
		return tap_done();
	}
	net->ready = on_ready;
	net->down = on_down;
	s = packet_socket("tap0");
	check("the MTU is the interface's", net->mtu == 1400);
	if (loop_init(&loop) || s < 0)
		return 1;
	net->ops->start(net, &loop, net->features);
	test_errors();
	test_frames(s);
	test_want(s);
	test_deleted();
	net->ops->stop(net);
	net->ops->free(net);
	loop_fini(&loop);
	return tap_done();
}
