// SPDX-License-Identifier: GPL-2.0-or-later
/* The memory balloon: pages must really be gone, and others must not be. */
#include "../../userspace/devices/virtio_balloon.c"
#include "tap.h"
#include "virtio_driver.h"

#define PFNS	DATA			/* where the driver has its page numbers */
#define PAGES	(REGION + 0x10000)	/* the pages that it gives away */

#define QUEUE_SIZE	16

static struct virtio_balloon *balloon;
static struct driver d;

static uint8_t *mem(uint64_t gpa)
{
	return at(&d, gpa, 1);
}

static uint64_t config(uint64_t offset, int size)
{
	return virtio_mmio_ops.read(&d.mmio, REG_CONFIG + offset, size);
}

static uint64_t page(unsigned int i)
{
	return PAGES + i * PAGE;
}

/* Fill eight pages, so that one can see which of them are gone. */
static void fill(void)
{
	memset(mem(PAGES), 0xaa, 8 * PAGE);
}

/* Bit i: page i is still there.  A page that was given back reads as zeros. */
static unsigned int present(void)
{
	unsigned int i, mask = 0;
	unsigned char in_core;

	for (i = 0; i < 8; i++)
		if (!mincore(mem(page(i)), PAGE, &in_core) && (in_core & 1) &&
		    *mem(page(i)) == 0xaa)
			mask |= 1U << i;
	return mask;
}

/* Inflate by page numbers. */
static void inflate_pages(const uint32_t *pfn, unsigned int nr)
{
	memcpy(mem(PFNS), pfn, nr * sizeof(*pfn));
	driver_put1(&d, QUEUE_INFLATE, PFNS, nr * sizeof(*pfn), false);
	driver_kick(&d, QUEUE_INFLATE);
}

static void test_config(void)
{
	driver_start(&d, 0, QUEUE_SIZE);
	check("the target", config(0, 4) == 16);
	check("nothing is in it yet", config(4, 4) == 0);
	check("beyond the configuration is nothing", config(8, 4) == 0);
	reg_set(&d, REG_CONFIG + 4, 7);
	check("the driver says what is in it", atomic_load(&balloon->actual) == 7);
	reg_set(&d, REG_CONFIG, 9);
	check("but does not set the target", config(0, 4) == 16);
	virtio_balloon_set_target(balloon, 32 * PAGE);
	check("another target", config(0, 4) == 32 &&
	      (reg_get(&d, REG_INTERRUPT_STATUS) & INTERRUPT_CONFIG));
	reg_set(&d, REG_STATUS, 0);
	check("a reset empties it", atomic_load(&balloon->actual) == 0);
}

static void test_inflate(void)
{
	const uint32_t some[] = { page(1) / PAGE, page(3) / PAGE, page(4) / PAGE };
	const uint32_t down[] = { page(6) / PAGE, page(5) / PAGE, page(4) / PAGE, page(1) / PAGE };
	const uint32_t twice[] = { page(2) / PAGE, page(2) / PAGE };

	driver_start(&d, 0, QUEUE_SIZE);
	fill();
	inflate_pages(some, 3);
	check("three pages are gone", present() == 0xe5);
	check("the buffer came back", driver_taken(&d, QUEUE_INFLATE) == 0);

	fill();
	inflate_pages(down, 4);
	check("from the top down", present() == 0x8d);

	fill();
	inflate_pages(twice, 2);
	check("a page twice", present() == 0xfb && !balloon->dev.failed);

	memcpy(mem(PFNS), twice, sizeof(twice));
	fill();
	driver_put1(&d, QUEUE_DEFLATE, PFNS, sizeof(twice), false);
	driver_kick(&d, QUEUE_DEFLATE);
	check("deflating takes nothing away", present() == 0xff);
	check("and comes back", driver_taken(&d, QUEUE_DEFLATE) == 0);
}

/* The driver's numbers may be spread over its memory in any way. */
static void test_split(void)
{
	const uint32_t two[] = { page(0) / PAGE, page(7) / PAGE };
	const struct part parts[] = { { PFNS, 3, false }, { PFNS + 0x800, 5, false }, { 0 } };

	driver_start(&d, 0, QUEUE_SIZE);
	fill();
	memcpy(mem(PFNS), two, 3);
	memcpy(mem(PFNS + 0x800), (const char *)two + 3, 5);
	driver_put(&d, QUEUE_INFLATE, parts);
	driver_kick(&d, QUEUE_INFLATE);
	check("numbers in two parts", present() == 0x7e);
}

static void test_report(void)
{
	const struct part two[] = { { page(1), 2 * PAGE, true }, { page(6), PAGE, true }, { 0 } };

	driver_start(&d, F_PAGE_REPORTING, QUEUE_SIZE);
	fill();
	driver_put(&d, 2, two);
	driver_kick(&d, 2);
	check("free pages are gone", present() == 0xb9);
	check("and may be used again", driver_taken(&d, 2) == 0);

	fill();
	driver_put1(&d, 2, page(1) + 1, 3 * PAGE, true);
	driver_kick(&d, 2);
	check("of parts of pages, the whole ones", present() == 0xf3);

	fill();
	driver_put1(&d, 2, page(1) + 16, 64, true);
	driver_kick(&d, 2);
	check("if there are any", present() == 0xff && !balloon->dev.failed);

	fill();
	driver_put1(&d, 4, page(0), PAGE, true);
	driver_kick(&d, 4);
	check("the specification's queue number", present() == 0xfe);
}

static void test_malformed(void)
{
	const uint32_t below[] = { page(0) / PAGE, HIGH / PAGE - 1 };
	const uint32_t above[] = { 2 * REGION / PAGE };
	const uint32_t huge[] = { 0xffffffff };

	fill();
	driver_start(&d, 0, QUEUE_SIZE);
	inflate_pages(below, 2);
	check("a page before memory", driver_failed(&d, "no memory at page 0xfffff"));
	driver_start(&d, 0, QUEUE_SIZE);
	inflate_pages(above, 1);
	check("the page behind memory", driver_failed(&d, "no memory at page 0x80"));
	driver_start(&d, 0, QUEUE_SIZE);
	inflate_pages(huge, 1);
	check("the last page there can be", driver_failed(&d, "no memory at page 0xffffffff"));
	check("takes nothing away", present() == 0xff);

	driver_start(&d, 0, QUEUE_SIZE);
	driver_put1(&d, QUEUE_INFLATE, PFNS, 6, false);
	driver_kick(&d, QUEUE_INFLATE);
	check("half a page number", driver_failed(&d, "6 bytes of page numbers"));
	driver_start(&d, 0, QUEUE_SIZE);
	driver_put1(&d, QUEUE_INFLATE, PFNS, 8, true);
	driver_kick(&d, QUEUE_INFLATE);
	check("page numbers to be written", driver_failed(&d, "8 to write"));
	driver_start(&d, 0, QUEUE_SIZE);
	driver_put1(&d, QUEUE_INFLATE, DATA, (MOST_PAGES + 1) * 4, false);
	driver_kick(&d, QUEUE_INFLATE);
	check("too many of them", driver_failed(&d, "262148 bytes of page numbers"));

	fill();
	driver_start(&d, 0, QUEUE_SIZE);
	driver_put1(&d, 2, page(0), PAGE, true);
	driver_kick(&d, 2);
	check("reports that were not negotiated", driver_failed(&d, "without its feature"));
	driver_start(&d, F_PAGE_REPORTING, QUEUE_SIZE);
	driver_put1(&d, 2, page(0), PAGE, false);
	driver_kick(&d, 2);
	check("reports of what may only be read", driver_failed(&d, "cannot be written"));
	check("neither takes anything away", present() == 0xff);
}

/* The border of two regions, which are adjacent for the guest only. */
static void test_regions(void)
{
	const uint32_t both[] = { REGION / PAGE - 1, REGION / PAGE };

	memset(mem(REGION - 2 * PAGE), 0xaa, PAGE);
	memset(mem(REGION - PAGE), 0xaa, PAGE);
	memset(mem(REGION), 0xaa, 2 * PAGE);
	driver_start(&d, 0, QUEUE_SIZE);
	inflate_pages(both, 2);
	check("a run over two regions", *mem(REGION - 2 * PAGE) == 0xaa &&
	      *mem(REGION - PAGE) == 0 && *mem(REGION) == 0 && *mem(REGION + PAGE) == 0xaa);
}

/* Whole pages can be given back of memory that consists of whole pages. */
static void align_memory(void)
{
	unsigned int i;

	for (i = 0; i < d.memory.nr; i++) {
		free(d.memory.region[i].hva);
		d.memory.region[i].hva = aligned_alloc(PAGE, REGION);
		memset(d.memory.region[i].hva, 0, REGION);
	}
}

int main(void)
{
	balloon = calloc(1, sizeof(*balloon));
	virtio_balloon_init(balloon, "balloon0", 16 * PAGE);
	driver_init(&d, &balloon->dev);
	align_memory();
	test_config();
	test_inflate();
	test_split();
	test_report();
	test_malformed();
	test_regions();
	driver_fini(&d);
	return tap_done();
}
