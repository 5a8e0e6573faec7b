/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A program on a terminal: it runs on a pty, and what it draws there is kept as a screen of
 * characters.  The terminal is a vt100, as far as curses uses one; colors and the like are lost.
 */
#ifndef SELFTESTS_TERMINAL_H
#define SELFTESTS_TERMINAL_H

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_ROWS	50
#define MAX_COLUMNS	132
#define PATIENCE	60	/* seconds in which anything comes, on a busy host, too */

/**
 * struct terminal - a pty with a program
 * @fd: the pty
 * @pid: the program
 * @rows: @columns: size
 * @y: @x: cursor
 * @top: @bottom: first and last line of the region that scrolls
 * @screen: lines, each ended by a zero
 * @escaped: an escape sequence is coming
 * @escape: what has come of it so far, @nr_escape characters
 */
struct terminal {
	int fd;
	pid_t pid;
	int rows, columns;
	int y, x;
	int top, bottom;
	char screen[MAX_ROWS][MAX_COLUMNS + 1];
	bool escaped;
	char escape[32];
	unsigned int nr_escape;
};

static void terminal_clear(struct terminal *t, int y, int x, int end_y, int end_x)
{
	for (; y < end_y || (y == end_y && x < end_x); x++) {
		if (x == t->columns) {
			x = -1;
			y++;
			continue;
		}
		t->screen[y][x] = ' ';
	}
}

static void terminal_move(struct terminal *t, int y, int x)
{
	t->y = y < 0 ? 0 : y < t->rows ? y : t->rows - 1;
	t->x = x < 0 ? 0 : x < t->columns ? x : t->columns - 1;
}

/* The region moves by a line: up, or down.  Curses does so when lines come or go. */
static void terminal_scroll(struct terminal *t, bool up)
{
	size_t size = (t->bottom - t->top) * sizeof(t->screen[0]);
	int empty = up ? t->bottom : t->top;

	if (up)
		memmove(t->screen[t->top], t->screen[t->top + 1], size);
	else
		memmove(t->screen[t->top + 1], t->screen[t->top], size);
	terminal_clear(t, empty, 0, empty, t->columns);
}

static void terminal_newline(struct terminal *t)
{
	if (t->y == t->bottom)
		terminal_scroll(t, true);
	else
		terminal_move(t, t->y + 1, t->x);
}

/* A control sequence: ESC [ numbers letter.  (ECMA-48, VT100 User Guide chapter 3) */
static void terminal_control(struct terminal *t)
{
	int a = 0, b = 0, n = sscanf(t->escape, "[%d;%d", &a, &b), step = a ? a : 1;

	if (n < 1)
		sscanf(t->escape, "[;%d", &b);
	switch (t->escape[t->nr_escape - 1]) {
	case 'A':
		terminal_move(t, t->y - step, t->x);
		break;
	case 'B':
		terminal_move(t, t->y + step, t->x);
		break;
	case 'C':
		terminal_move(t, t->y, t->x + step);
		break;
	case 'D':
		terminal_move(t, t->y, t->x - step);
		break;
	case 'H':
		terminal_move(t, a - 1, b - 1);
		break;
	case 'J':	/* all, or from the cursor on */
		terminal_clear(t, a == 2 ? 0 : t->y, a == 2 ? 0 : t->x, t->rows - 1, t->columns);
		break;
	case 'K':	/* of the line: what is before the cursor, or from it on */
		terminal_clear(t, t->y, a == 1 ? 0 : t->x, t->y, a == 1 ? t->x + 1 : t->columns);
		break;
	case 'r':	/* the region, by default all */
		t->top = a ? a - 1 : 0;
		t->bottom = (b ? b : t->rows) - 1;
		if (t->top >= t->bottom || t->bottom >= t->rows) {
			t->top = 0;
			t->bottom = t->rows - 1;
		}
		terminal_move(t, 0, 0);
		break;
	}
}

static void terminal_escape(struct terminal *t, char c)
{
	const char *e = t->escape;

	t->escape[t->nr_escape++] = c;
	t->escape[t->nr_escape] = '\0';
	/* ( and ) choose a set of characters, which is one character more. */
	if ((e[0] == '(' || e[0] == ')') && t->nr_escape < 2)
		return;
	if (e[0] == '[' && (t->nr_escape == 1 || c < '@') && t->nr_escape < sizeof(t->escape) - 1)
		return;
	if (e[0] == '[')
		terminal_control(t);
	if (e[0] == 'M' && t->y == t->top)	/* up, scrolling */
		terminal_scroll(t, false);
	else if (e[0] == 'M')
		terminal_move(t, t->y - 1, t->x);
	t->nr_escape = 0;
	t->escape[0] = '\0';
}

static void terminal_put(struct terminal *t, char c)
{
	if (t->escaped) {
		terminal_escape(t, c);
		t->escaped = t->nr_escape > 0;
		return;
	}
	switch (c) {
	case '\033':
		t->escaped = true;
		break;
	case '\r':
		t->x = 0;
		break;
	case '\n':
		terminal_newline(t);
		break;
	case '\b':
		terminal_move(t, t->y, t->x - 1);
		break;
	case '\t':
		terminal_move(t, t->y, (t->x | 7) + 1);
		break;
	default:
		if ((unsigned char)c < ' ')
			break;
		if (t->x == t->columns) {	/* it had waited behind the edge */
			terminal_newline(t);
			t->x = 0;
		}
		t->screen[t->y][t->x++] = c;
		break;
	}
}

/* Takes in what comes within so many milliseconds; false when the program has ended. */
static bool terminal_read(struct terminal *t, int ms)
{
	struct pollfd in = { .fd = t->fd, .events = POLLIN };
	char buf[4096];
	ssize_t n, i;

	if (poll(&in, 1, ms) <= 0)
		return true;
	n = read(t->fd, buf, sizeof(buf));
	for (i = 0; i < n; i++)
		terminal_put(t, buf[i]);
	return n > 0;
}

static void terminal_size(struct terminal *t, int rows, int columns)
{
	struct winsize size = { .ws_row = rows, .ws_col = columns };

	t->rows = rows;
	t->columns = columns;
	t->top = 0;
	t->bottom = rows - 1;
	terminal_move(t, t->y, t->x);
	for (int i = 0; i < MAX_ROWS; i++) {
		t->screen[i][columns] = '\0';
		if (i >= rows)
			t->screen[i][0] = '\0';
	}
	ioctl(t->fd, TIOCSWINSZ, &size);
}

/* The shell makes way for the command, so that signals reach that. */
static void terminal_start(struct terminal *t, int rows, int columns, const char *command)
{
	struct winsize size = { .ws_row = rows, .ws_col = columns };
	char line[256];

	snprintf(line, sizeof(line), "exec %s", command);
	memset(t, 0, sizeof(*t));
	for (int i = 0; i < MAX_ROWS; i++)
		memset(t->screen[i], ' ', MAX_COLUMNS);
	t->pid = forkpty(&t->fd, NULL, NULL, &size);
	if (t->pid == 0) {
		setenv("TERM", "vt100", 1);
		execlp("sh", "sh", "-c", line, NULL);
		_exit(127);
	}
	fcntl(t->fd, F_SETFD, FD_CLOEXEC);	/* it hangs up when this is closed, not later */
	terminal_size(t, rows, columns);
}

/* Its exit status; 255 when it was killed, 254 when it does not end. */
static int terminal_end(struct terminal *t)
{
	time_t end = time(NULL) + PATIENCE;
	int status;

	/* A pty reads as long as there is something, and then fails. */
	while (terminal_read(t, 100) && time(NULL) < end)
		;
	while (waitpid(t->pid, &status, WNOHANG) == 0) {
		if (time(NULL) >= end) {
			kill(t->pid, SIGKILL);
			waitpid(t->pid, &status, 0);
			close(t->fd);
			return 254;
		}
		usleep(10000);
	}
	close(t->fd);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

/* The first line that has a text in it, or -1. */
static int terminal_find(const struct terminal *t, const char *text)
{
	for (int i = 0; i < t->rows; i++) {
		if (strstr(t->screen[i], text))
			return i;
	}
	return -1;
}

/* Waits until a text is on the screen, or is not; false when that takes too long. */
static bool terminal_wait(struct terminal *t, const char *text, bool there)
{
	time_t end = time(NULL) + PATIENCE;

	while ((terminal_find(t, text) >= 0) != there) {
		if (!terminal_read(t, 100) || time(NULL) >= end)
			return false;
	}
	return true;
}

static void terminal_type(const struct terminal *t, const char *keys)
{
	if (write(t->fd, keys, strlen(keys)) < 0)
		perror("pty");
}

static void terminal_print(const struct terminal *t)
{
	for (int i = 0; i < t->rows; i++)
		printf("# |%s|\n", t->screen[i]);
}

#endif /* SELFTESTS_TERMINAL_H */
