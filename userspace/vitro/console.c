// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The guest's console on this process's terminal, or on its pipes.
 *
 * Output goes through a buffer to a thread that writes it: the guest does not pay
 * for a system call per character, and devices, which run under the machine's
 * lock, never wait for a slow terminal.  When the buffer is half full, the vCPUs
 * wait without the lock, between two runs of the guest.
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
#include "sandbox.h"

#define CTRL_A		0x01

/* At the end: time that a reader has to take what is left. */
#define STOP_GRACE_MS	1000

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
	pthread_mutex_init(&con->lock, NULL);
	pthread_cond_init(&con->filled, NULL);
	pthread_cond_init(&con->drained, NULL);
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
 * Never waits, as it is called with the machine's lock held.  There is room, if
 * console_throttle() is called after each access to a device: each thread adds at
 * most one character before.
 */
void console_put(struct console *con, uint8_t c)
{
	pthread_mutex_lock(&con->lock);
	if (con->out_len < sizeof(con->out))
		con->out[con->out_len++] = c;
	if (con->out_len == 1)
		pthread_cond_signal(&con->filled);
	pthread_mutex_unlock(&con->lock);
}

/**
 * console_is_behind - has the terminal half a buffer to take yet?
 * @con: the console
 *
 * Without the lock, for vCPUs ask that before each run of the guest.
 *
 * Return: whether; then whoever can wait does so, by console_catch_up().
 */
bool console_is_behind(const struct console *con)
{
	return con->out_len > sizeof(con->out) / 2 && !con->stop;
}

static void wait_until_less(struct console *con, size_t len)
{
	pthread_mutex_lock(&con->lock);
	while (con->out_len > len && !con->stop)
		pthread_cond_wait(&con->drained, &con->lock);
	pthread_mutex_unlock(&con->lock);
}

/**
 * console_catch_up - wait while the terminal is behind; without locks
 * @con: the console
 */
void console_catch_up(struct console *con)
{
	wait_until_less(con, sizeof(con->out) / 2);
}

/**
 * console_throttle - wait while the buffer is nearly full; without locks
 * @con: the console
 *
 * For those in the midst of something, such as a long REP OUTS.  Most wait earlier, by
 * console_catch_up(), where a vCPU's state is whole: see pause_point().
 */
void console_throttle(struct console *con)
{
	wait_until_less(con, sizeof(con->out) / 4 * 3);
}

/* True when stdout takes PIPE_BUF bytes without waiting; false to give up. */
static bool wait_writable(struct console *con)
{
	struct pollfd fd = { .fd = STDOUT_FILENO, .events = POLLOUT };
	bool stop;
	int n;

	for (;;) {
		stop = con->stop;
		n = poll(&fd, 1, STOP_GRACE_MS);
		if (n > 0)
			return true;
		if (stop || (n < 0 && errno != EINTR))
			return false;
	}
}

static void write_out(struct console *con, const uint8_t *buf, size_t len)
{
	ssize_t n;

	while (len && !con->failed) {
		if (!wait_writable(con)) {
			con->failed = ETIMEDOUT;
			break;
		}
		n = write(STDOUT_FILENO, buf, len < PIPE_BUF ? len : PIPE_BUF);
		if (n >= 0) {
			buf += n;
			len -= n;
		} else if (errno != EINTR && errno != EAGAIN) {
			con->failed = errno;
		}
	}
}

/* The thread that writes.  After a failure it throws the output away. */
static void *writer(void *arg)
{
	struct console *con = arg;
	static uint8_t buf[CONSOLE_OUT];
	size_t len;

	if (!sandbox_enter(SANDBOX_CONSOLE))
		con->failed = EPERM;
	pthread_mutex_lock(&con->lock);
	while (con->out_len || !con->stop) {
		if (!con->out_len) {
			pthread_cond_wait(&con->filled, &con->lock);
			continue;
		}
		len = con->out_len;
		memcpy(buf, con->out, len);
		con->out_len = 0;
		con->last = buf[len - 1];
		pthread_cond_broadcast(&con->drained);
		pthread_mutex_unlock(&con->lock);
		write_out(con, buf, len);
		pthread_mutex_lock(&con->lock);
	}
	pthread_mutex_unlock(&con->lock);
	return NULL;
}

/**
 * console_start - start passing output on, and put the terminal into raw mode
 * @con: the console
 *
 * Return: 0 or an errno.
 */
int console_start(struct console *con)
{
	int err = pthread_create(&con->writer, NULL, writer, con);

	if (!err)
		console_raw(con);
	return err;
}

/**
 * console_release - let nobody wait in console_throttle() any more
 * @con: the console
 */
void console_release(struct console *con)
{
	pthread_mutex_lock(&con->lock);
	con->stop = true;
	pthread_cond_signal(&con->filled);
	pthread_cond_broadcast(&con->drained);
	pthread_mutex_unlock(&con->lock);
}

/**
 * console_stop - pass on what is left, and give the terminal back
 * @con: the console, after console_release(); nobody writes to it any more
 */
void console_stop(struct console *con)
{
	pthread_join(con->writer, NULL);
	console_restore();
}

/* -------------------------------------------------------------------- input */

static void list_keys(void)
{
	/* The terminal is raw: \n alone would only go down. */
	fprintf(stderr, "\r\nvitro: Ctrl-A x       stop the guest and quit\r\n"
			"       Ctrl-A p       press the guest's power button\r\n"
			"       Ctrl-A Ctrl-A  send Ctrl-A to the guest\r\n"
			"       Ctrl-A h       this help\r\n");
}

/* One key of the user's; what it means, if it is a command. */
static enum console_input key(struct console *con, uint8_t c)
{
	if (con->escape) {
		con->escape = false;
		if (c == 'x' || c == 'X')
			return CONSOLE_INPUT_QUIT;
		if (c == 'p' || c == 'P')
			return CONSOLE_INPUT_BUTTON;
		if (c == 'h' || c == '?')
			list_keys();
		else if (c == CTRL_A)
			con->in[con->in_len++] = c;
	} else if (con->is_tty && c == CTRL_A) {
		con->escape = true;
	} else {
		con->in[con->in_len++] = c;
	}
	return CONSOLE_INPUT_OK;
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
	enum console_input result = CONSOLE_INPUT_OK;

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return CONSOLE_INPUT_OK;
	if (n <= 0)
		return CONSOLE_INPUT_END;
	for (i = 0; i < n; i++) {
		enum console_input command = key(con, buf[i]);

		if (command == CONSOLE_INPUT_QUIT)
			return command;
		if (command != CONSOLE_INPUT_OK)
			result = command;
	}
	return result;
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
