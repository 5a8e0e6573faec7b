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
 * @buf_lock: guards @out and @out_len
 * @out: what the guest wrote and stdout has not seen
 * @out_len: bytes in it
 * @write_lock: held while writing to stdout, so that order is kept
 * @last: last character written
 * @failed: stdout cannot be written; errno, or 0
 * @in: what the user typed and the guest has not taken; main thread only
 * @in_len: bytes in it
 * @escape: the user typed Ctrl-A, and the next key is a command
 */
struct console {
	bool is_tty;
	bool background;
	pthread_mutex_t buf_lock;
	uint8_t out[CONSOLE_OUT];
	size_t out_len;
	pthread_mutex_t write_lock;
	uint8_t last;
	int failed;
	uint8_t in[CONSOLE_IN];
	size_t in_len;
	bool escape;
};

/* What came of reading the user's input. */
enum console_input {
	CONSOLE_INPUT_OK,
	CONSOLE_INPUT_END,	/* end of file: there will be no more */
	CONSOLE_INPUT_QUIT,	/* the user typed Ctrl-A x */
};

void console_init(struct console *con);
void console_raw(struct console *con);
void console_restore(void);

void console_put(struct console *con, uint8_t c);
void console_flush(struct console *con, const atomic_bool *ended);
void console_flush_if_full(struct console *con, const atomic_bool *ended);

size_t console_in_room(const struct console *con);
enum console_input console_read(struct console *con);
void console_in_taken(struct console *con, size_t n);

#endif /* VITRO_CONSOLE_H */
