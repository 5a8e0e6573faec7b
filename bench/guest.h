/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where things are in the guests' memory, for guest.S and for C. */
#ifndef BENCH_GUEST_H
#define BENCH_GUEST_H

#define MEM_SIZE	0x400000	/* slot 0: gpa 0 to 4 MiB */

#define RESULT		0x1000		/* the TSC before and after */
#define CODE		0x2000		/* the image of guest.S */
#define IDT		0x10000
#define GDT		0x11000
#define TSS		0x12000
#define PML4		0x20000		/* the first 16 GiB, mapped to themselves by 2 MiB pages */
#define PDPT		0x21000
#define PAGE_DIRS	0x22000		/* 16 pages */
#define STACK(vcpu)	(0x40000 + 0x1000 * (vcpu))	/* stacks begin here and grow down */

#define SEL_CODE	0x08
#define SEL_DATA	0x10
#define SEL_TSS		0x18

#define TOUCHED		0x40000000	/* gpa of a second slot, for rows about its pages */
#define HIGH		0x100000000	/* gpa for slots that are only added */
#define DEVICE		0xd0000000	/* no slot: a device's registers */
#define DOORBELL	0xd0001000	/* no slot: an eventfd */

#define PORT_DONE	0xf4		/* the snippet has ended, or Linux has come to its init */
#define PORT_USER	0x81		/* a device in userspace */
#define PORT_EVENTFD	0x82		/* an eventfd */

#define VECTOR		0x40		/* what is sent; its handler only says that it is over */

#define MSR_USER	0x4b560000	/* neither hypervisor knows it */

#endif /* BENCH_GUEST_H */
