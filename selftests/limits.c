// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Limits: how much there can be of everything, on whose account, and for how long
 * (uapi/linux/vitro_limits.h).
 *
 * No test here says that something came soon enough: VITRO_RUN returns at the deadline, or
 * vt_run() gives up waiting.
 */
#include "kselftest_harness.h"
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include "../userspace/vitro/exitcode.h"
#include "vt.h"

GUEST(g_spin);
GUEST(g_counter);
GUEST(g_sleep);
GUEST(g_out);

#define MS		1000000ULL
#define SPINNER		"/tmp/limits-spinner.bin"
#define PARAMETER	"/sys/module/vitro/parameters/max_vms"

/* ---------------------------------------------------------------------- deadline */

static int set_deadline(struct vt_vm *vm, uint64_t ns)
{
	struct vitro_deadline arg = { .ns = ns };

	return vt_ioctl(vm->fd, VITRO_SET_DEADLINE, &arg);
}

/*
 * Runs g_spin into a deadline.  A machine that gets no CPU for a while misses a short one
 * before the guest has had its turn: then a longer one.
 *
 * Return: has the guest had its turn, and did the deadline, no sooner, end it?
 */
static bool spin_into_deadline(struct vt_cpu *cpu)
{
	uint64_t ns, count = vt_var(cpu->vm, g_counter);

	for (ns = 20 * MS; ns < 20000 * MS; ns *= 2) {
		uint64_t begin = vt_now_ns();

		if (set_deadline(cpu->vm, ns) || vt_run(cpu) != VITRO_EXIT_DEADLINE ||
		    vt_now_ns() < begin + ns)
			return false;
		if (vt_var(cpu->vm, g_counter) != count)
			return true;
	}
	return false;
}

/* Neither an exit nor an interrupt of its own brings it back: the deadline does. */
TEST(stops_a_spinning_guest)
{
	EXPECT_TRUE(spin_into_deadline(vt_boot(VT_LONG, g_spin)));
}

/* It stays passed until there is another; then the guest goes on where it was. */
TEST(stays_passed)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_spin);
	uint64_t count;
	int i;

	ASSERT_TRUE(spin_into_deadline(cpu));
	count = vt_var(cpu->vm, g_counter);
	for (i = 0; i < 10; i++)
		ASSERT_EQ(VITRO_EXIT_DEADLINE, vt_run(cpu));
	EXPECT_EQ(count, vt_var(cpu->vm, g_counter));
	EXPECT_TRUE(spin_into_deadline(cpu));
}

/* A guest that exits all the time is stopped between two exits. */
TEST(stops_a_guest_that_exits)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_out);
	unsigned int reason;

	ASSERT_EQ(0, set_deadline(cpu->vm, 20 * MS));
	while ((reason = vt_run(cpu)) == VITRO_EXIT_IO)
		vt_finish(cpu);
	EXPECT_EQ(VITRO_EXIT_DEADLINE, reason);
	/* None any more, or one that is far away. */
	ASSERT_EQ(0, set_deadline(cpu->vm, 0));
	EXPECT_EQ(1, vt_says(cpu));
	ASSERT_EQ(0, set_deadline(cpu->vm, ~0ULL));
	EXPECT_EQ(1, vt_says(cpu));
}

/* Those that sleep: in HLT, and in wait of a start-up IPI. */
TEST(wakes_sleepers)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_sleep), *waiting;

	waiting = vt_cpu(cpu->vm, 1);
	ASSERT_EQ(0, set_deadline(cpu->vm, 20 * MS));
	ASSERT_EQ(VITRO_EXIT_DEADLINE, vt_run(cpu));
	ASSERT_EQ(0, set_deadline(cpu->vm, 20 * MS));
	ASSERT_EQ(VITRO_EXIT_DEADLINE, vt_run(waiting));
}

/* A vCPU that is made when it has passed does not get to run. */
TEST(new_vcpu_is_late)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_spin), *late;

	ASSERT_EQ(0, set_deadline(cpu->vm, 20 * MS));
	ASSERT_EQ(VITRO_EXIT_DEADLINE, vt_run(cpu));
	late = vt_cpu(cpu->vm, 1);
	EXPECT_EQ(VITRO_EXIT_DEADLINE, vt_run(late));
}

/* All vCPUs, each in a thread of its own; and another VM does not notice. */
TEST(stops_all_vcpus)
{
	struct vt_cpu *cpu[3] = { vt_boot(VT_LONG, g_spin) }, *other = vt_boot(VT_LONG, g_out);
	pthread_t thread[3];
	void *ret;
	int i;

	for (i = 1; i < 3; i++) {
		cpu[i] = vt_cpu(cpu[0]->vm, i);
		vt_set_mode(cpu[i], VT_LONG, g_spin);
		vt_get(cpu[i], VITRO_STATE_EVENTS);
		cpu[i]->comm->state.events.mp_state = VITRO_MP_RUNNABLE;
		cpu[i]->comm->dirty |= VITRO_STATE_EVENTS;
	}
	ASSERT_EQ(0, set_deadline(cpu[0]->vm, 100 * MS));
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, vt_runner, cpu[i]));
	for (i = 0; i < 3; i++) {
		pthread_join(thread[i], &ret);
		EXPECT_EQ(NULL, ret);
		EXPECT_EQ(VITRO_EXIT_DEADLINE, cpu[i]->comm->exit.reason);
	}
	EXPECT_EQ(1, vt_says(other));
}

TEST(deadline_refused)
{
	struct vitro_deadline arg = { .ns = 1, .flags = 1 };
	struct vt_vm *vm = vt_vm();

	EXPECT_EQ(-EINVAL, vt_ioctl(vm->fd, VITRO_SET_DEADLINE, &arg));
	arg = (struct vitro_deadline){ .ns = 1, .pad = 1 };
	EXPECT_EQ(-EINVAL, vt_ioctl(vm->fd, VITRO_SET_DEADLINE, &arg));
	EXPECT_EQ(-ENOTTY, vt_ioctl(vm->dev, VITRO_SET_DEADLINE, &arg));
}

/* A VM that ends before its deadline takes the timer with it. */
TEST(ends_before_its_deadline)
{
	int i;

	for (i = 0; i < 20; i++) {
		struct vt_vm *vm = vt_vm();

		ASSERT_EQ(0, set_deadline(vm, i * MS + 1));
		close(vm->fd);
		munmap(vm->mem, MEM_SIZE);
	}
	vt_sleep_ms(20);
}

/* Has a process a thread of that name? */
static bool has_thread(pid_t pid, const char *wanted)
{
	char path[300], name[32] = "";
	struct dirent *entry;
	bool found = false;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	while (dir && !found && (entry = readdir(dir))) {
		int fd;

		snprintf(path, sizeof(path), "/proc/%d/task/%s/comm", pid, entry->d_name);
		fd = open(path, O_RDONLY);
		if (fd >= 0 && read(fd, name, sizeof(name)) > 0)
			found = !strncmp(name, wanted, strlen(wanted));
		close(fd);
	}
	if (dir)
		closedir(dir);
	return found;
}

/* Waits until it has one, or has none; for a minute. */
static bool wait_thread(pid_t pid, const char *name, bool wanted)
{
	int i;

	for (i = 0; i < 600; i++) {
		if (has_thread(pid, name) == wanted)
			return true;
		vt_sleep_ms(100);
	}
	return false;
}

static pid_t launch(const char *deadline)
{
	pid_t pid = fork();

	if (!pid) {
		execlp("vitro", "vitro", "run", "--deadline", deadline, "--mode", "16", SPINNER,
		       NULL);
		_exit(127);
	}
	return pid;
}

/* Stops the main thread of a process, if that still has the other; false if it is too late. */
static bool stop_main(pid_t pid)
{
	int status;

	if (ptrace(PTRACE_SEIZE, pid, 0, 0) || ptrace(PTRACE_INTERRUPT, pid, 0, 0))
		return false;
	return waitpid(pid, &status, 0) == pid && WIFSTOPPED(status) && has_thread(pid, "vcpu0");
}

/* More time than the other tests have. */
FIXTURE(launcher)
{
	pid_t pid;
};

FIXTURE_SETUP(launcher)
{
	self->pid = 0;
}

FIXTURE_TEARDOWN(launcher)
{
	if (self->pid > 0)
		kill(self->pid, SIGKILL);
}

/*
 * The launcher's main thread does not get its turn: it is stopped, as a debugger stops it.
 * The guest ends all the same, and the launcher says why when it can.
 */
TEST_F_TIMEOUT(launcher, starved, 300)
{
	static const char spin[] = "\xfa\xeb\xfe";		/* cli; jmp $ */
	static const char *const deadlines[] = { "2s", "10s", "60s" };
	int status, i, fd = open(SPINNER, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	ASSERT_EQ(3, write(fd, spin, 3));
	close(fd);
	/* A machine that gets no CPU for seconds misses a short deadline. */
	for (i = 0;; i++) {
		ASSERT_GT(ARRAY_SIZE(deadlines), i);
		self->pid = launch(deadlines[i]);
		if (wait_thread(self->pid, "vcpu0", true) && stop_main(self->pid))
			break;
		kill(self->pid, SIGKILL);
		waitpid(self->pid, &status, 0);
	}
	/* The vCPU's thread leaves the guest for good, and ends. */
	EXPECT_TRUE(wait_thread(self->pid, "vcpu0", false));
	ASSERT_EQ(0, ptrace(PTRACE_DETACH, self->pid, 0, 0));
	ASSERT_EQ(self->pid, waitpid(self->pid, &status, 0));
	self->pid = 0;
	EXPECT_TRUE(WIFEXITED(status));
	EXPECT_EQ(END_DEADLINE, WEXITSTATUS(status));
}

/* ----------------------------------------------------------------------- numbers */

static long number_in(const char *name)
{
	FILE *f = fopen(name, "r");
	long n = -1;

	if (!f)
		return -1;
	if (fscanf(f, "%ld", &n) != 1)
		n = -1;
	fclose(f);
	return n;
}

static bool write_to(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY);
	bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	close(fd);
	return done;
}

/* The VMs of all users; one that ends makes room. */
TEST(vms)
{
	struct vitro_create_vm create = {};
	int dev = vt_open(), fd[5], i;

	ASSERT_EQ(VITRO_DEFAULT_VMS, number_in(PARAMETER));
	ASSERT_TRUE(write_to(PARAMETER, "4"));
	for (i = 0; i < 4; i++)
		EXPECT_LE(0, fd[i] = vt_ioctl(dev, VITRO_CREATE_VM, &create));
	EXPECT_EQ(-ENOSPC, vt_ioctl(dev, VITRO_CREATE_VM, &create));
	EXPECT_EQ(-ENOSPC, vt_ioctl(dev, VITRO_CREATE_VM, &create));
	close(fd[2]);
	EXPECT_LE(0, fd[2] = vt_ioctl(dev, VITRO_CREATE_VM, &create));
	EXPECT_EQ(-ENOSPC, vt_ioctl(dev, VITRO_CREATE_VM, &create));
	/* Fewer than there are: none is taken away, none is made. */
	EXPECT_TRUE(write_to(PARAMETER, "2"));
	EXPECT_EQ(-ENOSPC, vt_ioctl(dev, VITRO_CREATE_VM, &create));
	EXPECT_TRUE(write_to(PARAMETER, "512"));
	EXPECT_LE(0, vt_ioctl(dev, VITRO_CREATE_VM, &create));
}

TEST(vcpus)
{
	struct vitro_create_vcpu create = {};
	struct vt_vm *vm = vt_vm();

	for (create.id = 0; create.id < VITRO_MAX_VCPUS; create.id++)
		ASSERT_LE(0, vt_ioctl(vm->fd, VITRO_CREATE_VCPU, &create));
	EXPECT_EQ(-EINVAL, vt_ioctl(vm->fd, VITRO_CREATE_VCPU, &create));
	create.id = 0;
	EXPECT_EQ(-EEXIST, vt_ioctl(vm->fd, VITRO_CREATE_VCPU, &create));
}

TEST(slots)
{
	char *page = vt_pages(4096);
	struct vt_vm *vm = vt_vm();
	uint32_t i;

	for (i = 1; i < VITRO_MAX_SLOTS; i++)
		ASSERT_EQ(0, vt_slot(vm, i, (1ULL << 30) + 8192 * i, 4096, page, 0));
	EXPECT_EQ(-EINVAL, vt_slot(vm, i, 1ULL << 31, 4096, page, 0));
}

/* Each is an eventfd of its own. */
TEST(irqfds)
{
	struct rlimit files = { 4096, 4096 };
	struct vt_vm *vm = vt_vm();
	struct vitro_irqfd irqfd = { .addr = VT_MSI, .data = 0x40 };
	int i;

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &files));
	for (i = 0; i < VITRO_MAX_IRQFDS; i++) {
		irqfd.fd = eventfd(0, EFD_CLOEXEC);
		ASSERT_LE(0, irqfd.fd);
		ASSERT_EQ(0, vt_ioctl(vm->fd, VITRO_IRQFD, &irqfd)) TH_LOG("irqfd %d", i);
	}
	irqfd.fd = eventfd(0, EFD_CLOEXEC);
	EXPECT_EQ(-ENOSPC, vt_ioctl(vm->fd, VITRO_IRQFD, &irqfd));
	/* One that goes makes room. */
	irqfd.flags = VITRO_IRQFD_DEASSIGN;
	irqfd.fd--;
	EXPECT_EQ(0, vt_ioctl(vm->fd, VITRO_IRQFD, &irqfd));
	irqfd.flags = 0;
	irqfd.fd++;
	EXPECT_EQ(0, vt_ioctl(vm->fd, VITRO_IRQFD, &irqfd));
}

/* One eventfd may stand behind all of them. */
TEST(ioeventfds)
{
	struct vitro_ioeventfd io = { .addr = 0xd0000000, .len = 4, .fd = eventfd(0, 0) };
	struct vt_vm *vm = vt_vm();
	int i;

	for (i = 0; i < VITRO_MAX_IOEVENTFDS; i++, io.addr += 4)
		ASSERT_EQ(0, vt_ioctl(vm->fd, VITRO_IOEVENTFD, &io)) TH_LOG("ioeventfd %d", i);
	EXPECT_EQ(-ENOSPC, vt_ioctl(vm->fd, VITRO_IOEVENTFD, &io));
	io.addr -= 4;
	io.flags = VITRO_IOEVENTFD_DEASSIGN;
	EXPECT_EQ(0, vt_ioctl(vm->fd, VITRO_IOEVENTFD, &io));
	io.flags = 0;
	EXPECT_EQ(0, vt_ioctl(vm->fd, VITRO_IOEVENTFD, &io));
}

/* A recorder has so many records; a vCPU has one recorder. */
TEST(recorders)
{
	struct vitro_record_start start = { .nr = 2 * VITRO_MAX_RECORDS };
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_out);

	EXPECT_EQ(-EINVAL, vt_ioctl(cpu->fd, VITRO_RECORD, &start));
	start.nr = VITRO_MAX_RECORDS;
	EXPECT_LE(0, vt_ioctl(cpu->fd, VITRO_RECORD, &start));
}

/* ------------------------------------------------------------------------ memory */

#define CGROUP		"/tmp/limits-cgroup"
#define GROUP		CGROUP "/limits"
#define PER_VCPU	(48 * 1024)	/* at least; it is 60 KiB */

/* A group with the memory controller; false if this kernel has none to give. */
static bool make_group(void)
{
	mkdir(CGROUP, 0700);
	if (mount("none", CGROUP, "cgroup2", 0, NULL) && errno != EBUSY)
		return false;
	write_to(CGROUP "/cgroup.subtree_control", "+memory");
	return (!mkdir(GROUP, 0700) || errno == EEXIST) && number_in(GROUP "/memory.current") >= 0;
}

/* What a VM with all its vCPUs takes is charged to the cgroup of who made them. */
TEST(memory_is_charged)
{
	struct vitro_create_vcpu create = {};
	long before, after;
	struct vt_vm *vm;

	if (!make_group())
		SKIP(return, "this kernel has no memory controller for cgroup2");
	ASSERT_TRUE(write_to(GROUP "/cgroup.procs", "0"));
	vm = vt_vm();
	before = number_in(GROUP "/memory.current");
	for (create.id = 0; create.id < VITRO_MAX_VCPUS; create.id++)
		ASSERT_LE(0, vt_ioctl(vm->fd, VITRO_CREATE_VCPU, &create));
	after = number_in(GROUP "/memory.current");
	TH_LOG("%ld bytes a vCPU", (after - before) / VITRO_MAX_VCPUS);
	EXPECT_LE(VITRO_MAX_VCPUS * PER_VCPU, after - before);
	EXPECT_TRUE(write_to(CGROUP "/cgroup.procs", "0"));
}

TEST_HARNESS_MAIN
