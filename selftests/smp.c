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
GUEST(g_token);
GUEST(g_send);
GUEST(g_add);
GUEST(g_sum);
GUEST(g_store);

/* Another vCPU in 64-bit mode, runnable without INIT and SIPI, with a stack of its own. */
static struct vt_cpu *second(struct vt_cpu *first, const void *entry)
{
	struct vt_cpu *cpu = vt_cpu(first->vm, 1);

	vt_set_mode(cpu, VT_LONG, entry);
	cpu->gpr[VITRO_RSP] = FREE_MEM + 0x10000;
	vt_get(cpu, VITRO_STATE_EVENTS);
	cpu->comm->state.events.mp_state = VITRO_MP_RUNNABLE;
	cpu->comm->dirty |= VITRO_STATE_EVENTS;
	return cpu;
}

static void *run(void *arg)
{
	struct vt_cpu *cpu = arg;

	vt_ioctl(cpu->fd, VITRO_RUN, NULL);
	return NULL;
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
	ASSERT_EQ(0, pthread_create(&thread, NULL, run, ap));
	vt_sleep_ms(50);
	ASSERT_EQ(VITRO_EXIT_NONE, ap->comm->exit.reason);	/* still waiting */
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
	ASSERT_EQ(0, pthread_create(&thread, NULL, run, ap));
	vt_sleep_ms(50);
	EXPECT_EQ(VITRO_EXIT_NONE, ap->comm->exit.reason);	/* still waiting */
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

	ASSERT_EQ(0, pthread_create(&thread, NULL, run, ap));
	ASSERT_TRUE(counts(bsp->vm));
	ASSERT_EQ(1, vt_says(bsp));
	vt_sleep_ms(50);			/* an IPI from CPU to CPU takes its time */
	ASSERT_FALSE(counts(bsp->vm));
	ASSERT_EQ(VITRO_EXIT_NONE, ap->comm->exit.reason);
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

	ASSERT_EQ(0, pthread_create(&thread, NULL, run, ap));
	ASSERT_TRUE(counts(bsp->vm));
	ASSERT_EQ(2, vt_says(bsp));
	vt_sleep_ms(50);
	EXPECT_TRUE(counts(bsp->vm));
	EXPECT_EQ(VITRO_EXIT_NONE, ap->comm->exit.reason);
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
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, run, ap[i]));
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
	ASSERT_EQ(0, pthread_create(&thread, NULL, run, b));
	ASSERT_EQ(VITRO_EXIT_HLT, vt_run(a));
	pthread_join(thread, NULL);
	EXPECT_EQ(VITRO_EXIT_HLT, b->comm->exit.reason);
	EXPECT_EQ(400000, vt_var(a->vm, g_sum));
}

static void run_on_first_cpu(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/*
 * Two vCPUs that wait for each other by spinning, on one CPU of the host: who spins
 * makes way for the other, long before its time slice is over.
 */
TEST(spinning_yields)
{
	const int rounds = 200;
	struct vt_cpu *a = vt_boot(VT_LONG, g_hand_over), *b = second(a, g_hand_over);
	pthread_t thread;
	uint64_t start, ms;

	if (!(a->vm->info.cpu_features & VITRO_CPU_PAUSE_FILTER))
		SKIP(return, "this CPU does not notice a guest that spins");
	run_on_first_cpu();
	a->gpr[VITRO_RCX] = rounds;
	b->gpr[VITRO_RCX] = rounds;
	b->gpr[VITRO_RBX] = 1;
	a->gpr[VITRO_RDX] = 1;
	start = vt_now_ns();
	ASSERT_EQ(0, pthread_create(&thread, NULL, run, b));
	ASSERT_EQ(VITRO_EXIT_HLT, vt_run(a));
	pthread_join(thread, NULL);
	ms = (vt_now_ns() - start) / 1000000;
	printf("# %d rounds in %llu ms\n", rounds, (unsigned long long)ms);
	EXPECT_GT(4 * rounds, ms);	/* two ways each; a time slice has 4 ms or more */
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
