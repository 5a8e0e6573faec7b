/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of oracle.ko share. */
#ifndef ORACLE_MODULE_H
#define ORACLE_MODULE_H

#include <linux/mm.h>

#include "oracle.h"

/**
 * struct vendor - what the module does in a vendor's way
 * @setup: once, and its contrary
 * @teardown: see there; also after a @setup that has failed
 * @list: calls add_field() for each field
 * @begin: makes this CPU a hypervisor; interrupts are off until @end
 * @end: see there
 * @write: a field of the control structure
 * @enter: enters the guest, and fills in what came of it
 */
struct vendor {
	int (*setup)(void);
	void (*teardown)(void);
	void (*list)(void);
	int (*begin)(void);
	void (*end)(void);
	void (*write)(const struct oracle_field *f);
	void (*enter)(struct oracle_case *c);
};

extern const struct vendor oracle_vmx, oracle_svm;

/* vmx_entry.S */
asmlinkage u32 oracle_vmx_enter(void);
extern const char oracle_vmx_exit[];

/* main.c */
extern u8 *oracle_pages;
void add_field(u32 id, u64 value);
void add_msrs(const u32 *index, int nr);

#endif /* ORACLE_MODULE_H */
