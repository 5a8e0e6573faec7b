// SPDX-License-Identifier: GPL-2.0-or-later
/* Disks: opening and closing them, and the kind that is simply a file. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk.h"

/**
 * disk_complain - say why a disk cannot be had
 * @why: set
 * @fmt: the text
 */
void disk_complain(struct disk_error *why, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(why->text, sizeof(why->text), fmt, args);
	va_end(args);
}

/* ------------------------------------------------------------------- files */

/*
 * Two machines that write one disk destroy its file system, so a writer locks the
 * file against all, a reader against writers.  The lock belongs to the open file,
 * and ends with it, however this process ends.
 */
static bool lock_file(int fd, const char *path, bool write, struct disk_error *why)
{
	struct flock lock = { .l_type = write ? F_WRLCK : F_RDLCK, .l_whence = SEEK_SET };

	/* EACCES is what a Linux without CONFIG_FILE_LOCKING says to all: nobody has a lock. */
	if (fcntl(fd, F_OFD_SETLK, &lock) == 0 || errno == EACCES)
		return true;
	if (errno == EAGAIN)
		disk_complain(why, "'%s' is in use: another process %s it", path,
			      write ? "has opened" : "writes");
	else
		disk_complain(why, "cannot lock '%s': %s", path, strerror(errno));
	return false;
}

static bool check_size(int fd, const char *path, uint64_t *size, struct disk_error *why)
{
	off_t end = lseek(fd, 0, SEEK_END);	/* of files and block devices alike */

	if (end < 0) {
		disk_complain(why, "'%s' has no size: %s", path, strerror(errno));
		return false;
	}
	if (end == 0 || end % SECTOR_SIZE) {
		disk_complain(why, "'%s' has %lld bytes, which is no whole number of sectors; "
			      "\"truncate --size=%%%d\" rounds it up", path, (long long)end,
			      SECTOR_SIZE);
		return false;
	}
	*size = end;
	return true;
}

/**
 * disk_open_file - open and lock a file or block device
 * @path: which
 * @write: for writing too
 * @size: set to its size
 * @why: set on failure
 *
 * Return: the descriptor, or -1.
 */
int disk_open_file(const char *path, bool write, uint64_t *size, struct disk_error *why)
{
	int fd = open(path, (write ? O_RDWR : O_RDONLY) | O_CLOEXEC);
	struct stat st;

	if (fd < 0) {
		disk_complain(why, "cannot open '%s'%s: %s", path, write ? " for writing" : "",
			      strerror(errno));
		return -1;
	}
	if (fstat(fd, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		disk_complain(why, "'%s' is neither a file nor a block device", path);
	else if (lock_file(fd, path, write, why) && check_size(fd, path, size, why))
		return fd;
	close(fd);
	return -1;
}

/**
 * disk_create_file - make a file without content, which takes no space yet
 * @path: it must not exist
 * @size: bytes
 * @why: set on failure
 *
 * Return: the descriptor, to be given to disk_finish_file(); or -1.
 */
int disk_create_file(const char *path, uint64_t size, struct disk_error *why)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

	if (fd < 0) {
		disk_complain(why, "cannot create '%s': %s", path, strerror(errno));
		return -1;
	}
	if (ftruncate(fd, size) < 0) {
		disk_complain(why, "cannot make '%s' %llu bytes long: %s", path,
			      (unsigned long long)size, strerror(errno));
		unlink(path);
		close(fd);
		return -1;
	}
	return fd;
}

/**
 * disk_finish_file - make a new file stable, its name included, and close it
 * @fd: from disk_create_file()
 * @path: its name
 * @why: set on failure; then the file is removed
 *
 * Return: 0 or -1.
 */
int disk_finish_file(int fd, const char *path, struct disk_error *why)
{
	char *copy = strdup(path);
	int dir = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	int ret = dir < 0 || fsync(fd) < 0 || fsync(dir) < 0 ? -1 : 0;

	if (ret) {
		disk_complain(why, "cannot write '%s': %s", path, strerror(errno));
		unlink(path);
	}
	if (dir >= 0)
		close(dir);
	free(copy);
	close(fd);
	return ret;
}

/* --------------------------------------------------- a disk that is a file */

static int raw_read(struct disk *disk, struct iovec *part, unsigned int nr, uint64_t offset)
{
	return disk_file_io(disk->fd, part, nr, offset, false);
}

static int raw_write(struct disk *disk, struct iovec *part, unsigned int nr, uint64_t offset)
{
	return disk_file_io(disk->fd, part, nr, offset, true);
}

static int raw_zero(struct disk *disk, uint64_t offset, uint64_t len, bool unmap)
{
	return disk_file_zero(disk->fd, offset, len, unmap);
}

/* Which is a wish: no error if it cannot be done. */
static int raw_discard(struct disk *disk, uint64_t offset, uint64_t len)
{
	int err = disk_file_punch(disk->fd, offset, len);

	return err == -EOPNOTSUPP ? 0 : err;
}

static int raw_flush(struct disk *disk)
{
	return fdatasync(disk->fd) < 0 ? -errno : 0;
}

static void raw_close(struct disk *disk)
{
	(void)disk;
}

static const struct disk_ops raw_ops = {
	.read = raw_read,
	.write = raw_write,
	.zero = raw_zero,
	.discard = raw_discard,
	.flush = raw_flush,
	.close = raw_close,
};

/**
 * disk_open - a disk whose sectors are those of a file
 * @path: the file, or block device
 * @read_only: it is not to be written
 * @why: set on failure
 *
 * What the file contains does not matter: if its format were guessed from it, a
 * guest could make its disk an overlay of any file of the host.  So an overlay is
 * refused here.
 *
 * Return: the disk, or NULL.
 */
struct disk *disk_open(const char *path, bool read_only, struct disk_error *why)
{
	struct disk *disk = calloc(1, sizeof(*disk));

	if (!disk) {
		disk_complain(why, "out of memory");
		return NULL;
	}
	disk->ops = &raw_ops;
	disk->read_only = read_only;
	disk->fd = disk_open_file(path, !read_only, &disk->size, why);
	if (disk->fd >= 0 && !overlay_recognize(disk->fd))
		return disk;
	if (disk->fd >= 0) {
		disk_complain(why, "'%s' is an overlay; use it as --disk BASE,overlay=%s", path,
			      path);
		close(disk->fd);
	}
	free(disk);
	return NULL;
}

/**
 * disk_flush - make stable what was written
 * @disk: the disk
 *
 * Return: 0 or -errno.  After a failure it never succeeds again: Linux reports to
 * fsync once that it could not write something, and then forgets it.
 */
int disk_flush(struct disk *disk)
{
	int err;

	if (disk->read_only)
		return 0;
	if (disk->lost)
		return disk->lost;
	err = disk->ops->flush(disk);
	if (err)
		disk->lost = err;
	return err;
}

/**
 * disk_close - the end of a disk, after a flush
 * @disk: the disk; NULL does nothing
 */
void disk_close(struct disk *disk)
{
	if (!disk)
		return;
	disk_flush(disk);
	disk->ops->close(disk);
	close(disk->fd);
	free(disk);
}
