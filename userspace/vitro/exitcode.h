/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How "vitro run" and "vitro doctor" end: a contract, see
 * Documentation/vitro-run.rst.  Numbers here never change their meaning.
 *
 * Free of 1 and 2 (what a shell or a lost "if" gives), of 124 to 127 (timeout,
 * env, the shell) and of 128 and more (signals).
 */
#ifndef VITRO_EXITCODE_H
#define VITRO_EXITCODE_H

enum exitcode {
	END_POWEROFF	= 0,	/* the guest powered itself off; a snippet executed its HLT */

	/* The guest ended in another way. */
	END_RESET	= 10,	/* it reset itself */
	END_PANIC	= 11,	/* its kernel panicked */
	END_TRIPLE	= 12,	/* triple fault: the CPU shut down */
	END_ENTRY	= 13,	/* the CPU refused the guest's state */
	END_DEADLINE	= 14,	/* it was still running at the deadline */
	END_HALTED	= 15,	/* HLT with interrupts off: nothing can happen any more */
	END_STOPPED	= 16,	/* by the user: Ctrl-A x, SIGINT, SIGTERM, SIGHUP, SIGQUIT */

	/* The guest is not to blame.  Numbers as in sysexits.h, where they fit. */
	END_USAGE	= 64,	/* bad arguments, or a file that cannot be used */
	END_UNAVAILABLE	= 69,	/* vitro doctor: vitro cannot run here */
	END_UNSUPPORTED	= 70,	/* the guest did something that vitro does not know */
	END_HOST	= 71,	/* the host refused something: no module, no memory, ... */
};

#endif /* VITRO_EXITCODE_H */
