// SPDX-License-Identifier: GPL-2.0-or-later
/* Holding a machine; pause.h tells the whole story. */
#include <errno.h>
#include <time.h>

#include "machine.h"

/* How long a vCPU may take to come back: far more than any exit should need. */
#define WAIT_S		60

/**
 * pause_init - nobody holds the machine
 * @p: all zero
 */
void pause_init(struct pause *p)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&p->parked, &attr);
	pthread_cond_init(&p->resumed, NULL);
	pthread_condattr_destroy(&attr);
	pthread_mutex_init(&p->lock, NULL);
	pthread_mutex_init(&p->cpus, NULL);
}

/**
 * pause_ask - hold the machine, from any thread; does not wait
 * @m: the machine; pause_resume() is due
 */
void pause_ask(struct machine *m)
{
	unsigned int i;

	pthread_mutex_lock(&m->pause.lock);
	m->pause.holds++;
	pthread_mutex_unlock(&m->pause.lock);
	/* vitro_vcpu_kick() asks for this order: first what they shall see, then the kick. */
	for (i = 0; i < m->nr_cpus; i++)
		vitro_vcpu_kick(m->cpu[i].vcpu);
}

/**
 * pause_wait - wait until all vCPUs stand
 * @m: the machine, which the caller holds; not from a vCPU's thread
 *
 * Return: false: the machine has ended, or a vCPU does not come back.
 */
bool pause_wait(struct machine *m)
{
	struct pause *p = &m->pause;
	struct timespec until;
	int err = 0;
	bool stands;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += WAIT_S;
	pthread_mutex_lock(&p->lock);
	while (!p->over && p->nr_parked < m->nr_cpus && err != ETIMEDOUT)
		err = pthread_cond_timedwait(&p->parked, &p->lock, &until);
	stands = !p->over && p->nr_parked == m->nr_cpus;
	pthread_mutex_unlock(&p->lock);
	return stands;
}

/**
 * pause_machine - hold the machine, and wait until all vCPUs stand
 * @m: the machine; not from a vCPU's thread
 *
 * Return: true, and pause_resume() is due; or false as pause_wait().
 */
bool pause_machine(struct machine *m)
{
	pause_ask(m);
	if (pause_wait(m))
		return true;
	pause_resume(m);
	return false;
}

/**
 * pause_resume - one hold less; without holds the machine goes on
 * @m: the machine
 */
void pause_resume(struct machine *m)
{
	pthread_mutex_lock(&m->pause.lock);
	if (--m->pause.holds == 0)
		pthread_cond_broadcast(&m->pause.resumed);
	pthread_mutex_unlock(&m->pause.lock);
}

/**
 * pause_lock - have the vCPUs of a held machine alone
 * @m: the machine, which the caller holds
 */
void pause_lock(struct machine *m)
{
	pthread_mutex_lock(&m->pause.cpus);
}

/**
 * pause_unlock - undo pause_lock()
 * @m: the machine
 */
void pause_unlock(struct machine *m)
{
	pthread_mutex_unlock(&m->pause.cpus);
}

/**
 * pause_freeze - let a vCPU stand, or not, when the machine goes on
 * @cpu: the vCPU; whoever says so holds the machine
 * @frozen: it stands
 */
void pause_freeze(struct cpu *cpu, bool frozen)
{
	pthread_mutex_lock(&cpu->machine->pause.lock);
	cpu->frozen = frozen;
	pthread_mutex_unlock(&cpu->machine->pause.lock);
}

/**
 * pause_point - where a vCPU's thread comes to stand, between two runs
 * @cpu: the vCPU
 *
 * It stands while the machine is held or it is frozen, and while the terminal is far behind:
 * that may take for ever, and must keep nobody from looking at the machine.
 */
void pause_point(struct cpu *cpu)
{
	struct machine *m = cpu->machine;
	struct pause *p = &m->pause;

	if (!p->holds && !cpu->frozen && !console_is_behind(&m->console))
		return;
	pthread_mutex_lock(&p->lock);
	p->nr_parked++;
	pthread_cond_broadcast(&p->parked);
	pthread_mutex_unlock(&p->lock);
	console_catch_up(&m->console);
	pthread_mutex_lock(&p->lock);
	while ((p->holds || cpu->frozen) && !p->over)
		pthread_cond_wait(&p->resumed, &p->lock);
	p->nr_parked--;
	pthread_mutex_unlock(&p->lock);
}

/**
 * pause_end - the machine has ended: let go whoever waits, for good
 * @m: the machine
 */
void pause_end(struct machine *m)
{
	pthread_mutex_lock(&m->pause.lock);
	m->pause.over = true;
	pthread_cond_broadcast(&m->pause.parked);
	pthread_cond_broadcast(&m->pause.resumed);
	pthread_mutex_unlock(&m->pause.lock);
}
