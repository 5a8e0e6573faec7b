/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The calls that are no ioctls; their arguments are in abi.c. */
#ifndef FUZZ_OPS_H
#define FUZZ_OPS_H

#include "fuzz.h"

/* ops.c: the guest, and the comm area */
long op_enter(struct exec *x, const uint64_t *arg);
long op_mode(struct exec *x, const uint64_t *arg);
long op_patch(struct exec *x, const uint64_t *arg);
long op_poke(struct exec *x, const uint64_t *arg);
long op_scribble(struct exec *x, const uint64_t *arg);

/* ops_process.c: what any process does */
long op_map(struct exec *x, const uint64_t *arg);
long op_unmap(struct exec *x, const uint64_t *arg);
long op_close(struct exec *x, const uint64_t *arg);
long op_dup(struct exec *x, const uint64_t *arg);
long op_eventfd(struct exec *x, const uint64_t *arg);
long op_signal(struct exec *x, const uint64_t *arg);
long op_take(struct exec *x, const uint64_t *arg);
long op_poll(struct exec *x, const uint64_t *arg);
long op_mmap(struct exec *x, const uint64_t *arg);
long op_munmap(struct exec *x, const uint64_t *arg);
long op_mprotect(struct exec *x, const uint64_t *arg);
long op_madvise(struct exec *x, const uint64_t *arg);
long op_mremap(struct exec *x, const uint64_t *arg);
long op_fill(struct exec *x, const uint64_t *arg);
long op_write(struct exec *x, const uint64_t *arg);
long op_fork(struct exec *x, const uint64_t *arg);
long op_interrupt(struct exec *x, const uint64_t *arg);
long op_pause(struct exec *x, const uint64_t *arg);
long op_fail(struct exec *x, const uint64_t *arg);
long op_die(struct exec *x, const uint64_t *arg);

/* netlink.c */
long op_netlink(struct exec *x, const uint64_t *arg);

#endif /* FUZZ_OPS_H */
