// SPDX-License-Identifier: GPL-2.0-or-later
/* Memslots: what the guest sees follows each change at once. */
#include "kselftest_harness.h"
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include "vt.h"

GUEST(g_reads);
GUEST(g_write);
GUEST(g_straddle);
GUEST(g_copy);
GUEST(g_seen);

#define GPA	0x40000000ULL

/* A page filled with one word. */
static uint32_t *page_of(uint32_t value)
{
	uint32_t *page = vt_pages(4096);
	int i;

	for (i = 0; i < 1024; i++)
		page[i] = value;
	return page;
}

/* Without a slot an access exits; with one it does not; without it again, again. */
TEST(add_and_delete)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_reads);

	cpu->gpr[VITRO_RBX] = GPA;
	ASSERT_EQ(VITRO_EXIT_MMIO, vt_run(cpu));
	ASSERT_EQ(0, vt_slot(cpu->vm, 1, GPA, 4096, page_of(7), 0));
	ASSERT_EQ(7, vt_says(cpu));
	ASSERT_EQ(0, vt_slot(cpu->vm, 1, 0, 0, NULL, 0));
	ASSERT_EQ(VITRO_EXIT_MMIO, vt_run(cpu));
	EXPECT_EQ(GPA, cpu->comm->exit.mmio.gpa);
}

/* Setting a slot that exists replaces it: other memory, and another address. */
TEST(replace)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_reads);

	cpu->gpr[VITRO_RBX] = GPA;
	ASSERT_EQ(0, vt_slot(cpu->vm, 1, GPA, 4096, page_of(7), 0));
	ASSERT_EQ(7, vt_says(cpu));
	ASSERT_EQ(0, vt_slot(cpu->vm, 1, GPA, 4096, page_of(8), 0));
	ASSERT_EQ(8, vt_says(cpu));
	ASSERT_EQ(0, vt_slot(cpu->vm, 1, GPA + 0x1000, 4096, page_of(9), 0));
	ASSERT_EQ(VITRO_EXIT_MMIO, vt_run(cpu));
	cpu->gpr[VITRO_RBX] = GPA + 0x1000;
	cpu->comm->dirty |= VITRO_STATE_GPRS;
	ASSERT_EQ(9, vt_says(cpu));
}

/* Becoming read-only takes effect on a page that the guest wrote before. */
TEST(becomes_readonly)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_write);
	uint32_t *page = page_of(0);

	cpu->gpr[VITRO_RBX] = GPA;
	cpu->gpr[VITRO_RCX] = 5;
	ASSERT_EQ(0, vt_slot(cpu->vm, 1, GPA, 4096, page, 0));
	ASSERT_EQ(1, vt_says(cpu));
	EXPECT_EQ(5, *page);
	*page = 6;
	ASSERT_EQ(0, vt_slot(cpu->vm, 1, GPA, 4096, page, VITRO_SLOT_READONLY));
	ASSERT_EQ(VITRO_EXIT_MMIO, vt_run(cpu));
	EXPECT_EQ(VITRO_MMIO_WRITE, cpu->comm->exit.mmio.flags);
	EXPECT_EQ(6, *page);
	ASSERT_EQ(0, vt_slot(cpu->vm, 1, GPA, 4096, page, 0));
	ASSERT_EQ(1, vt_says(cpu));
	EXPECT_EQ(5, *page);
}

/* Two slots side by side are one memory to the guest, wherever they are in the process. */
TEST(adjacent)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_straddle);
	uint32_t *low = page_of(0x11111111), *high = page_of(0x22222222);

	ASSERT_EQ(0, vt_slot(cpu->vm, 1, GPA, 4096, low, 0));
	ASSERT_EQ(0, vt_slot(cpu->vm, 2, GPA + 4096, 4096, high, 0));
	cpu->gpr[VITRO_RBX] = GPA + 4096;
	ASSERT_EQ(VITRO_EXIT_IO, vt_run(cpu)) vt_dump(cpu);
	EXPECT_EQ(0x2222222211111111, cpu->gpr[VITRO_RCX]);
	EXPECT_EQ(0xeeeeeeee, low[1023]);
	EXPECT_EQ(0xdddddddd, high[0]);
}

/* The same memory at two addresses. */
TEST(alias)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_write);
	uint32_t *page = page_of(0);

	ASSERT_EQ(0, vt_slot(cpu->vm, 1, GPA, 4096, page, 0));
	ASSERT_EQ(0, vt_slot(cpu->vm, 2, GPA + 0x10000, 4096, page, 0));
	cpu->gpr[VITRO_RBX] = GPA;
	cpu->gpr[VITRO_RCX] = 0xa11a5;
	ASSERT_EQ(1, vt_says(cpu));
	vt_jump(cpu, g_reads);
	cpu->gpr[VITRO_RBX] = GPA + 0x10000;
	ASSERT_EQ(0xa11a5, vt_says(cpu));
}

TEST(refused)
{
	struct vt_vm *vm = vt_vm();
	char *mem = vt_pages(0x4000);
	const uint64_t top = 1ULL << vm->info.gpa_bits;

	EXPECT_EQ(-EINVAL, vt_slot(vm, VITRO_MAX_SLOTS, GPA, 4096, mem, 0));
	EXPECT_EQ(-EINVAL, vt_slot(vm, 1, GPA, 4096, mem, 0x80)) TH_LOG("unknown flag");
	EXPECT_EQ(-EINVAL, vt_slot(vm, 1, GPA + 1, 4096, mem, 0)) TH_LOG("gpa");
	EXPECT_EQ(-EINVAL, vt_slot(vm, 1, GPA, 4097, mem, 0)) TH_LOG("size");
	EXPECT_EQ(-EINVAL, vt_slot(vm, 1, GPA, 4096, mem + 8, 0)) TH_LOG("hva");
	EXPECT_EQ(-EINVAL, vt_slot(vm, 1, -4096ULL, 8192, mem, 0)) TH_LOG("wraps around");
	EXPECT_EQ(-EINVAL, vt_slot(vm, 1, top, 4096, mem, 0)) TH_LOG("beyond gpa_bits");
	EXPECT_EQ(-EINVAL, vt_slot(vm, 1, top - 4096, 8192, mem, 0)) TH_LOG("ends beyond it");
	EXPECT_EQ(-EINVAL, vt_slot(vm, 1, GPA, 4096, (void *)-4096UL, 0)) TH_LOG("kernel hva");
	EXPECT_EQ(-EINVAL, vt_slot(vm, 1, GPA, 1ULL << 48, mem, 0)) TH_LOG("hva wraps");
	EXPECT_EQ(-ENOENT, vt_slot(vm, 1, 0, 0, NULL, 0)) TH_LOG("not there");

	EXPECT_EQ(0, vt_slot(vm, 1, GPA, 0x2000, mem, 0));
	EXPECT_EQ(-EEXIST, vt_slot(vm, 2, GPA, 0x1000, mem, 0));
	EXPECT_EQ(-EEXIST, vt_slot(vm, 2, GPA + 0x1000, 0x2000, mem, 0));
	EXPECT_EQ(-EEXIST, vt_slot(vm, 2, GPA - 0x1000, 0x4000, mem, 0));
	EXPECT_EQ(0, vt_slot(vm, 2, GPA + 0x2000, 0x1000, mem, 0)) TH_LOG("just behind");
	/* A refused replacement leaves the old slot alone. */
	EXPECT_EQ(-EEXIST, vt_slot(vm, 2, GPA, 0x1000, mem, 0));
	EXPECT_EQ(-EEXIST, vt_slot(vm, 3, GPA + 0x2000, 0x1000, mem, 0));
	EXPECT_EQ(0, vt_slot(vm, VITRO_MAX_SLOTS - 1, top - 4096, 4096, mem, 0)) TH_LOG("last");
}

/* While a vCPU runs and uses the slot: when the ioctl returns, the old one is gone. */
TEST(replace_under_a_running_vcpu)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_copy);
	struct sigaction act = { .sa_handler = vt_interrupt };
	uint32_t *page[2] = { page_of(0x100), page_of(0x200) };
	volatile uint64_t *seen = vt_ptr(cpu->vm, g_seen);
	pthread_t thread;
	int i;

	sigaction(SIGUSR1, &act, NULL);
	cpu->gpr[VITRO_RBX] = GPA;
	ASSERT_EQ(0, vt_slot(cpu->vm, 1, GPA, 4096, page[0], 0));
	ASSERT_EQ(0, pthread_create(&thread, NULL, vt_runner, cpu));
	for (i = 1; i < 200; i++) {
		uint32_t *now = page[i & 1];

		*now = 0x1000 + i;
		ASSERT_EQ(0, vt_slot(cpu->vm, 1, GPA, 4096, now, 0));
		/* The harness' timeout ends this, if it does not come. */
		while (*seen != 0x1000U + i)
			sched_yield();
	}
	pthread_kill(thread, SIGUSR1);
	pthread_join(thread, NULL);
	EXPECT_EQ(VITRO_EXIT_INTR, cpu->comm->exit.reason);
}

/*
 * The slot is replaced while a page of the old one is on its way, which takes as long
 * as a userfaultfd's handler likes: the guest gets the new one's.
 */
TEST(replaced_during_a_fault)
{
	uint32_t *old = vt_pages(4096), *content = page_of(7), *new = page_of(8);
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = {
		.range = { .start = (uintptr_t)old, .len = 4096 },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	struct uffdio_copy copy = {
		.dst = (uintptr_t)old, .src = (uintptr_t)content, .len = 4096,
	};
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_reads);
	int uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	struct uffd_msg msg;
	pthread_t thread;

	if (uffd < 0)
		SKIP(return, "this kernel has no userfaultfd");
	ASSERT_EQ(0, ioctl(uffd, UFFDIO_API, &api));
	ASSERT_EQ(0, ioctl(uffd, UFFDIO_REGISTER, &reg));
	cpu->gpr[VITRO_RBX] = GPA;
	ASSERT_EQ(0, vt_slot(cpu->vm, 1, GPA, 4096, old, 0));
	ASSERT_EQ(0, pthread_create(&thread, NULL, vt_runner, cpu));
	ASSERT_EQ(sizeof(msg), read(uffd, &msg, sizeof(msg)));
	ASSERT_EQ(0, vt_slot(cpu->vm, 1, GPA, 4096, new, 0));
	ASSERT_EQ(0, ioctl(uffd, UFFDIO_COPY, &copy));
	pthread_join(thread, NULL);
	ASSERT_EQ(VITRO_EXIT_IO, cpu->comm->exit.reason);
	EXPECT_EQ(8, cpu->comm->exit.io.data);
}

TEST_HARNESS_MAIN
