/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes to a page that the dirty log watches, which are dealt with in the burst
 * (module/mm/dirty.c: dirty_fault), against who takes the log (module/mm/dirty.c: take_words,
 * with the write bit watched), and who replaces the slot or takes the page away:
 * no write is missing in the log when the log is taken, none goes to a page that the process
 * may not write, and no log is marked that has been freed.
 *
 * One page; two vCPUs that write it.  Faults that dirty_fault leaves to tdp_fault are one
 * step here, and the log of a replaced slot is freed without waiting: fault.pml has that.
 *
 * break NO_LOCK: dirty_fault does without mmu_lock
 * break NO_WATCHED: dirty_fault makes any leaf writable
 * break OLD_SLOT: dirty_fault marks the log of the slot that it found before it had the lock
 * break MARK_LATE: dirty_fault marks the log when the lock is free again
 * break NO_FLUSH: who takes the log does not flush
 */
#define WRITES	2	/* of each vCPU */
#define SLOTS	3	/* slot 0: none */

#define NONE	0	/* what the leaf of the page says: not mapped, */
#define READ	1	/* mapped for reading, as the process has it, */
#define WATCHED	2	/* for reading because the log was taken, */
#define WRITE	3	/* for writing */
byte leaf;
bool tlb[2];		/* this vCPU's TLB says that it may write */

bool mmu_lock;
byte invalidating;
byte slot = 1;		/* numbers grow */
bool marked[SLOTS], log_freed[SLOTS];
bool may_write = true;	/* the process's own page table */

/* The guest has written, and no log taken since says so. */
bool unreported;

inline lock()
{
	atomic { !mmu_lock -> mmu_lock = true }
}

inline flush()
{
	tlb[0] = false;
	tlb[1] = false
}

/* tdp_fault(): waits for mmu_lock, and for the end of invalidations. */
inline slow_fault()
{
	atomic {
		!mmu_lock && !invalidating;
		if
		:: slot && may_write -> leaf = WRITE; marked[slot] = true
		:: slot && !may_write -> leaf = READ
		:: else
		fi
	}
}

proctype vcpu(byte id)
{
	byte n, now;
	bool done;

	do
	:: n < WRITES ->
		n++;
		/* The CPU walks the tables. */
		atomic {
			if
			:: leaf == WRITE -> tlb[id] = true
			:: else
			fi
		}
		atomic {
			if
			:: tlb[id] ->
				assert(may_write);
				unreported = true;
				goto next
			:: else
			fi
		}
		/* dirty_fault() */
		done = false;
		now = slot;
		if
		:: now == 0 -> goto slow
		:: else
		fi;
#ifndef NO_LOCK
		atomic {
			if
			:: mmu_lock -> goto slow	/* trylock */
			:: else -> mmu_lock = true
			fi
		}
#endif
#ifndef OLD_SLOT
		now = slot;
#endif
		if
#ifdef NO_WATCHED
		:: now && (leaf == WATCHED || leaf == READ) ->
#else
		:: now && leaf == WATCHED ->
#endif
			leaf = WRITE;
			done = true;
#ifndef MARK_LATE
			assert(!log_freed[now]);
			marked[now] = true
#endif
		:: else
		fi;
#ifndef NO_LOCK
		mmu_lock = false;
#endif
#ifdef MARK_LATE
		if
		:: done -> marked[now] = true
		:: else
		fi;
#endif
		if
		:: done -> goto next
		:: else
		fi;
slow:		slow_fault();
next:		skip
	:: else -> break
	od
}

/* VITRO_DIRTY_LOG, under vm->lock */
inline take()
{
	lock();
	taken = marked[slot];
	marked[slot] = false;
	if
	:: taken && leaf == WRITE -> leaf = WATCHED
	:: else
	fi;
#ifndef NO_FLUSH
	if
	:: taken -> flush()
	:: else
	fi;
#endif
	atomic {
		assert(!unreported || taken);
		unreported = false;
		mmu_lock = false
	}
}

/* VITRO_SET_MEMSLOT, under vm->lock: the same memory, with a new log. */
inline replace()
{
	lock();
	invalidating++;
	leaf = NONE;
	flush();
	atomic { unreported = false; mmu_lock = false };	/* nobody asks for it any more */
	slot++;
	log_freed[slot - 1] = true;
	invalidating--
}

proctype user()
{
	bool taken;

	take();
	replace();
	take()
}

/* The process's memory becomes copy-on-write, as by fork(), and is its own again. */
proctype mm()
{
	byte n;

	do
	:: n < 2 ->
		n++;
		/* range_start() */
		lock();
		invalidating++;
		leaf = NONE;
		flush();
		mmu_lock = false;
		may_write = !may_write;
		/* range_end() */
		invalidating--
	:: else -> break
	od
}

/* Whenever nobody is at it, what was written is in the log. */
proctype log()
{
end:	atomic {
		!mmu_lock && !invalidating && unreported && !marked[slot] -> assert(false)
	}
}

init
{
	atomic { run vcpu(0); run vcpu(1); run user(); run mm(); run log() }
}
