/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files of libvitro share.  Names begin with vi_ so that they do not get
 * in the way of programs that link the static library.
 *
 * Everything that emulates or loads works on a struct vitro_vcpu, and asks the
 * kernel only for state that comm->valid does not promise.  So a test can make one
 * from ordinary memory, with fd -1 and every group valid: see selftests/host.
 */
#ifndef VITRO_INTERNAL_H
#define VITRO_INTERNAL_H

#include <Zydis/Zydis.h>
#include <elf.h>
#include <pthread.h>
#include <vitro/vitro.h>
#include <vitro/walk.h>

#define ARRAY_LEN(a)	(sizeof(a) / sizeof((a)[0]))

#define PAGE_SIZE	4096ULL
#define PAGE_MASK	(PAGE_SIZE - 1)
#define GIB		(1ULL << 30)

#define CR0_PE		(1ULL << 0)
#define CR0_ET		(1ULL << 4)
#define CR0_WP		(1ULL << 16)
#define CR0_AM		(1ULL << 18)
#define CR0_PG		(1ULL << 31)
#define CR4_PSE		(1ULL << 4)
#define CR4_PAE		(1ULL << 5)
#define CR4_LA57	(1ULL << 12)
#define CR4_SMEP	(1ULL << 20)
#define CR4_SMAP	(1ULL << 21)
#define EFER_LME	(1ULL << 8)
#define EFER_LMA	(1ULL << 10)
#define EFER_NXE	(1ULL << 11)

#define FLAG_CF		(1ULL << 0)
#define FLAG_FIXED	(1ULL << 1)	/* always reads as 1 */
#define FLAG_PF		(1ULL << 2)
#define FLAG_AF		(1ULL << 4)
#define FLAG_ZF		(1ULL << 6)
#define FLAG_SF		(1ULL << 7)
#define FLAG_TF		(1ULL << 8)
#define FLAG_DF		(1ULL << 10)
#define FLAG_OF		(1ULL << 11)
#define FLAG_RF		(1ULL << 16)
#define FLAG_VM		(1ULL << 17)
#define FLAG_AC		(1ULL << 18)
#define FLAG_ARITH	(FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF)

#define EXC_DE		0
#define EXC_DB		1
#define EXC_NMI		2
#define EXC_BP		3
#define EXC_OF		4
#define EXC_UD		6
#define EXC_NM		7
#define EXC_DF		8
#define EXC_TS		10
#define EXC_NP		11
#define EXC_SS		12
#define EXC_GP		13
#define EXC_PF		14
#define EXC_AC		17
#define EXC_MC		18
#define EXC_CP		21

#define DR6_BS		(1ULL << 14)	/* the #DB is of a single step (SDM 3B 18.2.3) */

/**
 * struct vitro - the device
 * @fd: /dev/vitro
 * @info: what it said
 * @cpuid: the table that @info announces; allocated
 */
struct vitro {
	int fd;
	struct vitro_info info;
	struct vitro_cpuid_entry *cpuid;
};

/**
 * struct vi_slot - the library's memory of one memslot
 * @gpa: first guest physical address
 * @size: bytes; 0 for a free slot number
 * @hva: first address in this process
 * @flags: VITRO_SLOT_*
 * @owned: the library mapped the memory and will unmap it
 */
struct vi_slot {
	uint64_t gpa;
	uint64_t size;
	uint8_t *hva;
	uint32_t flags;
	bool owned;
};

/**
 * struct vitro_vm - a virtual machine
 * @fd: the kernel's VM
 * @max_slots: memslots that the kernel has; at most VITRO_MAX_SLOTS
 * @gpa_bits: width of a guest physical address
 * @comm_size: bytes to map of a vCPU
 * @lock: for @slot and @nr_slots; held for writing across VITRO_SET_MEMSLOT, so that
 *	the table here and the kernel's agree
 * @nr_slots: no slot from here on is in use
 * @slots_changed: how often one came or went; atomic
 * @slot: indexed by slot number
 */
struct vitro_vm {
	int fd;
	unsigned int max_slots;
	unsigned int gpa_bits;
	unsigned int comm_size;
	pthread_rwlock_t lock;
	unsigned int nr_slots;
	unsigned int slots_changed;
	struct vi_slot slot[VITRO_MAX_SLOTS];
};

#define INSN_MAX	15	/* bytes of an instruction (SDM 2A 2.3.11) */

/**
 * struct vi_decoded - the meaning of some bytes as an instruction, which never changes
 * @mode: how the CPU takes them
 * @stack: likewise
 * @bytes: they, @d.length of them
 * @d: the instruction; its length is 0 if there is none
 * @op: its operands
 */
struct vi_decoded {
	ZydisMachineMode mode;
	ZydisStackWidth stack;
	uint8_t bytes[INSN_MAX];
	ZydisDecodedInstruction d;
	ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];
};

/**
 * struct vi_walked - a walk of the guest's page tables, to be found still true
 * @gva: of the page
 * @gpa: what it is mapped to
 * @cr0: @cr3: @cr4: @efer: the registers that it depends on
 * @access: VITRO_ACCESS_*
 * @rights: the CPL is 3; RFLAGS.AC
 * @slots: vm->slots_changed then
 * @nr: entries used; 0 if there is no walk here, or paging was off
 * @hva: where they are
 * @pte: what they were, with the bits that the walk set
 */
struct vi_walked {
	uint64_t gva;
	uint64_t gpa;
	uint64_t cr0, cr3, cr4, efer;
	unsigned int access;
	unsigned int rights;
	unsigned int slots;
	unsigned int nr;
	uint64_t *hva[VITRO_WALK_STEPS];
	uint64_t pte[VITRO_WALK_STEPS];
};

/**
 * struct vitro_vcpu - a virtual processor
 * @vm: whose it is
 * @fd: the kernel's vCPU
 * @comm: the area shared with the kernel
 * @comm_size: bytes that were mapped
 * @runner: id of the thread inside VITRO_RUN, 0 when there is none; atomic
 * @decoded: what vi_insn_decode() has seen last, by rip: a driver accesses its device
 *	by the same few instructions all the time
 * @walked: likewise the walks for what they access, and for themselves
 */
struct vitro_vcpu {
	struct vitro_vm *vm;
	int fd;
	struct vitro_comm *comm;
	size_t comm_size;
	int runner;
	struct vi_decoded decoded[8];
	struct vi_walked walked[2][8];
};

/* error.c */
int vi_fail(int err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void *vi_fail_ptr(int err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* mem.c */
uint8_t *vi_gpa_find(struct vitro_vm *vm, uint64_t gpa, uint64_t *len, uint32_t *flags);

/* gva.c */
unsigned int vi_cpl(const struct vitro_vcpu *vcpu);
bool vi_long_mode(const struct vitro_vcpu *vcpu);
bool vi_canonical(const struct vitro_vcpu *vcpu, uint64_t gva);

/* access.c: guest memory as an instruction sees it */

/* An exception of the guest is in vi_access.fault; errors of the host are negative. */
#define VI_GUEST_FAULT	1

/**
 * struct vi_access - who accesses, and what came of it
 * @vcpu: whose memory
 * @bus: devices behind addresses without memory
 * @fault: the exception, after VI_GUEST_FAULT
 */
struct vi_access {
	struct vitro_vcpu *vcpu;
	const struct vitro_bus *bus;
	struct vitro_fault fault;
};

int vi_guest_fault(struct vi_access *acc, uint8_t vector, uint32_t error);
int vi_linear(struct vi_access *acc, unsigned int seg, uint64_t offset, unsigned int size,
	      bool write, uint64_t *gva);
int vi_require_aligned(struct vi_access *acc, unsigned int seg, uint64_t offset,
		       unsigned int size);
int vi_probe(struct vi_access *acc, unsigned int seg, uint64_t offset, unsigned int size,
	     bool write);
int vi_read(struct vi_access *acc, unsigned int seg, uint64_t offset, void *buf,
	    unsigned int size);
int vi_write(struct vi_access *acc, unsigned int seg, uint64_t offset, const void *buf,
	     unsigned int size);

/* regs.c: the register file */
uint64_t vi_mask(unsigned int size);
void vi_gpr_merge(__u64 *reg, uint64_t value, unsigned int size);
int vi_next_rip(struct vitro_vcpu *vcpu, unsigned int len, uint64_t *next);
int vi_commit(struct vitro_vcpu *vcpu, const struct vitro_gprs *gprs, uint64_t next_rip,
	      bool done);

/* string.c: what INS, OUTS, MOVS, ... have in common */

#define VI_REP_MAX	4096	/* iterations before the guest gets a look at its interrupts */
#define VI_REP_STOP	2	/* an iteration's result: the condition of REPE, REPNE ended it */

void vi_string_advance(struct vitro_gprs *gprs, enum vitro_gpr reg, unsigned int size,
		       unsigned int addr_size);
int vi_repeat(struct vitro_vcpu *vcpu, struct vitro_gprs *gprs, bool rep,
	      unsigned int addr_size, int (*iterate)(void *arg), void *arg, bool *done);

/* alu.c: arithmetic and flags */

enum vi_alu {
	VI_ADD, VI_OR, VI_ADC, VI_SBB, VI_AND, VI_SUB, VI_XOR, VI_INC, VI_DEC, VI_NEG, VI_NOT,
};

enum vi_shift {
	VI_ROL, VI_ROR, VI_RCL, VI_RCR, VI_SHL, VI_SHR, VI_SAR, VI_SHLD, VI_SHRD,
};

uint64_t vi_alu(enum vi_alu op, uint64_t a, uint64_t b, unsigned int size, __u64 *rflags);
uint64_t vi_shift(enum vi_shift op, uint64_t a, uint64_t fill, unsigned int count,
		  unsigned int size, __u64 *rflags);
bool vi_condition(unsigned int code, uint64_t rflags);

/* load.c: what the loaders have in common */

/*
 * Guest memory below 512 KiB that the loaders fill.  The boot protocol wants it to
 * be RAM that the kernel may reuse once it has taken what it needs.
 */
#define VI_BOOT_TABLES	0x10000ULL	/* GDT and page tables: VITRO_MODE_TABLES_SIZE */
#define VI_BOOT_INFO	0x20000ULL	/* boot_params, or PVH's start info and lists */
#define VI_BOOT_CMDLINE	0x30000ULL	/* up to the end */
#define VI_BOOT_END	0x80000ULL

struct setup_header;

int vi_boot_check(struct vitro_vcpu *vcpu, const struct vitro_boot *boot);
bool vi_ram_has(const struct vitro_boot *boot, uint64_t start, uint64_t size);
uint64_t vi_ram_lowest(const struct vitro_boot *boot, uint64_t from, uint64_t size,
		       uint64_t align);
int vi_load_cmdline(struct vitro_vm *vm, const struct vitro_boot *boot, size_t max);
int vi_load_initrd(struct vitro_vm *vm, const struct vitro_boot *boot, uint64_t limit,
		   uint64_t kernel, uint64_t kernel_size, uint64_t *where);
int vi_load_code(struct vitro_vm *vm, const struct vitro_boot *boot, uint64_t gpa,
		 const void *data, uint64_t size, uint64_t room);

/* load_bzimage.c */
int vi_load_params(struct vitro_vcpu *vcpu, const struct vitro_boot *boot,
		   const struct setup_header *hdr, uint64_t initrd);

/* load_multiboot.c */
bool vi_is_multiboot(const struct vitro_image *image);

/* elf.c: ELF files */

/**
 * struct vi_elf - an ELF file, checked
 * @data: its bytes
 * @size: how many
 * @ph: its program headers, at any alignment: use vi_elf_phdr()
 * @nr_ph: how many
 * @is_64: ELF64, else ELF32
 * @entry: its entry point
 * @low: the RAM that its segments take: first address
 * @high: ... and the one behind
 */
struct vi_elf {
	const uint8_t *data;
	uint64_t size;
	const uint8_t *ph;
	unsigned int nr_ph;
	bool is_64;
	uint64_t entry;
	uint64_t low;
	uint64_t high;
};

int vi_elf_parse(struct vi_elf *elf, const struct vitro_image *image);
bool vi_elf_within(const struct vi_elf *elf, uint64_t offset, uint64_t len);
Elf64_Phdr vi_elf_phdr(const struct vi_elf *elf, unsigned int i);
int vi_elf_load(struct vi_elf *elf, struct vitro_vm *vm, const struct vitro_boot *boot);

#endif /* VITRO_INTERNAL_H */
