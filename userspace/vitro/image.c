// SPDX-License-Identifier: GPL-2.0-or-later
/* vitro image: make files for disks, and say what is in them. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd.h"
#include "../devices/disk.h"

__attribute__((format(printf, 1, 2)))
static int fail(const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "vitro image: ");
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fprintf(stderr, "\n");
	return END_USAGE;
}

static void print_help(void)
{
	printf("usage: vitro image create FILE SIZE\n"
	       "       vitro image create --overlay BASE FILE\n"
	       "       vitro image info [--json] FILE\n\n"
	       "Files for the disks of \"vitro run --disk\".\n\n"
	       "create             an empty disk of SIZE bytes, such as 512M or 8G; the file\n"
	       "                   takes no more space than what is written\n"
	       "create --overlay   a disk that has what BASE has, which it does not change:\n"
	       "                   use it as --disk BASE,overlay=FILE\n"
	       "info               what FILE is\n\n"
	       "  -o, --overlay BASE   see above\n"
	       "  -j, --json           print JSON\n"
	       "  -h, --help           this help\n");
}

/* ------------------------------------------------------------------- create */

static int create_raw(const char *file, const char *size)
{
	struct disk_error why;
	uint64_t bytes;
	int fd;

	if (!parse_size(size, &bytes) || !bytes || bytes % SECTOR_SIZE || bytes > INT64_MAX)
		return fail("size '%s': bytes, such as 512M or 8G; a multiple of %d", size,
			    SECTOR_SIZE);
	fd = disk_create_file(file, bytes, &why);
	if (fd < 0 || disk_finish_file(fd, file, &why))
		return fail("%s", why.text);
	return 0;
}

static int create_overlay(const char *base, const char *file)
{
	struct disk_error why;

	return overlay_create(base, file, &why) ? 0 : fail("%s", why.text);
}

/* --------------------------------------------------------------------- info */

/**
 * struct facts - what there is to say about a file
 * @size: bytes of the disk
 * @allocated: bytes that the file takes
 * @is_overlay: it is one, and so
 * @overlay: is known
 */
struct facts {
	uint64_t size;
	uint64_t allocated;
	bool is_overlay;
	struct overlay_info overlay;
};

/* No lock: a machine may be using the file. */
static bool find_out(const char *file, struct facts *facts, struct disk_error *why)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	off_t size = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
	struct stat st;
	bool ok = size >= 0 && fstat(fd, &st) == 0;

	if (!ok) {
		disk_complain(why, "cannot read '%s': %s", file, strerror(errno));
	} else {
		facts->size = size;
		facts->allocated = st.st_blocks * 512ULL;
		facts->is_overlay = overlay_recognize(fd);
	}
	if (ok && facts->is_overlay) {
		ok = overlay_read_info(fd, file, &facts->overlay, why);
		facts->size = facts->overlay.size;
	}
	if (fd >= 0)
		close(fd);
	return ok;
}

static void print_facts(const char *file, const struct facts *facts)
{
	printf("file:       %s\n", file);
	printf("format:     %s\n", facts->is_overlay ? "overlay" : "raw");
	printf("size:       %llu bytes\n", (unsigned long long)facts->size);
	printf("allocated:  %llu bytes\n", (unsigned long long)facts->allocated);
	if (!facts->is_overlay)
		return;
	printf("base:       %s\n", facts->overlay.base);
	printf("changed:    %llu of %llu clusters of %u bytes\n",
	       (unsigned long long)facts->overlay.present,
	       (unsigned long long)(facts->size + facts->overlay.cluster - 1) /
	       facts->overlay.cluster, facts->overlay.cluster);
}

static int print_json(const char *file, const struct facts *facts)
{
	json_t *root = json_pack("{s:s, s:s, s:I, s:I}", "file", file, "format",
				 facts->is_overlay ? "overlay" : "raw", "size",
				 (json_int_t)facts->size, "allocated",
				 (json_int_t)facts->allocated);
	int err = root ? 0 : -1;

	if (!err && facts->is_overlay) {
		err = json_object_set_new(root, "base", json_string(facts->overlay.base));
		err |= json_object_set_new(root, "cluster", json_integer(facts->overlay.cluster));
		err |= json_object_set_new(root, "changed", json_integer(facts->overlay.present));
	}
	if (!err)
		err = json_dumpf(root, stdout, JSON_INDENT(2));
	json_decref(root);
	if (err)
		return fail("'%s': its name cannot be written as JSON", file);
	printf("\n");
	return 0;
}

static int info(const char *file, bool json)
{
	struct disk_error why;
	struct facts facts;

	if (!find_out(file, &facts, &why))
		return fail("%s", why.text);
	if (json)
		return print_json(file, &facts);
	print_facts(file, &facts);
	return 0;
}

/**
 * cmd_image - the subcommand
 * @argc: arguments, the subcommand's name first
 * @argv: they
 *
 * Return: the exit status.
 */
int cmd_image(int argc, char **argv)
{
	static const struct option options[] = {
		{ "overlay", required_argument, NULL, 'o' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 }
	};
	const char *base = NULL, *what;
	bool json = false;
	int c, nr;

	while ((c = getopt_long(argc, argv, "o:jh", options, NULL)) != -1) {
		switch (c) {
		case 'o':
			base = optarg;
			break;
		case 'j':
			json = true;
			break;
		case 'h':
			print_help();
			return 0;
		default:
			return END_USAGE;	/* getopt has said why */
		}
	}
	nr = argc - optind;
	what = nr ? argv[optind] : "";
	if (!strcmp(what, "create") && nr == 3 && !base && !json)
		return create_raw(argv[optind + 1], argv[optind + 2]);
	if (!strcmp(what, "create") && nr == 2 && base && !json)
		return create_overlay(base, argv[optind + 1]);
	if (!strcmp(what, "info") && nr == 2 && !base)
		return info(argv[optind + 1], json);
	return fail("create FILE SIZE, create --overlay BASE FILE, or info FILE; see --help");
}
