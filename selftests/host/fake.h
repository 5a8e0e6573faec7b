/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A virtual machine made of ordinary memory, for tests of libvitro that need no
 * /dev/vitro.  Its file descriptors are -1 and all its state is valid, so that the
 * library has no reason to ask the kernel, and a test fails if it does.
 *
 *	gpa 0 to 2 MiB		RAM, whose hva is fake.ram
 *	gpa 0xc0000		4 KiB of ROM: a read-only slot
 *	gpa 0x10000000		a device: 4 KiB of registers that just remember
 *	elsewhere		nothing: reads give all ones
 */
#ifndef FAKE_H
#define FAKE_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "../../userspace/libvitro/internal.h"

#define RAM_SIZE	(2ULL << 20)
#define ROM		0xc0000ULL
#define DEVICE		0x10000000ULL
#define TABLES		0x10000ULL	/* of vitro_vcpu_set_mode() */
#define CODE		0x1000ULL	/* where the tests' instructions are */

/* An access that reached the bus. */
struct bus_access {
	uint64_t addr;
	uint64_t data;
	int size;
	bool write;
};

struct fake {
	struct vitro_vm vm;
	struct vitro_vcpu vcpu;
	struct vitro_comm *comm;
	struct vitro_state *state;	/* in comm */
	struct vitro_bus bus;
	uint8_t *ram;
	uint8_t rom[4096];
	uint8_t device[4096];
	struct bus_access access[64];	/* the first ones */
	unsigned int nr_access;
	int bus_error;			/* what the bus callbacks return */
};

static inline void fake_log(struct fake *fake, uint64_t addr, int size, bool write,
			    uint64_t data)
{
	if (fake->nr_access < ARRAY_LEN(fake->access))
		fake->access[fake->nr_access] = (struct bus_access){ addr, data, size, write };
	fake->nr_access++;
}

static inline int fake_mmio(void *opaque, struct vitro_vcpu *vcpu, uint64_t gpa, int size,
			    bool write, uint64_t *data)
{
	struct fake *fake = opaque;
	uint64_t offset = gpa - DEVICE;

	(void)vcpu;
	if (fake->bus_error)
		return fake->bus_error;
	if (offset > sizeof(fake->device) - size)
		*data = ~0ULL;
	else if (write)
		memcpy(fake->device + offset, data, size);
	else
		memcpy(data, fake->device + offset, size);
	fake_log(fake, gpa, size, write, *data);
	return 0;
}

/* Ports read as 0x44332211 plus the number of accesses so far. */
static inline int fake_io(void *opaque, struct vitro_vcpu *vcpu, uint16_t port, int size,
			  bool in, uint32_t *data)
{
	struct fake *fake = opaque;

	(void)vcpu;
	if (fake->bus_error)
		return fake->bus_error;
	if (in)
		*data = 0x44332211 + fake->nr_access;
	fake_log(fake, port, size, !in, *data);
	return 0;
}

static inline void fake_init(struct fake *fake)
{
	memset(fake, 0, sizeof(*fake));
	fake->ram = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	fake->comm = calloc(1, sizeof(*fake->comm));
	if (fake->ram == MAP_FAILED || !fake->comm)
		abort();
	fake->state = &fake->comm->state;
	fake->comm->valid = VITRO_STATE_ALL;
	fake->vm.fd = -1;
	fake->vm.max_slots = VITRO_MAX_SLOTS;
	fake->vm.gpa_bits = 40;
	pthread_rwlock_init(&fake->vm.lock, NULL);
	fake->vm.slot[0] = (struct vi_slot){ .gpa = 0, .size = ROM, .hva = fake->ram };
	fake->vm.slot[1] = (struct vi_slot){
		.gpa = ROM,
		.size = sizeof(fake->rom),
		.hva = fake->rom,
		.flags = VITRO_SLOT_READONLY,
	};
	fake->vm.slot[2] = (struct vi_slot){
		.gpa = ROM + sizeof(fake->rom),
		.size = RAM_SIZE - ROM - sizeof(fake->rom),
		.hva = fake->ram + ROM + sizeof(fake->rom),
	};
	fake->vm.nr_slots = 3;
	fake->vcpu.vm = &fake->vm;
	fake->vcpu.fd = -1;
	fake->vcpu.comm = fake->comm;
	fake->bus = (struct vitro_bus){ .io = fake_io, .mmio = fake_mmio, .opaque = fake };
}

static inline void fake_free(struct fake *fake)
{
	munmap(fake->ram, RAM_SIZE);
	free(fake->comm);
}

/* An MMIO exit of the instruction in @code, which is put at CODE. */
static inline void fake_exit_mmio(struct fake *fake, const void *code, size_t len)
{
	memcpy(fake->ram + CODE, code, len);
	fake->state->gprs.rip = CODE;
	memset(&fake->comm->exit, 0, sizeof(fake->comm->exit));
	fake->comm->exit.reason = VITRO_EXIT_MMIO;
	fake->nr_access = 0;
	fake->comm->dirty = 0;
}

#endif /* FAKE_H */
