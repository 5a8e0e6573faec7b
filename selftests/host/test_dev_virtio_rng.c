// SPDX-License-Identifier: GPL-2.0-or-later
/* The source of random numbers. */
#include "../../userspace/devices/virtio_rng.c"
#include "tap.h"
#include "virtio_driver.h"

#define QUEUE_SIZE	16

static struct driver d;

static uint8_t *mem(uint64_t gpa)
{
	return at(&d, gpa, 1);
}

/* No pattern is expected of random bytes, but not all the same either. */
static bool is_random(const uint8_t *p, size_t len)
{
	size_t i, same = 0;

	for (i = 1; i < len; i++)
		same += p[i] == p[0];
	return same < len / 4;
}

static bool is_zero(const uint8_t *p, size_t len)
{
	for (; len; p++, len--)
		if (*p)
			return false;
	return true;
}

static void test_buffers(void)
{
	const struct part two[] = { { DATA, 100, true }, { DATA + 0x1000, 100, true }, { 0 } };

	driver_start(&d, 0, QUEUE_SIZE);
	driver_put1(&d, 0, DATA, 64, true);
	driver_kick(&d, 0);
	check("a buffer comes back full", driver_taken(&d, 0) == 64);
	check("of random bytes", is_random(mem(DATA), 64));
	check("and no more than that", is_zero(mem(DATA + 64), 64));
	check("with an interrupt", d.interrupts == 1);

	driver_put(&d, 0, two);
	driver_kick(&d, 0);
	check("a buffer in two parts", driver_taken(&d, 0) == 200 && is_random(mem(DATA), 100) &&
	      is_random(mem(DATA + 0x1000), 100) && is_zero(mem(DATA + 100), 100));

	driver_put1(&d, 0, DATA, 0x20000, true);
	driver_kick(&d, 0);
	check("a huge one is filled in part", driver_taken(&d, 0) == MOST);
	check("which is random", is_random(mem(DATA + 256), MOST - 256));
}

static void test_malformed(void)
{
	driver_start(&d, 0, QUEUE_SIZE);
	driver_put1(&d, 0, DATA, 64, false);
	driver_kick(&d, 0);
	check("a buffer to read is malformed", driver_failed(&d, "64 bytes to read"));
	check("and does not come back", driver_taken(&d, 0) == -1);

	driver_start(&d, 0, QUEUE_SIZE);
	driver_put1(&d, 0, DATA, 64, true);
	desc(&d, 0, 0)->len = 0;
	driver_kick(&d, 0);
	check("so is one without room", driver_failed(&d, "room for 0"));

	driver_start(&d, 0, QUEUE_SIZE);
	driver_put1(&d, 0, 2 * REGION, 64, true);
	driver_kick(&d, 0);
	check("so is one outside of memory", driver_failed(&d, "outside of memory"));
	driver_put1(&d, 0, DATA, 64, true);
	driver_kick(&d, 0);
	check("after which it does nothing", driver_taken(&d, 0) == -1);

	driver_start(&d, 0, QUEUE_SIZE);
	driver_put1(&d, 0, DATA, 64, true);
	driver_kick(&d, 0);
	check("until it is reset", driver_taken(&d, 0) == 64);
}

int main(void)
{
	struct virtio_rng *rng = calloc(1, sizeof(*rng));

	virtio_rng_init(rng, "rng0");
	driver_init(&d, &rng->dev);
	check("it says what it is", reg_get(&d, REG_DEVICE_ID) == 4);
	test_buffers();
	test_malformed();
	driver_fini(&d);
	return tap_done();
}
