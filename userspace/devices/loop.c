// SPDX-License-Identifier: GPL-2.0-or-later
/* An event loop, by epoll. */
#include <errno.h>
#include <unistd.h>

#include "loop.h"

/**
 * loop_init - a loop without sources
 * @loop: the loop
 *
 * Return: 0 or -errno.
 */
int loop_init(struct loop *loop)
{
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	return loop->epoll < 0 ? -errno : 0;
}

/**
 * loop_fini - end a loop; the sources' descriptors stay open
 * @loop: the loop
 */
void loop_fini(struct loop *loop)
{
	close(loop->epoll);
}

static int control(struct loop *loop, int op, struct loop_source *source, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = source };

	return epoll_ctl(loop->epoll, op, source->fd, &event) < 0 ? -errno : 0;
}

/**
 * loop_add - watch a descriptor
 * @loop: the loop
 * @source: descriptor, and what to call
 * @events: EPOLLIN, EPOLLOUT
 *
 * Return: 0 or -errno; -EPERM for regular files, which are always ready.
 */
int loop_add(struct loop *loop, struct loop_source *source, uint32_t events)
{
	return control(loop, EPOLL_CTL_ADD, source, events);
}

/**
 * loop_change - watch for other events from now on
 * @loop: the loop
 * @source: in the loop
 * @events: EPOLLIN, EPOLLOUT, or 0 for errors and hang-ups only
 *
 * Return: 0 or -errno.
 */
int loop_change(struct loop *loop, struct loop_source *source, uint32_t events)
{
	return control(loop, EPOLL_CTL_MOD, source, events);
}

/**
 * loop_remove - watch a descriptor no longer
 * @loop: the loop
 * @source: in the loop, or not
 */
void loop_remove(struct loop *loop, struct loop_source *source)
{
	control(loop, EPOLL_CTL_DEL, source, 0);
}

/**
 * loop_once - wait for a source, and serve it
 * @loop: the loop
 * @timeout_ms: how long at most; -1 for ever
 *
 * One at a time, because serving one may remove another: a list of events fetched
 * before that would be out of date.  epoll takes turns among the ready ones.
 *
 * Return: false if none became ready.
 */
bool loop_once(struct loop *loop, int timeout_ms)
{
	struct epoll_event event;
	struct loop_source *source;

	if (epoll_wait(loop->epoll, &event, 1, timeout_ms) != 1)
		return false;
	source = event.data.ptr;
	source->ready(source->opaque, event.events);
	return true;
}
