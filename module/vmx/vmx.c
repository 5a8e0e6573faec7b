// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VT-x backend: making a CPU a hypervisor for the length of a burst, and
 * entering the guest.  What an exit means is in exit.c.
 */
#include <linux/bitmap.h>
#include <linux/cpu.h>
#include <linux/idr.h>
#include <linux/slab.h>
#include <asm/cpufeature.h>
#include <asm/debugreg.h>
#include <asm/desc.h>
#include <asm/msr.h>
#include <asm/trapnr.h>

#include "apic/apic.h"
#include "compat/compat.h"
#include "mm/pte_ept.h"
#include "vmx/vmx.h"

static DEFINE_PER_CPU(struct vmx_cpu, vmx_cpu);

static const u32 syscall_msrs[VMX_NR_SYSCALL] = {
	[VMX_STAR] = MSR_STAR,
	[VMX_LSTAR] = MSR_LSTAR,
	[VMX_CSTAR] = MSR_CSTAR,
	[VMX_SFMASK] = MSR_SYSCALL_MASK,
};

static DEFINE_PER_CPU(u64 [VMX_NR_SYSCALL], host_syscall);

static DEFINE_IDA(vpids);
static void *msr_bitmap;

/* The CR4 register itself: the kernel's own copy does not know of VMXE, nor need it. */
static void write_cr4(unsigned long value)
{
	asm volatile("mov %0, %%cr4" : : "r"(value) : "memory");
}

static int vmx_probe(const char **why)
{
	int ret = caps_probe(why);

	if (ret)
		return ret;
	if (vmx_caps.ept & EPT_CAP_2M)
		ept_format.max_leaf = vmx_caps.ept & EPT_CAP_1G ? 3 : 2;
	/*
	 * A guest that fetches by a translation whose page size it has just changed can stop
	 * the machine.  It changes its own pages as it likes; so ours are small where it
	 * fetches.
	 */
	if (boot_cpu_has_bug(X86_BUG_ITLB_MULTIHIT) && !cpu_mitigations_off())
		ept_format.fetch = EPT_X;
	if (vmx_caps.cpu2 & CPU2_PML) {
		vmx_backend.features |= VITRO_CPU_PML;
		ept_format.watch = EPT_D;
	}
	if (vmx_caps.cpu2 & CPU2_PAUSE_LOOP)
		vmx_backend.features |= VITRO_CPU_PAUSE_FILTER;
	vmx_backend.watches_deadline = vmx_caps.pin & PIN_PREEMPTION_TIMER;
	return 0;
}

/* Lets the guest read and write @msr without an exit (SDM 3C 25.6.9). */
static void allow_msr(u32 msr)
{
	int high = msr < 0x2000 ? 0 : 8 * 0x400;
	int bit = high + (msr & 0x1fff);

	__clear_bit(bit, msr_bitmap);
	__clear_bit(bit + 8 * 0x800, msr_bitmap);
}

static void vmx_teardown(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct vmx_cpu *c = per_cpu_ptr(&vmx_cpu, cpu);

		if (c->vmxon_pa)
			free_page((unsigned long)__va(c->vmxon_pa));
		c->vmxon_pa = 0;
	}
	free_page((unsigned long)msr_bitmap);
	msr_bitmap = NULL;
}

static int vmx_setup(void)
{
	/* What the VMCS or the burst switches, the guest may have. */
	static const u32 allowed[] = {
		MSR_FS_BASE, MSR_GS_BASE, MSR_KERNEL_GS_BASE,
		MSR_STAR, MSR_LSTAR, MSR_CSTAR, MSR_SYSCALL_MASK,
		MSR_IA32_SYSENTER_CS, MSR_IA32_SYSENTER_ESP, MSR_IA32_SYSENTER_EIP,
	};
	int cpu, i;

	msr_bitmap = (void *)__get_free_page(GFP_KERNEL);
	if (!msr_bitmap)
		return -ENOMEM;
	memset(msr_bitmap, 0xff, PAGE_SIZE);
	for (i = 0; i < ARRAY_SIZE(allowed); i++)
		allow_msr(allowed[i]);

	for_each_possible_cpu(cpu) {
		u32 *region = (u32 *)get_zeroed_page(GFP_KERNEL);

		if (!region) {
			vmx_teardown();
			return -ENOMEM;
		}
		*region = BASIC_REVISION(vmx_caps.basic);
		per_cpu(vmx_cpu, cpu).vmxon_pa = __pa(region);
	}
	return 0;
}

/* ------------------------------------------------------------------- the VMCS */

/**
 * vmx_open - make @vcpu's VMCS current, to read and write it
 * @vcpu: the vCPU
 * @access: for vmx_close
 *
 * In a burst it is current already.  Outside of one, interrupts are off until
 * vmx_close.  If another hypervisor has taken this CPU since, its VMCS makes room for
 * ours, and comes back: nothing else of it is touched.
 */
void vmx_open(struct vitro_vcpu *vcpu, struct vmx_access *access)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);

	access->opened = !vmx->loaded;
	if (!access->opened)
		return;
	local_irq_save(access->flags);
	access->cr4 = __read_cr4();
	access->owner = !(access->cr4 & X86_CR4_VMXE);
	if (access->owner) {
		write_cr4(access->cr4 | X86_CR4_VMXE);
		WARN_ON_ONCE(!vmx_on(this_cpu_read(vmx_cpu.vmxon_pa)));
	} else {
		access->other_vmcs = vmptrst();
	}
	vmptrld(vmx->vmcs_pa);
	vmx->loaded = true;
}

/**
 * vmx_close - undo vmx_open
 * @vcpu: the vCPU
 * @access: what vmx_open filled in
 */
void vmx_close(struct vitro_vcpu *vcpu, struct vmx_access *access)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);

	if (!access->opened)
		return;
	vmx->loaded = false;
	vmclear(vmx->vmcs_pa);
	if (access->owner) {
		vmx_off();
		write_cr4(access->cr4);
	} else if (access->other_vmcs != ~0ULL) {
		vmptrld(access->other_vmcs);
	}
	local_irq_restore(access->flags);
}

static void vmx_vcpu_free(struct vitro_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);

	if (!vmx)
		return;
	if (vmx->vpid)
		ida_free(&vpids, vmx->vpid);
	free_page((unsigned long)vmx->pml);
	free_page((unsigned long)vmx->vapic);
	free_page((unsigned long)vmx->vmcs);
	kfree(vmx);
	vcpu->arch = NULL;
}

static int vmx_vcpu_init(struct vitro_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = kzalloc(sizeof(*vmx), GFP_KERNEL_ACCOUNT);
	struct vmx_access access;
	int vpid;

	if (!vmx)
		return -ENOMEM;
	vcpu->arch = vmx;
	vmx->last_cpu = -1;
	vmx->vmcs = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	vmx->vapic = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!vmx->vmcs || !vmx->vapic)
		goto nomem;
	if (vmx_caps.cpu2 & CPU2_PML) {
		vmx->pml = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
		if (!vmx->pml)
			goto nomem;
	}
	if (vmx_caps.cpu2 & CPU2_VPID) {
		/* 0 is the host. */
		vpid = ida_alloc_range(&vpids, 1, U16_MAX, GFP_KERNEL_ACCOUNT);
		if (vpid < 0)
			goto nomem;
		vmx->vpid = vpid;
	}
	*(u32 *)vmx->vmcs = BASIC_REVISION(vmx_caps.basic);
	vmx->vmcs_pa = __pa(vmx->vmcs);
	/* SDM 3C 25.6.11: write-back tables of four levels. */
	vmx->eptp = vcpu->vm->mmu.root_hpa | 6 | (4 - 1) << 3;
	if (vmx_caps.ept & EPT_CAP_AD)
		vmx->eptp |= BIT(6);

	vmx_open(vcpu, &access);
	vmcs_init(vcpu, __pa(msr_bitmap));
	vmx_close(vcpu, &access);
	return 0;

nomem:
	vmx_vcpu_free(vcpu);
	return -ENOMEM;
}

/* -------------------------------------------------------------------- a burst */

static u64 tr_base(const struct desc_ptr *gdt)
{
	struct ldttss_desc *d;
	u16 tr;

	asm("str %0" : "=r"(tr));
	d = (void *)(gdt->address + (tr & ~7));
	return d->base0 | d->base1 << 16 | (u64)d->base2 << 24 | (u64)d->base3 << 32;
}

/* Where the next exit finds the host (SDM 3C 28.5); this CPU, this thread. */
static void write_host_state(struct vmx_cpu *cpu)
{
	u64 value;
	u16 tr;

	vmcs_write(HOST_CR0, read_cr0());
	vmcs_write(HOST_CR3, __read_cr3());
	vmcs_write(HOST_CR4, __read_cr4());

	/* Exits refuse selectors of the LDT or of user rings: those come back by hand. */
	vmcs_write(HOST_CS_SELECTOR, __KERNEL_CS);
	vmcs_write(HOST_SS_SELECTOR, __KERNEL_DS);
	vmcs_write(HOST_ES_SELECTOR, 0);
	vmcs_write(HOST_DS_SELECTOR, 0);
	vmcs_write(HOST_FS_SELECTOR, 0);
	vmcs_write(HOST_GS_SELECTOR, 0);
	asm("str %0" : "=r"(tr));
	vmcs_write(HOST_TR_SELECTOR, tr);

	rdmsrq(MSR_FS_BASE, value);
	vmcs_write(HOST_FS_BASE, value);
	rdmsrq(MSR_GS_BASE, value);
	vmcs_write(HOST_GS_BASE, value);
	vmcs_write(HOST_TR_BASE, tr_base(&cpu->gdt));
	vmcs_write(HOST_GDTR_BASE, cpu->gdt.address);
	vmcs_write(HOST_IDTR_BASE, cpu->idt.address);

	rdmsrq(MSR_IA32_SYSENTER_CS, value);
	vmcs_write(HOST_SYSENTER_CS, value);
	rdmsrq(MSR_IA32_SYSENTER_ESP, value);
	vmcs_write(HOST_SYSENTER_ESP, value);
	rdmsrq(MSR_IA32_SYSENTER_EIP, value);
	vmcs_write(HOST_SYSENTER_EIP, value);
	rdmsrq(MSR_EFER, value);
	vmcs_write(HOST_IA32_EFER, value);
	rdmsrq(MSR_IA32_CR_PAT, value);
	vmcs_write(HOST_IA32_PAT, value);
}

static void save_host(struct vmx_cpu *cpu)
{
	native_store_gdt(&cpu->gdt);
	store_idt(&cpu->idt);
	savesegment(es, cpu->es);
	savesegment(ds, cpu->ds);
	savesegment(fs, cpu->fs);
	savesegment(gs, cpu->gs);
	store_ldt(cpu->ldt);
	rdmsrq(MSR_KERNEL_GS_BASE, cpu->kernel_gs_base);
	rdmsrq(MSR_IA32_DEBUGCTLMSR, cpu->debugctl);
}

/* What exits clear or spoil, beside what the VMCS brings back (SDM 3C 28.5.2). */
static void restore_host(struct vmx_cpu *cpu)
{
	u64 fs_base;

	native_load_gdt(&cpu->gdt);
	load_idt(&cpu->idt);
	/* The limit of TR is 67h now: too short for an I/O permission map. */
	invalidate_tss_limit();
	if (cpu->ldt)
		asm volatile("lldt %0" : : "r"(cpu->ldt));
	if (cpu->es)
		loadsegment(es, cpu->es);
	if (cpu->ds)
		loadsegment(ds, cpu->ds);
	if (cpu->fs) {
		rdmsrq(MSR_FS_BASE, fs_base);
		loadsegment(fs, cpu->fs);
		wrmsrq(MSR_FS_BASE, fs_base);
	}
	if (cpu->gs)
		load_gs_index(cpu->gs);
	wrmsrq(MSR_KERNEL_GS_BASE, cpu->kernel_gs_base);
	if (cpu->debugctl)
		wrmsrq(MSR_IA32_DEBUGCTLMSR, cpu->debugctl);
}

static int vmx_cpu_enter(struct vitro_vcpu *vcpu)
{
	struct vmx_cpu *cpu = this_cpu_ptr(&vmx_cpu);
	u64 *host = this_cpu_ptr(host_syscall);
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	int i;

	cpu->cr4 = __read_cr4();
	if (cpu->cr4 & X86_CR4_VMXE)
		return -EBUSY;
	write_cr4(cpu->cr4 | X86_CR4_VMXE);
	if (!vmx_on(cpu->vmxon_pa)) {
		write_cr4(cpu->cr4);
		return -EIO;
	}
	vmptrld(vmx->vmcs_pa);
	vmx->loaded = true;
	vmx->launched = false;
	if (vmx->last_cpu != vcpu->cpu) {
		vmx->last_cpu = vcpu->cpu;
		vmx->flush = true;
	}

	save_host(cpu);
	write_host_state(cpu);
	/* An entry that was refused has left the event it was to deliver, for the dump. */
	vmcs_write(VM_ENTRY_INTERRUPTION_INFO, 0);
	vmcs_write(TSC_OFFSET, vcpu->tsc_offset);
	for (i = 0; i < VMX_NR_SYSCALL; i++) {
		rdmsrq(syscall_msrs[i], host[i]);
		wrmsrq(syscall_msrs[i], vmx->syscall[i]);
	}
	wrmsrq(MSR_KERNEL_GS_BASE, vmx->kernel_gs_base);
	/* Once a burst: from here to its end nothing but vitro and this guest runs here. */
	if (vmx_caps.flush_l1d)
		wrmsrq(MSR_IA32_FLUSH_CMD, L1D_FLUSH);
	return 0;
}

static void vmx_cpu_leave(struct vitro_vcpu *vcpu)
{
	struct vmx_cpu *cpu = this_cpu_ptr(&vmx_cpu);
	u64 *host = this_cpu_ptr(host_syscall);
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	int i;

	for (i = 0; i < VMX_NR_SYSCALL; i++) {
		rdmsrq(syscall_msrs[i], vmx->syscall[i]);
		wrmsrq(syscall_msrs[i], host[i]);
	}
	rdmsrq(MSR_KERNEL_GS_BASE, vmx->kernel_gs_base);
	vmx->loaded = false;
	vmclear(vmx->vmcs_pa);
	vmx_off();
	write_cr4(cpu->cr4);
	restore_host(cpu);
}

/* ------------------------------------------------------------ entry and events */

static void vmx_inject(struct vitro_vcpu *vcpu, const struct vcpu_event *ev)
{
	u32 info = INTERRUPTION_VALID | ev->vector;

	switch (ev->type) {
	case EV_NMI:
		info |= INTERRUPTION_NMI;
		break;
	case EV_EXCEPTION:
		info |= INTERRUPTION_EXCEPTION;
		break;
	default:
		info |= INTERRUPTION_EXTERNAL;
		break;
	}
	/*
	 * #BP and #OF are software exceptions (SDM 3C 25.8.3), whose RIP on the stack
	 * is that of the next instruction: as if the guest had executed INT3 or INTO.
	 */
	if (ev->type == EV_EXCEPTION &&
	    (ev->vector == X86_TRAP_BP || ev->vector == X86_TRAP_OF)) {
		info = INTERRUPTION_VALID | INTERRUPTION_SOFT_EXCEPTION | ev->vector;
		vmcs_write(VM_ENTRY_INSTRUCTION_LENGTH, 1);
	}
	/* Real mode pushes no error codes, and VM entry refuses one there. */
	if (ev->has_error && (vmcs_get_cr0() & X86_CR0_PE)) {
		info |= INTERRUPTION_ERROR;
		vmcs_write(VM_ENTRY_EXCEPTION_ERROR_CODE, ev->error);
	}
	vmcs_write(VM_ENTRY_INTERRUPTION_INFO, info);
	to_vmx(vcpu)->injected = *ev;
}

/* What was being delivered when the guest exited (SDM 3C 28.2.4). */
static void complete_events(struct vitro_vcpu *vcpu)
{
	struct vcpu_event *ev = &vcpu->events.inflight;
	u32 info = vmcs_read(IDT_VECTORING_INFO);

	*ev = (struct vcpu_event){ .type = EV_NONE };
	vcpu->exit.raw.intinfo = info;
	if (likely(!(info & INTERRUPTION_VALID)))
		return;
	ev->vector = info & INTERRUPTION_VECTOR;
	switch (info & INTERRUPTION_TYPE) {
	case INTERRUPTION_EXTERNAL:
		ev->type = EV_INTR;
		break;
	case INTERRUPTION_NMI:
		ev->type = EV_NMI;
		vcpu->events.nmi_blocked = false;
		break;
	case INTERRUPTION_EXCEPTION:
		ev->type = EV_EXCEPTION;
		ev->has_error = info & INTERRUPTION_ERROR;
		if (ev->has_error)
			ev->error = vmcs_read(IDT_VECTORING_ERROR_CODE);
		break;
	case INTERRUPTION_SOFT_EXCEPTION:
		/* Not the guest's INT3 or INTO, but one that vmx_inject() has made up. */
		if (to_vmx(vcpu)->injected.type == EV_EXCEPTION &&
		    to_vmx(vcpu)->injected.vector == ev->vector)
			ev->type = EV_EXCEPTION;
		break;
	}	/* else INT n, INT3, INTO: they start anew, RIP still points at them */
	vcpu->exit.raw.intinfo |= (u64)ev->error << 32;
}

static void vmx_set_window(struct vitro_vcpu *vcpu, unsigned int windows)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	u32 primary = vmx->primary & ~(u32)(CPU_INTERRUPT_WINDOW | CPU_NMI_WINDOW);

	if (windows & WINDOW_IRQ)
		primary |= CPU_INTERRUPT_WINDOW;
	if (windows & WINDOW_NMI)
		primary |= CPU_NMI_WINDOW;
	if (primary != vmx->primary) {
		vmx->primary = primary;
		vmcs_write(PRIMARY_CONTROLS, primary);
	}
	/* Any lower TPR exits. */
	vmcs_write(TPR_THRESHOLD, windows & WINDOW_TPR ? vcpu->apic.tpr >> 4 : 0);
}

static void vmx_set_tsc_offset(struct vitro_vcpu *vcpu)
{
	vmcs_write(TSC_OFFSET, vcpu->tsc_offset);
}

static void vmx_tlb_flush(struct vitro_vcpu *vcpu)
{
	to_vmx(vcpu)->flush = true;
}

/* Apart, as drain_pml() is: what few entries need would cost all others its stack frame. */
static noinline void flush(struct vmx_vcpu *vmx)
{
	invept(INV_SINGLE, vmx->eptp);
	/* Without VPIDs, entries and exits flush by themselves (SDM 3C 29.4.3.1). */
	if (vmx->vpid)
		invvpid(INV_SINGLE, vmx->vpid);
	vmx->flush = false;
}

static void vmx_intercept_drs(struct vitro_vcpu *vcpu, bool on)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);

	/* DR6 is nobody's but ours to switch. */
	if (on) {
		vmx->primary |= CPU_MOV_DR;
		get_debugreg(vmx->dr6, 6);
		set_debugreg(DR6_RESERVED, 6);
	} else {
		vmx->primary &= ~(u32)CPU_MOV_DR;
		set_debugreg(vmx->dr6, 6);
	}
	vmcs_write(PRIMARY_CONTROLS, vmx->primary);
}

static void vmx_intercept_exceptions(struct vitro_vcpu *vcpu, u32 vectors)
{
	struct vmx_access access;

	vmx_open(vcpu, &access);
	vmcs_write(EXCEPTION_BITMAP, VMX_EXCEPTIONS | vectors);
	vmx_close(vcpu, &access);
}

static u64 vmx_dr7(struct vitro_vcpu *vcpu)
{
	return vmcs_read(GUEST_DR7);
}

static u64 vmx_dr6(struct vitro_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);

	if (vcpu->dr_loaded)
		get_debugreg(vmx->dr6, 6);
	return vmx->dr6;
}

static void vmx_set_dr6(struct vitro_vcpu *vcpu, u64 value)
{
	to_vmx(vcpu)->dr6 = value;
	if (vcpu->dr_loaded)
		set_debugreg(value, 6);
}

/*
 * Before an entry, if anything is blocked or was.  Interruptibility and pending debug
 * exceptions must fit each other (SDM 3C 27.3.1.5).
 */
static noinline void write_shadow(struct vitro_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	u32 blocking = 0;

	if (vcpu->shadow) {
		blocking = vmx->blocking & (BLOCKING_BY_STI | BLOCKING_BY_MOV_SS);
		if (!blocking)	/* state that was loaded, which says only "shadow" */
			blocking = vcpu->regs.rflags & X86_EFLAGS_IF ? BLOCKING_BY_STI :
								       BLOCKING_BY_MOV_SS;
		vmcs_write(GUEST_PENDING_DEBUG,
			   vcpu->regs.rflags & X86_EFLAGS_TF ? PENDING_BS : 0);
	}
	if (vcpu->events.nmi_blocked)
		blocking |= BLOCKING_BY_NMI;
	vmx->blocking = blocking;
	/* The CPU itself blocks NMIs when it delivers one. */
	if (vmx->injected.type == EV_NMI)
		blocking &= ~(u32)BLOCKING_BY_NMI;
	vmcs_write(GUEST_INTERRUPTIBILITY, blocking);
}

/* After an exit, if anything was blocked at the entry or is now. */
static noinline void read_shadow(struct vitro_vcpu *vcpu, u32 blocking)
{
	to_vmx(vcpu)->blocking = blocking;
	vcpu->shadow = blocking & (BLOCKING_BY_STI | BLOCKING_BY_MOV_SS);
	vcpu->events.nmi_blocked = blocking & BLOCKING_BY_NMI;
}

/*
 * How long the guest may run: to its TSC deadline, if that is earlier than the usual end.
 * The timer counts whenever a bit of the TSC changes (SDM 3C 26.5.1): so the first count
 * may be short, by less than a unit.  That and what the shift cuts off make two at most,
 * which are added, for the exit must not come early.
 */
static noinline void write_stay(struct vitro_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	u64 now, stay = vmx_caps.stay;

	vmx->short_stay = vcpu->apic.timer_watched;
	if (vmx->short_stay) {
		now = clock_guest_tsc(vcpu);
		if (vcpu->apic.tsc_deadline > now)
			stay = min(stay, ((vcpu->apic.tsc_deadline - now) >>
					  vmx_caps.timer_shift) + 2);
		else
			stay = 0;	/* an exit right away */
	}
	vmcs_write(PREEMPTION_TIMER_VALUE, stay);
}

/*
 * Empties the page-modification log.  Its index is that of the next entry to be written;
 * in a full one it has gone below 0 (SDM 3C 29.3.6).
 */
static noinline void drain_pml(struct vitro_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	u16 i = vmcs_read(GUEST_PML_INDEX) + 1;

	if (i == PML_ENTRIES)
		return;
	for (; i < PML_ENTRIES; i++)
		dirty_logged(vcpu->vm, vmx->pml[i]);
	vmcs_write(GUEST_PML_INDEX, PML_ENTRIES - 1);
}

static void read_back(struct vitro_vcpu *vcpu, struct vmx_vcpu *vmx, u32 reason)
{
	u32 blocking = vmcs_read(GUEST_INTERRUPTIBILITY);

	vcpu->regs.gpr[VITRO_RSP] = vmcs_read(GUEST_RSP);
	vcpu->regs.rip = vmcs_read(GUEST_RIP);
	vcpu->regs.rflags = vmcs_read(GUEST_RFLAGS);
	if (blocking | vmx->blocking)
		read_shadow(vcpu, blocking);
	vmx->cr2 = read_cr2();
	/*
	 * An instruction that exits has made no trap yet, and this field is to be clear (SDM
	 * 3C 28.3.4).  In Bochs 2.7 the trap is pending already.
	 */
	if ((vcpu->regs.rflags & X86_EFLAGS_TF) && reason != VMX_TPR_BELOW_THRESHOLD)
		vmcs_write(GUEST_PENDING_DEBUG, 0);
	if (vmx->vapic[VTPR] != vcpu->apic.tpr)
		lapic_set_tpr(vcpu, vmx->vapic[VTPR]);
	if (vmx->pml)
		drain_pml(vcpu);
	complete_events(vcpu);
}

static void vmx_run(struct vitro_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	u32 reason;
	bool entered;

	vmcs_write(GUEST_RSP, vcpu->regs.gpr[VITRO_RSP]);
	vmcs_write(GUEST_RIP, vcpu->regs.rip);
	vmcs_write(GUEST_RFLAGS, vcpu->regs.rflags);
	if (unlikely(vcpu->shadow || vcpu->events.nmi_blocked || vmx->blocking))
		write_shadow(vcpu);
	if (vcpu->apic.timer_watched || vmx->short_stay)
		write_stay(vcpu);
	vmx->vapic[VTPR] = vcpu->apic.tpr;
	if (read_cr2() != vmx->cr2)
		write_cr2(vmx->cr2);
	if (vmx->flush)
		flush(vmx);

	entered = vmx_enter_guest(&vcpu->regs, vmx->launched);

	exit_clear(&vcpu->exit);
	reason = vmcs_read(EXIT_REASON);
	if (!entered || (reason & ENTRY_FAILED)) {
		memset(&vcpu->exit.raw, 0, sizeof(vcpu->exit.raw));
		vcpu->exit.reason = VITRO_EXIT_FAIL_ENTRY;
		vcpu->exit.raw.code = entered ? reason : VMX_NOT_ENTERED;
		vcpu->exit.raw.info1 = vmcs_read(entered ? EXIT_QUALIFICATION :
							   VM_INSTRUCTION_ERROR);
		vcpu->events.inflight = vmx->injected;
		/* A machine check that came in the middle of it is the host's (27.9). */
		if (entered && reason == (ENTRY_FAILED | VMX_MACHINE_CHECK_ENTRY)) {
			asm volatile("int $18");
			vcpu->exit.reason = EXIT_HOST;
		}
	} else {
		vmx->launched = true;
		read_back(vcpu, vmx, reason);
		vmx_translate_exit(vcpu, reason);
	}
	/* In the VMCS, an exit has made the event invalid (SDM 3C 28.2). */
	vmx->injected.type = EV_NONE;
}

struct vitro_backend vmx_backend = {
	.name = "VT-x",
	.vendor = VITRO_VENDOR_VMX,
	.tdp = &ept_format,
	.probe = vmx_probe,
	.setup = vmx_setup,
	.teardown = vmx_teardown,
	.cpu_enter = vmx_cpu_enter,
	.cpu_leave = vmx_cpu_leave,
	.vcpu_init = vmx_vcpu_init,
	.vcpu_free = vmx_vcpu_free,
	.vcpu_reset = vmcs_reset,
	.load_state = vmcs_load_state,
	.store_state = vmcs_store_state,
	.run = vmx_run,
	.inject = vmx_inject,
	.set_window = vmx_set_window,
	.set_tsc_offset = vmx_set_tsc_offset,
	.tlb_flush = vmx_tlb_flush,
	.intercept_drs = vmx_intercept_drs,
	.intercept_exceptions = vmx_intercept_exceptions,
	.dr6 = vmx_dr6,
	.set_dr6 = vmx_set_dr6,
	.dr7 = vmx_dr7,
	.cpl = vmcs_cpl,
	.is_64bit = vmcs_is_64bit,
	.code = vmcs_code,
	.dump = vmx_dump,
	.get_msr = vmcs_get_msr,
	.set_msr = vmcs_set_msr,
	.set_cr0 = vmcs_set_cr0,
	.set_cr4 = vmcs_set_cr4,
};
