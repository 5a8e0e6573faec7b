// SPDX-License-Identifier: GPL-2.0-or-later
/* What the guest starts with: a kernel, or a snippet of machine code. */
#include <stdio.h>
#include <string.h>

#include "boot.h"
#include "../devices/acpi.h"

#define MAP_MAX		4	/* lines of the memory map */

#define SNIPPET_BASE	0x1000
#define SNIPPET_TABLES	0x80000		/* GDT and page tables of modes 32 and 64 */
#define SNIPPET_MAX	(SNIPPET_TABLES - SNIPPET_BASE)

static int read_image(struct vitro_image *image, const char *path)
{
	int err = vitro_image_read(image, path);

	if (!err)
		return 0;
	fprintf(stderr, "vitro run: cannot read '%s': %s\n", path, strerror(-err));
	return END_USAGE;
}

/**
 * images_read - read the files that the guest starts with
 * @images: filled; images_free() is due in any case
 * @config: their names
 *
 * Return: 0 or an exit status.
 */
int images_read(struct images *images, const struct config *config)
{
	int status = read_image(&images->code, config->kernel ? config->kernel : config->snippet);

	if (!status && config->initrd)
		status = read_image(&images->initrd, config->initrd);
	if (!status && config->snippet && images->code.size > SNIPPET_MAX)
		status = usage_error("'%s': %zu bytes; a snippet has at most %d", config->snippet,
				     images->code.size, SNIPPET_MAX);
	return status;
}

/**
 * images_free - give the files back
 * @images: them
 */
void images_free(struct images *images)
{
	vitro_image_free(&images->code);
	vitro_image_free(&images->initrd);
}

/* What the guest is told about its memory; returns the number of lines, at most MAP_MAX. */
static unsigned int memory_map(uint64_t size, struct vitro_range *map)
{
	uint64_t low = size < HOLE_START ? size : HOLE_START;
	unsigned int nr = 0;

	map[nr++] = (struct vitro_range){ 0, LOW_RAM_END, VITRO_RANGE_RAM };
	map[nr++] = (struct vitro_range){ ACPI_BASE, HIGH_RAM - ACPI_BASE, VITRO_RANGE_RESERVED };
	if (low > HIGH_RAM)
		map[nr++] = (struct vitro_range){ HIGH_RAM, low - HIGH_RAM, VITRO_RANGE_RAM };
	if (size > low)
		map[nr++] = (struct vitro_range){ HOLE_END, size - low, VITRO_RANGE_RAM };
	return nr;
}

static int load_kernel(struct machine *m, const struct config *config,
		       const struct images *images)
{
	struct vitro_range map[MAP_MAX];
	const struct vitro_boot boot = {
		.kernel = images->code,
		.initrd = images->initrd,
		.cmdline = config->append,
		.map = map,
		.nr_map = memory_map(config->memory, map),
		.rsdp = ACPI_BASE,
	};

	if (!vitro_load_kernel(m->cpu[0].vcpu, &boot))
		return 0;
	fprintf(stderr, "vitro run: cannot load '%s': %s\n", config->kernel, vitro_error());
	return END_USAGE;
}

static int load_snippet(struct machine *m, const struct config *config,
			const struct images *images)
{
	struct vitro_vcpu *vcpu = m->cpu[0].vcpu;

	if (vitro_load_flat(m->vm, &images->code, SNIPPET_BASE) < 0 ||
	    vitro_vcpu_set_mode(vcpu, config->mode, SNIPPET_BASE, SNIPPET_TABLES) < 0) {
		fprintf(stderr, "vitro run: %s\n", vitro_error());
		return END_HOST;
	}
	/* A stack, below the code. */
	vitro_vcpu_comm(vcpu)->state.gprs.gpr[VITRO_RSP] = SNIPPET_BASE;
	return 0;
}

/**
 * boot_load - put the files into the guest, and the first processor at their entry
 * @m: the machine, built
 * @config: what was asked for
 * @images: the files
 *
 * Return: 0 or an exit status.
 */
int boot_load(struct machine *m, const struct config *config, const struct images *images)
{
	return config->snippet ? load_snippet(m, config, images) : load_kernel(m, config, images);
}
