/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The calls whose failures the test "inject" provokes, but for VITRO_RUN: what makes each ready,
 * what tells whether it has happened, and what undoes it.
 */
#ifndef INJECT_OPS_H
#define INJECT_OPS_H

#include <sys/ioctl.h>
#include <sys/mman.h>
#include "genl.h"
#include "inject.h"

GUEST(g_count);
GUEST(g_reads);
GUEST(g_writes);

#define SLOT		2
#define GPA		0x40000000ULL	/* of that slot */
#define PORT		0x510
#define BIG		0x200000

enum kind { DEV, VM, VCPU, NR_KINDS, NO_IOCTL };

/**
 * struct rig - what the calls are made on
 * @in: makes them fail
 * @lacking: what the kernel lacks for that, or NULL
 * @cpu: vCPU 0 of a machine, or, for VITRO_RUN, of a new one each time
 * @fd: its /dev/vitro, VM and vCPU
 * @id: of the machine, for netlink
 * @args: of the next ioctl
 * @result: what the call returned
 * @answers: messages that answered a request by netlink
 * @other: a file that the call is about
 * @doorbell: an eventfd
 * @memory: two pages, filled with 1 and 2; and more that nobody has touched
 * @map: a mapping that the call made
 * @genl: a netlink socket
 * @cpuid: @dump: @bitmap: where ioctls put what they return
 */
struct rig {
	struct inject in;
	const char *lacking;
	struct vt_cpu *cpu;
	int fd[NR_KINDS];
	uint64_t id;
	union {
		struct vitro_info info;
		struct vitro_create_vm create_vm;
		struct vitro_memslot memslot;
		struct vitro_dirty_log dirty_log;
		struct vitro_create_vcpu create_vcpu;
		struct vitro_msi msi;
		struct vitro_irqfd irqfd;
		struct vitro_ioeventfd ioeventfd;
		struct vitro_stats stats;
		struct vitro_state_mask state_mask;
		struct vitro_cpuid cpuid;
		struct vitro_lapic_rw lapic_rw;
		struct vitro_dump dump;
		struct vitro_name name;
		struct vitro_report report;
		struct vitro_record_start record;
		struct vitro_debug debug;
		struct vitro_tdp_walk tdp_walk;
		struct vitro_deadline deadline;
	} args;
	int result, answers;
	int other, doorbell;
	uint32_t *memory;
	void *map;
	struct genl *genl;
	struct vitro_cpuid_entry cpuid[VITRO_MAX_CPUID];
	struct vitro_dump_entry dump[VITRO_MAX_DUMP];
	uint64_t bitmap[BIG / 4096 / 64];
};

/**
 * struct op - a call
 * @name: for people
 * @kind: @cmd: an ioctl of this kind of file, if @call is NULL; or the call uses it
 * @before: makes all ready
 * @call: makes the call; returns a negative errno if it failed
 * @good: is everything as it should be after the call, @done or failed?  NULL: nothing to see
 * @after: undoes what the call did
 */
struct op {
	const char *name;
	enum kind kind;
	unsigned long cmd;
	void (*before)(struct rig *r);
	int (*call)(struct rig *r);
	bool (*good)(struct rig *r, bool done);
	void (*after)(struct rig *r);
};

static void must(int ret, const char *what)
{
	if (ret < 0)
		vt_die("%s: %s", what, strerror(-ret));
}

/* -------------------------------------------------------------------- the guest */

/* What the guest reads at @gpa, or -1 where no memory is. */
static long guest_reads(struct rig *r, uint64_t gpa)
{
	struct vt_cpu *cpu = r->cpu;
	long value;

	cpu->gpr[VITRO_RBX] = gpa;
	vt_jump(cpu, g_reads);
	if (vt_run(cpu) == VITRO_EXIT_MMIO)
		return -1;
	value = cpu->comm->exit.io.data;
	vt_finish(cpu);
	return value;
}

static void guest_writes(struct rig *r, uint64_t gpa)
{
	r->cpu->gpr[VITRO_RBX] = gpa;
	vt_jump(r->cpu, g_writes);
	if (vt_says(r->cpu) != 1)
		vt_die("the guest cannot write to %#llx", (unsigned long long)gpa);
}

static bool guest_counts(struct rig *r)
{
	r->cpu->gpr[VITRO_RBX] = 41;
	vt_jump(r->cpu, g_count);
	return vt_says(r->cpu) == 42;
}

/* ------------------------------------------------------------ calls and what follows */

static void close_result(struct rig *r)
{
	close(r->result);
}

/* A new socket, which hears what happens from now on. */
static void hear(struct rig *r)
{
	r->genl = genl_open();
	must(genl_join(r->genl), "joining the group of events");
}

static void hang_up(struct rig *r)
{
	close(r->genl->fd);
	free(r->genl);
}

/* There was an event, or at least the word that some were lost. */
static bool heard(struct rig *r, bool done)
{
	char byte;

	return !done || recv(r->genl->fd, &byte, 1, MSG_DONTWAIT) == 1 || errno == ENOBUFS;
}

static void close_and_hang_up(struct rig *r)
{
	close_result(r);
	hang_up(r);
}

/* --- /dev/vitro */

static int call_open(struct rig *r)
{
	(void)r;
	int fd = open("/dev/vitro", O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static void set_info(struct rig *r)
{
	r->args.info = (struct vitro_info){
		.nr_cpuid = VITRO_MAX_CPUID, .cpuid = (uintptr_t)r->cpuid,
	};
}

static void set_create_vm(struct rig *r)
{
	r->args.create_vm = (struct vitro_create_vm){ .flags = 0 };
	hear(r);
}

static const struct op dev_ops[] = {
	{ "open", NO_IOCTL, 0, NULL, call_open, NULL, close_result },
	{ "VITRO_GET_INFO", DEV, VITRO_GET_INFO, set_info, NULL, NULL, NULL },
	{ "VITRO_CREATE_VM", DEV, VITRO_CREATE_VM, set_create_vm, NULL, heard,
	  close_and_hang_up },
};

/* --- a VM */

static int slot(struct rig *r, const void *hva, uint64_t size, uint32_t flags)
{
	return vt_slot(r->cpu->vm, SLOT, GPA, size, hva, flags);
}

static void set_slot_args(struct rig *r, const void *hva, uint64_t size, uint32_t flags)
{
	r->args.memslot = (struct vitro_memslot){
		.slot = SLOT, .flags = flags, .gpa = GPA, .size = size, .hva = (uintptr_t)hva,
	};
}

static void delete_slot(struct rig *r)
{
	must(slot(r, NULL, 0, 0), "deleting a slot");
}

static void set_slot_new(struct rig *r)
{
	set_slot_args(r, r->memory, BIG, 0);
}

/* Larger than the memory behind it, which does no harm; the log takes pages, so that they count. */
static void set_slot_logged(struct rig *r)
{
	set_slot_args(r, r->memory, 256UL * BIG, VITRO_SLOT_LOG_DIRTY);
}

static void set_slot_replaced(struct rig *r)
{
	must(slot(r, r->memory + 1024, 4096, 0), "a slot");
	set_slot_args(r, r->memory, BIG, 0);
}

static void set_slot_deleted(struct rig *r)
{
	must(slot(r, r->memory, BIG, VITRO_SLOT_LOG_DIRTY), "a slot");
	set_slot_args(r, NULL, 0, 0);
}

static bool slot_added(struct rig *r, bool done)
{
	return guest_reads(r, GPA) == (done ? 1 : -1);
}

static bool slot_replaced(struct rig *r, bool done)
{
	return guest_reads(r, GPA) == (done ? 1 : 2);
}

static bool slot_deleted(struct rig *r, bool done)
{
	return guest_reads(r, GPA) == (done ? -1 : 1);
}

static void set_dirty_log(struct rig *r)
{
	must(slot(r, r->memory, BIG, VITRO_SLOT_LOG_DIRTY), "a slot with a log");
	guest_writes(r, GPA + 3 * 4096);
	r->args.dirty_log = (struct vitro_dirty_log){
		.slot = SLOT, .nr = BIG / 4096, .bitmap = (uintptr_t)r->bitmap,
	};
	memset(r->bitmap, 0, sizeof(r->bitmap));
}

/* The log is in our hands, or still in the kernel's, for the next call. */
static bool dirty_log_there(struct rig *r, bool done)
{
	return !done || r->bitmap[0] == 1 << 3;
}

static void set_create_vcpu(struct rig *r)
{
	r->args.create_vcpu = (struct vitro_create_vcpu){ .id = 1 };
	hear(r);
}

static void set_msi(struct rig *r)
{
	r->args.msi = (struct vitro_msi){ .addr = VT_MSI, .data = 0x40 };
}

static void set_irqfd(struct rig *r)
{
	r->args.irqfd = (struct vitro_irqfd){ .fd = r->other, .addr = VT_MSI, .data = 0x40 };
}

static int irqfd_again(struct rig *r, uint32_t flags)
{
	set_irqfd(r);
	r->args.irqfd.flags = flags;
	return vt_ioctl(r->fd[VM], VITRO_IRQFD, &r->args.irqfd);
}

static void irqfd_off(struct rig *r)
{
	must(irqfd_again(r, VITRO_IRQFD_DEASSIGN), "taking an irqfd off");
}

static void set_irqfd_off(struct rig *r)
{
	must(irqfd_again(r, 0), "an irqfd");
	r->args.irqfd.flags = VITRO_IRQFD_DEASSIGN;
}

static void set_ioeventfd(struct rig *r)
{
	r->args.ioeventfd = (struct vitro_ioeventfd){
		.addr = PORT, .fd = r->other, .flags = VITRO_IOEVENTFD_PIO,
	};
}

static int ioeventfd_again(struct rig *r, uint32_t flags)
{
	set_ioeventfd(r);
	r->args.ioeventfd.flags |= flags;
	return vt_ioctl(r->fd[VM], VITRO_IOEVENTFD, &r->args.ioeventfd);
}

static void ioeventfd_off(struct rig *r)
{
	must(ioeventfd_again(r, VITRO_IOEVENTFD_DEASSIGN), "taking an ioeventfd off");
}

static void set_ioeventfd_off(struct rig *r)
{
	must(ioeventfd_again(r, 0), "an ioeventfd");
	r->args.ioeventfd.flags |= VITRO_IOEVENTFD_DEASSIGN;
}

static void set_stats(struct rig *r)
{
	r->args.stats = (struct vitro_stats){ .vcpu = 0 };
}

static void set_name(struct rig *r)
{
	r->args.name = (struct vitro_name){ .name = "inject" };
	hear(r);
}

static void set_report(struct rig *r)
{
	r->args.report = (struct vitro_report){ .what = VITRO_REPORT_PANIC };
	hear(r);
}

static void set_tdp_walk(struct rig *r)
{
	r->args.tdp_walk = (struct vitro_tdp_walk){ .gpa = (uintptr_t)g_count };
}

static bool tdp_walked(struct rig *r, bool done)
{
	return !done || r->args.tdp_walk.page_size;
}

/* Far away, or the guest that has to run afterwards would not. */
static void set_deadline(struct rig *r)
{
	r->args.deadline = (struct vitro_deadline){ .ns = UINT64_MAX };
}

static const struct op vm_ops[] = {
	{ "VITRO_SET_MEMSLOT, new", VM, VITRO_SET_MEMSLOT, set_slot_new, NULL, slot_added,
	  delete_slot },
	{ "VITRO_SET_MEMSLOT, new, with a log", VM, VITRO_SET_MEMSLOT, set_slot_logged, NULL,
	  slot_added, delete_slot },
	{ "VITRO_SET_MEMSLOT, instead of another", VM, VITRO_SET_MEMSLOT, set_slot_replaced, NULL,
	  slot_replaced, delete_slot },
	{ "VITRO_SET_MEMSLOT, deleting", VM, VITRO_SET_MEMSLOT, set_slot_deleted, NULL,
	  slot_deleted, NULL },
	{ "VITRO_DIRTY_LOG", VM, VITRO_DIRTY_LOG, set_dirty_log, NULL, dirty_log_there,
	  delete_slot },
	{ "VITRO_CREATE_VCPU", VM, VITRO_CREATE_VCPU, set_create_vcpu, NULL, heard,
	  close_and_hang_up },
	{ "VITRO_SIGNAL_MSI", VM, VITRO_SIGNAL_MSI, set_msi, NULL, NULL, NULL },
	{ "VITRO_IRQFD", VM, VITRO_IRQFD, set_irqfd, NULL, NULL, irqfd_off },
	{ "VITRO_IRQFD, off", VM, VITRO_IRQFD, set_irqfd_off, NULL, NULL, NULL },
	{ "VITRO_IOEVENTFD", VM, VITRO_IOEVENTFD, set_ioeventfd, NULL, NULL, ioeventfd_off },
	{ "VITRO_IOEVENTFD, off", VM, VITRO_IOEVENTFD, set_ioeventfd_off, NULL, NULL, NULL },
	{ "VITRO_STATS", VM, VITRO_STATS, set_stats, NULL, NULL, NULL },
	{ "VITRO_SET_NAME", VM, VITRO_SET_NAME, set_name, NULL, heard, hang_up },
	{ "VITRO_REPORT", VM, VITRO_REPORT, set_report, NULL, heard, hang_up },
	{ "VITRO_TDP_WALK", VM, VITRO_TDP_WALK, set_tdp_walk, NULL, tdp_walked, NULL },
	{ "VITRO_SET_DEADLINE", VM, VITRO_SET_DEADLINE, set_deadline, NULL, NULL, NULL },
};

/* --- a vCPU, without running it */

static void set_state_mask(struct rig *r)
{
	vt_get(r->cpu, VITRO_STATE_ALL);
	r->args.state_mask = (struct vitro_state_mask){ .mask = VITRO_STATE_ALL };
}

/* Of a vCPU that has not run. */
static void set_cpuid(struct rig *r)
{
	r->args.create_vcpu = (struct vitro_create_vcpu){ .id = 2 };
	r->other = vt_ioctl(r->fd[VM], VITRO_CREATE_VCPU, &r->args.create_vcpu);
	must(r->other, "a vCPU");
	set_info(r);
	must(vt_ioctl(r->fd[DEV], VITRO_GET_INFO, &r->args.info), "VITRO_GET_INFO");
	r->args.cpuid = (struct vitro_cpuid){
		.nr = r->args.info.nr_cpuid, .entries = (uintptr_t)r->cpuid,
	};
}

static int call_set_cpuid(struct rig *r)
{
	return vt_ioctl(r->other, VITRO_SET_CPUID, &r->args.cpuid);
}

static void close_other(struct rig *r)
{
	close(r->other);
}

static void set_lapic_rw(struct rig *r)
{
	r->args.lapic_rw = (struct vitro_lapic_rw){ .offset = 0x30 };
}

static void set_dump(struct rig *r)
{
	r->args.dump = (struct vitro_dump){
		.nr = VITRO_MAX_DUMP, .entries = (uintptr_t)r->dump,
	};
}

static void set_record(struct rig *r)
{
	r->args.record = (struct vitro_record_start){ .nr = 256 };
}

static int record(struct rig *r, uint32_t nr)
{
	r->args.record = (struct vitro_record_start){ .nr = nr };
	return vt_ioctl(r->fd[VCPU], VITRO_RECORD, &r->args.record);
}

static void record_no_more(struct rig *r)
{
	close(r->result);
	must(record(r, 0), "VITRO_RECORD");
}

static void set_debug(struct rig *r)
{
	r->args.debug = (struct vitro_debug){ .flags = VITRO_DEBUG_BP };
}

static void debug_no_more(struct rig *r)
{
	r->args.debug = (struct vitro_debug){ .flags = 0 };
	must(vt_ioctl(r->fd[VCPU], VITRO_SET_DEBUG, &r->args.debug), "VITRO_SET_DEBUG");
}

static const struct op vcpu_ops[] = {
	{ "VITRO_GET_STATE", VCPU, VITRO_GET_STATE, set_state_mask, NULL, NULL, NULL },
	{ "VITRO_SET_STATE", VCPU, VITRO_SET_STATE, set_state_mask, NULL, NULL, NULL },
	{ "VITRO_SET_CPUID", VCPU, VITRO_SET_CPUID, set_cpuid, call_set_cpuid, NULL, close_other },
	{ "VITRO_LAPIC_RW", VCPU, VITRO_LAPIC_RW, set_lapic_rw, NULL, NULL, NULL },
	{ "VITRO_DUMP", VCPU, VITRO_DUMP, set_dump, NULL, NULL, NULL },
	{ "VITRO_RECORD", VCPU, VITRO_RECORD, set_record, NULL, NULL, record_no_more },
	{ "VITRO_SET_DEBUG", VCPU, VITRO_SET_DEBUG, set_debug, NULL, NULL, debug_no_more },
};

/* --- mapping and closing */

static void new_vcpu(struct rig *r)
{
	r->args.create_vcpu = (struct vitro_create_vcpu){ .id = 1 };
	r->other = vt_ioctl(r->fd[VM], VITRO_CREATE_VCPU, &r->args.create_vcpu);
	must(r->other, "a vCPU");
}

static void new_ring(struct rig *r)
{
	r->other = record(r, 256);
	must(r->other, "VITRO_RECORD");
}

static void new_vm(struct rig *r)
{
	r->args.create_vm = (struct vitro_create_vm){ .flags = 0 };
	r->other = vt_ioctl(r->fd[DEV], VITRO_CREATE_VM, &r->args.create_vm);
	must(r->other, "VITRO_CREATE_VM");
	hear(r);
}

static int map(struct rig *r, size_t size, int prot)
{
	r->map = mmap(NULL, size, prot, MAP_SHARED, r->other, 0);
	return r->map == MAP_FAILED ? -errno : 0;
}

static int call_map_comm(struct rig *r)
{
	return map(r, r->cpu->vm->info.comm_size, PROT_READ | PROT_WRITE);
}

static int call_map_ring(struct rig *r)
{
	int ret = map(r, VITRO_RING_RECORDS, PROT_READ);

	/* The page comes at the first access, which has no way to fail, but to wait. */
	if (!ret && ((volatile struct vitro_ring *)r->map)->nr != 256)
		vt_die("the recorder has no header");
	return ret;
}

static void unmap_comm(struct rig *r)
{
	munmap(r->map, r->cpu->vm->info.comm_size);
	close(r->other);
}

static void unmap_ring(struct rig *r)
{
	munmap(r->map, VITRO_RING_RECORDS);
	close(r->other);
	must(record(r, 0), "VITRO_RECORD");
}

static int call_close(struct rig *r)
{
	return close(r->other) ? -errno : 0;
}

static void ring_off(struct rig *r)
{
	must(record(r, 0), "VITRO_RECORD");
}

static const struct op file_ops[] = {
	{ "mmap of a comm area", NO_IOCTL, 0, new_vcpu, call_map_comm, NULL, unmap_comm },
	{ "mmap of a recorder", NO_IOCTL, 0, new_ring, call_map_ring, NULL, unmap_ring },
	{ "close of a vCPU", NO_IOCTL, 0, new_vcpu, call_close, NULL, NULL },
	{ "close of a recorder", NO_IOCTL, 0, new_ring, call_close, NULL, ring_off },
	{ "close of a VM", NO_IOCTL, 0, new_vm, call_close, heard, hang_up },
};

/* --- netlink */

static void new_socket(struct rig *r)
{
	r->genl = genl_open();
}

static void note_id(const struct nlmsghdr *h, void *id)
{
	if (genl_u32(h, VITRO_A_PID) == (uint32_t)getpid())
		*(uint64_t *)id = genl_u64(h, VITRO_A_VM_ID);
}

static void count_answer(const struct nlmsghdr *h, void *nr)
{
	(void)h;
	++*(int *)nr;
}

/* What a request that failed may have left to be read. */
static void forget_answers(struct rig *r)
{
	struct genl *g = r->genl;

	while (recv(g->fd, &g->message, sizeof(g->message), MSG_DONTWAIT) >= 0 ||
	       errno == ENOBUFS)
		;
}

/* @flags: NLM_F_ACK for one answer, NLM_F_DUMP for all. */
static int ask(struct rig *r, int cmd, int flags)
{
	r->answers = 0;
	forget_answers(r);
	return genl_vm(r->genl, cmd, flags, r->id, count_answer, &r->answers);
}

static int call_vm_get(struct rig *r)
{
	return ask(r, VITRO_CMD_VM_GET, NLM_F_ACK);
}

static int call_vm_dump(struct rig *r)
{
	return ask(r, VITRO_CMD_VM_GET, NLM_F_DUMP);
}

static int call_vcpu_dump(struct rig *r)
{
	return ask(r, VITRO_CMD_VCPU_GET, NLM_F_DUMP);
}

static int call_stats_dump(struct rig *r)
{
	return ask(r, VITRO_CMD_STATS_GET, NLM_F_DUMP);
}

static int call_watch(struct rig *r)
{
	forget_answers(r);
	return genl_watch(r->genl, r->id, 1);
}

static int call_join(struct rig *r)
{
	return genl_join(r->genl);
}

static bool answered(struct rig *r, bool done)
{
	return !done || r->answers > 0;
}

static void watch_no_more(struct rig *r)
{
	must(genl_watch(r->genl, r->id, 0), "VITRO_CMD_VM_SET");
	hang_up(r);
}

static const struct op netlink_ops[] = {
	{ "VITRO_CMD_VM_GET", NO_IOCTL, VITRO_CMD_VM_GET, new_socket, call_vm_get, answered,
	  hang_up },
	{ "VITRO_CMD_VM_GET, all", NO_IOCTL, VITRO_CMD_VM_GET, new_socket, call_vm_dump, answered,
	  hang_up },
	{ "VITRO_CMD_VCPU_GET", NO_IOCTL, VITRO_CMD_VCPU_GET, new_socket, call_vcpu_dump, answered,
	  hang_up },
	{ "VITRO_CMD_STATS_GET", NO_IOCTL, VITRO_CMD_STATS_GET, new_socket, call_stats_dump,
	  answered, hang_up },
	{ "VITRO_CMD_VM_SET", NO_IOCTL, VITRO_CMD_VM_SET, new_socket, call_watch, NULL,
	  watch_no_more },
	{ "joining the group of events", NO_IOCTL, 0, new_socket, call_join, NULL, hang_up },
};

#endif /* INJECT_OPS_H */
