// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vitro walk as its users see it: guests with every kind of paging that the module lets them
 * have, and tables made to fail in every way, walked while they run.
 *
 * A guest is one file: code at 0x1000 that turns paging on and then loops, and the tables
 * that the test made, at the addresses below.
 */
#include "kselftest_harness.h"
#include <linux/vitro.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include "commands.h"

#define FILE_NAME	"/tmp/walk.bin"
#define LOAD		0x1000ULL
#define TABLE(level)	(0x2000ULL + (level) * 0x1000)	/* 1 is the last; the root highest */
#define DATA		0x9000ULL			/* what is mapped */
#define NO_MEMORY	0x40000000ULL			/* far above the guest's 16 MiB */

#define P	0x01ULL
#define W	0x02ULL
#define U	0x04ULL
#define PS	0x80ULL
#define NX	(1ULL << 63)

#define CR4_PSE		0x10
#define CR4_PAE		0x20
#define EFER_LME	0x100
#define EFER_NXE	0x800

#define TEXT		0xa000ULL			/* 4 KiB of "R" */
#define COUNTER		31				/* entry of TABLE(1), never present */

static uint8_t image[0xa000];		/* from LOAD on */

static uint64_t *entry8(unsigned int level, unsigned int index)
{
	return (uint64_t *)(image + TABLE(level) - LOAD) + index;
}

static uint32_t *entry4(unsigned int level, unsigned int index)
{
	return (uint32_t *)(image + TABLE(level) - LOAD) + index;
}

/* 32-bit code. */
static const uint8_t set_paging[] = {
	0xb8, 0, 0, 0, 0, 0x0f, 0x22, 0xe0,		/* mov eax, cr4; mov cr4, eax */
	0xb8, 0, 0, 0, 0, 0x0f, 0x22, 0xd8,		/* mov eax, cr3; mov cr3, eax */
	0xb9, 0x80, 0, 0, 0xc0, 0x0f, 0x32,		/* mov ecx, EFER; rdmsr */
	0x0d, 0, 0, 0, 0, 0x0f, 0x30,			/* or eax, efer; wrmsr */
	0x0f, 0x20, 0xc0, 0x0d, 0, 0, 1, 0x80,		/* mov eax, cr0; or eax, PG | WP */
	0x0f, 0x22, 0xc0,				/* mov cr0, eax */
};

/* Says that it is there, and then counts in an entry, in which bit 0 stays 0. */
static const uint8_t count_for_ever[] = {
	0xb0, 'R', 0xe6, 0xe9,				/* mov al, 'R'; out 0xe9, al */
	0x83, 0x05, 0xf8, 0x30, 0, 0, 2, 0xeb, 0xf7,	/* add [TABLE(1) + 8 * COUNTER], 2 */
};

static const uint8_t print_for_ever[] = {
	0xbe, 0, 0xa0, 0, 0, 0xb9, 0, 0x10, 0, 0,	/* mov esi, TEXT; mov ecx, 4096 */
	0xba, 0xe9, 0, 0, 0, 0xf3, 0x6e, 0xeb, 0xed,	/* mov edx, 0xe9; rep outsb */
};

/* CR4, EFER and CR3 as given, CR0.PG and CR0.WP on. */
static void put_code(uint32_t cr4, uint32_t efer, uint32_t cr3)
{
	memcpy(image, set_paging, sizeof(set_paging));
	memcpy(image + 1, &cr4, 4);
	memcpy(image + 9, &cr3, 4);
	memcpy(image + 24, &efer, 4);
	memcpy(image + sizeof(set_paging), count_for_ever, sizeof(count_for_ever));
}

/**
 * struct guest - a vitro run
 * @pid: its process
 * @out: what the guest prints
 */
static struct guest {
	pid_t pid;
	int out;
} guest;

FIXTURE(walk) {
};

FIXTURE_SETUP(walk)
{
	memset(image, 0, sizeof(image));
}

FIXTURE_TEARDOWN(walk)
{
	if (!guest.pid)
		return;
	close(guest.out);
	kill(guest.pid, SIGTERM);
	status_of(guest.pid);
	unlink(FILE_NAME);
}

/* Waits until the guest prints something. */
static bool hear(void)
{
	struct pollfd fd = { .fd = guest.out, .events = POLLIN };
	char c = 0;

	return poll(&fd, 1, 60000) == 1 && read(guest.out, &c, 1) == 1 && c == 'R';
}

#define NOBODY		65534
#define USER_DIR	"/tmp/walk-run"

/* Starts the machine as a user, and waits until its guest has come to its loop. */
static void start_as(uid_t uid)
{
	int ends[2];

	write_file(FILE_NAME, (const char *)image, sizeof(image));
	if (pipe(ends))
		ksft_exit_fail_msg("pipe: %s\n", strerror(errno));
	guest.pid = fork();
	if (!guest.pid) {
		dup2(ends[1], STDOUT_FILENO);
		close(ends[0]);
		if (uid && (setenv("VITRO_RUN_DIR", USER_DIR, 1) || setuid(uid)))
			_exit(126);
		execlp("vitro", "vitro", "run", "--name", "walked", "--mode", "32", "-m", "16M",
		       "--cpus", "2", "--load", "0x1000", "-q", FILE_NAME, NULL);
		_exit(127);
	}
	close(ends[1]);
	guest.out = ends[0];
	fcntl(guest.out, F_SETPIPE_SZ, 4096);
	if (!hear())
		ksft_exit_fail_msg("the guest did not come to its loop\n");
}

static void start(void)
{
	start_as(0);
}

/* Long mode, in which the first 64 KiB are mapped to themselves: code runs there. */
static void map_long(void)
{
	unsigned int level;

	put_code(CR4_PAE, EFER_LME | EFER_NXE, TABLE(4));
	for (level = 4; level > 1; level--)
		*entry8(level, 0) = TABLE(level - 1) | P | W | U;
	for (unsigned int i = 0; i < 16; i++)
		*entry8(1, i) = i << 12 | P | W | U;
}

/* What JSON says of a number, by name. */
static bool says(const char *name, uint64_t value)
{
	char text[64];

	snprintf(text, sizeof(text), "\"%s\": \"0x%llx\"", name, (unsigned long long)value);
	return strstr(output, text);
}

static bool ends_as(const char *result)
{
	char text[64];

	snprintf(text, sizeof(text), "\"result\": \"%s\"", result);
	return strstr(output, text);
}

#define WALK(fmt, ...)	sh("vitro walk walked --json " fmt " 2>&1", ##__VA_ARGS__)

/* ------------------------------------------------------------------- kinds of paging */

TEST_F_TIMEOUT(walk, no_paging, 120)
{
	memcpy(image, count_for_ever, sizeof(count_for_ever));
	start();
	ASSERT_EQ(0, WALK("0x1234")) TH_LOG("%s", output);
	EXPECT_TRUE(ends_as("ok"));
	EXPECT_TRUE(strstr(output, "\"levels\": 0"));
	EXPECT_TRUE(says("gpa", 0x1234));
	ASSERT_EQ(0, sh("vitro walk 0x1234"));
	EXPECT_EQ(1, count("paging off")) TH_LOG("%s", output);
}

TEST_F_TIMEOUT(walk, two_levels, 120)
{
	put_code(CR4_PSE, 0, TABLE(2));
	*entry4(2, 0) = P | W | PS;
	*entry4(2, 1) = TABLE(1) | P | W | U;
	*entry4(1, 5) = DATA | P | U;
	start();
	ASSERT_EQ(0, WALK("0x405123")) TH_LOG("%s", output);
	EXPECT_TRUE(ends_as("ok"));
	EXPECT_TRUE(says("gpa", TABLE(2) + 4));
	EXPECT_TRUE(says("entry", DATA | P | U));
	EXPECT_TRUE(says("gpa", DATA | 0x123)) TH_LOG("%s", output);
	ASSERT_EQ(0, WALK("0x405123 --write"));
	EXPECT_TRUE(ends_as("write"));
	EXPECT_TRUE(says("error", 3));
	ASSERT_EQ(0, WALK("0x123456"));
	EXPECT_EQ(1, count("\"page_size\": 4194304"));
}

TEST_F_TIMEOUT(walk, pae, 120)
{
	put_code(CR4_PAE, EFER_NXE, TABLE(3));
	*entry8(3, 0) = TABLE(2) | P;
	*entry8(2, 0) = P | W | PS;
	*entry8(2, 1) = TABLE(1) | P | W | U;
	*entry8(1, 5) = DATA | P | W | U | NX;
	start();
	ASSERT_EQ(0, WALK("0x205123")) TH_LOG("%s", output);
	EXPECT_TRUE(ends_as("ok"));
	EXPECT_TRUE(strstr(output, "\"levels\": 3"));
	EXPECT_TRUE(says("gpa", DATA | 0x123)) TH_LOG("%s", output);
	ASSERT_EQ(0, WALK("0x205123 --exec"));
	EXPECT_TRUE(ends_as("exec"));
	EXPECT_TRUE(says("error", 0x11));
}

TEST_F_TIMEOUT(walk, four_levels, 120)
{
	map_long();
	*entry8(1, 20) = DATA | P | W | U;
	start();
	ASSERT_EQ(0, WALK("0x14123")) TH_LOG("%s", output);
	EXPECT_TRUE(ends_as("ok"));
	EXPECT_TRUE(strstr(output, "\"levels\": 4"));
	EXPECT_TRUE(says("entry", DATA | P | W | U)) TH_LOG("looking must set no bit\n%s", output);
	EXPECT_TRUE(says("gpa", DATA | 0x123));
	/* Where the guest is: its code has been executed, so that it is mapped. */
	ASSERT_EQ(0, WALK("rip --exec"));
	EXPECT_TRUE(ends_as("ok"));
	EXPECT_EQ(0, count("\"memory\": false")) TH_LOG("%s", output);
	EXPECT_EQ(0, count("\"hpa\": \"0x0\"")) TH_LOG("%s", output);
	EXPECT_EQ(0, count("\"withheld\": true"));
}

/* ------------------------------------------------------------------ how a walk can end */

TEST_F_TIMEOUT(walk, faults, 120)
{
	map_long();
	*entry8(4, 1) = 0;					/* absent at the top, */
	*entry8(3, 1) = 0xabc00;				/* with bits that mean nothing, */
	*entry8(1, 0x10) = DATA | P;				/* read-only, and the kernel's */
	*entry8(1, 0x11) = DATA | P | W | U | NX;
	*entry8(1, 0x12) = DATA | P | W | U | 1ULL << 51;	/* reserved */
	*entry8(1, 0x13) = NO_MEMORY | P | W | U;		/* a device */
	*entry8(2, 2) = NO_MEMORY | P | W | U;			/* a table that is not there */
	start();

	ASSERT_EQ(0, WALK("0x8000000000")) TH_LOG("%s", output);
	EXPECT_TRUE(ends_as("absent"));
	EXPECT_EQ(1, count("\"index\""));
	EXPECT_TRUE(says("error", 0));
	ASSERT_EQ(0, WALK("0x40000000"));
	EXPECT_TRUE(ends_as("absent"));
	EXPECT_TRUE(strstr(output, "\"blamed\": 1"));
	EXPECT_TRUE(says("entry", 0xabc00));
	ASSERT_EQ(0, WALK("0x10000"));
	EXPECT_TRUE(ends_as("ok"));
	ASSERT_EQ(0, WALK("0x10000 --write"));
	EXPECT_TRUE(ends_as("write"));
	EXPECT_TRUE(strstr(output, "\"blamed\": 3"));
	ASSERT_EQ(0, WALK("0x10000 --user"));
	EXPECT_TRUE(ends_as("user"));
	EXPECT_TRUE(says("error", 5));
	ASSERT_EQ(0, WALK("0x11000 --exec"));
	EXPECT_TRUE(ends_as("exec"));
	ASSERT_EQ(0, WALK("0x12000"));
	EXPECT_TRUE(ends_as("reserved"));
	EXPECT_TRUE(says("reserved", 1ULL << 51));
	EXPECT_TRUE(says("error", 9));
	ASSERT_EQ(0, WALK("0x13000"));
	EXPECT_TRUE(ends_as("ok"));
	EXPECT_EQ(1, count("\"memory\": false")) TH_LOG("%s", output);
	EXPECT_EQ(1, count("as one to a device"));
	ASSERT_EQ(0, WALK("0x400000"));
	EXPECT_TRUE(ends_as("no-memory"));
	ASSERT_EQ(0, WALK("0x800000000000"));
	EXPECT_TRUE(ends_as("canonical"));
}

/* ------------------------------------------------------------------- what people see */

TEST_F_TIMEOUT(walk, shown, 120)
{
	map_long();
	*entry8(1, 0x10) = DATA | P;
	start();
	ASSERT_EQ(0, sh("vitro walk walked 0x10008 --write"));
	EXPECT_EQ(1, count(">> PTE       16")) TH_LOG("%s", output);
	EXPECT_EQ(1, count(">>"));
	EXPECT_EQ(1, count("#PF, error code 0x3"));
	EXPECT_EQ(1, count("PTE 16 at gpa 0x3080 is read-only")) TH_LOG("%s", output);
	EXPECT_EQ(0, count("\033")) TH_LOG("no colours but on a terminal");
	ASSERT_EQ(0, sh("vitro walk walked 0x10008 --write --svg"));
	EXPECT_EQ(1, count("<svg ")) TH_LOG("%s", output);
	EXPECT_EQ(1, count("</svg>\n"));
	EXPECT_EQ(1, count("<rect class=\"bad\""));
	EXPECT_EQ(5, count("<rect class=\"gpa\""));
}

/* The number that the guest counts in an entry, as a walk shows it. */
static unsigned long counter(void)
{
	char *at;

	if (WALK("0x%x", COUNTER << 12) || !ends_as("absent"))
		return 0;
	/* It is the last of the entries. */
	for (at = output; strstr(at + 1, "\"entry\": \"0x"); )
		at = strstr(at + 1, "\"entry\": \"0x");
	return strtoul(at + 10, NULL, 16);
}

/* The guest goes on afterwards, each time. */
TEST_F_TIMEOUT(walk, goes_on, 120)
{
	unsigned long before, now;

	map_long();
	start();
	before = counter();
	for (int i = 0; i < 3; i++) {
		do {
			now = counter();
			ASSERT_NE(0, now) TH_LOG("%s", output);
		} while (now == before);
		before = now;
	}
}

/* The second vCPU waits to be started: it has no paging, and stands where it would begin. */
TEST_F_TIMEOUT(walk, another_vcpu, 120)
{
	map_long();
	start();
	ASSERT_EQ(0, WALK("rip --vcpu 1")) TH_LOG("%s", output);
	EXPECT_EQ(1, count("\"vcpu\": 1"));
	EXPECT_TRUE(strstr(output, "\"levels\": 0"));
	EXPECT_TRUE(says("gva", 0xfffffff0));
	EXPECT_EQ(1, count("\"memory\": false"));
}

/* Many ask at once, and some still do when the machine ends. */
TEST_F_TIMEOUT(walk, crowd, 240)
{
	map_long();
	start();
	ASSERT_EQ(0, sh("twice() { vitro walk walked rip; vitro walk walked rip; };\n"
			"for i in 1 2 3 4; do twice & done; wait"));
	EXPECT_EQ(8, count("The guest's tables allow it")) TH_LOG("%s", output);
	sh("again() { while vitro walk walked rip; do :; done >/dev/null 2>&1; };\n"
	   "for i in 1 2 3 4; do again & done; kill %d; wait", guest.pid);
	EXPECT_EQ(16, status_of(guest.pid));
	guest.pid = 0;
}

/* A guest waits when nobody reads what it prints: it can be walked all the same. */
TEST_F_TIMEOUT(walk, nobody_reads, 240)
{
	map_long();
	memcpy(image + sizeof(set_paging), print_for_ever, sizeof(print_for_ever));
	memset(image + TEXT - LOAD, 'R', 4096);
	start();
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, WALK("rip")) TH_LOG("%s", output);
		EXPECT_TRUE(ends_as("ok"));
	}
}

/* A machine of an unprivileged user: root may walk it, and it tells no host address. */
TEST_F_TIMEOUT(walk, unprivileged, 120)
{
	map_long();
	ASSERT_EQ(0, mkdir(USER_DIR, 0700));
	ASSERT_EQ(0, chown(USER_DIR, NOBODY, NOBODY));
	ASSERT_EQ(0, chmod("/dev/vitro", 0666));
	chmod("/tmp", 01777);
	write_file(FILE_NAME, (const char *)image, sizeof(image));
	ASSERT_EQ(0, chmod(FILE_NAME, 0644));
	start_as(NOBODY);
	chmod("/dev/vitro", 0600);
	EXPECT_EQ(0, sh("VITRO_RUN_DIR=" USER_DIR " vitro walk walked --json rip 2>&1"));
	EXPECT_TRUE(ends_as("ok")) TH_LOG("%s", output);
	EXPECT_EQ(5, count("\"withheld\": true"));
	EXPECT_EQ(5, count("\"hpa\": \"0x0\""));
	EXPECT_EQ(0, sh("VITRO_RUN_DIR=" USER_DIR " vitro walk walked rip"));
	EXPECT_EQ(1, count("Host addresses are withheld"));
	/* Elsewhere it is not to be found. */
	EXPECT_EQ(71, WALK("rip"));
	sh("rm -r " USER_DIR);
}

TEST_F_TIMEOUT(walk, bad_arguments, 120)
{
	map_long();
	start();
	EXPECT_EQ(64, sh("vitro walk 2>&1"));
	EXPECT_EQ(64, sh("vitro walk walked eax 2>&1"));
	EXPECT_EQ(1, count("the address is a number"));
	EXPECT_EQ(64, sh("vitro walk walked 0x1000 --write --exec 2>&1"));
	EXPECT_EQ(64, sh("vitro walk walked 0x1000 --json --svg 2>&1"));
	EXPECT_EQ(64, sh("vitro walk walked 0x1000 --vcpu 64 2>&1"));
	EXPECT_EQ(64, sh("vitro walk nobody 0x1000 2>&1"));
	EXPECT_EQ(1, count("no machine 'nobody'"));
	EXPECT_EQ(71, sh("vitro walk walked 0x1000 --vcpu 2 2>&1"));
	EXPECT_EQ(1, count("numbers from 0 to 1")) TH_LOG("%s", output);
	EXPECT_EQ(71, sh("VITRO_RUN_DIR=/nonexistent vitro walk walked 0x1000 2>&1"));
	EXPECT_EQ(1, count("nobody listens")) TH_LOG("%s", output);
}

TEST_HARNESS_MAIN
