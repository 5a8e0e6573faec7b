// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Memory-mapped I/O: what the exit tells, and that libvitro can finish the
 * instruction.  The first half uses the raw ABI, the second the library.
 */
#include "kselftest_harness.h"
#include <vitro/vitro.h>
#include "vt.h"

GUEST(g_read);
GUEST(g_write);
GUEST(g_jump);
GUEST(g_rom);
GUEST(g_reads);
GUEST(g_writes);
GUEST(g_strings);
GUEST(g_modify);
GUEST(g_straddle);

TEST(read_exit)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_read);
	struct vitro_exit *e = &cpu->comm->exit;

	cpu->gpr[VITRO_RBX] = NOWHERE + 0x123;
	ASSERT_EQ(VITRO_EXIT_MMIO, vt_run(cpu)) vt_dump(cpu);
	EXPECT_EQ(NOWHERE + 0x123, e->mmio.gpa);	/* exact to the byte */
	EXPECT_EQ(VITRO_MMIO_READ, e->mmio.flags);
	EXPECT_EQ((uintptr_t)g_read, cpu->comm->state.gprs.rip);
	/* What finishing it takes comes with the exit. */
	EXPECT_EQ(VITRO_STATE_GPRS | VITRO_STATE_SEGS | VITRO_STATE_CRS,
		  cpu->comm->valid & (VITRO_STATE_GPRS | VITRO_STATE_SEGS | VITRO_STATE_CRS));
}

TEST(write_exit)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_write);
	struct vitro_exit *e = &cpu->comm->exit;

	cpu->gpr[VITRO_RBX] = NOWHERE;
	ASSERT_EQ(VITRO_EXIT_MMIO, vt_run(cpu)) vt_dump(cpu);
	EXPECT_EQ(NOWHERE + 3, e->mmio.gpa);
	EXPECT_EQ(VITRO_MMIO_WRITE, e->mmio.flags);
}

/* Executing where no memory is: there is no instruction to emulate, EXEC says so. */
TEST(exec_exit)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_jump);

	cpu->gpr[VITRO_RBX] = NOWHERE;
	ASSERT_EQ(VITRO_EXIT_MMIO, vt_run(cpu)) vt_dump(cpu);
	EXPECT_EQ(VITRO_MMIO_EXEC, cpu->comm->exit.mmio.flags & VITRO_MMIO_EXEC);
	EXPECT_EQ(NOWHERE, cpu->comm->exit.mmio.gpa);
	EXPECT_EQ(NOWHERE, cpu->comm->state.gprs.rip);
	EXPECT_EQ(0, cpu->comm->exit.insn_len);
}

/* Page tables where no memory is: WALK tells that the access is not the guest's own. */
TEST(walk_exit)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_read);

	cpu->comm->state.crs.cr3 = NOWHERE;
	ASSERT_EQ(VITRO_EXIT_MMIO, vt_run(cpu)) vt_dump(cpu);
	EXPECT_EQ(VITRO_MMIO_WALK, cpu->comm->exit.mmio.flags & VITRO_MMIO_WALK);
	EXPECT_EQ(NOWHERE, cpu->comm->exit.mmio.gpa & ~0xfffULL);
}

TEST(readonly_slot)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_rom);
	uint32_t *rom = vt_pages(4096);

	rom[0] = 0x0e0e0e0e;
	rom[1] = 0x600df00d;
	ASSERT_EQ(0, vt_slot(cpu->vm, 1, 0x400000, 4096, rom, VITRO_SLOT_READONLY));
	cpu->gpr[VITRO_RBX] = 0x400000;
	ASSERT_EQ(0x0e0e0e0e, vt_says(cpu));
	ASSERT_EQ(VITRO_EXIT_MMIO, vt_run(cpu));
	EXPECT_EQ(VITRO_MMIO_WRITE, cpu->comm->exit.mmio.flags);
	EXPECT_EQ(0x400004, cpu->comm->exit.mmio.gpa);
	EXPECT_EQ(0x600df00d, rom[1]);

	/* It is refused for good: running again gives the same exit. */
	ASSERT_EQ(VITRO_EXIT_MMIO, vt_run(cpu));
	EXPECT_EQ(0x600df00d, rom[1]);
}

/* ------------------------------------------------------- with the library */

#define DEVICE_SIZE	4096

/**
 * struct machine - a VM of libvitro's, and a device that is plain memory
 * @vm: @vcpu: @comm: the library's handles
 * @mem: hva of gpa 0
 * @bus: leads to @device at NOWHERE, and to @said at PORT_SAY
 * @device: its memory
 * @reads: @writes: accesses to it
 * @said: what the guest reported
 * @nr_said: how much of it
 */
struct machine {
	struct vitro_vm *vm;
	struct vitro_vcpu *vcpu;
	struct vitro_comm *comm;
	char *mem;
	struct vitro_bus bus;
	uint8_t device[DEVICE_SIZE];
	unsigned int reads, writes;
	uint64_t said[8];
	unsigned int nr_said;
};

static int device_mmio(void *opaque, struct vitro_vcpu *vcpu, uint64_t gpa, int size, bool write,
		       uint64_t *data)
{
	struct machine *m = opaque;

	(void)vcpu;
	if (gpa < NOWHERE || gpa - NOWHERE + size > DEVICE_SIZE)
		return -ENXIO;
	if (write) {
		memcpy(m->device + (gpa - NOWHERE), data, size);
		m->writes++;
	} else {
		*data = 0;
		memcpy(data, m->device + (gpa - NOWHERE), size);
		m->reads++;
	}
	return 0;
}

static int device_io(void *opaque, struct vitro_vcpu *vcpu, uint16_t port, int size, bool in,
		     uint32_t *data)
{
	struct machine *m = opaque;

	(void)vcpu;
	if (port != PORT_SAY || size != 4 || in || m->nr_said == ARRAY_SIZE(m->said))
		return -ENXIO;
	m->said[m->nr_said++] = *data;
	return 0;
}

static struct machine *new_machine(void)
{
	struct machine *m = calloc(1, sizeof(*m));
	struct vitro *dev = vitro_open(NULL);

	if (dev)
		m->vm = vitro_vm_create(dev);
	if (m->vm)
		m->mem = vitro_mem_alloc(m->vm, 0, MEM_SIZE, 0);
	if (m->mem)
		m->vcpu = vitro_vcpu_create(m->vm, 0);
	if (!m->vcpu)
		vt_die("%s", vitro_error());
	memcpy(m->mem + GUEST_BASE, guest_image, guest_image_end - guest_image);
	m->comm = vitro_vcpu_comm(m->vcpu);
	m->bus = (struct vitro_bus){ .io = device_io, .mmio = device_mmio, .opaque = m };
	return m;
}

/* Runs a snippet to its HLT, emulating all that comes out.  Returns 0 or -errno. */
static int emulate(struct machine *m, const void *entry)
{
	struct vitro_gprs *gprs = &m->comm->state.gprs;
	int ret;

	ret = vitro_vcpu_set_mode(m->vcpu, VITRO_MODE_LONG, (uintptr_t)entry, GDT);
	gprs->gpr[VITRO_RBX] = NOWHERE;
	gprs->gpr[VITRO_RSI] = FREE_MEM;
	while (!ret) {
		ret = vitro_vcpu_run(m->vcpu);
		if (ret)
			break;
		switch (m->comm->exit.reason) {
		case VITRO_EXIT_HLT:
			return 0;
		case VITRO_EXIT_INTR:
			break;
		case VITRO_EXIT_IO:
			ret = vitro_emulate_io(m->vcpu, &m->bus);
			break;
		case VITRO_EXIT_MMIO:
			ret = vitro_emulate_mmio(m->vcpu, &m->bus);
			break;
		default:
			vt_die("exit %u at %#llx", m->comm->exit.reason, gprs->rip);
		}
	}
	fprintf(stderr, "# %s\n", vitro_error());
	return ret;
}

TEST(emulated_reads)
{
	struct machine *m = new_machine();
	static const uint64_t want[] = {
		0xffffffffffffff90, 0xffffffffffff9190, 0x93929190, 0x9796959493929190,
		0x90, 0x9190, 0xffffffffffffff90, 0xffff9190, 0xffffffff93929190, 0x9000,
	};
	uint64_t *seen = (void *)(m->mem + FREE_MEM);
	size_t i;

	for (i = 0; i < 64; i++)
		m->device[i] = i + 0x80;
	ASSERT_EQ(0, emulate(m, g_reads));
	for (i = 0; i < ARRAY_SIZE(want); i++)
		EXPECT_EQ(want[i], seen[i]) TH_LOG("read %zu", i);
	EXPECT_EQ(ARRAY_SIZE(want), m->reads);
	EXPECT_EQ(0, m->writes);
}

TEST(emulated_writes)
{
	struct machine *m = new_machine();
	static const uint8_t want[32] = {
		0x11, 0x22, 0x11, 0x22, 0x11, 0x22, 0x33, 0x44,
		0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88,
		0xb1, 0x00, 0xb2, 0xb2, 0xb4, 0xb4, 0xb4, 0xb4,
		0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	};

	ASSERT_EQ(0, emulate(m, g_writes));
	EXPECT_EQ(0, memcmp(want, m->device, sizeof(want)));
	EXPECT_EQ(0, m->device[sizeof(want)]);
	EXPECT_EQ(9, m->writes);
	EXPECT_EQ(0, m->reads);
}

TEST(emulated_strings)
{
	struct machine *m = new_machine();

	memcpy(m->mem + FREE_MEM, "vitro!", 6);
	ASSERT_EQ(0, emulate(m, g_strings));
	EXPECT_EQ(0, memcmp("vitrowww\0", m->device, 9));
	EXPECT_EQ(0, memcmp("vitrowww\0", m->mem + FREE_MEM + 0x100, 9));
}

TEST(emulated_read_modify_write)
{
	struct machine *m = new_machine();
	static const uint64_t want[] = { 1, 2, 3, 0x80000000, 0x1234 };
	size_t i;

	ASSERT_EQ(0, emulate(m, g_modify));
	ASSERT_EQ(ARRAY_SIZE(want), m->nr_said);
	for (i = 0; i < ARRAY_SIZE(want); i++)
		EXPECT_EQ(want[i], m->said[i]) TH_LOG("step %zu", i);
}

/* The half in memory comes from memory, the other from the device. */
TEST(half_in_memory)
{
	struct machine *m = new_machine();
	uint8_t *page = vt_pages(4096);

	memset(page + 4092, 0xaa, 4);
	memset(m->device, 0xbb, 8);
	ASSERT_EQ(0, vitro_mem_map(m->vm, NOWHERE - 4096, 4096, page, 0));
	ASSERT_EQ(0, emulate(m, g_straddle));
	EXPECT_EQ(0xbbbbbbbbaaaaaaaa, *(uint64_t *)(m->mem + FREE_MEM));
}

/* A jump to the device cannot be emulated, and the error says why. */
TEST(emulated_exec_refused)
{
	struct machine *m = new_machine();

	ASSERT_EQ(-EFAULT, emulate(m, g_jump));
	EXPECT_LT(10, strlen(vitro_error()));
}

TEST_HARNESS_MAIN
