/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where things are in a test guest's memory; for assembly and for C. */
#ifndef GUEST_LAYOUT_H
#define GUEST_LAYOUT_H

#define MEM_SIZE	0x200000	/* slot 0: gpa 0 to 2 MiB */

#define GUEST_BASE	0x1000		/* the image: snippets and lib.S, linked to run here */
#define GUEST_END	0xe000
#define STACK_TOP	0xf000		/* below 64 KiB, so that real mode reaches all of it */

/* Tables that vt_set_mode() writes. */
#define GDT		0x10000
#define IDT		0x11000		/* 64-bit gates to g_stubs */
#define PML4		0x12000		/* the first 4 GiB, mapped to themselves by 2 MiB pages */
#define PDPT		0x13000
#define PAGE_DIRS	0x14000		/* four pages */
#define PDPT_PAE	0x18000		/* the same page directories, as PAE wants them */
#define PAGE_DIR_PSE	0x19000		/* the same in 4 MiB pages, without PAE */
#define TSS		0x1a000

#define FREE_MEM	0x20000		/* from here on: the test's own */

/* Selectors in the GDT. */
#define SEL_CODE64	0x08
#define SEL_DATA	0x10
#define SEL_CODE32	0x18
#define SEL_CODE16	0x20
#define SEL_DATA16	0x28
#define SEL_TSS		0x30		/* 16 bytes */
#define SEL_USER_DATA	0x40		/* in the order that SYSRET wants: SS, then CS */
#define SEL_USER_CODE	0x48

/* Ports that mean something to vt_says() and vt_trap(). */
#define PORT_SAY	0x80		/* OUT EAX: a result */
#define PORT_TRAP	0x81		/* OUT EAX: the number of the exception or interrupt */

/* Nothing is there; the page tables map it. */
#define NOWHERE		0xd0000000

#endif /* GUEST_LAYOUT_H */
