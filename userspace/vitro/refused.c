// SPDX-License-Identifier: GPL-2.0-or-later
/* The CPU has refused to enter the guest: say why, and save what it refused. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <vitro/why.h>

#include "machine.h"

static bool save(const struct vitro_entry *entry, const char *path)
{
	FILE *file = fopen(path, "w");
	bool good;

	if (!file)
		return false;
	vitro_entry_write(entry, file);
	good = !ferror(file);
	return !fclose(file) && good;
}

static void explain(const struct vitro_entry *entry, char *text, size_t size)
{
	struct vitro_violation v;

	if (!vitro_why(entry, &v, 1)) {
		snprintf(text, size, "no rule is violated that vitro knows");
		return;
	}
	snprintf(text, size, "%s: %s (%s is 0x%llx)", v.section, v.rule,
		 vitro_field_name(vitro_entry_vendor(entry), v.field[0].id),
		 (unsigned long long)v.field[0].value);
}

/**
 * refused_why - the first rule that a refused entry violates
 * @cpu: the vCPU, after VITRO_EXIT_FAIL_ENTRY
 * @text: set to a sentence about it
 * @size: room there
 *
 * The entry is saved where --dump-entry says.
 */
void refused_why(struct cpu *cpu, char *text, size_t size)
{
	const char *path = cpu->machine->dump_entry;
	struct vitro_entry *entry = vitro_vcpu_entry(cpu->vcpu);
	size_t length;

	if (!entry) {
		snprintf(text, size, "%s", vitro_error());
		return;
	}
	explain(entry, text, size);
	length = strlen(text);
	if (path && !save(entry, path))
		snprintf(text + length, size - length, "; cannot write %s: %s", path,
			 strerror(errno));
	vitro_entry_free(entry);
}
