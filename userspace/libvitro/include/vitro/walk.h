/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The walk of the guest's page tables, step by step, for those who want to see it.
 *
 *	vitro_walk(vcpu, gva, VITRO_ACCESS_WRITE, &walk);
 *	for (i = 0; i < walk.nr; i++)
 *		printf("level %u: 0x%llx\n", walk.step[i].level, walk.step[i].entry);
 *
 * Conventions are those of <vitro/vitro.h>.
 */
#ifndef VITRO_WALK_H
#define VITRO_WALK_H

#include <vitro/vitro.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * enum vitro_walk_result - how a walk ended
 * @VITRO_WALK_OK: the access goes to walk->gpa
 * @VITRO_WALK_ABSENT: an entry is not present
 * @VITRO_WALK_RESERVED: an entry has bits set that must be 0
 * @VITRO_WALK_USER: the access is one of CPL 3, and not all levels allow those
 * @VITRO_WALK_WRITE: it is a write, and not all levels allow that
 * @VITRO_WALK_EXEC: it is a fetch, and a level forbids that (NX)
 * @VITRO_WALK_SMEP: it is a fetch of the kernel's from a user page (CR4.SMEP)
 * @VITRO_WALK_SMAP: it is the kernel's, to a user page, and RFLAGS.AC is 0 (CR4.SMAP)
 * @VITRO_WALK_CANONICAL: the address is not canonical: there is no walk at all
 * @VITRO_WALK_NO_MEMORY: a table is where the guest has no memory: see the last step
 */
enum vitro_walk_result {
	VITRO_WALK_OK,
	VITRO_WALK_ABSENT,
	VITRO_WALK_RESERVED,
	VITRO_WALK_USER,
	VITRO_WALK_WRITE,
	VITRO_WALK_EXEC,
	VITRO_WALK_SMEP,
	VITRO_WALK_SMAP,
	VITRO_WALK_CANONICAL,
	VITRO_WALK_NO_MEMORY,
};

/* What the levels so far allow; everything may be read. */
#define VITRO_RIGHT_WRITE	(1U << 0)
#define VITRO_RIGHT_USER	(1U << 1)	/* to CPL 3 also */
#define VITRO_RIGHT_EXEC	(1U << 2)

/**
 * struct vitro_walk_step - an entry that the walk read
 * @level: of its table; 1 is the last
 * @index: in its table
 * @gpa: where it is
 * @entry: what it is; 0 if the guest has no memory there
 * @reserved: bits of it that are set, and must not be
 * @rights: VITRO_RIGHT_*, of this level and all before
 * @leaf: it maps a page
 */
struct vitro_walk_step {
	unsigned int level;
	unsigned int index;
	uint64_t gpa;
	uint64_t entry;
	uint64_t reserved;
	unsigned int rights;
	bool leaf;
};

#define VITRO_WALK_STEPS	5

/**
 * struct vitro_walk - a walk
 * @gva: linear address, cut to 32 bits outside of long mode
 * @access: VITRO_ACCESS_*
 * @user: it counts as one of CPL 3
 * @levels: of tables: 0 paging is off, 2, 3 (PAE), 4, 5
 * @entry_size: bytes of an entry: 4 or 8
 * @result: how it ended
 * @blamed: the step that @result is about; the first one, if several would do
 * @fault: what the guest would get, unless @result is OK or NO_MEMORY
 * @gpa: where @gva leads, whatever the rights; valid if @page_size is not 0
 * @page_size: 0: it leads nowhere; else 4096, 2 MiB, 4 MiB, 1 GiB; 4096 without paging
 * @nr: steps
 * @step: they, from the root on
 */
struct vitro_walk {
	uint64_t gva;
	unsigned int access;
	bool user;
	unsigned int levels;
	unsigned int entry_size;
	enum vitro_walk_result result;
	unsigned int blamed;
	struct vitro_fault fault;
	uint64_t gpa;
	uint64_t page_size;
	unsigned int nr;
	struct vitro_walk_step step[VITRO_WALK_STEPS];
};

/**
 * vitro_walk - walk the guest's page tables, and tell of each step
 * @vcpu: the vCPU
 * @gva: linear address
 * @access: VITRO_ACCESS_*
 * @walk: filled in
 *
 * As vitro_gva_to_gpa(), but nothing changes: no accessed or dirty bit is set.
 *
 * Return: 0, also if the guest would get a fault; -errno if the state of the vCPU cannot
 * be had.
 */
int vitro_walk(struct vitro_vcpu *vcpu, uint64_t gva, unsigned int access,
	       struct vitro_walk *walk);

#ifdef __cplusplus
}
#endif

#endif /* VITRO_WALK_H */
