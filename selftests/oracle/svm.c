// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SVM for oracle.ko.  VMRUN keeps the host's state in a page of its own, so no VMCB can spoil
 * it; what VMLOAD would load is left out, for VMRUN checks nothing of it.
 */
#include <linux/mm.h>
#include <linux/percpu.h>
#include <asm/cpufeature.h>
#include <asm/debugreg.h>
#include <asm/msr.h>

#include "module.h"
#include "svm/vmcb.h"

static struct vmcb *vmcb;
static void *hsave;
static u64 efer;

asmlinkage void oracle_svm_enter(phys_addr_t vmcb_pa);

static void svm_teardown(void)
{
	free_page((unsigned long)vmcb);
	free_page((unsigned long)hsave);
}

static int svm_setup(void)
{
	vmcb = (void *)get_zeroed_page(GFP_KERNEL);
	hsave = (void *)get_zeroed_page(GFP_KERNEL);
	return vmcb && hsave ? 0 : -ENOMEM;
}

static int svm_begin(void)
{
	rdmsrl(MSR_EFER, efer);
	if (efer & EFER_SVME)
		return -EBUSY;
	wrmsrl(MSR_EFER, efer | EFER_SVME);
	wrmsrl(MSR_VM_HSAVE_PA, __pa(hsave));
	memset(vmcb, 0, sizeof(*vmcb));
	return 0;
}

static void svm_end(void)
{
	wrmsrl(MSR_EFER, efer);
	set_debugreg(DR6_RESERVED, 6);
	set_debugreg(0, 7);
}

static void svm_list(void)
{
	static const u32 msrs[] = { MSR_EFER, MSR_VM_CR };

	add_msrs(msrs, ARRAY_SIZE(msrs));
	add_field(ORACLE_CURRENT, __pa(vmcb));
}

static void svm_write(const struct oracle_field *f)
{
	if (f->id + sizeof(f->value) <= sizeof(*vmcb) && f->size <= sizeof(f->value))
		memcpy((u8 *)vmcb + f->id, &f->value, f->size);
}

static void svm_enter(struct oracle_case *c)
{
	oracle_svm_enter(__pa(vmcb));
	c->reason = vmcb->control.exitcode;
	c->detail = vmcb->control.exitinfo2;
	/* TCG writes 32 bits of the exit code. */
	c->outcome = (s32)c->reason == -1 ? ORACLE_REFUSED : ORACLE_ENTERED;
	memset(vmcb, 0, sizeof(*vmcb));
}

const struct vendor oracle_svm = {
	.setup = svm_setup,
	.teardown = svm_teardown,
	.list = svm_list,
	.begin = svm_begin,
	.end = svm_end,
	.write = svm_write,
	.enter = svm_enter,
};
