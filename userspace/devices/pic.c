// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A PC's two interrupt controllers, Intel's 8259A, for guests that do not use the APICs.
 *
 *   devices -> pins 8-15 of the slave -.
 *   devices -> pins 0, 1, 3-7 ---------+-> master -> INTR -> the processor
 *                                                  <- INTA -
 *
 * Names of command words and modes are those of the data sheet.  Left out are the modes
 * of the 8080 and what only matters to several slaves: buffered mode, slave ids.
 */
#include "pic.h"

#define COMMAND		0	/* offsets of a chip's two ports */
#define DATA		1

#define CASCADE		2	/* the master's pin with the slave */
#define SPURIOUS	7	/* the pin that is named when none has a request */

#define ICW1		0x10	/* this bit makes a command an initialization */
#define ICW1_LEVEL	0x08
#define ICW1_SINGLE	0x02
#define ICW1_ICW4	0x01
#define ICW2_VECTOR	0xf8
#define ICW4_NESTED	0x10
#define ICW4_AUTO_EOI	0x02

#define OCW3		0x08	/* a command with this bit, else OCW2 */
#define OCW3_SET_SMM	0x40
#define OCW3_SMM	0x20
#define OCW3_POLL	0x04
#define OCW3_READ	0x02
#define OCW3_ISR	0x01

#define OCW2_OP(x)	((x) >> 5)
#define OCW2_PIN(x)	((x) & 7)
enum {
	ROTATE_AUTO_OFF, EOI, NOTHING, EOI_PIN,
	ROTATE_AUTO_ON, EOI_ROTATE, SET_LOWEST, EOI_PIN_ROTATE,
};

#define POLL_PENDING	0x80

/* Pins that can be edge-triggered only: timer, keyboard, cascade; clock, coprocessor. */
static const uint8_t elcr_mask[2] = { 0xf8, 0xde };

static bool is_master(const struct pic_chip *chip)
{
	return chip == &chip->pic->chip[0];
}

static bool by_level(const struct pic_chip *chip, int pin)
{
	return chip->icw1_level || (chip->elcr & 1U << pin);
}

/* The pin of the highest priority among some, or -1. */
static int highest(const struct pic_chip *chip, uint8_t pins)
{
	for (int i = 1; i <= 8; i++) {
		int pin = (chip->lowest + i) & 7;

		if (pins & 1U << pin)
			return pin;
	}
	return -1;
}

/* The pin whose request goes to the processor now, or -1. */
static int pending(const struct pic_chip *chip)
{
	uint8_t serving = chip->isr;
	int request = highest(chip, chip->irr & ~chip->imr);
	int holder;

	if (request < 0)
		return -1;
	if (chip->special_mask)
		serving &= ~chip->imr;
	if (chip->nested && is_master(chip) && request == CASCADE)
		serving &= ~(1U << CASCADE);
	holder = highest(chip, serving);
	/* Of two pins the first of the order wins; the same one waits for its EOI. */
	if (holder >= 0 && highest(chip, 1U << holder | 1U << request) == holder)
		return -1;
	return request;
}

static void set_line(struct pic_chip *chip, int pin, bool level)
{
	uint8_t bit = 1U << pin;
	bool rises = level && !(chip->lines & bit);

	/* A request must last until it is acknowledged, so a line that falls takes it back. */
	if (!level)
		chip->irr &= ~bit;
	else if (rises || by_level(chip, pin))
		chip->irr |= bit;
	chip->lines = level ? chip->lines | bit : chip->lines & ~bit;
}

/* Something has changed: the slave tells the master, and the master the processor. */
static void update(struct pic *pic)
{
	bool level;

	set_line(&pic->chip[0], CASCADE, pending(&pic->chip[1]) >= 0);
	level = pending(&pic->chip[0]) >= 0;
	if (level == pic->level)
		return;
	pic->level = level;
	pic->intr(pic->opaque, level);
}

/**
 * pic_set_line - a device drives its interrupt line
 * @opaque: the struct pic; the type is that of struct irq_line.set
 * @pin: 0 to 15, but 2
 * @level: asserted
 */
void pic_set_line(void *opaque, int pin, bool level)
{
	struct pic *pic = opaque;

	set_line(&pic->chip[pin / 8], pin % 8, level);
	update(pic);
}

/* ------------------------------------------------------------------- acknowledge */

static void accept(struct pic_chip *chip, int pin)
{
	uint8_t bit = 1U << pin;

	if (!by_level(chip, pin))
		chip->irr &= ~bit;
	if (!chip->auto_eoi)
		chip->isr |= bit;
	else if (chip->rotate_auto)
		chip->lowest = pin;
}

/**
 * pic_ack - the processor acknowledges (INTA)
 * @pic: the pair
 *
 * Return: the vector of the interrupt; that of pin 7 when it has gone away meanwhile; or
 * -1 when there is nothing to acknowledge, and nobody should have asked.
 */
int pic_ack(struct pic *pic)
{
	struct pic_chip *master = &pic->chip[0], *slave = &pic->chip[1];
	int pin = pending(master), vector;

	if (pin < 0)
		return -1;
	accept(master, pin);
	vector = master->vector + pin;
	if (pin == CASCADE) {
		pin = pending(slave);
		if (pin >= 0)
			accept(slave, pin);
		vector = slave->vector + (pin < 0 ? SPURIOUS : pin);
	}
	update(pic);
	return vector;
}

/* A read that acknowledges: the processor asks by itself, without INTR (OCW3, P). */
static uint8_t poll(struct pic_chip *chip)
{
	int pin = pending(chip);

	chip->poll = false;
	if (pin < 0)
		return SPURIOUS;
	accept(chip, pin);
	update(chip->pic);
	return POLL_PENDING | pin;
}

/* --------------------------------------------------------------------- registers */

static uint64_t pic_read(void *dev, uint64_t offset, int size)
{
	struct pic_chip *chip = dev;

	(void)size;
	if (chip->poll)
		return poll(chip);
	if (offset == DATA)
		return chip->imr;
	return chip->read_isr ? chip->isr : chip->irr;
}

/* ICW1 (data sheet, "initialization command words"): all but the lines starts anew. */
static void start_init(struct pic_chip *chip, uint8_t icw1)
{
	*chip = (struct pic_chip){
		.pic = chip->pic,
		.lines = chip->lines,
		.elcr = chip->elcr,
		.icw1_level = icw1 & ICW1_LEVEL,
		.single = icw1 & ICW1_SINGLE,
		.wants_icw4 = icw1 & ICW1_ICW4,
		.next_icw = 2,
		.lowest = 7,
	};
	/* An edge that came before counts no more; what is by level is still there. */
	for (int pin = 0; pin < 8; pin++)
		if (by_level(chip, pin))
			chip->irr |= chip->lines & 1U << pin;
}

static void write_icw(struct pic_chip *chip, uint8_t value)
{
	switch (chip->next_icw) {
	case 2:
		chip->vector = value & ICW2_VECTOR;
		chip->next_icw = !chip->single ? 3 : chip->wants_icw4 ? 4 : 0;
		break;
	case 3:				/* where the slave is: on a PC it is known */
		chip->next_icw = chip->wants_icw4 ? 4 : 0;
		break;
	default:
		chip->nested = value & ICW4_NESTED;
		chip->auto_eoi = value & ICW4_AUTO_EOI;
		chip->next_icw = 0;
		break;
	}
}

static void end_of_interrupt(struct pic_chip *chip, int pin, bool rotate)
{
	if (pin < 0)
		return;			/* none is in service */
	chip->isr &= ~(1U << pin);
	if (rotate)
		chip->lowest = pin;
}

/* What the unspecific EOI ends: the highest in service, but not what SMM hides. */
static int in_service(const struct pic_chip *chip)
{
	return highest(chip, chip->special_mask ? chip->isr & ~chip->imr : chip->isr);
}

static void write_ocw2(struct pic_chip *chip, uint8_t value)
{
	switch (OCW2_OP(value)) {
	case ROTATE_AUTO_OFF:
	case ROTATE_AUTO_ON:
		chip->rotate_auto = OCW2_OP(value) == ROTATE_AUTO_ON;
		break;
	case EOI:
	case EOI_ROTATE:
		end_of_interrupt(chip, in_service(chip), OCW2_OP(value) == EOI_ROTATE);
		break;
	case EOI_PIN:
	case EOI_PIN_ROTATE:
		end_of_interrupt(chip, OCW2_PIN(value), OCW2_OP(value) == EOI_PIN_ROTATE);
		break;
	case SET_LOWEST:
		chip->lowest = OCW2_PIN(value);
		break;
	}
}

static void write_ocw3(struct pic_chip *chip, uint8_t value)
{
	if (value & OCW3_SET_SMM)
		chip->special_mask = value & OCW3_SMM;
	chip->poll = value & OCW3_POLL;
	if (value & OCW3_READ)
		chip->read_isr = value & OCW3_ISR;
}

static void pic_write(void *dev, uint64_t offset, int size, uint64_t value)
{
	struct pic_chip *chip = dev;

	(void)size;
	if (offset == DATA && chip->next_icw)
		write_icw(chip, value);
	else if (offset == DATA)
		chip->imr = value;
	else if (value & ICW1)
		start_init(chip, value);
	else if (value & OCW3)
		write_ocw3(chip, value);
	else
		write_ocw2(chip, value);
	update(chip->pic);
}

static uint64_t elcr_read(void *dev, uint64_t offset, int size)
{
	struct pic *pic = dev;

	(void)size;
	return pic->chip[offset].elcr;
}

static void elcr_write(void *dev, uint64_t offset, int size, uint64_t value)
{
	struct pic *pic = dev;
	struct pic_chip *chip = &pic->chip[offset];

	(void)size;
	chip->elcr = value & elcr_mask[offset];
	chip->irr |= chip->lines & chip->elcr;
	update(pic);
}

const struct bus_ops pic_ops = {
	.read = pic_read,
	.write = pic_write,
	.width = 1,
};

const struct bus_ops pic_elcr_ops = {
	.read = elcr_read,
	.write = elcr_write,
	.width = 1,
};

/**
 * pic_init - the pair before its initialization, everything masked
 * @pic: the pair
 * @elcr: pins that a PC's firmware makes level-triggered, one bit each
 * @intr: called when the output changes
 * @opaque: handed to it
 */
void pic_init(struct pic *pic, uint16_t elcr, void (*intr)(void *opaque, bool level),
	      void *opaque)
{
	*pic = (struct pic){ .intr = intr, .opaque = opaque };
	for (int i = 0; i < 2; i++)
		pic->chip[i] = (struct pic_chip){
			.pic = pic,
			.imr = 0xff,
			.lowest = 7,
			.elcr = (elcr >> 8 * i) & elcr_mask[i],
		};
}
