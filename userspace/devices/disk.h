/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a disk keeps its sectors in: a file, or a read-only base file and an
 * overlay that has what was written since (Documentation/disk-overlay.md).
 *
 * Data goes straight between the guest's memory and the file, without a copy in
 * between.  One thread at a time uses a disk.
 */
#ifndef DEVICES_DISK_H
#define DEVICES_DISK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#define SECTOR_SIZE	512

struct disk;

/**
 * struct disk_ops - how a kind of disk does it
 * @read: fill @part[0..@nr) from @offset on; may change the parts
 * @write: store them there
 * @zero: make @len bytes read as zeros; may give the space back if @unmap
 * @discard: @len bytes are not needed any more: give back what space can be given
 * @flush: make stable what was written
 * @close: free what the kind has allocated, but for the file
 *
 * They return 0 or -errno.
 */
struct disk_ops {
	int (*read)(struct disk *disk, struct iovec *part, unsigned int nr, uint64_t offset);
	int (*write)(struct disk *disk, struct iovec *part, unsigned int nr, uint64_t offset);
	int (*zero)(struct disk *disk, uint64_t offset, uint64_t len, bool unmap);
	int (*discard)(struct disk *disk, uint64_t offset, uint64_t len);
	int (*flush)(struct disk *disk);
	void (*close)(struct disk *disk);
};

/**
 * struct disk - a disk
 * @ops: of its kind
 * @size: bytes, a multiple of SECTOR_SIZE
 * @read_only: nothing can be written
 * @fd: the file
 * @lost: an errno: the host has failed to make something stable, and has perhaps
 *	forgotten it; so no later flush may succeed
 */
struct disk {
	const struct disk_ops *ops;
	uint64_t size;
	bool read_only;
	int fd;
	int lost;
};

/**
 * struct disk_error - why a disk cannot be had
 * @text: one line without its end
 */
struct disk_error {
	char text[512];
};

/* disk.c */
struct disk *disk_open(const char *path, bool read_only, struct disk_error *why);
void disk_close(struct disk *disk);
int disk_flush(struct disk *disk);
int disk_open_file(const char *path, bool write, uint64_t *size, struct disk_error *why);
int disk_create_file(const char *path, uint64_t size, struct disk_error *why);
int disk_finish_file(int fd, const char *path, struct disk_error *why);
void disk_complain(struct disk_error *why, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* disk_file.c */
int disk_file_io(int fd, struct iovec *part, unsigned int nr, uint64_t offset, bool write);
int disk_file_punch(int fd, uint64_t offset, uint64_t len);
int disk_file_zero(int fd, uint64_t offset, uint64_t len, bool unmap);

/* disk_overlay.c */
struct disk *overlay_open(const char *base, const char *path, struct disk_error *why);
bool overlay_create(const char *base, const char *path, struct disk_error *why);

/**
 * struct overlay_info - what "vitro image info" tells of an overlay
 * @size: bytes of the disk
 * @base: name of the base when it was made
 * @cluster: bytes of a cluster
 * @present: clusters that have been written
 */
struct overlay_info {
	uint64_t size;
	char base[4096];
	uint32_t cluster;
	uint64_t present;
};

bool overlay_recognize(int fd);
bool overlay_read_info(int fd, const char *path, struct overlay_info *info,
		       struct disk_error *why);

#endif /* DEVICES_DISK_H */
