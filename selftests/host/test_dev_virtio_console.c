// SPDX-License-Identifier: GPL-2.0-or-later
/* The virtio console: both directions, and who waits for whom. */
#define _GNU_SOURCE		/* pipe2() */
#include <fcntl.h>

#include "../../userspace/devices/loop.c"
#include "../../userspace/devices/virtio.c"
#include "../../userspace/devices/virtqueue.c"
#include "../../userspace/devices/virtio_console.c"
#include "tap.h"
#include "virtio_driver.h"

static struct virtio_console con;
static int input[2];		/* the pipe from the user */
static uint8_t output[20000];	/* what came out */
static size_t out_len;
static int pieces, taken;

static void host_transmit(void *opaque, const uint8_t *data, size_t len)
{
	(void)opaque;
	memcpy(output + out_len, data, len);
	out_len += len;
	pieces++;
}

static void host_taken(void *opaque)
{
	(void)opaque;
	taken++;
}

static void restart(void)
{
	drv_start(F_SIZE);
	out_len = 0;
	pieces = 0;
	taken = 0;
}

static void type(const char *text)
{
	if (write(input[1], text, strlen(text)) != (ssize_t)strlen(text))
		abort();
	drv_run();
}

static void test_output(void)
{
	const struct part two[] = { { DATA_GPA, 3, false }, { DATA_GPA + 0x100, 4, false } };
	size_t i;

	restart();
	memcpy(at(DATA_GPA), "abc", 3);
	memcpy(at(DATA_GPA + 0x100), "defg", 4);
	drv_add(QUEUE_TRANSMIT, two, 2);
	drv_kick(QUEUE_TRANSMIT);
	check("output in two parts", out_len == 7 && !memcmp(output, "abcdefg", 7));
	check("its buffer comes back", drv_taken(QUEUE_TRANSMIT) == 0 && drv.used == 1);

	restart();
	for (i = 0; i < 10000; i++)
		at(DATA_GPA)[i] = i % 251;
	drv_add1(QUEUE_TRANSMIT, DATA_GPA, 10000, false);
	drv_kick(QUEUE_TRANSMIT);
	check("a large buffer", out_len == 10000 && !memcmp(output, at(DATA_GPA), 10000));
	check("in pieces", pieces == 3);
}

static void test_input(void)
{
	const struct part split[] = { { DATA_GPA, 2, true }, { DATA_GPA + 0x100, 2, true } };

	restart();
	type("early");
	check("without a buffer input waits", taken == 0);
	check("and costs no time meanwhile", !loop_once(&drv.loop, 0));
	drv_add1(QUEUE_RECEIVE, DATA_GPA, 64, true);
	drv_kick(QUEUE_RECEIVE);
	check("until there is one", drv_taken(QUEUE_RECEIVE) == 5 &&
	      !memcmp(at(DATA_GPA), "early", 5) && taken == 1 && drv.used == 1);

	drv_add1(QUEUE_RECEIVE, DATA_GPA, 64, true);
	drv_kick(QUEUE_RECEIVE);
	check("without input a buffer waits", drv_taken(QUEUE_RECEIVE) == -1);
	type("x");
	check("until there is some", drv_taken(QUEUE_RECEIVE) == 1 && *at(DATA_GPA) == 'x');

	drv_add(QUEUE_RECEIVE, split, 2);
	drv_add1(QUEUE_RECEIVE, DATA_GPA + 0x200, 64, true);
	drv_kick(QUEUE_RECEIVE);
	type("123456");
	check("a small buffer gets what it has room for", drv_taken(QUEUE_RECEIVE) == 4 &&
	      !memcmp(at(DATA_GPA), "12", 2) && !memcmp(at(DATA_GPA + 0x100), "34", 2));
	check("and the next one the rest", drv_taken(QUEUE_RECEIVE) == 2 &&
	      !memcmp(at(DATA_GPA + 0x200), "56", 2));
}

static void test_reset(void)
{
	restart();
	drv_add1(QUEUE_RECEIVE, DATA_GPA, 64, true);
	drv_kick(QUEUE_RECEIVE);
	type("");
	*at(DATA_GPA) = 0;
	virtio_stop(&con.dev);
	type("late");
	check("after a reset buffers are not touched", *at(DATA_GPA) == 0 && taken == 0);
	restart();
	drv_add1(QUEUE_RECEIVE, DATA_GPA + 0x100, 64, true);
	drv_kick(QUEUE_RECEIVE);
	check("input waits for the next driver", drv_taken(QUEUE_RECEIVE) == 4 &&
	      !memcmp(at(DATA_GPA + 0x100), "late", 4));
}

static void test_size(void)
{
	restart();
	check("no size", drv_config_read(0, 4) == 0);
	virtio_console_resize(&con, 132, 43);
	check("a size", drv_config_read(0, 2) == 132 && drv_config_read(2, 2) == 43);
	check("the driver is told", drv.config == 1 && atomic_load(&con.dev.generation) == 1);
}

static void test_malformed(void)
{
	restart();
	drv_add1(QUEUE_RECEIVE, DATA_GPA, 64, false);
	drv_kick(QUEUE_RECEIVE);
	type("some");
	check("a buffer for input that may only be read", drv_failed("room for 0 bytes"));
	restart();
	drv_add1(QUEUE_TRANSMIT, MEM_GPA + MEM_SIZE - 4, 8, false);
	drv_kick(QUEUE_TRANSMIT);
	check("output from outside of memory", drv_failed("outside of memory") && !out_len);
	type("more");
	drv_kick(QUEUE_RECEIVE);
	check("then nothing moves", taken == 0 && drv_taken(QUEUE_RECEIVE) == -1);
	check("and costs no time", !loop_once(&drv.loop, 0));
}

static void test_end(void)
{
	restart();
	drv_add1(QUEUE_RECEIVE, DATA_GPA, 64, true);
	drv_kick(QUEUE_RECEIVE);
	drv_taken(QUEUE_RECEIVE);
	drv_add1(QUEUE_RECEIVE, DATA_GPA, 64, true);
	drv_kick(QUEUE_RECEIVE);
	close(input[1]);
	drv_run();
	check("the end of the input costs no time", !loop_once(&drv.loop, 0));
	check("and ends nothing else", !con.dev.failed && drv_taken(QUEUE_RECEIVE) == -1);
}

int main(void)
{
	if (pipe2(input, O_NONBLOCK | O_CLOEXEC))
		return 1;
	virtio_console_init(&con, "console0", (struct virtio_console_host){
		.input = input[0], .transmit = host_transmit, .taken = host_taken,
	});
	drv_plug(&con.dev);
	test_output();
	test_input();
	test_reset();
	test_size();
	test_malformed();
	test_end();
	return tap_done();
}
