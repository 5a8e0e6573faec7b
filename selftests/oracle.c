// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Is the explainer of failed entries right?  The CPU knows: states that it enters are changed
 * in one field or a few, and the explainer has to say of each whether the CPU still enters it,
 * and if not, in which way it fails.
 *
 * ORACLE_KO names the module that does the entries, by default /oracle.ko.  ORACLE_CASES is the
 * number of changed states: half of them differ in one bit, the others by random values, in up to
 * ORACLE_CHANGES fields.  ORACLE_SEED chooses these.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "host/tap.h"
#include "oracle.h"
#include "vt.h"

GUEST(g_stubs);		/* each test program has a guest; this one's is not run */

#define AT_ONCE		256
#define MAX_FIELDS	512
#define ENOUGH		50000	/* states to meet each known fault of an emulator */
#define MAX_MEMORY	32
#define SHOWN		64

static const struct vendor_test *test;
static unsigned int vendor;
static int device;
static struct oracle_field list[ORACLE_MAX_FIELDS];
static uint32_t nr_list;

static struct {
	unsigned int mutations, entered, failed[VITRO_WHY_INVALID + 1], explained, unexplained;
	unsigned int not_tried, other;
} count;

/* ----------------------------------------------------------------- the module */

static bool load_module(void)
{
	const char *path = getenv("ORACLE_KO") ?: "/oracle.ko";
	int fd = open(path, O_RDONLY | O_CLOEXEC), ret, i;

	if (fd < 0)
		return false;
	ret = syscall(SYS_finit_module, fd, "", 0);
	if (ret && errno != EEXIST)
		vt_die("%s: %s", path, strerror(errno));
	close(fd);
	for (i = 0; i < 100; i++) {	/* devtmpfs makes the node in a thread of its own */
		device = open("/dev/oracle", O_RDWR | O_CLOEXEC);
		if (device >= 0)
			return true;
		vt_sleep_ms(10);
	}
	vt_die("/dev/oracle: %s", strerror(errno));
}

static void get_list(void)
{
	struct oracle_list l = { .nr = ORACLE_MAX_FIELDS, .fields = (uintptr_t)list };

	if (ioctl(device, ORACLE_LIST, &l))
		vt_die("ORACLE_LIST: %s", strerror(errno));
	nr_list = l.nr;
	vendor = l.svm ? VITRO_VENDOR_SVM : VITRO_VENDOR_VMX;
	test = l.svm ? &vendor_svm : &vendor_vmx;
}

static const struct oracle_field *find_listed(uint32_t id)
{
	uint32_t i;

	for (i = 0; i < nr_list; i++)
		if (list[i].id == id)
			return &list[i];
	return NULL;
}

/* Does the module have it? */
bool is_listed(uint32_t id)
{
	return find_listed(id);
}

/* Numbers of fields that the module has, one after the other; false after the last. */
bool listed_at(unsigned int i, uint32_t *id)
{
	if (i < nr_list)
		*id = list[i].id;
	return i < nr_list;
}

/* What the module says of it; 0 if nothing. */
uint64_t listed(uint32_t id)
{
	const struct oracle_field *f = find_listed(id);

	return f ? f->value : 0;
}

/* ---------------------------------------------------------------------- fields */

/* Its number.  Facts as well as fields. */
uint32_t field_id(unsigned int vendor_of, const char *name)
{
	uint32_t id;

	if (!vitro_field_id(vendor_of, name, &id))
		vt_die("there is no field %s", name);
	return id;
}

/* Its value.  The name is a literal: its number is remembered by where it is. */
uint64_t field(const struct vitro_entry *entry, const char *name)
{
	static struct {
		const char *name;
		uint32_t id;
	} known[4096], *k;
	uint64_t value;

	k = &known[(uintptr_t)name % ARRAY_SIZE(known)];
	if (k->name != name) {
		k->name = name;
		k->id = field_id(vitro_entry_vendor(entry), name);
	}
	vitro_entry_get(entry, k->id, &value);
	return value;
}

/* Gives it a value. */
void set_field(struct vitro_entry *entry, const char *name, uint64_t value)
{
	if (vitro_entry_set(entry, field_id(vitro_entry_vendor(entry), name), value))
		vt_die("%s", vitro_error());
}

/* Is this the test machine of that name? */
bool is_machine(const char *name)
{
	const char *machine = getenv("VITRO_MACHINE");

	return machine && !strcmp(machine, name);
}

static uint32_t memory_id[MAX_MEMORY];

/* The fact about memory that it is, or NULL. */
const struct memory_field *memory_of(uint32_t id)
{
	unsigned int i;

	for (i = 0; test->memory[i].name; i++) {
		if (!memory_id[i])
			memory_id[i] = field_id(vendor, test->memory[i].name);
		if (memory_id[i] == id)
			return &test->memory[i];
	}
	return NULL;
}

/* As the module wants it; false for what is none of its fields, such as a fact of the CPU. */
static bool to_module(uint32_t id, uint64_t value, struct oracle_field *f)
{
	const struct memory_field *m = memory_of(id);

	*f = (struct oracle_field){ .id = id, .value = value };
	if (m) {
		f->id = ORACLE_MEMORY + m->at;
		return true;
	}
	if (vendor == VITRO_VENDOR_SVM) {
		f->id = id - VITRO_FIELD_VMCB;
		f->size = vitro_field_bits(vendor, id) / 8;
		return id >= VITRO_FIELD_VMCB && f->id < 4096;
	}
	return id < VITRO_FIELD_MSR;
}

/* ------------------------------------------------------------------- mutations */

static uint64_t seed;

static uint64_t random64(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * 0x2545f4914f6cdd1dULL;
}

static unsigned int random_below(unsigned int n)
{
	return random64() % n;
}

/* A value that has little to do with the one before. */
static uint64_t random_value(uint64_t value)
{
	switch (random_below(6)) {
	case 0:
		return random64();
	case 1:
		return random64() >> random_below(64);
	case 2:
		return ~0ULL << random_below(64);
	case 3:
		return value + random_below(16) - 8;
	case 4:
		return value ^ 1ULL << random_below(64) ^ 1ULL << random_below(64);
	default:
		return random_below(2) ? 0 : ~0ULL;
	}
}

/**
 * struct base - a state that the CPU enters
 * @name: for people
 * @entry: the state; changed for a moment at a time
 * @same: a copy that is not
 * @nr: entries in use of @field
 * @field: fields to change
 * @written: the same, as the module wants them
 */
struct base {
	const char *name;
	struct vitro_entry *entry, *same;
	unsigned int nr;
	uint32_t field[MAX_FIELDS];
	struct oracle_field written[MAX_FIELDS];
};

/**
 * struct change - one field's
 * @id: the field
 * @value: the new value
 */
struct change {
	uint32_t id;
	uint64_t value;
};

/**
 * struct mutation - a state made of a base
 * @base: it
 * @nr: entries in use of @change
 * @change: what was changed
 * @trial: what comes of it
 */
struct mutation {
	struct base *base;
	unsigned int nr;
	struct change change[ORACLE_CHANGES];
	struct trial trial;
};

static struct mutation queue[AT_ONCE];
static unsigned int nr_queued;

static void apply(const struct mutation *m)
{
	unsigned int i;

	for (i = 0; i < m->nr; i++)
		vitro_entry_set(m->base->entry, m->change[i].id, m->change[i].value);
}

static void undo(const struct mutation *m)
{
	unsigned int i;
	uint64_t value;

	for (i = 0; i < m->nr; i++) {
		vitro_entry_get(m->base->same, m->change[i].id, &value);
		vitro_entry_set(m->base->entry, m->change[i].id, value);
	}
}

/* ------------------------------------------------------------------ the verdict */

static unsigned int outcome_of(const struct oracle_case *c)
{
	switch (c->outcome) {
	case ORACLE_ENTERED:
		return VITRO_WHY_ENTERS;
	case ORACLE_FAILED:
		return c->reason == 7 ? VITRO_WHY_CONTROLS :
		       c->reason == 8 ? VITRO_WHY_HOST : CLASS_OTHER;
	default:
		if (vendor == VITRO_VENDOR_SVM)
			return VITRO_WHY_INVALID;
		return (uint16_t)c->reason == 33 ? VITRO_WHY_GUEST :
		       (uint16_t)c->reason == 34 ? VITRO_WHY_MSRS : CLASS_OTHER;
	}
}

/* Checks on controls and host state may be made in any order (SDM 3C 27.2). */
static bool is_early(unsigned int outcome)
{
	return outcome == VITRO_WHY_CONTROLS || outcome == VITRO_WHY_HOST;
}

/* Does the outcome go with these violations, those left out that an excuse covers? */
static bool agrees(const struct trial *t, const bool *excused)
{
	unsigned int first = VITRO_WHY_ENTERS;
	size_t i;

	for (i = 0; i < t->nr; i++) {
		if (excused[i])
			continue;
		if (first == VITRO_WHY_ENTERS)
			first = t->v[i].class;
		if (is_early(first) && t->v[i].class == t->outcome && is_early(t->outcome))
			return true;
	}
	return first == t->outcome;
}

static bool excuses_violation(const struct excuse *x, const struct trial *t,
			      const struct vitro_violation *v)
{
	return x->omits && strstr(v->rule, x->omits) && (!x->when || x->when(t, v));
}

/* By a rule that the emulator, too, is expected to check. */
static bool fails_for_sure(const struct trial *t)
{
	const struct excuse *x;
	size_t i;

	for (i = 0; i < t->nr; i++) {
		for (x = test->excuses(); x->manual; x++)
			if (excuses_violation(x, t, &t->v[i]))
				break;
		if (!x->manual)
			return true;
	}
	return false;
}

/* Is the outcome one that the emulator is known for? */
static bool is_excused(const struct trial *t)
{
	bool excused[MAX_VIOLATIONS] = { false };
	struct excuse *x;
	size_t i;

	for (x = test->excuses(); x->manual; x++)
		for (i = 0; i < t->nr; i++)
			if (excuses_violation(x, t, &t->v[i]))
				excused[i] = true;
	if (agrees(t, excused)) {
		for (x = test->excuses(); x->manual; x++)
			for (i = 0; i < t->nr; i++)
				if (excuses_violation(x, t, &t->v[i])) {
					x->count++;
					break;
				}
		return true;
	}
	for (x = test->excuses(); x->manual; x++) {
		if (!x->omits && x->outcome == t->outcome && x->when(t, NULL)) {
			x->count++;
			return true;
		}
	}
	return false;
}

static void show(const struct mutation *m, const struct trial *t, const struct oracle_case *c)
{
	unsigned int i;
	uint64_t before;

	printf("# disagreement: base \"%s\"", m->base->name);
	for (i = 0; i < m->nr; i++) {
		vitro_entry_get(m->base->same, m->change[i].id, &before);
		printf(", %s 0x%llx (was 0x%llx)", vitro_field_name(vendor, m->change[i].id),
		       (unsigned long long)m->change[i].value, (unsigned long long)before);
	}
	printf("\n#   the CPU: %s %llu, detail %llu\n",
	       c->outcome == ORACLE_ENTERED ? "entered, exit" :
	       c->outcome == ORACLE_FAILED ? "failed, error" : "refused, exit",
	       (unsigned long long)c->reason & 0xffff, (unsigned long long)c->detail);
	for (i = 0; i < t->nr; i++)
		printf("#   the explainer: class %u, %s: %s\n", t->v[i].class, t->v[i].section,
		       t->v[i].rule);
	if (!t->nr)
		printf("#   the explainer: enters\n");
}

/* Of disagreements alike, two are shown. */
static bool is_new(const struct trial *t)
{
	static struct {
		const char *rule;
		unsigned int outcome, shown;
	} kinds[SHOWN];
	const char *rule = t->nr ? t->v[0].rule : "enters";
	unsigned int i;

	for (i = 0; i < SHOWN; i++) {
		if (!kinds[i].rule) {
			kinds[i].rule = rule;
			kinds[i].outcome = t->outcome;
		}
		if (kinds[i].rule == rule && kinds[i].outcome == t->outcome)
			return kinds[i].shown++ < 2;
	}
	return false;
}

static void judge(struct mutation *m, const struct oracle_case *c)
{
	static const bool none[MAX_VIOLATIONS];
	struct trial *t = &m->trial;

	t->outcome = outcome_of(c);
	t->reason = c->reason;
	count.mutations++;
	if (t->outcome == CLASS_OTHER)
		count.other++;
	else if (t->outcome == VITRO_WHY_ENTERS)
		count.entered++;
	else
		count.failed[t->outcome]++;
	if (agrees(t, none))
		return;
	apply(m);	/* for excuses to look at */
	if (is_excused(t))
		count.explained++;
	else if (count.unexplained++, is_new(t))
		show(m, t, c);
	undo(m);
}

/* The queued states of one base. */
static void run_queue(void)
{
	static struct oracle_case cases[AT_ONCE];
	struct oracle_run run = { .nr_cases = nr_queued, .cases = (uintptr_t)cases };
	const struct change *change;
	unsigned int i, j;

	if (!nr_queued)
		return;
	run.nr_base = queue[0].base->nr;
	run.base = (uintptr_t)queue[0].base->written;
	memset(cases, 0, sizeof(cases));
	for (i = 0; i < nr_queued; i++) {
		cases[i].nr = queue[i].nr;
		for (j = 0; j < queue[i].nr; j++) {
			change = &queue[i].change[j];
			to_module(change->id, change->value, &cases[i].change[j]);
		}
	}
	if (ioctl(device, ORACLE_RUN, &run))
		vt_die("ORACLE_RUN: %s", strerror(errno));
	for (i = 0; i < nr_queued; i++)
		judge(&queue[i], &cases[i]);
	nr_queued = 0;
}

/* What could enter, and would take the machine down after that, is counted instead. */
static void add(struct base *base, const struct change *change, unsigned int nr)
{
	struct mutation *m;
	bool safe;

	if (nr_queued == AT_ONCE || (nr_queued && queue[0].base != base))
		run_queue();
	m = &queue[nr_queued];
	m->base = base;
	m->nr = nr;
	if (nr)
		memcpy(m->change, change, nr * sizeof(*change));
	apply(m);
	m->trial.entry = base->entry;
	m->trial.nr = vitro_why(base->entry, m->trial.v, MAX_VIOLATIONS);
	if (m->trial.nr > MAX_VIOLATIONS)
		m->trial.nr = MAX_VIOLATIONS;
	/* With several changes, a fault of the emulator could let the others do their harm. */
	safe = (nr == 1 && fails_for_sure(&m->trial)) || !test->unsafe(base->same, base->entry);
	if (test->unknown(base->same, base->entry))
		safe = false;
	undo(m);
	if (safe)
		nr_queued++;
	else
		count.not_tried++;
}

/* ---------------------------------------------------------------------- tests */

static struct base *bases;
static unsigned int nr_bases;

static void make_base(struct base *b, struct vitro_entry *entry, const char *name)
{
	struct vitro_entry_field f;
	size_t i;

	b->name = name;
	b->entry = entry;
	b->same = vitro_entry_new(vendor);
	for (i = 0; vitro_entry_field_at(entry, i, &f); i++) {
		vitro_entry_set(b->same, f.id, f.value);
		if (test->is_mutable(f.id) && b->nr < MAX_FIELDS &&
		    to_module(f.id, f.value, &b->written[b->nr]))
			b->field[b->nr++] = f.id;
	}
}

static void make_bases(void)
{
	struct vitro_entry *entry;
	const char *name;
	unsigned int i;

	bases = calloc(test->nr_bases, sizeof(*bases));
	for (i = 0; i < test->nr_bases; i++) {
		entry = test->base(i, &name);
		if (entry)
			make_base(&bases[nr_bases++], entry, name);
	}
}

/* The CPU enters the bases, and the explainer knows. */
static bool bases_enter(void)
{
	unsigned int i, before;

	for (i = 0; i < nr_bases; i++) {
		before = count.entered;
		add(&bases[i], NULL, 0);
		run_queue();
		if (count.entered == before)
			printf("# base \"%s\" is not entered\n", bases[i].name);
	}
	return count.entered == nr_bases && !count.unexplained && !count.not_tried;
}

static struct change random_change(const struct base *b)
{
	struct change c = { .id = b->field[random_below(b->nr)] };
	uint64_t value;

	vitro_entry_get(b->same, c.id, &value);
	if (random_below(2))
		c.value = value ^ 1ULL << random_below(vitro_field_bits(vendor, c.id));
	else
		c.value = random_value(value);
	c.value &= ~0ULL >> (64 - vitro_field_bits(vendor, c.id));
	return c;
}

/* One change, more often than two, more often than three ... */
static void try_random(struct base *b)
{
	struct change change[ORACLE_CHANGES];
	unsigned int nr = 0;

	do {
		change[nr++] = random_change(b);
	} while (nr < ORACLE_CHANGES && !random_below(2));
	add(b, change, nr);
}

static void try_bit(struct base *b, unsigned int i, unsigned int bit)
{
	struct change change = { .id = b->field[i] };

	vitro_entry_get(b->same, change.id, &change.value);
	change.value ^= 1ULL << bit;
	add(b, &change, 1);
}

/* Of all bits of all fields @nr, evenly; each base has others. */
static void try_bits(struct base *b, unsigned int nr, unsigned int phase)
{
	unsigned int i, bit, all = 0, n = 0, step;

	for (i = 0; i < b->nr; i++)
		all += vitro_field_bits(vendor, b->field[i]);
	step = all / nr ?: 1;
	for (i = 0; i < b->nr; i++)
		for (bit = 0; bit < vitro_field_bits(vendor, b->field[i]); bit++)
			if (n++ % step == phase % step)
				try_bit(b, i, bit);
}

static void mutate(unsigned int how_many)
{
	unsigned int i, n, nr = how_many / nr_bases / 2;

	for (i = 0; i < nr_bases; i++) {
		printf("# %s\n", bases[i].name);
		try_bits(&bases[i], nr, i);
		for (n = 0; n < nr; n++)
			try_random(&bases[i]);
	}
	run_queue();
}

static bool report_excuses(bool enough)
{
	const struct excuse *x;
	bool met = true;

	for (x = test->excuses(); x->manual; x++) {
		if (x->count) {
			printf("# %6u: %s\n", x->count, x->manual);
			printf("#         emulator: %s\n", x->emulator);
		} else if (enough && !x->rare) {
			printf("# never: %s\n", x->manual);
			met = false;
		}
	}
	return met;
}

static void report(double seconds)
{
	static const char *const classes[] = {
		[VITRO_WHY_CONTROLS] = "controls (error 7)",
		[VITRO_WHY_HOST] = "host state (error 8)",
		[VITRO_WHY_GUEST] = "guest state (exit 33)",
		[VITRO_WHY_MSRS] = "MSR loading (exit 34)",
		[VITRO_WHY_INVALID] = "VMEXIT_INVALID",
	};
	unsigned int i;

	printf("# %u states tried in %.0f s, of %u bases: %u entered", count.mutations, seconds,
	       nr_bases, count.entered);
	for (i = VITRO_WHY_CONTROLS; i <= VITRO_WHY_INVALID; i++)
		if (count.failed[i])
			printf(", %u %s", count.failed[i], classes[i]);
	if (count.other)
		printf(", %u otherwise", count.other);
	printf("\n# %u not tried: the machine might not survive, or it depends on foreign memory\n",
	       count.not_tried);
	printf("# disagreements: %u explained, %u unexplained\n", count.explained,
	       count.unexplained);
}

int main(void)
{
	unsigned int how_many = strtoul(getenv("ORACLE_CASES") ?: "4000", NULL, 0);
	struct timespec begin, end;

	seed = strtoull(getenv("ORACLE_SEED") ?: "1", NULL, 0) * 0x9e3779b97f4a7c15ULL | 1;
	setlinebuf(stdout);
	if (is_machine("amd-bochs")) {
		tap_skip("agreement", "Bochs 2.7 itself crashes on guests that it ought to refuse");
		return tap_done();
	}
	if (!load_module()) {
		tap_skip("agreement", "there is no /oracle.ko: see scripts/build-test-module");
		return tap_done();
	}
	get_list();
	make_bases();
	check("bases are entered", bases_enter());
	clock_gettime(CLOCK_MONOTONIC, &begin);
	mutate(how_many);
	clock_gettime(CLOCK_MONOTONIC, &end);
	report(end.tv_sec - begin.tv_sec + (end.tv_nsec - begin.tv_nsec) / 1e9);
	check("no disagreement is unexplained", !count.unexplained);
	check("each known fault of the emulator was met", report_excuses(how_many >= ENOUGH));
	check("states were entered, and refused",
	      count.entered && count.entered < count.mutations);
	return tap_done();
}
