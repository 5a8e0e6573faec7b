// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Port I/O.  The kernel has told everything that IN and OUT take.  INS and OUTS move
 * data between a port and the guest's memory, which is ours to access.
 */

#include <errno.h>

#include "internal.h"

/**
 * struct port_string - an INS or OUTS
 * @acc: its memory
 * @gprs: the registers to change
 * @port: the port
 * @size: of an element in bytes
 * @addr_size: width of rSI, rDI, rCX in bytes
 * @seg: enum vitro_seg of the memory operand
 * @in: INS
 */
struct port_string {
	struct vi_access acc;
	struct vitro_gprs gprs;
	uint16_t port;
	unsigned int size;
	unsigned int addr_size;
	unsigned int seg;
	bool in;
};

static int port_access(struct vitro_vcpu *vcpu, const struct vitro_bus *bus, uint16_t port,
		       unsigned int size, bool in, uint32_t *data)
{
	int ret;

	if (!bus->io) {
		*data = ~0U;
		return 0;
	}
	ret = bus->io(bus->opaque, vcpu, port, size, in, data);
	if (ret > 0)
		return vi_fail(EPROTO, "the bus' io callback gave %d; it should give 0 or -errno",
			       ret);
	return ret;
}

/*
 * INS: the destination is checked before the port is read, for what a port gave
 * cannot be given back.
 */
static int ins_iterate(void *arg)
{
	struct port_string *s = arg;
	uint64_t offset = s->gprs.gpr[VITRO_RDI] & vi_mask(s->addr_size);
	uint32_t data = 0;
	int ret = vi_probe(&s->acc, s->seg, offset, s->size, true);

	if (!ret)
		ret = port_access(s->acc.vcpu, s->acc.bus, s->port, s->size, true, &data);
	if (!ret)
		ret = vi_write(&s->acc, s->seg, offset, &data, s->size);
	if (!ret)
		vi_string_advance(&s->gprs, VITRO_RDI, s->size, s->addr_size);
	return ret;
}

static int outs_iterate(void *arg)
{
	struct port_string *s = arg;
	uint64_t offset = s->gprs.gpr[VITRO_RSI] & vi_mask(s->addr_size);
	uint32_t data = 0;
	int ret = vi_read(&s->acc, s->seg, offset, &data, s->size);

	if (!ret)
		ret = port_access(s->acc.vcpu, s->acc.bus, s->port, s->size, false, &data);
	if (!ret)
		vi_string_advance(&s->gprs, VITRO_RSI, s->size, s->addr_size);
	return ret;
}

static int emulate_string(struct vitro_vcpu *vcpu, const struct vitro_bus *bus)
{
	const struct vitro_exit *exit = &vcpu->comm->exit;
	struct port_string s = {
		.acc = { .vcpu = vcpu, .bus = bus },
		.port = exit->io.port,
		.size = exit->io.size,
		.addr_size = exit->io.addr_size,
		.seg = exit->io.seg,
		.in = exit->io.flags & VITRO_IO_IN,
	};
	uint64_t next;
	bool done;
	int ret = vitro_vcpu_get(vcpu, VITRO_STATE_GPRS | VITRO_STATE_SEGS | VITRO_STATE_CRS);

	if (!ret) {
		s.gprs = vcpu->comm->state.gprs;
		ret = vi_repeat(vcpu, &s.gprs, exit->io.flags & VITRO_IO_REP, s.addr_size,
				s.in ? ins_iterate : outs_iterate, &s, &done);
	}
	if (ret == VI_GUEST_FAULT)
		return vitro_raise_fault(vcpu, &s.acc.fault);
	if (!ret)
		ret = vi_next_rip(vcpu, exit->insn_len, &next);
	return ret ? ret : vi_commit(vcpu, &s.gprs, next, done);
}

int vitro_emulate_io(struct vitro_vcpu *vcpu, const struct vitro_bus *bus)
{
	const struct vitro_exit *exit = &vcpu->comm->exit;
	bool in = exit->io.flags & VITRO_IO_IN;
	uint32_t data = exit->io.data;
	int ret;

	if (exit->reason != VITRO_EXIT_IO)
		return vi_fail(EINVAL, "exit reason %u is not VITRO_EXIT_IO", exit->reason);
	if (exit->io.seg > VITRO_GS)
		return vi_fail(EINVAL, "the exit names segment %u", exit->io.seg);
	if (exit->io.flags & VITRO_IO_STRING)
		return emulate_string(vcpu, bus);

	ret = vitro_vcpu_get(vcpu, VITRO_STATE_GPRS);
	if (!ret)
		ret = port_access(vcpu, bus, exit->io.port, exit->io.size, in, &data);
	if (ret)
		return ret;
	if (in)
		vi_gpr_merge(&vcpu->comm->state.gprs.gpr[VITRO_RAX], data, exit->io.size);
	return vitro_finish_insn(vcpu);
}
