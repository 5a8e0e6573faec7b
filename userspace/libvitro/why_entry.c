// SPDX-License-Identifier: LGPL-2.1-or-later
/* Entries: fields and their values, in memory and as text. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "why.h"

#define MAX_FIELDS	1024	/* more than both vendors have together */
#define MAX_LINE	256

/**
 * struct vitro_entry - fields, sorted by number
 * @vendor: enum vitro_vendor
 * @nr: entries in use of @field
 * @field: they
 */
struct vitro_entry {
	unsigned int vendor;
	size_t nr;
	struct vitro_entry_field field[MAX_FIELDS];
};

/* The functions here are documented in <vitro/why.h>. */
struct vitro_entry *vitro_entry_new(unsigned int vendor)
{
	struct vitro_entry *entry = calloc(1, sizeof(*entry));

	if (!entry)
		return vi_fail_ptr(ENOMEM, "no memory for an entry");
	entry->vendor = vendor;
	return entry;
}

void vitro_entry_free(struct vitro_entry *entry)
{
	free(entry);
}

unsigned int vitro_entry_vendor(const struct vitro_entry *entry)
{
	return entry->vendor;
}

/* Where a field is, or has to be put. */
static size_t find(const struct vitro_entry *entry, uint32_t id)
{
	size_t low = 0, high = entry->nr, mid;

	while (low < high) {
		mid = (low + high) / 2;
		if (entry->field[mid].id < id)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

bool vitro_entry_get(const struct vitro_entry *entry, uint32_t id, uint64_t *value)
{
	size_t i = find(entry, id);
	bool found = i < entry->nr && entry->field[i].id == id;

	*value = found ? entry->field[i].value : 0;
	return found;
}

int vitro_entry_set(struct vitro_entry *entry, uint32_t id, uint64_t value)
{
	unsigned int bits = vitro_field_bits(entry->vendor, id);
	size_t i = find(entry, id);

	if (!bits)
		return vi_fail(EINVAL, "there is no field 0x%x", id);
	if (bits < 64)
		value &= (1ULL << bits) - 1;
	if (i == entry->nr || entry->field[i].id != id) {
		if (entry->nr == MAX_FIELDS)
			return vi_fail(ENOMEM, "an entry has at most %d fields", MAX_FIELDS);
		memmove(&entry->field[i + 1], &entry->field[i],
			(entry->nr - i) * sizeof(entry->field[0]));
		entry->nr++;
	}
	entry->field[i] = (struct vitro_entry_field){ .id = id, .value = value };
	return 0;
}

bool vitro_entry_field_at(const struct vitro_entry *entry, size_t index,
			  struct vitro_entry_field *field)
{
	if (index >= entry->nr)
		return false;
	*field = entry->field[index];
	return true;
}

/* -------------------------------------------------------------------- text */

void vitro_entry_write(const struct vitro_entry *entry, FILE *file)
{
	size_t i;

	fprintf(file, "vendor %s\n", entry->vendor == VITRO_VENDOR_SVM ? "svm" : "vmx");
	for (i = 0; i < entry->nr; i++)
		fprintf(file, "%s 0x%llx\n", vitro_field_name(entry->vendor, entry->field[i].id),
			(unsigned long long)entry->field[i].value);
}

static bool parse_vendor(struct vitro_entry *entry, const char *value)
{
	if (!strcasecmp(value, "vmx"))
		entry->vendor = VITRO_VENDOR_VMX;
	else if (!strcasecmp(value, "svm"))
		entry->vendor = VITRO_VENDOR_SVM;
	else
		return false;
	return true;
}

static bool parse_value(const char *s, uint64_t *value)
{
	char *end;

	if (!isdigit((unsigned char)*s))	/* strtoull would take "-1" */
		return false;
	errno = 0;
	*value = strtoull(s, &end, 0);
	return !errno && !*end;
}

/* One line; returns 0, or an error that says what is wrong with it. */
static int parse_line(struct vitro_entry *entry, char *line, const char *where)
{
	char *save, *name, *value;
	uint64_t number;
	uint32_t id;

	line[strcspn(line, "#\n")] = 0;
	name = strtok_r(line, " \t\r", &save);
	if (!name)
		return 0;
	value = strtok_r(NULL, " \t\r", &save);
	if (!value || strtok_r(NULL, " \t\r", &save))
		return vi_fail(EINVAL, "%s: a line has a name and a value", where);
	if (!strcasecmp(name, "vendor")) {
		if (entry->vendor || !parse_vendor(entry, value))
			return vi_fail(EINVAL, "%s: 'vendor %s': it is vmx or svm, and given once",
				       where, value);
		return 0;
	}
	if (!entry->vendor)
		return vi_fail(EINVAL, "%s: the first line is to be 'vendor vmx' or 'svm'", where);
	if (!vitro_field_id(entry->vendor, name, &id))
		return vi_fail(EINVAL, "%s: '%s' is the name of no field", where, name);
	if (!parse_value(value, &number))
		return vi_fail(EINVAL, "%s: '%s' is no number such as 0x80000021", where, value);
	return vitro_entry_set(entry, id, number);
}

struct vitro_entry *vitro_entry_read(FILE *file, const char *name)
{
	struct vitro_entry *entry = vitro_entry_new(0);
	char line[MAX_LINE], where[MAX_LINE];
	unsigned int nr = 0;

	if (!entry)
		return NULL;
	while (fgets(line, sizeof(line), file)) {
		snprintf(where, sizeof(where), "%s:%u", name, ++nr);
		if (parse_line(entry, line, where))
			goto fail;
	}
	if (ferror(file)) {
		vi_fail(EIO, "cannot read %s: %s", name, strerror(errno));
		goto fail;
	}
	if (!entry->vendor) {
		vi_fail(EINVAL, "%s is empty; its first line is to be 'vendor vmx' or 'svm'", name);
		goto fail;
	}
	return entry;
fail:
	vitro_entry_free(entry);
	return NULL;
}
