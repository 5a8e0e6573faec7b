// SPDX-License-Identifier: GPL-2.0-or-later
/* Calls by netlink: linux/vitro_netlink.h. */
#include <errno.h>
#include "../genl.h"
#include "ops.h"

static void note_vm(const struct nlmsghdr *h, void *opaque)
{
	*(uint64_t *)opaque = genl_u64(h, VITRO_A_VM_ID);
}

/* A request with three attributes, of which the last may be anything. */
static long request(struct genl *g, const uint64_t *arg, uint64_t vm)
{
	struct {
		struct nlmsghdr h;
		struct genlmsghdr g;
		struct nlattr a;
		uint64_t vm;
		struct nlattr b;
		uint8_t on;
		char pad[3];
		struct nlattr c;
		uint64_t more;
	} __attribute__((packed)) req = {
		.h = { .nlmsg_type = g->family, .nlmsg_len = sizeof(req),
		       .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | (arg[1] & 1 ? NLM_F_DUMP : 0) },
		.g = { .cmd = arg[0], .version = 1 },
		.a = { .nla_type = VITRO_A_VM_ID, .nla_len = NLA_HDRLEN + (arg[1] & 4 ? 4 : 8) },
		.vm = vm,
		.b = { .nla_type = VITRO_A_WATCHED, .nla_len = NLA_HDRLEN + 1 },
		.on = arg[3],
		.c = { .nla_type = arg[4], .nla_len = NLA_HDRLEN + 8 },
		.more = arg[4],
	};

	/* Zero is no attribute; a request for all VMs has none at all. */
	if (!arg[4])
		req.h.nlmsg_len -= NLA_HDRLEN + 8;
	if (arg[1] & 2)
		req.h.nlmsg_len = NLMSG_HDRLEN + GENL_HDRLEN;
	if (send(g->fd, &req, req.h.nlmsg_len, 0) < 0)
		return -errno;
	return genl_answer(g, NULL, NULL);
}

/* Asks for, or changes, the youngest VM that there is, or one so many before it. */
long op_netlink(struct exec *x, const uint64_t *arg)
{
	struct genl *g = genl_open();
	uint64_t vm = 0;
	long ret;

	(void)x;
	ret = genl_vm(g, VITRO_CMD_VM_GET, NLM_F_DUMP, 0, note_vm, &vm);
	if (!ret)
		ret = request(g, arg, vm - arg[2]);
	close(g->fd);
	free(g);
	return ret;
}
