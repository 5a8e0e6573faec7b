// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The guest's console on this process's terminal, or on its pipes.
 *
 * Output goes through a buffer, so that devices, which run under the machine's
 * lock, never wait for a slow terminal.  The vCPU's thread writes the buffer out
 * when it has given the lock back; that the guest waits then is flow control.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "console.h"

#define CTRL_A		0x01

/* The terminal's own settings; one terminal a process, and signal handlers need it. */
static struct termios saved;
static atomic_bool is_raw;

/**
 * console_restore - give the terminal back as it was; may be called at any time
 *
 * Uses async-signal-safe functions only.
 */
void console_restore(void)
{
	if (!is_raw)
		return;
	tcsetattr(STDIN_FILENO, TCSADRAIN, &saved);
	is_raw = false;
}

/* A crash of this program must not leave the user with a raw terminal. */
static void restore_and_die(int sig)
{
	console_restore();
	signal(sig, SIG_DFL);
	raise(sig);
}

/**
 * console_raw - put the terminal into raw mode: every key goes to the guest
 * @con: the console; nothing happens if stdin is not a terminal
 */
void console_raw(struct console *con)
{
	struct termios raw = saved;

	if (!con->is_tty || con->background)
		return;
	cfmakeraw(&raw);
	is_raw = true;		/* first: restoring too often does no harm */
	tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
}

/**
 * console_init - look at what stdin is
 * @con: the console
 *
 * A terminal that another job has is left alone: the guest gets no input.
 */
void console_init(struct console *con)
{
	static const int crashes[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, 0 };
	const int *sig;

	memset(con, 0, sizeof(*con));
	pthread_mutex_init(&con->buf_lock, NULL);
	pthread_mutex_init(&con->write_lock, NULL);
	con->is_tty = tcgetattr(STDIN_FILENO, &saved) == 0;
	con->background = con->is_tty && tcgetpgrp(STDIN_FILENO) != getpgrp();
	if (!con->is_tty || con->background)
		return;
	atexit(console_restore);
	for (sig = crashes; *sig; sig++)
		signal(*sig, restore_and_die);
}

/* ------------------------------------------------------------------- output */

/**
 * console_put - the guest wrote a character
 * @con: the console
 * @c: it
 *
 * Never waits.  There is room, if console_flush_if_full() is called after each
 * access to a device: each thread adds at most one character before.
 */
void console_put(struct console *con, uint8_t c)
{
	pthread_mutex_lock(&con->buf_lock);
	if (con->out_len < sizeof(con->out))
		con->out[con->out_len++] = c;
	pthread_mutex_unlock(&con->buf_lock);
}

static size_t take_output(struct console *con, uint8_t *buf)
{
	size_t len;

	pthread_mutex_lock(&con->buf_lock);
	len = con->out_len;
	memcpy(buf, con->out, len);
	con->out_len = 0;
	pthread_mutex_unlock(&con->buf_lock);
	return len;
}

/* One piece; a pipe that is ready takes PIPE_BUF bytes without waiting. */
static ssize_t write_some(const uint8_t *buf, size_t len, bool hurry)
{
	struct pollfd fd = { .fd = STDOUT_FILENO, .events = POLLOUT };

	if (hurry && poll(&fd, 1, 1000) != 1) {
		errno = ETIMEDOUT;
		return -1;
	}
	return write(STDOUT_FILENO, buf, len < PIPE_BUF ? len : PIPE_BUF);
}

/**
 * console_flush - write to stdout what the guest wrote
 * @con: the console
 * @ended: the machine has ended: do not wait for a reader that does not read.  A
 *	signal makes a writer that already waits look at it.
 *
 * After a failure the output is thrown away, and con->failed says why.
 */
void console_flush(struct console *con, const atomic_bool *ended)
{
	static uint8_t buf[CONSOLE_OUT];	/* guarded by write_lock */
	size_t len, done = 0;
	ssize_t n;

	pthread_mutex_lock(&con->write_lock);
	len = take_output(con, buf);
	if (len)
		con->last = buf[len - 1];
	while (done < len && !con->failed) {
		n = write_some(buf + done, len - done, *ended);
		if (n >= 0)
			done += n;
		else if (errno == EAGAIN)
			usleep(1000);	/* somebody else made the terminal non-blocking */
		else if (errno != EINTR)
			con->failed = errno;
	}
	pthread_mutex_unlock(&con->write_lock);
}

/**
 * console_flush_if_full - console_flush() when the buffer is half full
 * @con: the console
 * @ended: as for console_flush()
 */
void console_flush_if_full(struct console *con, const atomic_bool *ended)
{
	bool full;

	pthread_mutex_lock(&con->buf_lock);
	full = con->out_len > sizeof(con->out) / 2;
	pthread_mutex_unlock(&con->buf_lock);
	if (full)
		console_flush(con, ended);
}

/* -------------------------------------------------------------------- input */

static void list_keys(void)
{
	/* The terminal is raw: \n alone would only go down. */
	fprintf(stderr, "\r\nvitro: Ctrl-A x       stop the guest and quit\r\n"
			"       Ctrl-A Ctrl-A  send Ctrl-A to the guest\r\n"
			"       Ctrl-A h       this help\r\n");
}

/* One key of the user's; true if it was the command to quit. */
static bool key(struct console *con, uint8_t c)
{
	if (con->escape) {
		con->escape = false;
		if (c == 'x' || c == 'X')
			return true;
		if (c == 'h' || c == '?')
			list_keys();
		else if (c == CTRL_A)
			con->in[con->in_len++] = c;
	} else if (con->is_tty && c == CTRL_A) {
		con->escape = true;
	} else {
		con->in[con->in_len++] = c;
	}
	return false;
}

/**
 * console_in_room - how much console_read() would read
 * @con: the console
 *
 * Return: bytes.  When it is 0, the guest has not looked at a lot of input.
 */
size_t console_in_room(const struct console *con)
{
	return sizeof(con->in) - con->in_len;
}

/**
 * console_read - read what the user typed; waits if that is nothing
 * @con: the console, with room
 *
 * Return: what came of it.
 */
enum console_input console_read(struct console *con)
{
	uint8_t buf[1024];
	size_t room = console_in_room(con);
	ssize_t i, n = read(STDIN_FILENO, buf, room < sizeof(buf) ? room : sizeof(buf));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return CONSOLE_INPUT_OK;
	if (n <= 0)
		return CONSOLE_INPUT_END;
	for (i = 0; i < n; i++)
		if (key(con, buf[i]))
			return CONSOLE_INPUT_QUIT;
	return CONSOLE_INPUT_OK;
}

/**
 * console_in_taken - the guest took input
 * @con: the console
 * @n: that many bytes, the oldest
 */
void console_in_taken(struct console *con, size_t n)
{
	con->in_len -= n;
	memmove(con->in, con->in + n, con->in_len);
}
