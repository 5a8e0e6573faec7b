// SPDX-License-Identifier: GPL-2.0-or-later
/* vitro events: what happens to the machines on this host, as it happens. */
#include <getopt.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cmd.h"
#include "family.h"

/**
 * struct listener - what was asked for
 * @json: print JSON
 * @which: of this machine only, by name or id; NULL for all
 * @left: events to wait for; negative for no end
 */
struct listener {
	bool json;
	const char *which;
	int64_t left;
};

static void print_help(void)
{
	printf("usage: vitro events [OPTION]... [MACHINE]\n\n"
	       "Prints what happens to virtual machines, a line each, until interrupted.  That\n"
	       "takes root (CAP_SYS_ADMIN), as it tells of everybody's machines.\n"
	       "MACHINE is a name or id: print what happens to this one only.\n\n"
	       "  -n, --count N        stop after so many events\n"
	       "  -j, --json           print JSON, one line an event\n"
	       "  -h, --help           this help\n");
}

static bool is_wanted(struct nlattr **attrs, const char *which)
{
	uint64_t id;

	if (!which || !strcmp(attr_string(attrs, VITRO_A_NAME), which))
		return true;
	return parse_number(which, 1, UINT64_MAX, &id) && id == attr_u64(attrs, VITRO_A_VM_ID);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void print_text(struct nlattr **attrs)
{
	time_t t = now();
	char when[32];

	strftime(when, sizeof(when), "%F %T", localtime(&t));
	printf("%s  %-14s machine %llu", when, event_name(attr_u32(attrs, VITRO_A_EVENT)),
	       (unsigned long long)attr_u64(attrs, VITRO_A_VM_ID));
	if (attrs[VITRO_A_NAME])
		printf(" %s", attr_string(attrs, VITRO_A_NAME));
	if (attrs[VITRO_A_VCPU_ID])
		printf(" vcpu %u", attr_u32(attrs, VITRO_A_VCPU_ID));
	if (attrs[VITRO_A_RIP])
		printf(" rip 0x%llx", (unsigned long long)attr_u64(attrs, VITRO_A_RIP));
	if (attrs[VITRO_A_CODE])
		printf(" code 0x%llx", (unsigned long long)attr_u64(attrs, VITRO_A_CODE));
	if (attrs[VITRO_A_REASON])
		printf(" exit %s", reason_name(attr_u32(attrs, VITRO_A_REASON)));
	if (attrs[VITRO_A_CYCLES])
		printf(" cycles %llu", (unsigned long long)attr_u64(attrs, VITRO_A_CYCLES));
	printf("\n");
}

static void set_u64(json_t *root, const char *name, struct nlattr **attrs, int type)
{
	if (attrs[type])
		json_object_set_new(root, name, json_integer((json_int_t)attr_u64(attrs, type)));
}

static void print_json(struct nlattr **attrs)
{
	json_t *root = json_pack("{s:f, s:s, s:I}", "time", now(), "event",
				 event_name(attr_u32(attrs, VITRO_A_EVENT)), "id",
				 (json_int_t)attr_u64(attrs, VITRO_A_VM_ID));

	if (attrs[VITRO_A_NAME])
		json_object_set_new(root, "name", json_string(attr_string(attrs, VITRO_A_NAME)));
	if (attrs[VITRO_A_VCPU_ID])
		json_object_set_new(root, "vcpu", json_integer(attr_u32(attrs, VITRO_A_VCPU_ID)));
	if (attrs[VITRO_A_REASON])
		json_object_set_new(root, "reason",
				    json_string(reason_name(attr_u32(attrs, VITRO_A_REASON))));
	set_u64(root, "rip", attrs, VITRO_A_RIP);
	set_u64(root, "code", attrs, VITRO_A_CODE);
	set_u64(root, "cycles", attrs, VITRO_A_CYCLES);
	json_dumpf(root, stdout, JSON_COMPACT);
	printf("\n");
	json_decref(root);
}

static void got_event(struct nlattr **attrs, void *opaque)
{
	struct listener *l = opaque;

	if (!attrs[VITRO_A_EVENT] || !is_wanted(attrs, l->which) || !l->left)
		return;
	if (l->json)
		print_json(attrs);
	else
		print_text(attrs);
	fflush(stdout);
	if (l->left > 0)
		l->left--;
}

static int listen_to(struct listener *l)
{
	struct family f;
	int err;

	if (!family_open(&f, "events"))
		return END_HOST;
	err = family_join_events(&f);
	if (err == -NLE_PERM)
		fprintf(stderr, "vitro events: events are for root: run it with sudo\n");
	else if (err)
		fprintf(stderr, "vitro events: %s\n", nl_geterror(err));
	while (!err && l->left) {
		err = family_receive(&f, got_event, l);
		if (err == -NLE_NOMEM) {
			fprintf(stderr, "vitro events: too slow: some events were lost\n");
			err = 0;
		} else if (err) {
			fprintf(stderr, "vitro events: %s\n", nl_geterror(err));
		}
	}
	family_close(&f);
	return err ? END_HOST : 0;
}

/**
 * cmd_events - the subcommand
 * @argc: arguments, the subcommand's name first
 * @argv: they
 *
 * Return: the exit status.
 */
int cmd_events(int argc, char **argv)
{
	static const struct option options[] = {
		{ "count", required_argument, NULL, 'n' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 }
	};
	struct listener l = { .left = -1 };
	uint64_t count;
	int c;

	while ((c = getopt_long(argc, argv, "n:jh", options, NULL)) != -1) {
		switch (c) {
		case 'n':
			if (!parse_number(optarg, 1, INT64_MAX, &count)) {
				fprintf(stderr, "vitro events: --count '%s': a number\n", optarg);
				return END_USAGE;
			}
			l.left = count;
			break;
		case 'j':
			l.json = true;
			break;
		case 'h':
			print_help();
			return 0;
		default:
			return END_USAGE;
		}
	}
	if (argc - optind > 1) {
		fprintf(stderr, "vitro events: one machine, or all; see --help\n");
		return END_USAGE;
	}
	l.which = argv[optind];
	return listen_to(&l);
}
