// SPDX-License-Identifier: GPL-2.0-or-later
/* The client's side of the control socket. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cmd.h"
#include "control.h"
#include "family.h"

static int connect_to(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int err;

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	if (fd < 0)
		return -errno;
	if (!connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

static const char *why_not(int err)
{
	switch (err) {
	case -ENOENT:
	case -ECONNREFUSED:
		return "nobody listens; was it started with another VITRO_RUN_DIR?";
	case -EACCES:
		return "it belongs to another user";
	default:
		return strerror(-err);
	}
}

/**
 * control_connect - get in touch with a machine
 * @c: filled in; control_disconnect() is due on success
 * @command: who says what is wrong: "walk" for vitro walk
 * @which: the machine's name or id; NULL if there is but one
 *
 * Return: 0 or an exit status.
 */
int control_connect(struct control_client *c, const char *command, const char *which)
{
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	struct vm_info vm;
	struct family f;
	int status, fd;

	if (!family_open(&f, command))
		return END_HOST;
	status = family_find_vm(&f, command, which, &vm);
	family_close(&f);
	if (status)
		return status;
	if (!control_path_of(path, sizeof(path), vm.pid, vm.uid)) {
		fprintf(stderr,
			"vitro %s: where are control sockets? Set XDG_RUNTIME_DIR or VITRO_RUN_DIR as for vitro run\n",
			command);
		return END_HOST;
	}
	fd = connect_to(path);
	if (fd < 0) {
		fprintf(stderr, "vitro %s: %s: %s\n", command, path, why_not(fd));
		return END_HOST;
	}
	wire_init(&c->wire, fd, CONTROL_MAX_ANSWER);
	c->error[0] = '\0';
	return 0;
}

/**
 * control_disconnect - undo control_connect()
 * @c: the connection
 */
void control_disconnect(struct control_client *c)
{
	wire_fini(&c->wire);
}

/**
 * control_clean - make text of the machine's, which may be another user's, fit for a terminal
 * @text: what cannot be printed becomes '?'
 */
void control_clean(char *text)
{
	for (; *text; text++) {
		if (!isprint((unsigned char)*text))
			*text = '?';
	}
}

/**
 * control_call_fds - ask the machine something, and wait for its answer
 * @c: the connection
 * @request: a JSON object with its "command"; it becomes this function's
 * @fds: descriptors to go with it, or NULL; they stay the caller's
 *
 * Return: the result, the caller's; control_take_fd(&c->wire.fds, i) keeps descriptors that
 * came with it, until the next call.  NULL: c->error says why.
 */
json_t *control_call_fds(struct control_client *c, json_t *request,
			 const struct control_fds *fds)
{
	json_t *line = NULL, *result = NULL;
	const char *why;
	int err;

	err = request ? wire_send(&c->wire, request, fds) : -ENOMEM;
	json_decref(request);
	if (!err)
		err = wire_receive(&c->wire, &line);
	if (err == -ENOTCONN || err == -EPIPE || err == -ECONNRESET) {
		snprintf(c->error, sizeof(c->error), "%s",
			 "the machine has ended, or has no place for another client");
		return NULL;
	}
	if (err) {
		snprintf(c->error, sizeof(c->error), "the control socket: %s", strerror(-err));
		return NULL;
	}
	if (json_is_true(json_object_get(line, "ok")))
		result = json_incref(json_object_get(line, "result"));
	if (!result) {
		why = json_string_value(json_object_get(line, "error"));
		snprintf(c->error, sizeof(c->error), "%s", why && why[0] ? why : "refused");
		control_clean(c->error);
	}
	json_decref(line);
	return result;
}

/**
 * control_call - control_call_fds() without descriptors
 * @c: the connection
 * @request: a JSON object; it becomes this function's
 *
 * Return: as there.
 */
json_t *control_call(struct control_client *c, json_t *request)
{
	return control_call_fds(c, request, NULL);
}
