// SPDX-License-Identifier: GPL-2.0-or-later
/* How a crash is noticed: the pvpanic port, and the console. */
#include "../../userspace/devices/pvpanic.c"
#include "tap.h"

static int panics;

static void request(void *opaque, enum machine_request what)
{
	(void)opaque;
	panics += what == MACHINE_PANIC;
}

static int scan(const char *text)
{
	struct panic_scan s = { .len = 0 };
	int found = 0;

	while (*text)
		found += panic_scan_char(&s, *text++);
	return found;
}

int main(void)
{
	const struct machine_port machine = { .request = request };
	struct pvpanic pvpanic;
	char buf[512];

	pvpanic_init(&pvpanic, machine);
	check("the port says which events it knows", pvpanic_ops.read(&pvpanic, 0, 1) == 1);
	pvpanic_ops.write(&pvpanic, 0, 1, 2);
	check("another event is none of ours", panics == 0);
	pvpanic_ops.write(&pvpanic, 0, 1, 1);
	check("a panic", panics == 1);

	check("Linux' panic", scan("[    1.234567] Kernel panic - not syncing: VFS: x\r\n") == 1);
	check("without time stamps", scan("Kernel panic - not syncing: x\n") == 1);
	check("with the caller",
	      scan("[    1.234567][    T1] Kernel panic - not syncing: x\n") == 1);
	check("in the second line", scan("hello\nKernel panic - not syncing: x\n") == 1);
	check("not before the line ends", scan("Kernel panic - not syncing: x") == 0);
	check("talk about it is none", scan("# echo Kernel panic - not syncing: x\n") == 0);
	check("nor is the end marker",
	      scan("[    1.2] ---[ end Kernel panic - not syncing: x ]---\n") == 0);
	check("nor another message", scan("[    1.2] Kernel command line: panic=-1\n") == 0);
	check("brackets without end", scan("[[[[[[\n[\n[ ]\n") == 0);
	memset(buf, '[', sizeof(buf) - 2);
	buf[sizeof(buf) - 2] = '\n';
	buf[sizeof(buf) - 1] = '\0';
	check("a line longer than the scanner's", scan(buf) == 0);
	return tap_done();
}
