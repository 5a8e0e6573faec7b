// SPDX-License-Identifier: GPL-2.0-or-later
/* Options: from text to a field of a structure, as a table says. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "config.h"

/**
 * complain - say what is wrong
 * @why: set
 * @fmt: the text
 */
void complain(struct complaint *why, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(why->text, sizeof(why->text), fmt, args);
	va_end(args);
}

static void *field(const struct opt *opt, void *base)
{
	return (char *)base + opt->offset;
}

static unsigned int *count(const struct opt *opt, void *base)
{
	return (unsigned int *)((char *)base + opt->offset_nr);
}

/**
 * opt_find - look an option up
 * @table: where
 * @name: its name
 *
 * Return: it, or NULL.
 */
const struct opt *opt_find(const struct opt *table, const char *name)
{
	for (; table->name; table++)
		if (!strcmp(table->name, name))
			return table;
	return NULL;
}

/* ------------------------------------------------------------ one kind each */

static bool set_string(char **string, const char *text)
{
	free(*string);
	*string = strdup(text);
	return *string;
}

static bool set_number(const struct opt *opt, unsigned int *number, const char *text)
{
	uint64_t value;

	if (!parse_number(text, opt->min, opt->max, &value))
		return false;
	*number = value;
	return true;
}

static bool set_size(const struct opt *opt, uint64_t *size, const char *text)
{
	uint64_t value;

	if (!parse_size(text, &value) || value < opt->min || value % 4096)
		return false;
	*size = value;
	return true;
}

static bool set_duration(uint64_t *duration, const char *text)
{
	uint64_t value;

	if (!parse_duration(text, &value) || !value)
		return false;
	*duration = value;
	return true;
}

static bool set_choice(const struct opt *opt, unsigned int *value, const char *text)
{
	const struct opt_choice *c;

	for (c = opt->choices; c->word; c++) {
		if (!strcmp(c->word, text)) {
			*value = c->value;
			return true;
		}
	}
	return false;
}

/* What would have been right. */
static void complain_value(const struct opt *opt, const char *text, struct complaint *why)
{
	const struct opt_choice *c;
	size_t n;

	switch (opt->kind) {
	case OPT_NUMBER:
		complain(why, "'%s': a number from %llu to %llu", text,
			 (unsigned long long)opt->min, (unsigned long long)opt->max);
		break;
	case OPT_SIZE:
		complain(why, "'%s': a size such as 256M or 1G, at least %lluK, a multiple of 4K",
			 text, (unsigned long long)opt->min >> 10);
		break;
	case OPT_DURATION:
		complain(why, "'%s': a time such as 500ms, 60s or 2m", text);
		break;
	case OPT_CHOICE:
		complain(why, "'%s': one of", text);
		for (c = opt->choices; c->word; c++) {
			n = strlen(why->text);
			snprintf(why->text + n, sizeof(why->text) - n, " %s", c->word);
		}
		break;
	default:
		complain(why, "'%s': out of memory", text);
		break;
	}
}

/* -------------------------------------------------------------------- lists */

/**
 * opt_add_item - one more structure of a repeatable option
 * @opt: the option
 * @base: the structure around
 * @why: set on failure
 *
 * Return: the new structure, with its fields at their initial values; or NULL: no room.
 */
void *opt_add_item(const struct opt *opt, void *base, struct complaint *why)
{
	unsigned int *nr = count(opt, base);
	void *item;

	if (*nr >= opt->max) {
		complain(why, "at most %llu of them", (unsigned long long)opt->max);
		return NULL;
	}
	item = (char *)field(opt, base) + (*nr)++ * opt->item_size;
	memset(item, 0, opt->item_size);
	config_init(opt->fields, item);
	return item;
}

/* One word of an item: "VALUE" for the unnamed field, "name" or "name=VALUE". */
static bool set_word(const struct opt *opt, void *item, char *word, bool first,
		     struct complaint *why)
{
	char *equals = strchr(word, '=');
	const struct opt *f = opt->fields;

	if (first && f->unnamed)
		return opt_set(f, item, word, why);
	if (equals)
		*equals = '\0';
	f = opt_find(opt->fields, word);
	if (!f) {
		complain(why, "it has no '%s'", word);
		return false;
	}
	if (!f->arg != !equals) {
		complain(why, f->arg ? "'%s' needs a value" : "'%s' takes no value", word);
		return false;
	}
	return opt_set(f, item, equals ? equals + 1 : NULL, why);
}

static bool add_from_text(const struct opt *opt, void *base, const char *text,
			  struct complaint *why)
{
	void *item = opt_add_item(opt, base, why);
	char *copy = strdup(text), *rest = copy, *word;
	bool ok = item && copy, first = true;

	if (!copy)
		complain(why, "out of memory");
	while (ok && (word = strsep(&rest, ","))) {
		ok = set_word(opt, item, word, first, why);
		first = false;
	}
	free(copy);
	return ok;
}

/* --------------------------------------------------------------------- all */

/**
 * opt_set - give an option a value
 * @opt: the option
 * @base: the structure with its field
 * @text: the value as on the command line; NULL for a flag
 * @why: set on failure
 *
 * Return: false if it is no such value.
 */
bool opt_set(const struct opt *opt, void *base, const char *text, struct complaint *why)
{
	bool ok = false;

	switch (opt->kind) {
	case OPT_FLAG:
		*(bool *)field(opt, base) = true;
		return true;
	case OPT_STRING:
		ok = set_string(field(opt, base), text);
		break;
	case OPT_NUMBER:
		ok = set_number(opt, field(opt, base), text);
		break;
	case OPT_SIZE:
		ok = set_size(opt, field(opt, base), text);
		break;
	case OPT_DURATION:
		ok = set_duration(field(opt, base), text);
		break;
	case OPT_CHOICE:
		ok = set_choice(opt, field(opt, base), text);
		break;
	case OPT_LIST:
		return add_from_text(opt, base, text, why);
	case OPT_CONFIG:
	case OPT_DUMP:
	case OPT_HELP:
		break;
	}
	if (!ok)
		complain_value(opt, text, why);
	return ok;
}

/**
 * config_init - the initial values
 * @table: the options
 * @base: the structure, all zero
 */
void config_init(const struct opt *table, void *base)
{
	struct complaint why;

	for (; table->name; table++)
		if (table->initial)
			opt_set(table, base, table->initial, &why);
}

/**
 * config_free - give back the strings
 * @table: the options
 * @base: the structure
 */
void config_free(const struct opt *table, void *base)
{
	unsigned int i;

	for (; table->name; table++) {
		if (table->kind == OPT_STRING) {
			free(*(char **)field(table, base));
			*(char **)field(table, base) = NULL;
		} else if (table->kind == OPT_LIST) {
			for (i = 0; i < *count(table, base); i++)
				config_free(table->fields,
					    (char *)field(table, base) + i * table->item_size);
			*count(table, base) = 0;
		}
	}
}
