// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * User-mode networking: frames as a guest sends them at one end, sockets of the host's
 * at the other.
 */
#include <arpa/inet.h>
#include <sys/socket.h>

#include "../../userspace/devices/loop.c"
#include "../../userspace/devices/slirp.c"
#include "tap.h"

#define PATIENCE	6000	/* turns of 10 ms at most, for what has to come */

static struct net_backend *net;
static struct loop loop;
static int calls;			/* of ready */

static uint8_t out[2000], in[2000];	/* a frame from and to the guest, with its header */
static size_t out_len, in_len;

static const uint8_t guest_mac[6] = { 2, 0, 0, 0, 0, 1 };

static void ready(void *opaque)
{
	(void)opaque;
	calls++;
}

/* ------------------------------------------------------------ making frames */

static void put(const void *data, size_t len)
{
	memcpy(out + out_len, data, len);
	out_len += len;
}

static void put16(uint16_t value)
{
	value = htons(value);
	put(&value, 2);
}

static void put_addr(const char *text)
{
	const struct in_addr addr = ipv4(text);

	put(&addr, 4);
}

static void begin(uint16_t type)
{
	memset(out, 0, sizeof(out));
	out_len = HEADER;
	put("\xff\xff\xff\xff\xff\xff", 6);
	put(guest_mac, 6);
	put16(type);
}

static uint16_t ip_checksum(const uint8_t *p)
{
	uint32_t sum = 0;
	int i;

	for (i = 0; i < 20; i += 2)
		sum += p[i] << 8 | p[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	return ~((sum & 0xffff) + (sum >> 16));
}

static void send_out(void)
{
	const struct iovec parts[] = { { out, 5 }, { out + 5, out_len - 5 } };

	net->ops->send(net, parts, 2, out_len);
	net->ops->sent(net);
}

/* Who has 10.0.2.2?  Tell 10.0.2.15. */
static void send_arp(void)
{
	begin(0x0806);
	put("\x00\x01\x08\x00\x06\x04\x00\x01", 8);
	put(guest_mac, 6);
	put_addr("10.0.2.15");
	put("\0\0\0\0\0\0", 6);
	put_addr("10.0.2.2");
	send_out();
}

static void send_udp(const char *from, const char *to, int sport, int dport, const void *data,
		     size_t len)
{
	uint8_t *ip;

	begin(0x0800);
	ip = out + out_len;
	put("\x45\x00", 2);
	put16(20 + 8 + len);
	put("\0\0\0\0\x40\x11\0\0", 8);
	put_addr(from);
	put_addr(to);
	ip[10] = ip_checksum(ip) >> 8;
	ip[11] = ip_checksum(ip);
	put16(sport);
	put16(dport);
	put16(8 + len);
	put16(0);
	put(data, len);
	send_out();
}

/* --------------------------------------------------------- looking at frames */

/* Wait for a frame for the guest; false after a minute without one. */
static bool wait_frame(void)
{
	int i;

	for (i = 0; i < PATIENCE; i++) {
		in_len = net->ops->receive(net, in, sizeof(in));
		if (in_len)
			return true;
		loop_once(&loop, 10);
	}
	return false;
}

static uint16_t get16(size_t offset)
{
	return in[HEADER + offset] << 8 | in[HEADER + offset + 1];
}

static bool addr_is(size_t offset, const char *text)
{
	const struct in_addr addr = ipv4(text);

	return !memcmp(in + HEADER + offset, &addr, 4);
}

/* A frame with IPv4 and that protocol; answers the questions for the guest's address. */
static bool wait_ip(uint8_t protocol)
{
	while (wait_frame()) {
		if (get16(12) == 0x0806 && addr_is(38, "10.0.2.15"))
			send_arp();
		if (get16(12) == 0x0800 && in[HEADER + 23] == protocol)
			return true;
	}
	return false;
}

static bool is_udp(const char *from, int sport, int dport, const char *text)
{
	return addr_is(26, from) && addr_is(30, "10.0.2.15") && get16(34) == sport &&
	       get16(36) == dport && get16(38) == 8 + strlen(text) &&
	       !memcmp(in + HEADER + 42, text, strlen(text));
}

/* ----------------------------------------------------------- the host's side */

/* A socket on 127.0.0.1, at a port that is free. */
static int host_socket(int type, struct sockaddr_in *addr)
{
	socklen_t len = sizeof(*addr);
	int fd = socket(AF_INET, type | SOCK_NONBLOCK, 0);

	*addr = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr = ipv4("127.0.0.1") };
	if (fd < 0 || bind(fd, (struct sockaddr *)addr, len) ||
	    getsockname(fd, (struct sockaddr *)addr, &len))
		abort();
	return fd;
}

static void test_arp(void)
{
	const struct virtio_net_hdr ordinary = { .flags = 0 };

	send_arp();
	check("the router answers", calls > 0 && wait_frame() && get16(12) == 0x0806 &&
	      get16(20) == 2 && addr_is(28, "10.0.2.2"));
	check("with a header that says nothing", in_len >= HEADER + 42 &&
	      !memcmp(in, &ordinary, HEADER));
}

static void test_dhcp(void)
{
	uint8_t discover[300] = { 1, 1, 6, 0, 'x', 'i', 'd', '.' };

	memcpy(discover + 28, guest_mac, 6);
	memcpy(discover + 236, "\x63\x82\x53\x63\x35\x01\x01\xff", 8);
	send_udp("0.0.0.0", "255.255.255.255", 68, 67, discover, sizeof(discover));
	check("DHCP answers", wait_ip(17) && get16(34) == 67 && get16(36) == 68);
	check("with an address", !memcmp(in + HEADER + 42 + 4, "xid.", 4) &&
	      addr_is(42 + 16, "10.0.2.15"));
}

static void test_udp(void)
{
	struct sockaddr_in addr, peer;
	socklen_t len = sizeof(peer);
	int fd = host_socket(SOCK_DGRAM, &addr), port = ntohs(addr.sin_port), i;
	char buf[100];
	ssize_t n = -1;

	send_udp("10.0.2.15", "10.0.2.2", 1234, port, "ping", 4);
	for (i = 0; i < PATIENCE && n < 0; i++) {
		loop_once(&loop, 10);
		n = recvfrom(fd, buf, sizeof(buf), 0, (struct sockaddr *)&peer, &len);
	}
	check("a datagram to the host", n == 4 && !memcmp(buf, "ping", 4));
	sendto(fd, "pong!", 5, 0, (struct sockaddr *)&peer, len);
	check("and the answer", wait_ip(17) && is_udp("10.0.2.2", port, 1234, "pong!"));
	close(fd);
}

static void test_forward(void)
{
	struct sockaddr_in udp, tcp, taken;
	int u = host_socket(SOCK_DGRAM, &udp), t = host_socket(SOCK_STREAM, &tcp);
	int fd = host_socket(SOCK_STREAM, &taken);
	struct net_error why;
	char rule[100];

	listen(fd, 1);
	snprintf(rule, sizeof(rule), "tcp:127.0.0.1:%d-:22", ntohs(taken.sin_port));
	check("a port that is taken", !slirp_forward(net, rule, &why) &&
	      strstr(why.text, "Address already in use"));
	close(fd);

	close(u);
	snprintf(rule, sizeof(rule), "udp:127.0.0.1:%d-10.0.2.15:7777", ntohs(udp.sin_port));
	check("a UDP port", slirp_forward(net, rule, &why));
	net->ops->sent(net);		/* looks for what there is to wait for */
	u = socket(AF_INET, SOCK_DGRAM, 0);
	sendto(u, "knock", 5, 0, (struct sockaddr *)&udp, sizeof(udp));
	check("a datagram to the guest", wait_ip(17) && addr_is(30, "10.0.2.15") &&
	      get16(36) == 7777 && !memcmp(in + HEADER + 42, "knock", 5));
	close(u);

	close(t);
	snprintf(rule, sizeof(rule), ":127.0.0.1:%d-:22", ntohs(tcp.sin_port));
	check("a TCP port, which is the default", slirp_forward(net, rule, &why));
	net->ops->sent(net);
	t = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	connect(t, (struct sockaddr *)&tcp, sizeof(tcp));
	check("a connection to the guest begins", wait_ip(6) && addr_is(30, "10.0.2.15") &&
	      get16(36) == 22 && in[HEADER + 47] == 2 /* SYN */);
	close(t);
}

/* ------------------------------------------------------- a connection to the guest */

#define TCP_FIN	0x01
#define TCP_SYN	0x02
#define TCP_RST	0x04
#define TCP_ACK	0x10

#define NEVER	1000		/* segments are fewer than that */

static uint8_t payload[40000];		/* what the host sends */

/**
 * struct connection - a connection of the host's to a port of the guest's
 * @fd: the host's side; -1 when it has closed it
 * @written: bytes of @payload that it has written
 * @port: the port that the guest sees it come from
 * @sent: @got: sequence numbers: the guest's next, and the next that it expects
 * @received: bytes of @payload that the guest has
 * @wrong: it has got others, or has been reset
 * @ended: it has seen the end
 */
struct connection {
	int fd;
	size_t written;
	uint16_t port;
	uint32_t sent, got;
	size_t received;
	bool wrong, ended;
};

/* RFC 9293, 3.1: over addresses, protocol and length, too. */
static uint16_t tcp_checksum(const uint8_t *ip)
{
	uint32_t sum = 6 + 20;
	int i;

	for (i = 12; i < 40; i += 2)
		sum += ip[i] << 8 | ip[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	return ~((sum & 0xffff) + (sum >> 16));
}

static void put32(uint32_t value)
{
	value = htonl(value);
	put(&value, 4);
}

/* The guest sends nothing but the beginning, the end and that it has got something. */
static void send_tcp(struct connection *c, uint8_t flags)
{
	uint16_t sum;
	uint8_t *ip;

	begin(0x0800);
	ip = out + out_len;
	put("\x45\x00", 2);
	put16(40);
	put("\0\0\0\0\x40\x06\0\0", 8);
	put_addr("10.0.2.15");
	put_addr("10.0.2.2");
	sum = htons(ip_checksum(ip));
	memcpy(ip + 10, &sum, 2);
	put16(22);
	put16(c->port);
	put32(c->sent);
	put32(c->got);
	put("\x50", 1);
	put(&flags, 1);
	put16(0x4000);		/* the window */
	put("\0\0\0\0", 4);
	sum = htons(tcp_checksum(ip));
	memcpy(ip + 36, &sum, 2);
	send_out();
	if (flags & (TCP_SYN | TCP_FIN))
		c->sent++;
}

static uint32_t get32(size_t offset)
{
	return (uint32_t)get16(offset) << 16 | get16(offset + 2);
}

/* A segment of this connection; connections of other tests may still be about. */
static bool wait_segment(const struct connection *c)
{
	while (wait_ip(6))
		if (get16(34) == c->port && get16(36) == 22)
			return true;
	return false;
}

/* The guest has got a segment. */
static void take_segment(struct connection *c)
{
	size_t begins = 34 + (in[HEADER + 46] >> 4) * 4, len = get16(16) + 14 - begins;
	uint8_t flags = in[HEADER + 47];

	if (flags & TCP_RST)
		c->wrong = true;
	if (get32(38) != c->got || !(len || flags & TCP_FIN))
		return;
	if (c->received + len > sizeof(payload) ||
	    memcmp(in + HEADER + begins, payload + c->received, len))
		c->wrong = true;
	c->received += len;
	c->got += len;
	if (flags & TCP_FIN) {
		c->got++;
		c->ended = true;
	}
	send_tcp(c, TCP_ACK);
}

/* As nc does: write, and close when all is written, or when the other side has ended. */
static void host_writes(struct connection *c, size_t chunk)
{
	ssize_t n;
	char byte;

	if (c->fd < 0)
		return;
	if (chunk > sizeof(payload) - c->written)
		chunk = sizeof(payload) - c->written;
	n = send(c->fd, payload + c->written, chunk, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n > 0)
		c->written += n;
	if (c->written == sizeof(payload) || recv(c->fd, &byte, 1, MSG_DONTWAIT) == 0) {
		close(c->fd);
		c->fd = -1;
	}
}

/*
 * The host connects and writes @chunk bytes whenever the guest gets something.  The
 * guest ends its own side after @early segments, and the one after @lost does not reach
 * it.  All that was written has to arrive.
 */
static bool transfer(const struct sockaddr_in *addr, size_t chunk, int early, int lost)
{
	struct connection c = { .fd = socket(AF_INET, SOCK_STREAM, 0), .sent = 1000 };
	struct sockaddr_in own;
	socklen_t len = sizeof(own);
	int segments = 0;

	if (connect(c.fd, (const struct sockaddr *)addr, sizeof(*addr)) ||
	    getsockname(c.fd, (struct sockaddr *)&own, &len))
		return false;
	c.port = ntohs(own.sin_port);
	if (!wait_segment(&c))
		return false;
	c.got = get32(38) + 1;
	host_writes(&c, chunk);
	send_tcp(&c, TCP_SYN | TCP_ACK);
	while (!c.ended && !c.wrong) {
		if (segments++ == early)
			send_tcp(&c, TCP_FIN | TCP_ACK);
		if (!wait_segment(&c))
			break;
		if (segments != lost + 1)
			take_segment(&c);
		host_writes(&c, chunk);
	}
	if (segments <= early)
		send_tcp(&c, TCP_FIN | TCP_ACK);
	if (!c.ended || c.wrong || c.received != c.written)
		printf("# %zu at a time, end after %d: %zu bytes of %zu%s%s\n", chunk, early,
		       c.received, c.written, c.wrong ? ", wrong" : "", c.ended ? "" : ", no end");
	if (c.fd >= 0)
		close(c.fd);
	return c.ended && !c.wrong && c.received == c.written;
}

static void test_transfer(void)
{
	static const size_t chunks[] = { 1, 1024, 1460, 2048, 5000, sizeof(payload) };
	struct sockaddr_in addr;
	int t = host_socket(SOCK_STREAM, &addr), early, whole = 0, half = 0;
	struct net_error why;
	char rule[100];
	size_t i;

	close(t);
	snprintf(rule, sizeof(rule), "tcp:127.0.0.1:%d-:22", ntohs(addr.sin_port));
	check("one more rule", slirp_forward(net, rule, &why));
	net->ops->sent(net);
	for (i = 0; i < sizeof(payload); i++)
		payload[i] = i * i >> 3;
	for (i = 1; i < 6; i++)
		whole += transfer(&addr, chunks[i], NEVER, NEVER);
	check("a guest gets all that the host writes", whole == 5);
	for (i = 0; i < 6; i++)
		for (early = 0; early < 8; early++)
			half += transfer(&addr, chunks[i], early, NEVER);
	check("also when it has ended its own side", half == 6 * 8);
	check("and when a frame is lost", transfer(&addr, 2048, 0, 1) &&
	      transfer(&addr, 5000, 2, 2) && transfer(&addr, 5000, NEVER, 3));
}

static void test_rules(void)
{
	static const char * const bad[] = {
		"", "tcp", "tcp:", "tcp::", "tcp::1", "tcp::1-", "tcp::1-2", "tcp::0-:2",
		"tcp::1-:0", "tcp::1-:65536", "tcp::1-:2x", "tcp::x-:2", "tcp::-1-:2",
		"sctp::1-:2", "tcp:localhost:1-:2", "tcp::1-guest:2", "tcp::1-:2:3",
		"tcp:1.2.3:1-:2", NULL
	};
	struct net_error why;
	int i;

	for (i = 0; bad[i]; i++)
		if (slirp_forward(net, bad[i], &why) || !strstr(why.text, "[HOSTADDR]"))
			break;
	check("what is no rule", !bad[i]);
	if (bad[i])
		printf("# '%s' was taken for one\n", bad[i]);
}

/* Whatever the guest sends is libslirp's to judge; what comes back has to be bounded. */
static void test_flood(void)
{
	struct slirp_net *s = to_slirp(net);
	unsigned int i, n, got = 0;

	for (i = 0; i < NET_BACKLOG + 50; i++)
		send_arp();
	check("frames that nobody takes are few", s->nr_packets == NET_BACKLOG);
	while (net->ops->receive(net, in, sizeof(in)))
		got++;
	check("and in order, and all there", got == NET_BACKLOG && !s->head && !s->nr_packets);

	srand(1);
	for (i = 0; i < 20000; i++) {
		begin(i & 1 ? 0x0800 : 0x86dd);
		n = rand() % 200;
		while (n--)
			out[out_len++] = rand();
		if (i % 3 == 0)
			out_len = HEADER + rand() % (out_len - HEADER);
		send_out();
		while (net->ops->receive(net, in, sizeof(in)))
			;
	}
	send_arp();
	check("nonsense does no harm", wait_frame());
	while (net->ops->receive(net, in, sizeof(in)))
		;
}

static void test_restart(void)
{
	send_arp();
	net->ops->stop(net);
	check("a reset forgets frames", !net->ops->receive(net, in, sizeof(in)));
	check("and waits for nothing", !loop_once(&loop, 1200));
	net->ops->start(net, &loop, 0);
	test_udp();
}

int main(void)
{
	struct net_error why;

	net = slirp_open(1500, &why);
	if (!net || loop_init(&loop))
		return 1;
	net->ready = ready;
	net->ops->start(net, &loop, 0);
	check("the MTU", net->mtu == 1500);
	test_arp();
	test_dhcp();
	test_udp();
	test_forward();
	test_transfer();
	test_rules();
	test_flood();
	test_restart();
	net->ops->stop(net);
	net->ops->free(net);
	loop_fini(&loop);
	return tap_done();
}
