// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libvitro's emulation compared with the CPU.
 *
 * There are two machines, equal but for two pages: one has memory there, the other a hole,
 * behind which is a device that just remembers.  Both execute an instruction from the same
 * registers, flags and memory.  In the first the CPU does everything; in the second, the
 * access to the hole exits, and the library does the instruction.  Afterwards both have to
 * have the same registers, flags and memory, the hole's content included, or the same
 * exception with the same frame on the stack.
 *
 *	WINDOW	memory | hole | hole | memory		a page each
 *
 * Operands are put into the hole, and across each of the three borders.
 *
 * The instructions are in guest/emulate.S, in families; a family is a test in each mode.
 * Random values are the same for the same SEED, which is an environment variable, 1 if it
 * is not set, and part of each failure's message.
 *
 * Faults: where the CPU would find one before it comes to the hole, no access exits, and the
 * library would have nothing to do.  There it is called without an exit.
 */
#include "kselftest_harness.h"
#include "emulate.h"

GUEST(guest_image);

/* ------------------------------------------------------- where operands are put */

/* Where an operand is: in the hole, across one of the borders, or in memory. */
enum where { IN_HOLE, BORDER_1, BORDER_2, BORDER_3, IN_MEMORY };

static uint64_t pick(enum where where, unsigned int size)
{
	if (where == IN_MEMORY)
		return WINDOW + 0x400 + random() % 0x800;
	if (where == IN_HOLE || size < 2)
		return HOLE + 0x200 + random() % (HOLE_END - HOLE - 0x400);
	return WINDOW + 0x1000 * where - 1 - random() % (size - 1);
}

static uint64_t mask(unsigned int width)
{
	return width == 64 ? ~0ULL : (1ULL << width) - 1;
}

/* Sets the part of a register that counts; the rest stays random. */
static void set_part(__u64 *reg, uint64_t value, unsigned int width)
{
	*reg = (*reg & ~mask(width)) | (value & mask(width));
}

static __u64 *gpr(ZydisRegister reg)
{
	return &start.gprs.gpr[ZydisRegisterGetId(reg)];
}

static bool is_string(void)
{
	return form.d.meta.category == ZYDIS_CATEGORY_STRINGOP ||
	       form.d.meta.category == ZYDIS_CATEGORY_IOSTRINGOP;
}

static bool has_rep(void)
{
	return form.d.attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE |
				    ZYDIS_ATTRIB_HAS_REPNE);
}

/* BT and the like select a bit that may be far from the operand. */
static bool has_bit_number(void)
{
	return form.d.meta.category == ZYDIS_CATEGORY_BITBYTE &&
	       form.op[1].type == ZYDIS_OPERAND_TYPE_REGISTER;
}

/* Finds a base register or displacement that makes an operand's linear address @gva. */
static void place(unsigned int nr, uint64_t gva)
{
	const ZydisDecodedOperandMem *mem = &form.op[nr].mem;
	unsigned int width = form.d.address_width;
	uint64_t offset = gva - start.segs.seg[ZydisRegisterGetId(mem->segment)].base;

	if (mem->index != ZYDIS_REGISTER_NONE) {
		if (mem->base == ZYDIS_REGISTER_NONE)	/* alone, it must not be too big */
			set_part(gpr(mem->index), random() % 64, width);
		offset -= (*gpr(mem->index) & mask(width)) * mem->scale;
	}
	if (mem->base == ZYDIS_REGISTER_RIP || mem->base == ZYDIS_REGISTER_EIP) {
		offset -= start.gprs.rip + form.d.length;
	} else if (mem->base != ZYDIS_REGISTER_NONE) {
		set_part(gpr(mem->base), offset - mem->disp.value, width);
		/* PUSH writes below. */
		if (form.d.mnemonic == ZYDIS_MNEMONIC_PUSH &&
		    form.op[nr].visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN)
			set_part(gpr(mem->base), *gpr(mem->base) + form.d.operand_width / 8,
				 form.d.stack_width);
		return;
	}
	memcpy(form.code + form.d.raw.disp.offset, &offset, form.d.raw.disp.size / 8);
}

/* The same place in the upper half of the address space, if the operand can be there. */
static uint64_t maybe_high(unsigned int nr, uint64_t gva)
{
	const ZydisDecodedOperandMem *mem = &form.op[nr].mem;
	bool alone = mem->base == ZYDIS_REGISTER_NONE || mem->base == ZYDIS_REGISTER_RIP;

	if (form.d.address_width != 64)
		return gva;
	if (alone && form.d.raw.disp.size == 32)
		return gva + (mem->segment == ZYDIS_REGISTER_FS ? HIGH : 0);
	return gva + (random() & 1 ? HIGH : 0);
}

/* Makes compares with the operand at @gva come out equal now and then. */
static void plant(uint64_t gva)
{
	__u64 *gprs = start.gprs.gpr;
	uint8_t *bytes = cpu.mem + gva;
	unsigned int size = form.op[0].size / 8;
	int byte = random() & 0xff;

	switch (form.d.mnemonic) {
	case ZYDIS_MNEMONIC_CMPXCHG:
		memcpy(&gprs[VITRO_RAX], bytes, size);
		return;
	case ZYDIS_MNEMONIC_CMPXCHG8B:
	case ZYDIS_MNEMONIC_CMPXCHG16B:
		memcpy(&gprs[VITRO_RAX], bytes, size / 2);
		memcpy(&gprs[VITRO_RDX], bytes + size / 2, size / 2);
		return;
	default:
		break;
	}
	if (!is_string())
		return;
	memset(bytes - 0x80, byte, 0x100);
	bytes[random() % 0x20 - 0x10] = 0;
	memcpy(lib.mem + gva - 0x80, bytes - 0x80, 0x100);
	memset(&gprs[VITRO_RAX], byte, bits == 64 ? 8 : 4);
}

/* Random values in all registers, but for those that mean something to the instruction. */
static void randomize(void)
{
	struct vitro_gprs *gprs = &start.gprs;
	uint32_t *xmm = (void *)(start.fpu.xsave + 160), *ymm = (void *)(start.fpu.xsave + 576);
	unsigned int i;

	for (i = 0; i < VITRO_NR_GPRS; i++)
		gprs->gpr[i] = random64() & mask(bits == 64 ? 64 : 32);
	gprs->rip = form.at;
	gprs->gpr[VITRO_RSP] = STACK + STACK_SIZE;
	if (bits != 64) {
		gprs->rip -= start.segs.seg[VITRO_CS].base;
		gprs->gpr[VITRO_RSP] -= start.segs.seg[VITRO_SS].base;
	}
	gprs->rflags = 2 | FLAG_IOPL | (random() & (FLAG_ARITH | FLAG_DF));

	if (form.d.meta.category == ZYDIS_CATEGORY_IOSTRINGOP)
		set_part(&gprs->gpr[VITRO_RDX], random() % PORT_END, 16);
	if (has_rep())
		set_part(&gprs->gpr[VITRO_RCX], random() % 24, form.d.address_width);
	/* SHLD and SHRD of 16 bits by more are undefined. */
	if (form.d.mnemonic == ZYDIS_MNEMONIC_SHLD || form.d.mnemonic == ZYDIS_MNEMONIC_SHRD)
		set_part(&gprs->gpr[VITRO_RCX], random() % 17, 8);
	if (has_bit_number())
		set_part(gpr(form.op[1].reg.value), random() % 1024 - 512, form.op[1].size);
	if (form.vector) {
		for (i = 0; i < 256 / sizeof(*xmm); i++) {
			xmm[i] = random64();
			ymm[i] = random64();
		}
		/* Some components in their initial state; x87 and SSE exist without XSAVE. */
		*(uint64_t *)(start.fpu.xsave + 512) = random() & (xcr0 | 3);
	}
}

/*
 * Puts the operands where they shall be.  If there are two, one may be in memory instead.
 * Returns whether the hole is touched for certain.
 */
static bool place_all(enum where where, bool aligned)
{
	unsigned int memory = random() % 3;
	bool certain = false;
	unsigned int i, nr = 0;

	for (i = 0; i < form.d.operand_count; i++)
		nr += is_memory(i);
	for (i = 0; i < form.d.operand_count; i++) {
		unsigned int size = form.op[i].size / 8;
		uint64_t gva;

		if (!is_memory(i))
			continue;
		gva = pick(nr == 2 && memory-- == 0 ? IN_MEMORY : where,
			   has_rep() ? 8 * size : size);
		if (aligned)
			gva &= ~(uint64_t)(size - 1);
		place(i, maybe_high(i, gva));
		if (random() & 1)
			plant(gva);
		if (!has_rep() && !has_bit_number() && gva < HOLE_END && gva + size > HOLE)
			certain = true;
	}
	return certain;
}

/* ------------------------------------------------------------------- families */

/**
 * struct family - instructions from guest/emulate.S
 * @code: those of 16, 32, and 64 bits, and their end
 */
struct family {
	const char *code[4];
};

#define DECLARE_FAMILY(name)							\
	GUEST(g_##name##_16);							\
	GUEST(g_##name##_32);							\
	GUEST(g_##name##_64);							\
	GUEST(g_##name##_end);							\
	static const struct family name = {					\
		{ g_##name##_16, g_##name##_32, g_##name##_64, g_##name##_end }	\
	}

/* The family's forms for the present mode, and the one to come next. */
static struct form forms[CODE_SIZE / SLOT_SIZE];
static unsigned int nr_forms, next;

static void decode(const char *bytes, unsigned int size)
{
	static const ZydisMachineMode modes[] = {
		[REAL] = ZYDIS_MACHINE_MODE_LEGACY_16, [PROT16] = ZYDIS_MACHINE_MODE_LEGACY_16,
		[PROT32] = ZYDIS_MACHINE_MODE_LEGACY_32,
		[COMPAT] = ZYDIS_MACHINE_MODE_LONG_COMPAT_32,
		[LONG] = ZYDIS_MACHINE_MODE_LONG_64,
	};
	ZydisRegisterClass class;
	ZydisFormatter formatter;
	ZydisDecoder decoder;
	unsigned int i;

	ZydisDecoderInit(&decoder, modes[mode], bits == 16 ? ZYDIS_STACK_WIDTH_16 :
			 bits == 32 ? ZYDIS_STACK_WIDTH_32 : ZYDIS_STACK_WIDTH_64);
	if (ZYAN_FAILED(ZydisDecoderDecodeFull(&decoder, bytes, size, &form.d, form.op)))
		vt_die("Zydis finds no instruction %zu bytes into the image", bytes - guest_image);
	memcpy(form.code, bytes, form.d.length);
	ZydisFormatterInit(&formatter, ZYDIS_FORMATTER_STYLE_INTEL);
	ZydisFormatterFormatInstruction(&formatter, &form.d, form.op,
					form.d.operand_count_visible, form.text,
					sizeof(form.text), 0, NULL);
	form.vector = false;
	for (i = 0; i < form.d.operand_count; i++) {
		if (form.op[i].type != ZYDIS_OPERAND_TYPE_REGISTER)
			continue;
		class = ZydisRegisterGetClass(form.op[i].reg.value);
		if (class == ZYDIS_REGCLASS_XMM || class == ZYDIS_REGCLASS_YMM)
			form.vector = true;
	}
}

/*
 * Puts the code into the machines, all of it at once: an emulator is slow when code changes.
 * Each instruction begins a slot.
 */
static void load_family(const struct family *family)
{
	const char *code = family->code[bits / 32], *end = family->code[bits / 32 + 1];

	nr_forms = 0;
	next = 0;
	for (; code < end; code += form.d.length) {
		if (nr_forms == ARRAY_SIZE(forms))
			vt_die("a family has more than %u forms", nr_forms);
		decode(guest_image + (code - (const char *)GUEST_BASE), end - code);
		form.at = CODE + nr_forms * SLOT_SIZE;
		write_code(&cpu);
		write_code(&lib);
		forms[nr_forms++] = form;
	}
}

static bool next_form(void)
{
	if (next == nr_forms)
		return false;
	form = forms[next++];
	return true;
}

/* Both machines execute the form, and come to the same; else the test fails. */
static bool agree(struct __test_metadata *_metadata, bool by_library)
{
	const char *what;

	ASSERT_EQ(0, execute(&cpu, false));
	ASSERT_EQ(0, execute(&lib, by_library));
	tcg_mend_frame(&cpu);
	if (!by_library)		/* it may well have been the CPU */
		tcg_mend_frame(&lib);
	what = difference();
	EXPECT_EQ(NULL, what) {
		TH_LOG("%s (%02x %02x %02x %02x...), SEED %lu: %s", form.text, form.code[0],
		       form.code[1], form.code[2], form.code[3], seed, what);
		memcpy(lib.mem + WINDOW, cpu.mem + WINDOW, WINDOW_SIZE);
	}
	return !what;
}

/* MOVBE, and 32 bytes by VMOVNTDQA, are what some CPUs that run vitro lack. */
static bool cpu_lacks_it(void)
{
	unsigned int eax, ebx = 0, ecx = 0, edx;

	if (form.d.mnemonic == ZYDIS_MNEMONIC_MOVBE)
		return __get_cpuid(1, &eax, &ebx, &ecx, &edx) && !(ecx & bit_MOVBE);
	if (form.d.mnemonic == ZYDIS_MNEMONIC_VMOVNTDQA && form.op[0].size == 256)
		return !__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) || !(ebx & bit_AVX2);
	return false;
}

/* Each form with its operand in several places. */
static void compare(struct __test_metadata *_metadata, const struct family *family, bool aligned)
{
	unsigned int round, emulated, vector;
	bool certain;

	load_family(family);
	while (next_form()) {
		/* VEX does not exist in real mode (SDM 2A 2.3). */
		vector = form.d.encoding == ZYDIS_INSTRUCTION_ENCODING_VEX && mode == REAL ?
			 UD : NONE;
		if (cpu_lacks_it() || tcg_is_wrong())
			continue;
		emulated = 0;
		for (round = 0; round < ROUNDS; round++) {
			randomize();
			certain = place_all(round % 4, aligned || tcg_loses_flags());
			if (!agree(_metadata, false))
				break;
			ASSERT_EQ(vector, exception(&cpu)) TH_LOG("%s", form.text);
			if (certain && vector == NONE)
				ASSERT_LT(0, lib.emulated) TH_LOG("%s", form.text);
			emulated += lib.emulated;
		}
		if (vector == NONE)
			EXPECT_LT(0, emulated) TH_LOG("%s never came to the hole", form.text);
	}
}

DECLARE_FAMILY(mov);
DECLARE_FAMILY(extend);
DECLARE_FAMILY(sum);
DECLARE_FAMILY(logic);
DECLARE_FAMILY(cmp_test);
DECLARE_FAMILY(unary);
DECLARE_FAMILY(exchange);
DECLARE_FAMILY(cmpxchg);
DECLARE_FAMILY(cmpxchg_pair);
DECLARE_FAMILY(cmpxchg16b);
DECLARE_FAMILY(shift);
DECLARE_FAMILY(bit);
DECLARE_FAMILY(condition);
DECLARE_FAMILY(stack);
DECLARE_FAMILY(string);
DECLARE_FAMILY(rep);
DECLARE_FAMILY(rep_compare);
DECLARE_FAMILY(addressing);
DECLARE_FAMILY(segment);
DECLARE_FAMILY(lock);
DECLARE_FAMILY(sse);
DECLARE_FAMILY(sse_aligned);
DECLARE_FAMILY(avx);
DECLARE_FAMILY(avx_aligned);
DECLARE_FAMILY(port);
DECLARE_FAMILY(fault);
DECLARE_FAMILY(segment_fault);

FIXTURE(emulate)
{
};

FIXTURE_VARIANT(emulate)
{
	enum mode mode;
};

FIXTURE_VARIANT_ADD(emulate, real) { .mode = REAL };
FIXTURE_VARIANT_ADD(emulate, prot16) { .mode = PROT16 };
FIXTURE_VARIANT_ADD(emulate, prot32) { .mode = PROT32 };
FIXTURE_VARIANT_ADD(emulate, compat) { .mode = COMPAT };
FIXTURE_VARIANT_ADD(emulate, long64) { .mode = LONG };

FIXTURE_SETUP(emulate)
{
	prepare(variant->mode);
}

/* The end of a test's process is the end of its machines. */
FIXTURE_TEARDOWN(emulate)
{
}

TEST_F(emulate, mov)
{
	compare(_metadata, &mov, false);
}

TEST_F(emulate, extend)
{
	compare(_metadata, &extend, false);
}

TEST_F(emulate, sum)
{
	compare(_metadata, &sum, false);
}

TEST_F(emulate, logic)
{
	compare(_metadata, &logic, false);
}

TEST_F(emulate, cmp_test)
{
	compare(_metadata, &cmp_test, false);
}

TEST_F(emulate, unary)
{
	compare(_metadata, &unary, false);
}

TEST_F(emulate, exchange)
{
	compare(_metadata, &exchange, false);
}

TEST_F(emulate, cmpxchg)
{
	compare(_metadata, &cmpxchg, false);
}

TEST_F(emulate, cmpxchg_pair)
{
	compare(_metadata, &cmpxchg_pair, false);
}

TEST_F(emulate, shift)
{
	compare(_metadata, &shift, false);
}

TEST_F(emulate, bit)
{
	compare(_metadata, &bit, false);
}

TEST_F(emulate, condition)
{
	compare(_metadata, &condition, false);
}

TEST_F(emulate, stack)
{
	compare(_metadata, &stack, false);
}

TEST_F(emulate, string)
{
	compare(_metadata, &string, false);
}

TEST_F(emulate, rep)
{
	compare(_metadata, &rep, false);
}

TEST_F(emulate, rep_compare)
{
	compare(_metadata, &rep_compare, false);
}

TEST_F(emulate, addressing)
{
	compare(_metadata, &addressing, false);
}

TEST_F(emulate, segment)
{
	compare(_metadata, &segment, false);
}

TEST_F(emulate, lock)
{
	compare(_metadata, &lock, false);
}

TEST_F(emulate, sse)
{
	compare(_metadata, &sse, false);
}

TEST_F(emulate, sse_aligned)
{
	compare(_metadata, &sse_aligned, true);
}

TEST_F(emulate, avx)
{
	if (!(xcr0 & 4))
		SKIP(return, "this CPU has no AVX");
	compare(_metadata, &avx, false);
}

TEST_F(emulate, avx_aligned)
{
	if (!(xcr0 & 4))
		SKIP(return, "this CPU has no AVX");
	compare(_metadata, &avx_aligned, true);
}

/* Ports always exit: here the library does both, and memory is compared with a device. */
TEST_F(emulate, port)
{
	compare(_metadata, &port, false);
}

TEST(cmpxchg_16_bytes)
{
	prepare(LONG);
	compare(_metadata, &cmpxchg16b, true);
}

/* --------------------------------------------------------------------- faults */

/* Operands that have to be aligned, and are not: #GP. */
static void misaligned(struct __test_metadata *_metadata, const struct family *family)
{
	bool vex;

	load_family(family);
	while (next_form()) {
		vex = form.d.encoding == ZYDIS_INSTRUCTION_ENCODING_VEX;
		if ((vex && (mode == REAL || !(xcr0 & 4))) || cpu_lacks_it() || tcg_is_wrong())
			continue;
		randomize();
		place_all(BORDER_1, false);
		agree(_metadata, true);
		EXPECT_EQ(GP, exception(&cpu)) TH_LOG("%s", form.text);
	}
}

TEST_F(emulate, misaligned)
{
	misaligned(_metadata, &sse_aligned);
	misaligned(_metadata, &avx_aligned);
	misaligned(_metadata, &cmpxchg16b);
}

static void set_cpl(unsigned int cpl)
{
	start.segs.seg[VITRO_CS].attrib &= ~VITRO_SEG_DPL;
	start.segs.seg[VITRO_CS].attrib |= cpl << 5;
	start.segs.seg[VITRO_CS].selector = SEL_CODE32 | cpl;
	start.segs.seg[VITRO_SS].attrib &= ~VITRO_SEG_DPL;
	start.segs.seg[VITRO_SS].attrib |= cpl << 5;
	start.segs.seg[VITRO_SS].selector = SEL_DATA | cpl;
}

/* Takes rights from, or gives them all to, a page of the window in both machines. */
static void set_rights(unsigned int page, uint32_t rights)
{
	unsigned int size = mode == PROT32 ? 4 : 8;
	unsigned int where = PAGE_TABLE + (WINDOW / 4096 + page) * size;

	cpu.mem[where] = rights;
	lib.mem[where] = rights;
}

/*
 * #PF: one page of the window is not present, not writable, or not the user's.  The
 * operand is in it, or half of it; the other half is in a good page, often a hole.
 */
static void page_faults(struct __test_metadata *_metadata, const struct family *family)
{
	static const uint8_t missing[] = { 1, 2, 4 };	/* P, R/W, U/S (SDM 3A 4.5) */
	unsigned int round, page, faults;
	enum where border;
	bool aligned;

	load_family(family);
	while (next_form()) {
		faults = 0;
		aligned = tcg_loses_flags() || tcg_tears_stores();
		for (round = 0; round < 4 * ROUNDS; round++) {
			border = BORDER_1 + random() % 3;
			page = border - random() % 2;
			set_cpl(random() % 2 * 3);
			set_rights(page, 7 & ~missing[random() % 3]);
			randomize();
			place_all(random() % 4 ? border : IN_HOLE, aligned);
			if (!agree(_metadata, random() % 2))
				break;
			faults += exception(&cpu) == PF;
			set_rights(page, 7);
		}
		set_rights(page, 7);
		EXPECT_LT(0, faults) TH_LOG("%s never faulted", form.text);
	}
}

/* All modes that have paging. */
FIXTURE(paged)
{
};

FIXTURE_VARIANT(paged)
{
	enum mode mode;
};

FIXTURE_VARIANT_ADD(paged, prot16) { .mode = PROT16 };
FIXTURE_VARIANT_ADD(paged, prot32) { .mode = PROT32 };
FIXTURE_VARIANT_ADD(paged, compat) { .mode = COMPAT };
FIXTURE_VARIANT_ADD(paged, long64) { .mode = LONG };

FIXTURE_SETUP(paged)
{
	prepare(variant->mode);
}

FIXTURE_TEARDOWN(paged)
{
}

TEST_F(paged, page_faults)
{
	page_faults(_metadata, &fault);
}

/* #GP, or #SS for the stack segment: an address whose bits 63:47 are not all the same. */
TEST(not_canonical)
{
	unsigned int i, stack;
	uint64_t gva;

	prepare(LONG);
	load_family(&segment_fault);
	while (next_form()) {
		randomize();
		stack = 0;
		for (i = 0; i < form.d.operand_count; i++) {
			if (!is_memory(i))
				continue;
			gva = (1ULL << 47) + random64() % (~0ULL - (1ULL << 48) - 64);
			place(i, tcg_loses_flags() ? gva & ~63ULL : gva);
			stack += form.op[i].mem.segment == ZYDIS_REGISTER_SS;
		}
		if (stack && vendor_is_tcg())	/* which gives #GP (APM 2 8.2.13: #SS) */
			continue;
		if (form.d.mnemonic == ZYDIS_MNEMONIC_PUSH && is_memory(0))
			stack = 0;		/* its operand comes first */
		if (has_rep())
			set_part(&start.gprs.gpr[VITRO_RCX], 1, 64);
		agree(_metadata, true);
		EXPECT_EQ(stack ? SS_FAULT : GP, exception(&cpu)) TH_LOG("%s", form.text);
	}
}

/*
 * #GP, or #SS for the stack segment: something about the segment forbids the access.  The
 * stack for exceptions must not be concerned: CPL 3 brings another one, and where there
 * is none, in real mode, the stack segment is left alone.
 */
static void segment_faults(struct __test_metadata *_metadata, const struct family *family)
{
	struct vitro_segment *seg, saved;
	unsigned int round, i, faults;
	uint64_t gva;

	if (mode != REAL)
		set_cpl(3);
	load_family(family);
	while (next_form()) {
		faults = 0;
		for (round = 0; round < 4 * ROUNDS; round++) {
			randomize();
			for (i = 0; i < form.d.operand_count && !is_memory(i); i++)
				;
			seg = &start.segs.seg[ZydisRegisterGetId(form.op[i].mem.segment)];
			if (seg == &start.segs.seg[VITRO_CS] ||
			    (mode == REAL && seg == &start.segs.seg[VITRO_SS]))
				break;
			place_all(IN_MEMORY, false);
			gva = pick(IN_HOLE, 1);
			place(i, gva);
			saved = *seg;
			seg->limit = gva - seg->base + random() % (form.op[i].size / 8 + 1) - 1;
			seg->attrib &= ~VITRO_SEG_G;
			if (mode != REAL && random() % 2)	/* expand down, or read only */
				seg->attrib ^= random() % 2 ? 4 : 2;
			if (seg == &start.segs.seg[VITRO_SS])
				seg->attrib |= 2;		/* it cannot be */
			agree(_metadata, true);
			*seg = saved;
			faults += exception(&cpu) != NONE;
		}
		if (round == 4 * ROUNDS)
			EXPECT_LT(0, faults) TH_LOG("%s never faulted", form.text);
	}
}

/* All modes that have segments, apart from FS.base and GS.base. */
FIXTURE(segmented)
{
};

FIXTURE_VARIANT(segmented)
{
	enum mode mode;
};

FIXTURE_VARIANT_ADD(segmented, real) { .mode = REAL };
FIXTURE_VARIANT_ADD(segmented, prot16) { .mode = PROT16 };
FIXTURE_VARIANT_ADD(segmented, prot32) { .mode = PROT32 };
FIXTURE_VARIANT_ADD(segmented, compat) { .mode = COMPAT };

FIXTURE_SETUP(segmented)
{
	prepare(variant->mode);
}

FIXTURE_TEARDOWN(segmented)
{
}

TEST_F(segmented, segment_faults)
{
	if (vendor_is_tcg())
		SKIP(return, "QEMU TCG does not check segments' limits and types");
	segment_faults(_metadata, &segment_fault);
}

TEST_HARNESS_MAIN
