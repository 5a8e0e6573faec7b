// SPDX-License-Identifier: GPL-2.0-or-later
/* irqfd: an eventfd that is an interrupt.  ioeventfd: a guest write that is an eventfd. */
#include "kselftest_harness.h"
#include <fcntl.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include "vt.h"

GUEST(g_pio);
GUEST(g_pio_match);
GUEST(g_mmio);
GUEST(g_wait);

static int irqfd(struct vt_vm *vm, int fd, uint32_t data, uint32_t flags)
{
	struct vitro_irqfd req = { .fd = fd, .flags = flags, .addr = VT_MSI, .data = data };

	return vt_ioctl(vm->fd, VITRO_IRQFD, &req);
}

static int ioeventfd(struct vt_vm *vm, int fd, uint64_t addr, uint32_t len, uint32_t flags,
		     uint64_t datamatch)
{
	struct vitro_ioeventfd req = {
		.addr = addr, .datamatch = datamatch, .len = len, .fd = fd, .flags = flags,
	};

	return vt_ioctl(vm->fd, VITRO_IOEVENTFD, &req);
}

/* How often the eventfd was signalled since the last call. */
static uint64_t signalled(int fd)
{
	uint64_t n;

	return read(fd, &n, sizeof(n)) == sizeof(n) ? n : 0;
}

static void *signal_later(void *fd)
{
	uint64_t one = 1;

	vt_sleep_ms(100);
	if (write(*(int *)fd, &one, sizeof(one)) != sizeof(one))
		vt_die("write to an eventfd failed");
	return NULL;
}

TEST(irqfd_interrupts)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_wait);
	int fd = eventfd(0, EFD_NONBLOCK);
	pthread_t thread;

	ASSERT_EQ(0, irqfd(cpu->vm, fd, 0x48, 0));
	ASSERT_EQ(1, vt_says(cpu));
	ASSERT_EQ(0, pthread_create(&thread, NULL, signal_later, &fd));
	ASSERT_EQ(0x48, vt_trap(cpu));			/* out of the sleep in HLT */
	ASSERT_EQ(2, vt_says(cpu));
	pthread_join(thread, NULL);
}

TEST(irqfd_deassigned)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_wait);
	int fd = eventfd(0, EFD_NONBLOCK);
	uint64_t one = 1;

	ASSERT_EQ(0, irqfd(cpu->vm, fd, 0x48, 0));
	ASSERT_EQ(1, vt_says(cpu));
	ASSERT_EQ(0, irqfd(cpu->vm, fd, 0x48, VITRO_IRQFD_DEASSIGN));
	ASSERT_EQ(sizeof(one), write(fd, &one, sizeof(one)));
	EXPECT_EQ(1, signalled(fd));			/* nobody took it */
	ASSERT_EQ(1, vt_msi(cpu->vm, VT_MSI, 0x49));
	ASSERT_EQ(0x49, vt_trap(cpu));			/* so this is the first */
	ASSERT_EQ(2, vt_says(cpu));
}

TEST(irqfd_refused)
{
	struct vt_vm *vm = vt_vm();
	int fd = eventfd(0, EFD_NONBLOCK), null = open("/dev/null", O_RDWR);

	EXPECT_EQ(-EBADF, irqfd(vm, -1, 0x48, 0));
	EXPECT_EQ(-EINVAL, irqfd(vm, null, 0x48, 0));
	EXPECT_EQ(-ENOENT, irqfd(vm, fd, 0x48, VITRO_IRQFD_DEASSIGN));
	EXPECT_EQ(-EINVAL, irqfd(vm, fd, 0x48, 0x80));
	EXPECT_EQ(0, irqfd(vm, fd, 0x48, 0));
	EXPECT_EQ(-EEXIST, irqfd(vm, fd, 0x49, 0));
}

/* One that is closed without being taken off goes by itself; the VM lives on. */
TEST(irqfd_closed)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_wait);
	int fd = eventfd(0, EFD_NONBLOCK);

	ASSERT_EQ(0, irqfd(cpu->vm, fd, 0x48, 0));
	close(fd);
	ASSERT_EQ(1, vt_says(cpu));
	ASSERT_EQ(1, vt_msi(cpu->vm, VT_MSI, 0x49));
	ASSERT_EQ(0x49, vt_trap(cpu));
	/* Another one under the same number is another one. */
	fd = eventfd(0, EFD_NONBLOCK);
	EXPECT_EQ(0, irqfd(cpu->vm, fd, 0x4a, 0));
}

TEST(ioeventfd_port)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_pio);
	int fd = eventfd(0, EFD_NONBLOCK);

	/* Width 2 only: the others exit. */
	ASSERT_EQ(0, ioeventfd(cpu->vm, fd, 0x510, 2, VITRO_IOEVENTFD_PIO, 0));
	ASSERT_EQ(VITRO_EXIT_IO, vt_run(cpu));
	EXPECT_EQ(1, cpu->comm->exit.io.size);
	EXPECT_EQ(0, signalled(fd));
	vt_finish(cpu);
	ASSERT_EQ(VITRO_EXIT_IO, vt_run(cpu));
	EXPECT_EQ(4, cpu->comm->exit.io.size);
	EXPECT_EQ(1, signalled(fd));
	vt_finish(cpu);
	ASSERT_EQ(1, vt_says(cpu));
	EXPECT_EQ(0, signalled(fd));
}

TEST(ioeventfd_any_width)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_pio);
	int fd = eventfd(0, EFD_NONBLOCK);

	ASSERT_EQ(0, ioeventfd(cpu->vm, fd, 0x510, 0, VITRO_IOEVENTFD_PIO, 0));
	ASSERT_EQ(1, vt_says(cpu));
	EXPECT_EQ(3, signalled(fd));
	/* Taken off, all three exit again. */
	ASSERT_EQ(0, ioeventfd(cpu->vm, fd, 0x510, 0,
			       VITRO_IOEVENTFD_PIO | VITRO_IOEVENTFD_DEASSIGN, 0));
	vt_jump(cpu, g_pio);
	ASSERT_EQ(VITRO_EXIT_IO, vt_run(cpu));
	EXPECT_EQ(0x510, cpu->comm->exit.io.port);
}

TEST(ioeventfd_datamatch)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_pio_match);
	int seven = eventfd(0, EFD_NONBLOCK), eight = eventfd(0, EFD_NONBLOCK);
	const uint32_t flags = VITRO_IOEVENTFD_PIO | VITRO_IOEVENTFD_DATAMATCH;

	ASSERT_EQ(0, ioeventfd(cpu->vm, seven, 0x510, 4, flags, 7));
	ASSERT_EQ(VITRO_EXIT_IO, vt_run(cpu));
	EXPECT_EQ(8, cpu->comm->exit.io.data);
	EXPECT_EQ(1, signalled(seven));
	vt_finish(cpu);
	ASSERT_EQ(1, vt_says(cpu));

	ASSERT_EQ(0, ioeventfd(cpu->vm, eight, 0x510, 4, flags, 8));
	vt_jump(cpu, g_pio_match);
	ASSERT_EQ(1, vt_says(cpu));
	EXPECT_EQ(1, signalled(seven));
	EXPECT_EQ(1, signalled(eight));
}

TEST(ioeventfd_mmio)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_mmio);
	int fd = eventfd(0, EFD_NONBLOCK), fd2 = eventfd(0, EFD_NONBLOCK);

	ASSERT_EQ(0, ioeventfd(cpu->vm, fd, NOWHERE, 4, VITRO_IOEVENTFD_DATAMATCH, 7));
	ASSERT_EQ(0, ioeventfd(cpu->vm, fd2, NOWHERE, 2, VITRO_IOEVENTFD_DATAMATCH, 7));
	cpu->gpr[VITRO_RBX] = NOWHERE;
	ASSERT_EQ(VITRO_EXIT_MMIO, vt_run(cpu)) vt_dump(cpu);
	EXPECT_EQ(NOWHERE + 0x10, cpu->comm->exit.mmio.gpa);
	EXPECT_EQ(3, signalled(fd));
	EXPECT_EQ(1, signalled(fd2));
}

TEST(ioeventfd_refused)
{
	struct vt_vm *vm = vt_vm();
	int fd = eventfd(0, EFD_NONBLOCK), null = open("/dev/null", O_RDWR);
	const uint32_t pio = VITRO_IOEVENTFD_PIO;

	EXPECT_EQ(-EBADF, ioeventfd(vm, -1, 0x510, 1, pio, 0));
	EXPECT_EQ(-EINVAL, ioeventfd(vm, null, 0x510, 1, pio, 0));
	EXPECT_EQ(-EINVAL, ioeventfd(vm, fd, 0x510, 3, pio, 0));
	EXPECT_EQ(-EINVAL, ioeventfd(vm, fd, 0x510, 8, pio, 0)) TH_LOG("a port is no 8 bytes");
	EXPECT_EQ(-EINVAL, ioeventfd(vm, fd, 0x510, 1, pio | 0x80, 0));
	EXPECT_EQ(-ENOENT, ioeventfd(vm, fd, 0x510, 1, pio | VITRO_IOEVENTFD_DEASSIGN, 0));
	EXPECT_EQ(0, ioeventfd(vm, fd, 0x510, 1, pio, 0));
	EXPECT_EQ(-EEXIST, ioeventfd(vm, fd, 0x510, 1, pio, 0));
	/* Ambiguous: a match of one value under one that takes them all. */
	EXPECT_EQ(-EEXIST, ioeventfd(vm, fd, 0x510, 1, pio | VITRO_IOEVENTFD_DATAMATCH, 5));
	/* A port is no address. */
	EXPECT_EQ(0, ioeventfd(vm, fd, 0x510, 1, 0, 0));
}

TEST_HARNESS_MAIN
