// SPDX-License-Identifier: GPL-2.0-or-later
/* Numbers with units, on the command line and in machine files. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"

struct unit {
	const char *name;
	uint64_t factor;
};

/* A decimal number and one of the units; the list ends with a NULL name. */
static bool parse_unit(const char *s, const struct unit *unit, uint64_t *value)
{
	unsigned long long n;
	char *end;

	if (!isdigit((unsigned char)*s))	/* strtoull would take "-1" and " 1" */
		return false;
	errno = 0;
	n = strtoull(s, &end, 10);
	if (errno)
		return false;
	for (; unit->name; unit++)
		if (!strcmp(end, unit->name))
			return !__builtin_mul_overflow(n, unit->factor, value);
	return false;
}

/**
 * parse_size - read a size such as 4096, 64K, 256M or 1G
 * @s: what the user wrote
 * @bytes: set on success
 *
 * Return: false if it is no size.
 */
bool parse_size(const char *s, uint64_t *bytes)
{
	static const struct unit units[] = {
		{ "", 1 },
		{ "K", 1ULL << 10 }, { "k", 1ULL << 10 },
		{ "M", 1ULL << 20 }, { "m", 1ULL << 20 },
		{ "G", 1ULL << 30 }, { "g", 1ULL << 30 },
		{ NULL, 0 }
	};

	return parse_unit(s, units, bytes);
}

/**
 * parse_duration - read a duration such as 500ms, 60s, 60, 2m or 1h
 * @s: what the user wrote
 * @ns: set on success, to nanoseconds
 *
 * Return: false if it is no duration.
 */
bool parse_duration(const char *s, uint64_t *ns)
{
	static const struct unit units[] = {
		{ "ms", 1000000ULL },
		{ "", 1000000000ULL }, { "s", 1000000000ULL },
		{ "m", 60 * 1000000000ULL },
		{ "h", 3600 * 1000000000ULL },
		{ NULL, 0 }
	};

	return parse_unit(s, units, ns);
}

static bool parse_hex(const char *s, uint64_t *value)
{
	char *end;

	if (!isxdigit((unsigned char)s[2]))	/* strtoull would take "0x" and "0x-1" */
		return false;
	errno = 0;
	*value = strtoull(s, &end, 16);
	return !errno && !*end;
}

/**
 * parse_number - read a number in a range, decimal or hexadecimal after 0x
 * @s: what the user wrote
 * @min: the least
 * @max: the most
 * @value: set on success
 *
 * Return: false if it is none, or out of the range.
 */
bool parse_number(const char *s, uint64_t min, uint64_t max, uint64_t *value)
{
	static const struct unit units[] = { { "", 1 }, { NULL, 0 } };
	bool ok = !strncmp(s, "0x", 2) ? parse_hex(s, value) : parse_unit(s, units, value);

	return ok && *value >= min && *value <= max;
}
