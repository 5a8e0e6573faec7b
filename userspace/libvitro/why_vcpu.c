// SPDX-License-Identifier: LGPL-2.1-or-later
/* An entry from a vCPU: what the kernel tells of it (VITRO_DUMP), and the processor. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "why.h"

#define MSR_EFER	0xc0000080
#define VTPR		0x80

/* Sets the field if there is one of that number. */
static int set_known(struct vitro_entry *entry, uint32_t id, uint64_t value)
{
	if (!vitro_field_bits(vitro_entry_vendor(entry), id))
		return 0;
	return vitro_entry_set(entry, id, value);
}

/* The fields in 8 bytes of a VMCB; none reaches beyond. */
static int add_vmcb(struct vitro_entry *entry, uint32_t offset, uint64_t bytes)
{
	int i, ret = 0;

	for (i = 0; i < 8 && !ret; i++)
		ret = set_known(entry, VITRO_FIELD_VMCB + offset + i, bytes >> 8 * i);
	return ret;
}

static int add_msr(struct vitro_entry *entry, uint32_t index, uint64_t value)
{
	if (index == MSR_EFER)
		return vitro_entry_set(entry, CPU_EFER, value);
	return index < WHY_MSR ? set_known(entry, WHY_MSR + index, value) : 0;
}

static int add(struct vitro_entry *entry, const struct vitro_dump_entry *e)
{
	switch (e->kind) {
	case VITRO_DUMP_VMCS:
		return set_known(entry, e->key, e->value);
	case VITRO_DUMP_VMCB:
		return add_vmcb(entry, e->key, e->value);
	case VITRO_DUMP_VAPIC:
		return e->key == VTPR ? vitro_entry_set(entry, MEM_VTPR, e->value & 0xff) : 0;
	case VITRO_DUMP_MSR:
		return add_msr(entry, e->key, e->value);
	default:
		return 0;	/* of a newer kernel */
	}
}

static struct vitro_entry *make(const struct vitro_dump *dump,
				const struct vitro_dump_entry *entries)
{
	struct vitro_entry *entry = vitro_entry_new(dump->vendor);
	uint32_t i;
	int ret;

	if (!entry)
		return NULL;
	ret = vitro_entry_add_cpu(entry);
	for (i = 0; i < dump->nr && !ret; i++)
		ret = add(entry, &entries[i]);
	if (!ret)
		return entry;
	vitro_entry_free(entry);
	return NULL;
}

/* The function is documented in <vitro/why.h>. */
struct vitro_entry *vitro_vcpu_entry(struct vitro_vcpu *vcpu)
{
	struct vitro_dump_entry *entries = calloc(VITRO_MAX_DUMP, sizeof(*entries));
	struct vitro_dump dump = { .nr = VITRO_MAX_DUMP, .entries = (uintptr_t)entries };
	struct vitro_entry *entry = NULL;

	if (!entries)
		return vi_fail_ptr(ENOMEM, "no memory for a dump");
	if (ioctl(vitro_vcpu_fd(vcpu), VITRO_DUMP, &dump) < 0)
		vi_fail(errno, "cannot dump a vCPU: %s", strerror(errno));
	else
		entry = make(&dump, entries);
	free(entries);
	return entry;
}
