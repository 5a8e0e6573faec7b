// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vitro snip as its users see it, and what vitro run says of a triple fault.  There is no
 * assembler in a test machine: code comes as bytes.
 */
#include "kselftest_harness.h"

#include <cpuid.h>

#include "commands.h"

/* For EXPECT_TRUE(): is the text in the output?  What is there instead goes to the log. */
static bool says(const char *text)
{
	if (!count(text))
		printf("# no '%s' in:\n%s\n", text, output);
	return count(text);
}

FIXTURE(snip) {
};

FIXTURE_SETUP(snip)
{
	if (system("vitro --version >/dev/null"))
		SKIP(return, "no command vitro on this machine");
}

FIXTURE_TEARDOWN(snip)
{
}

TEST_F(snip, shows_exits)
{
	ASSERT_EQ(0, sh("vitro snip --bytes 'b0 2a e6 80 f4'")) TH_LOG("%s", output);
	EXPECT_TRUE(says("   1  io          rip 0x1002  e6 80  out 0x80, al"));
	EXPECT_TRUE(says("out port 0x80 size 1 data 0x2a\n      rax=0x2a\n"));
	EXPECT_TRUE(says("   2  hlt         rip 0x1004  f4  hlt\n"));
	EXPECT_TRUE(says("the end, after 2 exits: HLT\n"));
	EXPECT_TRUE(says("rip 0x1004 "));
	EXPECT_TRUE(says("efer 0x500\n"));
	EXPECT_EQ(0, count("tdp"));
}

TEST_F(snip, modes)
{
	/* mov ax, 0x1234; hlt, or in the others mov eax, 0x...1234 with what follows */
	ASSERT_EQ(0, sh("vitro snip --mode 16 --bytes 'b8 34 12 f4'")) TH_LOG("%s", output);
	EXPECT_TRUE(says("rax 0x1234 "));
	EXPECT_TRUE(says("cr0 0x10 "));
	ASSERT_EQ(0, sh("vitro snip --mode 32 --bytes 'b8 34 12 00 80 f4'")) TH_LOG("%s", output);
	EXPECT_TRUE(says("rax 0x80001234 "));
	EXPECT_TRUE(says("cr0 0x11 "));
	ASSERT_EQ(0, sh("vitro snip --mode 64 --bytes '48 c7 c0 ff ff ff ff f4'"))
		TH_LOG("%s", output);
	EXPECT_TRUE(says("rax 0xffffffffffffffff "));
	EXPECT_TRUE(says("cr0 0x80000011 "));
}

TEST_F(snip, mmio_and_registers)
{
	/* mov [rbx], eax; mov ecx, [rbx]; hlt */
	ASSERT_EQ(0, sh("vitro snip --set rbx=0x90000000,rax=7 --bytes '89 03 8b 0b f4'"));
	EXPECT_TRUE(says("write gpa 0x90000000\n"));
	EXPECT_TRUE(says("read gpa 0x90000000\n"));
	EXPECT_TRUE(says("   3  hlt         rip 0x1004  f4  hlt\n      rcx=0xffffffff\n"));
}

TEST_F(snip, trace)
{
	/* cpuid; hlt */
	ASSERT_EQ(0, sh("vitro snip --trace --bytes '0f a2 f4'")) TH_LOG("%s", output);
	EXPECT_TRUE(says("  cpuid       rip 0x1000  cpuid"));
	EXPECT_TRUE(says("leaf 0x0 subleaf 0x0  [burst]"));
	EXPECT_TRUE(says("[user]"));
}

TEST_F(snip, json)
{
	ASSERT_EQ(0, sh("vitro snip --json --bytes 'b0 2a e6 80 f4'"));
	EXPECT_TRUE(says("\"reason\": \"io\""));
	EXPECT_TRUE(says("\"rax\": \"0x2a\""));
	EXPECT_TRUE(says("\"status\": 0"));
	ASSERT_EQ(12, sh("vitro snip --json --bytes '0f 0b'"));
	EXPECT_TRUE(says("\"certainty\": \"certain\""));
	EXPECT_TRUE(says("\"name\": \"#DF\""));
	EXPECT_TRUE(says("\"status\": 12"));
}

TEST_F(snip, limits)
{
	/* jmp $; and out 0x80, al in a loop */
	ASSERT_EQ(14, sh("vitro snip --deadline 200ms --bytes 'eb fe' 2>&1"));
	EXPECT_TRUE(says("the deadline has passed"));
	ASSERT_EQ(14, sh("vitro snip --max-exits 5 --bytes 'e6 80 eb fc' 2>&1"));
	EXPECT_TRUE(says("the end, after 5 exits: stopped"));
}

TEST_F(snip, bad_usage)
{
	ASSERT_EQ(64, sh("vitro snip 2>&1"));
	ASSERT_EQ(64, sh("vitro snip --bytes 'b0 2' 2>&1"));
	EXPECT_TRUE(says("'2' are no hexadecimal digits"));
	ASSERT_EQ(64, sh("vitro snip --mode 8 --bytes f4 2>&1"));
	ASSERT_EQ(64, sh("vitro snip --set rax --bytes f4 2>&1"));
	ASSERT_EQ(64, sh("vitro snip --set cs.selector=0x10000 --bytes f4 2>&1"));
	EXPECT_TRUE(says("a number of up to 16 bits"));
	ASSERT_EQ(64, sh("vitro snip --set cr0=0x80000000 --bytes f4 2>&1"));
	EXPECT_TRUE(says("what no guest could load"));
	ASSERT_EQ(64, sh("vitro snip --file /nowhere 2>&1"));
	EXPECT_TRUE(says("No such file"));
}

/* Where there is no as, that is what is said. */
TEST_F(snip, no_assembler)
{
	ASSERT_EQ(64, sh("PATH=/nowhere $(command -v vitro) snip hlt 2>&1"));
	EXPECT_TRUE(says("there is no 'as' here; install GNU binutils"));
}

static bool on_intel(void)
{
	unsigned int eax, ebx, ecx, edx;

	__cpuid(0, eax, ebx, ecx, edx);
	return ebx == signature_INTEL_ebx;
}

/* A 64-bit code segment that is a 32-bit one, too: SDM 3C 27.3.1.2, APM 2 15.5.1. */
TEST_F(snip, broken_entry)
{
	ASSERT_EQ(13, sh("vitro snip --why --set cs.attrib=0xe9b --bytes f4"))
		TH_LOG("%s", output);
	EXPECT_TRUE(says("  fail-entry  rip 0x1000"));
	EXPECT_TRUE(says(on_intel() ? "SDM 3C 27.3.1.2: 64-bit code" :
				      "APM 2 15.5.1: 64-bit code"));
	EXPECT_TRUE(says("So the CPU does not enter"));
	ASSERT_EQ(13, sh("vitro snip --set cs.attrib=0xe9b --bytes f4"));
	EXPECT_EQ(0, count("64-bit code"));
}

/* A field that nobody can load: the guest runs, and the explainer is asked. */
TEST_F(snip, broken_field)
{
	const char *field = on_intel() ? "GUEST_CR4" : "CR4";

	ASSERT_EQ(13, sh("vitro snip --set %s=0 --bytes f4", field)) TH_LOG("%s", output);
	EXPECT_TRUE(says("after 1 exits: HLT"));
	EXPECT_TRUE(says("by the manual:"));
	EXPECT_TRUE(says("PAE"));
	ASSERT_EQ(64, sh("vitro snip --set NO_FIELD=0 --bytes f4 2>&1"));
	EXPECT_TRUE(says("no such field"));
	/* ud2: a field that is as it should be does not make that a HLT */
	ASSERT_EQ(12, sh("vitro snip --set %s=%s --bytes '0f 0b'", field,
			 on_intel() ? "0x2020" : "0x20"));
	EXPECT_TRUE(says("by the manual:"));
}

TEST_F(snip, postmortem)
{
	/* ud2, without an IDT */
	ASSERT_EQ(12, sh("vitro snip --bytes '0f 0b'")) TH_LOG("%s", output);
	EXPECT_TRUE(says("triple fault, what happened:\n  at rip 0x1000: 0f 0b  ud2\n"));
	EXPECT_TRUE(says("  1. #UD: the instruction is there to raise it\n"));
	EXPECT_TRUE(says("  2. #GP, error code 0x33 (entry 6 of the IDT)"));
	EXPECT_TRUE(says("  3. #DF, error code 0x0"));
	EXPECT_TRUE(says("the IDT is empty"));
}

/* The same from vitro run, with a name for the address. */
TEST_F(snip, run_says_it)
{
	write_file("/tmp/ud2.bin", "\x90\x0f\x0b", 3);
	write_file("/tmp/ud2.map", "0000000000001000 T start\n", 25);
	ASSERT_EQ(12, sh("vitro run --mode 64 --symbols /tmp/ud2.map /tmp/ud2.bin 2>&1"))
		TH_LOG("%s", output);
	EXPECT_TRUE(says("vitro: triple fault at rip 0x1001: 0f 0b  ud2\n"));
	EXPECT_TRUE(says("  at rip 0x1001 <start+0x1>: 0f 0b  ud2\n"));
	EXPECT_TRUE(says("  1. #UD"));
	ASSERT_EQ(12, sh("vitro run --quiet --mode 64 /tmp/ud2.bin 2>&1"));
	EXPECT_EQ(0, count("#UD"));
	ASSERT_EQ(64, sh("vitro run --symbols /nowhere /tmp/ud2.bin 2>&1"));
}

TEST_HARNESS_MAIN
