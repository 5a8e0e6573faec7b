// SPDX-License-Identifier: GPL-2.0-only
/*
 * Eventfds, the two ways round:
 *
 *   irqfd: who writes the eventfd sends an MSI to the guest
 *   ioeventfd: a guest's write to a port or address signals the eventfd
 *
 * so that the thread of a device and a vCPU need not wait for each other.
 */
#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "apic/apic.h"
#include "compat/compat.h"
#include "core/vitro.h"

#define MAX_IRQFDS	1024
#define MAX_IOEVENTFDS	1024

#define IOEVENTFD_FLAGS	(VITRO_IOEVENTFD_PIO | VITRO_IOEVENTFD_DATAMATCH | \
			 VITRO_IOEVENTFD_DEASSIGN)

/* ---------------------------------------------------------------------- irqfd */

/**
 * struct irqfd - an eventfd that sends an MSI
 * @vm: [I] to which machine; it outlives this
 * @ctx: [I] the eventfd; a reference is held
 * @queue: [I] the eventfd's wait queue, on which @wait is
 * @wait: calls irqfd_woken
 * @addr: [I] the message: its address
 * @data: [I] and its data
 * @closed: work to do when the eventfd has lost its last file
 * @list: [l] in vm->irqfds; empty once somebody is about to free this
 */
struct irqfd {
	struct vitro_vm *vm;
	struct eventfd_ctx *ctx;
	wait_queue_head_t *queue;
	wait_queue_entry_t wait;
	u64 addr;
	u32 data;
	struct work_struct closed;
	struct list_head list;
};

/**
 * struct irqfd_poll - argument of irqfd_enqueue
 * @table: what poll hands on
 * @irqfd: whose
 */
struct irqfd_poll {
	poll_table table;
	struct irqfd *irqfd;
};

static struct workqueue_struct *irqfd_wq;

/* Takes the eventfd's count and sends the message; the lock of @queue is held. */
static void irqfd_fire(struct irqfd *irqfd)
{
	u64 count;

	eventfd_ctx_do_read(irqfd->ctx, &count);
	apic_send_msi(irqfd->vm, irqfd->addr, irqfd->data);
}

/* The eventfd was written, or closed; interrupts are off, the lock of @queue is held. */
static int irqfd_woken(wait_queue_entry_t *wait, unsigned int mode, int sync, void *key)
{
	struct irqfd *irqfd = container_of(wait, struct irqfd, wait);
	__poll_t events = key_to_poll(key);

	if (events & EPOLLIN)
		irqfd_fire(irqfd);
	if (events & EPOLLHUP)
		queue_work(irqfd_wq, &irqfd->closed);
	return 0;
}

static void irqfd_enqueue(struct file *file, wait_queue_head_t *queue, poll_table *table)
{
	struct irqfd *irqfd = container_of(table, struct irqfd_poll, table)->irqfd;

	irqfd->queue = queue;
	add_wait_queue(queue, &irqfd->wait);
}

/* After this, irqfd_woken does not run: it runs under the lock of the queue. */
static void irqfd_unhook(struct irqfd *irqfd)
{
	u64 count;

	eventfd_ctx_remove_wait_queue(irqfd->ctx, &irqfd->wait, &count);
}

static void irqfd_free(struct irqfd *irqfd)
{
	eventfd_ctx_put(irqfd->ctx);
	kfree(irqfd);
}

/* Takes @irqfd off the list; false if somebody else did. */
static bool irqfd_take(struct irqfd *irqfd)
{
	lockdep_assert_held(&irqfd->vm->lock);
	if (list_empty(&irqfd->list))
		return false;
	list_del_init(&irqfd->list);
	irqfd->vm->nr_irqfds--;
	return true;
}

/* Work: the eventfd has no file left, so that nobody can write or deassign it. */
static void irqfd_closed(struct work_struct *work)
{
	struct irqfd *irqfd = container_of(work, struct irqfd, closed);
	struct vitro_vm *vm = irqfd->vm;
	bool mine;

	mutex_lock(&vm->lock);
	mine = irqfd_take(irqfd);
	mutex_unlock(&vm->lock);
	if (mine) {
		irqfd_unhook(irqfd);
		irqfd_free(irqfd);
	}
}

/* The irqfd of the eventfd that @file is a file of, or NULL. */
static struct irqfd *irqfd_find(struct vitro_vm *vm, struct file *file)
{
	struct eventfd_ctx *ctx = eventfd_ctx_fileget(file);
	struct irqfd *irqfd, *found = NULL;

	lockdep_assert_held(&vm->lock);
	list_for_each_entry(irqfd, &vm->irqfds, list) {
		if (irqfd->ctx == ctx)
			found = irqfd;
	}
	eventfd_ctx_put(ctx);
	return found;
}

static int irqfd_assign(struct vitro_vm *vm, const struct vitro_irqfd *req, struct file *file)
{
	struct irqfd_poll poll;
	struct irqfd *irqfd;

	if (apic_check_msi(req->addr, req->data))
		return -EINVAL;
	if (irqfd_find(vm, file))
		return -EEXIST;
	if (vm->nr_irqfds >= MAX_IRQFDS)
		return -ENOSPC;
	irqfd = kzalloc(sizeof(*irqfd), GFP_KERNEL_ACCOUNT);
	if (!irqfd)
		return -ENOMEM;

	irqfd->vm = vm;
	irqfd->addr = req->addr;
	irqfd->data = req->data;
	irqfd->ctx = eventfd_ctx_fileget(file);
	INIT_WORK(&irqfd->closed, irqfd_closed);
	list_add(&irqfd->list, &vm->irqfds);
	vm->nr_irqfds++;

	init_waitqueue_func_entry(&irqfd->wait, irqfd_woken);
	init_poll_funcptr(&poll.table, irqfd_enqueue);
	poll.irqfd = irqfd;
	/* If it was written before it was ours, no wake-up will come for that. */
	if (vfs_poll(file, &poll.table) & EPOLLIN) {
		spin_lock_irq(&irqfd->queue->lock);
		irqfd_fire(irqfd);
		spin_unlock_irq(&irqfd->queue->lock);
	}
	return 0;
}

static int irqfd_deassign(struct vitro_vm *vm, struct file *file)
{
	struct irqfd *irqfd = irqfd_find(vm, file);

	if (!irqfd)
		return -ENOENT;
	irqfd_take(irqfd);
	/* The caller holds the file: it is not closed, and no irqfd_closed is on its way. */
	irqfd_unhook(irqfd);
	irqfd_free(irqfd);
	return 0;
}

/**
 * irqfd_set - VITRO_IRQFD
 * @vm: the machine; its lock is held
 * @req: the request
 *
 * When a deassignment returns, the eventfd sends no more messages.
 *
 * Return: 0 or a negative errno, see struct vitro_irqfd; -EINVAL also for a message
 * that is not an MSI.
 */
int irqfd_set(struct vitro_vm *vm, const struct vitro_irqfd *req)
{
	struct file *file;
	int err;

	if ((req->flags & ~VITRO_IRQFD_DEASSIGN) || req->pad)
		return -EINVAL;
	file = eventfd_fget(req->fd);
	if (IS_ERR(file))
		return PTR_ERR(file);
	if (req->flags & VITRO_IRQFD_DEASSIGN)
		err = irqfd_deassign(vm, file);
	else
		err = irqfd_assign(vm, req, file);
	fput(file);
	return err;
}

/* ------------------------------------------------------------------ ioeventfd */

/**
 * struct ioeventfd - a guest's write that signals an eventfd; all immutable
 * @ctx: the eventfd; a reference is held
 * @addr: port or gpa
 * @datamatch: what must be written, with VITRO_IOEVENTFD_DATAMATCH
 * @len: width of the write, 0 for any
 * @flags: VITRO_IOEVENTFD_PIO, VITRO_IOEVENTFD_DATAMATCH
 */
struct ioeventfd {
	struct eventfd_ctx *ctx;
	u64 addr;
	u64 datamatch;
	u32 len;
	u32 flags;
};

/**
 * struct ioeventfd_table - all of a VM's; replaced as a whole, never changed
 * @rcu: frees it
 * @nr: [I] entries
 * @entry: [I] in no order
 *
 * It is read in bursts only, whose disabled interrupts are as good as rcu_read_lock():
 * so an exit pays for no lock.
 */
struct ioeventfd_table {
	struct rcu_head rcu;
	int nr;
	struct ioeventfd entry[];
};

/* Could one write match both? */
static bool ambiguous(const struct ioeventfd *a, const struct ioeventfd *b)
{
	if ((a->flags ^ b->flags) & VITRO_IOEVENTFD_PIO || a->addr != b->addr)
		return false;
	if (a->len && b->len && a->len != b->len)
		return false;
	if (a->flags & b->flags & VITRO_IOEVENTFD_DATAMATCH)
		return a->datamatch == b->datamatch;
	return true;
}

static bool same(const struct ioeventfd *a, const struct ioeventfd *b)
{
	return a->ctx == b->ctx && a->addr == b->addr && a->len == b->len &&
	       a->flags == b->flags && a->datamatch == b->datamatch;
}

static struct ioeventfd_table *ioeventfd_table(struct vitro_vm *vm)
{
	return rcu_dereference_protected(vm->ioeventfds, lockdep_is_held(&vm->lock));
}

static struct ioeventfd_table *ioeventfd_alloc(int nr)
{
	struct ioeventfd_table *table;

	table = kvzalloc(struct_size(table, entry, nr), GFP_KERNEL_ACCOUNT);
	if (table)
		table->nr = nr;
	return table;
}

/* On success the table owns the reference to the eventfd of @new. */
static int ioeventfd_assign(struct vitro_vm *vm, const struct ioeventfd *new)
{
	struct ioeventfd_table *old = ioeventfd_table(vm);
	int i, nr = old ? old->nr : 0;
	struct ioeventfd_table *table;

	for (i = 0; i < nr; i++) {
		if (ambiguous(&old->entry[i], new))
			return -EEXIST;
	}
	if (nr >= MAX_IOEVENTFDS)
		return -ENOSPC;
	table = ioeventfd_alloc(nr + 1);
	if (!table)
		return -ENOMEM;
	for (i = 0; i < nr; i++)
		table->entry[i] = old->entry[i];
	table->entry[nr] = *new;
	rcu_assign_pointer(vm->ioeventfds, table);
	kvfree_rcu(old, rcu);
	return 0;
}

/* On success the reference that the table had is dropped; that of @gone is not. */
static int ioeventfd_deassign(struct vitro_vm *vm, const struct ioeventfd *gone)
{
	struct ioeventfd_table *old = ioeventfd_table(vm);
	int i, found, nr = old ? old->nr : 0;
	struct ioeventfd_table *table;

	for (found = 0; found < nr; found++) {
		if (same(&old->entry[found], gone))
			break;
	}
	if (found == nr)
		return -ENOENT;
	table = ioeventfd_alloc(nr - 1);
	if (!table)
		return -ENOMEM;
	for (i = 0; i < nr - 1; i++)
		table->entry[i] = old->entry[i < found ? i : i + 1];
	rcu_assign_pointer(vm->ioeventfds, table);
	/* Whoever asked for this waits: when it returns, the eventfd is signalled no more. */
	synchronize_rcu_expedited();
	kvfree(old);
	eventfd_ctx_put(gone->ctx);
	return 0;
}

static bool ioeventfd_valid(const struct vitro_ioeventfd *req)
{
	bool pio = req->flags & VITRO_IOEVENTFD_PIO;

	if ((req->flags & ~IOEVENTFD_FLAGS) || req->pad)
		return false;
	switch (req->len) {
	case 0:
	case 1:
	case 2:
	case 4:
		break;
	case 8:
		if (pio)
			return false;
		break;
	default:
		return false;
	}
	if (req->len && req->addr + req->len - 1 < req->addr)
		return false;
	return !pio || (req->addr <= 0xffff && req->addr + req->len <= 0x10000);
}

/**
 * ioeventfd_set - VITRO_IOEVENTFD
 * @vm: the machine; its lock is held
 * @req: the request
 *
 * Return: 0 or a negative errno, see struct vitro_ioeventfd.
 */
int ioeventfd_set(struct vitro_vm *vm, const struct vitro_ioeventfd *req)
{
	struct ioeventfd entry = {
		.addr = req->addr,
		.len = req->len,
		.flags = req->flags & (VITRO_IOEVENTFD_PIO | VITRO_IOEVENTFD_DATAMATCH),
	};
	bool assign = !(req->flags & VITRO_IOEVENTFD_DEASSIGN);
	int err;

	if (!ioeventfd_valid(req))
		return -EINVAL;
	if (req->flags & VITRO_IOEVENTFD_DATAMATCH)
		entry.datamatch = req->datamatch;
	entry.ctx = eventfd_ctx_fdget(req->fd);
	if (IS_ERR(entry.ctx))
		return PTR_ERR(entry.ctx);

	err = assign ? ioeventfd_assign(vm, &entry) : ioeventfd_deassign(vm, &entry);
	if (err || !assign)
		eventfd_ctx_put(entry.ctx);
	return err;
}

static bool matches(const struct ioeventfd *entry, bool pio, u64 addr, u32 len, u64 data)
{
	if (pio != !!(entry->flags & VITRO_IOEVENTFD_PIO) || addr != entry->addr)
		return false;
	if (entry->len && len != entry->len)
		return false;
	return !(entry->flags & VITRO_IOEVENTFD_DATAMATCH) || data == entry->datamatch;
}

static const struct ioeventfd_table *table_in_burst(const struct vitro_vm *vm)
{
	return rcu_dereference_sched(vm->ioeventfds);
}

/**
 * ioeventfd_signal - the guest wrote: is there an eventfd for it?
 * @vm: the machine, in a burst of one of its vCPUs
 * @pio: to a port, else to memory
 * @addr: port or gpa
 * @len: width in bytes
 * @data: what it wrote, zero-extended
 *
 * Return: true if an eventfd was signalled: the write is done.
 */
bool ioeventfd_signal(struct vitro_vm *vm, bool pio, u64 addr, u32 len, u64 data)
{
	const struct ioeventfd_table *table = table_in_burst(vm);
	int i;

	for (i = 0; table && i < table->nr; i++) {
		if (!matches(&table->entry[i], pio, addr, len, data))
			continue;
		compat_eventfd_signal(table->entry[i].ctx);
		return true;
	}
	return false;
}

/**
 * ioeventfd_covers - might ioeventfd_signal know this address?
 * @vm: the machine, in a burst of one of its vCPUs
 * @gpa: where the guest writes
 *
 * For the caller to learn whether decoding the write is worth its while.
 *
 * Return: true if an ioeventfd in memory is at @gpa.
 */
bool ioeventfd_covers(struct vitro_vm *vm, u64 gpa)
{
	const struct ioeventfd_table *table = table_in_burst(vm);
	int i;

	for (i = 0; table && i < table->nr; i++) {
		if (table->entry[i].addr == gpa && !(table->entry[i].flags & VITRO_IOEVENTFD_PIO))
			return true;
	}
	return false;
}

/* --------------------------------------------------------------- VM and module */

static struct irqfd *irqfd_take_first(struct vitro_vm *vm)
{
	struct irqfd *irqfd;

	mutex_lock(&vm->lock);
	irqfd = list_first_entry_or_null(&vm->irqfds, struct irqfd, list);
	if (irqfd)
		irqfd_take(irqfd);
	mutex_unlock(&vm->lock);
	return irqfd;
}

/**
 * eventfd_vm_fini - the VM ends: free its irqfds and ioeventfds
 * @vm: the machine, which nobody else uses; its lock is not held
 */
void eventfd_vm_fini(struct vitro_vm *vm)
{
	struct irqfd *irqfd;
	struct ioeventfd_table *table;
	int i;

	while ((irqfd = irqfd_take_first(vm))) {
		irqfd_unhook(irqfd);
		cancel_work_sync(&irqfd->closed);
		irqfd_free(irqfd);
	}
	/* An irqfd_closed that took its irqfd before us may still hold vm->lock. */
	flush_workqueue(irqfd_wq);

	table = rcu_dereference_protected(vm->ioeventfds, true);
	for (i = 0; table && i < table->nr; i++)
		eventfd_ctx_put(table->entry[i].ctx);
	RCU_INIT_POINTER(vm->ioeventfds, NULL);
	kvfree(table);
}

/**
 * eventfd_init - at module load
 *
 * Return: 0 or -ENOMEM.
 */
int eventfd_init(void)
{
	irqfd_wq = alloc_workqueue("vitro-irqfd", WQ_UNBOUND, 0);
	return irqfd_wq ? 0 : -ENOMEM;
}

/**
 * eventfd_exit - at module unload, after the last VM
 */
void eventfd_exit(void)
{
	destroy_workqueue(irqfd_wq);
}
