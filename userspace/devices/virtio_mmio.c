// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The registers by which a driver finds and sets up a virtio device, version 2
 * ("modern").  Sections named below are of virtio 1.2.
 *
 * The interrupt is an edge: each time that something happens, a message is sent.
 * With a level the driver's InterruptACK would have to end it, and the local
 * APIC's end of interrupt would exit to userspace; with an edge it does not.  None
 * can get lost: a driver that sees nothing in InterruptStatus had acknowledged it
 * before, and looked at the rings afterwards.
 */
#include "virtio_mmio.h"

/* 4.2.2 */
enum reg {
	REG_MAGIC		= 0x000,
	REG_VERSION		= 0x004,
	REG_DEVICE_ID		= 0x008,
	REG_VENDOR_ID		= 0x00c,
	REG_DEVICE_FEATURES	= 0x010,
	REG_FEATURES_SEL	= 0x014,
	REG_DRIVER_FEATURES	= 0x020,
	REG_DRIVER_SEL		= 0x024,
	REG_QUEUE_SEL		= 0x030,
	REG_QUEUE_NUM_MAX	= 0x034,
	REG_QUEUE_NUM		= 0x038,
	REG_QUEUE_READY		= 0x044,
	REG_QUEUE_NOTIFY	= VIRTIO_MMIO_NOTIFY,
	REG_INTERRUPT_STATUS	= 0x060,
	REG_INTERRUPT_ACK	= 0x064,
	REG_STATUS		= 0x070,
	REG_QUEUE_DESC_LOW	= 0x080,
	REG_QUEUE_DESC_HIGH	= 0x084,
	REG_QUEUE_AVAIL_LOW	= 0x090,
	REG_QUEUE_AVAIL_HIGH	= 0x094,
	REG_QUEUE_USED_LOW	= 0x0a0,
	REG_QUEUE_USED_HIGH	= 0x0a4,
	REG_SHM_LEN_LOW		= 0x0b0,
	REG_SHM_LEN_HIGH	= 0x0b4,
	REG_SHM_BASE_LOW	= 0x0b8,
	REG_SHM_BASE_HIGH	= 0x0bc,
	REG_GENERATION		= 0x0fc,
	REG_CONFIG		= 0x100,
};

#define MAGIC		0x74726976	/* "virt" */
#define VERSION		2
#define VENDOR		0x4f525456	/* "VTRO" */

#define STATUS_DRIVER_OK	0x04	/* 2.1 */
#define STATUS_FEATURES_OK	0x08
#define STATUS_NEEDS_RESET	0x40

#define INTERRUPT_USED		(1U << 0)
#define INTERRUPT_CONFIG	(1U << 1)

/* ----------------------------------------------------------- interrupts */

/* No device sends any before the driver is ready, nor after a reset (2.4.1). */
static void interrupt(struct virtio_mmio *mmio, unsigned int cause)
{
	if (!(atomic_load(&mmio->status) & STATUS_DRIVER_OK))
		return;
	atomic_fetch_or(&mmio->interrupts, cause);
	mmio->host.interrupt(mmio->host.opaque);
}

static void port_used(void *opaque)
{
	interrupt(opaque, INTERRUPT_USED);
}

static void port_config(void *opaque)
{
	interrupt(opaque, INTERRUPT_CONFIG);
}

static void port_fail(void *opaque, const char *why)
{
	struct virtio_mmio *mmio = opaque;

	mmio->host.fail(mmio->host.opaque, why);
}

/* -------------------------------------------------------------- reading */

static struct virtqueue *selected(struct virtio_mmio *mmio)
{
	if (mmio->queue_sel >= mmio->dev->ops->nr_queues)
		return NULL;
	return &mmio->dev->vq[mmio->queue_sel];
}

static uint32_t half(uint64_t value, uint32_t which)
{
	return which > 1 ? 0 : value >> (32 * which);
}

static uint32_t read_register(struct virtio_mmio *mmio, uint64_t offset)
{
	const struct virtio_dev *dev = mmio->dev;
	const struct virtqueue *vq = selected(mmio);

	switch (offset) {
	case REG_MAGIC:
		return MAGIC;
	case REG_VERSION:
		return VERSION;
	case REG_DEVICE_ID:
		return dev->ops->id;
	case REG_VENDOR_ID:
		return VENDOR;
	case REG_DEVICE_FEATURES:
		return half(dev->features, mmio->features_sel);
	case REG_QUEUE_NUM_MAX:
		return vq ? VIRTQ_MAX_SIZE : 0;
	case REG_QUEUE_READY:
		return vq && vq->ready;
	case REG_INTERRUPT_STATUS:
		return atomic_load(&mmio->interrupts);
	case REG_STATUS:
		return mmio->status | (atomic_load(&dev->needs_reset) ? STATUS_NEEDS_RESET : 0);
	case REG_SHM_LEN_LOW:		/* all ones: there is no such region (4.2.2) */
	case REG_SHM_LEN_HIGH:
	case REG_SHM_BASE_LOW:
	case REG_SHM_BASE_HIGH:
		return 0xffffffff;
	case REG_GENERATION:
		return atomic_load(&dev->generation);
	default:
		return 0;
	}
}

static uint64_t mmio_read(void *opaque, uint64_t offset, int size)
{
	struct virtio_mmio *mmio = opaque;
	const struct virtio_ops *ops = mmio->dev->ops;

	if (offset >= REG_CONFIG)
		return ops->config_read ?
		       ops->config_read(mmio->dev, offset - REG_CONFIG, size) : 0;
	return size == 4 ? read_register(mmio, offset) : 0;	/* 4.2.2.2 */
}

/* -------------------------------------------------------------- writing */

static void set_half(uint64_t *value, uint32_t which, uint32_t half)
{
	if (which == 0)
		*value = (*value & ~0xffffffffULL) | half;
	else if (which == 1)
		*value = (*value & 0xffffffff) | (uint64_t)half << 32;
}

/* Queues are set up before the device runs; afterwards they are its thread's. */
static void write_queue(struct virtio_mmio *mmio, uint64_t offset, uint32_t value)
{
	struct virtqueue *vq = selected(mmio);

	if (!vq || (mmio->status & STATUS_DRIVER_OK))
		return;
	switch (offset) {
	case REG_QUEUE_NUM:
		vq->num = value;
		break;
	case REG_QUEUE_READY:
		vq->ready = value & 1;
		break;
	case REG_QUEUE_DESC_LOW:
	case REG_QUEUE_DESC_HIGH:
		set_half(&vq->desc_gpa, offset == REG_QUEUE_DESC_HIGH, value);
		break;
	case REG_QUEUE_AVAIL_LOW:
	case REG_QUEUE_AVAIL_HIGH:
		set_half(&vq->avail_gpa, offset == REG_QUEUE_AVAIL_HIGH, value);
		break;
	case REG_QUEUE_USED_LOW:
	case REG_QUEUE_USED_HIGH:
		set_half(&vq->used_gpa, offset == REG_QUEUE_USED_HIGH, value);
		break;
	}
}

/* A driver has to know version 1, and can have no more than is offered (2.2, 6.1). */
static bool accept_features(struct virtio_mmio *mmio)
{
	struct virtio_dev *dev = mmio->dev;

	if ((mmio->driver_features & ~dev->features) ||
	    !(mmio->driver_features & VIRTIO_F_VERSION_1))
		return false;
	dev->acked = mmio->driver_features;
	if (dev->ops->negotiated)
		dev->ops->negotiated(dev);
	return true;
}

/*
 * A reset ends when the status reads 0 (2.4.1).  If the device runs, that is when
 * its thread has let go of the guest's memory.
 */
static void reset(struct virtio_mmio *mmio)
{
	if (mmio->status & STATUS_DRIVER_OK) {
		mmio->stopping = true;
		mmio->host.stop(mmio->host.opaque);
	} else {
		virtio_mmio_stopped(mmio);
	}
}

static void write_status(struct virtio_mmio *mmio, uint32_t value)
{
	uint32_t sets = value & ~mmio->status;

	if (mmio->stopping)
		return;
	if (!value) {
		reset(mmio);
		return;
	}
	if ((sets & STATUS_FEATURES_OK) && !accept_features(mmio))
		value &= ~STATUS_FEATURES_OK;	/* the driver reads this back (3.1.1) */
	/* Bits are only ever set (2.1.1); DEVICE_NEEDS_RESET is not the driver's. */
	mmio->status |= value & 0xff & ~STATUS_NEEDS_RESET & ~STATUS_DRIVER_OK;
	if ((sets & STATUS_DRIVER_OK) && (mmio->status & STATUS_FEATURES_OK)) {
		mmio->status |= STATUS_DRIVER_OK;
		mmio->host.start(mmio->host.opaque);
	}
}

static void write_register(struct virtio_mmio *mmio, uint64_t offset, uint32_t value)
{
	switch (offset) {
	case REG_FEATURES_SEL:
		mmio->features_sel = value;
		break;
	case REG_DRIVER_SEL:
		mmio->driver_sel = value;
		break;
	case REG_DRIVER_FEATURES:
		set_half(&mmio->driver_features, mmio->driver_sel, value);
		break;
	case REG_QUEUE_SEL:
		mmio->queue_sel = value;
		break;
	case REG_QUEUE_NOTIFY:
		if (value < mmio->dev->ops->nr_queues)
			mmio->host.kick(mmio->host.opaque, value);
		break;
	case REG_INTERRUPT_ACK:
		atomic_fetch_and(&mmio->interrupts, ~value);
		break;
	case REG_STATUS:
		write_status(mmio, value);
		break;
	default:
		write_queue(mmio, offset, value);
		break;
	}
}

static void mmio_write(void *opaque, uint64_t offset, int size, uint64_t value)
{
	struct virtio_mmio *mmio = opaque;
	const struct virtio_ops *ops = mmio->dev->ops;

	if (offset < REG_CONFIG) {
		if (size == 4)
			write_register(mmio, offset, value);
	} else if (ops->config_write && !mmio->stopping) {
		ops->config_write(mmio->dev, offset - REG_CONFIG, size, value);
	}
}

const struct bus_ops virtio_mmio_ops = {
	.read = mmio_read,
	.write = mmio_write,
	.width = 4,
};

/* -------------------------------------------------------------- life */

/**
 * virtio_mmio_stopped - the device's thread has done its virtio_stop()
 * @mmio: the registers, under the lock that accesses to them are under
 */
void virtio_mmio_stopped(struct virtio_mmio *mmio)
{
	unsigned int i;

	mmio->status = 0;
	mmio->stopping = false;
	mmio->features_sel = 0;
	mmio->driver_sel = 0;
	mmio->driver_features = 0;
	mmio->queue_sel = 0;
	atomic_store(&mmio->interrupts, 0);
	atomic_store(&mmio->dev->needs_reset, false);
	mmio->dev->acked = 0;
	for (i = 0; i < mmio->dev->ops->nr_queues; i++) {
		struct virtqueue *vq = &mmio->dev->vq[i];

		vq->num = 0;
		vq->ready = false;
		vq->desc_gpa = 0;
		vq->avail_gpa = 0;
		vq->used_gpa = 0;
	}
}

/**
 * virtio_mmio_init - registers for a device, after reset
 * @mmio: the registers, all zero
 * @dev: the device
 * @host: who runs it
 */
void virtio_mmio_init(struct virtio_mmio *mmio, struct virtio_dev *dev,
		      struct virtio_mmio_host host)
{
	mmio->dev = dev;
	mmio->host = host;
	dev->port = (struct virtio_port){
		.used = port_used, .config = port_config, .fail = port_fail, .opaque = mmio,
	};
	virtio_mmio_stopped(mmio);
}
