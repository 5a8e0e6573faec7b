// SPDX-License-Identifier: LGPL-2.1-or-later
/* Entries: fields and their values, in memory and as text. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "why.h"

#define MAX_FIELDS	1024	/* more than both vendors have together */
#define HASH_BITS	11	/* twice as many slots */
#define HASH_SIZE	(1 << HASH_BITS)
#define MAX_LINE	256

/**
 * struct vitro_entry - fields, sorted by number
 * @vendor: enum vitro_vendor
 * @nr: entries in use of @field
 * @field: they
 * @hash: for each of them, its index + 1: in the slot of its number, or one after that
 *
 * An explanation looks a thousand times for a field, hence the hash.
 */
struct vitro_entry {
	unsigned int vendor;
	size_t nr;
	struct vitro_entry_field field[MAX_FIELDS];
	uint16_t hash[HASH_SIZE];
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

/* The slot that has the field's index, or the empty one where it would be. */
static unsigned int slot_of(const struct vitro_entry *entry, uint32_t id)
{
	unsigned int slot = id * 0x9e3779b1U >> (32 - HASH_BITS);

	while (entry->hash[slot] && entry->field[entry->hash[slot] - 1].id != id)
		slot = (slot + 1) % HASH_SIZE;
	return slot;
}

bool vitro_entry_get(const struct vitro_entry *entry, uint32_t id, uint64_t *value)
{
	unsigned int i = entry->hash[slot_of(entry, id)];

	*value = i ? entry->field[i - 1].value : 0;
	return i;
}

static int insert(struct vitro_entry *entry, uint32_t id, uint64_t value)
{
	size_t at = entry->nr, i;

	if (entry->nr == MAX_FIELDS)
		return vi_fail(ENOMEM, "an entry has at most %d fields", MAX_FIELDS);
	for (; at && entry->field[at - 1].id > id; at--)
		entry->field[at] = entry->field[at - 1];
	entry->field[at] = (struct vitro_entry_field){ .id = id, .value = value };
	entry->nr++;
	memset(entry->hash, 0, sizeof(entry->hash));
	for (i = 0; i < entry->nr; i++)
		entry->hash[slot_of(entry, entry->field[i].id)] = i + 1;
	return 0;
}

int vitro_entry_set(struct vitro_entry *entry, uint32_t id, uint64_t value)
{
	unsigned int bits = vitro_field_bits(entry->vendor, id);
	unsigned int i;

	if (!bits)
		return vi_fail(EINVAL, "there is no field 0x%x", id);
	if (bits < 64)
		value &= (1ULL << bits) - 1;
	i = entry->hash[slot_of(entry, id)];
	if (!i)
		return insert(entry, id, value);
	entry->field[i - 1].value = value;
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
