// SPDX-License-Identifier: GPL-2.0-only
/*
 * Messages between APICs: who is addressed, and what the addressee does.
 *
 * Everything here may be called from any context, hard interrupts included.
 */
#include <linux/nospec.h>
#include <linux/rcupdate.h>

#include "apic/apic.h"
#include "core/vitro.h"
#include "glass/trace.h"

#define MSI_ADDR_BASE		0xfee
#define MSI_ADDR_LOGICAL	BIT(2)
#define MSI_ADDR_REDIRECT	BIT(3)

#define DEST_BROADCAST		0xffffffff	/* in 8 bits: 0xff */
#define DEST8_BROADCAST		0xff

#define ICR_SHORTHAND		APIC_DEST_ALLBUT	/* both bits of the field */

#define FIRST_LEGAL_VECTOR	16

/**
 * struct message - what travels on the bus
 * @dest: id or logical destination, as wide as x2APIC's
 * @logical: which of them
 * @except: do not deliver to this vCPU, or NULL
 * @mode: APIC_DM_*
 * @vector: 0 to 255
 * @level: level-triggered
 * @one: only to that of the addressed which has the lowest priority
 * @wire: no message but the level of an 8259's output: @up
 * @up: see @wire
 */
struct message {
	u32 dest;
	bool logical;
	struct vitro_vcpu *except;
	u32 mode;
	u8 vector;
	bool level;
	bool one;
	bool wire;
	bool up;
};

/* A destination of 8 bits, as in an MSI or xAPIC's ICR, in the terms of x2APIC. */
static u32 widen(u32 dest)
{
	return dest == DEST8_BROADCAST ? DEST_BROADCAST : dest;
}

/*
 * Does @msg address @to?  Physical: SDM 3A 11.6.2.1.  Logical: 11.6.2.2 for xAPIC,
 * with a flat or a clustered model by DFR, and 11.12.10.2 for x2APIC, clusters of 16.
 */
static bool addresses(const struct message *msg, struct vitro_vcpu *to)
{
	struct lapic *apic = &to->apic;
	u64 base = READ_ONCE(apic->base);
	u32 ldr = READ_ONCE(apic->ldr);

	if (!(base & XAPIC_ENABLE) && !msg->wire)
		return false;
	if (to == msg->except)
		return false;
	if (msg->dest == DEST_BROADCAST)
		return true;
	if (!msg->logical)
		return msg->dest == to->id;
	if (base & X2APIC_ENABLE)
		return msg->dest >> 16 == ldr >> 16 && (msg->dest & ldr & 0xffff);
	if (msg->dest > 0xff)
		return false;
	ldr = GET_APIC_LOGICAL_ID(ldr);
	if (READ_ONCE(apic->dfr) == APIC_DFR_FLAT)
		return msg->dest & ldr;
	return msg->dest >> 4 == ldr >> 4 && (msg->dest & ldr & 0xf);
}

/* An APIC disabled by software takes no fixed interrupts (SDM 3A 11.4.7.2). */
static bool takes_fixed(struct vitro_vcpu *vcpu)
{
	return READ_ONCE(vcpu->apic.svr) & APIC_SPIV_APIC_ENABLED;
}

static bool deliver_fixed(struct vitro_vcpu *to, u8 vector, bool level)
{
	struct lapic *apic = &to->apic;

	if (!takes_fixed(to))
		return false;
	if (vector < FIRST_LEGAL_VECTOR) {
		lapic_error(to, APIC_ESR_RECVILL);
		return false;
	}
	/* TMR before IRR: who sees the request must see what kind it is. */
	assign_bit(vector, apic->tmr, level);
	if (!test_and_set_bit(vector, apic->irr))
		vcpu_kick(to);
	return true;
}

/**
 * apic_deliver - an APIC accepts a message (SDM 3A 11.8.2)
 * @to: its vCPU
 * @mode: APIC_DM_*
 * @vector: for NMI and INIT without meaning; for STARTUP the page of the code
 * @level: level-triggered: its EOI will exit to userspace
 *
 * An ExtINT carries its vector, unlike on a real bus, where the processor would
 * ask the 8259 for it: who sends the message is the 8259.  It bypasses IRR and ISR,
 * so that no EOI is due.  One can wait; a second is refused until it is taken.
 *
 * Return: was it taken?
 */
bool apic_deliver(struct vitro_vcpu *to, u32 mode, u8 vector, bool level)
{
	switch (mode) {
	case APIC_DM_FIXED:
	case APIC_DM_LOWEST:
		return deliver_fixed(to, vector, level);
	case APIC_DM_NMI:
		event_nmi(to);
		return true;
	case APIC_DM_INIT:
		/* A SIPI that no one waited for must not start what comes after INIT. */
		WRITE_ONCE(to->sipi_vector, -1);
		vcpu_request(to, REQ_INIT);
		return true;
	case APIC_DM_STARTUP:
		WRITE_ONCE(to->sipi_vector, vector);
		vcpu_kick(to);
		return true;
	case APIC_DM_EXTINT:
		if (cmpxchg(&to->apic.extint, -1, (int)vector) != -1)
			return false;
		vcpu_kick(to);
		return true;
	default:
		return false;
	}
}

/*
 * Delivers @msg to all that it addresses, and returns how many took it.  Among
 * candidates of the same priority the lowest id wins.
 */
static int send(struct vitro_vm *vm, const struct message *msg)
{
	struct vitro_vcpu *to, *best = NULL;
	int id = 0, end = VITRO_MAX_VCPUS, taken = 0;

	/* One APIC's own id, which is its vCPU's number: nobody else need be asked. */
	if (!msg->logical && msg->dest < VITRO_MAX_VCPUS) {
		id = array_index_nospec(msg->dest, VITRO_MAX_VCPUS);
		end = id + 1;
	}
	rcu_read_lock();
	for (; id < end; id++) {
		to = rcu_dereference(vm->vcpu[id]);
		if (!to || !addresses(msg, to))
			continue;
		if (msg->wire) {
			lapic_set_pic(to, msg->up);
			taken++;
		} else if (!msg->one) {
			taken += apic_deliver(to, msg->mode, msg->vector, msg->level);
		} else if (takes_fixed(to) &&
			   (!best || lapic_ppr(&to->apic) < lapic_ppr(&best->apic))) {
			best = to;
		}
	}
	if (best)
		taken = apic_deliver(best, msg->mode, msg->vector, msg->level);
	rcu_read_unlock();
	return taken;
}

/* Decodes an MSI, SDM 3A 11.11; the extended destination id is KVM's. */
static int decode_msi(u64 addr, u32 data, struct message *msg)
{
	if (addr >> 20 != MSI_ADDR_BASE)
		return -EINVAL;

	*msg = (struct message) {
		.dest = widen(((addr >> 12) & 0xff) | ((addr >> 5) & 0x7f) << 8),
		.logical = addr & MSI_ADDR_LOGICAL,
		.mode = data & APIC_DM_FIXED_MASK,
		.vector = data & APIC_VECTOR_MASK,
		.level = data & APIC_INT_LEVELTRIG,
	};

	switch (msg->mode) {
	case APIC_DM_FIXED:
		msg->one = addr & MSI_ADDR_REDIRECT;
		return 0;
	case APIC_DM_LOWEST:
		msg->one = true;
		return 0;
	case APIC_DM_EXTINT:
		msg->wire = msg->level;
		msg->up = data & APIC_INT_ASSERT;
		return 0;
	case APIC_DM_NMI:
	case APIC_DM_INIT:
		return 0;
	default:
		return -EINVAL;	/* SMI: there is no SMM here; the others are reserved */
	}
}

/**
 * apic_check_msi - can this message be sent?
 * @addr: as in struct vitro_msi
 * @data: likewise
 *
 * Return: 0, or -EINVAL when it is not the address of an MSI, or the delivery mode
 * is reserved or SMI.
 */
int apic_check_msi(u64 addr, u32 data)
{
	struct message msg;

	return decode_msi(addr, data, &msg);
}

/**
 * apic_send_msi - send a message-signalled interrupt
 * @vm: the machine
 * @addr: as in struct vitro_msi
 * @data: likewise
 *
 * The deassertion of a level interrupts nobody: only IOAPIC and device care, or, if the
 * level is an 8259's, its wire goes down.
 *
 * Return: the number of vCPUs that took it, or -EINVAL as apic_check_msi.
 */
int apic_send_msi(struct vitro_vm *vm, u64 addr, u32 data)
{
	struct message msg;
	int err = decode_msi(addr, data, &msg);

	if (err)
		return err;
	trace_vitro_msi(vm, addr, data);
	if (msg.level && !msg.wire && !(data & APIC_INT_ASSERT))
		return 0;
	return send(vm, &msg);
}

/**
 * apic_send_ipi - send an interprocessor interrupt
 * @from: the sender, on its own thread
 * @icr: the interrupt command: SDM 3A 11.6.1, in x2APIC mode 11.12.9
 *
 * IPIs are edge-triggered, whatever the ICR says (SDM 3A 11.6.1, trigger mode).
 * SMI and the reserved modes are dropped: there is no SMM here.
 */
void apic_send_ipi(struct vitro_vcpu *from, u64 icr)
{
	bool wide = READ_ONCE(from->apic.base) & X2APIC_ENABLE;
	struct message msg = {
		.dest = wide ? icr >> 32 : widen(icr >> 56),
		.logical = icr & APIC_DEST_LOGICAL,
		.mode = icr & APIC_DM_FIXED_MASK,
		.vector = icr & APIC_VECTOR_MASK,
	};

	switch (msg.mode) {
	case APIC_DM_LOWEST:
		msg.one = true;
		fallthrough;
	case APIC_DM_FIXED:
		if (msg.vector < FIRST_LEGAL_VECTOR) {
			lapic_error(from, APIC_ESR_SENDILL);
			return;
		}
		break;
	case APIC_DM_INIT:
		/* INIT level de-assert, for processors long gone, does nothing. */
		if ((icr & APIC_INT_LEVELTRIG) && !(icr & APIC_INT_ASSERT))
			return;
		break;
	case APIC_DM_NMI:
	case APIC_DM_STARTUP:
		break;
	default:
		return;
	}

	switch (icr & ICR_SHORTHAND) {
	case APIC_DEST_SELF:
		msg.dest = from->id;
		msg.logical = false;
		break;
	case APIC_DEST_ALLBUT:
		msg.except = from;
		fallthrough;
	case APIC_DEST_ALLINC:
		msg.dest = DEST_BROADCAST;
		break;
	}
	send(from->vm, &msg);
}
