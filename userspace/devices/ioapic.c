// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An I/O APIC: turns interrupt lines into messages for the local APICs.
 *
 * The polarity bit is stored and has no effect: lines here are "asserted" or
 * not, rather than high or low.  Section numbers are those of the 82093AA data
 * sheet.
 */
#include <string.h>

#include "ioapic.h"

/* Offsets of the two memory-mapped registers (3.1); the others are behind them. */
#define IOREGSEL	0x00
#define IOWIN		0x10

#define REG_ID		0x00
#define REG_VERSION	0x01
#define REG_ARB		0x02
#define REG_TABLE	0x10

#define VERSION		(0x11 | (IOAPIC_PINS - 1) << 16)
#define ID_MASK		0x0f000000

/* A redirection table entry (3.2.4). */
#define RTE_VECTOR	0xffULL
#define RTE_DELIVERY	0x700ULL
#define RTE_EXTINT	0x700ULL	/* "must be edge-triggered" (3.2.4) */
#define RTE_LOGICAL	(1ULL << 11)
#define RTE_STATUS	(1ULL << 12)	/* read-only; delivery is immediate here: 0 */
#define RTE_REMOTE_IRR	(1ULL << 14)	/* read-only: waits for the EOI */
#define RTE_LEVEL	(1ULL << 15)
#define RTE_MASKED	(1ULL << 16)
#define RTE_READ_ONLY	(RTE_STATUS | RTE_REMOTE_IRR)

/*
 * Bits 55:49 are reserved in the data sheet.  KVM's guests put bits 14:8 of the
 * destination there when the hypervisor says it supports that (CPUID leaf
 * 0x40000001, KVM_FEATURE_MSI_EXT_DEST_ID), so that more than 256 CPUs work.
 */
#define RTE_EXT_DEST(entry)	(((entry) >> 49) & 0x7f)
#define RTE_DEST(entry)		((entry) >> 56)

/* A message's address and data (SDM 3A 11.11). */
#define MSI_ADDR		0xfee00000ULL
#define MSI_ADDR_LOGICAL	(1U << 2)
#define MSI_DATA_ASSERT		(1U << 14)
#define MSI_DATA_LEVEL		(1U << 15)

static uint64_t msi_address(uint64_t entry)
{
	uint64_t addr = MSI_ADDR | RTE_DEST(entry) << 12 | RTE_EXT_DEST(entry) << 5;

	return entry & RTE_LOGICAL ? addr | MSI_ADDR_LOGICAL : addr;
}

static void send(struct ioapic *ioapic, uint64_t entry)
{
	uint32_t data = entry & (RTE_VECTOR | RTE_DELIVERY);

	/* An ExtINT by level would be the 8259s' own wire, and nobody lower it. */
	if ((entry & RTE_LEVEL) && (entry & RTE_DELIVERY) != RTE_EXTINT)
		data |= MSI_DATA_LEVEL | MSI_DATA_ASSERT;
	ioapic->send_msi(ioapic->opaque, msi_address(entry), data);
}

/**
 * ioapic_edge_message - what a pin sends for an edge
 * @ioapic: the controller
 * @pin: 0 to 23
 * @addr: @data: set to the message
 *
 * For a device that sends its messages itself, by an irqfd, rather than by a line.
 * It knows edges only, so that the message is one, whatever the entry says.
 *
 * Return: false if the pin is masked: the device has to keep its edge until
 * @rerouted says that this has changed.
 */
bool ioapic_edge_message(const struct ioapic *ioapic, int pin, uint64_t *addr, uint32_t *data)
{
	uint64_t entry = ioapic->entry[pin];

	*addr = msi_address(entry);
	*data = entry & (RTE_VECTOR | RTE_DELIVERY);
	return !(entry & RTE_MASKED);
}

/*
 * A level interrupt is sent when its line is asserted, unless it is masked or
 * the last one was not yet ended.  Whatever changes one of these calls this.
 */
static void service_level(struct ioapic *ioapic, int pin)
{
	uint64_t *entry = &ioapic->entry[pin];

	if (!(*entry & RTE_LEVEL) || (*entry & (RTE_MASKED | RTE_REMOTE_IRR)))
		return;
	if (!(ioapic->level & 1U << pin))
		return;
	*entry |= RTE_REMOTE_IRR;
	send(ioapic, *entry);
}

/**
 * ioapic_set_line - a device drives its interrupt line
 * @opaque: the struct ioapic; the type is that of struct irq_line.set
 * @pin: 0 to 23
 * @level: asserted
 */
void ioapic_set_line(void *opaque, int pin, bool level)
{
	struct ioapic *ioapic = opaque;
	uint32_t bit = 1U << pin;
	bool rises = level && !(ioapic->level & bit);

	if (level)
		ioapic->level |= bit;
	else
		ioapic->level &= ~bit;
	if (ioapic->entry[pin] & RTE_LEVEL)
		service_level(ioapic, pin);
	else if (rises && !(ioapic->entry[pin] & RTE_MASKED))
		send(ioapic, ioapic->entry[pin]);	/* a masked edge is lost (3.2.4) */
}

/**
 * ioapic_eoi - a processor ended a level-triggered interrupt
 * @ioapic: the controller
 * @vector: which; all pins that share it take part
 */
void ioapic_eoi(struct ioapic *ioapic, uint8_t vector)
{
	int pin;

	for (pin = 0; pin < IOAPIC_PINS; pin++) {
		if ((ioapic->entry[pin] & RTE_VECTOR) != vector)
			continue;
		if (!(ioapic->entry[pin] & RTE_REMOTE_IRR))
			continue;
		ioapic->entry[pin] &= ~RTE_REMOTE_IRR;
		service_level(ioapic, pin);
	}
}

static uint32_t read_window(const struct ioapic *ioapic)
{
	unsigned int index = ioapic->select - REG_TABLE;

	switch (ioapic->select) {
	case REG_ID:
	case REG_ARB:
		return ioapic->id;
	case REG_VERSION:
		return VERSION;
	}
	if (ioapic->select >= REG_TABLE && index / 2 < IOAPIC_PINS)
		return ioapic->entry[index / 2] >> (index & 1 ? 32 : 0);
	return 0xffffffff;
}

static void set_entry(struct ioapic *ioapic, unsigned int index, uint32_t value)
{
	uint64_t *entry = &ioapic->entry[index / 2];

	if (index & 1) {
		*entry = (*entry & 0xffffffff) | (uint64_t)value << 32;
		return;
	}
	*entry = (*entry & (~0xffffffffULL | RTE_READ_ONLY)) | (value & 0x1ffff & ~RTE_READ_ONLY);
	/*
	 * An edge has no EOI to wait for.  Linux relies on this to forget an
	 * interrupt that a crashed kernel never ended: it switches the pin to
	 * edge and back.
	 */
	if (!(*entry & RTE_LEVEL))
		*entry &= ~RTE_REMOTE_IRR;
	service_level(ioapic, index / 2);
}

static void write_entry(struct ioapic *ioapic, unsigned int index, uint32_t value)
{
	set_entry(ioapic, index, value);
	if (ioapic->rerouted)
		ioapic->rerouted(ioapic->opaque, index / 2);
}

static void write_window(struct ioapic *ioapic, uint32_t value)
{
	unsigned int index = ioapic->select - REG_TABLE;

	if (ioapic->select == REG_ID)
		ioapic->id = value & ID_MASK;
	else if (ioapic->select >= REG_TABLE && index / 2 < IOAPIC_PINS)
		write_entry(ioapic, index, value);
}

static uint64_t ioapic_read(void *dev, uint64_t offset, int size)
{
	struct ioapic *ioapic = dev;

	(void)size;
	if (offset == IOREGSEL)
		return ioapic->select;
	if (offset == IOWIN)
		return read_window(ioapic);
	return 0xffffffff;
}

static void ioapic_write(void *dev, uint64_t offset, int size, uint64_t value)
{
	struct ioapic *ioapic = dev;

	/* The window takes whole registers only (3.1.2); the select is a byte. */
	if (offset == IOREGSEL)
		ioapic->select = value;
	else if (offset == IOWIN && size == 4)
		write_window(ioapic, value);
}

const struct bus_ops ioapic_ops = {
	.read = ioapic_read,
	.write = ioapic_write,
	.width = 4,
};

/**
 * ioapic_init - an I/O APIC after reset: all pins masked
 * @ioapic: the controller
 * @send_msi: sends an interrupt message to the local APICs
 * @opaque: handed to it
 */
void ioapic_init(struct ioapic *ioapic, void (*send_msi)(void *, uint64_t, uint32_t), void *opaque)
{
	int pin;

	memset(ioapic, 0, sizeof(*ioapic));
	ioapic->send_msi = send_msi;
	ioapic->opaque = opaque;
	for (pin = 0; pin < IOAPIC_PINS; pin++)
		ioapic->entry[pin] = RTE_MASKED;
}
