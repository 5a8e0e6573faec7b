// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Isolation: what one VM has in the CPU, no other VM finds there, nor does the host.
 *
 * All VMs of a test run in turns on one CPU, so that each finds it as the one before has
 * left it.  Their secrets differ in all that can be seen of them.
 */
#include "kselftest_harness.h"
#include <sched.h>
#include <sys/syscall.h>
#include "vendor.h"

GUEST(g_keeper);
GUEST(g_inverse);
GUEST(g_with_avx);
GUEST(g_pat);
GUEST(g_dr6);
GUEST(g_pointers);
GUEST(g_newcomer);
GUEST(g_found);
GUEST(g_area);
GUEST(g_xsaves);
GUEST(g_rdpmc);
GUEST(g_rdpkru);
GUEST(g_rdpru);
GUEST(g_msr);
GUEST(g_read);

#define UD		6
#define GP		13
#define NR_FOUND	14		/* words at g_found: CR2, DR0 to DR3, nine MSRs */
#define ROUNDS		50
#define AVX		7ULL		/* XCR0: x87, SSE, AVX */
#define CR4_PGE		(1ULL << 7)
#define CR4_PCIDE	(1ULL << 17)
#define CR3_NOFLUSH	(1ULL << 63)
#define PTE_LARGE	0xe7ULL		/* present, writable, user, accessed, dirty, large */
#define PTE_GLOBAL	0x100ULL

static const uint64_t secret[2] = { 0x00005ec1aaaaaa00, 0x00005ec2bbbbbb00 };

/* All on one CPU, the last that this process may use. */
static void one_cpu(void)
{
	cpu_set_t all, one;
	int cpu;

	if (sched_getaffinity(0, sizeof(all), &all))
		vt_die("sched_getaffinity: %s", strerror(errno));
	for (cpu = CPU_SETSIZE - 1; !CPU_ISSET(cpu, &all); cpu--)
		;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	if (sched_setaffinity(0, sizeof(one), &one))
		vt_die("sched_setaffinity: %s", strerror(errno));
}

static bool has_avx(const struct vt_cpu *cpu)
{
	return (cpu->vm->info.xcr0 & AVX) == AVX;
}

static struct vt_cpu *keeper(int who)
{
	static const uint64_t pat[2] = { 0x0007040600070406, 0x0606060606060604 };
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_keeper);

	*(uint64_t *)vt_ptr(cpu->vm, g_with_avx) = has_avx(cpu);
	*(uint64_t *)vt_ptr(cpu->vm, g_pat) = pat[who];
	*(uint64_t *)vt_ptr(cpu->vm, g_dr6) = 0xffff0ff0 | (who ? 5 : 0xa);
	cpu->gpr[VITRO_RBX] = secret[who];
	return cpu;
}

static void end(struct vt_cpu *cpu)
{
	munmap(cpu->comm, cpu->vm->info.comm_size);
	munmap(cpu->vm->mem, MEM_SIZE);
	close(cpu->fd);
	close(cpu->vm->fd);
	close(cpu->vm->dev);
}

/* General, vector, x87 and debug registers, CR2, and the MSRs that need no exit. */
TEST(two_vms_in_turns)
{
	struct vt_cpu *cpu[2];
	int round, c;

	one_cpu();
	for (c = 0; c < 2; c++)
		cpu[c] = keeper(c);
	for (round = 0; round < ROUNDS; round++)
		for (c = 0; c < 2; c++)
			ASSERT_EQ((uint32_t)secret[c], vt_says(cpu[c]))
				TH_LOG("round %d: VM %d lost what isolation.S has this code for",
				       round, c);
}

/* Two vCPUs of a VM are no less apart. */
TEST(two_vcpus_in_turns)
{
	struct vt_cpu *cpu[2] = { keeper(0) };
	char *mem;
	int round, c;

	one_cpu();
	/* The other runs the same image, elsewhere: where its page tables lead. */
	cpu[1] = vt_cpu(cpu[0]->vm, 1);
	vt_set_mode(cpu[1], VT_LONG, g_keeper);
	mem = vt_pages(MEM_SIZE);
	memcpy(mem, cpu[0]->vm->mem, MEM_SIZE);
	ASSERT_EQ(0, vt_slot(cpu[0]->vm, 1, 1ULL << 30, MEM_SIZE, mem, 0));
	*(uint64_t *)(mem + PAGE_DIRS) = 1ULL << 30 | PTE_LARGE;
	*(uint64_t *)(mem + PDPT) = ((1ULL << 30) + PAGE_DIRS) | 7;
	*(uint64_t *)(mem + PML4) = ((1ULL << 30) + PDPT) | 7;
	*(uint64_t *)(mem + (uintptr_t)g_dr6) ^= 0xf;
	cpu[1]->comm->state.crs.cr3 = (1ULL << 30) + PML4;
	vt_get(cpu[1], VITRO_STATE_EVENTS);
	cpu[1]->comm->state.events.mp_state = VITRO_MP_RUNNABLE;
	cpu[1]->comm->dirty |= VITRO_STATE_EVENTS;
	cpu[1]->gpr[VITRO_RBX] = secret[1];
	for (round = 0; round < ROUNDS; round++)
		for (c = 0; c < 2; c++)
			ASSERT_EQ((uint32_t)secret[c], vt_says(cpu[c]))
				TH_LOG("round %d, vCPU %d", round, c);
}

/*
 * Does this memory hold a half of a secret?  Each word is turned by @turn first, which makes
 * it possible to search for what this process itself never has in a register.
 */
static bool has_secret(const void *mem, size_t size, uint32_t turn)
{
	const uint32_t *word = mem;
	size_t i;
	int c;

	for (i = 0; i < size / sizeof(*word); i++)
		for (c = 0; c < 2; c++)
			if (((word[i] ^ turn) & ~0xffU) == (uint32_t)secret[c] ||
			    (word[i] ^ turn) == secret[c] >> 32)
				return true;
	return false;
}

/* What a new VM finds is the state after power-on, though the CPU was just another's. */
TEST(newcomer_finds_nothing)
{
	struct vt_cpu *old = keeper(0), *new = vt_boot(VT_LONG, g_newcomer);
	const uint64_t *found = vt_ptr(new->vm, g_found);
	const uint8_t *area = vt_ptr(new->vm, g_area);
	int i;

	one_cpu();
	ASSERT_EQ((uint32_t)secret[0], vt_says(old));
	ASSERT_EQ(1, vt_says(new));
	for (i = 0; i < NR_FOUND; i++)
		EXPECT_EQ(0, found[i]) TH_LOG("word %d at g_found", i);
	EXPECT_EQ(0x37f, *(uint16_t *)area);
	EXPECT_EQ(0x1f80, *(uint32_t *)(area + 24));
	for (i = 32; i < 416; i++)		/* ST0 to ST7, XMM0 to XMM15 */
		ASSERT_EQ(0, area[i]) TH_LOG("byte %d of FXSAVE", i);
	EXPECT_FALSE(has_secret(area, 512, 0));
	if (!has_avx(new))
		return;
	ASSERT_EQ((uint32_t)secret[0], vt_says(old));
	ASSERT_EQ(2, vt_says(new));
	for (i = 0; i < 512; i++)
		ASSERT_EQ(0, area[i]) TH_LOG("byte %d of the YMM registers", i);
}

/*
 * Where the last x87 instruction was and what it read: some AMD CPUs do not load these with
 * the rest (see fpu_forget_pointers() in the module).
 */
TEST(x87_pointers)
{
	struct vt_cpu *old = vt_boot(VT_LONG, g_pointers), *new = vt_boot(VT_LONG, g_newcomer);
	const uint64_t *area = vt_ptr(new->vm, g_area);

	one_cpu();
	ASSERT_EQ(1, vt_says(old));
	ASSERT_EQ(1, vt_says(new));
	EXPECT_EQ(0, area[1]);			/* RIP of it (SDM 1 table 10-2) */
	EXPECT_EQ(0, area[2]);			/* and its operand */
}

/* XSAVES would have the host's supervisor state, if IA32_XSS were the host's. */
TEST(no_supervisor_state)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_xsaves);
	const uint64_t *area = vt_ptr(cpu->vm, g_area);

	if (!cpu->vm->info.xcr0)
		SKIP(return, "this CPU has no XSAVE");
	ASSERT_EQ(VITRO_EXIT_IO, vt_run(cpu));
	if (cpu->comm->exit.io.port == PORT_TRAP) {
		EXPECT_EQ(UD, cpu->comm->exit.io.data);
		return;
	}
	/* XSTATE_BV and XCOMP_BV (SDM 1 13.4.2); bit 63 says "compacted". */
	EXPECT_EQ(0, area[64] & ~cpu->vm->info.xcr0);
	EXPECT_EQ(0, area[65] & ~cpu->vm->info.xcr0 & ~(1ULL << 63));
}

/* Counters and keys of the host: none of these instructions gives a value. */
TEST(instructions_that_read_the_host)
{
	static const void *const insns[] = { g_rdpmc, g_rdpkru, g_rdpru };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(insns); i++) {
		struct vt_cpu *cpu = vt_boot(VT_LONG, insns[i]);
		uint64_t vector = vt_trap(cpu);

		EXPECT_TRUE(vector == UD || vector == GP) TH_LOG("instruction %zu", i);
	}
}

/*
 * MSRs that belong to the host: #GP, or userspace is asked, which has nothing to tell.
 * Speculation controls, supervisor state, branch records, counters, shadow stacks, what
 * hypervisors keep for themselves.
 */
TEST(msrs_of_the_host)
{
	static const uint32_t msrs[] = {
		0x48, 0x49, 0xc1, 0xe7, 0xe8, 0x10a, 0x10b, 0x122, 0x1c9, 0x309, 0x38f, 0x480,
		0x560, 0x680, 0x6a0, 0x6a2, 0x6a4, 0x6a7, 0xda0, 0x14ce, 0xc0000104, 0xc00000e7,
		0xc0010117, 0xc001011f, 0xc0010130, 0xc0010131, 0xc0010200,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(msrs); i++) {
		struct vt_cpu *cpu = vt_boot(VT_LONG, g_msr);
		unsigned int reason;

		cpu->gpr[VITRO_RCX] = msrs[i];
		reason = vt_run(cpu);
		EXPECT_TRUE(reason == VITRO_EXIT_RDMSR ||
			    (reason == VITRO_EXIT_IO && cpu->comm->exit.io.port == PORT_TRAP &&
			     cpu->comm->exit.io.data == GP)) TH_LOG("msr %#x", msrs[i]);
		end(cpu);
	}
}

/**
 * struct seen - what a process has in its registers when VITRO_RUN returns
 * @gpr: RBX, RCX, RDX, RSI, RDI, RBP, R8 to R15
 * @ymm: YMM0 to YMM15, or XMM0 to XMM15 in the first half of the space
 */
struct seen {
	uint64_t gpr[14];
	uint8_t ymm[16][32];
};

static long run_and_look(int fd, struct seen *seen, bool avx)
{
	register struct seen *to asm("r12") = seen;
	long ret = SYS_ioctl;

	asm volatile("syscall\n\t"
		     "mov %%rbx, 0(%[to])\n\tmov %%rcx, 8(%[to])\n\tmov %%rdx, 16(%[to])\n\t"
		     "mov %%rsi, 24(%[to])\n\tmov %%rdi, 32(%[to])\n\tmov %%rbp, 40(%[to])\n\t"
		     "mov %%r8, 48(%[to])\n\tmov %%r9, 56(%[to])\n\tmov %%r10, 64(%[to])\n\t"
		     "mov %%r11, 72(%[to])\n\tmov %%r12, 80(%[to])\n\tmov %%r13, 88(%[to])\n\t"
		     "mov %%r14, 96(%[to])\n\tmov %%r15, 104(%[to])"
		     : "+a"(ret)
		     : "D"((long)fd), "S"((long)VITRO_RUN), "d"(0L), [to] "r"(to)
		     : "rcx", "r11", "memory");
	if (avx)
		asm volatile(".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n\t"
			     "vmovdqu %%ymm\\n, 32 * \\n(%0)\n\t.endr"
			     : : "r"(seen->ymm) : "memory");
	else
		asm volatile(".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n\t"
			     "movdqu %%xmm\\n, 32 * \\n(%0)\n\t.endr"
			     : : "r"(seen->ymm) : "memory");
	return ret;
}

/* Not even the process that owns the VM finds the guest's values but in the comm area. */
TEST(process_finds_nothing)
{
	static volatile uint32_t all_bits = ~0U;
	struct vt_cpu *cpu = keeper(0);
	struct seen seen = {};
	int i;

	one_cpu();
	vt_jump(cpu, g_inverse);		/* its secret is the inverse of ours */
	for (i = 0; i < 10; i++) {
		do {
			ASSERT_EQ(0, run_and_look(cpu->fd, &seen, has_avx(cpu)));
		} while (cpu->comm->exit.reason == VITRO_EXIT_INTR);
		ASSERT_EQ(VITRO_EXIT_IO, cpu->comm->exit.reason);
		EXPECT_FALSE(has_secret(&seen, sizeof(seen), all_bits)) TH_LOG("after run %d", i);
		vt_finish(cpu);
	}
	EXPECT_TRUE(has_secret(&cpu->comm->state.gprs, sizeof(cpu->comm->state.gprs), all_bits));
}

/* ------------------------------------------------------------------------- TLB */

/* A VM with a page of its own at gpa 1 GiB, which says what it reads there. */
static struct vt_cpu *reader(uint32_t value, uint64_t cr4)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_read);
	uint64_t *pd = (uint64_t *)(cpu->vm->mem + PAGE_DIRS + 4096);
	uint32_t *page = vt_pages(4096);

	*page = value;
	if (vt_slot(cpu->vm, 1, 1 << 30, 4096, page, 0))
		vt_die("no slot");
	if (cr4 & CR4_PGE)
		*pd |= PTE_GLOBAL;
	cpu->comm->state.crs.cr4 |= cr4;
	if (cr4 & CR4_PCIDE)
		cpu->comm->state.crs.cr3 |= 5;		/* the same PCID in all of them */
	cpu->gpr[VITRO_RBX] = 1 << 30;
	return cpu;
}

static void two_readers(struct __test_metadata *_metadata, uint64_t cr4)
{
	struct vt_cpu *cpu[2] = { reader(0x1111, cr4), reader(0x2222, cr4) };
	int round, c;

	one_cpu();
	for (round = 0; round < ROUNDS; round++)
		for (c = 0; c < 2; c++)
			ASSERT_EQ(c ? 0x2222 : 0x1111, vt_says(cpu[c]))
				TH_LOG("round %d, VM %d", round, c);
}

/* The same gva, the same gpa, the same CR3: and yet not the same page. */
TEST(tlb_same_address)
{
	two_readers(_metadata, 0);
}

/* Global pages outlive a change of CR3, but not of the VM. */
TEST(tlb_global_pages)
{
	two_readers(_metadata, CR4_PGE);
}

/* The same PCID. */
TEST(tlb_same_pcid)
{
	unsigned int eax, ebx, ecx = 0, edx;

	__get_cpuid(1, &eax, &ebx, &ecx, &edx);
	if (!(ecx & 1U << 17))
		SKIP(return, "this CPU has no PCIDs");
	two_readers(_metadata, CR4_PGE | CR4_PCIDE);
}

/* What a slot has mapped is gone with it, also where another VM has just run. */
TEST(tlb_slot_removed)
{
	struct vt_cpu *cpu[2] = { reader(0x1111, CR4_PGE), reader(0x2222, CR4_PGE) };
	uint32_t *page = vt_pages(4096);
	int c;

	*page = 0x3333;
	one_cpu();
	for (c = 0; c < 2; c++)
		ASSERT_EQ(c ? 0x2222 : 0x1111, vt_says(cpu[c]));
	ASSERT_EQ(0, vt_slot(cpu[0]->vm, 1, 0, 0, NULL, 0));
	EXPECT_EQ(VITRO_EXIT_MMIO, vt_run(cpu[0]));
	EXPECT_EQ(0x2222, vt_says(cpu[1]));
	ASSERT_EQ(0, vt_slot(cpu[0]->vm, 1, 1 << 30, 4096, page, 0));
	EXPECT_EQ(0x3333, vt_says(cpu[0]));
	EXPECT_EQ(0x2222, vt_says(cpu[1]));
}

/* More VMs than the CPU has tags for their translations: QEMU's has 16, 0 is the host. */
#define MANY	40

TEST(tlb_more_vms_than_asids)
{
	uint32_t value[MANY], next = 0x1000;
	struct vt_cpu *cpu[MANY];
	int round, i;

	one_cpu();
	for (i = 0; i < MANY; i++) {
		value[i] = next++;
		cpu[i] = reader(value[i], CR4_PGE);
	}
	for (round = 0; round < 4; round++)
		for (i = 0; i < MANY; i++) {
			ASSERT_EQ(value[i], vt_says(cpu[i])) TH_LOG("round %d, VM %d", round, i);
			if (i % 3 != round % 3)
				continue;
			/* It makes room for a new one: in memory, and among the tags. */
			end(cpu[i]);
			value[i] = next++;
			cpu[i] = reader(value[i], CR4_PGE);
		}
}

TEST_HARNESS_MAIN
