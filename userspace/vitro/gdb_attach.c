// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vitro gdb: have a machine that runs listen for gdb; or be the pipe between gdb and the
 * machine, as in gdb's "target remote | vitro gdb NAME".
 */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cmd.h"
#include "control.h"
#include "gdb.h"

static void print_help(void)
{
	printf("usage: vitro gdb [OPTION]... [MACHINE [WHERE]]\n\n"
	       "Lets gdb debug the guest of a machine that runs.  MACHINE is its name or id; see\n"
	       "vitro ps.  With WHERE, that is [HOST:]PORT or the path of a socket or serial line,\n"
	       "the machine waits there for gdb, for as long as it runs.  Without, vitro gdb itself\n"
	       "is the connection, on standard input and output, for gdb's\n\n"
	       "  (gdb) target remote | vitro gdb MACHINE\n\n"
	       "  -h, --help   this help\n\n"
	       "The guest stops when gdb connects, and goes on when it detaches.\n");
}

/* Copies what is there; returns false at the end. */
static bool copy(int from, int to)
{
	char buf[4096];
	ssize_t n = read(from, buf, sizeof(buf)), done, w;

	if (n < 0 && errno == EINTR)
		return true;
	for (done = 0; done < n; done += w) {
		w = write(to, buf + done, n - done);
		if (w <= 0)
			return false;
	}
	return n > 0;
}

/* Between gdb, which started us, and the machine, until one of them has enough. */
static void be_the_pipe(int fd)
{
	struct pollfd wait[] = {
		{ .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = fd, .events = POLLIN },
	};

	for (;;) {
		if (poll(wait, 2, -1) < 0)
			continue;
		if (wait[1].revents && !copy(fd, STDOUT_FILENO))
			return;
		if (wait[0].revents && !copy(STDIN_FILENO, fd))
			return;
	}
}

static int connect_pipe(struct control_client *c)
{
	struct control_fds fds = { .nr = 1 };
	json_t *result;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) {
		fprintf(stderr, "vitro gdb: socketpair: %s\n", strerror(errno));
		return END_HOST;
	}
	fds.fd[0] = pair[1];
	result = control_call_fds(c, json_pack("{s:s}", "command", "gdb"), &fds);
	close(pair[1]);
	if (result)
		be_the_pipe(pair[0]);
	else
		fprintf(stderr, "vitro gdb: %s\n", c->error);
	close(pair[0]);
	json_decref(result);
	return result ? 0 : END_HOST;
}

/* The machine opens nothing itself (sandbox.h). */
static int listen_there(struct control_client *c, const char *where)
{
	struct control_fds fds = { .nr = 1 };
	char error[512], text[300];
	json_t *result;

	fds.fd[0] = gdb_where_open(where, error, sizeof(error));
	if (fds.fd[0] < 0) {
		fprintf(stderr, "vitro gdb: %s\n", error);
		return END_HOST;
	}
	gdb_where_describe(fds.fd[0], where, text, sizeof(text));
	result = control_call_fds(c, json_pack("{s:s}", "command", "gdb"), &fds);
	if (result) {
		close(fds.fd[0]);
		printf("target remote %s\n", text);
	} else {
		gdb_where_close(fds.fd[0]);
		fprintf(stderr, "vitro gdb: %s\n", c->error);
	}
	json_decref(result);
	return result ? 0 : END_HOST;
}

/**
 * cmd_gdb - the subcommand
 * @argc: arguments, the subcommand's name first
 * @argv: they
 *
 * Return: the exit status.
 */
int cmd_gdb(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 }
	};
	struct control_client c;
	int status, opt;

	while ((opt = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (opt == 'h')
			print_help();
		return opt == 'h' ? 0 : END_USAGE;
	}
	if (argc - optind > 2) {
		fprintf(stderr, "vitro gdb: '%s': too many arguments; see vitro gdb --help\n",
			argv[optind + 2]);
		return END_USAGE;
	}
	status = control_connect(&c, "gdb", optind < argc ? argv[optind] : NULL);
	if (status)
		return status;
	status = argc - optind == 2 ? listen_there(&c, argv[optind + 1]) : connect_pipe(&c);
	control_disconnect(&c);
	return status;
}
