// SPDX-License-Identifier: LGPL-2.1-or-later
/* A virtual processor: its life, running and stopping it, its state. */

#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "internal.h"

/* ------------------------------------------------------- kicks (see below) */

static void kick_handler(int sig)
{
	(void)sig;	/* being interrupted is all that is wanted */
}

/* The default action of the signal would end the process. */
static void kick_prepare(void)
{
	struct sigaction old, act = { .sa_handler = kick_handler };

	sigemptyset(&act.sa_mask);
	if (!sigaction(VITRO_KICK_SIGNAL, NULL, &old) && !(old.sa_flags & SA_SIGINFO) &&
	    old.sa_handler == SIG_DFL)
		sigaction(VITRO_KICK_SIGNAL, &act, NULL);
}

static int thread_id(void)
{
	static _Thread_local int id;

	if (!id)
		id = syscall(SYS_gettid);
	return id;
}

/* -------------------------------------------------------------------- life */

struct vitro_vcpu *vitro_vcpu_create(struct vitro_vm *vm, unsigned int id)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct vitro_create_vcpu arg = { .id = id };
	struct vitro_vcpu *vcpu = calloc(1, sizeof(*vcpu));
	int err;

	if (!vcpu)
		return vi_fail_ptr(ENOMEM, "no memory for a vCPU handle");
	pthread_once(&once, kick_prepare);
	vcpu->vm = vm;
	vcpu->fd = ioctl(vm->fd, VITRO_CREATE_VCPU, &arg);
	if (vcpu->fd < 0) {
		err = errno;
		free(vcpu);
		return vi_fail_ptr(err, "cannot create vCPU %u: %s", id,
				   err == EEXIST ? "the VM has one of that number" :
				   err == EINVAL ? "the number is too high" : strerror(err));
	}
	vcpu->comm_size = vm->comm_size;
	vcpu->comm = mmap(NULL, vcpu->comm_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	if (vcpu->comm == MAP_FAILED) {
		err = errno;
		close(vcpu->fd);
		free(vcpu);
		return vi_fail_ptr(err, "cannot map the comm area of vCPU %u: %s", id,
				   strerror(err));
	}
	return vcpu;
}

void vitro_vcpu_destroy(struct vitro_vcpu *vcpu)
{
	if (!vcpu)
		return;
	munmap(vcpu->comm, vcpu->comm_size);
	close(vcpu->fd);
	free(vcpu);
}

int vitro_vcpu_fd(const struct vitro_vcpu *vcpu)
{
	return vcpu->fd;
}

struct vitro_vm *vitro_vcpu_vm(const struct vitro_vcpu *vcpu)
{
	return vcpu->vm;
}

struct vitro_comm *vitro_vcpu_comm(const struct vitro_vcpu *vcpu)
{
	return vcpu->comm;
}

/* ----------------------------------------------------- running and stopping */

static const char *run_cause(int err)
{
	switch (err) {
	case EINVAL:
		return "a state group in comm->dirty has a value that the CPU would refuse";
	case EBUSY:
		return "another hypervisor holds the CPU; unload it (rmmod kvm_amd or kvm_intel)";
	case EIO:
		return "not the process that created the VM, or the VM is dead; see dmesg";
	default:
		return strerror(err);
	}
}

/*
 * The order makes sure that a kick is not lost.  The kicker sets immediate_exit and
 * then looks for the runner; the runner announces itself and then lets the kernel
 * look at immediate_exit.  Whichever is late sees what the other wrote: a kick before
 * VITRO_RUN makes it return at once, and one during VITRO_RUN sends the signal.
 *
 * Clearing immediate_exit afterwards may wipe out a kick that came between the
 * return and the clearing.  It has what it wants: VITRO_RUN has returned, and the
 * caller looks for work after that.
 */
int vitro_vcpu_run(struct vitro_vcpu *vcpu)
{
	struct vitro_comm *comm = vcpu->comm;
	int ret, err;

	__atomic_store_n(&vcpu->runner, thread_id(), __ATOMIC_SEQ_CST);
	ret = ioctl(vcpu->fd, VITRO_RUN, 0);
	err = errno;
	__atomic_store_n(&vcpu->runner, 0, __ATOMIC_SEQ_CST);
	__atomic_store_n(&comm->immediate_exit, 0, __ATOMIC_SEQ_CST);

	if (ret < 0)
		return vi_fail(err, "the vCPU does not run: %s", run_cause(err));
	return 0;
}

void vitro_vcpu_kick(struct vitro_vcpu *vcpu)
{
	int saved = errno;	/* may be called from a signal handler */
	int thread;

	__atomic_store_n(&vcpu->comm->immediate_exit, 1, __ATOMIC_SEQ_CST);
	thread = __atomic_load_n(&vcpu->runner, __ATOMIC_SEQ_CST);
	if (thread)
		syscall(SYS_tgkill, getpid(), thread, VITRO_KICK_SIGNAL);
	errno = saved;
}

/* ------------------------------------------------------------------- state */

int vitro_vcpu_get(struct vitro_vcpu *vcpu, uint64_t mask)
{
	struct vitro_comm *comm = vcpu->comm;
	/* Time goes on while the vCPU stands still: a copy of it is never up to date. */
	uint64_t current = (comm->valid & ~VITRO_STATE_TIME) | comm->dirty;
	struct vitro_state_mask arg = { .mask = mask & ~current };

	if (!arg.mask)
		return 0;
	if (ioctl(vcpu->fd, VITRO_GET_STATE, &arg) < 0)
		return vi_fail(errno, "cannot get state groups 0x%llx: %s",
			       (unsigned long long)arg.mask, strerror(errno));
	comm->valid |= arg.mask;
	return 0;
}

void vitro_vcpu_put(struct vitro_vcpu *vcpu, uint64_t mask)
{
	vcpu->comm->dirty |= mask;
}

int vitro_vcpu_set(struct vitro_vcpu *vcpu, uint64_t mask)
{
	struct vitro_comm *comm = vcpu->comm;
	struct vitro_state_mask arg = { .mask = mask };

	if (ioctl(vcpu->fd, VITRO_SET_STATE, &arg) < 0)
		return vi_fail(errno, "cannot set state groups 0x%llx: %s",
			       (unsigned long long)mask,
			       errno == EINVAL ? "one has a value that the CPU would refuse" :
			       strerror(errno));
	comm->dirty &= ~mask;
	comm->valid |= mask;
	return 0;
}

int vitro_vcpu_set_cpuid(struct vitro_vcpu *vcpu, const struct vitro_cpuid_entry *table,
			 unsigned int nr)
{
	struct vitro_cpuid arg = { .nr = nr, .entries = (uintptr_t)table };

	if (ioctl(vcpu->fd, VITRO_SET_CPUID, &arg) < 0)
		return vi_fail(errno, "cannot set a CPUID table of %u entries: %s", nr,
			       errno == EBUSY ? "the vCPU has run already" : strerror(errno));
	return 0;
}

/* --------------------------------------------------------------- local APIC */

static int lapic_rw(struct vitro_vcpu *vcpu, struct vitro_lapic_rw *arg)
{
	if (ioctl(vcpu->fd, VITRO_LAPIC_RW, arg) < 0)
		return vi_fail(errno, "APIC register 0x%x: %s", arg->offset,
			       errno == ENXIO ? "the APIC is off, or in x2APIC mode" :
			       strerror(errno));
	return 0;
}

int vitro_vcpu_lapic_read(struct vitro_vcpu *vcpu, uint32_t offset, uint32_t *value)
{
	struct vitro_lapic_rw arg = { .offset = offset };
	int ret = lapic_rw(vcpu, &arg);

	if (!ret)
		*value = arg.value;
	return ret;
}

int vitro_vcpu_lapic_write(struct vitro_vcpu *vcpu, uint32_t offset, uint32_t value)
{
	struct vitro_lapic_rw arg = {
		.offset = offset,
		.flags = VITRO_LAPIC_WRITE,
		.value = value,
	};

	return lapic_rw(vcpu, &arg);
}
