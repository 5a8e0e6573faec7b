// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The guest's page tables, walked as its CPU would walk them (SDM 3A chapter 4,
 * APM 2 chapter 5), and guest memory by linear address.
 */

#include <errno.h>
#include <string.h>

#include "internal.h"

/* Bits of a page-table entry, the same at all levels and in all modes. */
#define PTE_P		(1ULL << 0)
#define PTE_W		(1ULL << 1)
#define PTE_U		(1ULL << 2)
#define PTE_A		(1ULL << 5)
#define PTE_D		(1ULL << 6)
#define PTE_PS		(1ULL << 7)
#define PTE_NX		(1ULL << 63)

/* Bits of a #PF error code (SDM 3A 4.7). */
#define PF_PRESENT	(1U << 0)
#define PF_WRITE	(1U << 1)
#define PF_USER		(1U << 2)
#define PF_RESERVED	(1U << 3)
#define PF_FETCH	(1U << 4)

/* How often another vCPU may change an entry under our hands, which is rare enough. */
#define WALK_TRIES	1000

/**
 * struct paging - what distinguishes the paging modes
 * @levels: of tables; 0 when paging is off
 * @bits: of the linear address that each table translates
 * @entry: bytes of an entry
 */
struct paging {
	unsigned int levels;
	unsigned int bits;
	unsigned int entry;
};

/**
 * struct seen - where an entry is that a walk used
 * @hva: its address, or NULL when it cannot be written, or has no accessed bit
 * @pte: what it was
 */
struct seen {
	void *hva;
	uint64_t pte;
};

/**
 * struct walk - a walk and what it found
 * @vcpu: whose tables
 * @mode: how they look
 * @look: only look: set no accessed and dirty bits
 * @error: error code so far, should it fault
 * @rights: PTE_W and PTE_U as far as every level grants them; PTE_NX if any denies
 * @seen: the entries that were used, for their accessed and dirty bits: those of out.step
 * @out: what is told of it
 */
struct walk {
	struct vitro_vcpu *vcpu;
	struct paging mode;
	bool look;
	uint32_t error;
	uint64_t rights;
	struct seen seen[VITRO_WALK_STEPS];
	struct vitro_walk out;
};

/**
 * vi_cpl - the current privilege level
 * @vcpu: the vCPU, with SEGS valid
 *
 * Return: 0 to 3.
 */
unsigned int vi_cpl(const struct vitro_vcpu *vcpu)
{
	return (vcpu->comm->state.segs.seg[VITRO_SS].attrib & VITRO_SEG_DPL) >> 5;
}

/**
 * vi_long_mode - is the CPU in long mode, 64-bit or compatibility?
 * @vcpu: the vCPU, with CRS valid
 *
 * Return: whether.
 */
bool vi_long_mode(const struct vitro_vcpu *vcpu)
{
	return vcpu->comm->state.crs.efer & EFER_LMA;
}

static struct paging paging_mode(const struct vitro_crs *crs)
{
	if (!(crs->cr0 & CR0_PG))
		return (struct paging){ 0, 0, 0 };
	if (crs->efer & EFER_LMA)
		return (struct paging){ crs->cr4 & CR4_LA57 ? 5 : 4, 9, 8 };
	if (crs->cr4 & CR4_PAE)
		return (struct paging){ 3, 9, 8 };
	return (struct paging){ 2, 10, 4 };
}

/**
 * vi_canonical - are the bits of an address that paging ignores copies of the one below?
 * @vcpu: the vCPU, in long mode, with CRS valid
 * @gva: the address
 *
 * Return: whether.
 */
bool vi_canonical(const struct vitro_vcpu *vcpu, uint64_t gva)
{
	struct paging mode = paging_mode(&vcpu->comm->state.crs);
	unsigned int unused = 64 - (12 + mode.levels * mode.bits);

	return (int64_t)(gva << unused) >> unused == (int64_t)gva;
}

/* PAE's top level is four entries in registers: no rights, no A, other reserved bits. */
static bool is_pdpte(const struct walk *walk, unsigned int level)
{
	return walk->mode.levels == 3 && level == 3;
}

static bool is_leaf(const struct walk *walk, unsigned int level, uint64_t pte)
{
	if (level == 1)
		return true;
	if (!(pte & PTE_PS) || is_pdpte(walk, level))
		return false;
	if (walk->mode.entry == 4)
		return walk->vcpu->comm->state.crs.cr4 & CR4_PSE;
	return level <= 3;
}

/* Bits of @pte that have to be 0 (SDM 3A tables 4-4 to 4-20), and are not. */
static uint64_t reserved_bits(const struct walk *walk, unsigned int level, uint64_t pte)
{
	uint64_t above = ~((1ULL << walk->vcpu->vm->gpa_bits) - 1);	/* no such gpa */
	bool leaf = is_leaf(walk, level, pte);
	uint64_t bits;

	if (walk->mode.entry == 4)	/* PSE: bits 20:13 are bits 39:32 of the address */
		return leaf && level == 2 ? pte & (1U << 21) : 0;

	bits = above & 0x000fffffffffffffULL;
	if (is_pdpte(walk, level))	/* bit 5, A elsewhere, is left out: QEMU's CPU sets it */
		return pte & (bits | 0xfff00000000001c6ULL);
	if (walk->mode.levels == 3)
		bits |= 0x7ff0000000000000ULL;
	if (!(walk->vcpu->comm->state.crs.efer & EFER_NXE))
		bits |= PTE_NX;
	if (leaf && level == 2)
		bits |= 0x1fe000;		/* 2 MiB: address bits 20:13 */
	if (leaf && level == 3)
		bits |= 0x3fffe000;		/* 1 GiB: address bits 29:13 */
	if (level > 3)
		bits |= PTE_PS;
	return pte & bits;
}

/* Where a leaf maps the address to, and the offset within it. */
static uint64_t leaf_gpa(const struct walk *walk, unsigned int level, uint64_t pte)
{
	uint64_t offset = (1ULL << (12 + (level - 1) * walk->mode.bits)) - 1;
	uint64_t base = pte & 0x000ffffffffff000ULL;

	if (walk->mode.entry == 4 && level == 2)
		base |= (pte & 0x1fe000) << (32 - 13);
	return (base & ~offset) | (walk->out.gva & offset);
}

/* Do the rights that the walk collected allow the access (SDM 3A 4.6.1)? */
static enum vitro_walk_result judge(const struct walk *walk)
{
	const struct vitro_state *state = &walk->vcpu->comm->state;
	unsigned int access = walk->out.access;
	bool user_page = walk->rights & PTE_U;
	bool user = walk->out.user;

	if (access & VITRO_ACCESS_DEBUG)
		return VITRO_WALK_OK;
	if (user && !user_page)
		return VITRO_WALK_USER;
	if (access & VITRO_ACCESS_EXEC) {
		if (!user && user_page && state->crs.cr4 & CR4_SMEP)
			return VITRO_WALK_SMEP;
		return walk->rights & PTE_NX ? VITRO_WALK_EXEC : VITRO_WALK_OK;
	}
	if (!user && user_page && state->crs.cr4 & CR4_SMAP &&
	    (access & VITRO_ACCESS_SYSTEM || !(state->gprs.rflags & FLAG_AC)))
		return VITRO_WALK_SMAP;
	if (access & VITRO_ACCESS_WRITE && !(walk->rights & PTE_W) &&
	    (user || state->crs.cr0 & CR0_WP))
		return VITRO_WALK_WRITE;
	return VITRO_WALK_OK;
}

/* The first step that denies what the access needs; the last, if no step does. */
static unsigned int first_denial(const struct vitro_walk *out)
{
	unsigned int wanted = out->result == VITRO_WALK_USER ? VITRO_RIGHT_USER :
			      out->result == VITRO_WALK_WRITE ? VITRO_RIGHT_WRITE :
			      out->result == VITRO_WALK_EXEC ? VITRO_RIGHT_EXEC : 0;
	unsigned int i;

	for (i = 0; i + 1 < out->nr; i++) {
		if (wanted & ~out->step[i].rights)
			break;
	}
	return i;
}

/*
 * Sets bits in an entry, unless it is no longer what the walk has read: the guest may
 * have given it another meaning, in which those bits are something else.
 */
static bool set_bits(const struct seen *seen, unsigned int size, uint64_t bits)
{
	uint64_t old = seen->pte;
	uint32_t old32 = old;

	if (!seen->hva || (old & bits) == bits)
		return true;
	if (size == 4)
		return __atomic_compare_exchange_n((uint32_t *)seen->hva, &old32, old32 | bits,
						   false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	return __atomic_compare_exchange_n((uint64_t *)seen->hva, &old, old | bits, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/*
 * Sets A in every entry used, and D in the last for a write.  Returns false if an entry
 * has changed meanwhile, and the walk is out of date.
 */
static bool mark_used(struct walk *walk)
{
	if (walk->look || walk->out.access & VITRO_ACCESS_DEBUG)
		return true;
	for (unsigned int i = 0; i < walk->out.nr; i++) {
		bool leaf = i + 1 == walk->out.nr;
		uint64_t bits = PTE_A;

		if (leaf && walk->out.access & VITRO_ACCESS_WRITE)
			bits |= PTE_D;
		if (!set_bits(&walk->seen[i], walk->mode.entry, bits))
			return false;
		walk->seen[i].pte |= bits;
	}
	return true;
}

/* Reads an entry, and notes it, and where it is, for its A bit, if it has one. */
static int read_entry(struct walk *walk, unsigned int level, unsigned int index, uint64_t gpa)
{
	struct vitro_walk_step *step = &walk->out.step[walk->out.nr];
	struct seen *seen = &walk->seen[walk->out.nr++];
	uint64_t len = walk->mode.entry;
	uint32_t flags;
	uint8_t *hva = vi_gpa_find(walk->vcpu->vm, gpa, &len, &flags);

	*step = (struct vitro_walk_step){ .level = level, .index = index, .gpa = gpa };
	if (!hva)
		return vi_fail(ENXIO, "the page table for gva 0x%llx is at gpa 0x%llx; "
			       "the guest has no memory there",
			       (unsigned long long)walk->out.gva, (unsigned long long)gpa);
	if (walk->mode.entry == 8)
		step->entry = __atomic_load_n((uint64_t *)hva, __ATOMIC_RELAXED);
	else
		step->entry = __atomic_load_n((uint32_t *)hva, __ATOMIC_RELAXED);
	seen->hva = flags & VITRO_SLOT_READONLY || is_pdpte(walk, level) ? NULL : hva;
	seen->pte = step->entry;
	return 0;
}

/* What all levels so far allow. */
static void collect_rights(struct walk *walk, struct vitro_walk_step *step)
{
	if (!is_pdpte(walk, step->level)) {
		walk->rights &= step->entry | ~(PTE_W | PTE_U);
		walk->rights |= step->entry & PTE_NX;
	}
	step->rights = (walk->rights & PTE_W ? VITRO_RIGHT_WRITE : 0) |
		       (walk->rights & PTE_U ? VITRO_RIGHT_USER : 0) |
		       (walk->rights & PTE_NX ? 0 : VITRO_RIGHT_EXEC);
}

static int fail_at(struct walk *walk, enum vitro_walk_result result, unsigned int step)
{
	walk->out.result = result;
	walk->out.blamed = step;
	return result == VITRO_WALK_NO_MEMORY ? -ENXIO : -EFAULT;
}

/* From the root to the leaf.  Leaves the final address in out.gpa; -EAGAIN: walk again. */
static int walk_tables(struct walk *walk)
{
	uint64_t table = walk->vcpu->comm->state.crs.cr3 & 0x000ffffffffff000ULL;
	unsigned int level = walk->mode.levels;
	struct vitro_walk *out = &walk->out;
	struct vitro_walk_step *step;

	if (level == 3)		/* PAE: four entries, aligned to their size only */
		table = walk->vcpu->comm->state.crs.cr3 & 0xffffffe0;
	else if (level == 2)
		table &= 0xffffffff;
	walk->rights = PTE_W | PTE_U;
	walk->error = 0;
	out->nr = 0;

	for (;; level--) {
		uint64_t index = out->gva >> (12 + (level - 1) * walk->mode.bits);

		index &= (1U << walk->mode.bits) - 1;
		if (is_pdpte(walk, level))
			index &= 3;
		step = &out->step[out->nr];
		if (read_entry(walk, level, index, table + index * walk->mode.entry))
			return fail_at(walk, VITRO_WALK_NO_MEMORY, out->nr - 1);
		if (!(step->entry & PTE_P))
			return fail_at(walk, VITRO_WALK_ABSENT, out->nr - 1);
		walk->error |= PF_PRESENT;
		collect_rights(walk, step);
		step->leaf = is_leaf(walk, level, step->entry);
		step->reserved = reserved_bits(walk, level, step->entry);
		if (step->reserved) {
			walk->error |= PF_RESERVED;
			return fail_at(walk, VITRO_WALK_RESERVED, out->nr - 1);
		}
		if (step->leaf)
			break;
		walk->error &= ~PF_PRESENT;	/* it speaks of the last level alone */
		table = step->entry & 0x000ffffffffff000ULL;
	}
	out->gpa = leaf_gpa(walk, level, step->entry);
	out->page_size = 1ULL << (12 + (level - 1) * walk->mode.bits);
	out->result = judge(walk);
	if (out->result != VITRO_WALK_OK)
		return fail_at(walk, out->result, first_denial(out));
	return mark_used(walk) ? 0 : -EAGAIN;
}

static int page_fault(struct walk *walk)
{
	const struct vitro_crs *crs = &walk->vcpu->comm->state.crs;
	uint32_t error = walk->error;

	if (walk->out.access & VITRO_ACCESS_WRITE)
		error |= PF_WRITE;
	if (walk->out.user)
		error |= PF_USER;
	/* Fetches are told apart only where something can forbid them. */
	if (walk->out.access & VITRO_ACCESS_EXEC &&
	    (crs->cr4 & CR4_SMEP || (crs->cr4 & CR4_PAE && crs->efer & EFER_NXE)))
		error |= PF_FETCH;
	walk->out.fault = (struct vitro_fault){
		.vector = EXC_PF,
		.has_error = true,
		.error = error,
		.address = walk->out.gva,
	};
	return vi_fail(EFAULT, "the guest gets #PF, error code 0x%x, at gva 0x%llx", error,
		       (unsigned long long)walk->out.gva);
}

static int general_protection(struct walk *walk)
{
	walk->out.result = VITRO_WALK_CANONICAL;
	walk->out.fault = (struct vitro_fault){ .vector = EXC_GP, .has_error = true };
	return vi_fail(EFAULT, "the guest gets #GP: gva 0x%llx is not canonical",
		       (unsigned long long)walk->out.gva);
}

/* The walk; its vcpu, gva, access and look are set. */
static int do_walk(struct walk *walk)
{
	struct vitro_vcpu *vcpu = walk->vcpu;
	struct vitro_walk *out = &walk->out;
	int ret = vitro_vcpu_get(vcpu, VITRO_STATE_GPRS | VITRO_STATE_SEGS | VITRO_STATE_CRS);

	if (ret)
		return ret;
	if (!vi_long_mode(vcpu))
		out->gva &= 0xffffffff;
	walk->mode = paging_mode(&vcpu->comm->state.crs);
	out->levels = walk->mode.levels;
	out->entry_size = walk->mode.entry;
	out->user = out->access & VITRO_ACCESS_USER ||
		    (vi_cpl(vcpu) == 3 && !(out->access & VITRO_ACCESS_SYSTEM));
	if (!out->levels) {
		out->gpa = out->gva;
		out->page_size = PAGE_SIZE;
		return 0;
	}
	if (vi_long_mode(vcpu) && !vi_canonical(vcpu, out->gva))
		return general_protection(walk);
	for (int i = 0; i < WALK_TRIES; i++) {
		ret = walk_tables(walk);
		if (ret != -EAGAIN)
			break;
	}
	if (ret == -EAGAIN)
		return vi_fail(EAGAIN, "the guest's page tables for gva 0x%llx change all the time",
			       (unsigned long long)out->gva);
	return ret == -EFAULT ? page_fault(walk) : ret;
}

/* -------------------------------------------------------- walks that are known */

/*
 * A walk is a function of some registers and of the entries that it reads.  If all of them
 * are what they were, it need not be taken again.  So this is no TLB: nothing in here is
 * ever out of date, and no instruction of the guest has to flush it.
 */

static unsigned int walk_rights(const struct vitro_vcpu *vcpu)
{
	return (vi_cpl(vcpu) == 3) | (vcpu->comm->state.gprs.rflags & FLAG_AC);
}

/* Code and data are apart: every instruction needs a walk of both. */
static struct vi_walked *known_walk(struct vitro_vcpu *vcpu, uint64_t gva, unsigned int access)
{
	struct vi_walked *known = vcpu->walked[!!(access & VITRO_ACCESS_EXEC)];

	return &known[(gva / PAGE_SIZE ^ access) % ARRAY_LEN(vcpu->walked[0])];
}

static unsigned int slots_now(const struct vitro_vm *vm)
{
	return __atomic_load_n(&vm->slots_changed, __ATOMIC_ACQUIRE);
}

static bool still_true(const struct vitro_vcpu *vcpu, const struct vi_walked *known,
		       uint64_t gva, unsigned int access)
{
	const struct vitro_crs *crs = &vcpu->comm->state.crs;

	if (!known->nr || known->gva != (gva & ~PAGE_MASK) || known->access != access ||
	    known->cr0 != crs->cr0 || known->cr3 != crs->cr3 || known->cr4 != crs->cr4 ||
	    known->efer != crs->efer || known->rights != walk_rights(vcpu) ||
	    known->slots != slots_now(vcpu->vm))
		return false;
	for (unsigned int i = 0; i < known->nr; i++) {
		if (__atomic_load_n(known->hva[i], __ATOMIC_RELAXED) != known->pte[i])
			return false;
	}
	return true;
}

/* Only tables of 64-bit entries that have accessed bits, as in long mode. */
static void remember(const struct walk *walk, uint64_t gva, unsigned int slots)
{
	struct vitro_vcpu *vcpu = walk->vcpu;
	const struct vitro_crs *crs = &vcpu->comm->state.crs;
	struct vi_walked *known = known_walk(vcpu, gva, walk->out.access);

	known->nr = 0;
	if (walk->mode.levels < 4)
		return;
	for (unsigned int i = 0; i < walk->out.nr; i++) {
		known->hva[i] = walk->seen[i].hva;
		known->pte[i] = walk->seen[i].pte;
		if (!known->hva[i])
			return;
	}
	known->gva = gva & ~PAGE_MASK;
	known->gpa = walk->out.gpa & ~PAGE_MASK;
	known->cr0 = crs->cr0;
	known->cr3 = crs->cr3;
	known->cr4 = crs->cr4;
	known->efer = crs->efer;
	known->access = walk->out.access;
	known->rights = walk_rights(vcpu);
	known->slots = slots;
	known->nr = walk->out.nr;
}

static int translate(struct vitro_vcpu *vcpu, uint64_t gva, unsigned int access, uint64_t *gpa,
		     struct vitro_fault *fault)
{
	struct walk walk = { .vcpu = vcpu, .out.gva = gva, .out.access = access };
	unsigned int slots = slots_now(vcpu->vm);
	int ret = do_walk(&walk);

	if (!ret)
		*gpa = walk.out.gpa;
	if (!ret && !(access & VITRO_ACCESS_DEBUG))
		remember(&walk, gva, slots);
	if (ret == -EFAULT && fault)
		*fault = walk.out.fault;
	return ret;
}

int vitro_gva_to_gpa(struct vitro_vcpu *vcpu, uint64_t gva, unsigned int access, uint64_t *gpa,
		     struct vitro_fault *fault)
{
	const struct vi_walked *known = known_walk(vcpu, gva, access);
	int ret = vitro_vcpu_get(vcpu, VITRO_STATE_GPRS | VITRO_STATE_SEGS | VITRO_STATE_CRS);

	if (ret)
		return ret;
	if (!still_true(vcpu, known, gva, access))
		return translate(vcpu, gva, access, gpa, fault);
	*gpa = known->gpa | (gva & PAGE_MASK);
	return 0;
}

int vitro_walk(struct vitro_vcpu *vcpu, uint64_t gva, unsigned int access,
	       struct vitro_walk *result)
{
	struct walk walk = { .vcpu = vcpu, .out.gva = gva, .out.access = access, .look = true };
	int ret = do_walk(&walk);

	*result = walk.out;
	return ret == -EFAULT || (ret == -ENXIO && result->nr) ? 0 : ret;
}

/* The part of [gva, gva + len) that is in the first page. */
static size_t in_page(uint64_t gva, size_t len)
{
	size_t rest = PAGE_SIZE - (gva & PAGE_MASK);

	return len < rest ? len : rest;
}

int vitro_read_gva(struct vitro_vcpu *vcpu, uint64_t gva, void *buf, size_t len,
		   unsigned int access, struct vitro_fault *fault)
{
	uint8_t *to = buf;
	uint64_t gpa;
	int ret;

	while (len) {
		size_t part = in_page(gva, len);

		ret = vitro_gva_to_gpa(vcpu, gva, access, &gpa, fault);
		if (!ret)
			ret = vitro_read_gpa(vcpu->vm, gpa, to, part);
		if (ret)
			return ret;
		gva += part;
		to += part;
		len -= part;
	}
	return 0;
}

int vitro_write_gva(struct vitro_vcpu *vcpu, uint64_t gva, const void *buf, size_t len,
		    unsigned int access, struct vitro_fault *fault)
{
	const uint8_t *from = buf;
	size_t done, part;
	uint64_t gpa;
	int ret;

	access |= VITRO_ACCESS_WRITE;
	for (done = 0; done < len; done += part) {
		part = in_page(gva + done, len - done);
		ret = vitro_gva_to_gpa(vcpu, gva + done, access, &gpa, fault);
		if (ret)
			return ret;
	}
	for (done = 0; done < len; done += part) {
		part = in_page(gva + done, len - done);
		ret = vitro_gva_to_gpa(vcpu, gva + done, access, &gpa, fault);
		if (!ret)
			ret = vitro_write_gpa(vcpu->vm, gpa, from + done, part);
		if (ret)
			return ret;
	}
	return 0;
}
