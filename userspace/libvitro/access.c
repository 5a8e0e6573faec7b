// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Memory as an instruction sees it: segment, page tables, and behind them RAM, the
 * local APIC or a device.
 */

#include <errno.h>
#include <string.h>

#include "internal.h"

#define LAPIC_PAGE	0xfee00000ULL	/* the kernel keeps the base there */

/**
 * struct part - what an access touches of one page
 * @gpa: where
 * @len: bytes; 0 when the access stays within one page and this is the other
 */
struct part {
	uint64_t gpa;
	unsigned int len;
};

/**
 * vi_guest_fault - note an exception with an error code
 * @acc: the access that gets it
 * @vector: which
 * @error: its error code, which is not pushed in real mode (SDM 3B 21.1.4)
 *
 * Return: VI_GUEST_FAULT.
 */
int vi_guest_fault(struct vi_access *acc, uint8_t vector, uint32_t error)
{
	acc->fault = (struct vitro_fault){
		.vector = vector,
		.has_error = acc->vcpu->comm->state.crs.cr0 & CR0_PE,
		.error = error,
	};
	return VI_GUEST_FAULT;
}

/* ---------------------------------------------------------------- segments */

static bool in_64bit_code(const struct vitro_vcpu *vcpu)
{
	return vi_long_mode(vcpu) &&
	       vcpu->comm->state.segs.seg[VITRO_CS].attrib & VITRO_SEG_L;
}

/* Limit and type, outside 64-bit mode (SDM 3A 5.3, 5.5). */
static bool segment_allows(const struct vitro_vcpu *vcpu, const struct vitro_segment *seg,
			   uint64_t offset, unsigned int size, bool write)
{
	const struct vitro_state *state = &vcpu->comm->state;
	bool real = !(state->crs.cr0 & CR0_PE) || state->gprs.rflags & FLAG_VM;
	bool code = seg->attrib & 0x8;
	bool second = seg->attrib & 0x2;	/* code: readable; data: writable */
	bool expand_down = !code && seg->attrib & 0x4;
	uint64_t last = offset + size - 1;

	if (!real) {
		if (!(seg->attrib & VITRO_SEG_P))
			return false;
		if (write ? code || !second : code && !second)
			return false;
		if (expand_down)
			return offset > seg->limit &&
			       last <= vi_mask(seg->attrib & VITRO_SEG_DB ? 4 : 2);
	}
	return last <= seg->limit;
}

/**
 * vi_linear - check an access against its segment and find its linear address
 * @acc: the access
 * @seg: enum vitro_seg
 * @offset: effective address, cut to the address size
 * @size: bytes
 * @write: it writes
 * @gva: set
 *
 * In 64-bit mode only FS and GS have bases, and nothing has a limit; but addresses have to
 * be canonical (SDM 1 3.3.7.1).  Outside, linear addresses wrap at 4 GiB.
 *
 * Return: 0 or VI_GUEST_FAULT.
 */
int vi_linear(struct vi_access *acc, unsigned int seg, uint64_t offset, unsigned int size,
	      bool write, uint64_t *gva)
{
	const struct vitro_segment *s = &acc->vcpu->comm->state.segs.seg[seg];

	bool flat = in_64bit_code(acc->vcpu);
	bool allowed;

	if (flat) {
		*gva = offset + (seg == VITRO_FS || seg == VITRO_GS ? s->base : 0);
		allowed = vi_canonical(acc->vcpu, *gva) &&
			  vi_canonical(acc->vcpu, *gva + size - 1);
	} else {
		*gva = (s->base + offset) & 0xffffffff;
		allowed = segment_allows(acc->vcpu, s, offset, size, write);
	}
	return allowed ? 0 : vi_guest_fault(acc, seg == VITRO_SS ? EXC_SS : EXC_GP, 0);
}

/**
 * vi_require_aligned - check an access of those that have to be aligned anyway
 * @acc: the access
 * @seg: enum vitro_seg
 * @offset: effective address
 * @size: bytes, a power of two
 *
 * It is the linear address that counts, and the fault is #GP whatever the segment
 * (SDM 2A, MOVAPS).
 *
 * Return: 0 or VI_GUEST_FAULT.
 */
int vi_require_aligned(struct vi_access *acc, unsigned int seg, uint64_t offset,
		       unsigned int size)
{
	uint64_t gva;
	int ret = vi_linear(acc, seg, offset, size, false, &gva);

	if (ret)
		return ret;
	return gva & (size - 1) ? vi_guest_fault(acc, EXC_GP, 0) : 0;
}

/* ------------------------------------------------------------------- pages */

/* Alignment checks are for applications that ask for them (SDM 3A 6.15, #AC). */
static bool misaligned(const struct vitro_vcpu *vcpu, uint64_t gva, unsigned int size)
{
	const struct vitro_state *state = &vcpu->comm->state;

	return state->crs.cr0 & CR0_AM && state->gprs.rflags & FLAG_AC && vi_cpl(vcpu) == 3 &&
	       size <= 16 && gva & (size - 1);
}

/* Both pages are looked up before either is touched: a fault leaves nothing half done. */
static int translate(struct vi_access *acc, unsigned int seg, uint64_t offset,
		     unsigned int size, bool write, struct part part[2])
{
	unsigned int access = write ? VITRO_ACCESS_WRITE : 0;
	uint64_t gva, next;
	int ret = vi_linear(acc, seg, offset, size, write, &gva);

	if (ret)
		return ret;
	part[0].len = PAGE_SIZE - (gva & PAGE_MASK);
	if (part[0].len > size)
		part[0].len = size;
	part[1].len = size - part[0].len;

	next = gva + part[0].len;
	if (!in_64bit_code(acc->vcpu))
		next &= 0xffffffff;

	ret = vitro_gva_to_gpa(acc->vcpu, gva, access, &part[0].gpa, &acc->fault);
	if (!ret && part[1].len)
		ret = vitro_gva_to_gpa(acc->vcpu, next, access, &part[1].gpa, &acc->fault);
	if (!ret && misaligned(acc->vcpu, gva, size))
		return vi_guest_fault(acc, EXC_AC, 0);
	return ret == -EFAULT ? VI_GUEST_FAULT : ret;
}

/* --------------------------------------------------- what is behind an address */

/*
 * The xAPIC's registers are 32 bits wide, every 16 bytes.  Narrower reads get their
 * part of one; anything else is undefined (SDM 3A 11.4.1): reads give 0 here, and
 * writes do nothing.
 */
static int lapic_access(struct vitro_vcpu *vcpu, uint64_t gpa, unsigned int size, bool write,
			uint64_t *value)
{
	uint32_t offset = gpa & PAGE_MASK;
	uint32_t reg = 0;
	int ret;

	if ((offset & 0xf) + size > 4) {
		*value = 0;
		return 0;
	}
	if (write)
		return size == 4 ? vitro_vcpu_lapic_write(vcpu, offset, *value) : 0;
	ret = vitro_vcpu_lapic_read(vcpu, offset & ~0xfU, &reg);
	*value = reg >> (offset & 3) * 8;
	return ret;
}

static int device_access(struct vi_access *acc, uint64_t gpa, unsigned int size, bool write,
			 uint64_t *value)
{
	const struct vitro_bus *bus = acc->bus;
	int ret;

	if ((gpa & ~PAGE_MASK) == LAPIC_PAGE) {
		ret = lapic_access(acc->vcpu, gpa, size, write, value);
		if (ret != -ENXIO)	/* which means: not in xAPIC mode, just an address */
			return ret;
	}
	if (!bus->mmio) {
		*value = ~0ULL;
		return 0;
	}
	ret = bus->mmio(bus->opaque, acc->vcpu, gpa, size, write, value);
	if (ret > 0)
		return vi_fail(EPROTO, "the bus' mmio callback gave %d; it should give 0 or -errno",
			       ret);
	return ret;
}

/* Devices see 1, 2, 4 or 8 bytes; other lengths come from page crossings. */
static int device_copy(struct vi_access *acc, uint64_t gpa, uint8_t *buf, unsigned int len,
		       bool write)
{
	int ret;

	for (unsigned int size; len; gpa += size, buf += size, len -= size) {
		uint64_t value = 0;

		for (size = 8; size > len; size /= 2)
			;
		if (write)
			memcpy(&value, buf, size);
		ret = device_access(acc, gpa, size, write, &value);
		if (ret)
			return ret;
		if (!write)
			memcpy(buf, &value, size);
	}
	return 0;
}

/* RAM is shared with other vCPUs: what the CPU would access in one piece, so do we. */
static void ram_copy(void *to, const void *from, unsigned int len)
{
	switch (len) {
	case 2:
		__builtin_memcpy(to, from, 2);
		break;
	case 4:
		__builtin_memcpy(to, from, 4);
		break;
	case 8:
		__builtin_memcpy(to, from, 8);
		break;
	default:
		memcpy(to, from, len);
	}
}

static int physical(struct vi_access *acc, const struct part *part, uint8_t *buf, bool write)
{
	uint64_t len = part->len;
	uint32_t flags;
	uint8_t *hva = vi_gpa_find(acc->vcpu->vm, part->gpa, &len, &flags);

	if (!hva || (write && flags & VITRO_SLOT_READONLY))
		return device_copy(acc, part->gpa, buf, part->len, write);
	if (write)
		ram_copy(hva, buf, part->len);
	else
		ram_copy(buf, hva, part->len);
	return 0;
}

static int access_memory(struct vi_access *acc, unsigned int seg, uint64_t offset,
			 uint8_t *buf, unsigned int size, bool write)
{
	struct part part[2];
	int ret = translate(acc, seg, offset, size, write, part);

	if (!ret)
		ret = physical(acc, &part[0], buf, write);
	if (!ret && part[1].len)
		ret = physical(acc, &part[1], buf + part[0].len, write);
	return ret;
}

/**
 * vi_probe - would an access fault?
 * @acc: the access
 * @seg: enum vitro_seg
 * @offset: effective address
 * @size: bytes, at most 4096
 * @write: it writes
 *
 * For instructions that have to know before they do what cannot be undone.
 *
 * Return: 0, VI_GUEST_FAULT, or -errno.
 */
int vi_probe(struct vi_access *acc, unsigned int seg, uint64_t offset, unsigned int size,
	     bool write)
{
	struct part part[2];

	return translate(acc, seg, offset, size, write, part);
}

/**
 * vi_read - read memory or a device
 * @acc: the access
 * @seg: enum vitro_seg
 * @offset: effective address
 * @buf: to
 * @size: bytes, at most 4096
 *
 * Return: 0, VI_GUEST_FAULT, or -errno.
 */
int vi_read(struct vi_access *acc, unsigned int seg, uint64_t offset, void *buf,
	    unsigned int size)
{
	return access_memory(acc, seg, offset, buf, size, false);
}

/**
 * vi_write - write memory or a device
 * @acc: the access
 * @seg: enum vitro_seg
 * @offset: effective address
 * @buf: from
 * @size: bytes, at most 4096
 *
 * Return: 0, VI_GUEST_FAULT, or -errno.
 */
int vi_write(struct vi_access *acc, unsigned int seg, uint64_t offset, const void *buf,
	     unsigned int size)
{
	return access_memory(acc, seg, offset, (uint8_t *)buf, size, true);
}
