// SPDX-License-Identifier: GPL-2.0-or-later
/* The virtio disk, on a disk in memory that counts and can fail. */
#include <errno.h>
#include <stdio.h>

#include "tap.h"
#include "virtio_driver.h"
#include "../../userspace/devices/virtio_blk.c"

#define SECTORS		64
#define SIZE		(SECTORS * SECTOR_SIZE)
#define F_WCE		F_CONFIG_WCE
#define F_ALL		(F_FLUSH | F_CONFIG_WCE | F_DISCARD | F_WRITE_ZEROES)

#define HEADER		DATA		/* where the driver has it */
#define STATUS		(DATA + 0x40)
#define RANGES		(DATA + 0x80)
#define SECTOR		(DATA + 0x1000)

static uint8_t content[SIZE];
static int flushes, discards, zeroes, unmaps, closes, fail, fail_flush;
static struct virtio_blk *blk;
static struct driver d;

/* ------------------------------------------------------ a disk in memory */

static int mem_io(struct iovec *part, unsigned int nr, uint64_t offset, bool write)
{
	for (; nr; part++, nr--) {
		if (offset + part->iov_len > SIZE)
			abort();
		memcpy(write ? content + offset : part->iov_base,
		       write ? part->iov_base : content + offset, part->iov_len);
		offset += part->iov_len;
	}
	return fail;
}

static int mem_read(struct disk *disk, struct iovec *part, unsigned int nr, uint64_t offset)
{
	(void)disk;
	return mem_io(part, nr, offset, false);
}

static int mem_write(struct disk *disk, struct iovec *part, unsigned int nr, uint64_t offset)
{
	(void)disk;
	return mem_io(part, nr, offset, true);
}

static int mem_zero(struct disk *disk, uint64_t offset, uint64_t len, bool unmap)
{
	(void)disk;
	zeroes++;
	unmaps += unmap;
	memset(content + offset, 0, len);
	return fail;
}

static int mem_discard(struct disk *disk, uint64_t offset, uint64_t len)
{
	(void)disk;
	discards++;
	memset(content + offset, 0xdd, len);
	return fail;
}

int disk_flush(struct disk *disk)
{
	(void)disk;
	flushes++;
	return fail_flush ? fail_flush : fail;
}

void disk_close(struct disk *disk)
{
	(void)disk;
	closes++;
}

static const struct disk_ops mem_ops = {
	.read = mem_read, .write = mem_write, .zero = mem_zero, .discard = mem_discard,
};

static struct disk disk = { .ops = &mem_ops, .size = SIZE };

/* -------------------------------------------------------------- requests */

/* A request with @data in one part; returns the status, or -1. */
static int request(uint32_t type, uint64_t sector, const struct part *data)
{
	const struct request req = { type, 0, sector };
	struct part part[4] = { { HEADER, sizeof(req), false } };
	uint8_t result = 0xff;
	int n = 1;

	if (data)
		part[n++] = *data;
	part[n] = (struct part){ STATUS, 1, true };
	guest_put(&d, HEADER, &req, sizeof(req));
	guest_put(&d, STATUS, &result, 1);
	if (driver_do(&d, 0, part) < 0)
		return -1;
	guest_get(&d, STATUS, &result, 1);
	return result;
}

static int read_sector(uint64_t sector, uint32_t len)
{
	return request(T_IN, sector, &(struct part){ SECTOR, len, true });
}

static int write_sector(uint64_t sector, uint32_t len)
{
	return request(T_OUT, sector, &(struct part){ SECTOR, len, false });
}

static int range_request(uint32_t type, const struct range *range, unsigned int nr)
{
	guest_put(&d, RANGES, range, nr * sizeof(*range));
	return request(type, 0, &(struct part){ RANGES, nr * sizeof(*range), false });
}

static void test_config(void)
{
	struct virtio_blk_config c;
	int i;

	for (i = 0; i < (int)sizeof(c); i++)
		((uint8_t *)&c)[i] = virtio_mmio_ops.read(&d.mmio, REG_CONFIG + i, 1);
	check("what it is", reg_get(&d, REG_DEVICE_ID) == 2);
	check("what it offers", (driver_features(&d) & 0xffffff) ==
	      (F_SEG_MAX | F_BLK_SIZE | F_TOPOLOGY | F_ALL));
	check("its size, and limits", c.capacity == SECTORS && c.seg_max == 510 &&
	      c.blk_size == 512 && c.physical_block_exp == 3 && c.max_discard_seg == MAX_RANGES);
	check("all at its place", offsetof(struct virtio_blk_config, writeback) == 32 &&
	      offsetof(struct virtio_blk_config, write_zeroes_may_unmap) == 56);
}

static void test_io(void)
{
	uint8_t data[1024];
	const struct part odd[] = {
		{ HEADER, 3, false }, { HEADER + 3, 14, false }, { SECTOR, 511, false },
		{ STATUS, 1, true }, { 0, 0, 0 }
	};
	const struct part joined[] = { { HEADER, 16, false }, { SECTOR, 513, true }, { 0, 0, 0 } };
	const struct part border[] = {
		{ HEADER, 16, false }, { REGION - 512, 1024, true }, { STATUS, 1, true },
		{ 0, 0, 0 }
	};
	struct request req = { T_OUT, 0, 5 };
	uint32_t i;

	driver_start(&d, F_ALL, 16);
	for (i = 0; i < sizeof(data); i++)
		data[i] = i * i;
	guest_put(&d, SECTOR, data, sizeof(data));
	check("write", write_sector(2, 1024) == S_OK && !memcmp(content + 1024, data, 1024));
	memset(at(&d, SECTOR, 1024), 0, 1024);
	check("read", read_sector(2, 1024) == S_OK && !memcmp(at(&d, SECTOR, 1024), data, 1024));
	check("the last sector", read_sector(SECTORS - 1, 512) == S_OK);
	check("no data at all", request(T_IN, 0, NULL) == S_OK);
	guest_put(&d, HEADER, &req, 16);
	guest_put(&d, HEADER + 16, data, 1);
	guest_put(&d, SECTOR, data + 1, 511);
	check("header and data in odd parts", driver_do(&d, 0, odd) == 1 &&
	      !memcmp(content + 5 * 512, data, 512));
	req.type = T_IN;
	guest_put(&d, HEADER, &req, 16);
	check("data and status in one part", driver_do(&d, 0, joined) == 513 &&
	      !memcmp(at(&d, SECTOR, 512), data, 512) && !*(uint8_t *)at(&d, SECTOR + 512, 1));
	check("data across regions of memory", driver_do(&d, 0, border) == 1025 &&
	      !memcmp(at(&d, REGION - 512, 512), content + 5 * 512, 512) &&
	      !memcmp(at(&d, REGION, 512), content + 6 * 512, 512));
}

static void test_errors(void)
{
	const struct part no_status[] = { { HEADER, 16, false }, { 0, 0, 0 } };
	const struct part no_header[] = { { STATUS, 1, true }, { 0, 0, 0 } };
	const struct part half[] = { { HEADER, 15, false }, { STATUS, 1, true }, { 0, 0, 0 } };
	const struct part nothing[] = { { 0, 0, 0 } };
	const struct part * const bad[] = { no_status, no_header, half, nothing };
	unsigned int i;

	driver_start(&d, F_ALL, 16);
	check("beyond the end", read_sector(SECTORS, 512) == S_IOERR);
	check("half beyond the end", read_sector(SECTORS - 1, 1024) == S_IOERR);
	check("far beyond it", write_sector(~0ULL, 512) == S_IOERR &&
	      write_sector(1ULL << 55, 512) == S_IOERR);
	check("no whole sectors", read_sector(0, 511) == S_IOERR &&
	      write_sector(0, 513) == S_IOERR);
	check("an unknown request", request(99, 0, NULL) == S_UNSUPP);
	fail = -EIO;
	check("an error of the host", read_sector(0, 512) == S_IOERR &&
	      write_sector(0, 512) == S_IOERR && request(T_FLUSH, 0, NULL) == S_IOERR);
	fail = 0;
	check("and then none", read_sector(0, 512) == S_OK);
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		driver_start(&d, F_ALL, 16);
		check("a request without header or status", driver_do(&d, 0, bad[i]) == -1 &&
		      strstr(d.why, "without header") && reg_get(&d, REG_STATUS) == (15 | 0x40));
	}
}

static int writeback(void)
{
	return virtio_mmio_ops.read(&d.mmio, REG_CONFIG + 32, 1);
}

/* When a write is stable (5.2.6.2). */
static void test_flush(void)
{
	driver_start(&d, F_ALL, 16);
	flushes = 0;
	check("with a cache", writeback() == 1 && write_sector(0, 512) == S_OK &&
	      flushes == 0);
	check("flush", request(T_FLUSH, 0, NULL) == S_OK && flushes == 1);
	virtio_mmio_ops.write(&d.mmio, REG_CONFIG + 32, 1, 0);
	check("the driver turns the cache off", write_sector(0, 512) == S_OK && flushes == 2);
	virtio_mmio_ops.write(&d.mmio, REG_CONFIG + 32, 1, 1);
	check("and on", write_sector(0, 512) == S_OK && flushes == 2);

	driver_start(&d, F_WCE, 16);
	check("without flush, but with its switch", writeback() == 0 &&
	      write_sector(0, 512) == S_OK && flushes == 3);
	driver_start(&d, F_FLUSH, 16);
	virtio_mmio_ops.write(&d.mmio, REG_CONFIG + 32, 1, 0);
	check("without the switch it cannot be turned", write_sector(0, 512) == S_OK &&
	      flushes == 3);
	driver_start(&d, 0, 16);
	check("a driver that cannot flush", write_sector(0, 512) == S_OK && flushes == 4);
	fail_flush = -EIO;
	check("a write that does not become stable", write_sector(0, 512) == S_IOERR);
	fail_flush = 0;
	check("reading does not flush", read_sector(0, 512) == S_OK && flushes == 5);
}

static void test_ranges(void)
{
	const struct range two[] = { { 3, 1, 0 }, { 5, 2, 0 } };
	const struct range unmap = { 1, 1, RANGE_UNMAP }, flags = { 1, 1, 2 };
	const struct range bad[] = { { 3, 1, 0 }, { SECTORS - 1, 2, 0 } };
	const struct range huge = { 0, 0xffffffff, 0 }, wrap = { ~0ULL, 2, 0 }, none = { 9, 0, 0 };
	const struct range many[MAX_RANGES + 1] = { { 0, 0, 0 } };

	driver_start(&d, F_ALL, 16);
	memset(content, 1, sizeof(content));
	check("discard", range_request(T_DISCARD, two, 2) == S_OK && discards == 2 &&
	      content[3 * 512] == 0xdd && content[4 * 512] == 1 && content[6 * 512] == 0xdd);
	check("zeroes", range_request(T_WRITE_ZEROES, two, 2) == S_OK && zeroes == 2 &&
	      unmaps == 0 && content[3 * 512] == 0 && content[4 * 512] == 1);
	check("zeroes, space given back", range_request(T_WRITE_ZEROES, &unmap, 1) == S_OK &&
	      unmaps == 1);
	check("discard knows no flag", range_request(T_DISCARD, &unmap, 1) == S_UNSUPP);
	check("nor do zeroes know another", range_request(T_WRITE_ZEROES, &flags, 1) == S_UNSUPP);
	check("a range beyond the end", range_request(T_DISCARD, &bad[1], 1) == S_IOERR &&
	      range_request(T_WRITE_ZEROES, &huge, 1) == S_IOERR &&
	      range_request(T_DISCARD, &wrap, 1) == S_IOERR);
	check("an empty one", range_request(T_DISCARD, &none, 1) == S_OK);
	check("none", request(T_DISCARD, 0, NULL) == S_OK && discards == 2);
	check("too many", range_request(T_DISCARD, many, MAX_RANGES + 1) == S_IOERR);
	check("half of one", request(T_DISCARD, 0, &(struct part){ RANGES, 8, false }) == S_IOERR);
	fail = -EIO;
	check("an error of the host", range_request(T_WRITE_ZEROES, two, 2) == S_IOERR);
	fail = 0;
	flushes = 0;
	driver_start(&d, 0, 16);
	check("stable at once, without a cache", range_request(T_WRITE_ZEROES, two, 2) == S_OK &&
	      flushes == 1);
}

static void test_id(void)
{
	char id[32] = "";

	driver_start(&d, F_ALL, 16);
	check("identification", request(T_GET_ID, 0, &(struct part){ SECTOR, 20, true }) == S_OK);
	guest_get(&d, SECTOR, id, 20);
	check("is its name", !strcmp(id, "disk7"));
	check("in less room", request(T_GET_ID, 0, &(struct part){ SECTOR, 2, true }) == S_OK);
	check("in none", request(T_GET_ID, 0, NULL) == S_OK);
}

static void test_read_only(void)
{
	const struct range one = { 3, 1, 0 };
	int before = discards + zeroes;

	disk.read_only = true;
	blk = calloc(1, sizeof(*blk));
	virtio_blk_init(blk, "disk8", &disk);
	driver_init(&d, &blk->dev);
	check("a disk that cannot be written", (driver_features(&d) & 0xffffff) ==
	      (F_SEG_MAX | F_BLK_SIZE | F_TOPOLOGY | F_RO));
	driver_start(&d, F_RO, 16);
	memset(content, 9, sizeof(content));
	check("is not", write_sector(0, 512) == S_IOERR && content[0] == 9 &&
	      range_request(T_DISCARD, &one, 1) == S_IOERR &&
	      range_request(T_WRITE_ZEROES, &one, 1) == S_IOERR && discards + zeroes == before);
	check("but read", read_sector(0, 512) == S_OK);
	driver_fini(&d);
}

int main(void)
{
	blk = calloc(1, sizeof(*blk));
	virtio_blk_init(blk, "disk7", &disk);
	driver_init(&d, &blk->dev);
	test_config();
	test_io();
	test_errors();
	test_flush();
	test_ranges();
	test_id();
	driver_fini(&d);
	check("the device closes its disk", closes == 1);
	test_read_only();
	return tap_done();
}
