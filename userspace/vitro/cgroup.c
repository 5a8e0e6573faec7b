// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * --cpu-weight, --cpu-max, --memory-max: limits by a control group (the kernel's
 * Documentation/admin-guide/cgroup-v2.rst).
 *
 * A virtual machine is a process, so its limits are those of a group with one process.
 * The group is made below the one that the process is in, or below --cgroup.  Groups
 * that pass controllers on to children have no processes of their own, except the
 * root: so the process moves out first, and then turns the controllers on.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include "cgroup.h"
#include "cmd.h"

#define CGROUP_ROOT	"/sys/fs/cgroup"
#define DEFAULT_PERIOD	100000		/* microseconds, as the kernel's */
#define REMOVE_TRIES	200		/* two seconds */

static int group_open(const char *dir, const char *file)
{
	char path[CGROUP_PATH + 64];

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	return open(path, O_WRONLY | O_CLOEXEC);
}

static int write_text(int fd, const char *text)
{
	return write(fd, text, strlen(text)) < 0 ? errno : 0;
}

/* Write @text to a file of a group; returns 0 or an errno. */
static int group_write(const char *dir, const char *file, const char *text)
{
	int fd = group_open(dir, file);
	int err = fd < 0 ? errno : write_text(fd, text);

	if (fd >= 0)
		close(fd);
	return err;
}

static int group_move(const char *dir)
{
	return group_write(dir, "cgroup.procs", "0");	/* 0: who writes */
}

/* Is @word in a file of a group, among others? */
static bool group_has(const char *dir, const char *file, const char *word)
{
	char path[CGROUP_PATH + 64], line[256] = "", *rest = line, *w;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	f = fopen(path, "re");
	if (!f)
		return false;
	if (!fgets(line, sizeof(line), f))
		line[0] = '\0';
	fclose(f);
	line[strcspn(line, "\n")] = '\0';
	while ((w = strsep(&rest, " ")))
		if (!strcmp(w, word))
			return true;
	return false;
}

/* The group that this process is in: the line "0::/PATH" of /proc/self/cgroup. */
static bool find_home(char *home)
{
	char line[CGROUP_PATH - sizeof(CGROUP_ROOT)];
	bool found = false;
	FILE *f;

	if (access(CGROUP_ROOT "/cgroup.controllers", F_OK))
		return false;
	f = fopen("/proc/self/cgroup", "re");
	if (!f)
		return false;
	while (!found && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "0::/", 4))
			continue;
		if (!strcmp(line, "0::/"))	/* the root */
			line[3] = '\0';
		snprintf(home, CGROUP_PATH, CGROUP_ROOT "%s", line + 3);
		found = true;
	}
	fclose(f);
	return found;
}

#define CURE_BUSY	"it has other processes; have systemd-run --scope -p Delegate=yes start " \
			"vitro, or name another group by --cgroup"
#define CURE_ABSENT	"the group above must pass them on: write +cpu and +memory to its " \
			"cgroup.subtree_control"
#define CURE_DENIED	"name a directory that you may write to by --cgroup, or have " \
			"systemd-run --user --scope -p Delegate=yes start vitro"
#define CURE_CPU_MAX	"microseconds of CPU time, from 1000 on, and of the period they are " \
			"for, 1000 to 1000000, as in 50000/100000"

static int failed(const char *what, const char *where, int err, const char *cure)
{
	fprintf(stderr, "vitro run: cannot %s %s: %s (%s)\n", what, where, strerror(err), cure);
	return END_HOST;
}

/* Turn a controller on for the children of the parent, unless it is. */
static int enable(struct cgroup *group, const char *controller)
{
	char text[16];
	size_t len = strlen(group->enabled);
	int err;

	if (group_has(group->parent, "cgroup.subtree_control", controller))
		return 0;
	snprintf(text, sizeof(text), "+%s", controller);
	err = group_write(group->parent, "cgroup.subtree_control", text);
	if (err == EBUSY)
		return failed("turn on controllers in", group->parent, err, CURE_BUSY);
	if (err)
		return failed("turn on controllers in", group->parent, err, CURE_ABSENT);
	snprintf(group->enabled + len, sizeof(group->enabled) - len, "%s-%s", len ? " " : "",
		 controller);
	return 0;
}

static int set_limit(struct cgroup *group, const char *controller, const char *file,
		     const char *text)
{
	int status = enable(group, controller);
	int err;

	if (status)
		return status;
	err = group_write(group->path, file, text);
	if (err)
		return failed("set a limit in", group->path, err, file);
	return 0;
}

/* "QUOTA" or "QUOTA/PERIOD", in microseconds, as cpu.max has it. */
static bool parse_cpu_max(const char *text, char *limit, size_t size)
{
	uint64_t quota, period = DEFAULT_PERIOD;
	char copy[64], *slash;

	snprintf(copy, sizeof(copy), "%s", text);
	slash = strchr(copy, '/');
	if (slash)
		*slash++ = '\0';
	/* The kernel's own bounds: a millisecond at least, a second at most for a period. */
	if (!parse_number(copy, 1000, UINT32_MAX, &quota) ||
	    (slash && !parse_number(slash, 1000, 1000000, &period)))
		return false;
	snprintf(limit, size, "%llu %llu", (unsigned long long)quota,
		 (unsigned long long)period);
	return true;
}

static int set_limits(struct cgroup *group, const struct config *config, const char *cpu_max)
{
	char text[32];
	int status = 0;

	if (config->cpu_weight) {
		snprintf(text, sizeof(text), "%u", config->cpu_weight);
		status = set_limit(group, "cpu", "cpu.weight", text);
	}
	if (!status && config->cpu_max)
		status = set_limit(group, "cpu", "cpu.max", cpu_max);
	if (!status && config->memory_max) {
		snprintf(text, sizeof(text), "%llu", (unsigned long long)config->memory_max);
		status = set_limit(group, "memory", "memory.max", text);
	}
	return status;
}

static int make_group(struct cgroup *group)
{
	int err;

	if (snprintf(group->path, sizeof(group->path), "%s/vitro-%d", group->parent,
		     (int)getpid()) >= (int)sizeof(group->path) || mkdir(group->path, 0755)) {
		err = errno;
		group->path[0] = '\0';
		return failed("make a control group in", group->parent, err, CURE_DENIED);
	}
	/* For the way back, when nothing can be opened any more (sandbox.h). */
	group->home_procs = group_open(group->home, "cgroup.procs");
	group->parent_control = group_open(group->parent, "cgroup.subtree_control");
	err = group_move(group->path);
	if (err)
		return failed("move to control group", group->path, err, CURE_DENIED);
	return 0;
}

/**
 * cgroup_enter - move this process to a group of its own, with the limits asked for
 * @group: set; cgroup_leave() is due in any case
 * @config: the limits; without any, nothing happens
 *
 * Call it before there is memory to account for.
 *
 * Return: 0 or an exit status; what is wrong has been said.
 */
int cgroup_enter(struct cgroup *group, const struct config *config)
{
	char cpu_max[48] = "";
	int status;

	*group = (struct cgroup){ .path = "" };
	if (!config->cpu_weight && !config->cpu_max && !config->memory_max)
		return config->cgroup ? usage_error("--cgroup: without limits it is of no use") : 0;
	if (config->cpu_max && !parse_cpu_max(config->cpu_max, cpu_max, sizeof(cpu_max)))
		return usage_error("--cpu-max '%s': %s", config->cpu_max, CURE_CPU_MAX);
	if (!find_home(group->home)) {
		fprintf(stderr, "vitro run: no cgroup v2 on %s (mount -t cgroup2 none %s)\n",
			CGROUP_ROOT, CGROUP_ROOT);
		return END_HOST;
	}
	snprintf(group->parent, sizeof(group->parent), "%s",
		 config->cgroup ? config->cgroup : group->home);
	status = make_group(group);
	return status ? status : set_limits(group, config, cpu_max);
}

/*
 * A thread that has been joined may still be on its way out of the kernel, slowly if the
 * group has little CPU time; it does not move any more, and keeps the group busy.
 */
static void remove_group(const char *path)
{
	const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };
	int i;

	for (i = 0; i < REMOVE_TRIES && rmdir(path) && errno == EBUSY; i++)
		nanosleep(&pause, NULL);
}

/**
 * cgroup_leave - move back, and remove the group
 * @group: as cgroup_enter() left it
 */
void cgroup_leave(struct cgroup *group)
{
	if (!group->path[0])
		return;
	/* A group that passes controllers on takes no processes: it must not any more. */
	if (write_text(group->home_procs, "0") && group->enabled[0]) {
		write_text(group->parent_control, group->enabled);
		write_text(group->home_procs, "0");
	}
	remove_group(group->path);
	close(group->home_procs);
	close(group->parent_control);
}
