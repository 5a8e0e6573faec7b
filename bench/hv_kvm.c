// SPDX-License-Identifier: GPL-2.0-or-later
/* /dev/kvm.  The calls are those of the kernel's Documentation/virt/kvm/api.rst. */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cpuid.h>

#include "bench.h"

#define MAX_CPUID	256
#define MISC_ENABLE	0x1a0	/* IA32_MISC_ENABLE (SDM 4, table 2-2) */
#define FAST_STRING	(1 << 0)

static int dev;
static int run_size;
static struct kvm_cpuid2 *cpuid;

struct kvm_vm {
	int fd;
};

struct kvm_cpu {
	int fd;
	struct kvm_run *run;
};

static int call(int fd, unsigned long request, void *arg, const char *name)
{
	int ret = ioctl(fd, request, arg);

	if (ret < 0)
		die("%s: %s", name, strerror(errno));
	return ret;
}

#define CALL(fd, request, arg)	call(fd, request, (void *)(uintptr_t)(arg), #request)

static void kvm_open(struct hypervisor *self)
{
	unsigned int a, b, c, d;

	dev = open("/dev/kvm", O_RDWR);
	if (dev < 0)
		die("/dev/kvm: %s", strerror(errno));
	run_size = CALL(dev, KVM_GET_VCPU_MMAP_SIZE, 0);
	cpuid = calloc(1, sizeof(*cpuid) + MAX_CPUID * sizeof(cpuid->entries[0]));
	cpuid->nent = MAX_CPUID;
	CALL(dev, KVM_GET_SUPPORTED_CPUID, cpuid);
	/* KVM_CAP_TSC_DEADLINE_TIMER, which that list leaves to be added. */
	for (unsigned int i = 0; i < cpuid->nent; i++)
		if (cpuid->entries[i].function == 1)
			cpuid->entries[i].ecx |= 1 << 24;
	__cpuid(0, a, b, c, d);
	self->vmx = b == signature_INTEL_ebx;
}

static void enable(int vm, uint32_t cap, uint64_t arg)
{
	struct kvm_enable_cap enable = { .cap = cap, .args = { arg } };

	CALL(vm, KVM_ENABLE_CAP, &enable);
}

static void kvm_vm_create(struct machine *m)
{
	struct kvm_vm *vm = calloc(1, sizeof(*vm));

	vm->fd = CALL(dev, KVM_CREATE_VM, 0);
	m->vm = vm;
	CALL(vm->fd, KVM_SET_TSS_ADDR, 0xfffbd000);
	enable(vm->fd, KVM_CAP_SPLIT_IRQCHIP, 24);
	enable(vm->fd, KVM_CAP_X86_USER_SPACE_MSR, KVM_MSR_EXIT_REASON_UNKNOWN);
}

static void kvm_vm_destroy(struct machine *m)
{
	struct kvm_vm *vm = m->vm;

	for (int i = 0; i < MAX_VCPUS; i++) {
		struct kvm_cpu *cpu = m->vcpu[i];

		if (!cpu)
			continue;
		munmap(cpu->run, run_size);
		close(cpu->fd);
		free(cpu);
	}
	close(vm->fd);
	free(vm);
}

static void kvm_slot(struct machine *m, unsigned int slot, uint64_t gpa, uint64_t size, void *hva,
		     bool log_dirty)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot, .flags = log_dirty ? KVM_MEM_LOG_DIRTY_PAGES : 0,
		.guest_phys_addr = gpa, .memory_size = size, .userspace_addr = (uintptr_t)hva,
	};

	CALL(((struct kvm_vm *)m->vm)->fd, KVM_SET_USER_MEMORY_REGION, &region);
}

static void kvm_dirty_log(struct machine *m, unsigned int slot, uint64_t pages, uint64_t *bitmap)
{
	struct kvm_dirty_log log = { .slot = slot, .dirty_bitmap = bitmap };

	(void)pages;
	CALL(((struct kvm_vm *)m->vm)->fd, KVM_GET_DIRTY_LOG, &log);
}

static void kvm_vcpu_create(struct machine *m, unsigned int id)
{
	struct kvm_cpu *cpu = calloc(1, sizeof(*cpu));

	cpu->fd = CALL(((struct kvm_vm *)m->vm)->fd, KVM_CREATE_VCPU, id);
	cpu->run = mmap(NULL, run_size, PROT_READ | PROT_WRITE, MAP_SHARED, cpu->fd, 0);
	if (cpu->run == MAP_FAILED)
		die("mmap of a vCPU: %s", strerror(errno));
	CALL(cpu->fd, KVM_SET_CPUID2, cpuid);
	m->vcpu[id] = cpu;
}

/*
 * What vitro's vCPUs have, so that both guests do the same things: without FAST_STRING, which
 * KVM leaves to its VMM, Linux clears its memory by loops instead of REP STOS.
 */
static void kvm_same_cpuid(struct machine *m, unsigned int id)
{
	struct vitro_cpuid_entry table[VITRO_MAX_CPUID];
	struct kvm_cpuid2 *same = calloc(1, sizeof(*same) + sizeof(table[0]) * VITRO_MAX_CPUID);
	struct kvm_msrs *msrs = calloc(1, sizeof(*msrs) + sizeof(msrs->entries[0]));
	FILE *f = fopen(CPUID_FILE, "r");
	unsigned int i;

	if (!f)
		die("no %s; bench vitro leaves it, for the same guest", CPUID_FILE);
	same->nent = fread(table, sizeof(table[0]), VITRO_MAX_CPUID, f);
	fclose(f);
	for (i = 0; i < same->nent; i++) {
		const struct vitro_cpuid_entry *e = &table[i];

		same->entries[i] = (struct kvm_cpuid_entry2){
			.function = e->leaf, .index = e->subleaf,
			.flags = e->flags & VITRO_CPUID_INDEXED ?
				 KVM_CPUID_FLAG_SIGNIFCANT_INDEX : 0,
			.eax = e->eax, .ebx = e->ebx, .ecx = e->ecx, .edx = e->edx,
		};
		if (e->leaf == 1)
			same->entries[i].ebx |= id << 24;	/* the APIC's id */
	}
	CALL(((struct kvm_cpu *)m->vcpu[id])->fd, KVM_SET_CPUID2, same);
	free(same);

	msrs->nmsrs = 1;
	msrs->entries[0] = (struct kvm_msr_entry){ .index = MISC_ENABLE, .data = FAST_STRING };
	if (CALL(((struct kvm_cpu *)m->vcpu[id])->fd, KVM_SET_MSRS, msrs) != 1)
		die("KVM has no IA32_MISC_ENABLE");
	free(msrs);
}

static struct kvm_segment segment(const struct vitro_segment *seg)
{
	return (struct kvm_segment){
		.selector = seg->selector, .limit = seg->limit, .base = seg->base,
		.type = seg->attrib & VITRO_SEG_TYPE,
		.s = !!(seg->attrib & VITRO_SEG_S), .dpl = (seg->attrib & VITRO_SEG_DPL) >> 5,
		.present = !!(seg->attrib & VITRO_SEG_P), .l = !!(seg->attrib & VITRO_SEG_L),
		.db = !!(seg->attrib & VITRO_SEG_DB), .g = !!(seg->attrib & VITRO_SEG_G),
		.unusable = !(seg->attrib & VITRO_SEG_P),
	};
}

static struct kvm_dtable dtable(const struct vitro_dtable *table)
{
	return (struct kvm_dtable){ .base = table->base, .limit = table->limit };
}

static void kvm_start(struct machine *m, unsigned int id, const struct vitro_state *state)
{
	const struct vitro_segment *seg = state->segs.seg;
	const __u64 *gpr = state->gprs.gpr;
	struct kvm_regs regs = {
		.rip = state->gprs.rip, .rflags = state->gprs.rflags,
		.rsp = gpr[VITRO_RSP], .rsi = gpr[VITRO_RSI], .rdi = gpr[VITRO_RDI],
	};
	struct kvm_mp_state runnable = { .mp_state = KVM_MP_STATE_RUNNABLE };
	struct kvm_cpu *cpu = m->vcpu[id];
	struct kvm_sregs s;

	CALL(cpu->fd, KVM_GET_SREGS, &s);
	s.cs = segment(&seg[VITRO_CS]);
	s.ds = segment(&seg[VITRO_DS]);
	s.es = segment(&seg[VITRO_ES]);
	s.fs = segment(&seg[VITRO_FS]);
	s.gs = segment(&seg[VITRO_GS]);
	s.ss = segment(&seg[VITRO_SS]);
	s.tr = segment(&seg[VITRO_TR]);
	s.ldt = segment(&seg[VITRO_LDTR]);
	s.gdt = dtable(&state->segs.gdtr);
	s.idt = dtable(&state->segs.idtr);
	s.cr0 = state->crs.cr0;
	s.cr3 = state->crs.cr3;
	s.cr4 = state->crs.cr4;
	s.efer = state->crs.efer;
	CALL(cpu->fd, KVM_SET_SREGS, &s);
	CALL(cpu->fd, KVM_SET_REGS, &regs);
	CALL(cpu->fd, KVM_SET_MP_STATE, &runnable);
}

/* As in hv_vitro.c. */
static void kvm_msr(struct kvm_run *run)
{
	run->msr.data = 0;
	run->msr.error = run->msr.index != MSR_USER;
}

static void kvm_run(struct machine *m, unsigned int id)
{
	struct kvm_cpu *cpu = m->vcpu[id];
	struct kvm_run *run = cpu->run;
	uint8_t *data;

	for (;;) {
		if (ioctl(cpu->fd, KVM_RUN, 0)) {
			if (errno != EINTR && errno != EAGAIN)
				die("KVM_RUN: %s", strerror(errno));
			continue;
		}
		switch (run->exit_reason) {
		case KVM_EXIT_IO:
			data = (uint8_t *)run + run->io.data_offset;
			if (run->io.direction == KVM_EXIT_IO_IN)
				memset(data, 0xff, run->io.size * run->io.count);
			else if (device_out(run->io.port, *data))
				return;
			break;
		case KVM_EXIT_MMIO:
			if (!run->mmio.is_write)
				memset(run->mmio.data, 0xff, run->mmio.len);
			break;
		case KVM_EXIT_X86_RDMSR:
		case KVM_EXIT_X86_WRMSR:
			kvm_msr(run);
			break;
		default:
			die("unexpected exit %u", run->exit_reason);
		}
	}
}

static void kvm_run_nothing(struct machine *m)
{
	struct kvm_cpu *cpu = m->vcpu[0];

	cpu->run->immediate_exit = 1;
	if (!ioctl(cpu->fd, KVM_RUN, 0) || errno != EINTR)
		die("immediate_exit: %s", strerror(errno));
	cpu->run->immediate_exit = 0;
}

static void kvm_ioeventfd(struct machine *m, uint64_t addr, unsigned int len, bool pio, int fd)
{
	struct kvm_ioeventfd io = {
		.addr = addr, .len = len, .fd = fd, .flags = pio ? KVM_IOEVENTFD_FLAG_PIO : 0,
	};

	CALL(((struct kvm_vm *)m->vm)->fd, KVM_IOEVENTFD, &io);
}

static void kvm_irqfd(struct machine *m, int fd)
{
	struct {
		struct kvm_irq_routing head;
		struct kvm_irq_routing_entry entry;
	} routing = {
		.head.nr = 1,
		.entry = {
			.gsi = 1, .type = KVM_IRQ_ROUTING_MSI,
			.u.msi = { .address_lo = 0xfee00000, .data = VECTOR },
		},
	};
	struct kvm_irqfd irqfd = { .fd = fd, .gsi = 1 };
	int vm = ((struct kvm_vm *)m->vm)->fd;

	CALL(vm, KVM_SET_GSI_ROUTING, &routing);
	CALL(vm, KVM_IRQFD, &irqfd);
}

struct hypervisor hv_kvm = {
	.name = "kvm",
	.open = kvm_open,
	.vm_create = kvm_vm_create,
	.vm_destroy = kvm_vm_destroy,
	.slot = kvm_slot,
	.dirty_log = kvm_dirty_log,
	.vcpu_create = kvm_vcpu_create,
	.cpuid = kvm_same_cpuid,
	.start = kvm_start,
	.run = kvm_run,
	.run_nothing = kvm_run_nothing,
	.ioeventfd = kvm_ioeventfd,
	.irqfd = kvm_irqfd,
};
