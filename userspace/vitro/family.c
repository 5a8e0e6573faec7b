// SPDX-License-Identifier: GPL-2.0-or-later
/* Questions to the module over generic netlink, by libnl. */
#include <errno.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "family.h"

/**
 * attr_u64 - a number among the attributes
 * @attrs: they
 * @type: VITRO_A_*
 *
 * Return: it; 0 if there is none.
 */
uint64_t attr_u64(struct nlattr **attrs, int type)
{
	return attrs[type] ? nla_get_u64(attrs[type]) : 0;
}

/**
 * attr_u32 - a number among the attributes
 * @attrs: they
 * @type: VITRO_A_*, of 32 or of 8 bits
 *
 * Return: it; 0 if there is none.
 */
uint32_t attr_u32(struct nlattr **attrs, int type)
{
	if (!attrs[type])
		return 0;
	return nla_len(attrs[type]) < 4 ? nla_get_u8(attrs[type]) : nla_get_u32(attrs[type]);
}

/**
 * attr_string - a string among the attributes
 * @attrs: they
 * @type: VITRO_A_*
 *
 * Return: it; "" if there is none.
 */
const char *attr_string(struct nlattr **attrs, int type)
{
	return attrs[type] ? nla_get_string(attrs[type]) : "";
}

/**
 * family_open - get in touch with the module
 * @f: filled in; family_close() is due on success
 * @command: who says what is wrong
 *
 * Return: true on success.
 */
bool family_open(struct family *f, const char *command)
{
	f->sock = nl_socket_alloc();
	if (!f->sock || genl_connect(f->sock)) {
		fprintf(stderr, "vitro %s: this kernel has no generic netlink\n", command);
		nl_socket_free(f->sock);
		return false;
	}
	f->id = genl_ctrl_resolve(f->sock, VITRO_FAMILY_NAME);
	if (f->id < 0) {
		fprintf(stderr,
			"vitro %s: no answer from vitro.ko; is it loaded (modprobe vitro)? It answers in the host's own network namespace only\n",
			command);
		nl_socket_free(f->sock);
		return false;
	}
	return true;
}

/**
 * family_close - undo family_open()
 * @f: the family
 */
void family_close(struct family *f)
{
	nl_socket_free(f->sock);
}

/**
 * struct receiver - an answer on its way in
 * @each: called for each message
 * @opaque: its argument
 */
struct receiver {
	family_each_fn each;
	void *opaque;
};

static int got_message(struct nl_msg *msg, void *arg)
{
	static struct nla_policy policy[VITRO_A_MAX + 1] = {
		[VITRO_A_VM_ID] = { .type = NLA_U64 },
		[VITRO_A_NAME] = { .type = NLA_STRING, .maxlen = VITRO_NAME_SIZE },
		[VITRO_A_PID] = { .type = NLA_U32 },
		[VITRO_A_UID] = { .type = NLA_U32 },
		[VITRO_A_NR_VCPUS] = { .type = NLA_U32 },
		[VITRO_A_WATCHED] = { .type = NLA_U8 },
		[VITRO_A_VENDOR] = { .type = NLA_U32 },
		[VITRO_A_TSC_KHZ] = { .type = NLA_U32 },
		[VITRO_A_VCPU_ID] = { .type = NLA_U32 },
		[VITRO_A_TID] = { .type = NLA_U32 },
		[VITRO_A_MP_STATE] = { .type = NLA_U32 },
		[VITRO_A_IN_GUEST] = { .type = NLA_U8 },
		[VITRO_A_REASON] = { .type = NLA_U32 },
		[VITRO_A_TIMES] = { .minlen = sizeof(struct vitro_times) },
		[VITRO_A_EVENT] = { .type = NLA_U32 },
		[VITRO_A_RIP] = { .type = NLA_U64 },
		[VITRO_A_CODE] = { .type = NLA_U64 },
		[VITRO_A_CYCLES] = { .type = NLA_U64 },
	};
	struct nlattr *attrs[VITRO_A_MAX + 1];
	struct receiver *r = arg;

	if (genlmsg_parse(nlmsg_hdr(msg), 0, attrs, VITRO_A_MAX, policy))
		return NL_SKIP;
	r->each(attrs, r->opaque);
	return NL_OK;
}

static void nothing(struct nlattr **attrs, void *opaque)
{
	(void)attrs;
	(void)opaque;
}

/* Sends @msg, which it frees, and waits until the answer is complete. */
static int ask(struct family *f, struct nl_msg *msg, family_each_fn each, void *opaque)
{
	struct receiver r = { .each = each, .opaque = opaque };
	int err;

	nl_socket_modify_cb(f->sock, NL_CB_VALID, NL_CB_CUSTOM, got_message, &r);
	err = nl_send_auto(f->sock, msg);
	nlmsg_free(msg);
	/* Up to the acknowledgment, or the end of the dump. */
	return err < 0 ? err : nl_wait_for_ack(f->sock);
}

static struct nl_msg *request(struct family *f, int cmd, int flags, uint64_t vm)
{
	struct nl_msg *msg = nlmsg_alloc();

	if (!msg)
		return NULL;
	if (!genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, f->id, 0, flags, cmd,
			 VITRO_FAMILY_VERSION) ||
	    (vm && nla_put_u64(msg, VITRO_A_VM_ID, vm))) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

/**
 * family_dump - ask for all messages of a kind
 * @f: the family
 * @cmd: VITRO_CMD_*
 * @vm: of this machine; 0 for what is of none
 * @each: called for each message
 * @opaque: its argument
 *
 * Return: 0, or a negative number for nl_geterror().
 */
int family_dump(struct family *f, int cmd, uint64_t vm, family_each_fn each, void *opaque)
{
	struct nl_msg *msg = request(f, cmd, NLM_F_DUMP, vm);

	return msg ? ask(f, msg, each, opaque) : -NLE_NOMEM;
}

/**
 * family_watch - start or stop timing a machine's exits
 * @f: the family
 * @vm: its id
 * @on: start
 *
 * Return: 0, or a negative number for nl_geterror().
 */
int family_watch(struct family *f, uint64_t vm, bool on)
{
	struct nl_msg *msg = request(f, VITRO_CMD_VM_SET, NLM_F_ACK, vm);

	if (!msg)
		return -NLE_NOMEM;
	if (nla_put_u8(msg, VITRO_A_WATCHED, on)) {
		nlmsg_free(msg);
		return -NLE_NOMEM;
	}
	return ask(f, msg, nothing, NULL);
}

/* ------------------------------------------------------------------ machines */

struct list {
	struct vm_info *vm;
	unsigned int nr;
	bool failed;
};

static void add_vm(struct nlattr **attrs, void *opaque)
{
	struct list *list = opaque;
	struct vm_info *more = realloc(list->vm, (list->nr + 1) * sizeof(*more));
	struct vm_info *vm;

	if (!more) {
		list->failed = true;
		return;
	}
	list->vm = more;
	vm = &list->vm[list->nr++];
	*vm = (struct vm_info){
		.id = attr_u64(attrs, VITRO_A_VM_ID),
		.pid = attr_u32(attrs, VITRO_A_PID),
		.uid = attr_u32(attrs, VITRO_A_UID),
		.nr_vcpus = attr_u32(attrs, VITRO_A_NR_VCPUS),
		.vendor = attr_u32(attrs, VITRO_A_VENDOR),
		.tsc_khz = attr_u32(attrs, VITRO_A_TSC_KHZ),
		.watched = attr_u32(attrs, VITRO_A_WATCHED),
	};
	snprintf(vm->name, sizeof(vm->name), "%s", attr_string(attrs, VITRO_A_NAME));
}

/**
 * family_list - all machines that this user may see
 * @f: the family
 * @vms: set to an array, to be freed
 * @nr: set to its length
 *
 * Return: 0, or a negative number for nl_geterror().
 */
int family_list(struct family *f, struct vm_info **vms, unsigned int *nr)
{
	struct list list = { .vm = NULL };
	int err = family_dump(f, VITRO_CMD_VM_GET, 0, add_vm, &list);

	if (!err && list.failed)
		err = -NLE_NOMEM;
	if (err) {
		free(list.vm);
		list = (struct list){ .vm = NULL };
	}
	*vms = list.vm;
	*nr = list.nr;
	return err;
}

static bool is_meant(const struct vm_info *vm, const char *which)
{
	uint64_t id;

	return !which || !strcmp(vm->name, which) ||
	       (parse_number(which, 1, UINT64_MAX, &id) && id == vm->id);
}

/**
 * family_find_vm - the machine that the user means
 * @f: the family
 * @command: who says what is wrong
 * @which: its name or id; NULL if there is but one
 * @vm: filled in
 *
 * Return: 0 or an exit status.
 */
int family_find_vm(struct family *f, const char *command, const char *which, struct vm_info *vm)
{
	unsigned int nr, i, found = 0;
	struct vm_info *vms;
	int err = family_list(f, &vms, &nr);

	if (err) {
		fprintf(stderr, "vitro %s: %s\n", command, nl_geterror(err));
		return END_HOST;
	}
	for (i = 0; i < nr; i++) {
		if (is_meant(&vms[i], which)) {
			*vm = vms[i];
			found++;
		}
	}
	free(vms);
	if (found == 1)
		return 0;
	if (!found && which)
		fprintf(stderr, "vitro %s: no machine '%s'; vitro ps lists those you may see\n",
			command, which);
	else if (!found)
		fprintf(stderr, "vitro %s: no machine runs that you may see\n", command);
	else
		fprintf(stderr, "vitro %s: %u machines: give the id of one, from vitro ps\n",
			command, found);
	return END_USAGE;
}

/* -------------------------------------------------------------------- events */

/**
 * family_join_events - listen to events from now on
 * @f: the family, of which nothing else can be asked any more
 *
 * Return: 0, or a negative number for nl_geterror().
 */
int family_join_events(struct family *f)
{
	int group = genl_ctrl_resolve_grp(f->sock, VITRO_FAMILY_NAME, VITRO_MCGRP_EVENTS);

	if (group < 0)
		return group;
	nl_socket_disable_seq_check(f->sock);
	return nl_socket_add_membership(f->sock, group);
}

/**
 * family_receive - wait for events
 * @f: the family
 * @each: called for each event that has come
 * @opaque: its argument
 *
 * Return: 0, or a negative number for nl_geterror(): -NLE_NOMEM when some were lost,
 * -NLE_INTR on a signal.
 */
int family_receive(struct family *f, family_each_fn each, void *opaque)
{
	struct receiver r = { .each = each, .opaque = opaque };

	nl_socket_modify_cb(f->sock, NL_CB_VALID, NL_CB_CUSTOM, got_message, &r);
	return nl_recvmsgs_default(f->sock);
}
