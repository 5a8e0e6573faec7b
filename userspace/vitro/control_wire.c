// SPDX-License-Identifier: GPL-2.0-or-later
/* Lines of JSON, and file descriptors with them, over a unix stream socket. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "control.h"

/* What a buffer starts with; most lines fit. */
#define FIRST_SIZE	4096UL

/**
 * wire_init - begin
 * @w: the connection
 * @fd: its socket, which becomes its own
 * @max: bytes that a line from the other side may have
 */
void wire_init(struct control_wire *w, int fd, size_t max)
{
	memset(w, 0, sizeof(*w));
	w->fd = fd;
	w->max = max;
}

/**
 * wire_fini - close the socket, and all that came and was not taken
 * @w: the connection; a second time does nothing
 */
void wire_fini(struct control_wire *w)
{
	control_close_fds(&w->fds);
	free(w->buf);
	if (w->fd >= 0)
		close(w->fd);
	wire_init(w, -1, 0);
}

/**
 * control_take_fd - keep a descriptor that came with a line
 * @fds: those that came
 * @i: which, from 0
 *
 * Return: the descriptor, now the caller's; -1 if there is none.
 */
int control_take_fd(struct control_fds *fds, unsigned int i)
{
	int fd = i < fds->nr ? fds->fd[i] : -1;

	if (fd >= 0)
		fds->fd[i] = -1;
	return fd;
}

/**
 * control_close_fds - close those that nobody has taken
 * @fds: afterwards empty
 */
void control_close_fds(struct control_fds *fds)
{
	unsigned int i;

	for (i = 0; i < fds->nr; i++) {
		if (fds->fd[i] >= 0)
			close(fds->fd[i]);
	}
	fds->nr = 0;
}

/* ------------------------------------------------------------------ receiving */

/* One message's descriptors; false: too many, and those are closed. */
static bool keep_fds(struct control_fds *fds, struct msghdr *msg)
{
	bool room = !(msg->msg_flags & MSG_CTRUNC);
	struct cmsghdr *c;
	size_t i, nr;

	for (c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		nr = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (i = 0; i < nr; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			if (fds->nr < CONTROL_MAX_FDS) {
				fds->fd[fds->nr++] = fd;
			} else {
				close(fd);
				room = false;
			}
		}
	}
	return room;
}

static int make_room(struct control_wire *w)
{
	size_t size = w->size ? 2 * w->size : FIRST_SIZE;
	char *buf;

	if (w->len < w->size)
		return 0;
	if (size > w->max)
		size = w->max;
	if (size <= w->size)
		return -EMSGSIZE;
	buf = realloc(w->buf, size);
	if (!buf)
		return -ENOMEM;
	w->buf = buf;
	w->size = size;
	return 0;
}

/* Waits for more; returns the number of bytes, 0 at the end, or -errno. */
static ssize_t receive_some(struct control_wire *w)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(CONTROL_MAX_FDS * sizeof(int))];
	} control;
	struct iovec iov;
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	ssize_t n = make_room(w);

	if (n < 0)
		return n;
	iov = (struct iovec){ w->buf + w->len, w->size - w->len };
	do {
		n = recvmsg(w->fd, &msg, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (!keep_fds(&w->fds, &msg))
		return -EMFILE;
	w->len += n;
	return n;
}

/**
 * wire_receive - wait for a line
 * @w: the connection; descriptors of the line before are closed if nobody took them
 * @line: set to what came; the caller's
 *
 * Return: 0; -ENOTCONN the other side has closed; -EMSGSIZE its line is too long; -EMFILE
 * too many descriptors; -EBADMSG no JSON object; or what recvmsg(2) says.
 */
int wire_receive(struct control_wire *w, json_t **line)
{
	size_t seen = 0, used;
	char *end = NULL;
	ssize_t n;

	control_close_fds(&w->fds);
	while (!end) {
		if (w->len > seen)
			end = memchr(w->buf + seen, '\n', w->len - seen);
		if (end)
			break;
		seen = w->len;
		n = receive_some(w);
		if (n <= 0)
			return n ? n : -ENOTCONN;
	}
	used = end + 1 - w->buf;
	*line = json_loadb(w->buf, used, JSON_REJECT_DUPLICATES, NULL);
	w->len -= used;
	memmove(w->buf, w->buf + used, w->len);
	if (json_is_object(*line))
		return 0;
	json_decref(*line);
	*line = NULL;
	return -EBADMSG;
}

/* -------------------------------------------------------------------- sending */

static int send_all(int sock, const char *buf, size_t len, const struct control_fds *fds)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(CONTROL_MAX_FDS * sizeof(int))];
	} control = { .buf = "" };
	struct iovec iov;
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	if (fds && fds->nr) {
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(fds->nr * sizeof(int));
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(fds->nr * sizeof(int));
		memcpy(CMSG_DATA(&control.align), fds->fd, fds->nr * sizeof(int));
	}
	while (len) {
		iov = (struct iovec){ (char *)buf, len };
		n = sendmsg(sock, &msg, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		buf += n;
		len -= n;
		/* They have gone with the first bytes. */
		msg.msg_control = NULL;
		msg.msg_controllen = 0;
	}
	return 0;
}

/**
 * wire_send - send a line
 * @w: the connection; waits while the other side does not read
 * @line: what
 * @fds: descriptors to go with it, or NULL; they stay the caller's
 *
 * Return: 0, or -ENOMEM, or what sendmsg(2) says.
 */
int wire_send(struct control_wire *w, const json_t *line, const struct control_fds *fds)
{
	char *text = json_dumps(line, JSON_COMPACT);
	size_t len;
	int err;

	if (!text)
		return -ENOMEM;
	len = strlen(text);
	text[len] = '\n';	/* JSON_COMPACT has none of its own */
	err = send_all(w->fd, text, len + 1, fds);
	free(text);
	return err;
}
