// SPDX-License-Identifier: GPL-2.0-only
/* Loading and unloading of the module. */
#include <linux/cpufeature.h>
#include <linux/miscdevice.h>
#include <linux/module.h>

#include "core/core.h"
#include "glass/glass.h"

DEFINE_SRCU(vitro_srcu);
struct vitro_backend *backend;

static struct miscdevice vitro_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "vitro",
	.fops = &vitro_dev_fops,
	.mode = 0660,
};

static int __init vitro_init(void)
{
	const char *why = NULL;
	int ret;

	BUILD_BUG_ON(offsetof(struct vitro_comm, state) != 512);

	backend = boot_cpu_data.x86_vendor == X86_VENDOR_INTEL ? &vmx_backend : &svm_backend;
	ret = backend->probe(&why);
	if (ret) {
		pr_err("cannot run here: %s\n", why);
		return ret;
	}
	ret = host_init();
	if (ret)
		return ret;
	cpuid_init();
	ret = backend->setup();
	if (ret)
		return ret;
	ret = eventfd_init();
	if (ret)
		goto out_backend;
	ret = glass_init();
	if (ret)
		goto out_eventfd;
	ret = misc_register(&vitro_misc);
	if (ret)
		goto out_glass;
	pr_info("%s, ABI %d\n", backend->name, VITRO_ABI_VERSION);
	return 0;

out_glass:
	glass_exit_module();
out_eventfd:
	eventfd_exit();
out_backend:
	backend->teardown();
	return ret;
}

static void __exit vitro_exit(void)
{
	/* Every fd holds the module: no VM and no vCPU is left here. */
	misc_deregister(&vitro_misc);
	glass_exit_module();
	rcu_barrier();	/* but vCPUs may be, whose last memory waits to be freed */
	eventfd_exit();
	backend->teardown();
}

module_init(vitro_init);
module_exit(vitro_exit);

MODULE_DESCRIPTION("A hypervisor in glass");
MODULE_LICENSE("GPL");
