// SPDX-License-Identifier: GPL-2.0-or-later
/* libvitro's handles, as far as they can be tested without the device: mostly errors. */
#include "kselftest_harness.h"

#include <pthread.h>

#include "fake.h"

TEST(open_says_why_not)
{
	EXPECT_EQ(NULL, vitro_open("/nonexistent/vitro"));
	EXPECT_EQ(ENOENT, errno);
	EXPECT_NE(NULL, strstr(vitro_error(), "/nonexistent/vitro"));
	EXPECT_NE(NULL, strstr(vitro_error(), "modprobe vitro"));
	EXPECT_EQ(NULL, vitro_open("/dev/null"));
	EXPECT_EQ(ENOTTY, errno);
	EXPECT_NE(NULL, strstr(vitro_error(), "/dev/vitro"));
}

static void *fail_elsewhere(void *arg)
{
	(void)arg;
	vitro_open("/nonexistent/other");
	return NULL;
}

TEST(one_message_per_thread)
{
	pthread_t thread;

	vitro_open("/nonexistent/vitro");
	ASSERT_EQ(0, pthread_create(&thread, NULL, fail_elsewhere, NULL));
	pthread_join(thread, NULL);
	EXPECT_NE(NULL, strstr(vitro_error(), "/nonexistent/vitro"));
}

/* A message may quote the last one, and is cut to its room. */
TEST(messages)
{
	char large[2000];

	EXPECT_EQ(-EIO, vi_fail(EIO, "inner"));
	EXPECT_EQ(EIO, errno);
	EXPECT_EQ(NULL, vi_fail_ptr(EPERM, "outer: %s", vitro_error()));
	EXPECT_EQ(EPERM, errno);
	EXPECT_STREQ("outer: inner", vitro_error());
	memset(large, 'x', sizeof(large) - 1);
	large[sizeof(large) - 1] = 0;
	vi_fail(EIO, "%s", large);
	EXPECT_LT(100, strlen(vitro_error()));
	EXPECT_GT(sizeof(large) - 1, strlen(vitro_error()));
}

TEST(cpuid_find)
{
	struct vitro_cpuid_entry table[] = {
		{ .leaf = 1, .eax = 10 },
		{ .leaf = 7, .subleaf = 0, .flags = VITRO_CPUID_INDEXED, .eax = 70 },
		{ .leaf = 7, .subleaf = 1, .flags = VITRO_CPUID_INDEXED, .eax = 71 },
	};

	EXPECT_EQ(&table[0], vitro_cpuid_find(table, 3, 1, 0));
	EXPECT_EQ(&table[0], vitro_cpuid_find(table, 3, 1, 5));
	EXPECT_EQ(&table[2], vitro_cpuid_find(table, 3, 7, 1));
	EXPECT_EQ(NULL, vitro_cpuid_find(table, 3, 7, 2));
	EXPECT_EQ(NULL, vitro_cpuid_find(table, 3, 2, 0));
	EXPECT_EQ(NULL, vitro_cpuid_find(table, 0, 1, 0));
}

/* What is valid or about to be loaded is not asked for again; the time always is. */
TEST(state_is_fetched_when_it_has_to_be)
{
	struct fake fake;

	fake_init(&fake);
	EXPECT_EQ(0, vitro_vcpu_get(&fake.vcpu, VITRO_STATE_ALL & ~VITRO_STATE_TIME));
	EXPECT_EQ(-EBADF, vitro_vcpu_get(&fake.vcpu, VITRO_STATE_TIME));
	fake.comm->valid = VITRO_STATE_GPRS;
	EXPECT_EQ(0, vitro_vcpu_get(&fake.vcpu, VITRO_STATE_GPRS));
	EXPECT_EQ(-EBADF, vitro_vcpu_get(&fake.vcpu, VITRO_STATE_GPRS | VITRO_STATE_CRS));
	vitro_vcpu_put(&fake.vcpu, VITRO_STATE_CRS);
	EXPECT_EQ(0, vitro_vcpu_get(&fake.vcpu, VITRO_STATE_GPRS | VITRO_STATE_CRS));
	fake_free(&fake);
}

/* The APIC's page is the kernel's, of which the fake has none; the next is the bus'. */
TEST(apic_page)
{
	struct vi_access acc = { 0 };
	struct fake fake;
	uint32_t value = 0;

	fake_init(&fake);
	ASSERT_EQ(0, vitro_vcpu_set_mode(&fake.vcpu, VITRO_MODE_LONG, CODE, TABLES));
	acc.vcpu = &fake.vcpu;
	acc.bus = &fake.bus;
	EXPECT_EQ(-EBADF, vi_read(&acc, VITRO_DS, 0xfee00020, &value, 4));
	EXPECT_EQ(-EBADF, vi_write(&acc, VITRO_DS, 0xfee00ff0, &value, 4));
	EXPECT_EQ(0, fake.nr_access);
	/* Not a register's width: undefined, and harmless. */
	EXPECT_EQ(0, vi_write(&acc, VITRO_DS, 0xfee00020, &value, 1));
	EXPECT_EQ(0, vi_read(&acc, VITRO_DS, 0xfee00024, &value, 4));
	EXPECT_EQ(0, fake.nr_access);
	EXPECT_EQ(0, vi_read(&acc, VITRO_DS, 0xfee01000, &value, 4));
	EXPECT_EQ(1, fake.nr_access);
	fake_free(&fake);
}

/* Without a runner, a kick is left for the next run. */
TEST(kick_before_run)
{
	struct fake fake;

	fake_init(&fake);
	vitro_vcpu_kick(&fake.vcpu);
	EXPECT_EQ(1, fake.comm->immediate_exit);
	EXPECT_EQ(-EBADF, vitro_vcpu_run(&fake.vcpu));
	EXPECT_EQ(0, fake.comm->immediate_exit);
	fake_free(&fake);
}

TEST_HARNESS_MAIN
