// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Virtio devices before a driver that does what no driver should, under the address
 * and undefined behaviour sanitizers: whatever is in the rings and registers, the
 * device reads and writes memory of the guest only, comes to an end, and works again
 * after a reset.
 *
 *	test_fuzz_virtio [--seconds N] [--seed N]
 *
 * The same seed makes the same rounds, apart from those in which another thread writes to
 * the rings meanwhile.
 */
#include <fcntl.h>
#include <pthread.h>
#include <time.h>

#include "fuzz.h"
#include "tap.h"
#include "virtio_driver.h"
#include "../../userspace/devices/virtio_balloon.h"
#include "../../userspace/devices/virtio_blk.h"
#include "../../userspace/devices/virtio_console.h"
#include "../../userspace/devices/virtio_net.h"
#include "../../userspace/devices/virtio_rng.h"

#define ROUNDS		1500	/* of each kind */
#define HANG		60	/* seconds that a round may take */

#define ARRAY_LEN(a)	(sizeof(a) / sizeof(*(a)))

/**
 * struct target - a kind of device
 * @name: for the report
 * @make: a new one
 * @seed: put into guest memory what makes it do something
 * @works: it has just been started: does it do what it is for?
 */
struct target {
	const char *name;
	struct virtio_dev *(*make)(void);
	void (*seed)(struct driver *d, uint64_t gpa);
	bool (*works)(struct driver *d);
};

/* ---------------------------------------------------------------- the disk */

#define SECTORS		2048

static char path[3][64];	/* a file; another, and an overlay of that */

static struct virtio_dev *make_blk(const char *name, struct disk *disk)
{
	struct virtio_blk *blk = calloc(1, sizeof(*blk));

	if (!disk || !blk)
		abort();
	virtio_blk_init(blk, name, disk);
	return &blk->dev;
}

static struct virtio_dev *make_file(void)
{
	struct disk_error why;

	return make_blk("file", disk_open(path[0], false, &why));
}

static struct virtio_dev *make_read_only(void)
{
	struct disk_error why;

	return make_blk("read-only", disk_open(path[0], true, &why));
}

static struct virtio_dev *make_overlay(void)
{
	struct disk_error why;

	return make_blk("overlay", overlay_open(path[1], path[2], &why));
}

static void seed_blk(struct driver *d, uint64_t gpa)
{
	static const uint32_t types[] = { 0, 1, 4, 8, 11, 13, 13, 99 };
	struct {
		uint32_t type, reserved;
		uint64_t sector;
		struct {
			uint64_t sector;
			uint32_t nr, flags;
		} range;
	} request = {
		types[rnd(ARRAY_LEN(types))], 0, rnd(16) ? rnd(SECTORS) : rnd(~0ULL),
		{ rnd(SECTORS), rnd(8) ? rnd(64) : rnd(1ULL << 32), rnd(3) }
	};

	guest_put(d, gpa, &request, sizeof(request));
}

static bool blk_works(struct driver *d)
{
	const struct part id[] = {
		{ DATA, 16, false }, { DATA + 16, 20, true }, { DATA + 64, 1, true }, { 0, 0, 0 }
	};
	const uint64_t get_id[2] = { 8, 0 };
	uint8_t result = 0xff;

	guest_put(d, DATA, get_id, sizeof(get_id));
	guest_put(d, DATA + 64, &result, 1);
	return driver_do(d, 0, id) > 0 && !*(uint8_t *)at(d, DATA + 64, 1);
}

static void make_disks(void)
{
	struct disk_error why;
	bool ok = true;
	int i, fd;

	for (i = 0; i < 3; i++)
		snprintf(path[i], sizeof(path[i]), "/tmp/vitro-fuzz-%d-%d", (int)getpid(), i);
	for (i = 0; i < 2 && ok; i++) {
		fd = disk_create_file(path[i], SECTORS * SECTOR_SIZE, &why);
		ok = fd >= 0 && !disk_finish_file(fd, path[i], &why);
	}
	if (ok && overlay_create(path[1], path[2], &why))
		return;
	printf("Bail out! %s\n", why.text);
	exit(1);
}

static void remove_disks(void)
{
	int i;

	for (i = 0; i < 3; i++)
		unlink(path[i]);
}

/* ------------------------------------------------------------ other devices */

/* A buffer with one part comes back: from queue @q, having been written if @in. */
static bool comes_back(struct driver *d, unsigned int q, uint64_t gpa, uint32_t len, bool in)
{
	const struct part part[] = { { gpa, len, in }, { 0, 0, 0 } };
	int64_t written = driver_do(d, q, part);

	return in ? written > 0 : written == 0;
}

static void seed_random(struct driver *d, uint64_t gpa)
{
	uint64_t word = rnd(~0ULL);

	guest_put(d, gpa, &word, sizeof(word));
}

static struct virtio_dev *make_rng(void)
{
	struct virtio_rng *rng = calloc(1, sizeof(*rng));

	virtio_rng_init(rng, "rng");
	return &rng->dev;
}

static bool rng_works(struct driver *d)
{
	return comes_back(d, 0, DATA, 8, true);
}

static struct virtio_dev *make_balloon(void)
{
	struct virtio_balloon *balloon = calloc(1, sizeof(*balloon));

	virtio_balloon_init(balloon, "balloon", 1 << 20);
	return &balloon->dev;
}

/* Numbers of pages: some that exist, some that do not. */
static void seed_balloon(struct driver *d, uint64_t gpa)
{
	const uint32_t pages[] = { rnd(0x100), rnd(0x100), rnd(1ULL << 32), HIGH >> 12 };

	guest_put(d, gpa, pages, sizeof(pages));
}

static bool balloon_works(struct driver *d)
{
	const uint32_t page = HIGH >> 12;

	guest_put(d, DATA, &page, sizeof(page));
	return comes_back(d, 0, DATA, sizeof(page), false);
}

static int typed[2];		/* a pipe: what the user of the console types */

static void transmit(void *opaque, const uint8_t *data, size_t len)
{
	unsigned int sum = 0;

	(void)opaque;
	while (len--)		/* the sanitizer looks whether all of it is there */
		sum += *data++;
	if (write(typed[1], &sum, sizeof(sum)) < 0)
		return;		/* the pipe is full */
}

static void taken(void *opaque)
{
	(void)opaque;
}

static struct virtio_dev *make_console(void)
{
	const struct virtio_console_host host = {
		.input = typed[0], .transmit = transmit, .taken = taken,
	};
	struct virtio_console *con = calloc(1, sizeof(*con));

	virtio_console_init(con, "console", host);
	return &con->dev;
}

static bool second_queue_works(struct driver *d)
{
	return comes_back(d, 1, DATA, 80, false);
}

/* A wire whose other end sends back what it gets. */
static struct {
	struct net_backend net;
	uint8_t frame[NET_FRAME_MAX];
	size_t len;
} echo;

static void echo_start(struct net_backend *net, struct loop *loop, uint64_t features)
{
	(void)net;
	(void)loop;
	(void)features;
	echo.len = 0;
}

static void echo_stop(struct net_backend *net)
{
	(void)net;
}

static void echo_send(struct net_backend *net, const struct iovec *part, unsigned int nr,
		      size_t len)
{
	if (len > sizeof(echo.frame))
		abort();
	for (echo.len = 0; nr; part++, nr--) {
		memcpy(echo.frame + echo.len, part->iov_base, part->iov_len);
		echo.len += part->iov_len;
	}
	if (echo.len != len)
		abort();
	net->ready(net->opaque);
}

static size_t echo_receive(struct net_backend *net, void *frame, size_t room)
{
	size_t len = echo.len < room ? echo.len : room;

	(void)net;
	memcpy(frame, echo.frame, len);
	echo.len = 0;
	return len;
}

static void echo_free(struct net_backend *net)
{
	(void)net;
}

static const struct net_backend_ops echo_ops = {
	.start = echo_start, .stop = echo_stop, .send = echo_send, .receive = echo_receive,
	.free = echo_free,
};

static struct virtio_dev *make_net(void)
{
	static const uint8_t mac[6] = { 2, 3, 4, 5, 6, 7 };
	struct virtio_net *net = calloc(1, sizeof(*net));

	echo.net.ops = &echo_ops;
	echo.net.features = NET_F_CSUM | NET_F_GUEST_CSUM | NET_F_HOST_TSO4;
	echo.net.mtu = 1500;
	virtio_net_init(net, "net", &echo.net, mac);
	return &net->dev;
}

/* ------------------------------------------------------------- the driver */

/* How bad the driver is this time: 0 makes no mistake in the rings, 3 hardly does otherwise. */
static unsigned int wild;

static bool mistake(unsigned int one_in)
{
	return wild && !rnd((16 * one_in >> 2 * wild) + 1);
}

/* Somewhere in the guest's memory, or at the edge of it, or of nothing at all. */
static uint64_t address(void)
{
	static const uint64_t edges[] = {
		0, 1, DATA, REGION - 1, REGION, 2 * REGION - 1, 2 * REGION, HIGH - 1, HIGH,
		HIGH + REGION - 1, HIGH + REGION, 0x7fffffffffffffff, ~0ULL - 15, ~0ULL,
	};

	switch (rnd(8)) {
	case 0:
		return edges[rnd(ARRAY_LEN(edges))];
	case 1:
		return edges[rnd(ARRAY_LEN(edges))] + rnd(64) - 32;
	case 2:
		return rnd(2 * REGION);		/* the rings as well */
	default:
		return DATA + rnd(0x200) * 16;
	}
}

static uint32_t length(void)
{
	static const uint32_t edges[] = {
		0, 1, 15, 16, 17, 511, 512, 513, 4096, REGION, 2 * REGION, 0x7fffffff, 0x80000000,
		0xfffffff0, 0xffffffff,
	};

	switch (rnd(8)) {
	case 0:
		return edges[rnd(ARRAY_LEN(edges))];
	case 1:
		return rnd(1ULL << 32);
	case 2:
		return rnd(32) * SECTOR_SIZE;
	case 3:
		return rnd(32) * 16;
	default:
		return 1 + rnd(64);
	}
}

static struct virtq_desc descriptor(unsigned int size)
{
	/* Most often what chains are made of. */
	static const uint16_t flags[] = { 0, 1, 1, 1, 2, 2, 3, 3, 4, 5, 7, 0xffff };

	return (struct virtq_desc){
		.addr = address(), .len = length(), .flags = flags[rnd(ARRAY_LEN(flags))],
		.next = rnd(8) ? rnd(size) : rnd(1 << 16),
	};
}

/* A chain that may well be a good one: parts to be read, then parts to be written. */
static void good_chain(struct virtq_desc *table, unsigned int size, unsigned int i)
{
	unsigned int out = 1 + rnd(3), in = mistake(4) ? 0 : 1 + rnd(3), n = out + in, k;

	for (k = 0; k < n; k++) {
		table[(i + k) % size] = (struct virtq_desc){
			DATA + rnd(0x200) * 16,
			k == 0 ? 16 + 16 * rnd(2) : k == n - 1 ? 1 : SECTOR_SIZE * (1 + rnd(8)),
			(k >= out ? VIRTQ_DESC_F_WRITE : 0) | (k < n - 1 ? VIRTQ_DESC_F_NEXT : 0),
			(i + k + 1) % size
		};
	}
}

static void write_descriptors(struct driver *d, unsigned int q)
{
	struct virtq_desc table[16];
	unsigned int i = rnd(d->size), n;

	if (mistake(16)) {
		*desc(d, q, i) = descriptor(d->size);
	} else if (rnd(4) || (!virtio_has(d->dev, VIRTIO_F_INDIRECT_DESC) && !mistake(8))) {
		good_chain(desc(d, q, 0), d->size, i);
	} else {	/* a table for an indirect descriptor */
		for (n = 0; n < ARRAY_LEN(table); n++)
			table[n] = descriptor(ARRAY_LEN(table));
		if (!mistake(8))
			good_chain(table, ARRAY_LEN(table), 0);
		guest_put(d, DATA + 0x1000, table, sizeof(table));
		*desc(d, q, i) = (struct virtq_desc){
			DATA + 0x1000, mistake(8) ? length() : sizeof(table),
			VIRTQ_DESC_F_INDIRECT, 0
		};
	}
	avail(d, q)->ring[d->nr_avail[q]++ % d->size] = mistake(64) ? rnd(1 << 16) : i;
	avail(d, q)->idx = d->nr_avail[q];
	/* The next one may overwrite its descriptors. */
	if (!mistake(8))
		driver_kick(d, q);
}

static void scribble(struct driver *d, unsigned int q)
{
	uint8_t byte = rnd(256);

	if (mistake(8))
		guest_put(d, RINGS(q) + rnd(0x3000), &byte, 1);
	if (mistake(32))
		avail(d, q)->idx = rnd(1 << 16);
}

static void access_register(struct driver *d)
{
	static const uint64_t regs[] = {
		REG_FEATURES_SEL, REG_DRIVER_FEATURES, REG_DRIVER_SEL, REG_QUEUE_SEL, REG_QUEUE_NUM,
		REG_QUEUE_READY, REG_QUEUE_NOTIFY, REG_INTERRUPT_ACK, REG_STATUS,
		REG_QUEUE_DESC_LOW, REG_QUEUE_AVAIL_HIGH, REG_QUEUE_USED_LOW,
	};
	static const int sizes[] = { 1, 2, 4 };
	uint64_t offset = rnd(2) ? REG_CONFIG + rnd(0x60) : rnd(VIRTIO_MMIO_SIZE);
	int size = sizes[rnd(3)];

	if (rnd(2))
		virtio_mmio_ops.read(&d->mmio, offset, size);
	else if (rnd(2))
		virtio_mmio_ops.write(&d->mmio, offset, size, rnd(1ULL << 32));
	else
		reg_set(d, regs[rnd(ARRAY_LEN(regs))], rnd(4) ? rnd(16) : rnd(1ULL << 32));
}

static void misbehave(struct driver *d, const struct target *t, unsigned int q)
{
	switch (rnd(10)) {
	case 0:
		scribble(d, q);
		break;
	case 1:
		if (mistake(8))
			access_register(d);
		break;
	case 2:
	case 3:
		t->seed(d, DATA + rnd(0x200) * 16);
		break;
	case 4:
		loop_once(&d->loop, 0);
		break;
	case 5:
	case 6:
		reg_set(d, REG_QUEUE_NOTIFY, rnd(16) ? q : rnd(1ULL << 32));
		break;
	default:
		write_descriptors(d, q);
		break;
	}
}

/* ------------------------------------------ the same, at the same moment */

static struct driver *victim;
static atomic_bool race, quit;

/* Another vCPU, which changes the rings while the device looks at them. */
static void *racer(void *arg)
{
	uint64_t mine = 88172645463325252ULL;

	(void)arg;
	while (!atomic_load(&quit)) {
		const struct timespec pause = { .tv_nsec = 50000 };
		int i;

		for (i = 0; i < 64 && atomic_load(&race); i++) {
			uint64_t gpa = RINGS(0) + rnd_from(&mine, 0x3000);

			if (rnd_from(&mine, 2))		/* the indirect table */
				gpa = DATA + 0x1000 + rnd_from(&mine, 0x100);
			*(volatile uint8_t *)at(victim, gpa, 1) = rnd_from(&mine, 256);
		}
		nanosleep(&pause, NULL);
	}
	return NULL;
}

/* ------------------------------------------------------------------ rounds */

/**
 * struct tally - what has come of a target's rounds
 * @rounds: how many
 * @started: the driver got as far as DRIVER_OK
 * @failed: ended with DEVICE_NEEDS_RESET
 * @used: buffers were returned
 * @broken: the device did not work after a reset
 */
struct tally {
	int rounds, started, failed, used, broken;
};

static void one_round(struct driver *d, const struct target *t, struct tally *tally)
{
	unsigned int queues = d->dev->ops->nr_queues, steps = 10 + rnd(150), q;
	uint64_t features = rnd(2) ? ~0ULL : rnd(~0ULL);

	alarm(HANG);
	wild = rnd(4);
	tally->rounds++;
	tally->started += driver_start(d, d->dev->features & features,
				       wild ? 1U << rnd(9) : 8U << rnd(6));
	victim = d;
	atomic_store(&race, wild && tally->rounds % 4 == 0);
	while (steps--)
		misbehave(d, t, rnd(queues));
	atomic_store(&race, false);
	tally->failed += d->dev->failed;
	for (q = 0; q < queues && !d->dev->vq[q].next_used; q++)
		;
	tally->used += q < queues;
	reg_set(d, REG_STATUS, 0);
	if (reg_get(d, REG_STATUS) || !driver_start(d, d->dev->features, 16) || !t->works(d))
		tally->broken++;
	reg_set(d, REG_STATUS, 0);
}

static const struct target targets[] = {
	{ "disk", make_file, seed_blk, blk_works },
	{ "read-only disk", make_read_only, seed_blk, blk_works },
	{ "disk with overlay", make_overlay, seed_blk, blk_works },
	{ "random numbers", make_rng, seed_random, rng_works },
	{ "balloon", make_balloon, seed_balloon, balloon_works },
	{ "console", make_console, seed_random, second_queue_works },
	{ "network card", make_net, seed_random, second_queue_works },
};

static void fuzz(const struct target *t, unsigned long seconds)
{
	struct tally tally = { 0 };
	struct fuzz_clock clock;
	struct driver d;

	driver_init(&d, t->make());
	fuzz_begin(&clock, seconds, ROUNDS);
	while (fuzz_goes_on(&clock))
		one_round(&d, t, &tally);
	driver_fini(&d);
	printf("# figure: %s: %d rounds: %d started, %d with used buffers, %d with a bad queue\n",
	       t->name, tally.rounds, tally.started, tally.used, tally.failed);
	check(t->name, !tally.broken && tally.started && tally.used && tally.failed);
}

int main(int argc, char **argv)
{
	unsigned long seconds = fuzz_options(argc, argv);
	pthread_t thread;
	size_t i;

	make_disks();
	if (pipe2(typed, O_NONBLOCK))
		return 1;
	if (pthread_create(&thread, NULL, racer, NULL))
		return 1;
	for (i = 0; i < ARRAY_LEN(targets); i++)
		fuzz(&targets[i], seconds ? 1 + seconds / ARRAY_LEN(targets) : 0);
	atomic_store(&quit, true);
	pthread_join(thread, NULL);
	remove_disks();
	return tap_done();
}
