// SPDX-License-Identifier: GPL-2.0-only
/*
 * The dump: what VM entry goes by, for those who explain why it failed.
 *
 * Some of it would tell a process where the host's kernel and its memory are, so that
 * is for CAP_SYS_ADMIN only.  The others lose little: vitro alone decides on these fields.
 */
#include <linux/capability.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/msr.h>

#include "compat/compat.h"
#include "core/core.h"

/**
 * dump_add - one more value
 * @dump: the dump
 * @kind: enum vitro_dump_kind
 * @key: what of that kind
 * @value: it
 *
 * It is counted even if there is no room.  Also with interrupts off.
 */
void dump_add(struct dump *dump, u32 kind, u32 key, u64 value)
{
	if (dump->nr < dump->room)
		dump->entries[dump->nr] = (struct vitro_dump_entry){
			.kind = kind, .key = key, .value = value,
		};
	dump->nr++;
}

/**
 * dump_add_secret - one more value, which not everybody may see
 * @dump: the dump
 * @kind: as for dump_add()
 * @key: likewise
 * @value: likewise
 */
void dump_add_secret(struct dump *dump, u32 kind, u32 key, u64 value)
{
	if (dump->secrets)
		dump_add(dump, kind, key, value);
	else
		dump->withheld++;
}

/**
 * dump_msrs - the host's MSRs that say what this CPU accepts
 * @dump: the dump
 * @index: their numbers; those that this CPU lacks are left out
 * @nr: how many
 */
void dump_msrs(struct dump *dump, const u32 *index, int nr)
{
	u64 value;
	int i;

	for (i = 0; i < nr; i++) {
		if (!rdmsrq_safe(index[i], &value))
			dump_add(dump, VITRO_DUMP_MSR, index[i], value);
	}
}

/**
 * dump_get - VITRO_DUMP
 * @vcpu: the vCPU; its mutex is held
 * @req: as userspace gave it; nr, vendor and withheld are filled in
 *
 * Returns 0, -EINVAL, -E2BIG, -EFAULT, -ENOMEM.
 */
int dump_get(struct vitro_vcpu *vcpu, struct vitro_dump *req)
{
	struct dump dump = { .secrets = capable(CAP_SYS_ADMIN) };
	struct vitro_dump_entry __user *to = u64_to_user_ptr(req->entries);
	int ret = 0;

	if (req->pad)
		return -EINVAL;
	if (to)
		dump.room = min_t(u32, req->nr, VITRO_MAX_DUMP);
	if (dump.room) {
		dump.entries = kvmalloc_array(dump.room, sizeof(*dump.entries),
					      GFP_KERNEL_ACCOUNT);
		if (!dump.entries)
			return -ENOMEM;
	}
	backend->dump(vcpu, &dump);
	WARN_ON_ONCE(dump.nr > VITRO_MAX_DUMP);

	if (to && dump.nr > dump.room)
		ret = -E2BIG;
	else if (to && copy_to_user(to, dump.entries, dump.nr * sizeof(*to)))
		ret = -EFAULT;
	req->nr = dump.nr;
	req->vendor = backend->vendor;
	req->withheld = dump.withheld;
	kvfree(dump.entries);
	return ret;
}
