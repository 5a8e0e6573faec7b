// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bench vitro|kvm [ROW...] - prints for each row its name, its ticks or "failed", and what it is
 *
 * Each row is measured by a process of its own, three times, and the least counts: with
 * instructions for a clock, what is more is the timer's interrupt.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define TRIES	3

static bool measure(const struct row *row, double *cost)
{
	int fd[2], status;
	bool good;
	pid_t pid;

	if (pipe(fd))
		die("pipe: %s", strerror(errno));
	pid = fork();
	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (!pid) {
		*cost = row->cost(row);
		_exit(write(fd[1], cost, sizeof(*cost)) != sizeof(*cost));
	}
	close(fd[1]);
	good = read(fd[0], cost, sizeof(*cost)) == sizeof(*cost);
	close(fd[0]);
	waitpid(pid, &status, 0);
	return good && WIFEXITED(status) && !WEXITSTATUS(status);
}

static bool is_wanted(const struct row *row, int argc, char **argv)
{
	int i;

	for (i = 2; i < argc; i++)
		if (!strcmp(row->name, argv[i]))
			return true;
	return argc <= 2;
}

static bool measure_all(const struct row *rows, int argc, char **argv)
{
	const struct row *row;
	bool good = true;

	for (row = rows; row->name; row++) {
		double least = 0, cost;
		int i;

		if (!is_wanted(row, argc, argv))
			continue;
		for (i = 0; i < TRIES && measure(row, &cost); i++)
			if (!i || cost < least)
				least = cost;
		if (i == TRIES)
			printf("%s\t%.1f\t%s\n", row->name, least, row->what);
		else
			printf("%s\tfailed\t%s\n", row->name, row->what);
		fflush(stdout);
		good &= i == TRIES;
	}
	return good;
}

int main(int argc, char **argv)
{
	bool good;

	if (argc >= 2 && !strcmp(argv[1], "vitro"))
		hv = &hv_vitro;
	else if (argc >= 2 && !strcmp(argv[1], "kvm"))
		hv = &hv_kvm;
	if (!hv) {
		fprintf(stderr, "usage: bench vitro|kvm [ROW...]\n");
		return 2;
	}
	hv->open(hv);
	good = measure_all(guest_rows, argc, argv);
	good &= measure_all(host_rows, argc, argv);
	return !(measure_all(boot_rows, argc, argv) && good);
}
