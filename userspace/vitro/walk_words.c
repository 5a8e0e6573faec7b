// SPDX-License-Identifier: GPL-2.0-or-later
/* A walk in words: names of tables and bits as in the manuals, and why it ends as it does. */
#include <inttypes.h>
#include <string.h>

#include "walk.h"

#define CR4_PKE		(1ULL << 22)

#define PTE_P		(1ULL << 0)
#define PTE_PS		(1ULL << 7)
#define NPT_P		(1ULL << 0)
#define NPT_RW		(1ULL << 1)
#define NPT_NX		(1ULL << 63)
#define EPT_R		(1ULL << 0)
#define EPT_W		(1ULL << 1)
#define EPT_X		(1ULL << 2)

/* ------------------------------------------------------------------------ names */

/**
 * walk_paging - the guest's kind of paging (SDM 3A 4.1.1)
 * @v: the walk
 *
 * Return: its name.
 */
const char *walk_paging(const struct walk_view *v)
{
	static const char * const names[] = {
		"paging off", "paging", "32-bit paging", "PAE paging", "4-level paging",
		"5-level paging",
	};

	return names[v->walk.levels];
}

/**
 * walk_level - what an entry is called, in both dimensions (SDM 3A 4.2, 3C 29.3.2)
 * @level: of its table, from 1
 *
 * Return: its name; Intel's: AMD writes PDPE for PDPTE.
 */
const char *walk_level(unsigned int level)
{
	static const char * const names[] = { "", "PTE", "PDE", "PDPTE", "PML4E", "PML5E" };

	return names[level];
}

/**
 * walk_second - what the second dimension is called
 * @v: the walk
 *
 * Return: its name.
 */
const char *walk_second(const struct walk_view *v)
{
	return v->vendor == VITRO_VENDOR_SVM ? "NPT" : "EPT";
}

/**
 * walk_size - a size of pages
 * @bytes: one of those there are
 *
 * Return: as people write it.
 */
const char *walk_size(uint64_t bytes)
{
	return bytes >> 30 ? "1 GiB" : bytes >> 22 ? "4 MiB" : bytes >> 21 ? "2 MiB" : "4 KiB";
}

/**
 * walk_access - what the walk is for
 * @v: the walk
 *
 * Return: it, such as "a write by the kernel".
 */
const char *walk_access(const struct walk_view *v)
{
	bool user = v->walk.user;

	if (v->walk.access & VITRO_ACCESS_WRITE)
		return user ? "a write by user code" : "a write by the kernel";
	if (v->walk.access & VITRO_ACCESS_EXEC)
		return user ? "a fetch by user code" : "a fetch by the kernel";
	return user ? "a read by user code" : "a read by the kernel";
}

/* ------------------------------------------------------------------------- bits */

struct bit_name {
	uint64_t bit;
	const char *name;
};

/* Names of those bits of @entry that are set, up to the end of the list. */
static void name_bits(uint64_t entry, const struct bit_name *list, char *buf, size_t size)
{
	size_t len = 0;

	buf[0] = '\0';
	for (; list->bit; list++) {
		if ((entry & list->bit) && list->name && len < size)
			len += snprintf(buf + len, size - len, "%s%s", len ? " " : "", list->name);
	}
}

/**
 * walk_is_pdpte - an entry of PAE's top level, which is not like the others
 * @v: the walk
 * @level: of its table
 *
 * Return: whether it is.
 */
bool walk_is_pdpte(const struct walk_view *v, unsigned int level)
{
	return v->walk.levels == 3 && level == 3;
}

/**
 * walk_bits - the bits of an entry of the guest's (SDM 3A 4.3 to 4.5)
 * @v: the walk
 * @step: the entry
 * @buf: set to their names
 * @size: of @buf
 */
void walk_bits(const struct walk_view *v, const struct vitro_walk_step *step, char *buf,
	       size_t size)
{
	bool has_rights = !walk_is_pdpte(v, step->level), leaf = step->leaf;
	const struct bit_name names[] = {
		{ PTE_P, "P" },
		{ 1ULL << 1, has_rights ? "R/W" : NULL },
		{ 1ULL << 2, has_rights ? "U/S" : NULL },
		{ 1ULL << 3, "PWT" },
		{ 1ULL << 4, "PCD" },
		{ 1ULL << 5, has_rights ? "A" : NULL },
		{ 1ULL << 6, leaf ? "D" : NULL },
		{ PTE_PS, !leaf ? NULL : step->level > 1 ? "PS" : "PAT" },
		{ 1ULL << 8, leaf ? "G" : NULL },
		{ 1ULL << 12, leaf && step->level > 1 ? "PAT" : NULL },
		{ 1ULL << 63, v->walk.entry_size == 8 ? "XD" : NULL },
		{ 0, NULL }
	};
	size_t len;

	if (!(step->entry & PTE_P)) {
		snprintf(buf, size, "not present");
		return;
	}
	name_bits(step->entry, names, buf, size);
	len = strlen(buf);
	if (leaf && (v->cr4 & CR4_PKE) && v->walk.levels >= 4)
		snprintf(buf + len, size - len, " key %u", (unsigned int)(step->entry >> 59 & 15));
}

/**
 * walk_is_there - a second-level entry is present
 * @v: the walk
 * @second: the entry
 *
 * Return: whether it is.
 */
bool walk_is_there(const struct walk_view *v, uint64_t second)
{
	return second & (v->vendor == VITRO_VENDOR_SVM ? NPT_P : EPT_R | EPT_W | EPT_X);
}

/**
 * walk_second_bits - the bits of a second-level entry (APM 2 5.3.3, SDM 3C 29.3.2)
 * @v: the walk
 * @entry: the entry
 * @buf: set to their names
 * @size: of @buf
 */
void walk_second_bits(const struct walk_view *v, uint64_t entry, char *buf, size_t size)
{
	static const struct bit_name npt[] = {
		{ 1ULL << 0, "P" }, { 1ULL << 1, "R/W" }, { 1ULL << 2, "U/S" },
		{ 1ULL << 5, "A" }, { 1ULL << 6, "D" }, { 1ULL << 7, "PS" },
		{ 1ULL << 63, "NX" }, { 0, NULL }
	};
	static const struct bit_name ept[] = {
		{ 1ULL << 0, "R" }, { 1ULL << 1, "W" }, { 1ULL << 2, "X" },
		{ 1ULL << 6, "IPAT" }, { 1ULL << 7, "PS" }, { 1ULL << 8, "A" },
		{ 1ULL << 9, "D" }, { 0, NULL }
	};

	if (!walk_is_there(v, entry))
		snprintf(buf, size, "absent");
	else
		name_bits(entry, v->vendor == VITRO_VENDOR_SVM ? npt : ept, buf, size);
}

/* ------------------------------------------------------------------------ rights */

/**
 * walk_rights - what an entry of the guest's, and all before, allow
 * @step: the entry
 * @buf: set to four letters: read, write, execute, user
 */
void walk_rights(const struct vitro_walk_step *step, char buf[5])
{
	buf[0] = step->rights || (step->entry & PTE_P) ? 'r' : '-';
	buf[1] = step->rights & VITRO_RIGHT_WRITE ? 'w' : '-';
	buf[2] = step->rights & VITRO_RIGHT_EXEC ? 'x' : '-';
	buf[3] = step->rights & VITRO_RIGHT_USER ? 'u' : '-';
	buf[4] = '\0';
}

/**
 * walk_second_rights - what the second-level entries allow together
 * @v: the walk
 * @t: the address
 * @buf: set to three letters: read, write, execute
 */
void walk_second_rights(const struct walk_view *v, const struct walk_target *t, char buf[4])
{
	bool svm = v->vendor == VITRO_VENDOR_SVM;
	uint64_t all = ~0ULL, any = 0;
	unsigned int i;

	for (i = 0; i < t->nr; i++) {
		all &= t->entry[i];
		any |= t->entry[i];
	}
	if (!t->page_size)
		all = 0;
	buf[0] = all & (svm ? NPT_P : EPT_R) ? 'r' : '-';
	buf[1] = all & (svm ? NPT_RW : EPT_W) ? 'w' : '-';
	buf[2] = (svm ? all && !(any & NPT_NX) : !!(all & EPT_X)) ? 'x' : '-';
	buf[3] = '\0';
}

/**
 * walk_is_beyond - is this address one that the CPU does not come to, for the fault?
 * @v: the walk
 * @target: number of the address
 *
 * Return: whether it is.
 */
bool walk_is_beyond(const struct walk_view *v, unsigned int target)
{
	return target == v->walk.nr && v->walk.result != VITRO_WALK_OK;
}

/**
 * walk_entries_read - what the translation costs a CPU without any TLB or cache of tables
 * @v: the walk
 *
 * Return: entries, of both dimensions.
 */
unsigned int walk_entries_read(const struct walk_view *v)
{
	unsigned int n = v->walk.nr, i;

	for (i = 0; i < v->nr_targets && !walk_is_beyond(v, i); i++)
		n += v->target[i].nr;
	return n;
}

/* --------------------------------------------------------------------------- why */

/* "PDE 12 at gpa 0x1234060" */
static const char *culprit(const struct walk_view *v, char buf[64])
{
	const struct vitro_walk_step *s = &v->walk.step[v->walk.blamed];

	snprintf(buf, 64, "%s %u at gpa 0x%" PRIx64, walk_level(s->level), s->index, s->gpa);
	return buf;
}

static void why_reserved(const struct walk_view *v, char *buf, size_t size)
{
	const struct vitro_walk_step *s = &v->walk.step[v->walk.blamed];
	char who[64];

	snprintf(buf, size, "%s has bits set that must be 0 there: 0x%" PRIx64, culprit(v, who),
		 s->reserved);
}

/* What is behind the address, for an access that the guest's own tables allow. */
static void why_second(const struct walk_view *v, char *buf, size_t size)
{
	const struct walk_target *t = &v->target[v->nr_targets - 1];
	bool write = v->walk.access & VITRO_ACCESS_WRITE;
	const char *name = walk_second(v);
	char rights[4];

	walk_second_rights(v, t, rights);
	if (!t->levels)
		snprintf(buf, size, "but no guest has so long a gpa: the access exits");
	else if (!t->page_size && !t->memory)
		snprintf(buf, size,
			 "where the guest has no memory: the access exits, as one to a device");
	else if (!t->page_size)
		snprintf(buf, size,
			 "which is not in the %s now: the access exits, and vitro.ko maps the page",
			 name);
	else if (write && rights[1] != 'w')
		snprintf(buf, size,
			 "which the %s does not let it write now: the access exits, and is seen to",
			 name);
	else if (t->withheld)
		snprintf(buf, size, "which the host has in memory");
	else
		snprintf(buf, size, "which is hpa 0x%" PRIx64, t->hpa);
}

static void why(const struct walk_view *v, char *buf, size_t size)
{
	const struct vitro_walk *w = &v->walk;
	char who[64], second[160];

	switch (w->result) {
	case VITRO_WALK_OK:
		why_second(v, second, sizeof(second));
		snprintf(buf, size, "The guest's tables allow it: it goes to gpa 0x%" PRIx64 ", %s",
			 w->gpa, second);
		break;
	case VITRO_WALK_ABSENT:
		snprintf(buf, size, "%s is not present: its bit 0, P, is 0", culprit(v, who));
		break;
	case VITRO_WALK_RESERVED:
		why_reserved(v, buf, size);
		break;
	case VITRO_WALK_USER:
		snprintf(buf, size, "%s is for the kernel only: its bit 2, U/S, is 0",
			 culprit(v, who));
		break;
	case VITRO_WALK_WRITE:
		snprintf(buf, size, "%s is read-only: its bit 1, R/W, is 0%s", culprit(v, who),
			 w->user ? "" : ", and CR0.WP is 1");
		break;
	case VITRO_WALK_EXEC:
		snprintf(buf, size, "%s is not to be executed: its bit 63, XD, is 1",
			 culprit(v, who));
		break;
	case VITRO_WALK_SMEP:
		snprintf(buf, size,
			 "it is a user page, and CR4.SMEP is 1: the kernel does not execute those");
		break;
	case VITRO_WALK_SMAP:
		snprintf(buf, size, "it is a user page, CR4.SMAP is 1, and RFLAGS.AC is 0");
		break;
	case VITRO_WALK_CANONICAL:
		snprintf(buf, size, "the address is not canonical: bits 63 to %u must be equal",
			 w->levels == 5 ? 56 : 47);
		break;
	case VITRO_WALK_NO_MEMORY:
		snprintf(buf, size, "The guest has no memory at gpa 0x%" PRIx64
			 ", where its %s should be: the CPU's own read exits",
			 w->step[w->blamed].gpa, walk_level(w->step[w->blamed].level));
		break;
	}
}

/**
 * walk_why - what becomes of the access, and why
 * @v: the walk
 * @buf: set to a sentence
 * @size: of @buf
 */
void walk_why(const struct walk_view *v, char *buf, size_t size)
{
	const struct vitro_fault *f = &v->walk.fault;
	int n = 0;

	buf[0] = '\0';
	if (f->has_error && f->vector == 14)
		n = snprintf(buf, size, "#PF, error code 0x%x (SDM 3A 4.7): ", f->error);
	else if (f->has_error)
		n = snprintf(buf, size, "#GP (SDM 3A 4.1): ");
	why(v, buf + n, size - n);
}
