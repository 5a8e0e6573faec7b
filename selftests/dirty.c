// SPDX-License-Identifier: GPL-2.0-or-later
/* The dirty log: exactly the pages that the guest wrote, each reported once. */
#include "kselftest_harness.h"
#include <pthread.h>
#include "vt.h"

GUEST(g_write_pages);
GUEST(g_read_pages);
GUEST(g_write_range);
GUEST(g_write_on);

#define GPA	0x40000000ULL
#define PAGES	200

static int dirty_log(struct vt_vm *vm, uint32_t slot, uint64_t first, uint64_t nr,
		     uint64_t *bitmap)
{
	struct vitro_dirty_log req = {
		.slot = slot, .first = first, .nr = nr, .bitmap = (uintptr_t)bitmap,
	};

	return vt_ioctl(vm->fd, VITRO_DIRTY_LOG, &req);
}

/* Runs a snippet of guest/dirty.S on a list of pages that ends with -1. */
static uint64_t on_pages(struct vt_cpu *cpu, const void *entry, const int *pages)
{
	int i = 0;

	do
		((int *)(cpu->vm->mem + FREE_MEM))[i] = pages[i];
	while (pages[i++] >= 0);
	cpu->gpr[VITRO_RBX] = GPA;
	cpu->gpr[VITRO_RSI] = FREE_MEM;
	vt_jump(cpu, entry);
	return vt_says(cpu);
}

static bool has(const uint64_t *bitmap, int page)
{
	return bitmap[page / 64] >> page % 64 & 1;
}

/* Does the bitmap have these pages and no other? */
static bool exactly(const uint64_t *bitmap, const int *pages)
{
	int page, i;

	for (page = 0; page < 256; page++) {
		bool want = false;

		for (i = 0; pages[i] >= 0; i++)
			want |= pages[i] == page;
		if (has(bitmap, page) != want) {
			fprintf(stderr, "# page %d: %d\n", page, !want);
			return false;
		}
	}
	return true;
}

static const int none[] = { -1 };
static const int some[] = { 0, 1, 63, 64, 130, 199, -1 };
static const int others[] = { 1, 2, 65, -1 };

static struct vt_cpu *boot_logging(void *mem)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_write_pages);

	if (vt_slot(cpu->vm, 1, GPA, PAGES * 4096, mem, VITRO_SLOT_LOG_DIRTY))
		vt_die("VITRO_SET_MEMSLOT failed");
	return cpu;
}

TEST(exactly_the_written_pages)
{
	struct vt_cpu *cpu = boot_logging(vt_pages(PAGES * 4096));
	uint64_t bitmap[4] = {};

	ASSERT_EQ(1, on_pages(cpu, g_read_pages, others));
	ASSERT_EQ(0, dirty_log(cpu->vm, 1, 0, PAGES, bitmap));
	EXPECT_TRUE(exactly(bitmap, none));
	ASSERT_EQ(1, on_pages(cpu, g_write_pages, some));
	ASSERT_EQ(0, dirty_log(cpu->vm, 1, 0, PAGES, bitmap));
	EXPECT_TRUE(exactly(bitmap, some));
}

/* What the guest read first is the zero page.  That is nobody's to write, logged or not. */
TEST(zero_page_stays)
{
	char *mem = vt_pages(PAGES * 4096);
	struct vt_cpu *cpu = boot_logging(mem);
	int page;

	ASSERT_EQ(1, on_pages(cpu, g_read_pages, some));
	ASSERT_EQ(1, on_pages(cpu, g_read_pages, others));
	ASSERT_EQ(1, on_pages(cpu, g_write_pages, some));
	for (page = 0; page < PAGES; page++) {
		bool written = false;
		int i;

		for (i = 0; some[i] >= 0; i++)
			written |= some[i] == page;
		ASSERT_EQ(written, *(int *)(mem + 4096 * page + 8)) TH_LOG("page %d", page);
	}
}

/* Getting it clears it; another write to the same page is reported again. */
TEST(cleared_by_get)
{
	struct vt_cpu *cpu = boot_logging(vt_pages(PAGES * 4096));
	uint64_t bitmap[4] = {};

	ASSERT_EQ(1, on_pages(cpu, g_write_pages, some));
	ASSERT_EQ(0, dirty_log(cpu->vm, 1, 0, PAGES, bitmap));
	ASSERT_EQ(0, dirty_log(cpu->vm, 1, 0, PAGES, bitmap));
	EXPECT_TRUE(exactly(bitmap, none));
	ASSERT_EQ(1, on_pages(cpu, g_write_pages, others));
	ASSERT_EQ(0, dirty_log(cpu->vm, 1, 0, PAGES, bitmap));
	EXPECT_TRUE(exactly(bitmap, others));
	ASSERT_EQ(1, on_pages(cpu, g_write_pages, others));
	ASSERT_EQ(0, dirty_log(cpu->vm, 1, 0, PAGES, bitmap));
	EXPECT_TRUE(exactly(bitmap, others));
}

/* A part of the log is taken; the rest stays. */
TEST(in_parts)
{
	struct vt_cpu *cpu = boot_logging(vt_pages(PAGES * 4096));
	uint64_t bitmap[4] = {};

	ASSERT_EQ(1, on_pages(cpu, g_write_pages, some));
	ASSERT_EQ(0, dirty_log(cpu->vm, 1, 64, 64, bitmap));
	EXPECT_EQ(1, bitmap[0]);			/* page 64 */
	EXPECT_EQ(0, bitmap[1]);			/* not touched: one word was asked for */
	ASSERT_EQ(0, dirty_log(cpu->vm, 1, 0, PAGES, bitmap));
	EXPECT_FALSE(has(bitmap, 64));
	EXPECT_TRUE(has(bitmap, 63));
	EXPECT_TRUE(has(bitmap, 199));
}

/* Memory in huge pages is logged by small ones, as well when logging starts late. */
TEST(huge_page_and_late_start)
{
	const size_t huge = 0x200000;
	char *mem = vt_pages(2 * huge);
	uint64_t bitmap[8] = {};
	struct vt_cpu *cpu;

	mem = (char *)(((uintptr_t)mem + huge - 1) & ~(huge - 1));
	madvise(mem, huge, MADV_HUGEPAGE);
	/* The guest's INC would read first, and get small pages: the zero page, split. */
	*(volatile char *)mem = 1;
	cpu = vt_boot(VT_LONG, g_write_pages);
	ASSERT_EQ(0, vt_slot(cpu->vm, 1, GPA, huge, mem, 0));
	ASSERT_EQ(1, on_pages(cpu, g_write_pages, others));
	ASSERT_EQ(0, vt_slot(cpu->vm, 1, GPA, huge, mem, VITRO_SLOT_LOG_DIRTY));
	ASSERT_EQ(1, on_pages(cpu, g_write_pages, some));
	ASSERT_EQ(0, dirty_log(cpu->vm, 1, 0, 512, bitmap));
	EXPECT_TRUE(exactly(bitmap, some));
}

static uint64_t counter(struct vt_vm *vm, enum vitro_counter which)
{
	struct vitro_stats stats = { .vcpu = 0 };

	if (vt_ioctl(vm->fd, VITRO_STATS, &stats))
		vt_die("VITRO_STATS failed");
	return stats.counter[which];
}

/*
 * More pages than a CPU's own log has room for, in one go: its 512 entries overflow at
 * least once, even if the host's timer interrupts the guest in between.
 */
TEST(many_pages)
{
	enum { MANY = 2048 };
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_write_range);
	static uint64_t bitmap[MANY / 64];
	uint64_t faults;
	int round, i;

	ASSERT_EQ(0, vt_slot(cpu->vm, 1, GPA, MANY * 4096, vt_pages(MANY * 4096),
			     VITRO_SLOT_LOG_DIRTY));
	for (round = 0; round < 3; round++) {
		faults = counter(cpu->vm, VITRO_STAT_EXIT_TDP);
		vt_jump(cpu, g_write_range);
		cpu->gpr[VITRO_RBX] = GPA;
		cpu->gpr[VITRO_RCX] = MANY;
		ASSERT_EQ(1, vt_says(cpu));
		if (round && (cpu->vm->info.cpu_features & VITRO_CPU_PML))
			EXPECT_EQ(faults, counter(cpu->vm, VITRO_STAT_EXIT_TDP)) {
				TH_LOG("faults for what the CPU can log by itself");
			}
		ASSERT_EQ(0, dirty_log(cpu->vm, 1, 0, MANY, bitmap));
		for (i = 0; i < MANY / 64; i++)
			EXPECT_EQ(~0ULL, bitmap[i]) TH_LOG("round %d, word %d", round, i);
	}
	/* Each write was reported once. */
	ASSERT_EQ(0, dirty_log(cpu->vm, 1, 0, MANY, bitmap));
	for (i = 0; i < MANY / 64; i++)
		EXPECT_EQ(0, bitmap[i]) TH_LOG("afterwards, word %d", i);
}

/*
 * A vCPU writes one page all the time, and has it in its TLB.  What it writes after
 * the log was taken is in the next one.
 */
TEST(written_by_a_running_vcpu)
{
	volatile uint32_t *mem = vt_pages(PAGES * 4096);
	struct vt_cpu *cpu = boot_logging((void *)mem);
	uint64_t bitmap[4] = {};
	pthread_t thread;
	uint32_t last;
	int i;

	vt_jump(cpu, g_write_on);
	cpu->gpr[VITRO_RBX] = GPA;
	ASSERT_EQ(0, pthread_create(&thread, NULL, vt_runner, cpu));
	for (i = 0; i < 100; i++) {
		for (last = *mem; *mem == last; )
			sched_yield();
		ASSERT_EQ(0, dirty_log(cpu->vm, 1, 0, PAGES, bitmap));
		ASSERT_EQ(1, bitmap[0]) TH_LOG("round %d", i);
	}
}

TEST(refused)
{
	struct vt_cpu *cpu = boot_logging(vt_pages(PAGES * 4096));
	struct vitro_dirty_log req = { .slot = 1, .flags = 1, .nr = 64 };
	struct vt_vm *vm = cpu->vm;
	uint64_t bitmap[8] = {};

	req.bitmap = (uintptr_t)bitmap;
	EXPECT_EQ(-EINVAL, vt_ioctl(vm->fd, VITRO_DIRTY_LOG, &req)) TH_LOG("flags");
	EXPECT_EQ(-ENOENT, dirty_log(vm, 0, 0, 64, bitmap)) TH_LOG("a slot without a log");
	EXPECT_EQ(-ENOENT, dirty_log(vm, 9, 0, 64, bitmap)) TH_LOG("no slot");
	EXPECT_EQ(-EINVAL, dirty_log(vm, 1, 1, 64, bitmap)) TH_LOG("first");
	EXPECT_EQ(-EINVAL, dirty_log(vm, 1, 0, 65, bitmap)) TH_LOG("nr");
	EXPECT_EQ(-EINVAL, dirty_log(vm, 1, 0, 256, bitmap)) TH_LOG("beyond the slot");
	EXPECT_EQ(-EINVAL, dirty_log(vm, 1, -64ULL, 128, bitmap)) TH_LOG("wraps around");
	/* A bad bitmap does not lose what was written. */
	ASSERT_EQ(1, on_pages(cpu, g_write_pages, some));
	EXPECT_EQ(-EFAULT, dirty_log(vm, 1, 0, PAGES, NULL));
	EXPECT_EQ(0, dirty_log(vm, 1, 0, PAGES, bitmap));
	EXPECT_TRUE(exactly(bitmap, some));
}

TEST_HARNESS_MAIN
