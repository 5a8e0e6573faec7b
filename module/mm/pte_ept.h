/* SPDX-License-Identifier: GPL-2.0-only */
/* Entries of Intel's second-level tables, EPT (SDM 3C 29.3.2). */
#ifndef VITRO_PTE_EPT_H
#define VITRO_PTE_EPT_H

#include "mm/mm.h"

#define EPT_R	BIT_ULL(0)
#define EPT_W	BIT_ULL(1)
#define EPT_X	BIT_ULL(2)	/* execute; also for user mode, without mode-based control */
#define EPT_WB	(6ULL << 3)	/* memory type write-back, which the guest's PAT may change */
#define EPT_PS	BIT_ULL(7)	/* leaf above level 1 */
#define EPT_A	BIT_ULL(8)	/* ignored unless EPTP enables them */
#define EPT_D	BIT_ULL(9)	/* in leaves; the write that sets it is logged: SDM 3C 29.3.6 */

/*
 * Tables allow everything: only leaves say who may write.  An entry that is writable
 * and not readable would be a misconfiguration; EPT_R is in every leaf.
 */
static struct tdp_format ept_format = {
	.levels = 4,
	.max_leaf = 1,
	.table = EPT_R | EPT_W | EPT_X | EPT_A,
	.leaf = EPT_R | EPT_X | EPT_WB | EPT_A | EPT_D,
	.write = EPT_W,
	.watch = EPT_W,		/* EPT_D where the CPU has a page-modification log */
	.large = EPT_PS,
	.present = EPT_R | EPT_W | EPT_X,
};

#endif /* VITRO_PTE_EPT_H */
