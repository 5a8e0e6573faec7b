// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whatever userspace asks of vitro.ko: if an allocation fails on the way, or a copy from or to
 * userspace, then the call fails and leaves everything as it was, or it does without.
 *
 * Each call is made again and again: its first failure is the first thing that can fail in it,
 * then the second, until nothing fails.  In between, the same call has to work, and a guest to
 * run.  In the end, no file and no memory is left over.
 */
#include "kselftest_harness.h"
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include "inject_ops.h"

GUEST(g_uses);
GUEST(g_pae);
GUEST(g_pushf);
GUEST(g_triple);

#define SECONDS		1500		/* for a group of calls, with KASAN and a busy host */
#define POINTS		5000		/* more than any call has */
#define NEVER		100000000	/* a failure that is not reached */
#define ROUNDS		8		/* each failure so often, that what is lost adds up */
#define SLACK		(6 * 4096)	/* and is more than what CPUs keep for later */
#define DOORBELL	0x50000000ULL	/* of the machines that run */

/* --- VITRO_RUN: each time a new machine, all of whose memory the host has yet to map */

/* A range of its own page table, so that mapping its first page takes one. */
static char *own_range(int fd)
{
	char *room = mmap(NULL, 2 * BIG, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *range = (char *)(((uintptr_t)room + BIG - 1) & ~(BIG - 1UL));

	if (room == MAP_FAILED)
		vt_die("mmap: %s", strerror(errno));
	munmap(room, range - room);
	munmap(range + BIG, room + BIG - range);
	if (mmap(range, BIG, PROT_READ | PROT_WRITE, MAP_FIXED | (fd < 0 ? MAP_ANONYMOUS : 0) |
		 (fd < 0 ? MAP_PRIVATE : MAP_SHARED), fd, 0) == MAP_FAILED)
		vt_die("mmap: %s", strerror(errno));
	return range;
}

static void new_machine(struct rig *r, enum vt_mode mode, const void *entry)
{
	struct vitro_ioeventfd doorbell = { .addr = DOORBELL, .fd = r->doorbell };
	struct vt_cpu *cpu = vt_boot(mode, entry);
	int fd = memfd_create("guest", MFD_CLOEXEC);
	char *view;

	_Static_assert(MEM_SIZE == BIG, "slot 0 takes one page table");
	if (fd < 0 || write(fd, cpu->vm->mem, MEM_SIZE) != MEM_SIZE)
		vt_die("memfd: %s", strerror(errno));
	view = own_range(fd);
	close(fd);
	munmap(cpu->vm->mem, MEM_SIZE);
	cpu->vm->mem = view;
	r->memory = (void *)own_range(-1);
	must(vt_slot(cpu->vm, 0, 0, MEM_SIZE, view, 0), "slot 0");
	must(vt_slot(cpu->vm, 1, GPA, BIG, r->memory, 0), "slot 1");
	must(vt_ioctl(cpu->vm->fd, VITRO_IOEVENTFD, &doorbell), "a doorbell");
	cpu->gpr[VITRO_RBX] = GPA;
	cpu->gpr[VITRO_R12] = GPA;
	cpu->gpr[VITRO_RBP] = DOORBELL;
	r->cpu = cpu;
	r->fd[DEV] = cpu->vm->dev;
	r->fd[VM] = cpu->vm->fd;
	r->fd[VCPU] = cpu->fd;
}

static void end_machine(struct rig *r)
{
	struct vt_vm *vm = r->cpu->vm;
	uint64_t rings;

	/* Empties it for the next machine. */
	if (read(r->doorbell, &rings, sizeof(rings)) < 0 && errno != EAGAIN)
		vt_die("eventfd: %s", strerror(errno));
	munmap(r->cpu->comm, vm->info.comm_size);
	munmap(r->memory, BIG);
	munmap(vm->mem, MEM_SIZE);
	close(r->cpu->fd);
	close(vm->fd);
	close(vm->dev);
	free(r->cpu);
	free(vm);
	r->cpu = NULL;
}

static void run_uses(struct rig *r)
{
	new_machine(r, VT_LONG, g_uses);
}

static void run_logged(struct rig *r)
{
	run_uses(r);
	must(vt_slot(r->cpu->vm, 1, GPA, BIG, r->memory, VITRO_SLOT_LOG_DIRTY), "slot 1");
}

static void run_recorded(struct rig *r)
{
	run_uses(r);
	r->other = record(r, 256);
	must(r->other, "VITRO_RECORD");
	close(r->other);
}

static void run_pae(struct rig *r)
{
	new_machine(r, VT_PAE, g_pae);
}

static void run_step(struct rig *r)
{
	new_machine(r, VT_LONG, g_pushf);
	r->args.debug = (struct vitro_debug){ .flags = VITRO_DEBUG_STEP };
	must(vt_ioctl(r->fd[VCPU], VITRO_SET_DEBUG, &r->args.debug), "VITRO_SET_DEBUG");
}

static void run_triple(struct rig *r)
{
	new_machine(r, VT_LONG, g_triple);
	hear(r);
}

static int call_run(struct rig *r)
{
	int ret;

	do {
		ret = vt_ioctl(r->fd[VCPU], VITRO_RUN, NULL);
	} while (!ret && r->cpu->comm->exit.reason == VITRO_EXIT_INTR);
	return ret;
}

static bool said_7(struct rig *r, bool done)
{
	const struct vitro_exit *x = &r->cpu->comm->exit;

	return !done || (x->reason == VITRO_EXIT_IO && x->io.data == 7);
}

static bool said_7_and_rang(struct rig *r, bool done)
{
	uint64_t rings = 0;

	return !done || (said_7(r, done) &&
			 read(r->doorbell, &rings, sizeof(rings)) == sizeof(rings) && rings == 1);
}

static bool pushed_no_tf(struct rig *r, bool done)
{
	const uint64_t *stack = (void *)(r->cpu->vm->mem + STACK_TOP);

	return !done || (r->cpu->comm->exit.reason == VITRO_EXIT_DEBUG && stack[-1] == 2);
}

static bool shut_down_and_heard(struct rig *r, bool done)
{
	return !done || (r->cpu->comm->exit.reason == VITRO_EXIT_SHUTDOWN && heard(r, done));
}

static void end_machine_and_hang_up(struct rig *r)
{
	end_machine(r);
	hang_up(r);
}

static const struct op run_ops[] = {
	{ "VITRO_RUN", VCPU, VITRO_RUN, run_uses, call_run, said_7_and_rang, end_machine },
	{ "VITRO_RUN, with a dirty log", VCPU, VITRO_RUN, run_logged, call_run, said_7_and_rang,
	  end_machine },
	{ "VITRO_RUN, recorded", VCPU, VITRO_RUN, run_recorded, call_run, said_7_and_rang,
	  end_machine },
	{ "VITRO_RUN, of PAE paging", VCPU, VITRO_RUN, run_pae, call_run, said_7, end_machine },
	{ "VITRO_RUN, a step over PUSHF", VCPU, VITRO_RUN, run_step, call_run, pushed_no_tf,
	  end_machine },
	{ "VITRO_RUN, to shutdown", VCPU, VITRO_RUN, run_triple, call_run, shut_down_and_heard,
	  end_machine_and_hang_up },
};

/* -------------------------------------------------- one failure after the other */

/**
 * struct tally - what became of the failures
 * @refused: the call failed
 * @harmless: it did without
 */
struct tally {
	unsigned int refused, harmless;
};

static bool sane(const struct op *op, int err)
{
	switch (err) {
	case -ENOMEM:
		return true;
	case -EFAULT:		/* of the arguments, of which VITRO_RUN has none */
		return op->cmd != VITRO_RUN;
	case -ENOBUFS:		/* what netlink's sockets say */
		return op->kind == NO_IOCTL && op->cmd;
	default:
		return false;
	}
}

static int make(struct rig *r, const struct op *op)
{
	r->result = op->call ? op->call(r) : vt_ioctl(r->fd[op->kind], op->cmd, &r->args);
	return r->result;
}

/* Makes the call with its @n-th failure; returns false if it has no such. */
static bool fail(struct __test_metadata *_metadata, struct rig *r, const struct op *op,
		 unsigned int n, struct tally *tally)
{
	int fds, ret, err;
	bool failed;

	if (op->before)
		op->before(r);
	fds = lowest_fd();
	inject_arm(&r->in, n);
	ret = make(r, op);
	failed = !inject_disarm(&r->in);
	if (ret < 0) {
		EXPECT_TRUE(failed && sane(op, ret))
			TH_LOG("%s, failure %u: %s", op->name, n, strerror(-ret));
		EXPECT_EQ(fds, lowest_fd()) TH_LOG("%s, failure %u", op->name, n);
		if (op->good)
			EXPECT_TRUE(op->good(r, false)) TH_LOG("%s, failure %u", op->name, n);
		tally->refused++;
		err = make(r, op);
		ASSERT_LE(0, err) TH_LOG("%s, after failure %u: %s", op->name, n, strerror(-err));
	} else {
		tally->harmless += failed;
	}
	if (op->good)
		EXPECT_TRUE(op->good(r, true)) TH_LOG("%s, after failure %u", op->name, n);
	if (op->after)
		op->after(r);
	/* VITRO_RUN has had a machine of its own. */
	if (r->cpu)
		EXPECT_TRUE(guest_counts(r)) TH_LOG("%s, after failure %u", op->name, n);
	return failed;
}

static void fail_all(struct __test_metadata *_metadata, struct rig *r, const struct op *ops,
		     size_t nr)
{
	for (const struct op *op = ops; op < ops + nr; op++) {
		struct tally tally = { .refused = 0 };
		unsigned int n = 1, round;

		for (bool more = true; more && n < POINTS; n += more)
			for (round = 0; more && round < ROUNDS; round++)
				more = fail(_metadata, r, op, n, &tally);
		EXPECT_GT(POINTS, n) TH_LOG("%s has no end", op->name);
		TH_LOG("%s: %u can fail: %.0f refused, %.0f harmless", op->name, n - 1,
		       (double)tally.refused / ROUNDS, (double)tally.harmless / ROUNDS);
	}
}

static bool tested(const struct op *ops, size_t nr, enum kind kind, unsigned long cmd)
{
	for (const struct op *op = ops; op < ops + nr; op++)
		if (op->kind == kind && !((op->cmd ^ cmd) & ~(_IOC_SIZEMASK << _IOC_SIZESHIFT)))
			return true;
	return false;
}

/* -------------------------------------------------------------------------- the tests */

FIXTURE(rig) {
	struct rig rig;
	long refs;
};

FIXTURE_SETUP(rig)
{
	struct rig *r = &self->rig;

	r->lacking = inject_open(&r->in);
	self->refs = module_refs();
	r->cpu = vt_boot(VT_LONG, g_count);
	r->fd[DEV] = r->cpu->vm->dev;
	r->fd[VM] = r->cpu->vm->fd;
	r->fd[VCPU] = r->cpu->fd;
	r->memory = vt_pages(BIG);
	r->memory[0] = 1;
	r->memory[1024] = 2;
	r->other = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	r->doorbell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	ASSERT_TRUE(guest_counts(r));
}

/* When all is closed, vitro.ko has no file any more, and no machine. */
FIXTURE_TEARDOWN(rig)
{
	struct rig *r = &self->rig;
	struct genl *g = genl_open();

	if (r->cpu) {
		munmap(r->cpu->comm, r->cpu->vm->info.comm_size);
		close(r->fd[VCPU]);
		close(r->fd[VM]);
		close(r->fd[DEV]);
	}
	r->answers = 0;
	EXPECT_EQ(0, genl_vm(g, VITRO_CMD_VM_GET, NLM_F_DUMP, 0, count_answer, &r->answers));
	EXPECT_EQ(0, r->answers);
	EXPECT_EQ(self->refs, module_refs());
}

/* Whatever ioctl there is, by asking for all that there could be: the tests below have it. */
TEST_F(rig, every_ioctl_is_tested)
{
	struct rig *r = &self->rig;
	unsigned int kind, dir, nr, known = 0;

	r->cpu->comm->immediate_exit = 1;
	for (kind = DEV; kind < NR_KINDS; kind++) {
		for (dir = 0; dir < 4; dir++) {
			for (nr = 0; nr < 256; nr++) {
				/* The longest argument there can be, where no memory is. */
				unsigned long cmd = _IOC(dir, VITRO_IOC, nr, _IOC_SIZEMASK);

				if (vt_ioctl(r->fd[kind], cmd, NULL) == -ENOTTY)
					continue;
				known++;
				EXPECT_TRUE(tested(dev_ops, ARRAY_SIZE(dev_ops), kind, cmd) ||
					    tested(vm_ops, ARRAY_SIZE(vm_ops), kind, cmd) ||
					    tested(vcpu_ops, ARRAY_SIZE(vcpu_ops), kind, cmd) ||
					    tested(run_ops, ARRAY_SIZE(run_ops), kind, cmd))
					TH_LOG("no test has ioctl %#x of file %u", nr, kind);
			}
		}
	}
	EXPECT_LT(19, known);
	_Static_assert(VITRO_CMD_MAX == 5, "netlink_ops has all four; the fifth is events");
}

/* A group of calls, of which no memory may be left. */
static void fail_group(struct __test_metadata *_metadata, struct rig *r, const struct op *ops,
		       size_t nr)
{
	bool counted = count_kernel_memory();
	long before, after = 0;
	int i;

	if (r->lacking)
		SKIP(return, "the kernel has no %s", r->lacking);
	/* Once without a failure, so that caches have what they keep. */
	for (const struct op *op = ops; op < ops + nr; op++) {
		struct tally unused = { .refused = 0 };

		fail(_metadata, r, op, NEVER, &unused);
	}
	before = kernel_memory();
	fail_all(_metadata, r, ops, nr);
	if (!counted || before < 0) {
		TH_LOG("no control group for memory: not seen whether pages are left");
		return;
	}
	/* RCU frees the last of it. */
	for (i = 0; i < 600; i++) {
		after = kernel_memory();
		if (after <= before + SLACK)
			break;
		vt_sleep_ms(100);
	}
	TH_LOG("memory of the kernel: %ld bytes before, %ld after", before, after);
	EXPECT_GE(before + SLACK, after);
}

TEST_F_TIMEOUT(rig, device, SECONDS)
{
	fail_group(_metadata, &self->rig, dev_ops, ARRAY_SIZE(dev_ops));
}

TEST_F_TIMEOUT(rig, vm, SECONDS)
{
	fail_group(_metadata, &self->rig, vm_ops, ARRAY_SIZE(vm_ops));
}

TEST_F_TIMEOUT(rig, vcpu, SECONDS)
{
	fail_group(_metadata, &self->rig, vcpu_ops, ARRAY_SIZE(vcpu_ops));
}

TEST_F_TIMEOUT(rig, files, SECONDS)
{
	fail_group(_metadata, &self->rig, file_ops, ARRAY_SIZE(file_ops));
}

TEST_F_TIMEOUT(rig, netlink, SECONDS)
{
	struct genl *g = genl_open();

	ASSERT_EQ(0, genl_vm(g, VITRO_CMD_VM_GET, NLM_F_DUMP, 0, note_id, &self->rig.id));
	ASSERT_NE(0, self->rig.id);
	fail_group(_metadata, &self->rig, netlink_ops, ARRAY_SIZE(netlink_ops));
}

TEST_F_TIMEOUT(rig, run, SECONDS)
{
	struct rig *r = &self->rig;

	munmap(r->cpu->comm, r->cpu->vm->info.comm_size);
	close(r->fd[VCPU]);
	close(r->fd[VM]);
	close(r->fd[DEV]);
	r->cpu = NULL;
	fail_group(_metadata, &self->rig, run_ops, ARRAY_SIZE(run_ops));
}

/* ---------------------------------------------------------------------- loading the module */

static int unload(void)
{
	return syscall(SYS_delete_module, "vitro", O_NONBLOCK) ? -errno : 0;
}

static int load(void)
{
	int fd = open(getenv("VITRO_KO") ?: "/vitro.ko", O_RDONLY | O_CLOEXEC), ret;

	if (fd < 0)
		return -errno;
	ret = syscall(SYS_finit_module, fd, "", 0) ? -errno : 0;
	close(fd);
	return ret;
}

FIXTURE(module) {
	struct inject in;
	const char *lacking;
};

FIXTURE_SETUP(module)
{
	self->lacking = inject_open(&self->in);
}

/* However it went, the tests that follow need the module. */
FIXTURE_TEARDOWN(module)
{
	int ret = load();

	if (ret && ret != -EEXIST)
		vt_die("the module cannot be loaded any more: %s", strerror(-ret));
}

/*
 * Loading fails, or goes on, and the next time it works.  From the last thing that can fail
 * back to the first in vitro's own part: what comes before that, with thousands of pages for
 * the file, is the kernel's, which takes a failure there for a reason to warn.
 */
TEST_F_TIMEOUT(module, load, SECONDS)
{
	unsigned int refused = 0, harmless = 0, silent = 0, n;
	struct inject *in = &self->in;
	int ret;

	if (self->lacking)
		SKIP(return, "the kernel has no %s", self->lacking);
	ASSERT_EQ(0, unload());
	inject_arm(in, NEVER);
	ret = load();
	n = NEVER - inject_disarm(in);
	ASSERT_EQ(0, ret);
	ASSERT_EQ(0, unload());
	inject_verbose(in, true);
	for (; n > 0; n--) {
		struct site site;
		bool failed;

		inject_arm(in, n);
		ret = load();
		failed = !inject_disarm(in);
		site = inject_site(in);
		silent += failed && !site.kind[0];
		if (failed && site.kind[0] && !site.in_init)
			break;
		if (ret < 0) {
			EXPECT_EQ(-ENOMEM, ret) TH_LOG("failure %u: %s", n, strerror(-ret));
			EXPECT_EQ(-ENOENT, unload()) TH_LOG("failure %u", n);
			ret = load();
			ASSERT_EQ(0, ret) TH_LOG("after failure %u: %s", n, strerror(-ret));
			refused++;
		} else {
			harmless += failed;
		}
		ASSERT_EQ(0, unload());
	}
	inject_verbose(in, false);
	if (!ret)
		ASSERT_EQ(0, unload());
	TH_LOG("%u failures: %u refused, %u harmless, %u not logged", refused + harmless,
	       refused, harmless, silent);
	EXPECT_LT(10, refused);
	ASSERT_EQ(0, load());
}

TEST_HARNESS_MAIN
