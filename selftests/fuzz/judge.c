// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Runs programs, and judges them by what becomes of the kernel: it must report nothing in
 * its log, and let each process go.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "../inject.h"
#include "fuzz.h"

/* Seconds that a program may take: a machine that shares its CPUs may stand still for long. */
#define PATIENCE	120

/* Pieces of vmalloc memory that are the module's: comm areas and recorders. */
static unsigned int count_areas(void)
{
	FILE *f = fopen("/proc/vmallocinfo", "r");
	unsigned int nr = 0;
	char line[512];

	while (f && fgets(line, sizeof(line), f))
		nr += !!strstr(line, "[vitro]");
	if (f)
		fclose(f);
	return nr;
}

/**
 * judge_init() - get what judging takes
 * @j: the judge
 */
void judge_init(struct judge *j)
{
	struct inject failures;
	sigset_t set;

	if (inject_open(&failures))
		printf("# this kernel has no fault injection: nothing is made to fail\n");
	else
		close(failures.nth);
	j->areas = count_areas();
	j->dev = vt_open();
	j->kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (j->kmsg < 0 || lseek(j->kmsg, 0, SEEK_END) < 0)
		vt_die("/dev/kmsg: %s", strerror(errno));
	j->shared = mmap(NULL, sizeof(*j->shared) + MAX_TEXT, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (j->shared == MAP_FAILED)
		vt_die("no memory to share with programs");
	/* Children of programs come to us when these end. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

/* --------------------------------------------------------------------------- the log */

/*
 * Reads what is new in the log, and prints it if it belongs to a report: from the first line
 * of one on, or from the beginning.  True if it does.
 */
static bool read_log(int kmsg, bool reported)
{
	static int asked_for;
	char record[2048];
	ssize_t n;

	/* EPIPE: records were overwritten before they were read; go on with the next. */
	while ((n = read(kmsg, record, sizeof(record) - 1)) > 0 || errno == EPIPE) {
		char *message;

		if (n <= 0)
			continue;
		record[n] = 0;
		message = strchr(record, ';');
		message = message ? message + 1 : record;
		message[strcspn(message, "\n")] = 0;
		if (is_asked_for(message, &asked_for))
			continue;
		reported |= is_report(message);
		if (reported)
			printf("# kernel: %s\n", message);
	}
	return reported;
}

/**
 * reported() - has the kernel reported anything since the last time?
 * @j: the judge
 *
 * What it has to say has been printed.
 */
bool reported(struct judge *j)
{
	if (!read_log(j->kmsg, false))
		return false;
	vt_sleep_ms(500);	/* another CPU may not have finished its report */
	read_log(j->kmsg, true);
	return true;
}

/* Where a thread of a process that does not end is. */
static void print_stacks(pid_t pid)
{
	char path[300], line[256];
	struct dirent *entry;
	DIR *dir;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "/proc/%d/task/%s/stack", pid, entry->d_name);
		f = fopen(path, "r");
		while (f && fgets(line, sizeof(line), f))
			printf("# %d/%s: %s", pid, entry->d_name, line);
		if (f)
			fclose(f);
	}
	if (dir)
		closedir(dir);
}

/* -------------------------------------------------------------------------- processes */

/* Waits until @pid, or with -1 all children, are gone.  False: not in time. */
static bool wait_for(pid_t pid)
{
	time_t end = time(NULL) + PATIENCE;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	for (;;) {
		const struct timespec second = { .tv_sec = 1 };
		pid_t gone = waitpid(-1, NULL, WNOHANG);

		if (gone == pid || (gone < 0 && errno == ECHILD))
			return true;
		if (gone > 0)
			continue;
		if (time(NULL) > end)
			return false;
		sigtimedwait(&set, NULL, &second);
	}
}

/**
 * judge() - run a program
 * @j: the judge
 * @p: the program
 *
 * Return: what became of it.  After STUCK, this machine is good for nothing more.
 */
enum verdict judge(struct judge *j, const struct program *p)
{
	bool ended;
	pid_t pid;
	int i;

	for (i = 0; i < MAX_CALLS; i++)
		j->shared->results[i] = UNCALLED;
	j->shared->fresh = 0;
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		vt_die("fork: %s", strerror(errno));
	if (!pid)
		execute(p, j->shared, j->dev);
	ended = wait_for(pid);
	if (!ended) {
		printf("# a program still runs after %d s:\n", PATIENCE);
		print_stacks(pid);
	}
	kill(-pid, SIGKILL);
	if (!wait_for(-1)) {
		printf("# a process does not end, %d s after SIGKILL:\n", PATIENCE);
		print_stacks(pid);
		return STUCK;
	}
	if (reported(j))
		return REPORTED;
	return ended ? FINE : STUCK;
}

/**
 * all_gone() - has the module let go of all that programs made?
 * @j: the judge
 * @seconds: that it may take: some of it goes by work queues and RCU
 *
 * Return: false if not.  What remains has been printed, and is not asked for again.
 */
bool all_gone(struct judge *j, unsigned int seconds)
{
	time_t end = time(NULL) + seconds;
	unsigned int areas;
	bool gone;
	int users;

	close(j->dev);
	for (;;) {
		FILE *f = fopen("/sys/module/vitro/refcnt", "r");

		if (!f || fscanf(f, "%d", &users) != 1)
			users = -1;
		if (f)
			fclose(f);
		areas = count_areas();
		/* Fewer than at the start: what was before us has gone meanwhile. */
		gone = users >= 0 && users <= j->users && areas <= j->areas;
		if (gone || time(NULL) > end)
			break;
		vt_sleep_ms(20);
	}
	j->dev = vt_open();
	if (gone)
		return true;
	printf("# the module has %d users, before %d; %u areas of memory, before %u\n", users,
	       j->users, areas, j->areas);
	j->users = users;
	j->areas = areas;
	return false;
}
