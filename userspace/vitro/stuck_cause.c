// SPDX-License-Identifier: GPL-2.0-or-later
/* What is likely to be the cause of a guest's getting nowhere. */
#include "stuck.h"

/* Reads, as opposed to writes; of a page in memory, both are odd. */
static bool is_read(const struct vitro_exit *x)
{
	return x->reason == VITRO_EXIT_IO ? x->io.flags & VITRO_IO_IN :
					    !(x->mmio.flags & VITRO_MMIO_WRITE);
}

static const char *cause_of_access(const struct stuck_facts *f)
{
	if (f->is_ram)
		return is_read(f->exit) ?
		       "there is memory, but the second-level page tables, or the TLB, lack it" :
		       "there is memory, but the second-level page tables, or the TLB, forbid it";
	if (!f->has_device)
		return is_read(f->exit) ?
		       "no device is there, so that all ones are read: the guest waits for one" :
		       "no device is there: the guest writes, and nothing comes of it";
	return is_read(f->exit) ?
	       "the guest waits for a device that gives the same answer each time" :
	       "the guest writes the same to a device each time";
}

/**
 * stuck_cause - the likely cause
 * @f: what is known
 *
 * Return: a sentence.
 */
const char *stuck_cause(const struct stuck_facts *f)
{
	if (!f->exit)
		return "no device can end that: it waits for another vCPU, or has given up";
	if (f->raised)
		return "it raises an exception, whose handler returns to the same instruction";
	if (!f->advanced)
		return "rip does not move on, although the exit has been dealt with";
	switch (f->exit->reason) {
	case VITRO_EXIT_IO:
	case VITRO_EXIT_MMIO:
		return cause_of_access(f);
	case VITRO_EXIT_HYPERCALL:
		return "there is no such hypercall here, and the guest insists";
	default:
		return "what the guest waits for does not happen";
	}
}
