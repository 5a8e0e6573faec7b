// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Task switches by hardware (SDM 3A chapter 8), in all the ways there are.  An AMD CPU
 * makes the switch in the guest, and the new task runs.  An Intel CPU cannot (SDM 3C
 * 26.1.2): VITRO_EXIT_TASK_SWITCH tells userspace all it takes to make it.
 */
#include "kselftest_harness.h"
#include "vendor.h"
#include "guest/taskswitch.h"

GUEST(g_jump_tss);
GUEST(g_jump_tss_end);
GUEST(g_call_tss);
GUEST(g_call_tss_end);
GUEST(g_jump_gate);
GUEST(g_jump_gate_end);
GUEST(g_iret);
GUEST(g_iret_insn);
GUEST(g_iret_end);
GUEST(g_int);
GUEST(g_int_end);
GUEST(g_ud);
GUEST(g_gp);
GUEST(g_gp_insn);
GUEST(g_task);
GUEST(g_task_error);

#define TASK_IDT	FREE_MEM
#define OLD_TSS		(FREE_MEM + 0x1000)
#define NEW_TSS		(FREE_MEM + 0x2000)

/* Types of system descriptors (SDM 3A table 3-2), present, DPL 0. */
#define TSS_AVAILABLE	0x89
#define TSS_BUSY	0x8b
#define TASK_GATE	0x85

/* A 32-bit TSS, as far as it matters here (SDM 3A figure 8-2). */
struct tss {
	uint32_t link, stacks[6], cr3;
	uint32_t eip, eflags, eax, ecx, edx, ebx, esp, ebp, esi, edi;
	uint32_t es, cs, ss, ds, fs, gs, ldt, io_map;
};

static uint64_t tss_descriptor(uint32_t base, uint8_t type)
{
	return (sizeof(struct tss) - 1) | (base & 0xffffffULL) << 16 | (uint64_t)type << 40 |
	       (base & 0xff000000ULL) << 32;
}

static uint64_t gate(void)
{
	return SEL_NEW << 16 | (uint64_t)TASK_GATE << 40;
}

/* A task at @entry, in protected mode; another one, to which all gates lead, at @other. */
static struct vt_cpu *boot(const void *entry, const void *other)
{
	struct vt_cpu *cpu = vt_boot(VT_PROT, entry);
	struct vitro_segs *segs = &cpu->comm->state.segs;
	char *mem = cpu->vm->mem;
	struct tss *new = (void *)(mem + NEW_TSS), *old = (void *)(mem + OLD_TSS);
	uint64_t *gdt = (void *)(mem + GDT), *idt = (void *)(mem + TASK_IDT);

	gdt[SEL_OLD / 8] = tss_descriptor(OLD_TSS, TSS_BUSY);
	gdt[SEL_NEW / 8] = tss_descriptor(NEW_TSS, TSS_AVAILABLE);
	gdt[SEL_GATE / 8] = gate();
	idt[6] = gate();
	idt[13] = gate();
	idt[0x30] = gate();
	old->link = SEL_NEW;
	*new = (struct tss){
		.eip = (uintptr_t)other, .eflags = 2, .ebx = 0xb0b, .esp = STACK_TOP,
		.cs = SEL_CODE32, .ss = SEL_DATA, .ds = SEL_DATA, .es = SEL_DATA,
		.io_map = sizeof(struct tss),
	};
	segs->gdtr.limit = SEL_GATE + 7;
	segs->idtr = (struct vitro_dtable){ .base = TASK_IDT, .limit = 0x31 * 8 - 1 };
	segs->seg[VITRO_TR] = (struct vitro_segment){
		.selector = SEL_OLD, .base = OLD_TSS, .limit = sizeof(struct tss) - 1,
		.attrib = TSS_BUSY,
	};
	return cpu;
}

/* The switch that an Intel CPU reports, or whose result an AMD CPU shows. */
struct task {
	const char *entry, *insn, *end;
	uint8_t source;
	int vector;		/* of an event behind it, or -1 */
	int error;		/* its error code, or -1 */
};

static void expect(struct __test_metadata *_metadata, const struct task *t)
{
	struct vt_cpu *cpu = boot(t->entry, t->error < 0 ? g_task : g_task_error);
	const struct vitro_exit *x = &cpu->comm->exit;

	/* An IRET goes back to a task that is busy, since it has called. */
	if (t->source == VITRO_TASK_IRET)
		((uint64_t *)(cpu->vm->mem + GDT))[SEL_NEW / 8] =
			tss_descriptor(NEW_TSS, TSS_BUSY);
	if (cpu->vm->info.vendor == VITRO_VENDOR_SVM) {
		ASSERT_EQ(0x7a5c, vt_says(cpu));
		ASSERT_EQ(t->error < 0 ? 0xb0b : t->error, vt_says(cpu));
		vt_get(cpu, VITRO_STATE_SEGS);
		EXPECT_EQ(SEL_NEW, cpu->comm->state.segs.seg[VITRO_TR].selector);
		return;
	}
	ASSERT_EQ(VITRO_EXIT_TASK_SWITCH, vt_run(cpu)) vt_dump(cpu);
	EXPECT_EQ(SEL_NEW, x->task_switch.selector);
	EXPECT_EQ(t->source, x->task_switch.source);
	EXPECT_EQ(t->vector >= 0, x->task_switch.event);
	EXPECT_EQ(t->vector >= 0 ? t->vector : 0, x->task_switch.vector);
	EXPECT_EQ(t->error >= 0, x->task_switch.has_error);
	EXPECT_EQ(t->error >= 0 ? t->error : 0, x->task_switch.error);
	/* Nothing of it has been done, and what it takes to do it is there. */
	EXPECT_EQ((uintptr_t)t->insn, cpu->comm->state.gprs.rip);
	EXPECT_EQ(t->end ? t->end - t->insn : 0, x->insn_len);
	EXPECT_EQ(VITRO_STATE_GPRS | VITRO_STATE_SEGS | VITRO_STATE_CRS,
		  cpu->comm->valid & (VITRO_STATE_GPRS | VITRO_STATE_SEGS | VITRO_STATE_CRS));
	EXPECT_EQ(SEL_OLD, cpu->comm->state.segs.seg[VITRO_TR].selector);
}

TEST(jump_to_tss)
{
	static const struct task task = { g_jump_tss, g_jump_tss, g_jump_tss_end,
		VITRO_TASK_JMP, -1, -1 };

	expect(_metadata, &task);
}

TEST(call_to_tss)
{
	static const struct task task = { g_call_tss, g_call_tss, g_call_tss_end,
		VITRO_TASK_CALL, -1, -1 };

	expect(_metadata, &task);
}

TEST(jump_to_gate)
{
	static const struct task task = { g_jump_gate, g_jump_gate, g_jump_gate_end,
		VITRO_TASK_JMP, -1, -1 };

	expect(_metadata, &task);
}

TEST(iret_to_link)
{
	static const struct task task = { g_iret, g_iret_insn, g_iret_end,
		VITRO_TASK_IRET, -1, -1 };

	expect(_metadata, &task);
}

/* A software interrupt is an instruction: it has a length, and is no event. */
TEST(int_through_gate)
{
	static const struct task task = { g_int, g_int, g_int_end, VITRO_TASK_GATE, -1, -1 };

	expect(_metadata, &task);
}

TEST(exception_through_gate)
{
	static const struct task task = { g_ud, g_ud, NULL, VITRO_TASK_GATE, 6, -1 };

	expect(_metadata, &task);
}

TEST(exception_with_error_code)
{
	static const struct task task = { g_gp, g_gp_insn, NULL, VITRO_TASK_GATE, 13, 0xfff8 };

	expect(_metadata, &task);
}

/* Raised by userspace, delivered by VM entry. */
TEST(injected_through_gate)
{
	struct vt_cpu *cpu = boot(g_jump_tss, g_task);
	const struct vitro_exit *x = &cpu->comm->exit;

	vt_raise(cpu, 6, -1);
	if (cpu->vm->info.vendor == VITRO_VENDOR_SVM) {
		ASSERT_EQ(0x7a5c, vt_says(cpu));
		return;
	}
	ASSERT_EQ(VITRO_EXIT_TASK_SWITCH, vt_run(cpu)) vt_dump(cpu);
	EXPECT_EQ(VITRO_TASK_GATE, x->task_switch.source);
	EXPECT_EQ(1, x->task_switch.event);
	EXPECT_EQ(6, x->task_switch.vector);
	EXPECT_EQ(0, x->insn_len);
	/* It is pending still, for the one who makes the switch to take it away. */
	vt_get(cpu, VITRO_STATE_EVENTS);
	EXPECT_EQ(1, cpu->comm->state.events.exc_pending);
	EXPECT_EQ(6, cpu->comm->state.events.exc_vector);
}

TEST_HARNESS_MAIN
