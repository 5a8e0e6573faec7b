// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * VITRO_TDP_WALK: it says what the second-level tables say, changes nothing, tells who may
 * not know it no host address, and does not mind what becomes of the tables meanwhile.
 */
#include "kselftest_harness.h"
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include "vt.h"

GUEST(g_read);
GUEST(g_write);
GUEST(g_call);

#define GPA	0x40000000ULL
#define HUGE	0x200000UL
#define WRITABLE (1ULL << 1)		/* NPT's R/W and EPT's write access: the same bit */
#define LARGE	(1ULL << 7)		/* PS, for both */
#define EPT_X	(1ULL << 2)		/* execute access */
#define RET	0xc3			/* the instruction */
#define ADDRESS	0x000ffffffffff000ULL

/* What makes an entry present: NPT's P; any of EPT's R, W, X. */
static uint64_t present(const struct vt_cpu *cpu)
{
	return cpu->vm->info.vendor == VITRO_VENDOR_SVM ? 1 : 7;
}

static struct vitro_tdp_walk walk(struct vt_cpu *cpu, uint64_t gpa)
{
	struct vitro_tdp_walk w = { .gpa = gpa };
	int err = vt_ioctl(cpu->vm->fd, VITRO_TDP_WALK, &w);

	if (err)
		vt_die("VITRO_TDP_WALK of 0x%llx: %d", (unsigned long long)gpa, err);
	return w;
}

/* The host's physical address of something in this process; 0: the kernel does not tell. */
static uint64_t host_address(const void *p)
{
	int fd = open("/proc/self/pagemap", O_RDONLY);
	uint64_t entry = 0;

	if (fd >= 0 && pread(fd, &entry, 8, (uintptr_t)p / 4096 * 8) != 8)
		entry = 0;
	close(fd);
	return (entry & ((1ULL << 55) - 1)) * 4096 + (uintptr_t)p % 4096;
}

/* A vCPU that reads at GPA, where @mem is. */
static struct vt_cpu *boot_with(void *mem, size_t size)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_read);

	madvise(mem, size, MADV_NOHUGEPAGE);
	if (vt_slot(cpu->vm, 1, GPA, size, mem, 0))
		vt_die("VITRO_SET_MEMSLOT failed");
	cpu->gpr[VITRO_RBX] = GPA;
	return cpu;
}

/* All but the last entry lead on; the last does not. */
static void check_whole(struct __test_metadata *_metadata, const struct vt_cpu *cpu,
			const struct vitro_tdp_walk *w)
{
	uint32_t i;

	ASSERT_LE(1, w->nr);
	ASSERT_LE(w->nr, w->levels);
	EXPECT_TRUE(w->levels == 4 || w->levels == 5);
	EXPECT_EQ(cpu->vm->info.vendor, w->vendor);
	for (i = 0; i + 1 < w->nr; i++) {
		EXPECT_TRUE(w->entry[i] & present(cpu));
		EXPECT_FALSE(w->entry[i] & LARGE);
	}
	for (i = w->nr; i < VITRO_TDP_LEVELS; i++)
		EXPECT_EQ(0, w->entry[i]);
	EXPECT_EQ(!!(w->entry[w->nr - 1] & present(cpu)), !!w->page_size);
}

/* Looking is not touching: the page comes by the guest's access, not by the walk. */
TEST(not_touched)
{
	char *mem = vt_pages(4096);
	struct vt_cpu *cpu = boot_with(mem, 4096);
	struct vitro_tdp_walk w = walk(cpu, GPA);

	check_whole(_metadata, cpu, &w);
	EXPECT_EQ(0, w.page_size);
	EXPECT_EQ(0, w.hpa);
	ASSERT_EQ(0, vt_says(cpu));
	w = walk(cpu, GPA);
	check_whole(_metadata, cpu, &w);
	EXPECT_EQ(4096, w.page_size);
	EXPECT_EQ(w.levels, w.nr);
}

/* What it says of the host's memory is what the host says. */
TEST(host_physical)
{
	char *mem = vt_pages(4 * 4096);
	struct vt_cpu *cpu = boot_with(mem, 4 * 4096);
	struct vitro_tdp_walk w;
	int i;

	memset(mem, 1, 4 * 4096);
	if (!host_address(mem))
		SKIP(return, "this kernel has no /proc/self/pagemap");
	for (i = 0; i < 4; i++) {
		cpu->gpr[VITRO_RBX] = GPA + 4096 * i;
		cpu->comm->dirty |= VITRO_STATE_GPRS;
		ASSERT_EQ(0x01010101, vt_says(cpu));
		w = walk(cpu, GPA + 4096 * i + 0x123);
		check_whole(_metadata, cpu, &w);
		EXPECT_EQ(0, w.withheld);
		EXPECT_EQ(host_address(mem + 4096 * i + 0x123), w.hpa);
		EXPECT_EQ(w.hpa & ~0xfffULL, w.entry[w.nr - 1] & ADDRESS);
		EXPECT_NE(0, w.root);
		EXPECT_EQ(0, w.root & 0xfff);
	}
}

/* Pages of one table have the tables above in common, and two VMs have nothing. */
TEST(shared_tables)
{
	char *mem = vt_pages(2 * 4096);
	struct vt_cpu *cpu = boot_with(mem, 2 * 4096), *other;
	struct vitro_tdp_walk a, b;

	*(volatile char *)mem = mem[4096] = 1;
	ASSERT_EQ(1, vt_says(cpu));
	cpu->gpr[VITRO_RBX] = GPA + 4096;
	cpu->comm->dirty |= VITRO_STATE_GPRS;
	ASSERT_EQ(1, vt_says(cpu));
	a = walk(cpu, GPA);
	b = walk(cpu, GPA + 4096);
	ASSERT_EQ(a.nr, b.nr);
	EXPECT_EQ(0, memcmp(a.entry, b.entry, 8 * (a.nr - 1)));
	EXPECT_NE(a.entry[a.nr - 1], b.entry[b.nr - 1]);
	EXPECT_EQ(a.root, b.root);

	other = boot_with(mem, 2 * 4096);
	ASSERT_EQ(1, vt_says(other));
	b = walk(other, GPA);
	EXPECT_NE(a.root, b.root);
	EXPECT_NE(a.entry[0], b.entry[0]);
	EXPECT_EQ(a.hpa, b.hpa);		/* but the page: it is the same memory */
}

/* Read first, it is the zero page, which nobody may write; then it is the guest's own. */
TEST(rights)
{
	char *mem = vt_pages(4096);
	struct vt_cpu *cpu = boot_with(mem, 4096);
	struct vitro_tdp_walk w;

	ASSERT_EQ(0, vt_says(cpu));
	w = walk(cpu, GPA);
	EXPECT_FALSE(w.entry[w.nr - 1] & WRITABLE);
	cpu->gpr[VITRO_RCX] = 1;
	vt_jump(cpu, g_write);
	ASSERT_EQ(1, vt_says(cpu));
	w = walk(cpu, GPA);
	EXPECT_TRUE(w.entry[w.nr - 1] & WRITABLE);
	/* Tables allow everything. */
	EXPECT_TRUE(w.entry[0] & WRITABLE);
}

/* Memory that the process gave back is not mapped any more. */
TEST(taken_away)
{
	char *mem = vt_pages(4096);
	struct vt_cpu *cpu = boot_with(mem, 4096);

	*mem = 1;
	ASSERT_EQ(1, vt_says(cpu));
	EXPECT_EQ(4096, walk(cpu, GPA).page_size);
	madvise(mem, 4096, MADV_DONTNEED);
	EXPECT_EQ(0, walk(cpu, GPA).page_size);
	ASSERT_EQ(0, vt_says(cpu));
	EXPECT_EQ(4096, walk(cpu, GPA).page_size);
	ASSERT_EQ(0, vt_slot(cpu->vm, 1, 0, 0, NULL, 0));
	EXPECT_EQ(0, walk(cpu, GPA).page_size);
}

/* One entry, a level higher, for all of a huge page; the offset goes with it. */
TEST(huge_page)
{
	char *mem = vt_pages(2 * HUGE);
	struct vitro_tdp_walk w;
	struct vt_cpu *cpu;

	mem = (char *)(((uintptr_t)mem + HUGE - 1) & ~(HUGE - 1));
	cpu = boot_with(mem, HUGE);
	madvise(mem, HUGE, MADV_HUGEPAGE);
	memset(mem, 1, HUGE);
	ASSERT_EQ(0x01010101, vt_says(cpu));
	w = walk(cpu, GPA + 0x12345);
	/* SKIP forgives what was wrong before, so this one ends the test. */
	ASSERT_FALSE(w.nr == w.levels && w.entry[w.nr - 2] & LARGE);
	check_whole(_metadata, cpu, &w);
	if (w.page_size == 4096)
		SKIP(return, "the machine's kernel has no huge page to give");
	EXPECT_EQ(HUGE, w.page_size);
	EXPECT_EQ(w.levels - 1, w.nr);
	EXPECT_TRUE(w.entry[w.nr - 1] & LARGE);
	EXPECT_EQ(0x12345, w.hpa % HUGE);
	if (host_address(mem))
		EXPECT_EQ(host_address(mem + 0x12345), w.hpa);
}

/* Does a line of the file that begins with @begin have @word in it? */
static bool line_has(const char *file, const char *begin, const char *word)
{
	FILE *f = fopen(file, "r");
	char line[4096];
	bool has = false;

	while (f && !has && fgets(line, sizeof(line), f))
		has = !strncmp(line, begin, strlen(begin)) && strstr(line, word);
	if (f)
		fclose(f);
	return has;
}

/*
 * A guest reads in a huge page, then executes there.  Where that could stop the CPU (ITLB
 * multihit), it cannot, and gets a small page; unless the kernel has no mitigations, which
 * it does not tell.
 */
TEST(huge_page_executed)
{
	char *mem = vt_pages(2 * HUGE);
	struct vitro_tdp_walk w;
	struct vt_cpu *cpu;
	bool executable, has_bug;

	mem = (char *)(((uintptr_t)mem + HUGE - 1) & ~(HUGE - 1));
	cpu = boot_with(mem, HUGE);
	madvise(mem, HUGE, MADV_HUGEPAGE);
	memset(mem, RET, HUGE);
	ASSERT_EQ(RET * 0x01010101U, vt_says(cpu));
	w = walk(cpu, GPA);
	if (w.page_size == 4096)
		SKIP(return, "the machine's kernel has no huge page to give");
	executable = cpu->vm->info.vendor == VITRO_VENDOR_SVM || (w.entry[w.nr - 1] & EPT_X);
	has_bug = line_has("/proc/cpuinfo", "bugs", " itlb_multihit");
	ASSERT_TRUE(executable || has_bug);
	ASSERT_FALSE(executable && has_bug && line_has("/proc/cmdline", "", "mitigations=auto"));

	cpu->gpr[VITRO_RBX] = GPA + 0x5000;
	vt_jump(cpu, g_call);
	ASSERT_EQ(1, vt_says(cpu));
	w = walk(cpu, GPA + 0x5000);
	if (executable) {
		EXPECT_EQ(HUGE, w.page_size);
		return;
	}
	EXPECT_EQ(4096, w.page_size);
	EXPECT_TRUE(w.entry[w.nr - 1] & EPT_X);
	/* What is read beside it does not bring the huge page back. */
	cpu->gpr[VITRO_RBX] = GPA;
	vt_jump(cpu, g_read);
	ASSERT_EQ(RET * 0x01010101U, vt_says(cpu));
	EXPECT_EQ(4096, walk(cpu, GPA).page_size);
	EXPECT_EQ(4096, walk(cpu, GPA + 0x5000).page_size);
}

/* No slot, up to the last address that a guest can have: nothing there, and no error. */
TEST(no_memory)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_read);
	uint64_t end = 1ULL << cpu->vm->info.gpa_bits;
	struct vitro_tdp_walk w = walk(cpu, end - 1);

	check_whole(_metadata, cpu, &w);
	EXPECT_EQ(0, w.page_size);
	w = walk(cpu, GPA);
	check_whole(_metadata, cpu, &w);
	EXPECT_EQ(0, w.page_size);
}

/* ------------------------------------------------------------- those who mean no good */

TEST(bad_arguments)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_read);
	uint64_t end = 1ULL << cpu->vm->info.gpa_bits;
	struct vitro_tdp_walk w = { .gpa = end };

	EXPECT_EQ(-EINVAL, vt_ioctl(cpu->vm->fd, VITRO_TDP_WALK, &w));
	w.gpa = ~0ULL;
	EXPECT_EQ(-EINVAL, vt_ioctl(cpu->vm->fd, VITRO_TDP_WALK, &w));
	w = (struct vitro_tdp_walk){ .flags = 1 };
	EXPECT_EQ(-EINVAL, vt_ioctl(cpu->vm->fd, VITRO_TDP_WALK, &w));
	w = (struct vitro_tdp_walk){ .pad = 1 };
	EXPECT_EQ(-EINVAL, vt_ioctl(cpu->vm->fd, VITRO_TDP_WALK, &w));
}

/* What the caller has in the fields that are answers does not matter. */
TEST(answers_are_not_read)
{
	struct vt_cpu *cpu = boot_with(vt_pages(4096), 4096);
	struct vitro_tdp_walk w, bad;

	ASSERT_EQ(0, vt_says(cpu));
	memset(&bad, 0xff, sizeof(bad));
	bad.gpa = GPA;
	bad.flags = 0;
	bad.pad = 0;
	ASSERT_EQ(0, vt_ioctl(cpu->vm->fd, VITRO_TDP_WALK, &bad));
	w = walk(cpu, GPA);
	EXPECT_EQ(0, memcmp(&w, &bad, sizeof(w)));
}

/* Without the capability: all but addresses of the host's. */
TEST(unprivileged)
{
	struct vt_cpu *cpu = boot_with(vt_pages(4096), 4096);
	struct vitro_tdp_walk all, w;
	unsigned int i;

	ASSERT_EQ(0, vt_says(cpu));
	all = walk(cpu, GPA);
	ASSERT_NE(0, all.hpa);
	ASSERT_EQ(0, setuid(65534));
	w = walk(cpu, GPA);
	EXPECT_EQ(1, w.withheld);
	EXPECT_EQ(0, w.hpa);
	EXPECT_EQ(0, w.root);
	EXPECT_EQ(all.page_size, w.page_size);
	ASSERT_EQ(all.nr, w.nr);
	for (i = 0; i < w.nr; i++)
		EXPECT_EQ(all.entry[i] & ~ADDRESS, w.entry[i]);
}

TEST(another_process)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_read);
	struct vitro_tdp_walk w = { .gpa = GPA };
	int status;
	pid_t child = fork();

	if (!child)
		_exit(vt_ioctl(cpu->vm->fd, VITRO_TDP_WALK, &w) == -EIO ? 0 : 1);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
}

/* Threads look while the host takes away what the guest brings back. */
#define LOOKERS	2
#define ROUNDS	100

struct looker {
	struct vt_cpu *cpu;
	volatile bool *stop;
	unsigned long seen, absent, wrong;
};

static void *look(void *arg)
{
	struct looker *l = arg;

	while (!*l->stop) {
		struct vitro_tdp_walk w = { .gpa = GPA + 0x10 };

		if (vt_ioctl(l->cpu->vm->fd, VITRO_TDP_WALK, &w) || w.nr < 1 || w.nr > w.levels ||
		    (w.page_size && (w.nr != w.levels || (w.hpa & 0xfff) != 0x10)))
			l->wrong++;
		if (w.page_size)
			l->seen++;
		else
			l->absent++;
	}
	return NULL;
}

FIXTURE(crowd) {
};

FIXTURE_SETUP(crowd)
{
}

FIXTURE_TEARDOWN(crowd)
{
}

TEST_F(crowd, while_it_changes)
{
	size_t size = HUGE;		/* a whole table: it goes with its pages */
	char *mem = vt_pages(2 * size);
	struct looker looker[LOOKERS];
	volatile bool stop = false;
	pthread_t thread[LOOKERS];
	unsigned long seen = 0, absent = 0;
	struct vt_cpu *cpu;
	int i;

	mem = (char *)(((uintptr_t)mem + HUGE - 1) & ~(HUGE - 1));
	cpu = boot_with(mem, size);
	for (i = 0; i < LOOKERS; i++) {
		looker[i] = (struct looker){ .cpu = cpu, .stop = &stop };
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, look, &looker[i]));
	}
	for (i = 0; i < ROUNDS; i++) {
		*mem = i;
		ASSERT_EQ(i & 0xff, vt_says(cpu) & 0xff);
		madvise(mem, size, MADV_DONTNEED);
	}
	stop = true;
	for (i = 0; i < LOOKERS; i++) {
		pthread_join(thread[i], NULL);
		EXPECT_EQ(0, looker[i].wrong);
		seen += looker[i].seen;
		absent += looker[i].absent;
	}
	TH_LOG("%lu walks found the page, %lu did not", seen, absent);
}

TEST_HARNESS_MAIN
