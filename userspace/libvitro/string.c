// SPDX-License-Identifier: LGPL-2.1-or-later
/* What all string instructions have in common (SDM 1 7.3.9; SDM 2B, REP). */

#include "internal.h"

/**
 * vi_string_advance - move rSI or rDI to the next element
 * @gprs: the registers
 * @reg: VITRO_RSI or VITRO_RDI
 * @size: of an element in bytes
 * @addr_size: width of the register in bytes: 2, 4, 8
 */
void vi_string_advance(struct vitro_gprs *gprs, enum vitro_gpr reg, unsigned int size,
		       unsigned int addr_size)
{
	uint64_t step = gprs->rflags & FLAG_DF ? -(uint64_t)size : size;

	vi_gpr_merge(&gprs->gpr[reg], gprs->gpr[reg] + step, addr_size);
}

/**
 * vi_repeat - run the iterations of a string instruction
 * @vcpu: the vCPU
 * @gprs: its registers; @iterate works on them
 * @rep: it has a REP prefix, and rCX counts
 * @addr_size: width of rCX in bytes
 * @iterate: does one element; returns 0, VI_REP_STOP to end after it (REPE and REPNE
 *	only), VI_GUEST_FAULT, or -errno
 * @arg: handed to it
 * @done: set when no iteration is left
 *
 * After each iteration the vCPU's registers are brought up to date, because a fault
 * in the next one, or an interrupt, has to find them so.  There is a limit for a
 * guest that asks for 2^64 iterations, and single steps trap after each.
 *
 * Return: 0, VI_GUEST_FAULT, or -errno.
 */
int vi_repeat(struct vitro_vcpu *vcpu, struct vitro_gprs *gprs, bool rep,
	      unsigned int addr_size, int (*iterate)(void *arg), void *arg, bool *done)
{
	unsigned int limit = gprs->rflags & FLAG_TF ? 1 : VI_REP_MAX;
	__u64 *count = &gprs->gpr[VITRO_RCX];
	int ret = 0;

	for (unsigned int i = 0; i < limit; i++) {
		if (rep && !(*count & vi_mask(addr_size)))
			break;
		ret = iterate(arg);
		if (ret && ret != VI_REP_STOP)
			return ret;
		if (rep)
			vi_gpr_merge(count, *count - 1, addr_size);
		vcpu->comm->state.gprs = *gprs;
		vitro_vcpu_put(vcpu, VITRO_STATE_GPRS);
		if (!rep || ret == VI_REP_STOP)
			break;
	}
	*done = !rep || ret == VI_REP_STOP || !(*count & vi_mask(addr_size));
	return 0;
}
