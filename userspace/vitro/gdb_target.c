// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The machine under gdb: its vCPUs, which run, step and stop; its memory, with breakpoints
 * in it.  Everything here but gdb_look() and target_ask_stop() is the stub's own thread's,
 * at a time when the machine stands.
 *
 * A breakpoint in memory is an INT3 at a guest physical address: whoever executes it, by
 * whatever linear address, exits.  gdb neither sees it nor overwrites it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "gdb.h"
#include "machine.h"

#define INT3		0xcc
#define VECTOR_BP	3
#define PAGE		4096ULL

/* DR7 (SDM 3B 18.2.4): two enable bits a register, and four that say for what. */
#define DR7_GLOBAL(i)	(2ULL << 2 * (i))
#define DR7_WHAT(i)	(16 + 4 * (i))

static struct vitro_vcpu *vcpu_of(const struct gdb *g, unsigned int cpu)
{
	return g->m->cpu[cpu].vcpu;
}

/**
 * target_nr_cpus - how many vCPUs there are
 * @g: the stub
 *
 * Return: their number.
 */
unsigned int target_nr_cpus(const struct gdb *g)
{
	return g->m->nr_cpus;
}

/* -------------------------------------------------------------------- registers */

/**
 * target_get_reg - read a register
 * @g: the stub
 * @cpu: of this vCPU
 * @reg: its number
 * @value: set
 *
 * Return: 0 or -errno.
 */
int target_get_reg(struct gdb *g, unsigned int cpu, unsigned int reg, uint8_t *value)
{
	struct vitro_vcpu *vcpu = vcpu_of(g, cpu);
	int err;

	pause_lock(g->m);
	err = vitro_vcpu_get(vcpu, regs_group(reg));
	if (!err)
		regs_get(&vitro_vcpu_comm(vcpu)->state, reg, value);
	pause_unlock(g->m);
	return err;
}

/**
 * target_set_reg - write a register
 * @g: the stub
 * @cpu: of this vCPU
 * @reg: its number
 * @value: its bytes
 *
 * Return: 0; -EINVAL the CPU would refuse the value; another -errno.
 */
int target_set_reg(struct gdb *g, unsigned int cpu, unsigned int reg, const uint8_t *value)
{
	struct vitro_vcpu *vcpu = vcpu_of(g, cpu);
	struct vitro_state *state = &vitro_vcpu_comm(vcpu)->state;
	uint8_t old[GDB_REG_MAX];
	int err;

	pause_lock(g->m);
	err = vitro_vcpu_get(vcpu, regs_group(reg));
	if (!err) {
		regs_get(state, reg, old);
		regs_set(state, reg, value);
		err = vitro_vcpu_set(vcpu, regs_group(reg));
		if (err)
			regs_set(state, reg, old);
	}
	pause_unlock(g->m);
	return err;
}

/* ----------------------------------------------------------------------- memory */

/* Bytes up to the next page. */
static size_t page_left(uint64_t gva, size_t len)
{
	size_t left = PAGE - gva % PAGE;

	return len < left ? len : left;
}

static int translate(struct gdb *g, uint64_t gva, uint64_t *gpa)
{
	return vitro_gva_to_gpa(vcpu_of(g, g->cpu), gva, VITRO_ACCESS_DEBUG, gpa, NULL);
}

/* What was at the breakpoints in a piece of memory. */
static void hide_breakpoints(const struct gdb *g, uint64_t gpa, uint8_t *bytes, size_t len)
{
	unsigned int i;

	for (i = 0; i < g->nr_soft; i++) {
		if (g->soft[i].gpa - gpa < len)
			bytes[g->soft[i].gpa - gpa] = g->soft[i].byte;
	}
}

/* Writes around the breakpoints, which then stand for the new bytes. */
static int write_piece(struct gdb *g, uint64_t gpa, const uint8_t *bytes, size_t len)
{
	static const uint8_t int3 = INT3;
	int err = vitro_write_gpa(g->m->vm, gpa, bytes, len);
	unsigned int i;

	for (i = 0; !err && i < g->nr_soft; i++) {
		if (g->soft[i].gpa - gpa >= len)
			continue;
		g->soft[i].byte = bytes[g->soft[i].gpa - gpa];
		err = vitro_write_gpa(g->m->vm, g->soft[i].gpa, &int3, 1);
	}
	return err;
}

/**
 * target_read - read memory by linear address, as the current vCPU sees it
 * @g: the stub
 * @gva: from
 * @buf: to
 * @len: bytes
 *
 * Return: bytes that could be read; -EFAULT if there is none.
 */
ssize_t target_read(struct gdb *g, uint64_t gva, void *buf, size_t len)
{
	uint8_t *to = buf;
	size_t done = 0, n;
	uint64_t gpa;

	pause_lock(g->m);
	for (; done < len; done += n) {
		n = page_left(gva + done, len - done);
		if (translate(g, gva + done, &gpa) ||
		    vitro_read_gpa(g->m->vm, gpa, to + done, n))
			break;
		hide_breakpoints(g, gpa, to + done, n);
	}
	pause_unlock(g->m);
	return done || !len ? (ssize_t)done : -EFAULT;
}

/**
 * target_write - write memory by linear address, whatever the page tables allow
 * @g: the stub
 * @gva: to
 * @buf: from
 * @len: bytes
 *
 * Return: 0 or -EFAULT; the part before is written.
 */
int target_write(struct gdb *g, uint64_t gva, const void *buf, size_t len)
{
	const uint8_t *from = buf;
	uint64_t gpa;
	int err = 0;
	size_t n;

	pause_lock(g->m);
	for (; len && !err; len -= n, gva += n, from += n) {
		n = page_left(gva, len);
		err = translate(g, gva, &gpa) ? -EFAULT : write_piece(g, gpa, from, n);
	}
	pause_unlock(g->m);
	return err ? -EFAULT : 0;
}

/* ------------------------------------------------------------------ breakpoints */

static const struct gdb_soft *find_gpa(const struct gdb *g, uint64_t gpa)
{
	unsigned int i;

	for (i = 0; i < g->nr_soft; i++) {
		if (g->soft[i].gpa == gpa)
			return &g->soft[i];
	}
	return NULL;
}

static int insert_soft(struct gdb *g, uint64_t gva)
{
	struct gdb_soft *new = &g->soft[g->nr_soft];
	const struct gdb_soft *other;
	const uint8_t int3 = INT3;

	if (g->nr_soft == GDB_MAX_BREAKPOINTS)
		return -ENOSPC;
	if (translate(g, gva, &new->gpa))
		return -EFAULT;
	new->gva = gva;
	other = find_gpa(g, new->gpa);
	if (other)
		new->byte = other->byte;
	else if (vitro_read_gpa(g->m->vm, new->gpa, &new->byte, 1) ||
		 vitro_write_gpa(g->m->vm, new->gpa, &int3, 1))
		return -EFAULT;
	g->nr_soft++;
	return 0;
}

static void remove_nth_soft(struct gdb *g, unsigned int i)
{
	const struct gdb_soft old = g->soft[i];
	uint8_t byte;

	g->soft[i] = g->soft[--g->nr_soft];
	if (find_gpa(g, old.gpa))
		return;
	/* If the guest has put something else there, as new code, that stays. */
	if (!vitro_read_gpa(g->m->vm, old.gpa, &byte, 1) && byte == INT3)
		vitro_write_gpa(g->m->vm, old.gpa, &old.byte, 1);
}

static int remove_soft(struct gdb *g, uint64_t gva)
{
	unsigned int i;

	for (i = 0; i < g->nr_soft; i++) {
		if (g->soft[i].gva == gva) {
			remove_nth_soft(g, i);
			return 0;
		}
	}
	return -ENOENT;
}

/* A piece that one debug register can watch: a power of two, aligned, at most 8 bytes. */
static unsigned int piece_len(uint64_t gva, uint64_t len)
{
	unsigned int n = 8;

	while (gva % n || n > len)
		n /= 2;
	return n;
}

static int remove_hard(struct gdb *g, enum gdb_kind kind, uint64_t gva, uint64_t len)
{
	int i, found = 0;

	for (i = 0; i < GDB_NR_DRS; i++) {
		if (g->hard[i].used && g->hard[i].kind == kind && g->hard[i].start == gva &&
		    g->hard[i].size == len) {
			g->hard[i].used = false;
			found++;
		}
	}
	return found ? 0 : -ENOENT;
}

static int insert_hard(struct gdb *g, enum gdb_kind kind, uint64_t gva, uint64_t len)
{
	uint64_t at = gva, left = kind == GDB_HARD ? 1 : len;
	unsigned int n;
	int i;

	if (!left)
		return -EINVAL;
	for (i = 0; i < GDB_NR_DRS && left; i++) {
		if (g->hard[i].used)
			continue;
		n = kind == GDB_HARD ? 1 : piece_len(at, left);
		g->hard[i] = (struct gdb_hard){
			.used = true, .kind = kind, .gva = at, .len = n, .start = gva, .size = len,
		};
		at += n;
		left -= n;
	}
	if (!left)
		return 0;
	remove_hard(g, kind, gva, len);
	return -ENOSPC;
}

/**
 * target_insert - set a breakpoint or watchpoint
 * @g: the stub
 * @kind: of this kind, but GDB_READ
 * @gva: here
 * @len: bytes to watch
 *
 * Return: 0; -EFAULT there is no memory; -ENOSPC all debug registers are taken.
 */
int target_insert(struct gdb *g, enum gdb_kind kind, uint64_t gva, uint64_t len)
{
	int err;

	pause_lock(g->m);
	err = kind == GDB_SOFT ? insert_soft(g, gva) : insert_hard(g, kind, gva, len);
	pause_unlock(g->m);
	return err;
}

/**
 * target_remove - take a breakpoint or watchpoint away
 * @g: the stub
 * @kind: @gva: @len: as at target_insert()
 *
 * Return: 0, or -ENOENT there is none.
 */
int target_remove(struct gdb *g, enum gdb_kind kind, uint64_t gva, uint64_t len)
{
	int err;

	pause_lock(g->m);
	err = kind == GDB_SOFT ? remove_soft(g, gva) : remove_hard(g, kind, gva, len);
	pause_unlock(g->m);
	return err;
}

/* ------------------------------------------------------------------ in a vCPU's thread */

/**
 * target_ask_stop - stop the machine
 * @g: the stub
 * @stop: why
 *
 * From any thread, also a vCPU's.  If it is stopping already, the first reason counts.
 */
void target_ask_stop(struct gdb *g, const struct gdb_stop *stop)
{
	const uint64_t one = 1;

	pthread_mutex_lock(&g->lock);
	if (g->running && !g->stopping) {
		g->stopping = true;
		g->stop = *stop;
		pause_ask(g->m);
		if (write(g->event_fd, &one, sizeof(one)) < 0)
			perror("vitro: eventfd");
	} else if (stop->why == STOP_WRITE || stop->why == STOP_ACCESS) {
		/* Others are found again where they are; this instruction is over. */
		g->missed[stop->cpu] = *stop;
		g->has_missed[stop->cpu] = true;
	}
	pthread_mutex_unlock(&g->lock);
}

/* An INT3: of ours, or the guest's own, which then is to have its exception. */
static void look_at_int3(struct gdb *g, struct cpu *cpu)
{
	const struct vitro_state *state = &vitro_vcpu_comm(cpu->vcpu)->state;
	struct gdb_stop stop = { .why = STOP_SOFT, .cpu = cpu->id };
	const struct gdb_soft *b = NULL;
	uint64_t gva = 0, gpa;

	if (!vitro_vcpu_get(cpu->vcpu, VITRO_STATE_GPRS | VITRO_STATE_SEGS | VITRO_STATE_CRS)) {
		gva = cpu_linear(state, VITRO_CS, state->gprs.rip);
		if (!vitro_gva_to_gpa(cpu->vcpu, gva, VITRO_ACCESS_DEBUG, &gpa, NULL))
			b = find_gpa(g, gpa);
	}
	if (!b) {
		vitro_raise(cpu->vcpu, VECTOR_BP, false, 0);
		return;
	}
	/* gdb takes no breakpoint for its own that is not where it has set one. */
	if (b->gva != gva)
		stop.why = STOP_TRAP;
	target_ask_stop(g, &stop);
}

static void look_at_drs(struct gdb *g, struct cpu *cpu, uint64_t dr6)
{
	struct gdb_stop stop = { .why = STOP_HARD, .cpu = cpu->id };
	int i;

	for (i = 0; i < GDB_NR_DRS; i++) {
		if (!(dr6 >> i & 1) || g->hard[i].kind == GDB_HARD)
			continue;
		stop.why = g->hard[i].kind == GDB_WRITE ? STOP_WRITE : STOP_ACCESS;
		stop.addr = g->hard[i].gva;
	}
	target_ask_stop(g, &stop);
}

/**
 * gdb_look - was the exit, which has been dealt with, one that gdb waits for?
 * @cpu: whose; in its thread
 */
void gdb_look(struct cpu *cpu)
{
	const struct vitro_exit *exit = &vitro_vcpu_comm(cpu->vcpu)->exit;
	const struct gdb_stop stepped = { .why = STOP_TRAP, .cpu = cpu->id };
	struct gdb *g = cpu->machine->gdb;

	if (!g || exit->reason == VITRO_EXIT_INTR)
		return;
	if (exit->reason != VITRO_EXIT_DEBUG) {
		/* Who finishes an instruction has made the step. */
		if (g->action[cpu->id] == GDB_STEP)
			target_ask_stop(g, &stepped);
	} else if (exit->debug.flags & VITRO_DEBUG_HW) {
		look_at_drs(g, cpu, exit->debug.dr6);
	} else if (exit->debug.flags & VITRO_DEBUG_BP) {
		look_at_int3(g, cpu);
	} else {
		target_ask_stop(g, &stepped);
	}
}

/* -------------------------------------------------------------- stopping, going on */

/**
 * target_stopped - wait until a machine that was asked to stop stands
 * @g: the stub
 *
 * Return: false: it has ended, or does not stop.
 */
bool target_stopped(struct gdb *g)
{
	bool stands = pause_wait(g->m);

	pthread_mutex_lock(&g->lock);
	if (stands) {
		g->running = false;
		g->stopping = false;
	}
	stands = stands && !g->over;
	pthread_mutex_unlock(&g->lock);
	return stands;
}

/* What the vCPU is to exit for. */
static void set_debug(struct gdb *g, unsigned int cpu)
{
	/* LEN of 1, 2, 4 and 8 bytes. */
	static const uint8_t len_bits[] = { [1] = 0, [2] = 1, [4] = 3, [8] = 2 };
	struct vitro_debug debug = { .flags = g->nr_soft ? VITRO_DEBUG_BP : 0 };
	const struct gdb_hard *h;
	unsigned int rw;
	int i;

	if (g->action[cpu] == GDB_STEP)
		debug.flags |= VITRO_DEBUG_STEP;
	for (i = 0; i < GDB_NR_DRS; i++) {
		h = &g->hard[i];
		if (!h->used)
			continue;
		rw = h->kind == GDB_HARD ? 0 : h->kind == GDB_WRITE ? 1 : 3;
		debug.flags |= VITRO_DEBUG_HW;
		debug.dr[i] = h->gva;
		debug.dr7 |= DR7_GLOBAL(i);
		debug.dr7 |= (uint64_t)(len_bits[h->len] << 2 | rw) << DR7_WHAT(i);
	}
	while (ioctl(vitro_vcpu_fd(vcpu_of(g, cpu)), VITRO_SET_DEBUG, &debug) && errno == EINTR)
		;
}

/* A stop that came when there was another: its turn is now. */
static bool take_missed(struct gdb *g)
{
	const uint64_t one = 1;
	unsigned int i;

	for (i = 0; i < g->m->nr_cpus; i++) {
		if (!g->has_missed[i] || g->action[i] == GDB_STAY)
			continue;
		g->has_missed[i] = false;
		g->running = true;
		g->stopping = true;
		g->stop = g->missed[i];
		if (write(g->event_fd, &one, sizeof(one)) < 0)
			perror("vitro: eventfd");
		return true;
	}
	return false;
}

/**
 * target_resume - let the machine go on, each vCPU as g->action says
 * @g: the stub
 */
void target_resume(struct gdb *g)
{
	unsigned int i;
	bool stays;

	pthread_mutex_lock(&g->lock);
	stays = take_missed(g);
	if (!stays)
		g->running = true;
	pthread_mutex_unlock(&g->lock);
	if (stays)
		return;
	pause_lock(g->m);
	for (i = 0; i < g->m->nr_cpus; i++) {
		set_debug(g, i);
		pause_freeze(&g->m->cpu[i], g->action[i] == GDB_STAY);
	}
	pause_unlock(g->m);
	pause_resume(g->m);
}

/**
 * target_let_go - gdb goes: the guest is to be as if it had never come
 * @g: the stub; the machine stands
 */
void target_let_go(struct gdb *g)
{
	unsigned int i;

	pause_lock(g->m);
	while (g->nr_soft)
		remove_nth_soft(g, g->nr_soft - 1);
	pause_unlock(g->m);
	for (i = 0; i < GDB_NR_DRS; i++)
		g->hard[i].used = false;
	for (i = 0; i < g->m->nr_cpus; i++) {
		g->action[i] = GDB_CONTINUE;
		g->has_missed[i] = false;
	}
	target_resume(g);
}

/**
 * target_kill - end the machine
 * @g: the stub
 */
void target_kill(struct gdb *g)
{
	machine_end(g->m, END_STOPPED, "killed by gdb");
}

/**
 * target_describe - a word or two about a vCPU, for "info threads"
 * @g: the stub
 * @cpu: its number
 * @text: filled
 * @size: of @text
 */
void target_describe(struct gdb *g, unsigned int cpu, char *text, size_t size)
{
	static const char *const states[] = {
		[VITRO_MP_RUNNABLE] = "running", [VITRO_MP_HALTED] = "halted",
		[VITRO_MP_WAIT_SIPI] = "not started", [VITRO_MP_SHUTDOWN] = "shut down",
	};
	struct vitro_vcpu *vcpu = vcpu_of(g, cpu);
	unsigned int state = VITRO_MP_RUNNABLE;

	pause_lock(g->m);
	if (!vitro_vcpu_get(vcpu, VITRO_STATE_EVENTS))
		state = vitro_vcpu_comm(vcpu)->state.events.mp_state;
	pause_unlock(g->m);
	snprintf(text, size, "CPU %u, %s", cpu, state <= VITRO_MP_SHUTDOWN ? states[state] : "?");
}
