/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Faults against changes of the process's page tables and of the memslots
 * (module/mm/notifier.c: range_start, range_end; module/mm/fault.c: fault_try;
 * module/mm/slots.c: slots_replace):
 * the guest never reaches a page that the process has lost, or another than the process
 * sees, and no fault uses a memslot that has been freed.
 *
 * One gfn, whose slot is deleted and made again; one page of the process behind it, that is
 * unmapped and moved; two vCPUs that fault.  A stretch under mmu_lock is one step here.
 *
 * break NO_SEQ: a fault looks only whether an invalidation lasts
 * break NO_COUNT: a fault looks only whether one has ended
 * break SEQ_LATE: a fault reads invalidate_seq after it got the page
 * break SEQ_AFTER_SLOT: a fault reads invalidate_seq after it found the slot
 * break END_EARLY: invalidate_end comes before the new array of slots
 * break ZAP_LATE: the old slot's mappings are zapped after the new array
 * break NO_GRACE: the old slot is freed without a grace period
 */
#define FAULTS	1	/* two vCPUs, each faulting so often */
#define FRAMES	4	/* frame 0: none */

/* The process: its page table entry, and who refers to each frame. */
byte pte = 1;
byte refs[FRAMES];
bool freed[FRAMES];

/* The VM.  Slot numbers grow; 0: the gfn is in no slot. */
byte tdp, slots = 1;
bool slot_freed[4];
byte invalidating, invalidate_seq, readers;

inline zap()
{
	tdp = 0
}

/* What the guest has must be what the process has, unless a change is under way. */
#define HONEST	(tdp == 0 || (!freed[tdp] && (invalidating || (tdp == pte && slots))))

active [2] proctype fault()
{
	byte n, seq, slot, page;

	do
	:: n < FAULTS ->
		n++;
again:
#ifndef SEQ_LATE
#ifndef SEQ_AFTER_SLOT
		seq = invalidate_seq;
#endif
#endif
		/* Under SRCU, the slot by value. */
		readers++;
		slot = slots;
		assert(!slot_freed[slot]);
		readers--;
#ifdef SEQ_AFTER_SLOT
		seq = invalidate_seq;
#endif
		if
		:: slot == 0 -> goto next	/* MMIO */
		:: else
		fi;
		atomic {
			page = pte;
			if
			:: page == 0 -> goto next	/* -EFAULT */
			:: else -> refs[page]++		/* get_user_pages */
			fi
		}
#ifdef SEQ_LATE
		seq = invalidate_seq;
#endif
		atomic {
			if
#ifndef NO_COUNT
			:: invalidating -> refs[page]--; goto again
#endif
#ifndef NO_SEQ
			:: seq != invalidate_seq -> refs[page]--; goto again
#endif
			:: else ->
				assert(!slot_freed[slot]);	/* its dirty log */
				tdp = page;
				assert(HONEST);
				refs[page]--
			fi
		}
next:		skip
	:: else -> break
	od
}

/* The kernel's memory management: takes the page away, or another in its place. */
active proctype mm()
{
	byte old, new = 2;

	do
	:: new < FRAMES ->
		/* range_start(): finds the slots that are there */
		atomic {
			invalidating++;
			if
			:: slots -> zap()
			:: else
			fi
		}
		old = pte;
		pte = 0;
		if
		:: pte = new	/* migrated, or copied on write */
		:: skip		/* unmapped */
		fi;
		/* Freed when the last reference is gone. */
		if
		:: old ->
			refs[old] == 0;
			atomic { freed[old] = true; assert(tdp != old) }
		:: else
		fi;
		/* range_end() */
		atomic { invalidate_seq++; invalidating-- };
		/* If it was unmapped, the process may touch it again. */
		atomic {
			if
			:: pte == 0 -> pte = new
			:: skip
			fi
		}
		new++
	:: else -> break
	od
}

/* VITRO_SET_MEMSLOT: delete it, make it anew. */
active proctype slots_set()
{
	byte old, new;

	do
	:: new == 0 || new == 2 ->
		old = slots;
		new = (new == 0 -> 2 : 3);
#ifdef ZAP_LATE
		atomic { invalidating++ };
		slots = (new == 2 -> 0 : new);
		zap();
		atomic { invalidate_seq++; invalidating-- };
#else
		atomic {
			invalidating++;
			if
			:: old -> zap()
			:: else
			fi
		}
#ifdef END_EARLY
		atomic { invalidate_seq++; invalidating-- };
		slots = (new == 2 -> 0 : new);
#else
		slots = (new == 2 -> 0 : new);
		atomic { invalidate_seq++; invalidating-- };
#endif
#endif
#ifndef NO_GRACE
		readers == 0;
#endif
		if
		:: old -> slot_freed[old] = true
		:: else
		fi
	:: else -> break
	od
}

/* The guest may look at any time. */
active proctype guest()
{
end:	atomic { !HONEST -> assert(false) }
}
