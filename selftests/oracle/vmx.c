// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * VMX for oracle.ko.  Exits load what the VMCS says of the host, whatever that is; what
 * matters at once, vmx_entry.S puts right, and the rest of it is done here.
 */
#include <asm/cpufeature.h>
#include <asm/desc.h>
#include <asm/msr.h>
#include <asm/special_insns.h>

#include "module.h"
#include "vmx/vmcs.h"

static u32 *vmxon_region, *vmcs;
static unsigned long cr4;

/* Known to vmx_entry.S by name. */
struct desc_ptr oracle_gdt, oracle_idt;
unsigned long oracle_cr0, oracle_cr4;
u64 oracle_fs_base, oracle_gs_base;

/* MSRs that an exit loads, or that the guest's values stay in (SDM 3C 28.5). */
static const u32 switched[] = {
	MSR_IA32_SYSENTER_CS, MSR_IA32_SYSENTER_ESP, MSR_IA32_SYSENTER_EIP, MSR_EFER,
	MSR_IA32_CR_PAT, MSR_KERNEL_GS_BASE,
};

static u64 host_msr[ARRAY_SIZE(switched)];

static void write_cr4(unsigned long value)
{
	asm volatile("mov %0, %%cr4" : : "r"(value) : "memory");
}

static void vmx_teardown(void)
{
	free_page((unsigned long)vmxon_region);
	free_page((unsigned long)vmcs);
}

static int vmx_setup(void)
{
	u64 basic;

	vmxon_region = (u32 *)get_zeroed_page(GFP_KERNEL);
	vmcs = (u32 *)get_zeroed_page(GFP_KERNEL);
	if (!vmxon_region || !vmcs)
		return -ENOMEM;
	rdmsrl(MSR_IA32_VMX_BASIC, basic);
	*vmxon_region = BASIC_REVISION(basic);
	*vmcs = BASIC_REVISION(basic);
	return 0;
}

static u64 tr_base(u16 tr)
{
	struct ldttss_desc *d = (void *)(oracle_gdt.address + tr);

	return d->base0 | d->base1 << 16 | (u64)d->base2 << 24 | (u64)d->base3 << 32;
}

/* As for any host; ES, DS, FS and GS hold null selectors in 64-bit programs. */
static void write_host_state(void)
{
	u16 tr;

	asm("str %0" : "=r"(tr));
	vmcs_write(HOST_CR0, oracle_cr0);
	vmcs_write(HOST_CR3, __read_cr3());
	vmcs_write(HOST_CR4, oracle_cr4);
	vmcs_write(HOST_ES_SELECTOR, 0);
	vmcs_write(HOST_CS_SELECTOR, __KERNEL_CS);
	vmcs_write(HOST_SS_SELECTOR, __KERNEL_DS);
	vmcs_write(HOST_DS_SELECTOR, 0);
	vmcs_write(HOST_FS_SELECTOR, 0);
	vmcs_write(HOST_GS_SELECTOR, 0);
	vmcs_write(HOST_TR_SELECTOR, tr);
	vmcs_write(HOST_FS_BASE, oracle_fs_base);
	vmcs_write(HOST_GS_BASE, oracle_gs_base);
	vmcs_write(HOST_TR_BASE, tr_base(tr));
	vmcs_write(HOST_GDTR_BASE, oracle_gdt.address);
	vmcs_write(HOST_IDTR_BASE, oracle_idt.address);
	vmcs_write(HOST_SYSENTER_CS, host_msr[0]);
	vmcs_write(HOST_SYSENTER_ESP, host_msr[1]);
	vmcs_write(HOST_SYSENTER_EIP, host_msr[2]);
	vmcs_write(HOST_IA32_EFER, host_msr[3]);
	vmcs_write(HOST_IA32_PAT, host_msr[4]);
	vmcs_write(HOST_RSP, 0);	/* vmx_entry.S knows better */
	vmcs_write(HOST_RIP, (unsigned long)oracle_vmx_exit);
}

/* Fields keep their values when the VMCS is cleared, and so do those that an exit saves. */
static void vmx_start(void)
{
	vmclear(__pa(vmcs));
	vmptrld(__pa(vmcs));
	write_host_state();
}

static int vmx_begin(void)
{
	int i;

	cr4 = __read_cr4();
	if (cr4 & X86_CR4_VMXE)
		return -EBUSY;
	write_cr4(cr4 | X86_CR4_VMXE);
	if (!vmx_on(__pa(vmxon_region))) {
		write_cr4(cr4);
		return -EIO;
	}
	native_store_gdt(&oracle_gdt);
	store_idt(&oracle_idt);
	oracle_cr0 = read_cr0();
	oracle_cr4 = __read_cr4();
	rdmsrl(MSR_FS_BASE, oracle_fs_base);
	rdmsrl(MSR_GS_BASE, oracle_gs_base);
	for (i = 0; i < ARRAY_SIZE(switched); i++)
		rdmsrl(switched[i], host_msr[i]);
	vmx_start();
	return 0;
}

static void vmx_end(void)
{
	vmclear(__pa(vmcs));
	vmx_off();
	write_cr4(cr4);
}

/* Every encoding that can exist (SDM 3C 25.11.2), and capabilities (SDM 3D A). */
static void vmx_list(void)
{
	static const u32 msrs[] = {
		MSR_EFER, 0x480, 0x481, 0x482, 0x483, 0x484, 0x485, 0x486, 0x487, 0x488, 0x489,
		0x48a, 0x48b, 0x48c, 0x48d, 0x48e, 0x48f, 0x490, 0x491, 0x492, 0x493,
	};
	u64 value, highest;
	u32 field, index;

	rdmsrl(MSR_IA32_VMX_VMCS_ENUM, highest);
	highest = highest >> 1 & 0x1ff;
	write_host_state();
	for (field = 0; field < 0x8000; field += 2) {
		index = field >> 1 & 0x1ff;
		if (!(field & 0x1000) && index <= highest && vmcs_try_read(field, &value))
			add_field(field, value);
	}
	add_msrs(msrs, ARRAY_SIZE(msrs));
	add_field(ORACLE_CURRENT, __pa(vmcs));
}

static void vmx_write(const struct oracle_field *f)
{
	vmcs_write(f->id, f->value);
}

static void restore_host(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(switched); i++)
		wrmsrl(switched[i], host_msr[i]);
	force_reload_TR();
}

static void vmx_enter(struct oracle_case *c)
{
	u32 error = oracle_vmx_enter();

	if (error) {
		c->outcome = ORACLE_FAILED;
		c->reason = error == 1 ? 0 : vmcs_read(VM_INSTRUCTION_ERROR);
	} else {
		restore_host();
		c->reason = vmcs_read(EXIT_REASON);
		c->detail = vmcs_read(EXIT_QUALIFICATION);
		c->outcome = c->reason & ENTRY_FAILED ? ORACLE_REFUSED : ORACLE_ENTERED;
	}
	vmx_start();
}

const struct vendor oracle_vmx = {
	.setup = vmx_setup,
	.teardown = vmx_teardown,
	.list = vmx_list,
	.begin = vmx_begin,
	.end = vmx_end,
	.write = vmx_write,
	.enter = vmx_enter,
};
