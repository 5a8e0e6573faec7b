// SPDX-License-Identifier: GPL-2.0-only
/* Virtual machines: their birth and their end. */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "core/core.h"
#include "glass/glass.h"
#include "mm/mm.h"

static unsigned int max_vms = VITRO_DEFAULT_VMS;
module_param(max_vms, uint, 0644);
MODULE_PARM_DESC(max_vms, "VMs that there can be at a time, of all users");

static atomic_t nr_vms;

/**
 * vm_create - a VM of the calling process
 *
 * Returns it with one reference, or an ERR_PTR: -ENOSPC, -ENOMEM, -EINTR.
 */
struct vitro_vm *vm_create(void)
{
	struct vitro_vm *vm;
	int ret = -ENOSPC;

	if ((u32)atomic_inc_return(&nr_vms) > READ_ONCE(max_vms))
		goto out_nr;
	ret = -ENOMEM;
	vm = kzalloc(sizeof(*vm), GFP_KERNEL_ACCOUNT);
	if (!vm)
		goto out_nr;
	refcount_set(&vm->refs, 1);
	mutex_init(&vm->lock);
	INIT_LIST_HEAD(&vm->irqfds);
	vm->mm = current->mm;
	mmgrab(vm->mm);
	clock_vm_init(vm);
	deadline_init(vm);

	ret = tdp_init(vm);
	if (ret)
		goto out_mm;
	/* From here on the process's changes of its memory arrive. */
	ret = notifier_register(vm);
	if (ret)
		goto out_tdp;
	glass_vm_init(vm);
	return vm;

out_tdp:
	tdp_fini(vm);
out_mm:
	mmdrop(vm->mm);
	kfree(vm);
out_nr:
	atomic_dec(&nr_vms);
	return ERR_PTR(ret);
}

/**
 * vm_put - drop a reference; the last one destroys the VM
 * @vm: the VM
 *
 * May sleep.
 */
void vm_put(struct vitro_vm *vm)
{
	if (!refcount_dec_and_test(&vm->refs))
		return;
	deadline_fini(vm);
	glass_vm_fini(vm);
	eventfd_vm_fini(vm);
	notifier_unregister(vm);
	slots_free(vm);
	tdp_fini(vm);
	mmdrop(vm->mm);
	kfree(vm);
	atomic_dec(&nr_vms);
}

/**
 * vm_create_vcpu - VITRO_CREATE_VCPU
 * @vm: the VM; its lock is held
 * @id: number of the vCPU, in range
 *
 * Returns its fd, or -EEXIST, -ENOMEM, -EMFILE, -ENFILE.
 */
int vm_create_vcpu(struct vitro_vm *vm, u32 id)
{
	struct vitro_vcpu *vcpu;
	struct file *file;
	int fd;

	if (rcu_access_pointer(vm->vcpu[id]))
		return -EEXIST;
	vcpu = vcpu_create(vm, id);
	if (IS_ERR(vcpu))
		return PTR_ERR(vcpu);

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		goto out_vcpu;
	file = anon_inode_getfile("vitro-vcpu", &vitro_vcpu_fops, vcpu, O_RDWR);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		fd = PTR_ERR(file);
		goto out_vcpu;
	}
	/* First among the others' vCPUs, then in the process's hands. */
	rcu_assign_pointer(vm->vcpu[id], vcpu);
	deadline_new_vcpu(vcpu);
	glass_vcpu_event(vcpu, VITRO_EVENT_VCPU_CREATED);
	fd_install(fd, file);
	return fd;

out_vcpu:
	vcpu_free(vcpu);
	return fd;
}
