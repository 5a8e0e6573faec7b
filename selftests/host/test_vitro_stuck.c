// SPDX-License-Identifier: GPL-2.0-or-later
/* Which cause is named for a guest that gets nowhere. */
#include <string.h>

#include "../../userspace/vitro/stuck_cause.c"
#include "tap.h"

static bool says(const struct stuck_facts *f, const char *text)
{
	return strstr(stuck_cause(f), text);
}

int main(void)
{
	static const struct vitro_exit in = {
		.reason = VITRO_EXIT_IO, .io = { .port = 0x60, .flags = VITRO_IO_IN },
	};
	static const struct vitro_exit out = { .reason = VITRO_EXIT_IO };
	static const struct vitro_exit load = {
		.reason = VITRO_EXIT_MMIO, .mmio = { .flags = VITRO_MMIO_READ },
	};
	static const struct vitro_exit store = {
		.reason = VITRO_EXIT_MMIO, .mmio = { .flags = VITRO_MMIO_WRITE },
	};
	static const struct vitro_exit call = { .reason = VITRO_EXIT_HYPERCALL };
	struct stuck_facts f = { .exit = NULL };

	check("a loop", says(&f, "waits for another vCPU"));

	f = (struct stuck_facts){ .exit = &in, .advanced = true };
	check("nobody answers", says(&f, "all ones are read"));
	f.has_device = true;
	check("a device always answers the same", says(&f, "the same answer each time"));
	f.exit = &out;
	check("a device gets the same", says(&f, "writes the same to a device"));
	f.has_device = false;
	check("nobody takes it", says(&f, "nothing comes of it"));

	f = (struct stuck_facts){ .exit = &load, .advanced = true, .is_ram = true };
	check("memory that cannot be read", says(&f, "lack it"));
	f.exit = &store;
	check("memory that cannot be written", says(&f, "forbid it"));
	f.is_ram = false;
	check("a write to nowhere", says(&f, "nothing comes of it"));

	f = (struct stuck_facts){ .exit = &load, .has_device = true };
	check("rip stays", says(&f, "rip does not move on"));
	f.raised = true;
	check("... for an exception", says(&f, "handler returns to the same instruction"));

	f = (struct stuck_facts){ .exit = &call, .advanced = true };
	check("a hypercall", says(&f, "no such hypercall"));
	return tap_done();
}
