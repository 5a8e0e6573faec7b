// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Virtio's queues and registers, with a device that copies what it reads to where
 * it may write, in capitals.
 */
#include <stdio.h>

#include "tap.h"
#include "virtio_driver.h"

#define FEATURE	(1ULL << 5)
#define ALL	(FEATURE | VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX)

static struct virtio_dev dev;
static struct virtq_buffer buffer;
static struct driver d;
static int starts, stops, serves;
static uint32_t config = 0x11223344;

static uint32_t serve(struct virtqueue *vq, struct virtq_buffer *b)
{
	char text[64];
	size_t i, n = virtq_read(b, 0, text, sizeof(text));

	(void)vq;
	serves++;
	for (i = 0; i < n; i++)
		text[i] &= ~0x20;
	return virtq_write(b, 0, text, n);
}

static bool kick(struct virtio_dev *dv, struct virtqueue *vq)
{
	(void)dv;
	return virtqueue_serve(vq, &buffer, serve);
}

static void start(struct virtio_dev *dv)
{
	(void)dv;
	starts++;
}

static void stop(struct virtio_dev *dv)
{
	(void)dv;
	stops++;
}

static uint64_t config_read(struct virtio_dev *dv, uint64_t offset, int size)
{
	(void)dv;
	return virtio_bytes(&config, sizeof(config), offset, size);
}

static void config_write(struct virtio_dev *dv, uint64_t offset, int size, uint64_t value)
{
	(void)dv;
	if (offset == 0 && size == 4)
		config = value;
}

static const struct virtio_ops ops = {
	.id = VIRTIO_ID_RNG, .nr_queues = 2, .config_read = config_read,
	.config_write = config_write, .start = start, .kick = kick, .stop = stop,
};

/* ---------------------------------------------------------------- registers */

static void test_registers(void)
{
	check("magic, version, device", reg_get(&d, 0) == 0x74726976 && reg_get(&d, 4) == 2 &&
	      reg_get(&d, 8) == VIRTIO_ID_RNG);
	check("its features", driver_features(&d) == ALL);
	reg_set(&d, REG_FEATURES_SEL, 2);
	check("there are 64 of them", reg_get(&d, REG_DEVICE_FEATURES) == 0);
	reg_set(&d, REG_QUEUE_SEL, 1);
	check("queue 1: up to 512 entries", reg_get(&d, REG_QUEUE_NUM_MAX) == 512);
	reg_set(&d, REG_QUEUE_SEL, 2);
	check("there is no queue 2", reg_get(&d, REG_QUEUE_NUM_MAX) == 0);
	reg_set(&d, REG_QUEUE_READY, 1);
	check("which cannot become ready", reg_get(&d, REG_QUEUE_READY) == 0);
	reg_set(&d, REG_QUEUE_SEL, 0xffffffff);
	check("nor a queue -1", reg_get(&d, REG_QUEUE_NUM_MAX) == 0);
	check("no shared memory", reg_get(&d, REG_SHM_LEN_LOW) == 0xffffffff);
	check("registers have 4 bytes", virtio_mmio_ops.read(&d.mmio, 0, 1) == 0);
	virtio_mmio_ops.write(&d.mmio, REG_STATUS, 1, 1);
	check("also for writing", reg_get(&d, REG_STATUS) == 0);
}

static void test_config(void)
{
	check("configuration: 4 bytes", reg_get(&d, REG_CONFIG) == 0x11223344);
	check("configuration: 1 byte", virtio_mmio_ops.read(&d.mmio, REG_CONFIG + 2, 1) == 0x22);
	check("beyond its end", reg_get(&d, REG_CONFIG + 2) == 0x1122 &&
	      reg_get(&d, REG_CONFIG + 4) == 0 && reg_get(&d, 0xffc) == 0);
	reg_set(&d, REG_CONFIG, 5);
	check("the driver can write it", reg_get(&d, REG_CONFIG) == 5);
}

static void test_negotiation(void)
{
	check("a feature that is not offered", !driver_negotiate(&d, ALL | 1ULL << 40));
	check("a driver without version 1", !driver_negotiate(&d, FEATURE));
	reg_set(&d, REG_STATUS, 15);
	check("then it does not start", reg_get(&d, REG_STATUS) == 3 && starts == 0);
	check("part of what is offered", driver_negotiate(&d, VIRTIO_F_VERSION_1));
	check("is what the device knows", dev.acked == VIRTIO_F_VERSION_1);
	reg_set(&d, REG_STATUS, 8);
	check("no bit of the status is cleared", reg_get(&d, REG_STATUS) == 11);
	virtio_config_changed(&dev);
	check("no interrupt before the driver is ready",
	      d.interrupts == 0 && !reg_get(&d, REG_INTERRUPT_STATUS));
	check("it starts", driver_start(&d, ALL, 8) && starts == 1);
	reg_set(&d, REG_QUEUE_SEL, 0);
	reg_set(&d, REG_QUEUE_NUM, 4);
	reg_set(&d, REG_QUEUE_READY, 0);
	check("its queues cannot be changed then",
	      dev.vq[0].num == 8 && reg_get(&d, REG_QUEUE_READY) == 1);
	reg_set(&d, REG_STATUS, 0);
	check("reset", reg_get(&d, REG_STATUS) == 0 && stops == 1 && !dev.acked);
	check("takes the queues away", reg_get(&d, REG_QUEUE_READY) == 0 && !dev.vq[0].desc);
}

static void test_interrupts(void)
{
	driver_start(&d, ALL, 8);
	config = 7;
	virtio_config_changed(&dev);
	check("change of the configuration",
	      d.interrupts == 1 && reg_get(&d, REG_INTERRUPT_STATUS) == 2);
	check("has a number", reg_get(&d, REG_GENERATION) == atomic_load(&dev.generation));
	dev.port.used(dev.port.opaque);
	check("and used buffers", d.interrupts == 2 && reg_get(&d, REG_INTERRUPT_STATUS) == 3);
	reg_set(&d, REG_INTERRUPT_ACK, 2);
	check("are acknowledged apart", reg_get(&d, REG_INTERRUPT_STATUS) == 1);
	reg_set(&d, REG_STATUS, 0);
	check("reset takes them away", reg_get(&d, REG_INTERRUPT_STATUS) == 0);
}

/* A reset is over when the device's thread says so. */
static void test_slow_reset(void)
{
	driver_start(&d, ALL, 8);
	d.held = true;
	reg_set(&d, REG_STATUS, 0);
	check("the device's thread is busy: no reset yet", reg_get(&d, REG_STATUS) == 15);
	reg_set(&d, REG_STATUS, 1);
	reg_set(&d, REG_STATUS, 0);
	check("other writes do not disturb", reg_get(&d, REG_STATUS) == 15);
	d.held = false;
	driver_host_stop(&d);
	check("then it is over", reg_get(&d, REG_STATUS) == 0);
}

/* ------------------------------------------------------------------ buffers */

static void test_buffers(void)
{
	const struct part one[] = { { DATA, 5, false }, { DATA + 16, 5, true }, { 0, 0, 0 } };
	const struct part two[] = {
		{ DATA, 2, false }, { DATA + 2, 3, false }, { DATA + 0x20, 1, true },
		{ HIGH, 64, true }, { 0, 0, 0 }
	};
	const struct part border[] = {
		{ REGION - 3, 7, false }, { 2 * REGION - 4, 4, true }, { REGION - 8, 16, true },
		{ 0, 0, 0 }
	};
	char text[32] = "";
	int i, good = 0;

	driver_start(&d, ALL, 8);
	guest_put(&d, DATA, "hello", 5);
	check("a buffer", driver_do(&d, 0, one) == 5);
	guest_get(&d, DATA + 16, text, 5);
	check("is served", !strcmp(text, "HELLO"));
	check("and told", d.interrupts == 1 && reg_get(&d, REG_INTERRUPT_STATUS) == 1);
	check("parts mean nothing", driver_do(&d, 1, two) == 5);
	guest_get(&d, DATA + 0x20, text, 1);
	guest_get(&d, HIGH, text + 1, 4);
	check("to the device", !strcmp(text, "HELLO"));
	guest_put(&d, REGION - 3, "regions", 7);
	check("a buffer across two regions", driver_do(&d, 0, border) == 7);
	guest_get(&d, 2 * REGION - 4, text, 4);
	guest_get(&d, REGION - 8, text + 4, 3);
	text[7] = '\0';
	check("is one buffer", !strcmp(text, "REGIONS"));
	for (i = 0; i < 70000; i++)
		good += driver_do(&d, 0, one) == 5;
	check("indices wrap around", good == 70000);
}

static void test_indirect(void)
{
	const struct virtq_desc table[] = {
		{ DATA, 5, VIRTQ_DESC_F_NEXT, 2 },
		{ 0, 0, 0, 0 },
		{ DATA + 16, 5, VIRTQ_DESC_F_WRITE, 0 },
	};
	const uint64_t where[] = { DATA + 0x1000, DATA + 0x1001, 2 * REGION - sizeof(table) };
	char text[8] = "";
	size_t i;

	driver_start(&d, ALL, 2);
	for (i = 0; i < 3; i++) {
		guest_put(&d, where[i], table, sizeof(table));
		guest_put(&d, DATA, "again", 5);
		*desc(&d, 0, 1) = (struct virtq_desc){ where[i], sizeof(table),
						       VIRTQ_DESC_F_INDIRECT, 7 };
		avail(&d, 0)->ring[d.nr_avail[0]++ % 2] = 1;
		avail(&d, 0)->idx = d.nr_avail[0];
		driver_kick(&d, 0);
		guest_get(&d, DATA + 16, text, 5);
		check("a table of descriptors", driver_take(&d, 0, NULL) == 1 &&
		      !strcmp(text, "AGAIN"));
		guest_put(&d, DATA + 16, "     ", 5);
	}
}

static const struct part small[] = { { DATA, 1, false }, { DATA + 16, 1, true }, { 0, 0, 0 } };

/* Interrupts and kicks that the driver does not want (2.7.7, 2.7.10). */
static void test_suppression(void)
{
	driver_start(&d, FEATURE, 8);
	avail(&d, 0)->flags = VIRTQ_AVAIL_F_NO_INTERRUPT;
	check("no interrupt by flag", driver_do(&d, 0, small) == 1 && d.interrupts == 0);
	avail(&d, 0)->flags = 0;
	check("one without it", driver_do(&d, 0, small) == 1 && d.interrupts == 1);
	driver_kick(&d, 0);
	check("none for nothing", d.interrupts == 1);
	virtqueue_kicks_off(&dev.vq[0]);
	check("no kicks by flag", used(&d, 0)->flags == VIRTQ_USED_F_NO_NOTIFY);
	check("kicks on", !virtqueue_kicks_on(&dev.vq[0]) && used(&d, 0)->flags == 0);
	driver_add(&d, 0, 0, small);
	check("one came before", virtqueue_kicks_on(&dev.vq[0]));

	driver_start(&d, ALL, 8);
	avail(&d, 0)->ring[8] = 3;	/* used_event: when buffer 3 is used */
	driver_do(&d, 0, small);
	driver_do(&d, 0, small);
	driver_do(&d, 0, small);
	check("not before the event index", d.interrupts == 0);
	driver_do(&d, 0, small);
	check("but at it", d.interrupts == 1);
	driver_do(&d, 0, small);
	check("and not after it", d.interrupts == 1);
	check("the device asks for the next kick", *avail_event(&dev.vq[0]) == 5);
	avail(&d, 0)->ring[8] = 6;
	driver_add(&d, 0, 0, small);
	driver_add(&d, 0, 2, small);
	driver_add(&d, 0, 4, small);
	driver_kick(&d, 0);
	check("one interrupt for many", d.interrupts == 2 && d.nr_seen[0] == 5 &&
	      used(&d, 0)->idx == 8);
}

/* A batch is not endless, even if the driver adds a buffer for each that is used. */
static void test_batch(void)
{
	int before;

	driver_start(&d, ALL, 256);
	before = serves;
	while (d.nr_avail[0] < 200)
		driver_add(&d, 0, 0, small);
	check("more than a batch", virtio_kick(&dev, 0) && serves == before + VIRTQ_BATCH);
	driver_kick(&d, 0);
	check("in the end all of them", serves == before + 200);
}

/* ---------------------------------------------------------------- malformed */

/**
 * struct bad - a malformed queue
 * @name: what is wrong
 * @desc: the first descriptors of 8; entry 0 is available
 * @table: contents of guest memory at DATA + 0x1000
 * @message: part of what is said about it
 */
struct bad {
	const char *name;
	struct virtq_desc desc[3];
	struct virtq_desc table[3];
	const char *message;
};

#define NEXT	VIRTQ_DESC_F_NEXT
#define WRITE	VIRTQ_DESC_F_WRITE
#define TABLE	VIRTQ_DESC_F_INDIRECT

static const struct bad bad[] = {
	{ "a loop of one", { { DATA, 1, NEXT, 0 } }, { }, "loop" },
	{ "a loop of two", { { DATA, 1, NEXT, 1 }, { DATA, 1, NEXT, 0 } }, { }, "loop" },
	{ "a loop of empty ones", { { DATA, 0, NEXT, 1 }, { DATA, 0, NEXT, 1 } }, { }, "loop" },
	{ "next is out of the table", { { DATA, 1, NEXT, 8 } }, { }, "out of its table" },
	{ "beyond memory", { { 3 * REGION, 1, 0, 0 } }, { }, "outside of memory" },
	{ "half of it beyond memory", { { 2 * REGION - 1, 2, 0, 0 } }, { }, "outside of memory" },
	{ "at the end of the address space", { { ~0ULL, 2, 0, 0 } }, { }, "outside of memory" },
	{ "all of the address space", { { 1, 0xffffffff, 0, 0 } }, { }, "outside of memory" },
	{ "4 GiB in two parts", { { 0, REGION, NEXT, 1 }, { 0, 0xffffffff, 0, 0 } }, { },
	  "4 GiB" },
	{ "reading after writing", { { DATA, 1, WRITE | NEXT, 1 }, { DATA, 1, 0, 0 } }, { },
	  "after a part to write" },
	{ "a table in a table", { { DATA + 0x1000, 16, TABLE, 0 } },
	  { { DATA + 0x1000, 16, TABLE, 0 } }, "loop" },
	{ "a table and more", { { DATA + 0x1000, 16, TABLE | NEXT, 1 } }, { { DATA, 1, 0, 0 } },
	  "indirect" },
	{ "an empty table", { { DATA + 0x1000, 0, TABLE, 0 } }, { }, "indirect" },
	{ "half a descriptor", { { DATA + 0x1000, 24, TABLE, 0 } }, { }, "indirect" },
	{ "a table outside of memory", { { HIGH - 16, 16, TABLE, 0 } }, { }, "outside of memory" },
	{ "a table across two regions", { { REGION - 16, 32, TABLE, 0 } }, { },
	  "outside of memory" },
	{ "a loop in a table", { { DATA + 0x1000, 32, TABLE, 0 } },
	  { { DATA, 1, NEXT, 1 }, { DATA, 1, NEXT, 0 } }, "loop" },
	{ "next is out of the indirect table", { { DATA + 0x1000, 32, TABLE, 0 } },
	  { { DATA, 1, NEXT, 2 } }, "out of its table" },
	{ "a huge table of empty parts", { { 0, 2 * REGION, TABLE, 0 } }, { },
	  "outside of memory" },
};

static void kick_bad(const struct bad *b)
{
	memcpy(desc(&d, 0, 0), b->desc, sizeof(b->desc));
	guest_put(&d, DATA + 0x1000, b->table, sizeof(b->table));
	avail(&d, 0)->ring[0] = 0;
	avail(&d, 0)->idx = 1;
	driver_kick(&d, 0);
}

static bool has_failed(const char *message)
{
	return reg_get(&d, REG_STATUS) == (15 | 0x40) && d.interrupts == 1 &&
	       reg_get(&d, REG_INTERRUPT_STATUS) == 2 && used(&d, 0)->idx == 0 &&
	       strstr(d.why, message);
}

static void test_malformed(void)
{
	size_t i;
	int before;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		driver_start(&d, ALL, 8);
		before = serves;
		kick_bad(&bad[i]);
		if (!check(bad[i].name, has_failed(bad[i].message) && serves == before))
			printf("# %s\n", d.why);
	}
	driver_kick(&d, 1);
	check("the other queue stops as well", serves == before);
	check("after a reset it works", driver_start(&d, ALL, 8) && driver_do(&d, 0, small) == 1);

	driver_start(&d, FEATURE, 8);
	*desc(&d, 0, 0) = (struct virtq_desc){ DATA + 0x1000, 16, TABLE, 0 };
	avail(&d, 0)->idx = 1;
	driver_kick(&d, 0);
	check("a table without the feature", has_failed("without the feature"));

	driver_start(&d, ALL, 8);
	avail(&d, 0)->ring[0] = 8;
	avail(&d, 0)->idx = 1;
	driver_kick(&d, 0);
	check("no such descriptor", has_failed("out of its table"));

	driver_start(&d, ALL, 8);
	avail(&d, 0)->idx = 9;
	driver_kick(&d, 0);
	check("more buffers than entries", has_failed("9 buffers in a queue of 8"));
}

/* Too many parts: each of 513 descriptors in a table is cut at the border of regions. */
static void test_too_long(void)
{
	struct virtq_desc part = { REGION - 1, 2, NEXT, 0 };
	unsigned int i;

	driver_start(&d, ALL, 8);
	for (i = 0; i < 513; i++) {
		part.next = i + 1;
		if (i == 512)
			part.flags = 0;
		guest_put(&d, DATA + 0x1000 + i * sizeof(part), &part, sizeof(part));
	}
	*desc(&d, 0, 0) = (struct virtq_desc){ DATA + 0x1000, 513 * 16, TABLE, 0 };
	avail(&d, 0)->idx = 1;
	driver_kick(&d, 0);
	check("more parts than we can hold", has_failed("more than 1024 parts"));
}

/* What is wrong with where a queue is comes out when the device starts. */
static void test_bad_rings(void)
{
	static const struct {
		const char *name, *message;
		uint32_t reg, value;
	} rings[] = {
		{ "size 0", "powers of 2", REG_QUEUE_NUM, 0 },
		{ "size 3", "powers of 2", REG_QUEUE_NUM, 3 },
		{ "size 1024", "powers of 2", REG_QUEUE_NUM, 1024 },
		{ "size 2^31", "powers of 2", REG_QUEUE_NUM, 0x80000000 },
		{ "descriptors not on 16 bytes", "not on 16", REG_QUEUE_DESC_LOW, 0x4008 },
		{ "available ring not on 2 bytes", "not on 2", REG_QUEUE_AVAIL_LOW, 0x5001 },
		{ "used ring not on 4 bytes", "not on 4", REG_QUEUE_USED_LOW, 0x6002 },
		{ "descriptors outside", "table is at", REG_QUEUE_DESC_LOW, 2 * REGION },
		{ "descriptors across regions", "table is at", REG_QUEUE_DESC_LOW, REGION - 16 },
		{ "available ring outside", "available ring is at", REG_QUEUE_AVAIL_HIGH, 5 },
		{ "used ring at the end", "used ring is at", REG_QUEUE_USED_LOW, 2 * REGION - 64 },
	};
	size_t i;
	int before = starts;

	for (i = 0; i < sizeof(rings) / sizeof(*rings); i++) {
		d.size = 8;
		driver_negotiate(&d, ALL);
		driver_add_queue(&d, 0);
		reg_set(&d, rings[i].reg, rings[i].value);
		reg_set(&d, REG_STATUS, 15);
		check(rings[i].name, reg_get(&d, REG_STATUS) == (15 | 0x40) &&
		      strstr(d.why, rings[i].message));
		driver_kick(&d, 0);
	}
	check("it did not start", starts == before);
}

int main(void)
{
	virtio_init(&dev, &ops, "copier", FEATURE);
	driver_init(&d, &dev);
	test_registers();
	test_config();
	test_negotiation();
	test_interrupts();
	test_slow_reset();
	test_buffers();
	test_indirect();
	test_suppression();
	test_batch();
	test_malformed();
	test_too_long();
	test_bad_rings();
	check("each start has its stop", starts == stops + dev.running);
	driver_fini(&d);
	return tap_done();
}
