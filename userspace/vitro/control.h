/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket: how other processes speak to a machine that runs.
 *
 * "vitro run" listens on a unix stream socket, PID.sock in the run directory: that is
 * $VITRO_RUN_DIR, or else /run/vitro for root and $XDG_RUNTIME_DIR/vitro for others.  The
 * directory is its owner's alone, and who connects must be that user or root.
 *
 * A request is a line with a JSON object, whose "command" says what is wanted; the answer
 * is a line with {"ok": true, "result": ...} or {"ok": false, "error": "a sentence"}.  File
 * descriptors can come with either.  Each connection has a thread, and takes one request
 * after the other; it may stay open as long as its client likes.
 *
 * A feature has both of its sides in its own file.  In the machine:
 *
 *	static json_t *walk_answer(struct control_request *req, void *opaque)
 *	{
 *		struct machine *m = opaque;
 *		json_t *result;
 *
 *		if (!json_is_integer(json_object_get(req->args, "gva")))
 *			return control_fail(req, "walk: no gva");
 *		if (!pause_machine(m))			// see pause.h
 *			return control_fail(req, "walk: the machine does not stop");
 *		pause_lock(m);
 *		result = json_pack(...);		// vitro_vcpu_get() and so on
 *		pause_unlock(m);
 *		pause_resume(m);
 *		return result;				// whatever JSON it likes
 *	}
 *
 *	void walk_serve(struct machine *m)		// from run_machine(), in run.c
 *	{
 *		control_add(m->control, "walk", walk_answer, m);
 *	}
 *
 * And in the command that asks:
 *
 *	struct control_client c;
 *	int status = control_connect(&c, "walk", name);	// says what is wrong
 *
 *	if (status)
 *		return status;
 *	result = control_call(&c, json_pack("{s:s, s:I}", "command", "walk", "gva", gva));
 *	if (!result)
 *		fprintf(stderr, "vitro walk: %s\n", c.error);
 *	json_decref(result);
 *	control_disconnect(&c);
 *
 * Neither side trusts the other: lines are bounded, JSON is checked by jansson, arguments
 * by each command, and descriptors that nobody took are closed.
 */
#ifndef VITRO_CONTROL_H
#define VITRO_CONTROL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define CONTROL_MAX_REQUEST	(64UL << 10)	/* bytes of a line to the machine */
#define CONTROL_MAX_ANSWER	(16UL << 20)	/* and of one from it */
#define CONTROL_MAX_FDS		72		/* more than a machine has vCPUs */
#define CONTROL_MAX_CLIENTS	16		/* at a time */

/* ----------------------------------------------------------- what both sides have */

/**
 * struct control_fds - file descriptors that travel with a line
 * @nr: their number
 * @fd: they; -1 for one that has been taken
 */
struct control_fds {
	unsigned int nr;
	int fd[CONTROL_MAX_FDS];
};

/**
 * struct control_wire - a connection, with what was received and is not yet read
 * @fd: the socket, or -1
 * @max: bytes that a line may have
 * @buf: received bytes
 * @len: how many
 * @size: of @buf
 * @fds: received descriptors
 */
struct control_wire {
	int fd;
	size_t max;
	char *buf;
	size_t len;
	size_t size;
	struct control_fds fds;
};

/* control_wire.c */
void wire_init(struct control_wire *w, int fd, size_t max);
void wire_fini(struct control_wire *w);
int wire_receive(struct control_wire *w, json_t **line);
int wire_send(struct control_wire *w, const json_t *line, const struct control_fds *fds);
int control_take_fd(struct control_fds *fds, unsigned int i);
void control_close_fds(struct control_fds *fds);

/* --------------------------------------------------------------- in the machine */

struct control;
struct control_peer;

/**
 * struct control_request - a request, while its command answers it
 * @args: the JSON object that came; the command reads it
 * @in: descriptors that came with it: control_take_fd() those that are to be kept
 * @out: descriptors to go with the answer; they are closed when it is sent
 * @peer: who asks; see control_at_close()
 * @error: what control_fail() said
 */
struct control_request {
	const json_t *args;
	struct control_fds *in;
	struct control_fds out;
	struct control_peer *peer;
	char error[512];
};

/*
 * Answers a request: returns JSON, which becomes the caller's, or control_fail().  It runs in
 * the connection's thread, without locks; requests of other connections run meanwhile.
 */
typedef json_t *(*control_fn)(struct control_request *req, void *opaque);

/* control.c */
struct control *control_new(void);
bool control_add(struct control *c, const char *name, control_fn fn, void *opaque);
bool control_start(struct control *c, char *error, size_t size);
void control_stop(struct control *c);
void control_free(struct control *c);
json_t *control_fail(struct control_request *req, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
bool control_at_close(struct control_request *req, void (*fn)(void *opaque), void *opaque);
bool control_not_at_close(struct control_request *req, void (*fn)(void *opaque), void *opaque);

/* ---------------------------------------------------------------- in the client */

/**
 * struct control_client - a connection to a machine
 * @wire: it; descriptors that came with the last answer are in wire.fds
 * @error: why the last call failed, a sentence
 */
struct control_client {
	struct control_wire wire;
	char error[512];
};

/* control_client.c */
int control_connect(struct control_client *c, const char *command, const char *which);
json_t *control_call(struct control_client *c, json_t *request);
json_t *control_call_fds(struct control_client *c, json_t *request,
			 const struct control_fds *fds);
void control_disconnect(struct control_client *c);
void control_clean(char *text);

/* control_dir.c */
bool control_dir(char *dir, size_t size, char *error, size_t error_size);
bool control_path_of(char *path, size_t size, unsigned int pid, unsigned int uid);

#endif /* VITRO_CONTROL_H */
