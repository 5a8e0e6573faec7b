// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Machine files: the options as a JSON object, by the table that the command line has.
 *
 *	{ "kernel": "vmlinuz", "memory": "1G", "cpus": 2 }
 *
 * A string means what it means on the command line; numbers, sizes in bytes,
 * durations in seconds and flags can be JSON's own.
 */
#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"

#define MAX_FILE	(1UL << 20)

/**
 * struct path - a way into a JSON text
 * @text: it all
 * @step: which member or element, from the outside in, counted from 0
 * @depth: how many steps
 */
struct path {
	const char *text;
	size_t step[8];
	int depth;
};

static struct path deeper(struct path path, size_t step)
{
	path.step[path.depth++] = step;
	return path;
}

/* ------------------------------------------------------------------- places */

/*
 * jansson tells where a text stops being JSON, but not where a value was that is good
 * JSON and a bad option.  So it is looked up, in a text known to be valid.
 */

static const char *skip_space(const char *p)
{
	return p + strspn(p, " \t\r\n");
}

/* From a string's opening quote to behind the closing one. */
static const char *skip_string(const char *p)
{
	for (p++; *p != '"'; p++)
		if (*p == '\\')
			p++;
	return p + 1;
}

static const char *skip_value(const char *p)
{
	int depth = 0;

	do {
		if (*p == '"') {
			p = skip_string(p);
			continue;
		}
		if (*p == '[' || *p == '{')
			depth++;
		else if (*p == ']' || *p == '}')
			depth--;
		p++;
	} while (depth || !strchr(":,]} \t\r\n", *p));
	return p;
}

/* The step-th member or element of the object or array at @p; its key if there is one. */
static const char *enter(const char *p, size_t step)
{
	for (p = skip_space(p + 1); step; step--) {
		p = skip_space(skip_value(p));
		if (*p == ':')
			p = skip_space(skip_value(skip_space(p + 1)));
		p = skip_space(p + 1);	/* the comma */
	}
	return p;
}

static const char *locate(const struct path *path)
{
	const char *p = skip_space(path->text);
	int i;

	for (i = 0; i < path->depth; i++) {
		if (*p == '"')	/* a key: go on from its value */
			p = skip_space(skip_space(skip_string(p)) + 1);
		p = enter(p, path->step[i]);
	}
	return p;
}

/* Put "line:column: " before what is wrong. */
static bool bad(const struct path *path, struct complaint *why)
{
	const struct complaint what = *why;
	const char *end = locate(path), *line = path->text, *p;
	unsigned int nr = 1;

	for (p = path->text; p < end; p++) {
		if (*p == '\n') {
			nr++;
			line = p + 1;
		}
	}
	complain(why, "%u:%td: %s", nr, end - line + 1, what.text);
	return false;
}

/* --------------------------------------------------------------------- load */

static bool load_object(const struct opt *table, void *base, const json_t *object,
			struct path path, struct complaint *why);

static const char *type_name(const json_t *value)
{
	static const char * const names[] = {
		[JSON_OBJECT] = "an object", [JSON_ARRAY] = "an array",
		[JSON_STRING] = "a string", [JSON_INTEGER] = "a number",
		[JSON_REAL] = "a fraction", [JSON_TRUE] = "true", [JSON_FALSE] = "false",
		[JSON_NULL] = "null",
	};

	return names[json_typeof(value)];
}

static const char *wanted_type(const struct opt *opt)
{
	switch (opt->kind) {
	case OPT_FLAG:
		return "true or false";
	case OPT_NUMBER:
		return "a number";
	case OPT_SIZE:
	case OPT_DURATION:
		return "a string or a number";
	case OPT_LIST:
		return "an array";
	default:
		return "a string";
	}
}

static bool load_list(const struct opt *opt, void *base, const json_t *array, struct path path,
		      struct complaint *why)
{
	const json_t *value;
	struct path at;
	void *item;
	size_t i;

	json_array_foreach(array, i, value) {
		at = deeper(path, i);
		if (json_is_string(value)) {
			if (!opt_set(opt, base, json_string_value(value), why))
				return bad(&at, why);
		} else if (json_is_object(value)) {
			item = opt_add_item(opt, base, why);
			if (!item)
				return bad(&at, why);
			if (!load_object(opt->fields, item, value, at, why))
				return false;
		} else {
			complain(why, "\"%s\" has %s where a string or an object is due",
				 opt->name, type_name(value));
			return bad(&at, why);
		}
	}
	return true;
}

static bool is_number(const struct opt *opt)
{
	return opt->kind == OPT_NUMBER || opt->kind == OPT_SIZE || opt->kind == OPT_DURATION;
}

static bool load_value(const struct opt *opt, void *base, const json_t *value, struct path path,
		       struct complaint *why)
{
	const char *text = json_string_value(value);
	char digits[32];

	if (opt->kind == OPT_LIST && json_is_array(value))
		return load_list(opt, base, value, path, why);
	if (opt->kind == OPT_FLAG && json_is_boolean(value)) {
		*(bool *)((char *)base + opt->offset) = json_is_true(value);
		return true;
	}
	if (is_number(opt) && json_is_integer(value)) {
		snprintf(digits, sizeof(digits), "%" JSON_INTEGER_FORMAT,
			 json_integer_value(value));
		text = digits;
	}
	if (!text || opt->kind == OPT_FLAG || opt->kind == OPT_LIST) {
		complain(why, "\"%s\" is %s where %s is due", opt->name, type_name(value),
			 wanted_type(opt));
		return bad(&path, why);
	}
	if (!opt_set(opt, base, text, why)) {
		const struct complaint what = *why;

		complain(why, "\"%s\": %.400s", opt->name, what.text);
		return bad(&path, why);
	}
	return true;
}

static bool load_object(const struct opt *table, void *base, const json_t *object,
			struct path path, struct complaint *why)
{
	const struct opt *opt;
	const json_t *value;
	const char *key;
	struct path at;
	size_t i = 0;

	/* jansson keeps the order of the text. */
	json_object_foreach((json_t *)object, key, value) {
		at = deeper(path, i++);
		opt = opt_find(table, key);
		if (!opt || opt->kind >= OPT_CONFIG) {
			complain(why, "there is no \"%.64s\"", key);
			return bad(&at, why);
		}
		if (!load_value(opt, base, value, at, why))
			return false;
	}
	return true;
}

/* The file as a string, or NULL. */
static char *read_text(const char *path, struct complaint *why)
{
	FILE *file = fopen(path, "re");
	char *text;
	size_t len;

	if (!file) {
		complain(why, "cannot read '%s': %s", path, strerror(errno));
		return NULL;
	}
	text = calloc(1, MAX_FILE + 1);
	len = text ? fread(text, 1, MAX_FILE + 1, file) : 0;
	if (!text || ferror(file) || len > MAX_FILE) {
		complain(why, "cannot read '%s': %s", path,
			 len > MAX_FILE ? "more than 1 MiB" : strerror(errno));
		free(text);
		text = NULL;
	}
	fclose(file);
	return text;
}

/*
 * What is wrong is one line on a terminal, and what jansson or a key quotes of the file may
 * be anything: a line end, or what a terminal would obey.
 */
static void make_printable(char *text)
{
	for (; *text; text++)
		if (iscntrl((unsigned char)*text))
			*text = '?';
}

/**
 * config_load - read a machine file
 * @table: the options
 * @base: the structure that takes the values
 * @path: the file
 * @why: set on failure, with file, line and column
 *
 * Return: false if it cannot be read, is no JSON, or has a bad option; some values may
 * have been taken.
 */
bool config_load(const struct opt *table, void *base, const char *path, struct complaint *why)
{
	struct complaint what;
	char *text = read_text(path, why);
	json_error_t error;
	json_t *root;
	bool ok = false;

	if (!text)
		return false;
	root = json_loads(text, JSON_REJECT_DUPLICATES, &error);
	if (!root)
		complain(&what, "%d:%d: %s", error.line, error.column, error.text);
	else if (!json_is_object(root))
		complain(&what, "1:1: a machine file is an object: { ... }");
	else
		ok = load_object(table, base, root, (struct path){ .text = text }, &what);
	if (!ok) {
		make_printable(what.text);
		complain(why, "%.100s:%.400s", path, what.text);
	}
	json_decref(root);
	free(text);
	return ok;
}

/* --------------------------------------------------------------------- dump */

static json_t *dump_object(const struct opt *table, const void *base);

/* The largest unit that leaves no rest, so that people can read it. */
static json_t *dump_unit(uint64_t value, const uint64_t *factor, const char * const *unit)
{
	while (value % *factor) {
		factor++;
		unit++;
	}
	return json_sprintf("%llu%s", (unsigned long long)(value / *factor), *unit);
}

static json_t *dump_size(uint64_t bytes)
{
	static const uint64_t factor[] = { 1ULL << 30, 1ULL << 20, 1ULL << 10, 1 };
	static const char * const unit[] = { "G", "M", "K", "" };

	return bytes ? dump_unit(bytes, factor, unit) : NULL;
}

static json_t *dump_duration(uint64_t ns)
{
	static const uint64_t factor[] = { 1000000000, 1000000 };
	static const char * const unit[] = { "s", "ms" };

	return ns ? dump_unit(ns, factor, unit) : NULL;
}

static json_t *dump_choice(const struct opt *opt, unsigned int value)
{
	const struct opt_choice *c;

	for (c = opt->choices; c->word; c++)
		if (c->value == value)
			return json_string(c->word);
	return NULL;
}

static json_t *dump_list(const struct opt *opt, const char *item, unsigned int nr)
{
	json_t *array = nr ? json_array() : NULL;

	for (; nr; nr--, item += opt->item_size)
		json_array_append_new(array, dump_object(opt->fields, item));
	return array;
}

/* NULL: not given, nothing to write. */
static json_t *dump_value(const struct opt *opt, const void *base)
{
	const void *field = (const char *)base + opt->offset;

	switch (opt->kind) {
	case OPT_FLAG:
		return *(const bool *)field ? json_true() : NULL;
	case OPT_STRING:
		return *(char * const *)field ? json_string(*(char * const *)field) : NULL;
	case OPT_NUMBER:
		if (!*(const unsigned int *)field && !opt->initial)
			return NULL;
		return json_integer(*(const unsigned int *)field);
	case OPT_SIZE:
		return dump_size(*(const uint64_t *)field);
	case OPT_DURATION:
		return dump_duration(*(const uint64_t *)field);
	case OPT_CHOICE:
		return dump_choice(opt, *(const unsigned int *)field);
	case OPT_LIST:
		return dump_list(opt, field, *(const unsigned int *)((const char *)base +
								     opt->offset_nr));
	default:
		return NULL;
	}
}

static json_t *dump_object(const struct opt *table, const void *base)
{
	json_t *object = json_object();

	for (; table->name; table++)
		json_object_set_new(object, table->name, dump_value(table, base));
	return object;
}

/**
 * config_dump - write the machine file that says the same
 * @table: the options
 * @base: the structure with the values
 * @out: where
 *
 * Return: false if it could not be written.
 */
bool config_dump(const struct opt *table, const void *base, FILE *out)
{
	json_t *object = dump_object(table, base);
	bool ok = object && json_dumpf(object, out, JSON_INDENT(2)) == 0;

	json_decref(object);
	return ok && fputc('\n', out) != EOF && fflush(out) == 0;
}
