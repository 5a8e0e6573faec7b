// SPDX-License-Identifier: GPL-2.0-or-later
/* vitro ps, stat, events and trace as their users see them. */
#include "kselftest_harness.h"
#include "commands.h"

/* The background command of these tests ends with them. */
FIXTURE(machine) {
	pid_t pid;
};

FIXTURE_SETUP(machine)
{
	self->pid = run_for_ever();
}

FIXTURE_TEARDOWN(machine)
{
	kill(self->pid, SIGTERM);
	EXPECT_EQ(16, status_of(self->pid));
}

TEST_F(machine, ps)
{
	char want[64];

	ASSERT_EQ(0, sh("vitro ps --vcpus --json"));
	snprintf(want, sizeof(want), "\"pid\": %d,", self->pid);
	EXPECT_EQ(1, count(want)) TH_LOG("%s in:\n%s", want, output);
	EXPECT_EQ(1, count("\"name\": \"two-words\""));
	EXPECT_EQ(1, count("\"nr_vcpus\": 1,"));
	EXPECT_EQ(1, count("\"tid\": "));
	EXPECT_EQ(64, sh("vitro ps x 2>&1"));
}

TEST_F(machine, stat)
{
	/* An emulator on a busy machine may not let the guest run in every interval. */
	do {
		ASSERT_EQ(0, sh("vitro stat two-words"));
	} while (!strstr(output, "\ncpuid "));
	EXPECT_EQ(1, count("\nio ")) TH_LOG("%s", output);
	do {
		ASSERT_EQ(0, sh("vitro stat --json --interval 200ms --count 3"));
		EXPECT_EQ(3, count("\n")) TH_LOG("%s", output);
	} while (count("\"reason\":\"cpuid\"") < 3);
	/* It leaves the machine as it was. */
	ASSERT_EQ(0, sh("vitro ps --json"));
	EXPECT_EQ(1, count("\"watched\": false"));
	EXPECT_EQ(64, sh("vitro stat nobody 2>&1"));
	EXPECT_EQ(1, count("no machine 'nobody'"));
}

TEST(trace)
{
	write_file("/tmp/a.bin", THREE("\x42"), sizeof(THREE("\x42")) - 1);
	write_file("/tmp/b.bin", THREE("\x43"), sizeof(THREE("\x43")) - 1);
	ASSERT_EQ(0, sh("vitro trace run /tmp/a.trc --mode 16 /tmp/a.bin 2>&1"));
	EXPECT_EQ(1, count("exits recorded in /tmp/a.trc, 0 lost")) TH_LOG("%s", output);
	ASSERT_EQ(0, sh("vitro trace run /tmp/b.trc --mode 16 /tmp/b.bin 2>&1"));

	ASSERT_EQ(0, sh("vitro trace show /tmp/a.trc"));
	EXPECT_EQ(0, count("(bad)") + count("(not readable)")) TH_LOG("%s", output);
	/* An interrupt of the host's is an exit, too, before any of the instructions. */
	ASSERT_EQ(0, sh("vitro trace show --reason cpuid /tmp/a.trc"));
	EXPECT_EQ(3, count(" cpuid\n")) TH_LOG("%s", output);
	ASSERT_EQ(0, sh("vitro trace show --reason io /tmp/a.trc"));
	EXPECT_EQ(1, count("out port 0x42 size 1 data 0x55")) TH_LOG("%s", output);
	EXPECT_EQ(1, count("out 0x42, al"));
	ASSERT_EQ(0, sh("vitro trace show --reason hlt /tmp/a.trc"));
	EXPECT_EQ(1, count(" hlt\n")) TH_LOG("%s", output);
	ASSERT_EQ(0, sh("vitro trace show --json --reason cpuid --count 2 /tmp/a.trc"));
	EXPECT_EQ(2, count("\"reason\":\"cpuid\"")) TH_LOG("%s", output);

	EXPECT_EQ(0, sh("vitro trace diff /tmp/a.trc /tmp/a.trc"));
	EXPECT_EQ(1, count("vcpu 0: 5 exits, all alike")) TH_LOG("%s", output);
	EXPECT_EQ(1, sh("vitro trace diff /tmp/a.trc /tmp/b.trc"));
	EXPECT_EQ(1, count("the first 3 exits are alike")) TH_LOG("%s", output);
	EXPECT_EQ(1, count("out port 0x43"));

	ASSERT_EQ(0, sh("vitro trace export /tmp/a.trc"));
	EXPECT_LE(3, count("\"name\":\"cpuid\""));
	EXPECT_EQ(64, sh("vitro trace show /tmp/a.bin 2>&1"));
	EXPECT_EQ(64, sh("vitro trace run 2>&1"));
}

TEST(events)
{
	write_file("/tmp/a.bin", THREE("\x42"), sizeof(THREE("\x42")) - 1);
	/* Machines come and go until it has heard enough; it may begin to listen at any time. */
	ASSERT_EQ(0, sh("vitro events --json --count 3 e >/tmp/events & p=$!\n"
			"while kill -0 $p 2>/dev/null; do\n"
			"vitro run --name e --mode 16 /tmp/a.bin >/dev/null 2>&1; done; wait $p"));
	ASSERT_EQ(0, sh("cat /tmp/events"));
	EXPECT_EQ(3, count("\"event\":\"vm-named\"") + count("\"event\":\"vm-destroyed\""))
		TH_LOG("%s", output);
	EXPECT_LE(1, count("\"event\":\"vm-named\""));
	EXPECT_LE(1, count("\"event\":\"vm-destroyed\""));
}

TEST_HARNESS_MAIN
