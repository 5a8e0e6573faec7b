// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where the guest's memory comes from: --memory-backing.
 *
 * The module maps whatever pages the process has, so all of this is between the
 * process and its host: huge pages set aside (hugetlbfs) or found on the way (THP),
 * equal pages shared (KSM), all pages had at once.
 */
#include <errno.h>
#include <linux/mman.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "boot.h"

#ifndef MADV_POPULATE_WRITE	/* Linux 5.14, glibc 2.35 */
#define MADV_POPULATE_WRITE	23
#endif

static void *failed(const char *what, int err, const char *cure)
{
	fprintf(stderr, "vitro run: --memory-backing: %s: %s (%s)\n", what, strerror(err), cure);
	return NULL;
}

/* Pages of 1 << @shift bytes from the host's pool. */
static void *alloc_huge(struct machine *m, uint64_t gpa, uint64_t size, unsigned int shift)
{
	void *hva;

	if (size & ((1ULL << shift) - 1)) {
		fprintf(stderr, "vitro run: --memory: not a multiple of a huge page's size\n");
		return NULL;
	}
	hva = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB |
		   (int)(shift << MAP_HUGE_SHIFT), -1, 0);
	if (hva == MAP_FAILED)
		return failed("huge pages", errno, shift == 21 ?
			      "set some aside: echo N >/proc/sys/vm/nr_hugepages" :
			      "set some aside: kernel parameters hugepagesz=1G hugepages=N");
	if (vitro_mem_map(m->vm, gpa, size, hva, 0)) {
		fprintf(stderr, "vitro run: %s\n", vitro_error());
		munmap(hva, size);
		return NULL;
	}
	return hva;
}

static void *alloc_normal(struct machine *m, uint64_t gpa, uint64_t size)
{
	void *hva = vitro_mem_alloc(m->vm, gpa, size, 0);

	if (!hva)
		fprintf(stderr, "vitro run: %s\n", vitro_error());
	return hva;
}

/**
 * memory_alloc - memory for the guest, mapped there
 * @m: the machine, with a VM
 * @gpa: where, a multiple of 1 GiB
 * @size: bytes
 * @backing: how
 *
 * It lives as long as the process.
 *
 * Return: the memory, or NULL; what is wrong has been said.
 */
void *memory_alloc(struct machine *m, uint64_t gpa, uint64_t size,
		   const struct backing_config *backing)
{
	void *hva = backing->hugetlb ? alloc_huge(m, gpa, size, backing->hugetlb) :
				       alloc_normal(m, gpa, size);

	if (!hva)
		return NULL;
	if (backing->ksm && madvise(hva, size, MADV_MERGEABLE))
		return failed("ksm", errno, "this kernel has no KSM, or not for huge pages");
	if (backing->thp != THP_DEFAULT &&
	    madvise(hva, size, backing->thp == THP_ALWAYS ? MADV_HUGEPAGE : MADV_NOHUGEPAGE))
		return failed("thp", errno, "this kernel has no transparent huge pages");
	if (backing->prealloc && madvise(hva, size, MADV_POPULATE_WRITE))
		return failed("prealloc", errno, "too much memory, or Linux before 5.14");
	return hva;
}
