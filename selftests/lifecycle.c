// SPDX-License-Identifier: GPL-2.0-or-later
/* Life and death: closing is destroying, in any order, whatever happens meanwhile. */
#include "kselftest_harness.h"
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include "vt.h"

GUEST(g_spin);
GUEST(g_counter);

/* Device, VM, vCPU are closed in this order, and the vCPU works on. */
TEST(vcpu_outlives_vm_fd)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_spin);

	close(cpu->vm->dev);
	close(cpu->vm->fd);
	cpu->comm->immediate_exit = 1;
	ASSERT_EQ(VITRO_EXIT_INTR, vt_run(cpu));
	cpu->comm->immediate_exit = 0;
	ASSERT_EQ(VITRO_EXIT_HLT, vt_run(cpu));
}

/* The comm area outlives the vCPU's fd: it is only memory then. */
TEST(comm_outlives_vcpu)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_spin);

	ASSERT_EQ(VITRO_EXIT_HLT, vt_run(cpu));
	close(cpu->fd);
	close(cpu->vm->fd);
	EXPECT_EQ(VITRO_EXIT_HLT, cpu->comm->exit.reason);
	cpu->comm->dirty = VITRO_STATE_ALL;
	EXPECT_EQ(0, munmap(cpu->comm, cpu->vm->info.comm_size));
}

/* The number of a vCPU that is closed is free again. */
TEST(vcpu_id_reused)
{
	struct vt_vm *vm = vt_vm();
	struct vt_cpu *cpu = vt_cpu(vm, 3);
	struct vitro_create_vcpu create = { .id = 3 };
	int fd;

	EXPECT_EQ(-EEXIST, vt_ioctl(vm->fd, VITRO_CREATE_VCPU, &create));
	munmap(cpu->comm, vm->info.comm_size);
	close(cpu->fd);
	fd = vt_ioctl(vm->fd, VITRO_CREATE_VCPU, &create);
	EXPECT_LE(0, fd);
}

/* Closed while another thread is in VITRO_RUN: that goes on, and the rest follows it. */
TEST(closed_while_running)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_spin);
	struct sigaction act = { .sa_handler = vt_interrupt };
	pthread_t thread;
	uint64_t count;

	sigaction(SIGUSR1, &act, NULL);
	cpu->gpr[VITRO_RBX] = 1;			/* for ever */
	ASSERT_EQ(0, pthread_create(&thread, NULL, vt_runner, cpu));
	while (!vt_var(cpu->vm, g_counter))
		sched_yield();
	close(cpu->fd);
	close(cpu->vm->fd);
	count = vt_var(cpu->vm, g_counter);
	while (vt_var(cpu->vm, g_counter) == count)
		sched_yield();
	pthread_kill(thread, SIGUSR1);
	pthread_join(thread, NULL);
	EXPECT_EQ(VITRO_EXIT_INTR, cpu->comm->exit.reason);
}

/* SIGKILL ends a process whose guest never exits. */
TEST(killed_while_running)
{
	int status;
	pid_t child = fork();

	if (!child) {
		struct vt_cpu *cpu = vt_boot(VT_LONG, g_spin);

		cpu->gpr[VITRO_RBX] = 1;
		vt_runner(cpu);
		_exit(1);
	}
	vt_sleep_ms(300);
	EXPECT_EQ(0, waitpid(child, &status, WNOHANG));	/* still running */
	kill(child, SIGKILL);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* exit_group while other threads run vCPUs. */
TEST(exits_while_running)
{
	int status;
	pid_t child = fork();

	if (!child) {
		struct vt_cpu *cpu = vt_boot(VT_LONG, g_spin);
		pthread_t thread;

		cpu->gpr[VITRO_RBX] = 1;
		if (pthread_create(&thread, NULL, vt_runner, cpu))
			_exit(1);
		while (!vt_var(cpu->vm, g_counter))
			sched_yield();
		_exit(0);
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
}

/* What another process than the owner may do with a VM and its vCPU: nothing. */
static int all_refused(int vm, int vcpu)
{
	struct vitro_memslot slot = { .slot = 5 };
	struct vitro_create_vcpu create = { .id = 1 };
	struct vitro_state_mask mask = { .mask = VITRO_STATE_GPRS };
	struct vitro_msi msi = { .addr = VT_MSI, .data = 0x40 };
	struct vitro_stats stats = {};

	return vt_ioctl(vm, VITRO_SET_MEMSLOT, &slot) == -EIO &&
	       vt_ioctl(vm, VITRO_CREATE_VCPU, &create) == -EIO &&
	       vt_ioctl(vm, VITRO_SIGNAL_MSI, &msi) == -EIO &&
	       vt_ioctl(vm, VITRO_STATS, &stats) == -EIO &&
	       vt_ioctl(vcpu, VITRO_RUN, NULL) == -EIO &&
	       vt_ioctl(vcpu, VITRO_GET_STATE, &mask) == -EIO &&
	       vt_ioctl(vcpu, VITRO_SET_STATE, &mask) == -EIO;
}

TEST(forked_child_gets_eio)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_spin);
	pid_t child = fork();
	int status;

	if (!child)
		_exit(all_refused(cpu->vm->fd, cpu->fd) ? 0 : 1);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	/* The owner is not disturbed. */
	ASSERT_EQ(VITRO_EXIT_HLT, vt_run(cpu));
}

static void send_fds(int socket, int *fds, int nr)
{
	char control[CMSG_SPACE(2 * sizeof(int))] = {}, byte = 0;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = CMSG_SPACE(nr * sizeof(int)),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(nr * sizeof(int));
	memcpy(CMSG_DATA(c), fds, nr * sizeof(int));
	if (sendmsg(socket, &msg, 0) != 1)
		_exit(1);
}

static int receive_fds(int socket, int *fds, int nr)
{
	char control[CMSG_SPACE(2 * sizeof(int))], byte;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};

	if (recvmsg(socket, &msg, 0) != 1 || !CMSG_FIRSTHDR(&msg))
		return -1;
	memcpy(fds, CMSG_DATA(CMSG_FIRSTHDR(&msg)), nr * sizeof(int));
	return 0;
}

/*
 * The owner passes its fds to another process and dies: they are all that is
 * left of the VM.  They do nothing, and closing them ends it.
 */
TEST(fds_outlive_the_owner)
{
	int sockets[2], fds[2], status;
	pid_t child;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	child = fork();
	if (!child) {
		struct vt_cpu *cpu = vt_boot(VT_LONG, g_spin);

		if (vt_run(cpu) != VITRO_EXIT_HLT)
			_exit(1);
		fds[0] = cpu->vm->fd;
		fds[1] = cpu->fd;
		send_fds(sockets[1], fds, 2);
		_exit(0);
	}
	ASSERT_EQ(0, receive_fds(sockets[0], fds, 2));
	EXPECT_TRUE(all_refused(fds[0], fds[1]));
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_TRUE(all_refused(fds[0], fds[1]));
	EXPECT_EQ(0, close(fds[0]));
	EXPECT_TRUE(vt_ioctl(fds[1], VITRO_RUN, NULL) == -EIO);
	EXPECT_EQ(0, close(fds[1]));
}

/* Fds are close-on-exec: a program that the owner starts does not inherit the VM. */
TEST(close_on_exec)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_spin);

	EXPECT_EQ(FD_CLOEXEC, fcntl(cpu->vm->fd, F_GETFD));
	EXPECT_EQ(FD_CLOEXEC, fcntl(cpu->fd, F_GETFD));
}

/* Many VMs one after the other: what each leaves behind would add up. */
TEST(many_times)
{
	int i;

	for (i = 0; i < 100; i++) {
		struct vt_cpu *cpu = vt_boot(VT_LONG, g_spin);

		ASSERT_EQ(VITRO_EXIT_HLT, vt_run(cpu));
		munmap(cpu->comm, cpu->vm->info.comm_size);
		munmap(cpu->vm->mem, MEM_SIZE);
		close(cpu->fd);
		close(cpu->vm->fd);
		close(cpu->vm->dev);
	}
}

TEST_HARNESS_MAIN
