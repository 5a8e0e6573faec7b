// SPDX-License-Identifier: GPL-2.0-or-later
/* vitro: the command.  One file per subcommand; this one finds the subcommand. */
#include <stdio.h>
#include <string.h>

#include <linux/vitro.h>

#include "cmd.h"

static const struct command {
	const char *name;
	char *title;		/* as argv[0], in getopt's messages */
	int (*run)(int argc, char **argv);
	const char *summary;
} commands[] = {
	{ "run", "vitro run", cmd_run, "run a kernel, or a snippet of machine code, as a guest" },
	{ "doctor", "vitro doctor", cmd_doctor, "say whether and why this host can run vitro" },
	{ "ps", "vitro ps", cmd_ps, "list the machines that run" },
	{ "stat", "vitro stat", cmd_stat, "say where a machine's time goes, by reason to exit" },
	{ "top", "vitro top", cmd_top, "show what all machines do, as it happens" },
	{ "events", "vitro events", cmd_events, "print what happens to machines" },
	{ "trace", "vitro trace", cmd_trace, "record a machine's exits, show and compare them" },
	{ "report", "vitro report", cmd_report, "make a page of figures of what was recorded" },
	{ "gdb", "vitro gdb", cmd_gdb, "let gdb debug the guest of a machine that runs" },
	{ "image", "vitro image", cmd_image, "make files for disks, and say what is in them" },
	{ "why", "vitro why", cmd_why, "say why the CPU refused to enter a guest" },
	{ "snip", "vitro snip", cmd_snip, "run a few instructions, and show each exit" },
	{ "walk", "vitro walk", cmd_walk, "show how an address of a guest is translated" },
	{ NULL, NULL, NULL, NULL }
};

static void list_commands(FILE *out)
{
	const struct command *c;

	fprintf(out, "usage: vitro COMMAND [OPTION]...\n"
		     "       vitro --help | --version\n\n"
		     "vitro, a hypervisor in glass: runs guests on /dev/vitro.\n\n"
		     "commands:\n");
	for (c = commands; c->name; c++)
		fprintf(out, "  %-8s %s\n", c->name, c->summary);
	fprintf(out, "\n\"vitro COMMAND --help\" lists a command's options.\n");
}

int main(int argc, char **argv)
{
	const struct command *c;

	if (argc < 2) {
		list_commands(stderr);
		return END_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		list_commands(stdout);
		return 0;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		printf("vitro %s, ABI version %d\n", VITRO_VERSION, VITRO_ABI_VERSION);
		return 0;
	}
	for (c = commands; c->name; c++) {
		if (strcmp(argv[1], c->name))
			continue;
		argv[1] = c->title;
		return c->run(argc - 1, argv + 1);
	}
	fprintf(stderr, "vitro: no command '%s'; \"vitro --help\" lists them\n", argv[1]);
	return END_USAGE;
}
