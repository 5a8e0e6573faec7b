// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * New programs, and changed ones.
 *
 * What is chosen at random in each field would hardly ever get past the first check.  So
 * every type of field has a pool of values that mean something, those that are right first.
 * Most calls are all right, and others are wrong in one field: with a little wrong in each,
 * hardly any call of eight fields would do anything.
 *
 * What goes wrong between calls does so when they are about the same thing.  So many values
 * come from earlier calls of the program, and some calls are earlier ones again.
 */
#include <string.h>
#include <sys/mman.h>
#include "fuzz.h"

#define LIKELY	92	/* percent: what is right rather than wrong */
#define REUSED	35	/* percent: values that an earlier call had */
#define REPEATED 20	/* percent: calls that are an earlier one again, but for a field */
#define WRONG	20	/* percent: calls with one field that may be anything */
#define CARELESS 4	/* percent: calls that may be anything in all fields */

/**
 * struct gen - a program in the making
 * @rng: decides
 * @program: it
 * @at: where in it the generator stands: so many calls come before
 * @kind: what its fds are there
 */
struct gen {
	struct rng *rng;
	struct program *program;
	unsigned int at;
	uint8_t kind[NR_FDS];
};

#define NR_OF(...)	(sizeof((const uint64_t []){ __VA_ARGS__ }) / sizeof(uint64_t))
/* Of these values, the first so many are right, or all. */
#define POOL(_right, ...) { (const uint64_t []){ __VA_ARGS__ }, _right, NR_OF(__VA_ARGS__) }
#define ALL_RIGHT(...) POOL(NR_OF(__VA_ARGS__), __VA_ARGS__)

#define KERNEL_ADDRESS	0xffff888000000000ULL

static const struct {
	const uint64_t *value;
	unsigned int right;
	unsigned int nr;
} pools[F_NR_TYPES] = {
	[F_EVENTFD] = POOL(3, FD_EVENT, FD_EVENT2, FD_EVENT, FD_NULL, 8, 9, 1000, ~0ULL),
	[F_SLOT] = POOL(6, 0, 0, 0, 1, 1, 2, VITRO_MAX_SLOTS - 1, VITRO_MAX_SLOTS),
	[F_1_FLAG] = POOL(3, 0, 0, 1, 2, 1U << 31),
	[F_2_FLAGS] = POOL(6, 0, 0, 1, 2, 2, 3, 4, 1U << 31),
	[F_3_FLAGS] = POOL(10, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 1U << 31),
	[F_GPA] = POOL(6, 0, 0x1000, 0x100000, 0x1ff000, 0x200000, 0x400000, NOWHERE,
		       0xfec00000, 0xfedff000, 0xfee00000, 0xfee01000, 1ULL << 32,
		       1ULL << 36, 1ULL << 39, 1ULL << 40, 1ULL << 46, 1ULL << 48,
		       1ULL << 52, -4096ULL),
	[F_SIZE] = POOL(7, 0x1000, 0x1000, 0x2000, 0x10000, 0x100000, 0x200000, 0x400000, 0,
			ARENA_SIZE, 1ULL << 36, 1ULL << 40, -4096ULL),
	[F_HVA] = POOL(7, ARENA, ARENA + 0x1000, ARENA + 0x100000, ARENA + 0x200000,
		       ARENA + 0x3ff000, DATA, ARENA + ARENA_SIZE - 0x1000, WINDOW(6),
		       WINDOW(7), 0, 1ULL << 47, (1ULL << 47) - 4096, KERNEL_ADDRESS,
		       -4096ULL),
	[F_POINTER] = POOL(3, DATA, DATA, DATA + 0x1000, DATA + 0xffc, ARENA, WINDOW(6),
			   ARENA + ARENA_SIZE - 8, 0, 1, KERNEL_ADDRESS),
	[F_ID] = POOL(6, 0, 0, 1, 1, 2, 3, VITRO_MAX_VCPUS - 1, VITRO_MAX_VCPUS, ~0ULL),
	[F_PAD] = ALL_RIGHT(0),
	[F_MASK] = POOL(11, 1, 2, 4, 8, 0x10, 0x20, 0x40, 0x80, 7, 0x2f, VITRO_STATE_ALL, 0,
			0x100, ~0ULL),
	[F_MSI_ADDR] = POOL(5, VT_MSI, VT_MSI, VT_MSI | 1 << 12, VT_MSI | 3 << 12,
			    VT_MSI | 0xff000, VT_MSI | 0xff00c, VT_MSI | 0x300c, VT_MSI | 8,
			    VT_MSI | 0xfe0, 0, VT_MSI | 1ULL << 32),
	/* Vectors; delivery modes in bits 10:8, level in 14, trigger mode in 15. */
	[F_MSI_DATA] = POOL(18, 0x20, 0x31, 0x80, 0xff, 0, 0x10, 0x131, 0x241, 0x400, 0x500,
			    0x600, 0x700, 0x4700, 0xc700, 0x8700, 0xc041, 0x8041, 0xc141,
			    0xffffffff),
	[F_IO_ADDR] = POOL(6, PORT_SAY, PORT_TRAP, 0x3f8, 0, 0xffff, NOWHERE, 0x200000,
			   0xfee00000, ~0ULL),
	[F_IO_LEN] = POOL(5, 0, 1, 2, 4, 8, 3, 16),
	[F_PAGES] = POOL(8, 0, 0, 64, 64, 128, 256, 512, 512, 1, 63, 1024, 4096, 1ULL << 36,
			 -64ULL),
	[F_NR] = POOL(10, 0, 1, 2, 8, 32, 63, 64, 128, 129, 512, 1024, 2048, 4096,
		      VITRO_MAX_RECORDS, VITRO_MAX_RECORDS + 1, ~0ULL),
	/* Numbers of MSRs and ports, bits of control registers, edges of what is canonical. */
	[F_REG] = ALL_RIGHT(0, 1, 2, 3, 0x10, 0x1b, 0x20, 0x31, 0x80, 0xff, 0x100, 0x174,
			    0x202, 0x277, 0x400, 0x500, 0x600, 0x6e0, 0x802, 0x808, 0x80b,
			    0x80f, 0x830, 0x832, 0x838, 0x83e, 0x83f, 0x3f8, 0x8000,
			    0xc0000080, 0xc0000081, 0xc0000102, 0x4b564d00, 0x4b564d01,
			    0xfffe0ff0, 0xffff0ff0, 0x7fffffff, 0x80000000, 0xffffffff,
			    1ULL << 32, 1ULL << 47, (1ULL << 47) - 1, 0xffff800000000000,
			    1ULL << 63, ~0ULL, 0x0007040600070406, 0x80050033, 0x6f8,
			    0xd01),
	[F_PROT] = POOL(3, PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE, PROT_READ,
			PROT_NONE, PROT_READ | PROT_WRITE | PROT_EXEC),
	[F_MAP] = ALL_RIGHT(0, 0, 1, 2, 3, 4, 5, 6),
	[F_ADVICE] = ALL_RIGHT(MADV_DONTNEED, MADV_DONTNEED, MADV_FREE, MADV_REMOVE,
			       MADV_WILLNEED, MADV_DONTFORK, MADV_DOFORK, MADV_MERGEABLE,
			       MADV_UNMERGEABLE, MADV_HUGEPAGE, MADV_NOHUGEPAGE,
			       MADV_WIPEONFORK, MADV_KEEPONFORK, 20 /* COLD */,
			       21 /* PAGEOUT */, 22 /* POPULATE_READ */,
			       23 /* POPULATE_WRITE */, 25 /* COLLAPSE */),
	[F_MODE] = ALL_RIGHT(VT_LONG, VT_LONG, VT_LONG, VT_REAL, VT_PROT, VT_PSE, VT_PAE),
	[F_COUNT] = ALL_RIGHT(1, 2, 4, 8, 16, 32, 100, 1000),
	[F_COMMAND] = POOL(5, 1, 2, 3, 4, 5, 0, 255),
	[F_NAME] = POOL(3, 0, 0x7a7a7566, 0x7a20, 0x4141414141414141, 0x2241, ~0ULL),
};

/* A place in the comm area: one of its words, or one of a state group. */
static uint64_t comm_offset(struct rng *r)
{
#define AT(member)	offsetof(struct vitro_comm, member)
	static const struct { uint16_t offset, size; } place[] = {
		{ AT(wanted), 8 }, { AT(dirty), 8 }, { AT(immediate_exit), 4 },
		{ AT(exit), sizeof(struct vitro_exit) },
		{ AT(state.gprs), sizeof(struct vitro_gprs) },
		{ AT(state.segs), sizeof(struct vitro_segs) },
		{ AT(state.segs), sizeof(struct vitro_segs) },
		{ AT(state.crs), sizeof(struct vitro_crs) },
		{ AT(state.crs), sizeof(struct vitro_crs) },
		{ AT(state.drs), sizeof(struct vitro_drs) },
		{ AT(state.msrs), sizeof(struct vitro_msrs) },
		{ AT(state.events), sizeof(struct vitro_events) },
		{ AT(state.events), sizeof(struct vitro_events) },
		{ AT(state.time), sizeof(struct vitro_time) },
		{ AT(state.fpu), sizeof(struct vitro_fpu) },
		{ AT(state.fpu.xsave[512]), 16 },	/* the header of XSAVE */
		{ 0, sizeof(struct vitro_comm) },
	};
	unsigned int i = rng_below(r, ARRAY_SIZE(place));
	unsigned int at = rng_below(r, place[i].size);

	return place[i].offset + (rng_percent(r, 60) ? at & ~7U : at);
}

/* A value that is right, as far as one can say without knowing the others. */
static uint64_t right_value(struct rng *r, enum field_type type)
{
	switch (type) {
	case F_FORM:
		return FORM_EXACT;
	case F_OFFSET:
		return comm_offset(r);
	case F_OFFSET_LEN:
		return 8;
	case F_LAPIC:
		return rng_below(r, 0x40) * 16;
	case F_ENTRY:
		return rng_below(r, 32);
	case F_SEED:
		return rng_next(r) >> 32;
	case F_THREAD:
		return rng_below(r, NR_THREADS);
	default:
		return pools[type].value[rng_below(r, pools[type].right)];
	}
}

/* One that may be anything. */
static uint64_t any_value(struct rng *r, enum field_type type)
{
	unsigned int how = rng_below(r, 100);
	uint64_t value;

	switch (type) {
	case F_FORM:
		return rng_below(r, NR_FORMS);
	case F_OFFSET:
		return comm_offset(r);
	case F_OFFSET_LEN:
		return 1U << rng_below(r, 3);
	case F_LAPIC:
		return rng_next(r) & 0x1fff;
	case F_ENTRY:
	case F_SEED:
	case F_THREAD:
		return right_value(r, type);
	default:
		break;
	}
	value = pools[type].value[rng_below(r, pools[type].nr)];
	if (how < 40)
		return value;
	if (how < 60)
		return value + (rng_percent(r, 50) ? 0x1000 : -0x1000ULL);
	if (how < 75)
		return value + (rng_percent(r, 50) ? 1 : -1ULL);
	if (how < 90)
		return value ^ 1ULL << rng_below(r, 64);
	return rng_next(r) >> rng_below(r, 64);
}

/* ----------------------------------------------------------------------- calls */

static unsigned int fd_of_kind(struct gen *g, enum kind kind)
{
	unsigned int start = rng_below(g->rng, NR_FDS), i;

	for (i = 0; i < NR_FDS; i++)
		if (g->kind[(start + i) % NR_FDS] == kind)
			return (start + i) % NR_FDS;
	return start;
}

/* What a call does to the table of fds, as far as can be told. */
static void note_call(struct gen *g, const struct call *c)
{
	const struct call_type *t = &call_types[c->type];
	unsigned int fd = NR_FDS, to = NR_FDS, i;

	for (i = 0; t->field[i].type != F_END; i++) {
		if (t->field[i].type == F_FD)
			fd = c->arg[i] % NR_FDS;
		if (t->field[i].type == F_TO)
			to = c->arg[i] % NR_FDS;
	}
	if (!strcmp(t->name, "close"))
		g->kind[fd] = K_NONE;
	else if (!strcmp(t->name, "dup"))
		g->kind[to] = g->kind[fd];
	else if (t->makes)
		g->kind[to] = t->makes;
	g->at++;
}

static void gen_start(struct gen *g, struct rng *r, struct program *p)
{
	*g = (struct gen){ .rng = r, .program = p, .kind = {
		[FD_DEV] = K_DEV, [FD_EVENT] = K_EVENT, [FD_EVENT2] = K_EVENT,
		[FD_NULL] = K_OTHER } };
}

/* The generator's idea of the fds after the first @nr calls. */
static void gen_replay(struct gen *g, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		note_call(g, &g->program->call[i]);
}

/* What an argument of this type was in a call before, which is chosen at random. */
static bool used_before(struct gen *g, enum field_type type, uint64_t *value)
{
	unsigned int start, i, j;

	if (!g->at)
		return false;
	start = rng_below(g->rng, g->at);
	for (i = 0; i < g->at; i++) {
		const struct call *c = &g->program->call[(start + i) % g->at];
		const struct field *f = call_types[c->type].field;

		for (j = 0; f[j].type != F_END; j++)
			if (f[j].type == type) {
				*value = c->arg[j];
				return true;
			}
	}
	return false;
}

static uint64_t arg_of(struct gen *g, const struct call_type *t, const struct field *f,
		       bool right)
{
	uint64_t value;

	if (f->type == F_FD)
		return right ? fd_of_kind(g, t->on) : rng_below(g->rng, NR_FDS);
	if (f->type == F_TO)
		return FD_FIRST_FREE + rng_below(g->rng, NR_FDS - FD_FIRST_FREE);
	if (!right)
		return any_value(g->rng, f->type);
	if (rng_percent(g->rng, REUSED) && used_before(g, f->type, &value))
		return value;
	return right_value(g->rng, f->type);
}

/* All have one at least. */
static unsigned int nr_fields(const struct call *c)
{
	unsigned int nr = 0;

	while (call_types[c->type].field[nr].type != F_END)
		nr++;
	return nr;
}

static void change_argument(struct gen *g, struct call *c)
{
	const struct call_type *t = &call_types[c->type];
	unsigned int i = rng_below(g->rng, nr_fields(c));

	c->arg[i] = arg_of(g, t, &t->field[i], rng_percent(g->rng, 70));
}

static void new_call(struct gen *g, struct call *c)
{
	const struct call_type *t;
	unsigned int i, sum = 0, wrong;
	bool careless;

	for (i = 0; i < nr_call_types; i++)
		sum += call_types[i].weight;
	sum = rng_below(g->rng, sum);
	for (i = 0; sum >= call_types[i].weight; i++)
		sum -= call_types[i].weight;

	*c = (struct call){ .type = i };
	t = &call_types[i];
	careless = rng_percent(g->rng, CARELESS);
	wrong = rng_percent(g->rng, WRONG) ? rng_below(g->rng, nr_fields(c)) : MAX_ARGS;
	for (i = 0; t->field[i].type != F_END; i++)
		c->arg[i] = arg_of(g, t, &t->field[i], i != wrong && !careless);
}

static void random_call(struct gen *g, struct call *c)
{
	if (g->at && rng_percent(g->rng, REPEATED)) {
		*c = g->program->call[rng_below(g->rng, g->at)];
		if (rng_percent(g->rng, 70))
			change_argument(g, c);
	} else {
		new_call(g, c);
	}
	c->thread = rng_below(g->rng, NR_THREADS);
}

static void insert(struct program *p, unsigned int at, const struct call *c)
{
	if (p->nr == MAX_CALLS)
		return;
	memmove(&p->call[at + 1], &p->call[at], (p->nr - at) * sizeof(*c));
	p->call[at] = *c;
	p->nr++;
	if (at < p->serial)
		p->serial++;
}

static void delete(struct program *p, unsigned int at)
{
	p->nr--;
	memmove(&p->call[at], &p->call[at + 1], (p->nr - at) * sizeof(p->call[0]));
	if (at < p->serial)
		p->serial--;
}

static void add(struct gen *g, const char *name, const uint64_t *arg)
{
	struct call call = {};

	while (strcmp(call_types[call.type].name, name))
		call.type++;
	memcpy(call.arg, arg, sizeof(call.arg));
	insert(g->program, g->program->nr, &call);
	note_call(g, &call);
}

/* A call by name, with its first arguments; the others are 0. */
#define ADD(g, name, ...)	add(g, name, ((const uint64_t [MAX_ARGS]) { __VA_ARGS__ }))

/* A vCPU with something to run, its comm area mapped. */
static void add_vcpu(struct gen *g, uint64_t vm, uint64_t fd, uint64_t id)
{
	struct rng *r = g->rng;

	ADD(g, "CREATE_VCPU", vm, fd, FORM_EXACT, id);
	ADD(g, "map", fd, 0x2000, PROT_READ | PROT_WRITE);
	ADD(g, "mode", fd, right_value(r, F_MODE), right_value(r, F_ENTRY), right_value(r, F_REG),
	    right_value(r, F_GPA), right_value(r, F_REG), right_value(r, F_REG));
}

/**
 * generate() - a new program
 * @r: decides
 * @p: the program; what it was is lost
 *
 * Most begin with a VM that can run.
 */
void generate(struct rng *r, struct program *p)
{
	unsigned int more = 1 + rng_below(r, 64);
	struct call c;
	struct gen g;

	*p = (struct program){ .user = rng_percent(r, 50) };
	gen_start(&g, r, p);
	if (rng_percent(r, LIKELY)) {
		ADD(&g, "CREATE_VM", FD_DEV, 5);
		ADD(&g, "SET_MEMSLOT", 5, 0, FORM_EXACT, 0,
		    rng_percent(r, 40) ? VITRO_SLOT_LOG_DIRTY : 0, 0, MEM_SIZE, ARENA);
		add_vcpu(&g, 5, 6, 0);
		if (rng_percent(r, 40))
			add_vcpu(&g, 5, 7, 1);
	}
	while (more--) {
		random_call(&g, &c);
		insert(p, p->nr, &c);
		note_call(&g, &c);
	}
	p->serial = p->nr;
	if (rng_percent(r, 40))
		p->serial = rng_below(r, p->nr);
}

/* --------------------------------------------------------------------- changes */

/* The end of @other, from somewhere on, comes behind the beginning of @p. */
static void splice(struct rng *r, struct program *p, const struct program *other)
{
	unsigned int from = rng_below(r, other->nr + 1);

	p->nr = rng_below(r, p->nr + 1);
	while (from < other->nr && p->nr < MAX_CALLS)
		p->call[p->nr++] = other->call[from++];
	if (p->serial > p->nr)
		p->serial = p->nr;
}

/**
 * mutate() - change a program a little
 * @r: decides
 * @p: the program
 * @other: one to take calls from
 */
void mutate(struct rng *r, struct program *p, const struct program *other)
{
	unsigned int times = 1 + rng_below(r, 16);
	struct call c;
	struct gen g;

	while (times--) {
		unsigned int at = rng_below(r, p->nr + 1);

		gen_start(&g, r, p);
		gen_replay(&g, at);
		switch (rng_below(r, 10)) {
		case 0 ... 3:
			random_call(&g, &c);
			insert(p, at, &c);
			break;
		case 4 ... 6:
			if (at < p->nr)
				change_argument(&g, &p->call[at]);
			break;
		case 7:
			if (at < p->nr)
				delete(p, at);
			break;
		case 8:
			if (rng_percent(r, 50))
				p->serial = at;
			else if (at < p->nr)
				p->call[at].thread = rng_below(r, NR_THREADS);
			break;
		case 9:
			if (rng_percent(r, 30))
				p->user = !p->user;
			else
				splice(r, p, other);
			break;
		}
	}
}
