// SPDX-License-Identifier: GPL-2.0-or-later
/* vitro report: a recording of exits as one page of HTML. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "report.h"

static void print_help(void)
{
	printf("usage: vitro report [OPTION]... FILE\n\n"
	       "Makes one page of HTML, without scripts or anything from elsewhere, of a recording\n"
	       "by \"vitro trace\": where the time went, how long exits took, which exits were the\n"
	       "longest, and where in the guest they come from.\n\n"
	       "  -o, --output FILE    write it to this file, not to standard output\n"
	       "  -s, --symbols FILE   name addresses, by a vmlinux, System.map or kallsyms\n"
	       "  -k, --kaslr BYTES    how much higher they are than in there\n"
	       "  -t, --title TEXT     what to call the recording, by default FILE's name\n"
	       "  -h, --help           this help\n");
}

/* Opens, prints, closes; false when something went wrong, which has been said. */
static bool write_page(const char *output, const struct report *r)
{
	FILE *out = output ? fopen(output, "we") : stdout;
	bool failed;

	if (!out) {
		fprintf(stderr, "vitro report: cannot write '%s': %s\n", output, strerror(errno));
		return false;
	}
	report_page(out, r);
	errno = 0;
	failed = fflush(out) || ferror(out);
	if (output && fclose(out))
		failed = true;
	if (failed)
		fprintf(stderr, "vitro report: cannot write %s: %s\n",
			output ? output : "to standard output", strerror(errno));
	return !failed;
}

static int report(const char *file, const char *title, const char *output, const struct view *view)
{
	const char *slash = strrchr(file, '/');
	int status = END_HOST;
	struct recording rec;
	struct report *r;

	if (!recording_open(&rec, file))
		return END_USAGE;
	if (!rec.nr || !recording_look(&rec, view)) {
		if (!rec.nr)
			fprintf(stderr, "vitro report: there is no exit in '%s'\n", file);
		recording_close(&rec);
		return END_USAGE;
	}
	r = malloc(sizeof(*r));
	if (r && report_sum(r, &rec)) {
		r->name = title ? title : slash ? slash + 1 : file;
		status = write_page(output, r) ? 0 : END_HOST;
	} else {
		fprintf(stderr, "vitro report: not enough memory\n");
	}
	if (r)
		report_free(r);
	free(r);
	recording_close(&rec);
	return status;
}

/**
 * cmd_report - the subcommand
 * @argc: arguments, the subcommand's name first
 * @argv: they
 *
 * Return: the exit status.
 */
int cmd_report(int argc, char **argv)
{
	static const struct option options[] = {
		{ "output", required_argument, NULL, 'o' },
		{ "symbols", required_argument, NULL, 's' },
		{ "kaslr", required_argument, NULL, 'k' },
		{ "title", required_argument, NULL, 't' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 }
	};
	struct view view = { .vcpu = -1, .reason = -1, .place = -1 };
	const char *output = NULL, *title = NULL;
	int c, status;

	while ((c = getopt_long(argc, argv, "o:s:k:t:h", options, NULL)) != -1) {
		switch (c) {
		case 'o':
			output = optarg;
			break;
		case 's':
		case 'k':
			status = view_option(&view, c, optarg);
			if (status)
				return status;
			break;
		case 't':
			title = optarg;
			break;
		case 'h':
			print_help();
			return 0;
		default:
			return END_USAGE;
		}
	}
	if (argc - optind != 1) {
		fprintf(stderr, "vitro report: one recording; see --help\n");
		return END_USAGE;
	}
	if (!output && isatty(STDOUT_FILENO)) {
		fprintf(stderr, "vitro report: a page is not for a terminal: give --output FILE\n");
		return END_USAGE;
	}
	return report(argv[optind], title, output, &view);
}
