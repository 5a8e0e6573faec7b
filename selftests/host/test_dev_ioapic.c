// SPDX-License-Identifier: GPL-2.0-or-later
/* The I/O APIC: registers, edges, levels, masks, end of interrupt. */
#include "../../userspace/devices/ioapic.c"
#include "tap.h"

static struct ioapic ioapic;
static uint64_t msi_addr;
static uint32_t msi_data;
static int sent;

static void send_msi(void *opaque, uint64_t addr, uint32_t data)
{
	(void)opaque;
	msi_addr = addr;
	msi_data = data;
	sent++;
}

static void reset(void)
{
	ioapic_init(&ioapic, send_msi, NULL);
	sent = 0;
}

static uint32_t get(uint8_t reg)
{
	ioapic_ops.write(&ioapic, IOREGSEL, 4, reg);
	return ioapic_ops.read(&ioapic, IOWIN, 4);
}

static void set(uint8_t reg, uint32_t value)
{
	ioapic_ops.write(&ioapic, IOREGSEL, 4, reg);
	ioapic_ops.write(&ioapic, IOWIN, 4, value);
}

static void set_pin(int pin, uint32_t high, uint32_t low)
{
	set(REG_TABLE + 2 * pin + 1, high);
	set(REG_TABLE + 2 * pin, low);
}

/* Drive a line, and count the messages that this sends. */
static int drive(int pin, bool level)
{
	int before = sent;

	ioapic_set_line(&ioapic, pin, level);
	return sent - before;
}

static int eoi(uint8_t vector)
{
	int before = sent;

	ioapic_eoi(&ioapic, vector);
	return sent - before;
}

static void test_registers(void)
{
	int pin;
	bool masked = true;

	reset();
	check("version 0x11, 24 pins", get(REG_VERSION) == 0x00170011);
	set(REG_VERSION, 0);
	check("the version cannot be written", get(REG_VERSION) == 0x00170011);
	for (pin = 0; pin < IOAPIC_PINS; pin++)
		masked &= get(REG_TABLE + 2 * pin) == RTE_MASKED;
	check("after reset all pins are masked", masked);
	set(REG_ID, 0xffffffff);
	check("the id has 4 bits", get(REG_ID) == 0x0f000000);
	check("no such register", get(0x40) == 0xffffffff);
	set_pin(23, 0x12000000, 0xffffffff);
	check("the last pin; status and remote IRR cannot be written",
	      get(0x3e) == 0x0001afff && get(0x3f) == 0x12000000);
	ioapic_ops.write(&ioapic, IOREGSEL, 4, 0x3e);
	ioapic_ops.write(&ioapic, IOWIN, 1, 0);
	check("the window takes whole registers only", get(0x3e) == 0x0001afff);
}

static void test_edge(void)
{
	reset();
	check("a masked edge is lost", drive(4, true) == 0);
	set_pin(4, 0x03000000, 0x24);
	check("unmasking does not bring it back", sent == 0);
	check("a line that stays is no edge", drive(4, true) == 0);
	check("nor is one that falls", drive(4, false) == 0);
	check("one that rises is", drive(4, true) == 1);
	check("destination 3, physical", msi_addr == 0xfee03000);
	check("vector 0x24, fixed, edge", msi_data == 0x24);
	check("an edge needs no EOI", eoi(0x24) == 0);
	drive(4, false);
	check("the next edge", drive(4, true) == 1);

	set_pin(5, 0xff000000, 0x0931);
	drive(5, true);
	check("logical, lowest priority", msi_addr == 0xfeeff004 && msi_data == 0x131);
	set_pin(6, 0x01020000, 0x32);
	drive(6, true);
	check("destination bits 14:8", msi_addr == (0xfee01000 | 1 << 5));
}

static void test_level(void)
{
	reset();
	set_pin(9, 0, 0x8029);
	check("a level interrupt is sent", drive(9, true) == 1);
	check("as level, asserted", msi_data == (0x29 | 3 << 14));
	check("remote IRR is set", get(0x22) == 0x0000c029);
	check("not again before EOI", drive(9, true) == 0);
	check("another vector's EOI does nothing", eoi(0x30) == 0);
	check("EOI with the line still asserted sends it again", eoi(0x29) == 1);
	drive(9, false);
	check("EOI with the line idle does not", eoi(0x29) == 0);
	check("remote IRR is clear", get(0x22) == 0x00008029);

	set_pin(9, 0, 0x18029);
	check("masked: nothing", drive(9, true) == 0);
	set(0x22, 0x8029);
	check("unmasking sends a level that is there", sent == 3);
	set(0x22, 0x18029);
	check("EOI while masked", eoi(0x29) == 0);
	set(0x22, 0x8029);
	check("and after it", sent == 4);

	/* Linux' __eoi_ioapic_pin on a version without EOI register */
	drive(9, false);
	set(0x22, 0x10029);
	set(0x22, 0x18029);
	check("switching to edge and back forgets remote IRR", get(0x22) == 0x00018029);

	set_pin(10, 0, 0x802a);
	set_pin(11, 0, 0x802a);
	drive(10, true);
	drive(11, true);
	check("pins that share a vector share the EOI", eoi(0x2a) == 2);

	set_pin(12, 0, 0x8700);
	drive(12, true);
	check("ExtINT is an edge, whatever the entry says", msi_data == 0x700);
}

static int rerouted_pin = -1;

static void rerouted(void *opaque, int pin)
{
	(void)opaque;
	rerouted_pin = pin;
}

/* For devices that send their messages themselves. */
static void test_routes(void)
{
	uint64_t addr;
	uint32_t data;

	reset();
	ioapic.rerouted = rerouted;
	check("after reset: masked", !ioapic_edge_message(&ioapic, 16, &addr, &data));
	set(REG_TABLE + 2 * 16 + 1, 0x05000000);
	check("writing half an entry is told", rerouted_pin == 16);
	rerouted_pin = -1;
	set(REG_TABLE + 2 * 16, 0x8841);
	check("and the other half", rerouted_pin == 16);
	check("not masked", ioapic_edge_message(&ioapic, 16, &addr, &data));
	check("destination 5, logical", addr == 0xfee05004);
	check("an edge, whatever the entry says", data == 0x41);
	check("nothing is sent by that", sent == 0);
	rerouted_pin = -1;
	set(REG_ID, 0);
	get(REG_TABLE);
	check("other accesses are not told", rerouted_pin == -1);
}

int main(void)
{
	test_registers();
	test_edge();
	test_level();
	test_routes();
	return tap_done();
}
