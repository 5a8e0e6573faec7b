// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libvitro's instruction emulation.
 *
 * The first test runs instructions twice from the same registers, flags and memory:
 * on this CPU with a page of ordinary memory, and in the emulator with that page's
 * content as a device's registers at the same address.  All registers, all flags and
 * the memory have to come out the same.  What cannot be done so in a 64-bit process
 * (16-bit code, segments, faults, single steps) has tests with figures of their own.
 */
#include "kselftest_harness.h"

#include "fake.h"
#include "native.h"

/* -------------------------------------------------------------- the comparison */

#define ROUNDS	200

/* What random registers would not do; memory operands are at DEVICE. */
#define RCX_SMALL	1	/* rcx counts: 0 to 7 */
#define RCX_INDEX	2	/* rcx is an index: -16 to 15 */
#define RSI_MEM		4
#define NO_HIGH_RAX	8	/* 32 bits of rax only: a compare with memory sets ZF often */
#define BIT_OFFSET	16	/* rdx is a bit number: -512 to 511 */

struct insn_case {
	const char *text;
	uint8_t code[12];
	uint8_t len;
	uint8_t how;
	uint16_t undefined;	/* flags that the manual leaves undefined */
};

#define I(text, how, undefined, ...)							\
	{ text, { __VA_ARGS__ }, sizeof((uint8_t[]){ __VA_ARGS__ }), how, undefined }

#define BT_UNDEFINED	(FLAG_OF | FLAG_SF | FLAG_AF | FLAG_PF)

/* rdi is DEVICE + 0x800, give or take an offset within a cache line. */
static const struct insn_case cases[] = {
	I("mov [rdi], al", 0, 0, 0x88, 0x07),
	I("mov [rdi], ah", 0, 0, 0x88, 0x27),
	I("mov [rdi], bh", 0, 0, 0x88, 0x3f),
	I("mov [rdi], sil", 0, 0, 0x40, 0x88, 0x37),
	I("mov [rdi], r15b", 0, 0, 0x44, 0x88, 0x3f),
	I("mov [rdi], cx", 0, 0, 0x66, 0x89, 0x0f),
	I("mov [rdi], edx", 0, 0, 0x89, 0x17),
	I("mov [rdi], r9", 0, 0, 0x4c, 0x89, 0x0f),
	I("mov al, [rdi]", 0, 0, 0x8a, 0x07),
	I("mov ch, [rdi]", 0, 0, 0x8a, 0x2f),
	I("mov bpl, [rdi]", 0, 0, 0x40, 0x8a, 0x2f),
	I("mov bx, [rdi]", 0, 0, 0x66, 0x8b, 0x1f),
	I("mov ebp, [rdi]", 0, 0, 0x8b, 0x2f),
	I("mov r12, [rdi]", 0, 0, 0x4c, 0x8b, 0x27),
	I("mov rdi, [rdi]", 0, 0, 0x48, 0x8b, 0x3f),
	I("mov eax, [rdi + rcx * 4 + 0x20]", RCX_INDEX, 0, 0x8b, 0x44, 0x8f, 0x20),
	I("mov [rdi + rcx * 8 - 0x100], rdx", RCX_INDEX, 0,
	  0x48, 0x89, 0x94, 0xcf, 0x00, 0xff, 0xff, 0xff),
	I("mov eax, [edi]", 0, 0, 0x67, 0x8b, 0x07),
	I("mov al, [0x10000123]", 0, 0, 0xa0, 0x23, 0x01, 0, 0x10, 0, 0, 0, 0),
	I("mov eax, [0x10000123]", 0, 0, 0xa1, 0x23, 0x01, 0, 0x10, 0, 0, 0, 0),
	I("mov [0x10000123], al", 0, 0, 0xa2, 0x23, 0x01, 0, 0x10, 0, 0, 0, 0),
	I("mov [0x10000123], rax", 0, 0, 0x48, 0xa3, 0x23, 0x01, 0, 0x10, 0, 0, 0, 0),
	I("mov byte [rdi], 0x80", 0, 0, 0xc6, 0x07, 0x80),
	I("mov word [rdi], 0x8123", 0, 0, 0x66, 0xc7, 0x07, 0x23, 0x81),
	I("mov dword [rdi], 0x81234567", 0, 0, 0xc7, 0x07, 0x67, 0x45, 0x23, 0x81),
	I("mov qword [rdi], -0x7edcba99", 0, 0, 0x48, 0xc7, 0x07, 0x67, 0x45, 0x23, 0x81),
	I("movnti [rdi], eax", 0, 0, 0x0f, 0xc3, 0x07),
	I("movzx eax, byte [rdi]", 0, 0, 0x0f, 0xb6, 0x07),
	I("movzx ax, byte [rdi]", 0, 0, 0x66, 0x0f, 0xb6, 0x07),
	I("movzx rdx, word [rdi]", 0, 0, 0x48, 0x0f, 0xb7, 0x17),
	I("movsx eax, byte [rdi]", 0, 0, 0x0f, 0xbe, 0x07),
	I("movsx bx, byte [rdi]", 0, 0, 0x66, 0x0f, 0xbe, 0x1f),
	I("movsx r8, word [rdi]", 0, 0, 0x4c, 0x0f, 0xbf, 0x07),
	I("movsxd rcx, dword [rdi]", 0, 0, 0x48, 0x63, 0x0f),
	I("xchg [rdi], al", 0, 0, 0x86, 0x07),
	I("xchg [rdi], ax", 0, 0, 0x66, 0x87, 0x07),
	I("xchg [rdi], ebx", 0, 0, 0x87, 0x1f),
	I("xchg [rdi], rdi", 0, 0, 0x48, 0x87, 0x3f),
	I("lock xchg [rdi], rdx", 0, 0, 0xf0, 0x48, 0x87, 0x17),

	I("add [rdi], al", 0, 0, 0x00, 0x07),
	I("add [rdi], cx", 0, 0, 0x66, 0x01, 0x0f),
	I("lock add [rdi], edx", 0, 0, 0xf0, 0x01, 0x17),
	I("add r10, [rdi]", 0, 0, 0x4c, 0x03, 0x17),
	I("add dword [rdi], -1", 0, 0, 0x83, 0x07, 0xff),
	I("adc [rdi], rax", 0, 0, 0x48, 0x11, 0x07),
	I("adc dl, [rdi]", 0, 0, 0x12, 0x17),
	I("sub [rdi], eax", 0, 0, 0x29, 0x07),
	I("sub ah, [rdi]", 0, 0, 0x2a, 0x27),
	I("sub qword [rdi], 0x12345678", 0, 0, 0x48, 0x81, 0x2f, 0x78, 0x56, 0x34, 0x12),
	I("sbb [rdi], ax", 0, 0, 0x66, 0x19, 0x07),
	I("sbb r11, [rdi]", 0, 0, 0x4c, 0x1b, 0x1f),
	I("and [rdi], eax", 0, FLAG_AF, 0x21, 0x07),
	I("and bl, [rdi]", 0, FLAG_AF, 0x22, 0x1f),
	I("lock and qword [rdi], -128", 0, FLAG_AF, 0xf0, 0x48, 0x83, 0x27, 0x80),
	I("or [rdi], r8", 0, FLAG_AF, 0x4c, 0x09, 0x07),
	I("or byte [rdi], 0x40", 0, FLAG_AF, 0x80, 0x0f, 0x40),
	I("or ecx, [rdi]", 0, FLAG_AF, 0x0b, 0x0f),
	I("xor [rdi], bx", 0, FLAG_AF, 0x66, 0x31, 0x1f),
	I("xor rbx, [rdi]", 0, FLAG_AF, 0x48, 0x33, 0x1f),
	I("cmp [rdi], al", 0, 0, 0x38, 0x07),
	I("cmp rsi, [rdi]", 0, 0, 0x48, 0x3b, 0x37),
	I("cmp word [rdi], -2", 0, 0, 0x66, 0x83, 0x3f, 0xfe),
	I("test [rdi], ecx", 0, FLAG_AF, 0x85, 0x0f),
	I("test byte [rdi], 0x81", 0, FLAG_AF, 0xf6, 0x07, 0x81),
	I("test qword [rdi], -2", 0, FLAG_AF, 0x48, 0xf7, 0x07, 0xfe, 0xff, 0xff, 0xff),
	I("inc byte [rdi]", 0, 0, 0xfe, 0x07),
	I("lock inc dword [rdi]", 0, 0, 0xf0, 0xff, 0x07),
	I("dec word [rdi]", 0, 0, 0x66, 0xff, 0x0f),
	I("dec qword [rdi]", 0, 0, 0x48, 0xff, 0x0f),
	I("neg dword [rdi]", 0, 0, 0xf7, 0x1f),
	I("not qword [rdi]", 0, 0, 0x48, 0xf7, 0x17),
	I("xadd [rdi], bl", 0, 0, 0x0f, 0xc0, 0x1f),
	I("lock xadd [rdi], rdx", 0, 0, 0xf0, 0x48, 0x0f, 0xc1, 0x17),
	I("xadd [rdi], edi", 0, 0, 0x0f, 0xc1, 0x3f),
	I("cmpxchg [rdi], cl", 0, 0, 0x0f, 0xb0, 0x0f),
	I("cmpxchg [rdi], ecx", NO_HIGH_RAX, 0, 0x0f, 0xb1, 0x0f),
	I("lock cmpxchg [rdi], r9", NO_HIGH_RAX, 0, 0xf0, 0x4c, 0x0f, 0xb1, 0x0f),
	I("cmpxchg8b [rdi]", 0, 0, 0x0f, 0xc7, 0x0f),
	I("movbe ax, [rdi]", 0, 0, 0x66, 0x0f, 0x38, 0xf0, 0x07),
	I("movbe edx, [rdi]", 0, 0, 0x0f, 0x38, 0xf0, 0x17),
	I("movbe [rdi], r8", 0, 0, 0x4c, 0x0f, 0x38, 0xf1, 0x07),

	I("rol byte [rdi], 1", 0, 0, 0xd0, 0x07),
	I("ror dword [rdi], cl", 0, FLAG_OF, 0xd3, 0x0f),
	I("rcl word [rdi], cl", 0, FLAG_OF, 0x66, 0xd3, 0x17),
	I("rcr qword [rdi], 3", 0, FLAG_OF, 0x48, 0xc1, 0x1f, 3),
	I("rcr byte [rdi], 1", 0, 0, 0xd0, 0x1f),
	I("shl dword [rdi], cl", 0, FLAG_OF | FLAG_AF, 0xd3, 0x27),
	I("shr qword [rdi], 1", 0, FLAG_AF, 0x48, 0xd1, 0x2f),
	I("sar word [rdi], 7", 0, FLAG_OF | FLAG_AF, 0x66, 0xc1, 0x3f, 7),
	I("shld [rdi], edx, cl", 0, FLAG_OF | FLAG_AF, 0x0f, 0xa5, 0x17),
	I("shld [rdi], dx, 1", 0, FLAG_AF, 0x66, 0x0f, 0xa4, 0x17, 1),
	I("shrd [rdi], rbx, 61", 0, FLAG_OF | FLAG_AF, 0x48, 0x0f, 0xac, 0x1f, 61),
	I("setbe [rdi]", 0, 0, 0x0f, 0x96, 0x07),
	I("setl [rdi]", 0, 0, 0x0f, 0x9c, 0x07),
	I("setno [rdi]", 0, 0, 0x0f, 0x91, 0x07),
	I("cmovle eax, [rdi]", 0, 0, 0x0f, 0x4e, 0x07),
	I("cmovp rdx, [rdi]", 0, 0, 0x48, 0x0f, 0x4a, 0x17),
	I("cmovs bx, [rdi]", 0, 0, 0x66, 0x0f, 0x48, 0x1f),

	I("bt [rdi], edx", BIT_OFFSET, BT_UNDEFINED, 0x0f, 0xa3, 0x17),
	I("bt word [rdi], 17", 0, BT_UNDEFINED, 0x66, 0x0f, 0xba, 0x27, 17),
	I("bts [rdi], rdx", BIT_OFFSET, BT_UNDEFINED, 0x48, 0x0f, 0xab, 0x17),
	I("lock bts [rdi], dx", BIT_OFFSET, BT_UNDEFINED, 0xf0, 0x66, 0x0f, 0xab, 0x17),
	I("btr [rdi], edx", BIT_OFFSET, BT_UNDEFINED, 0x0f, 0xb3, 0x17),
	I("btr dword [rdi], 35", 0, BT_UNDEFINED, 0x0f, 0xba, 0x37, 35),
	I("btc [rdi], rdx", BIT_OFFSET, BT_UNDEFINED, 0x48, 0x0f, 0xbb, 0x17),
	I("btc qword [rdi], 63", 0, BT_UNDEFINED, 0x48, 0x0f, 0xba, 0x3f, 63),

	I("movsb", RSI_MEM, 0, 0xa4),
	I("movsw", RSI_MEM, 0, 0x66, 0xa5),
	I("movsd", RSI_MEM, 0, 0xa5),
	I("movsq", RSI_MEM, 0, 0x48, 0xa5),
	I("rep movsb", RSI_MEM | RCX_SMALL, 0, 0xf3, 0xa4),
	I("rep movsd", RSI_MEM | RCX_SMALL, 0, 0xf3, 0xa5),
	I("repne movsq", RSI_MEM | RCX_SMALL, 0, 0xf2, 0x48, 0xa5),
	I("rep movsb, 32-bit addresses", RSI_MEM | RCX_SMALL, 0, 0xf3, 0x67, 0xa4),
	I("stosb", 0, 0, 0xaa),
	I("stosq", 0, 0, 0x48, 0xab),
	I("rep stosd", RCX_SMALL, 0, 0xf3, 0xab),
	I("rep stosw", RCX_SMALL, 0, 0xf3, 0x66, 0xab),
	I("lodsb", RSI_MEM, 0, 0xac),
	I("lodsd", RSI_MEM, 0, 0xad),
	I("rep lodsw", RSI_MEM | RCX_SMALL, 0, 0xf3, 0x66, 0xad),
	I("cmpsb", RSI_MEM, 0, 0xa6),
	I("repe cmpsb", RSI_MEM | RCX_SMALL, 0, 0xf3, 0xa6),
	I("repne cmpsd", RSI_MEM | RCX_SMALL, 0, 0xf2, 0xa7),
	I("scasb", 0, 0, 0xae),
	I("repne scasb", RCX_SMALL, 0, 0xf2, 0xae),
	I("repe scasw", RCX_SMALL | NO_HIGH_RAX, 0, 0xf3, 0x66, 0xaf),
};

static uint64_t random64(void)
{
	return (uint64_t)random() << 42 ^ (uint64_t)random() << 21 ^ random();
}

/* Values, some of them small, so that compares find something. */
static void randomize(struct native *regs, uint8_t *mem, const struct insn_case *c)
{
	bool same = random() & 1;

	for (unsigned int i = 0; i < VITRO_NR_GPRS; i++)
		regs->gpr[i] = random() & 1 ? random64() : (uint64_t)random() % 4;
	regs->gpr[VITRO_RDI] = DEVICE + 0x800 + random() % 64;
	if (c->how & RSI_MEM)
		regs->gpr[VITRO_RSI] = DEVICE + 0x400 + random() % 64;
	if (c->how & RCX_SMALL)
		regs->gpr[VITRO_RCX] = random() % 8;
	if (c->how & RCX_INDEX)
		regs->gpr[VITRO_RCX] = random() % 32 - 16;
	if (c->how & BIT_OFFSET)
		regs->gpr[VITRO_RDX] = random() % 1024 - 512;
	if (c->how & NO_HIGH_RAX)
		regs->gpr[VITRO_RAX] = random() % 4;
	regs->rflags = (random() & (FLAG_ARITH | FLAG_DF)) | FLAG_FIXED | 0x200;
	for (unsigned int i = 0; i < 4096; i++)
		mem[i] = same ? random() % 2 : random();
}

TEST(same_as_the_cpu)
{
	uint8_t *mem = mmap((void *)DEVICE, 4096, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	uint8_t *code = native_page();
	struct fake fake;

	ASSERT_EQ(DEVICE, (uintptr_t)mem);
	ASSERT_NE(NULL, code);
	fake_init(&fake);
	ASSERT_EQ(0, vitro_vcpu_set_mode(&fake.vcpu, VITRO_MODE_LONG, CODE, TABLES));
	srandom(1);

	for (unsigned int i = 0; i < ARRAY_LEN(cases) * ROUNDS; i++) {
		const struct insn_case *c = &cases[i / ROUNDS];
		struct vitro_gprs *gprs = &fake.state->gprs;
		struct native before;

		randomize(&native, mem, c);
		before = native;
		memcpy(fake.device, mem, 4096);
		fake_exit_mmio(&fake, c->code, c->len);
		memcpy(gprs->gpr, native.gpr, sizeof(gprs->gpr));
		gprs->rflags = native.rflags;

		native_run(code, c->code, c->len);
		ASSERT_EQ(0, vitro_emulate_mmio(&fake.vcpu, &fake.bus))
			TH_LOG("%s: %s", c->text, vitro_error());

		for (unsigned int r = 0; r < VITRO_NR_GPRS; r++) {
			ASSERT_EQ(native.gpr[r], gprs->gpr[r])
				TH_LOG("%s: register %u was %lx, rcx %lx, rdx %lx", c->text, r,
				       before.gpr[r], before.gpr[VITRO_RCX],
				       before.gpr[VITRO_RDX]);
		}
		ASSERT_EQ(native.rflags & ~c->undefined, gprs->rflags & ~c->undefined)
			TH_LOG("%s: flags were %lx", c->text, before.rflags);
		ASSERT_EQ(0, memcmp(mem, fake.device, 4096)) TH_LOG("%s: memory", c->text);
		ASSERT_EQ(CODE + c->len, gprs->rip) TH_LOG("%s", c->text);
		ASSERT_EQ(VITRO_STATE_GPRS, fake.comm->dirty) TH_LOG("%s", c->text);
	}
	fake_free(&fake);
}

/* ------------------------------------------------------------- one at a time */

FIXTURE(insn)
{
	struct fake fake;
	struct vitro_gprs *gprs;
};

FIXTURE_SETUP(insn)
{
	fake_init(&self->fake);
	self->gprs = &self->fake.state->gprs;
	ASSERT_EQ(0, vitro_vcpu_set_mode(&self->fake.vcpu, VITRO_MODE_LONG, CODE, TABLES));
	for (unsigned int i = 0; i < sizeof(self->fake.device); i++)
		self->fake.device[i] = i;
}

FIXTURE_TEARDOWN(insn)
{
	fake_free(&self->fake);
}

/* Puts the instruction to CODE, and emulates it as if it had exited. */
static int emulate(struct fake *fake, const uint8_t *code, size_t len)
{
	fake_exit_mmio(fake, code, len);
	return vitro_emulate_mmio(&fake->vcpu, &fake->bus);
}

#define BYTES(...)	((const uint8_t[]){ __VA_ARGS__ })
#define EMULATE(...)	emulate(&self->fake, BYTES(__VA_ARGS__), sizeof(BYTES(__VA_ARGS__)))

/* Was this exception raised, with an error code, and the instruction not left? */
static bool raised(struct fake *fake, unsigned int vector, uint32_t error)
{
	struct vitro_events *events = &fake->state->events;
	bool pending = events->exc_pending;

	events->exc_pending = 0;		/* for the next one */
	return pending && events->exc_vector == vector && events->exc_has_error &&
	       events->exc_error == error && fake->state->gprs.rip == CODE &&
	       fake->comm->dirty & VITRO_STATE_EVENTS;
}

static int set_mode(struct fake *fake, enum vitro_mode mode)
{
	return vitro_vcpu_set_mode(&fake->vcpu, mode, CODE, TABLES);
}

TEST_F(insn, widths_on_the_bus)
{
	struct bus_access *access = self->fake.access;

	self->gprs->gpr[VITRO_RDI] = DEVICE + 0x10;
	EXPECT_EQ(0, EMULATE(0x8a, 0x07));		/* mov al, [rdi] */
	EXPECT_EQ(1, access->size);
	EXPECT_EQ(0, EMULATE(0x66, 0x8b, 0x07));		/* mov ax, [rdi] */
	EXPECT_EQ(2, access->size);
	EXPECT_EQ(0, EMULATE(0x8b, 0x07));		/* mov eax, [rdi] */
	EXPECT_EQ(4, access->size);
	EXPECT_EQ(0, EMULATE(0x48, 0x8b, 0x07));		/* mov rax, [rdi] */
	EXPECT_EQ(8, access->size);
	EXPECT_EQ(1, self->fake.nr_access);
	EXPECT_EQ(DEVICE + 0x10, access->addr);
	EXPECT_FALSE(access->write);
	EXPECT_EQ(0x1716151413121110, self->gprs->gpr[VITRO_RAX]);

	/* A read-modify-write is one of each. */
	EXPECT_EQ(0, EMULATE(0xf0, 0x83, 0x0f, 0x01));	/* lock or dword [rdi], 1 */
	EXPECT_EQ(2, self->fake.nr_access);
	EXPECT_TRUE(access[1].write);
	EXPECT_EQ(0x13121111, access[1].data);
}

/* CMPXCHG that finds something else writes that back: the bus sees a write in any case. */
TEST_F(insn, cmpxchg_always_writes)
{
	self->gprs->gpr[VITRO_RDI] = DEVICE;
	self->gprs->gpr[VITRO_RCX] = 0x77;
	for (unsigned int i = 0; i < 2; i++) {		/* the first fails, and loads eax */
		EXPECT_EQ(0, EMULATE(0x0f, 0xb1, 0x0f));	/* cmpxchg [rdi], ecx */
		EXPECT_EQ(2, self->fake.nr_access);
		EXPECT_TRUE(self->fake.access[1].write);
		EXPECT_EQ(i ? 0x77 : 0x03020100, self->fake.access[1].data);
		EXPECT_EQ(0x03020100, self->gprs->gpr[VITRO_RAX]);
	}
}

TEST_F(insn, bytes_from_the_exit)
{
	static const uint8_t code[] = { 0x8b, 0x07 };		/* mov eax, [rdi] */

	fake_exit_mmio(&self->fake, "\xf4", 1);			/* memory says HLT */
	memcpy(self->fake.comm->exit.mmio.bytes, code, sizeof(code));
	self->fake.comm->exit.mmio.nr_bytes = sizeof(code);
	self->gprs->gpr[VITRO_RDI] = DEVICE;
	EXPECT_EQ(0, vitro_emulate_mmio(&self->fake.vcpu, &self->fake.bus));
	EXPECT_EQ(0x03020100, self->gprs->gpr[VITRO_RAX]);

	/* If it gave too few, they are fetched after all. */
	self->fake.comm->exit.mmio.nr_bytes = 1;
	EXPECT_EQ(0, EMULATE(0x8b, 0x47, 0x04));		/* mov eax, [rdi + 4] */
	EXPECT_EQ(0x07060504, self->gprs->gpr[VITRO_RAX]);
}

TEST_F(insn, rip_relative)
{
	/* mov eax, [rip + x]: relative to the next instruction */
	uint32_t x = DEVICE + 8 - (CODE + 6);

	EXPECT_EQ(0, EMULATE(0x8b, 0x05, x, x >> 8, x >> 16, x >> 24));
	EXPECT_EQ(0x0b0a0908, self->gprs->gpr[VITRO_RAX]);
}

TEST_F(insn, fs_and_gs_have_bases)
{
	self->fake.state->segs.seg[VITRO_GS].base = DEVICE;
	self->fake.state->segs.seg[VITRO_DS].base = 0x1234;	/* which does not count */
	self->gprs->gpr[VITRO_RDI] = 4;
	EXPECT_EQ(0, EMULATE(0x65, 0x8b, 0x07));		/* mov eax, gs:[rdi] */
	EXPECT_EQ(0x07060504, self->gprs->gpr[VITRO_RAX]);
	self->gprs->gpr[VITRO_RDI] = DEVICE;
	EXPECT_EQ(0, EMULATE(0x3e, 0x8b, 0x07));		/* mov eax, ds:[rdi] */
	EXPECT_EQ(0x03020100, self->gprs->gpr[VITRO_RAX]);
}

TEST_F(insn, mov_from_segment_register)
{
	self->gprs->gpr[VITRO_RDI] = DEVICE;
	EXPECT_EQ(0, EMULATE(0x8c, 0x1f));		/* mov [rdi], ds */
	EXPECT_EQ(2, self->fake.access[0].size);
	EXPECT_EQ(VITRO_MODE_DS, self->fake.access[0].data);
}

TEST_F(insn, across_a_page_border)
{
	/* The last 3 bytes of RAM, and 5 of nothing, which read as ones. */
	self->gprs->gpr[VITRO_RDI] = RAM_SIZE - 3;
	memcpy(self->fake.ram + RAM_SIZE - 3, "\x11\x22\x33", 3);
	EXPECT_EQ(0, EMULATE(0x48, 0x8b, 0x07));		/* mov rax, [rdi] */
	EXPECT_EQ(0xffffffffff332211, self->gprs->gpr[VITRO_RAX]);
	EXPECT_EQ(2, self->fake.nr_access);			/* 4 and 1 bytes */
	EXPECT_EQ(4, self->fake.access[0].size);
	EXPECT_EQ(RAM_SIZE, self->fake.access[0].addr);
	EXPECT_EQ(1, self->fake.access[1].size);
}

TEST_F(insn, rom)
{
	self->gprs->gpr[VITRO_RDI] = ROM + 8;
	self->gprs->gpr[VITRO_RAX] = 0xaa;
	self->fake.rom[8] = 0x55;
	EXPECT_EQ(0, EMULATE(0x00, 0x07));		/* add [rdi], al */
	EXPECT_EQ(1, self->fake.nr_access);			/* the write alone */
	EXPECT_EQ(ROM + 8, self->fake.access[0].addr);
	EXPECT_EQ(0x55, self->fake.rom[8]);
}

TEST_F(insn, push_and_pop)
{
	self->gprs->gpr[VITRO_RSP] = 0x8000;
	self->gprs->gpr[VITRO_RDI] = DEVICE + 0x10;
	EXPECT_EQ(0, EMULATE(0xff, 0x37));		/* push qword [rdi] */
	EXPECT_EQ(0x7ff8, self->gprs->gpr[VITRO_RSP]);
	EXPECT_EQ(0, memcmp(self->fake.ram + 0x7ff8, self->fake.device + 0x10, 8));
	EXPECT_EQ(0, EMULATE(0x8f, 0x47, 0x10));		/* pop qword [rdi + 0x10] */
	EXPECT_EQ(0x8000, self->gprs->gpr[VITRO_RSP]);
	EXPECT_EQ(0, memcmp(self->fake.device + 0x20, self->fake.device + 0x10, 8));

	/* Relative to rsp, it is the new one. */
	self->gprs->gpr[VITRO_RSP] = DEVICE + 0x40;
	EXPECT_EQ(0, EMULATE(0x66, 0x8f, 0x04, 0x24));	/* pop word [rsp] */
	EXPECT_EQ(DEVICE + 0x42, self->gprs->gpr[VITRO_RSP]);
	EXPECT_EQ(DEVICE + 0x42, self->fake.access[1].addr);
	EXPECT_EQ(0x4140, self->fake.access[1].data);
	EXPECT_EQ(0, EMULATE(0x6a, 0xff));		/* push -1 */
	EXPECT_EQ(~0ULL, self->fake.access[0].data);
	EXPECT_EQ(DEVICE + 0x3a, self->gprs->gpr[VITRO_RSP]);
}

TEST_F(insn, code_of_16_and_32_bits)
{
	struct vitro_segment *seg = self->fake.state->segs.seg;

	ASSERT_EQ(0, set_mode(&self->fake, VITRO_MODE_PROTECTED));
	self->gprs->gpr[VITRO_RDI] = 0xffffffff00000000 | (DEVICE + 4);
	EXPECT_EQ(0, EMULATE(0x8b, 0x07));		/* mov eax, [edi] */
	EXPECT_EQ(0x07060504, self->gprs->gpr[VITRO_RAX]);
	EXPECT_EQ(CODE + 2, self->gprs->rip);

	/* Real mode: 16-bit operands and addresses, base = selector * 16. */
	ASSERT_EQ(0, set_mode(&self->fake, VITRO_MODE_REAL));
	self->fake.ram[0xb8000 + 0x1234] = 0x42;
	seg[VITRO_DS].base = 0xb8000;
	self->gprs->gpr[VITRO_RAX] = 0x1111111111111111;
	self->gprs->gpr[VITRO_RBX] = 0xabcd1200;		/* only bx counts */
	EXPECT_EQ(0, EMULATE(0x8a, 0x47, 0x34));		/* mov al, [bx + 0x34] */
	EXPECT_EQ(0x1111111111111142, self->gprs->gpr[VITRO_RAX]);
	EXPECT_EQ(CODE + 3, self->gprs->rip);

	/* A base above 1 MiB, left from protected mode, counts too. */
	seg[VITRO_DS].base = DEVICE;
	EXPECT_EQ(0, EMULATE(0x66, 0xa1, 0x10, 0x00));	/* mov eax, [0x10] */
	EXPECT_EQ(0x13121110, self->gprs->gpr[VITRO_RAX]);

	/* bp and sp are relative to SS. */
	seg[VITRO_SS].base = DEVICE + 0x100;
	self->gprs->gpr[VITRO_RBP] = 0x22;
	EXPECT_EQ(0, EMULATE(0x8b, 0x46, 0x00));		/* mov ax, [bp] */
	EXPECT_EQ(0x13122322, self->gprs->gpr[VITRO_RAX]);
}

TEST_F(insn, ip_wraps)
{
	static const uint8_t code[] = { 0x8b, 0x07 };		/* mov ax, [bx] */

	ASSERT_EQ(0, set_mode(&self->fake, VITRO_MODE_REAL));
	fake_exit_mmio(&self->fake, code, sizeof(code));
	memcpy(self->fake.ram + 0xfffe, code, sizeof(code));
	self->gprs->rip = 0xfffe;
	EXPECT_EQ(0, vitro_emulate_mmio(&self->fake.vcpu, &self->fake.bus));
	EXPECT_EQ(0, self->gprs->rip);
}

/* Limits and types, in protected mode. */
TEST_F(insn, segment_faults)
{
	struct vitro_segment *seg = self->fake.state->segs.seg;

	ASSERT_EQ(0, set_mode(&self->fake, VITRO_MODE_PROTECTED));
	self->gprs->gpr[VITRO_RDI] = 0x0ffd;
	seg[VITRO_DS].limit = 0xfff;
	EXPECT_EQ(0, EMULATE(0x66, 0x8b, 0x07));		/* mov ax, [edi] */
	EXPECT_EQ(0, self->fake.state->events.exc_pending);
	EXPECT_EQ(0, EMULATE(0x8b, 0x07));		/* mov eax, [edi] */
	EXPECT_TRUE(raised(&self->fake, 13, 0));
	EXPECT_EQ(0x0ffd, self->gprs->gpr[VITRO_RDI]);
	EXPECT_EQ(FLAG_FIXED | FLAG_RF, self->gprs->rflags);	/* as the frame shall have it */

	/* Expand-down: above the limit is inside. */
	seg[VITRO_DS].attrib |= 0x4;
	EXPECT_EQ(0, EMULATE(0x8b, 0x07));
	EXPECT_TRUE(raised(&self->fake, 13, 0));
	self->gprs->gpr[VITRO_RDI] = 0x1000;
	EXPECT_EQ(0, EMULATE(0x8b, 0x07));
	EXPECT_EQ(0, self->fake.state->events.exc_pending);

	/* Not writable; not there; and the stack's own fault. */
	seg[VITRO_DS].attrib = 0x91;
	EXPECT_EQ(0, EMULATE(0x89, 0x07));		/* mov [edi], eax */
	EXPECT_TRUE(raised(&self->fake, 13, 0));
	seg[VITRO_DS].attrib = 0;
	EXPECT_EQ(0, EMULATE(0x8b, 0x07));
	EXPECT_TRUE(raised(&self->fake, 13, 0));
	seg[VITRO_SS].limit = 0xff;
	self->gprs->gpr[VITRO_RBP] = 0x100;
	EXPECT_EQ(0, EMULATE(0x8b, 0x45, 0x00));		/* mov eax, [ebp] */
	EXPECT_TRUE(raised(&self->fake, 12, 0));

	/* Code can be read if it is readable, never written. */
	EXPECT_EQ(0, EMULATE(0x2e, 0x8b, 0x07));		/* mov eax, cs:[edi] */
	EXPECT_EQ(0, self->fake.state->events.exc_pending);
	EXPECT_EQ(0, EMULATE(0x2e, 0x89, 0x07));		/* mov cs:[edi], eax */
	EXPECT_TRUE(raised(&self->fake, 13, 0));
}

TEST_F(insn, not_canonical)
{
	self->gprs->gpr[VITRO_RDI] = 1ULL << 47;
	self->gprs->gpr[VITRO_RBP] = 1ULL << 47;
	EXPECT_EQ(0, EMULATE(0x8b, 0x07));		/* mov eax, [rdi] */
	EXPECT_TRUE(raised(&self->fake, 13, 0));
	EXPECT_EQ(0, EMULATE(0x8b, 0x45, 0x00));		/* mov eax, [rbp] */
	EXPECT_TRUE(raised(&self->fake, 12, 0));
}

/* The second page of an access that begins in the last canonical one. */
TEST_F(insn, half_canonical)
{
	self->gprs->gpr[VITRO_RDI] = (1ULL << 47) - 2;
	EXPECT_EQ(0, EMULATE(0x8b, 0x07));		/* mov eax, [rdi] */
	EXPECT_TRUE(raised(&self->fake, 13, 0));
	EXPECT_EQ(0, self->fake.nr_access);
}

/* Outside 64-bit mode, linear addresses wrap. */
TEST_F(insn, wraps_at_4gib)
{
	ASSERT_EQ(0, set_mode(&self->fake, VITRO_MODE_PROTECTED));
	self->fake.state->segs.seg[VITRO_DS].base = 0xfffff000;
	self->gprs->gpr[VITRO_RDI] = 0xffe;
	memcpy(self->fake.ram, "\x11\x22", 2);
	EXPECT_EQ(0, EMULATE(0x8b, 0x07));		/* mov eax, [edi] */
	EXPECT_EQ(0x2211ffff, self->gprs->gpr[VITRO_RAX]);
}

/* #AC is for CPL 3, with CR0.AM and EFLAGS.AC, and comes after #PF. */
TEST_F(insn, alignment_check)
{
	uint64_t *pd = (uint64_t *)(self->fake.ram + TABLES + 0x3000);

	self->gprs->gpr[VITRO_RDI] = DEVICE + 2;
	self->fake.state->crs.cr0 |= CR0_AM;
	self->gprs->rflags |= FLAG_AC;
	EXPECT_EQ(0, EMULATE(0x8b, 0x07));		/* mov eax, [rdi] */
	EXPECT_EQ(1, self->fake.nr_access);
	self->fake.state->segs.seg[VITRO_SS].attrib |= VITRO_SEG_DPL;
	EXPECT_EQ(0, EMULATE(0x8b, 0x07));
	EXPECT_TRUE(raised(&self->fake, 14, 5));		/* not the user's page */

	((uint64_t *)(self->fake.ram + TABLES + 0x1000))[0] |= 4;
	((uint64_t *)(self->fake.ram + TABLES + 0x2000))[0] |= 4;
	pd[0] |= 4;
	pd[DEVICE >> 21] |= 4;
	EXPECT_EQ(0, EMULATE(0x8b, 0x07));
	EXPECT_TRUE(raised(&self->fake, 17, 0));
	EXPECT_EQ(0, EMULATE(0x66, 0x8b, 0x07));		/* mov ax, [rdi] */
	EXPECT_EQ(1, self->fake.nr_access);
}

/* ------------------------------------------------------------ vector registers */

#define XMM(fake, n)		((uint64_t *)((fake)->state->fpu.xsave + 160 + 16 * (n)))
#define YMM_HIGH(fake, n)	((uint64_t *)((fake)->state->fpu.xsave + 576 + 16 * (n)))
#define XSTATE_BV(fake)	((uint64_t *)((fake)->state->fpu.xsave + 512))

static bool is(const uint64_t *value, uint64_t low, uint64_t high)
{
	return value[0] == low && value[1] == high;
}

#define FIRST	0x0706050403020100
#define SECOND	0x0f0e0d0c0b0a0908
#define THIRD	0x1716151413121110
#define FOURTH	0x1f1e1d1c1b1a1918

TEST_F(insn, vector_loads)
{
	struct fake *fake = &self->fake;

	*XSTATE_BV(fake) = 2;
	memset(XMM(fake, 9), 0xff, 16);
	self->gprs->gpr[VITRO_RDI] = DEVICE;
	EXPECT_EQ(0, EMULATE(0x44, 0x0f, 0x10, 0x0f));	/* movups xmm9, [rdi] */
	EXPECT_TRUE(is(XMM(fake, 9), FIRST, SECOND));
	EXPECT_EQ(2, fake->nr_access);
	EXPECT_EQ(8, fake->access[1].size);
	EXPECT_EQ(VITRO_STATE_GPRS | VITRO_STATE_FPU, fake->comm->dirty);
	EXPECT_EQ(2, *XSTATE_BV(fake));
	EXPECT_EQ(0, EMULATE(0xf3, 0x44, 0x0f, 0x10, 0x0f));	/* movss xmm9, [rdi] */
	EXPECT_TRUE(is(XMM(fake, 9), FIRST & 0xffffffff, 0));
	EXPECT_EQ(0, EMULATE(0x44, 0x0f, 0x16, 0x4f, 0x08));	/* movhps xmm9, [rdi + 8] */
	EXPECT_TRUE(is(XMM(fake, 9), FIRST & 0xffffffff, SECOND));
	EXPECT_EQ(0, EMULATE(0x66, 0x44, 0x0f, 0x12, 0x0f));	/* movlpd xmm9, [rdi] */
	EXPECT_TRUE(is(XMM(fake, 9), FIRST, SECOND));
	EXPECT_EQ(0, EMULATE(0xf3, 0x44, 0x0f, 0x7e, 0x0f));	/* movq xmm9, [rdi] */
	EXPECT_TRUE(is(XMM(fake, 9), FIRST, 0));

	/* Registers that the area does not hold are zero. */
	*XSTATE_BV(fake) = 0;
	EXPECT_EQ(0, EMULATE(0x0f, 0x16, 0x0f));		/* movhps xmm1, [rdi] */
	EXPECT_EQ(2, *XSTATE_BV(fake));
	EXPECT_TRUE(is(XMM(fake, 1), 0, FIRST));
	EXPECT_TRUE(is(XMM(fake, 9), 0, 0));
}

TEST_F(insn, vector_loads_avx)
{
	struct fake *fake = &self->fake;

	if (!__builtin_cpu_supports("avx"))
		SKIP(return, "this CPU has no AVX to say where its registers are");
	self->gprs->gpr[VITRO_RDI] = DEVICE;
	EXPECT_EQ(0, EMULATE(0xc5, 0xfe, 0x6f, 0x17));	/* vmovdqu ymm2, [rdi] */
	EXPECT_EQ(4, fake->nr_access);
	EXPECT_EQ(6, *XSTATE_BV(fake));
	EXPECT_TRUE(is(XMM(fake, 2), FIRST, SECOND));
	EXPECT_TRUE(is(YMM_HIGH(fake, 2), THIRD, FOURTH));

	/* SSE leaves the upper half, AVX clears it, and takes the lower from operand 1. */
	EXPECT_EQ(0, EMULATE(0x0f, 0x28, 0x57, 0x10));	/* movaps xmm2, [rdi + 16] */
	EXPECT_TRUE(is(XMM(fake, 2), THIRD, FOURTH));
	EXPECT_TRUE(is(YMM_HIGH(fake, 2), THIRD, FOURTH));
	EXPECT_EQ(0, EMULATE(0xc5, 0xe8, 0x16, 0x1f));	/* vmovhps xmm3, xmm2, [rdi] */
	EXPECT_TRUE(is(XMM(fake, 3), THIRD, FIRST));
	EXPECT_EQ(0, EMULATE(0xc5, 0xf9, 0x6e, 0x17));	/* vmovd xmm2, [rdi] */
	EXPECT_TRUE(is(XMM(fake, 2), FIRST & 0xffffffff, 0));
	EXPECT_TRUE(is(YMM_HIGH(fake, 2), 0, 0));
}

TEST_F(insn, vector_stores)
{
	struct fake *fake = &self->fake;
	uint64_t *device = (uint64_t *)fake->device;

	*XSTATE_BV(fake) = 6;
	for (unsigned int i = 0; i < 2; i++) {
		XMM(fake, 5)[i] = 0x5555555555555550 + i;
		YMM_HIGH(fake, 5)[i] = 0xaaaaaaaaaaaaaaa0 + i;
	}
	self->gprs->gpr[VITRO_RDI] = DEVICE;
	EXPECT_EQ(0, EMULATE(0x66, 0x0f, 0xe7, 0x2f));	/* movntdq [rdi], xmm5 */
	EXPECT_TRUE(is(device, 0x5555555555555550, 0x5555555555555551));
	EXPECT_EQ(THIRD, device[2]);
	EXPECT_EQ(VITRO_STATE_GPRS, fake->comm->dirty);
	EXPECT_EQ(0, EMULATE(0x0f, 0x17, 0x2f));		/* movhps [rdi], xmm5 */
	EXPECT_EQ(0x5555555555555551, device[0]);
	EXPECT_EQ(0, EMULATE(0x66, 0x0f, 0x7e, 0x6f, 0x10));	/* movd [rdi + 16], xmm5 */
	EXPECT_EQ(0x1716151455555550, device[2]);
	if (!__builtin_cpu_supports("avx"))
		SKIP(return, "this CPU has no AVX to say where its registers are");
	EXPECT_EQ(0, EMULATE(0xc5, 0xfc, 0x2b, 0x2f));	/* vmovntps [rdi], ymm5 */
	EXPECT_TRUE(is(device, 0x5555555555555550, 0x5555555555555551));
	EXPECT_TRUE(is(device + 2, 0xaaaaaaaaaaaaaaa0, 0xaaaaaaaaaaaaaaa1));
}

/* Those that have to be aligned, in each segment; and those that have not. */
TEST_F(insn, vector_alignment)
{
	self->gprs->gpr[VITRO_RDI] = DEVICE + 16;
	self->gprs->gpr[VITRO_RBP] = DEVICE + 16;
	EXPECT_EQ(0, EMULATE(0x0f, 0x28, 0x07));		/* movaps xmm0, [rdi] */
	EXPECT_EQ(2, self->fake.nr_access);
	EXPECT_EQ(0, EMULATE(0xc5, 0xfc, 0x28, 0x07));	/* vmovaps ymm0, [rdi] */
	EXPECT_TRUE(raised(&self->fake, 13, 0));
	EXPECT_EQ(0, EMULATE(0x66, 0x0f, 0x7f, 0x47, 0x08));	/* movdqa [rdi + 8], xmm0 */
	EXPECT_TRUE(raised(&self->fake, 13, 0));
	EXPECT_EQ(0, EMULATE(0x0f, 0x29, 0x45, 0x01));	/* movaps [rbp + 1], xmm0 */
	EXPECT_TRUE(raised(&self->fake, 13, 0));
	EXPECT_EQ(0, EMULATE(0x48, 0x0f, 0xc7, 0x4f, 0x08));	/* cmpxchg16b [rdi + 8] */
	EXPECT_TRUE(raised(&self->fake, 13, 0));
	EXPECT_EQ(0, self->fake.nr_access);
	EXPECT_EQ(0, EMULATE(0x0f, 0x11, 0x47, 0x01));	/* movups [rdi + 1], xmm0 */
	EXPECT_EQ(2, self->fake.nr_access);
}

/* A fault of the destination comes before the device is read. */
TEST_F(insn, two_memory_operands)
{
	uint64_t *pd = (uint64_t *)(self->fake.ram + TABLES + 0x3000);

	pd[0x200000 >> 21] = 0;
	self->gprs->gpr[VITRO_RSI] = DEVICE;
	self->gprs->gpr[VITRO_RDI] = 0x200000;
	EXPECT_EQ(0, EMULATE(0xa4));			/* movsb */
	EXPECT_TRUE(raised(&self->fake, 14, 2));
	self->gprs->gpr[VITRO_RSP] = 0x200008;
	EXPECT_EQ(0, EMULATE(0xff, 0x36));		/* push qword [rsi] */
	EXPECT_TRUE(raised(&self->fake, 14, 2));
	EXPECT_EQ(0x200008, self->gprs->gpr[VITRO_RSP]);
	EXPECT_EQ(0, self->fake.nr_access);
}

/* An operand that the guest may read and not write: the device must not be read. */
TEST_F(insn, fault_before_a_device_sees_anything)
{
	uint64_t *pd = (uint64_t *)(self->fake.ram + TABLES + 0x3000);

	pd[DEVICE >> 21] &= ~2ULL;				/* read-only */
	self->fake.state->crs.cr0 |= CR0_WP;
	self->gprs->gpr[VITRO_RDI] = DEVICE + 0x20;
	self->gprs->gpr[VITRO_RAX] = 0x77;
	EXPECT_EQ(0, EMULATE(0x87, 0x07));		/* xchg [rdi], eax */
	EXPECT_TRUE(raised(&self->fake, 14, 3));
	EXPECT_EQ(DEVICE + 0x20, self->fake.state->crs.cr2);
	EXPECT_TRUE(self->fake.comm->dirty & VITRO_STATE_CRS);
	EXPECT_EQ(0, self->fake.nr_access);
	EXPECT_EQ(0x77, self->gprs->gpr[VITRO_RAX]);
	EXPECT_EQ(0, EMULATE(0x0f, 0xba, 0x2f, 0x01));	/* bts dword [rdi], 1 */
	EXPECT_EQ(0, self->fake.nr_access);
}

TEST_F(insn, rep_keeps_what_it_did_before_a_fault)
{
	uint64_t *pd = (uint64_t *)(self->fake.ram + TABLES + 0x3000);

	pd[0x200000 >> 21] = 0;
	self->gprs->gpr[VITRO_RSI] = DEVICE;
	self->gprs->gpr[VITRO_RDI] = 0x200000 - 12;
	self->gprs->gpr[VITRO_RCX] = 5;
	EXPECT_EQ(0, EMULATE(0xf3, 0xa5));		/* rep movsd */
	EXPECT_TRUE(raised(&self->fake, 14, 2));
	EXPECT_EQ(0x200000, self->fake.state->crs.cr2);
	EXPECT_EQ(2, self->gprs->gpr[VITRO_RCX]);
	EXPECT_EQ(DEVICE + 12, self->gprs->gpr[VITRO_RSI]);
	EXPECT_EQ(0x200000, self->gprs->gpr[VITRO_RDI]);
	EXPECT_TRUE(self->fake.comm->dirty & VITRO_STATE_GPRS);
	EXPECT_EQ(0, memcmp(self->fake.ram + 0x200000 - 12, self->fake.device, 12));
}

TEST_F(insn, long_rep_comes_back)
{
	self->gprs->gpr[VITRO_RDI] = DEVICE;
	self->gprs->gpr[VITRO_RCX] = ~0ULL;
	EXPECT_EQ(0, EMULATE(0xf3, 0xaa));		/* rep stosb */
	EXPECT_EQ(VI_REP_MAX, self->fake.nr_access);
	EXPECT_EQ(CODE, self->gprs->rip);
	EXPECT_EQ(~0ULL - VI_REP_MAX, self->gprs->gpr[VITRO_RCX]);
	EXPECT_EQ(DEVICE + VI_REP_MAX, self->gprs->gpr[VITRO_RDI]);
}

TEST_F(insn, single_step)
{
	struct vitro_events *events = &self->fake.state->events;

	self->gprs->rflags |= FLAG_TF | FLAG_RF;
	self->gprs->gpr[VITRO_RDI] = DEVICE;
	EXPECT_EQ(0, EMULATE(0x8b, 0x07));		/* mov eax, [rdi] */
	EXPECT_EQ(CODE + 2, self->gprs->rip);
	EXPECT_EQ(0, self->gprs->rflags & FLAG_RF);
	EXPECT_EQ(1, events->exc_pending);
	EXPECT_EQ(1, events->exc_vector);
	EXPECT_EQ(0, events->exc_has_error);
	EXPECT_EQ(DR6_BS, self->fake.state->drs.dr6);
	EXPECT_TRUE(self->fake.comm->dirty & VITRO_STATE_DRS);

	/* A REP traps after each iteration, the last one behind it. */
	self->gprs->gpr[VITRO_RCX] = 2;
	events->exc_pending = 0;
	EXPECT_EQ(0, EMULATE(0xf3, 0xaa));		/* rep stosb */
	EXPECT_EQ(1, self->fake.nr_access);
	EXPECT_EQ(1, events->exc_pending);
	EXPECT_EQ(CODE, self->gprs->rip);
	EXPECT_EQ(0, EMULATE(0xf3, 0xaa));
	EXPECT_EQ(CODE + 2, self->gprs->rip);
}

TEST_F(insn, errors)
{
	struct vitro_exit *exit = &self->fake.comm->exit;

	/* Not known: the message says what it is, where, and its bytes. */
	self->gprs->gpr[VITRO_RDI] = DEVICE;
	EXPECT_EQ(-EOPNOTSUPP, EMULATE(0x0f, 0x58, 0x07));
	EXPECT_NE(NULL, strstr(vitro_error(), "addps xmm0, [rdi]"));
	EXPECT_NE(NULL, strstr(vitro_error(), "0f 58 07"));
	EXPECT_NE(NULL, strstr(vitro_error(), "0x1000"));
	EXPECT_EQ(0, self->fake.comm->dirty);
	/* An SSE instruction with the name of a string instruction, and an MMX move. */
	EXPECT_EQ(-EOPNOTSUPP, EMULATE(0xf2, 0x0f, 0xc2, 0x07, 0));
	EXPECT_NE(NULL, strstr(vitro_error(), "cmpsd xmm0"));
	EXPECT_EQ(-EOPNOTSUPP, EMULATE(0x0f, 0x6f, 0x07));	/* movq mm0, [rdi] */
	EXPECT_EQ(-EOPNOTSUPP, EMULATE(0x8e, 0x1f));	/* mov ds, [rdi] */
	EXPECT_EQ(0, self->fake.comm->dirty);
	EXPECT_EQ(-EOPNOTSUPP, EMULATE(0x06, 0x06));	/* none in 64-bit mode */

	/* The bus' own error comes through, and nothing is changed. */
	self->fake.bus_error = -ECANCELED;
	EXPECT_EQ(-ECANCELED, EMULATE(0x8b, 0x07));
	EXPECT_EQ(CODE, self->gprs->rip);
	EXPECT_EQ(0, self->fake.comm->dirty);
	self->fake.bus_error = 0;

	/* Accesses that are not of the instruction at rip. */
	fake_exit_mmio(&self->fake, "\x8b\x07", 2);
	exit->mmio.flags = VITRO_MMIO_EXEC;
	EXPECT_EQ(-EFAULT, vitro_emulate_mmio(&self->fake.vcpu, &self->fake.bus));
	exit->mmio.flags = VITRO_MMIO_WALK;
	EXPECT_EQ(-EFAULT, vitro_emulate_mmio(&self->fake.vcpu, &self->fake.bus));
	exit->mmio.flags = VITRO_MMIO_WRITE;
	exit->raw.intinfo = 0x80000020;
	EXPECT_EQ(-EFAULT, vitro_emulate_mmio(&self->fake.vcpu, &self->fake.bus));
	exit->reason = VITRO_EXIT_HLT;
	EXPECT_EQ(-EINVAL, vitro_emulate_mmio(&self->fake.vcpu, &self->fake.bus));
}

TEST_F(insn, no_bus)
{
	self->fake.bus.mmio = NULL;
	self->gprs->gpr[VITRO_RDI] = DEVICE;
	EXPECT_EQ(0, EMULATE(0x8b, 0x07));
	EXPECT_EQ(0xffffffff, self->gprs->gpr[VITRO_RAX]);
	EXPECT_EQ(0, EMULATE(0x89, 0x07));
}

TEST_F(insn, disassemble)
{
	char text[100], small[8];

	fake_exit_mmio(&self->fake, "\x48\x8b\x05\x10\x00\x00\x00", 7);
	EXPECT_EQ(7, vitro_disassemble(&self->fake.vcpu, text, sizeof(text)));
	EXPECT_STREQ("48 8b 05 10 00 00 00  mov rax, [0x0000000000001017]", text);
	EXPECT_EQ(7, vitro_disassemble(&self->fake.vcpu, small, sizeof(small)));
	EXPECT_STREQ("48 8b 0", small);
	fake_exit_mmio(&self->fake, "\x06", 1);
	EXPECT_EQ(-EILSEQ, vitro_disassemble(&self->fake.vcpu, text, sizeof(text)));
	self->gprs->rip = 1ULL << 47;
	EXPECT_EQ(-EFAULT, vitro_disassemble(&self->fake.vcpu, text, sizeof(text)));
}

/* An instruction whose last byte is in the next page, and one that just fits. */
TEST_F(insn, code_at_a_page_border)
{
	uint64_t *pd = (uint64_t *)(self->fake.ram + TABLES + 0x3000);

	pd[1] = 0;						/* from 2 MiB on */
	fake_exit_mmio(&self->fake, "", 1);
	memcpy(self->fake.ram + RAM_SIZE - 2, "\x8b\x47", 2);	/* mov eax, [rdi + ...] */
	self->gprs->rip = RAM_SIZE - 2;
	self->gprs->gpr[VITRO_RDI] = DEVICE;
	EXPECT_EQ(-EOPNOTSUPP, vitro_emulate_mmio(&self->fake.vcpu, &self->fake.bus));
	self->fake.ram[RAM_SIZE - 1] = 0x07;			/* mov eax, [rdi] */
	EXPECT_EQ(0, vitro_emulate_mmio(&self->fake.vcpu, &self->fake.bus));
	EXPECT_EQ(RAM_SIZE, self->gprs->rip);
}

TEST_HARNESS_MAIN
