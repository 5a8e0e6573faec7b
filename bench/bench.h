/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One small VMM, two hypervisors under it.  A row (rows_*.c) says what a guest does; struct
 * hypervisor has the few things that differ (hv_vitro.c, hv_kvm.c).
 *
 * What cannot go on ends the program with a sentence: die().
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/vitro.h>

#include "guest.h"

#define MAX_VCPUS	4

/**
 * struct machine - a VM of either hypervisor
 * @mem: hva of gpa 0
 * @vm: the hypervisor's own
 * @vcpu: likewise, one for each vCPU
 */
struct machine {
	char *mem;
	void *vm;
	void *vcpu[MAX_VCPUS];
};

/**
 * struct hypervisor - what to ask of /dev/vitro and /dev/kvm
 * @name: of the hypervisor
 * @vmx: the CPU is Intel's; set by @open
 * @open: opens the device
 * @vm_create: sets m->vm, without memory
 * @vm_destroy: and all its vCPUs
 * @slot: memory of the caller's at @gpa; @size 0 takes the slot away
 * @dirty_log: takes the log of @slot, of @pages pages, to @bitmap
 * @vcpu_create: sets m->vcpu[@id]
 * @cpuid: gives vCPU @id, which has not run, the CPUID table of vitro's vCPUs, and the MSR that
 *	goes with it
 * @start: loads the groups GPRS, SEGS and CRS of @state, and makes vCPU @id runnable
 * @run: runs vCPU @id until it writes to PORT_DONE; what comes before is answered
 * @run_nothing: VITRO_RUN or KVM_RUN that returns before the guest is entered
 * @ioeventfd: signals @fd for a guest's write of @len bytes to @addr, a port if @pio
 * @irqfd: sends VECTOR to vCPU 0 when @fd is signalled
 */
struct hypervisor {
	const char *name;
	bool vmx;
	void (*open)(struct hypervisor *hv);
	void (*vm_create)(struct machine *m);
	void (*vm_destroy)(struct machine *m);
	void (*slot)(struct machine *m, unsigned int slot, uint64_t gpa, uint64_t size, void *hva,
		     bool log_dirty);
	void (*dirty_log)(struct machine *m, unsigned int slot, uint64_t pages, uint64_t *bitmap);
	void (*vcpu_create)(struct machine *m, unsigned int id);
	void (*cpuid)(struct machine *m, unsigned int id);
	void (*start)(struct machine *m, unsigned int id, const struct vitro_state *state);
	void (*run)(struct machine *m, unsigned int id);
	void (*run_nothing)(struct machine *m);
	void (*ioeventfd)(struct machine *m, uint64_t addr, unsigned int len, bool pio, int fd);
	void (*irqfd)(struct machine *m, int fd);
};

extern struct hypervisor hv_vitro, hv_kvm;
extern struct hypervisor *hv;	/* the one that is measured */

_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));

/**
 * struct row - a thing that is measured
 * @name: of the row
 * @what: for the table
 * @cost: returns TSC ticks for one
 * @arg: for @cost; a snippet of guest.S, for example
 * @times: how often in one measurement
 */
struct row {
	const char *name;
	const char *what;
	double (*cost)(const struct row *row);
	const char *arg;
	unsigned int times;
};

extern const struct row guest_rows[], host_rows[], boot_rows[];	/* end with one without name */

extern const char guest_image[], guest_image_end[], guest_handler[], guest_apic_on[];
extern const char guest_initrd[], guest_initrd_end[];
uint64_t guest_address(const char *symbol);

/* What @cpuid of vitro leaves for @cpuid of KVM: the table, as an array. */
#define CPUID_FILE	"bench.cpuid"

struct machine *machine_new_empty(void);
struct machine *machine_new(void);
void machine_add_vcpu(struct machine *m, unsigned int id);
void machine_start(struct machine *m, unsigned int id, const char *snippet, uint64_t count);
uint64_t machine_time(struct machine *m, const char *snippet, unsigned int count);
bool device_out(uint16_t port, uint8_t value);
void *pages_new(size_t size, int advice);

static inline uint64_t rdtsc(void)
{
	uint32_t low, high;

	__asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) :: "memory");
	return (uint64_t)high << 32 | low;
}

#endif /* BENCH_H */
