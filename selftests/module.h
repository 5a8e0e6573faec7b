/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Taking vitro.ko out of the machine's kernel, and putting it back. */
#ifndef VITRO_SELFTESTS_MODULE_H
#define VITRO_SELFTESTS_MODULE_H

#include <fcntl.h>
#include <sys/syscall.h>
#include "vt.h"

/* Returns 0 or a negative errno. */
static inline int unload(void)
{
	return syscall(SYS_delete_module, "vitro", O_NONBLOCK) ? -errno : 0;
}

/* Likewise. */
static inline int load(void)
{
	const char *path = getenv("VITRO_KO") ?: "/vitro.ko";
	int fd = open(path, O_RDONLY | O_CLOEXEC), ret;

	if (fd < 0)
		vt_die("%s: %s; VITRO_KO must name the module", path, strerror(errno));
	ret = syscall(SYS_finit_module, fd, "", 0) ? -errno : 0;
	close(fd);
	return ret;
}

#endif /* VITRO_SELFTESTS_MODULE_H */
