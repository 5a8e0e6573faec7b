// SPDX-License-Identifier: GPL-2.0-only
/*
 * The AMD-V backend: making a CPU a hypervisor for the length of a burst, and
 * entering the guest.  What an exit means is in exit.c.
 */
#include <linux/cpu.h>
#include <linux/mem_encrypt.h>
#include <linux/slab.h>
#include <asm/cpufeature.h>
#include <asm/debugreg.h>
#include <asm/msr.h>
#include <asm/trapnr.h>

#include "apic/apic.h"
#include "compat/compat.h"
#include "mm/pte_npt.h"
#include "svm/svm.h"

#define IOPM_ORDER	2	/* three pages of permission bits are needed (APM 2 15.10.1) */
#define MSRPM_ORDER	1	/* two pages (APM 2 15.11) */

DEFINE_PER_CPU(struct svm_cpu, svm_cpu);
u32 svm_nr_asids;

static void *iopm;
static void *msrpm;

static bool another_hypervisor(void)
{
	u64 efer;

	rdmsrq(MSR_EFER, efer);
	return efer & EFER_SVME;
}

static int svm_probe(const char **why)
{
	u32 eax, edx, unused;
	u64 vm_cr;

	if (!boot_cpu_has(X86_FEATURE_SVM)) {
		*why = "no SVM: not an AMD CPU, or turn on AMD-V (nested, in a VM) below us";
		return -ENODEV;
	}
	/* VM_CR.SVMDIS: EFER.SVME cannot be set (APM 2 15.30.1). */
	rdmsrq(MSR_VM_CR, vm_cr);
	if (vm_cr & BIT(4)) {
		*why = "the firmware has disabled SVM (VM_CR.SVMDIS): enable AMD-V in its setup";
		return -EACCES;
	}
	cpuid(0x8000000a, &eax, &svm_nr_asids, &unused, &edx);
	if (!(edx & SVM_FEATURE_NP)) {
		*why = "this CPU has SVM without nested paging, which vitro cannot do without";
		return -ENODEV;
	}
	if (another_hypervisor()) {
		*why = "another hypervisor holds the CPU (EFER.SVME): rmmod kvm_amd";
		return -EBUSY;
	}

	if (edx & SVM_FEATURE_NRIPS)
		svm_backend.features |= VITRO_CPU_NRIPS;
	if (edx & SVM_FEATURE_DECODE)
		svm_backend.features |= VITRO_CPU_DECODE;
	if (edx & SVM_FEATURE_FLUSH_ASID)
		svm_backend.features |= VITRO_CPU_FLUSH_ASID;
	if (edx & SVM_FEATURE_CLEAN)
		svm_backend.features |= VITRO_CPU_CLEAN_BITS;
	if (edx & SVM_FEATURE_VGIF)
		svm_backend.features |= VITRO_CPU_VGIF;
	if (edx & SVM_FEATURE_PAUSE)
		svm_backend.features |= VITRO_CPU_PAUSE_FILTER;

	npt_format_init();
	return 0;
}

/* Lets the guest read and write @msr without an exit (APM 2 15.11). */
static void msrpm_allow(u32 msr)
{
	u32 bit;

	if (msr < 0x2000)
		bit = 2 * msr;
	else	/* 0xc0000000 to 0xc0001fff, in the second 2 KiB */
		bit = 8 * 0x800 + 2 * (msr - 0xc0000000);
	__clear_bit(bit, msrpm);
	__clear_bit(bit + 1, msrpm);
}

static void svm_teardown(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct svm_cpu *c = per_cpu_ptr(&svm_cpu, cpu);

		if (c->hsave_pa)
			free_page((unsigned long)__va(__sme_clr(c->hsave_pa)));
		if (c->host_pa)
			free_page((unsigned long)__va(__sme_clr(c->host_pa)));
		c->hsave_pa = 0;
		c->host_pa = 0;
	}
	free_pages((unsigned long)iopm, IOPM_ORDER);
	free_pages((unsigned long)msrpm, MSRPM_ORDER);
	iopm = NULL;
	msrpm = NULL;
}

static int svm_setup(void)
{
	/* What VMLOAD and VMSAVE switch, the guest may have. */
	static const u32 allowed[] = {
		MSR_FS_BASE, MSR_GS_BASE, MSR_KERNEL_GS_BASE,
		MSR_STAR, MSR_LSTAR, MSR_CSTAR, MSR_SYSCALL_MASK,
		MSR_IA32_SYSENTER_CS, MSR_IA32_SYSENTER_ESP, MSR_IA32_SYSENTER_EIP,
	};
	int cpu, i;

	iopm = (void *)__get_free_pages(GFP_KERNEL, IOPM_ORDER);
	msrpm = (void *)__get_free_pages(GFP_KERNEL, MSRPM_ORDER);
	if (!iopm || !msrpm)
		goto nomem;
	memset(iopm, 0xff, PAGE_SIZE << IOPM_ORDER);
	memset(msrpm, 0xff, PAGE_SIZE << MSRPM_ORDER);
	for (i = 0; i < ARRAY_SIZE(allowed); i++)
		msrpm_allow(allowed[i]);

	for_each_possible_cpu(cpu) {
		struct svm_cpu *c = per_cpu_ptr(&svm_cpu, cpu);
		void *hsave = (void *)get_zeroed_page(GFP_KERNEL);
		void *host = (void *)get_zeroed_page(GFP_KERNEL);

		if (hsave)
			c->hsave_pa = __sme_pa(hsave);
		if (host)
			c->host_pa = __sme_pa(host);
		if (!hsave || !host)
			goto nomem;
	}
	return 0;

nomem:
	svm_teardown();
	return -ENOMEM;
}

static void svm_set_tsc_offset(struct vitro_vcpu *vcpu)
{
	struct svm_vcpu *svm = to_svm(vcpu);
	struct vmcb_control *c = &svm->vmcb->control;

	if (c->tsc_offset != vcpu->tsc_offset) {
		c->tsc_offset = vcpu->tsc_offset;
		svm_changed(svm, CLEAN_INTERCEPTS);
	}
}

/*
 * Makes this CPU a hypervisor.  VM_HSAVE_PA is left behind after the burst: it
 * does nothing with SVME off, and as long as it holds our page no other hypervisor
 * has been here, so the ASIDs in the TLB are still ours.
 */
static int svm_cpu_enter(struct vitro_vcpu *vcpu)
{
	struct svm_cpu *cpu = this_cpu_ptr(&svm_cpu);
	u64 hsave;

	rdmsrq(MSR_EFER, cpu->efer);
	if (cpu->efer & EFER_SVME)
		return -EBUSY;
	wrmsrq(MSR_EFER, cpu->efer | EFER_SVME);

	rdmsrq(MSR_VM_HSAVE_PA, hsave);
	if (hsave != cpu->hsave_pa) {
		wrmsrq(MSR_VM_HSAVE_PA, cpu->hsave_pa);
		asid_forget_all(cpu);
	}
	asm volatile("vmsave %0" : : "a"(cpu->host_pa) : "memory");
	/* An entry that was refused has left the event it was to deliver, for the dump. */
	to_svm(vcpu)->vmcb->control.eventinj = 0;
	svm_set_tsc_offset(vcpu);
	return 0;
}

static void svm_cpu_leave(struct vitro_vcpu *vcpu)
{
	wrmsrq(MSR_EFER, this_cpu_read(svm_cpu.efer));

	/* VMRUN put the guest's DR6 into the CPU, and the exit left it there. */
	if (to_svm(vcpu)->vmcb->save.dr6 != DR6_RESERVED)
		set_debugreg(DR6_RESERVED, 6);
}

static void svm_vcpu_free(struct vitro_vcpu *vcpu)
{
	struct svm_vcpu *svm = to_svm(vcpu);

	if (!svm)
		return;
	free_page((unsigned long)svm->vmcb);
	kfree(svm);
	vcpu->arch = NULL;
}

static int svm_vcpu_init(struct vitro_vcpu *vcpu)
{
	struct svm_vcpu *svm = kzalloc(sizeof(*svm), GFP_KERNEL_ACCOUNT);

	if (!svm)
		return -ENOMEM;
	vcpu->arch = svm;
	svm->vmcb = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!svm->vmcb) {
		svm_vcpu_free(vcpu);
		return -ENOMEM;
	}
	svm->vmcb_pa = __sme_pa(svm->vmcb);
	svm->asid_cpu = -1;
	vmcb_init(vcpu, __sme_pa(iopm), __sme_pa(msrpm), vcpu->vm->mmu.root_hpa);
	return 0;
}

/* INT3 and INTO are one byte long, and traps. */
static bool is_int3(u8 vector)
{
	return vector == X86_TRAP_BP || vector == X86_TRAP_OF;
}

static bool has_nrips(void)
{
	return svm_backend.features & VITRO_CPU_NRIPS;
}

/* An event in the format of EVENTINJ (APM 2 15.20). */
static u64 event_to_eventinj(const struct vcpu_event *ev)
{
	u64 inj = EVENT_V | ev->vector;

	switch (ev->type) {
	case EV_NMI:
		inj |= EVENT_IS_NMI;
		break;
	case EV_EXCEPTION:
		inj |= EVENT_IS_EXCEPTION;
		break;
	default:
		inj |= EVENT_IS_INTR;
		break;
	}
	if (ev->has_error)
		inj |= EVENT_EV | (u64)ev->error << 32;
	return inj;
}

/*
 * What EXITINTINFO says was being delivered when the guest exited.  Only bit 31
 * makes the rest meaningful.  INT n and INT3, INTO start anew when the guest goes
 * on, since RIP still points at them: they are not to be delivered again.
 */
static void complete_events(struct vitro_vcpu *vcpu, u64 info)
{
	struct vcpu_event *ev = &vcpu->events.inflight;
	struct svm_vcpu *svm = to_svm(vcpu);

	*ev = (struct vcpu_event){ .type = EV_NONE };
	if (!(info & EVENT_V))
		return;
	ev->vector = info & EVENT_VECTOR;
	switch (info & EVENT_TYPE) {
	case EVENT_IS_INTR:
		ev->type = EV_INTR;
		break;
	case EVENT_IS_NMI:
		ev->type = EV_NMI;
		vcpu->events.nmi_blocked = false;
		break;
	case EVENT_IS_EXCEPTION:
		if (is_int3(ev->vector)) {
			if (svm->injected.type != EV_EXCEPTION ||
			    svm->injected.vector != ev->vector)
				break;
			/* Not the guest's INT3, but ours: back to where svm_inject() began. */
			if (!has_nrips())
				vcpu->regs.rip--;
		}
		ev->type = EV_EXCEPTION;
		ev->has_error = info & EVENT_EV;
		ev->error = info >> 32;
		break;
	}
}

static void svm_inject(struct vitro_vcpu *vcpu, const struct vcpu_event *ev)
{
	struct svm_vcpu *svm = to_svm(vcpu);

	svm->vmcb->control.eventinj = event_to_eventinj(ev);
	svm->injected = *ev;
	/* The RIP on the stack is that of the next instruction: nRIP, where there is one. */
	if (ev->type == EV_EXCEPTION && is_int3(ev->vector)) {
		svm->vmcb->control.nrip = vcpu->regs.rip + 1;
		if (!has_nrips())
			vcpu->regs.rip++;
	}
	/* Without virtual NMIs, the handler's IRET is how we know its end. */
	if (ev->type == EV_NMI) {
		svm->vmcb->control.intercept_misc1 |= INTERCEPT_IRET;
		svm_changed(svm, CLEAN_INTERCEPTS);
		svm->iret = false;
	}
}

static void svm_set_window(struct vitro_vcpu *vcpu, unsigned int windows)
{
	struct svm_vcpu *svm = to_svm(vcpu);
	struct vmcb_control *c = &svm->vmcb->control;

	if (windows != svm->windows) {
		svm->windows = windows;
		svm_changed(svm, CLEAN_INTERCEPTS | CLEAN_TPR);
	}

	/* A virtual interrupt that we intercept at the moment it would be taken. */
	if (windows & WINDOW_IRQ) {
		c->vintr |= V_IRQ | V_INTR_PRIO_MAX | V_IGN_TPR;
		c->intercept_misc1 |= INTERCEPT_VINTR;
	} else {
		c->vintr &= ~(V_IRQ | V_INTR_PRIO_MAX | V_IGN_TPR);
		c->intercept_misc1 &= ~INTERCEPT_VINTR;
	}

	/*
	 * QEMU 7.2 aborts when a guest writes CR8 while V_IRQ is set; the exit for
	 * it costs nothing that matters.
	 */
	if (windows & (WINDOW_TPR | WINDOW_IRQ))
		c->intercept_cr |= INTERCEPT_CR_WRITE(8);
	else
		c->intercept_cr &= ~INTERCEPT_CR_WRITE(8);

	/*
	 * The end of the NMI handler's IRET, or of a shadow, has no intercept: step
	 * over that one instruction, for a #DB behind it.  A guest that steps itself
	 * gives us that #DB anyway.
	 */
	if ((windows & WINDOW_NMI) && (svm->iret || vcpu->shadow) &&
	    !(vcpu->regs.rflags & X86_EFLAGS_TF)) {
		svm->step = svm->iret ? STEP_IRET : STEP_SHADOW;
		vcpu->regs.rflags |= X86_EFLAGS_TF;
	}
}

static void svm_tlb_flush(struct vitro_vcpu *vcpu)
{
	to_svm(vcpu)->flush = true;
}

static void svm_intercept_drs(struct vitro_vcpu *vcpu, bool on)
{
	struct svm_vcpu *svm = to_svm(vcpu);

	svm->vmcb->control.intercept_dr = on ? INTERCEPT_DR_ALL : 0;
	svm_changed(svm, CLEAN_INTERCEPTS);
}

static void svm_intercept_exceptions(struct vitro_vcpu *vcpu, u32 vectors)
{
	struct svm_vcpu *svm = to_svm(vcpu);

	svm->vmcb->control.intercept_exceptions = SVM_EXCEPTIONS | vectors;
	svm->watch_int = vectors & BIT(X86_TRAP_BP);
	svm_intercept_int(svm, svm->watch_int);
}

static u64 svm_dr7(struct vitro_vcpu *vcpu)
{
	return to_svm(vcpu)->vmcb->save.dr7;
}

static u64 svm_dr6(struct vitro_vcpu *vcpu)
{
	return to_svm(vcpu)->vmcb->save.dr6;
}

static void svm_set_dr6(struct vitro_vcpu *vcpu, u64 value)
{
	struct svm_vcpu *svm = to_svm(vcpu);

	svm->vmcb->save.dr6 = value;
	svm_changed(svm, CLEAN_DRX);
}

static u8 svm_cpl(struct vitro_vcpu *vcpu)
{
	return to_svm(vcpu)->vmcb->save.cpl;
}

static bool svm_is_64bit(struct vitro_vcpu *vcpu)
{
	const struct vmcb_save *s = &to_svm(vcpu)->vmcb->save;

	return (s->efer & EFER_LMA) && (s->cs.attrib & VITRO_SEG_L);
}

/* After an exit; not after an entry that was refused, which leaves no state. */
static void read_back(struct vitro_vcpu *vcpu)
{
	struct svm_vcpu *svm = to_svm(vcpu);
	struct vmcb_control *c = &svm->vmcb->control;
	struct vmcb_save *s = &svm->vmcb->save;

	vcpu->regs.gpr[VITRO_RAX] = s->rax;
	vcpu->regs.gpr[VITRO_RSP] = s->rsp;
	vcpu->regs.rip = s->rip;
	vcpu->regs.rflags = s->rflags;
	vcpu->shadow = c->interrupt_state & INTERRUPT_SHADOW;
	if ((c->vintr & 0xf) != vcpu->apic.tpr >> 4)
		lapic_set_tpr(vcpu, (c->vintr & 0xf) << 4);
	complete_events(vcpu, c->exitintinfo);

	/* Past the IRET of the NMI handler, NMIs are open again. */
	if (svm->iret && s->rip != svm->iret_rip) {
		svm->iret = false;
		vcpu->events.nmi_blocked = false;
	}
}

static void svm_run(struct vitro_vcpu *vcpu)
{
	struct svm_cpu *cpu = this_cpu_ptr(&svm_cpu);
	struct svm_vcpu *svm = to_svm(vcpu);
	struct vmcb_control *c = &svm->vmcb->control;
	struct vmcb_save *s = &svm->vmcb->save;

	s->rax = vcpu->regs.gpr[VITRO_RAX];
	s->rsp = vcpu->regs.gpr[VITRO_RSP];
	s->rip = vcpu->regs.rip;
	s->rflags = vcpu->regs.rflags;
	c->interrupt_state = vcpu->shadow ? INTERRUPT_SHADOW : 0;
	if ((c->vintr & V_TPR_MASK) != vcpu->apic.tpr >> 4) {
		c->vintr = (c->vintr & ~V_TPR_MASK) | vcpu->apic.tpr >> 4;
		svm_changed(svm, CLEAN_TPR);
	}
	asid_prepare(vcpu, cpu);
	c->clean_bits = svm_backend.features & VITRO_CPU_CLEAN_BITS ? svm->clean : 0;

	svm_enter_guest(&vcpu->regs, svm->vmcb_pa, cpu->host_pa);

	if (svm_refused(c)) {
		vcpu->events.inflight = svm->injected;
	} else {
		asid_entered(vcpu, cpu);
		svm->clean = CLEAN_ALL;
		c->eventinj = 0;
		read_back(vcpu);
		if (svm->watch_int)
			svm_intercept_int(svm, true);
	}
	svm->injected.type = EV_NONE;
	svm_translate_exit(vcpu);
}

struct vitro_backend svm_backend = {
	.name = "AMD-V",
	.vendor = VITRO_VENDOR_SVM,
	.tdp = &npt_format,
	.probe = svm_probe,
	.setup = svm_setup,
	.teardown = svm_teardown,
	.cpu_enter = svm_cpu_enter,
	.cpu_leave = svm_cpu_leave,
	.vcpu_init = svm_vcpu_init,
	.vcpu_free = svm_vcpu_free,
	.vcpu_reset = vmcb_reset,
	.load_state = vmcb_load_state,
	.store_state = vmcb_store_state,
	.run = svm_run,
	.inject = svm_inject,
	.set_window = svm_set_window,
	.set_tsc_offset = svm_set_tsc_offset,
	.tlb_flush = svm_tlb_flush,
	.intercept_drs = svm_intercept_drs,
	.intercept_exceptions = svm_intercept_exceptions,
	.dr6 = svm_dr6,
	.set_dr6 = svm_set_dr6,
	.dr7 = svm_dr7,
	.cpl = svm_cpl,
	.is_64bit = svm_is_64bit,
	.code = vmcb_code,
	.dump = vmcb_dump,
	.get_msr = vmcb_get_msr,
	.set_msr = vmcb_set_msr,
	.set_cr4 = vmcb_set_cr4,
};
