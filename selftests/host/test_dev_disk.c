// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Disks: files, overlays, and what is left of an overlay after a power cut.
 *
 * For that, what the disk does to its file is watched.  A power cut leaves the file
 * as the last fdatasync found it, and of what was written since any sectors, but
 * not others.  Each sector has a tag in all of its words, so that it is known whose
 * it is.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static ssize_t watched_pwritev(int fd, const struct iovec *part, int nr, off_t offset);
static ssize_t watched_pwrite(int fd, const void *data, size_t len, off_t offset);
static int watched_fdatasync(int fd);
static int watched_fallocate(int fd, int mode, off_t offset, off_t len);

#define pwritev		watched_pwritev
#define pwrite		watched_pwrite
#define fdatasync	watched_fdatasync
#define fallocate	watched_fallocate
#include "../../userspace/devices/disk_file.c"
#include "../../userspace/devices/disk.c"
#include "../../userspace/devices/disk_overlay.c"
#undef pwritev
#undef pwrite
#undef fdatasync
#undef fallocate
#include "tap.h"

#define SECTORS		2060			/* 257.5 clusters: the last is cut short */
#define SIZE		(SECTORS * SECTOR_SIZE)
#define WORDS		(SECTOR_SIZE / 8)

static char dir[32], base[64], over[64], raw[64];
static struct disk_error why;

/* -------------------------------------------------------------- power cuts */

#define MAX_WRITES	20000

/**
 * struct write - a sector of a file that has been written and is not stable
 * @offset: in the file
 * @data: what
 */
struct write {
	off_t offset;
	uint64_t data[WORDS];
};

static bool watching;
static struct write writes[MAX_WRITES];
static int nr_writes, nr_syncs;
static uint8_t *stable;			/* the file at its last fdatasync */
static size_t stable_size;
static int fail_sync, fail_write, fail_allocate;	/* errno, for what is called next */
static unsigned int seed = 1;

static void remember(off_t offset, const uint8_t *data, size_t len)
{
	for (; len; offset += SECTOR_SIZE, data += SECTOR_SIZE, len -= SECTOR_SIZE) {
		if (len < SECTOR_SIZE || nr_writes == MAX_WRITES)
			abort();	/* the disk writes whole sectors */
		writes[nr_writes].offset = offset;
		memcpy(writes[nr_writes++].data, data, SECTOR_SIZE);
	}
}

static ssize_t watched_pwritev(int fd, const struct iovec *part, int nr, off_t offset)
{
	static uint8_t data[SIZE + 8192];
	size_t len = 0;
	int i;

	if (fail_write) {
		errno = fail_write;
		return -1;
	}
	for (i = 0; i < nr; i++) {
		memcpy(data + len, part[i].iov_base, part[i].iov_len);
		len += part[i].iov_len;
	}
	if (watching)
		remember(offset, data, len);
	return pwrite(fd, data, len, offset);
}

static ssize_t watched_pwrite(int fd, const void *data, size_t len, off_t offset)
{
	const struct iovec part = { (void *)data, len };

	return watched_pwritev(fd, &part, 1, offset);
}

static int watched_fallocate(int fd, int mode, off_t offset, off_t len)
{
	static const uint8_t zeros[SIZE];

	if (fail_allocate) {
		errno = fail_allocate;
		return -1;
	}
	if (watching)
		remember(offset, zeros, len);
	return fallocate(fd, mode, offset, len);
}

static int watched_fdatasync(int fd)
{
	struct stat st;

	nr_syncs++;
	if (fail_sync) {
		errno = fail_sync;
		return -1;
	}
	if (watching) {
		fstat(fd, &st);
		stable_size = st.st_size;
		stable = realloc(stable, stable_size);
		if (pread(fd, stable, stable_size, 0) != st.st_size)
			abort();
		nr_writes = 0;
	}
	return 0;
}

/* The file as it may be after a power cut. */
static void cut_power(const char *path)
{
	int fd = open(path, O_WRONLY), i, odds = 1 + rand_r(&seed) % 8;

	if (pwrite(fd, stable, stable_size, 0) != (ssize_t)stable_size)
		abort();
	for (i = 0; i < nr_writes; i++)
		if (rand_r(&seed) % 8 < odds &&
		    pwrite(fd, writes[i].data, SECTOR_SIZE, writes[i].offset) != SECTOR_SIZE)
			abort();
	nr_writes = 0;
	close(fd);
}

/* ------------------------------------------------------------------ helpers */

static void fill(uint64_t *data, uint64_t tag, int sectors)
{
	int i;

	for (i = 0; i < sectors * WORDS; i++)
		data[i] = tag;
}

static int put(struct disk *disk, uint64_t tag, int sector, int sectors)
{
	static uint64_t data[SIZE / 8];
	struct iovec part[2] = { { data, 100 }, { (char *)data + 100, sectors * 512 - 100 } };

	fill(data, tag, sectors);
	return disk->ops->write(disk, part, 2, (uint64_t)sector * SECTOR_SIZE);
}

static uint64_t now[SIZE / 8];

/* Read all of the disk into @now, by pieces of odd sizes. */
static bool get_all(struct disk *disk)
{
	struct iovec part[3];
	uint64_t offset, len;

	for (offset = 0; offset < SIZE; offset += len) {
		len = (1 + rand_r(&seed) % 40) * SECTOR_SIZE;
		if (len > SIZE - offset)
			len = SIZE - offset;
		part[0] = (struct iovec){ (char *)now + offset, 9 };
		part[1] = (struct iovec){ (char *)now + offset + 9, 0 };
		part[2] = (struct iovec){ (char *)now + offset + 9, len - 9 };
		if (disk->ops->read(disk, part, 3, offset))
			return false;
	}
	return true;
}

/* The tag of a sector of @now, or -1 if it is none of one. */
static uint64_t tag(int sector)
{
	const uint64_t *p = now + sector * WORDS;
	int i;

	for (i = 1; i < WORDS; i++)
		if (p[i] != p[0])
			return -1;
	return p[0];
}

static void make_base(void)
{
	static uint64_t data[SIZE / 8];
	int i, fd = open(base, O_RDWR | O_CREAT | O_TRUNC, 0600);

	for (i = 0; i < SECTORS; i++)
		fill(data + i * WORDS, 1000000 + i, 1);
	if (write(fd, data, SIZE) != SIZE)
		abort();
	close(fd);
}

static int blocks(const char *path)
{
	struct stat st;

	return stat(path, &st) ? -1 : st.st_blocks;
}

/* ----------------------------------------------------------------- a file */

static void test_raw(void)
{
	struct disk *disk, *other;
	int fd = open(raw, O_RDWR | O_CREAT, 0600), full;

	check("a file of 100 bytes", !ftruncate(fd, 100) && !disk_open(raw, false, &why) &&
	      strstr(why.text, "truncate --size"));
	check("an empty one", !ftruncate(fd, 0) && !disk_open(raw, false, &why));
	check("none", !disk_open("/nowhere", false, &why) && strstr(why.text, "No such file"));
	check("a directory", !disk_open(dir, true, &why) && strstr(why.text, "neither"));
	check("one of whole sectors", !ftruncate(fd, SIZE));
	close(fd);
	disk = disk_open(raw, false, &why);
	if (!check("can be opened", disk && disk->size == SIZE))
		return;
	check("by one writer", !disk_open(raw, false, &why) && strstr(why.text, "in use"));
	check("and no reader", !disk_open(raw, true, &why) && strstr(why.text, "in use"));
	check("written and read", !put(disk, 7, 9, 11) && get_all(disk) && tag(8) == 0 &&
	      tag(9) == 7 && tag(19) == 7 && tag(20) == 0);
	put(disk, 7, 0, 2048);
	full = blocks(raw);
	check("discard gives space back", !disk->ops->discard(disk, 0, 1 << 20) &&
	      blocks(raw) < full && get_all(disk) && tag(2047) == 0);
	put(disk, 7, 0, 100);
	check("zeros without giving space back",
	      !disk->ops->zero(disk, 10 * SECTOR_SIZE, SECTOR_SIZE, false) && get_all(disk) &&
	      tag(9) == 7 && tag(10) == 0 && tag(11) == 7);
	fail_allocate = EOPNOTSUPP;
	check("zeros where the host has no better way",
	      !disk->ops->zero(disk, 20 * SECTOR_SIZE, 70 * SECTOR_SIZE, true) &&
	      get_all(disk) && tag(19) == 7 && tag(20) == 0 && tag(89) == 0 && tag(90) == 7);
	check("discard where there is none", !disk->ops->discard(disk, 0, 4096) &&
	      get_all(disk) && tag(0) == 7);
	fail_allocate = 0;
	fail_write = ENOSPC;
	check("an error of the host", put(disk, 1, 0, 1) == -ENOSPC);
	fail_write = 0;
	check("a file that has become shorter",
	      !truncate(raw, SIZE / 2) && !get_all(disk) && !truncate(raw, SIZE));
	check("flush", !disk_flush(disk));
	fail_sync = EIO;
	check("flush that fails", disk_flush(disk) == -EIO);
	fail_sync = 0;
	check("fails from then on", disk_flush(disk) == -EIO);
	disk_close(disk);
	disk = disk_open(raw, true, &why);
	other = disk_open(raw, true, &why);
	check("two readers", disk && other);
	nr_syncs = 0;
	check("have nothing to flush", !disk_flush(disk) && nr_syncs == 0);
	disk_close(disk);
	disk_close(other);
}

/* -------------------------------------------------------------- an overlay */

static void test_overlay(void)
{
	struct disk *disk, *other;
	struct overlay_info info;
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = 5 } };
	char cmd[256];
	int i, fd;

	make_base();
	check("an overlay is made", overlay_create(base, over, &why));
	check("not over another file", !overlay_create(base, over, &why) &&
	      strstr(why.text, "File exists"));
	check("it takes hardly any space", blocks(over) <= 16);
	disk = overlay_open(base, over, &why);
	if (!check("it opens", disk && disk->size == SIZE))
		return;
	check("reads the base", get_all(disk) && tag(0) == 1000000 &&
	      tag(SECTORS - 1) == 1000000 + SECTORS - 1);
	put(disk, 5, 3, 1);
	put(disk, 6, 15, 20);
	put(disk, 7, SECTORS - 1, 1);
	check("parts of clusters", get_all(disk) && tag(2) == 1000002 && tag(3) == 5 &&
	      tag(4) == 1000004 && tag(14) == 1000014 && tag(15) == 6 && tag(34) == 6 &&
	      tag(35) == 1000035 && tag(SECTORS - 2) == 1000000 + SECTORS - 2 &&
	      tag(SECTORS - 1) == 7);
	check("zeros", !disk->ops->zero(disk, 100 * SECTOR_SIZE, 100 * SECTOR_SIZE, true) &&
	      get_all(disk) && tag(99) == 1000099 && tag(100) == 0 && tag(199) == 0 &&
	      tag(200) == 1000200);
	check("discard: whole clusters", !disk->ops->discard(disk, 300 * SECTOR_SIZE, 51200) &&
	      get_all(disk) && tag(300) == 1000300 && tag(304) == 0 && tag(399) == 0);
	check("discard: none at all", !disk->ops->discard(disk, 801 * SECTOR_SIZE, 4096) &&
	      get_all(disk) && tag(804) == 1000804);
	check("the base can have other readers", (other = disk_open(base, true, &why)));
	disk_close(other);
	check("but no writer", !disk_open(base, false, &why));
	check("the overlay can have no other user", !overlay_open(base, over, &why));
	disk_close(disk);
	check("it is no disk by itself", !disk_open(over, true, &why) &&
	      strstr(why.text, "overlay="));

	disk = overlay_open(base, over, &why);
	for (i = 0; disk && get_all(disk) && i < SECTORS && tag(i) != (uint64_t)-1; i++)
		;
	check("after closing and opening", i == SECTORS && tag(3) == 5 && tag(100) == 0 &&
	      tag(SECTORS - 1) == 7);
	disk_close(disk);

	fd = open(over, O_RDONLY);
	check("information", overlay_read_info(fd, over, &info, &why) && info.size == SIZE &&
	      strstr(info.base, base) && info.cluster == 4096 && info.present == 31);
	close(fd);

	snprintf(cmd, sizeof(cmd), "cp -p %s %s.copy", base, base);
	check("an exact copy of the base is as good", !system(cmd));
	snprintf(cmd, sizeof(cmd), "%s.copy", base);
	disk = overlay_open(cmd, over, &why);
	check("to the overlay", disk);
	disk_close(disk);
	utimensat(AT_FDCWD, base, times, 0);
	check("a base that has changed", !overlay_open(base, over, &why) &&
	      strstr(why.text, "touch --date=@"));
	check("one of another size", !truncate(raw, SIZE / 2) && !overlay_open(raw, over, &why));
	check("a file that is no overlay", !overlay_open(base, raw, &why) &&
	      strstr(why.text, "is no overlay"));
}

/* Nothing in the header is trusted. */
static void test_header(void)
{
	static const struct {
		const char *name;
		size_t offset;
		uint64_t value;
	} fields[] = {
		{ "version", offsetof(struct header, version), 2 | 4096ULL << 32 },
		{ "cluster size", offsetof(struct header, cluster), 512 },
		{ "size 0", offsetof(struct header, size), 0 },
		{ "size beyond the file", offsetof(struct header, size), 1ULL << 62 },
		{ "odd size", offsetof(struct header, size), SIZE + 1 },
		{ "data", offsetof(struct header, data), 4096 },
		{ "end of the name", BLOCK - 8, 0x6161616161616161 },
	};
	struct header good;
	size_t i;
	int fd;

	make_base();
	unlink(over);
	overlay_create(base, over, &why);
	fd = open(over, O_RDWR);
	check("the header is read back", pread(fd, &good, sizeof(good), 0) == sizeof(good));
	for (i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		check(fields[i].name, pwrite(fd, &fields[i].value, 8, fields[i].offset) == 8 &&
		      !overlay_open(base, over, &why));
		check("repaired", pwrite(fd, &good, sizeof(good), 0) == sizeof(good));
	}
	check("a file cut short", !ftruncate(fd, 8192 + SIZE - SECTOR_SIZE) &&
	      !overlay_open(base, over, &why) && strstr(why.text, "cut short"));
	close(fd);
}

/* ------------------------------------------------- an overlay and power cuts */

#define ROUNDS	60
#define TAGS	8	/* writes of a sector since the last flush that we can know */

static uint64_t allowed[SECTORS][TAGS + 1];	/* [0] is what was stable */
static int nr_allowed[SECTORS];

static void allow(uint64_t value, int sector, int sectors)
{
	for (; sectors--; sector++)
		if (nr_allowed[sector] <= TAGS)
			allowed[sector][nr_allowed[sector]++] = value;
}

static bool is_allowed(int sector)
{
	int i;

	for (i = 0; i < nr_allowed[sector]; i++)
		if (tag(sector) == allowed[sector][i])
			return true;
	return false;
}

/* After a flush, or a power cut, what is read is stable. */
static void settle(void)
{
	int i;

	for (i = 0; i < SECTORS; i++) {
		allowed[i][0] = tag(i);
		nr_allowed[i] = 1;
	}
}

static bool has_room(int sector, int sectors)
{
	for (; sectors--; sector++)
		if (nr_allowed[sector] > TAGS)
			return false;
	return true;
}

static void random_writes(struct disk *disk)
{
	static uint64_t next = 1;
	int n = rand_r(&seed) % 12;

	while (n--) {
		int sector = rand_r(&seed) % SECTORS, sectors = 1 + rand_r(&seed) % 30;

		if (sectors > SECTORS - sector)
			sectors = SECTORS - sector;
		if (!has_room(sector, sectors))
			continue;
		if (rand_r(&seed) % 6) {
			put(disk, ++next, sector, sectors);
			allow(next, sector, sectors);
		} else {
			disk->ops->zero(disk, sector * SECTOR_SIZE, sectors * SECTOR_SIZE, true);
			allow(0, sector, sectors);
		}
	}
}

static bool all_allowed(void)
{
	int i, wrong = 0;

	for (i = 0; i < SECTORS; i++) {
		if (is_allowed(i))
			continue;
		if (!wrong++)
			printf("# sector %d has %lld, was %lld\n", i, (long long)tag(i),
			       (long long)allowed[i][0]);
	}
	return !wrong;
}

static void test_power_cuts(void)
{
	struct disk *disk = NULL;
	int round, flush, good = 0, changed = 0;

	make_base();
	unlink(over);
	overlay_create(base, over, &why);
	watching = true;
	for (round = 0; round < ROUNDS; round++) {
		disk = overlay_open(base, over, &why);
		if (!disk || !get_all(disk))
			break;
		changed += round && !all_allowed() ? 0 : 1;
		settle();
		watched_fdatasync(disk->fd);
		for (flush = rand_r(&seed) % 4; flush; flush--) {
			random_writes(disk);
			if (disk_flush(disk) || !get_all(disk))
				break;
			settle();
		}
		random_writes(disk);
		/* As if the process were not there any more: without a flush. */
		disk->ops->close(disk);
		cut_power(over);
		close(disk->fd);
		free(to_overlay(disk));
		good++;
	}
	watching = false;
	check("an overlay opens after each power cut", good == ROUNDS);
	check("and has what was stable", changed == ROUNDS);
}

int main(void)
{
	char cmd[64];

	snprintf(dir, sizeof(dir), "/tmp/vitro-disk-XXXXXX");
	if (!check("scratch directory", mkdtemp(dir)))
		return tap_done();
	snprintf(base, sizeof(base), "%s/base", dir);
	snprintf(over, sizeof(over), "%s/overlay", dir);
	snprintf(raw, sizeof(raw), "%s/raw", dir);
	test_raw();
	test_overlay();
	test_header();
	test_power_cuts();
	snprintf(cmd, sizeof(cmd), "rm -r %s", dir);
	check("cleaned up", !system(cmd));
	return tap_done();
}
