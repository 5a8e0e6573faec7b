// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include "vt.h"

GUEST(g_stubs);

void vt_die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("# vt: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	exit(1);
}

int vt_ioctl(int fd, unsigned long request, const void *arg)
{
	int ret = ioctl(fd, request, arg);

	return ret < 0 ? -errno : ret;
}

int vt_open(void)
{
	int fd = open("/dev/vitro", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		vt_die("/dev/vitro: %s (is vitro.ko loaded?)", strerror(errno));
	return fd;
}

void *vt_pages(size_t size)
{
	void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (mem == MAP_FAILED)
		vt_die("mmap of %zu bytes: %s", size, strerror(errno));
	return mem;
}

int vt_slot(struct vt_vm *vm, uint32_t slot, uint64_t gpa, uint64_t size, const void *hva,
	    uint32_t flags)
{
	struct vitro_memslot req = {
		.slot = slot, .flags = flags, .gpa = gpa, .size = size, .hva = (uintptr_t)hva,
	};

	return vt_ioctl(vm->fd, VITRO_SET_MEMSLOT, &req);
}

struct vt_vm *vt_vm(void)
{
	struct vitro_create_vm create = {};
	struct vt_vm *vm = calloc(1, sizeof(*vm));
	int ret;

	vm->dev = vt_open();
	ret = vt_ioctl(vm->dev, VITRO_GET_INFO, &vm->info);
	if (ret)
		vt_die("VITRO_GET_INFO: %s", strerror(-ret));
	vm->fd = vt_ioctl(vm->dev, VITRO_CREATE_VM, &create);
	if (vm->fd < 0)
		vt_die("VITRO_CREATE_VM: %s", strerror(-vm->fd));
	vm->mem = vt_pages(MEM_SIZE);
	/* So that each page has a fault of its own: Linux 6.7 has a huge page for this size. */
	madvise(vm->mem, MEM_SIZE, MADV_NOHUGEPAGE);
	memcpy(vm->mem + GUEST_BASE, guest_image, guest_image_end - guest_image);
	ret = vt_slot(vm, 0, 0, MEM_SIZE, vm->mem, 0);
	if (ret)
		vt_die("VITRO_SET_MEMSLOT: %s", strerror(-ret));
	return vm;
}

struct vt_cpu *vt_cpu(struct vt_vm *vm, unsigned int id)
{
	struct vitro_create_vcpu create = { .id = id };
	struct vt_cpu *cpu = calloc(1, sizeof(*cpu));

	cpu->vm = vm;
	cpu->fd = vt_ioctl(vm->fd, VITRO_CREATE_VCPU, &create);
	if (cpu->fd < 0)
		vt_die("VITRO_CREATE_VCPU %u: %s", id, strerror(-cpu->fd));
	cpu->comm = mmap(NULL, vm->info.comm_size, PROT_READ | PROT_WRITE, MAP_SHARED,
			 cpu->fd, 0);
	if (cpu->comm == MAP_FAILED)
		vt_die("mmap of the comm area: %s", strerror(errno));
	cpu->comm->wanted = VITRO_STATE_GPRS;
	cpu->gpr = cpu->comm->state.gprs.gpr;
	return cpu;
}

/* ------------------------------------------------------------------ modes */

#define PTE_P		0x001ULL
#define PTE_W		0x002ULL
#define PTE_U		0x004ULL
#define PTE_PS		0x080ULL
#define PTE_ALL		(PTE_P | PTE_W | PTE_U)

static void write_page_tables(char *mem)
{
	uint64_t *pml4 = (void *)(mem + PML4), *pdpt = (void *)(mem + PDPT);
	uint64_t *pd = (void *)(mem + PAGE_DIRS), *pdpt_pae = (void *)(mem + PDPT_PAE);
	uint32_t *pd_pse = (void *)(mem + PAGE_DIR_PSE);
	uint64_t i;

	pml4[0] = PDPT | PTE_ALL;
	for (i = 0; i < 4; i++) {
		pdpt[i] = (PAGE_DIRS + 4096 * i) | PTE_ALL;
		/* R/W and U/S are reserved in a PAE PDPTE (SDM 3A 4.4.1). */
		pdpt_pae[i] = (PAGE_DIRS + 4096 * i) | PTE_P;
	}
	for (i = 0; i < 4 * 512; i++)
		pd[i] = i << 21 | PTE_ALL | PTE_PS;
	for (i = 0; i < 1024; i++)
		pd_pse[i] = i << 22 | PTE_ALL | PTE_PS;
}

/* Descriptors: see SDM 3A figures 3-8 and 7-4 (a TSS with a base below 16 MiB). */
static void write_gdt(char *mem)
{
	uint64_t *gdt = (void *)(mem + GDT);

	gdt[SEL_CODE64 / 8] = 0x00af9b000000ffff;
	gdt[SEL_DATA / 8] = 0x00cf93000000ffff;
	gdt[SEL_CODE32 / 8] = 0x00cf9b000000ffff;
	gdt[SEL_CODE16 / 8] = 0x00009b000000ffff;
	gdt[SEL_DATA16 / 8] = 0x000093000000ffff;
	gdt[SEL_TSS / 8] = 0x00008b0000000067 | (uint64_t)TSS << 16;
	gdt[SEL_TSS / 8 + 1] = 0;
	gdt[SEL_USER_DATA / 8] = 0x00cff3000000ffff;
	gdt[SEL_USER_CODE / 8] = 0x00affb000000ffff;

	/* RSP0, for interrupts at CPL 3; no I/O bitmap: beyond the limit (SDM 3A 7.7). */
	*(uint64_t *)(mem + TSS + 4) = STACK_TOP;
	*(uint16_t *)(mem + TSS + 0x66) = 0x68;
}

/* 64-bit interrupt gates, DPL 3 so that INT n works everywhere (SDM 3A 6.14.1). */
static void write_idt(char *mem)
{
	uint64_t *idt = (void *)(mem + IDT);
	int i;

	for (i = 0; i < 256; i++) {
		uint64_t stub = (uintptr_t)g_stubs + 16 * i;

		idt[2 * i] = stub >> 16 << 48 | 0xee00ULL << 32 | SEL_CODE64 << 16 |
			     (stub & 0xffff);
		idt[2 * i + 1] = 0;
	}
}

static void set_seg(struct vitro_segs *segs, int n, uint16_t selector, uint16_t attrib,
		    uint32_t limit)
{
	segs->seg[n] = (struct vitro_segment){
		.selector = selector, .attrib = attrib, .limit = limit,
	};
}

void vt_set_mode(struct vt_cpu *cpu, enum vt_mode mode, const void *entry)
{
	struct vitro_state *s = &cpu->comm->state;
	char *mem = cpu->vm->mem;
	int i;

	write_page_tables(mem);
	write_gdt(mem);
	write_idt(mem);

	memset(&s->gprs, 0, sizeof(s->gprs));
	memset(&s->segs, 0, sizeof(s->segs));
	memset(&s->crs, 0, sizeof(s->crs));
	s->gprs.rip = (uintptr_t)entry;
	s->gprs.gpr[VITRO_RSP] = STACK_TOP;
	s->gprs.rflags = 2;
	s->crs.cr0 = 0x10;			/* ET */
	s->crs.xcr0 = 1;

	if (mode == VT_REAL) {
		for (i = VITRO_ES; i <= VITRO_GS; i++)
			set_seg(&s->segs, i, 0, i == VITRO_CS ? 0x9b : 0x93, 0xffff);
		s->segs.idtr.limit = 0x3ff;
	} else {
		for (i = VITRO_ES; i <= VITRO_GS; i++)
			set_seg(&s->segs, i, SEL_DATA, 0xc93, 0xffffffff);
		set_seg(&s->segs, VITRO_CS, mode == VT_LONG ? SEL_CODE64 : SEL_CODE32,
			mode == VT_LONG ? 0xa9b : 0xc9b, 0xffffffff);
		s->segs.gdtr = (struct vitro_dtable){ .base = GDT, .limit = 0x4f };
		s->crs.cr0 |= 0x10021;		/* WP, NE, PE */
	}
	set_seg(&s->segs, VITRO_LDTR, 0, 0x82, 0xffff);
	set_seg(&s->segs, VITRO_TR, mode == VT_LONG ? SEL_TSS : 0, 0x8b, 0x67);

	switch (mode) {
	case VT_REAL:
	case VT_PROT:
		break;
	case VT_PSE:
		s->crs.cr0 |= 1U << 31;		/* PG */
		s->crs.cr3 = PAGE_DIR_PSE;
		s->crs.cr4 = 0x10;		/* PSE */
		break;
	case VT_PAE:
		s->crs.cr0 |= 1U << 31;
		s->crs.cr3 = PDPT_PAE;
		s->crs.cr4 = 0x20;		/* PAE */
		break;
	case VT_LONG:
		s->segs.seg[VITRO_TR].base = TSS;
		s->segs.idtr = (struct vitro_dtable){ .base = IDT, .limit = 0xfff };
		s->crs.cr0 |= 1U << 31;
		s->crs.cr3 = PML4;
		s->crs.cr4 = 0x620;		/* OSXMMEXCPT, OSFXSR, PAE */
		s->crs.efer = 0x500;		/* LMA, LME */
		break;
	}
	cpu->comm->dirty |= VITRO_STATE_GPRS | VITRO_STATE_SEGS | VITRO_STATE_CRS;
}

struct vt_cpu *vt_boot(enum vt_mode mode, const void *entry)
{
	struct vt_cpu *cpu = vt_cpu(vt_vm(), 0);

	vt_set_mode(cpu, mode, entry);
	return cpu;
}

/* ---------------------------------------------------------------- running */

static const char *const exit_names[] = {
	[VITRO_EXIT_NONE] = "NONE", [VITRO_EXIT_INTR] = "INTR", [VITRO_EXIT_IO] = "IO",
	[VITRO_EXIT_MMIO] = "MMIO", [VITRO_EXIT_RDMSR] = "RDMSR", [VITRO_EXIT_WRMSR] = "WRMSR",
	[VITRO_EXIT_HLT] = "HLT", [VITRO_EXIT_HYPERCALL] = "HYPERCALL", [VITRO_EXIT_EOI] = "EOI",
	[VITRO_EXIT_SHUTDOWN] = "SHUTDOWN", [VITRO_EXIT_FAIL_ENTRY] = "FAIL_ENTRY",
	[VITRO_EXIT_MEMFAULT] = "MEMFAULT", [VITRO_EXIT_UNHANDLED] = "UNHANDLED",
	[VITRO_EXIT_TASK_SWITCH] = "TASK_SWITCH", [VITRO_EXIT_INTA] = "INTA",
	[VITRO_EXIT_DEBUG] = "DEBUG", [VITRO_EXIT_DEADLINE] = "DEADLINE",
};

void vt_dump(struct vt_cpu *cpu)
{
	struct vitro_exit *e = &cpu->comm->exit;
	__u64 *r = cpu->gpr;

	fprintf(stderr, "# exit %u %s, length %u, rip %#llx, raw %#llx %#llx %#llx %#llx\n",
		e->reason, e->reason <= VITRO_EXIT_DEADLINE ? exit_names[e->reason] : "?",
		e->insn_len, cpu->comm->state.gprs.rip, e->raw.code, e->raw.info1, e->raw.info2,
		e->raw.intinfo);
	if (e->reason == VITRO_EXIT_IO)
		fprintf(stderr, "# port %#x, size %u, flags %#x, data %#x\n", e->io.port,
			e->io.size, e->io.flags, e->io.data);
	if (e->reason == VITRO_EXIT_MMIO || e->reason == VITRO_EXIT_MEMFAULT)
		fprintf(stderr, "# gpa %#llx, flags %#x\n", e->mmio.gpa, e->mmio.flags);
	if (e->reason == VITRO_EXIT_RDMSR || e->reason == VITRO_EXIT_WRMSR)
		fprintf(stderr, "# msr %#x, data %#llx\n", e->msr.index, e->msr.data);
	fprintf(stderr, "# rax %#llx rbx %#llx rcx %#llx rdx %#llx rsp %#llx rflags %#llx\n",
		r[VITRO_RAX], r[VITRO_RBX], r[VITRO_RCX], r[VITRO_RDX], r[VITRO_RSP],
		cpu->comm->state.gprs.rflags);
}

/* The vCPU in vt_run(), for the watchdog. */
static struct vt_cpu *running;

static void watchdog(int sig)
{
	(void)sig;
	/* By now VITRO_RUN returned, if the signal came to its thread. */
	fprintf(stderr, "# vt: no exit within %d s\n", VT_SECONDS);
	if (running->comm->valid & VITRO_STATE_GPRS)
		vt_dump(running);
	_exit(1);
}

static _Thread_local volatile sig_atomic_t interrupted;

void vt_interrupt(int sig)
{
	(void)sig;
	interrupted = 1;
}

void *vt_interrupter(void *thread)
{
	vt_sleep_ms(100);
	pthread_kill(*(pthread_t *)thread, SIGUSR1);
	return NULL;
}

/*
 * VITRO_EXIT_INTR is for signals, and for what the kernel itself has to do in a thread: since
 * Linux 6.4, ten times a second.  The latter is no concern of the tests'.
 */
static int run(struct vt_cpu *cpu)
{
	int ret;

	do {
		ret = vt_ioctl(cpu->fd, VITRO_RUN, NULL);
	} while (!ret && cpu->comm->exit.reason == VITRO_EXIT_INTR &&
		 !cpu->comm->immediate_exit && !interrupted);
	interrupted = 0;
	return ret;
}

void *vt_runner(void *cpu)
{
	return (void *)(long)run(cpu);
}

unsigned int vt_run(struct vt_cpu *cpu)
{
	int ret;

	running = cpu;
	signal(SIGALRM, watchdog);
	alarm(VT_SECONDS);
	ret = run(cpu);
	alarm(0);
	if (ret)
		vt_die("VITRO_RUN: %s", strerror(-ret));
	return cpu->comm->exit.reason;
}

void vt_get(struct vt_cpu *cpu, uint64_t mask)
{
	struct vitro_state_mask req = { .mask = mask };
	int ret = vt_ioctl(cpu->fd, VITRO_GET_STATE, &req);

	if (ret)
		vt_die("VITRO_GET_STATE %#llx: %s", req.mask, strerror(-ret));
}

int vt_set(struct vt_cpu *cpu, uint64_t mask)
{
	struct vitro_state_mask req = { .mask = mask };

	return vt_ioctl(cpu->fd, VITRO_SET_STATE, &req);
}

uint64_t vt_stat(struct vt_cpu *cpu, unsigned int which)
{
	struct vitro_stats stats = { .vcpu = 0 };

	if (vt_ioctl(cpu->vm->fd, VITRO_STATS, &stats))
		vt_die("VITRO_STATS");
	return stats.counter[which];
}

void vt_jump(struct vt_cpu *cpu, const void *entry)
{
	cpu->comm->state.gprs.rip = (uintptr_t)entry;
	cpu->comm->dirty |= VITRO_STATE_GPRS;
}

void vt_finish(struct vt_cpu *cpu)
{
	if (!cpu->comm->exit.insn_len)
		vt_die("an exit with insn_len 0 cannot be finished");
	cpu->comm->state.gprs.rip += cpu->comm->exit.insn_len;
	cpu->comm->dirty |= VITRO_STATE_GPRS;
}

void vt_in(struct vt_cpu *cpu, uint32_t value)
{
	/* A 4-byte result is zero-extended, others leave the rest alone (SDM 1 3.4.1.1). */
	switch (cpu->comm->exit.io.size) {
	case 1:
		memcpy(&cpu->gpr[VITRO_RAX], &value, 1);
		break;
	case 2:
		memcpy(&cpu->gpr[VITRO_RAX], &value, 2);
		break;
	default:
		cpu->gpr[VITRO_RAX] = value;
	}
	vt_finish(cpu);
}

void vt_raise(struct vt_cpu *cpu, uint8_t vector, int error)
{
	struct vitro_events *ev = &cpu->comm->state.events;

	vt_get(cpu, VITRO_STATE_EVENTS);
	ev->exc_pending = 1;
	ev->exc_vector = vector;
	ev->exc_has_error = error >= 0;
	ev->exc_error = error >= 0 ? error : 0;
	cpu->comm->dirty |= VITRO_STATE_EVENTS;
}

static uint64_t run_to_port(struct vt_cpu *cpu, uint16_t port)
{
	struct vitro_exit *e = &cpu->comm->exit;

	if (vt_run(cpu) != VITRO_EXIT_IO || e->io.port != port || e->io.size != 4 ||
	    e->io.flags & VITRO_IO_IN) {
		vt_dump(cpu);
		return VT_NOTHING;
	}
	vt_finish(cpu);
	return e->io.data;
}

uint64_t vt_says(struct vt_cpu *cpu)
{
	return run_to_port(cpu, PORT_SAY);
}

uint64_t vt_trap(struct vt_cpu *cpu)
{
	return run_to_port(cpu, PORT_TRAP);
}

struct vt_frame *vt_frame(struct vt_cpu *cpu)
{
	uint64_t rsp = cpu->gpr[VITRO_RSP];

	if (rsp > MEM_SIZE - sizeof(struct vt_frame))
		vt_die("rsp %#llx: no trap frame there", (unsigned long long)rsp);
	return (void *)(cpu->vm->mem + rsp);
}

/* ----------------------------------------------------------------- others */

void *vt_ptr(struct vt_vm *vm, const void *sym)
{
	if ((uintptr_t)sym >= MEM_SIZE)
		vt_die("%p is not in the guest's memory", sym);
	return vm->mem + (uintptr_t)sym;
}

uint64_t vt_var(struct vt_vm *vm, const void *sym)
{
	return *(volatile uint64_t *)vt_ptr(vm, sym);
}

int vt_msi(struct vt_vm *vm, uint64_t addr, uint32_t data)
{
	struct vitro_msi msi = { .addr = addr, .data = data };

	return vt_ioctl(vm->fd, VITRO_SIGNAL_MSI, &msi);
}

uint64_t vt_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

void vt_sleep_ms(unsigned int ms)
{
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };

	while (nanosleep(&t, &t) && errno == EINTR)
		;
}
