// SPDX-License-Identifier: GPL-2.0-or-later
/* The post-mortem of a triple fault, on states as they are at its end. */
#include "kselftest_harness.h"

#include "fake.h"
#include "../shutdowns.h"

static void set_up(struct fake *fake, const struct shutdown *s)
{
	struct guest g;

	fake_init(fake);
	g = (struct guest){ fake->ram, fake->state, s->mode };
	if (vitro_vcpu_set_mode(&fake->vcpu, s->mode, CODE_AT, TABLES_AT))
		ksft_exit_fail_msg("%s: %s\n", s->name, vitro_error());
	make_sound(&g);
	memcpy(fake->ram + CODE_AT, s->code, s->len);
	s->setup(&g);
	fake->state->gprs.rip += s->skip;
	if (s->at_end)
		s->at_end(&g);
}

TEST(every_shutdown)
{
	static struct fake fake;
	static struct vitro_postmortem pm;
	static struct vitro_state before;

	for (size_t i = 0; i < ARRAY_SIZE(shutdowns); i++) {
		const struct shutdown *s = &shutdowns[i];

		set_up(&fake, s);
		before = *fake.state;
		ASSERT_EQ(0, vitro_postmortem(&fake.vcpu, &pm)) TH_LOG("%s: %s", s->name,
								       vitro_error());
		EXPECT_STREQ(s->chain, chain_of(&pm)) TH_LOG("%s", s->name);
		EXPECT_EQ(VITRO_PM_SHUTDOWN, pm.outcome) TH_LOG("%s", s->name);
		EXPECT_NE(VITRO_PM_UNKNOWN, pm.certainty) TH_LOG("%s", s->name);
		EXPECT_TRUE(pm.delivery[pm.nr - 1].rule &&
			    strstr(pm.delivery[pm.nr - 1].rule, s->rule))
			TH_LOG("%s: %s", s->name, pm.delivery[pm.nr - 1].rule);
		if (s->detail)
			EXPECT_TRUE(strstr(pm.delivery[pm.nr - 1].detail, s->detail))
				TH_LOG("%s: %s", s->name, pm.delivery[pm.nr - 1].detail);
		if (s->note)
			EXPECT_TRUE(strstr(pm.notes, s->note)) TH_LOG("%s: %s", s->name, pm.notes);
		/* It is not the vCPU's own state that the replay changes. */
		EXPECT_EQ(0, memcmp(&before, fake.state, sizeof(before)));
		fake_free(&fake);
	}
}

/* A sound guest at an instruction: does the post-mortem see that nothing is wrong? */
static void set_up_sound(struct fake *fake, const char *code, size_t len)
{
	static struct shutdown s = { .name = "sound", .mode = VITRO_MODE_LONG };

	s.code = code;
	s.len = len;
	s.setup = rax_in_hole;
	set_up(fake, &s);
	fake->state->segs.idtr.base = IDT_AT;
	fake->state->segs.idtr.limit = 0x1ff;
}

TEST(delivered)
{
	static struct fake fake;
	static struct vitro_postmortem pm;

	set_up_sound(&fake, "\x8b\x00", 2);
	ASSERT_EQ(0, vitro_postmortem(&fake.vcpu, &pm));
	EXPECT_EQ(VITRO_PM_DELIVERED, pm.outcome);
	EXPECT_STREQ("#PF(0x0)", chain_of(&pm));
	EXPECT_EQ(NULL, pm.delivery[0].rule);
	EXPECT_EQ(HANDLER, pm.delivery[0].handler);
	EXPECT_EQ(VITRO_MODE_CS, pm.delivery[0].selector);
	EXPECT_FALSE(pm.cr2_differs);
	fake_free(&fake);
}

TEST(unknown)
{
	static struct fake fake;
	static struct vitro_postmortem pm;

	set_up_sound(&fake, "\x90", 1);	/* nop; and #DF has no gate */
	fake.state->gprs.rflags |= 1 << 9;
	put64(&(struct guest){ fake.ram, fake.state, VITRO_MODE_LONG }, IDT_AT + 8 * 16, 0);
	ASSERT_EQ(0, vitro_postmortem(&fake.vcpu, &pm));
	EXPECT_EQ(VITRO_PM_UNKNOWN, pm.certainty);
	EXPECT_EQ(VITRO_PM_SHUTDOWN, pm.outcome);
	EXPECT_STREQ("#DF(0x0)", chain_of(&pm));
	EXPECT_TRUE(strstr(pm.notes, "interrupts are on")) TH_LOG("%s", pm.notes);
	fake_free(&fake);
}

/* Where no exception has an error code (SDM 3B 21.1.4). */
TEST(unknown_in_real_mode)
{
	static struct shutdown s = {
		.name = "unknown", .mode = VITRO_MODE_REAL, .code = "\x90", .len = 1,
		.setup = no_idt,
	};
	static struct fake fake;
	static struct vitro_postmortem pm;

	set_up(&fake, &s);
	ASSERT_EQ(0, vitro_postmortem(&fake.vcpu, &pm));
	EXPECT_EQ(VITRO_PM_UNKNOWN, pm.certainty);
	EXPECT_STREQ("#DF", chain_of(&pm));
	fake_free(&fake);
}

TEST(other_cr2)
{
	static struct fake fake;
	static struct vitro_postmortem pm;

	set_up_sound(&fake, "\x8b\x00", 2);
	no_idt(&(struct guest){ fake.ram, fake.state, VITRO_MODE_LONG });
	fake.state->crs.cr2 = 0x123456;
	ASSERT_EQ(0, vitro_postmortem(&fake.vcpu, &pm));
	EXPECT_TRUE(pm.cr2_differs);
	EXPECT_TRUE(strstr(pm.notes, "cr2 is 0x123456")) TH_LOG("%s", pm.notes);
	fake_free(&fake);
}

/* Where the page tables themselves are, there is no memory. */
TEST(left)
{
	static struct fake fake;
	static struct vitro_postmortem pm;

	set_up_sound(&fake, "\x8b\x00", 2);
	put64(&(struct guest){ fake.ram, fake.state, VITRO_MODE_LONG },
	      TABLES_AT + 3 * 4096 + 8 * (HOLE >> 21), 0x70000007);
	fake.state->segs.idtr.base = HOLE;
	fake.state->gprs.gpr[VITRO_RAX] = 0x40000000000;
	ASSERT_EQ(0, vitro_postmortem(&fake.vcpu, &pm));
	EXPECT_EQ(VITRO_PM_LEFT, pm.outcome);
	EXPECT_TRUE(strstr(pm.delivery[0].detail, "no memory there"))
		TH_LOG("%s", pm.delivery[0].detail);
	fake_free(&fake);
}

/* A guest may leave behind whatever it likes. */
TEST(random_states)
{
	static const enum vitro_mode modes[] = {
		VITRO_MODE_REAL, VITRO_MODE_PROTECTED, VITRO_MODE_LONG
	};
	static struct shutdown s = { .name = "random", .code = "\xf4", .len = 1, .setup = no_idt };
	static struct fake fake;
	static struct vitro_postmortem pm;
	unsigned int outcomes = 0;

	srand(1);
	for (unsigned int i = 0; i < 3000; i++) {
		s.mode = modes[i % 3];
		set_up(&fake, &s);
		/* IDT, TSS, code and stack are noise, and then some of the rest. */
		for (unsigned int at = CODE_AT; at < STACK_BASE; at += 4)
			put32(&(struct guest){ .ram = fake.ram }, at,
			      rand() ^ (uint32_t)rand() << 16);
		for (unsigned int n = 0; n < (unsigned int)rand() % 8; n++)
			put32(&(struct guest){ .ram = fake.ram },
			      TABLES_AT + rand() % VITRO_MODE_TABLES_SIZE / 4 * 4, rand());
		for (unsigned int n = 0; n < VITRO_NR_GPRS; n++)
			fake.state->gprs.gpr[n] = rand() % (rand() % 2 ? RAM : 1 << 30);
		fake.state->gprs.rip = CODE_AT + rand() % 0x7000;
		fake.state->gprs.rflags ^= rand() & 0x27fd7;
		fake.state->segs.idtr.base = IDT_AT;
		fake.state->segs.idtr.limit = rand() % 0x2000;
		fake.state->segs.gdtr.limit = rand() % 0x200;
		fake.state->segs.seg[rand() % VITRO_NR_SEGS].attrib = rand();
		fake.state->segs.seg[rand() % VITRO_NR_SEGS].limit = rand();
		ASSERT_EQ(0, vitro_postmortem(&fake.vcpu, &pm));
		ASSERT_TRUE(pm.nr && pm.nr <= VITRO_MAX_DELIVERIES);
		outcomes |= 1 << pm.outcome | 16 << pm.certainty;
		fake_free(&fake);
	}
	EXPECT_EQ(0x77, outcomes);	/* each has been seen */
}

/* Quotients that do not fit, and those that just do. */
TEST(divisions)
{
	static const struct {
		const char *code;
		uint64_t rdx, rax, rcx;
		bool faults;
	} cases[] = {
		{ "\xf6\xf1", 0, 0x1ff, 2, false },		/* div cl: 255 */
		{ "\xf6\xf1", 0, 0x200, 2, true },
		{ "\xf7\xf1", 1, 0, 1, true },			/* div ecx */
		{ "\xf7\xf1", 0, 0xffffffff, 1, false },
		{ "\xf7\xf9", 0xffffffff, 0x80000000, 1, false },	/* idiv ecx: -2^31 */
		{ "\xf7\xf9", 0xffffffff, 0x80000000, 0xffffffff, true },	/* 2^31 */
		{ "\xf7\xf9", 0, 0x7fffffff, 0xffffffff, false },
	};
	static struct fake fake;
	static struct vitro_postmortem pm;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		set_up_sound(&fake, cases[i].code, 2);
		no_idt(&(struct guest){ fake.ram, fake.state, VITRO_MODE_LONG });
		fake.state->gprs.gpr[VITRO_RAX] = cases[i].rax;
		fake.state->gprs.gpr[VITRO_RCX] = cases[i].rcx;
		fake.state->gprs.gpr[VITRO_RDX] = cases[i].rdx;
		ASSERT_EQ(0, vitro_postmortem(&fake.vcpu, &pm));
		EXPECT_EQ(cases[i].faults, pm.delivery[0].event.vector == EXC_DE)
			TH_LOG("%zu: %s", i, chain_of(&pm));
		fake_free(&fake);
	}
}

TEST_HARNESS_MAIN
