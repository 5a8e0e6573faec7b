/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kick, sleep and wake (module/core/vcpu.c: vcpu_kick, sleep_halted; module/core/burst.c:
 * enter_once): whatever others have for a vCPU, it comes to look at it.
 *
 * A vCPU's thread is in one of three places: in the guest, where only an interrupt of its
 * CPU gets it out; asleep, where only a wake-up does; or between, on its way to look.
 *
 * On x86 the one reordering is that a store waits in the CPU's store buffer while later
 * loads go ahead (SDM 3A 8.2.3.4).  So the stores that matter go through channels here;
 * a full barrier waits until the buffer is empty.
 *
 * break NO_BARRIER_ENTRY: enter_once has no barrier after mode = IN_GUEST
 * break NO_BARRIER_KICK: vcpu_kick has none
 * break LOOK_FIRST: enter_once looks for news before it announces itself
 * break SLEEP_FIRST_LOOK: the vCPU looks, and only then queues for wake-ups
 * break NO_IPI: vcpu_kick wakes, but does not interrupt
 * break NO_WAKE: vcpu_kick interrupts, but does not wake
 */
#define KICKERS	2
#define EXITS	2	/* how often the guest exits by itself */

bool in_guest;		/* vcpu->mode, in memory */
byte news;		/* requests, irr...: one bit for each kicker */
byte cpu;		/* vcpu->cpu */
bool burst;		/* the thread is on CPU "cpu", with interrupts off */
bool ipi[2];		/* a reschedule interrupt waits at a CPU */
bool queued;		/* the thread is on vcpu->wait */

chan mode_store = [2] of { bool };
chan news_store[KICKERS] = [1] of { byte };

active proctype mode_drain()
{
	bool value;
end:	do
	:: atomic { mode_store ? value -> in_guest = value }
	od
}

active [KICKERS] proctype news_drain()
{
	byte value, i = _pid - 1;
end:	do
	:: atomic { news_store[i] ? value -> news = news | value }
	od
}

active proctype vcpu()
{
	bool halted;
	byte exits;

	do
	:: !halted ->
		/* burst() */
		atomic {
			if
			:: cpu = 0
			:: cpu = 1	/* it may have moved */
			fi;
			burst = true;
		}
#ifdef LOOK_FIRST
		if
		:: news -> goto out
		:: else
		fi;
#endif
		mode_store ! true;
#ifndef NO_BARRIER_ENTRY
		empty(mode_store);
#endif
#ifndef LOOK_FIRST
		if
		:: news -> goto out	/* must_leave() */
		:: else
		fi;
#endif
		/* The guest runs.  It may exit by itself, but nobody may count on it. */
end_in_guest:	do
		:: ipi[cpu] -> break
		:: exits < EXITS -> exits++; break
		:: exits < EXITS -> exits++; halted = true; break
		od;
out:		mode_store ! false;
		/* Interrupts on: what waits is taken. */
		atomic { ipi[cpu] = false; burst = false }
		/* vcpu_run() handles what there is: atomic bit operations, full barriers. */
		empty(mode_store);
		if
		:: atomic { news -> news = 0; halted = false }
		:: else
		fi
	:: halted ->
		/* wait_event_interruptible() */
#ifdef SLEEP_FIRST_LOOK
		if
		:: news
		:: else -> queued = true;
end_asleep:		!queued
		fi;
#else
		empty(mode_store);	/* prepare_to_wait() has a full barrier */
		queued = true;
		if
		:: news
		:: else ->
end_asleep:		!queued
		fi;
		queued = false;
#endif
		if
		:: atomic { news -> news = 0; halted = false }
		:: else		/* an old wake-up */
		fi
	od
}

active [KICKERS] proctype kicker()
{
	byte me = _pid - 1 - KICKERS - 1, c, here;

	news_store[me] ! (1 << me);
#ifndef NO_BARRIER_KICK
	empty(news_store[me]);
#endif
	if
	:: in_guest ->
		c = cpu;
		/* Where a burst is, nobody else runs; see raw_smp_processor_id(). */
		if
		:: atomic { !(burst && cpu == 0) -> here = 0 }
		:: atomic { !(burst && cpu == 1) -> here = 1 }
		fi;
#ifndef NO_IPI
		if
		:: c != here -> ipi[c] = true
		:: else
		fi
#endif
	:: else ->
#ifndef NO_WAKE
		queued = false
#endif
	fi
}

/* When nothing moves any more, everything has been looked at. */
active proctype judge()
{
end:	timeout -> assert(news == 0)
}
