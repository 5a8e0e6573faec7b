// SPDX-License-Identifier: GPL-2.0-only
/*
 * From file descriptors to the functions that do the work.  One table per kind of
 * fd says which struct a command takes and which lock is held while it works, so
 * that no function needs to take it.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "apic/apic.h"
#include "core/core.h"
#include "glass/glass.h"
#include "mm/mm.h"

/* Room for any of the ABI's argument structs. */
union ioctl_arg {
	struct vitro_info info;
	struct vitro_create_vm create_vm;
	struct vitro_memslot memslot;
	struct vitro_dirty_log dirty_log;
	struct vitro_create_vcpu create_vcpu;
	struct vitro_msi msi;
	struct vitro_irqfd irqfd;
	struct vitro_ioeventfd ioeventfd;
	struct vitro_stats stats;
	struct vitro_state_mask state_mask;
	struct vitro_cpuid cpuid;
	struct vitro_lapic_rw lapic_rw;
	struct vitro_dump dump;
	struct vitro_name name;
	struct vitro_report report;
	struct vitro_record_start record_start;
	struct vitro_debug debug;
	struct vitro_tdp_walk tdp_walk;
	struct vitro_deadline deadline;
};

/**
 * struct ioctl_cmd - one command
 * @cmd: its number, with size and direction of its argument in this kernel
 * @first_size: size of the argument in the first version of the ABI
 * @lock: what to hold
 * @fn: does it; @arg has been copied in, and is copied out for _IOR commands also
 *	when @fn fails with -E2BIG (a struct that says how much room is needed)
 */
struct ioctl_cmd {
	unsigned int cmd;
	unsigned int first_size;
	enum { LOCK_NONE, LOCK_OBJECT } lock;
	int (*fn)(void *object, union ioctl_arg *arg);
};

#define CMD(_cmd, _type, _lock, _fn) \
	{ .cmd = _cmd, .first_size = sizeof(_type), .lock = _lock, .fn = _fn }

static long locked_call(const struct ioctl_cmd *c, void *object, struct mutex *lock,
			union ioctl_arg *arg)
{
	long ret;

	if (c->lock == LOCK_NONE)
		return c->fn(object, arg);
	if (mutex_lock_interruptible(lock))
		return -EINTR;
	ret = c->fn(object, arg);
	mutex_unlock(lock);
	return ret;
}

/* Apart: a kernel that zeroes stack variables would zero the union for each VITRO_RUN. */
static noinline long call_with_arg(const struct ioctl_cmd *c, void *object,
				   struct mutex *lock, unsigned int size, void __user *uarg)
{
	unsigned int known = _IOC_SIZE(c->cmd);
	union ioctl_arg arg;
	long ret;

	memset(&arg, 0, sizeof(arg));
	ret = copy_struct_from_user(&arg, known, uarg, size);
	if (ret)
		return ret;
	ret = locked_call(c, object, lock, &arg);
	if ((_IOC_DIR(c->cmd) & _IOC_READ) && (ret >= 0 || ret == -E2BIG) &&
	    copy_to_user(uarg, &arg, min(known, size)))
		return -EFAULT;
	return ret;
}

/*
 * Runs @cmd of @table on @object.  Commands are found by type and number alone: the
 * size in @cmd is that of the struct the caller was compiled with, and may differ.
 */
static long run_ioctl(const struct ioctl_cmd *table, int nr_cmds, void *object,
		      struct mutex *lock, unsigned int cmd, unsigned long user)
{
	unsigned int size = _IOC_SIZE(cmd);
	const struct ioctl_cmd *c;
	int i;

	for (i = 0; i < nr_cmds; i++) {
		c = &table[i];
		if (((c->cmd ^ cmd) & ~(_IOC_SIZEMASK << _IOC_SIZESHIFT)) == 0)
			break;
	}
	if (i == nr_cmds)
		return -ENOTTY;
	if (size < c->first_size)
		return -EINVAL;
	if (!_IOC_SIZE(c->cmd))
		return locked_call(c, object, lock, NULL);
	return call_with_arg(c, object, lock, size, (void __user *)user);
}

/* ------------------------------------------------------------------ /dev/vitro */

static int get_info(void *unused, union ioctl_arg *arg)
{
	struct vitro_info *info = &arg->info;
	u32 room = info->nr_cpuid;

	if (info->pad)
		return -EINVAL;
	info->abi_version = VITRO_ABI_VERSION;
	info->vendor = backend->vendor;
	info->cpu_features = backend->features;
	info->max_vcpus = VITRO_MAX_VCPUS;
	info->max_slots = VITRO_MAX_SLOTS;
	info->gpa_bits = mmu_gpa_bits();
	info->comm_size = PAGE_ALIGN(sizeof(struct vitro_comm));
	info->tsc_khz = tsc_khz;
	info->xcr0 = host_xcr0();
	info->xsave_size = host_xsave_size();
	return cpuid_copy_default(u64_to_user_ptr(info->cpuid), room, &info->nr_cpuid);
}

static int create_vm(void *unused, union ioctl_arg *arg)
{
	struct vitro_vm *vm;
	int fd;

	if (arg->create_vm.flags || arg->create_vm.pad)
		return -EINVAL;
	vm = vm_create();
	if (IS_ERR(vm))
		return PTR_ERR(vm);
	fd = anon_inode_getfd("vitro-vm", &vitro_vm_fops, vm, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		vm_put(vm);
	return fd;
}

static const struct ioctl_cmd dev_cmds[] = {
	CMD(VITRO_GET_INFO, struct vitro_info, LOCK_NONE, get_info),
	CMD(VITRO_CREATE_VM, struct vitro_create_vm, LOCK_NONE, create_vm),
};

static long dev_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return run_ioctl(dev_cmds, ARRAY_SIZE(dev_cmds), NULL, NULL, cmd, arg);
}

const struct file_operations vitro_dev_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = dev_ioctl,
	.llseek = noop_llseek,
};

/* ------------------------------------------------------------------------- VM */

static int vm_set_memslot(void *vm, union ioctl_arg *arg)
{
	return slots_set(vm, &arg->memslot);
}

static int vm_dirty_log(void *vm, union ioctl_arg *arg)
{
	return dirty_get(vm, &arg->dirty_log);
}

static int vm_new_vcpu(void *vm, union ioctl_arg *arg)
{
	if (arg->create_vcpu.flags || arg->create_vcpu.id >= VITRO_MAX_VCPUS)
		return -EINVAL;
	return vm_create_vcpu(vm, array_index_nospec(arg->create_vcpu.id, VITRO_MAX_VCPUS));
}

static int vm_signal_msi(void *vm, union ioctl_arg *arg)
{
	if (arg->msi.flags)
		return -EINVAL;
	return apic_send_msi(vm, arg->msi.addr, arg->msi.data);
}

static int vm_irqfd(void *vm, union ioctl_arg *arg)
{
	return irqfd_set(vm, &arg->irqfd);
}

static int vm_ioeventfd(void *vm, union ioctl_arg *arg)
{
	return ioeventfd_set(vm, &arg->ioeventfd);
}

/* Where VITRO_STATS counts exits for @reason. */
static enum vitro_counter counter_of(u32 reason)
{
	switch (reason) {
	case EXIT_HOST:
		return VITRO_STAT_EXIT_INTR;
	case VITRO_EXIT_IO:
		return VITRO_STAT_EXIT_IO;
	case VITRO_EXIT_RDMSR:
	case VITRO_EXIT_WRMSR:
		return VITRO_STAT_EXIT_MSR;
	case EXIT_CPUID:
		return VITRO_STAT_EXIT_CPUID;
	case VITRO_EXIT_HLT:
		return VITRO_STAT_EXIT_HLT;
	case VITRO_EXIT_HYPERCALL:
		return VITRO_STAT_EXIT_HYPERCALL;
	case EXIT_IRQ_WINDOW:
	case EXIT_NMI_WINDOW:
		return VITRO_STAT_EXIT_WINDOW;
	case EXIT_TDP:
		return VITRO_STAT_EXIT_TDP;
	default:
		return VITRO_STAT_EXIT_OTHER;
	}
}

static int vm_stats(void *object, union ioctl_arg *arg)
{
	struct vitro_stats *stats = &arg->stats;
	struct vitro_vm *vm = object;
	struct vitro_vcpu *vcpu;
	u32 id;
	int i;

	BUILD_BUG_ON(ARRAY_SIZE(stats->counter) < VITRO_STAT_NR);
	if (stats->pad)
		return -EINVAL;
	if (stats->vcpu >= VITRO_MAX_VCPUS)
		return -ENOENT;
	id = array_index_nospec(stats->vcpu, VITRO_MAX_VCPUS);
	vcpu = rcu_dereference_protected(vm->vcpu[id], lockdep_is_held(&vm->lock));
	if (!vcpu)
		return -ENOENT;
	memset(stats->counter, 0, sizeof(stats->counter));
	for (i = 0; i < VITRO_STAT_NR; i++)
		stats->counter[i] = READ_ONCE(vcpu->stat[i]);
	for (i = 0; i < VITRO_NR_REASONS; i++)
		stats->counter[counter_of(i)] += READ_ONCE(vcpu->exits[i]);
	return 0;
}

static int vm_set_name(void *vm, union ioctl_arg *arg)
{
	return glass_set_name(vm, &arg->name);
}

static int vm_report(void *vm, union ioctl_arg *arg)
{
	return glass_report(vm, &arg->report);
}

static int vm_tdp_walk(void *vm, union ioctl_arg *arg)
{
	return tdp_walk(vm, &arg->tdp_walk);
}

static int vm_set_deadline(void *vm, union ioctl_arg *arg)
{
	return deadline_set(vm, &arg->deadline);
}

static const struct ioctl_cmd vm_cmds[] = {
	CMD(VITRO_SIGNAL_MSI, struct vitro_msi, LOCK_NONE, vm_signal_msi),
	CMD(VITRO_SET_MEMSLOT, struct vitro_memslot, LOCK_OBJECT, vm_set_memslot),
	CMD(VITRO_DIRTY_LOG, struct vitro_dirty_log, LOCK_OBJECT, vm_dirty_log),
	CMD(VITRO_CREATE_VCPU, struct vitro_create_vcpu, LOCK_OBJECT, vm_new_vcpu),
	CMD(VITRO_IRQFD, struct vitro_irqfd, LOCK_OBJECT, vm_irqfd),
	CMD(VITRO_IOEVENTFD, struct vitro_ioeventfd, LOCK_OBJECT, vm_ioeventfd),
	CMD(VITRO_STATS, struct vitro_stats, LOCK_OBJECT, vm_stats),
	CMD(VITRO_SET_NAME, struct vitro_name, LOCK_NONE, vm_set_name),
	CMD(VITRO_REPORT, struct vitro_report, LOCK_NONE, vm_report),
	CMD(VITRO_TDP_WALK, struct vitro_tdp_walk, LOCK_NONE, vm_tdp_walk),
	CMD(VITRO_SET_DEADLINE, struct vitro_deadline, LOCK_OBJECT, vm_set_deadline),
};

static long vm_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct vitro_vm *vm = file->private_data;

	if (current->mm != vm->mm)
		return -EIO;
	return run_ioctl(vm_cmds, ARRAY_SIZE(vm_cmds), vm, &vm->lock, cmd, arg);
}

static int vm_release(struct inode *inode, struct file *file)
{
	vm_put(file->private_data);
	return 0;
}

const struct file_operations vitro_vm_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = vm_ioctl,
	.release = vm_release,
	.llseek = noop_llseek,
};

/* ----------------------------------------------------------------------- vCPU */

static int vcpu_do_run(void *vcpu, union ioctl_arg *arg)
{
	return vcpu_run(vcpu);
}

static int vcpu_get_state(void *vcpu, union ioctl_arg *arg)
{
	if (arg->state_mask.mask & ~VITRO_STATE_ALL)
		return -EINVAL;
	state_store(vcpu, arg->state_mask.mask);
	return 0;
}

static int vcpu_set_state(void *vcpu, union ioctl_arg *arg)
{
	return state_load(vcpu, arg->state_mask.mask);
}

static int vcpu_set_cpuid(void *vcpu, union ioctl_arg *arg)
{
	return cpuid_set(vcpu, &arg->cpuid);
}

static int vcpu_lapic_rw(void *vcpu, union ioctl_arg *arg)
{
	struct vitro_lapic_rw *rw = &arg->lapic_rw;

	if (rw->pad || (rw->flags & ~VITRO_LAPIC_WRITE))
		return -EINVAL;
	if (rw->flags & VITRO_LAPIC_WRITE)
		return lapic_write(vcpu, rw->offset, rw->value);
	return lapic_read(vcpu, rw->offset, &rw->value);
}

static int vcpu_dump(void *vcpu, union ioctl_arg *arg)
{
	return dump_get(vcpu, &arg->dump);
}

static int vcpu_record(void *vcpu, union ioctl_arg *arg)
{
	return ring_start(vcpu, &arg->record_start);
}

static int vcpu_set_debug(void *vcpu, union ioctl_arg *arg)
{
	return debug_set(vcpu, &arg->debug);
}

static const struct ioctl_cmd vcpu_cmds[] = {
	{ .cmd = VITRO_RUN, .lock = LOCK_OBJECT, .fn = vcpu_do_run },
	CMD(VITRO_GET_STATE, struct vitro_state_mask, LOCK_OBJECT, vcpu_get_state),
	CMD(VITRO_SET_STATE, struct vitro_state_mask, LOCK_OBJECT, vcpu_set_state),
	CMD(VITRO_SET_CPUID, struct vitro_cpuid, LOCK_OBJECT, vcpu_set_cpuid),
	CMD(VITRO_LAPIC_RW, struct vitro_lapic_rw, LOCK_OBJECT, vcpu_lapic_rw),
	CMD(VITRO_DUMP, struct vitro_dump, LOCK_OBJECT, vcpu_dump),
	CMD(VITRO_RECORD, struct vitro_record_start, LOCK_OBJECT, vcpu_record),
	CMD(VITRO_SET_DEBUG, struct vitro_debug, LOCK_OBJECT, vcpu_set_debug),
};

static long vcpu_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct vitro_vcpu *vcpu = file->private_data;

	if (current->mm != vcpu->vm->mm)
		return -EIO;
	return run_ioctl(vcpu_cmds, ARRAY_SIZE(vcpu_cmds), vcpu, &vcpu->mutex, cmd, arg);
}

#define COMM_PAGES	DIV_ROUND_UP(sizeof(struct vitro_comm), PAGE_SIZE)

/* The mapping holds the file, and with it the vCPU. */
static vm_fault_t comm_fault(struct vm_fault *vmf)
{
	struct vitro_vcpu *vcpu = vmf->vma->vm_file->private_data;

	if (vmf->pgoff >= COMM_PAGES)
		return VM_FAULT_SIGBUS;
	vmf->page = vmalloc_to_page((void *)vcpu->comm + (vmf->pgoff << PAGE_SHIFT));
	get_page(vmf->page);
	return 0;
}

static const struct vm_operations_struct comm_vm_ops = {
	.fault = comm_fault,
};

static int vcpu_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct vitro_vcpu *vcpu = file->private_data;

	if (current->mm != vcpu->vm->mm)
		return -EIO;
	if (vma->vm_pgoff + vma_pages(vma) > COMM_PAGES)
		return -EINVAL;
	vma->vm_ops = &comm_vm_ops;
	return 0;
}

static int vcpu_release(struct inode *inode, struct file *file)
{
	vcpu_close(file->private_data);
	return 0;
}

const struct file_operations vitro_vcpu_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = vcpu_ioctl,
	.mmap = vcpu_mmap,
	.release = vcpu_release,
	.llseek = noop_llseek,
};
