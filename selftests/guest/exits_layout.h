/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the programs in exits.S and the machine in exits.h have agreed upon. */
#ifndef GUEST_EXITS_LAYOUT_H
#define GUEST_EXITS_LAYOUT_H

/* Requests of the programs, which so stay in charge: OUT EAX to these ports. */
#define PORT_MSI	0x82		/* send this MSI data to vCPU 0 */
#define PORT_RAISE	0x83		/* raise vector 7:0, with error 31:16 if bit 8 is set */
#define PORT_YIELD	0x84		/* go on with the other vCPU */

/* The only MSR that userspace knows: it keeps what is written. */
#define MSR_KEEPS	0x4000b001

/* Guest addresses of memory with peculiarities, one page each but the first. */
#define LOGGED		0x400000	/* with a dirty log */
#define LOGGED_PAGES	16
#define READONLY	0x500000
#define GUARDED		0x600000	/* PROT_NONE until the guest touches it */
#define BELOW		(NOWHERE - 4096)	/* ordinary, up to where nothing is */

#endif /* GUEST_EXITS_LAYOUT_H */
