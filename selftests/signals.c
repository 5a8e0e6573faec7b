// SPDX-License-Identifier: GPL-2.0-or-later
/* VITRO_RUN and signals: the thread gets its control back, the guest loses nothing. */
#include "kselftest_harness.h"
#include <pthread.h>
#include <signal.h>
#include "vt.h"

GUEST(g_ask);
GUEST(g_count);
GUEST(g_counter);
GUEST(g_sleep);

static volatile int handled;

static void count_signal(int sig)
{
	vt_interrupt(sig);
	handled++;
}

static void handle_sigusr1(void)
{
	struct sigaction act = { .sa_handler = count_signal };

	sigaction(SIGUSR1, &act, NULL);
}

static pthread_t main_thread;

/*
 * An interrupt of the host's ends the guest's stay, not VITRO_RUN.  That may return for the
 * kernel's own sake, but ten times a second, and the timer alone interrupts a hundred times.
 */
TEST(goes_on_after_interrupts)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_count);
	pthread_t runner;

	handle_sigusr1();
	ASSERT_EQ(0, pthread_create(&runner, NULL, vt_runner, cpu));
	while (vt_stat(cpu, VITRO_STAT_EXIT_INTR) < 100)
		vt_sleep_ms(10);
	EXPECT_GT(50, vt_stat(cpu, VITRO_STAT_TO_USER));
	pthread_kill(runner, SIGUSR1);
	pthread_join(runner, NULL);
}

/* The handler runs, VITRO_RUN returns 0 and INTR, and the guest can go on. */
TEST(interrupts_a_spinning_guest)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_count);
	pthread_t thread;
	uint64_t count;
	int i;

	handle_sigusr1();
	main_thread = pthread_self();
	for (i = 1; i <= 3; i++) {
		count = vt_var(cpu->vm, g_counter);
		ASSERT_EQ(0, pthread_create(&thread, NULL, vt_interrupter, &main_thread));
		ASSERT_EQ(VITRO_EXIT_INTR, vt_run(cpu));
		pthread_join(thread, NULL);
		EXPECT_EQ(i, handled);
		EXPECT_LT(count, vt_var(cpu->vm, g_counter));
		/* What was wanted came with the exit. */
		EXPECT_EQ(VITRO_STATE_GPRS, cpu->comm->valid & VITRO_STATE_GPRS);
		EXPECT_LE((uintptr_t)g_count, cpu->comm->state.gprs.rip);
	}
}

/*
 * Exits that the kernel handles, one after the other: between two of them the host's interrupts
 * and its signals get through, whatever the guest's RFLAGS.IF.
 */
TEST(interrupts_a_guest_that_only_exits)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_ask);
	pthread_t thread;

	handle_sigusr1();
	main_thread = pthread_self();
	ASSERT_EQ(0, pthread_create(&thread, NULL, vt_interrupter, &main_thread));
	ASSERT_EQ(VITRO_EXIT_INTR, vt_run(cpu));
	pthread_join(thread, NULL);
	EXPECT_EQ(1, handled);
	EXPECT_LT(0, vt_stat(cpu, VITRO_STAT_EXIT_CPUID));
}

/* immediate_exit: not one instruction, but what was dirty is loaded. */
TEST(immediate_exit)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_count);

	cpu->comm->immediate_exit = 1;
	ASSERT_EQ(VITRO_EXIT_INTR, vt_run(cpu));
	EXPECT_EQ(0, vt_var(cpu->vm, g_counter));
	EXPECT_EQ((uintptr_t)g_count, cpu->comm->state.gprs.rip);
	EXPECT_EQ(0, cpu->comm->dirty);
	/* It stays set until userspace clears it. */
	ASSERT_EQ(VITRO_EXIT_INTR, vt_run(cpu));
	EXPECT_EQ(0, vt_var(cpu->vm, g_counter));
}

/* A handler that sets immediate_exit closes the race with a signal that came early. */
static struct vitro_comm *handler_comm;

static void set_immediate_exit(int sig)
{
	(void)sig;
	handler_comm->immediate_exit = 1;
}

TEST(signal_before_run)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_count);

	handler_comm = cpu->comm;
	signal(SIGUSR1, set_immediate_exit);
	raise(SIGUSR1);
	ASSERT_EQ(VITRO_EXIT_INTR, vt_run(cpu));
}

/* The guest sleeps in HLT: a signal wakes the thread, running again sleeps again. */
TEST(interrupts_sleep)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_sleep);
	pthread_t thread;
	int i;

	handle_sigusr1();
	main_thread = pthread_self();
	ASSERT_EQ(1, vt_says(cpu));
	for (i = 1; i <= 2; i++) {
		ASSERT_EQ(0, pthread_create(&thread, NULL, vt_interrupter, &main_thread));
		ASSERT_EQ(VITRO_EXIT_INTR, vt_run(cpu));
		pthread_join(thread, NULL);
		EXPECT_EQ(i, handled);
	}
	ASSERT_EQ(1, vt_msi(cpu->vm, VT_MSI, 0x60));
	ASSERT_EQ(0x60, vt_trap(cpu));
	ASSERT_EQ(2, vt_says(cpu));
}

/* Another thread's ioctl waits for VITRO_RUN to return; a signal ends the wait. */
TEST(waiting_for_a_running_vcpu)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_count);
	struct vitro_state_mask gprs = { .mask = VITRO_STATE_GPRS };
	pthread_t runner, kicker;
	int ret = 0, i;

	handle_sigusr1();
	main_thread = pthread_self();
	ASSERT_EQ(0, pthread_create(&runner, NULL, vt_runner, cpu));
	while (!vt_var(cpu->vm, g_counter))
		sched_yield();
	/* Once is enough, unless the runner just then returned for the kernel's sake. */
	for (i = 0; i < 10 && !ret; i++) {
		ASSERT_EQ(0, pthread_create(&kicker, NULL, vt_interrupter, &main_thread));
		ret = vt_ioctl(cpu->fd, VITRO_GET_STATE, &gprs);
		pthread_join(kicker, NULL);
	}
	EXPECT_EQ(-EINTR, ret);

	pthread_kill(runner, SIGUSR1);
	EXPECT_EQ(0, vt_ioctl(cpu->fd, VITRO_GET_STATE, &gprs));
	pthread_join(runner, NULL);
	EXPECT_LE((uintptr_t)g_count, cpu->comm->state.gprs.rip);
}

TEST_HARNESS_MAIN
