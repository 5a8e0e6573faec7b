/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An I/O APIC with 24 pins (Intel 82093AA data sheet). */
#ifndef DEVICES_IOAPIC_H
#define DEVICES_IOAPIC_H

#include "bus.h"

#define IOAPIC_BASE	0xfec00000ULL
#define IOAPIC_SIZE	0x1000
#define IOAPIC_PINS	24
#define IOAPIC_PIN_TIMER	2	/* where PCs connect the PIT; MADT says so */

/**
 * struct ioapic - the controller
 * @send_msi: sends an interrupt message to the local APICs
 * @opaque: handed to it
 * @select: register that the window shows
 * @id: bits 27:24 of the identification register
 * @entry: redirection table
 * @level: lines that are asserted, one bit a pin
 * @rerouted: called when the guest has written a pin's entry; NULL for nobody
 */
struct ioapic {
	void (*send_msi)(void *opaque, uint64_t addr, uint32_t data);
	void *opaque;
	uint8_t select;
	uint32_t id;
	uint64_t entry[IOAPIC_PINS];
	uint32_t level;
	void (*rerouted)(void *opaque, int pin);
};

extern const struct bus_ops ioapic_ops;

void ioapic_init(struct ioapic *ioapic, void (*send_msi)(void *, uint64_t, uint32_t),
		 void *opaque);
void ioapic_set_line(void *ioapic, int pin, bool level);
bool ioapic_edge_message(const struct ioapic *ioapic, int pin, uint64_t *addr, uint32_t *data);
void ioapic_eoi(struct ioapic *ioapic, uint8_t vector);

#endif /* DEVICES_IOAPIC_H */
