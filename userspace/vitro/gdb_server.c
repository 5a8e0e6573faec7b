// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The stub's thread: it listens, and talks to one gdb at a time.  While the guest runs, it
 * waits for gdb, or for a vCPU that has found something.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "gdb.h"
#include "machine.h"
#include "sandbox.h"

/* One at a time starts a stub. */
static pthread_mutex_t starting = PTHREAD_MUTEX_INITIALIZER;

/* Sets g->listener, or g->link.fd for what is a connection by itself. */
static void take_where(struct gdb *g, int fd)
{
	int listens = 0;
	socklen_t len = sizeof(listens);

	g->listener = -1;
	g->link.fd = -1;
	if (!getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) && listens)
		g->listener = fd;
	else
		g->link.fd = fd;
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
	if (g->listener >= 0)
		gdb_where_close(g->listener);
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

	if (!give_up_host())
		perror("vitro: gdb: capset");
	else if (sandbox_enter(SANDBOX_GDB))
		serve(g);
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
	int fd;

	snprintf(place, sizeof(place), "%.*s",
		 nowait ? (int)(nowait - where) : (int)sizeof(place), where);
	fd = g ? gdb_where_open(place, error, sizeof(error)) : -1;
	if (fd < 0) {
		fprintf(stderr, "vitro run: --gdb %s\n", error);
		return false;
	}
	take_where(g, fd);
	g->stop = (struct gdb_stop){ .why = STOP_TRAP };
	g->running = nowait;
	if (!nowait)
		pause_ask(m);
	gdb_where_describe(fd, place, text, sizeof(text));
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
	struct gdb *g = get_gdb(m);
	int fd;

	if (!g)
		return control_fail(req, "no memory");
	if (is_busy(g))
		return control_fail(req, "the machine has a stub already, for one gdb");
	fd = control_take_fd(req->in, 0);
	if (fd < 0)
		return control_fail(req, "neither a connection nor a socket that listens");
	fcntl(fd, F_SETFL, O_NONBLOCK);
	take_where(g, fd);
	g->running = true;
	if (!gdb_run(m)) {
		close_all(g);
		return control_fail(req, "no thread");
	}
	return json_object();
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
