// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Machine code from what the user wrote: by GNU as and ld if they are there, or from
 * hexadecimal digits.
 *
 * Each statement gets a line of its own, so that a message's line number tells which one
 * is wrong.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "snip.h"

#define MISSING	127	/* what a shell gives, too: there is no such program */

/* Code and data in one piece, in the order in which they were written. */
static const char script[] =	/* at SNIP_CODE */
"SECTIONS {\n"
"	. = 0x1000;\n"
"	.text : { *(.text .text.* .rodata .rodata.* .data .data.* .bss .bss.* COMMON) }\n"
"	/DISCARD/ : { *(*) }\n"
"}\n";

/**
 * struct work - files of the assembler
 * @dir: where they are
 */
struct work {
	char dir[PATH_MAX / 2];
};

static const char *const files[] = { "snip.s", "snip.ld", "snip.o", "snip.bin", "messages" };

static const char *path_in(const struct work *w, const char *name, char *path, size_t size)
{
	snprintf(path, size, "%s/%s", w->dir, name);
	return path;
}

static bool make_dir(struct work *w)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(w->dir, sizeof(w->dir), "%s/vitro-snip-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	return mkdtemp(w->dir);
}

static void remove_dir(const struct work *w)
{
	char path[PATH_MAX];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(files); i++)
		unlink(path_in(w, files[i], path, sizeof(path)));
	rmdir(w->dir);
}

/* -------------------------------------------------------------------- statements */

/*
 * Semicolons become ends of lines, where they separate statements: not in strings, after
 * ' and in comments.
 */
static char *split(const char *text)
{
	char *lines = strdup(text), *p;
	bool string = false, comment = false;

	for (p = lines; p && *p; p++) {
		if (*p == '\n')
			comment = false;
		else if (comment)
			continue;
		else if (*p == '\\' && string && p[1])
			p++;
		else if (*p == '"')
			string = !string;
		else if (string)
			continue;
		else if (*p == '\'' && p[1])
			p += p[1] == '\\' && p[2] ? 2 : 1;
		else if (*p == '#')
			comment = true;
		else if (*p == ';')
			*p = '\n';
	}
	return lines;
}

/* Statement @nr, from 1 on, without the blanks around it. */
static void print_statement(const char *lines, long nr)
{
	size_t length;

	while (--nr > 0 && *lines) {
		lines += strcspn(lines, "\n");
		lines += *lines == '\n';
	}
	lines += strspn(lines, " \t");
	length = strcspn(lines, "\n");
	while (length && isspace((unsigned char)lines[length - 1]))
		length--;
	fprintf(stderr, "'%.*s'", (int)length, lines);
}

/* "FILE:2: Error: no such instruction", or a line of ld's. */
static void print_message(const char *lines, const char *message)
{
	const char *text = strstr(message, "snip.s:");
	char *end;
	long nr;

	if (strstr(message, "Assembler messages:"))
		return;
	if (!text) {
		text = strstr(message, ": ");
		fprintf(stderr, "vitro snip: %s", text ? text + 2 : message);
		return;
	}
	nr = strtol(text + strlen("snip.s:"), &end, 10);
	fprintf(stderr, "vitro snip: statement %ld, ", nr);
	print_statement(lines, nr);
	fprintf(stderr, "%s", end);
}

static void print_messages(const struct work *w, const char *lines)
{
	char path[PATH_MAX], line[1024];
	FILE *file = fopen(path_in(w, "messages", path, sizeof(path)), "re");

	while (file && fgets(line, sizeof(line), file))
		print_message(lines, line);
	if (file)
		fclose(file);
}

/* ------------------------------------------------------------------------ programs */

static void in_child(const struct work *w, char *const *argv)
{
	int fd = -1;

	if (!chdir(w->dir))
		fd = open("messages", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd >= 0 && dup2(fd, STDERR_FILENO) >= 0 && dup2(fd, STDOUT_FILENO) >= 0) {
		setenv("LC_ALL", "C", 1);
		execvp(argv[0], argv);
	}
	_exit(errno == ENOENT ? MISSING : MISSING - 1);
}

/* Its exit status; what it prints goes to the file "messages". */
static int run_program(const struct work *w, char *const *argv)
{
	int status = -1;
	pid_t pid = fork();

	if (!pid)
		in_child(w, argv);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return snip_error("cannot run %s: %s", argv[0], strerror(errno));
	if (WIFEXITED(status) && WEXITSTATUS(status) == MISSING)
		return snip_error("there is no '%s' here; "
				  "install GNU binutils, or give --bytes 'b0 2a ...' or --file FILE",
				  argv[0]);
	return WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : END_USAGE;
}

static bool write_file(const struct work *w, const char *name, const char *first, const char *rest)
{
	char path[PATH_MAX];
	FILE *file = fopen(path_in(w, name, path, sizeof(path)), "we");
	bool good;

	if (!file)
		return false;
	good = fprintf(file, "%s%s\n", first, rest) > 0;
	return !fclose(file) && good;
}

static int build(const struct work *w, const char *lines, enum vitro_mode mode, bool intel)
{
	char *const as[] = {
		"as", mode == VITRO_MODE_LONG ? "--64" : "--32", "-o", "snip.o", "snip.s",
		intel ? "-msyntax=intel" : NULL, "-mnaked-reg", NULL
	};
	char *const ld[] = {
		"ld", "-m", mode == VITRO_MODE_LONG ? "elf_x86_64" : "elf_i386", "-T", "snip.ld",
		"--oformat", "binary", "-e", "0", "-o", "snip.bin", "snip.o", NULL
	};
	int status;

	if (!write_file(w, "snip.s", mode == VITRO_MODE_REAL ? ".code16; " : "", lines) ||
	    !write_file(w, "snip.ld", script, ""))
		return snip_error("cannot write to %s: %s", w->dir, strerror(errno));
	status = run_program(w, as);
	if (!status)
		status = run_program(w, ld);
	if (status)
		print_messages(w, lines);
	return status;
}

/**
 * snip_assemble - have instructions assembled
 * @text: they, separated by semicolons or ends of lines
 * @mode: for which mode; they will be at SNIP_CODE
 * @intel: Intel's syntax, not AT&T's
 * @image: set to the machine code; vitro_image_free() is due on success
 *
 * Return: 0, or an exit status; what is wrong has been said.
 */
int snip_assemble(const char *text, enum vitro_mode mode, bool intel, struct vitro_image *image)
{
	char *lines = split(text);
	char path[PATH_MAX];
	struct work w;
	int status;

	if (!lines || !make_dir(&w)) {
		free(lines);
		return snip_error("cannot make a directory for the assembler: %s", strerror(errno));
	}
	status = build(&w, lines, mode, intel);
	if (!status && vitro_image_read(image, path_in(&w, "snip.bin", path, sizeof(path))))
		status = snip_error("there is no code in '%s'", text);
	remove_dir(&w);
	free(lines);
	return status;
}

/* ------------------------------------------------------------------------- bytes */

/**
 * snip_bytes - machine code from hexadecimal digits
 * @hex: two for each byte; blanks, commas and 0x may be between
 * @image: set to the machine code; vitro_image_free() is due on success
 *
 * Return: 0, or an exit status; what is wrong has been said.
 */
int snip_bytes(const char *hex, struct vitro_image *image)
{
	uint8_t *data = malloc(strlen(hex) / 2 + 1);
	unsigned int byte;
	size_t size = 0;
	int used;

	if (!data)
		return snip_error("no memory");
	for (; *hex; hex += used) {
		used = strspn(hex, " \t\n,");
		if (used)
			continue;
		if (!strncmp(hex, "0x", 2)) {
			used = 2;
			continue;
		}
		used = 2;
		if (!isxdigit((unsigned char)hex[0]) || !isxdigit((unsigned char)hex[1])) {
			free(data);
			return snip_error("--bytes: '%s' are no hexadecimal digits", hex);
		}
		sscanf(hex, "%2x", &byte);
		data[size++] = byte;
	}
	if (!size) {
		free(data);
		return snip_error("--bytes: there are none");
	}
	*image = (struct vitro_image){ .data = data, .size = size };
	return 0;
}
