// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a program can call: each ioctl of linux/vitro.h, with the fields of its struct, and
 * what processes do to memory, file descriptors and each other besides.
 *
 * The first three arguments of an ioctl are the fd to call, the place in the table of fds
 * for one that it returns, and how its struct is passed.
 */
#include "fuzz.h"
#include "ops.h"

/* Members of an ioctl's struct. */
#define U32(_struct, _member, _type)	{ #_member, _type, 4, offsetof(struct _struct, _member) }
#define U64(_struct, _member, _type)	{ #_member, _type, 8, offsetof(struct _struct, _member) }

#define DR(_n)	{ "dr" #_n, F_REG, 8, offsetof(struct vitro_debug, dr[_n]) }

#define IOCTL(_name, _on, _makes, _weight, ...) { \
	.name = #_name, .cmd = VITRO_ ## _name, .on = _on, .makes = _makes, .weight = _weight, \
	.field = { { "on", F_FD, 0, 0 }, { "to", F_TO, 0, 0 }, { "form", F_FORM, 0, 0 }, \
		   __VA_ARGS__ } }

#define OP(_name, _op, _on, _makes, _weight, ...) { \
	.name = _name, .op = _op, .on = _on, .makes = _makes, .weight = _weight, \
	.field = { __VA_ARGS__ } }
#define A(_name, _type)	{ _name, _type, 0, 0 }
#define FD		A("fd", F_FD)
#define TO		A("to", F_TO)

const struct call_type call_types[] = {
	IOCTL(GET_INFO, K_DEV, K_NONE, 2,
	      U32(vitro_info, nr_cpuid, F_NR), U64(vitro_info, cpuid, F_POINTER),
	      U32(vitro_info, pad, F_PAD)),
	IOCTL(CREATE_VM, K_DEV, K_VM, 4,
	      U32(vitro_create_vm, flags, F_PAD), U32(vitro_create_vm, pad, F_PAD)),
	IOCTL(SET_MEMSLOT, K_VM, K_NONE, 10,
	      U32(vitro_memslot, slot, F_SLOT), U32(vitro_memslot, flags, F_2_FLAGS),
	      U64(vitro_memslot, gpa, F_GPA), U64(vitro_memslot, size, F_SIZE),
	      U64(vitro_memslot, hva, F_HVA)),
	IOCTL(DIRTY_LOG, K_VM, K_NONE, 6,
	      U32(vitro_dirty_log, slot, F_SLOT), U32(vitro_dirty_log, flags, F_PAD),
	      U64(vitro_dirty_log, first, F_PAGES), U64(vitro_dirty_log, nr, F_PAGES),
	      U64(vitro_dirty_log, bitmap, F_POINTER)),
	IOCTL(CREATE_VCPU, K_VM, K_VCPU, 6,
	      U32(vitro_create_vcpu, id, F_ID), U32(vitro_create_vcpu, flags, F_PAD)),
	IOCTL(SIGNAL_MSI, K_VM, K_NONE, 10,
	      U64(vitro_msi, addr, F_MSI_ADDR), U32(vitro_msi, data, F_MSI_DATA),
	      U32(vitro_msi, flags, F_PAD)),
	IOCTL(IRQFD, K_VM, K_NONE, 6,
	      U32(vitro_irqfd, fd, F_EVENTFD), U32(vitro_irqfd, flags, F_1_FLAG),
	      U64(vitro_irqfd, addr, F_MSI_ADDR), U32(vitro_irqfd, data, F_MSI_DATA),
	      U32(vitro_irqfd, pad, F_PAD)),
	IOCTL(IOEVENTFD, K_VM, K_NONE, 6,
	      U64(vitro_ioeventfd, addr, F_IO_ADDR), U64(vitro_ioeventfd, datamatch, F_REG),
	      U32(vitro_ioeventfd, len, F_IO_LEN), U32(vitro_ioeventfd, fd, F_EVENTFD),
	      U32(vitro_ioeventfd, flags, F_3_FLAGS), U32(vitro_ioeventfd, pad, F_PAD)),
	IOCTL(STATS, K_VM, K_NONE, 2,
	      U32(vitro_stats, vcpu, F_ID), U32(vitro_stats, pad, F_PAD)),
	IOCTL(SET_NAME, K_VM, K_NONE, 2, { "name", F_NAME, VITRO_NAME_SIZE, 0 }),
	IOCTL(REPORT, K_VM, K_NONE, 1,
	      U32(vitro_report, what, F_ID), U32(vitro_report, pad, F_PAD)),
	IOCTL(TDP_WALK, K_VM, K_NONE, 4,
	      U64(vitro_tdp_walk, gpa, F_GPA), U32(vitro_tdp_walk, flags, F_PAD),
	      U32(vitro_tdp_walk, pad, F_PAD)),
	IOCTL(SET_DEADLINE, K_VM, K_NONE, 2,
	      U64(vitro_deadline, ns, F_REG), U32(vitro_deadline, flags, F_PAD),
	      U32(vitro_deadline, pad, F_PAD)),
	/* For its own sake; a program runs a guest by the OP below. */
	IOCTL(RUN, K_VCPU, K_NONE, 1, A(NULL, F_END)),
	IOCTL(GET_STATE, K_VCPU, K_NONE, 4, U64(vitro_state_mask, mask, F_MASK)),
	IOCTL(SET_STATE, K_VCPU, K_NONE, 4, U64(vitro_state_mask, mask, F_MASK)),
	IOCTL(SET_CPUID, K_VCPU, K_NONE, 3,
	      U32(vitro_cpuid, nr, F_NR), U32(vitro_cpuid, pad, F_PAD),
	      U64(vitro_cpuid, entries, F_POINTER)),
	IOCTL(LAPIC_RW, K_VCPU, K_NONE, 10,
	      U32(vitro_lapic_rw, offset, F_LAPIC), U32(vitro_lapic_rw, flags, F_1_FLAG),
	      U32(vitro_lapic_rw, value, F_REG), U32(vitro_lapic_rw, pad, F_PAD)),
	IOCTL(DUMP, K_VCPU, K_NONE, 2,
	      U32(vitro_dump, nr, F_NR), U64(vitro_dump, entries, F_POINTER),
	      U32(vitro_dump, pad, F_PAD)),
	IOCTL(RECORD, K_VCPU, K_RING, 4,
	      U32(vitro_record_start, nr, F_NR), U32(vitro_record_start, flags, F_PAD)),
	IOCTL(SET_DEBUG, K_VCPU, K_NONE, 6,
	      U32(vitro_debug, flags, F_3_FLAGS), U32(vitro_debug, pad, F_PAD),
	      DR(0), DR(1),
	      DR(2), DR(3), U64(vitro_debug, dr7, F_REG)),

	OP("enter", op_enter, K_VCPU, K_NONE, 20, FD, A("exits", F_COUNT)),
	OP("mode", op_mode, K_VCPU, K_NONE, 10, FD, A("mode", F_MODE), A("entry", F_ENTRY),
	   A("rax", F_REG), A("rbx", F_GPA), A("rcx", F_REG), A("rdx", F_REG),
	   A("wanted", F_MASK)),
	OP("patch", op_patch, K_VCPU, K_NONE, 16, FD, A("mask", F_MASK), A("offset", F_OFFSET),
	   A("len", F_OFFSET_LEN), A("value", F_REG), A("later", F_1_FLAG)),
	OP("poke", op_poke, K_VCPU, K_NONE, 10, FD, A("offset", F_OFFSET),
	   A("len", F_OFFSET_LEN), A("value", F_REG)),
	OP("scribble", op_scribble, K_VCPU, K_NONE, 6, FD, A("seed", F_SEED),
	   A("times", F_COUNT)),
	OP("map", op_map, K_VCPU, K_NONE, 6, FD, A("len", F_SIZE), A("prot", F_PROT),
	   A("flags", F_MAP), A("offset", F_PAD)),
	OP("unmap", op_unmap, K_VCPU, K_NONE, 1, FD, A("len", F_SIZE)),

	OP("close", op_close, K_VCPU, K_NONE, 3, FD),
	OP("dup", op_dup, K_VCPU, K_VCPU, 2, FD, TO),
	OP("eventfd", op_eventfd, K_NONE, K_EVENT, 2, TO),
	OP("signal", op_signal, K_EVENT, K_NONE, 6, FD, A("value", F_REG)),
	OP("take", op_take, K_EVENT, K_NONE, 1, FD),
	OP("poll", op_poll, K_RING, K_NONE, 1, FD),

	OP("mmap", op_mmap, K_NONE, K_NONE, 4, A("at", F_HVA), A("len", F_SIZE),
	   A("prot", F_PROT), A("flags", F_MAP)),
	OP("munmap", op_munmap, K_NONE, K_NONE, 3, A("at", F_HVA), A("len", F_SIZE)),
	OP("mprotect", op_mprotect, K_NONE, K_NONE, 3, A("at", F_HVA), A("len", F_SIZE),
	   A("prot", F_PROT)),
	OP("madvise", op_madvise, K_NONE, K_NONE, 6, A("at", F_HVA), A("len", F_SIZE),
	   A("advice", F_ADVICE)),
	OP("mremap", op_mremap, K_NONE, K_NONE, 2, A("at", F_HVA), A("len", F_SIZE),
	   A("dest", F_HVA)),
	OP("fill", op_fill, K_NONE, K_NONE, 3, A("at", F_HVA), A("len", F_SIZE),
	   A("seed", F_SEED)),
	OP("write", op_write, K_NONE, K_NONE, 3, A("at", F_POINTER), A("offset", F_ID),
	   A("value", F_REG)),

	OP("fork", op_fork, K_NONE, K_NONE, 2, A("calls", F_COUNT)),
	OP("interrupt", op_interrupt, K_NONE, K_NONE, 4, A("thread", F_THREAD)),
	OP("pause", op_pause, K_NONE, K_NONE, 2, A("us", F_COUNT)),
	OP("fail", op_fail, K_NONE, K_NONE, 8, A("nth", F_SEED)),
	OP("die", op_die, K_NONE, K_NONE, 1, A("nothing", F_PAD)),
	OP("netlink", op_netlink, K_NONE, K_NONE, 3, A("command", F_COMMAND),
	   A("flags", F_3_FLAGS), A("back", F_1_FLAG), A("watched", F_1_FLAG),
	   A("more", F_ID)),
};

const unsigned int nr_call_types = ARRAY_SIZE(call_types);
