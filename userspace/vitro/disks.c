// SPDX-License-Identifier: GPL-2.0-or-later
/* The machine's disks, as --disk asks for them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "boot.h"
#include "../devices/virtio_blk.h"

/* An overlay that is not there yet begins empty. */
static struct disk *open_disk(const struct disk_config *config, struct disk_error *why)
{
	struct disk *disk;

	if (!config->overlay)
		return disk_open(config->file, config->ro, why);
	if (access(config->overlay, F_OK) && !overlay_create(config->file, config->overlay, why))
		return NULL;
	disk = overlay_open(config->file, config->overlay, why);
	if (disk)
		disk->read_only = config->ro;
	return disk;
}

static int add_disk(struct machine *m, const struct disk_config *config, unsigned int nr)
{
	struct virtio_blk *blk;
	struct disk_error why;
	struct disk *disk;
	char name[16];
	int err;

	if (!config->file)	/* a machine file may leave it out */
		return usage_error("--disk: of which file?");
	disk = open_disk(config, &why);
	if (!disk) {
		fprintf(stderr, "vitro run: --disk: %s\n", why.text);
		return END_USAGE;
	}
	blk = calloc(1, sizeof(*blk));
	if (!blk) {
		disk_close(disk);
		fprintf(stderr, "vitro run: out of memory\n");
		return END_HOST;
	}
	snprintf(name, sizeof(name), "disk%u", nr);
	virtio_blk_init(blk, name, disk);
	err = io_add(m, &blk->dev, SANDBOX_IO);
	if (!err)
		return 0;
	fprintf(stderr, "vitro run: --disk '%s': %s\n", config->file, strerror(-err));
	return END_HOST;
}

/**
 * disks_add - put the disks into the machine
 * @m: the machine, as for io_add()
 * @config: what was asked for
 *
 * Return: 0 or an exit status; what is wrong has been said.
 */
int disks_add(struct machine *m, const struct config *config)
{
	unsigned int i;
	int status = 0;

	for (i = 0; i < config->nr_disks && !status; i++)
		status = add_disk(m, &config->disk[i], i);
	return status;
}
