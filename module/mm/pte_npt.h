/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Second-level entries of AMD's nested paging (APM 2 15.25).  They are those of
 * long mode (APM 2 5.3.3, 5.3.4), read by the walker in tdp.c.  For module/svm only.
 */
#ifndef VITRO_PTE_NPT_H
#define VITRO_PTE_NPT_H

#include <linux/mem_encrypt.h>
#include <asm/special_insns.h>

#include "mm/mm.h"

#define NPT_P	BIT_ULL(0)	/* present */
#define NPT_RW	BIT_ULL(1)	/* writable: with 0 in any level, it is not */
#define NPT_US	BIT_ULL(2)	/* user */
#define NPT_A	BIT_ULL(5)	/* accessed */
#define NPT_D	BIT_ULL(6)	/* dirty, in leaves */
#define NPT_PS	BIT_ULL(7)	/* leaf above level 1 */

/*
 * Every guest access is a user access for the nested tables, the guest's kernel's
 * too (APM 2 15.25.5), so all levels need US.  Allowed beside that:
 *   RW in tables: only leaves say who may write;
 *   NX clear: the guest decides what it executes;
 *   PWT, PCD, PAT clear: write-back, and the guest's own PAT decides (15.25.8);
 *   A and D: set from the start, see struct tdp_format.
 */
static struct tdp_format npt_format = {
	.max_leaf = 3,
	.table = NPT_P | NPT_RW | NPT_US | NPT_A,
	.leaf = NPT_P | NPT_US | NPT_A | NPT_D,
	.write = NPT_RW,
	.watch = NPT_RW,
	.large = NPT_PS,
	.present = NPT_P,
};

/* Completes npt_format with what only this host can tell; to be called once, by probe. */
static inline void npt_format_init(void)
{
	/* Nested tables are as deep as the host's own paging (APM 2 15.25.3). */
	npt_format.levels = __read_cr4() & X86_CR4_LA57 ? 5 : 4;

	/* Where the host encrypts its memory, every pointer to it says so (APM 2 7.10). */
	npt_format.table |= sme_me_mask;
	npt_format.leaf |= sme_me_mask;
}

#endif /* VITRO_PTE_NPT_H */
