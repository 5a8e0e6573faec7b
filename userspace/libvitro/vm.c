// SPDX-License-Identifier: LGPL-2.1-or-later
/* A virtual machine: its life, its interrupts, its counters.  Memory is in mem.c. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "internal.h"

static const char *create_cure(int err)
{
	switch (err) {
	case EBUSY:
		return "another hypervisor holds the CPU; unload it (rmmod kvm_amd or kvm_intel)";
	case EMFILE:
		return "close some descriptors, or raise the limit (ulimit -n)";
	case ENOSPC:
		return "there are as many VMs as /sys/module/vitro/parameters/max_vms allows";
	default:
		return "see the kernel log (dmesg | grep vitro)";
	}
}

struct vitro_vm *vitro_vm_create(struct vitro *dev)
{
	struct vitro_create_vm arg = { 0 };
	struct vitro_vm *vm = calloc(1, sizeof(*vm));
	int err;

	if (!vm)
		return vi_fail_ptr(ENOMEM, "no memory for a VM handle");
	vm->max_slots = dev->info.max_slots;
	if (vm->max_slots > VITRO_MAX_SLOTS)
		vm->max_slots = VITRO_MAX_SLOTS;
	vm->gpa_bits = dev->info.gpa_bits;
	vm->comm_size = dev->info.comm_size;
	vm->fd = ioctl(dev->fd, VITRO_CREATE_VM, &arg);
	if (vm->fd < 0) {
		err = errno;
		free(vm);
		return vi_fail_ptr(err, "cannot create a VM: %s; %s", strerror(err),
				   create_cure(err));
	}
	pthread_rwlock_init(&vm->lock, NULL);
	return vm;
}

void vitro_vm_destroy(struct vitro_vm *vm)
{
	if (!vm)
		return;
	/* The kernel lets go of the memory first: nothing can run in what is unmapped. */
	close(vm->fd);
	for (unsigned int i = 0; i < vm->nr_slots; i++) {
		if (vm->slot[i].size && vm->slot[i].owned)
			munmap(vm->slot[i].hva, vm->slot[i].size);
	}
	pthread_rwlock_destroy(&vm->lock);
	free(vm);
}

int vitro_vm_fd(const struct vitro_vm *vm)
{
	return vm->fd;
}

int vitro_vm_msi(struct vitro_vm *vm, uint64_t addr, uint32_t data)
{
	struct vitro_msi msi = { .addr = addr, .data = data };
	int ret = ioctl(vm->fd, VITRO_SIGNAL_MSI, &msi);

	if (ret < 0)
		return vi_fail(errno, "MSI to address 0x%llx, data 0x%x: %s",
			       (unsigned long long)addr, data, strerror(errno));
	return ret;
}

int vitro_vm_irqfd(struct vitro_vm *vm, int fd, uint64_t addr, uint32_t data, uint32_t flags)
{
	struct vitro_irqfd irqfd = { .fd = fd, .flags = flags, .addr = addr, .data = data };

	if (ioctl(vm->fd, VITRO_IRQFD, &irqfd) < 0)
		return vi_fail(errno, "cannot %s eventfd %d %s MSIs: %s",
			       flags & VITRO_IRQFD_DEASSIGN ? "stop" : "make", fd,
			       flags & VITRO_IRQFD_DEASSIGN ? "sending" : "send", strerror(errno));
	return 0;
}

int vitro_vm_ioeventfd(struct vitro_vm *vm, const struct vitro_ioeventfd *io)
{
	if (ioctl(vm->fd, VITRO_IOEVENTFD, io) < 0)
		return vi_fail(errno, "eventfd %d for writes to %s 0x%llx: %s", io->fd,
			       io->flags & VITRO_IOEVENTFD_PIO ? "port" : "gpa",
			       (unsigned long long)io->addr, strerror(errno));
	return 0;
}

int vitro_vm_deadline(struct vitro_vm *vm, uint64_t ns)
{
	struct vitro_deadline arg = { .ns = ns };

	if (ioctl(vm->fd, VITRO_SET_DEADLINE, &arg) < 0)
		return vi_fail(errno, "cannot set a deadline: %s", strerror(errno));
	return 0;
}

int vitro_vm_stats(struct vitro_vm *vm, unsigned int vcpu, struct vitro_stats *stats)
{
	memset(stats, 0, sizeof(*stats));
	stats->vcpu = vcpu;
	if (ioctl(vm->fd, VITRO_STATS, stats) < 0)
		return vi_fail(errno, "no counters of vCPU %u: %s", vcpu, strerror(errno));
	return 0;
}
