/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The family "vitro" by bare netlink, for tests: without a library they see each
 * message and each error as the kernel gives it.
 */
#ifndef GENL_H
#define GENL_H

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/vitro_netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include "vt.h"

/**
 * struct genl - a socket
 * @fd: it
 * @family: number of the family
 * @group: number of the group of events
 * @message: the last message received
 */
struct genl {
	int fd;
	uint16_t family;
	uint32_t group;
	union {
		struct nlmsghdr header;
		char bytes[65536];
	} message;
};

/* The attribute of a type among @len bytes, or NULL. */
static inline const struct nlattr *genl_find(const void *attrs, int len, int type)
{
	const struct nlattr *a = attrs;

	while (len >= (int)sizeof(*a) && a->nla_len >= sizeof(*a) && a->nla_len <= len) {
		if ((a->nla_type & NLA_TYPE_MASK) == type)
			return a;
		len -= NLA_ALIGN(a->nla_len);
		a = (const void *)((const char *)a + NLA_ALIGN(a->nla_len));
	}
	return NULL;
}

static inline const void *genl_data(const struct nlattr *a)
{
	return (const char *)a + NLA_HDRLEN;
}

/* An attribute of a message, or NULL. */
static inline const struct nlattr *genl_top(const struct nlmsghdr *h, int type)
{
	return genl_find((const char *)NLMSG_DATA(h) + GENL_HDRLEN,
			 h->nlmsg_len - NLMSG_HDRLEN - GENL_HDRLEN, type);
}

/* Its data, or NULL. */
static inline const void *genl_attr(const struct nlmsghdr *h, int type)
{
	const struct nlattr *a = genl_top(h, type);

	return a ? genl_data(a) : NULL;
}

static inline uint64_t genl_u64(const struct nlmsghdr *h, int type)
{
	const void *data = genl_attr(h, type);
	uint64_t value = VT_NOTHING;

	if (data)
		memcpy(&value, data, sizeof(value));
	return value;
}

static inline uint32_t genl_u32(const struct nlmsghdr *h, int type)
{
	const void *data = genl_attr(h, type);
	uint32_t value = -1;

	if (data)
		memcpy(&value, data, sizeof(value));
	return value;
}

static inline const char *genl_string(const struct nlmsghdr *h, int type)
{
	const char *s = genl_attr(h, type);

	return s ? s : "";
}

/* Receives into g->message; returns bytes or -errno. */
static inline int genl_recv(struct genl *g)
{
	int n = recv(g->fd, &g->message, sizeof(g->message), 0);

	return n < 0 ? -errno : n;
}

/* Sends a request with one attribute, or none with @type 0. */
static inline int genl_send(struct genl *g, uint16_t family, int flags, int cmd, int type,
			    const void *data, size_t len)
{
	struct {
		struct nlmsghdr h;
		struct genlmsghdr g;
		struct nlattr a;
		char data[64];
	} req = {
		.h = { .nlmsg_type = family, .nlmsg_flags = NLM_F_REQUEST | flags },
		.g = { .cmd = cmd, .version = 1 },
		.a = { .nla_type = type, .nla_len = NLA_HDRLEN + len },
	};

	req.h.nlmsg_len = NLMSG_HDRLEN + GENL_HDRLEN;
	if (type) {
		memcpy(req.data, data, len);
		req.h.nlmsg_len += NLA_ALIGN(req.a.nla_len);
	}
	return send(g->fd, &req, req.h.nlmsg_len, 0) < 0 ? -errno : 0;
}

/*
 * Calls @each for every message of the answer; it ends with an error, the end of a dump, or
 * an acknowledgment, which every request asks for.  Returns 0 or -errno.
 */
static inline int genl_answer(struct genl *g, void (*each)(const struct nlmsghdr *, void *),
			      void *opaque)
{
	for (;;) {
		int n = genl_recv(g);

		if (n < 0)
			return n;
		for (struct nlmsghdr *h = &g->message.header; NLMSG_OK(h, (unsigned int)n);
		     h = NLMSG_NEXT(h, n)) {
			if (h->nlmsg_type == NLMSG_ERROR)
				return ((struct nlmsgerr *)NLMSG_DATA(h))->error;
			if (h->nlmsg_type == NLMSG_DONE)
				return *(int *)NLMSG_DATA(h);
			if (each)
				each(h, opaque);
		}
	}
}

static inline int genl_vm(struct genl *g, int cmd, int flags, uint64_t vm,
			  void (*each)(const struct nlmsghdr *, void *), void *opaque)
{
	int err = genl_send(g, g->family, flags, cmd, vm ? VITRO_A_VM_ID : 0, &vm, sizeof(vm));

	return err ? err : genl_answer(g, each, opaque);
}

/* VITRO_CMD_VM_SET */
static inline int genl_watch(struct genl *g, uint64_t vm, uint8_t on)
{
	struct {
		struct nlmsghdr h;
		struct genlmsghdr g;
		struct nlattr a;
		uint64_t vm;
		struct nlattr b;
		uint8_t on;
		char pad[3];
	} __attribute__((packed)) req = {
		.h = { .nlmsg_type = g->family, .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK,
		       .nlmsg_len = sizeof(req) },
		.g = { .cmd = VITRO_CMD_VM_SET, .version = 1 },
		.a = { .nla_type = VITRO_A_VM_ID, .nla_len = NLA_HDRLEN + 8 },
		.vm = vm,
		.b = { .nla_type = VITRO_A_WATCHED, .nla_len = NLA_HDRLEN + 1 },
		.on = on,
	};

	return send(g->fd, &req, sizeof(req), 0) < 0 ? -errno : genl_answer(g, NULL, NULL);
}

static inline void genl_note_family(const struct nlmsghdr *h, void *opaque)
{
	const struct nlattr *first = genl_data(genl_top(h, CTRL_ATTR_MCAST_GROUPS));
	const struct nlattr *id = genl_find(genl_data(first), first->nla_len - NLA_HDRLEN,
					    CTRL_ATTR_MCAST_GRP_ID);
	struct genl *g = opaque;

	memcpy(&g->family, genl_attr(h, CTRL_ATTR_FAMILY_ID), sizeof(g->family));
	memcpy(&g->group, genl_data(id), sizeof(g->group));
}

/* A socket that knows the family; what waits for a message, waits for 5 s. */
static inline struct genl *genl_open(void)
{
	const struct timeval patience = { .tv_sec = 5 };
	struct genl *g = calloc(1, sizeof(*g));

	g->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (g->fd < 0)
		vt_die("netlink: %s", strerror(errno));
	setsockopt(g->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (genl_send(g, GENL_ID_CTRL, NLM_F_ACK, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_NAME,
		      VITRO_FAMILY_NAME, sizeof(VITRO_FAMILY_NAME)) ||
	    genl_answer(g, genl_note_family, g) || !g->family)
		vt_die("no netlink family " VITRO_FAMILY_NAME);
	return g;
}

/* Joins the group of events; returns 0 or -errno. */
static inline int genl_join(struct genl *g)
{
	return setsockopt(g->fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &g->group,
			  sizeof(g->group)) < 0 ? -errno : 0;
}

#endif /* GENL_H */
