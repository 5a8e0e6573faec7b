// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a machine saw, as JSON and back.  Addresses and entries are strings in hexadecimal:
 * JSON's numbers have no 64 bits everywhere.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "walk.h"

/* enum vitro_walk_result */
static const char * const results[] = {
	"ok", "absent", "reserved", "user", "write", "exec", "smep", "smap", "canonical",
	"no-memory",
};

#define ARRAY_LEN(a)	(sizeof(a) / sizeof((a)[0]))

/* VITRO_ACCESS_* that a walk is asked with, by name. */
static const struct {
	const char *name;
	unsigned int bit;
} accesses[] = {
	{ "write", VITRO_ACCESS_WRITE },
	{ "exec", VITRO_ACCESS_EXEC },
	{ "system", VITRO_ACCESS_SYSTEM },
	{ "user", VITRO_ACCESS_USER },
};

/**
 * json_hex - a number as a string in hexadecimal
 * @value: the number
 *
 * Return: "0x...".
 */
json_t *json_hex(uint64_t value)
{
	return json_sprintf("0x%" PRIx64, value);
}

/**
 * json_hex_value - the number that such a string stands for
 * @json: the string, from somebody who may mean no good; may be NULL
 * @value: set
 *
 * Return: false if it is none.
 */
bool json_hex_value(const json_t *json, uint64_t *value)
{
	const char *s = json_string_value(json);
	char *end;

	if (!s || strncmp(s, "0x", 2) || !isxdigit((unsigned char)s[2]))
		return false;
	errno = 0;
	*value = strtoull(s, &end, 16);
	return !errno && !*end;
}

/* ------------------------------------------------------------------- to JSON */

static json_t *target_to_json(const struct walk_target *t)
{
	json_t *list, *json = json_pack("{s:o, s:b}", "gpa", json_hex(t->gpa), "memory",
					t->memory);
	unsigned int i;

	if (!t->levels)
		return json;
	list = json_array();
	for (i = 0; i < t->nr; i++)
		json_array_append_new(list, json_hex(t->entry[i]));
	json_object_set_new(json, "levels", json_integer(t->levels));
	json_object_set_new(json, "withheld", json_boolean(t->withheld));
	json_object_set_new(json, "root", json_hex(t->root));
	json_object_set_new(json, "page_size", json_integer(t->page_size));
	json_object_set_new(json, "hpa", json_hex(t->hpa));
	json_object_set_new(json, "entries", list);
	return json;
}

static json_t *step_to_json(const struct vitro_walk_step *s)
{
	return json_pack("{s:i, s:i, s:o, s:o, s:o, s:b, s:b, s:b, s:b}", "level", (int)s->level,
			 "index", (int)s->index, "gpa", json_hex(s->gpa), "entry",
			 json_hex(s->entry), "reserved", json_hex(s->reserved), "write",
			 !!(s->rights & VITRO_RIGHT_WRITE), "user",
			 !!(s->rights & VITRO_RIGHT_USER), "exec",
			 !!(s->rights & VITRO_RIGHT_EXEC), "leaf", s->leaf);
}

static json_t *walk_part(const struct vitro_walk *w)
{
	json_t *json = json_pack("{s:o, s:b, s:i, s:i, s:s, s:i, s:o, s:I}", "gva",
				 json_hex(w->gva), "as_user", w->user, "levels", (int)w->levels,
				 "entry_size", (int)w->entry_size, "result", results[w->result],
				 "blamed", (int)w->blamed, "gpa", json_hex(w->gpa), "page_size",
				 (json_int_t)w->page_size);
	json_t *list = json_array(), *access = json_array();
	unsigned int i;

	for (i = 0; i < w->nr; i++)
		json_array_append_new(list, step_to_json(&w->step[i]));
	for (i = 0; i < ARRAY_LEN(accesses); i++) {
		if (w->access & accesses[i].bit)
			json_array_append_new(access, json_string(accesses[i].name));
	}
	json_object_set_new(json, "steps", list);
	json_object_set_new(json, "access", access);
	if (w->fault.has_error)
		json_object_set_new(json, "fault",
				    json_pack("{s:i, s:o}", "vector", w->fault.vector, "error",
					      json_hex(w->fault.error)));
	return json;
}

/**
 * walk_to_json - what was seen, for the wire and for --json
 * @v: it
 *
 * Return: a JSON object.
 */
json_t *walk_to_json(const struct walk_view *v)
{
	json_t *json = json_pack("{s:i, s:s, s:i, s:o, s:o, s:o, s:o, s:o}", "vcpu", (int)v->vcpu,
				 "vendor", v->vendor == VITRO_VENDOR_SVM ? "amd" : "intel", "cpl",
				 (int)v->cpl, "cr0", json_hex(v->cr0), "cr3", json_hex(v->cr3),
				 "cr4", json_hex(v->cr4), "efer", json_hex(v->efer), "walk",
				 walk_part(&v->walk));
	json_t *list = json_array();
	unsigned int i;

	for (i = 0; i < v->nr_targets; i++)
		json_array_append_new(list, target_to_json(&v->target[i]));
	json_object_set_new(json, "second", list);
	return json;
}

/* ----------------------------------------------------------------- from JSON */

static bool get_hex(const json_t *object, const char *key, uint64_t *value)
{
	return json_hex_value(json_object_get(object, key), value);
}

static bool get_int(const json_t *object, const char *key, unsigned int max, unsigned int *value)
{
	const json_t *json = json_object_get(object, key);
	json_int_t i = json_integer_value(json);

	*value = i;
	return json_is_integer(json) && i >= 0 && i <= max;
}

static bool get_bool(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

/* A size of a page, or 0. */
static bool get_size(const json_t *object, uint64_t *value)
{
	json_int_t i = json_integer_value(json_object_get(object, "page_size"));

	*value = i;
	return i == 0 || i == 4096 || i == 2 << 20 || i == 4 << 20 || i == 1 << 30;
}

static bool target_from_json(const json_t *json, struct walk_target *t)
{
	const json_t *list = json_object_get(json, "entries");
	size_t nr = json_array_size(list), i;

	t->memory = get_bool(json, "memory");
	t->withheld = get_bool(json, "withheld");
	if (!get_hex(json, "gpa", &t->gpa))
		return false;
	if (!list)
		return true;	/* no guest can have this address */
	if (!get_int(json, "levels", VITRO_TDP_LEVELS, &t->levels) || nr < 1 || nr > t->levels)
		return false;
	for (i = 0; i < nr; i++) {
		if (!json_hex_value(json_array_get(list, i), &t->entry[i]))
			return false;
	}
	t->nr = nr;
	return get_hex(json, "root", &t->root) && get_hex(json, "hpa", &t->hpa) &&
	       get_size(json, &t->page_size);
}

static bool step_from_json(const json_t *json, struct vitro_walk_step *s)
{
	s->rights = (get_bool(json, "write") ? VITRO_RIGHT_WRITE : 0) |
		    (get_bool(json, "user") ? VITRO_RIGHT_USER : 0) |
		    (get_bool(json, "exec") ? VITRO_RIGHT_EXEC : 0);
	s->leaf = get_bool(json, "leaf");
	return get_int(json, "level", VITRO_WALK_STEPS, &s->level) && s->level &&
	       get_int(json, "index", 1023, &s->index) && get_hex(json, "gpa", &s->gpa) &&
	       get_hex(json, "entry", &s->entry) && get_hex(json, "reserved", &s->reserved);
}

static bool fault_from_json(const json_t *json, struct vitro_fault *fault)
{
	unsigned int vector;
	uint64_t error;

	if (!json)
		return true;
	if (!get_int(json, "vector", 31, &vector) || !get_hex(json, "error", &error))
		return false;
	fault->vector = vector;
	fault->has_error = true;
	fault->error = error;
	return true;
}

static bool result_from_json(const json_t *json, enum vitro_walk_result *result)
{
	const char *s = json_string_value(json);
	unsigned int i;

	for (i = 0; s && i < ARRAY_LEN(results); i++) {
		if (!strcmp(results[i], s)) {
			*result = i;
			return true;
		}
	}
	return false;
}

static unsigned int access_from_json(const json_t *json)
{
	unsigned int access = 0, i;
	size_t k;
	json_t *name;

	json_array_foreach(json, k, name) {
		for (i = 0; i < ARRAY_LEN(accesses); i++) {
			if (json_is_string(name) &&
			    !strcmp(json_string_value(name), accesses[i].name))
				access |= accesses[i].bit;
		}
	}
	return access;
}

static bool walk_from_part(const json_t *json, struct vitro_walk *w)
{
	const json_t *list = json_object_get(json, "steps");
	size_t nr = json_array_size(list), i;

	w->user = get_bool(json, "as_user");
	w->access = access_from_json(json_object_get(json, "access"));
	if (!get_hex(json, "gva", &w->gva) ||
	    !get_int(json, "levels", VITRO_WALK_STEPS, &w->levels) || nr > w->levels ||
	    !get_int(json, "entry_size", 8, &w->entry_size) ||
	    !result_from_json(json_object_get(json, "result"), &w->result) ||
	    !get_int(json, "blamed", VITRO_WALK_STEPS, &w->blamed) ||
	    !get_hex(json, "gpa", &w->gpa) || !get_size(json, &w->page_size) ||
	    !fault_from_json(json_object_get(json, "fault"), &w->fault))
		return false;
	for (i = 0; i < nr; i++) {
		if (!step_from_json(json_array_get(list, i), &w->step[i]))
			return false;
	}
	w->nr = nr;
	if (w->result == VITRO_WALK_OK && !w->page_size)
		return false;
	return w->blamed < nr || !w->blamed;
}

/**
 * walk_from_json - what a machine says that it saw
 * @json: from the machine, which may mean no good
 * @v: filled in
 *
 * Return: false if that is nothing that can be shown.
 */
bool walk_from_json(const json_t *json, struct walk_view *v)
{
	const json_t *list = json_object_get(json, "second");
	const char *vendor = json_string_value(json_object_get(json, "vendor"));
	size_t nr = json_array_size(list), i;

	memset(v, 0, sizeof(*v));
	if (!vendor || !get_int(json, "vcpu", VITRO_MAX_VCPUS, &v->vcpu) ||
	    !get_int(json, "cpl", 3, &v->cpl) || !get_hex(json, "cr0", &v->cr0) ||
	    !get_hex(json, "cr3", &v->cr3) || !get_hex(json, "cr4", &v->cr4) ||
	    !get_hex(json, "efer", &v->efer) ||
	    !walk_from_part(json_object_get(json, "walk"), &v->walk))
		return false;
	v->vendor = strcmp(vendor, "amd") ? VITRO_VENDOR_VMX : VITRO_VENDOR_SVM;
	if (nr != v->walk.nr + !!v->walk.page_size)
		return false;
	for (i = 0; i < nr; i++) {
		if (!target_from_json(json_array_get(list, i), &v->target[i]))
			return false;
	}
	v->nr_targets = nr;
	return true;
}
