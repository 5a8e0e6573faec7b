/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A console with one port (virtio 1.2, 5.3): Linux calls it hvc0. */
#ifndef DEVICES_VIRTIO_CONSOLE_H
#define DEVICES_VIRTIO_CONSOLE_H

#include "virtio.h"

/* The configuration space (5.3.4), as far as there is one without more ports. */
struct virtio_console_config {
	uint16_t cols;
	uint16_t rows;
};

/**
 * struct virtio_console_host - the other end of the cable
 * @input: a pipe or the like, to be read without waiting: what the user types
 * @transmit: the guest wrote something; device's thread.  May wait: the guest waits
 *	then, once it has filled its queue.
 * @taken: input has been taken from @input; device's thread
 * @opaque: handed to both
 */
struct virtio_console_host {
	int input;
	void (*transmit)(void *opaque, const uint8_t *data, size_t len);
	void (*taken)(void *opaque);
	void *opaque;
};

/**
 * struct virtio_console - the device
 * @dev: what it has in common with others
 * @host: [I] who is connected
 * @size: [a] of the terminal: columns, and rows << 16
 * @input: [d] host.input in the event loop
 * @watching: [d] the loop looks at it; otherwise the driver has no buffer for it
 * @has_buffer: [d] @receiving waits for input
 * @receiving: [d] a buffer for input
 * @sending: [d] a buffer with output
 */
struct virtio_console {
	struct virtio_dev dev;
	struct virtio_console_host host;
	atomic_uint size;
	struct loop_source input;
	bool watching;
	bool has_buffer;
	struct virtq_buffer receiving;
	struct virtq_buffer sending;
};

void virtio_console_init(struct virtio_console *con, const char *name,
			 struct virtio_console_host host);
void virtio_console_resize(struct virtio_console *con, uint16_t cols, uint16_t rows);

#endif /* DEVICES_VIRTIO_CONSOLE_H */
