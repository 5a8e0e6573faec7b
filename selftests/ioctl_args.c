// SPDX-License-Identifier: GPL-2.0-or-later
/* ioctls with bad arguments: each is refused with the errno that the ABI names. */
#include "kselftest_harness.h"
#include <fcntl.h>
#include <sys/mman.h>
#include "vt.h"

GUEST(g_stubs);

/* The number of an ioctl whose struct has another size. */
static unsigned long with_size(unsigned long cmd, unsigned int size)
{
	return _IOC(_IOC_DIR(cmd), _IOC_TYPE(cmd), _IOC_NR(cmd), size);
}

/* All ioctls that take a struct, and on which fd. */
enum { DEV, VM, VCPU };
static const struct {
	unsigned long cmd;
	int on;
	const char *name;
} cmds[] = {
	{ VITRO_GET_INFO, DEV, "GET_INFO" },
	{ VITRO_CREATE_VM, DEV, "CREATE_VM" },
	{ VITRO_SET_MEMSLOT, VM, "SET_MEMSLOT" },
	{ VITRO_DIRTY_LOG, VM, "DIRTY_LOG" },
	{ VITRO_CREATE_VCPU, VM, "CREATE_VCPU" },
	{ VITRO_SIGNAL_MSI, VM, "SIGNAL_MSI" },
	{ VITRO_IRQFD, VM, "IRQFD" },
	{ VITRO_IOEVENTFD, VM, "IOEVENTFD" },
	{ VITRO_STATS, VM, "STATS" },
	{ VITRO_TDP_WALK, VM, "TDP_WALK" },
	{ VITRO_GET_STATE, VCPU, "GET_STATE" },
	{ VITRO_SET_STATE, VCPU, "SET_STATE" },
	{ VITRO_SET_CPUID, VCPU, "SET_CPUID" },
	{ VITRO_LAPIC_RW, VCPU, "LAPIC_RW" },
	{ VITRO_DUMP, VCPU, "DUMP" },
};

FIXTURE(args) {
	struct vt_cpu *cpu;
	int fd[3];
};

FIXTURE_SETUP(args)
{
	self->cpu = vt_cpu(vt_vm(), 0);
	self->fd[DEV] = self->cpu->vm->dev;
	self->fd[VM] = self->cpu->vm->fd;
	self->fd[VCPU] = self->cpu->fd;
}

FIXTURE_TEARDOWN(args)
{
}

TEST_F(args, bad_pointer)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cmds); i++) {
		EXPECT_EQ(-EFAULT, vt_ioctl(self->fd[cmds[i].on], cmds[i].cmd, NULL))
			TH_LOG("%s", cmds[i].name);
		EXPECT_EQ(-EFAULT, vt_ioctl(self->fd[cmds[i].on], cmds[i].cmd,
					    (void *)0xffff888000000000))
			TH_LOG("%s, kernel address", cmds[i].name);
	}
}

/* An ioctl of another object, an unknown one, and one of another driver. */
TEST_F(args, not_of_this_fd)
{
	static char zero[4096];
	size_t i;
	int on;

	for (i = 0; i < ARRAY_SIZE(cmds); i++)
		for (on = DEV; on <= VCPU; on++)
			if (on != cmds[i].on) {
				EXPECT_EQ(-ENOTTY, vt_ioctl(self->fd[on], cmds[i].cmd, zero))
					TH_LOG("%s on fd %d", cmds[i].name, on);
			}
	for (on = DEV; on <= VCPU; on++) {
		EXPECT_EQ(-ENOTTY, vt_ioctl(self->fd[on], _IO(VITRO_IOC, 0x7f), NULL));
		EXPECT_EQ(-ENOTTY, vt_ioctl(self->fd[on], _IO('T', 0x01), NULL));
	}
	EXPECT_EQ(-ENOTTY, vt_ioctl(self->fd[VM], VITRO_RUN, NULL));
	EXPECT_EQ(-EBADF, vt_ioctl(-1, VITRO_RUN, NULL));
}

/*
 * A longer struct is one of a newer program: fine, if what it has more is zero.
 * The bad answer must come from the tail alone, so everything else is zero, and
 * good or bad for a reason of its own, but never E2BIG.
 */
TEST_F(args, longer_struct)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cmds); i++) {
		unsigned int size = _IOC_SIZE(cmds[i].cmd);
		unsigned long cmd = with_size(cmds[i].cmd, size + 16);
		int fd = self->fd[cmds[i].on];
		char arg[1024] = {};

		EXPECT_NE(-E2BIG, vt_ioctl(fd, cmd, arg)) TH_LOG("%s", cmds[i].name);
		memset(arg, 0, sizeof(arg));
		arg[size + 15] = 1;
		EXPECT_EQ(-E2BIG, vt_ioctl(fd, cmd, arg)) TH_LOG("%s", cmds[i].name);
	}
}

/* A shorter one is of an older program; but version 1 is the oldest there is. */
TEST_F(args, shorter_struct)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cmds); i++) {
		unsigned int size = _IOC_SIZE(cmds[i].cmd);
		char arg[1024] = {};

		EXPECT_EQ(-EINVAL, vt_ioctl(self->fd[cmds[i].on],
					    with_size(cmds[i].cmd, size - 4), arg))
			TH_LOG("%s", cmds[i].name);
	}
}

TEST_F(args, padding_and_flags)
{
	struct vitro_info info = { .pad = 1 };
	struct vitro_create_vm vm = { .flags = 1 };
	struct vitro_create_vcpu vcpu = { .id = 1, .flags = 1 };
	struct vitro_msi msi = { .addr = VT_MSI, .data = 0x40, .flags = 1 };
	struct vitro_irqfd irqfd = { .addr = VT_MSI, .data = 0x40, .pad = 1 };
	struct vitro_ioeventfd ioeventfd = { .len = 1, .pad = 1 };
	struct vitro_stats stats = { .pad = 1 };
	struct vitro_cpuid cpuid = { .pad = 1 };
	struct vitro_lapic_rw lapic = { .offset = 0x20, .pad = 1 };
	struct vitro_dump dump = { .pad = 1 };

	EXPECT_EQ(-EINVAL, vt_ioctl(self->fd[DEV], VITRO_GET_INFO, &info));
	EXPECT_EQ(-EINVAL, vt_ioctl(self->fd[DEV], VITRO_CREATE_VM, &vm));
	vm = (struct vitro_create_vm){ .pad = 1 };
	EXPECT_EQ(-EINVAL, vt_ioctl(self->fd[DEV], VITRO_CREATE_VM, &vm));
	EXPECT_EQ(-EINVAL, vt_ioctl(self->fd[VM], VITRO_CREATE_VCPU, &vcpu));
	EXPECT_EQ(-EINVAL, vt_ioctl(self->fd[VM], VITRO_SIGNAL_MSI, &msi));
	EXPECT_EQ(-EINVAL, vt_ioctl(self->fd[VM], VITRO_IRQFD, &irqfd));
	EXPECT_EQ(-EINVAL, vt_ioctl(self->fd[VM], VITRO_IOEVENTFD, &ioeventfd));
	EXPECT_EQ(-EINVAL, vt_ioctl(self->fd[VM], VITRO_STATS, &stats));
	EXPECT_EQ(-EINVAL, vt_ioctl(self->fd[VCPU], VITRO_SET_CPUID, &cpuid));
	EXPECT_EQ(-EINVAL, vt_ioctl(self->fd[VCPU], VITRO_LAPIC_RW, &lapic));
	EXPECT_EQ(-EINVAL, vt_ioctl(self->fd[VCPU], VITRO_DUMP, &dump));
}

TEST_F(args, state_masks)
{
	struct vitro_state_mask mask = { .mask = 1ULL << 8 };

	EXPECT_EQ(-EINVAL, vt_ioctl(self->fd[VCPU], VITRO_GET_STATE, &mask));
	EXPECT_EQ(-EINVAL, vt_ioctl(self->fd[VCPU], VITRO_SET_STATE, &mask));
	mask.mask = 1ULL << 63;
	EXPECT_EQ(-EINVAL, vt_ioctl(self->fd[VCPU], VITRO_GET_STATE, &mask));
	mask.mask = 0;
	EXPECT_EQ(0, vt_ioctl(self->fd[VCPU], VITRO_GET_STATE, &mask));
	EXPECT_EQ(0, vt_ioctl(self->fd[VCPU], VITRO_SET_STATE, &mask));
}

TEST_F(args, vcpu_ids)
{
	struct vitro_create_vcpu create = { .id = VITRO_MAX_VCPUS };

	EXPECT_EQ(-EINVAL, vt_ioctl(self->fd[VM], VITRO_CREATE_VCPU, &create));
	create.id = ~0U;
	EXPECT_EQ(-EINVAL, vt_ioctl(self->fd[VM], VITRO_CREATE_VCPU, &create));
	create.id = 0;
	EXPECT_EQ(-EEXIST, vt_ioctl(self->fd[VM], VITRO_CREATE_VCPU, &create));
	create.id = VITRO_MAX_VCPUS - 1;
	EXPECT_LE(0, vt_ioctl(self->fd[VM], VITRO_CREATE_VCPU, &create));
}

TEST_F(args, info)
{
	struct vitro_info info = {};
	struct vitro_cpuid_entry entry;
	unsigned int nr;

	ASSERT_EQ(0, vt_ioctl(self->fd[DEV], VITRO_GET_INFO, &info));
	EXPECT_EQ(VITRO_ABI_VERSION, info.abi_version);
	EXPECT_TRUE(info.vendor == VITRO_VENDOR_SVM || info.vendor == VITRO_VENDOR_VMX);
	EXPECT_EQ(VITRO_MAX_VCPUS, info.max_vcpus);
	EXPECT_EQ(VITRO_MAX_SLOTS, info.max_slots);
	EXPECT_LE(32, info.gpa_bits);
	EXPECT_LE(sizeof(struct vitro_comm), info.comm_size);
	EXPECT_EQ(0, info.comm_size % 4096);
	EXPECT_LT(0, info.tsc_khz);
	EXPECT_GE(sizeof(struct vitro_fpu), info.xsave_size);
	nr = info.nr_cpuid;
	EXPECT_LT(1, nr);

	/* Room for one only: told how many there are, all the same. */
	info.nr_cpuid = 1;
	info.cpuid = (uintptr_t)&entry;
	EXPECT_EQ(-E2BIG, vt_ioctl(self->fd[DEV], VITRO_GET_INFO, &info));
	EXPECT_EQ(nr, info.nr_cpuid);
	info.nr_cpuid = VITRO_MAX_CPUID;
	info.cpuid = 8;
	EXPECT_EQ(-EFAULT, vt_ioctl(self->fd[DEV], VITRO_GET_INFO, &info));
}

/* The comm area: from offset 0, not longer than it is. */
TEST_F(args, comm_mmap)
{
	size_t size = self->cpu->vm->info.comm_size;
	int fd = self->fd[VCPU];
	const int rw = PROT_READ | PROT_WRITE;
	struct vitro_comm *other;

	EXPECT_EQ(MAP_FAILED, mmap(NULL, size, rw, MAP_SHARED, fd, 4096));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, size + 4096, rw, MAP_SHARED, fd, 0));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 4096, rw, MAP_SHARED, self->fd[VM], 0));
	/* Twice is no problem: the same memory. */
	other = mmap(NULL, size, rw, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, other);
	other->wanted = VITRO_STATE_TIME;
	EXPECT_EQ(VITRO_STATE_TIME, self->cpu->comm->wanted);
}

/* The comm area is hostile: nonsense in it is refused or ignored, never followed. */
TEST_F(args, comm_nonsense)
{
	struct vitro_comm *comm = self->cpu->comm;
	int i;

	for (i = 0; i < 64; i++) {
		comm->dirty = 1ULL << i;
		memset(&comm->state, i * 37 | 1, sizeof(comm->state));
		memset(&comm->exit, i * 41 | 1, sizeof(comm->exit));
		comm->wanted = ~0ULL;
		comm->immediate_exit = 1;
		vt_ioctl(self->fd[VCPU], VITRO_RUN, NULL);
	}
	/* It is the same vCPU still. */
	comm->immediate_exit = 0;
	comm->wanted = VITRO_STATE_GPRS;
	comm->dirty = VITRO_STATE_EVENTS;
	memset(&comm->state.events, 0, sizeof(comm->state.events));
	vt_set_mode(self->cpu, VT_LONG, g_stubs + 16 * 0x20);
	ASSERT_EQ(0x20, vt_trap(self->cpu));
}

TEST_HARNESS_MAIN
