/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A PC's pair of interrupt controllers (Intel 8259A data sheet). */
#ifndef DEVICES_PIC_H
#define DEVICES_PIC_H

#include "bus.h"

#define PIC_MASTER	0x20
#define PIC_SLAVE	0xa0
#define PIC_PORTS	2
#define PIC_ELCR	0x4d0	/* edge/level control: the master's byte, then the slave's */
#define PIC_ELCR_PORTS	2
#define PIC_PINS	16

struct pic;

/**
 * struct pic_chip - one 8259A
 * @pic: the pair that it belongs to
 * @lines: its inputs' levels, one bit a pin
 * @irr: interrupts that are requested
 * @isr: ... in service
 * @imr: ... masked
 * @elcr: pins whose level counts, not their edge
 * @icw1_level: all pins are such (ICW1, LTIM)
 * @vector: of pin 0 (ICW2)
 * @next_icw: initialization command word that the data port expects: 2, 3, 4; 0 none
 * @single: there is no ICW3
 * @wants_icw4: there is one
 * @auto_eoi: an interrupt is over when it was acknowledged (ICW4, AEOI)
 * @nested: a master does not hold the slave's requests back by one of the slave's that
 *	is in service (ICW4, special fully nested mode)
 * @rotate_auto: automatic ends of interrupt rotate priorities
 * @lowest: the pin with the lowest priority; the one behind it has the highest
 * @special_mask: what is masked does not hold others back (OCW3, SMM)
 * @poll: the next read acknowledges (OCW3, P)
 * @read_isr: the command port shows @isr, else @irr (OCW3, RR and RIS)
 */
struct pic_chip {
	struct pic *pic;
	uint8_t lines;
	uint8_t irr;
	uint8_t isr;
	uint8_t imr;
	uint8_t elcr;
	bool icw1_level;
	uint8_t vector;
	int next_icw;
	bool single;
	bool wants_icw4;
	bool auto_eoi;
	bool nested;
	bool rotate_auto;
	int lowest;
	bool special_mask;
	bool poll;
	bool read_isr;
};

/**
 * struct pic - the pair
 * @chip: master, and the slave, which is connected to the master's pin 2
 * @intr: the master's output has changed; @level: it wants the processor
 * @opaque: handed to it
 * @level: the output
 */
struct pic {
	struct pic_chip chip[2];
	void (*intr)(void *opaque, bool level);
	void *opaque;
	bool level;
};

extern const struct bus_ops pic_ops;		/* of a chip */
extern const struct bus_ops pic_elcr_ops;	/* of the pair */

void pic_init(struct pic *pic, uint16_t elcr, void (*intr)(void *opaque, bool level),
	      void *opaque);
void pic_set_line(void *pic, int pin, bool level);
int pic_ack(struct pic *pic);

#endif /* DEVICES_PIC_H */
