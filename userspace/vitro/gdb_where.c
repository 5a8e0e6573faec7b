// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where gdb is waited for: [HOST:]PORT, the path of a socket to be made, or that of a
 * serial line.  It is opened by who asks for it, "vitro run" before it is confined
 * (sandbox.h), or "vitro gdb", which passes it on.
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "gdb.h"

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

/**
 * gdb_where_open - open what gdb is waited for at
 * @where: [HOST:]PORT or a path
 * @error: set to a sentence on failure
 * @size: of @error
 *
 * Return: a socket that listens, or a connection; or -1.
 */
int gdb_where_open(const char *where, char *error, size_t size)
{
	struct stat st;
	int fd;

	if (where[0] != '/')
		fd = listen_tcp(where, error, size);
	else if (!stat(where, &st) && S_ISCHR(st.st_mode))
		fd = open_line(where, error, size);
	else
		fd = listen_unix(where, error, size);
	return fd < 0 ? -1 : fd;
}

/**
 * gdb_where_describe - where gdb finds it, for the user to type
 * @fd: as gdb_where_open() returned it
 * @where: as there; the port may have been chosen by the system
 * @text: set
 * @size: of @text
 */
void gdb_where_describe(int fd, const char *where, char *text, size_t size)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);
	char host[256], port[32];

	if (where[0] != '/' && !getsockname(fd, (struct sockaddr *)&addr, &len) &&
	    !getnameinfo((struct sockaddr *)&addr, len, host, sizeof(host), port, sizeof(port),
			 NI_NUMERICHOST | NI_NUMERICSERV))
		snprintf(text, size, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
	else
		snprintf(text, size, "%s", where);
}

/**
 * gdb_where_close - close it, and remove the path of a socket
 * @fd: a socket that listens
 */
void gdb_where_close(int fd)
{
	struct sockaddr_un addr;
	socklen_t len = sizeof(addr);

	if (!getsockname(fd, (struct sockaddr *)&addr, &len) && addr.sun_family == AF_UNIX)
		unlink(addr.sun_path);
	close(fd);
}
