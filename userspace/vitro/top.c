// SPDX-License-Identifier: GPL-2.0-or-later
/* vitro top: what all machines do just now, on a terminal or, with --batch, as lines. */
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "cmd.h"
#include "top.h"

static volatile sig_atomic_t stopped;

static void on_signal(int sig)
{
	(void)sig;
	stopped = 1;
}

/**
 * top_stopped - has a signal asked for the end?
 *
 * Return: whether.
 */
bool top_stopped(void)
{
	return stopped;
}

/**
 * top_status - say what is wrong, if something is
 * @err: 0 or a negative number for nl_geterror()
 *
 * Return: the exit status.
 */
int top_status(int err)
{
	if (err)
		fprintf(stderr, "vitro top: %s\n", nl_geterror(err));
	return err ? END_HOST : 0;
}

static void print_help(void)
{
	printf("usage: vitro top [OPTION]...\n\n"
	       "Shows the machines on this host, your own and as root all: how often their guests\n"
	       "exit, and where the time goes, by vCPU and by reason.  h lists the keys.\n\n"
	       "  -i, --interval TIME  look again after this time, 1s by default\n"
	       "  -b, --batch          print lines, for scripts; needs no terminal\n"
	       "  -n, --count N        look so many times, then end\n"
	       "  -j, --json           print JSON, one line a look\n"
	       "  -h, --help           this help\n");
}

/* Until it is time, or a signal comes. */
static void wait_ns(uint64_t ns)
{
	struct timespec t = { ns / 1000000000, ns % 1000000000 };

	if (!stopped)
		nanosleep(&t, NULL);
}

static int top_batch(struct top *t, const struct top_options *o)
{
	uint64_t n;
	int err = 0;

	for (n = 0; !o->count || n < o->count; n++) {
		wait_ns(o->interval_ns);
		if (stopped)
			break;
		err = top_look(t);
		if (err)
			break;
		if (o->json)
			top_print_json(t);
		else
			top_print(t);
	}
	return top_status(err);
}

static int show(const struct top_options *o)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct top t = { .key = TOP_BY_EXITS };
	int status;

	if (!family_open(&t.family, "top"))
		return END_HOST;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	status = top_status(top_look(&t));
	if (!status)
		status = o->batch ? top_batch(&t, o) : top_screen(&t, o);
	top_end(&t);
	family_close(&t.family);
	return status;
}

/**
 * cmd_top - the subcommand
 * @argc: arguments, the subcommand's name first
 * @argv: they
 *
 * Return: the exit status.
 */
int cmd_top(int argc, char **argv)
{
	static const struct option options[] = {
		{ "interval", required_argument, NULL, 'i' },
		{ "batch", no_argument, NULL, 'b' },
		{ "count", required_argument, NULL, 'n' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 }
	};
	struct top_options o = { .interval_ns = 1000000000 };
	int c;

	while ((c = getopt_long(argc, argv, "i:bn:jh", options, NULL)) != -1) {
		switch (c) {
		case 'i':
			if (!parse_duration(optarg, &o.interval_ns) || !o.interval_ns) {
				fprintf(stderr, "vitro top: --interval '%s': a time, as 500ms\n",
					optarg);
				return END_USAGE;
			}
			break;
		case 'b':
			o.batch = true;
			break;
		case 'n':
			if (!parse_number(optarg, 1, UINT64_MAX, &o.count)) {
				fprintf(stderr, "vitro top: --count '%s': a number\n", optarg);
				return END_USAGE;
			}
			break;
		case 'j':
			o.json = true;
			o.batch = true;
			break;
		case 'h':
			print_help();
			return 0;
		default:
			return END_USAGE;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "vitro top: '%s': no arguments; see --help\n", argv[optind]);
		return END_USAGE;
	}
	if (!o.batch && (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))) {
		fprintf(stderr, "vitro top: this is no terminal; --batch needs none\n");
		return END_USAGE;
	}
	return show(&o);
}
