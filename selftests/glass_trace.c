// SPDX-License-Identifier: GPL-2.0-or-later
/* The tracepoints vitro:*: they are there, they fire, and what they print is true. */
#include "kselftest_harness.h"
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include "vendor.h"

GUEST(g_traced);
GUEST(g_traced_out);
GUEST(g_call);

#define TRACEFS	"/sys/kernel/tracing"

/* Writes a word to a file of tracefs; returns 0 or -errno. */
static int put(const char *file, const char *word)
{
	char path[128];
	int fd, err = 0;

	snprintf(path, sizeof(path), TRACEFS "/%s", file);
	fd = open(path, O_WRONLY | O_TRUNC);
	if (fd < 0 || write(fd, word, strlen(word)) < 0)
		err = -errno;
	if (fd >= 0)
		close(fd);
	return err;
}

static char *trace(void)
{
	static char text[1 << 20];
	size_t n = 0;
	ssize_t r;
	int fd = open(TRACEFS "/trace", O_RDONLY);

	while (fd >= 0 && n < sizeof(text) - 1 &&
	       (r = read(fd, text + n, sizeof(text) - 1 - n)) > 0)
		n += r;
	text[n] = '\0';
	if (fd >= 0)
		close(fd);
	return text;
}

/* Lines of the trace with both words. */
static unsigned int lines(const char *text, const char *a, const char *b)
{
	unsigned int n = 0;
	char line[512];

	while (*text) {
		size_t len = strcspn(text, "\n");

		snprintf(line, sizeof(line), "%.*s", (int)len, text);
		n += strstr(line, a) && strstr(line, b);
		text += len + (text[len] == '\n');
	}
	return n;
}

FIXTURE(tracefs) {
	int unused;
};

FIXTURE_SETUP(tracefs)
{
	struct stat st;

	if (stat(TRACEFS "/events", &st) && mount("tracefs", TRACEFS, "tracefs", 0, NULL))
		SKIP(return, "this kernel has no tracefs");
	if (stat(TRACEFS "/events/vitro", &st)) {
		ASSERT_EQ(-1, stat(TRACEFS "/events/sched", &st)) TH_LOG("no events/vitro");
		SKIP(return, "this kernel has no tracepoints");
	}
	put("events/vitro/enable", "0");
	put("trace", "");
	put("tracing_on", "1");
	ASSERT_EQ(0, put("events/vitro/enable", "1"));
}

FIXTURE_TEARDOWN(tracefs)
{
	put("events/vitro/enable", "0");
	put("trace", "");
}

TEST_F(tracefs, what_a_guest_does)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_traced);
	unsigned int exits, entries;
	struct vitro_stats stats = { .vcpu = 0 };
	char want[256];
	char *text;

	ASSERT_EQ(VITRO_EXIT_IO, vt_run(cpu));
	vt_finish(cpu);
	ASSERT_EQ(1, vt_msi(cpu->vm, VT_MSI, 0x41));
	ASSERT_EQ(0x41, vt_trap(cpu));
	ASSERT_EQ(0, put("events/vitro/enable", "0"));
	ASSERT_EQ(0, vt_ioctl(cpu->vm->fd, VITRO_STATS, &stats));
	text = trace();

	entries = lines(text, "vitro_entry:", "vcpu 0");
	exits = lines(text, "vitro_exit:", "vcpu 0");
	EXPECT_EQ(stats.counter[VITRO_STAT_EXITS], exits);
	EXPECT_EQ(exits, entries);
	snprintf(want, sizeof(want), "reason io (0x%llx) rip 0x%lx ",
		 (unsigned long long)vendor_raw_io(cpu->vm), (unsigned long)g_traced_out);
	EXPECT_EQ(1, lines(text, "vitro_exit:", want)) TH_LOG("%s in:\n%s", want, text);
	EXPECT_EQ(3, lines(text, "vitro_exit:", "reason cpuid "));
	/* Again, if a page fault interrupted its delivery. */
	EXPECT_LE(1, lines(text, "vitro_inject:", "interrupt vector 65"));
	EXPECT_EQ(1, lines(text, "vitro_msi:", "address 0xfee00000 data 0x41 vec 65"));
	EXPECT_EQ(1, lines(text, "vitro_memslot:", "slot 0 flags 0x0 gpa 0x0 size 0x200000 "));
	EXPECT_LE(1, lines(text, "vitro_page_fault:", "read")) TH_LOG("%s", text);
}

TEST_F(tracefs, hypercall)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_call);

	vendor_hypercall(cpu->vm, g_call);
	cpu->gpr[VITRO_RAX] = 0x77;
	cpu->gpr[VITRO_RBX] = 0x1234;
	cpu->comm->dirty |= VITRO_STATE_GPRS;
	ASSERT_EQ(VITRO_EXIT_HYPERCALL, vt_run(cpu));
	EXPECT_EQ(1, lines(trace(), "vitro_hypercall:", "nr 0x77 a0 0x1234 "));
}

/* Off, they say nothing. */
TEST_F(tracefs, off)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_traced);

	ASSERT_EQ(0, put("events/vitro/enable", "0"));
	ASSERT_EQ(0, put("trace", ""));
	ASSERT_EQ(VITRO_EXIT_IO, vt_run(cpu));
	EXPECT_EQ(0, lines(trace(), "vitro_", ""));
}

TEST_HARNESS_MAIN
