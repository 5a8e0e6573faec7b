// SPDX-License-Identifier: GPL-2.0-only
/*
 * What CPUID tells the guest: the host's CPU, less what vitro does not virtualize.
 *
 * Features are offered by name, so that one that is new to vitro is hidden until
 * somebody has thought about it.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/cpufeature.h>
#include <asm/fpu/xcr.h>
#include <asm/kvm_para.h>
#include <asm/processor.h>
#include <asm/processor-flags.h>

#include "compat/compat.h"
#include "core/core.h"
#include "mm/mm.h"

#define F(name)		BIT(X86_FEATURE_##name & 31)

/* CPUID 1 EDX.  Not: MCE, MCA, MTRR (memory types come from PAT alone), DS, ACPI. */
#define LEAF1_EDX (F(FPU) | F(VME) | F(DE) | F(PSE) | F(TSC) | F(MSR) | F(PAE) | F(CX8) | \
		   F(APIC) | F(SEP) | F(PGE) | F(CMOV) | F(PAT) | F(PSE36) | F(CLFLUSH) | \
		   F(MMX) | F(FXSR) | F(XMM) | F(XMM2) | F(SELFSNOOP))

/* CPUID 1 ECX.  Not: MWAIT, DTES64, VMX, SMX, EST, TM2, PDCM; OSXSAVE is CR4's. */
#define LEAF1_ECX (F(XMM3) | F(PCLMULQDQ) | F(SSSE3) | F(FMA) | F(CX16) | F(PCID) | \
		   F(XMM4_1) | F(XMM4_2) | F(MOVBE) | F(POPCNT) | F(AES) | F(XSAVE) | \
		   F(AVX) | F(F16C) | F(RDRAND))

/* CPUID 7 EBX.  Not: TSC_ADJUST, SGX, HLE, RTM, MPX, CQM, PT. */
#define LEAF7_EBX (F(FSGSBASE) | F(BMI1) | F(AVX2) | F(SMEP) | F(BMI2) | F(ERMS) | \
		   F(INVPCID) | F(RDSEED) | F(ADX) | F(SMAP) | F(CLFLUSHOPT) | F(CLWB) | \
		   F(SHA_NI) | F(AVX512F) | F(AVX512DQ) | F(AVX512IFMA) | F(AVX512CD) | \
		   F(AVX512BW) | F(AVX512VL))

/* CPUID 7 ECX.  Not: PKU, WAITPKG, SHSTK, LA57, BUS_LOCK_DETECT. */
#define LEAF7_ECX (F(AVX512VBMI) | F(UMIP) | F(AVX512_VBMI2) | F(GFNI) | F(VAES) | \
		   F(VPCLMULQDQ) | F(AVX512_VNNI) | F(AVX512_BITALG) | F(AVX512_VPOPCNTDQ) | \
		   F(RDPID) | F(MOVDIRI) | F(MOVDIR64B))

/* CPUID 7 EDX.  Not: SPEC_CTRL and its like, AMX, ARCH_CAPABILITIES. */
#define LEAF7_EDX (F(FSRM) | F(AVX512_VP2INTERSECT))

/* CPUID 0xd.1 EAX.  Not: XSAVES. */
#define LEAFD1_EAX (F(XSAVEOPT) | F(XSAVEC) | F(XGETBV1))

/* CPUID 0x80000001 EDX and ECX.  Not: SVM, OSVW, IBS, SKINIT, WDT, TOPOEXT, PERFCTR. */
#define LEAF81_EDX (F(SYSCALL) | F(NX) | F(MMXEXT) | F(FXSR_OPT) | F(GBPAGES) | F(RDTSCP) | \
		    F(LM) | F(3DNOW) | F(3DNOWEXT) | \
		    /* AMD repeats leaf 1 here */ \
		    F(FPU) | F(VME) | F(DE) | F(PSE) | F(TSC) | F(MSR) | F(PAE) | F(CX8) | \
		    F(APIC) | F(PGE) | F(CMOV) | F(PAT) | F(PSE36) | F(MMX) | F(FXSR))
#define LEAF81_ECX (F(LAHF_LM) | F(CR8_LEGACY) | F(ABM) | F(SSE4A) | F(MISALIGNSSE) | \
		    F(3DNOWPREFETCH) | F(XOP) | F(FMA4) | F(TBM))

/* CPUID 0x80000008 EBX.  Not: the speculation controls, RDPRU, INVLPGB. */
#define LEAF88_EBX (F(CLZERO) | F(XSAVEERPTR))

/* KVM's published interface, as far as it is here (KVM's cpuid.rst). */
#define KVM_FEATURES (BIT(KVM_FEATURE_NOP_IO_DELAY) | BIT(KVM_FEATURE_CLOCKSOURCE2) | \
		      BIT(KVM_FEATURE_CLOCKSOURCE_STABLE_BIT))

#define LEAF_MAX	0xd
#define LEAF_EXT_MAX	0x80000008
#define LEAF_KVM_MAX	(KVM_CPUID_SIGNATURE + 1)

/* The table of a vCPU nobody has spoken to; also the limit of what others may have. */
static struct vitro_cpuid_entry defaults[VITRO_MAX_CPUID];
static int nr_defaults;

static struct vitro_cpuid_entry *add(u32 leaf, u32 subleaf, bool indexed)
{
	struct vitro_cpuid_entry *e = &defaults[nr_defaults++];

	*e = (struct vitro_cpuid_entry){
		.leaf = leaf, .subleaf = subleaf,
		.flags = indexed ? VITRO_CPUID_INDEXED : 0,
	};
	return e;
}

/* As add(), with what the host's CPU says. */
static struct vitro_cpuid_entry *add_host(u32 leaf, u32 subleaf, bool indexed)
{
	struct vitro_cpuid_entry *e = add(leaf, subleaf, indexed);

	cpuid_count(leaf, subleaf, &e->eax, &e->ebx, &e->ecx, &e->edx);
	return e;
}

static void add_xsave(void)
{
	struct vitro_cpuid_entry *e;
	int i;

	/* EBX, the size of what is enabled now, is answered at run time. */
	e = add(0xd, 0, true);
	e->eax = host_xcr0();
	e->ecx = host_xsave_size();
	e = add_host(0xd, 1, true);
	e->eax &= LEAFD1_EAX;
	e->ebx = 0;
	e->ecx = 0;
	e->edx = 0;
	for (i = 2; i < 32; i++) {
		if (host_xcr0() & BIT(i))
			add_host(0xd, i, true);
	}
}

static void add_basic(void)
{
	struct vitro_cpuid_entry *e;
	int i;

	e = add_host(0, 0, false);
	e->eax = min_t(u32, e->eax, LEAF_MAX);

	e = add_host(1, 0, false);
	e->ebx = (e->ebx & 0xff00) | 1 << 16;	/* CLFLUSH size; one logical CPU */
	e->ecx &= LEAF1_ECX;
	e->ecx |= F(X2APIC) | F(TSC_DEADLINE_TIMER) | F(HYPERVISOR);	/* made here */
	e->edx = (e->edx & LEAF1_EDX) | F(APIC);

	if (boot_cpu_data.x86_vendor == X86_VENDOR_INTEL) {
		add_host(2, 0, false);
		/* Caches, each the vCPU's own (SDM 2A, CPUID leaf 4). */
		for (i = 0; i < 4; i++) {
			e = add_host(4, i, true);
			e->eax &= ~GENMASK(31, 14);
		}
	}

	add(6, 0, false)->eax = BIT(2);		/* ARAT: the APIC timer never stops */

	e = add_host(7, 0, true);
	e->eax = 0;
	e->ebx &= LEAF7_EBX;
	e->ecx &= LEAF7_ECX;
	e->edx &= LEAF7_EDX;

	if (host_xcr0())
		add_xsave();
}

static void add_extended(void)
{
	u32 max = min_t(u32, cpuid_eax(0x80000000), LEAF_EXT_MAX);
	struct vitro_cpuid_entry *e;
	u32 leaf;

	e = add_host(0x80000000, 0, false);
	e->eax = max;
	e = add_host(0x80000001, 0, false);
	e->ecx &= LEAF81_ECX;
	e->edx &= LEAF81_EDX;
	for (leaf = 0x80000002; leaf <= max && leaf <= 0x80000006; leaf++)
		add_host(leaf, 0, false);	/* brand string, caches, TLBs */
	if (max >= 0x80000007) {
		e = add(0x80000007, 0, false);
		e->edx = cpuid_edx(0x80000007) & BIT(8);	/* invariant TSC */
	}
	if (max >= 0x80000008) {
		e = add_host(0x80000008, 0, false);
		e->eax = (e->eax & 0xff00) | mmu_gpa_bits();
		e->ebx &= LEAF88_EBX;
		e->ecx = 0;		/* one core */
		e->edx = 0;
	}
}

/**
 * cpuid_init - make the default table
 */
void cpuid_init(void)
{
	struct vitro_cpuid_entry *e;

	nr_defaults = 0;
	add_basic();

	e = add(KVM_CPUID_SIGNATURE, 0, false);
	e->eax = LEAF_KVM_MAX;
	memcpy(&e->ebx, KVM_SIGNATURE, 4);
	memcpy(&e->ecx, KVM_SIGNATURE + 4, 4);
	memcpy(&e->edx, KVM_SIGNATURE + 8, 4);
	add(KVM_CPUID_FEATURES, 0, false)->eax = KVM_FEATURES;

	add_extended();
}

static struct vitro_cpuid_entry *find(struct vitro_cpuid_entry *table, int nr, u32 leaf,
				      u32 subleaf)
{
	int i;

	for (i = 0; i < nr; i++) {
		if (table[i].leaf == leaf && (!(table[i].flags & VITRO_CPUID_INDEXED) ||
					      table[i].subleaf == subleaf))
			return &table[i];
	}
	return NULL;
}

/**
 * cpuid_copy_default - the default table, for VITRO_GET_INFO
 * @dst: where to, or NULL for just the number
 * @room: entries there
 * @nr: filled in with the number of entries
 *
 * Returns 0, -E2BIG, -EFAULT.
 */
int cpuid_copy_default(u64 __user *dst, u32 room, u32 *nr)
{
	*nr = nr_defaults;
	if (!dst)
		return 0;
	if (room < nr_defaults)
		return -E2BIG;
	return copy_to_user(dst, defaults, nr_defaults * sizeof(*defaults)) ? -EFAULT : 0;
}

/* Which bits of CR4 and EFER the features in the vCPU's table give. */
static void derive_masks(struct vitro_vcpu *vcpu)
{
	enum { EBX, ECX, EDX };
	static const struct {
		u32 leaf;
		u8 reg;
		u32 feature;
		u64 cr4, efer;
	} gives[] = {
		{ 1, EDX, F(VME), X86_CR4_VME | X86_CR4_PVI, 0 },
		{ 1, EDX, F(TSC), X86_CR4_TSD, 0 },
		{ 1, EDX, F(DE), X86_CR4_DE, 0 },
		{ 1, EDX, F(PSE), X86_CR4_PSE, 0 },
		{ 1, EDX, F(PAE), X86_CR4_PAE, 0 },
		{ 1, EDX, F(PGE), X86_CR4_PGE, 0 },
		{ 1, EDX, F(FXSR), X86_CR4_OSFXSR, 0 },
		{ 1, EDX, F(XMM), X86_CR4_OSXMMEXCPT, 0 },
		{ 1, ECX, F(PCID), X86_CR4_PCIDE, 0 },
		{ 1, ECX, F(XSAVE), X86_CR4_OSXSAVE, 0 },
		{ 7, EBX, F(FSGSBASE), X86_CR4_FSGSBASE, 0 },
		{ 7, EBX, F(SMEP), X86_CR4_SMEP, 0 },
		{ 7, EBX, F(SMAP), X86_CR4_SMAP, 0 },
		{ 7, ECX, F(UMIP), X86_CR4_UMIP, 0 },
		{ 0x80000001, EDX, F(SYSCALL), 0, EFER_SCE },
		{ 0x80000001, EDX, F(LM), 0, EFER_LME },
		{ 0x80000001, EDX, F(NX), 0, EFER_NX },
		{ 0x80000001, EDX, F(FXSR_OPT), 0, EFER_FFXSR },
	};
	const struct vitro_cpuid_entry *e;
	u32 features;
	int i;

	vcpu->cr4_allowed = 0;
	vcpu->efer_allowed = 0;
	for (i = 0; i < ARRAY_SIZE(gives); i++) {
		e = find(vcpu->cpuid, vcpu->nr_cpuid, gives[i].leaf, 0);
		if (!e)
			continue;
		features = gives[i].reg == EBX ? e->ebx : gives[i].reg == ECX ? e->ecx : e->edx;
		if (!(features & gives[i].feature))
			continue;
		vcpu->cr4_allowed |= gives[i].cr4;
		vcpu->efer_allowed |= gives[i].efer;
	}
}

/* Clears the features that vitro cannot provide. */
static void restrict_entry(struct vitro_cpuid_entry *e)
{
	const struct vitro_cpuid_entry *most = find(defaults, nr_defaults, e->leaf, e->subleaf);

	switch (e->leaf) {
	case 1:
		e->ecx &= most->ecx;
		e->edx &= most->edx;
		break;
	case 6:
		e->eax &= most->eax;
		e->ebx = 0;
		e->ecx = 0;
		e->edx = 0;
		break;
	case 7:
	case 0xd:
		/* Subleaves that are not in the default table are empty. */
		e->eax &= most ? most->eax : 0;
		e->ebx &= most ? most->ebx : 0;
		e->ecx &= most ? most->ecx : 0;
		e->edx &= most ? most->edx : 0;
		break;
	case KVM_CPUID_FEATURES:
		e->eax &= most->eax;
		break;
	case 0x80000001:
		e->ecx &= most->ecx;
		e->edx &= most->edx;
		break;
	case 0x80000008:
		e->ebx &= most ? most->ebx : 0;
		break;
	case 0x8000000a:	/* SVM inside the guest */
		e->eax = 0;
		e->ebx = 0;
		e->ecx = 0;
		e->edx = 0;
		break;
	}
}

static int replace_table(struct vitro_vcpu *vcpu, struct vitro_cpuid_entry *table, int nr)
{
	kvfree(vcpu->cpuid);
	vcpu->cpuid = table;
	vcpu->nr_cpuid = nr;
	derive_masks(vcpu);
	return 0;
}

/**
 * cpuid_set_default - give a new vCPU the default table
 * @vcpu: the vCPU
 *
 * Returns 0 or -ENOMEM.
 */
int cpuid_set_default(struct vitro_vcpu *vcpu)
{
	struct vitro_cpuid_entry *table;

	table = kmemdup(defaults, nr_defaults * sizeof(*table), GFP_KERNEL_ACCOUNT);
	return table ? replace_table(vcpu, table, nr_defaults) : -ENOMEM;
}

/**
 * cpuid_set - VITRO_SET_CPUID
 * @vcpu: the vCPU; its mutex is held
 * @req: the request
 *
 * Returns 0, -EINVAL, -EBUSY, -EFAULT, -ENOMEM.
 */
int cpuid_set(struct vitro_vcpu *vcpu, const struct vitro_cpuid *req)
{
	size_t size = array_size(req->nr, sizeof(struct vitro_cpuid_entry));
	struct vitro_cpuid_entry *table;
	int i;

	if (req->pad || !req->nr || req->nr > VITRO_MAX_CPUID)
		return -EINVAL;
	if (vcpu->has_run)
		return -EBUSY;
	table = kvmalloc(size, GFP_KERNEL_ACCOUNT);
	if (!table)
		return -ENOMEM;
	if (copy_from_user(table, u64_to_user_ptr(req->entries), size)) {
		kvfree(table);
		return -EFAULT;
	}
	for (i = 0; i < req->nr; i++) {
		if (table[i].pad || (table[i].flags & ~VITRO_CPUID_INDEXED)) {
			kvfree(table);
			return -EINVAL;
		}
		restrict_entry(&table[i]);
	}
	return replace_table(vcpu, table, req->nr);
}

/*
 * Bytes of XSAVE state for the components enabled in XCR0, standard format (SDM 1
 * 13.4.3).  In a burst, XCR0 is the guest's.
 */
static u32 enabled_xsave_size(const struct vitro_vcpu *vcpu)
{
	u64 xcr0 = xgetbv(XCR_XFEATURE_ENABLED_MASK);
	u32 size = 576;		/* legacy region and header */
	int i;

	for (i = 2; i < 32; i++) {
		const struct vitro_cpuid_entry *e;

		if (!(xcr0 & BIT(i)))
			continue;
		e = find(vcpu->cpuid, vcpu->nr_cpuid, 0xd, i);
		if (e)
			size = max(size, e->eax + e->ebx);
	}
	return size;
}

/**
 * cpuid_answer - what CPUID gives
 * @vcpu: the vCPU, in a burst
 * @leaf: EAX
 * @subleaf: ECX
 * @out: EAX, EBX, ECX, EDX; all 0 for a leaf that is not there
 */
void cpuid_answer(struct vitro_vcpu *vcpu, u32 leaf, u32 subleaf, u32 out[4])
{
	const struct vitro_cpuid_entry *e;

	memset(out, 0, 4 * sizeof(*out));
	e = find(vcpu->cpuid, vcpu->nr_cpuid, leaf, subleaf);
	if (e) {
		out[0] = e->eax;
		out[1] = e->ebx;
		out[2] = e->ecx;
		out[3] = e->edx;
	}
	/* What depends on the vCPU, or on its state. */
	switch (leaf) {
	case 1:
		out[1] = (out[1] & 0x00ffffff) | vcpu->id << 24;
		if (vcpu->guest_cr4 & X86_CR4_OSXSAVE)
			out[2] |= F(OSXSAVE);
		if (!(READ_ONCE(vcpu->apic.base) & MSR_IA32_APICBASE_ENABLE))
			out[3] &= ~F(APIC);
		break;
	case 0xb:
		out[3] = vcpu->id;
		break;
	case 0xd:
		if (e && subleaf <= 1)
			out[1] = enabled_xsave_size(vcpu);
		break;
	}
}
