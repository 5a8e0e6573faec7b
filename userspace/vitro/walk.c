// SPDX-License-Identifier: GPL-2.0-or-later
/* vitro walk: how an address of a running guest is translated. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "control.h"
#include "walk.h"

/**
 * struct walk_options - what was asked for
 * @machine: name or id, or NULL
 * @address: number or register
 * @vcpu: number of the vCPU
 * @write: @exec: @user: @system: the access
 * @json: @svg: how to show it
 */
struct walk_options {
	const char *machine;
	const char *address;
	uint64_t vcpu;
	bool write;
	bool exec;
	bool user;
	bool system;
	bool json;
	bool svg;
};

static void print_help(void)
{
	printf("usage: vitro walk [OPTION]... [MACHINE] ADDRESS\n\n"
	       "Shows how a linear address of a running guest becomes a host physical one: each\n"
	       "entry of the guest's page tables, and for each of their addresses the second-level\n"
	       "tables (AMD: NPT, Intel: EPT).  If the access would fault, says which entry is to\n"
	       "blame.  Nothing is changed: no accessed or dirty bit is set, no page is brought.\n"
	       "MACHINE is its name or id; see vitro ps.  ADDRESS is a number, as 0x1000, or what\n"
	       "is in a register: rip, rsp or cr2.\n\n"
	       "  -c, --vcpu N         use the registers of vCPU N (default: 0)\n"
	       "  -w, --write          for a write (default: for a read)\n"
	       "  -x, --exec           for an instruction fetch\n"
	       "  -u, --user           as user code does it (default: as the vCPU stands)\n"
	       "  -k, --kernel         as the kernel does it\n"
	       "  -j, --json           print JSON\n"
	       "  -s, --svg            print a picture, an SVG file\n"
	       "  -h, --help           this help\n");
}

static json_t *request(const struct walk_options *o)
{
	uint64_t gva;
	json_t *json = json_pack("{s:s, s:i, s:b, s:b, s:b, s:b}", "command", "walk", "vcpu",
				 (int)o->vcpu, "write", o->write, "exec", o->exec, "user", o->user,
				 "system", o->system);

	if (parse_number(o->address, 0, UINT64_MAX, &gva))
		json_object_set_new(json, "gva", json_hex(gva));
	else
		json_object_set_new(json, "register", json_string(o->address));
	return json;
}

static void print_json(json_t *seen, const struct walk_view *v)
{
	char why[WALK_WHY];

	walk_why(v, why, sizeof(why));
	json_object_set_new(seen, "why", json_string(why));
	json_dumpf(seen, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
	printf("\n");
}

static int show(json_t *seen, const struct walk_options *o)
{
	bool colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
	static struct walk_view v;

	if (!walk_from_json(seen, &v)) {
		fprintf(stderr,
			"vitro walk: the machine's answer makes no sense; is it of another version?\n");
		return END_HOST;
	}
	if (o->json)
		print_json(seen, &v);
	else if (o->svg)
		walk_print_svg(&v, stdout);
	else
		walk_print_text(&v, stdout, colour);
	return 0;
}

static int walk(const struct walk_options *o)
{
	struct control_client c;
	json_t *seen;
	int status = control_connect(&c, "walk", o->machine);

	if (status)
		return status;
	seen = control_call(&c, request(o));
	if (seen) {
		status = show(seen, o);
	} else {
		fprintf(stderr, "vitro walk: %s\n", c.error);
		status = END_HOST;
	}
	json_decref(seen);
	control_disconnect(&c);
	return status;
}

static bool is_address(const char *s)
{
	uint64_t gva;

	return parse_number(s, 0, UINT64_MAX, &gva) || !strcmp(s, "rip") || !strcmp(s, "rsp") ||
	       !strcmp(s, "cr2");
}

/* What is wrong with the options and the two arguments, or NULL. */
static const char *check(struct walk_options *o, int argc, char **argv)
{
	if (argc < 1 || argc > 2)
		return "give a machine, if there is more than one, and an address; see --help";
	o->machine = argc == 2 ? argv[0] : NULL;
	o->address = argv[argc - 1];
	if (!is_address(o->address))
		return "the address is a number, as 0x1000, or rip, rsp or cr2";
	if (o->write && o->exec)
		return "--write or --exec, not both";
	if (o->user && o->system)
		return "--user or --kernel, not both";
	if (o->json && o->svg)
		return "--json or --svg, not both";
	return NULL;
}

/**
 * cmd_walk - the subcommand
 * @argc: arguments, the subcommand's name first
 * @argv: they
 *
 * Return: the exit status.
 */
int cmd_walk(int argc, char **argv)
{
	static const struct option options[] = {
		{ "vcpu", required_argument, NULL, 'c' },
		{ "write", no_argument, NULL, 'w' },
		{ "exec", no_argument, NULL, 'x' },
		{ "user", no_argument, NULL, 'u' },
		{ "kernel", no_argument, NULL, 'k' },
		{ "json", no_argument, NULL, 'j' },
		{ "svg", no_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 }
	};
	struct walk_options o = { .vcpu = 0 };
	const char *wrong;
	int c;

	while ((c = getopt_long(argc, argv, "c:wxukjsh", options, NULL)) != -1) {
		switch (c) {
		case 'c':
			if (!parse_number(optarg, 0, VITRO_MAX_VCPUS - 1, &o.vcpu)) {
				fprintf(stderr, "vitro walk: --vcpu '%s': a number from 0 to %d\n",
					optarg, VITRO_MAX_VCPUS - 1);
				return END_USAGE;
			}
			break;
		case 'w':
			o.write = true;
			break;
		case 'x':
			o.exec = true;
			break;
		case 'u':
			o.user = true;
			break;
		case 'k':
			o.system = true;
			break;
		case 'j':
			o.json = true;
			break;
		case 's':
			o.svg = true;
			break;
		case 'h':
			print_help();
			return 0;
		default:
			return END_USAGE;
		}
	}
	wrong = check(&o, argc - optind, argv + optind);
	if (wrong) {
		fprintf(stderr, "vitro walk: %s\n", wrong);
		return END_USAGE;
	}
	return walk(&o);
}
