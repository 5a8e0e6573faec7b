// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Kernels of our own under vitro run: what the loaders tell them, the 8259s and the timer
 * of a machine without APICs, and the debug exit port.  The kernels look for themselves
 * (boot/kernel.c); here is what they are given, and what has to come out.
 */
#include "kselftest_harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../userspace/vitro/exitcode.h"
#include "vt.h"	/* how long a case may take */
#include "boot/images.h"

#define KERNEL		"/tmp/boot-kernel"
#define MODULE_1	"/tmp/boot-module-1"
#define MODULE_2	"/tmp/boot-module-2"
#define LOG		"/tmp/boot-log"
#define MODULES		"--module " MODULE_1 ",args=sum=322 --module " MODULE_2 ",args=sum=1020 "

static char output[4096];	/* what the last run printed, and said */

static void save(const char *path, const void *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, data, len) != (ssize_t)len)
		ksft_exit_fail_msg("cannot write %s\n", path);
	close(fd);
}

/* Runs a shell command; returns its exit status. */
static int shell(const char *command)
{
	size_t len;
	FILE *pipe;
	int status;

	pipe = popen(command, "r");
	if (!pipe)
		ksft_exit_fail_msg("cannot start a shell\n");
	len = fread(output, 1, sizeof(output) - 1, pipe);
	output[len] = 0;
	status = pclose(pipe);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#define RUN	"vitro run --memory 64M --cpus 2 --debug-exit 0xf4 --deadline 30s "

/* Runs vitro with the kernel and more arguments; returns its exit status. */
static int run(const char *arguments)
{
	char command[512];

	snprintf(command, sizeof(command), RUN "--kernel " KERNEL " %s 2>&1 </dev/null", arguments);
	return shell(command);
}

/* The same file as a snippet. */
#define SNIPPET(arguments)	shell(RUN arguments " " KERNEL " 2>&1 </dev/null")

/* What the user does while vitro runs: presses the power button when the guest waits for it. */
static const char presses[] =
	"guest=$!; n=1\n"
	"while sleep 0.2; do\n"
	"	grep -q \"waiting for button $n\" " LOG " || continue\n"
	"	kill -PWR $guest; n=$((n + 1)); [ $n -le 2 ] || break\n"
	"done &\n"
	"wait $guest; status=$?; kill $! 2>/dev/null\n"
	"cat " LOG "; exit $status\n";

static int run_and_press(const char *arguments)
{
	char command[1024];

	snprintf(command, sizeof(command),
		 RUN "--kernel " KERNEL " %s >" LOG " 2>&1 </dev/null &\n%s", arguments, presses);
	return shell(command);
}

FIXTURE(boot)
{
};

FIXTURE_SETUP(boot)
{
	if (system("vitro --version >/dev/null"))
		SKIP(return, "no command vitro on this machine");
	save(MODULE_1, "one", 3);
	save(MODULE_2, "\xff\xff\xff\xff", 4);
}

FIXTURE_TEARDOWN(boot)
{
	unlink(KERNEL);
	unlink(MODULE_1);
	unlink(MODULE_2);
}

/* A multiboot kernel finds everything, and ends the run with the status of its choice. */
static void multiboot(struct __test_metadata *_metadata, const char *image, const char *end,
		      const char *bits)
{
	save(KERNEL, image, end - image);
	EXPECT_EQ(21 * 2 + 1, run(MODULES "--append 'memory=65536 cpus=2 modules=2 exit=21'"));
	EXPECT_NE(NULL, strstr(output, bits));
	EXPECT_NE(NULL, strstr(output, "multiboot, KiB: 65536\n"));
	EXPECT_NE(NULL, strstr(output, "module 322\nmodule 1020\n"));
	EXPECT_NE(NULL, strstr(output, "ten ticks\n"));
	EXPECT_EQ(NULL, strstr(output, "FAILED"));
	EXPECT_NE(NULL, strstr(output, "the guest wrote 0x15 to its debug exit port"));
	if (!_metadata->passed)
		printf("# %s\n", output);
}

TEST_F(boot, multiboot_elf32)
{
	multiboot(_metadata, multiboot_32, multiboot_32_end, "32 bits");
}

TEST_F(boot, multiboot_elf64)
{
	multiboot(_metadata, multiboot_64, multiboot_64_end, "64 bits");
}

/* The same without ELF headers: the multiboot header has the addresses. */
TEST_F(boot, multiboot_flat)
{
	multiboot(_metadata, multiboot_flat, multiboot_flat_end, "64 bits");
}

TEST_F(boot, pvh)
{
	save(KERNEL, pvh_32, pvh_32_end - pvh_32);
	EXPECT_EQ(7, run("--append 'memory=65536 cpus=2 exit=3'")) TH_LOG("%s", output);
	EXPECT_NE(NULL, strstr(output, "32 bits, PVH, KiB: 65536\n"));
	save(KERNEL, pvh_64, pvh_64_end - pvh_64);
	EXPECT_EQ(7, run("--append 'memory=65536 cpus=2 exit=3'")) TH_LOG("%s", output);
	EXPECT_NE(NULL, strstr(output, "64 bits, PVH, KiB: 65536\n"));
}

/* The first module is the initrd.  And: the kernel notices what is wrong. */
TEST_F(boot, noticed)
{
	save(KERNEL, multiboot_32, multiboot_32_end - multiboot_32);
	EXPECT_EQ(1, run("--initrd " MODULE_1 " --append 'memory=65536 cpus=2 modules=1 exit=0'"));
	EXPECT_NE(NULL, strstr(output, "module 322\n")) TH_LOG("%s", output);
	EXPECT_EQ(3, run("--append 'memory=65535 cpus=2 exit=9'"));
	EXPECT_NE(NULL, strstr(output, "FAILED: the memory is that")) TH_LOG("%s", output);
	EXPECT_EQ(3, run("--append 'memory=65536 cpus=3 exit=9'"));
	EXPECT_NE(NULL, strstr(output, "FAILED: fw_cfg: processors")) TH_LOG("%s", output);
}

TEST_F(boot, exit_statuses)
{
	save(KERNEL, multiboot_32, multiboot_32_end - multiboot_32);
	EXPECT_EQ(1, run("--append 'memory=65536 cpus=2 exit=0'"));
	EXPECT_EQ(255, run("--append 'memory=65536 cpus=2 exit=127'"));
	EXPECT_EQ(1, run("--append 'memory=65536 cpus=2 exit=128'"));	/* modulo 256 */
	EXPECT_EQ(END_USAGE, run("--debug-exit 0x3f8"));
	EXPECT_NE(NULL, strstr(output, "another device")) TH_LOG("%s", output);
}

/* SIGPWR presses the power button, whose interrupt goes by the slave, by level. */
TEST_F(boot, power_button)
{
	save(KERNEL, multiboot_32, multiboot_32_end - multiboot_32);
	EXPECT_EQ(5, run_and_press("--append 'memory=65536 cpus=2 button=2 exit=2'"))
		TH_LOG("%s", output);
	EXPECT_NE(NULL, strstr(output, "waiting for button 2\n"));
	unlink(LOG);
}

/* Flat, at an address, which the code finds out and tells in the status. */
TEST_F(boot, flat)
{
	static const char code[] = "\xe8\0\0\0\0"		/* call the next instruction */
				   "\x58"			/* pop %eax: where it is */
				   "\xc1\xe8\x14"		/* shr $20, %eax */
				   "\xe7\xf4"			/* out %eax, $0xf4 */
				   "\xf4";

	save(KERNEL, code, sizeof(code) - 1);
	EXPECT_EQ(3 * 2 + 1, SNIPPET("--mode 32 --load 0x300000"));
	EXPECT_EQ(1, SNIPPET("--mode 64"));
	EXPECT_EQ(END_USAGE, SNIPPET("--load 0x4000000"));
	EXPECT_NE(NULL, strstr(output, "0x4000000")) TH_LOG("%s", output);
	EXPECT_EQ(END_USAGE, SNIPPET("--mode 32 --load 0x85000"));
	EXPECT_NE(NULL, strstr(output, "into the tables")) TH_LOG("%s", output);
	EXPECT_EQ(END_USAGE, SNIPPET("--mode 16 --load 0x300000"));
	EXPECT_NE(NULL, strstr(output, "cannot be reached in 16-bit mode")) TH_LOG("%s", output);
}

/* A wrong or truncated image: one line that says what is wrong. */
TEST_F(boot, refused)
{
	save(KERNEL, multiboot_64, 600);
	EXPECT_EQ(END_USAGE, run(""));
	EXPECT_NE(NULL, strstr(output, "cannot load '" KERNEL "': the ")) TH_LOG("%s", output);
	EXPECT_EQ(output + strlen(output) - 1, strchr(output, '\n'));
	save(KERNEL, multiboot_flat, multiboot_flat_end - multiboot_flat - 100);
	EXPECT_EQ(END_USAGE, run(""));
	EXPECT_NE(NULL, strstr(output, "cut off")) TH_LOG("%s", output);
	save(KERNEL, "no kernel", 9);
	EXPECT_EQ(END_USAGE, run(""));
	EXPECT_NE(NULL, strstr(output, "no bzImage, no ELF file")) TH_LOG("%s", output);
}

TEST_HARNESS_MAIN
