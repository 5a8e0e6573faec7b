// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The stub's thread: it listens, and talks to one gdb at a time.  While the guest runs, it
 * waits for gdb, or for a vCPU that has found something.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "gdb.h"
#include "machine.h"

/* One at a time starts a stub. */
static pthread_mutex_t starting = PTHREAD_MUTEX_INITIALIZER;

/* ------------------------------------------------------------------- where it listens */

/* A socket of the one or the other kind, listening; or -errno. */
static int listen_at(int family, const struct sockaddr *addr, socklen_t len)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const int on = 1;
	int err;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (!bind(fd, addr, len) && !listen(fd, 1))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

/* [HOST:]PORT; who names no host gets one that others cannot reach. */
static int listen_tcp(const char *where, char *error, size_t size)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE };
	const char *colon = strrchr(where, ':');
	struct addrinfo *addrs, *a;
	char host[256];
	int fd = -EADDRNOTAVAIL, err;

	snprintf(host, sizeof(host), "%.*s", colon ? (int)(colon - where) : 0, where);
	err = getaddrinfo(host[0] ? host : "127.0.0.1", colon ? colon + 1 : where, &hints, &addrs);
	if (err) {
		snprintf(error, size, "'%s': %s; give [HOST:]PORT, or the path of a socket", where,
			 gai_strerror(err));
		return -1;
	}
	for (a = addrs; a && fd < 0; a = a->ai_next)
		fd = listen_at(a->ai_family, a->ai_addr, a->ai_addrlen);
	freeaddrinfo(addrs);
	if (fd < 0)
		snprintf(error, size, "'%s': %s", where, strerror(-fd));
	return fd;
}

static int listen_unix(const char *path, char *error, size_t size)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = -ENAMETOOLONG;

	if (strlen(path) < sizeof(addr.sun_path)) {
		strcpy(addr.sun_path, path);
		fd = listen_at(AF_UNIX, (struct sockaddr *)&addr, sizeof(addr));
	}
	if (fd < 0)
		snprintf(error, size, "'%s': %s%s", path, strerror(-fd),
			 fd == -EADDRINUSE ? "; remove it, if nobody uses it" : "");
	return fd;
}

/* A serial line: bytes as they are, and as fast as is usual. */
static int open_line(const char *path, char *error, size_t size)
{
	int fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	struct termios t;

	if (fd < 0) {
		snprintf(error, size, "'%s': %s", path, strerror(errno));
		return -1;
	}
	if (!tcgetattr(fd, &t)) {
		cfmakeraw(&t);
		cfsetspeed(&t, B115200);
		tcsetattr(fd, TCSANOW, &t);
	}
	return fd;
}

/* Sets g->listener, or g->link.fd for what is a connection by itself. */
static bool open_where(struct gdb *g, const char *where, char *error, size_t size)
{
	struct stat st;

	g->listener = -1;
	g->link.fd = -1;
	if (where[0] != '/')
		g->listener = listen_tcp(where, error, size);
	else if (!stat(where, &st) && S_ISCHR(st.st_mode))
		g->link.fd = open_line(where, error, size);
	else
		g->listener = listen_unix(where, error, size);
	return g->listener >= 0 || g->link.fd >= 0;
}

/* ------------------------------------------------------------------- conversation */

static bool is_over(struct gdb *g)
{
	bool over;

	pthread_mutex_lock(&g->lock);
	over = g->over;
	pthread_mutex_unlock(&g->lock);
	return over;
}

/*
 * Takes the event; returns false if it is the end of the machine.  That one stays, so that
 * nobody waits any more: not for a gdb that does not read, either.
 */
static bool take_event(struct gdb *g)
{
	uint64_t count;
	bool over;

	pthread_mutex_lock(&g->lock);
	over = g->over;
	if (!over && read(g->event_fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
		perror("vitro: eventfd");
	pthread_mutex_unlock(&g->lock);
	return !over;
}

/* Stops the machine, if it runs; returns false if it has ended. */
static bool stop_machine(struct gdb *g)
{
	const struct gdb_stop stop = { .why = STOP_INTERRUPT, .cpu = g->cpu };

	if (!g->running)
		return !is_over(g);
	target_ask_stop(g, &stop);
	return target_stopped(g);
}

/* A vCPU has found something, or the machine has ended; returns false then. */
static bool handle_event(struct gdb *g)
{
	bool stops;

	if (!take_event(g))
		return false;
	pthread_mutex_lock(&g->lock);
	stops = g->stopping;
	pthread_mutex_unlock(&g->lock);
	if (stops && target_stopped(g))
		gdb_tell_stop(g, &g->stop);
	return !is_over(g);
}

/* Bytes of gdb's; returns what they have led to. */
static enum gdb_turn handle_bytes(struct gdb *g, const uint8_t *bytes, ssize_t n)
{
	const struct gdb_stop stop = { .why = STOP_INTERRUPT, .cpu = g->cpu };
	enum gdb_turn turn = GDB_STAYS;

	for (; n && turn != GDB_LEAVES; n--, bytes++) {
		switch (link_byte(&g->link, *bytes)) {
		case GDB_INTERRUPT:
			target_ask_stop(g, &stop);
			break;
		case GDB_PACKET:
			/* While the guest runs, gdb has nothing to say but Ctrl-C. */
			if (!g->running)
				turn = gdb_packet(g);
			break;
		default:
			break;
		}
	}
	return turn;
}

/* One gdb, from its first byte to its last; returns false if the machine has ended. */
static bool talk(struct gdb *g)
{
	struct pollfd wait[] = {
		{ .fd = g->link.fd, .events = POLLIN },
		{ .fd = g->event_fd, .events = POLLIN },
	};
	enum gdb_turn turn = GDB_STAYS;
	bool attached = false, lives = true;
	uint8_t bytes[4096];
	ssize_t n;

	while (lives && turn != GDB_LEAVES && !g->link.broken) {
		if (poll(wait, 2, -1) < 0)
			continue;
		if (wait[1].revents)
			lives = handle_event(g);
		if (!lives || !wait[0].revents)
			continue;
		n = read(g->link.fd, bytes, sizeof(bytes));
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n <= 0) {
			g->link.broken = true;
			break;
		}
		if (!attached)
			lives = stop_machine(g);
		attached = true;
		if (lives)
			turn = handle_bytes(g, bytes, n);
	}
	if (!lives) {
		if (attached)
			gdb_tell_end(g, g->m->status);
		return false;
	}
	/* It did not say goodbye: the guest goes on all the same. */
	if (attached && turn != GDB_LEAVES && stop_machine(g))
		target_let_go(g);
	return !is_over(g);
}

/* Waits for a connection; returns false if the machine has ended. */
static bool wait_for_gdb(struct gdb *g)
{
	struct pollfd wait[] = {
		{ .fd = g->listener, .events = POLLIN },
		{ .fd = g->event_fd, .events = POLLIN },
	};

	while (!is_over(g)) {
		if (poll(wait, 2, -1) < 0)
			continue;
		if (wait[1].revents && !take_event(g))
			return false;
		if (!wait[0].revents)
			continue;
		g->link.fd = accept4(g->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (g->link.fd >= 0)
			return true;
	}
	return false;
}

static void *serve(void *arg)
{
	struct gdb *g = arg;
	bool lives = true;

	while (lives) {
		if (g->listener >= 0 && !wait_for_gdb(g))
			break;
		link_init(&g->link, g->link.fd, g->event_fd);
		lives = talk(g);
		/* A line stays; a socket that was given to us is no more. */
		if (g->listener < 0 && g->link.broken)
			break;
		if (g->listener >= 0) {
			close(g->link.fd);
			g->link.fd = -1;
		}
	}
	return NULL;
}

/* ------------------------------------------------------------------ beginning, end */

static struct gdb *get_gdb(struct machine *m)
{
	struct gdb *g = m->gdb;

	if (g)
		return g;
	g = calloc(1, sizeof(*g));
	if (!g)
		return NULL;
	g->m = m;
	g->avx = vitro_get_info(m->dev)->xcr0 & 4;
	g->listener = -1;
	g->link.fd = -1;
	pthread_mutex_init(&g->lock, NULL);
	g->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (g->event_fd < 0) {
		free(g);
		return NULL;
	}
	/* vCPUs' threads look here from now on. */
	m->gdb = g;
	return g;
}

static void close_all(struct gdb *g)
{
	struct sockaddr_un addr;
	socklen_t len = sizeof(addr);

	if (g->listener >= 0) {
		if (!getsockname(g->listener, (struct sockaddr *)&addr, &len) &&
		    addr.sun_family == AF_UNIX)
			unlink(addr.sun_path);
		close(g->listener);
	}
	if (g->link.fd >= 0)
		close(g->link.fd);
	g->listener = -1;
	g->link.fd = -1;
}

/*
 * Whoever connects asks vitro.ko with the rights of this thread, by "monitor".  Without
 * CAP_SYS_ADMIN, it does not say where the host's kernel and memory are.  Capabilities are
 * each thread's own: others of this process keep theirs.
 */
static bool give_up_host(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct caps[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &head, caps))
		return false;
	caps[CAP_TO_INDEX(CAP_SYS_ADMIN)].effective &= ~CAP_TO_MASK(CAP_SYS_ADMIN);
	caps[CAP_TO_INDEX(CAP_SYS_ADMIN)].permitted &= ~CAP_TO_MASK(CAP_SYS_ADMIN);
	return !syscall(SYS_capset, &head, caps);
}

static void *serve_to_the_end(void *arg)
{
	struct gdb *g = arg;

	if (give_up_host())
		serve(g);
	else
		perror("vitro: gdb: capset");
	pthread_mutex_lock(&starting);
	close_all(g);
	g->done = true;
	pthread_mutex_unlock(&starting);
	return NULL;
}

/* Is there a stub at work?  One that has finished is put away. */
static bool is_busy(struct gdb *g)
{
	if (!g->has_thread)
		return g->listener >= 0 || g->link.fd >= 0;
	if (!g->done)
		return true;
	pthread_join(g->thread, NULL);
	g->has_thread = false;
	return false;
}

/*
 * Where it can be reached, for the user to type.  The port may have been chosen by the
 * system.
 */
static void describe_where(const struct gdb *g, const char *where, char *text, size_t size)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);
	char host[256], port[32];

	if (where[0] != '/' && !getsockname(g->listener, (struct sockaddr *)&addr, &len) &&
	    !getnameinfo((struct sockaddr *)&addr, len, host, sizeof(host), port, sizeof(port),
			 NI_NUMERICHOST | NI_NUMERICSERV))
		snprintf(text, size, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
	else
		snprintf(text, size, "%s", where);
}

/**
 * gdb_open - make ready for gdb: before the vCPUs run
 * @m: the machine
 * @where: [HOST:]PORT or a path, and ",nowait" if the guest is not to wait for gdb
 *
 * Return: false, and the reason has been said.
 */
bool gdb_open(struct machine *m, const char *where)
{
	const char *comma = strrchr(where, ',');
	const char *nowait = comma && !strcmp(comma, ",nowait") ? comma : NULL;
	struct gdb *g = get_gdb(m);
	char place[256], text[300], error[512] = "no memory";

	snprintf(place, sizeof(place), "%.*s",
		 nowait ? (int)(nowait - where) : (int)sizeof(place), where);
	if (!g || !open_where(g, place, error, sizeof(error))) {
		fprintf(stderr, "vitro run: --gdb %s\n", error);
		return false;
	}
	g->stop = (struct gdb_stop){ .why = STOP_TRAP };
	g->running = nowait;
	if (!nowait)
		pause_ask(m);
	describe_where(g, place, text, sizeof(text));
	fprintf(stderr, "vitro: %s gdb: target remote %s\n",
		nowait ? "ready for" : "waiting for", text);
	return true;
}

/**
 * gdb_run - start the thread of what gdb_open() has made, if it has
 * @m: the machine
 *
 * Return: false if there can be no thread.
 */
bool gdb_run(struct machine *m)
{
	struct gdb *g = m->gdb;

	if (!g || g->has_thread)
		return true;
	g->done = false;
	g->has_thread = !pthread_create(&g->thread, NULL, serve_to_the_end, g);
	return g->has_thread;
}

/**
 * gdb_end - the machine has ended
 * @m: the machine; its vCPUs do not wait any more (pause_end())
 */
void gdb_end(struct machine *m)
{
	const uint64_t one = 1;
	struct gdb *g = m->gdb;

	if (!g)
		return;
	pthread_mutex_lock(&g->lock);
	g->over = true;
	if (write(g->event_fd, &one, sizeof(one)) < 0)
		perror("vitro: eventfd");
	pthread_mutex_unlock(&g->lock);
	if (g->has_thread)
		pthread_join(g->thread, NULL);
	g->has_thread = false;
}

/**
 * gdb_free - forget the stub
 * @m: the machine, after gdb_end()
 */
void gdb_free(struct machine *m)
{
	struct gdb *g = m->gdb;

	if (!g)
		return;
	close_all(g);
	close(g->event_fd);
	pthread_mutex_destroy(&g->lock);
	free(g);
	m->gdb = NULL;
}

/* ------------------------------------------------------- for a machine that runs */

static json_t *attach(struct control_request *req, struct machine *m)
{
	const char *where = json_string_value(json_object_get(req->args, "where"));
	char error[512], text[300] = "";
	struct gdb *g = get_gdb(m);

	if (!g)
		return control_fail(req, "gdb: no memory");
	if (is_busy(g))
		return control_fail(req, "gdb: the machine has a stub already, for one gdb");
	if (where) {
		if (!open_where(g, where, error, sizeof(error)))
			return control_fail(req, "gdb: %s", error);
		describe_where(g, where, text, sizeof(text));
	} else {
		g->link.fd = control_take_fd(req->in, 0);
		if (g->link.fd < 0)
			return control_fail(req, "gdb: neither \"where\" nor a connection");
		fcntl(g->link.fd, F_SETFL, O_NONBLOCK);
	}
	g->running = true;
	if (!gdb_run(m)) {
		close_all(g);
		return control_fail(req, "gdb: no thread");
	}
	return json_pack("{s:s}", "where", text);
}

static json_t *answer(struct control_request *req, void *opaque)
{
	json_t *result;

	pthread_mutex_lock(&starting);
	result = attach(req, opaque);
	pthread_mutex_unlock(&starting);
	return result;
}

/**
 * gdb_serve - let "vitro gdb" ask for a stub
 * @m: the machine
 */
void gdb_serve(struct machine *m)
{
	control_add(m->control, "gdb", answer, m);
}
