/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The flush protocol (module/mm/tdp.c: tdp_flush; module/core/burst.c: enter_once): when
 * tdp_flush has returned, no CPU translates by what an entry said before, so that the page
 * behind it can be freed.
 *
 * One entry of the tables, two vCPUs on CPUs of their own, each with a TLB of one
 * translation.  The store that announces a vCPU goes through a store buffer (see kick.pml).
 *
 * break NO_BARRIER: enter_once has no barrier after mode = IN_GUEST
 * break LOOK_FIRST: enter_once reads tlb_gen before it announces itself
 * break NO_WAIT: tdp_flush interrupts, but does not wait for the answer
 * break ZAP_LATE: tlb_gen goes up before the entry is gone
 * break GEN_AFTER_RUN: what is noted as seen is tlb_gen as it is after the exit
 * break REFUSED_COUNTS: a refused entry counts as one that flushed
 */
#define VCPUS	2
#define ENTRIES	3	/* each vCPU enters the guest so often */
#define PAGES	2	/* mapped one after the other */

byte entry = 1;			/* the page that is mapped, or 0 */
byte tlb_gen = 1;		/* a new vCPU's own is 0: it starts with a flush */
bool in_guest[VCPUS];		/* vcpu->mode */
bool burst[VCPUS];		/* interrupts are off on the vCPU's CPU */
bool freed[PAGES + 1];

chan mode_store[VCPUS] = [2] of { bool };

active [VCPUS] proctype mode_drain()
{
	bool value;
	byte i = _pid;
end:	do
	:: atomic { mode_store[i] ? value -> in_guest[i] = value }
	od
}

active [VCPUS] proctype vcpu()
{
	byte i = _pid - VCPUS, n, mine, seen, tlb;

	do
	:: n < ENTRIES ->
		n++;
		burst[i] = true;
#ifdef LOOK_FIRST
		seen = tlb_gen;
#endif
		mode_store[i] ! true;
#ifndef NO_BARRIER
		empty(mode_store[i]);
#endif
#ifndef LOOK_FIRST
		seen = tlb_gen;
#endif
		if
		:: skip ->
			if
			:: seen != mine -> tlb = 0
			:: else
			fi;
			/* The guest runs: it walks, and uses what it has walked to. */
			do
			:: atomic { entry && !tlb -> tlb = entry }
			:: atomic { tlb -> assert(!freed[tlb]) }
			:: break
			od;
#ifdef GEN_AFTER_RUN
			seen = tlb_gen;
#endif
			mode_store[i] ! false;
			mine = seen
		:: mode_store[i] ! false;	/* the CPU refuses the entry, and flushes nothing */
#ifdef REFUSED_COUNTS
			mine = seen
#endif
		fi;
		/* Interrupts on: an instruction that serializes the store buffer, too. */
		empty(mode_store[i]);
		burst[i] = false
	:: n == ENTRIES -> break
	od
}

/* A notifier, with mmu_lock: there is but one. */
active proctype flusher()
{
	byte page = 1, i;

	do
	:: page <= PAGES ->
#ifndef ZAP_LATE
		entry = 0;
#endif
		tlb_gen++;	/* atomic64_inc_return(): a full barrier */
		i = 0;
		do
		:: i < VCPUS ->
			if
#ifdef NO_WAIT
			:: in_guest[i] -> skip
#else
			:: in_guest[i] -> !burst[i]	/* smp_call_function_single() */
#endif
			:: else
			fi;
			i++
		:: else -> break
		od;
#ifdef ZAP_LATE
		entry = 0;
#endif
		freed[page] = true;
		page++;
		if
		:: page <= PAGES -> entry = page	/* a fault maps the next one */
		:: else
		fi
	:: else -> break
	od
}
