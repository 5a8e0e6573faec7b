// SPDX-License-Identifier: GPL-2.0-or-later
/* hold-kvm COMMAND...: runs COMMAND while KVM has a virtual machine, and so the CPU. */
#include <err.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int dev = open("/dev/kvm", O_RDWR);
	int vm = ioctl(dev, KVM_CREATE_VM, 0);

	/* COMMAND inherits the VM, once it is no longer closed on exec. */
	if (argc < 2 || vm < 0 || fcntl(vm, F_SETFD, 0) < 0)
		err(1, "/dev/kvm");
	execvp(argv[1], argv + 1);
	err(1, "%s", argv[1]);
}
