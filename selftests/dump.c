// SPDX-License-Identifier: GPL-2.0-or-later
/* VITRO_DUMP: the VMCS or VMCB, above all that of an entry which the CPU has refused. */
#include "kselftest_harness.h"
#include <unistd.h>
#include "vendor.h"

GUEST(g_say);

/**
 * struct dump - a dump
 * @d: the ioctl's argument
 * @entry: the values
 */
struct dump {
	struct vitro_dump d;
	struct vitro_dump_entry entry[VITRO_MAX_DUMP];
};

static int take(struct vt_cpu *cpu, struct dump *dump, uint32_t room)
{
	dump->d = (struct vitro_dump){ .nr = room, .entries = (uintptr_t)dump->entry };
	return vt_ioctl(cpu->fd, VITRO_DUMP, &dump->d);
}

static const struct vitro_dump_entry *find(const struct dump *dump, uint32_t kind, uint32_t key)
{
	uint32_t i;

	for (i = 0; i < dump->d.nr; i++)
		if (dump->entry[i].kind == kind && dump->entry[i].key == key)
			return &dump->entry[i];
	return NULL;
}

/* A value of the VMCS or VMCB, which must be there. */
static uint64_t value(const struct vt_cpu *cpu, const struct dump *dump, uint32_t key)
{
	const struct vitro_dump_entry *e = find(dump, vendor_keys(cpu->vm)->kind, key);

	if (!e)
		vt_die("the dump has no key %#x", key);
	return e->value;
}

/* What was asked for, and what the CPU said to that. */
TEST(refused_entry)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_say);
	const struct vendor_keys *keys = vendor_keys(cpu->vm);
	const uint64_t l_and_d = vendor_l_and_d(cpu->vm);
	static struct dump dump;

	cpu->comm->state.segs.seg[VITRO_CS].attrib |= VITRO_SEG_DB;
	ASSERT_EQ(VITRO_EXIT_FAIL_ENTRY, vt_run(cpu));
	ASSERT_EQ(0, take(cpu, &dump, VITRO_MAX_DUMP));
	EXPECT_EQ(cpu->vm->info.vendor, dump.d.vendor);
	EXPECT_EQ(l_and_d, value(cpu, &dump, keys->cs_attributes) & l_and_d);
	if (!vendor_is_tcg())		/* which writes another RIP to the VMCB */
		EXPECT_EQ((uintptr_t)g_say, value(cpu, &dump, keys->rip));
	EXPECT_EQ(0x80010031, value(cpu, &dump, keys->cr0) | 0x20);	/* NE: vitro's own */
	EXPECT_EQ(0x620, value(cpu, &dump, keys->cr4) & 0x620);
	EXPECT_EQ(vendor_refused(cpu->vm), (uint32_t)value(cpu, &dump, keys->exit_code));
}

/* The event that a refused entry was to deliver is in the dump, and still due. */
TEST(refused_event)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_say);
	const struct vendor_keys *keys = vendor_keys(cpu->vm);
	static struct dump dump;

	if (vendor_is_tcg())
		SKIP(return, "QEMU TCG clears EVENTINJ when it refuses an entry");
	cpu->comm->state.segs.seg[VITRO_CS].attrib |= VITRO_SEG_DB;
	vt_raise(cpu, 6, -1);
	ASSERT_EQ(VITRO_EXIT_FAIL_ENTRY, vt_run(cpu));
	ASSERT_EQ(0, take(cpu, &dump, VITRO_MAX_DUMP));
	/* Valid, an exception, vector 6: bits alike in EVENTINJ and in the VMCS. */
	EXPECT_EQ(0x80000306, value(cpu, &dump, keys->event));

	vt_set_mode(cpu, VT_LONG, g_say);
	ASSERT_EQ(6, vt_trap(cpu));
	EXPECT_EQ((uintptr_t)g_say, vt_frame(cpu)->rip);
	ASSERT_EQ(1, vt_says(cpu));
	ASSERT_EQ(0, take(cpu, &dump, VITRO_MAX_DUMP));
	EXPECT_EQ(0, value(cpu, &dump, keys->event) & 0x80000000);
}

/* Refused for a control register, not a segment. */
TEST(refused_cr4)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_say);
	static struct dump dump;

	cpu->comm->state.crs.cr4 = 0;			/* no PAE in long mode */
	ASSERT_EQ(VITRO_EXIT_FAIL_ENTRY, vt_run(cpu));
	ASSERT_EQ(0, take(cpu, &dump, VITRO_MAX_DUMP));
	EXPECT_EQ(0, value(cpu, &dump, vendor_keys(cpu->vm)->cr4) & 0x20);
	EXPECT_EQ(vendor_refused(cpu->vm),
		  (uint32_t)value(cpu, &dump, vendor_keys(cpu->vm)->exit_code));
}

/* Before and after an ordinary run. */
TEST(not_refused)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_say);
	static struct dump dump;

	ASSERT_EQ(0, take(cpu, &dump, VITRO_MAX_DUMP));
	ASSERT_EQ(VITRO_EXIT_IO, vt_run(cpu));
	ASSERT_EQ(0, take(cpu, &dump, VITRO_MAX_DUMP));
	EXPECT_EQ(cpu->comm->state.gprs.rip, value(cpu, &dump, vendor_keys(cpu->vm)->rip));
	EXPECT_EQ(cpu->comm->exit.raw.code, value(cpu, &dump, vendor_keys(cpu->vm)->exit_code));
	/* Taking it disturbs nothing. */
	vt_finish(cpu);
	ASSERT_EQ(VITRO_EXIT_HLT, vt_run(cpu));
}

/* Each key once, in order, and with what this CPU accepts. */
TEST(complete)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_say);
	const struct vendor_keys *keys = vendor_keys(cpu->vm);
	static struct dump dump;
	uint32_t i, nr = 0;

	ASSERT_EQ(0, take(cpu, &dump, VITRO_MAX_DUMP));
	EXPECT_EQ(0, dump.d.withheld);
	for (i = 0; i < dump.d.nr; i++) {
		if (dump.entry[i].kind == keys->kind)
			nr++;
		if (i && dump.entry[i].kind == dump.entry[i - 1].kind)
			EXPECT_LT(dump.entry[i - 1].key, dump.entry[i].key);
	}
	TH_LOG("%u fields, %u values", nr, dump.d.nr);
	EXPECT_LE(keys->nr, nr);
	EXPECT_TRUE(find(&dump, VITRO_DUMP_MSR, keys->a_limit));
	EXPECT_TRUE(find(&dump, keys->kind, keys->a_secret));
}

TEST(room)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_say);
	static struct dump dump;
	uint32_t nr;

	ASSERT_EQ(0, vt_ioctl(cpu->fd, VITRO_DUMP, &dump.d)) TH_LOG("the number only");
	nr = dump.d.nr;
	EXPECT_LT(0, nr);
	EXPECT_EQ(-E2BIG, take(cpu, &dump, nr - 1));
	EXPECT_EQ(nr, dump.d.nr);
	EXPECT_EQ(0, dump.entry[0].kind) TH_LOG("nothing is copied that is not all");
	EXPECT_EQ(-E2BIG, take(cpu, &dump, 0));
	EXPECT_EQ(0, take(cpu, &dump, nr));
	dump.d.entries = 8;
	EXPECT_EQ(-EFAULT, vt_ioctl(cpu->fd, VITRO_DUMP, &dump.d));
}

/* Where the host's kernel is, ordinary users are not told. */
TEST(secrets)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_say);
	const struct vendor_keys *keys = vendor_keys(cpu->vm);
	static struct dump dump;
	uint32_t nr;

	ASSERT_EQ(0, take(cpu, &dump, VITRO_MAX_DUMP));
	nr = dump.d.nr;
	ASSERT_EQ(0, setuid(65534));
	ASSERT_EQ(0, take(cpu, &dump, VITRO_MAX_DUMP));
	EXPECT_LT(0, dump.d.withheld);
	EXPECT_EQ(nr, dump.d.nr + dump.d.withheld);
	EXPECT_FALSE(find(&dump, keys->kind, keys->a_secret));
	EXPECT_TRUE(find(&dump, keys->kind, keys->rip));
}

TEST_HARNESS_MAIN
