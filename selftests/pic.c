// SPDX-License-Identifier: GPL-2.0-or-later
/* Interrupts from an 8259 in userspace: the wire, and VITRO_EXIT_INTA. */
#include "kselftest_harness.h"
#include <pthread.h>
#include "vt.h"

GUEST(g_on);
GUEST(g_on_after);
GUEST(g_sti);
GUEST(g_masked);
GUEST(g_unmasked);
GUEST(g_fixed);
GUEST(g_hlt);
GUEST(g_hlt_after);
GUEST(g_disabled);
GUEST(g_spin);

#define WIRE_UP		(7U << 8 | 1U << 15 | 1U << 14)
#define WIRE_DOWN	(7U << 8 | 1U << 15)
#define VECTOR		0x30

static int wire(struct vt_cpu *cpu, uint32_t data)
{
	return vt_msi(cpu->vm, VT_MSI, data);
}

/* What an 8259 does when it is asked: its request is over, and here is the vector. */
static int answer(struct vt_cpu *cpu)
{
	wire(cpu, WIRE_DOWN);
	vt_get(cpu, VITRO_STATE_EVENTS);
	cpu->comm->state.events.intr_pending = 1;
	cpu->comm->state.events.intr_vector = VECTOR;
	return vt_set(cpu, VITRO_STATE_EVENTS);
}

TEST(taken)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_on);

	ASSERT_EQ(1, vt_says(cpu));
	ASSERT_EQ(1, wire(cpu, WIRE_UP));
	ASSERT_EQ(VITRO_EXIT_INTA, vt_run(cpu));
	EXPECT_EQ((uintptr_t)g_on_after, cpu->comm->state.gprs.rip);
	/* As long as nobody answers, the guest goes nowhere. */
	ASSERT_EQ(VITRO_EXIT_INTA, vt_run(cpu));
	ASSERT_EQ(0, answer(cpu));
	ASSERT_EQ(VECTOR, vt_trap(cpu));
	EXPECT_EQ((uintptr_t)g_on_after, vt_frame(cpu)->rip);
	ASSERT_EQ(2, vt_says(cpu));			/* once */
}

TEST(taken_back)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_on);

	ASSERT_EQ(1, vt_says(cpu));
	ASSERT_EQ(1, wire(cpu, WIRE_UP));
	ASSERT_EQ(1, wire(cpu, WIRE_DOWN));
	ASSERT_EQ(2, vt_says(cpu));
}

TEST(held_until_sti)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_sti);

	ASSERT_EQ(1, vt_says(cpu));
	ASSERT_EQ(1, wire(cpu, WIRE_UP));
	ASSERT_EQ(VITRO_EXIT_INTA, vt_run(cpu));
	ASSERT_EQ(0, answer(cpu));
	ASSERT_EQ(VECTOR, vt_trap(cpu));
	EXPECT_EQ(2, cpu->gpr[VITRO_RBX]);		/* up to the end of the shadow */
	ASSERT_EQ(3, vt_says(cpu));
}

TEST(masked_at_lint0)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_masked);

	ASSERT_EQ(1, vt_says(cpu));
	ASSERT_EQ(1, wire(cpu, WIRE_UP));
	ASSERT_EQ(2, vt_says(cpu));
	ASSERT_EQ(VITRO_EXIT_INTA, vt_run(cpu));
	EXPECT_EQ((uintptr_t)g_unmasked, cpu->comm->state.gprs.rip);
	ASSERT_EQ(0, answer(cpu));
	ASSERT_EQ(VECTOR, vt_trap(cpu));
	ASSERT_EQ(3, vt_says(cpu));
}

TEST(lint0_not_extint)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_fixed);

	ASSERT_EQ(1, vt_says(cpu));
	ASSERT_EQ(1, wire(cpu, WIRE_UP));
	ASSERT_EQ(2, vt_says(cpu));
}

TEST(apic_disabled)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_disabled);

	ASSERT_EQ(1, vt_says(cpu));
	ASSERT_EQ(1, wire(cpu, WIRE_UP));
	ASSERT_EQ(VITRO_EXIT_INTA, vt_run(cpu));
	ASSERT_EQ(0, answer(cpu));
	ASSERT_EQ(VECTOR, vt_trap(cpu));
	ASSERT_EQ(2, vt_says(cpu));
}

static void *raise_later(void *arg)
{
	vt_sleep_ms(50);
	wire(arg, WIRE_UP);
	return NULL;
}

/* The wire wakes a vCPU that sleeps in HLT, and interrupts one that runs. */
static void from_another_thread(struct __test_metadata *_metadata, const void *entry)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, entry);
	pthread_t thread;

	ASSERT_EQ(1, vt_says(cpu));
	ASSERT_EQ(0, pthread_create(&thread, NULL, raise_later, cpu));
	ASSERT_EQ(VITRO_EXIT_INTA, vt_run(cpu));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	ASSERT_EQ(0, answer(cpu));
	ASSERT_EQ(VECTOR, vt_trap(cpu));
	if (entry == g_hlt) {
		EXPECT_EQ((uintptr_t)g_hlt_after, vt_frame(cpu)->rip);
		ASSERT_EQ(2, vt_says(cpu));
	}
}

TEST(wakes_hlt)
{
	from_another_thread(_metadata, g_hlt);
}

TEST(interrupts_a_loop)
{
	from_another_thread(_metadata, g_spin);
}

/* An edge-triggered ExtINT carries its vector and asks nobody; LINT0 has no say. */
TEST(edge_has_its_vector)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_fixed);

	ASSERT_EQ(1, vt_says(cpu));
	ASSERT_EQ(1, wire(cpu, 7U << 8 | 0x44));
	ASSERT_EQ(0x44, vt_trap(cpu));
	ASSERT_EQ(2, vt_says(cpu));
}

TEST_HARNESS_MAIN
