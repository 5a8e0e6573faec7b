/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Failing allocations, by the kernel's own fault injection (Documentation/fault-injection/):
 * who writes N to its fail-nth has the N-th thing fail that can fail in what it does next: an
 * allocation from a slab or of pages, or a copy from or to userspace.
 */
#ifndef INJECT_H
#define INJECT_H

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include "reports.h"
#include "vt.h"

#define FAULTS	"/sys/kernel/debug/"

/**
 * struct inject - the means to make this thread's system calls fail
 * @nth: its fail-nth
 * @kmsg: the kernel's log, from here on
 */
struct inject {
	int nth;
	int kmsg;
};

static inline int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), ret;

	if (fd < 0)
		return -errno;
	ret = write(fd, text, strlen(text)) < 0 ? -errno : 0;
	close(fd);
	return ret;
}

/* Fills @in; returns NULL, or what the kernel lacks. */
static inline const char *inject_open(struct inject *in)
{
	static const struct {
		const char *file, *value, *option;
	} set[] = {
		/* Also what may wait for memory, which is nearly all; and single pages. */
		{ FAULTS "failslab/ignore-gfp-wait", "N", "CONFIG_FAILSLAB" },
		{ FAULTS "fail_page_alloc/ignore-gfp-wait", "N", "CONFIG_FAIL_PAGE_ALLOC" },
		{ FAULTS "fail_page_alloc/ignore-gfp-highmem", "N", "CONFIG_FAIL_PAGE_ALLOC" },
		{ FAULTS "fail_page_alloc/min-order", "0", "CONFIG_FAIL_PAGE_ALLOC" },
		{ FAULTS "failslab/verbose", "0", "CONFIG_FAULT_INJECTION_DEBUG_FS" },
		{ FAULTS "fail_page_alloc/verbose", "0", "CONFIG_FAULT_INJECTION_DEBUG_FS" },
		{ FAULTS "fail_usercopy/verbose", "0", "CONFIG_FAULT_INJECTION_USERCOPY" },
	};

	in->nth = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (in->nth < 0)
		return "CONFIG_FAULT_INJECTION";
	for (size_t i = 0; i < ARRAY_SIZE(set); i++)
		if (write_file(set[i].file, set[i].value))
			return set[i].option;
	return NULL;
}

static inline void inject_arm(const struct inject *in, unsigned int n)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", n);
	if (write(in->nth, text, strlen(text)) < 0)
		vt_die("fail-nth: %s", strerror(errno));
}

/* No more failures.  How many calls were left until the one that was to fail?  0: it did. */
static inline unsigned int inject_disarm(const struct inject *in)
{
	char text[16] = "";
	int n = pread(in->nth, text, sizeof(text) - 1, 0);
	unsigned int left;

	/* If there was but one left, the copy to our buffer was it. */
	left = n < 0 ? 1 : strtoul(text, NULL, 10);
	/* Likewise with the copy of this; then it is done all the same. */
	if (write(in->nth, "0", 1) < 0 && errno != EFAULT)
		vt_die("fail-nth: %s", strerror(errno));
	return left;
}

/* ------------------------------------------------------------ where it failed */

/* Makes the kernel log the stack of each failure from here on, or no more. */
static inline void inject_verbose(struct inject *in, bool on)
{
	static const char *const kind[] = { "failslab", "fail_page_alloc", "fail_usercopy" };
	char path[96];

	for (size_t i = 0; i < ARRAY_SIZE(kind); i++) {
		snprintf(path, sizeof(path), FAULTS "%s/verbose_ratelimit_interval_ms", kind[i]);
		write_file(path, "0");
		snprintf(path, sizeof(path), FAULTS "%s/verbose", kind[i]);
		if (write_file(path, on ? "2" : "0"))
			vt_die("%s", path);
	}
	if (!on) {
		close(in->kmsg);
		return;
	}
	in->kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (in->kmsg < 0)
		vt_die("/dev/kmsg: %s", strerror(errno));
	lseek(in->kmsg, 0, SEEK_END);
}

/* A line of the log without what comes before the text; false if there is no more. */
static inline bool log_line(const struct inject *in, char *line, size_t size)
{
	int n = read(in->kmsg, line, size - 1);
	char *text;

	if (n <= 0)
		return n < 0 && errno == EPIPE ? log_line(in, line, size) : false;
	line[n] = '\0';
	line[strcspn(line, "\n")] = '\0';
	text = strchr(line, ';');
	if (text)
		memmove(line, text + 1, strlen(text));
	return true;
}

/**
 * struct site - where a call failed
 * @kind: failslab, fail_page_alloc, fail_usercopy; empty if the kernel logged nothing, as for
 *	allocations that are not to warn
 * @callee: whom vitro.ko had called
 * @caller: its function and the offset in it; empty if vitro.ko had no part in it
 * @in_init: while a module's init function ran
 */
struct site {
	char kind[32], callee[64], caller[64];
	bool in_init;
};

/* What the log says of the last failure. */
static inline struct site inject_site(const struct inject *in)
{
	char line[1024], last[64] = "", word[64];
	struct site site = { .kind = "" };

	while (log_line(in, line, sizeof(line))) {
		const char *name = strstr(line, "name ");

		/* In the same record as the line before, so that the newline is escaped. */
		if (strstr(line, "FAULT_INJECTION") && name)
			sscanf(name, "name %31[^,],", site.kind);
		if (!strncmp(line, " do_init_module+", 16))
			site.in_init = true;
		/* Frames that the unwinder is not sure of begin with a question mark. */
		if (sscanf(line, " %63[^? ]", word) != 1 || line[0] != ' ' || !strchr(word, '+'))
			continue;
		if (strstr(line, "[vitro]") && !site.caller[0]) {
			memcpy(site.caller, word, sizeof(word));
			memcpy(site.callee, last, sizeof(last));
		}
		memcpy(last, word, sizeof(last));
	}
	site.callee[strcspn(site.callee, "+")] = '\0';
	return site;
}

/* --------------------------------------------------------------- what is left */

/* A number in a file with lines of names and numbers, or the only one; -1 if there is none. */
static inline long number_in(const char *path, const char *name)
{
	char line[256];
	FILE *f = fopen(path, "re");
	long value = -1;

	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f)) {
		size_t len = strlen(name);

		if (strncmp(line, name, len) || (len && line[len] != ' '))
			continue;
		value = strtol(line + len, NULL, 10);
		break;
	}
	fclose(f);
	return value;
}

/* The lowest file descriptor that is free: it grows if a call that failed left one behind. */
static inline int lowest_fd(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	close(fd);
	return fd;
}

/* How many files of vitro.ko there are. */
static inline long module_refs(void)
{
	return number_in("/sys/module/vitro/refcnt", "");
}

#define CGROUP	"/tmp/inject-cgroup"

/*
 * Puts this process into a memory control group of its own, so that what the kernel
 * allocates for it is counted; false if this kernel has none.
 */
static inline bool count_kernel_memory(void)
{
	mkdir(CGROUP, 0700);
	if (mount("cgroup", CGROUP, "cgroup2", 0, NULL) && errno != EBUSY)
		return false;
	write_file(CGROUP "/cgroup.subtree_control", "+memory");
	mkdir(CGROUP "/inject", 0700);
	return !write_file(CGROUP "/inject/cgroup.procs", "0");
}

/* Bytes, in whole pages: those in use, and up to a page for each CPU; -1 if not counted. */
static inline long kernel_memory(void)
{
	return number_in(CGROUP "/inject/memory.stat", "kernel");
}

#endif /* INJECT_H */
