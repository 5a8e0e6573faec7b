/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The registers of a PC's two 8259A interrupt controllers. */
#ifndef DEVICES_PIC_H
#define DEVICES_PIC_H

#include "bus.h"

#define PIC_MASTER	0x20
#define PIC_SLAVE	0xa0
#define PIC_PORTS	2

/**
 * struct pic - one of the two
 * @mask: interrupt mask register
 * @icws: initialization command words that are still to come
 */
struct pic {
	uint8_t mask;
	int icws;
};

extern const struct bus_ops pic_ops;

void pic_init(struct pic *pic);

#endif /* DEVICES_PIC_H */
