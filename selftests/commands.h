/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For tests of commands as their users see them: run one, look at what it prints. */
#ifndef SELFTESTS_COMMANDS_H
#define SELFTESTS_COMMANDS_H

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "vt.h"	/* how long a case may take */

/* 16-bit code: for ever, CPUID and OUT to port 0x42. */
#define FOR_EVER	"\x31\xc0\x0f\xa2\xe6\x42\xeb\xf8"
/* Three times CPUID, then OUT to a port, then HLT. */
#define THREE(port)	"\xbe\x03\x00\x31\xc0\x0f\xa2\x4e\x75\xf9\xb0\x55\xe6" port "\xf4"

static char output[1 << 20];

/* Runs a shell's command; its output goes to "output".  Returns its exit status. */
__attribute__((format(printf, 1, 2)))
static int sh(const char *fmt, ...)
{
	char command[1024];
	size_t n, len = 0;
	va_list args;
	FILE *f;

	va_start(args, fmt);
	vsnprintf(command, sizeof(command), fmt, args);
	va_end(args);
	f = popen(command, "r");
	if (!f)
		return -1;
	while ((n = fread(output + len, 1, sizeof(output) - 1 - len, f)) > 0)
		len += n;
	output[len] = '\0';
	return WEXITSTATUS(pclose(f));
}

static void write_file(const char *name, const char *data, size_t len)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, data, len) != (ssize_t)len)
		ksft_exit_fail_msg("cannot write %s: %s\n", name, strerror(errno));
	close(fd);
}

/* How often a text is in the output. */
static unsigned int count(const char *text)
{
	const char *p = output;
	unsigned int n = 0;

	while ((p = strstr(p, text))) {
		p += strlen(text);
		n++;
	}
	return n;
}

static inline void pause_ms(unsigned int ms)
{
	const struct timespec pause = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&pause, NULL);
}

/* Starts a machine that exits for ever, called "two-words"; returns its process. */
static inline pid_t run_for_ever(void)
{
	pid_t pid;

	write_file("/tmp/forever.bin", FOR_EVER, sizeof(FOR_EVER) - 1);
	pid = fork();
	if (pid == 0) {
		execlp("vitro", "vitro", "run", "--name", "two words", "--mode", "16",
		       "/tmp/forever.bin", NULL);
		_exit(127);
	}
	/* It is there once its guest exits: listed it is before it begins to run. */
	for (int i = 0; i < 100; i++) {
		if (!sh("vitro stat --interval 100ms --count 1 two-words 2>&1") &&
		    strstr(output, "\ncpuid "))
			return pid;
		pause_ms(100);
	}
	ksft_exit_fail_msg("the machine does not run:\n%s", output);
	return -1;
}

/* Returns the exit status of a process that was started here. */
static inline int status_of(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

#endif /* SELFTESTS_COMMANDS_H */
