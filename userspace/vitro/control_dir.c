// SPDX-License-Identifier: GPL-2.0-or-later
/* The run directory: where the control sockets are. */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "cmd.h"
#include "control.h"

#define SUFFIX		".sock"

/* Where a user's machines are; false: nowhere that is known. */
static bool name_dir(char *dir, size_t size, unsigned int uid)
{
	const char *own = getenv("VITRO_RUN_DIR");
	const char *session = getenv("XDG_RUNTIME_DIR");
	int n;

	if (own && own[0])
		n = snprintf(dir, size, "%s", own);
	else if (uid == 0)
		n = snprintf(dir, size, "/run/vitro");
	else if (uid == geteuid() && session && session[0])
		n = snprintf(dir, size, "%s/vitro", session);
	else if (uid != geteuid())
		n = snprintf(dir, size, "/run/user/%u/vitro", uid);	/* systemd's habit */
	else
		return false;
	return n > 0 && (size_t)n < size;
}

/* The pid in "1234.sock", or 0. */
static pid_t pid_of(const char *file)
{
	const char *dot = strrchr(file, '.');
	char number[16] = "";
	uint64_t pid;

	if (!dot || strcmp(dot, SUFFIX) || (size_t)(dot - file) >= sizeof(number))
		return 0;
	memcpy(number, file, dot - file);
	return parse_number(number, 1, 1 << 22, &pid) ? (pid_t)pid : 0;
}

/* Somebody listens there, for all we know. */
static bool is_alive(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int n = snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	bool alive;

	alive = fd < 0 || n < 0 || (size_t)n >= sizeof(addr.sun_path) ||
		!connect(fd, (struct sockaddr *)&addr, sizeof(addr)) || errno != ECONNREFUSED;
	if (fd >= 0)
		close(fd);
	return alive;
}

/*
 * Removes what machines that were killed have left.  That nobody listens is not enough:
 * another machine may be between bind() and listen().
 */
static void clean(const char *dir)
{
	char path[512 + 1];	/* a directory's of 256, and a name of 256 */
	struct dirent *entry;
	DIR *d = opendir(dir);
	pid_t pid;

	while (d && (entry = readdir(d))) {
		pid = pid_of(entry->d_name);
		snprintf(path, sizeof(path), "%.255s/%s", dir, entry->d_name);
		if (pid && kill(pid, 0) && errno == ESRCH && !is_alive(path))
			unlink(path);
	}
	if (d)
		closedir(d);
}

/**
 * control_dir - make the run directory of this user, if it is not there, and clean it up
 * @dir: set to its path
 * @size: of @dir
 * @error: set to a sentence when there is none; empty if nobody said where it should be
 * @error_size: of @error
 *
 * Return: true if there is one, and nobody else gets in.
 */
bool control_dir(char *dir, size_t size, char *error, size_t error_size)
{
	struct stat st;

	error[0] = '\0';
	if (!name_dir(dir, size, geteuid()))
		return false;
	if (mkdir(dir, 0700) && errno != EEXIST) {
		snprintf(error, error_size, "cannot make %s: %s; set VITRO_RUN_DIR to another",
			 dir, strerror(errno));
		return false;
	}
	if (lstat(dir, &st) || !S_ISDIR(st.st_mode) || st.st_uid != geteuid() ||
	    (st.st_mode & 077)) {
		snprintf(error, error_size,
			 "%s has to be a directory of yours that nobody else may enter (mode 0700)",
			 dir);
		return false;
	}
	clean(dir);
	return true;
}

/**
 * control_path_of - where a machine listens
 * @path: set
 * @size: of @path
 * @pid: the machine's process
 * @uid: its user
 *
 * Return: false if nobody knows: XDG_RUNTIME_DIR is not set.
 */
bool control_path_of(char *path, size_t size, unsigned int pid, unsigned int uid)
{
	char dir[256];
	int n;

	if (!name_dir(dir, sizeof(dir), uid))
		return false;
	n = snprintf(path, size, "%s/%u" SUFFIX, dir, pid);
	return n > 0 && (size_t)n < size;
}
