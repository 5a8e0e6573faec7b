// SPDX-License-Identifier: GPL-2.0-or-later
/* The source of random numbers. */
#include "../../userspace/devices/loop.c"
#include "../../userspace/devices/virtio.c"
#include "../../userspace/devices/virtqueue.c"
#include "../../userspace/devices/virtio_rng.c"
#include "tap.h"
#include "virtio_driver.h"

static struct virtio_rng rng;

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
	const struct part two[] = { { DATA_GPA, 100, true }, { DATA_GPA + 0x1000, 100, true } };
	struct virtq_used_elem elem;
	unsigned int head;

	drv_start(0);
	head = drv_add1(0, DATA_GPA, 64, true);
	drv_kick(0);
	check("a buffer comes back full",
	      drv_take(0, &elem) && elem.id == head && elem.len == 64);
	check("of random bytes", is_random(at(DATA_GPA), 64));
	check("and no more than that", is_zero(at(DATA_GPA + 64), 64));
	check("with an interrupt", drv.used == 1);

	drv_add(0, two, 2);
	drv_kick(0);
	check("a buffer in two parts", drv_taken(0) == 200 && is_random(at(DATA_GPA), 100) &&
	      is_random(at(DATA_GPA + 0x1000), 100) && is_zero(at(DATA_GPA + 100), 100));

	drv_add1(0, DATA_GPA, 0x400000, true);
	drv_kick(0);
	check("a huge one is filled in part", drv_taken(0) == MOST);
	check("which is random", is_random(at(DATA_GPA + 256), MOST - 256));
}

static void test_malformed(void)
{
	drv_start(0);
	drv_add1(0, DATA_GPA, 64, false);
	drv_kick(0);
	check("a buffer to read is malformed", drv_failed("64 bytes to read"));
	check("and does not come back", drv_taken(0) == -1);

	drv_start(0);
	drv_add1(0, DATA_GPA, 0, true);
	drv_kick(0);
	check("so is one without room", drv_failed("room for 0"));

	drv_start(0);
	drv_add1(0, MEM_GPA + MEM_SIZE, 64, true);
	drv_kick(0);
	check("so is one outside of memory", drv_failed("outside of memory"));
	drv_add1(0, DATA_GPA, 64, true);
	drv_kick(0);
	check("after which it does nothing", drv_taken(0) == -1);

	drv_start(0);
	drv_add1(0, DATA_GPA, 64, true);
	drv_kick(0);
	check("until it is reset", drv_taken(0) == 64);
}

int main(void)
{
	virtio_rng_init(&rng, "rng0");
	drv_plug(&rng.dev);
	check("it says what it is", rng.dev.ops->id == VIRTIO_ID_RNG);
	test_buffers();
	test_malformed();
	return tap_done();
}
