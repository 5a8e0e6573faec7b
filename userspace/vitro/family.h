/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The module's netlink family: which machines are there, and what they do. */
#ifndef VITRO_FAMILY_H
#define VITRO_FAMILY_H

#include <linux/vitro.h>
#include <linux/vitro_netlink.h>
#include <netlink/attr.h>
#include <netlink/netlink.h>
#include <stdbool.h>
#include <stdint.h>

/**
 * struct family - a socket
 * @sock: it
 * @id: number of the family
 */
struct family {
	struct nl_sock *sock;
	int id;
};

/**
 * struct vm_info - a machine
 * @id: never used twice
 * @name: empty if it has none
 * @pid: @uid: process and user that own it
 * @nr_vcpus: processors
 * @vendor: enum vitro_vendor
 * @tsc_khz: rate of the TSC
 * @watched: its exits are timed
 */
struct vm_info {
	uint64_t id;
	char name[VITRO_NAME_SIZE];
	uint32_t pid;
	uint32_t uid;
	uint32_t nr_vcpus;
	uint32_t vendor;
	uint32_t tsc_khz;
	bool watched;
};

/* What is called for each message of an answer; attrs as nla_parse() has them. */
typedef void (*family_each_fn)(struct nlattr **attrs, void *opaque);

/* These say on stderr what is wrong, as "vitro COMMAND: ..."; false, or an exit status. */
bool family_open(struct family *f, const char *command);
void family_close(struct family *f);
int family_find_vm(struct family *f, const char *command, const char *which, struct vm_info *vm);

/* These return 0 or a negative number for nl_geterror(). */
int family_list(struct family *f, struct vm_info **vms, unsigned int *nr);
int family_dump(struct family *f, int cmd, uint64_t vm, family_each_fn each, void *opaque);
int family_watch(struct family *f, uint64_t vm, bool on);
int family_join_events(struct family *f);
int family_receive(struct family *f, family_each_fn each, void *opaque);

/* Attributes, or what stands for a missing one. */
uint64_t attr_u64(struct nlattr **attrs, int type);
uint32_t attr_u32(struct nlattr **attrs, int type);
const char *attr_string(struct nlattr **attrs, int type);

/* names.c */
const char *reason_name(unsigned int reason);
const char *event_name(unsigned int event);

#endif /* VITRO_FAMILY_H */
