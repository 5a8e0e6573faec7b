// SPDX-License-Identifier: GPL-2.0-or-later
/* What all virtio devices have in common (virtio 1.2, chapter 2). */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "virtio.h"

/* ------------------------------------------------------------ for devices */

/**
 * virtio_init - a device of no particular kind; called by those of each kind
 * @dev: the device, all zero
 * @ops: what it is
 * @name: for messages
 * @features: what it offers, apart from what all have
 *
 * Whoever builds the machine sets @mem, @loop and @port.
 */
void virtio_init(struct virtio_dev *dev, const struct virtio_ops *ops, const char *name,
		 uint64_t features)
{
	unsigned int i;

	dev->ops = ops;
	snprintf(dev->name, sizeof(dev->name), "%s", name);
	dev->features = features | VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT_DESC |
			VIRTIO_F_EVENT_IDX;
	for (i = 0; i < ops->nr_queues; i++) {
		dev->vq[i].dev = dev;
		dev->vq[i].index = i;
	}
}

/**
 * virtio_config_changed - the configuration space has other values: tell the driver
 * @dev: the device; from any thread
 */
void virtio_config_changed(struct virtio_dev *dev)
{
	atomic_fetch_add(&dev->generation, 1);
	dev->port.config(dev->port.opaque);
}

/**
 * virtio_fail - the driver did what no driver may: stop the device until it is reset
 * @dev: the device; from its thread
 * @fmt: what it did, such as "queue 0: a buffer outside of memory"
 *
 * The driver is told by DEVICE_NEEDS_RESET (2.1.2), the user by a message.
 */
void virtio_fail(struct virtio_dev *dev, const char *fmt, ...)
{
	char why[160];
	va_list args;

	if (dev->failed)
		return;
	dev->failed = true;
	va_start(args, fmt);
	vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	dev->port.fail(dev->port.opaque, why);
	atomic_store(&dev->needs_reset, true);
	dev->port.config(dev->port.opaque);
}

/**
 * virtio_bytes - read from a configuration space that is a plain struct
 * @config: the struct
 * @len: its size
 * @offset: of the access
 * @size: of the access: 1, 2, 4 or 8
 *
 * Return: the value; bytes beyond the end are 0.
 */
uint64_t virtio_bytes(const void *config, size_t len, uint64_t offset, int size)
{
	uint64_t value = 0;

	if (offset < len)
		memcpy(&value, (const uint8_t *)config + offset,
		       len - offset < (size_t)size ? len - offset : (size_t)size);
	return value;
}

/* ---------------------------------------- for whoever runs the device's thread */

/**
 * virtio_start - the driver is ready (DRIVER_OK)
 * @dev: the device
 */
void virtio_start(struct virtio_dev *dev)
{
	unsigned int i;

	for (i = 0; i < dev->ops->nr_queues; i++)
		if (!virtqueue_start(&dev->vq[i]))
			return;
	dev->running = true;
	if (dev->ops->start)
		dev->ops->start(dev);
}

/**
 * virtio_kick - the driver says that it has added buffers to a queue
 * @dev: the device, running or not
 * @queue: which
 *
 * Return: true when it should be called again soon.
 */
bool virtio_kick(struct virtio_dev *dev, unsigned int queue)
{
	if (!dev->running || dev->failed || queue >= dev->ops->nr_queues || !dev->vq[queue].desc)
		return false;
	return dev->ops->kick(dev, &dev->vq[queue]);
}

/**
 * virtio_stop - the driver resets the device (2.4)
 * @dev: the device, running or not
 *
 * When it returns, nothing touches the queues and buffers any more.
 */
void virtio_stop(struct virtio_dev *dev)
{
	unsigned int i;

	if (dev->running && dev->ops->stop)
		dev->ops->stop(dev);
	for (i = 0; i < dev->ops->nr_queues; i++)
		virtqueue_stop(&dev->vq[i]);
	dev->running = false;
	dev->failed = false;
}
