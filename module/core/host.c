// SPDX-License-Identifier: GPL-2.0-only
/*
 * What host and guest share and neither VMCB nor VMCS switches: the FPU with its
 * extended states and XCR0, TSC_AUX, the debug registers, and the branch predictor.
 * Done once a burst, not once an exit.
 */
#include <linux/percpu.h>
#include <linux/slab.h>
#include <asm/debugreg.h>
#include <asm/fpu/api.h>
#include <asm/fpu/xcr.h>
#include <asm/msr.h>
#include <asm/nospec-branch.h>

#include "compat/compat.h"
#include "core/core.h"

/*
 * The extended states a guest may have: those whose instructions need nothing but
 * XCR0.  Not among them: PKRU (needs CR4.PKE, and the host's is live during a burst),
 * AMX (8 KiB a vCPU), and the supervisor states of IA32_XSS.
 */
#define XCR0_OFFERED	(XFEATURE_MASK_FPSSE | XFEATURE_MASK_YMM | XFEATURE_MASK_AVX512)

#define XSAVE_HEADER	512	/* offset of XSTATE_BV (SDM 1 13.4.2) */
#define XSAVE_MIN	576	/* legacy region and header */
#define XSAVE_MXCSR	24
#define XSAVE_MXCSR_MASK	28
#define XSAVE_ST	32
#define XSAVE_XMM	160
#define XSAVE_XMM_END	416

static u64 xcr0_offered;	/* states that this host has of the above */
static u64 xcr0_of_host;
static u64 xss_of_host;	/* if it must be taken away; else 0 */
static u32 xsave_size;
static u32 mxcsr_mask;

/* The VM whose guest ran last on this CPU, by vm->id. */
static DEFINE_PER_CPU(u64, last_vm);

/* Saves guest state to @area, or loads it, with the host's XCR0 in force. */
static void fpu_save(void *area)
{
	if (xcr0_offered)
		asm volatile("xsave64 %0" : "+m"(*(u8 (*)[4096])area)
			     : "a"((u32)xcr0_offered), "d"(0) : "memory");
	else
		asm volatile("fxsave64 %0" : "+m"(*(u8 (*)[512])area));
}

/*
 * On AMD CPUs without XSAVEERPTR (CPUID Fn8000_0008 EBX[2]), the pointers to the last x87
 * instruction and its operand are neither saved nor loaded while no exception of it is
 * pending (APM 3, FXSAVE and FXRSTOR).  Those of another VM would stay.  So load a state
 * with an exception, and pointers that are 0; then clear the exception.
 */
static void fpu_forget_pointers(void)
{
	static const struct fxregs_state pending __aligned(16) = {
		.cwd = 0x37e,		/* "invalid operation" is not masked */
		.swd = 0x8081,		/* B, ES, IE: it has happened */
		.mxcsr = 0x1f80,
	};

	if (static_cpu_has_bug(X86_BUG_FXSAVE_LEAK))
		asm volatile("fxrstor64 %0; fnclex" : : "m"(pending));
}

static void fpu_load(const void *area)
{
	fpu_forget_pointers();
	if (xcr0_offered)
		asm volatile("xrstor64 %0" : : "m"(*(const u8 (*)[4096])area),
			     "a"((u32)xcr0_offered), "d"(0) : "memory");
	else
		asm volatile("fxrstor64 %0" : : "m"(*(const u8 (*)[512])area));
}

/**
 * host_init - find out what the host's FPU can do
 *
 * Returns 0 or -ENOMEM.
 */
int host_init(void)
{
	u32 eax, ebx, ecx, edx;
	u8 *fx;
	int i;

	fx = kzalloc(XSAVE_MIN, GFP_KERNEL);
	if (!fx)
		return -ENOMEM;
	kernel_fpu_begin();
	asm volatile("fxsave64 %0" : "=m"(*(u8 (*)[512])fx));
	kernel_fpu_end();
	mxcsr_mask = *(u32 *)(fx + XSAVE_MXCSR_MASK);
	if (!mxcsr_mask)
		mxcsr_mask = 0xffbf;	/* SDM 1 11.6.6 */
	kfree(fx);

	xsave_size = XSAVE_MIN;
	if (!boot_cpu_has(X86_FEATURE_OSXSAVE))
		return 0;
	xcr0_of_host = xgetbv(XCR_XFEATURE_ENABLED_MASK);
	xcr0_offered = xcr0_of_host & XCR0_OFFERED;
	/* VMX keeps XSAVES from guests; AMD-V cannot, where they have XSAVE. */
	if (boot_cpu_has(X86_FEATURE_SVM) && boot_cpu_has(X86_FEATURE_XSAVES))
		rdmsrq(MSR_IA32_XSS, xss_of_host);
	for (i = 2; i < 32; i++) {
		if (!(xcr0_offered & BIT(i)))
			continue;
		/* EAX: size of the state, EBX: its offset (SDM 1 13.2). */
		cpuid_count(0xd, i, &eax, &ebx, &ecx, &edx);
		xsave_size = max(xsave_size, eax + ebx);
	}
	if (xsave_size > sizeof(struct vitro_fpu)) {
		/* Never seen; AVX-512 ends at 2688. */
		xcr0_offered = XFEATURE_MASK_FPSSE;
		xsave_size = XSAVE_MIN;
	}
	return 0;
}

/**
 * host_xcr0 - XCR0 bits that a guest may set; 0 when the host has no XSAVE
 */
u64 host_xcr0(void)
{
	return xcr0_offered;
}

/**
 * host_xsave_size - bytes of the guests' XSAVE areas that carry state
 */
u32 host_xsave_size(void)
{
	return xsave_size;
}

/**
 * host_xcr0_valid - would XSETBV take this value? (SDM 1 13.3)
 * @xcr0: the value
 */
bool host_xcr0_valid(u64 xcr0)
{
	u64 avx512 = xcr0 & XFEATURE_MASK_AVX512;

	if (!(xcr0 & XFEATURE_MASK_FP) || (xcr0 & ~xcr0_offered))
		return false;
	if ((xcr0 & XFEATURE_MASK_YMM) && !(xcr0 & XFEATURE_MASK_SSE))
		return false;
	/* All three states of AVX-512, with AVX, or none. */
	return !avx512 || (avx512 == XFEATURE_MASK_AVX512 && (xcr0 & XFEATURE_MASK_YMM));
}

/**
 * host_xsave_alloc - room for a guest's XSAVE area, or NULL
 *
 * It is a page at least, and so aligned to the 64 bytes that XSAVE wants.
 */
void *host_xsave_alloc(void)
{
	return kzalloc(sizeof(struct vitro_fpu), GFP_KERNEL_ACCOUNT);
}

/**
 * host_xsave_reset - the state after power-on (SDM 3A table 10-1)
 * @xsave: the area
 */
void host_xsave_reset(void *xsave)
{
	memset(xsave, 0, sizeof(struct vitro_fpu));
	*(u16 *)xsave = 0x37f;			/* FCW, as FNINIT; INIT state otherwise */
	*(u32 *)(xsave + XSAVE_MXCSR) = 0x1f80;
	*(u64 *)(xsave + XSAVE_HEADER) = XFEATURE_MASK_FPSSE;
}

/**
 * host_xsave_valid - would XRSTOR take this area without #GP? (SDM 1 13.8)
 * @xsave: the area
 */
bool host_xsave_valid(const void *xsave)
{
	const u64 *header = xsave + XSAVE_HEADER;
	int i;

	if (*(const u32 *)(xsave + XSAVE_MXCSR) & ~mxcsr_mask)
		return false;
	/* Every 64-bit CPU has these two, also one without XSAVE. */
	if (header[0] & ~(xcr0_offered | XFEATURE_MASK_FPSSE))
		return false;
	for (i = 1; i < 8; i++)		/* XCOMP_BV: standard format; reserved */
		if (header[i])
			return false;
	return true;
}

/**
 * host_xsave_fill - write out the initial states that XSTATE_BV stands for
 * @xsave: a valid area, just loaded
 *
 * For hosts without XSAVE: FXRSTOR takes x87 and SSE from the legacy region, and
 * FXSAVE puts them there, whatever the header says.
 */
void host_xsave_fill(void *xsave)
{
	u64 *xstate_bv = xsave + XSAVE_HEADER;

	if (xcr0_offered)
		return;
	if (!(*xstate_bv & XFEATURE_MASK_FP)) {
		memset(xsave, 0, XSAVE_MXCSR);
		memset(xsave + XSAVE_ST, 0, XSAVE_XMM - XSAVE_ST);
		*(u16 *)xsave = 0x37f;
	}
	if (!(*xstate_bv & XFEATURE_MASK_SSE))
		memset(xsave + XSAVE_XMM, 0, XSAVE_XMM_END - XSAVE_XMM);
	*xstate_bv = XFEATURE_MASK_FPSSE;
}

/**
 * host_set_xcr0 - the guest executed XSETBV
 * @vcpu: in a burst
 * @xcr0: a valid value
 */
void host_set_xcr0(struct vitro_vcpu *vcpu, u64 xcr0)
{
	vcpu->xcr0 = xcr0;
	xsetbv(XCR_XFEATURE_ENABLED_MASK, xcr0);
}

/**
 * host_has_tsc_aux - is there an MSR TSC_AUX?
 */
bool host_has_tsc_aux(void)
{
	return boot_cpu_has(X86_FEATURE_RDTSCP) || boot_cpu_has(X86_FEATURE_RDPID);
}

/**
 * host_set_tsc_aux - the guest wrote TSC_AUX
 * @vcpu: in a burst
 * @value: 32 bits
 */
void host_set_tsc_aux(struct vitro_vcpu *vcpu, u64 value)
{
	vcpu->tsc_aux = value;
	wrmsrq(MSR_TSC_AUX, value);
}

static void get_drs(u64 dr[4])
{
	get_debugreg(dr[0], 0);
	get_debugreg(dr[1], 1);
	get_debugreg(dr[2], 2);
	get_debugreg(dr[3], 3);
}

static void set_drs(const u64 dr[4])
{
	set_debugreg(dr[0], 0);
	set_debugreg(dr[1], 1);
	set_debugreg(dr[2], 2);
	set_debugreg(dr[3], 3);
}

/**
 * host_load_drs - give the guest the breakpoint registers, for the rest of the burst
 * @vcpu: in a burst
 */
void host_load_drs(struct vitro_vcpu *vcpu)
{
	set_drs(vcpu->dr);
	vcpu->dr_loaded = true;
	backend->intercept_drs(vcpu, false);
}

static void save_drs(struct vitro_vcpu *vcpu)
{
	get_drs(vcpu->dr);
	vcpu->dr_loaded = false;
	backend->intercept_drs(vcpu, true);
}

/**
 * host_enter - put the guest's share of the CPU in place
 * @vcpu: the burst's vCPU; interrupts are off, and the thread's FPU state is saved
 */
void host_enter(struct vitro_vcpu *vcpu)
{
	/* The guest before may have trained the predictor against this one. */
	if (__this_cpu_read(last_vm) != vcpu->vm->id) {
		__this_cpu_write(last_vm, vcpu->vm->id);
		compat_ibpb();
	}

	fpu_load(vcpu->xsave);
	if (xcr0_offered && vcpu->xcr0 != xcr0_of_host)
		xsetbv(XCR_XFEATURE_ENABLED_MASK, vcpu->xcr0);
	if (xss_of_host)
		wrmsrq(MSR_IA32_XSS, 0);	/* XSAVES gives it no supervisor state */

	if (host_has_tsc_aux()) {
		rdmsrq(MSR_TSC_AUX, vcpu->host_tsc_aux);
		if (vcpu->host_tsc_aux != vcpu->tsc_aux)
			wrmsrq(MSR_TSC_AUX, vcpu->tsc_aux);
	}

	/* Before the guest's take their place, which it may ask for at any exit. */
	if (hw_breakpoint_active())
		get_drs(vcpu->host_dr);

	/* The debugger's breakpoints; the guest does not get to touch a DR. */
	if (debug_has_drs(vcpu)) {
		if (vcpu->debug.flags & VITRO_DEBUG_HW)
			set_drs(vcpu->debug.dr);
	} else if (backend->dr7(vcpu) & (DR_GLOBAL_ENABLE_MASK | DR_LOCAL_ENABLE_MASK)) {
		/* Breakpoints armed: the guest needs their addresses without touching a DR. */
		host_load_drs(vcpu);
	}
}

/**
 * host_leave - give the host its share of the CPU back
 * @vcpu: the burst's vCPU
 */
void host_leave(struct vitro_vcpu *vcpu)
{
	if (vcpu->dr_loaded)
		save_drs(vcpu);
	/* The exit cleared the enable bits of DR7, whoever used the registers. */
	if (hw_breakpoint_active()) {
		set_drs(vcpu->host_dr);
		set_debugreg(__this_cpu_read(cpu_dr7), 7);
	}

	if (host_has_tsc_aux() && vcpu->host_tsc_aux != vcpu->tsc_aux)
		wrmsrq(MSR_TSC_AUX, vcpu->host_tsc_aux);

	if (xss_of_host)
		wrmsrq(MSR_IA32_XSS, xss_of_host);
	/*
	 * Read back, since QEMU 7.2 runs a guest's XSETBV without the exit that was
	 * asked for.
	 */
	if (xcr0_offered) {
		vcpu->xcr0 = xgetbv(XCR_XFEATURE_ENABLED_MASK);
		if (vcpu->xcr0 != xcr0_of_host)
			xsetbv(XCR_XFEATURE_ENABLED_MASK, xcr0_of_host);
	}
	fpu_save(vcpu->xsave);
	compat_guest_ran();
}
