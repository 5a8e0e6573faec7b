/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints.  Where KVM has one for the same thing, fields have its names and units,
 * so that scripts written for kvm:* need little change.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM vitro

#if !defined(VITRO_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define VITRO_TRACE_H

#include <linux/tracepoint.h>
#include <asm/apicdef.h>

#include "core/backend.h"

/* As in KVM's events: what exit_reason is a code of. */
#define TRACE_ISA_VMX	1
#define TRACE_ISA_SVM	2

#define TRACE_REASONS							\
	{ VITRO_EXIT_IO, "io" },					\
	{ VITRO_EXIT_RDMSR, "rdmsr" },					\
	{ VITRO_EXIT_WRMSR, "wrmsr" },					\
	{ VITRO_EXIT_HLT, "hlt" },					\
	{ VITRO_EXIT_HYPERCALL, "hypercall" },				\
	{ VITRO_EXIT_SHUTDOWN, "shutdown" },				\
	{ VITRO_EXIT_FAIL_ENTRY, "fail-entry" },			\
	{ VITRO_EXIT_UNHANDLED, "unhandled" },				\
	{ VITRO_EXIT_TASK_SWITCH, "task-switch" },			\
	{ EXIT_HOST, "host" },						\
	{ EXIT_CPUID, "cpuid" },					\
	{ EXIT_IRQ_WINDOW, "irq-window" },				\
	{ EXIT_NMI_WINDOW, "nmi-window" },				\
	{ EXIT_TDP, "tdp" },						\
	{ EXIT_CR, "cr" },						\
	{ EXIT_DR, "dr" },						\
	{ EXIT_XSETBV, "xsetbv" },					\
	{ EXIT_EXCEPTION, "exception" },				\
	{ EXIT_UD, "ud" },						\
	{ EXIT_GP, "gp" },						\
	{ EXIT_SKIP, "skip" },						\
	{ EXIT_PAUSE, "pause" },					\
	{ EXIT_RESUME, "resume" },					\
	{ EXIT_FETCH, "fetch" }

/* For readers of the format, who know no enums. */
TRACE_DEFINE_ENUM(VITRO_EXIT_IO);
TRACE_DEFINE_ENUM(VITRO_EXIT_RDMSR);
TRACE_DEFINE_ENUM(VITRO_EXIT_WRMSR);
TRACE_DEFINE_ENUM(VITRO_EXIT_HLT);
TRACE_DEFINE_ENUM(VITRO_EXIT_HYPERCALL);
TRACE_DEFINE_ENUM(VITRO_EXIT_SHUTDOWN);
TRACE_DEFINE_ENUM(VITRO_EXIT_FAIL_ENTRY);
TRACE_DEFINE_ENUM(VITRO_EXIT_UNHANDLED);
TRACE_DEFINE_ENUM(VITRO_EXIT_TASK_SWITCH);
TRACE_DEFINE_ENUM(EXIT_HOST);
TRACE_DEFINE_ENUM(EXIT_CPUID);
TRACE_DEFINE_ENUM(EXIT_IRQ_WINDOW);
TRACE_DEFINE_ENUM(EXIT_NMI_WINDOW);
TRACE_DEFINE_ENUM(EXIT_TDP);
TRACE_DEFINE_ENUM(EXIT_CR);
TRACE_DEFINE_ENUM(EXIT_DR);
TRACE_DEFINE_ENUM(EXIT_XSETBV);
TRACE_DEFINE_ENUM(EXIT_EXCEPTION);
TRACE_DEFINE_ENUM(EXIT_UD);
TRACE_DEFINE_ENUM(EXIT_GP);
TRACE_DEFINE_ENUM(EXIT_SKIP);
TRACE_DEFINE_ENUM(EXIT_PAUSE);
TRACE_DEFINE_ENUM(EXIT_RESUME);
TRACE_DEFINE_ENUM(EXIT_FETCH);

/* The guest is about to be entered; as kvm:kvm_entry. */
TRACE_EVENT(vitro_entry,
	TP_PROTO(const struct vitro_vcpu *vcpu),
	TP_ARGS(vcpu),
	TP_STRUCT__entry(
		__field(u64, vm_id)
		__field(unsigned int, vcpu_id)
		__field(unsigned long, rip)
	),
	TP_fast_assign(
		__entry->vm_id = vcpu->vm->id;
		__entry->vcpu_id = vcpu->id;
		__entry->rip = vcpu->regs.rip;
	),
	TP_printk("vm %llu vcpu %u, rip 0x%lx", __entry->vm_id, __entry->vcpu_id, __entry->rip)
);

/* The guest exited; as kvm:kvm_exit, and with the reason in vitro's terms. */
TRACE_EVENT(vitro_exit,
	TP_PROTO(const struct vitro_vcpu *vcpu),
	TP_ARGS(vcpu),
	TP_STRUCT__entry(
		__field(u64, vm_id)
		__field(unsigned int, exit_reason)
		__field(unsigned long, guest_rip)
		__field(u32, isa)
		__field(u64, info1)
		__field(u64, info2)
		__field(u32, intr_info)
		__field(u32, error_code)
		__field(unsigned int, vcpu_id)
		__field(u32, reason)
	),
	TP_fast_assign(
		__entry->vm_id = vcpu->vm->id;
		__entry->exit_reason = vcpu->exit.raw.code;
		__entry->guest_rip = vcpu->regs.rip;
		__entry->isa = backend->vendor == VITRO_VENDOR_VMX ? TRACE_ISA_VMX : TRACE_ISA_SVM;
		__entry->info1 = vcpu->exit.raw.info1;
		__entry->info2 = vcpu->exit.raw.info2;
		__entry->intr_info = vcpu->exit.raw.intinfo;
		__entry->error_code = vcpu->exit.raw.intinfo >> 32;
		__entry->vcpu_id = vcpu->id;
		__entry->reason = vcpu->exit.reason;
	),
	TP_printk("vm %llu vcpu %u reason %s (0x%x) rip 0x%lx info1 0x%llx info2 0x%llx intr_info 0x%x error_code 0x%x",
		  __entry->vm_id, __entry->vcpu_id,
		  __print_symbolic(__entry->reason, TRACE_REASONS), __entry->exit_reason,
		  __entry->guest_rip, __entry->info1, __entry->info2, __entry->intr_info,
		  __entry->error_code)
);

/* An event goes into the guest with the next entry; kvm:kvm_inj_virq and kvm_inj_exception. */
TRACE_EVENT(vitro_inject,
	TP_PROTO(const struct vitro_vcpu *vcpu, const struct vcpu_event *ev),
	TP_ARGS(vcpu, ev),
	TP_STRUCT__entry(
		__field(unsigned int, vcpu_id)
		__field(u8, type)
		__field(u8, vector)
		__field(u8, has_error)
		__field(u32, error_code)
	),
	TP_fast_assign(
		__entry->vcpu_id = vcpu->id;
		__entry->type = ev->type;
		__entry->vector = ev->vector;
		__entry->has_error = ev->has_error;
		__entry->error_code = ev->error;
	),
	TP_printk("vcpu %u %s vector %u%s (0x%x)", __entry->vcpu_id,
		  __print_symbolic(__entry->type, { EV_EXCEPTION, "exception" },
				   { EV_NMI, "nmi" }, { EV_INTR, "interrupt" }),
		  __entry->vector, __entry->has_error ? " with error" : "",
		  __entry->error_code)
);

/* A second-level fault to resolve; as kvm:kvm_page_fault.  error_code is VITRO_MMIO_*. */
TRACE_EVENT(vitro_page_fault,
	TP_PROTO(const struct vitro_vcpu *vcpu, u64 fault_address, u64 error_code),
	TP_ARGS(vcpu, fault_address, error_code),
	TP_STRUCT__entry(
		__field(unsigned int, vcpu_id)
		__field(unsigned long, guest_rip)
		__field(u64, fault_address)
		__field(u64, error_code)
	),
	TP_fast_assign(
		__entry->vcpu_id = vcpu->id;
		__entry->guest_rip = vcpu->regs.rip;
		__entry->fault_address = fault_address;
		__entry->error_code = error_code;
	),
	TP_printk("vcpu %u rip 0x%lx address 0x%016llx %s", __entry->vcpu_id,
		  __entry->guest_rip, __entry->fault_address,
		  __print_flags(__entry->error_code, "|", { VITRO_MMIO_READ, "read" },
				{ VITRO_MMIO_WRITE, "write" }, { VITRO_MMIO_EXEC, "exec" },
				{ VITRO_MMIO_WALK, "walk" }))
);

/* A message-signalled interrupt; as kvm:kvm_msi_set_irq. */
TRACE_EVENT(vitro_msi,
	TP_PROTO(const struct vitro_vm *vm, u64 address, u64 data),
	TP_ARGS(vm, address, data),
	TP_STRUCT__entry(
		__field(u64, vm_id)
		__field(u64, address)
		__field(u64, data)
	),
	TP_fast_assign(
		__entry->vm_id = vm->id;
		__entry->address = address;
		__entry->data = data;
	),
	TP_printk("vm %llu address 0x%llx data 0x%llx vec %u", __entry->vm_id, __entry->address,
		  __entry->data, (u8)__entry->data)
);

/* The timer of a local APIC fired. */
TRACE_EVENT(vitro_timer,
	TP_PROTO(const struct vitro_vcpu *vcpu, u32 lvt),
	TP_ARGS(vcpu, lvt),
	TP_STRUCT__entry(
		__field(unsigned int, vcpu_id)
		__field(u32, lvt)
	),
	TP_fast_assign(
		__entry->vcpu_id = vcpu->id;
		__entry->lvt = lvt;
	),
	TP_printk("vcpu %u vec %u%s", __entry->vcpu_id, (u8)__entry->lvt,
		  __entry->lvt & APIC_LVT_MASKED ? " masked" : "")
);

/* As kvm:kvm_hypercall. */
TRACE_EVENT(vitro_hypercall,
	TP_PROTO(u64 nr, const u64 *a),
	TP_ARGS(nr, a),
	TP_STRUCT__entry(
		__field(u64, nr)
		__field(u64, a0)
		__field(u64, a1)
		__field(u64, a2)
		__field(u64, a3)
	),
	TP_fast_assign(
		__entry->nr = nr;
		__entry->a0 = a[0];
		__entry->a1 = a[1];
		__entry->a2 = a[2];
		__entry->a3 = a[3];
	),
	TP_printk("nr 0x%llx a0 0x%llx a1 0x%llx a2 0x%llx a3 0x%llx", __entry->nr, __entry->a0,
		  __entry->a1, __entry->a2, __entry->a3)
);

/* VITRO_SET_MEMSLOT; addresses and size in bytes. */
TRACE_EVENT(vitro_memslot,
	TP_PROTO(const struct vitro_vm *vm, const struct vitro_memslot *req),
	TP_ARGS(vm, req),
	TP_STRUCT__entry(
		__field(u64, vm_id)
		__field(u32, slot)
		__field(u32, flags)
		__field(u64, gpa)
		__field(u64, size)
		__field(u64, hva)
	),
	TP_fast_assign(
		__entry->vm_id = vm->id;
		__entry->slot = req->slot;
		__entry->flags = req->flags;
		__entry->gpa = req->gpa;
		__entry->size = req->size;
		__entry->hva = req->hva;
	),
	TP_printk("vm %llu slot %u flags 0x%x gpa 0x%llx size 0x%llx hva 0x%llx",
		  __entry->vm_id, __entry->slot, __entry->flags, __entry->gpa, __entry->size,
		  __entry->hva)
);

/* VITRO_DIRTY_LOG took the log of some pages. */
TRACE_EVENT(vitro_dirty_log,
	TP_PROTO(const struct vitro_vm *vm, const struct vitro_dirty_log *req),
	TP_ARGS(vm, req),
	TP_STRUCT__entry(
		__field(u64, vm_id)
		__field(u32, slot)
		__field(u64, first)
		__field(u64, nr)
	),
	TP_fast_assign(
		__entry->vm_id = vm->id;
		__entry->slot = req->slot;
		__entry->first = req->first;
		__entry->nr = req->nr;
	),
	TP_printk("vm %llu slot %u pages %llu from %llu", __entry->vm_id, __entry->slot,
		  __entry->nr, __entry->first)
);

#endif /* VITRO_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH glass
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
