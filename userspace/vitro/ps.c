// SPDX-License-Identifier: GPL-2.0-or-later
/* vitro ps: the machines that run, and their processors. */
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "family.h"

static void print_help(void)
{
	printf("usage: vitro ps [--json] [--vcpus]\n\n"
	       "Lists the virtual machines on this host: your own, and as root all.\n\n"
	       "  -c, --vcpus          also the threads and states of their vCPUs\n"
	       "  -j, --json           print JSON\n"
	       "  -h, --help           this help\n");
}

static const char *state_name(struct nlattr **attrs)
{
	static const char *const names[] = { "runnable", "halted", "wait-sipi", "shutdown" };
	uint32_t state = attr_u32(attrs, VITRO_A_MP_STATE);

	if (attr_u32(attrs, VITRO_A_IN_GUEST))
		return "in-guest";
	return state < 4 ? names[state] : "unknown";
}

static void print_vcpu(struct nlattr **attrs, void *opaque)
{
	(void)opaque;
	printf("%6s  vcpu %-4u tid %-8u %s\n", "", attr_u32(attrs, VITRO_A_VCPU_ID),
	       attr_u32(attrs, VITRO_A_TID), state_name(attrs));
}

static int print_text(struct family *f, const struct vm_info *vm, unsigned int nr, bool vcpus)
{
	unsigned int i;
	int err = 0;

	printf("%6s  %-20s %8s %6s %6s  %s\n", "ID", "NAME", "PID", "UID", "VCPUS", "WATCHED");
	for (i = 0; i < nr && !err; i++) {
		printf("%6llu  %-20s %8u %6u %6u  %s\n", (unsigned long long)vm[i].id,
		       vm[i].name[0] ? vm[i].name : "-", vm[i].pid, vm[i].uid, vm[i].nr_vcpus,
		       vm[i].watched ? "yes" : "no");
		if (vcpus)
			err = family_dump(f, VITRO_CMD_VCPU_GET, vm[i].id, print_vcpu, NULL);
		if (err == -NLE_OBJ_NOTFOUND)
			err = 0;	/* it has just ended */
	}
	return err;
}

static void add_vcpu(struct nlattr **attrs, void *opaque)
{
	json_array_append_new(opaque, json_pack("{s:i, s:i, s:s}", "id",
						(int)attr_u32(attrs, VITRO_A_VCPU_ID), "tid",
						(int)attr_u32(attrs, VITRO_A_TID), "state",
						state_name(attrs)));
}

static int print_json(struct family *f, const struct vm_info *vm, unsigned int nr, bool vcpus)
{
	json_t *root = json_array();
	unsigned int i;
	int err = 0;

	for (i = 0; i < nr && !err; i++) {
		json_t *v = json_pack("{s:I, s:s, s:i, s:I, s:i, s:b}", "id", (json_int_t)vm[i].id,
				      "name", vm[i].name, "pid", (int)vm[i].pid, "uid",
				      (json_int_t)vm[i].uid, "nr_vcpus", (int)vm[i].nr_vcpus,
				      "watched", vm[i].watched);

		if (vcpus) {
			json_t *list = json_array();

			err = family_dump(f, VITRO_CMD_VCPU_GET, vm[i].id, add_vcpu, list);
			if (err == -NLE_OBJ_NOTFOUND)
				err = 0;
			json_object_set_new(v, "vcpus", list);
		}
		json_array_append_new(root, v);
	}
	if (!err) {
		json_dumpf(root, stdout, JSON_INDENT(2));
		printf("\n");
	}
	json_decref(root);
	return err;
}

static int ps(bool json, bool vcpus)
{
	struct vm_info *vms;
	struct family f;
	unsigned int nr;
	int err;

	if (!family_open(&f, "ps"))
		return END_HOST;
	err = family_list(&f, &vms, &nr);
	if (!err)
		err = json ? print_json(&f, vms, nr, vcpus) : print_text(&f, vms, nr, vcpus);
	if (err)
		fprintf(stderr, "vitro ps: %s\n", nl_geterror(err));
	free(vms);
	family_close(&f);
	return err ? END_HOST : 0;
}

/**
 * cmd_ps - the subcommand
 * @argc: arguments, the subcommand's name first
 * @argv: they
 *
 * Return: the exit status.
 */
int cmd_ps(int argc, char **argv)
{
	static const struct option options[] = {
		{ "vcpus", no_argument, NULL, 'c' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 }
	};
	bool json = false, vcpus = false;
	int c;

	while ((c = getopt_long(argc, argv, "cjh", options, NULL)) != -1) {
		switch (c) {
		case 'c':
			vcpus = true;
			break;
		case 'j':
			json = true;
			break;
		case 'h':
			print_help();
			return 0;
		default:
			return END_USAGE;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "vitro ps: '%s': no arguments; see --help\n", argv[optind]);
		return END_USAGE;
	}
	return ps(json, vcpus);
}
