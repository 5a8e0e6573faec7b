// SPDX-License-Identifier: GPL-2.0-or-later
/* /dev/kvm.  The calls are those of the kernel's Documentation/virt/kvm/api.rst. */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cpuid.h>

#include "bench.h"

#define MAX_CPUID	256

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
	struct kvm_mp_state runnable = { .mp_state = KVM_MP_STATE_RUNNABLE };
	struct kvm_cpu *cpu = calloc(1, sizeof(*cpu));

	cpu->fd = CALL(((struct kvm_vm *)m->vm)->fd, KVM_CREATE_VCPU, id);
	cpu->run = mmap(NULL, run_size, PROT_READ | PROT_WRITE, MAP_SHARED, cpu->fd, 0);
	if (cpu->run == MAP_FAILED)
		die("mmap of a vCPU: %s", strerror(errno));
	CALL(cpu->fd, KVM_SET_CPUID2, cpuid);
	CALL(cpu->fd, KVM_SET_MP_STATE, &runnable);
	m->vcpu[id] = cpu;
}

static struct kvm_segment segment(uint16_t selector, uint8_t type, bool code)
{
	return (struct kvm_segment){
		.selector = selector, .type = type, .present = 1, .s = 1, .g = 1,
		.limit = 0xffffffff, .l = code, .db = !code,
	};
}

static void kvm_start(struct machine *m, unsigned int id, uint64_t rip, uint64_t rsp,
		      uint64_t count)
{
	struct kvm_regs regs = { .rip = rip, .rsp = rsp, .rdi = count, .rflags = 2 };
	struct kvm_cpu *cpu = m->vcpu[id];
	struct kvm_sregs s;

	CALL(cpu->fd, KVM_GET_SREGS, &s);
	s.cs = segment(SEL_CODE, 0xb, true);
	s.ds = segment(SEL_DATA, 3, false);
	s.es = s.ds;
	s.fs = s.ds;
	s.gs = s.ds;
	s.ss = s.ds;
	s.tr = (struct kvm_segment){
		.selector = SEL_TSS, .type = 0xb, .present = 1, .base = TSS, .limit = 0x67,
	};
	s.gdt = (struct kvm_dtable){ .base = GDT, .limit = 0x27 };
	s.idt = (struct kvm_dtable){ .base = IDT, .limit = 0xfff };
	s.cr0 = 0x80010031;	/* PG, WP, NE, ET, PE */
	s.cr3 = PML4;
	s.cr4 = 0x620;		/* OSXMMEXCPT, OSFXSR, PAE */
	s.efer = 0x500;		/* LMA, LME */
	CALL(cpu->fd, KVM_SET_SREGS, &s);
	CALL(cpu->fd, KVM_SET_REGS, &regs);
}

static void kvm_run(struct machine *m, unsigned int id)
{
	struct kvm_cpu *cpu = m->vcpu[id];
	struct kvm_run *run = cpu->run;

	for (;;) {
		if (ioctl(cpu->fd, KVM_RUN, 0) && errno != EINTR && errno != EAGAIN)
			die("KVM_RUN: %s", strerror(errno));
		switch (run->exit_reason) {
		case KVM_EXIT_IO:
			if (run->io.direction == KVM_EXIT_IO_IN)
				*((uint8_t *)run + run->io.data_offset) = 0;
			else if (run->io.port == PORT_DONE)
				return;
			break;
		case KVM_EXIT_MMIO:
			if (!run->mmio.is_write)
				memset(run->mmio.data, 0, run->mmio.len);
			break;
		case KVM_EXIT_X86_RDMSR:
			run->msr.data = 0;
			run->msr.error = 0;
			break;
		case KVM_EXIT_INTR:
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
	.start = kvm_start,
	.run = kvm_run,
	.run_nothing = kvm_run_nothing,
	.ioeventfd = kvm_ioeventfd,
	.irqfd = kvm_irqfd,
};
