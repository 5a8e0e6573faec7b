/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holding a machine: all vCPUs stand still between two runs, where their state is whole.
 *
 * Holds are counted: the machine goes on when the last one is gone.  A debugger holds it
 * for as long as its user thinks, and a walk of the page tables meanwhile does not let it
 * go.  Devices and the guest's clocks go on; interrupts wait at the vCPUs.
 *
 *	pause_machine(m)	hold, and wait until they stand: any thread but a vCPU's
 *	pause_lock(m)		others that hold the machine wait: the vCPUs are mine
 *	vitro_vcpu_get(m->cpu[0].vcpu, ...)
 *	pause_unlock(m)
 *	pause_resume(m)
 *
 * A vCPU's own thread, say at a breakpoint, calls pause_ask(), which does not wait; it stops
 * itself when it has dealt with its exit.  Another thread then waits by pause_wait().
 *
 * Lock legend, the letter in brackets:
 *
 *   [I] immutable once the vCPUs run
 *   [p] pause->lock
 *   [a] atomic; changed under pause->lock
 *
 * pause->lock is taken last, and by nobody for long.  pause->cpus comes before all others.
 */
#ifndef VITRO_PAUSE_H
#define VITRO_PAUSE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct cpu;
struct machine;

/**
 * struct pause - whether and why a machine stands still
 * @lock: guards the rest
 * @parked: signalled when a vCPU has come to stand
 * @resumed: signalled when it may go on
 * @cpus: whoever reads or changes the state of vCPUs that stand
 * @holds: [a] how many want it
 * @nr_parked: [p] vCPUs that stand
 * @over: [p] the machine has ended: nobody waits any more
 */
struct pause {
	pthread_mutex_t lock;
	pthread_cond_t parked;
	pthread_cond_t resumed;
	pthread_mutex_t cpus;
	atomic_uint holds;
	unsigned int nr_parked;
	bool over;
};

void pause_init(struct pause *p);
bool pause_machine(struct machine *m);
void pause_ask(struct machine *m);
bool pause_wait(struct machine *m);
void pause_resume(struct machine *m);
void pause_lock(struct machine *m);
void pause_unlock(struct machine *m);
void pause_freeze(struct cpu *cpu, bool frozen);
void pause_point(struct cpu *cpu);
void pause_end(struct machine *m);

#endif /* VITRO_PAUSE_H */
