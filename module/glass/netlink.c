// SPDX-License-Identifier: GPL-2.0-only
/*
 * The generic netlink family "vitro": which VMs are there, and what they do.
 *
 * Readers are strangers: they must not make a VM wait.  So queries take none of a VM's
 * own locks, which its process may hold over page faults.  A mutex of this file guards
 * the list of VMs and what it says of them; a VM leaves the list before its end, and
 * the vCPUs are under RCU.  Each message is of bounded size, and who does not read
 * loses events, nothing else.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/mutex.h>
#include <linux/pid.h>
#include <linux/rcupdate.h>
#include <linux/string.h>
#include <net/genetlink.h>
#include <net/sock.h>
#include <asm/tsc.h>

#include "compat/compat.h"
#include "core/backend.h"
#include "glass/glass.h"

static DEFINE_MUTEX(vms_lock);
static LIST_HEAD(vms);		/* by vms_lock; sorted by id */
static u64 last_vm_id;		/* by vms_lock */

static struct genl_family family;

/* May the owner of this socket see the VM? */
static bool may_see(struct sk_buff *skb, const struct vitro_vm *vm)
{
	return uid_eq(NETLINK_CB(skb).sk->sk_uid, vm->glass.uid) ||
	       netlink_capable(skb, CAP_SYS_ADMIN);
}

/* The VM of a request; vms_lock held.  What may not be seen does not exist. */
static struct vitro_vm *find_vm(struct sk_buff *skb, struct nlattr **attrs)
{
	struct vitro_vm *vm;
	u64 id;

	if (!attrs[VITRO_A_VM_ID])
		return ERR_PTR(-EINVAL);
	id = nla_get_u64(attrs[VITRO_A_VM_ID]);
	list_for_each_entry(vm, &vms, glass.list) {
		if (vm->id == id && may_see(skb, vm))
			return vm;
	}
	return ERR_PTR(-ENOENT);
}

static int put_u64(struct sk_buff *msg, int attr, u64 value)
{
	return nla_put_u64_64bit(msg, attr, value, VITRO_A_PAD);
}

/* ---------------------------------------------------------------------- VMs */

static u32 nr_vcpus(const struct vitro_vm *vm)
{
	u32 i, nr = 0;

	for (i = 0; i < VITRO_MAX_VCPUS; i++)
		nr += !!rcu_access_pointer(vm->vcpu[i]);
	return nr;
}

static int put_id(struct sk_buff *msg, const struct vitro_vm *vm)
{
	if (put_u64(msg, VITRO_A_VM_ID, vm->id))
		return -EMSGSIZE;
	if (vm->glass.name[0] && nla_put_string(msg, VITRO_A_NAME, vm->glass.name))
		return -EMSGSIZE;
	return 0;
}

static int put_vm(struct sk_buff *msg, u32 portid, u32 seq, int flags, const struct vitro_vm *vm)
{
	void *header = genlmsg_put(msg, portid, seq, &family, flags, VITRO_CMD_VM_GET);

	if (!header)
		return -EMSGSIZE;
	if (put_id(msg, vm) ||
	    nla_put_u32(msg, VITRO_A_PID, pid_vnr(vm->glass.pid)) ||
	    nla_put_u32(msg, VITRO_A_UID, from_kuid_munged(current_user_ns(), vm->glass.uid)) ||
	    nla_put_u32(msg, VITRO_A_NR_VCPUS, nr_vcpus(vm)) ||
	    nla_put_u8(msg, VITRO_A_WATCHED, vm->glass.watched) ||
	    nla_put_u32(msg, VITRO_A_VENDOR, backend->vendor) ||
	    nla_put_u32(msg, VITRO_A_TSC_KHZ, tsc_khz)) {
		genlmsg_cancel(msg, header);
		return -EMSGSIZE;
	}
	genlmsg_end(msg, header);
	return 0;
}

static int vm_get(struct sk_buff *skb, struct genl_info *info)
{
	struct sk_buff *msg = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	struct vitro_vm *vm;
	int ret;

	if (!msg)
		return -ENOMEM;
	mutex_lock(&vms_lock);
	vm = find_vm(skb, info->attrs);
	if (IS_ERR(vm))
		ret = PTR_ERR(vm);
	else
		ret = put_vm(msg, info->snd_portid, info->snd_seq, 0, vm);
	mutex_unlock(&vms_lock);
	if (ret) {
		nlmsg_free(msg);
		return ret;
	}
	return genlmsg_reply(msg, info);
}

/* cb->args[0]: id of the last VM that has been sent. */
static int vm_dump(struct sk_buff *msg, struct netlink_callback *cb)
{
	struct vitro_vm *vm;

	mutex_lock(&vms_lock);
	list_for_each_entry(vm, &vms, glass.list) {
		if (vm->id <= (u64)cb->args[0] || !may_see(cb->skb, vm))
			continue;
		if (put_vm(msg, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq, NLM_F_MULTI, vm))
			break;
		cb->args[0] = vm->id;
	}
	mutex_unlock(&vms_lock);
	return msg->len;
}

static int vm_set(struct sk_buff *skb, struct genl_info *info)
{
	struct vitro_vm *vm;
	bool watched;

	if (!info->attrs[VITRO_A_WATCHED])
		return -EINVAL;
	watched = nla_get_u8(info->attrs[VITRO_A_WATCHED]);
	mutex_lock(&vms_lock);
	vm = find_vm(skb, info->attrs);
	if (!IS_ERR(vm) && vm->glass.watched != watched) {
		WRITE_ONCE(vm->glass.watched, watched);
		if (watched)
			static_branch_deferred_inc(&glass_key);
		else
			static_branch_slow_dec_deferred(&glass_key);
	}
	mutex_unlock(&vms_lock);
	return PTR_ERR_OR_ZERO(vm);
}

/* -------------------------------------------------------------------- vCPUs */

/* RCU held. */
static int put_vcpu(struct sk_buff *msg, struct netlink_callback *cb, const struct vitro_vcpu *vcpu)
{
	void *header = genlmsg_put(msg, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq, &family,
				   NLM_F_MULTI, VITRO_CMD_VCPU_GET);

	if (!header)
		return -EMSGSIZE;
	if (put_u64(msg, VITRO_A_VM_ID, vcpu->vm->id) ||
	    nla_put_u32(msg, VITRO_A_VCPU_ID, vcpu->id) ||
	    nla_put_u32(msg, VITRO_A_TID, pid_vnr(rcu_dereference(vcpu->task))) ||
	    nla_put_u32(msg, VITRO_A_MP_STATE, READ_ONCE(vcpu->mp_state)) ||
	    nla_put_u8(msg, VITRO_A_IN_GUEST, READ_ONCE(vcpu->mode) == IN_GUEST)) {
		genlmsg_cancel(msg, header);
		return -EMSGSIZE;
	}
	genlmsg_end(msg, header);
	return 0;
}

/* A message of counters, or, with @reason, of times.  RCU held. */
static int put_stats(struct sk_buff *msg, struct netlink_callback *cb,
		     const struct vitro_vcpu *vcpu, int reason)
{
	void *header = genlmsg_put(msg, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq, &family,
				   NLM_F_MULTI, VITRO_CMD_STATS_GET);
	const struct vitro_times *times = &vcpu->glass.times->reason[max(reason, 0)];
	int err;

	if (!header)
		return -EMSGSIZE;
	err = put_u64(msg, VITRO_A_VM_ID, vcpu->vm->id);
	err = err ?: nla_put_u32(msg, VITRO_A_VCPU_ID, vcpu->id);
	if (reason < 0) {
		err = err ?: nla_put(msg, VITRO_A_COUNTERS, sizeof(vcpu->stat), vcpu->stat);
	} else {
		err = err ?: nla_put_u32(msg, VITRO_A_REASON, reason);
		err = err ?: nla_put(msg, VITRO_A_TIMES, sizeof(*times), times);
	}
	if (err)
		genlmsg_cancel(msg, header);
	else
		genlmsg_end(msg, header);
	return err;
}

/* cb->args[0]: vCPU to go on with. */
static int vcpu_dump(struct sk_buff *msg, struct netlink_callback *cb)
{
	struct vitro_vcpu *vcpu;
	struct vitro_vm *vm;

	mutex_lock(&vms_lock);
	vm = find_vm(cb->skb, compat_dump_attrs(cb));
	rcu_read_lock();
	for (; !IS_ERR(vm) && cb->args[0] < VITRO_MAX_VCPUS; cb->args[0]++) {
		vcpu = rcu_dereference(vm->vcpu[cb->args[0]]);
		if (vcpu && put_vcpu(msg, cb, vcpu))
			break;
	}
	rcu_read_unlock();
	mutex_unlock(&vms_lock);
	return IS_ERR(vm) ? PTR_ERR(vm) : msg->len;
}

/* cb->args[0]: vCPU to go on with; cb->args[1]: its reason, plus one. */
static int stats_dump(struct sk_buff *msg, struct netlink_callback *cb)
{
	struct vitro_vcpu *vcpu;
	struct vitro_vm *vm;

	mutex_lock(&vms_lock);
	vm = find_vm(cb->skb, compat_dump_attrs(cb));
	rcu_read_lock();
	for (; !IS_ERR(vm) && cb->args[0] < VITRO_MAX_VCPUS; cb->args[0]++, cb->args[1] = 0) {
		vcpu = rcu_dereference(vm->vcpu[cb->args[0]]);
		for (; vcpu && cb->args[1] <= VITRO_NR_REASONS; cb->args[1]++) {
			int reason = cb->args[1] - 1;

			if (reason >= 0 && !READ_ONCE(vcpu->glass.times->reason[reason].max))
				continue;
			if (put_stats(msg, cb, vcpu, reason))
				goto out;
		}
	}
out:
	rcu_read_unlock();
	mutex_unlock(&vms_lock);
	return IS_ERR(vm) ? PTR_ERR(vm) : msg->len;
}

/* ------------------------------------------------------------------- events */

/* Tells the listeners.  @name is the VM's; @vcpu may be NULL.  May sleep. */
static void send_event(const struct vitro_vm *vm, const char *name, const struct vitro_vcpu *vcpu,
		       enum vitro_event event)
{
	struct sk_buff *msg;
	void *header;
	int err;

	if (!genl_has_listeners(&family, &init_net, 0))
		return;
	msg = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!msg) {
		/* They are told, as they are of what their buffers cannot hold. */
		genl_set_err(&family, &init_net, 0, 0, -ENOBUFS);
		return;
	}
	header = genlmsg_put(msg, 0, 0, &family, 0, VITRO_CMD_EVENT_NTF);
	err = header ? 0 : -EMSGSIZE;
	err = err ?: nla_put_u32(msg, VITRO_A_EVENT, event);
	err = err ?: put_u64(msg, VITRO_A_VM_ID, vm->id);
	if (name[0])
		err = err ?: nla_put_string(msg, VITRO_A_NAME, name);
	if (vcpu)
		err = err ?: nla_put_u32(msg, VITRO_A_VCPU_ID, vcpu->id);
	if (event == VITRO_EVENT_TRIPLE_FAULT || event == VITRO_EVENT_ENTRY_FAILURE)
		err = err ?: put_u64(msg, VITRO_A_RIP, vcpu->regs.rip);
	if (event == VITRO_EVENT_ENTRY_FAILURE)
		err = err ?: put_u64(msg, VITRO_A_CODE, vcpu->exit.raw.code);
	if (event == VITRO_EVENT_SLOW_USER) {
		err = err ?: nla_put_u32(msg, VITRO_A_REASON, vcpu->glass.reason);
		err = err ?: put_u64(msg, VITRO_A_CYCLES,
				     vcpu->glass.cycles[VITRO_PLACE_USER]);
	}
	if (err) {
		nlmsg_free(msg);
		return;
	}
	genlmsg_end(msg, header);
	/* A socket without room is skipped, and its owner told by ENOBUFS. */
	genlmsg_multicast(&family, msg, 0, 0, GFP_KERNEL);
}

static void vm_event(struct vitro_vm *vm, const struct vitro_vcpu *vcpu, enum vitro_event event)
{
	char name[VITRO_NAME_SIZE];

	mutex_lock(&vms_lock);
	memcpy(name, vm->glass.name, sizeof(name));
	mutex_unlock(&vms_lock);
	send_event(vm, name, vcpu, event);
}

/**
 * glass_vcpu_event - something happened to a vCPU
 * @vcpu: the vCPU, on its own thread or known to nobody yet
 * @event: what
 *
 * May sleep.
 */
void glass_vcpu_event(const struct vitro_vcpu *vcpu, enum vitro_event event)
{
	vm_event(vcpu->vm, vcpu, event);
}

/**
 * glass_report - VITRO_REPORT
 * @vm: the VM
 * @report: as userspace gave it
 *
 * Returns 0 or -EINVAL.
 */
int glass_report(struct vitro_vm *vm, const struct vitro_report *report)
{
	if (report->what != VITRO_REPORT_PANIC || report->pad)
		return -EINVAL;
	vm_event(vm, NULL, VITRO_EVENT_GUEST_PANIC);
	return 0;
}

/**
 * glass_set_name - VITRO_SET_NAME
 * @vm: the VM
 * @name: as userspace gave it
 *
 * A name goes to terminals: nothing is in it that could do more there than be read.
 * Returns 0 or -EINVAL.
 */
int glass_set_name(struct vitro_vm *vm, const struct vitro_name *name)
{
	size_t i, len = strnlen(name->name, sizeof(name->name));

	if (len == sizeof(name->name) || memchr_inv(name->name + len, 0, sizeof(name->name) - len))
		return -EINVAL;
	for (i = 0; i < len; i++) {
		if (name->name[i] <= ' ' || name->name[i] > '~' ||
		    strchr("\"'\\", name->name[i]))
			return -EINVAL;
	}
	mutex_lock(&vms_lock);
	memcpy(vm->glass.name, name->name, sizeof(name->name));
	mutex_unlock(&vms_lock);
	vm_event(vm, NULL, VITRO_EVENT_VM_NAMED);
	return 0;
}

/* -------------------------------------------------------------- life of a VM */

/**
 * glass_vm_init - make a VM known to readers
 * @vm: the VM, complete; it gets its id
 */
void glass_vm_init(struct vitro_vm *vm)
{
	vm->glass.uid = current_euid();
	vm->glass.pid = get_task_pid(current, PIDTYPE_TGID);
	mutex_lock(&vms_lock);
	vm->id = ++last_vm_id;
	list_add_tail(&vm->glass.list, &vms);
	mutex_unlock(&vms_lock);
	send_event(vm, "", NULL, VITRO_EVENT_VM_CREATED);
}

/**
 * glass_vm_fini - the VM is about to end
 * @vm: the VM, without vCPUs
 */
void glass_vm_fini(struct vitro_vm *vm)
{
	mutex_lock(&vms_lock);
	list_del(&vm->glass.list);
	mutex_unlock(&vms_lock);
	if (vm->glass.watched)
		static_branch_slow_dec_deferred(&glass_key);
	send_event(vm, vm->glass.name, NULL, VITRO_EVENT_VM_DESTROYED);
	put_pid(vm->glass.pid);
}

/* ---------------------------------------------------------------- the family */

static const struct nla_policy policy[VITRO_A_MAX + 1] = {
	[VITRO_A_VM_ID]		= { .type = NLA_U64 },
	[VITRO_A_WATCHED]	= NLA_POLICY_MAX(NLA_U8, 1),
};

static const struct genl_ops ops[] = {
	{ .cmd = VITRO_CMD_VM_GET, .doit = vm_get, .dumpit = vm_dump },
	{ .cmd = VITRO_CMD_VCPU_GET, .dumpit = vcpu_dump },
	{ .cmd = VITRO_CMD_STATS_GET, .dumpit = stats_dump },
	{ .cmd = VITRO_CMD_VM_SET, .doit = vm_set },
};

static const struct genl_multicast_group groups[] = {
	{ .name = VITRO_MCGRP_EVENTS, .flags = COMPAT_MCAST_CAP_SYS_ADMIN },
};

static struct genl_family family = {
	.name = VITRO_FAMILY_NAME,
	.version = VITRO_FAMILY_VERSION,
	.maxattr = VITRO_A_MAX,
	.policy = policy,
	.module = THIS_MODULE,
	.ops = ops,
	.n_ops = ARRAY_SIZE(ops),
	.resv_start_op = __VITRO_CMD_MAX,
	.mcgrps = groups,
	.n_mcgrps = ARRAY_SIZE(groups),
};

/**
 * glass_init - at load
 *
 * Returns 0 or a negative errno.
 */
int glass_init(void)
{
	return genl_register_family(&family);
}

/**
 * glass_exit_module - at unload; no VM is left
 */
void glass_exit_module(void)
{
	genl_unregister_family(&family);
	static_key_deferred_flush(&glass_key);
}
