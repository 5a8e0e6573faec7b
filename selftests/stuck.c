// SPDX-License-Identifier: GPL-2.0-or-later
/* Guests that get nowhere: does vitro run notice, and name the cause? */
#include "kselftest_harness.h"

#include <signal.h>

#include "commands.h"

/* 16-bit code at 0x1000, with interrupts off. */
#define POLL(port)	"\xba" port "\xec\xeb\xfd"	/* mov dx, port; 1: in al, dx; jmp 1b */
#define NOBODY		"\x23\x01"			/* port 0x123 */
#define COM1_STATUS	"\xfd\x03"
#define LOOP_FOREVER	"\xeb\xfe"

/* Runs code until it is called stuck; what is printed then goes to "output". */
static void run_until_stuck(const char *code, size_t len)
{
	char line[256];
	size_t used = 0;
	int pid = 0;
	FILE *f;

	write_file("/tmp/stuck.bin", code, len);
	f = popen("echo $$; exec vitro run --stuck 300ms --deadline 2m /tmp/stuck.bin 2>&1", "r");
	if (!f || fscanf(f, "%d\n", &pid) != 1)
		ksft_exit_fail_msg("cannot start vitro\n");
	while (fgets(line, sizeof(line), f)) {
		used += snprintf(output + used, sizeof(output) - used, "%s", line);
		if (strstr(line, "to see more"))
			break;
	}
	kill(pid, SIGTERM);
	pclose(f);
}

#define RUN_UNTIL_STUCK(code)	run_until_stuck(code, sizeof(code) - 1)

FIXTURE(stuck) {
};

FIXTURE_SETUP(stuck)
{
	if (system("vitro --version >/dev/null"))
		SKIP(return, "no command vitro on this machine");
	output[0] = '\0';
}

FIXTURE_TEARDOWN(stuck)
{
}

TEST_F(stuck, waits_for_nobody)
{
	RUN_UNTIL_STUCK(POLL(NOBODY));
	EXPECT_EQ(1, count("the same exit and registers: in port 0x123 size 1"))
		TH_LOG("%s", output);
	EXPECT_EQ(1, count("at rip 0x1003: ec  in al, dx"));
	EXPECT_EQ(1, count("no device is there, so that all ones are read"));
}

TEST_F(stuck, waits_for_a_device)
{
	RUN_UNTIL_STUCK(POLL(COM1_STATUS));
	EXPECT_EQ(1, count("a device that gives the same answer")) TH_LOG("%s", output);
}

TEST_F(stuck, loops_with_interrupts_off)
{
	RUN_UNTIL_STUCK(LOOP_FOREVER);
	EXPECT_EQ(1, count("with interrupts off")) TH_LOG("%s", output);
	EXPECT_EQ(1, count("at rip 0x1000: eb fe  jmp"));
	EXPECT_EQ(1, count("it waits for another vCPU"));
}

/* The handler of #GP is an IRET. */
TEST_F(stuck, returns_to_the_same)
{
	RUN_UNTIL_STUCK("\xc7\x06\x34\x00\x15\x10"	/* mov word [0x34], 0x1015 */
			"\xc7\x06\x36\x00\x00\x00"	/* mov word [0x36], 0 */
			"\x66\xb9\x34\x12\x00\x00"	/* mov ecx, 0x1234 */
			"\x0f\x32"			/* rdmsr */
			"\xf4\xcf");			/* hlt; 1015 iret */
	EXPECT_EQ(1, count("msr 0x1234")) TH_LOG("%s", output);
	EXPECT_EQ(1, count("handler returns to the same instruction"));
}

/* Whatever changes registers gets somewhere; and so does what has interrupts on. */
TEST_F(stuck, is_not)
{
	/* mov dx, 0x123; 1: out dx, al; inc cx; jmp 1b */
	write_file("/tmp/busy.bin", "\xba\x23\x01\xee\x41\xeb\xfc", 7);
	EXPECT_EQ(14, sh("vitro run --stuck 200ms --deadline 1s /tmp/busy.bin 2>&1"));
	EXPECT_EQ(0, count("stuck")) TH_LOG("%s", output);
	/* 1: inc ax; jmp 1b */
	write_file("/tmp/busy.bin", "\x40\xeb\xfd", 3);
	EXPECT_EQ(14, sh("vitro run --stuck 200ms --deadline 1s /tmp/busy.bin 2>&1"));
	EXPECT_EQ(0, count("stuck")) TH_LOG("%s", output);
	/* sti; jmp $ */
	write_file("/tmp/busy.bin", "\xfb\xeb\xfe", 3);
	EXPECT_EQ(14, sh("vitro run --stuck 200ms --deadline 1s /tmp/busy.bin 2>&1"));
	EXPECT_EQ(0, count("stuck")) TH_LOG("%s", output);
}

/* It sleeps, and each tick of the PIT has the same OUT in it; but an INTA, too. */
TEST_F(stuck, idles)
{
	static const char code[] =
		"\xc7\x06\x20\x00\x30\x10"	/* mov word [0x20], 0x1030: vector 8 */
		"\xc7\x06\x22\x00\x00\x00"	/* mov word [0x22], 0 */
		"\xb0\x11\xe6\x20"		/* ICW1 to ICW4 of the first 8259 */
		"\xb0\x08\xe6\x21\xb0\x04\xe6\x21\xb0\x01\xe6\x21"
		"\xb0\xfe\xe6\x21"		/* its mask: IRQ 0 only */
		"\xb0\x34\xe6\x43"		/* PIT: channel 0 ticks every 255 cycles */
		"\xb0\xff\xe6\x40\xb0\x00\xe6\x40"
		"\xfb\xf4\xeb\xfd"		/* sti; 1: hlt; jmp 1b */
		"\xb0\x20\xe6\x20\xcf";		/* 1030: mov al, 0x20; out 0x20, al; iret */

	write_file("/tmp/idle.bin", code, sizeof(code) - 1);
	EXPECT_EQ(14, sh("vitro run --stuck 200ms --deadline 2s /tmp/idle.bin 2>&1"));
	EXPECT_EQ(0, count("stuck")) TH_LOG("%s", output);
}

TEST_HARNESS_MAIN
