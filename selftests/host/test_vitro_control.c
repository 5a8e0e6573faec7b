// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The control socket: requests and answers, descriptors with them, and what clients that
 * mean no good, or do not know the protocol, get.
 */
#include "kselftest_harness.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "../../userspace/vitro/args.c"
#include "../../userspace/vitro/control_wire.c"
#undef FIRST_SIZE
#include "../../userspace/vitro/control_dir.c"
#include "../../userspace/vitro/control.c"

/* Of the machine's side only the socket is under test here. */
bool sandbox_enter(enum sandbox_role role)
{
	(void)role;
	return true;
}

static char top[32];

/* ---------------------------------------------------------- commands to be asked for */

static json_t *echo(struct control_request *req, void *opaque)
{
	return json_pack("{s:O, s:s}", "text", json_object_get(req->args, "text"), "from",
			 (const char *)opaque);
}

static json_t *refuse(struct control_request *req, void *opaque)
{
	(void)opaque;
	return control_fail(req, "never: %d", 7);
}

/* Writes to the descriptor that came, and sends the two ends of a pipe. */
static json_t *pipes(struct control_request *req, void *opaque)
{
	int fd = control_take_fd(req->in, 0);
	int ends[2];

	(void)opaque;
	if (fd < 0 || write(fd, "hello", 5) != 5 || pipe2(ends, O_CLOEXEC))
		return control_fail(req, "no descriptor");
	close(fd);
	req->out = (struct control_fds){ .nr = 2, .fd = { ends[0], ends[1] } };
	return json_true();
}

static atomic_int gone;

static void note_gone(void *opaque)
{
	gone += *(int *)opaque;
}

static json_t *at_close(struct control_request *req, void *opaque)
{
	static int one = 1, hundred = 100;

	(void)opaque;
	if (!control_at_close(req, note_gone, &one) ||
	    !control_at_close(req, note_gone, &hundred) ||
	    !control_not_at_close(req, note_gone, &hundred) ||
	    control_not_at_close(req, note_gone, &hundred))
		return control_fail(req, "wrong");
	return json_true();
}

/* An answer larger than a socket's buffers. */
static json_t *large(struct control_request *req, void *opaque)
{
	char *text = malloc(1 << 20);
	json_t *result;

	(void)req;
	(void)opaque;
	memset(text, 'x', 1 << 20);
	result = json_stringn(text, 1 << 20);
	free(text);
	return result;
}

/* ------------------------------------------------------------------------- fixture */

FIXTURE(control)
{
	struct control *c;
	struct control_wire w;
};

static int connect_to(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	return connect(fd, (struct sockaddr *)&addr, sizeof(addr)) ? -1 : fd;
}

FIXTURE_SETUP(control)
{
	char error[256];

	strcpy(top, "/tmp/vitro-control-XXXXXX");
	ASSERT_NE(NULL, mkdtemp(top));
	setenv("VITRO_RUN_DIR", top, 1);
	self->c = control_new();
	control_add(self->c, "echo", echo, "here");
	control_add(self->c, "refuse", refuse, NULL);
	control_add(self->c, "pipes", pipes, NULL);
	control_add(self->c, "at-close", at_close, NULL);
	control_add(self->c, "large", large, NULL);
	ASSERT_TRUE(control_start(self->c, error, sizeof(error))) TH_LOG("%s", error);
	wire_init(&self->w, connect_to(self->c->path), CONTROL_MAX_ANSWER);
	ASSERT_LE(0, self->w.fd);
}

FIXTURE_TEARDOWN(control)
{
	wire_fini(&self->w);
	control_stop(self->c);
	EXPECT_NE(0, access(self->c->path, F_OK));
	control_free(self->c);
	rmdir(top);
}

/* The answer's error, or NULL for success; "gone" when the connection ends. */
static const char *send_raw(struct control_wire *w, const char *text, size_t len)
{
	static char error[256];
	json_t *line;

	if (send_all(w->fd, text, len, NULL) || wire_receive(w, &line))
		return "gone";
	snprintf(error, sizeof(error), "%s",
		 json_is_true(json_object_get(line, "ok")) ? "" :
		 json_string_value(json_object_get(line, "error")));
	json_decref(line);
	return error[0] ? error : NULL;
}

#define SEND(w, text)	send_raw(w, text "\n", sizeof(text))

/* ----------------------------------------------------------------- what is asked for */

TEST_F(control, answers)
{
	json_t *request = json_pack("{s:s, s:s}", "command", "echo", "text", "a\nb\"c");
	json_t *line, *result;

	ASSERT_EQ(0, wire_send(&self->w, request, NULL));
	ASSERT_EQ(0, wire_receive(&self->w, &line));
	EXPECT_TRUE(json_is_true(json_object_get(line, "ok")));
	result = json_object_get(line, "result");
	EXPECT_STREQ("a\nb\"c", json_string_value(json_object_get(result, "text")));
	EXPECT_STREQ("here", json_string_value(json_object_get(result, "from")));
	json_decref(line);
	json_decref(request);
}

TEST_F(control, says_no)
{
	EXPECT_STREQ("never: 7", SEND(&self->w, "{\"command\": \"refuse\"}"));
	EXPECT_STREQ("this machine knows no command 'walk'",
		     SEND(&self->w, "{\"command\": \"walk\"}"));
	EXPECT_STREQ("this machine knows no command ''", SEND(&self->w, "{}"));
	EXPECT_STREQ("this machine knows no command ''", SEND(&self->w, "{\"command\": [1]}"));
	/* And goes on. */
	EXPECT_EQ(NULL, SEND(&self->w, "{\"command\": \"echo\", \"text\": 1}"));
}

TEST_F(control, passes_descriptors)
{
	json_t *request = json_pack("{s:s}", "command", "pipes"), *line;
	struct control_fds fds = { .nr = 1 };
	int ends[2], in, out;
	char buf[8] = "";

	EXPECT_STREQ("no descriptor", SEND(&self->w, "{\"command\": \"pipes\"}"));
	ASSERT_EQ(0, pipe(ends));
	fds.fd[0] = ends[1];
	ASSERT_EQ(0, wire_send(&self->w, request, &fds));
	ASSERT_EQ(0, wire_receive(&self->w, &line));
	EXPECT_TRUE(json_is_true(json_object_get(line, "ok")));
	json_decref(line);
	json_decref(request);
	EXPECT_EQ(5, read(ends[0], buf, sizeof(buf)));
	EXPECT_STREQ("hello", buf);

	ASSERT_EQ(2, self->w.fds.nr);
	in = control_take_fd(&self->w.fds, 0);
	out = control_take_fd(&self->w.fds, 1);
	EXPECT_EQ(-1, control_take_fd(&self->w.fds, 1));
	EXPECT_EQ(-1, control_take_fd(&self->w.fds, 2));
	EXPECT_EQ(3, write(out, "abc", 3));
	EXPECT_EQ(3, read(in, buf, sizeof(buf)));
	EXPECT_EQ(FD_CLOEXEC, fcntl(in, F_GETFD));
	close(out);
	/* The machine has closed its own: nobody can write any more. */
	EXPECT_EQ(0, read(in, buf, sizeof(buf)));
	close(in);
	close(ends[0]);
	close(ends[1]);
}

TEST_F(control, large_answers)
{
	json_t *request = json_pack("{s:s}", "command", "large"), *line;

	ASSERT_EQ(0, wire_send(&self->w, request, NULL));
	ASSERT_EQ(0, wire_receive(&self->w, &line));
	EXPECT_EQ(1 << 20, json_string_length(json_object_get(line, "result")));
	json_decref(line);
	json_decref(request);
}

TEST_F(control, large_answers_that_nobody_reads)
{
	json_t *request = json_pack("{s:s}", "command", "large");

	/* The teardown must not wait for it. */
	ASSERT_EQ(0, wire_send(&self->w, request, NULL));
	json_decref(request);
	usleep(10000);
	control_stop(self->c);
}

static bool wait_for(atomic_int *value, int wanted)
{
	int i;

	for (i = 0; i < 6000 && *value != wanted; i++)
		usleep(10000);
	return *value == wanted;
}

TEST_F(control, undoes_what_a_client_leaves)
{
	EXPECT_EQ(NULL, SEND(&self->w, "{\"command\": \"at-close\"}"));
	EXPECT_EQ(0, gone);
	wire_fini(&self->w);
	EXPECT_TRUE(wait_for(&gone, 1));
}

/* ---------------------------------------------------------------- what is no request */

TEST_F(control, no_json)
{
	EXPECT_STREQ("the request is no JSON object", SEND(&self->w, "hello"));
	EXPECT_STREQ("gone", SEND(&self->w, "{}"));
}

TEST_F(control, no_object)
{
	EXPECT_STREQ("the request is no JSON object", SEND(&self->w, "[1, 2]"));
}

TEST_F(control, nothing)
{
	EXPECT_STREQ("the request is no JSON object", SEND(&self->w, ""));
}

TEST_F(control, zeros)
{
	EXPECT_STREQ("the request is no JSON object", SEND(&self->w, "{}\0{}"));
}

TEST_F(control, the_same_key_twice)
{
	EXPECT_STREQ("the request is no JSON object",
		     SEND(&self->w, "{\"command\": \"echo\", \"command\": \"refuse\"}"));
}

TEST_F(control, endless)
{
	static char text[CONTROL_MAX_REQUEST];

	memset(text, ' ', sizeof(text));
	EXPECT_STREQ("the request is too long", send_raw(&self->w, text, sizeof(text)));
}

TEST_F(control, as_long_as_it_may_be)
{
	static char text[CONTROL_MAX_REQUEST];

	memset(text, ' ', sizeof(text));
	memcpy(text, "{\"command\": \"echo\", \"text\": 1}", 30);
	text[sizeof(text) - 1] = '\n';
	EXPECT_EQ(NULL, send_raw(&self->w, text, sizeof(text)));
}

TEST_F(control, deep)
{
	static char text[CONTROL_MAX_REQUEST - 1];

	memset(text, '[', sizeof(text));
	text[sizeof(text) - 1] = '\n';
	EXPECT_STREQ("the request is no JSON object",
		     send_raw(&self->w, text, sizeof(text)));
}

TEST_F(control, a_byte_at_a_time)
{
	const char *text = "{\"command\": \"echo\", \"text\": 1}";

	for (; text[1]; text++)
		ASSERT_EQ(0, send_all(self->w.fd, text, 1, NULL));
	EXPECT_EQ(NULL, SEND(&self->w, "}"));
}

TEST_F(control, two_at_a_time)
{
	json_t *line;

	EXPECT_EQ(NULL, SEND(&self->w, "{\"command\": \"echo\", \"text\": 1}\n"
				       "{\"command\": \"refuse\"}"));
	ASSERT_EQ(0, wire_receive(&self->w, &line));
	EXPECT_TRUE(json_is_false(json_object_get(line, "ok")));
	json_decref(line);
}

TEST_F(control, too_many_descriptors)
{
	struct control_fds fds = { .nr = CONTROL_MAX_FDS };
	const char *why = NULL;
	unsigned int i;

	for (i = 0; i < fds.nr; i++)
		fds.fd[i] = STDERR_FILENO;
	/* No line yet: they add up. */
	ASSERT_EQ(0, send_all(self->w.fd, "{", 1, &fds));
	send_all(self->w.fd, " ", 1, &fds);
	why = SEND(&self->w, "}");
	EXPECT_TRUE(!strcmp(why, "too many file descriptors") || !strcmp(why, "gone"))
		TH_LOG("%s", why);
}

/* How many descriptors this process has: nothing that came may stay. */
static int count_fds(void)
{
	int i, n = 0;

	for (i = 0; i < 1024; i++)
		n += fcntl(i, F_GETFD) >= 0;
	return n;
}

TEST_F(control, descriptors_that_nobody_takes)
{
	struct control_fds fds = { .nr = 3, .fd = { 0, 1, 2 } };
	json_t *request = json_pack("{s:s, s:i}", "command", "echo", "text", 1), *line;
	int i, before;

	/* Once, so that the machine has accepted the connection. */
	ASSERT_EQ(NULL, SEND(&self->w, "{\"command\": \"echo\", \"text\": 1}"));
	before = count_fds();
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, wire_send(&self->w, request, &fds));
		ASSERT_EQ(0, wire_receive(&self->w, &line));
		json_decref(line);
	}
	/* Those of the last request may still be about to be closed. */
	EXPECT_GE(before + 3, count_fds());
	json_decref(request);
}

/* ------------------------------------------------------------------------ many of them */

TEST_F(control, places)
{
	struct control_wire w[CONTROL_MAX_CLIENTS];
	unsigned int i, round;

	for (round = 0; round < 3; round++) {
		/* The fixture's own is the last one there is place for. */
		for (i = 0; i < CONTROL_MAX_CLIENTS; i++) {
			bool last = i == CONTROL_MAX_CLIENTS - 1;
			int tries = 0;
			const char *why;

			do {	/* those of the round before take a moment to go */
				wire_init(&w[i], connect_to(self->c->path), 4096);
				why = SEND(&w[i], "{\"command\": \"echo\", \"text\": 1}");
				if (why && !last) {
					wire_fini(&w[i]);
					usleep(10000);
				}
			} while (why && !last && tries++ < 6000);
			EXPECT_STREQ(last ? "gone" : "served", why ? why : "served");
		}
		for (i = 0; i < CONTROL_MAX_CLIENTS; i++)
			wire_fini(&w[i]);
	}
	EXPECT_EQ(NULL, SEND(&self->w, "{\"command\": \"echo\", \"text\": 1}"));
}

/* ------------------------------------------------------------------- the run directory */

TEST_F(control, stale_sockets)
{
	char dir[256], error[256], stale[64], other[64];
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	pid_t pid = fork();
	int fd;

	if (pid == 0)
		_exit(0);
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	/* One of a process that is no more, and one of a process that does not listen yet. */
	snprintf(stale, sizeof(stale), "%s/%d.sock", top, pid);
	snprintf(other, sizeof(other), "%s/%d.sock", top, getppid());
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", stale);
	ASSERT_EQ(0, bind(fd, (struct sockaddr *)&addr, sizeof(addr)));
	close(fd);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", other);
	ASSERT_EQ(0, bind(fd, (struct sockaddr *)&addr, sizeof(addr)));

	ASSERT_TRUE(control_dir(dir, sizeof(dir), error, sizeof(error)));
	EXPECT_NE(0, access(stale, F_OK));
	EXPECT_EQ(0, access(other, F_OK));
	EXPECT_EQ(0, access(self->c->path, F_OK));
	unlink(other);
	close(fd);
}

TEST_F(control, a_directory_that_others_may_enter)
{
	char dir[256], error[256];

	ASSERT_EQ(0, chmod(top, 0710));
	EXPECT_FALSE(control_dir(dir, sizeof(dir), error, sizeof(error)));
	EXPECT_NE(NULL, strstr(error, "mode 0700"));
	ASSERT_EQ(0, chmod(top, 0700));
}

TEST_F(control, a_link_to_a_directory)
{
	char dir[256], error[256], path[256];

	snprintf(path, sizeof(path), "%s/link", top);
	ASSERT_EQ(0, symlink(top, path));
	setenv("VITRO_RUN_DIR", path, 1);
	EXPECT_FALSE(control_dir(dir, sizeof(dir), error, sizeof(error)));
	EXPECT_NE(NULL, strstr(error, "has to be a directory"));
	unlink(path);
}

/* Had the directory been open to all, nobody else would be served either. */
TEST_F(control, another_user)
{
	int status;
	pid_t pid;

	if (geteuid())
		SKIP(return, "only root can be somebody else");
	ASSERT_EQ(0, chmod(top, 0755));
	ASSERT_EQ(0, chmod(self->c->path, 0777));
	pid = fork();
	if (pid == 0) {
		struct control_wire w;
		const char *why;

		if (setuid(65534))
			_exit(1);
		wire_init(&w, connect_to(self->c->path), 4096);
		if (w.fd < 0)
			_exit(2);
		why = SEND(&w, "{\"command\": \"echo\", \"text\": 1}");
		_exit(why && !strcmp(why, "gone") ? 0 : 3);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(NULL, SEND(&self->w, "{\"command\": \"echo\", \"text\": 1}"));
}

TEST_F(control, no_directory)
{
	char dir[256], error[256];

	setenv("VITRO_RUN_DIR", "/nonexistent/vitro", 1);
	EXPECT_FALSE(control_dir(dir, sizeof(dir), error, sizeof(error)));
	EXPECT_NE(NULL, strstr(error, "set VITRO_RUN_DIR")) TH_LOG("%s", error);
}

TEST_F(control, where_it_is)
{
	unsigned int me = geteuid();
	char path[256];

	unsetenv("VITRO_RUN_DIR");
	unsetenv("XDG_RUNTIME_DIR");
	EXPECT_TRUE(control_path_of(path, sizeof(path), 12, me + 1));
	if (me + 1)
		EXPECT_NE(NULL, strstr(path, "/run/user/"));
	EXPECT_EQ(!me, control_path_of(path, sizeof(path), 12, me));
	setenv("XDG_RUNTIME_DIR", "/x", 1);
	EXPECT_TRUE(control_path_of(path, sizeof(path), 12, me));
	EXPECT_STREQ(me ? "/x/vitro/12.sock" : "/run/vitro/12.sock", path);
	EXPECT_FALSE(control_path_of(path, 10, 12, me));
}

TEST_HARNESS_MAIN
