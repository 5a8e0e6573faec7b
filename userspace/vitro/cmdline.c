// SPDX-License-Identifier: GPL-2.0-or-later
/* The command line of "vitro run", by the table of its options. */
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "config.h"

#define MAX_OPTIONS	64
#define HELP_COLUMN	25

/* getopt's value of an option without a letter: its index in the table, plus this. */
#define NO_LETTER	256

/**
 * usage_error - say what is wrong with the command line or a file it names
 * @fmt: the text, without its end
 *
 * Return: the exit status for it.
 */
int usage_error(const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "vitro run: ");
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fprintf(stderr, " (\"vitro run --help\" lists the options)\n");
	return END_USAGE;
}

static void list_option(const struct opt *opt)
{
	char left[64], letter[8] = "    ";

	if (opt->letter)
		snprintf(letter, sizeof(letter), "-%c, ", opt->letter);
	snprintf(left, sizeof(left), "  %s--%s %s", letter, opt->name, opt->arg ? opt->arg : "");
	/* Too long a name has a line of its own. */
	printf("%-*s%s%*s%s", HELP_COLUMN, left, strlen(left) < HELP_COLUMN ? "" : "\n",
	       strlen(left) < HELP_COLUMN ? 0 : HELP_COLUMN, "", opt->help);
	if (opt->initial)
		printf(" (default: %s)", opt->initial);
	printf("\n");
}

static void print_help(void)
{
	const struct opt *opt;

	printf("usage: vitro run [OPTION]... --kernel FILE\n"
	       "       vitro run [OPTION]... SNIPPET\n\n"
	       "Runs a guest until it ends; the exit status says how.\n\n");
	for (opt = run_options; opt->name; opt++)
		list_option(opt);
	printf("\nThe guest's serial port (COM1) is this terminal; Ctrl-A h lists its keys.\n"
	       "A SNIPPET is raw machine code, loaded and started at 0x1000; what it writes to\n"
	       "port 0xe9 or COM1 is printed, and HLT with interrupts off ends it.\n\n"
	       "exit status: 0 power-off (or a snippet's HLT), %d reset, %d guest panic,\n"
	       "%d triple fault, %d the CPU refused the guest's state, %d deadline, %d halted,\n"
	       "%d stopped by the user or a signal, %d bad usage, %d the guest did something\n"
	       "unknown to vitro, %d an error of the host.\n",
	       END_RESET, END_PANIC, END_TRIPLE, END_ENTRY, END_DEADLINE,
	       END_HALTED, END_STOPPED, END_USAGE, END_UNSUPPORTED, END_HOST);
}

/**
 * struct parser - the table as getopt_long() wants it
 * @longs: long options
 * @shorts: letters, each with ':' if it takes a value
 */
struct parser {
	struct option longs[MAX_OPTIONS + 1];
	char shorts[2 * MAX_OPTIONS + 1];
};

static void make_parser(struct parser *p)
{
	const struct opt *opt;
	int nr = 0, len = 0;

	for (opt = run_options; opt->name && nr < MAX_OPTIONS; opt++) {
		p->longs[nr++] = (struct option){
			.name = opt->name,
			.has_arg = opt->arg ? required_argument : no_argument,
			.val = opt->letter ? opt->letter : NO_LETTER + (opt - run_options),
		};
		if (!opt->letter)
			continue;
		p->shorts[len++] = opt->letter;
		if (opt->arg)
			p->shorts[len++] = ':';
	}
}

/* What getopt_long() found; NULL: nothing, and it has said so. */
static const struct opt *found(int val)
{
	const struct opt *opt;

	if (val >= NO_LETTER)
		return &run_options[val - NO_LETTER];
	for (opt = run_options; opt->name; opt++)
		if (opt->letter == val)
			return opt;
	return NULL;
}

/* The files, wherever they are named: what else is on the command line comes after them. */
static int load_files(struct parser *p, struct config *config, int argc, char **argv)
{
	const struct opt *opt;
	struct complaint why;
	int c;

	optind = 0;	/* start from the beginning */
	opterr = 0;	/* the next pass complains */
	while ((c = getopt_long(argc, argv, p->shorts, p->longs, NULL)) != -1) {
		opt = found(c);
		if (opt && opt->kind == OPT_CONFIG &&
		    !config_load(run_options, config, optarg, &why)) {
			fprintf(stderr, "vitro run: %s\n", why.text);
			return END_USAGE;
		}
	}
	optind = 0;
	opterr = 1;
	return 0;
}

/* The argument that is no option. */
static int parse_unnamed(struct config *config, int argc, char **argv)
{
	const struct opt *opt = run_options;
	struct complaint why;

	while (!opt->unnamed)
		opt++;
	if (optind < argc && !opt_set(opt, config, argv[optind], &why))
		return usage_error("%s", why.text);
	if (optind + 1 < argc)
		return usage_error("'%s': one snippet at a time", argv[optind + 1]);
	return 0;
}

static int parse_options(struct parser *p, struct config *config, int argc, char **argv,
			 bool *help, bool *dump)
{
	const struct opt *opt;
	struct complaint why;
	int c;

	while ((c = getopt_long(argc, argv, p->shorts, p->longs, NULL)) != -1) {
		opt = found(c);
		if (!opt)
			return END_USAGE;
		if (opt->kind == OPT_HELP)
			*help = true;
		else if (opt->kind == OPT_DUMP)
			*dump = true;
		else if (opt->kind != OPT_CONFIG && !opt_set(opt, config, optarg, &why))
			return usage_error("--%s %s", opt->name, why.text);
	}
	return *help ? 0 : parse_unnamed(config, argc, argv);
}

/**
 * cmdline_parse - the command line, and the files it names
 * @config: set; config_free() is due in any case
 * @argc: arguments, the subcommand's name first
 * @argv: they
 * @done: set if the answer was printed and there is nothing to run
 *
 * Return: 0 or an exit status.
 */
int cmdline_parse(struct config *config, int argc, char **argv, bool *done)
{
	struct parser parser = { .shorts = "" };
	bool help = false, dump = false;
	int status;

	*done = false;
	make_parser(&parser);
	config_init(run_options, config);
	status = load_files(&parser, config, argc, argv);
	if (!status)
		status = parse_options(&parser, config, argc, argv, &help, &dump);
	if (status)
		return status;
	*done = help || dump;
	if (help)
		print_help();
	else if (dump && !config_dump(run_options, config, stdout))
		return END_HOST;
	return 0;
}
