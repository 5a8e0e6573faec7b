// SPDX-License-Identifier: GPL-2.0-or-later
/* vitro trace as its users see it: filters, symbols, a machine that runs already. */
#include "kselftest_harness.h"
#include <signal.h>
#include <sys/stat.h>
#include "commands.h"

/* Symbols of THREE() at 0x1000. */
#define THREE_MAP	"0000000000001000 T start\n0000000000001005 T ask\n" \
			"000000000000100c T tell\n000000000000100e T finish\n"

/*
 * 64-bit code for LOAD = 0x1000000 + SLIDE: maps itself at 0xffffffff80000000 + LOAD, as Linux
 * does; sets LSTAR to where ELSEWHERE_MAP's system call entry is then; goes up there, and
 * exits.  The arguments are byte 2 of these addresses.
 */
#define ELSEWHERE(load, lstar) \
	"\x0f\x20\xdf"			/* mov	%cr3, %rdi */ \
	"\x48\x8b\x07"			/* mov	(%rdi), %rax */ \
	"\x48\x89\x87\xf8\x0f\0\0"	/* mov	%rax, 511*8(%rdi) */ \
	"\x48\x25\0\xf0\xff\xff"	/* and	$~0xfff, %rax */ \
	"\x48\x8b\x18"			/* mov	(%rax), %rbx */ \
	"\x48\x89\x98\xf0\x0f\0\0"	/* mov	%rbx, 510*8(%rax) */ \
	"\xb9\x82\0\0\xc0"		/* mov	$0xc0000082, %ecx */ \
	"\xb8\x40\0" lstar "\x82"	/* mov	$0x82000040 + SLIDE, %eax */ \
	"\x83\xca\xff"			/* or	$-1, %edx */ \
	"\x0f\x30"			/* wrmsr */ \
	"\x31\xc0"			/* xor	%eax, %eax */ \
	"\x48\xc7\xc6\x37\0" load "\x81"	/* mov	$0xffffffff80000037 + LOAD, %rsi */ \
	"\xff\xe6"			/* jmp	*%rsi */ \
	"\x0f\xa2"			/* cpuid, at 0x37 */ \
	"\xe6\x42"			/* out	%al, $0x42 */ \
	"\xf4"				/* hlt */

#define ELSEWHERE_MAP	"ffffffff81000000 T startup_64\nffffffff81000037 T ask\n" \
			"ffffffff81000039 T tell\nffffffff8100003b T finish\n" \
			"ffffffff82000040 T entry_SYSCALL_64\n"

#define WRITE(name, data)	write_file(name, data, sizeof(data) - 1)

/* The number of exits in /tmp/three.trc that are shown with options. */
static int shown(const char *options)
{
	if (sh("vitro trace show --symbols /tmp/three.map --json %s /tmp/three.trc", options))
		return -1;
	return count("\n");
}

/* A recording of few exits; and time to look at it many times, on a machine that is busy. */
FIXTURE(files) {
	int all;
};

FIXTURE_SETUP(files)
{
	WRITE("/tmp/three.bin", THREE("\x42"));
	WRITE("/tmp/three.map", THREE_MAP);
	if (sh("vitro trace run /tmp/three.trc --mode 16 /tmp/three.bin 2>&1"))
		ksft_exit_fail_msg("%s", output);
	self->all = shown("");
}

FIXTURE_TEARDOWN(files)
{
}

/* -------------------------------------------------------------------- filters */

TEST_F(files, filters)
{
	int all = self->all;

	EXPECT_LE(5, all);
	EXPECT_EQ(3, shown("--reason cpuid"));
	EXPECT_EQ(1, shown("--reason io"));
	EXPECT_EQ(1, shown("--reason hlt"));
	EXPECT_EQ(0, shown("--reason hypercall"));
	EXPECT_EQ(all, shown("--vcpu 0"));
	EXPECT_EQ(0, shown("--vcpu 1"));
	EXPECT_EQ(2, shown("--place user --rip 0x1006-0xffff"));
	EXPECT_EQ(0, shown("--place user --reason cpuid"));
	EXPECT_EQ(all, shown("--place burst") + shown("--place kernel") + shown("--place user"));
	EXPECT_EQ(2, shown("--count 2"));
	EXPECT_EQ(2, shown("--reason cpuid --count 2"));

	EXPECT_EQ(3, shown("--reason cpuid --rip 0x1005"));
	EXPECT_EQ(0, shown("--reason cpuid --rip 0x1004"));
	EXPECT_EQ(3, shown("--reason cpuid --rip 0x1000-0x1005"));
	EXPECT_EQ(0, shown("--reason cpuid --rip 0x1006-0xffffffffffffffff"));
	EXPECT_EQ(3, shown("--reason cpuid --rip ask"));
	EXPECT_EQ(1, shown("--reason io --rip tell"));
	EXPECT_EQ(0, shown("--reason io --rip ask"));

	/* In diff and export, too. */
	EXPECT_EQ(0, sh("vitro trace diff --rip 0x100c /tmp/three.trc /tmp/three.trc"));
	EXPECT_EQ(1, count("vcpu 0: 1 exits, all alike")) TH_LOG("%s", output);
	EXPECT_EQ(0, sh("vitro trace export --reason io --symbols /tmp/three.map /tmp/three.trc"));
	EXPECT_EQ(0, count("\"cpuid\"")) TH_LOG("%s", output);
	EXPECT_LE(1, count("\"name\":\"io\""));
	EXPECT_LE(1, count("\"symbol\":\"tell\""));
}

TEST_F(files, refused)
{
	static const char *const bad[] = {
		"--reason nonsense", "--reason unknown", "--place nowhere", "--vcpu -1",
		"--vcpu 1000", "--count 0", "--rip ''", "--rip nobody", "--rip 0x20-0x10",
		"--rip 5-", "--kaslr far", "--symbols /nonexistent", "--symbols /tmp/three.bin",
		"--duration never", "--nonsense",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(64, sh("vitro trace show %s /tmp/three.trc 2>&1", bad[i]))
			TH_LOG("%s", bad[i]);
		EXPECT_NE(0, output[0]) TH_LOG("%s: no word", bad[i]);
	}
	EXPECT_EQ(64, sh("vitro trace record /tmp/r.trc nobody 2>&1"));
	EXPECT_EQ(1, count("no machine 'nobody'")) TH_LOG("%s", output);
}

/* -------------------------------------------------------------------- symbols */

TEST_F(files, symbols)
{
	ASSERT_EQ(0, sh("vitro trace show --symbols /tmp/three.map /tmp/three.trc 2>&1"));
	EXPECT_EQ(3, count(" ask ")) TH_LOG("%s", output);
	EXPECT_EQ(1, count(" tell "));
	EXPECT_EQ(0, count("LSTAR"));		/* no Linux: nothing has moved */
	EXPECT_EQ(1, shown("--reason hlt"));
	EXPECT_EQ(1, count("\"symbol\":\"finish\"")) TH_LOG("%s", output);
	EXPECT_EQ(1, shown("--reason hlt --kaslr 2"));
	EXPECT_EQ(1, count("\"symbol\":\"tell\"")) TH_LOG("%s", output);
	EXPECT_EQ(0, sh("vitro trace show --json --reason hlt /tmp/three.trc"));
	EXPECT_EQ(0, count("symbol")) TH_LOG("%s", output);
}

/* A kernel that randomizes its address says itself where it is. */
TEST_F(files, kernel_that_moved)
{
	const char *run = "vitro trace run /tmp/%s.trc --mode 64 --load 0x%x /tmp/%s.bin 2>&1";
	const char *show = "vitro trace show --symbols /tmp/map %s /tmp/%s.trc 2>&1";

	WRITE("/tmp/6.bin", ELSEWHERE("\x60", "\x60"));
	WRITE("/tmp/a.bin", ELSEWHERE("\xa0", "\xa0"));
	WRITE("/tmp/bad.bin", ELSEWHERE("\x60", "\x61"));
	WRITE("/tmp/map", ELSEWHERE_MAP);
	ASSERT_EQ(0, sh(run, "6", 0x1600000, "6")) TH_LOG("%s", output);
	ASSERT_EQ(0, sh(run, "a", 0x1a00000, "a")) TH_LOG("%s", output);
	ASSERT_EQ(0, sh(run, "bad", 0x1600000, "bad")) TH_LOG("%s", output);

	ASSERT_EQ(0, sh(show, "--rip tell --reason io", "6"));
	EXPECT_EQ(1, count("rip 0xffffffff81600039 tell ")) TH_LOG("%s", output);
	EXPECT_EQ(1, count("\n"));
	ASSERT_EQ(0, sh(show, "--rip ask --reason cpuid", "a"));
	EXPECT_EQ(1, count("rip 0xffffffff81a00037 ask ")) TH_LOG("%s", output);
	EXPECT_EQ(1, count("\n"));

	ASSERT_EQ(0, sh(show, "--reason io", "bad"));
	EXPECT_EQ(1, count("LSTAR does not fit")) TH_LOG("%s", output);
	ASSERT_EQ(0, sh(show, "--reason io --kaslr 0x600000", "bad"));
	EXPECT_EQ(1, count(" tell ")) TH_LOG("%s", output);
	EXPECT_EQ(0, count("LSTAR"));

	/* The same guest, wherever it is; but not if who knows where it is. */
	EXPECT_EQ(0, sh("vitro trace diff /tmp/6.trc /tmp/a.trc"));
	EXPECT_EQ(1, count("vcpu 0: 3 exits, all alike")) TH_LOG("%s", output);
	EXPECT_EQ(1, sh("vitro trace diff --symbols /tmp/map /tmp/bad.trc /tmp/a.trc 2>&1"));
	EXPECT_EQ(1, count("the first 0 exits are alike")) TH_LOG("%s", output);
	EXPECT_EQ(1, count("0xffffffff81a00037 ask "));
}

/* ------------------------------------------------------- machines that run already */

FIXTURE(machine) {
	pid_t pid;
};

FIXTURE_SETUP(machine)
{
	self->pid = run_for_ever();
}

FIXTURE_TEARDOWN(machine)
{
	if (self->pid) {
		kill(self->pid, SIGTERM);
		EXPECT_EQ(16, status_of(self->pid));
	}
}

/* Starts a recording without end, and waits until there is something in it. */
static pid_t record_for_ever(const char *file)
{
	struct stat st;
	pid_t pid;

	unlink(file);
	pid = fork();
	if (pid == 0) {
		execlp("vitro", "vitro", "trace", "record", file, "two-words", NULL);
		_exit(127);
	}
	for (int i = 0; i < 600; i++) {
		if (!stat(file, &st) && st.st_size > 10000)
			return pid;
		pause_ms(100);
	}
	ksft_exit_fail_msg("nothing is recorded\n");
	return -1;
}

/* A number in a line of JSON. */
static unsigned long number(const char *line, const char *key)
{
	const char *p = strstr(line, key);

	return p ? strtoul(p + strlen(key), NULL, 10) : ~0UL;
}

/* Records follow each other without a gap, or say how many are missing. */
TEST_F(machine, record)
{
	unsigned long next = 0;
	char *line;
	int n = 0;

	ASSERT_EQ(0, sh("vitro trace record --duration 300ms /tmp/r.trc two-words 2>&1"));
	EXPECT_EQ(1, count("exits recorded in /tmp/r.trc")) TH_LOG("%s", output);
	ASSERT_EQ(0, sh("vitro trace show --json --count 2000 /tmp/r.trc 2>&1"));
	EXPECT_LE(2, count("\"reason\":\"cpuid\"")) TH_LOG("%s", output);
	EXPECT_LE(2, count("\"insn\":\"out 0x42, al\""));
	EXPECT_EQ(0, count("(not readable)") + count("(bad)"));
	for (line = strtok(output, "\n"); line && *line == '{'; line = strtok(NULL, "\n"), n++) {
		next += number(line, "\"lost\":");
		ASSERT_EQ(next++, number(line, "\"seq\":")) TH_LOG("%s", line);
	}
	EXPECT_LE(4, n);
}

/* One at a time; when it is over, the next one can begin, and nothing is recorded between. */
TEST_F(machine, one_at_a_time)
{
	pid_t pid = record_for_ever("/tmp/long.trc");

	EXPECT_EQ(71, sh("vitro trace record /tmp/r.trc two-words 2>&1"));
	EXPECT_EQ(1, count("is being recorded already")) TH_LOG("%s", output);
	kill(pid, SIGINT);
	EXPECT_EQ(0, status_of(pid));
	EXPECT_EQ(0, sh("vitro trace record --duration 100ms /tmp/r.trc two-words 2>&1"))
		TH_LOG("%s", output);
	EXPECT_EQ(0, sh("vitro trace show --count 1 --json /tmp/r.trc"));
	EXPECT_EQ(1, count("\"seq\":0,")) TH_LOG("%s", output);

	/* One that dies does not keep the machine from others for long. */
	pid = record_for_ever("/tmp/long.trc");
	kill(pid, SIGKILL);
	EXPECT_EQ(-1, status_of(pid));
	for (int i = 0; i < 600; i++) {
		if (!sh("vitro trace record --duration 10ms /tmp/r.trc two-words 2>&1"))
			return;
		pause_ms(100);
	}
	EXPECT_EQ(0, 1) TH_LOG("%s", output);
}

TEST_F(machine, until_its_end)
{
	pid_t pid = record_for_ever("/tmp/long.trc");

	kill(self->pid, SIGTERM);
	EXPECT_EQ(16, status_of(self->pid));
	self->pid = 0;
	EXPECT_EQ(0, status_of(pid));
	EXPECT_EQ(0, sh("vitro trace show --reason cpuid --count 100 /tmp/long.trc"));
	EXPECT_LE(10, count(" cpuid\n")) TH_LOG("%s", output);
}

TEST_HARNESS_MAIN
