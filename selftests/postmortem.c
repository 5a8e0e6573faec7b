// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Guests that end in a triple fault, and whether the post-mortem names the cause.
 *
 * What the CPU went through inside is not to be seen; but it must have come to a shutdown
 * where the replay says so, with CR2 as by the last page fault of the replay.
 */
#include "kselftest_harness.h"

#include <errno.h>
#include <stdio.h>

#include "shutdowns.h"
#include "vendor.h"

#define GROUPS	(VITRO_STATE_GPRS | VITRO_STATE_SEGS | VITRO_STATE_CRS)

/* A guest of its own for each case, with @s in it. */
static struct vitro_vcpu *start(struct vitro *dev, struct vitro_vm **vm, const struct shutdown *s)
{
	struct vitro_vcpu *vcpu;
	struct guest g = { .mode = s->mode };

	*vm = vitro_vm_create(dev);
	g.ram = *vm ? vitro_mem_alloc(*vm, 0, RAM, 0) : NULL;
	vcpu = g.ram ? vitro_vcpu_create(*vm, 0) : NULL;
	if (!vcpu || vitro_vcpu_set_mode(vcpu, s->mode, CODE_AT, TABLES_AT))
		ksft_exit_fail_msg("%s: %s\n", s->name, vitro_error());
	g.state = &vitro_vcpu_comm(vcpu)->state;
	make_sound(&g);
	memcpy(g.ram + CODE_AT, s->code, s->len);
	s->setup(&g);
	g.state->crs.cr2 = 0;
	/* QEMU 7.2 aborts when it takes a stack from a 32-bit TSS that is busy, as all are. */
	if (vendor_is_tcg() && s->mode == VITRO_MODE_PROTECTED)
		g.state->segs.seg[VITRO_TR].attrib &= ~2;
	vitro_vcpu_put(vcpu, GROUPS);
	return vcpu;
}

TEST(explained)
{
	static struct vitro_postmortem pm;
	struct vitro *dev = vitro_open(NULL);
	const struct vitro_comm *comm;
	struct vitro_vcpu *vcpu;
	struct vitro_vm *vm;

	if (!dev)
		SKIP(return, "%s", vitro_error());
	for (size_t i = 0; i < ARRAY_SIZE(shutdowns); i++) {
		const struct shutdown *s = &shutdowns[i];

		if (s->needs_limits && vendor_is_tcg())
			continue;
		vcpu = start(dev, &vm, s);
		comm = vitro_vcpu_comm(vcpu);
		do {
			ASSERT_EQ(0, vitro_vcpu_run(vcpu)) TH_LOG("%s: %s", s->name, vitro_error());
		} while (comm->exit.reason == VITRO_EXIT_INTR);
		EXPECT_EQ(VITRO_EXIT_SHUTDOWN, comm->exit.reason) TH_LOG("%s", s->name);
		ASSERT_EQ(0, vitro_postmortem(vcpu, &pm));
		EXPECT_STREQ(s->chain, chain_of(&pm))
			TH_LOG("%s: rip 0x%llx, rsp 0x%llx, cr2 0x%llx\n%s", s->name,
			       (unsigned long long)pm.rip, comm->state.gprs.gpr[VITRO_RSP],
			       (unsigned long long)pm.cr2, pm.notes);
		EXPECT_EQ(VITRO_PM_SHUTDOWN, pm.outcome) TH_LOG("%s", s->name);
		EXPECT_TRUE(pm.delivery[pm.nr - 1].rule &&
			    strstr(pm.delivery[pm.nr - 1].rule, s->rule))
			TH_LOG("%s: %s", s->name, pm.delivery[pm.nr - 1].rule);
		EXPECT_FALSE(pm.cr2_differs) TH_LOG("%s: %s", s->name, pm.notes);
		if (s->detail)
			EXPECT_TRUE(strstr(pm.delivery[pm.nr - 1].detail, s->detail))
				TH_LOG("%s: %s", s->name, pm.delivery[pm.nr - 1].detail);
		if (s->note)
			EXPECT_TRUE(strstr(pm.notes, s->note)) TH_LOG("%s: %s", s->name, pm.notes);
		vitro_vcpu_destroy(vcpu);
		vitro_vm_destroy(vm);
	}
	vitro_close(dev);
}

TEST_HARNESS_MAIN
