// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A network card's back end without privileges: libslirp, a TCP/IP stack in this
 * process, which turns the guest's connections into sockets of the host's.
 *
 * The guest finds a network 10.0.2.0/24 with a router, which is the host (10.0.2.2), a
 * name server (10.0.2.3) and DHCP, which gives it 10.0.2.15; and fec0::/64 alike.
 *
 * libslirp has no thread and does not wait.  It says what it would wait for, each time
 * anew; so its sockets go to an epoll of their own, which the device's loop has as a
 * descriptor among others, and its timeout to a timer.
 */
#include <errno.h>
#include <slirp/libslirp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "net.h"

#define HEADER		sizeof(struct virtio_net_hdr)
#define MAX_SOCKETS	1024	/* that are waited for; others have to wait for their turn */

/**
 * struct packet - a frame for the guest
 * @next: the one after it
 * @len: bytes, header included
 * @data: header and frame
 */
struct packet {
	struct packet *next;
	size_t len;
	uint8_t data[];
};

/**
 * struct watched - a socket that libslirp wants to know about
 * @fd: the socket
 * @wanted: EPOLL*: what it wants to know
 * @ready: EPOLL*: what is
 */
struct watched {
	int fd;
	uint32_t wanted;
	uint32_t ready;
};

/**
 * struct timer - a timer of libslirp's
 * @s: whose
 * @id: @cb_opaque: the library's
 * @source: timerfd
 */
struct timer {
	struct slirp_net *s;
	SlirpTimerId id;
	void *cb_opaque;
	struct loop_source source;
};

/**
 * struct slirp_net - the back end
 * @net: what it has in common with others
 * @slirp: the library's handle
 * @loop: [d] the device's loop while its driver runs
 * @sockets: [d] an epoll with all @watched
 * @timeout: [d] timerfd: call the library again
 * @timer: [d] the library's own: it sends router advertisements by one
 * @watched: [d] what was asked for last
 * @nr_watched: [d] how many
 * @head: @tail: [d] frames for the guest
 * @nr_packets: [d] how many
 * @frame: [d] a frame from the guest, in one piece
 */
struct slirp_net {
	struct net_backend net;
	Slirp *slirp;
	struct loop *loop;
	struct loop_source sockets;
	struct loop_source timeout;
	struct timer timer[SLIRP_TIMER_NUM];
	struct watched watched[MAX_SOCKETS];
	int nr_watched;
	struct packet *head, **tail;
	unsigned int nr_packets;
	uint8_t frame[NET_FRAME_MAX];
};

static struct slirp_net *to_slirp(struct net_backend *net)
{
	return (struct slirp_net *)net;
}

/* --------------------------------------------------------- frames to the guest */

/* libslirp has a frame.  When the guest is far behind it is lost, as on a wire. */
static ssize_t send_packet(const void *data, size_t len, void *opaque)
{
	struct slirp_net *s = opaque;
	struct packet *packet;

	if (s->nr_packets == NET_BACKLOG || len > NET_FRAME_MAX - HEADER)
		return len;
	packet = calloc(1, sizeof(*packet) + HEADER + len);
	if (!packet)
		return len;
	packet->len = HEADER + len;
	memcpy(packet->data + HEADER, data, len);
	*s->tail = packet;
	s->tail = &packet->next;
	s->nr_packets++;
	return len;
}

static size_t receive(struct net_backend *net, void *frame, size_t room)
{
	struct slirp_net *s = to_slirp(net);
	struct packet *packet = s->head;
	size_t len;

	if (!packet)
		return 0;
	len = packet->len < room ? packet->len : room;
	memcpy(frame, packet->data, len);
	s->head = packet->next;
	if (!s->head)
		s->tail = &s->head;
	s->nr_packets--;
	free(packet);
	return len;
}

/* ------------------------------------------------------------- what it waits for */

/* The numbers are the library's. */
static const struct {
	int slirp;
	uint32_t epoll;
} events[] = {
	{ SLIRP_POLL_IN, EPOLLIN },
	{ SLIRP_POLL_OUT, EPOLLOUT },
	{ SLIRP_POLL_PRI, EPOLLPRI },
	{ SLIRP_POLL_ERR, EPOLLERR },
	{ SLIRP_POLL_HUP, EPOLLHUP },
	{ 0, 0 }
};

static int add_poll(int fd, int wanted, void *opaque)
{
	struct slirp_net *s = opaque;
	struct watched *w;
	int i;

	if (s->nr_watched == MAX_SOCKETS)
		return -1;
	w = &s->watched[s->nr_watched];
	*w = (struct watched){ .fd = fd };
	for (i = 0; events[i].slirp; i++)
		if (wanted & events[i].slirp)
			w->wanted |= events[i].epoll;
	return s->nr_watched++;
}

static int get_revents(int index, void *opaque)
{
	struct slirp_net *s = opaque;
	int i, ready = 0;

	for (i = 0; events[i].slirp; i++)
		if (s->watched[index].ready & events[i].epoll)
			ready |= events[i].slirp;
	return ready;
}

static void arm(struct slirp_net *s, uint32_t ms)
{
	const struct itimerspec when = {
		.it_value = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 + 1 },
	};
	const struct itimerspec never = { .it_value = { .tv_sec = 0 } };

	timerfd_settime(s->timeout.fd, 0, ms == UINT32_MAX ? &never : &when, NULL);
}

/* Take the sockets out of the epoll; those that were closed meanwhile are out already. */
static void unwatch(struct slirp_net *s)
{
	int i;

	for (i = 0; i < s->nr_watched; i++)
		epoll_ctl(s->sockets.fd, EPOLL_CTL_DEL, s->watched[i].fd, NULL);
	s->nr_watched = 0;
}

/* Ask what to wait for from now on. */
static void rewatch(struct slirp_net *s)
{
	uint32_t timeout = UINT32_MAX;
	int i;

	unwatch(s);
	slirp_pollfds_fill(s->slirp, &timeout, add_poll, s);
	for (i = 0; i < s->nr_watched; i++) {
		struct epoll_event event = { .events = s->watched[i].wanted, .data.u32 = i };

		epoll_ctl(s->sockets.fd, EPOLL_CTL_ADD, s->watched[i].fd, &event);
	}
	arm(s, timeout);
}

/* Something has happened: tell the library, and ask anew. */
static void on_sockets(void *opaque, uint32_t unused)
{
	struct slirp_net *s = opaque;
	struct epoll_event event[MAX_SOCKETS];
	int i, n = epoll_wait(s->sockets.fd, event, MAX_SOCKETS, 0);

	(void)unused;
	for (i = 0; i < n; i++)
		s->watched[event[i].data.u32].ready = event[i].events;
	slirp_pollfds_poll(s->slirp, n < 0, get_revents, s);
	rewatch(s);
	s->net.ready(s->net.opaque);
}

static void drain(int fd)
{
	uint64_t count;
	ssize_t n = read(fd, &count, sizeof(count));

	(void)n;
}

static void on_timeout(void *opaque, uint32_t unused)
{
	struct slirp_net *s = opaque;

	drain(s->timeout.fd);
	on_sockets(s, unused);
}

/* ------------------------------------------------------ the library's callbacks */

static int64_t clock_get_ns(void *opaque)
{
	struct timespec ts;

	(void)opaque;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static void on_timer(void *opaque, uint32_t unused)
{
	struct timer *timer = opaque;

	(void)unused;
	drain(timer->source.fd);
	slirp_handle_timer(timer->s->slirp, timer->id, timer->cb_opaque);
	rewatch(timer->s);
	timer->s->net.ready(timer->s->net.opaque);
}

static void *timer_new(SlirpTimerId id, void *cb_opaque, void *opaque)
{
	struct slirp_net *s = opaque;
	struct timer *timer = &s->timer[id];

	*timer = (struct timer){
		.s = s, .id = id, .cb_opaque = cb_opaque,
		.source = { .ready = on_timer, .opaque = timer },
	};
	timer->source.fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	return timer;
}

static void timer_free(void *opaque, void *unused)
{
	struct timer *timer = opaque;

	(void)unused;
	close(timer->source.fd);
}

static void timer_mod(void *opaque, int64_t ms, void *unused)
{
	const struct timer *timer = opaque;
	const struct itimerspec when = {
		.it_value = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 },
	};

	(void)unused;
	timerfd_settime(timer->source.fd, TFD_TIMER_ABSTIME, &when, NULL);
}

/* A guest's errors are its own; and it could fill the terminal with them. */
static void guest_error(const char *msg, void *opaque)
{
	(void)msg;
	(void)opaque;
}

/* Nothing to do: rewatch() comes after everything that could change what to wait for. */
static void socket_changed(int fd, void *opaque)
{
	(void)fd;
	(void)opaque;
}

static void notify(void *opaque)
{
	(void)opaque;
}

static const SlirpCb callbacks = {
	.send_packet = send_packet,
	.guest_error = guest_error,
	.clock_get_ns = clock_get_ns,
	.timer_new_opaque = timer_new,
	.timer_free = timer_free,
	.timer_mod = timer_mod,
	.register_poll_fd = socket_changed,
	.unregister_poll_fd = socket_changed,
	.notify = notify,
};

/* ------------------------------------------------------------------ driver */

/* The header tells nothing: no checksum or segment is left for us to do. */
static void send_frame(struct net_backend *net, const struct iovec *part, unsigned int nr,
		       size_t len)
{
	struct slirp_net *s = to_slirp(net);
	size_t done = 0;

	for (; nr; nr--, part++) {
		memcpy(s->frame + done, part->iov_base, part->iov_len);
		done += part->iov_len;
	}
	slirp_input(s->slirp, s->frame + HEADER, len - HEADER);
}

static void sent(struct net_backend *net)
{
	rewatch(to_slirp(net));
	net->ready(net->opaque);
}

static void start(struct net_backend *net, struct loop *loop, uint64_t features)
{
	struct slirp_net *s = to_slirp(net);
	int i;

	(void)features;
	s->loop = loop;
	loop_add(loop, &s->sockets, EPOLLIN);
	loop_add(loop, &s->timeout, EPOLLIN);
	for (i = 0; i < SLIRP_TIMER_NUM; i++)
		loop_add(loop, &s->timer[i].source, EPOLLIN);
	rewatch(s);
}

/* Connections stay; frames for a driver that is gone don't. */
static void stop(struct net_backend *net)
{
	struct slirp_net *s = to_slirp(net);
	int i;

	loop_remove(s->loop, &s->sockets);
	loop_remove(s->loop, &s->timeout);
	for (i = 0; i < SLIRP_TIMER_NUM; i++)
		loop_remove(s->loop, &s->timer[i].source);
	while (receive(net, s->frame, sizeof(s->frame)))
		;
}

static void slirp_free(struct net_backend *net)
{
	struct slirp_net *s = to_slirp(net);

	if (s->slirp)
		slirp_cleanup(s->slirp);
	while (receive(net, s->frame, sizeof(s->frame)))
		;
	close(s->sockets.fd);
	close(s->timeout.fd);
	free(s);
}

static const struct net_backend_ops slirp_ops = {
	.start = start,
	.stop = stop,
	.send = send_frame,
	.sent = sent,
	.receive = receive,
	.free = slirp_free,
};

/* -------------------------------------------------------------------- open */

static struct in_addr ipv4(const char *text)
{
	struct in_addr addr;

	inet_pton(AF_INET, text, &addr);
	return addr;
}

static struct in6_addr ipv6(const char *text)
{
	struct in6_addr addr;

	inet_pton(AF_INET6, text, &addr);
	return addr;
}

static Slirp *new_slirp(struct slirp_net *s)
{
	const SlirpConfig config = {
		.version = 4,
		.in_enabled = true,
		.vnetwork = ipv4("10.0.2.0"),
		.vnetmask = ipv4("255.255.255.0"),
		.vhost = ipv4("10.0.2.2"),
		.vdhcp_start = ipv4("10.0.2.15"),
		.vnameserver = ipv4("10.0.2.3"),
		.in6_enabled = true,
		.vprefix_addr6 = ipv6("fec0::"),
		.vprefix_len = 64,
		.vhost6 = ipv6("fec0::2"),
		.vnameserver6 = ipv6("fec0::3"),
		.if_mtu = s->net.mtu,
		.if_mru = s->net.mtu,
	};

	return slirp_new(&config, &callbacks, s);
}

/**
 * slirp_open - a network of the guest's own, in this process
 * @mtu: largest packet, from NET_MTU_MIN to NET_MTU_MAX
 * @why: set on failure
 *
 * Return: the back end, or NULL.
 */
struct net_backend *slirp_open(unsigned int mtu, struct net_error *why)
{
	struct slirp_net *s = calloc(1, sizeof(*s));

	if (!s) {
		snprintf(why->text, sizeof(why->text), "out of memory");
		return NULL;
	}
	s->net.ops = &slirp_ops;
	s->net.mtu = mtu;
	s->tail = &s->head;
	s->sockets = (struct loop_source){ .ready = on_sockets, .opaque = s };
	s->timeout = (struct loop_source){ .ready = on_timeout, .opaque = s };
	s->sockets.fd = epoll_create1(EPOLL_CLOEXEC);
	s->timeout.fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (s->sockets.fd >= 0 && s->timeout.fd >= 0)
		s->slirp = new_slirp(s);
	if (s->slirp)
		return &s->net;
	snprintf(why->text, sizeof(why->text), "user networking: %s", strerror(errno));
	slirp_free(&s->net);
	return NULL;
}

/* A port's number; 0: it is none. */
static int parse_port(const char *text)
{
	char *end;
	unsigned long port;

	if (*text < '0' || *text > '9')
		return 0;
	port = strtoul(text, &end, 10);
	return *end || port > 65535 ? 0 : port;
}

/* An address; "" is any. */
static bool parse_addr(const char *text, struct in_addr *addr)
{
	addr->s_addr = INADDR_ANY;
	return !*text || inet_pton(AF_INET, text, addr) == 1;
}

/**
 * struct forward - a rule, "tcp:127.0.0.1:2222-:22"
 * @udp: instead of TCP
 * @host: @host_port: where the host listens
 * @guest: @guest_port: where to connect to in the guest
 */
struct forward {
	bool udp;
	struct in_addr host, guest;
	int host_port, guest_port;
};

static bool parse_forward(struct forward *f, char *rule)
{
	const char *protocol = strsep(&rule, ":"), *host = strsep(&rule, ":");
	const char *host_port = strsep(&rule, "-"), *guest = strsep(&rule, ":");

	if (!rule)
		return false;
	f->udp = !strcmp(protocol, "udp");
	if (!f->udp && *protocol && strcmp(protocol, "tcp"))
		return false;
	f->host_port = parse_port(host_port);
	f->guest_port = parse_port(rule);
	return f->host_port && f->guest_port && parse_addr(host, &f->host) &&
	       parse_addr(guest, &f->guest);
}

/**
 * slirp_forward - have the host listen for the guest
 * @net: the back end, before its device runs
 * @rule: as QEMU writes it: [tcp|udp]:[HOSTADDR]:PORT-[GUESTADDR]:PORT
 * @why: set on failure
 *
 * Return: false if that is no rule, or the port is taken.
 */
bool slirp_forward(struct net_backend *net, const char *rule, struct net_error *why)
{
	char *copy = strdup(rule);
	struct forward f;
	bool ok = copy && parse_forward(&f, copy);

	free(copy);
	if (!ok) {
		snprintf(why->text, sizeof(why->text),
			 "hostfwd=%.80s: it is [tcp|udp]:[HOSTADDR]:PORT-[GUESTADDR]:PORT", rule);
		return false;
	}
	if (!slirp_add_hostfwd(to_slirp(net)->slirp, f.udp, f.host, f.host_port, f.guest,
			       f.guest_port))
		return true;
	snprintf(why->text, sizeof(why->text), "hostfwd=%.80s: cannot listen on port %d: %s", rule,
		 f.host_port, strerror(errno));
	return false;
}
