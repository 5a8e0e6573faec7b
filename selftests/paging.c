// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Guest memory is the process's memory: it comes when touched, and whatever the
 * process does to it, the guest sees the new content or the access exits, but
 * never a page that is no longer there.
 */
#include "kselftest_harness.h"
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include "vt.h"

GUEST(g_read);
GUEST(g_write);
GUEST(g_copy);
GUEST(g_seen);
GUEST(g_touch);
GUEST(g_call);

#define GPA	0x40000000ULL
#define HUGE	0x200000UL

/* A vCPU at entry, with memory of the given size at GPA, and RBX = GPA. */
static struct vt_cpu *boot_with(const void *entry, void *mem, size_t size)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, entry);

	if (vt_slot(cpu->vm, 1, GPA, size, mem, 0))
		vt_die("VITRO_SET_MEMSLOT failed");
	cpu->gpr[VITRO_RBX] = GPA;
	return cpu;
}

/* Is the page at mem + 4096 * n in memory? */
static bool resident(void *mem, int n)
{
	unsigned char vec;

	if (mincore((char *)mem + 4096 * n, 4096, &vec))
		vt_die("mincore failed");
	return vec & 1;
}

/* Nothing is touched before the guest does, and then no more than it touches. */
TEST(on_demand)
{
	char *mem = vt_pages(64 * 4096);
	struct vt_cpu *cpu;
	int i;

	madvise(mem, 64 * 4096, MADV_NOHUGEPAGE);
	cpu = boot_with(g_touch, mem, 64 * 4096);
	cpu->gpr[VITRO_RBX] = GPA + 8 * 4096;
	cpu->gpr[VITRO_RCX] = 4;
	for (i = 0; i < 64; i++)
		ASSERT_FALSE(resident(mem, i));
	ASSERT_EQ(1, vt_says(cpu));
	for (i = 0; i < 64; i++)
		EXPECT_EQ(i >= 8 && i < 12, resident(mem, i)) TH_LOG("page %d", i);
	EXPECT_EQ(0x70c4, *(uint32_t *)(mem + 8 * 4096));
}

/* Read first, and so mapped to the zero page; a write then gets a page of its own. */
TEST(read_then_write)
{
	uint32_t *mem = vt_pages(4096);
	struct vt_cpu *cpu = boot_with(g_read, mem, 4096);

	ASSERT_EQ(0, vt_says(cpu));
	vt_jump(cpu, g_write);
	cpu->gpr[VITRO_RCX] = 0x1234;
	ASSERT_EQ(1, vt_says(cpu));
	EXPECT_EQ(0x1234, *mem);
	vt_jump(cpu, g_read);
	ASSERT_EQ(0x1234, vt_says(cpu));
}

/* munmap: the access exits as MEMFAULT; with new memory there, the guest goes on. */
TEST(unmapped)
{
	uint32_t *mem = vt_pages(4096);
	struct vt_cpu *cpu = boot_with(g_read, mem, 4096);

	*mem = 1;
	ASSERT_EQ(1, vt_says(cpu));
	munmap(mem, 4096);
	ASSERT_EQ(VITRO_EXIT_MEMFAULT, vt_run(cpu));
	EXPECT_EQ(GPA, cpu->comm->exit.mmio.gpa);
	EXPECT_EQ(VITRO_MMIO_READ, cpu->comm->exit.mmio.flags);
	ASSERT_EQ(VITRO_EXIT_MEMFAULT, vt_run(cpu));
	ASSERT_EQ(mem, mmap(mem, 4096, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	*mem = 2;
	ASSERT_EQ(2, vt_says(cpu));
}

TEST(protected)
{
	uint32_t *mem = vt_pages(4096);
	struct vt_cpu *cpu = boot_with(g_write, mem, 4096);

	cpu->gpr[VITRO_RCX] = 5;
	ASSERT_EQ(1, vt_says(cpu));
	mprotect(mem, 4096, PROT_READ);
	ASSERT_EQ(VITRO_EXIT_MEMFAULT, vt_run(cpu));
	EXPECT_EQ(VITRO_MMIO_WRITE, cpu->comm->exit.mmio.flags);
	vt_jump(cpu, g_read);
	ASSERT_EQ(5, vt_says(cpu));			/* reading is allowed */
	mprotect(mem, 4096, PROT_NONE);
	ASSERT_EQ(VITRO_EXIT_MEMFAULT, vt_run(cpu));
	mprotect(mem, 4096, PROT_READ | PROT_WRITE);
	ASSERT_EQ(5, vt_says(cpu));
}

/* Memory that the process gave back reads as zero. */
TEST(discarded)
{
	uint32_t *mem = vt_pages(4096);
	struct vt_cpu *cpu = boot_with(g_read, mem, 4096);

	*mem = 1;
	ASSERT_EQ(1, vt_says(cpu));
	madvise(mem, 4096, MADV_DONTNEED);
	ASSERT_EQ(0, vt_says(cpu));
	*mem = 3;
	ASSERT_EQ(3, vt_says(cpu));
}

/* Memory that moved is no longer behind the slot. */
TEST(moved)
{
	uint32_t *mem = vt_pages(4096), *to;
	struct vt_cpu *cpu = boot_with(g_read, mem, 4096);

	*mem = 1;
	ASSERT_EQ(1, vt_says(cpu));
	to = mremap(mem, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, vt_pages(4096));
	ASSERT_NE(MAP_FAILED, to);
	ASSERT_EQ(VITRO_EXIT_MEMFAULT, vt_run(cpu));
	ASSERT_EQ(0, vt_slot(cpu->vm, 1, GPA, 4096, to, 0));
	ASSERT_EQ(1, vt_says(cpu));
}

/*
 * fork shares all pages until one side writes.  The guest belongs to the parent:
 * it sees the parent's writes, which go to a new page, and its own are not the
 * child's.
 */
TEST(fork_copies_on_write)
{
	uint32_t *mem = vt_pages(2 * 4096);
	struct vt_cpu *cpu = boot_with(g_read, mem, 2 * 4096);
	int status, go[2];
	pid_t child;
	char c;

	mem[0] = 1;
	mem[1024] = 1;
	ASSERT_EQ(1, vt_says(cpu));
	vt_jump(cpu, g_write);				/* writable mappings of both pages */
	cpu->gpr[VITRO_RCX] = 2;
	ASSERT_EQ(1, vt_says(cpu));
	cpu->gpr[VITRO_RBX] = GPA + 4096;
	ASSERT_EQ(1, vt_says(cpu));

	ASSERT_EQ(0, pipe(go));
	child = fork();
	if (!child) {
		close(go[1]);
		if (read(go[0], &c, 1) < 0)
			_exit(2);
		_exit(mem[0] == 2 && mem[1024] == 2 ? 0 : 1);
	}
	mem[0] = 3;					/* the process writes one page, */
	cpu->gpr[VITRO_RCX] = 4;
	cpu->comm->dirty |= VITRO_STATE_GPRS;
	ASSERT_EQ(1, vt_says(cpu));			/* the guest the other */
	EXPECT_EQ(4, mem[1024]);
	vt_jump(cpu, g_read);
	ASSERT_EQ(4, vt_says(cpu));
	cpu->gpr[VITRO_RBX] = GPA;
	ASSERT_EQ(3, vt_says(cpu));

	close(go[1]);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);				/* the child has what it was */
}

/* Shared memory is shared with the guest, and a hole punched in it is zero. */
TEST(shared)
{
	int fd = memfd_create("guest", 0);
	uint32_t *mem, *other;
	struct vt_cpu *cpu;

	ASSERT_EQ(0, ftruncate(fd, 4096));
	mem = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	other = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	cpu = boot_with(g_write, mem, 4096);
	cpu->gpr[VITRO_RCX] = 7;
	ASSERT_EQ(1, vt_says(cpu));
	EXPECT_EQ(7, *other);
	*other = 8;
	vt_jump(cpu, g_read);
	ASSERT_EQ(8, vt_says(cpu));
	ASSERT_EQ(0, fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096));
	ASSERT_EQ(0, vt_says(cpu));
	ASSERT_EQ(0, ftruncate(fd, 0));			/* beyond the end: SIGBUS for us, */
	ASSERT_EQ(VITRO_EXIT_MEMFAULT, vt_run(cpu));	/* and this for the guest */
}

/* A private file mapping: the guest's writes stay in the process. */
TEST(private_file)
{
	int fd = memfd_create("image", 0);
	uint32_t value = 0xf11e, *mem;
	struct vt_cpu *cpu;

	ASSERT_EQ(0, ftruncate(fd, 4096));
	ASSERT_EQ(4, pwrite(fd, &value, 4, 0));
	mem = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	cpu = boot_with(g_read, mem, 4096);
	ASSERT_EQ(0xf11e, vt_says(cpu));
	vt_jump(cpu, g_write);
	cpu->gpr[VITRO_RCX] = 0x0e0e;
	ASSERT_EQ(1, vt_says(cpu));
	EXPECT_EQ(0x0e0e, *mem);
	ASSERT_EQ(4, pread(fd, &value, 4, 0));
	EXPECT_EQ(0xf11e, value);
}

/* The second-level mapping of a huge page is split when a part of it goes. */
TEST(part_of_a_huge_page)
{
	char *mem = vt_pages(2 * HUGE);
	struct vt_cpu *cpu;

	mem = (char *)(((uintptr_t)mem + HUGE - 1) & ~(HUGE - 1));
	madvise(mem, HUGE, MADV_HUGEPAGE);
	*(uint32_t *)mem = 1;
	*(uint32_t *)(mem + 0x5000) = 2;
	*(uint32_t *)(mem + HUGE - 4096) = 3;
	cpu = boot_with(g_read, mem, HUGE);
	ASSERT_EQ(1, vt_says(cpu));
	munmap(mem + 0x5000, 4096);
	ASSERT_EQ(1, vt_says(cpu));
	cpu->gpr[VITRO_RBX] = GPA + HUGE - 4096;
	ASSERT_EQ(3, vt_says(cpu));
	cpu->gpr[VITRO_RBX] = GPA + 0x5000;
	cpu->comm->dirty |= VITRO_STATE_GPRS;
	ASSERT_EQ(VITRO_EXIT_MEMFAULT, vt_run(cpu));
}

/* Code comes from memory, too: replaced code is what runs. */
TEST(code_replaced)
{
	/* mov $n, %eax; ret */
	static const unsigned char one[] = { 0xb8, 1, 0, 0, 0, 0xc3 };
	static const unsigned char two[] = { 0xb8, 2, 0, 0, 0, 0xc3 };
	unsigned char *mem = vt_pages(4096);
	struct vt_cpu *cpu = boot_with(g_call, mem, 4096);

	memcpy(mem, one, sizeof(one));
	ASSERT_EQ(1, vt_says(cpu));
	madvise(mem, 4096, MADV_DONTNEED);
	memcpy(mem, two, sizeof(two));
	ASSERT_EQ(2, vt_says(cpu));
}

/*
 * Under a running vCPU that never exits by itself: each time its page is taken
 * and another put there, it must see that one.  A stale translation would show
 * as the old value for ever, and run into the harness' timeout.
 */
TEST(discarded_under_a_running_vcpu)
{
	struct sigaction act = { .sa_handler = vt_interrupt };
	uint32_t *mem = vt_pages(4096);
	struct vt_cpu *cpu = boot_with(g_copy, mem, 4096);
	volatile uint64_t *seen = vt_ptr(cpu->vm, g_seen);
	pthread_t thread;
	unsigned int i;

	sigaction(SIGUSR1, &act, NULL);
	ASSERT_EQ(0, pthread_create(&thread, NULL, vt_runner, cpu));
	for (i = 1; i < 500; i++) {
		madvise(mem, 4096, MADV_DONTNEED);
		*(volatile uint32_t *)mem = i;
		while (*seen != i)
			sched_yield();
	}
	pthread_kill(thread, SIGUSR1);
	pthread_join(thread, NULL);
	EXPECT_EQ(VITRO_EXIT_INTR, cpu->comm->exit.reason);
}

/* The same with munmap: it ends with a MEMFAULT, not with the old page. */
TEST(unmapped_under_a_running_vcpu)
{
	uint32_t *mem = vt_pages(4096);
	struct vt_cpu *cpu = boot_with(g_copy, mem, 4096);
	volatile uint64_t *seen = vt_ptr(cpu->vm, g_seen);
	pthread_t thread;

	*mem = 1;
	ASSERT_EQ(0, pthread_create(&thread, NULL, vt_runner, cpu));
	while (*seen != 1)
		sched_yield();
	munmap(mem, 4096);
	pthread_join(thread, NULL);
	EXPECT_EQ(VITRO_EXIT_MEMFAULT, cpu->comm->exit.reason);
	EXPECT_EQ(GPA, cpu->comm->exit.mmio.gpa);
}

/*
 * While the host takes many pages away, one after the other, those that it has not
 * got to yet can still be had; but not for the guest, which would keep them.
 */
TEST(discarded_among_many)
{
	const size_t size = 1024 * 4096;
	char *mem = vt_pages(size);
	volatile uint32_t *last = (uint32_t *)(mem + size - 4096);
	struct sigaction act = { .sa_handler = vt_interrupt };
	struct vt_cpu *cpu = boot_with(g_copy, mem, size);
	volatile uint64_t *seen = vt_ptr(cpu->vm, g_seen);
	pthread_t thread;
	unsigned int i;

	sigaction(SIGUSR1, &act, NULL);
	madvise(mem, size, MADV_NOHUGEPAGE);
	cpu->gpr[VITRO_RBX] = GPA + size - 4096;
	ASSERT_EQ(0, pthread_create(&thread, NULL, vt_runner, cpu));
	for (i = 1; i < 10; i++) {
		memset(mem, i, size);
		while (*seen != i * 0x01010101)
			sched_yield();
		madvise(mem, size, MADV_DONTNEED);
		*last = i;
		while (*seen != i)
			sched_yield();
	}
	pthread_kill(thread, SIGUSR1);
	pthread_join(thread, NULL);
}

static uint64_t counter(struct vt_vm *vm, int which)
{
	struct vitro_stats stats = {};

	if (vt_ioctl(vm->fd, VITRO_STATS, &stats))
		vt_die("VITRO_STATS failed");
	return stats.counter[which];
}

/* A vCPU enters the guest with no translation of a page taken away meanwhile. */
TEST(flushed_at_entry)
{
	struct vt_cpu *cpu = boot_with(g_read, vt_pages(4096), 4096);
	uint64_t before;

	ASSERT_EQ(0, vt_says(cpu));
	before = counter(cpu->vm, VITRO_STAT_TLB_FLUSH);
	ASSERT_EQ(0, vt_slot(cpu->vm, 1, 0, 0, NULL, 0));
	ASSERT_EQ(VITRO_EXIT_MMIO, vt_run(cpu));
	/* Counted, as an emulated CPU may flush without being asked. */
	EXPECT_LT(before, counter(cpu->vm, VITRO_STAT_TLB_FLUSH));
}

static void write_file(const char *path, const char *what)
{
	FILE *f = fopen(path, "w");

	if (f) {
		fputs(what, f);
		fclose(f);
	}
}

/* The frame behind a page of this process, by /proc/pid/pagemap; 0 for none. */
static uint64_t frame(const void *mem)
{
	uint64_t entry = 0;
	int fd = open("/proc/self/pagemap", O_RDONLY);

	if (pread(fd, &entry, 8, (uintptr_t)mem / 4096 * 8) != 8)
		entry = 0;
	close(fd);
	return entry & ((1ULL << 55) - 1);
}

/*
 * The kernel merges two equal pages (KSM) that the guest has written: it must go on
 * reading the shared one, and its next write must not show in the other.
 */
TEST(merged)
{
	uint32_t *mem = vt_pages(2 * 4096);
	struct vt_cpu *cpu = boot_with(g_touch, mem, 2 * 4096);
	int tries;

	madvise(mem, 2 * 4096, MADV_NOHUGEPAGE);
	cpu->gpr[VITRO_RCX] = 2;
	ASSERT_EQ(1, vt_says(cpu));
	if (madvise(mem, 2 * 4096, MADV_MERGEABLE))
		SKIP(return, "the machine's kernel has no KSM");
	write_file("/sys/kernel/mm/ksm/sleep_millisecs", "1");
	write_file("/sys/kernel/mm/ksm/run", "1");
	for (tries = 0; tries < 1000 && frame(mem) != frame(mem + 1024); tries++)
		vt_sleep_ms(10);
	write_file("/sys/kernel/mm/ksm/run", "0");
	ASSERT_NE(0, frame(mem));
	ASSERT_EQ(frame(mem), frame(mem + 1024));

	vt_jump(cpu, g_read);
	cpu->gpr[VITRO_RBX] = GPA;
	ASSERT_EQ(0x70c4, vt_says(cpu));
	vt_jump(cpu, g_write);
	cpu->gpr[VITRO_RCX] = 5;
	ASSERT_EQ(1, vt_says(cpu));
	EXPECT_EQ(5, mem[0]);
	EXPECT_EQ(0x70c4, mem[1024]);
	vt_jump(cpu, g_read);
	cpu->gpr[VITRO_RBX] = GPA + 4096;
	EXPECT_EQ(0x70c4, vt_says(cpu));
}

/* Has the process a huge page at @mem?  What the kernel counts there says so. */
static bool is_huge(const char *mem)
{
	unsigned long start, end, kb = 0;
	char line[256];
	bool here = false;
	FILE *f = fopen("/proc/self/smaps", "r");

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			here = start <= (uintptr_t)mem && (uintptr_t)mem < end;
		else if (here && sscanf(line, "AnonHugePages: %lu", &kb) == 1)
			break;
	}
	if (f)
		fclose(f);
	return kb >= HUGE / 1024;
}

/* A fault maps the pages that the process has behind it, too: 16 at a time. */
TEST(neighbours_at_once)
{
	const size_t pages = 64;
	char *mem = vt_pages(pages * 4096);
	struct vt_cpu *cpu;
	uint64_t before;

	madvise(mem, pages * 4096, MADV_NOHUGEPAGE);
	cpu = boot_with(g_touch, mem, pages * 4096);
	cpu->gpr[VITRO_RCX] = pages;
	memset(mem, 0, pages * 4096);
	before = counter(cpu->vm, VITRO_STAT_EXIT_TDP);
	ASSERT_EQ(1, vt_says(cpu));
	/* Those of the guest's own code and tables count as well. */
	EXPECT_GT(pages / 2, counter(cpu->vm, VITRO_STAT_EXIT_TDP) - before);
}

/* A huge page is mapped as a whole, by the first access to it. */
TEST(huge_page_at_once)
{
	char *mem = vt_pages(2 * HUGE);
	struct vt_cpu *cpu;
	uint64_t before, faults;

	mem = (char *)(((uintptr_t)mem + HUGE - 1) & ~(HUGE - 1));
	madvise(mem, HUGE, MADV_HUGEPAGE);
	cpu = boot_with(g_touch, mem, HUGE);
	cpu->gpr[VITRO_RCX] = HUGE / 4096;
	memset(mem, 0, HUGE);
	if (!is_huge(mem))
		SKIP(return, "the machine's kernel has no huge page to give");
	before = counter(cpu->vm, VITRO_STAT_PAGES_MAPPED);
	faults = counter(cpu->vm, VITRO_STAT_EXIT_TDP);
	ASSERT_EQ(1, vt_says(cpu));
	/*
	 * The guest's own code, stack and tables were mapped, too, and what is around them.  Small
	 * pages, of which a fault maps 16, would take 32 faults.
	 */
	EXPECT_GT(256, counter(cpu->vm, VITRO_STAT_PAGES_MAPPED) - before);
	EXPECT_GT(32, counter(cpu->vm, VITRO_STAT_EXIT_TDP) - faults);
}

/* ... but not if its addresses do not lie alike: each small page is where it should be. */
TEST(huge_page_off_by_one)
{
	char *mem = vt_pages(3 * HUGE);
	struct vt_cpu *cpu;

	mem = (char *)(((uintptr_t)mem + HUGE - 1) & ~(HUGE - 1));
	madvise(mem, 2 * HUGE, MADV_HUGEPAGE);
	*(uint32_t *)mem = 1;
	*(uint32_t *)(mem + 4096) = 2;
	*(uint32_t *)(mem + HUGE) = 3;
	/* The slot begins one page later in the process than in the guest. */
	cpu = boot_with(g_read, mem + 4096, 2 * HUGE - 4096);
	ASSERT_EQ(2, vt_says(cpu));
	cpu->gpr[VITRO_RBX] = GPA + HUGE - 4096;
	ASSERT_EQ(3, vt_says(cpu));
}

TEST_HARNESS_MAIN
