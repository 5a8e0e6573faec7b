// SPDX-License-Identifier: GPL-2.0-or-later
/* The CPU has refused to enter the guest: say why, and save what it refused. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <vitro/why.h>

#include "machine.h"

/**
 * refused_open - open the file that --dump-entry names
 * @m: the machine
 * @path: the file; what is in it stays until there is something to write
 *
 * Return: false if that is not possible; the reason has been said.
 */
bool refused_open(struct machine *m, const char *path)
{
	const int flags = O_WRONLY | O_CREAT | O_CLOEXEC;

	m->dump_fd = open(path, flags | O_EXCL, 0666);
	m->dump_made = m->dump_fd >= 0;
	if (!m->dump_made)
		m->dump_fd = open(path, flags, 0666);
	if (m->dump_fd < 0) {
		fprintf(stderr, "vitro run: --dump-entry %s: %s\n", path, strerror(errno));
		return false;
	}
	m->dump_path = path;
	return true;
}

/**
 * refused_close - close it again, and remove it if there was nothing to write
 * @m: the machine
 */
void refused_close(struct machine *m)
{
	if (!m->dump_path)
		return;
	close(m->dump_fd);
	if (m->dump_made && !m->dump_used)
		unlink(m->dump_path);
}

static bool save(const struct vitro_entry *entry, struct machine *m)
{
	int fd = dup(m->dump_fd);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
	bool good;

	if (!file)
		return false;
	m->dump_used = true;
	good = !ftruncate(fd, 0) && !lseek(fd, 0, SEEK_SET);
	vitro_entry_write(entry, file);
	good = good && !ferror(file);
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
	struct machine *m = cpu->machine;
	struct vitro_entry *entry = vitro_vcpu_entry(cpu->vcpu);
	size_t length;

	if (!entry) {
		snprintf(text, size, "%s", vitro_error());
		return;
	}
	explain(entry, text, size);
	length = strlen(text);
	if (m->dump_path && !save(entry, m))
		snprintf(text + length, size - length, "; cannot write %s: %s", m->dump_path,
			 strerror(errno));
	vitro_entry_free(entry);
}
