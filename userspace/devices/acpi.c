// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The ACPI tables that describe the machine to the guest.
 *
 *   RSDP -> XSDT -> FADT -> DSDT (what devices there are), FACS
 *                -> MADT (processors and interrupt controllers)
 *
 * Section and table numbers are those of ACPI 6.5.  The structs below are in the
 * byte order of the host, which is that of the guest.
 */
#include <string.h>

#include "acpi.h"
#include "ioapic.h"
#include "pm.h"
#include "pvpanic.h"
#include "rtc.h"
#include "uart.h"
#include "virtio_mmio.h"

#define __packed		__attribute__((packed))
#define SCI_IRQ		9
#define LAPIC_BASE	0xfee00000

/* ------------------------------------------------------------------- tables */

struct acpi_header {		/* 5.2.6 */
	char signature[4];
	uint32_t length;
	uint8_t revision;
	uint8_t checksum;
	char oem_id[6];
	char oem_table_id[8];
	uint32_t oem_revision;
	char creator_id[4];
	uint32_t creator_revision;
} __packed;

struct acpi_gas {		/* 5.2.3.2: generic address structure */
	uint8_t space;
#define GAS_PORT	1
	uint8_t bit_width;
	uint8_t bit_offset;
	uint8_t access;		/* 1 byte, 2 word, 3 dword */
	uint64_t address;
} __packed;

struct acpi_rsdp {		/* 5.2.5.3 */
	char signature[8];
	uint8_t checksum;	/* of the first 20 bytes */
	char oem_id[6];
	uint8_t revision;
	uint32_t rsdt;
	uint32_t length;
	uint64_t xsdt;
	uint8_t extended_checksum;
	uint8_t reserved[3];
} __packed;

struct acpi_facs {		/* 5.2.10 */
	char signature[4];
	uint32_t length;
	uint32_t hardware_signature;
	uint32_t waking_vector;
	uint32_t global_lock;
	uint32_t flags;
	uint64_t x_waking_vector;
	uint8_t version;
	uint8_t reserved[31];
} __packed;

struct acpi_fadt {		/* 5.2.9 */
	struct acpi_header header;
	uint32_t facs;
	uint32_t dsdt;
	uint8_t reserved0;
	uint8_t profile;
	uint16_t sci_int;
	uint32_t smi_cmd;
	uint8_t acpi_enable, acpi_disable, s4bios_req, pstate_cnt;
	uint32_t pm1a_evt, pm1b_evt, pm1a_cnt, pm1b_cnt, pm2_cnt, pm_tmr, gpe0, gpe1;
	uint8_t pm1_evt_len, pm1_cnt_len, pm2_cnt_len, pm_tmr_len;
	uint8_t gpe0_len, gpe1_len, gpe1_base, cst_cnt;
	uint16_t p_lvl2_lat, p_lvl3_lat, flush_size, flush_stride;
	uint8_t duty_offset, duty_width, day_alarm, month_alarm, century;
	uint16_t boot_arch;
#define BOOT_LEGACY_DEVICES	(1U << 0)
#define BOOT_NO_VGA		(1U << 2)
	uint8_t reserved1;
	uint32_t flags;
#define FADT_WBINVD		(1U << 0)
#define FADT_PROC_C1		(1U << 2)
#define FADT_NO_SLEEP_BUTTON	(1U << 5)
#define FADT_NO_FIXED_RTC	(1U << 6)
#define FADT_TIMER_32BIT	(1U << 8)
#define FADT_RESET_REG		(1U << 10)
	struct acpi_gas reset_reg;
	uint8_t reset_value;
	uint16_t arm_boot_arch;
	uint8_t minor;
	uint64_t x_facs, x_dsdt;
	struct acpi_gas x_pm1a_evt, x_pm1b_evt, x_pm1a_cnt, x_pm1b_cnt;
	struct acpi_gas x_pm2_cnt, x_pm_tmr, x_gpe0, x_gpe1;
	struct acpi_gas sleep_control, sleep_status;
} __packed;

struct acpi_madt {		/* 5.2.12 */
	struct acpi_header header;
	uint32_t lapic;
	uint32_t flags;
#define MADT_PCAT_COMPAT	(1U << 0)	/* there is a pair of 8259As as well */
} __packed;

struct madt_lapic {		/* 5.2.12.2 */
	uint8_t type, length;
	uint8_t uid, apic_id;
	uint32_t flags;
#define LAPIC_ENABLED		(1U << 0)
} __packed;

struct madt_ioapic {		/* 5.2.12.3 */
	uint8_t type, length;
	uint8_t id, reserved;
	uint32_t address;
	uint32_t gsi_base;
} __packed;

struct madt_override {		/* 5.2.12.5 */
	uint8_t type, length;
	uint8_t bus, source;
	uint32_t gsi;
	uint16_t flags;
#define OVERRIDE_ACTIVE_HIGH	(1U << 0)
#define OVERRIDE_LEVEL		(3U << 2)
} __packed;

enum { MADT_LAPIC = 0, MADT_IOAPIC = 1, MADT_OVERRIDE = 2 };

/**
 * struct blob - bytes in the making
 * @buf: where they go
 * @size: room there
 * @len: bytes so far; may grow beyond @size, and then nothing more is stored
 */
struct blob {
	uint8_t *buf;
	size_t size;
	size_t len;
};

static void put(struct blob *b, const void *data, size_t len)
{
	if (b->len + len <= b->size)
		memcpy(b->buf + b->len, data, len);
	b->len += len;
}

static void put_byte(struct blob *b, uint8_t byte)
{
	put(b, &byte, 1);
}

static void align(struct blob *b, size_t to)
{
	while (b->len % to)
		put_byte(b, 0);
}

static uint8_t checksum(const void *data, size_t len)
{
	const uint8_t *p = data;
	uint8_t sum = 0;

	while (len--)
		sum += *p++;
	return -sum;
}

static struct acpi_header header(const char *signature, uint8_t revision)
{
	struct acpi_header h = {
		.revision = revision,
		.oem_id = { 'V', 'I', 'T', 'R', 'O', ' ' },
		.oem_table_id = { 'V', 'I', 'T', 'R', 'O', ' ', ' ', ' ' },
		.oem_revision = 1,
		.creator_id = { 'V', 'T', 'R', 'O' },
		.creator_revision = 1,
	};

	memcpy(h.signature, signature, sizeof(h.signature));
	return h;
}

/* Fill in length and checksum of the table that began at @start. */
static void finish_table(struct blob *b, size_t start)
{
	struct acpi_header *h = (struct acpi_header *)(b->buf + start);

	if (b->len > b->size)
		return;
	h->length = b->len - start;
	h->checksum = checksum(h, h->length);
}

/* ---------------------------------------------------------------------- AML */

/* Opcodes (20.2.2 to 20.2.5). */
#define AML_NAME	0x08
#define AML_BYTE	0x0a
#define AML_DWORD	0x0c
#define AML_STRING	0x0d
#define AML_SCOPE	0x10
#define AML_BUFFER	0x11
#define AML_PACKAGE	0x12
#define AML_EXT		0x5b
#define AML_DEVICE	0x82	/* after AML_EXT */

/*
 * A package length (20.2.4) counts the bytes from itself to the package's end,
 * so it is filled in at the end.  The form with two bytes, good for 4095, is
 * used for all.
 */
static size_t package_begin(struct blob *b)
{
	size_t at = b->len;

	put_byte(b, 0);
	put_byte(b, 0);
	return at;
}

static void package_end(struct blob *b, size_t at)
{
	size_t len = b->len - at;

	if (b->len > b->size)
		return;
	b->buf[at] = 0x40 | (len & 0x0f);
	b->buf[at + 1] = len >> 4;
}

static void aml_name(struct blob *b, const char name[4])
{
	put_byte(b, AML_NAME);
	put(b, name, 4);
}

static void aml_byte(struct blob *b, uint8_t value)
{
	put_byte(b, AML_BYTE);
	put_byte(b, value);
}

static void aml_string(struct blob *b, const char *s)
{
	put_byte(b, AML_STRING);
	put(b, s, strlen(s) + 1);
}

static unsigned int hex_digit(char c)
{
	return c >= 'A' ? c - 'A' + 10 : c - '0';
}

/* "PNP0501" as a number (19.6.38): three letters of 5 bits, four hex digits, big endian. */
static void aml_eisa_id(struct blob *b, const char *id)
{
	uint8_t bytes[4];

	bytes[0] = (id[0] - 'A' + 1) << 2 | (id[1] - 'A' + 1) >> 3;
	bytes[1] = (id[1] - 'A' + 1) << 5 | (id[2] - 'A' + 1);
	bytes[2] = hex_digit(id[3]) << 4 | hex_digit(id[4]);
	bytes[3] = hex_digit(id[5]) << 4 | hex_digit(id[6]);
	put_byte(b, AML_DWORD);
	put(b, bytes, sizeof(bytes));
}

/*
 * Name (_CRS, ResourceTemplate () {
 *	IO (Decode16, port, port, 1, len)
 *	IRQNoFlags () {irq}		// absent when irq < 0
 * })
 */
static void aml_resources(struct blob *b, uint16_t port, uint8_t len, int irq)
{
	const uint8_t io[] = {		/* 6.4.2.5 */
		0x47, 1, port & 0xff, port >> 8, port & 0xff, port >> 8, 1, len,
	};
	const uint8_t end[] = { 0x79, 0 };	/* 6.4.2.9; checksum 0: not used */
	size_t package;

	aml_name(b, "_CRS");
	put_byte(b, AML_BUFFER);
	package = package_begin(b);
	aml_byte(b, sizeof(io) + (irq >= 0 ? 3 : 0) + sizeof(end));
	put(b, io, sizeof(io));
	if (irq >= 0) {			/* 6.4.2.1; edge-triggered, active high */
		put_byte(b, 0x22);
		put_byte(b, (1U << irq) & 0xff);
		put_byte(b, (1U << irq) >> 8);
	}
	put(b, end, sizeof(end));
	package_end(b, package);
}

static size_t aml_device_begin(struct blob *b, const char name[4])
{
	size_t package;

	put_byte(b, AML_EXT);
	put_byte(b, AML_DEVICE);
	package = package_begin(b);
	put(b, name, 4);
	return package;
}

/* An ISA device: Device (name) { Name (_HID, EisaId (id)) Name (_CRS, ...) } */
static void aml_isa_device(struct blob *b, const char name[4], const char *id, uint16_t port,
			   uint8_t len, int irq)
{
	size_t package = aml_device_begin(b, name);

	aml_name(b, "_HID");
	aml_eisa_id(b, id);
	aml_resources(b, port, len, irq);
	package_end(b, package);
}

/* Device (PEVT) { Name (_HID, "QEMU0001") Name (_CRS, ...) } */
static void aml_pvpanic(struct blob *b)
{
	size_t package = aml_device_begin(b, "PEVT");

	aml_name(b, "_HID");
	aml_string(b, "QEMU0001");
	aml_resources(b, PVPANIC_PORT, 1, -1);
	package_end(b, package);
}

/*
 * Device (VIRn) {
 *	Name (_HID, "LNRO0005")		// Linaro's name for virtio-mmio, which Linux knows
 *	Name (_UID, n)
 *	Name (_CRS, ResourceTemplate () {
 *		Memory32Fixed (ReadWrite, base, size)
 *		Interrupt (ResourceConsumer, Edge, ActiveHigh, Shared) {pin}
 *	})
 * }
 */
static void aml_virtio(struct blob *b, unsigned int n)
{
	const struct {
		uint8_t tag;		/* 6.4.3.4: 32-bit fixed memory range */
		uint16_t len;
		uint8_t writable;
		uint32_t base, size;
		uint8_t irq_tag;	/* 6.4.3.6: extended interrupt */
		uint16_t irq_len;
		uint8_t flags;		/* consumer, edge, active high, shared */
		uint8_t nr;
		uint32_t pin;
		uint8_t end[2];		/* 6.4.2.9 */
	} __packed crs = {
		0x86, 9, 1, VIRTIO_MMIO_BASE + n * VIRTIO_MMIO_SIZE, VIRTIO_MMIO_SIZE,
		0x89, 6, 0x0b, 1, VIRTIO_MMIO_PIN(n), { 0x79, 0 },
	};
	const char name[4] = { 'V', 'I', 'R', n < 10 ? '0' + n : 'A' + n - 10 };
	size_t device = aml_device_begin(b, name), package;

	aml_name(b, "_HID");
	aml_string(b, "LNRO0005");
	aml_name(b, "_UID");
	aml_byte(b, n);
	aml_name(b, "_CRS");
	put_byte(b, AML_BUFFER);
	package = package_begin(b);
	aml_byte(b, sizeof(crs));
	put(b, &crs, sizeof(crs));
	package_end(b, package);
	package_end(b, device);
}

/* Name (_S5, Package () {typ, typ, 0, 0}): what to write to PM1 control to power off (7.4.2) */
static void aml_s5(struct blob *b)
{
	size_t package;

	aml_name(b, "_S5_");
	put_byte(b, AML_PACKAGE);
	package = package_begin(b);
	put_byte(b, 4);
	aml_byte(b, PM_SLP_TYP_S5);
	aml_byte(b, PM_SLP_TYP_S5);
	aml_byte(b, 0);
	aml_byte(b, 0);
	package_end(b, package);
}

static size_t build_dsdt(struct blob *b, unsigned int nr_virtio)
{
	struct acpi_header h = header("DSDT", 2);
	size_t start = b->len, scope;
	unsigned int i;

	put(b, &h, sizeof(h));
	aml_s5(b);
	put_byte(b, AML_SCOPE);
	scope = package_begin(b);
	put(b, "\\_SB_", 5);
	aml_isa_device(b, "COM1", "PNP0501", UART_COM1, UART_PORTS, 4);
	aml_isa_device(b, "RTC_", "PNP0B00", RTC_PORT, RTC_PORTS, 8);
	aml_pvpanic(b);
	for (i = 0; i < nr_virtio; i++)
		aml_virtio(b, i);
	package_end(b, scope);
	finish_table(b, start);
	return start;
}

/* ------------------------------------------------------------ other tables */

static struct acpi_gas port_gas(uint16_t port, int bytes)
{
	return (struct acpi_gas){
		.space = GAS_PORT,
		.bit_width = 8 * bytes,
		.access = bytes == 1 ? 1 : bytes == 2 ? 2 : 3,
		.address = port,
	};
}

static size_t build_facs(struct blob *b)
{
	struct acpi_facs facs = {
		.signature = { 'F', 'A', 'C', 'S' },
		.length = sizeof(facs),
		.version = 2,
	};
	size_t start;

	align(b, 64);
	start = b->len;
	put(b, &facs, sizeof(facs));
	return start;
}

static size_t build_fadt(struct blob *b, uint64_t facs, uint64_t dsdt)
{
	struct acpi_fadt fadt = {
		.header = header("FACP", 5),
		.facs = facs,
		.dsdt = dsdt,
		.sci_int = SCI_IRQ,
		.pm1a_evt = PM_BASE,
		.pm1a_cnt = PM_BASE + PM1_CNT_OFFSET,
		.pm_tmr = PM_BASE + PM_TMR_OFFSET,
		.pm1_evt_len = PM1_EVT_LEN,
		.pm1_cnt_len = PM1_CNT_LEN,
		.pm_tmr_len = PM_TMR_LEN,
		.p_lvl2_lat = 0xffff,		/* no C2, no C3 */
		.p_lvl3_lat = 0xffff,
		.century = RTC_CENTURY,
		.boot_arch = BOOT_LEGACY_DEVICES | BOOT_NO_VGA,
		.flags = FADT_WBINVD | FADT_PROC_C1 | FADT_NO_SLEEP_BUTTON | FADT_NO_FIXED_RTC |
			 FADT_TIMER_32BIT | FADT_RESET_REG,
		.reset_reg = port_gas(PM_RESET_PORT, 1),
		.reset_value = PM_RESET_VALUE,
		.x_dsdt = dsdt,
		.x_pm1a_evt = port_gas(PM_BASE, PM1_EVT_LEN),
		.x_pm1a_cnt = port_gas(PM_BASE + PM1_CNT_OFFSET, PM1_CNT_LEN),
		.x_pm_tmr = port_gas(PM_BASE + PM_TMR_OFFSET, PM_TMR_LEN),
	};
	size_t start;

	align(b, 16);
	start = b->len;
	put(b, &fadt, sizeof(fadt));
	finish_table(b, start);
	return start;
}

static size_t build_madt(struct blob *b, unsigned int nr_cpus)
{
	struct acpi_madt madt = {
		.header = header("APIC", 4),
		.lapic = LAPIC_BASE,
		.flags = MADT_PCAT_COMPAT,
	};
	struct madt_lapic lapic = {
		.type = MADT_LAPIC,
		.length = sizeof(lapic),
		.flags = LAPIC_ENABLED,
	};
	const struct madt_ioapic ioapic = {
		.type = MADT_IOAPIC,
		.length = sizeof(ioapic),
		.address = IOAPIC_BASE,
	};
	/* As on every PC with an I/O APIC: the timer is not at pin 0. */
	const struct madt_override timer = {
		.type = MADT_OVERRIDE,
		.length = sizeof(timer),
		.source = 0,
		.gsi = IOAPIC_PIN_TIMER,
	};
	/* The SCI is no ISA interrupt, so its line does not behave like one. */
	const struct madt_override sci = {
		.type = MADT_OVERRIDE,
		.length = sizeof(sci),
		.source = SCI_IRQ,
		.gsi = SCI_IRQ,
		.flags = OVERRIDE_ACTIVE_HIGH | OVERRIDE_LEVEL,
	};
	unsigned int i;
	size_t start;

	align(b, 16);
	start = b->len;
	put(b, &madt, sizeof(madt));
	for (i = 0; i < nr_cpus; i++) {
		lapic.uid = i;
		lapic.apic_id = i;
		put(b, &lapic, sizeof(lapic));
	}
	put(b, &ioapic, sizeof(ioapic));
	put(b, &timer, sizeof(timer));
	put(b, &sci, sizeof(sci));
	finish_table(b, start);
	return start;
}

static size_t build_xsdt(struct blob *b, uint64_t fadt, uint64_t madt)
{
	struct acpi_header h = header("XSDT", 1);
	size_t start;

	align(b, 16);
	start = b->len;
	put(b, &h, sizeof(h));
	put(b, &fadt, sizeof(fadt));
	put(b, &madt, sizeof(madt));
	finish_table(b, start);
	return start;
}

/**
 * acpi_build - write the tables
 * @buf: where; the guest will see it at @gpa
 * @size: room there
 * @gpa: guest physical address of @buf, a multiple of 64 below 4 GiB
 * @nr_cpus: processors, with APIC ids from 0
 * @nr_virtio: virtio-mmio devices
 *
 * Return: the bytes written, or 0 when @size is too small.  The root pointer is
 * at the beginning.
 */
size_t acpi_build(uint8_t *buf, size_t size, uint64_t gpa, unsigned int nr_cpus,
		  unsigned int nr_virtio)
{
	struct acpi_rsdp rsdp = {
		.signature = { 'R', 'S', 'D', ' ', 'P', 'T', 'R', ' ' },
		.oem_id = { 'V', 'I', 'T', 'R', 'O', ' ' },
		.revision = 2,
		.length = sizeof(rsdp),
	};
	struct blob b = { .buf = buf, .size = size };
	size_t facs, dsdt, fadt, madt;

	put(&b, &rsdp, sizeof(rsdp));		/* room for it; its pointer is not known yet */
	facs = build_facs(&b);
	dsdt = build_dsdt(&b, nr_virtio);
	fadt = build_fadt(&b, gpa + facs, gpa + dsdt);
	madt = build_madt(&b, nr_cpus);
	rsdp.xsdt = gpa + build_xsdt(&b, gpa + fadt, gpa + madt);
	if (b.len > size)
		return 0;

	rsdp.checksum = checksum(&rsdp, 20);
	rsdp.extended_checksum = checksum(&rsdp, sizeof(rsdp));
	memcpy(buf, &rsdp, sizeof(rsdp));
	return b.len;
}
