// SPDX-License-Identifier: GPL-2.0-or-later
/* The network card, before a back end that the test plays. */
#include "../../userspace/devices/virtio_net.c"
#include "tap.h"
#include "virtio_driver.h"

static const uint8_t mac[6] = { 2, 3, 4, 5, 6, 7 };
#define QUEUE_SIZE	16

static struct virtio_net *net;
static struct driver d;

static uint8_t *mem(uint64_t gpa)
{
	return at(&d, gpa, 1);
}

static uint64_t config(uint64_t offset, int size)
{
	return virtio_mmio_ops.read(&d.mmio, REG_CONFIG + offset, size);
}

/* What the card did with its back end, and frames that wait there. */
static struct {
	bool running, room;
	uint64_t features;
	int nr_sent, batches;
	uint8_t sent[4096];
	size_t sent_len;
	size_t waiting[300];
	unsigned int nr_waiting, next;
} wire;

static void wire_start(struct net_backend *backend, struct loop *loop, uint64_t features)
{
	(void)backend;
	(void)loop;
	wire.running = true;
	wire.features = features;
}

static void wire_stop(struct net_backend *backend)
{
	(void)backend;
	wire.running = false;
}

static void wire_send(struct net_backend *backend, const struct iovec *part, unsigned int nr,
		      size_t len)
{
	(void)backend;
	wire.sent_len = 0;
	for (; nr; nr--, part++) {
		if (wire.sent_len + part->iov_len <= sizeof(wire.sent))
			memcpy(wire.sent + wire.sent_len, part->iov_base, part->iov_len);
		wire.sent_len += part->iov_len;
	}
	if (wire.sent_len != len)
		abort();
	wire.nr_sent++;
}

static void wire_sent(struct net_backend *backend)
{
	(void)backend;
	wire.batches++;
}

/* Frame number n: a header of zeros, then bytes that count from n on. */
static size_t wire_receive(struct net_backend *backend, void *frame, size_t room)
{
	uint8_t *p = frame;
	size_t i, len;

	(void)backend;
	if (wire.next == wire.nr_waiting)
		return 0;
	len = wire.waiting[wire.next];
	if (len > room)
		abort();
	for (i = 0; i < len; i++)
		p[i] = i < HEADER ? 0 : (i - HEADER + wire.next) % 251;
	wire.next++;
	return len;
}

static void wire_want(struct net_backend *backend, bool room)
{
	(void)backend;
	wire.room = room;
}

static void wire_free(struct net_backend *backend)
{
	(void)backend;
}

static const struct net_backend_ops wire_ops = {
	.start = wire_start, .stop = wire_stop, .send = wire_send, .sent = wire_sent,
	.receive = wire_receive, .want = wire_want, .free = wire_free,
};

static struct net_backend backend = { .ops = &wire_ops, .features = NET_F_CSUM, .mtu = 1400 };

static void restart(uint64_t features)
{
	memset(&wire, 0, sizeof(wire));
	driver_start(&d, features, QUEUE_SIZE);
}

/* A frame of @len bytes, header included, comes from the network. */
static void arrive(size_t len)
{
	wire.waiting[wire.nr_waiting++] = len;
	backend.ready(backend.opaque);
}

/* Are these @len bytes, from byte @from on, of frame number @nr? */
static bool is_frame(const uint8_t *p, size_t len, unsigned int nr, size_t from)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (p[i] != (from + i + nr) % 251)
			return false;
	return true;
}

static unsigned int nr_buffers(uint64_t gpa)
{
	const struct virtio_net_hdr *header = (const void *)mem(gpa);

	return header->num_buffers;
}

static void test_config(void)
{
	uint8_t got[6];
	int i;

	restart(NET_F_CSUM);
	for (i = 0; i < 6; i++)
		got[i] = config(i, 1);
	check("the address", !memcmp(got, mac, 6));
	check("the cable is in", config(6, 2) == STATUS_LINK_UP);
	check("the MTU", config(10, 2) == 1400);
	check("it offers what its back end offers",
	      (driver_features(&d) & (NET_F_CSUM | NET_F_GUEST_CSUM)) == NET_F_CSUM);
	check("the back end knows the driver's features", wire.running &&
	      (wire.features & NET_F_CSUM));
	backend.down(backend.opaque);
	check("the cable is out", config(6, 2) == 0 &&
	      (reg_get(&d, REG_INTERRUPT_STATUS) & INTERRUPT_CONFIG));
	atomic_store(&net->up, true);
	reg_set(&d, REG_STATUS, 0);
	check("a reset stops the back end", !wire.running);
}

static void test_send(void)
{
	const struct part three[] = {
		{ DATA, HEADER, false }, { DATA + 0x100, 14, false },
		{ DATA + 0x200, 86, false }, { 0 }
	};

	restart(0);
	memset(mem(DATA), 0x11, HEADER);
	memset(mem(DATA + 0x100), 0x22, 14);
	memset(mem(DATA + 0x200), 0x33, 86);
	driver_put(&d, QUEUE_TRANSMIT, three);
	driver_kick(&d, QUEUE_TRANSMIT);
	check("a frame in three parts", wire.nr_sent == 1 && wire.sent_len == HEADER + 100);
	check("as it was", wire.sent[0] == 0x11 && wire.sent[HEADER] == 0x22 &&
	      wire.sent[HEADER + 13] == 0x22 && wire.sent[HEADER + 14] == 0x33);
	check("its buffer comes back", driver_taken(&d, QUEUE_TRANSMIT) == 0);

	wire.batches = 0;
	driver_put(&d, QUEUE_TRANSMIT, three);
	driver_put(&d, QUEUE_TRANSMIT, three);
	driver_kick(&d, QUEUE_TRANSMIT);
	check("two at once", wire.nr_sent == 3 && wire.batches == 1);

	driver_put1(&d, QUEUE_TRANSMIT, DATA, NET_FRAME_MAX + 1, false);
	driver_kick(&d, QUEUE_TRANSMIT);
	check("what is larger than any frame is lost", wire.nr_sent == 3 &&
	      driver_taken(&d, QUEUE_TRANSMIT) == 0 && !net->dev.failed);
}

static void test_receive(void)
{
	restart(F_MRG_RXBUF);
	arrive(HEADER + 60);
	check("without a buffer a frame waits", wire.next == 1 && !wire.room);
	driver_put1(&d, QUEUE_RECEIVE, DATA, 1600, true);
	driver_kick(&d, QUEUE_RECEIVE);
	check("until there is one", driver_taken(&d, QUEUE_RECEIVE) == HEADER + 60 && wire.room);
	check("it is as it was", is_frame(mem(DATA + HEADER), 60, 0, 0));
	check("and says that it is in one buffer", nr_buffers(DATA) == 1);

	d.interrupts = 0;
	driver_put1(&d, QUEUE_RECEIVE, DATA, 1600, true);
	driver_put1(&d, QUEUE_RECEIVE, DATA + 0x1000, 1600, true);
	driver_kick(&d, QUEUE_RECEIVE);
	wire.waiting[wire.nr_waiting++] = HEADER + 70;
	arrive(HEADER + 80);
	check("two frames at once", driver_taken(&d, QUEUE_RECEIVE) == HEADER + 70 &&
	      driver_taken(&d, QUEUE_RECEIVE) == HEADER + 80 &&
	      is_frame(mem(DATA + 0x1000 + HEADER), 80, 2, 0));
	check("and one interrupt", d.interrupts == 1);
}

/* A frame in several buffers is handed over when it is complete. */
static void test_merge(void)
{
	const struct part split[] = { { DATA, 50, true }, { DATA + 0x100, 50, true },
				      { 0 } };

	restart(F_MRG_RXBUF);
	driver_put(&d, QUEUE_RECEIVE, split);
	driver_put1(&d, QUEUE_RECEIVE, DATA + 0x200, 100, true);
	arrive(HEADER + 250);
	check("two buffers are too few", driver_taken(&d, QUEUE_RECEIVE) == -1 && !wire.room);
	driver_put1(&d, QUEUE_RECEIVE, DATA + 0x300, 100, true);
	driver_kick(&d, QUEUE_RECEIVE);
	check("three do", nr_buffers(DATA) == 3);
	check("filled one after the other", driver_taken(&d, QUEUE_RECEIVE) == 100 &&
	      driver_taken(&d, QUEUE_RECEIVE) == 100 &&
	      driver_taken(&d, QUEUE_RECEIVE) == HEADER + 50);
	check("with the right bytes", is_frame(mem(DATA + HEADER), 50 - HEADER, 0, 0) &&
	      is_frame(mem(DATA + 0x100), 50, 0, 50 - HEADER) &&
	      is_frame(mem(DATA + 0x200), 100, 0, 100 - HEADER) &&
	      is_frame(mem(DATA + 0x300), 50 + HEADER, 0, 200 - HEADER));

	restart(F_MRG_RXBUF);
	driver_put1(&d, QUEUE_RECEIVE, DATA, 100, true);
	arrive(HEADER + 250);
	restart(F_MRG_RXBUF);
	driver_put1(&d, QUEUE_RECEIVE, DATA, 100, true);
	arrive(HEADER + 20);
	check("a reset forgets half a frame", driver_taken(&d, QUEUE_RECEIVE) == HEADER + 20 &&
	      nr_buffers(DATA) == 1 && is_frame(mem(DATA + HEADER), 20, 0, 0));
}

static void test_unmerged(void)
{
	restart(0);
	driver_put1(&d, QUEUE_RECEIVE, DATA, 100, true);
	driver_put1(&d, QUEUE_RECEIVE, DATA + 0x1000, 100, true);
	wire.waiting[wire.nr_waiting++] = HEADER + 100;
	arrive(HEADER + 30);
	check("one buffer a frame: what is too large is lost",
	      driver_taken(&d, QUEUE_RECEIVE) == HEADER + 30 &&
	      driver_taken(&d, QUEUE_RECEIVE) == -1);
	check("and its buffer is for the next", is_frame(mem(DATA + HEADER), 30, 1, 0) &&
	      nr_buffers(DATA) == 1);
}

static void test_many(void)
{
	unsigned int i;
	bool ok = true;

	restart(F_MRG_RXBUF);
	for (i = 0; i < 300; i++)
		wire.waiting[wire.nr_waiting++] = HEADER + 60;
	for (i = 0; i < 300; i++) {
		driver_put1(&d, QUEUE_RECEIVE, DATA, 100, true);
		driver_kick(&d, QUEUE_RECEIVE);
		ok = ok && driver_taken(&d, QUEUE_RECEIVE) == HEADER + 60 &&
		     is_frame(mem(DATA + HEADER), 60, i, 0);
	}
	check("many frames, in order", ok && wire.next == 300);
}

static void test_malformed(void)
{
	unsigned int i;

	restart(0);
	driver_put1(&d, QUEUE_TRANSMIT, DATA, HEADER - 1, false);
	driver_kick(&d, QUEUE_TRANSMIT);
	check("half a header", driver_failed(&d, "a frame of 11 bytes") && !wire.nr_sent);
	restart(0);
	driver_put1(&d, QUEUE_TRANSMIT, DATA, 100, true);
	driver_kick(&d, QUEUE_TRANSMIT);
	check("a frame to be written", driver_failed(&d, "a frame of 0 bytes") && !wire.nr_sent);
	restart(0);
	driver_put1(&d, QUEUE_TRANSMIT, HIGH - 4, 100, false);
	driver_kick(&d, QUEUE_TRANSMIT);
	check("a frame outside of memory", driver_failed(&d, "outside of memory") && !wire.nr_sent);

	restart(F_MRG_RXBUF);
	driver_put1(&d, QUEUE_RECEIVE, DATA, 100, false);
	arrive(HEADER + 60);
	check("no room to receive", driver_failed(&d, "1 buffers, the last of 0 bytes"));
	arrive(HEADER + 60);
	check("then nothing moves", driver_taken(&d, QUEUE_RECEIVE) == -1 && !wire.room);

	restart(F_MRG_RXBUF);
	arrive(HEADER + 60);
	for (i = 0; i < QUEUE_SIZE + 1; i++) {
		driver_put1(&d, QUEUE_RECEIVE, DATA, 1, true);
		driver_kick(&d, QUEUE_RECEIVE);
	}
	check("a frame in crumbs", driver_failed(&d, "17 buffers, the last of 1 bytes"));
	restart(F_MRG_RXBUF);
	driver_put1(&d, QUEUE_RECEIVE, DATA, 100, true);
	arrive(HEADER + 60);
	check("a reset helps", driver_taken(&d, QUEUE_RECEIVE) == HEADER + 60);
}

int main(void)
{
	net = calloc(1, sizeof(*net));
	virtio_net_init(net, "net0", &backend, mac);
	driver_init(&d, &net->dev);
	test_config();
	test_send();
	test_receive();
	test_merge();
	test_unmerged();
	test_many();
	test_malformed();
	driver_fini(&d);
	return tap_done();
}
