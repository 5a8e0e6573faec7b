/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine of exits.c: it does what each exit asks for, whatever the program, and
 * writes the log that scripts/compare-exits compares.
 *
 * The log is /out/exits.log, one line for each exit and for each access to a device:
 *
 *	PROGRAM WHAT name=value ...
 *
 * WHAT is the exit's reason, or BUS, STATE, DIRTY, END, SKIP.  Of the general registers
 * a line has those that changed since the line before.  Numbers are hexadecimal.
 *
 * What is not in it, as it is no event of the guest: VITRO_EXIT_INTR, which tells that
 * this process got a signal; vitro_exit.raw, the vendor's own numbers; and all time.
 */
#ifndef EXITS_H
#define EXITS_H

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <vitro/vitro.h>
#include "exits_task.h"
#include "guest/exits_layout.h"
#include "vendor.h"

#define LOG_FILE	"/out/exits.log"	/* scripts/machine --out brings it home */

#define MAX_EXITS	500		/* of one program; the longest has 100 */
#define MAX_SAID	64
#define TRAP(n)		(1ULL << 32 | (n))	/* among what was said: a vector */

/**
 * struct machine - one VM with one or two vCPUs, run in turns by one thread
 * @vt: for the functions of vt.h
 * @vm: @vcpu: handles of libvitro, for its emulation
 * @cpu: the vCPUs
 * @nr: number of vCPUs
 * @now: the one that runs
 * @name: the program
 * @last: general registers as of the last line, of each vCPU
 * @bus: what emulated instructions reach: @device at NOWHERE, and any port
 * @device: it remembers what is written
 * @guarded: hva of the page at GUARDED
 * @kept: content of MSR_KEEPS
 * @said: @nr_said: what the program told with "say", and TRAP() of its traps
 */
struct machine {
	struct vt_vm vt;
	struct vitro_vm *vm;
	struct vitro_vcpu *vcpu[2];
	struct vt_cpu cpu[2];
	unsigned int nr, now;
	const char *name;
	struct vitro_gprs last[2];
	struct vitro_bus bus;
	uint8_t device[4096];
	void *guarded;
	uint64_t kept;
	uint64_t said[MAX_SAID];
	unsigned int nr_said;
};

/* -------------------------------------------------------------------- the log */

static FILE *log_file;

/* Can this CPU set accessed and dirty bits in EPT?  Linux lists it, and AMD's always can. */
static bool has_ept_ad(void)
{
	FILE *file = fopen("/proc/cpuinfo", "r");
	char line[4096];
	bool found = false;

	while (file && !found && fgets(line, sizeof(line), file))
		found = !strncmp(line, "vmx flags", 9) && strstr(line, " ept_ad");
	if (file)
		fclose(file);
	return found;
}

/* Before main(), as each test is a process of its own and adds to the same file. */
static void __attribute__((constructor)) log_open(void)
{
	int fd = open(LOG_FILE, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);

	if (fd < 0) {
		fprintf(stderr, "# no log: %s: %s\n", LOG_FILE, strerror(errno));
		fd = open("/dev/null", O_WRONLY);
	}
	log_file = fdopen(fd, "a");
	if (!log_file)
		vt_die("log: %s", strerror(errno));
	setlinebuf(log_file);		/* tests end by _exit() */
	fprintf(log_file, "machine CPU tcg=%x ept_ad=%x\n", vendor_is_tcg(), has_ept_ad());
}

static void log_begin(const struct machine *m, const char *what)
{
	fprintf(log_file, "%s %s cpu=%x", m->name, what, m->now);
}

static void log_value(const char *name, uint64_t value)
{
	fprintf(log_file, " %s=%" PRIx64, name, value);
}

static void log_text(const char *name, const char *text)
{
	fprintf(log_file, " %s=%s", name, text);
}

static void log_end(void)
{
	fputc('\n', log_file);
}

static void log_skip(const struct machine *m, const char *why)
{
	fprintf(log_file, "%s SKIP %s\n", m->name, why);
}

/* Bits as letters: those of @letters, from bit 0 on, that are set. */
static void log_bits(const char *name, unsigned int bits, const char *letters)
{
	fprintf(log_file, " %s=", name);
	for (; *letters; letters++, bits >>= 1) {
		if (bits & 1)
			fputc(*letters, log_file);
	}
}

static const char *const gpr_names[] = {
	"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
	"r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
};

static const char *mode_name(const struct vitro_state *s)
{
	const struct vitro_segment *cs = &s->segs.seg[VITRO_CS];

	if (!(s->crs.cr0 & 1))
		return "real";
	if (s->crs.efer & 0x400)
		return cs->attrib & VITRO_SEG_L ? "long" : "compat";
	return cs->attrib & VITRO_SEG_DB ? "prot32" : "prot16";
}

/* Where it is, in which mode, with which flags. */
static void log_place(const struct vitro_state *s)
{
	log_value("rip", s->gprs.rip);
	log_text("mode", mode_name(s));
	log_value("cpl", (s->segs.seg[VITRO_SS].attrib & VITRO_SEG_DPL) >> 5);
	log_value("rflags", s->gprs.rflags);
}

static void log_changed_gprs(struct machine *m, const struct vitro_state *s)
{
	struct vitro_gprs *last = &m->last[m->now];
	unsigned int i;

	for (i = 0; i < VITRO_NR_GPRS; i++) {
		if (s->gprs.gpr[i] != last->gpr[i])
			log_value(gpr_names[i], s->gprs.gpr[i]);
	}
	*last = s->gprs;
}

/* What the CPU put on the stack for a handler in guest/lib.S. */
static void log_frame(struct vt_cpu *cpu, unsigned int vector)
{
	const struct vt_frame *frame = vt_frame(cpu);

	log_value("error", frame->error);
	log_value("frame.rip", frame->rip);
	log_value("frame.cs", frame->cs);
	log_value("frame.rflags", frame->rflags);
	log_value("frame.rsp", frame->rsp);
	log_value("frame.ss", frame->ss);
	if (vector == 1)
		log_value("dr6", cpu->comm->state.drs.dr6);
	if (vector == 14)
		log_value("cr2", cpu->comm->state.crs.cr2);
}

static bool is_trap(const struct vitro_exit *e)
{
	return e->reason == VITRO_EXIT_IO && e->io.port == PORT_TRAP &&
	       !(e->io.flags & VITRO_IO_IN);
}

static void log_reason(struct vt_cpu *cpu)
{
	const struct vitro_exit *e = &cpu->comm->exit;
	unsigned int i;

	switch (e->reason) {
	case VITRO_EXIT_IO:
		log_value("port", e->io.port);
		log_value("size", e->io.size);
		log_bits("flags", e->io.flags, "isr");		/* in, string, rep */
		log_value("data", e->io.data);
		if (e->io.flags & VITRO_IO_STRING) {
			log_value("seg", e->io.seg);
			log_value("addr_size", e->io.addr_size);
		}
		if (is_trap(e))
			log_frame(cpu, e->io.data);
		break;
	case VITRO_EXIT_MMIO:
	case VITRO_EXIT_MEMFAULT:
		log_value("gpa", e->mmio.gpa);
		log_bits("access", e->mmio.flags, "rwxp");	/* p: page walk */
		fputs(" bytes=", log_file);
		for (i = 0; i < e->mmio.nr_bytes && i < sizeof(e->mmio.bytes); i++)
			fprintf(log_file, "%02x", e->mmio.bytes[i]);
		break;
	case VITRO_EXIT_RDMSR:
	case VITRO_EXIT_WRMSR:
		log_value("msr", e->msr.index);
		log_value("data", e->msr.data);		/* 0 for RDMSR */
		break;
	case VITRO_EXIT_HYPERCALL:
		log_value("nr", e->hypercall.nr);
		fputs(" args=", log_file);
		for (i = 0; i < 4; i++)
			fprintf(log_file, "%s%llx", i ? "," : "", e->hypercall.args[i]);
		break;
	case VITRO_EXIT_EOI:
		log_value("vector", e->eoi.vector);
		break;
	case VITRO_EXIT_TASK_SWITCH:
		log_value("selector", e->task_switch.selector);
		log_value("source", e->task_switch.source);
		break;
	default:
		break;
	}
}

static void log_exit(struct machine *m)
{
	static const char *const names[] = {
		[VITRO_EXIT_IO] = "IO", [VITRO_EXIT_MMIO] = "MMIO",
		[VITRO_EXIT_RDMSR] = "RDMSR", [VITRO_EXIT_WRMSR] = "WRMSR",
		[VITRO_EXIT_HLT] = "HLT", [VITRO_EXIT_HYPERCALL] = "HYPERCALL",
		[VITRO_EXIT_EOI] = "EOI", [VITRO_EXIT_SHUTDOWN] = "SHUTDOWN",
		[VITRO_EXIT_FAIL_ENTRY] = "FAIL_ENTRY", [VITRO_EXIT_MEMFAULT] = "MEMFAULT",
		[VITRO_EXIT_UNHANDLED] = "UNHANDLED", [VITRO_EXIT_TASK_SWITCH] = "TASK_SWITCH",
	};
	struct vt_cpu *cpu = &m->cpu[m->now];
	unsigned int reason = cpu->comm->exit.reason;
	const char *name = reason < ARRAY_SIZE(names) ? names[reason] : NULL;

	log_begin(m, name ? name : "UNKNOWN");
	log_place(&cpu->comm->state);
	log_value("len", cpu->comm->exit.insn_len);
	log_reason(cpu);
	/* On AMD there is no such line: the registers are to be in the next one on both. */
	if (reason != VITRO_EXIT_TASK_SWITCH)
		log_changed_gprs(m, &cpu->comm->state);
	log_end();
}

static void log_segment(struct machine *m, const char *name, const struct vitro_segment *seg)
{
	log_begin(m, "STATE");
	log_text("of", name);
	log_value("selector", seg->selector);
	log_value("attrib", seg->attrib);
	log_value("limit", seg->limit);
	log_value("base", seg->base);
	log_end();
}

/* The state in the end: all that has no clock in it. */
static void log_state(struct machine *m)
{
	static const char *const seg_names[] = {
		"es", "cs", "ss", "ds", "fs", "gs", "ldtr", "tr",
	};
	struct vt_cpu *cpu = &m->cpu[m->now];
	const struct vitro_state *s = &cpu->comm->state;
	const struct vitro_msrs *r = &s->msrs;
	unsigned int i;

	vt_get(cpu, VITRO_STATE_ALL & ~(VITRO_STATE_TIME | VITRO_STATE_FPU));
	log_begin(m, "STATE");
	log_text("of", "gprs");
	log_place(s);
	log_changed_gprs(m, s);
	log_end();
	for (i = 0; i < VITRO_NR_SEGS; i++)
		log_segment(m, seg_names[i], &s->segs.seg[i]);
	log_begin(m, "STATE");
	log_text("of", "tables");
	log_value("gdt.base", s->segs.gdtr.base);
	log_value("gdt.limit", s->segs.gdtr.limit);
	log_value("idt.base", s->segs.idtr.base);
	log_value("idt.limit", s->segs.idtr.limit);
	log_end();
	log_begin(m, "STATE");
	log_text("of", "control");
	log_value("cr0", s->crs.cr0);
	log_value("cr2", s->crs.cr2);
	log_value("cr3", s->crs.cr3);
	log_value("cr4", s->crs.cr4);
	log_value("cr8", s->crs.cr8);
	log_value("efer", s->crs.efer);
	log_value("xcr0", s->crs.xcr0);
	log_end();
	log_begin(m, "STATE");
	log_text("of", "debug");
	log_value("dr0", s->drs.dr[0]);
	log_value("dr1", s->drs.dr[1]);
	log_value("dr2", s->drs.dr[2]);
	log_value("dr3", s->drs.dr[3]);
	log_value("dr6", s->drs.dr6);
	log_value("dr7", s->drs.dr7);
	log_end();
	log_begin(m, "STATE");
	log_text("of", "msrs");
	log_value("star", r->star);
	log_value("lstar", r->lstar);
	log_value("cstar", r->cstar);
	log_value("sfmask", r->sfmask);
	log_value("kernel_gs_base", r->kernel_gs_base);
	log_value("sysenter_cs", r->sysenter_cs);
	log_value("sysenter_esp", r->sysenter_esp);
	log_value("sysenter_eip", r->sysenter_eip);
	log_value("pat", r->pat);
	log_value("tsc_aux", r->tsc_aux);
	log_value("apic_base", r->apic_base);
	log_end();
	log_begin(m, "STATE");
	log_text("of", "events");
	log_value("exc_pending", s->events.exc_pending);
	log_value("intr_pending", s->events.intr_pending);
	log_value("nmi_pending", s->events.nmi_pending);
	log_value("nmi_blocked", s->events.nmi_blocked);
	log_value("shadow", s->events.shadow);
	log_value("mp_state", s->events.mp_state);
	log_end();
}

/* -------------------------------------------------------------------- devices */

static void log_bus(struct machine *m, const char *space, uint64_t addr, int size, bool write,
		    uint64_t data)
{
	log_begin(m, "BUS");
	log_text("space", space);
	log_text("dir", write ? "out" : "in");
	log_value("addr", addr);
	log_value("size", size);
	log_value("data", data);
	log_end();
}

/* Ports read as a value that tells which one it was. */
static int bus_io(void *opaque, struct vitro_vcpu *vcpu, uint16_t port, int size, bool in,
		  uint32_t *data)
{
	struct machine *m = opaque;

	(void)vcpu;
	if (in)
		*data = 0xa5b6c7d8 ^ port;
	log_bus(m, "port", port, size, !in, *data);
	if ((port == PORT_SAY || port == PORT_TRAP) && !in && m->nr_said < MAX_SAID)
		m->said[m->nr_said++] = port == PORT_SAY ? *data : TRAP(*data);
	return 0;
}

/* The device at NOWHERE is memory; a write to a read-only slot has no effect. */
static int bus_mmio(void *opaque, struct vitro_vcpu *vcpu, uint64_t gpa, int size, bool write,
		    uint64_t *data)
{
	struct machine *m = opaque;
	uint64_t offset = gpa - NOWHERE;

	(void)vcpu;
	if (offset <= sizeof(m->device) - size) {
		if (write)
			memcpy(m->device + offset, data, size);
		else
			memcpy(data, m->device + offset, size);
	} else if (!write) {
		return -ENXIO;
	}
	log_bus(m, "memory", gpa, size, write, *data);
	return 0;
}

/* ---------------------------------------------------------------- the machine */

static void add_cpu(struct machine *m)
{
	unsigned int id = m->nr++;
	struct vt_cpu *cpu = &m->cpu[id];

	m->vcpu[id] = vitro_vcpu_create(m->vm, id);
	if (!m->vcpu[id])
		vt_die("%s", vitro_error());
	cpu->vm = &m->vt;
	cpu->fd = vitro_vcpu_fd(m->vcpu[id]);
	cpu->comm = vitro_vcpu_comm(m->vcpu[id]);
	cpu->gpr = cpu->comm->state.gprs.gpr;
	cpu->comm->wanted = VITRO_STATE_GPRS | VITRO_STATE_SEGS | VITRO_STATE_CRS |
			    VITRO_STATE_DRS;
}

static void add_memory(struct machine *m, uint64_t gpa, size_t pages, void *hva, uint32_t flags)
{
	if (vitro_mem_map(m->vm, gpa, pages * 4096, hva, flags))
		vt_die("%s", vitro_error());
}

/*
 * A machine that is about to run a program.  RBX is the device's address, RSI that of
 * memory whose byte n is n + 1.
 */
static struct machine *boot(const char *name, enum vt_mode mode, const char *entry)
{
	struct machine *m = calloc(1, sizeof(*m));
	struct vitro *dev = vitro_open(NULL);
	unsigned int i;

	if (dev)
		m->vm = vitro_vm_create(dev);
	if (!m->vm)
		vt_die("%s", vitro_error());
	m->name = name;
	m->bus = (struct vitro_bus){ .io = bus_io, .mmio = bus_mmio, .opaque = m };
	m->vt.fd = vitro_vm_fd(m->vm);
	m->vt.info = *vitro_get_info(dev);
	m->vt.mem = vt_pages(MEM_SIZE);
	memcpy(m->vt.mem + GUEST_BASE, guest_image, guest_image_end - guest_image);
	for (i = 0; i < 256; i++) {
		m->vt.mem[FREE_MEM + i] = i + 1;
		m->device[i] = i + 0x80;
	}
	add_memory(m, 0, MEM_SIZE / 4096, m->vt.mem, 0);
	add_memory(m, LOGGED, LOGGED_PAGES, vt_pages(LOGGED_PAGES * 4096), VITRO_SLOT_LOG_DIRTY);
	add_memory(m, READONLY, 1, vt_pages(4096), VITRO_SLOT_READONLY);
	m->guarded = vt_pages(4096);
	add_memory(m, GUARDED, 1, m->guarded, 0);
	mprotect(m->guarded, 4096, PROT_NONE);
	add_memory(m, BELOW, 1, vt_pages(4096), 0);

	add_cpu(m);
	vt_set_mode(&m->cpu[0], mode, entry);
	m->cpu[0].gpr[VITRO_RBX] = NOWHERE;
	m->cpu[0].gpr[VITRO_RSI] = FREE_MEM;
	return m;
}

/* R15 is where a program wants to go on after an instruction that cannot be finished. */
static bool resume(struct vt_cpu *cpu)
{
	if (!cpu->gpr[VITRO_R15])
		return false;
	vt_jump(cpu, (void *)(uintptr_t)cpu->gpr[VITRO_R15]);
	return true;
}

static int handle_io(struct machine *m)
{
	struct vitro_exit e = m->cpu[m->now].comm->exit;
	struct vt_cpu *cpu = &m->cpu[m->now];
	int ret = vitro_emulate_io(m->vcpu[m->now], &m->bus);

	if (ret || e.io.flags & VITRO_IO_IN)
		return ret;
	switch (e.io.port) {
	case PORT_TRAP:
		if (e.io.data < 32 && cpu->gpr[VITRO_R15])
			vt_frame(cpu)->rip = cpu->gpr[VITRO_R15];
		break;
	case PORT_MSI:
		if (vt_msi(&m->vt, VT_MSI, e.io.data) != 1)
			return -EINVAL;
		break;
	case PORT_RAISE:
		return vitro_raise(m->vcpu[m->now], e.io.data & 0xff, e.io.data & 0x100,
				   e.io.data >> 16);
	case PORT_YIELD:
		m->now = (m->now + 1) % m->nr;
		break;
	}
	return 0;
}

static int handle_msr(struct machine *m)
{
	const struct vitro_exit *e = &m->cpu[m->now].comm->exit;
	__u64 *gpr = m->cpu[m->now].gpr;

	if (e->msr.index != MSR_KEEPS)
		return vitro_raise(m->vcpu[m->now], 13, true, 0);
	if (e->reason == VITRO_EXIT_WRMSR) {
		m->kept = e->msr.data;
	} else {
		gpr[VITRO_RAX] = (uint32_t)m->kept;
		gpr[VITRO_RDX] = m->kept >> 32;
	}
	return vitro_finish_insn(m->vcpu[m->now]);
}

/* The answer is the sum of all that was asked. */
static int handle_hypercall(struct machine *m)
{
	const struct vitro_exit *e = &m->cpu[m->now].comm->exit;
	unsigned int i;

	for (i = 0; i < 4; i++)
		m->cpu[m->now].gpr[VITRO_RAX] += e->hypercall.args[i];
	return vitro_finish_insn(m->vcpu[m->now]);
}

/* Does what the exit asks for.  Returns 0 to go on, 1 at the end, -errno. */
static int handle(struct machine *m)
{
	struct vt_cpu *cpu = &m->cpu[m->now];

	switch (cpu->comm->exit.reason) {
	case VITRO_EXIT_IO:
		return handle_io(m);
	case VITRO_EXIT_MMIO:
		/* There is no instruction, or no page table: nothing to emulate. */
		if (cpu->comm->exit.mmio.flags & (VITRO_MMIO_EXEC | VITRO_MMIO_WALK))
			return 1;
		return vitro_emulate_mmio(m->vcpu[m->now], &m->bus);
	case VITRO_EXIT_RDMSR:
	case VITRO_EXIT_WRMSR:
		return handle_msr(m);
	case VITRO_EXIT_HYPERCALL:
		return handle_hypercall(m);
	case VITRO_EXIT_MEMFAULT:
		return mprotect(m->guarded, 4096, PROT_READ | PROT_WRITE);
	case VITRO_EXIT_EOI:
		return 0;
	case VITRO_EXIT_TASK_SWITCH:
		return switch_task(cpu);
	case VITRO_EXIT_HLT:
		if (resume(cpu))
			return 0;
		if (m->now == 0)
			return 1;
		m->now = 0;
		return 0;
	default:
		return 1;
	}
}

static void log_dirty(struct machine *m)
{
	uint64_t bitmap = 0;

	if (vitro_mem_dirty_log(m->vm, LOGGED, 0, LOGGED_PAGES, &bitmap))
		vt_die("%s", vitro_error());
	log_begin(m, "DIRTY");
	log_value("pages", bitmap);
	log_end();
}

/* Runs a program to its end; returns the reason of its last exit. */
static unsigned int run(struct machine *m)
{
	unsigned int exits = 0, reason;
	int ret = 0;

	do {
		reason = vt_run(&m->cpu[m->now]);
		if (++exits > MAX_EXITS)
			vt_die("%s: more than %d exits", m->name, MAX_EXITS);
		log_exit(m);
		ret = handle(m);
	} while (!ret);
	if (ret < 0) {
		vt_dump(&m->cpu[m->now]);
		vt_die("%s: %s: %s", m->name, strerror(-ret), vitro_error());
	}
	log_dirty(m);
	for (m->now = 0; m->now < m->nr; m->now++)
		log_state(m);
	m->now = 0;
	log_begin(m, "END");
	log_end();
	return reason;
}

#endif /* EXITS_H */
