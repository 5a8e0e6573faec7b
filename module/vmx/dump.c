// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VMCS as VITRO_DUMP gives it: every field that this CPU has, those included that
 * vitro has no name for.  An encoding is made of a width, a type and an index (SDM 3C
 * 25.11.2), so all that can exist are tried.
 */
#include <asm/msr.h>

#include "compat/compat.h"
#include "vmx/vmx.h"

#define FIELD(width, type, index)	((width) << 13 | (type) << 10 | (index) << 1)

enum { WIDTH_16, WIDTH_64, WIDTH_32, WIDTH_NATURAL, NR_WIDTHS };
enum { TYPE_CONTROL, TYPE_EXIT, TYPE_GUEST, TYPE_HOST, NR_TYPES };

/* What would tell where the host's kernel and its memory are. */
static bool is_secret(int width, int type, u32 field)
{
	if (type == TYPE_HOST)
		return true;
	/* Nearly all of these are addresses; and the one that is known to be none. */
	return width == WIDTH_64 && type == TYPE_CONTROL && field != TSC_OFFSET;
}

static void dump_fields(struct dump *dump, int width, int type, int nr)
{
	u32 field;
	u64 value;
	int i;

	for (i = 0; i < nr; i++) {
		field = FIELD(width, type, i);
		if (!vmcs_try_read(field, &value))
			continue;
		if (is_secret(width, type, field))
			dump_add_secret(dump, VITRO_DUMP_VMCS, field, value);
		else
			dump_add(dump, VITRO_DUMP_VMCS, field, value);
	}
}

/**
 * vmx_dump - the VMCS, and what else VM entry goes by (SDM 3C chapter 27)
 * @vcpu: the vCPU
 * @dump: where to add it
 */
void vmx_dump(struct vitro_vcpu *vcpu, struct dump *dump)
{
	/* Capabilities (SDM 3D appendix A), up to IA32_VMX_EXIT_CTLS2. */
	static const u32 msrs[] = {
		MSR_IA32_FEAT_CTL, MSR_IA32_VMX_BASIC, 0x481, 0x482, 0x483, 0x484,
		0x485, 0x486, 0x487, 0x488, 0x489, 0x48a, 0x48b, 0x48c, 0x48d, 0x48e,
		0x48f, 0x490, 0x491, 0x492, 0x493,
	};
	struct vmx_access access;
	int width, type, nr;
	u64 highest;

	/* Bits 9:1 are the highest index of any field (SDM 3D A.9). */
	rdmsrq(MSR_IA32_VMX_VMCS_ENUM, highest);
	nr = (highest >> 1 & 0x1ff) + 1;

	vmx_open(vcpu, &access);
	for (width = 0; width < NR_WIDTHS; width++)
		for (type = 0; type < NR_TYPES; type++)
			dump_fields(dump, width, type, nr);
	vmx_close(vcpu, &access);

	dump_add(dump, VITRO_DUMP_VAPIC, VTPR, to_vmx(vcpu)->vapic[VTPR]);
	dump_msrs(dump, msrs, ARRAY_SIZE(msrs));
}
