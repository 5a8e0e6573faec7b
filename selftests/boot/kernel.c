// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A test kernel for loaders: looks at what it was told, prints it to the serial port,
 * takes ten interrupts of the timer by way of the 8259, and ends the run by the debug
 * exit port.  Its parameters say what it must find:
 *
 *	memory=KIB cpus=N modules=N button=N exit=N
 *
 * "button" is how often it waits for the power button to be pressed.
 * "exit" is what it writes to the port if all is well; otherwise it writes 1.  A module's
 * string is sum=N, the sum of its bytes, or empty.
 */
#include <stdbool.h>
#include <stdint.h>

#include "start.h"

#define COM1		0x3f8
#define DEBUG_EXIT	0xf4
#define FW_CFG		0x510
#define PIT		0x40
#define PIT_HZ		1193182
#define PIC		0x20
#define VECTOR		0x20		/* of pin 0, the timer */
#define PIN_EVENT	9		/* ACPI's interrupt */
#define PM1_ENABLE	0x602
#define PM1_BUTTON	0x100
#define TICKS		10

static inline void outb(uint16_t port, uint8_t value)
{
	asm volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline void outw(uint16_t port, uint16_t value)
{
	asm volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}

static inline void outl(uint16_t port, uint32_t value)
{
	asm volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t inb(uint16_t port)
{
	uint8_t value;

	asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

/* ------------------------------------------------------------------- output */

static bool failed;

static void print(const char *s)
{
	for (; *s; s++) {
		while (!(inb(COM1 + 5) & 0x20))
			;
		outb(COM1, *s);
	}
}

static void print_number(uint32_t n)
{
	char buf[11], *p = buf + 10;

	*p = 0;
	do {
		p--;
		*p = '0' + n % 10;
		n /= 10;
	} while (n);
	print(p);
}

static void say(const char *what, uint32_t n)
{
	print(what);
	print(" ");
	print_number(n);
	print("\n");
}

/* What must be true. */
static void expect(bool ok, const char *what)
{
	if (ok)
		return;
	print("FAILED: ");
	print(what);
	print("\n");
	failed = true;
}

/* The number behind "name=" in a string; 0 if it is not there. */
static uint32_t number(const char *s, const char *name)
{
	uint32_t n = 0;

	for (; *s; s++) {
		const char *a = s, *b = name;

		while (*b && *a == *b)
			a++, b++;
		if (*b || *a != '=')
			continue;
		for (a++; *a >= '0' && *a <= '9'; a++)
			n = n * 10 + *a - '0';
		return n;
	}
	return 0;
}

static void *at(uint64_t address)
{
	return (void *)(uintptr_t)address;
}

/* ------------------------------------------------------------------- loaders */

/* The map's RAM in KiB, and the hole between 640 KiB and 1 MiB, which is memory too. */
static uint32_t total_kib(uint64_t bytes)
{
	return (bytes >> 10) + 384;
}

struct module {
	uint64_t start;
	uint64_t size;
	const char *string;
};

static void check_module(const struct module *module)
{
	const uint8_t *data = at(module->start);
	uint32_t sum = 0;

	expect(module->start >= (uintptr_t)bss_end, "a module is behind the kernel");
	expect(module->start % 4096 == 0, "a module is on a page border");
	for (uint64_t i = 0; i < module->size; i++)
		sum += data[i];
	say("module", sum);
	expect(!*module->string || sum == number(module->string, "sum"), "a module is complete");
}

struct multiboot_info {
	uint32_t flags, mem_lower, mem_upper, boot_device, cmdline, mods_count, mods_addr;
	uint32_t syms[4], mmap_length, mmap_addr, drives[2], config_table, loader_name;
};

struct mmap_entry {
	uint32_t size;
	uint64_t start, length;
	uint32_t type;
} __attribute__((packed));

/* Multiboot Specification 0.6.96, 3.2 and 3.3.  Returns the parameters. */
static const char *check_multiboot(void)
{
	const struct multiboot_info *info = at(boot_ebx);
	const uint32_t *mods = at(info->mods_addr);
	const char *cmdline = at(info->cmdline);
	uint64_t ram = 0;

	print("multiboot, ");
	expect(boot_eax == 0x2badb002, "magic number in EAX");
	expect((info->flags & 0x24d) == 0x24d, "flags");
	for (uint32_t pos = 0; pos < info->mmap_length;) {
		const struct mmap_entry *entry = at(info->mmap_addr + pos);

		if (entry->type == 1)
			ram += entry->length;
		pos += entry->size + 4;
	}
	say("KiB:", total_kib(ram));
	expect(info->mem_lower == 640, "640 KiB below 1 MiB");
	expect(info->mem_upper == total_kib(ram) - 1024, "the map and mem_upper agree");
	expect(total_kib(ram) == number(cmdline, "memory"), "the memory is that of the parameters");
	expect(info->mods_count == number(cmdline, "modules"), "the number of modules");
	for (uint32_t i = 0; i < info->mods_count; i++, mods += 4)
		check_module(&(struct module){ mods[0], mods[1] - mods[0], at(mods[2]) });
	return cmdline;
}

struct start_info {
	uint32_t magic, version, flags, nr_modules;
	uint64_t modlist, cmdline, rsdp, memmap;
	uint32_t nr_memmap, reserved;
};

/* xen/include/public/arch-x86/hvm/start_info.h in Xen's sources */
static const char *check_pvh(void)
{
	const struct start_info *info = at(boot_ebx);
	const uint64_t *map = at(info->memmap);
	const char *cmdline = at(info->cmdline), *rsdp = at(info->rsdp);
	uint64_t ram = 0;

	print("PVH, ");
	expect(info->version == 1, "version");
	for (uint32_t i = 0; i < info->nr_memmap; i++, map += 3)
		if ((uint32_t)map[2] == 1)
			ram += map[1];
	say("KiB:", total_kib(ram));
	expect(total_kib(ram) == number(cmdline, "memory"), "the memory is that of the parameters");
	expect(rsdp[0] == 'R' && rsdp[4] == 'P', "the ACPI root pointer");
	return cmdline;
}

/* ------------------------------------------------------------------- devices */

static uint32_t fw_cfg(uint16_t item)
{
	uint32_t value = 0;

	outw(FW_CFG, item);
	for (int i = 0; i < 4; i++)
		value |= (uint32_t)inb(FW_CFG + 1) << (8 * i);
	return value;
}

static void check_fw_cfg(const char *cmdline)
{
	expect(fw_cfg(0) == 0x554d4551, "fw_cfg: signature");
	expect((fw_cfg(5) & 0xffff) == number(cmdline, "cpus"), "fw_cfg: processors");
	expect(fw_cfg(3) == number(cmdline, "memory") << 10, "fw_cfg: memory");
}

/* An interrupt gate (SDM 3A 7.11, 7.14.1). */
static void set_gate(void *idt, int vector, uintptr_t handler)
{
	uint32_t *gate = (uint32_t *)((char *)idt + vector * 2 * sizeof(uintptr_t));

	gate[0] = 0x08 << 16 | (handler & 0xffff);
	gate[1] = (handler & 0xffff0000) | 0x8e00;
#ifdef __x86_64__
	gate[0] = 0x18 << 16 | (handler & 0xffff);
	gate[2] = handler >> 32;
	gate[3] = 0;
#endif
}

/* 8259s with the vectors from 0x20, all masked but timer, cascade and ACPI. */
static void init_pic(void)
{
	for (int chip = 0; chip < 2; chip++) {
		uint16_t port = chip ? 0xa0 : 0x20;

		outb(port, 0x11);
		outb(port + 1, VECTOR + 8 * chip);
		outb(port + 1, chip ? 2 : 4);
		outb(port + 1, 1);
		outb(port + 1, chip ? 0xfd : 0xfa);
	}
}

static void init_interrupts(void)
{
	static uint64_t idt[512];
	struct {
		uint16_t limit;
		uintptr_t base;
	} __attribute__((packed)) pointer = { sizeof(idt) - 1, (uintptr_t)idt };

	set_gate(idt, VECTOR, (uintptr_t)on_timer);
	set_gate(idt, VECTOR + PIN_EVENT, (uintptr_t)on_event);
	asm volatile("lidt %0" : : "m"(pointer));
	init_pic();
}

static void halt(void)
{
	asm volatile("sti; hlt; cli" : : : "memory");
}

static void check_timer(void)
{
	outb(PIT + 3, 0x34);			/* channel 0, mode 2 */
	outb(PIT, PIT_HZ / 100 & 0xff);
	outb(PIT, PIT_HZ / 100 >> 8);
	while (ticks < TICKS)
		halt();
	print("ten ticks\n");
}

/* The timer goes on meanwhile, so that a lost interrupt of the button is no deadlock. */
static void check_button(uint32_t times)
{
	outw(PM1_ENABLE, PM1_BUTTON);
	for (uint32_t i = 1; i <= times; i++) {
		say("waiting for button", i);
		while (events < i)
			halt();
	}
	expect(events == times, "one interrupt each time the button is pressed");
}

void kernel_main(void)
{
	const char *cmdline;

	print(sizeof(void *) == 8 ? "64 bits, " : "32 bits, ");
	cmdline = *(uint32_t *)at(boot_ebx) == 0x336ec578 ? check_pvh() : check_multiboot();
	print(cmdline);
	print("\n");
	expect((boot_cr0 & 0x80000001) == 1, "protected mode, no paging");
	expect(!(boot_eflags & 0x20200), "interrupts and virtual 8086 mode are off");
	check_fw_cfg(cmdline);
	init_interrupts();
	check_timer();
	check_button(number(cmdline, "button"));
	outl(DEBUG_EXIT, failed ? 1 : number(cmdline, "exit"));
}
