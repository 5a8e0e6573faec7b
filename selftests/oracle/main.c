// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * oracle.ko: asks the CPU what it makes of a VMCS or VMCB.  A test's module: it does as root
 * says, and is not for a computer that anybody needs.
 */
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/cpufeature.h>
#include <asm/msr.h>

#include "module.h"

#define PAGES_ORDER	4	/* ORACLE_PAGES of them */
#define AT_ONCE		16	/* cases with interrupts off */

u8 *oracle_pages;

static const struct vendor *vendor;
static DEFINE_MUTEX(oracle_mutex);	/* of all that is static */
static struct oracle_field *fields;	/* the base of ORACLE_RUN, or what ORACLE_LIST has found */
static u32 nr_fields;

/**
 * add_field - one more field that there is
 * @id: as in struct oracle_field
 * @value: its value
 */
void add_field(u32 id, u64 value)
{
	if (nr_fields < ORACLE_MAX_FIELDS)
		fields[nr_fields++] = (struct oracle_field){ .id = id, .value = value };
}

/**
 * add_msrs - MSRs of this CPU
 * @index: their numbers; those it lacks are left out
 * @nr: how many
 */
void add_msrs(const u32 *index, int nr)
{
	u64 value;
	int i;

	for (i = 0; i < nr; i++)
		if (!rdmsrl_safe(index[i], &value))
			add_field(ORACLE_MSR + index[i], value);
}

static int do_list(struct oracle_list *list)
{
	int ret, i;

	nr_fields = 0;
	local_irq_disable();
	ret = vendor->begin();
	if (!ret) {
		vendor->list();
		vendor->end();
	}
	local_irq_enable();
	if (ret)
		return ret;
	for (i = 0; i < ORACLE_PAGES; i++)
		add_field(ORACLE_PAGE + i, __pa(oracle_pages) + i * PAGE_SIZE);
	if (list->nr < nr_fields)
		return -E2BIG;
	if (copy_to_user(u64_to_user_ptr(list->fields), fields, nr_fields * sizeof(*fields)))
		return -EFAULT;
	list->nr = nr_fields;
	list->svm = vendor == &oracle_svm;
	return 0;
}

static void write_field(const struct oracle_field *f)
{
	u32 offset = f->id - ORACLE_MEMORY;

	if (f->id < ORACLE_MEMORY)
		vendor->write(f);
	else if (offset <= ORACLE_PAGES * PAGE_SIZE - sizeof(f->value))
		memcpy(oracle_pages + offset, &f->value, sizeof(f->value));
}

static void try(struct oracle_case *c)
{
	u32 i;

	for (i = 0; i < nr_fields; i++)
		write_field(&fields[i]);
	for (i = 0; i < c->nr; i++)
		write_field(&c->change[i]);
	vendor->enter(c);
}

static int try_some(struct oracle_case *cases, u32 nr)
{
	int ret;
	u32 i;

	local_irq_disable();
	ret = vendor->begin();
	if (!ret) {
		for (i = 0; i < nr; i++)
			try(&cases[i]);
		vendor->end();
	}
	local_irq_enable();
	return ret;
}

static int do_run(const struct oracle_run *run)
{
	size_t size = run->nr_cases * sizeof(struct oracle_case);
	struct oracle_case *cases;
	int ret = 0;
	u32 i;

	if (run->nr_base > ORACLE_MAX_FIELDS || run->nr_cases > ORACLE_MAX_CASES)
		return -E2BIG;
	if (copy_from_user(fields, u64_to_user_ptr(run->base), run->nr_base * sizeof(*fields)))
		return -EFAULT;
	nr_fields = run->nr_base;
	cases = vmemdup_user(u64_to_user_ptr(run->cases), size);
	if (IS_ERR(cases))
		return PTR_ERR(cases);
	for (i = 0; i < run->nr_cases && !ret; i++)
		if (cases[i].nr > ORACLE_CHANGES)
			ret = -EINVAL;
	for (i = 0; i < run->nr_cases && !ret; i += AT_ONCE) {
		ret = try_some(cases + i, min_t(u32, AT_ONCE, run->nr_cases - i));
		cond_resched();
	}
	if (!ret && copy_to_user(u64_to_user_ptr(run->cases), cases, size))
		ret = -EFAULT;
	kvfree(cases);
	return ret;
}

static long oracle_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	void __user *user = (void __user *)arg;
	struct oracle_list list;
	struct oracle_run run;
	int ret = -ENOTTY;

	mutex_lock(&oracle_mutex);
	switch (cmd) {
	case ORACLE_LIST:
		ret = -EFAULT;
		if (copy_from_user(&list, user, sizeof(list)))
			break;
		ret = do_list(&list);
		if (!ret && copy_to_user(user, &list, sizeof(list)))
			ret = -EFAULT;
		break;
	case ORACLE_RUN:
		ret = -EFAULT;
		if (!copy_from_user(&run, user, sizeof(run)))
			ret = do_run(&run);
		break;
	}
	mutex_unlock(&oracle_mutex);
	return ret;
}

static const struct file_operations fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = oracle_ioctl,
};

static struct miscdevice oracle_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "oracle",
	.fops = &fops,
	.mode = 0600,
};

static void forget(void)
{
	vendor->teardown();
	kfree(fields);
	free_pages((unsigned long)oracle_pages, PAGES_ORDER);
}

static int __init oracle_init(void)
{
	int ret = -ENOMEM;

	if (boot_cpu_has(X86_FEATURE_SVM))
		vendor = &oracle_svm;
	else if (boot_cpu_has(X86_FEATURE_VMX))
		vendor = &oracle_vmx;
	else
		return -ENODEV;
	fields = kcalloc(ORACLE_MAX_FIELDS, sizeof(*fields), GFP_KERNEL);
	oracle_pages = (u8 *)__get_free_pages(GFP_KERNEL | GFP_DMA32 | __GFP_ZERO, PAGES_ORDER);
	if (fields && oracle_pages)
		ret = vendor->setup();
	if (!ret)
		ret = misc_register(&oracle_device);
	if (ret)
		forget();
	return ret;
}
module_init(oracle_init);

static void __exit oracle_exit(void)
{
	misc_deregister(&oracle_device);
	forget();
}
module_exit(oracle_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("vitro's test of its explainer against the CPU");
