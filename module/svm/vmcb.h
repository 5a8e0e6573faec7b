/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The virtual machine control block (APM 2 appendix B) with the manual's names,
 * and what its fields hold (APM 2 chapter 15 and appendix C).
 */
#ifndef VITRO_VMCB_H
#define VITRO_VMCB_H

#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/types.h>

/* Intercept vector 0, at 000h: accesses to control registers (APM 2 15.9). */
#define INTERCEPT_CR_READ(n)	BIT(n)
#define INTERCEPT_CR_WRITE(n)	BIT(16 + (n))

/* Intercept vector 1, at 004h: accesses to debug registers (APM 2 15.9). */
#define INTERCEPT_DR_ALL	0xffffffffu

/* Intercept vector 3, at 00Ch (APM 2 15.9, 15.13). */
#define INTERCEPT_INTR		BIT(0)
#define INTERCEPT_NMI		BIT(1)
#define INTERCEPT_SMI		BIT(2)
#define INTERCEPT_INIT		BIT(3)
#define INTERCEPT_VINTR		BIT(4)
#define INTERCEPT_RDPMC		BIT(15)
#define INTERCEPT_CPUID		BIT(18)
#define INTERCEPT_RSM		BIT(19)
#define INTERCEPT_IRET		BIT(20)
#define INTERCEPT_INTN		BIT(21)
#define INTERCEPT_INVD		BIT(22)
#define INTERCEPT_PAUSE		BIT(23)
#define INTERCEPT_HLT		BIT(24)
#define INTERCEPT_INVLPGA	BIT(26)
#define INTERCEPT_IOIO_PROT	BIT(27)
#define INTERCEPT_MSR_PROT	BIT(28)
#define INTERCEPT_FERR_FREEZE	BIT(30)
#define INTERCEPT_SHUTDOWN	BIT(31)

/* Intercept vector 4, at 010h. */
#define INTERCEPT_VMRUN		BIT(0)
#define INTERCEPT_VMMCALL	BIT(1)
#define INTERCEPT_VMLOAD	BIT(2)
#define INTERCEPT_VMSAVE	BIT(3)
#define INTERCEPT_STGI		BIT(4)
#define INTERCEPT_CLGI		BIT(5)
#define INTERCEPT_SKINIT	BIT(6)
#define INTERCEPT_WBINVD	BIT(9)
#define INTERCEPT_MONITOR	BIT(10)
#define INTERCEPT_MWAIT		BIT(11)
#define INTERCEPT_MWAIT_ARMED	BIT(12)
#define INTERCEPT_XSETBV	BIT(13)
#define INTERCEPT_RDPRU		BIT(14)

/* Intercept vector 5, at 014h. */
#define INTERCEPT_INVLPGB	(BIT(0) | BIT(1))
#define INTERCEPT_MCOMMIT	BIT(3)
#define INTERCEPT_TLBSYNC	BIT(4)

/* TLB_CONTROL, at 05Ch (APM 2 15.16.1). */
#define TLB_CONTROL_NOTHING	0
#define TLB_CONTROL_FLUSH_ALL	1	/* every ASID, the host's too */
#define TLB_CONTROL_FLUSH_ASID	3	/* this ASID; needs the FlushByAsid feature */

/* Virtual interrupt control, at 060h (APM 2 15.21). */
#define V_TPR_MASK		0xffull
#define V_IRQ			BIT_ULL(8)
#define V_INTR_PRIO_MAX		(0xfull << 16)
#define V_IGN_TPR		BIT_ULL(20)
#define V_INTR_MASKING		BIT_ULL(24)

/* Interrupt state, at 068h. */
#define INTERRUPT_SHADOW	BIT_ULL(0)

/* EVENTINJ and EXITINTINFO (APM 2 15.20, 15.7.2). */
#define EVENT_VECTOR		0xffull
#define EVENT_TYPE		(7ull << 8)
#define EVENT_IS_INTR		(0ull << 8)
#define EVENT_IS_NMI		(2ull << 8)
#define EVENT_IS_EXCEPTION	(3ull << 8)
#define EVENT_IS_SOFTWARE	(4ull << 8)
#define EVENT_EV		BIT_ULL(11)	/* error code in bits 63:32 */
#define EVENT_V			BIT_ULL(31)

#define NP_ENABLE		BIT_ULL(0)

/*
 * VMCB clean bits, at 0C0h (APM 2 15.15): the CPU may go on using what it remembers
 * of these groups of fields from the last exit of the same VMCB on the same core.
 */
#define CLEAN_INTERCEPTS	BIT(0)	/* all intercepts, TSC offset, pause filter */
#define CLEAN_ASID		BIT(2)
#define CLEAN_TPR		BIT(3)	/* the word at 060h */
#define CLEAN_NP		BIT(4)	/* N_CR3, G_PAT */
#define CLEAN_CRX		BIT(5)	/* CR0, CR3, CR4, EFER */
#define CLEAN_DRX		BIT(6)	/* DR6, DR7 */
#define CLEAN_DT		BIT(7)	/* GDTR, IDTR */
#define CLEAN_SEG		BIT(8)	/* CS, DS, SS, ES, CPL */
#define CLEAN_CR2		BIT(9)
#define CLEAN_ALL		GENMASK(9, 0)

/* EXITINFO1 of IOIO exits (APM 2 15.10.2). */
#define IOIO_TYPE_IN		BIT_ULL(0)
#define IOIO_STR		BIT_ULL(2)
#define IOIO_REP		BIT_ULL(3)
#define IOIO_SIZE(info)		(((info) >> 4) & 7)	/* one of 1, 2, 4 */
#define IOIO_ADDR_SIZE(info)	((((info) >> 7) & 7) * 2) /* one of 2, 4, 8 */
#define IOIO_SEG(info)		(((info) >> 10) & 7)	/* with decode assists */
#define IOIO_PORT(info)		(((info) >> 16) & 0xffff)

/* EXITINFO1 of nested page faults (APM 2 15.25.6). */
#define NPF_WRITE		BIT_ULL(1)
#define NPF_FETCH		BIT_ULL(4)
#define NPF_WALK		BIT_ULL(33)

/* EXITINFO1 of MOV CR exits with decode assists (APM 2 15.8.1). */
#define CR_INFO_MOV		BIT_ULL(63)
#define CR_INFO_GPR(info)	((info) & 15)

/* EXITCODE (APM 2 appendix C). */
#define SVM_EXIT_CR_READ(n)	(0x00 + (n))
#define SVM_EXIT_CR_WRITE(n)	(0x10 + (n))
#define SVM_EXIT_DR_READ(n)	(0x20 + (n))
#define SVM_EXIT_DR_WRITE(n)	(0x30 + (n))
#define SVM_EXIT_EXCP(n)	(0x40 + (n))
#define SVM_EXIT_INTR		0x60
#define SVM_EXIT_NMI		0x61
#define SVM_EXIT_SMI		0x62
#define SVM_EXIT_INIT		0x63
#define SVM_EXIT_VINTR		0x64
#define SVM_EXIT_RDPMC		0x6f
#define SVM_EXIT_CPUID		0x72
#define SVM_EXIT_RSM		0x73
#define SVM_EXIT_IRET		0x74
#define SVM_EXIT_INTN		0x75
#define SVM_EXIT_INVD		0x76
#define SVM_EXIT_PAUSE		0x77
#define SVM_EXIT_HLT		0x78
#define SVM_EXIT_INVLPGA	0x7a
#define SVM_EXIT_IOIO		0x7b
#define SVM_EXIT_MSR		0x7c
#define SVM_EXIT_FERR_FREEZE	0x7e
#define SVM_EXIT_SHUTDOWN	0x7f
#define SVM_EXIT_VMRUN		0x80
#define SVM_EXIT_VMMCALL	0x81
#define SVM_EXIT_VMLOAD		0x82
#define SVM_EXIT_VMSAVE		0x83
#define SVM_EXIT_STGI		0x84
#define SVM_EXIT_CLGI		0x85
#define SVM_EXIT_SKINIT		0x86
#define SVM_EXIT_WBINVD		0x89
#define SVM_EXIT_MONITOR	0x8a
#define SVM_EXIT_MWAIT		0x8b
#define SVM_EXIT_MWAIT_ARMED	0x8c
#define SVM_EXIT_XSETBV		0x8d
#define SVM_EXIT_RDPRU		0x8e
#define SVM_EXIT_INVLPGB	0xa0
#define SVM_EXIT_INVLPGB_ILL	0xa1
#define SVM_EXIT_MCOMMIT	0xa3
#define SVM_EXIT_TLBSYNC	0xa4
#define SVM_EXIT_NPF		0x400
#define SVM_EXIT_INVALID	(~0ULL)

/* CPUID Fn8000_000A_EDX: what this CPU's SVM can do. */
#define SVM_FEATURE_NP		BIT(0)
#define SVM_FEATURE_NRIPS	BIT(3)
#define SVM_FEATURE_CLEAN	BIT(5)
#define SVM_FEATURE_FLUSH_ASID	BIT(6)
#define SVM_FEATURE_DECODE	BIT(7)
#define SVM_FEATURE_PAUSE	BIT(10)
#define SVM_FEATURE_VGIF	BIT(16)

/* A segment register in the save area. */
struct vmcb_seg {
	u16 selector;
	u16 attrib;
	u32 limit;
	u64 base;
};

/* Offsets, at the right, are those of APM 2 table B-1 (control) and B-2 (save). */
struct vmcb_control {
	u32 intercept_cr;		/* 000 */
	u32 intercept_dr;		/* 004 */
	u32 intercept_exceptions;	/* 008 */
	u32 intercept_misc1;		/* 00c */
	u32 intercept_misc2;		/* 010 */
	u32 intercept_misc3;		/* 014 */
	u8 reserved018[0x3c - 0x18];
	u16 pause_filter_threshold;	/* 03c */
	u16 pause_filter_count;		/* 03e */
	u64 iopm_base_pa;		/* 040 */
	u64 msrpm_base_pa;		/* 048 */
	u64 tsc_offset;			/* 050 */
	u32 guest_asid;			/* 058 */
	u8 tlb_control;			/* 05c */
	u8 reserved05d[3];
	u64 vintr;			/* 060 */
	u64 interrupt_state;		/* 068 */
	u64 exitcode;			/* 070 */
	u64 exitinfo1;			/* 078 */
	u64 exitinfo2;			/* 080 */
	u64 exitintinfo;		/* 088 */
	u64 np_enable;			/* 090 */
	u64 reserved098[2];
	u64 eventinj;			/* 0a8 */
	u64 n_cr3;			/* 0b0 */
	u64 lbr_virtualization;		/* 0b8 */
	u32 clean_bits;			/* 0c0 */
	u32 reserved0c4;
	u64 nrip;			/* 0c8 */
	u8 nr_bytes_fetched;		/* 0d0 */
	u8 bytes_fetched[15];		/* 0d1 */
	u8 reserved0e0[0x400 - 0xe0];
};

struct vmcb_save {
	struct vmcb_seg es, cs, ss, ds, fs, gs;	/* 400 */
	struct vmcb_seg gdtr, ldtr, idtr, tr;	/* 460 */
	u8 reserved4a0[0x4cb - 0x4a0];
	u8 cpl;				/* 4cb */
	u8 reserved4cc[4];
	u64 efer;			/* 4d0 */
	u8 reserved4d8[0x548 - 0x4d8];
	u64 cr4;			/* 548 */
	u64 cr3;			/* 550 */
	u64 cr0;			/* 558 */
	u64 dr7;			/* 560 */
	u64 dr6;			/* 568 */
	u64 rflags;			/* 570 */
	u64 rip;			/* 578 */
	u8 reserved580[0x5d8 - 0x580];
	u64 rsp;			/* 5d8 */
	u8 reserved5e0[0x5f8 - 0x5e0];
	u64 rax;			/* 5f8 */
	u64 star;			/* 600 */
	u64 lstar;			/* 608 */
	u64 cstar;			/* 610 */
	u64 sfmask;			/* 618 */
	u64 kernel_gs_base;		/* 620 */
	u64 sysenter_cs;		/* 628 */
	u64 sysenter_esp;		/* 630 */
	u64 sysenter_eip;		/* 638 */
	u64 cr2;			/* 640 */
	u8 reserved648[0x668 - 0x648];
	u64 g_pat;			/* 668 */
	u8 reserved670[0x1000 - 0x670];
};

struct vmcb {
	struct vmcb_control control;
	struct vmcb_save save;
};

static_assert(offsetof(struct vmcb, control.vintr) == 0x060);
static_assert(offsetof(struct vmcb, control.eventinj) == 0x0a8);
static_assert(offsetof(struct vmcb, control.nrip) == 0x0c8);
static_assert(offsetof(struct vmcb, save) == 0x400);
static_assert(offsetof(struct vmcb, save.cpl) == 0x4cb);
static_assert(offsetof(struct vmcb, save.cr4) == 0x548);
static_assert(offsetof(struct vmcb, save.rsp) == 0x5d8);
static_assert(offsetof(struct vmcb, save.g_pat) == 0x668);
static_assert(sizeof(struct vmcb) == 0x1000);

#endif /* VITRO_VMCB_H */
