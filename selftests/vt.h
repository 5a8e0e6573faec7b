/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vt - a small machine to test with, on the raw ABI.
 *
 * A test reads like this:
 *
 *	TEST(adds)
 *	{
 *		struct vt_cpu *cpu = vt_boot(VT_LONG, g_adds);
 *
 *		ASSERT_EQ(5, vt_says(cpu));
 *		ASSERT_EQ(VITRO_EXIT_HLT, vt_run(cpu));
 *	}
 *
 * where g_adds is a snippet in guest/<theme>.S.  Each test is a process of its
 * own, and its end releases everything, so nothing is closed or freed here.
 *
 * What must work for a test to make sense at all is not asserted: these functions
 * print the reason and end the test as failed.  A guest that does not exit within
 * VT_SECONDS fails the test, too.
 */
#ifndef VT_H
#define VT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/vitro.h>
#include "guest/layout.h"

/*
 * Emulated, on a debug kernel, on a busy computer, 30,000 exits have taken longer than the
 * 20 and 30 seconds that these once were.  What never ends is found all the same.
 */
#define VT_SECONDS	60
#undef TEST_TIMEOUT_DEFAULT		/* of kselftest_harness.h, for a case */
#define TEST_TIMEOUT_DEFAULT	180

#define VT_NOTHING	(~0ULL)		/* vt_says(), vt_trap(): the guest did something else */
#define VT_MSI		0xfee00000ULL	/* MSI address of vCPU 0 */

/* Names from the guest image; their addresses are guest addresses. */
#define GUEST(name)	extern const char name[]

/* The image, as embedded in this program by guest/embed.S. */
extern const char guest_image[], guest_image_end[];

/**
 * struct vt_vm - a virtual machine
 * @dev: /dev/vitro
 * @fd: the VM
 * @mem: hva of gpa 0, MEM_SIZE bytes, with the guest image in it; slot 0
 * @info: VITRO_GET_INFO
 */
struct vt_vm {
	int dev;
	int fd;
	char *mem;
	struct vitro_info info;
};

/**
 * struct vt_cpu - a vCPU
 * @vm: its machine
 * @fd: the vCPU
 * @comm: its comm area; GPRS are wanted at every exit
 * @gpr: short for comm->state.gprs.gpr
 */
struct vt_cpu {
	struct vt_vm *vm;
	int fd;
	struct vitro_comm *comm;
	__u64 *gpr;
};

/**
 * struct vt_frame - what the handlers in guest/lib.S have on their stack
 */
struct vt_frame {
	uint64_t rax, vector, error;
	uint64_t rip, cs, rflags, rsp, ss;
};

/**
 * enum vt_mode - processor modes to start in; memory is flat in all of them
 * @VT_REAL: 16-bit real mode, IVT at 0
 * @VT_PROT: 32-bit protected mode without paging, empty IDT
 * @VT_PSE: ... with 32-bit paging
 * @VT_PAE: ... with PAE paging
 * @VT_LONG: 64-bit mode, the IDT leads to guest/lib.S
 */
enum vt_mode { VT_REAL, VT_PROT, VT_PSE, VT_PAE, VT_LONG };

_Noreturn void vt_die(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ioctl(2) that returns -errno on failure, so that one EXPECT_EQ checks both. */
int vt_ioctl(int fd, unsigned long request, const void *arg);

int vt_open(void);
struct vt_vm *vt_vm(void);
struct vt_cpu *vt_cpu(struct vt_vm *vm, unsigned int id);
void vt_set_mode(struct vt_cpu *cpu, enum vt_mode mode, const void *entry);
struct vt_cpu *vt_boot(enum vt_mode mode, const void *entry);	/* all of it, vCPU 0 */

int vt_slot(struct vt_vm *vm, uint32_t slot, uint64_t gpa, uint64_t size, const void *hva,
	    uint32_t flags);
void *vt_pages(size_t size);			/* zeroed private memory, not touched yet */
void *vt_ptr(struct vt_vm *vm, const void *sym);	/* hva of something in the image */
uint64_t vt_var(struct vt_vm *vm, const void *sym);	/* value of a VAR() */
int vt_msi(struct vt_vm *vm, uint64_t addr, uint32_t data);

void vt_get(struct vt_cpu *cpu, uint64_t mask);	/* VITRO_GET_STATE */
int vt_set(struct vt_cpu *cpu, uint64_t mask);		/* VITRO_SET_STATE or -errno */
uint64_t vt_stat(struct vt_cpu *cpu, unsigned int which);	/* VITRO_STATS, of vCPU 0 */
void vt_jump(struct vt_cpu *cpu, const void *entry);	/* go on there; GPRS must be valid */

/* VITRO_RUN, which gives VITRO_EXIT_INTR only for vt_interrupt() and immediate_exit. */
unsigned int vt_run(struct vt_cpu *cpu);		/* returns exit.reason */
void *vt_runner(void *cpu);				/* a thread's; returns 0 or -errno */
void vt_interrupt(int sig);				/* signal handler */
void *vt_interrupter(void *thread);			/* a thread's: SIGUSR1 for *thread, soon */
void vt_finish(struct vt_cpu *cpu);			/* step over the instruction that exited */
void vt_in(struct vt_cpu *cpu, uint32_t value);	/* ... which was IN and reads value */
void vt_raise(struct vt_cpu *cpu, uint8_t vector, int error);	/* error -1: has none */
uint64_t vt_says(struct vt_cpu *cpu);			/* run to the next PORT_SAY */
uint64_t vt_trap(struct vt_cpu *cpu);			/* run to the next PORT_TRAP */
struct vt_frame *vt_frame(struct vt_cpu *cpu);		/* after vt_trap() */
void vt_dump(struct vt_cpu *cpu);			/* print exit and registers */

uint64_t vt_now_ns(void);				/* CLOCK_MONOTONIC */
void vt_sleep_ms(unsigned int ms);

#endif /* VT_H */
