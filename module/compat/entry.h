/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For assembly that uses UNTRAIN_RET: on some CPUs that is a branch prediction barrier, which
 * newer kernels keep to KVM.  Here is another: see ibpb.S.
 */
#include "compat/probed.h"

#ifdef COMPAT_HAS_WRITE_IBPB
	.set	write_ibpb, compat_write_ibpb
#endif
