// SPDX-License-Identifier: GPL-2.0-or-later
/* The state of a vCPU by names: to set it, to show it, and to say what has changed. */
#include <stdio.h>
#include <string.h>

#include "snip.h"

/**
 * struct reg - a part of the state
 * @name: its name
 * @offset: where it is in struct vitro_state
 * @bytes: how many
 * @group: VITRO_STATE_* it belongs to
 */
struct reg {
	const char *name;
	size_t offset;
	unsigned int bytes;
	uint64_t group;
};

#define PART(name, path, bytes, group) \
	{ name, offsetof(struct vitro_state, path), bytes, VITRO_STATE_##group }
#define GPR(name, nr)		PART(name, gprs.gpr[nr], 8, GPRS)
#define SELECTOR(name, nr)	PART(name ".selector", segs.seg[nr].selector, 2, SEGS)
#define ATTRIB(name, nr)	PART(name ".attrib", segs.seg[nr].attrib, 2, SEGS)
#define LIMIT(name, nr)		PART(name ".limit", segs.seg[nr].limit, 4, SEGS)
#define BASE(name, nr)		PART(name ".base", segs.seg[nr].base, 8, SEGS)
#define CR(name)		PART(#name, crs.name, 8, CRS)
#define MSR(name)		PART(#name, msrs.name, 8, MSRS)

static const struct reg regs[] = {
	GPR("rax", VITRO_RAX), GPR("rbx", VITRO_RBX), GPR("rcx", VITRO_RCX),
	GPR("rdx", VITRO_RDX), GPR("rsi", VITRO_RSI), GPR("rdi", VITRO_RDI),
	GPR("rbp", VITRO_RBP), GPR("rsp", VITRO_RSP), GPR("r8", VITRO_R8), GPR("r9", VITRO_R9),
	GPR("r10", VITRO_R10), GPR("r11", VITRO_R11), GPR("r12", VITRO_R12),
	GPR("r13", VITRO_R13), GPR("r14", VITRO_R14), GPR("r15", VITRO_R15),
	PART("rip", gprs.rip, 8, GPRS), PART("rflags", gprs.rflags, 8, GPRS),
	CR(cr0), CR(cr2), CR(cr3), CR(cr4), CR(cr8), CR(efer), CR(xcr0),
	SELECTOR("cs", VITRO_CS), ATTRIB("cs", VITRO_CS),
	LIMIT("cs", VITRO_CS), BASE("cs", VITRO_CS),
	SELECTOR("ss", VITRO_SS), ATTRIB("ss", VITRO_SS),
	LIMIT("ss", VITRO_SS), BASE("ss", VITRO_SS),
	SELECTOR("ds", VITRO_DS), ATTRIB("ds", VITRO_DS),
	LIMIT("ds", VITRO_DS), BASE("ds", VITRO_DS),
	SELECTOR("es", VITRO_ES), ATTRIB("es", VITRO_ES),
	LIMIT("es", VITRO_ES), BASE("es", VITRO_ES),
	SELECTOR("fs", VITRO_FS), ATTRIB("fs", VITRO_FS),
	LIMIT("fs", VITRO_FS), BASE("fs", VITRO_FS),
	SELECTOR("gs", VITRO_GS), ATTRIB("gs", VITRO_GS),
	LIMIT("gs", VITRO_GS), BASE("gs", VITRO_GS),
	SELECTOR("ldtr", VITRO_LDTR), ATTRIB("ldtr", VITRO_LDTR),
	LIMIT("ldtr", VITRO_LDTR), BASE("ldtr", VITRO_LDTR),
	SELECTOR("tr", VITRO_TR), ATTRIB("tr", VITRO_TR),
	LIMIT("tr", VITRO_TR), BASE("tr", VITRO_TR),
	PART("gdtr.base", segs.gdtr.base, 8, SEGS), PART("gdtr.limit", segs.gdtr.limit, 4, SEGS),
	PART("idtr.base", segs.idtr.base, 8, SEGS), PART("idtr.limit", segs.idtr.limit, 4, SEGS),
	PART("dr0", drs.dr[0], 8, DRS), PART("dr1", drs.dr[1], 8, DRS),
	PART("dr2", drs.dr[2], 8, DRS), PART("dr3", drs.dr[3], 8, DRS),
	PART("dr6", drs.dr6, 8, DRS), PART("dr7", drs.dr7, 8, DRS),
	MSR(star), MSR(lstar), MSR(cstar), MSR(sfmask), MSR(kernel_gs_base), MSR(sysenter_cs),
	MSR(sysenter_esp), MSR(sysenter_eip), MSR(pat), MSR(tsc_aux),
};

static const struct reg *find(const char *name, size_t length)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(regs); i++)
		if (strlen(regs[i].name) == length && !strncmp(regs[i].name, name, length))
			return &regs[i];
	return NULL;
}

static uint64_t value_of(const struct reg *r, const struct vitro_state *state)
{
	uint64_t value = 0;

	memcpy(&value, (const char *)state + r->offset, r->bytes);
	return value;
}

/**
 * snip_is_register - is there such a part of the state?
 * @name: its name
 * @length: of the name
 *
 * Return: whether; a field of a VMCS or VMCB is none.
 */
bool snip_is_register(const char *name, size_t length)
{
	return find(name, length);
}

/**
 * snip_set - change the state that a guest starts with
 * @vcpu: the vCPU
 * @set: NAME=VALUE
 *
 * Return: 0, or an exit status; what is wrong has been said.
 */
int snip_set(struct vitro_vcpu *vcpu, const char *set)
{
	const size_t length = strcspn(set, "=");
	const struct reg *r = find(set, length);
	uint64_t value, max;

	if (!r || !set[length])
		return snip_error("--set '%s': NAME=VALUE, such as rip=0x2000 or cs.attrib=0", set);
	max = r->bytes == 8 ? UINT64_MAX : (1ULL << 8 * r->bytes) - 1;
	if (!parse_number(set + length + 1, 0, max, &value))
		return snip_error("--set '%s': a number of up to %u bits", set, 8 * r->bytes);
	if (vitro_vcpu_get(vcpu, r->group))
		return snip_error("%s", vitro_error());
	memcpy((char *)&vitro_vcpu_comm(vcpu)->state + r->offset, &value, r->bytes);
	if (vitro_vcpu_set(vcpu, vitro_vcpu_comm(vcpu)->dirty | r->group))
		return snip_error("--set '%s': vitro.ko does not load what no guest could load; "
				  "the name of a VMCS or VMCB field asks the explainer", set);
	return 0;
}

/**
 * snip_changes - what has changed between two exits
 * @before: the state then
 * @now: the state now
 *
 * Return: an object: the names, and the values now; rip is left out.
 */
json_t *snip_changes(const struct vitro_state *before, const struct vitro_state *now)
{
	json_t *changes = json_object();
	size_t i;

	for (i = 0; i < ARRAY_SIZE(regs); i++) {
		const uint64_t value = value_of(&regs[i], now);

		if (!(regs[i].group & SNIP_GROUPS) || value == value_of(&regs[i], before) ||
		    !strcmp(regs[i].name, "rip"))
			continue;
		json_object_set_new(changes, regs[i].name,
				    json_sprintf("0x%llx", (unsigned long long)value));
	}
	return changes;
}

/* RFLAGS in letters, as far as they are set (SDM 1 3.4.3). */
static void print_flags(uint64_t rflags)
{
	static const char *const names[] = {
		"CF", NULL, "PF", NULL, "AF", NULL, "ZF", "SF", "TF", "IF", "DF", "OF", NULL, NULL,
		"NT", NULL, "RF", "VM", "AC", "VIF", "VIP", "ID"
	};
	size_t i;

	printf("  rflags 0x%llx (", (unsigned long long)rflags);
	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i] && rflags >> i & 1)
			printf(" %s", names[i]);
	printf(" )\n");
}

/**
 * snip_print_registers - print the state that most depends on
 * @state: general, control and segment registers
 */
void snip_print_registers(const struct vitro_state *state)
{
	static const char *const order[] = {
		"rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp", "r8", "r9", "r10", "r11",
		"r12", "r13", "r14", "r15", "rip", "cr0", "cr2", "cr3", "cr4", "efer"
	};
	static const char *const segs[] = { "cs", "ss", "ds", "es", "fs", "gs", "tr" };
	static const enum vitro_seg seg_nr[] = {
		VITRO_CS, VITRO_SS, VITRO_DS, VITRO_ES, VITRO_FS, VITRO_GS, VITRO_TR
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(order); i++)
		printf(i % 4 == 3 || i + 1 == ARRAY_SIZE(order) ?
		       "  %6s 0x%llx\n" : "  %6s 0x%-16llx", order[i],
		       (unsigned long long)value_of(find(order[i], strlen(order[i])), state));
	print_flags(state->gprs.rflags);
	for (i = 0; i < ARRAY_SIZE(segs); i++) {
		const struct vitro_segment *seg = &state->segs.seg[seg_nr[i]];

		/* Most are all the same. */
		if (i > 2 && !memcmp(seg, &state->segs.seg[VITRO_DS], sizeof(*seg)))
			continue;
		printf("  %s 0x%04x base 0x%llx limit 0x%x attrib 0x%x\n", segs[i], seg->selector,
		       (unsigned long long)seg->base, seg->limit, seg->attrib);
	}
	printf("  gdtr 0x%llx limit 0x%x, idtr 0x%llx limit 0x%x\n",
	       (unsigned long long)state->segs.gdtr.base, state->segs.gdtr.limit,
	       (unsigned long long)state->segs.idtr.base, state->segs.idtr.limit);
}

/**
 * snip_registers - the same for programs
 * @state: general, control and segment registers
 *
 * Return: an object: names and values.
 */
json_t *snip_registers(const struct vitro_state *state)
{
	json_t *object = json_object();
	size_t i;

	for (i = 0; i < ARRAY_SIZE(regs); i++)
		if (regs[i].group & SNIP_GROUPS)
			json_object_set_new(object, regs[i].name,
					    json_sprintf("0x%llx", (unsigned long long)
							 value_of(&regs[i], state)));
	return object;
}
