// SPDX-License-Identifier: GPL-2.0-or-later
/* What the guest starts with: a kernel, or a snippet of machine code. */
#include <stdio.h>
#include <string.h>

#include "boot.h"
#include "../devices/acpi.h"

#define MAP_MAX		4	/* lines of the memory map */

#define SNIPPET_STACK	0x1000		/* and below */
#define SNIPPET_TABLES	0x80000		/* GDT and page tables of modes 32 and 64 */
#define TABLES_END	(SNIPPET_TABLES + VITRO_MODE_TABLES_SIZE)

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
	for (unsigned int i = 0; i < config->nr_modules && !status; i++) {
		images->module[i].cmdline = config->module[i].args;
		status = read_image(&images->module[i].image, config->module[i].file);
	}
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
	for (unsigned int i = 0; i < MAX_MODULES; i++)
		vitro_image_free(&images->module[i].image);
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

static const char *parameters(const struct config *config)
{
	if (config->append)
		return config->append;
	return config->console == CONSOLE_VIRTIO ? "console=hvc0" : "console=ttyS0";
}

static int load_kernel(struct machine *m, const struct config *config,
		       const struct images *images)
{
	struct vitro_range map[MAP_MAX];
	const struct vitro_boot boot = {
		.kernel = images->code,
		.initrd = images->initrd,
		.cmdline = parameters(config),
		.map = map,
		.nr_map = memory_map(config->memory, map),
		.rsdp = ACPI_BASE,
		.module = images->module,
		.nr_modules = config->nr_modules,
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
	size_t size = images->code.size;

	if (config->load < TABLES_END && config->load + size > SNIPPET_TABLES)
		return usage_error("'%s': %zu bytes at 0x%x reach into the tables at 0x%x; "
				   "--load chooses another address", config->snippet, size,
				   config->load, SNIPPET_TABLES);
	if (vitro_load_flat(m->vm, &images->code, config->load) < 0 ||
	    vitro_vcpu_set_mode(vcpu, config->mode, config->load, SNIPPET_TABLES) < 0)
		return usage_error("'%s' at 0x%x: %s", config->snippet, config->load,
				   vitro_error());
	vitro_vcpu_comm(vcpu)->state.gprs.gpr[VITRO_RSP] = SNIPPET_STACK;
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
