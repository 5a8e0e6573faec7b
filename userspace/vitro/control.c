// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The machine's side of the control socket; control.h tells the whole story.
 *
 * A thread accepts connections, and each connection has a thread that reads requests and
 * has them answered.  A connection that misbehaves hurts itself only: it is told why, where
 * that is possible, and closed.
 */
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "control.h"
#include "sandbox.h"

#define MAX_COMMANDS	32
#define MAX_AT_CLOSE	16

/**
 * struct command - what can be asked for
 * @name: by this name
 * @fn: who answers
 * @opaque: its argument
 */
struct command {
	const char *name;
	control_fn fn;
	void *opaque;
};

/**
 * struct at_close - what is due when a client has gone
 * @fn: this; NULL for a place that is free
 * @opaque: with this
 */
struct at_close {
	void (*fn)(void *opaque);
	void *opaque;
};

/**
 * struct control_peer - a connection
 * @control: whose
 * @wire: the connection; used by its thread, and its socket by control_stop() as well
 * @thread: reads requests
 * @used: [c] this place is taken
 * @done: [c] the thread is about to end, or has
 * @at_close: its thread only
 */
struct control_peer {
	struct control *control;
	struct control_wire wire;
	pthread_t thread;
	bool used;
	bool done;
	struct at_close at_close[MAX_AT_CLOSE];
};

/**
 * struct control - a machine's control socket
 * @command: [I] what can be asked for; immutable once it listens
 * @nr_commands: [I] how many
 * @path: [I] of the socket
 * @listener: [I] the socket, or -1
 * @thread: [I] accepts connections
 * @lock: guards what is marked [c]
 * @stop: [c] no new connections
 * @peer: the connections
 */
struct control {
	struct command command[MAX_COMMANDS];
	unsigned int nr_commands;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	int listener;
	pthread_t thread;
	pthread_mutex_t lock;
	bool stop;
	struct control_peer peer[CONTROL_MAX_CLIENTS];
};

/**
 * control_new - a control socket that does not listen yet
 *
 * Return: it, or NULL for lack of memory.
 */
struct control *control_new(void)
{
	struct control *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	pthread_mutex_init(&c->lock, NULL);
	c->listener = -1;
	json_object_seed(0);	/* reads /dev/urandom, which the sandbox forbids later */
	return c;
}

/**
 * control_add - add a command, before control_start()
 * @c: the control socket; NULL does nothing
 * @name: the command's name, which stays the caller's
 * @fn: who answers
 * @opaque: its argument
 *
 * Return: false: there are too many.
 */
bool control_add(struct control *c, const char *name, control_fn fn, void *opaque)
{
	if (!c || c->nr_commands == MAX_COMMANDS)
		return false;
	c->command[c->nr_commands++] = (struct command){ name, fn, opaque };
	return true;
}

/* ------------------------------------------------------------------ requests */

/**
 * control_fail - refuse a request
 * @req: the request
 * @fmt: why: a sentence without full stop
 *
 * Return: NULL, for the command to return.
 */
json_t *control_fail(struct control_request *req, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(req->error, sizeof(req->error), fmt, args);
	va_end(args);
	return NULL;
}

/**
 * control_at_close - have something done when the client goes, or the machine ends
 * @req: a request of the client's
 * @fn: what
 * @opaque: its argument
 *
 * Return: false: too many already.
 */
bool control_at_close(struct control_request *req, void (*fn)(void *opaque), void *opaque)
{
	struct at_close *a;

	for (a = req->peer->at_close; a < req->peer->at_close + MAX_AT_CLOSE; a++) {
		if (!a->fn) {
			*a = (struct at_close){ fn, opaque };
			return true;
		}
	}
	return false;
}

/**
 * control_not_at_close - take one control_at_close() back
 * @req: a request of the same client's
 * @fn: as there
 * @opaque: as there
 *
 * Return: false: there was none.
 */
bool control_not_at_close(struct control_request *req, void (*fn)(void *opaque), void *opaque)
{
	struct at_close *a;

	for (a = req->peer->at_close; a < req->peer->at_close + MAX_AT_CLOSE; a++) {
		if (a->fn == fn && a->opaque == opaque) {
			a->fn = NULL;
			return true;
		}
	}
	return false;
}

static const struct command *find_command(const struct control *c, const char *name)
{
	unsigned int i;

	for (i = 0; name && i < c->nr_commands; i++) {
		if (!strcmp(c->command[i].name, name))
			return &c->command[i];
	}
	return NULL;
}

static json_t *refusal(const char *why)
{
	json_t *line = json_pack("{s:b, s:s}", "ok", 0, "error", why);

	/* What is quoted in it may be no UTF-8. */
	return line ? line : json_pack("{s:b, s:s}", "ok", 0, "error", "failed");
}

/* Answers one request; returns 0 or -errno. */
static int answer(struct control_peer *p, const json_t *args)
{
	struct control_request req = { .args = args, .in = &p->wire.fds, .peer = p };
	const char *name = json_string_value(json_object_get(args, "command"));
	const struct command *command = find_command(p->control, name);
	json_t *result = NULL, *line;
	int err;

	if (command)
		result = command->fn(&req, command->opaque);
	else
		control_fail(&req, "this machine knows no command '%.32s'", name ? name : "");
	line = result ? json_pack("{s:b, s:o}", "ok", 1, "result", result) : refusal(req.error);
	err = line ? wire_send(&p->wire, line, result ? &req.out : NULL) : -ENOMEM;
	json_decref(line);
	control_close_fds(&req.out);
	control_close_fds(req.in);
	return err;
}

/* What the client is told before it is cut off; NULL: it has gone itself. */
static const char *fault(int err)
{
	switch (err) {
	case -EMSGSIZE:
		return "the request is too long";
	case -EMFILE:
		return "too many file descriptors";
	case -EBADMSG:
		return "the request is no JSON object";
	default:
		return NULL;
	}
}

static void *serve(void *arg)
{
	struct control_peer *p = arg;
	struct at_close *a;
	json_t *line;
	int err;

	err = sandbox_enter(SANDBOX_CONTROL) ? 0 : -EPERM;
	while (!err) {
		err = wire_receive(&p->wire, &line);
		if (!err) {
			err = answer(p, line);
			json_decref(line);
		} else if (fault(err)) {
			line = refusal(fault(err));
			wire_send(&p->wire, line, NULL);
			json_decref(line);
		}
	}
	for (a = p->at_close; a < p->at_close + MAX_AT_CLOSE; a++) {
		if (a->fn)
			a->fn(a->opaque);
	}
	/* The client sees the end now; the descriptor stays until the thread is joined. */
	shutdown(p->wire.fd, SHUT_RDWR);
	pthread_mutex_lock(&p->control->lock);
	p->done = true;
	pthread_mutex_unlock(&p->control->lock);
	return NULL;
}

/* --------------------------------------------------------------- connections */

/* Our own user, or root. */
static bool is_allowed(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) &&
	       (peer.uid == geteuid() || peer.uid == 0);
}

static void reap(struct control_peer *p)
{
	pthread_join(p->thread, NULL);
	wire_fini(&p->wire);
	memset(p, 0, sizeof(*p));
}

/* A place for a connection; lock held.  NULL: there is none, or the machine ends. */
static struct control_peer *find_place(struct control *c)
{
	struct control_peer *p;

	for (p = c->peer; !c->stop && p < c->peer + CONTROL_MAX_CLIENTS; p++) {
		if (p->used && p->done)
			reap(p);
		if (!p->used)
			return p;
	}
	return NULL;
}

static void welcome(struct control *c, int fd)
{
	struct control_peer *p;

	pthread_mutex_lock(&c->lock);
	p = is_allowed(fd) ? find_place(c) : NULL;
	if (p) {
		p->control = c;
		wire_init(&p->wire, fd, CONTROL_MAX_REQUEST);
		p->used = !pthread_create(&p->thread, NULL, serve, p);
		if (!p->used)
			wire_fini(&p->wire);
	} else {
		close(fd);
	}
	pthread_mutex_unlock(&c->lock);
}

static void *listen_to_all(void *arg)
{
	const struct timespec pause = { .tv_nsec = 100000000 };
	struct control *c = arg;
	int fd;

	if (!sandbox_enter(SANDBOX_CONTROL))
		return NULL;
	for (;;) {
		fd = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0)
			welcome(c, fd);
		else if (errno == EINVAL)
			return NULL;	/* control_stop() has shut it down */
		else if (errno != EINTR && errno != ECONNABORTED)
			nanosleep(&pause, NULL);	/* no descriptors: perhaps later */
	}
}

/**
 * control_start - listen
 * @c: the control socket
 * @error: set to a sentence when that fails; empty: there is no run directory to be had
 * @size: of @error
 *
 * Return: true on success.
 */
bool control_start(struct control *c, char *error, size_t size)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	char dir[256];
	int err;

	if (!control_dir(dir, sizeof(dir), error, size))
		return false;
	if (!control_path_of(c->path, sizeof(c->path), getpid(), geteuid())) {
		snprintf(error, size, "the path %s is too long for a socket", dir);
		c->path[0] = '\0';
		return false;
	}
	memcpy(addr.sun_path, c->path, sizeof(addr.sun_path));
	unlink(c->path);	/* of an earlier process with this pid */
	c->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	err = c->listener < 0 || bind(c->listener, (struct sockaddr *)&addr, sizeof(addr)) ||
	      listen(c->listener, CONTROL_MAX_CLIENTS) ? errno : 0;
	if (!err)
		err = pthread_create(&c->thread, NULL, listen_to_all, c);
	if (!err)
		return true;
	snprintf(error, size, "cannot listen on %s: %s", c->path, strerror(err));
	unlink(c->path);
	if (c->listener >= 0)
		close(c->listener);
	c->listener = -1;
	return false;
}

/**
 * control_stop - end all connections, and wait for that
 * @c: the control socket, whether it listens or not
 *
 * Requests that wait for the machine must come back by themselves: see pause_end().
 */
void control_stop(struct control *c)
{
	struct control_peer *p;

	if (c->listener < 0)
		return;
	pthread_mutex_lock(&c->lock);
	c->stop = true;
	for (p = c->peer; p < c->peer + CONTROL_MAX_CLIENTS; p++) {
		if (p->used)
			shutdown(p->wire.fd, SHUT_RDWR);
	}
	pthread_mutex_unlock(&c->lock);
	shutdown(c->listener, SHUT_RDWR);
	pthread_join(c->thread, NULL);
	for (p = c->peer; p < c->peer + CONTROL_MAX_CLIENTS; p++) {
		if (p->used)
			reap(p);
	}
	close(c->listener);
	c->listener = -1;
	unlink(c->path);
}

/**
 * control_free - free it
 * @c: the control socket, stopped; NULL does nothing
 */
void control_free(struct control *c)
{
	if (!c)
		return;
	pthread_mutex_destroy(&c->lock);
	free(c);
}
