// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The module itself: not removable while in use, and as often as wanted when not.
 * VITRO_KO names the file, by default /vitro.ko.
 */
#include "kselftest_harness.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include "module.h"

GUEST(g_stubs);

/* devtmpfs makes and removes the node in a thread of its own. */
static bool node_exists(bool want)
{
	struct stat st;
	int i;

	for (i = 0; i < 100; i++) {
		if ((stat("/dev/vitro", &st) == 0) == want)
			return want;
		vt_sleep_ms(10);
	}
	return !want;
}

/* Runs a guest, to see that the module works; its fds are closed again. */
static void run_a_guest(struct __test_metadata *_metadata)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_stubs + 16 * 0x20);

	ASSERT_EQ(0x20, vt_trap(cpu));
	munmap(cpu->comm, cpu->vm->info.comm_size);
	close(cpu->fd);
	close(cpu->vm->fd);
	close(cpu->vm->dev);
}

/* Each kind of fd holds the module, and so does a mapping of the comm area. */
TEST(in_use)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_stubs);

	EXPECT_EQ(-EWOULDBLOCK, unload());
	close(cpu->vm->dev);
	EXPECT_EQ(-EWOULDBLOCK, unload());
	close(cpu->vm->fd);
	EXPECT_EQ(-EWOULDBLOCK, unload());
	close(cpu->fd);
	EXPECT_EQ(-EWOULDBLOCK, unload());
	munmap(cpu->comm, cpu->vm->info.comm_size);
}

TEST(loaded_twice)
{
	EXPECT_EQ(-EEXIST, load());
	run_a_guest(_metadata);
}

TEST(unload_and_load)
{
	int i;

	for (i = 0; i < 5; i++) {
		run_a_guest(_metadata);
		ASSERT_EQ(0, unload());
		ASSERT_FALSE(node_exists(false));
		ASSERT_EQ(-ENOENT, unload());
		ASSERT_EQ(0, load());
		ASSERT_TRUE(node_exists(true));
		run_a_guest(_metadata);
	}
}

/* Recording leaves something to be done a second later, which must not outlive the module. */
TEST(unload_after_recording)
{
	struct vitro_record_start start = { .nr = 32 };
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_stubs + 16 * 0x20);
	int ring = vt_ioctl(cpu->fd, VITRO_RECORD, &start);

	ASSERT_LE(0, ring);
	ASSERT_EQ(0x20, vt_trap(cpu));
	close(ring);
	munmap(cpu->comm, cpu->vm->info.comm_size);
	close(cpu->fd);
	close(cpu->vm->fd);
	close(cpu->vm->dev);
	ASSERT_EQ(0, unload());
	vt_sleep_ms(1500);
	ASSERT_EQ(0, load());
	ASSERT_TRUE(node_exists(true));
	run_a_guest(_metadata);
}

/* 0660, so that a group can be given access (a udev rule does). */
TEST(mode_of_the_node)
{
	struct stat st;

	ASSERT_EQ(0, stat("/dev/vitro", &st));
	EXPECT_EQ(S_IFCHR | 0660, st.st_mode);
}

TEST_HARNESS_MAIN
