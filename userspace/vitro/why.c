// SPDX-License-Identifier: GPL-2.0-or-later
/* vitro why: which rule of the manual does a refused entry violate? */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <linux/vitro.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vitro/vitro.h>
#include <vitro/why.h>

#include "cmd.h"
#include "why.h"

#define MAX_VIOLATIONS	64
#define MAX_REPAIRS	64

static const char help[] =
"usage: vitro why [OPTION]... FILE\n\n"
"Says which rules of the manual the entry in FILE violates, so that the CPU refused it.\n"
"\"vitro run --dump-entry FILE\" writes such a file; - is standard input.\n\n"
"options:\n"
"  -w, --what-if FIELD=VALUE  with this value instead; may be repeated\n"
"  -j, --json                 the answer for programs\n"
"  -h, --help                 this help\n\n"
"Exit status: 0 the CPU enters, 13 it does not, 64 usage or a bad file.\n";

/* How the processor fails, and how it says so. */
static const struct {
	const char *word;	/* in JSON */
	const char *text;
} classes[] = {
	[VITRO_WHY_CONTROLS] = { "controls",
		"VMLAUNCH or VMRESUME fails with error 7, invalid control fields" },
	[VITRO_WHY_HOST] = { "host",
		"VMLAUNCH or VMRESUME fails with error 8, invalid host-state fields" },
	[VITRO_WHY_GUEST] = { "guest", "an exit with reason 33, invalid guest state" },
	[VITRO_WHY_MSRS] = { "msrs", "an exit with reason 34, MSR loading" },
	[VITRO_WHY_INVALID] = { "invalid", "an exit with code -1, VMEXIT_INVALID" },
};

static int bad(const char *what, const char *why)
{
	fprintf(stderr, "vitro why: %s%s%s\n", what, why ? ": " : "", why ? why : "");
	return END_USAGE;
}

/* ------------------------------------------------------------------ the entry */

static struct vitro_entry *read_entry(const char *path)
{
	FILE *file = strcmp(path, "-") ? fopen(path, "r") : stdin;
	struct vitro_entry *entry;

	if (!file) {
		bad(path, strerror(errno));
		return NULL;
	}
	entry = vitro_entry_read(file, path);
	if (!entry)
		bad(vitro_error(), NULL);
	if (file != stdin)
		fclose(file);
	return entry;
}

/**
 * why_repair - give a field another value
 * @entry: the entry
 * @text: "FIELD=VALUE"
 *
 * Return: false if that is not possible; the reason has been said.
 */
bool why_repair(struct vitro_entry *entry, const char *text)
{
	const size_t length = strcspn(text, "=");
	char name[64];
	uint64_t value;
	uint32_t id;

	if (!text[length] || length >= sizeof(name) ||
	    !parse_number(text + length + 1, 0, UINT64_MAX, &value)) {
		bad(text, "that takes FIELD=VALUE, such as GUEST_CR4=0x2020");
		return false;
	}
	memcpy(name, text, length);
	name[length] = '\0';
	if (!vitro_field_id(vitro_entry_vendor(entry), name, &id)) {
		bad(name, "there is no such field in this entry");
		return false;
	}
	if (vitro_entry_set(entry, id, value)) {
		bad(vitro_error(), NULL);
		return false;
	}
	return true;
}

/* ----------------------------------------------------------------- the answer */

static const char *name_of(const struct vitro_entry *entry, uint32_t id)
{
	return vitro_field_name(vitro_entry_vendor(entry), id);
}

static void print_violation(const struct vitro_entry *entry, const struct vitro_violation *v)
{
	unsigned int i;

	printf("%s: %s\n", v->section, v->rule);
	for (i = 0; i < v->nr_fields; i++)
		printf("    %s is 0x%llx: bits 0x%llx are wrong, 0x%llx would do\n",
		       name_of(entry, v->field[i].id), (unsigned long long)v->field[i].value,
		       (unsigned long long)v->field[i].bits,
		       (unsigned long long)v->field[i].nearest);
	if (v->cap)
		printf("    what is legal is in %s, 0x%llx\n", name_of(entry, v->cap),
		       (unsigned long long)v->cap_value);
	if (v->when[0])
		printf("    because %s\n", v->when);
}

static void print_text(const struct vitro_entry *entry, const struct vitro_violation *v, size_t nr)
{
	size_t i;

	if (!nr) {
		printf("the CPU enters: no rule is violated\n");
		return;
	}
	for (i = 0; i < nr; i++)
		print_violation(entry, &v[i]);
	printf("So the CPU does not enter: %s.\n", classes[v->class].text);
}

/* Numbers as in the text: JSON's own have not the 64 bits that fields have. */
static json_t *hex(uint64_t value)
{
	return json_sprintf("0x%llx", (unsigned long long)value);
}

static json_t *field_json(const char *name, uint64_t value, uint64_t bits, uint64_t nearest)
{
	return json_pack("{s:s, s:o, s:o, s:o}", "name", name, "value", hex(value),
			 "bits", hex(bits), "nearest", hex(nearest));
}

static json_t *violation_json(const struct vitro_entry *entry, const struct vitro_violation *v)
{
	json_t *fields = json_array(), *object;
	unsigned int i;

	for (i = 0; i < v->nr_fields; i++)
		json_array_append_new(fields, field_json(name_of(entry, v->field[i].id),
							 v->field[i].value, v->field[i].bits,
							 v->field[i].nearest));
	object = json_pack("{s:s, s:s, s:s, s:o}", "class", classes[v->class].word,
			   "section", v->section, "rule", v->rule, "fields", fields);
	if (v->cap)
		json_object_set_new(object, "capability",
				    json_pack("{s:s, s:o}", "name", name_of(entry, v->cap),
					      "value", hex(v->cap_value)));
	if (v->when[0])
		json_object_set_new(object, "when", json_string(v->when));
	return object;
}

static size_t violations(const struct vitro_entry *entry, struct vitro_violation *v)
{
	size_t nr = vitro_why(entry, v, MAX_VIOLATIONS);

	return nr > MAX_VIOLATIONS ? MAX_VIOLATIONS : nr;
}

/**
 * why_json - which rules an entry violates, for programs
 * @entry: the entry
 * @status: set to the exit status
 *
 * Return: the object; the caller's.
 */
json_t *why_json(const struct vitro_entry *entry, int *status)
{
	static struct vitro_violation v[MAX_VIOLATIONS];
	const size_t nr = violations(entry, v);
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < nr; i++)
		json_array_append_new(list, violation_json(entry, &v[i]));
	*status = nr ? END_ENTRY : 0;
	return json_pack("{s:s, s:b, s:o}", "vendor",
			 vitro_entry_vendor(entry) == VITRO_VENDOR_SVM ? "svm" : "vmx",
			 "enters", !nr, "violations", list);
}

/**
 * why_print - which rules an entry violates, in words
 * @entry: the entry
 *
 * Return: the exit status.
 */
int why_print(const struct vitro_entry *entry)
{
	static struct vitro_violation v[MAX_VIOLATIONS];
	const size_t nr = violations(entry, v);

	print_text(entry, v, nr);
	return nr ? END_ENTRY : 0;
}

static int explain(const struct vitro_entry *entry, bool json)
{
	json_t *root;
	int status;

	if (!json)
		return why_print(entry);
	root = why_json(entry, &status);
	json_dumpf(root, stdout, JSON_INDENT(2));
	printf("\n");
	json_decref(root);
	return status;
}

/**
 * cmd_why - the subcommand
 * @argc: arguments, the subcommand's name first
 * @argv: they
 *
 * Return: the exit status, an enum exitcode.
 */
int cmd_why(int argc, char **argv)
{
	static const struct option options[] = {
		{ "what-if", required_argument, NULL, 'w' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 }
	};
	const char *repairs[MAX_REPAIRS];
	struct vitro_entry *entry;
	int c, i, nr = 0, status;
	bool json = false;

	while ((c = getopt_long(argc, argv, "w:jh", options, NULL)) != -1) {
		switch (c) {
		case 'w':
			if (nr == MAX_REPAIRS)
				return bad(optarg, "--what-if is given too often");
			repairs[nr++] = optarg;
			break;
		case 'j':
			json = true;
			break;
		case 'h':
			fputs(help, stdout);
			return 0;
		default:
			return END_USAGE;
		}
	}
	if (optind != argc - 1)
		return bad("give one FILE; \"vitro why --help\" says more", NULL);
	entry = read_entry(argv[optind]);
	if (!entry)
		return END_USAGE;
	for (i = 0; i < nr; i++)
		if (!why_repair(entry, repairs[i]))
			break;
	status = i < nr ? END_USAGE : explain(entry, json);
	vitro_entry_free(entry);
	return status;
}
