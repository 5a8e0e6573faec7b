// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The ACPI tables: pointers and checksums by hand, contents by iasl, the ACPI
 * compiler of the project whose interpreter Linux uses (package acpica-tools).
 */
#include <stdlib.h>
#include <unistd.h>

#include "../../userspace/devices/acpi.c"
#include "tap.h"

#define GPA	ACPI_BASE

static uint8_t tables[ACPI_SIZE];

static void *at(uint64_t gpa)
{
	return tables + (gpa - GPA);
}

static bool valid(const struct acpi_header *h, const char *signature)
{
	return !memcmp(h->signature, signature, 4) && checksum(h, h->length) == 0;
}

static bool save(const char *dir, const char *name, const struct acpi_header *h)
{
	char path[256];
	bool ok;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s.aml", dir, name);
	f = fopen(path, "w");
	if (!f)
		return false;
	ok = fwrite(h, h->length, 1, f) == 1;
	return !fclose(f) && ok;
}

/* Disassemble @name.aml; true if that gives no complaint and @text is in what it says. */
static bool says(const char *dir, const char *name, const char *text)
{
	char cmd[512];

	snprintf(cmd, sizeof(cmd), "cd %s && iasl -d %s.aml >%s.log 2>&1", dir, name, name);
	if (system(cmd))
		return false;
	snprintf(cmd, sizeof(cmd), "cd %s && grep -qiE 'error|warning|incorrect' %s.log %s.dsl",
		 dir, name, name);
	if (!system(cmd))
		return false;
	snprintf(cmd, sizeof(cmd), "cd %s && grep -qF '%s' %s.dsl", dir, text, name);
	return system(cmd) == 0;
}

/* Compile the disassembly again: is it the language? */
static bool compiles(const char *dir, const char *name)
{
	char cmd[512];

	snprintf(cmd, sizeof(cmd),
		 "cd %s && iasl -p again %s.dsl | grep -q ' 0 Errors, 0 Warnings'", dir, name);
	return system(cmd) == 0;
}

static void test_iasl(const struct acpi_header *dsdt, const struct acpi_header *fadt,
		      const struct acpi_header *madt, const struct acpi_header *xsdt)
{
	static const char * const in_dsdt[] = {
		"Name (_S5, Package (0x04)", "Device (COM1)", "EisaId (\"PNP0501\")",
		"0x03F8,             // Range Minimum", "{4}", "EisaId (\"PNP0B00\")", "{8}",
		"Device (PEVT)", "\"QEMU0001\"", "0x0505,             // Range Minimum",
		"Device (VIR8)", "\"LNRO0005\"", "0xFE008000,         // Address Base",
		"Interrupt (ResourceConsumer, Edge, ActiveHigh, Shared", "0x00000017,",
		NULL
	};
	char dir[] = "/tmp/vitro-acpi-XXXXXX", cmd[64];
	const char * const *text;

	if (system("iasl -v >/dev/null 2>&1")) {
		tap_skip("iasl", "iasl is not installed (apt-get install acpica-tools)");
		return;
	}
	if (!check("scratch directory", mkdtemp(dir)))
		return;
	check("saved", save(dir, "dsdt", dsdt) && save(dir, "facp", fadt) &&
	      save(dir, "apic", madt) && save(dir, "xsdt", xsdt));
	for (text = in_dsdt; *text; text++)
		check(*text, says(dir, "dsdt", *text));
	check("the DSDT compiles again", compiles(dir, "dsdt"));
	check("FADT: reset register", says(dir, "facp", "Value to cause reset : 06"));
	check("FADT: no 8042", says(dir, "facp", "8042 Present on ports 60/64 (V2) : 0"));
	check("FADT: PM1a control", says(dir, "facp", "PM1A Control Block Address : 00000604"));
	check("FADT: PM timer has 32 bits", says(dir, "facp", "32-bit PM Timer (V1) : 1"));
	check("MADT: third processor", says(dir, "apic", "Local Apic ID : 02"));
	check("MADT: I/O APIC", says(dir, "apic", "Address : FEC00000"));
	check("FADT: a power button", says(dir, "facp", "Control Method Power Button (V1) : 0"));
	check("MADT: the timer is at pin 2", says(dir, "apic", "Interrupt : 00000002"));
	check("MADT: SCI", says(dir, "apic", "Trigger Mode : 3"));
	check("XSDT", says(dir, "xsdt", "ACPI Table Address   1"));
	snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	check("cleaned up", system(cmd) == 0);
}

int main(void)
{
	size_t len = acpi_build(tables, sizeof(tables), GPA, 3, 9);
	const struct acpi_rsdp *rsdp = (void *)tables;
	const struct acpi_header *xsdt, *dsdt, *madt;
	const struct acpi_facs *facs;
	const struct acpi_fadt *fadt;
	uint64_t entry[2];

	check("they fit", len > 0 && len <= sizeof(tables));
	check("RSDP: signature", !memcmp(rsdp->signature, "RSD PTR ", 8));
	check("RSDP: both checksums", !checksum(rsdp, 20) && !checksum(rsdp, sizeof(*rsdp)));
	xsdt = at(rsdp->xsdt);
	check("XSDT", valid(xsdt, "XSDT") && xsdt->length == sizeof(*xsdt) + sizeof(entry));
	memcpy(entry, xsdt + 1, sizeof(entry));
	fadt = at(entry[0]);
	madt = at(entry[1]);
	check("FADT", valid(&fadt->header, "FACP") && fadt->header.length == 268);
	check("MADT", valid(madt, "APIC") && madt->length == 44 + 3 * 8 + 12 + 10 + 10);
	dsdt = at(fadt->x_dsdt);
	check("DSDT", valid(dsdt, "DSDT") && fadt->dsdt == fadt->x_dsdt);
	facs = at(fadt->facs);
	check("FACS, on 64 bytes", !memcmp(facs->signature, "FACS", 4) && facs->length == 64 &&
	      fadt->facs % 64 == 0);
	test_iasl(dsdt, &fadt->header, madt, xsdt);

	check("64 processors fit",
	      acpi_build(tables, sizeof(tables), GPA, 64, VIRTIO_MMIO_MAX) > len);
	check("too little room is noticed", acpi_build(tables, len - 1, GPA, 3, 9) == 0);
	return tap_done();
}
