/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Selectors of the task switch test, behind those of layout.h; for assembly and for C. */
#ifndef GUEST_TASKSWITCH_H
#define GUEST_TASKSWITCH_H

#define SEL_OLD		0x58	/* TSS of the running task */
#define SEL_NEW		0x60	/* TSS of the other one */
#define SEL_GATE	0x68	/* a task gate to it */

#endif /* GUEST_TASKSWITCH_H */
