// SPDX-License-Identifier: GPL-2.0-or-later
/* More than one vCPU, more than one VM: together where they should be, else apart. */
#include "kselftest_harness.h"
#include <pthread.h>
#include <sched.h>
#include "vt.h"

GUEST(g_ap);
GUEST(g_wake);
GUEST(g_wake_badly);
GUEST(g_idle);
GUEST(g_init);
GUEST(g_sipi);
GUEST(g_wake_all);
GUEST(g_count);
GUEST(g_counter);
GUEST(g_hand_over);
GUEST(g_pause);
GUEST(g_pause_end);
GUEST(g_send);
GUEST(g_add);
GUEST(g_sum);
GUEST(g_store);

/* Another vCPU in 64-bit mode, runnable without INIT and SIPI, with a stack of its own. */
static struct vt_cpu *another(struct vt_cpu *first, unsigned int id, const void *entry)
{
	struct vt_cpu *cpu = vt_cpu(first->vm, id);

	vt_set_mode(cpu, VT_LONG, entry);
	cpu->gpr[VITRO_RSP] = FREE_MEM + 0x10000 * id;
	vt_get(cpu, VITRO_STATE_EVENTS);
	cpu->comm->state.events.mp_state = VITRO_MP_RUNNABLE;
	cpu->comm->dirty |= VITRO_STATE_EVENTS;
	return cpu;
}

static struct vt_cpu *second(struct vt_cpu *first, const void *entry)
{
	return another(first, 1, entry);
}

/* In its thread, vt_runner() has seen the guest do something. */
static bool has_exited(const struct vt_cpu *cpu)
{
	unsigned int reason = cpu->comm->exit.reason;

	return reason != VITRO_EXIT_NONE && reason != VITRO_EXIT_INTR;
}

/* An application processor sleeps until INIT and SIPI, and starts where SIPI says. */
TEST(init_and_sipi)
{
	struct vt_cpu *bsp = vt_boot(VT_LONG, g_wake), *ap = vt_cpu(bsp->vm, 1);
	struct vitro_segment *cs = &ap->comm->state.segs.seg[VITRO_CS];
	pthread_t thread;

	vt_get(ap, VITRO_STATE_EVENTS);
	EXPECT_EQ(VITRO_MP_WAIT_SIPI, ap->comm->state.events.mp_state);
	ap->comm->wanted |= VITRO_STATE_SEGS;
	ASSERT_EQ(0, pthread_create(&thread, NULL, vt_runner, ap));
	vt_sleep_ms(50);
	ASSERT_FALSE(has_exited(ap));	/* still waiting */
	ASSERT_EQ(1, vt_says(bsp));
	pthread_join(thread, NULL);
	ASSERT_EQ(VITRO_EXIT_IO, ap->comm->exit.reason);
	EXPECT_EQ((uintptr_t)g_ap >> 4, ap->comm->exit.io.data);
	EXPECT_EQ((uintptr_t)g_ap >> 4, cs->selector);
	EXPECT_EQ((uintptr_t)g_ap, cs->base);
}

/* Both wait for a vCPU that does not run yet: it takes them in their order. */
TEST(sipi_right_behind_init)
{
	struct vt_cpu *bsp = vt_boot(VT_LONG, g_wake), *ap = vt_cpu(bsp->vm, 1);

	ASSERT_EQ(1, vt_says(bsp));
	ASSERT_EQ(VITRO_EXIT_IO, vt_run(ap));
	EXPECT_EQ((uintptr_t)g_ap >> 4, ap->comm->exit.io.data);
}

/* A SIPI that no vCPU waits for is lost: it does not answer a later INIT. */
TEST(sipi_without_init)
{
	struct vt_cpu *bsp = vt_boot(VT_LONG, g_wake_badly), *ap = second(bsp, g_idle);
	pthread_t thread;

	ASSERT_EQ(1, vt_says(bsp));
	ASSERT_EQ(0, pthread_create(&thread, NULL, vt_runner, ap));
	vt_sleep_ms(50);
	EXPECT_FALSE(has_exited(ap));	/* still waiting */
}

/* INIT may come from a device, too, and takes a running vCPU back to waiting. */
TEST(init_by_msi)
{
	struct vt_cpu *bsp = vt_boot(VT_LONG, g_idle), *ap = second(bsp, g_idle);

	ASSERT_EQ(1, vt_says(ap));
	ASSERT_EQ(1, vt_msi(bsp->vm, VT_MSI | 1 << 12, 5 << 8 | 1 << 14));
	ap->comm->immediate_exit = 1;
	ASSERT_EQ(VITRO_EXIT_INTR, vt_run(ap));
	vt_get(ap, VITRO_STATE_EVENTS | VITRO_STATE_CRS);
	EXPECT_EQ(VITRO_MP_WAIT_SIPI, ap->comm->state.events.mp_state);
	EXPECT_EQ(0, ap->comm->state.crs.cr0 & 0x80000001);
}

/* Waits until the guest counts, but not for ever. */
static bool counts(struct vt_vm *vm)
{
	uint64_t first = vt_var(vm, g_counter);
	int i;

	for (i = 0; i < 200; i++) {
		vt_sleep_ms(5);
		if (vt_var(vm, g_counter) != first)
			return true;
	}
	return false;
}

/* INIT stops a vCPU that is in the guest, and a SIPI starts it where that says. */
TEST(init_while_running)
{
	struct vt_cpu *bsp = vt_boot(VT_LONG, g_init), *ap = second(bsp, g_count);
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, vt_runner, ap));
	ASSERT_TRUE(counts(bsp->vm));
	ASSERT_EQ(1, vt_says(bsp));
	vt_sleep_ms(50);			/* an IPI from CPU to CPU takes its time */
	ASSERT_FALSE(counts(bsp->vm));
	ASSERT_FALSE(has_exited(ap));
	ASSERT_EQ(2, vt_says(bsp));
	pthread_join(thread, NULL);
	ASSERT_EQ(VITRO_EXIT_IO, ap->comm->exit.reason);
	EXPECT_EQ((uintptr_t)g_ap >> 4, ap->comm->exit.io.data);
	vt_get(ap, VITRO_STATE_CRS);
	EXPECT_EQ(0, ap->comm->state.crs.cr0 & 0x80000001);	/* real mode */
}

/* A running vCPU does not care for a SIPI. */
TEST(sipi_while_running)
{
	struct vt_cpu *bsp = vt_boot(VT_LONG, g_sipi), *ap = second(bsp, g_count);
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, vt_runner, ap));
	ASSERT_TRUE(counts(bsp->vm));
	ASSERT_EQ(2, vt_says(bsp));
	vt_sleep_ms(50);
	EXPECT_TRUE(counts(bsp->vm));
	EXPECT_FALSE(has_exited(ap));
}

/* One INIT and one SIPI start as many as there can be, each in a thread of its own. */
TEST(wake_all)
{
	struct vt_cpu *bsp = vt_boot(VT_LONG, g_wake_all), *ap[VITRO_MAX_VCPUS];
	pthread_t thread[VITRO_MAX_VCPUS];
	unsigned int i, nr = bsp->vm->info.max_vcpus;

	ASSERT_EQ(64, nr);
	for (i = 1; i < nr; i++) {
		ap[i] = vt_cpu(bsp->vm, i);
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, vt_runner, ap[i]));
	}
	ASSERT_EQ(1, vt_says(bsp));
	for (i = 1; i < nr; i++) {
		pthread_join(thread[i], NULL);
		ASSERT_EQ(VITRO_EXIT_IO, ap[i]->comm->exit.reason);
		ASSERT_EQ((uintptr_t)g_ap >> 4, ap[i]->comm->exit.io.data);
	}
}

/* Fixed and NMI IPIs reach the vCPU they are for, and the sender goes on. */
TEST(ipi)
{
	struct vt_cpu *a = vt_boot(VT_LONG, g_send), *b = second(a, g_idle);

	ASSERT_EQ(1, vt_says(b));
	ASSERT_EQ(1, vt_says(a));
	ASSERT_EQ(0x71, vt_trap(b));
	ASSERT_EQ(2, vt_says(a));
	ASSERT_EQ(0x72, vt_trap(b));
	ASSERT_EQ(3, vt_says(a));
	ASSERT_EQ(2, vt_trap(b));
	ASSERT_EQ(VITRO_EXIT_HLT, vt_run(a));		/* none of them came back */
}

/* A broadcast MSI reaches both. */
TEST(broadcast)
{
	struct vt_cpu *a = vt_boot(VT_LONG, g_idle), *b = second(a, g_idle);

	ASSERT_EQ(1, vt_says(a));
	ASSERT_EQ(1, vt_says(b));
	ASSERT_EQ(2, vt_msi(a->vm, VT_MSI | 0xff << 12, 0x73));
	ASSERT_EQ(0x73, vt_trap(a));
	ASSERT_EQ(0x73, vt_trap(b));
}

/* Both run at once on one memory: not one increment is lost. */
TEST(atomic_increments)
{
	struct vt_cpu *a = vt_boot(VT_LONG, g_add), *b = second(a, g_add);
	pthread_t thread;

	a->gpr[VITRO_RCX] = 200000;
	b->gpr[VITRO_RCX] = 200000;
	ASSERT_EQ(0, pthread_create(&thread, NULL, vt_runner, b));
	ASSERT_EQ(VITRO_EXIT_HLT, vt_run(a));
	pthread_join(thread, NULL);
	EXPECT_EQ(VITRO_EXIT_HLT, b->comm->exit.reason);
	EXPECT_EQ(400000, vt_var(a->vm, g_sum));
}

static void run_on_one_cpu(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(sched_getcpu(), &set);
	sched_setaffinity(0, sizeof(set), &set);
}

#define TURNS	200

/*
 * A ring of vCPUs on one CPU of the host: each waits for its turn, spinning, takes it,
 * and hands over to the next.  Returns how often they executed PAUSE, for each turn:
 * unlike the time it takes, that has little to do with the load.
 */
static uint64_t pauses_per_turn(struct vt_cpu *first, unsigned int nr)
{
	struct vt_cpu *cpu[8] = { first };
	pthread_t thread[ARRAY_SIZE(cpu)];
	uint64_t pauses;
	unsigned int i;

	run_on_one_cpu();
	for (i = 0; i < nr; i++) {
		if (i)
			cpu[i] = another(first, i, g_hand_over);
		cpu[i]->gpr[VITRO_RCX] = TURNS / nr;
		cpu[i]->gpr[VITRO_RBX] = i;
		cpu[i]->gpr[VITRO_RDX] = (i + 1) % nr;
	}
	for (i = 1; i < nr; i++) {
		if (pthread_create(&thread[i], NULL, vt_runner, cpu[i]))
			vt_die("no thread for vCPU %u", i);
	}
	if (vt_run(first) != VITRO_EXIT_HLT)
		vt_die("vCPU 0 has not finished");
	pauses = first->gpr[VITRO_RSI];
	for (i = 1; i < nr; i++) {
		pthread_join(thread[i], NULL);
		if (cpu[i]->comm->exit.reason != VITRO_EXIT_HLT)
			vt_die("vCPU %u has not finished", i);
		pauses += cpu[i]->gpr[VITRO_RSI];
	}
	fprintf(stderr, "# a ring of %u: %llu PAUSEs for %u turns\n", nr,
		(unsigned long long)pauses, TURNS);
	return pauses / TURNS;
}

/*
 * Who spins makes way, before its time slice is over, which lasts tens of thousands of
 * PAUSEs.  A CPU may let some thousand go by until it takes them for a loop; and on a busy
 * host, some are spent on waiting for threads that have not started.
 */
static uint64_t patience(const struct vt_vm *vm)
{
	return vm->info.cpu_features & VITRO_CPU_PAUSE_FILTER ? 10000 : 2000;
}

TEST(spinning_yields)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_hand_over);

	EXPECT_GT(patience(cpu->vm), pauses_per_turn(cpu, 2));
}

/* ... to the one that it waits for, even if that is the last of eight to be asked. */
TEST(eight_spin_on_one_cpu)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_hand_over);

	EXPECT_GT(patience(cpu->vm), pauses_per_turn(cpu, 8));
}

/* Whether PAUSE exits or not, it is an instruction that does nothing. */
TEST(pause_goes_on)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_pause);

	ASSERT_EQ(1, vt_says(cpu));
	EXPECT_EQ(0, cpu->gpr[VITRO_RCX]);
	ASSERT_EQ(1, vt_trap(cpu));		/* #DB */
	EXPECT_EQ((uintptr_t)g_pause_end, vt_frame(cpu)->rip);
}

/* Two VMs have nothing in common: the same address is other memory. */
TEST(two_vms)
{
	struct vt_cpu *a = vt_boot(VT_LONG, g_store), *b = vt_boot(VT_LONG, g_store);

	a->gpr[VITRO_RBX] = 0xa;
	b->gpr[VITRO_RBX] = 0xb;
	ASSERT_EQ(1, vt_says(a));
	ASSERT_EQ(1, vt_says(b));
	ASSERT_EQ(0xa, vt_says(a));
	ASSERT_EQ(0xb, vt_says(b));
	EXPECT_EQ(0xa, *(uint64_t *)(a->vm->mem + FREE_MEM));
	EXPECT_EQ(0xb, *(uint64_t *)(b->vm->mem + FREE_MEM));
}

/* More VMs than the 16 ASIDs of the test machine's CPU: all keep apart. */
TEST(many_vms)
{
	struct vt_cpu *cpu[40];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cpu); i++) {
		cpu[i] = vt_boot(VT_LONG, g_store);
		cpu[i]->gpr[VITRO_RBX] = i;
		ASSERT_EQ(1, vt_says(cpu[i]));
	}
	for (i = 0; i < ARRAY_SIZE(cpu); i++)
		ASSERT_EQ(i, vt_says(cpu[i]));
}

TEST_HARNESS_MAIN
