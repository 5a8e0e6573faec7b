// SPDX-License-Identifier: GPL-2.0-only
/*
 * The exit recorder: a ring of records, written by the vCPU's thread, mapped read-only
 * by whoever has the ring's fd.  The vCPU has one reference to the ring, each file one.
 *
 * What others can see, they cannot write; all the same the kernel never reads it back:
 * the producer's index is its own.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <asm/processor-flags.h>
#include <asm/tsc.h>

#include "core/backend.h"
#include "glass/glass.h"
#include "mm/mm.h"

#define MIN_RECORDS	32	/* about a page of them */

/**
 * struct glass_ring - a recorder
 * @refs: the vCPU's, and one for each file
 * @nr: [I] slots, a power of 2
 * @head: [v] records written
 * @no_code: [v] the youngest has no bytes of its instruction
 * @linear: [v] where that instruction is
 * @shared: [I] the memory: the header's page, then the slots
 */
struct glass_ring {
	refcount_t refs;
	u32 nr;
	u64 head;
	bool no_code;
	u64 linear;
	struct vitro_ring *shared;
};

static size_t ring_size(const struct glass_ring *ring)
{
	return PAGE_ALIGN(VITRO_RING_RECORDS + ring->nr * sizeof(struct vitro_record));
}

static struct vitro_record *slot(const struct glass_ring *ring, u64 seq)
{
	struct vitro_record *first = (void *)ring->shared + VITRO_RING_RECORDS;

	return &first[seq & (ring->nr - 1)];
}

static void ring_put(struct glass_ring *ring)
{
	if (!refcount_dec_and_test(&ring->refs))
		return;
	vfree(ring->shared);
	kfree(ring);
}

static struct glass_ring *ring_alloc(const struct vitro_vcpu *vcpu, u32 nr)
{
	struct glass_ring *ring = kzalloc(sizeof(*ring), GFP_KERNEL_ACCOUNT);

	if (!ring)
		return NULL;
	refcount_set(&ring->refs, 1);
	ring->nr = nr;
	ring->shared = __vmalloc(ring_size(ring), GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!ring->shared) {
		kfree(ring);
		return NULL;
	}
	*ring->shared = (struct vitro_ring){
		.nr = nr,
		.record_size = sizeof(struct vitro_record),
		.tsc_khz = tsc_khz,
		.vendor = backend->vendor,
		.vm = vcpu->vm->id,
		.vcpu = vcpu->id,
	};
	return ring;
}

/* ------------------------------------------------------------------ writing */

static u8 paging_levels(const struct guest_paging *p)
{
	if (!(p->cr0 & X86_CR0_PG))
		return 0;
	if (p->efer & EFER_LMA)
		return p->cr4 & X86_CR4_LA57 ? 5 : 4;
	return p->cr4 & X86_CR4_PAE ? 3 : 2;
}

static void describe(const struct vitro_vcpu *vcpu, struct vitro_record *r)
{
	const struct vitro_exit *x = &vcpu->exit;
	const u64 *gpr = vcpu->regs.gpr;

	switch (x->reason) {
	case VITRO_EXIT_IO:
		r->detail = x->io.port | x->io.size << 16 | x->io.flags << 24;
		r->data = x->io.data;
		break;
	case EXIT_TDP:
		r->detail = x->mmio.gpa;
		r->data = x->mmio.flags;
		break;
	case VITRO_EXIT_RDMSR:
	case VITRO_EXIT_WRMSR:
		r->detail = x->msr.index;
		r->data = x->msr.data;
		break;
	case EXIT_CPUID:
		r->detail = (u32)gpr[VITRO_RAX];
		r->data = (u32)gpr[VITRO_RCX];
		break;
	case VITRO_EXIT_HYPERCALL:
		r->detail = gpr[VITRO_RAX];
		break;
	case EXIT_CR:
		r->detail = vcpu->cr_access.cr;
		r->data = vcpu->cr_access.write;
		break;
	case EXIT_EXCEPTION:
		r->detail = vcpu->exit_exception.vector;
		r->data = vcpu->exit_exception.error;
		break;
	}
}

/* Now, as nobody can tell later: the guest may unmap its code, or write to it. */
static u8 fetch(struct vitro_vcpu *vcpu, const struct guest_code *code, u8 bytes[15])
{
	u8 buf[16];
	int n = guest_fetch(vcpu->vm, &code->paging, code->linear_rip, buf, true);

	if (n <= 0)
		return 0;
	memcpy(bytes, buf, n);
	return n;
}

/**
 * ring_add - a record of the exit just taken
 * @vcpu: in a burst; it has a ring
 */
void ring_add(struct vitro_vcpu *vcpu)
{
	struct glass_ring *ring = vcpu->glass.ring;
	const struct vitro_exit *x = &vcpu->exit;
	struct vitro_ring *shared = ring->shared;
	u64 seq = ring->head;
	struct vitro_record r = {
		.seq = seq,
		.tsc = vcpu->glass.mark,
		.reason = x->reason,
		.rip = vcpu->regs.rip,
		.code = x->raw.code,
		.info1 = x->raw.info1,
		.info2 = x->raw.info2,
		.intinfo = x->raw.intinfo,
		.cpl = backend->cpl(vcpu),
	};
	struct guest_code code;

	backend->code(vcpu, &code);
	r.bits = code.bits;
	r.linear = code.linear_rip;
	r.cr3 = code.paging.cr3;
	r.paging = paging_levels(&code.paging);
	r.nr_bytes = fetch(vcpu, &code, r.bytes);
	describe(vcpu, &r);

	/* Who copies the old record must see that it goes before the first word of it does. */
	if (seq >= ring->nr)
		WRITE_ONCE(shared->overwritten, seq - ring->nr + 1);
	smp_wmb();	/* pairs with the reader's barrier between copying and overwritten */
	*slot(ring, seq) = r;
	ring->head = seq + 1;
	ring->no_code = !r.nr_bytes;
	ring->linear = r.linear;
	smp_store_release(&shared->head, seq + 1);	/* the record is there */
}

/**
 * ring_update - what was done about the last exit
 * @vcpu: the vCPU, on its own thread; it has a ring
 */
void ring_update(struct vitro_vcpu *vcpu)
{
	const struct glass_vcpu *g = &vcpu->glass;
	struct vitro_record *r;
	int i;

	if (!g->ring->head)
		return;
	r = slot(g->ring, g->ring->head - 1);
	WRITE_ONCE(r->reason, g->reason);
	WRITE_ONCE(r->place, g->furthest);
	for (i = 0; i < VITRO_NR_PLACES; i++)
		WRITE_ONCE(r->cycles[i], g->cycles[i]);
}

/**
 * ring_complete - the guest is entered: what could not be read at its exit may be there now
 * @vcpu: in a burst; it has a ring
 *
 * So it is with code that the guest had not touched before, as the exit was about that.
 */
void ring_complete(struct vitro_vcpu *vcpu)
{
	const struct glass_ring *ring = vcpu->glass.ring;
	struct guest_code code;
	struct vitro_record *r;

	if (!ring->no_code)
		return;
	backend->code(vcpu, &code);
	if (code.linear_rip != ring->linear)
		return;
	r = slot(ring, ring->head - 1);
	WRITE_ONCE(r->nr_bytes, fetch(vcpu, &code, r->bytes));
}

/* ------------------------------------------------------------------ reading */

static vm_fault_t ring_fault(struct vm_fault *vmf)
{
	struct glass_ring *ring = vmf->vma->vm_file->private_data;

	if (vmf->pgoff >= ring_size(ring) >> PAGE_SHIFT)
		return VM_FAULT_SIGBUS;
	vmf->page = vmalloc_to_page((void *)ring->shared + (vmf->pgoff << PAGE_SHIFT));
	get_page(vmf->page);
	return 0;
}

static const struct vm_operations_struct ring_vm_ops = {
	.fault = ring_fault,
};

static int ring_mmap(struct file *file, struct vm_area_struct *vma)
{
	/* The file is read-only, so no shared mapping of it ever becomes writable. */
	if (!(vma->vm_flags & VM_MAYSHARE))
		return -EINVAL;
	vma->vm_ops = &ring_vm_ops;
	return 0;
}

static int ring_release(struct inode *inode, struct file *file)
{
	ring_put(file->private_data);
	return 0;
}

static const struct file_operations ring_fops = {
	.owner = THIS_MODULE,
	.mmap = ring_mmap,
	.release = ring_release,
	.llseek = noop_llseek,
};

/**
 * ring_end - the vCPU records no more; its ring lives as long as somebody has it
 * @vcpu: the vCPU, which does not run
 */
void ring_end(struct vitro_vcpu *vcpu)
{
	struct glass_ring *ring = vcpu->glass.ring;

	if (!ring)
		return;
	vcpu->glass.ring = NULL;
	static_branch_slow_dec_deferred(&glass_key);
	smp_store_release(&ring->shared->ended, 1);	/* after the last record */
	ring_put(ring);
}

/**
 * ring_start - VITRO_RECORD
 * @vcpu: the vCPU; its mutex is held
 * @req: as userspace gave it
 *
 * Returns the ring's fd; 0 if there is to be none; or -EINVAL, -ENOMEM, -EMFILE, -ENFILE.
 */
int ring_start(struct vitro_vcpu *vcpu, const struct vitro_record_start *req)
{
	struct glass_ring *ring;
	int fd;

	if (!req->nr && !req->flags) {
		ring_end(vcpu);
		return 0;
	}
	if (req->flags || req->nr < MIN_RECORDS || req->nr > VITRO_MAX_RECORDS ||
	    !is_power_of_2(req->nr))
		return -EINVAL;
	ring = ring_alloc(vcpu, req->nr);
	if (!ring)
		return -ENOMEM;
	refcount_inc(&ring->refs);	/* the file's, from now on its release's to drop */
	fd = anon_inode_getfd("vitro-ring", &ring_fops, ring, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		ring_put(ring);
		ring_put(ring);
		return fd;
	}
	ring_end(vcpu);
	static_branch_deferred_inc(&glass_key);
	vcpu->glass.ring = ring;
	return fd;
}
