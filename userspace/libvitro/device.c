// SPDX-License-Identifier: LGPL-2.1-or-later
/* /dev/vitro: opening it, and what it says about itself. */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "internal.h"

static const char *open_cure(int err)
{
	switch (err) {
	case ENOENT:
	case ENODEV:
	case ENXIO:
		return "load the module (modprobe vitro; 'vitro doctor' says what it needs)";
	case EACCES:
	case EPERM:
		return "become root, or a member of the group that owns it (ls -l shows which)";
	default:
		return "see the kernel log (dmesg | grep vitro)";
	}
}

/* Reads dev->info and the CPUID table, whose length the first of two calls gives. */
static int read_info(struct vitro *dev)
{
	struct vitro_info *info = &dev->info;

	if (ioctl(dev->fd, VITRO_GET_INFO, info) < 0)
		return vi_fail(errno, "VITRO_GET_INFO: %s; is this really /dev/vitro?",
			       strerror(errno));
	if (info->abi_version != VITRO_ABI_VERSION)
		return vi_fail(EPROTO, "the module speaks ABI version %u and this library %u; "
			       "install both from the same release",
			       info->abi_version, VITRO_ABI_VERSION);

	dev->cpuid = calloc(info->nr_cpuid ? info->nr_cpuid : 1, sizeof(*dev->cpuid));
	if (!dev->cpuid)
		return vi_fail(ENOMEM, "no memory for the CPUID table");
	info->cpuid = (uintptr_t)dev->cpuid;
	if (ioctl(dev->fd, VITRO_GET_INFO, info) < 0)
		return vi_fail(errno, "VITRO_GET_INFO of the CPUID table: %s", strerror(errno));
	return 0;
}

struct vitro *vitro_open(const char *path)
{
	struct vitro *dev = calloc(1, sizeof(*dev));
	int err;

	if (!dev)
		return vi_fail_ptr(ENOMEM, "no memory for a device handle");
	if (!path)
		path = "/dev/vitro";
	dev->fd = open(path, O_RDWR | O_CLOEXEC);
	if (dev->fd < 0) {
		err = errno;
		free(dev);
		return vi_fail_ptr(err, "cannot open %s: %s; %s", path, strerror(err),
				   open_cure(err));
	}
	err = -read_info(dev);
	if (err) {
		vitro_close(dev);
		errno = err;
		return NULL;
	}
	return dev;
}

void vitro_close(struct vitro *dev)
{
	if (!dev)
		return;
	close(dev->fd);
	free(dev->cpuid);
	free(dev);
}

const struct vitro_info *vitro_get_info(const struct vitro *dev)
{
	return &dev->info;
}

const struct vitro_cpuid_entry *vitro_get_cpuid(const struct vitro *dev, unsigned int *nr)
{
	*nr = dev->info.nr_cpuid;
	return dev->cpuid;
}

struct vitro_cpuid_entry *vitro_cpuid_find(struct vitro_cpuid_entry *table, unsigned int nr,
					   uint32_t leaf, uint32_t subleaf)
{
	for (unsigned int i = 0; i < nr; i++) {
		if (table[i].leaf != leaf)
			continue;
		if (!(table[i].flags & VITRO_CPUID_INDEXED) || table[i].subleaf == subleaf)
			return &table[i];
	}
	return NULL;
}
