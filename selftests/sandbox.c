// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What vitro run can do of itself: an ordinary user in the group of /dev/vitro runs it, and
 * each of its threads is confined (userspace/vitro/sandbox.h).  That the confinement holds is
 * tested without a guest, by selftests/host/test_vitro_sandbox.c.
 */
#include "kselftest_harness.h"

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../userspace/vitro/exitcode.h"
#include "vt.h"	/* how long a case may take */

#define DEVICE		"/dev/vitro"
#define SNIPPET		"/tmp/sandbox-snippet.bin"
#define DISK		"/tmp/sandbox-disk.img"
#define SAID		"/tmp/sandbox-said"
#define USER		1000
#define GROUP		2000		/* the group vitro */
#define PATIENCE_S	60

static void write_file(const char *path, const void *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, data, len) != (ssize_t)len)
		ksft_exit_fail_msg("cannot write %s\n", path);
	close(fd);
}

/* What is in a small file, as a string. */
static void read_file(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, size - 1);

	text[n < 0 ? 0 : n] = '\0';
	if (fd >= 0)
		close(fd);
}

FIXTURE(sandbox)
{
	struct stat device;
};

FIXTURE_SETUP(sandbox)
{
	if (access("/bin/vitro", X_OK))
		SKIP(return, "no command vitro on this machine");
	ASSERT_EQ(0, stat(DEVICE, &self->device));
	/* As scripts/60-vitro.rules has it. */
	ASSERT_EQ(0, chown(DEVICE, 0, GROUP));
	ASSERT_EQ(0, chmod(DEVICE, 0660));
}

FIXTURE_TEARDOWN(sandbox)
{
	if (chown(DEVICE, self->device.st_uid, self->device.st_gid) ||
	    chmod(DEVICE, self->device.st_mode & 07777))
		ksft_print_msg("cannot give %s back\n", DEVICE);
	unlink(SNIPPET);
	unlink(DISK);
	unlink(SAID);
}

/* Starts vitro; what it says goes to SAID. */
static pid_t launch(char *const args[], unsigned int uid, const gid_t *groups, size_t nr_groups)
{
	pid_t pid = fork();
	int fd;

	if (pid)
		return pid;
	fd = open(SAID, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	dup2(fd, STDERR_FILENO);
	if (setgroups(nr_groups, groups) || setgid(uid) || setuid(uid))
		_exit(99);
	execvp("vitro", args);
	_exit(98);
}

static int end_of(pid_t pid)
{
	int status = -1;

	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static char *const halts[] = {
	"vitro", "run", "--deadline", "60s", SNIPPET, NULL
};

TEST_F(sandbox, ordinary_user_in_the_group)
{
	static const gid_t group = GROUP;

	write_file(SNIPPET, "\xf4", 1);		/* hlt */
	EXPECT_EQ(END_POWEROFF, end_of(launch(halts, USER, &group, 1)));
}

TEST_F(sandbox, nobody_else)
{
	char said[512];

	write_file(SNIPPET, "\xf4", 1);
	EXPECT_EQ(END_HOST, end_of(launch(halts, USER, NULL, 0)));
	read_file(SAID, said, sizeof(said));
	EXPECT_TRUE(strstr(said, DEVICE)) TH_LOG("%s", said);
}

/* -------------------------------------------------------------------- its threads */

/**
 * struct threads - how a process's threads are confined
 * @nr: threads
 * @filtered: of them have a seccomp filter and get no new privileges
 * @bare: of them have no capability
 * @host: of them have CAP_SYS_ADMIN alone
 */
struct threads {
	int nr, filtered, bare, host;
};

static void look_at_thread(struct threads *t, const char *status)
{
	t->nr++;
	t->filtered += strstr(status, "\nSeccomp:\t2\n") && strstr(status, "\nNoNewPrivs:\t1\n");
	t->bare += strstr(status, "\nCapEff:\t0000000000000000\n") &&
		   strstr(status, "\nCapPrm:\t0000000000000000\n");
	t->host += strstr(status, "\nCapEff:\t0000000000200000\n") &&
		   strstr(status, "\nCapPrm:\t0000000000200000\n");
}

static struct threads look_at(pid_t pid)
{
	struct threads t = { .nr = 0 };
	char path[300], status[4096];
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%.20s/status", pid, entry->d_name);
		read_file(path, status, sizeof(status));
		look_at_thread(&t, status);
	}
	if (dir)
		closedir(dir);
	return t;
}

/* Two vCPUs, two devices, libslirp, console, control socket, main. */
#define NR_THREADS	8

static bool is_settled(const struct threads *t, int filtered)
{
	return t->nr == NR_THREADS && t->filtered == filtered;
}

/* Looks until as many threads are there, and as many of them confined, as there should be. */
static struct threads run_and_look(const char *sandbox, int filtered)
{
	char *const args[] = {
		"vitro", "run", "--cpus", "2", "--disk", DISK, "--rng", "--net", "user",
		"--sandbox", (char *)sandbox, "--deadline", "300s", SNIPPET, NULL
	};
	const struct timespec pause = { .tv_nsec = 50000000 };
	struct threads t = { .nr = 0 };
	pid_t pid;
	int i;

	write_file(SNIPPET, "\xeb\xfe", 2);	/* jmp $ */
	write_file(DISK, NULL, 0);
	if (truncate(DISK, 1 << 20))
		ksft_exit_fail_msg("cannot make %s\n", DISK);
	pid = launch(args, 0, NULL, 0);
	for (i = 0; i < PATIENCE_S * 20 && !is_settled(&t, filtered); i++) {
		nanosleep(&pause, NULL);
		t = look_at(pid);
	}
	kill(pid, SIGTERM);
	if (end_of(pid) != END_STOPPED)
		t.nr = -1;
	return t;
}

TEST_F_TIMEOUT(sandbox, every_thread_is_confined, 2 * PATIENCE_S)
{
	struct threads t = run_and_look("on", NR_THREADS);

	EXPECT_EQ(NR_THREADS, t.nr);
	EXPECT_EQ(NR_THREADS, t.filtered);
	/* For "vitro walk", that of the control socket keeps what root has. */
	EXPECT_EQ(1, t.host);
	EXPECT_EQ(NR_THREADS - 1, t.bare);
}

TEST_F_TIMEOUT(sandbox, off, 2 * PATIENCE_S)
{
	struct threads t = run_and_look("off", 0);

	EXPECT_EQ(NR_THREADS, t.nr);
	EXPECT_EQ(0, t.filtered);
	EXPECT_EQ(0, t.bare);
}

TEST_HARNESS_MAIN
