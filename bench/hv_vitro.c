// SPDX-License-Identifier: GPL-2.0-or-later
/* /dev/vitro, by way of libvitro: it emulates in userspace what KVM emulates in the kernel. */
#include <linux/kvm_para.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <vitro/vitro.h>

#include "bench.h"

static struct vitro *dev;

static void check(bool good)
{
	if (!good)
		die("%s", vitro_error());
}

static void open_vitro(struct hypervisor *self)
{
	dev = vitro_open(NULL);
	check(dev);
	self->vmx = vitro_get_info(dev)->vendor == VITRO_VENDOR_VMX;
}

static void vm_create(struct machine *m)
{
	m->vm = vitro_vm_create(dev);
	check(m->vm);
}

static void vm_destroy(struct machine *m)
{
	for (int i = 0; i < MAX_VCPUS; i++)
		vitro_vcpu_destroy(m->vcpu[i]);
	vitro_vm_destroy(m->vm);
}

/* Slots other than machine_new()'s are the first and only at their address. */
static void slot(struct machine *m, unsigned int id, uint64_t gpa, uint64_t size, void *hva,
		 bool log_dirty)
{
	(void)id;
	if (size)
		check(!vitro_mem_map(m->vm, gpa, size, hva, log_dirty ? VITRO_SLOT_LOG_DIRTY : 0));
	else
		check(!vitro_mem_unmap(m->vm, gpa));
}

static void dirty_log(struct machine *m, unsigned int id, uint64_t pages, uint64_t *bitmap)
{
	check(!vitro_mem_dirty_log(m->vm, id ? TOUCHED : 0, 0, pages, bitmap));
}

static void vcpu_create(struct machine *m, unsigned int id)
{
	m->vcpu[id] = vitro_vcpu_create(m->vm, id);
	check(m->vcpu[id]);
}

/* The vCPU has that table already.  KVM's turn comes when this module is gone. */
static void cpuid(struct machine *m, unsigned int id)
{
	const struct vitro_cpuid_entry *table;
	unsigned int nr;
	FILE *f;

	(void)m;
	(void)id;
	table = vitro_get_cpuid(dev, &nr);
	f = fopen(CPUID_FILE, "w");
	if (!f || fwrite(table, sizeof(*table), nr, f) != nr || fclose(f))
		die("cannot write %s", CPUID_FILE);
}

static void start(struct machine *m, unsigned int id, const struct vitro_state *state)
{
	struct vitro_state *s = &vitro_vcpu_comm(m->vcpu[id])->state;

	check(!vitro_vcpu_get(m->vcpu[id], VITRO_STATE_EVENTS));
	s->gprs = state->gprs;
	s->segs = state->segs;
	s->crs = state->crs;
	s->events.mp_state = VITRO_MP_RUNNABLE;
	check(!vitro_vcpu_set(m->vcpu[id], VITRO_STATE_GPRS | VITRO_STATE_SEGS |
						  VITRO_STATE_CRS | VITRO_STATE_EVENTS));
}

static int on_io(void *opaque, struct vitro_vcpu *vcpu, uint16_t port, int size, bool in,
		 uint32_t *data)
{
	bool *done = opaque;

	(void)vcpu;
	(void)size;
	if (in)
		*data = UINT32_MAX;
	else
		*done = device_out(port, *data);
	return 0;
}

static int on_mmio(void *opaque, struct vitro_vcpu *vcpu, uint64_t gpa, int size, bool write,
		   uint64_t *data)
{
	(void)opaque;
	(void)vcpu;
	(void)gpa;
	(void)size;
	if (!write)
		*data = UINT64_MAX;
	return 0;
}

/* One that the VMM knows, and reads as 0.  There are no others: #GP. */
static void msr(struct vitro_vcpu *vcpu)
{
	struct vitro_comm *comm = vitro_vcpu_comm(vcpu);

	if (comm->exit.msr.index != MSR_USER) {
		check(!vitro_raise(vcpu, 13, true, 0));
		return;
	}
	comm->state.gprs.gpr[VITRO_RAX] = 0;
	comm->state.gprs.gpr[VITRO_RDX] = 0;
	check(!vitro_finish_insn(vcpu));
}

static void run(struct machine *m, unsigned int id)
{
	struct vitro_vcpu *vcpu = m->vcpu[id];
	struct vitro_comm *comm = vitro_vcpu_comm(vcpu);
	bool done = false;
	const struct vitro_bus bus = { .io = on_io, .mmio = on_mmio, .opaque = &done };

	comm->wanted = VITRO_STATE_GPRS;
	while (!done) {
		check(!vitro_vcpu_run(vcpu));
		switch (comm->exit.reason) {
		case VITRO_EXIT_IO:
			check(!vitro_emulate_io(vcpu, &bus));
			break;
		case VITRO_EXIT_MMIO:
			check(!vitro_emulate_mmio(vcpu, &bus));
			break;
		case VITRO_EXIT_RDMSR:
		case VITRO_EXIT_WRMSR:
			msr(vcpu);
			break;
		case VITRO_EXIT_HYPERCALL:
			comm->state.gprs.gpr[VITRO_RAX] = -KVM_ENOSYS;	/* as KVM's kernel says */
			check(!vitro_finish_insn(vcpu));
			break;
		case VITRO_EXIT_INTR:
			break;
		default:
			die("unexpected exit %u", comm->exit.reason);
		}
	}
}

static void run_nothing(struct machine *m)
{
	vitro_vcpu_comm(m->vcpu[0])->immediate_exit = 1;
	check(!vitro_vcpu_run(m->vcpu[0]));
	vitro_vcpu_comm(m->vcpu[0])->immediate_exit = 0;
}

static void ioeventfd(struct machine *m, uint64_t addr, unsigned int len, bool pio, int fd)
{
	struct vitro_ioeventfd io = {
		.addr = addr, .len = len, .fd = fd, .flags = pio ? VITRO_IOEVENTFD_PIO : 0,
	};

	check(!vitro_vm_ioeventfd(m->vm, &io));
}

static void irqfd(struct machine *m, int fd)
{
	check(!vitro_vm_irqfd(m->vm, fd, 0xfee00000, VECTOR, 0));
}

struct hypervisor hv_vitro = {
	.name = "vitro",
	.open = open_vitro,
	.vm_create = vm_create,
	.vm_destroy = vm_destroy,
	.slot = slot,
	.dirty_log = dirty_log,
	.vcpu_create = vcpu_create,
	.cpuid = cpuid,
	.start = start,
	.run = run,
	.run_nothing = run_nothing,
	.ioeventfd = ioeventfd,
	.irqfd = irqfd,
};
