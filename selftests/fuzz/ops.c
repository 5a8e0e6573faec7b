// SPDX-License-Identifier: GPL-2.0-or-later
/* Calls that are no ioctls: what a launcher does with a vCPU, and what it should not do. */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include "ops.h"

GUEST(g_io);
GUEST(g_string_io);
GUEST(g_msr);
GUEST(g_msr_sweep);
GUEST(g_cpu);
GUEST(g_xsetbv);
GUEST(g_cr);
GUEST(g_cr_write);
GUEST(g_dr);
GUEST(g_pages);
GUEST(g_far_pages);
GUEST(g_halt);
GUEST(g_timer);
GUEST(g_deadline);
GUEST(g_self_ipi);
GUEST(g_ipi);
GUEST(g_start_others);
GUEST(g_hypercall);
GUEST(g_exceptions);
GUEST(g_triple);
GUEST(g_spin);
GUEST(g_clock);
GUEST(g_xapic);
GUEST(g_x2apic_sweep);
GUEST(g_flags);
GUEST(g_strange);
GUEST(g_user);
GUEST(g_jump);

/* Where a guest can start (F_ENTRY), besides in the middle of one of these. */
static const char *const entries[] = {
	g_io, g_string_io, g_msr, g_msr_sweep, g_cpu, g_xsetbv, g_cr, g_cr_write, g_dr, g_pages,
	g_far_pages, g_halt, g_timer, g_deadline, g_self_ipi, g_ipi, g_start_others, g_hypercall,
	g_exceptions, g_triple, g_spin, g_clock, g_xapic, g_x2apic_sweep, g_flags, g_strange,
	g_user, g_jump,
};

static struct vitro_comm *comm_of(uint64_t fd)
{
	return (void *)WINDOW(fd % NR_FDS);
}

/* What guarded() calls, and with what. */
struct access {
	struct vitro_comm *comm;
	const uint64_t *arg;
	struct exec *x;
	unsigned int reason;
};

/* As a launcher would: past the instruction. */
static void finish_exit(void *opaque)
{
	struct access *a = opaque;
	struct vitro_comm *comm = a->comm;

	a->reason = comm->exit.reason;
	if (comm->exit.insn_len) {
		comm->state.gprs.rip += comm->exit.insn_len;
		comm->dirty |= VITRO_STATE_GPRS;
	}
}

/* VITRO_RUN, up to so many times.  Returns the last exit's reason, or -errno. */
long op_enter(struct exec *x, const uint64_t *arg)
{
	struct access a = { .comm = comm_of(arg[0]) };
	uint64_t i;

	for (i = 0; i < (arg[1] & 1023) && !*x->stop; i++) {
		if (ioctl(x->fds[arg[0] % NR_FDS], VITRO_RUN, NULL))
			return -errno;
		if (!guarded(finish_exit, &a) || a.reason == VITRO_EXIT_INTR)
			break;
	}
	return a.reason;
}

static void set_mode(void *opaque)
{
	struct access *a = opaque;
	const uint64_t *arg = a->arg;
	struct vt_vm vm = { .mem = (void *)ARENA };
	struct vt_cpu cpu = { .vm = &vm, .comm = a->comm };
	uint64_t *gpr = (uint64_t *)a->comm->state.gprs.gpr;

	vt_set_mode(&cpu, arg[1] % (VT_LONG + 1),
		    entries[arg[2] % ARRAY_SIZE(entries)] + (arg[2] >> 8 & 15));
	gpr[VITRO_RAX] = arg[3];
	gpr[VITRO_RBX] = arg[4];
	gpr[VITRO_RCX] = arg[5];
	gpr[VITRO_RDX] = arg[6];
	gpr[VITRO_RSI] = arg[4];
	gpr[VITRO_RDI] = arg[4];
	a->comm->wanted = arg[7];
	/* Others than vCPU 0 wait for a SIPI, unless told otherwise. */
	memset(&a->comm->state.events, 0, sizeof(a->comm->state.events));
	a->comm->dirty |= VITRO_STATE_EVENTS;
}

/* A sound state, in one of five modes, at a snippet of guest/fuzz.S. */
long op_mode(struct exec *x, const uint64_t *arg)
{
	struct access a = { .comm = comm_of(arg[0]), .arg = arg };

	(void)x;
	return guarded(set_mode, &a) ? 0 : -EFAULT;
}

static void put_bytes(void *comm, uint64_t offset, uint64_t len, uint64_t value)
{
	/* Up to the end of its window: what is not mapped there, the caller finds out. */
	memcpy((char *)comm + offset % (WINDOW_SIZE - 8), &value, len < 8 ? len : 8);
}

static void poke(void *opaque)
{
	struct access *a = opaque;

	put_bytes(a->comm, a->arg[1], a->arg[2], a->arg[3]);
}

/* A word of the comm area. */
long op_poke(struct exec *x, const uint64_t *arg)
{
	struct access a = { .comm = comm_of(arg[0]), .arg = arg };

	(void)x;
	return guarded(poke, &a) ? 0 : -EFAULT;
}

static void patch(void *opaque)
{
	struct access *a = opaque;

	put_bytes(a->comm, a->arg[2], a->arg[3], a->arg[4]);
	if (a->arg[5])
		a->comm->dirty |= a->arg[1];
}

/*
 * A sound state, but for one word: what the vCPU has, changed, and loaded, at once or by the
 * next VITRO_RUN.  So each check is reached, and not only the first.
 */
long op_patch(struct exec *x, const uint64_t *arg)
{
	struct access a = { .comm = comm_of(arg[0]), .arg = arg };
	struct vitro_state_mask mask = { .mask = arg[1] };
	int fd = x->fds[arg[0] % NR_FDS];

	if (ioctl(fd, VITRO_GET_STATE, &mask))
		return -errno;
	if (!guarded(patch, &a))
		return -EFAULT;
	if (!arg[5] && ioctl(fd, VITRO_SET_STATE, &mask))
		return -errno;
	return 0;
}

static void scribble(void *opaque)
{
	struct access *a = opaque;
	struct rng r = { .state = a->arg[1] };
	uint64_t times = (a->arg[2] & 1023) * 64;

	while (times-- && !*a->x->stop) {
		uint64_t offset = rng_next(&r) % sizeof(struct vitro_comm) & ~7ULL;

		/* The masks more often than others: without them, nothing is looked at. */
		switch (rng_below(&r, 8)) {
		case 0:
			offset = offsetof(struct vitro_comm, dirty);
			break;
		case 1:
			offset = offsetof(struct vitro_comm, wanted);
			break;
		}
		put_bytes(a->comm, offset, 1 + rng_below(&r, 8),
			  rng_next(&r) >> rng_below(&r, 64));
	}
}

/* The comm area, here and there, while another thread may be in VITRO_RUN. */
long op_scribble(struct exec *x, const uint64_t *arg)
{
	struct access a = { .comm = comm_of(arg[0]), .arg = arg, .x = x };

	return guarded(scribble, &a) ? 0 : -EFAULT;
}
