// SPDX-License-Identifier: GPL-2.0-or-later
/* The memory balloon: pages must really be gone, and others must not be. */
#include "../../userspace/devices/loop.c"
#include "../../userspace/devices/virtio.c"
#include "../../userspace/devices/virtqueue.c"
#include "../../userspace/devices/virtio_balloon.c"
#include "tap.h"
#include "virtio_driver.h"

#define PFNS	(DATA_GPA)		/* where the driver has its page numbers */
#define PAGES	(DATA_GPA + 0x100000)	/* the pages that it gives away */

static struct virtio_balloon balloon;

static uint64_t page(unsigned int i)
{
	return PAGES + i * PAGE;
}

/* Fill eight pages, so that one can see which of them are gone. */
static void fill(void)
{
	memset(at(PAGES), 0xaa, 8 * PAGE);
}

/* Bit i: page i is still there.  A page that was given back reads as zeros. */
static unsigned int present(void)
{
	unsigned int i, mask = 0;
	unsigned char in_core;

	for (i = 0; i < 8; i++)
		if (!mincore(at(page(i)), PAGE, &in_core) && (in_core & 1) &&
		    *at(page(i)) == 0xaa)
			mask |= 1U << i;
	return mask;
}

/* Inflate by page numbers. */
static void inflate_pages(const uint32_t *pfn, unsigned int nr)
{
	memcpy(at(PFNS), pfn, nr * sizeof(*pfn));
	drv_add1(QUEUE_INFLATE, PFNS, nr * sizeof(*pfn), false);
	drv_kick(QUEUE_INFLATE);
}

static void test_config(void)
{
	drv_start(0);
	check("the target", drv_config_read(0, 4) == 16);
	check("nothing is in it yet", drv_config_read(4, 4) == 0);
	check("beyond the configuration is nothing", drv_config_read(8, 4) == 0);
	ops.config_write(&balloon.dev, 4, 4, 7);
	check("the driver says what is in it", atomic_load(&balloon.actual) == 7);
	ops.config_write(&balloon.dev, 0, 4, 9);
	check("but does not set the target", drv_config_read(0, 4) == 16);
	virtio_balloon_set_target(&balloon, 32 * PAGE);
	check("another target", drv_config_read(0, 4) == 32 && drv.config == 1);
	virtio_stop(&balloon.dev);
	check("a reset empties it", atomic_load(&balloon.actual) == 0);
}

static void test_inflate(void)
{
	const uint32_t some[] = { page(1) / PAGE, page(3) / PAGE, page(4) / PAGE };
	const uint32_t down[] = { page(6) / PAGE, page(5) / PAGE, page(4) / PAGE, page(1) / PAGE };
	const uint32_t twice[] = { page(2) / PAGE, page(2) / PAGE };

	drv_start(0);
	fill();
	inflate_pages(some, 3);
	check("three pages are gone", present() == 0xe5);
	check("the buffer came back", drv_taken(QUEUE_INFLATE) == 0);

	fill();
	inflate_pages(down, 4);
	check("from the top down", present() == 0x8d);

	fill();
	inflate_pages(twice, 2);
	check("a page twice", present() == 0xfb && !balloon.dev.failed);

	memcpy(at(PFNS), twice, sizeof(twice));
	fill();
	drv_add1(QUEUE_DEFLATE, PFNS, sizeof(twice), false);
	drv_kick(QUEUE_DEFLATE);
	check("deflating takes nothing away", present() == 0xff);
	check("and comes back", drv_taken(QUEUE_DEFLATE) == 0);
}

/* The driver's numbers may be spread over its memory in any way. */
static void test_split(void)
{
	const uint32_t two[] = { page(0) / PAGE, page(7) / PAGE };
	const struct part parts[] = { { PFNS, 3, false }, { PFNS + 0x800, 5, false } };

	drv_start(0);
	fill();
	memcpy(at(PFNS), two, 3);
	memcpy(at(PFNS + 0x800), (const char *)two + 3, 5);
	drv_add(QUEUE_INFLATE, parts, 2);
	drv_kick(QUEUE_INFLATE);
	check("numbers in two parts", present() == 0x7e);
}

static void test_report(void)
{
	const struct part two[] = { { page(1), 2 * PAGE, true }, { page(6), PAGE, true } };

	drv_start(F_PAGE_REPORTING);
	fill();
	drv_add(2, two, 2);
	drv_kick(2);
	check("free pages are gone", present() == 0xb9);
	check("and may be used again", drv_taken(2) == 0);

	fill();
	drv_add1(2, page(1) + 1, 3 * PAGE, true);
	drv_kick(2);
	check("of parts of pages, the whole ones", present() == 0xf3);

	fill();
	drv_add1(2, page(1) + 16, 64, true);
	drv_kick(2);
	check("if there are any", present() == 0xff && !balloon.dev.failed);

	fill();
	drv_add1(4, page(0), PAGE, true);
	drv_kick(4);
	check("the specification's queue number", present() == 0xfe);
}

static void test_malformed(void)
{
	const uint32_t below[] = { page(0) / PAGE, 0 };
	const uint32_t above[] = { (MEM_GPA + MEM_SIZE) / PAGE };
	const uint32_t huge[] = { 0xffffffff };

	fill();
	drv_start(0);
	inflate_pages(below, 2);
	check("a page where no memory is", drv_failed("no memory at page 0x0"));
	drv_start(0);
	inflate_pages(above, 1);
	check("the page behind memory", drv_failed("no memory at page 0x900"));
	drv_start(0);
	inflate_pages(huge, 1);
	check("the last page there can be", drv_failed("no memory at page 0xffffffff"));
	check("takes nothing away", present() == 0xff);

	drv_start(0);
	drv_add1(QUEUE_INFLATE, PFNS, 6, false);
	drv_kick(QUEUE_INFLATE);
	check("half a page number", drv_failed("6 bytes of page numbers"));
	drv_start(0);
	drv_add1(QUEUE_INFLATE, PFNS, 8, true);
	drv_kick(QUEUE_INFLATE);
	check("page numbers to be written", drv_failed("8 to write"));
	drv_start(0);
	drv_add1(QUEUE_INFLATE, DATA_GPA, (MOST_PAGES + 1) * 4, false);
	drv_kick(QUEUE_INFLATE);
	check("too many of them", drv_failed("262148 bytes of page numbers"));

	fill();
	drv_start(0);
	drv_add1(2, page(0), PAGE, true);
	drv_kick(2);
	check("reports that were not negotiated", drv_failed("without its feature"));
	drv_start(F_PAGE_REPORTING);
	drv_add1(2, page(0), PAGE, false);
	drv_kick(2);
	check("reports of what may only be read", drv_failed("cannot be written"));
	check("neither takes anything away", present() == 0xff);
}

/* Two regions, not adjacent here although they are for the guest. */
static void test_regions(void)
{
	const uint32_t both[] = { page(3) / PAGE, page(4) / PAGE };
	struct guest_region *region = drv.mem.region;
	uint8_t *far = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0);

	fill();
	memset(far, 0xaa, 4 * PAGE);
	region[0].size = page(4) - MEM_GPA;
	region[1] = (struct guest_region){ page(4), 4 * PAGE, far };
	drv.mem.nr = 2;
	drv_start(0);
	inflate_pages(both, 2);
	check("a run over two regions", present() == 0xf7 && far[0] == 0 && far[PAGE] == 0xaa);
	drv.mem.nr = 1;
	region[0].size = MEM_SIZE;
	munmap(far, 4 * PAGE);
}

int main(void)
{
	virtio_balloon_init(&balloon, "balloon0", 16 * PAGE);
	drv_plug(&balloon.dev);
	test_config();
	test_inflate();
	test_split();
	test_report();
	test_malformed();
	test_regions();
	return tap_done();
}
