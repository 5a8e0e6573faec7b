/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libvitro - virtual machines on /dev/vitro
 *
 * A program that runs a guest looks like this:
 *
 *	dev = vitro_open(NULL);
 *	vm = vitro_vm_create(dev);
 *	vitro_mem_alloc(vm, 0, 64 << 20, 0);
 *	vcpu = vitro_vcpu_create(vm, 0);
 *	vitro_load_kernel(vcpu, &boot);
 *	comm = vitro_vcpu_comm(vcpu);
 *	while (vitro_vcpu_run(vcpu) == 0)
 *		switch (comm->exit.reason) {
 *		case VITRO_EXIT_IO:
 *			vitro_emulate_io(vcpu, &bus);
 *			break;
 *		case VITRO_EXIT_MMIO:
 *			vitro_emulate_mmio(vcpu, &bus);
 *			break;
 *		...
 *		}
 *
 * Exits and state are the kernel's own structs, in <linux/vitro.h>: the library
 * adds what needs knowledge of x86 or bookkeeping, and hides no part of the ABI.
 *
 * Conventions:
 *
 *  - Errors.  Functions that return int give 0 or more on success and -errno on
 *    failure; those that return a pointer give NULL and set errno.  In both cases
 *    vitro_error() then has a sentence with the cause and, where there is one, the
 *    cure.
 *  - Addresses.  gva is guest virtual, gpa guest physical, hva an address in this
 *    process.  Sizes and lengths are bytes.
 *  - Ownership.  What a create or open function returns is the caller's, to be
 *    given back to the matching destroy or close function.  Pointers got from a
 *    handle live as long as the handle.  Destroy vCPUs before their VM, and VMs
 *    before the device.
 *  - Threads.  A VM may be used by many threads at once.  A vCPU belongs to one
 *    thread at a time; vitro_vcpu_kick() alone may be called from any other, and
 *    from signal handlers.
 */
#ifndef VITRO_VITRO_H
#define VITRO_VITRO_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/vitro.h>

#ifdef __cplusplus
extern "C" {
#endif

struct vitro;		/* /dev/vitro, opened */
struct vitro_vm;	/* a virtual machine */
struct vitro_vcpu;	/* one of its processors */

/* ------------------------------------------------------------------ errors */

/**
 * vitro_error - say what went wrong
 *
 * Return: one line about the last call of this library that failed in this
 * thread: what failed, why, and what helps.  Never NULL; valid until the next
 * call that fails in this thread.
 */
const char *vitro_error(void);

/* ------------------------------------------------------------------ device */

/**
 * vitro_open - open the device
 * @path: NULL for /dev/vitro
 *
 * Return: a handle, or NULL: ENOENT or ENODEV the module is not loaded; EACCES
 * no permission; EPROTO the module speaks another version of the ABI.
 */
struct vitro *vitro_open(const char *path);

/**
 * vitro_close - close the device
 * @dev: the handle; NULL does nothing
 */
void vitro_close(struct vitro *dev);

/**
 * vitro_get_info - what the module and the CPU can do
 * @dev: the device
 *
 * Return: the answer of VITRO_GET_INFO, read once by vitro_open().  Never fails.
 */
const struct vitro_info *vitro_get_info(const struct vitro *dev);

/**
 * vitro_get_cpuid - the CPUID table that this host supports
 * @dev: the device
 * @nr: set to the number of entries
 *
 * Return: the table; it belongs to @dev.  Copy it to change it.  Never fails.
 */
const struct vitro_cpuid_entry *vitro_get_cpuid(const struct vitro *dev, unsigned int *nr);

/**
 * vitro_cpuid_find - look an entry up in a CPUID table
 * @table: the table
 * @nr: its entries
 * @leaf: EAX of the query
 * @subleaf: ECX of the query; matters for leaves marked VITRO_CPUID_INDEXED only
 *
 * Return: the entry in @table, or NULL.  errno and vitro_error() are left alone.
 */
struct vitro_cpuid_entry *vitro_cpuid_find(struct vitro_cpuid_entry *table, unsigned int nr,
					   uint32_t leaf, uint32_t subleaf);

/* ---------------------------------------------------------------------- VM */

/**
 * vitro_vm_create - make a virtual machine without memory and processors
 * @dev: the device
 *
 * Return: the VM, or NULL: EBUSY another hypervisor holds this CPU; EMFILE,
 * ENFILE no file descriptor left; ENOMEM.
 */
struct vitro_vm *vitro_vm_create(struct vitro *dev);

/**
 * vitro_vm_destroy - end a VM and free the memory that vitro_mem_alloc() gave it
 * @vm: the VM; NULL does nothing
 */
void vitro_vm_destroy(struct vitro_vm *vm);

/**
 * vitro_vm_fd - the VM's file descriptor, for ioctls of one's own
 * @vm: the VM
 *
 * Return: the descriptor; it stays the library's.  The library does not see
 * memslots that are set through it: set those with vitro_mem_map().
 */
int vitro_vm_fd(const struct vitro_vm *vm);

/**
 * vitro_vm_msi - send a message-signalled interrupt
 * @vm: the VM
 * @addr: address and
 * @data: data, as a device would write them: see struct vitro_msi
 *
 * Return: the number of vCPUs that took it, or -EINVAL.
 */
int vitro_vm_msi(struct vitro_vm *vm, uint64_t addr, uint32_t data);

/**
 * vitro_vm_irqfd - let an eventfd send an MSI when it is signalled
 * @vm: the VM
 * @fd: the eventfd; it stays the caller's
 * @addr: the message's address
 * @data: the message's data
 * @flags: 0, or VITRO_IRQFD_DEASSIGN to take it off again
 *
 * Return: 0 or -errno, as struct vitro_irqfd lists.
 */
int vitro_vm_irqfd(struct vitro_vm *vm, int fd, uint64_t addr, uint32_t data, uint32_t flags);

/**
 * vitro_vm_ioeventfd - let a guest write signal an eventfd instead of exiting
 * @vm: the VM
 * @io: which write, which eventfd, or VITRO_IOEVENTFD_DEASSIGN
 *
 * Return: 0 or -errno, as struct vitro_ioeventfd lists.
 */
int vitro_vm_ioeventfd(struct vitro_vm *vm, const struct vitro_ioeventfd *io);

/**
 * vitro_vm_deadline - make vitro_vcpu_run() return VITRO_EXIT_DEADLINE after a time
 * @vm: the VM: all its vCPUs, whatever they do
 * @ns: nanoseconds from now on, or 0: never
 *
 * Return: 0 or -errno.
 */
int vitro_vm_deadline(struct vitro_vm *vm, uint64_t ns);

/**
 * vitro_vm_stats - read the counters of a vCPU
 * @vm: the VM
 * @vcpu: the vCPU's id
 * @stats: filled
 *
 * Return: 0, or -ENOENT no such vCPU.
 */
int vitro_vm_stats(struct vitro_vm *vm, unsigned int vcpu, struct vitro_stats *stats);

/* ------------------------------------------------------------ guest memory */

/**
 * vitro_mem_alloc - give the guest zeroed memory
 * @vm: the VM
 * @gpa: where the guest sees it; a multiple of 4096
 * @size: a multiple of 4096
 * @flags: VITRO_SLOT_*
 *
 * The memory is taken from the host when it is first touched, by huge pages
 * where the host has them.  The library chooses the slot number and owns the
 * memory: vitro_mem_unmap() or vitro_vm_destroy() frees it.
 *
 * Return: its hva, or NULL: ENOMEM; EEXIST there is memory already; EINVAL;
 * ENOSPC all slots are taken.
 */
void *vitro_mem_alloc(struct vitro_vm *vm, uint64_t gpa, uint64_t size, uint32_t flags);

/**
 * vitro_mem_map - give the guest memory of the caller's
 * @vm: the VM
 * @gpa: where the guest sees it; a multiple of 4096
 * @size: a multiple of 4096
 * @hva: where it is; a multiple of 4096.  It stays the caller's, and has to stay
 *	accessible until vitro_mem_unmap() for the functions below that read and
 *	write guest memory.
 * @flags: VITRO_SLOT_*
 *
 * Return: 0, or -EEXIST there is memory already; -EINVAL; -ENOSPC; -ENOMEM.
 */
int vitro_mem_map(struct vitro_vm *vm, uint64_t gpa, uint64_t size, void *hva, uint32_t flags);

/**
 * vitro_mem_unmap - take memory from the guest
 * @vm: the VM
 * @gpa: the first address of what vitro_mem_alloc() or vitro_mem_map() made
 *
 * When it returns, no vCPU uses the memory, and hvas of memory that the library
 * owned are invalid.
 *
 * Return: 0, or -ENOENT nothing was mapped just there.
 */
int vitro_mem_unmap(struct vitro_vm *vm, uint64_t gpa);

/**
 * vitro_mem_dirty_log - which pages the guest wrote; clears the log
 * @vm: the VM
 * @gpa: the first address of memory with VITRO_SLOT_LOG_DIRTY
 * @first: first page in it, a multiple of 64
 * @nr: pages: a multiple of 64, or up to the end
 * @bitmap: one bit per page, nr / 64 words rounded up
 *
 * The log has the guest's own writes.  It does not have those of this process:
 * of vitro_write_gpa(), emulated instructions and devices.
 *
 * Return: 0, or -ENOENT no such memory or it has no log; -EINVAL out of it.
 */
int vitro_mem_dirty_log(struct vitro_vm *vm, uint64_t gpa, uint64_t first, uint64_t nr,
			uint64_t *bitmap);

/**
 * vitro_gpa_to_hva - find guest memory in this process
 * @vm: the VM
 * @gpa: guest physical address
 * @len: bytes that will be used
 *
 * Return: the hva, or NULL with errno ENXIO unless [@gpa, @gpa + @len) lies in
 * one slot.
 */
void *vitro_gpa_to_hva(struct vitro_vm *vm, uint64_t gpa, uint64_t len);

/**
 * vitro_read_gpa - copy from guest physical memory
 * @vm: the VM
 * @gpa: from
 * @buf: to
 * @len: bytes; may cross slots
 *
 * Return: 0, or -ENXIO some of it is not memory.
 */
int vitro_read_gpa(struct vitro_vm *vm, uint64_t gpa, void *buf, size_t len);

/**
 * vitro_write_gpa - copy to guest physical memory, read-only slots included
 * @vm: the VM
 * @gpa: to
 * @buf: from
 * @len: bytes; may cross slots
 *
 * Return: 0, or -ENXIO some of it is not memory; the part before is written.
 */
int vitro_write_gpa(struct vitro_vm *vm, uint64_t gpa, const void *buf, size_t len);

/* -------------------------------------------------------------------- vCPU */

/**
 * vitro_vcpu_create - add a processor
 * @vm: the VM
 * @id: its number and initial APIC id, from 0; 0 is the bootstrap processor
 *
 * The first call in a process installs an empty handler for VITRO_KICK_SIGNAL,
 * unless the signal has a handler already.
 *
 * Return: the vCPU, in the state after power-on, or NULL: EEXIST the id is taken;
 * EINVAL it is out of range; ENOMEM; EMFILE.
 */
struct vitro_vcpu *vitro_vcpu_create(struct vitro_vm *vm, unsigned int id);

/**
 * vitro_vcpu_destroy - remove a processor
 * @vcpu: the vCPU, not running; NULL does nothing
 */
void vitro_vcpu_destroy(struct vitro_vcpu *vcpu);

/**
 * vitro_vcpu_fd - the vCPU's file descriptor, for ioctls of one's own
 * @vcpu: the vCPU
 *
 * Return: the descriptor; it stays the library's.
 */
int vitro_vcpu_fd(const struct vitro_vcpu *vcpu);

/**
 * vitro_vcpu_vm - the VM that a vCPU belongs to
 * @vcpu: the vCPU
 *
 * Return: the VM.
 */
struct vitro_vm *vitro_vcpu_vm(const struct vitro_vcpu *vcpu);

/**
 * vitro_vcpu_comm - the area shared with the kernel: exit, state, masks
 * @vcpu: the vCPU
 *
 * Return: the area.  Before reading a group of comm->state, call
 * vitro_vcpu_get(); after changing one, vitro_vcpu_put().
 */
struct vitro_comm *vitro_vcpu_comm(const struct vitro_vcpu *vcpu);

/**
 * vitro_vcpu_run - run the guest until something needs this program
 * @vcpu: the vCPU
 *
 * Loads the groups in comm->dirty first.
 *
 * Return: 0 and the exit in comm->exit, VITRO_EXIT_INTR after a signal or
 * vitro_vcpu_kick(), or when the kernel wants the thread; or -EINVAL a group in
 * comm->dirty has a value that the CPU would refuse; -EBUSY another hypervisor
 * holds the CPU; -EIO the machine cannot be entered any more; -EINTR a signal while
 * another thread used the vCPU.
 */
int vitro_vcpu_run(struct vitro_vcpu *vcpu);

/* The first real-time signal of the C library; SIGRTMIN is no constant. */
#define VITRO_KICK_SIGNAL	SIGRTMIN

/**
 * vitro_vcpu_kick - make vitro_vcpu_run() return soon
 * @vcpu: the vCPU
 *
 * The vitro_vcpu_run() that runs, or else the next one, returns.  So that nothing
 * is missed, first write down what the vCPU's thread shall do, then kick; and let
 * that thread look for it after every return, whatever the exit.
 *
 * A signal alone would not do: one that comes just before VITRO_RUN is over when
 * VITRO_RUN starts.  Therefore comm->immediate_exit is set first, and the signal
 * sent to whichever thread is inside VITRO_RUN.
 */
void vitro_vcpu_kick(struct vitro_vcpu *vcpu);

/**
 * vitro_vcpu_get - make sure that comm->state holds groups of state
 * @vcpu: the vCPU
 * @mask: VITRO_STATE_* bits
 *
 * Asks the kernel only for those that did not come with the exit (comm->valid), and
 * for VITRO_STATE_TIME.  To have groups with every exit, set comm->wanted.
 *
 * Return: 0, or -EINVAL an unknown bit.
 */
int vitro_vcpu_get(struct vitro_vcpu *vcpu, uint64_t mask);

/**
 * vitro_vcpu_put - have groups of comm->state loaded by the next vitro_vcpu_run()
 * @vcpu: the vCPU
 * @mask: VITRO_STATE_* bits
 *
 * A group is loaded as a whole: vitro_vcpu_get() it before changing a part.
 */
void vitro_vcpu_put(struct vitro_vcpu *vcpu, uint64_t mask);

/**
 * vitro_vcpu_set - load groups of comm->state now
 * @vcpu: the vCPU
 * @mask: VITRO_STATE_* bits
 *
 * As vitro_vcpu_put(), with the error here rather than from vitro_vcpu_run().
 *
 * Return: 0, or -EINVAL an unknown bit, or a value that the CPU would refuse.
 */
int vitro_vcpu_set(struct vitro_vcpu *vcpu, uint64_t mask);

/**
 * vitro_vcpu_set_cpuid - say what CPUID answers
 * @vcpu: the vCPU, not run yet
 * @table: entries, usually a changed copy of vitro_get_cpuid()
 * @nr: their number, up to VITRO_MAX_CPUID
 *
 * Return: 0, or -EINVAL too many; -EBUSY the vCPU has run.
 */
int vitro_vcpu_set_cpuid(struct vitro_vcpu *vcpu, const struct vitro_cpuid_entry *table,
			 unsigned int nr);

/**
 * vitro_vcpu_lapic_read - read a register of the local APIC, as an xAPIC access
 * @vcpu: the vCPU
 * @offset: 0 to 0xff0, a multiple of 16 (SDM 3A table 11-1)
 * @value: set
 *
 * Return: 0, or -EINVAL @offset; -ENXIO the APIC is off, or in x2APIC mode.
 */
int vitro_vcpu_lapic_read(struct vitro_vcpu *vcpu, uint32_t offset, uint32_t *value);

/**
 * vitro_vcpu_lapic_write - write a register of the local APIC, as an xAPIC access
 * @vcpu: the vCPU
 * @offset: 0 to 0xff0, a multiple of 16
 * @value: what to write
 *
 * Return: as vitro_vcpu_lapic_read().
 */
int vitro_vcpu_lapic_write(struct vitro_vcpu *vcpu, uint32_t offset, uint32_t value);

/**
 * enum vitro_mode - a processor mode to start in
 * @VITRO_MODE_REAL: 16-bit real mode; @entry below 1 MiB becomes CS:IP with
 *	CS = (entry >> 4) & 0xf000, and the other segments are the same
 * @VITRO_MODE_PROTECTED: 32-bit, paging off, all segments flat
 * @VITRO_MODE_LONG: 64-bit, the first 4 GiB mapped to themselves by 2 MiB pages
 */
enum vitro_mode {
	VITRO_MODE_REAL		= 16,
	VITRO_MODE_PROTECTED	= 32,
	VITRO_MODE_LONG		= 64,
};

/* What vitro_vcpu_set_mode() writes at @tables: a page for the GDT, six of page tables. */
#define VITRO_MODE_TABLES_SIZE	(7 * 4096)

/* Selectors in that GDT: the ones that Linux' 64-bit boot protocol asks for. */
#define VITRO_MODE_CS		0x10
#define VITRO_MODE_DS		0x18
#define VITRO_MODE_TR		0x20

/**
 * vitro_vcpu_set_mode - start a vCPU in a mode, at an address
 * @vcpu: the vCPU
 * @mode: which
 * @entry: gpa of the first instruction
 * @tables: gpa of VITRO_MODE_TABLES_SIZE bytes of memory, a multiple of 4096, for
 *	the GDT and page tables; not used for VITRO_MODE_REAL
 *
 * General registers become 0, RFLAGS 2 (interrupts off).  Change comm->state
 * afterwards to pass values in registers: the groups GPRS, SEGS and CRS are valid
 * and dirty.
 *
 * Return: 0, or -ENXIO no memory at @tables; -EINVAL.
 */
int vitro_vcpu_set_mode(struct vitro_vcpu *vcpu, enum vitro_mode mode, uint64_t entry,
			uint64_t tables);

/* ------------------------------------------------------ finishing an exit */

/**
 * vitro_finish_insn - step over the instruction that exited
 * @vcpu: the vCPU, after an exit whose comm->exit.insn_len is not 0
 *
 * Adds the length to rip, clears RFLAGS.RF, and, if RFLAGS.TF is set, raises the
 * single-step #DB, as the CPU does at the end of an instruction.  For RDMSR, for
 * instance, put the result into rax and rdx first.
 *
 * Return: 0, or -EINVAL the exit carries no length.
 */
int vitro_finish_insn(struct vitro_vcpu *vcpu);

/**
 * vitro_raise - raise an exception in the guest, at the present rip
 * @vcpu: the vCPU
 * @vector: 0 to 31
 * @has_error: the exception pushes an error code (SDM 3A table 6-1)
 * @error: it
 *
 * Takes effect when the vCPU runs next.  Sets RFLAGS.RF if it is a fault, for the frame.
 * For a #PF, set cr2 as well: vitro_raise_fault() does.
 *
 * Return: 0 or -errno.
 */
int vitro_raise(struct vitro_vcpu *vcpu, unsigned int vector, bool has_error, uint32_t error);

/**
 * struct vitro_fault - an exception that an access would raise
 * @vector: 0 to 31; usually 14, #PF
 * @has_error: it pushes @error
 * @error: its error code (SDM 3A 4.7)
 * @address: for a #PF, what CR2 becomes
 */
struct vitro_fault {
	uint8_t vector;
	bool has_error;
	uint32_t error;
	uint64_t address;
};

/**
 * vitro_raise_fault - raise in the guest what a memory access reported
 * @vcpu: the vCPU
 * @fault: from a function below
 *
 * Return: 0 or -errno.
 */
int vitro_raise_fault(struct vitro_vcpu *vcpu, const struct vitro_fault *fault);

/* --------------------------------- memory through the guest's page tables */

/* How an access is meant.  Without a bit: a read at the vCPU's present privilege. */
#define VITRO_ACCESS_WRITE	(1U << 0)
#define VITRO_ACCESS_EXEC	(1U << 1)	/* an instruction fetch */
#define VITRO_ACCESS_SYSTEM	(1U << 2)	/* implicit, as of descriptor tables: never CPL 3 */
#define VITRO_ACCESS_DEBUG	(1U << 3)	/* no permission matters, no A or D bit is set */
#define VITRO_ACCESS_USER	(1U << 4)	/* as if at CPL 3 */

/**
 * vitro_gva_to_gpa - walk the guest's page tables
 * @vcpu: the vCPU
 * @gva: linear address (segment base already added)
 * @access: VITRO_ACCESS_*
 * @gpa: set on success
 * @fault: filled when the result is -EFAULT; may be NULL
 *
 * Knows paging off, 32-bit paging with 4 MiB pages, PAE, 4 and 5 levels, and the
 * rights by U/S, R/W, XD, CR0.WP, SMEP, SMAP and RFLAGS.AC.  Sets accessed and
 * dirty bits as the CPU does.  Protection keys are not looked at.
 *
 * Return: 0; -EFAULT the guest would get @fault; -ENXIO a page table of the guest
 * is not in memory; -EAGAIN other vCPUs keep changing the tables.
 */
int vitro_gva_to_gpa(struct vitro_vcpu *vcpu, uint64_t gva, unsigned int access, uint64_t *gpa,
		     struct vitro_fault *fault);

/**
 * vitro_read_gva - copy from guest memory by linear address
 * @vcpu: the vCPU
 * @gva: from; may cross pages
 * @buf: to
 * @len: bytes
 * @access: VITRO_ACCESS_*, without WRITE
 * @fault: as for vitro_gva_to_gpa()
 *
 * Return: 0, -EFAULT as vitro_gva_to_gpa(), or -ENXIO some of it is not memory.
 */
int vitro_read_gva(struct vitro_vcpu *vcpu, uint64_t gva, void *buf, size_t len,
		   unsigned int access, struct vitro_fault *fault);

/**
 * vitro_write_gva - copy to guest memory by linear address
 * @vcpu: the vCPU
 * @gva: to; may cross pages: all are checked before the first is written
 * @buf: from
 * @len: bytes
 * @access: VITRO_ACCESS_*; WRITE is implied
 * @fault: as for vitro_gva_to_gpa()
 *
 * Return: as vitro_read_gva().
 */
int vitro_write_gva(struct vitro_vcpu *vcpu, uint64_t gva, const void *buf, size_t len,
		    unsigned int access, struct vitro_fault *fault);

/* --------------------------------------------------------------- emulation */

/**
 * struct vitro_bus - the devices that emulated instructions reach
 * @io: IN (@in is true) sets *data, OUT uses it, for @size 1, 2 or 4 bytes.
 *	May be NULL: then IN reads all ones and OUT does nothing, as on a bus
 *	where nobody answers.
 * @mmio: the same for memory without a slot, and for writes to read-only slots;
 *	@size is 1, 2, 4 or 8.  The page of the local APIC does not come here: the
 *	library passes it to the kernel.
 * @opaque: handed to both
 *
 * They return 0, or a negative errno that ends the emulation and becomes its
 * result.  They get *data zero-extended; of what they set, @size bytes count.
 */
struct vitro_bus {
	int (*io)(void *opaque, struct vitro_vcpu *vcpu, uint16_t port, int size, bool in,
		  uint32_t *data);
	int (*mmio)(void *opaque, struct vitro_vcpu *vcpu, uint64_t gpa, int size, bool write,
		    uint64_t *data);
	void *opaque;
};

/**
 * vitro_emulate_io - do what a VITRO_EXIT_IO asks for
 * @vcpu: the vCPU
 * @bus: the devices
 *
 * IN, OUT, INS and OUTS.  Afterwards the guest is past the instruction, or, if
 * its memory operand faulted, has the exception pending, or, in a long REP, is
 * still there to come back for the rest, so that interrupts get in between.
 *
 * Return: 0: run on; a negative result of a callback; -ENXIO a page table of the
 * guest is not in memory; -EINVAL the exit is another.
 */
int vitro_emulate_io(struct vitro_vcpu *vcpu, const struct vitro_bus *bus);

/**
 * vitro_emulate_mmio - do the instruction that caused a VITRO_EXIT_MMIO
 * @vcpu: the vCPU
 * @bus: the devices
 *
 * Moves of all kinds, to and from general, XMM and YMM registers, string instructions,
 * PUSH and POP; integer arithmetic but MUL and DIV, shifts, bits, exchanges, CMPXCHG, SETcc,
 * CMOVcc; in 16, 32 and 64-bit code.  Faults are raised as the CPU would.  Left out are
 * control transfers, loads of segment registers, MMX, and AVX-512.
 *
 * Ends like vitro_emulate_io().
 *
 * Return: 0: run on; a negative result of a callback; -EOPNOTSUPP an instruction
 * that the library does not know, which vitro_error() disassembles; -EFAULT or
 * -ENXIO the guest executes, or has a page table, IDT, TSS or interrupt stack, where
 * no memory is; -EINVAL the exit is another.
 */
int vitro_emulate_mmio(struct vitro_vcpu *vcpu, const struct vitro_bus *bus);

/**
 * vitro_disassemble - the instruction at rip, as text
 * @vcpu: the vCPU
 * @buf: where the text goes: the bytes, then Intel syntax; always terminated
 * @size: of @buf
 *
 * Return: the instruction's length, or -EFAULT, -ENXIO rip is not readable;
 * -EILSEQ no instruction (the bytes are in @buf).
 */
int vitro_disassemble(struct vitro_vcpu *vcpu, char *buf, size_t size);

/* ----------------------------------------------------------------- loaders */

/**
 * struct vitro_image - a file in memory
 * @data: its bytes
 * @size: their number
 */
struct vitro_image {
	void *data;
	size_t size;
};

/**
 * vitro_image_read - read a file
 * @image: filled; give it to vitro_image_free()
 * @path: which
 *
 * Return: 0 or -errno, of open(2) and read(2); -EINVAL not a regular file, or
 * an empty one.
 */
int vitro_image_read(struct vitro_image *image, const char *path);

/**
 * vitro_image_free - free what vitro_image_read() allocated
 * @image: it is empty afterwards
 */
void vitro_image_free(struct vitro_image *image);

/* struct vitro_range.type: the numbers of E820 (ACPI 6.5 table 15.4) */
enum vitro_range_type {
	VITRO_RANGE_RAM		= 1,
	VITRO_RANGE_RESERVED	= 2,
	VITRO_RANGE_ACPI	= 3,
	VITRO_RANGE_NVS		= 4,
};

/**
 * struct vitro_range - a line of the memory map that the guest is told
 * @start: gpa
 * @size: bytes
 * @type: enum vitro_range_type
 */
struct vitro_range {
	uint64_t start;
	uint64_t size;
	uint32_t type;
};

#define VITRO_MAX_MODULES	32

/**
 * struct vitro_module - a file for a multiboot kernel
 * @image: its content
 * @cmdline: its string; NULL for none
 */
struct vitro_module {
	struct vitro_image image;
	const char *cmdline;
};

/**
 * struct vitro_boot - a kernel and what to tell it
 * @kernel: the image
 * @initrd: the initial RAM disk; size 0 for none
 * @cmdline: kernel parameters; NULL for none
 * @map: the memory map, sorted, without overlaps, at most 128 lines.  Its first
 *	line has to be RAM from 0 to at least 0x80000.
 * @nr_map: lines in it
 * @rsdp: gpa of the ACPI root pointer, 0 when there is none
 * @module: more files for a multiboot kernel, whose first module is the initrd; other
 *	kernels do not get them
 * @nr_modules: how many, at most VITRO_MAX_MODULES
 *
 * The loaders use the guest's memory below 0x80000 for tables of their own: keep
 * other things from there, and RAM ranges free of them altogether.
 */
struct vitro_boot {
	struct vitro_image kernel;
	struct vitro_image initrd;
	const char *cmdline;
	const struct vitro_range *map;
	unsigned int nr_map;
	uint64_t rsdp;
	const struct vitro_module *module;
	unsigned int nr_modules;
};

/**
 * vitro_load_kernel - load a bzImage, a multiboot kernel or an ELF kernel, whichever it is
 * @vcpu: the bootstrap processor; its state is set so that it starts the kernel
 * @boot: kernel, initrd, parameters, memory map
 *
 * Return: 0, or -ENOEXEC none of them, or broken: vitro_error() says how; -ENOSPC kernel
 * or initrd do not fit into the guest's RAM; -ENXIO the memory map promises memory
 * that the VM does not have; -E2BIG parameters too long; -EINVAL a bad memory map.
 */
int vitro_load_kernel(struct vitro_vcpu *vcpu, const struct vitro_boot *boot);

/**
 * vitro_load_bzimage - load a Linux bzImage, to its 64-bit entry if it has one
 * @vcpu: the bootstrap processor
 * @boot: kernel, initrd, parameters, memory map
 *
 * Return: as vitro_load_kernel().
 */
int vitro_load_bzimage(struct vitro_vcpu *vcpu, const struct vitro_boot *boot);

/**
 * vitro_load_multiboot - load a multiboot 1 kernel, by its address fields or as ELF
 * @vcpu: the bootstrap processor
 * @boot: kernel, initrd and modules, parameters, memory map
 *
 * Return: as vitro_load_kernel(); -EINVAL also for too many modules.
 */
int vitro_load_multiboot(struct vitro_vcpu *vcpu, const struct vitro_boot *boot);

/**
 * vitro_load_elf - load an ELF kernel, and start it by PVH, or as Linux' vmlinux
 * @vcpu: the bootstrap processor
 * @boot: kernel, initrd, parameters, memory map
 *
 * Return: as vitro_load_kernel(); -ENOEXEC also for an ELF32 kernel without PVH entry.
 */
int vitro_load_elf(struct vitro_vcpu *vcpu, const struct vitro_boot *boot);

/**
 * vitro_load_flat - copy an image to guest memory as it is
 * @vm: the VM
 * @image: what
 * @gpa: where
 *
 * The registers are left alone: see vitro_vcpu_set_mode().
 *
 * Return: 0, or -ENXIO not all of it is memory.
 */
int vitro_load_flat(struct vitro_vm *vm, const struct vitro_image *image, uint64_t gpa);

#ifdef __cplusplus
}
#endif

#endif /* VITRO_VITRO_H */
