/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What this process can still do when a guest has broken out of its virtual machine: as
 * little as possible.
 *
 * When everything is open, each thread gives up its capabilities and gets a seccomp
 * filter: a list of the system calls that its role needs.  Any other ends the process, with
 * a line that says which one it was.  New privileges, by programs with the set-user-ID bit
 * for example, are not to be had.
 *
 * Threads share their memory, so whoever has taken over one of them may make another do
 * what he cannot.  What counts against such a guest is all roles together: it runs no other
 * program, opens no file for writing, and traces no process.
 */
#ifndef VITRO_SANDBOX_H
#define VITRO_SANDBOX_H

#include <stdbool.h>

/**
 * enum sandbox_role - what a thread is for
 * @SANDBOX_VCPU: runs the guest, and is the registers of its devices
 * @SANDBOX_IO: reads and writes for a virtio device: disk, TAP, balloon, console, rng
 * @SANDBOX_NET: is the guest's network (libslirp): opens sockets, reads resolv.conf
 * @SANDBOX_CONSOLE: writes the guest's output to the terminal
 * @SANDBOX_RECORD: writes the recorder's rings to a file
 * @SANDBOX_CONTROL: answers at the control socket; starts threads of its own role, and gdb
 * @SANDBOX_GDB: talks with gdb
 * @SANDBOX_MAIN: waits for the world outside, and cleans up
 * @SANDBOX_ROLES: their number
 */
enum sandbox_role {
	SANDBOX_VCPU,
	SANDBOX_IO,
	SANDBOX_NET,
	SANDBOX_CONSOLE,
	SANDBOX_RECORD,
	SANDBOX_CONTROL,
	SANDBOX_GDB,
	SANDBOX_MAIN,
	SANDBOX_ROLES
};

bool sandbox_begin(bool limited);
bool sandbox_enter(enum sandbox_role role);

#endif /* VITRO_SANDBOX_H */
