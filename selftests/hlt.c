// SPDX-License-Identifier: GPL-2.0-or-later
/* HLT: an exit when nothing could end it, else sleep in the kernel. */
#include "kselftest_harness.h"
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include "vendor.h"

GUEST(g_hlt_off);
GUEST(g_hlt_insn);
GUEST(g_hlt_on);
GUEST(g_hlt_after);
GUEST(g_sti_hlt);
GUEST(g_hlt_timer);

TEST(interrupts_off)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_hlt_off);

	ASSERT_EQ(VITRO_EXIT_HLT, vt_run(cpu));
	EXPECT_EQ((uintptr_t)g_hlt_insn, cpu->comm->state.gprs.rip);
	EXPECT_EQ(1, cpu->comm->exit.insn_len);
	EXPECT_EQ(vendor_raw_hlt(cpu->vm), cpu->comm->exit.raw.code);
	/* Userspace can end it all the same. */
	vt_finish(cpu);
	ASSERT_EQ(1, vt_says(cpu));
}

static void *send_msi_later(void *vm)
{
	vt_sleep_ms(200);
	vt_msi(vm, VT_MSI, 0x55);
	return NULL;
}

/* Sleeps till the MSI of another thread, 200 ms later; half of that at least it uses no CPU. */
TEST(sleeps_until_msi)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_hlt_on);
	struct timespec before, after;
	uint64_t start, ms, cpu_ms;
	pthread_t thread;

	ASSERT_EQ(1, vt_says(cpu));
	ASSERT_EQ(0, pthread_create(&thread, NULL, send_msi_later, cpu->vm));
	start = vt_now_ns();
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
	ASSERT_EQ(0x55, vt_trap(cpu));
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
	ms = (vt_now_ns() - start) / 1000000;
	cpu_ms = (after.tv_sec - before.tv_sec) * 1000 +
		 (after.tv_nsec - before.tv_nsec) / 1000000;
	EXPECT_LE(100 + cpu_ms, ms);
	EXPECT_EQ((uintptr_t)g_hlt_after, vt_frame(cpu)->rip);
	ASSERT_EQ(2, vt_says(cpu));
	pthread_join(thread, NULL);
}

TEST(pending_interrupt)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_sti_hlt);

	ASSERT_EQ(1, vt_says(cpu));
	ASSERT_EQ(1, vt_msi(cpu->vm, VT_MSI, 0x55));
	ASSERT_EQ(0x55, vt_trap(cpu));
	ASSERT_EQ(2, vt_says(cpu));
}

/* The guest's own timer wakes it. */
TEST(timer)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_hlt_timer);
	uint64_t start = vt_now_ns();

	cpu->gpr[VITRO_RBX] = cpu->vm->info.tsc_khz * 50ULL;	/* 50 ms */
	ASSERT_EQ(0x60, vt_trap(cpu));
	EXPECT_LE(49, (vt_now_ns() - start) / 1000000);
	ASSERT_EQ(2, vt_says(cpu));
}

/* An NMI ends HLT, too, whether interrupts are on or not. */
TEST(nmi)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_hlt_on);

	ASSERT_EQ(1, vt_says(cpu));
	ASSERT_EQ(1, vt_msi(cpu->vm, VT_MSI, 4 << 8));
	ASSERT_EQ(2, vt_trap(cpu));
}

/* A signal interrupts the sleep; the CPU stays halted until an interrupt comes. */
TEST(interrupted_by_signal)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_hlt_on);
	struct sigaction act = { .sa_handler = vt_interrupt };
	pthread_t self = pthread_self(), thread;

	sigaction(SIGUSR1, &act, NULL);
	ASSERT_EQ(1, vt_says(cpu));
	ASSERT_EQ(0, pthread_create(&thread, NULL, vt_interrupter, &self));
	ASSERT_EQ(VITRO_EXIT_INTR, vt_run(cpu));
	vt_get(cpu, VITRO_STATE_EVENTS);
	EXPECT_EQ(VITRO_MP_HALTED, cpu->comm->state.events.mp_state);
	ASSERT_EQ(1, vt_msi(cpu->vm, VT_MSI, 0x56));
	ASSERT_EQ(0x56, vt_trap(cpu));
	ASSERT_EQ(2, vt_says(cpu));
	pthread_join(thread, NULL);
}

TEST_HARNESS_MAIN
