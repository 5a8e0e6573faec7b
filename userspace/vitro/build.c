// SPDX-License-Identifier: GPL-2.0-or-later
/* A machine as it was asked for: memory, processors, and the tables that say so. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "boot.h"
#include "../devices/acpi.h"

static bool add_region(struct machine *m, uint64_t gpa, uint64_t size,
		       const struct backing_config *backing)
{
	struct guest_memory *memory = &m->memory;
	void *hva = memory_alloc(m, gpa, size, backing);

	if (!hva)
		return false;
	memory->region[memory->nr++] = (struct guest_region){ gpa, size, hva };
	return true;
}

/* Registers of the local APIC (SDM 3A table 11-1), and what goes there. */
#define LAPIC_SVR	0x0f0
#define LAPIC_ENABLED	0x100
#define LAPIC_LINT0	0x350
#define LAPIC_LINT1	0x360
#define LAPIC_EXTINT	0x700
#define LAPIC_NMI	0x400

/* Memory up to the device hole, and the rest above it. */
static bool add_memory(struct machine *m, const struct config *config)
{
	const struct backing_config *backing = &config->backing[0];	/* all zero without one */
	uint64_t size = config->memory;
	uint64_t low = size < HOLE_START ? size : HOLE_START;

	return add_region(m, 0, low, backing) &&
	       (size == low || add_region(m, HOLE_END, size - low, backing));
}

static bool add_cpus(struct machine *m, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		m->cpu[i].machine = m;
		m->cpu[i].id = i;
		m->cpu[i].vcpu = vitro_vcpu_create(m->vm, i);
		if (!m->cpu[i].vcpu)
			return false;
		m->nr_cpus++;
	}
	return true;
}

/*
 * What a PC's firmware leaves behind: "virtual wire mode" (MultiProcessor Specification
 * 1.4, 3.6.2.2), in which interrupts of the 8259s pass through the bootstrap processor's
 * local APIC, and NMIs come from LINT1.
 */
static bool set_virtual_wire(struct machine *m)
{
	struct vitro_vcpu *vcpu = m->cpu[0].vcpu;

	return !vitro_vcpu_lapic_write(vcpu, LAPIC_SVR, LAPIC_ENABLED | 0xff) &&
	       !vitro_vcpu_lapic_write(vcpu, LAPIC_LINT0, LAPIC_EXTINT) &&
	       !vitro_vcpu_lapic_write(vcpu, LAPIC_LINT1, LAPIC_NMI);
}

static bool add_acpi(struct machine *m)
{
	static uint8_t tables[ACPI_SIZE];
	size_t len = acpi_build(tables, sizeof(tables), ACPI_BASE, m->nr_cpus, m->nr_io);

	return len && !vitro_write_gpa(m->vm, ACPI_BASE, tables, len);
}

static int host_error(void)
{
	fprintf(stderr, "vitro run: %s\n", vitro_error());
	return END_HOST;
}

/**
 * machine_build - all of a machine but what it starts with
 * @m: the machine, all zero; machine_fini() is due in any case
 * @config: what was asked for
 *
 * Return: 0 or an exit status; what is wrong has been said.
 */
int machine_build(struct machine *m, const struct config *config)
{
	const struct vitro_info *info;
	int status;

	if (!machine_init(m)) {
		fprintf(stderr, "vitro run: eventfd, timerfd: %s\n", strerror(errno));
		return END_HOST;
	}
	m->is_snippet = config->snippet;
	if (config->dump_entry && !refused_open(m, config->dump_entry))
		return END_USAGE;
	m->stuck_ns = config->stuck;
	fw_cfg_init(&m->fw_cfg, config->memory, config->cpus);
	if (config->debug_exit && machine_add_debugexit(m, config->debug_exit))
		return usage_error("--debug-exit 0x%x: there is another device at this port",
				   config->debug_exit);
	m->dev = vitro_open(NULL);
	if (!m->dev)
		return host_error();
	info = vitro_get_info(m->dev);
	if (config->cpus > info->max_vcpus)
		return usage_error("--cpus %u: this host runs guests with up to %u",
				   config->cpus, info->max_vcpus);
	if (config->memory + (HOLE_END - HOLE_START) > 1ULL << info->gpa_bits)
		return usage_error("--memory: guests on this host have addresses of %u bits",
				   info->gpa_bits);
	m->vm = vitro_vm_create(m->dev);
	if (!m->vm)
		return host_error();
	if (!add_memory(m, config))
		return END_HOST;	/* it has been said */
	if (!add_cpus(m, config->cpus) || !set_virtual_wire(m))
		return host_error();
	status = disks_add(m, config);
	if (!status)
		status = nets_add(m, config);
	if (!status)
		status = extras_add(m, config);
	if (status)
		return status;
	return add_acpi(m) ? 0 : host_error();
}
