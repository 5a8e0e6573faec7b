// SPDX-License-Identifier: GPL-2.0-or-later
/* The virtio console: both directions, and who waits for whom. */
#define _GNU_SOURCE		/* pipe2() */
#include <fcntl.h>

#include "../../userspace/devices/virtio_console.c"
#include "tap.h"
#include "virtio_driver.h"

#define QUEUE_SIZE	16

static struct virtio_console *con;
static struct driver d;
static int input[2];		/* the pipe from the user */
static uint8_t output[20000];	/* what came out */
static size_t out_len;
static int pieces, taken;

static uint8_t *mem(uint64_t gpa)
{
	return at(&d, gpa, 1);
}

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

static uint64_t config(uint64_t offset, int size)
{
	return virtio_mmio_ops.read(&d.mmio, REG_CONFIG + offset, size);
}

static void restart(void)
{
	driver_start(&d, F_SIZE, QUEUE_SIZE);
	out_len = 0;
	pieces = 0;
	taken = 0;
}

static void kick_run(unsigned int q)
{
	driver_kick(&d, q);
	driver_run(&d);
}

static void type(const char *text)
{
	if (write(input[1], text, strlen(text)) != (ssize_t)strlen(text))
		abort();
	driver_run(&d);
}

static void test_output(void)
{
	const struct part two[] = { { DATA, 3, false }, { DATA + 0x100, 4, false }, { 0 } };
	size_t i;

	restart();
	memcpy(mem(DATA), "abc", 3);
	memcpy(mem(DATA + 0x100), "defg", 4);
	driver_put(&d, QUEUE_TRANSMIT, two);
	kick_run(QUEUE_TRANSMIT);
	check("output in two parts", out_len == 7 && !memcmp(output, "abcdefg", 7));
	check("its buffer comes back", driver_taken(&d, QUEUE_TRANSMIT) == 0 && d.interrupts == 1);

	restart();
	for (i = 0; i < 10000; i++)
		*mem(DATA + i) = i % 251;
	driver_put1(&d, QUEUE_TRANSMIT, DATA, 10000, false);
	kick_run(QUEUE_TRANSMIT);
	check("a large buffer", out_len == 10000 && !memcmp(output, mem(DATA), 10000));
	check("in pieces", pieces == 3);
}

static void test_input(void)
{
	const struct part split[] = { { DATA, 2, true }, { DATA + 0x100, 2, true }, { 0 } };

	restart();
	type("early");
	check("without a buffer input waits", taken == 0);
	check("and costs no time meanwhile", !loop_once(&d.loop, 0));
	driver_put1(&d, QUEUE_RECEIVE, DATA, 64, true);
	kick_run(QUEUE_RECEIVE);
	check("until there is one", driver_taken(&d, QUEUE_RECEIVE) == 5 &&
	      !memcmp(mem(DATA), "early", 5) && taken == 1 && d.interrupts == 1);

	driver_put1(&d, QUEUE_RECEIVE, DATA, 64, true);
	kick_run(QUEUE_RECEIVE);
	check("without input a buffer waits", driver_taken(&d, QUEUE_RECEIVE) == -1);
	type("x");
	check("until there is some", driver_taken(&d, QUEUE_RECEIVE) == 1 && *mem(DATA) == 'x');

	driver_put(&d, QUEUE_RECEIVE, split);
	driver_put1(&d, QUEUE_RECEIVE, DATA + 0x200, 64, true);
	kick_run(QUEUE_RECEIVE);
	type("123456");
	check("a small buffer gets what it has room for", driver_taken(&d, QUEUE_RECEIVE) == 4 &&
	      !memcmp(mem(DATA), "12", 2) && !memcmp(mem(DATA + 0x100), "34", 2));
	check("and the next one the rest", driver_taken(&d, QUEUE_RECEIVE) == 2 &&
	      !memcmp(mem(DATA + 0x200), "56", 2));
}

static void test_reset(void)
{
	restart();
	driver_put1(&d, QUEUE_RECEIVE, DATA, 64, true);
	kick_run(QUEUE_RECEIVE);
	type("");
	*mem(DATA) = 0;
	reg_set(&d, REG_STATUS, 0);
	type("late");
	check("after a reset buffers are not touched", *mem(DATA) == 0 && taken == 0);
	restart();
	driver_put1(&d, QUEUE_RECEIVE, DATA + 0x100, 64, true);
	kick_run(QUEUE_RECEIVE);
	check("input waits for the next driver", driver_taken(&d, QUEUE_RECEIVE) == 4 &&
	      !memcmp(mem(DATA + 0x100), "late", 4));
}

static void test_size(void)
{
	restart();
	check("no size", config(0, 4) == 0);
	virtio_console_resize(con, 132, 43);
	check("a size", config(0, 2) == 132 && config(2, 2) == 43);
	check("the driver is told", reg_get(&d, REG_GENERATION) == 1 &&
	      (reg_get(&d, REG_INTERRUPT_STATUS) & INTERRUPT_CONFIG));
}

static void test_malformed(void)
{
	restart();
	driver_put1(&d, QUEUE_RECEIVE, DATA, 64, false);
	kick_run(QUEUE_RECEIVE);
	type("some");
	check("a buffer for input that may only be read", driver_failed(&d, "room for 0 bytes"));
	restart();
	driver_put1(&d, QUEUE_TRANSMIT, 2 * REGION - 4, 8, false);
	kick_run(QUEUE_TRANSMIT);
	check("output from outside of memory", driver_failed(&d, "outside of memory") && !out_len);
	type("more");
	kick_run(QUEUE_RECEIVE);
	check("then nothing moves", taken == 0 && driver_taken(&d, QUEUE_RECEIVE) == -1);
	check("and costs no time", !loop_once(&d.loop, 0));
}

static void test_end(void)
{
	restart();
	driver_put1(&d, QUEUE_RECEIVE, DATA, 64, true);
	kick_run(QUEUE_RECEIVE);
	driver_taken(&d, QUEUE_RECEIVE);
	driver_put1(&d, QUEUE_RECEIVE, DATA, 64, true);
	kick_run(QUEUE_RECEIVE);
	close(input[1]);
	driver_run(&d);
	check("the end of the input costs no time", !loop_once(&d.loop, 0));
	check("and ends nothing else", !con->dev.failed && driver_taken(&d, QUEUE_RECEIVE) == -1);
}

int main(void)
{
	if (pipe2(input, O_NONBLOCK | O_CLOEXEC))
		return 1;
	con = calloc(1, sizeof(*con));
	virtio_console_init(con, "console0", (struct virtio_console_host){
		.input = input[0], .transmit = host_transmit, .taken = host_taken,
	});
	driver_init(&d, &con->dev);
	test_output();
	test_input();
	test_reset();
	test_size();
	test_malformed();
	test_end();
	driver_fini(&d);
	return tap_done();
}
