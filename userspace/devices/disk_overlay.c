// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A disk that is a read-only base file and an overlay, which has what was written
 * since.  Documentation/disk-overlay.md describes the format and why it survives
 * a crash.  In short:
 *
 *   header | map: a bit for each cluster | the clusters, each at its own place
 *
 * A bit says that the overlay has the cluster; otherwise the base has it.  Bits are
 * set in memory at first.  A flush makes the clusters stable, then writes the map,
 * and makes that stable.  Bits are never cleared, so that a map of which only a part
 * has reached the disk is right too.
 */
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk.h"

#define MAGIC		"VITROOVL"
#define VERSION		1
#define CLUSTER		4096U	/* a file system's block: seldom is a part of one written */
#define BLOCK		4096U	/* unit in which header and map are written */

/**
 * struct header - first block of an overlay; little endian, never changes
 * @magic: MAGIC
 * @version: VERSION
 * @cluster: CLUSTER
 * @size: bytes of the disk, which are those of the base
 * @base_mtime: when the base was changed last, in nanoseconds since 1970
 * @data: offset of the first cluster in the file
 * @base: absolute name of the base at the time, for messages; ends with a zero
 */
struct header {
	char magic[8];
	uint32_t version;
	uint32_t cluster;
	uint64_t size;
	int64_t base_mtime;
	uint64_t data;
	char base[BLOCK - 40];
};

_Static_assert(sizeof(struct header) == BLOCK, "the header is a block");

/**
 * struct overlay - an overlay in use
 * @disk: as others see it
 * @base_fd: the base
 * @data: offset of the first cluster in the file
 * @map: the bits
 * @map_size: bytes of it, a multiple of BLOCK
 * @dirty: for each block of the map: it has bits that the file has not
 * @any_dirty: there is one
 */
struct overlay {
	struct disk disk;
	int base_fd;
	uint64_t data;
	uint8_t *map;
	size_t map_size;
	bool *dirty;
	bool any_dirty;
};

static struct overlay *to_overlay(struct disk *disk)
{
	return (struct overlay *)((char *)disk - offsetof(struct overlay, disk));
}

/* --------------------------------------------------------------------- map */

static uint64_t map_bytes(uint64_t size)
{
	uint64_t clusters = (size + CLUSTER - 1) / CLUSTER;

	return ((clusters + 7) / 8 + BLOCK - 1) / BLOCK * BLOCK;
}

static bool present(const struct overlay *o, uint64_t cluster)
{
	return o->map[cluster / 8] & 1U << cluster % 8;
}

static void set_present(struct overlay *o, uint64_t first, uint64_t last)
{
	uint64_t c;

	for (c = first; c <= last; c++) {
		if (present(o, c))
			continue;
		o->map[c / 8] |= 1U << c % 8;
		o->dirty[c / 8 / BLOCK] = true;
		o->any_dirty = true;
	}
}

/* How many of the @len bytes from @offset on are in the same file as the first. */
static uint64_t same_file(const struct overlay *o, uint64_t offset, uint64_t len)
{
	uint64_t c = offset / CLUSTER, end = offset + len;
	bool here = present(o, c);

	do {
		c++;
	} while (c * CLUSTER < end && present(o, c) == here);
	return (c * CLUSTER < end ? c * CLUSTER : end) - offset;
}

/* ------------------------------------------------------------ reading, writing */

static uint64_t total(const struct iovec *part, unsigned int nr)
{
	uint64_t sum = 0;

	for (; nr; part++, nr--)
		sum += part->iov_len;
	return sum;
}

/*
 * Read the first @len bytes of the parts from @fd, and leave the parts with what
 * follows.  The part that has the border is cut for that time.
 */
static int read_some(int fd, struct iovec **part, unsigned int *nr, uint64_t len, uint64_t offset)
{
	struct iovec rest;
	unsigned int i;
	int err;

	for (i = 0; len > (*part)[i].iov_len; i++)
		len -= (*part)[i].iov_len;
	rest = (*part)[i];
	(*part)[i].iov_len = len;
	err = disk_file_io(fd, *part, i + 1, offset, false);
	rest.iov_base = (uint8_t *)rest.iov_base + len;
	rest.iov_len -= len;
	*part += i;
	*nr -= i;
	**part = rest;
	return err;
}

static int overlay_read(struct disk *disk, struct iovec *part, unsigned int nr, uint64_t offset)
{
	struct overlay *o = to_overlay(disk);
	uint64_t len = total(part, nr), some;
	bool here;
	int err;

	for (; len; len -= some, offset += some) {
		some = same_file(o, offset, len);
		here = present(o, offset / CLUSTER);
		err = read_some(here ? disk->fd : o->base_fd, &part, &nr, some,
				here ? o->data + offset : offset);
		if (err)
			return err;
	}
	return 0;
}

/* A part of the cluster is about to be written: the rest has to come from the base. */
static int copy_up(struct overlay *o, uint64_t cluster)
{
	uint64_t offset = cluster * CLUSTER;
	uint8_t data[CLUSTER];
	struct iovec part = {
		.iov_base = data,
		.iov_len = o->disk.size - offset < CLUSTER ? o->disk.size - offset : CLUSTER,
	};
	struct iovec again = part;
	int err;

	if (present(o, cluster))
		return 0;
	err = disk_file_io(o->base_fd, &part, 1, offset, false);
	return err ? err : disk_file_io(o->disk.fd, &again, 1, o->data + offset, true);
}

/*
 * Clusters of which only a part is in the range: at most the first and the last.
 * No bit is set until all is written: what else is in the file does not count then.
 */
static int copy_up_ends(struct overlay *o, uint64_t offset, uint64_t len)
{
	uint64_t end = offset + len;
	int err = 0;

	if (offset % CLUSTER)
		err = copy_up(o, offset / CLUSTER);
	if (!err && end % CLUSTER && end != o->disk.size &&
	    (end / CLUSTER != offset / CLUSTER || !(offset % CLUSTER)))
		err = copy_up(o, end / CLUSTER);
	return err;
}

static int overlay_write(struct disk *disk, struct iovec *part, unsigned int nr, uint64_t offset)
{
	struct overlay *o = to_overlay(disk);
	uint64_t len = total(part, nr);
	int err;

	if (!len)
		return 0;
	err = copy_up_ends(o, offset, len);
	if (!err)
		err = disk_file_io(disk->fd, part, nr, o->data + offset, true);
	if (!err)
		set_present(o, offset / CLUSTER, (offset + len - 1) / CLUSTER);
	return err;
}

/* Zeros are a hole in the overlay, with its bits set. */
static int overlay_zero(struct disk *disk, uint64_t offset, uint64_t len, bool unmap)
{
	struct overlay *o = to_overlay(disk);
	int err = copy_up_ends(o, offset, len);

	if (!err)
		err = disk_file_zero(disk->fd, o->data + offset, len, unmap);
	if (!err)
		set_present(o, offset / CLUSTER, (offset + len - 1) / CLUSTER);
	return err;
}

/* Whole clusters only: the ends are not worth copying up. */
static int overlay_discard(struct disk *disk, uint64_t offset, uint64_t len)
{
	struct overlay *o = to_overlay(disk);
	uint64_t first = (offset + CLUSTER - 1) / CLUSTER, end = (offset + len) / CLUSTER;
	int err;

	if (first >= end)
		return 0;
	err = disk_file_punch(disk->fd, o->data + first * CLUSTER, (end - first) * CLUSTER);
	if (!err)
		set_present(o, first, end - 1);
	return err == -EOPNOTSUPP ? 0 : err;
}

/* ------------------------------------------------------------------- flush */

static int write_map(struct overlay *o)
{
	struct iovec part;
	size_t i;
	int err;

	for (i = 0; i < o->map_size / BLOCK; i++) {
		if (!o->dirty[i])
			continue;
		part = (struct iovec){ .iov_base = o->map + i * BLOCK, .iov_len = BLOCK };
		err = disk_file_io(o->disk.fd, &part, 1, BLOCK + i * BLOCK, true);
		if (err)
			return err;
		o->dirty[i] = false;
	}
	return 0;
}

static int overlay_flush(struct disk *disk)
{
	struct overlay *o = to_overlay(disk);
	int err;

	if (fdatasync(disk->fd) < 0)
		return -errno;
	if (!o->any_dirty)
		return 0;
	err = write_map(o);
	if (err)
		return err;
	o->any_dirty = false;
	return fdatasync(disk->fd) < 0 ? -errno : 0;
}

static void overlay_close(struct disk *disk)
{
	struct overlay *o = to_overlay(disk);

	close(o->base_fd);
	free(o->map);
	free(o->dirty);
}

static const struct disk_ops overlay_ops = {
	.read = overlay_read,
	.write = overlay_write,
	.zero = overlay_zero,
	.discard = overlay_discard,
	.flush = overlay_flush,
	.close = overlay_close,
};

/* ---------------------------------------------------------- opening, making */

static int64_t mtime(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return 0;
	return st.st_mtim.tv_sec * 1000000000LL + st.st_mtim.tv_nsec;
}

/**
 * overlay_recognize - is it an overlay?
 * @fd: a file
 *
 * Return: true if it begins like one.
 */
bool overlay_recognize(int fd)
{
	char magic[8];

	return pread(fd, magic, sizeof(magic), 0) == sizeof(magic) &&
	       !memcmp(magic, MAGIC, sizeof(magic));
}

/* Read and check the header; nothing in the file is trusted. */
static bool read_header(int fd, const char *path, struct header *h, struct disk_error *why)
{
	struct stat st;

	if (pread(fd, h, sizeof(*h), 0) != sizeof(*h) ||
	    memcmp(h->magic, MAGIC, sizeof(h->magic))) {
		disk_complain(why, "'%s' is no overlay: see vitro image create --overlay", path);
		return false;
	}
	if (h->version != VERSION || h->cluster != CLUSTER) {
		disk_complain(why, "'%s' is an overlay of version %u, cluster size %u; "
			      "this vitro knows version %d, cluster size %u", path, h->version,
			      h->cluster, VERSION, CLUSTER);
		return false;
	}
	if (!h->size || h->size % SECTOR_SIZE || h->size > INT64_MAX / 2 ||
	    h->data != BLOCK + map_bytes(h->size) || fstat(fd, &st) < 0 ||
	    (uint64_t)st.st_size < h->data + h->size || h->base[sizeof(h->base) - 1]) {
		disk_complain(why, "the overlay '%s' has a damaged header, or has been cut short",
			      path);
		return false;
	}
	return true;
}

static bool fits_base(const struct overlay *o, const struct header *h, const char *base,
		      const char *path, uint64_t base_size, struct disk_error *why)
{
	if (base_size != h->size)
		disk_complain(why, "'%s' has %llu bytes; the overlay '%s' is for '%s' with %llu",
			      base, (unsigned long long)base_size, path, h->base,
			      (unsigned long long)h->size);
	else if (mtime(o->base_fd) != h->base_mtime)
		disk_complain(why, "'%s' has changed since the overlay '%s' was made for it; "
			      "if it is a mere copy: touch --date=@%lld.%09lld '%s'", base, path,
			      (long long)h->base_mtime / 1000000000,
			      (long long)h->base_mtime % 1000000000, base);
	else
		return true;
	return false;
}

static bool read_map(struct overlay *o)
{
	struct iovec part;

	o->map = malloc(o->map_size);
	o->dirty = calloc(o->map_size / BLOCK, sizeof(*o->dirty));
	if (!o->map || !o->dirty)
		return false;
	part = (struct iovec){ .iov_base = o->map, .iov_len = o->map_size };
	return !disk_file_io(o->disk.fd, &part, 1, BLOCK, false);
}

static bool open_files(struct overlay *o, const char *base, const char *path,
		       struct disk_error *why)
{
	uint64_t file_size, base_size;
	struct header h;

	o->base_fd = disk_open_file(base, false, &base_size, why);
	if (o->base_fd < 0)
		return false;
	o->disk.fd = disk_open_file(path, true, &file_size, why);
	if (o->disk.fd < 0 || !read_header(o->disk.fd, path, &h, why) ||
	    !fits_base(o, &h, base, path, base_size, why))
		return false;
	o->disk.size = h.size;
	o->data = h.data;
	o->map_size = map_bytes(h.size);
	if (!read_map(o)) {
		disk_complain(why, "cannot read the map of '%s'", path);
		return false;
	}
	return true;
}

/**
 * overlay_open - a disk of a base and an overlay
 * @base: file, not written
 * @path: overlay that was made for it
 * @why: set on failure
 *
 * Return: the disk, or NULL.
 */
struct disk *overlay_open(const char *base, const char *path, struct disk_error *why)
{
	struct overlay *o = calloc(1, sizeof(*o));

	if (!o) {
		disk_complain(why, "out of memory");
		return NULL;
	}
	o->disk.ops = &overlay_ops;
	o->disk.fd = -1;
	if (open_files(o, base, path, why))
		return &o->disk;
	if (o->disk.fd >= 0)
		close(o->disk.fd);
	if (o->base_fd >= 0)
		close(o->base_fd);
	free(o->map);
	free(o->dirty);
	free(o);
	return NULL;
}

/**
 * overlay_create - make an overlay without any cluster
 * @base: file that it is for
 * @path: the overlay; it must not exist
 * @why: set on failure
 *
 * Return: false on failure.
 */
bool overlay_create(const char *base, const char *path, struct disk_error *why)
{
	struct header h = { .magic = MAGIC, .version = VERSION, .cluster = CLUSTER };
	char name[PATH_MAX] = "";
	int base_fd, fd;

	base_fd = disk_open_file(base, false, &h.size, why);
	if (base_fd < 0)
		return false;
	h.base_mtime = mtime(base_fd);
	h.data = BLOCK + map_bytes(h.size);
	if (realpath(base, name))
		memcpy(h.base, name, strnlen(name, sizeof(h.base) - 1));
	close(base_fd);

	fd = disk_create_file(path, h.data + h.size, why);
	if (fd < 0)
		return false;
	if (pwrite(fd, &h, sizeof(h), 0) != sizeof(h)) {
		disk_complain(why, "cannot write '%s': %s", path, strerror(errno));
		unlink(path);
		close(fd);
		return false;
	}
	return disk_finish_file(fd, path, why) == 0;
}

/**
 * overlay_read_info - what there is to say about an overlay
 * @fd: the file
 * @path: its name
 * @info: filled
 * @why: set on failure
 *
 * Return: false on failure.
 */
bool overlay_read_info(int fd, const char *path, struct overlay_info *info,
		       struct disk_error *why)
{
	uint8_t block[BLOCK];
	struct header h;
	uint64_t offset;
	size_t i;

	if (!read_header(fd, path, &h, why))
		return false;
	memset(info, 0, sizeof(*info));
	info->size = h.size;
	info->cluster = h.cluster;
	memcpy(info->base, h.base, sizeof(h.base));
	for (offset = BLOCK; offset < h.data; offset += BLOCK) {
		if (pread(fd, block, BLOCK, offset) != BLOCK) {
			disk_complain(why, "cannot read the map of '%s': %s", path,
				      strerror(errno));
			return false;
		}
		for (i = 0; i < BLOCK; i++)
			info->present += __builtin_popcount(block[i]);
	}
	return true;
}
