/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An event loop: file descriptors, and what to call when one of them is ready.
 *
 * Each device that has I/O to do has a thread with a loop; nothing in here has a
 * lock, as nobody else uses it.
 */
#ifndef DEVICES_LOOP_H
#define DEVICES_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

/**
 * struct loop_source - a file descriptor and who cares
 * @fd: the descriptor; it stays the caller's
 * @ready: called with the EPOLL* events that came.  It may add, change and remove
 *	any source, itself included.
 * @opaque: handed to it
 *
 * The struct has to stay in place from loop_add() to loop_remove().
 */
struct loop_source {
	int fd;
	void (*ready)(void *opaque, uint32_t events);
	void *opaque;
};

/**
 * struct loop - an event loop
 * @epoll: all of its sources
 */
struct loop {
	int epoll;
};

int loop_init(struct loop *loop);
void loop_fini(struct loop *loop);
int loop_add(struct loop *loop, struct loop_source *source, uint32_t events);
int loop_change(struct loop *loop, struct loop_source *source, uint32_t events);
void loop_remove(struct loop *loop, struct loop_source *source);
bool loop_once(struct loop *loop, int timeout_ms);

#endif /* DEVICES_LOOP_H */
