// SPDX-License-Identifier: GPL-2.0-or-later
/* The netlink family: who sees which VMs, and the events. */
#include "kselftest_harness.h"
#include <grp.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include "genl.h"

GUEST(g_out);
GUEST(g_triple);
GUEST(g_triple_insn);

#define SOMEBODY	1234	/* a user without privileges */

/**
 * struct seen - what a query gave
 * @nr: messages
 * @mine: id of the VM of this process, or of @pid if not 0
 * @pid: see above
 * @name: its name
 * @uid: its owner
 * @nr_vcpus: its vCPUs
 */
struct seen {
	unsigned int nr;
	uint64_t mine;
	uint32_t pid;
	char name[VITRO_NAME_SIZE];
	uint32_t uid, nr_vcpus;
};

static void note_vm(const struct nlmsghdr *h, void *opaque)
{
	struct seen *seen = opaque;

	seen->nr++;
	if (genl_u32(h, VITRO_A_PID) != (seen->pid ? seen->pid : (uint32_t)getpid()))
		return;
	seen->mine = genl_u64(h, VITRO_A_VM_ID);
	seen->uid = genl_u32(h, VITRO_A_UID);
	seen->nr_vcpus = genl_u32(h, VITRO_A_NR_VCPUS);
	strncpy(seen->name, genl_string(h, VITRO_A_NAME), sizeof(seen->name) - 1);
}

static uint64_t my_vm(struct genl *g)
{
	struct seen seen = { .nr = 0 };

	if (genl_vm(g, VITRO_CMD_VM_GET, NLM_F_DUMP, 0, note_vm, &seen) || !seen.mine)
		vt_die("the VM of this process is not in the list");
	return seen.mine;
}

static int set_name(struct vt_vm *vm, const char *name)
{
	struct vitro_name n;

	memset(&n, 0, sizeof(n));
	memcpy(n.name, name, strlen(name));
	return vt_ioctl(vm->fd, VITRO_SET_NAME, &n);
}

/* ------------------------------------------------------------------- queries */

TEST(a_vm_is_seen)
{
	struct vt_vm *vm = vt_vm();
	struct genl *g = genl_open();
	struct seen all = { .nr = 0 }, one = { .nr = 0 };

	vt_cpu(vm, 0);
	vt_cpu(vm, 3);
	ASSERT_EQ(0, set_name(vm, "web-1"));
	ASSERT_EQ(0, genl_vm(g, VITRO_CMD_VM_GET, NLM_F_DUMP, 0, note_vm, &all));
	EXPECT_NE(0, all.mine);
	EXPECT_STREQ("web-1", all.name);
	EXPECT_EQ(0, all.uid);
	EXPECT_EQ(2, all.nr_vcpus);
	ASSERT_EQ(0, genl_vm(g, VITRO_CMD_VM_GET, NLM_F_ACK, all.mine, note_vm, &one));
	EXPECT_EQ(1, one.nr);
	EXPECT_EQ(all.mine, one.mine);
	EXPECT_STREQ("web-1", one.name);
}

TEST(more_than_one_message_holds)
{
	struct genl *g = genl_open();
	struct seen before = { .nr = 0 }, after = { .nr = 0 };
	int dev = vt_open(), i;

	ASSERT_EQ(0, genl_vm(g, VITRO_CMD_VM_GET, NLM_F_DUMP, 0, note_vm, &before));
	for (i = 0; i < 200; i++) {
		struct vitro_create_vm arg = { .flags = 0 };

		ASSERT_LE(0, vt_ioctl(dev, VITRO_CREATE_VM, &arg));
	}
	ASSERT_EQ(0, genl_vm(g, VITRO_CMD_VM_GET, NLM_F_DUMP, 0, note_vm, &after));
	EXPECT_EQ(before.nr + 200, after.nr);
}

struct vcpus {
	unsigned int nr, mp_state[8], tid[8];
};

static void note_vcpu(const struct nlmsghdr *h, void *opaque)
{
	struct vcpus *v = opaque;
	uint32_t id = genl_u32(h, VITRO_A_VCPU_ID);

	v->nr++;
	if (id < 8) {
		v->mp_state[id] = genl_u32(h, VITRO_A_MP_STATE);
		v->tid[id] = genl_u32(h, VITRO_A_TID);
	}
}

TEST(vcpus)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_out);
	struct vcpus v = { .nr = 0 };
	struct genl *g = genl_open();

	vt_cpu(cpu->vm, 5);
	ASSERT_EQ(VITRO_EXIT_IO, vt_run(cpu));
	ASSERT_EQ(0, genl_vm(g, VITRO_CMD_VCPU_GET, NLM_F_DUMP, my_vm(g), note_vcpu, &v));
	EXPECT_EQ(2, v.nr);
	EXPECT_EQ(VITRO_MP_RUNNABLE, v.mp_state[0]);
	EXPECT_EQ(VITRO_MP_WAIT_SIPI, v.mp_state[5]);
	EXPECT_EQ(getpid(), v.tid[0]);
	EXPECT_EQ(0, v.tid[5]);
}

TEST(bad_requests)
{
	struct genl *g = genl_open();
	uint64_t vm;

	vt_vm();
	vm = my_vm(g);
	EXPECT_EQ(-ENOENT, genl_vm(g, VITRO_CMD_VM_GET, NLM_F_ACK, vm + 1000, NULL, NULL));
	EXPECT_EQ(-EINVAL, genl_vm(g, VITRO_CMD_VM_GET, NLM_F_ACK, 0, NULL, NULL));
	EXPECT_EQ(-ENOENT, genl_vm(g, VITRO_CMD_STATS_GET, NLM_F_DUMP, vm + 1000, NULL, NULL));
	EXPECT_EQ(-EINVAL, genl_vm(g, VITRO_CMD_STATS_GET, NLM_F_DUMP, 0, NULL, NULL));
	EXPECT_EQ(-ENOENT, genl_watch(g, vm + 1000, 1));
	EXPECT_EQ(0, genl_watch(g, vm, 1));
	EXPECT_EQ(0, genl_watch(g, vm, 1));
	EXPECT_EQ(-ERANGE, genl_watch(g, vm, 2));
	EXPECT_EQ(0, genl_watch(g, vm, 0));
}

TEST(bad_names)
{
	struct vt_vm *vm = vt_vm();
	struct vitro_name n;

	EXPECT_EQ(-EINVAL, set_name(vm, "a b"));
	EXPECT_EQ(-EINVAL, set_name(vm, "\033[2J"));
	EXPECT_EQ(-EINVAL, set_name(vm, "caf\303\251"));
	EXPECT_EQ(-EINVAL, set_name(vm, "\"x\""));
	memset(&n, 'a', sizeof(n));
	EXPECT_EQ(-EINVAL, vt_ioctl(vm->fd, VITRO_SET_NAME, &n));
	n.name[10] = '\0';
	EXPECT_EQ(-EINVAL, vt_ioctl(vm->fd, VITRO_SET_NAME, &n));
	memset(&n.name[10], 0, sizeof(n) - 10);
	EXPECT_EQ(0, vt_ioctl(vm->fd, VITRO_SET_NAME, &n));
	EXPECT_EQ(0, set_name(vm, ""));
}

/* --------------------------------------------------------------- who sees what */

static void become(uid_t uid)
{
	if (setgroups(0, NULL) || setgid(uid) || setuid(uid))
		vt_die("setuid: %s", strerror(errno));
}

TEST(others_see_nothing)
{
	struct seen seen = { .nr = 0 };
	struct genl *g = genl_open();
	uint64_t vm;

	vt_vm();
	vm = my_vm(g);
	seen.pid = getpid();
	if (fork() == 0) {
		become(SOMEBODY);
		g = genl_open();
		genl_vm(g, VITRO_CMD_VM_GET, NLM_F_DUMP, 0, note_vm, &seen);
		if (seen.nr)
			_exit(1);
		if (genl_vm(g, VITRO_CMD_VM_GET, NLM_F_ACK, vm, note_vm, &seen) != -ENOENT)
			_exit(2);
		if (genl_vm(g, VITRO_CMD_STATS_GET, NLM_F_DUMP, vm, note_vm, &seen) != -ENOENT)
			_exit(3);
		if (genl_watch(g, vm, 1) != -ENOENT)
			_exit(4);
		_exit(genl_join(g) == -EPERM ? 0 : 5);
	}
	int status;

	wait(&status);
	EXPECT_EQ(0, WEXITSTATUS(status));
	EXPECT_TRUE(WIFEXITED(status));
}

/* The user who created a VM sees it, and root does. */
TEST(the_owner_sees_it)
{
	struct seen seen = { .nr = 0 };
	struct genl *root = genl_open();
	int ready[2], done[2], status;
	char byte = 0;

	ASSERT_EQ(0, pipe(ready));
	ASSERT_EQ(0, pipe(done));
	seen.pid = fork();
	if (seen.pid == 0) {
		struct vitro_create_vm arg = { .flags = 0 };
		int dev = vt_open();
		struct genl *g;

		become(SOMEBODY);
		if (vt_ioctl(dev, VITRO_CREATE_VM, &arg) < 0)
			_exit(1);
		g = genl_open();
		genl_vm(g, VITRO_CMD_VM_GET, NLM_F_DUMP, 0, note_vm, &seen);
		if (seen.nr != 1 || !seen.mine || seen.uid != SOMEBODY)
			_exit(2);
		if (genl_watch(g, seen.mine, 1))
			_exit(3);
		if (write(ready[1], &byte, 1) != 1 || read(done[0], &byte, 1) != 1)
			_exit(4);
		_exit(0);
	}
	close(ready[1]);
	EXPECT_EQ(1, read(ready[0], &byte, 1));
	EXPECT_EQ(0, genl_vm(root, VITRO_CMD_VM_GET, NLM_F_DUMP, 0, note_vm, &seen));
	EXPECT_EQ(SOMEBODY, seen.uid);
	EXPECT_EQ(1, write(done[1], &byte, 1));
	wait(&status);
	EXPECT_EQ(0, status);
}

/* --------------------------------------------------------------------- events */

/* The next event of VM @vm, or of the first VM if that is 0; 0 if there is none. */
static unsigned int next_event(struct genl *g, uint64_t *vm)
{
	while (genl_recv(g) > 0) {
		const struct nlmsghdr *h = &g->message.header;

		if (!*vm)
			*vm = genl_u64(h, VITRO_A_VM_ID);
		if (genl_u64(h, VITRO_A_VM_ID) == *vm)
			return genl_u32(h, VITRO_A_EVENT);
	}
	return 0;
}

TEST(a_life_in_events)
{
	struct genl *g = genl_open();
	struct vitro_report report = { .what = VITRO_REPORT_PANIC };
	struct vt_cpu *cpu;
	uint64_t vm = 0;

	ASSERT_EQ(0, genl_join(g));
	cpu = vt_boot(VT_LONG, g_triple);
	ASSERT_EQ(0, set_name(cpu->vm, "short"));
	ASSERT_EQ(VITRO_EXIT_SHUTDOWN, vt_run(cpu));
	ASSERT_EQ(0, vt_ioctl(cpu->vm->fd, VITRO_REPORT, &report));
	munmap(cpu->comm, cpu->vm->info.comm_size);	/* it holds the vCPU's file */
	close(cpu->fd);
	close(cpu->vm->fd);

	EXPECT_EQ(VITRO_EVENT_VM_CREATED, next_event(g, &vm));
	EXPECT_EQ(VITRO_EVENT_VCPU_CREATED, next_event(g, &vm));
	EXPECT_EQ(0, genl_u32(&g->message.header, VITRO_A_VCPU_ID));
	EXPECT_EQ(VITRO_EVENT_VM_NAMED, next_event(g, &vm));
	EXPECT_STREQ("short", genl_string(&g->message.header, VITRO_A_NAME));
	EXPECT_EQ(VITRO_EVENT_TRIPLE_FAULT, next_event(g, &vm));
	EXPECT_EQ((uintptr_t)g_triple_insn, genl_u64(&g->message.header, VITRO_A_RIP));
	EXPECT_EQ(VITRO_EVENT_GUEST_PANIC, next_event(g, &vm));
	EXPECT_EQ(VITRO_EVENT_VM_DESTROYED, next_event(g, &vm));
	EXPECT_STREQ("short", genl_string(&g->message.header, VITRO_A_NAME));
}

TEST(bad_reports)
{
	struct vitro_report report = { .what = 0 };
	struct vt_vm *vm = vt_vm();

	EXPECT_EQ(-EINVAL, vt_ioctl(vm->fd, VITRO_REPORT, &report));
	report.what = 2;
	EXPECT_EQ(-EINVAL, vt_ioctl(vm->fd, VITRO_REPORT, &report));
	report = (struct vitro_report){ .what = VITRO_REPORT_PANIC, .pad = 1 };
	EXPECT_EQ(-EINVAL, vt_ioctl(vm->fd, VITRO_REPORT, &report));
}

TEST(slow_userspace)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_out);
	struct genl *g = genl_open(), *events = genl_open();
	uint64_t vm = my_vm(g);

	ASSERT_EQ(0, genl_join(events));
	ASSERT_EQ(0, genl_watch(g, vm, 1));
	ASSERT_EQ(VITRO_EXIT_IO, vt_run(cpu));
	vt_finish(cpu);
	vt_sleep_ms(150);
	ASSERT_EQ(VITRO_EXIT_IO, vt_run(cpu));
	ASSERT_EQ(VITRO_EVENT_SLOW_USER, next_event(events, &vm));
	EXPECT_EQ(VITRO_EXIT_IO, genl_u32(&events->message.header, VITRO_A_REASON));
	EXPECT_LT(140ULL * cpu->vm->info.tsc_khz,
		  genl_u64(&events->message.header, VITRO_A_CYCLES));
}

/* A listener that does not read holds up nobody; it is told that it has missed something. */
TEST(a_listener_that_sleeps)
{
	struct genl *g = genl_open(), *reader = genl_open();
	int small = 4096, full = 0, i, n;
	uint64_t vm = 0;

	setsockopt(g->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	ASSERT_EQ(0, genl_join(g));
	ASSERT_EQ(0, genl_join(reader));
	struct vt_vm *machine = vt_vm();

	for (i = 0; i < 1000; i++) {
		ASSERT_EQ(0, set_name(machine, i % 2 ? "odd" : "even"));
		if (i == 0)
			ASSERT_EQ(VITRO_EVENT_VM_CREATED, next_event(reader, &vm));
		ASSERT_EQ(VITRO_EVENT_VM_NAMED, next_event(reader, &vm));
	}
	for (i = 0; i < 1000; i++) {
		n = recv(g->fd, &g->message, sizeof(g->message), MSG_DONTWAIT);
		if (n < 0 && errno == ENOBUFS)
			full++;
		else if (n < 0)
			break;
	}
	EXPECT_EQ(1, full);
	EXPECT_GT(100, i);
}

TEST_HARNESS_MAIN
