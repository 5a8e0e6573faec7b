// SPDX-License-Identifier: GPL-2.0-or-later
/* The machine's virtio devices without a file or a network behind them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "boot.h"
#include "../devices/virtio_rng.h"

static int host_error(const char *option, int err)
{
	fprintf(stderr, "vitro run: %s: %s\n", option, strerror(err));
	return END_HOST;
}

/* ---------------------------------------------------------------- console */

/* Waits for the terminal: the guest's driver waits for its buffer, no vCPU does. */
static void hvc_transmit(void *opaque, const uint8_t *data, size_t len)
{
	struct machine *m = opaque;
	size_t i;

	console_catch_up(&m->console);
	for (i = 0; i < len; i++) {
		console_put(&m->console, data[i]);
		if (panic_scan_char(&m->hvc_scan, data[i]))
			m->panicked = true;
	}
}

static void hvc_taken(void *opaque)
{
	machine_wake(opaque);
}

static int add_hvc(struct machine *m)
{
	struct virtio_console *hvc = calloc(1, sizeof(*hvc));
	int err;

	if (!hvc || pipe2(m->hvc_pipe, O_NONBLOCK | O_CLOEXEC)) {
		free(hvc);
		return host_error("--console", errno);
	}
	virtio_console_init(hvc, "console0", (struct virtio_console_host){
		.input = m->hvc_pipe[0], .transmit = hvc_transmit, .taken = hvc_taken,
		.opaque = m,
	});
	m->hvc = hvc;
	err = io_add(m, &hvc->dev, SANDBOX_IO);
	if (err)
		return host_error("--console", -err);
	hvc_resize(m);
	return 0;
}

/**
 * hvc_feed - give the virtio console what the user typed, as far as there is room
 * @m: the machine; it has one
 * @data: what
 * @len: bytes
 *
 * Return: the bytes taken.  When there is room for more, the main thread is woken.
 */
size_t hvc_feed(struct machine *m, const uint8_t *data, size_t len)
{
	ssize_t n = write(m->hvc_pipe[1], data, len);

	return n < 0 ? 0 : n;
}

/**
 * hvc_resize - the terminal has another size: tell the guest
 * @m: the machine; it may have no virtio console
 */
void hvc_resize(struct machine *m)
{
	struct winsize size;

	if (m->hvc && !ioctl(STDIN_FILENO, TIOCGWINSZ, &size))
		virtio_console_resize(m->hvc, size.ws_col, size.ws_row);
}

/* ---------------------------------------------------------------- balloon */

static int add_balloon(struct machine *m, const struct config *config)
{
	uint64_t size = config->balloon[0].size;
	struct virtio_balloon *balloon;
	int err;

	if (size >= config->memory)
		return usage_error("--balloon: the guest cannot do without all of its memory");
	balloon = calloc(1, sizeof(*balloon));
	if (!balloon)
		return host_error("--balloon", ENOMEM);
	virtio_balloon_init(balloon, "balloon0", size);
	err = io_add(m, &balloon->dev, SANDBOX_IO);
	if (err)
		return host_error("--balloon", -err);
	m->balloon = balloon;
	return 0;
}

/**
 * balloon_resize - ask the guest to do without more memory, or less
 * @m: the machine; it may have no balloon
 * @mebibytes: how much; negative or more than there is: no change
 */
void balloon_resize(struct machine *m, int mebibytes)
{
	uint64_t memory = 0;
	unsigned int i;

	for (i = 0; i < m->memory.nr; i++)
		memory += m->memory.region[i].size;
	if (m->balloon && mebibytes >= 0 && (uint64_t)mebibytes << 20 < memory)
		virtio_balloon_set_target(m->balloon, (uint64_t)mebibytes << 20);
}

/* --------------------------------------------------------- random numbers */

static int add_rng(struct machine *m)
{
	struct virtio_rng *rng = calloc(1, sizeof(*rng));
	int err;

	if (!rng)
		return host_error("--rng", ENOMEM);
	virtio_rng_init(rng, "rng0");
	err = io_add(m, &rng->dev, SANDBOX_IO);
	return err ? host_error("--rng", -err) : 0;
}

/**
 * extras_add - put console, balloon and random numbers into the machine
 * @m: the machine, as for io_add()
 * @config: what was asked for
 *
 * Return: 0 or an exit status; what is wrong has been said.
 */
int extras_add(struct machine *m, const struct config *config)
{
	int status = 0;

	if (config->console == CONSOLE_VIRTIO)
		status = add_hvc(m);
	if (!status && config->nr_balloons)
		status = add_balloon(m, config);
	if (!status && config->rng)
		status = add_rng(m);
	return status;
}
