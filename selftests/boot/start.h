/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What start.S and kernel.ld have for kernel.c. */
#ifndef BOOT_START_H
#define BOOT_START_H

#include <stdint.h>

/* Registers as the loader left them. */
extern const uint32_t boot_eax, boot_ebx, boot_cr0, boot_eflags;

/* Handlers of interrupts, and how many there were. */
extern char on_timer[], on_event[];
extern volatile uint32_t ticks, events;

extern char bss_end[];

void kernel_main(void);

#endif /* BOOT_START_H */
