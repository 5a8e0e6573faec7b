/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guest's console on this process's terminal, or on its pipes. */
#ifndef VITRO_CONSOLE_H
#define VITRO_CONSOLE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONSOLE_OUT	(64 << 10)
#define CONSOLE_IN	(64 << 10)

/**
 * struct console - both directions
 * @is_tty: stdin is a terminal: raw mode, and Ctrl-A is the escape key
 * @background: another job has the terminal: do not read from it
 * @lock: guards @out, @out_len, @last
 * @filled: signalled when @out is no longer empty, and at the end
 * @drained: signalled when @out is empty again, and at the end
 * @out: what the guest wrote and @writer has not taken
 * @out_len: bytes in it; may be read without @lock
 * @last: last character written
 * @writer: the thread that writes to stdout
 * @stop: the end: do not wait for a reader that does not read
 * @failed: stdout cannot be written; errno, or 0
 * @in: what the user typed and the guest has not taken; main thread only
 * @in_len: bytes in it
 * @escape: the user typed Ctrl-A, and the next key is a command
 */
struct console {
	bool is_tty;
	bool background;
	pthread_mutex_t lock;
	pthread_cond_t filled, drained;
	uint8_t out[CONSOLE_OUT];
	atomic_size_t out_len;
	uint8_t last;
	pthread_t writer;
	atomic_bool stop;
	atomic_int failed;
	uint8_t in[CONSOLE_IN];
	size_t in_len;
	bool escape;
};

/* What came of reading the user's input. */
enum console_input {
	CONSOLE_INPUT_OK,
	CONSOLE_INPUT_END,	/* end of file: there will be no more */
	CONSOLE_INPUT_QUIT,	/* the user typed Ctrl-A x */
	CONSOLE_INPUT_BUTTON,	/* Ctrl-A p */
};

void console_init(struct console *con);
void console_raw(struct console *con);
void console_restore(void);

int console_start(struct console *con);
void console_release(struct console *con);
void console_stop(struct console *con);

void console_put(struct console *con, uint8_t c);
void console_throttle(struct console *con);
bool console_is_behind(const struct console *con);
void console_catch_up(struct console *con);

size_t console_in_room(const struct console *con);
enum console_input console_read(struct console *con);
void console_in_taken(struct console *con, size_t n);

#endif /* VITRO_CONSOLE_H */
