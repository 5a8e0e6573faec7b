// SPDX-License-Identifier: GPL-2.0-or-later
/* External interrupts and NMIs: they come when the guest lets them, in order, once. */
#include "kselftest_harness.h"
#include <pthread.h>
#include "vendor.h"

GUEST(g_if_on);
GUEST(g_if_on_after);
GUEST(g_sti);
GUEST(g_popf);
GUEST(g_mov_ss);
GUEST(g_shadow);
GUEST(g_window);
GUEST(g_cr8);
GUEST(g_spin);
GUEST(g_spins);
GUEST(g_nmi);
GUEST(g_nmi_after);
GUEST(g_level);
GUEST(g_new_stack);
GUEST(g_new_stack_after);
GUEST(g_isr_irr);

/* Delivery modes and trigger mode in an MSI's data (SDM 3A 11.11.2). */
#define MSI_LOWEST	(1U << 8)
#define MSI_NMI		(4U << 8)
#define MSI_LEVEL	(1U << 15 | 1U << 14)

TEST(interrupts_on)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_if_on);

	ASSERT_EQ(1, vt_says(cpu));
	ASSERT_EQ(1, vt_msi(cpu->vm, VT_MSI, 0x41));
	ASSERT_EQ(0x41, vt_trap(cpu));
	EXPECT_EQ((uintptr_t)g_if_on_after, vt_frame(cpu)->rip);
	ASSERT_EQ(2, vt_says(cpu));			/* once */
}

TEST(held_until_sti)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_sti);

	ASSERT_EQ(1, vt_says(cpu));
	ASSERT_EQ(1, vt_msi(cpu->vm, VT_MSI, 0x41));
	ASSERT_EQ(0x41, vt_trap(cpu));
	EXPECT_EQ(1, cpu->gpr[VITRO_RBX]);		/* the shadow: one instruction */
	ASSERT_EQ(2, vt_says(cpu));
}

TEST(popf_has_no_shadow)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_popf);

	ASSERT_EQ(1, vt_says(cpu));
	ASSERT_EQ(1, vt_msi(cpu->vm, VT_MSI, 0x41));
	ASSERT_EQ(0x41, vt_trap(cpu));
	EXPECT_EQ(0, cpu->gpr[VITRO_RBX]);
	ASSERT_EQ(1, vt_says(cpu));
}

/* The shadow is part of the state: an exit shows it, finishing the instruction ends it. */
TEST(mov_ss_shadow)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_mov_ss);

	ASSERT_EQ(VITRO_EXIT_IO, vt_run(cpu));
	ASSERT_EQ(PORT_SAY, cpu->comm->exit.io.port);
	vt_get(cpu, VITRO_STATE_EVENTS);
	EXPECT_EQ(1, cpu->comm->state.events.shadow);
	vt_finish(cpu);
	ASSERT_EQ(1, vt_msi(cpu->vm, VT_MSI, 0x41));
	ASSERT_EQ(0x41, vt_trap(cpu));
	vt_get(cpu, VITRO_STATE_EVENTS);
	EXPECT_EQ(0, cpu->comm->state.events.shadow);
	ASSERT_EQ(2, vt_says(cpu));
}

/* Loaded together with another rip, it is that instruction's: a snapshot keeps it. */
TEST(shadow_round_trip)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_shadow);

	vt_get(cpu, VITRO_STATE_EVENTS);
	cpu->comm->state.events.shadow = 1;
	ASSERT_EQ(0, vt_set(cpu, VITRO_STATE_EVENTS | VITRO_STATE_GPRS));
	cpu->comm->state.events.shadow = 0;
	vt_get(cpu, VITRO_STATE_EVENTS);
	EXPECT_EQ(1, cpu->comm->state.events.shadow);
	/* Another rip alone ends it. */
	cpu->comm->state.gprs.rip++;
	ASSERT_EQ(0, vt_set(cpu, VITRO_STATE_GPRS));
	vt_get(cpu, VITRO_STATE_EVENTS);
	EXPECT_EQ(0, cpu->comm->state.events.shadow);
}

/* With IF = 1 and an interrupt waiting, it lasts one instruction. */
TEST(shadow_loaded)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_shadow);

	if (vendor_is_tcg())
		SKIP(return, "VMRUN of QEMU TCG does not load the interrupt shadow");
	ASSERT_EQ(1, vt_says(cpu));
	ASSERT_EQ(1, vt_msi(cpu->vm, VT_MSI, 0x41));
	vt_get(cpu, VITRO_STATE_EVENTS);
	cpu->comm->state.events.shadow = 1;
	cpu->comm->state.gprs.rflags |= 0x200;
	cpu->comm->dirty |= VITRO_STATE_EVENTS | VITRO_STATE_GPRS;
	ASSERT_EQ(0x41, vt_trap(cpu));
	EXPECT_EQ(1, cpu->gpr[VITRO_RBX]);
	ASSERT_EQ(2, vt_says(cpu));
}

/* The highest vector first, whatever the order of arrival; the same vector once. */
TEST(priority_order)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_window);

	ASSERT_EQ(1, vt_says(cpu));
	ASSERT_EQ(1, vt_msi(cpu->vm, VT_MSI, 0x40));
	ASSERT_EQ(1, vt_msi(cpu->vm, VT_MSI, 0xe1));
	ASSERT_EQ(1, vt_msi(cpu->vm, VT_MSI, 0x31));
	vt_msi(cpu->vm, VT_MSI, 0x40);			/* pending already: merges */
	ASSERT_EQ(0xe1, vt_trap(cpu));
	ASSERT_EQ(0x40, vt_trap(cpu));
	ASSERT_EQ(0x31, vt_trap(cpu));
	ASSERT_EQ(2, vt_says(cpu));
}

TEST(cr8_holds_back)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_cr8);

	ASSERT_EQ(1, vt_says(cpu));
	ASSERT_EQ(1, vt_msi(cpu->vm, VT_MSI, 0x51));
	ASSERT_EQ(1, vt_msi(cpu->vm, VT_MSI, 0x61));
	ASSERT_EQ(0x61, vt_trap(cpu));
	ASSERT_EQ(2, vt_says(cpu));			/* CR8 = 5 blocks class 5 */
	ASSERT_EQ(0x51, vt_trap(cpu));			/* CR8 = 4 does not */
	ASSERT_EQ(3, vt_says(cpu));
}

static void *msi_later(void *vm)
{
	vt_sleep_ms(100);
	vt_msi(vm, VT_MSI, 0x41);
	return NULL;
}

/* A guest that never exits by itself gets its interrupt from another thread soon. */
TEST(kicks_a_spinning_guest)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_spin);
	pthread_t thread;

	ASSERT_EQ(1, vt_says(cpu));
	ASSERT_EQ(0, pthread_create(&thread, NULL, msi_later, cpu->vm));
	ASSERT_EQ(0x41, vt_trap(cpu));
	pthread_join(thread, NULL);
}

/* Reschedule interrupts on all CPUs of the host, which vitro kicks with. */
static unsigned long reschedules(void)
{
	FILE *file = fopen("/proc/interrupts", "r");
	unsigned long sum = 0, n;
	char line[4096], *p;
	int len;

	while (file && fgets(line, sizeof(line), file)) {
		p = strstr(line, "RES:");
		if (!p)
			continue;
		for (p += 4; sscanf(p, "%lu%n", &n, &len) == 1; p += len)
			sum += n;
	}
	if (!sum)
		vt_die("no line RES in /proc/interrupts");
	return sum;
}

static volatile int taken;

static void *take_interrupts(void *cpu)
{
	while (vt_trap(cpu) == 0x41)
		taken++;
	return NULL;
}

/*
 * ... by an interrupt from there.  Without one it would come, too, with the host's
 * next tick: too late by milliseconds, which on a busy machine nobody can measure.
 */
TEST(kicked_by_an_interrupt)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_spin);
	unsigned long before, spins;
	pthread_t thread;
	int i;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "it takes two CPUs");
	ASSERT_EQ(1, vt_says(cpu));
	ASSERT_EQ(0, pthread_create(&thread, NULL, take_interrupts, cpu));
	before = reschedules();
	for (i = 1; i <= 200; i++) {
		for (spins = vt_var(cpu->vm, g_spins); vt_var(cpu->vm, g_spins) == spins; )
			sched_yield();
		ASSERT_EQ(1, vt_msi(cpu->vm, VT_MSI, 0x41));
		while (taken != i)
			sched_yield();
	}
	EXPECT_LE(100, reschedules() - before);
}

TEST(nmi)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_nmi);

	ASSERT_EQ(1, vt_says(cpu));
	ASSERT_EQ(1, vt_msi(cpu->vm, VT_MSI, MSI_NMI));
	ASSERT_EQ(2, vt_trap(cpu));			/* although IF = 0 */
	EXPECT_EQ((uintptr_t)g_nmi_after, vt_frame(cpu)->rip);
	ASSERT_EQ(2, vt_says(cpu));			/* once */
}

/* While the handler runs, one more waits until its IRET; more than one merge. */
TEST(nmi_blocked_until_iret)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_nmi);
	uint64_t rsp;

	ASSERT_EQ(1, vt_says(cpu));
	ASSERT_EQ(1, vt_msi(cpu->vm, VT_MSI, MSI_NMI));
	ASSERT_EQ(2, vt_trap(cpu));
	rsp = cpu->gpr[VITRO_RSP];
	vt_get(cpu, VITRO_STATE_EVENTS);
	EXPECT_EQ(1, cpu->comm->state.events.nmi_blocked);
	vt_msi(cpu->vm, VT_MSI, MSI_NMI);
	vt_msi(cpu->vm, VT_MSI, MSI_NMI);
	ASSERT_EQ(2, vt_trap(cpu));
	EXPECT_EQ(rsp, cpu->gpr[VITRO_RSP]);		/* not nested in the first */
	EXPECT_EQ((uintptr_t)g_nmi_after, vt_frame(cpu)->rip);
	/* The third may have merged with the second, or come on its own. */
	if (vt_run(cpu) == VITRO_EXIT_IO && cpu->comm->exit.io.port == PORT_TRAP) {
		EXPECT_EQ(2, cpu->comm->exit.io.data);
		vt_finish(cpu);
		vt_run(cpu);
	}
	ASSERT_EQ(PORT_SAY, cpu->comm->exit.io.port);
	ASSERT_EQ(2, cpu->comm->exit.io.data);
	vt_get(cpu, VITRO_STATE_EVENTS);
	EXPECT_EQ(0, cpu->comm->state.events.nmi_blocked);
}

TEST(level_triggered_eoi)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_level);

	ASSERT_EQ(1, vt_says(cpu));
	ASSERT_EQ(1, vt_msi(cpu->vm, VT_MSI, MSI_LEVEL | 0x44));
	ASSERT_EQ(0x44, vt_trap(cpu));
	ASSERT_EQ(VITRO_EXIT_EOI, vt_run(cpu)) vt_dump(cpu);
	EXPECT_EQ(0x44, cpu->comm->exit.eoi.vector);
	/* The EOI is done: no finishing, the guest just goes on. */
	ASSERT_EQ(2, vt_says(cpu));
}

TEST(on_new_stack)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_new_stack);

	ASSERT_EQ(1, vt_says(cpu));
	ASSERT_EQ(1, vt_msi(cpu->vm, VT_MSI, 0x41));
	ASSERT_EQ(0x41, vt_trap(cpu));
	EXPECT_EQ((uintptr_t)g_new_stack_after, vt_frame(cpu)->rip);
	ASSERT_EQ(2, vt_says(cpu));
}

/* In its handler an interrupt is in service, and one of lower priority requested. */
TEST(in_service_and_requested)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_isr_irr);

	ASSERT_EQ(1, vt_says(cpu));
	ASSERT_EQ(1, vt_msi(cpu->vm, VT_MSI, 0x41));
	ASSERT_EQ(1, vt_msi(cpu->vm, VT_MSI, 0x40));
	ASSERT_EQ(1 << 1, vt_says(cpu));		/* ISR: 0x41 */
	ASSERT_EQ(1 << 0, vt_says(cpu));		/* IRR: 0x40 */
	ASSERT_EQ(0x40, vt_says(cpu));			/* PPR: class 4 */
	ASSERT_EQ(0, vt_says(cpu));			/* ISR after EOI */
}

/* Who is addressed: the return value is the number of vCPUs that took it. */
TEST(destinations)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_window);
	struct vt_vm *vm = cpu->vm;

	ASSERT_EQ(1, vt_says(cpu));
	EXPECT_EQ(0, vt_msi(vm, VT_MSI | 7 << 12, 0x41));	/* no vCPU 7 */
	EXPECT_EQ(1, vt_msi(vm, VT_MSI | 0xff << 12, 0x42));	/* everybody */
	EXPECT_EQ(1, vt_msi(vm, VT_MSI, MSI_LOWEST | 0x43));
	EXPECT_EQ(-EINVAL, vt_msi(vm, 0xfed00000, 0x44));	/* not an MSI's address */
	EXPECT_EQ(-EINVAL, vt_msi(vm, VT_MSI, 3U << 8 | 0x45));	/* reserved mode */
	ASSERT_EQ(0x43, vt_trap(cpu));
	ASSERT_EQ(0x42, vt_trap(cpu));
	ASSERT_EQ(2, vt_says(cpu));
}

TEST_HARNESS_MAIN
