// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Virtio devices before a driver that does what no driver should, under the address
 * and undefined behaviour sanitizers: whatever is in the rings and registers, the
 * device reads and writes memory of the guest only, comes to an end, and works again
 * after a reset.
 *
 * Each round has a new device in a new machine, so the same input makes the same round, apart
 * from those in which another thread writes to the rings meanwhile.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>

#include "fuzz.h"
#include "virtio_driver.h"
#include "../../userspace/devices/virtio_balloon.h"
#include "../../userspace/devices/virtio_blk.h"
#include "../../userspace/devices/virtio_console.h"
#include "../../userspace/devices/virtio_net.h"
#include "../../userspace/devices/virtio_rng.h"

#define ROUNDS		1000	/* of each kind */
#define INPUT_MAX	2048	/* for some 150 steps */
#define FILLED		0x200	/* descriptors' worth of memory that is not zero at first */

#define ARRAY_LEN(a)	(sizeof(a) / sizeof(*(a)))

/**
 * struct target - a kind of device
 * @make: a new one
 * @seed: put into guest memory what makes it do something
 * @works: it has just been started: does it do what it is for?
 */
struct target {
	struct virtio_dev *(*make)(void);
	void (*seed)(struct driver *d, uint64_t gpa);
	bool (*works)(struct driver *d);
};

/* ---------------------------------------------------------------- the disk */

#define SECTORS		2048

/* Files without names: a disk, another, and an overlay of that. */
enum { PLAIN, BASE, OVERLAY, NR_FILES };

static int file[NR_FILES];
static char path[NR_FILES][64];

/* The overlay's header, and where its file ends. */
static uint8_t overlay_header[4096];
static off_t overlay_size;

static struct virtio_dev *make_blk(const char *name, struct disk *disk)
{
	struct virtio_blk *blk = calloc(1, sizeof(*blk));

	if (!disk || !blk)
		abort();
	virtio_blk_init(blk, name, disk);
	return &blk->dev;
}

/* Nothing that a round before this one has written is there. */
static void clear_file(int i, off_t size)
{
	if (ftruncate(file[i], 0) || ftruncate(file[i], size))
		abort();
}

static struct virtio_dev *make_plain(bool read_only)
{
	struct disk_error why;

	clear_file(PLAIN, SECTORS * SECTOR_SIZE);
	return make_blk("plain", disk_open(path[PLAIN], read_only, &why));
}

static struct virtio_dev *make_file(void)
{
	return make_plain(false);
}

static struct virtio_dev *make_read_only(void)
{
	return make_plain(true);
}

static struct virtio_dev *make_overlay(void)
{
	struct disk_error why;

	clear_file(OVERLAY, overlay_size);
	if (pwrite(file[OVERLAY], overlay_header, sizeof(overlay_header), 0) < 0)
		abort();
	return make_blk("overlay", overlay_open(path[BASE], path[OVERLAY], &why));
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
		types[rnd(ARRAY_LEN(types))], 0, one_in(16) ? rnd(~0ULL) : rnd(SECTORS),
		{ rnd(SECTORS), one_in(8) ? rnd(1ULL << 32) : rnd(64), rnd(3) }
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

/* An overlay is made by name, so it has one for a moment. */
static void make_files(void)
{
	struct disk_error why = { "no memory for files" };
	char name[64];
	int i, fd;

	for (i = 0; i < NR_FILES; i++) {
		file[i] = memfd_create("disk", MFD_CLOEXEC);
		snprintf(path[i], sizeof(path[i]), "/proc/self/fd/%d", file[i]);
	}
	clear_file(BASE, SECTORS * SECTOR_SIZE);
	snprintf(name, sizeof(name), "/tmp/vitro-fuzz-%d", (int)getpid());
	fd = overlay_create(path[BASE], name, &why) ? open(name, O_RDONLY) : -1;
	unlink(name);
	overlay_size = lseek(fd, 0, SEEK_END);
	if (pread(fd, overlay_header, sizeof(overlay_header), 0) != sizeof(overlay_header)) {
		printf("Bail out! %s\n", why.text);
		exit(1);
	}
	close(fd);
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

/* Instead of libc's: the host's random numbers would make each round another one. */
ssize_t getrandom(void *data, size_t len, unsigned int flags)
{
	(void)flags;
	memset(data, 0xa5, len);
	return len;
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
	char old[256];

	while (read(typed[0], old, sizeof(old)) > 0)
		;
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
	echo.len = 0;
	virtio_net_init(net, "net", &echo.net, mac);
	return &net->dev;
}

/* ------------------------------------------------------------- the driver */

/* How bad the driver is this time: 0 makes no mistake in the rings, 3 hardly anything else. */
static unsigned int wild;

static bool mistake(unsigned int of)
{
	return wild && one_in((16 * of >> 2 * wild) + 1);
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
		.next = one_in(8) ? rnd(1 << 16) : rnd(size),
	};
}

/* A chain that is a good one for some device: parts to be read, then parts to be written. */
static void good_chain(struct virtq_desc *table, unsigned int size, unsigned int i)
{
	unsigned int in = one_in(8) ? 0 : 1 + rnd(3), out = in && one_in(8) ? 0 : 1 + rnd(3);
	unsigned int n = out + in, k;

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
	} else if (!one_in(4) || (!virtio_has(d->dev, VIRTIO_F_INDIRECT_DESC) && !mistake(8))) {
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
		reg_set(d, regs[rnd(ARRAY_LEN(regs))], one_in(4) ? rnd(1ULL << 32) : rnd(16));
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
		reg_set(d, REG_QUEUE_NOTIFY, one_in(16) ? rnd(1ULL << 32) : q);
		break;
	default:
		write_descriptors(d, q);
		break;
	}
}

/* ------------------------------------------ the same, at the same moment */

#define RACED		0x3000	/* bytes: the rings of the first queue */
#define RACED_TABLE	0x100	/* of the indirect table */

/**
 * struct race - another vCPU, which changes the rings while the device looks at them
 * @rings: @table: what it changes
 * @over: the round is
 */
struct race {
	uint8_t *rings, *table;
	atomic_bool over;
	pthread_t thread;
};

/* No coverage of it, as that would come by chance. */
__attribute__((no_sanitize("coverage"))) static void *racer(void *arg)
{
	uint64_t mine = 88172645463325252ULL;
	struct race *race = arg;

	while (!atomic_load(&race->over)) {
		const struct timespec pause = { .tv_nsec = 50000 };
		volatile uint8_t *byte;
		int i;

		for (i = 0; i < 64; i++) {
			byte = rnd_from(&mine, 2) ? race->table + rnd_from(&mine, RACED_TABLE) :
						    race->rings + rnd_from(&mine, RACED);
			*byte = rnd_from(&mine, 256);
		}
		nanosleep(&pause, NULL);
	}
	return NULL;
}

static void race_begin(struct race *race, struct driver *d)
{
	race->rings = at(d, RINGS(0), RACED);
	race->table = at(d, DATA + 0x1000, RACED_TABLE);
	atomic_init(&race->over, false);
	if (pthread_create(&race->thread, NULL, racer, race))
		abort();
}

static void race_end(struct race *race)
{
	atomic_store(&race->over, true);
	pthread_join(race->thread, NULL);
}

/* ------------------------------------------------------------------ rounds */

/* What rounds come to: the driver got as far as DRIVER_OK, and so on. */
enum { STARTED, USED, FAILED };

#define OUTCOMES	{ "started", "with used buffers", "with a bad queue" }

/*
 * No guest's memory is all zeros.  The input says how to fill where buffers and tables are, not
 * with what: descriptors that lead on to others, often too far.
 */
static void fill(struct driver *d)
{
	struct virtq_desc *desc = at(d, DATA, FILLED * sizeof(*desc));
	uint64_t state = rnd(1 << 16);
	unsigned int i;

	for (i = 0; state && i < FILLED; i++) {
		desc[i] = (struct virtq_desc){
			.addr = DATA + rnd_from(&state, FILLED) * sizeof(*desc),
			.len = 1 + rnd_from(&state, 1024),
			.flags = rnd_from(&state, 4),
			.next = rnd_from(&state, 1 << 16),
		};
	}
}

static void misbehave_for_long(struct driver *d, const struct target *t)
{
	unsigned int queues = d->dev->ops->nr_queues, q;

	while (fuzz_more())
		misbehave(d, t, rnd(queues));
	if (d->dev->failed)
		fuzz_count(FAILED);
	for (q = 0; q < queues && !d->dev->vq[q].next_used; q++)
		;
	if (q < queues)
		fuzz_count(USED);
}

static void one_round(const void *what)
{
	const struct target *t = what;
	uint64_t features;
	struct race race;
	struct driver d;
	bool raced;

	driver_init(&d, t->make());
	fill(&d);
	features = rnd(2) ? rnd(~0ULL) : ~0ULL;
	wild = rnd(4);
	raced = wild && one_in(4);
	if (driver_start(&d, d.dev->features & features, wild ? 1U << rnd(9) : 8U << rnd(6)))
		fuzz_count(STARTED);
	if (raced)
		race_begin(&race, &d);
	misbehave_for_long(&d, t);
	if (raced)
		race_end(&race);
	reg_set(&d, REG_STATUS, 0);
	if (reg_get(&d, REG_STATUS) || !driver_start(&d, d.dev->features, 16) || !t->works(&d))
		fuzz_wrong("does not work after a reset: %s", d.why);
	reg_set(&d, REG_STATUS, 0);
	driver_fini(&d);
}

static const struct target disk = { make_file, seed_blk, blk_works };
static const struct target read_only_disk = { make_read_only, seed_blk, blk_works };
static const struct target overlay = { make_overlay, seed_blk, blk_works };
static const struct target rng = { make_rng, seed_random, rng_works };
static const struct target balloon = { make_balloon, seed_balloon, balloon_works };
static const struct target console = { make_console, seed_random, second_queue_works };
static const struct target net = { make_net, seed_random, second_queue_works };

static const struct fuzz_target targets[] = {
	{ "disk", one_round, &disk, ROUNDS, INPUT_MAX, OUTCOMES },
	{ "read-only-disk", one_round, &read_only_disk, ROUNDS, INPUT_MAX, OUTCOMES },
	{ "overlay", one_round, &overlay, ROUNDS, INPUT_MAX, OUTCOMES },
	{ "rng", one_round, &rng, ROUNDS, INPUT_MAX, OUTCOMES },
	{ "balloon", one_round, &balloon, ROUNDS, INPUT_MAX, OUTCOMES },
	{ "console", one_round, &console, ROUNDS, INPUT_MAX, OUTCOMES },
	{ "net", one_round, &net, ROUNDS, INPUT_MAX, OUTCOMES },
};

int main(int argc, char **argv)
{
	make_files();
	if (pipe2(typed, O_NONBLOCK))
		return 1;
	return fuzz_main(argc, argv, targets, ARRAY_LEN(targets));
}
