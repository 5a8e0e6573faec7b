// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vitro walk: what a machine saw comes over the wire as it was, answers that make no sense
 * are refused, and each end of a walk has its words and its picture.
 */
#include "kselftest_harness.h"

#include <stdlib.h>

#include "../../userspace/vitro/walk_json.c"
#undef ARRAY_LEN
#include "../../userspace/vitro/walk_words.c"
#include "../../userspace/vitro/walk_text.c"
#include "../../userspace/vitro/walk_svg.c"

#define P	0x01ULL
#define W	0x02ULL
#define U	0x04ULL
#define XD	(1ULL << 63)

/* A walk of four levels that ends well, on AMD. */
static struct walk_view good(void)
{
	struct walk_view v = {
		.vendor = VITRO_VENDOR_SVM, .vcpu = 3, .cr0 = 0x80000011, .cr3 = 0x1000,
		.cr4 = 0x20, .efer = 0xd00, .nr_targets = 5,
		.walk = { .gva = 0xffff800000000123, .levels = 4, .entry_size = 8,
			  .gpa = 0x5123, .page_size = 4096, .nr = 4 },
	};
	unsigned int i, k;

	for (i = 0; i < 4; i++)
		v.walk.step[i] = (struct vitro_walk_step){
			.level = 4 - i, .index = i, .gpa = 0x1000 * (i + 1) + 8 * i,
			.entry = 0x1000 * (i + 2) | P | W | U | (i == 3 ? XD : 0), .leaf = i == 3,
			.rights = VITRO_RIGHT_WRITE | VITRO_RIGHT_USER |
				  (i < 3 ? VITRO_RIGHT_EXEC : 0),
		};
	for (i = 0; i < 5; i++) {
		v.target[i] = (struct walk_target){
			.gpa = i < 4 ? v.walk.step[i].gpa : v.walk.gpa, .memory = true,
			.levels = 4, .nr = 4, .root = 0xabc000, .page_size = 4096,
			.hpa = 0x7000000 + 0x1000 * i,
		};
		for (k = 0; k < 4; k++)
			v.target[i].entry[k] = 0x10000 * (k + 1) | P | W | U;
	}
	return v;
}

/* The same on Intel: read, write, execute. */
static struct walk_view good_on_intel(void)
{
	struct walk_view v = good();

	v.vendor = VITRO_VENDOR_VMX;
	return v;
}

static struct walk_view fails(enum vitro_walk_result result, unsigned int step)
{
	struct walk_view v = good();

	v.walk.result = result;
	v.walk.blamed = step;
	v.walk.fault = (struct vitro_fault){ .vector = 14, .has_error = true, .error = 5 };
	return v;
}

/* ----------------------------------------------------------------------- the wire */

TEST(over_the_wire)
{
	struct walk_view v = good_on_intel(), back;
	json_t *json;

	v.walk.access = VITRO_ACCESS_WRITE | VITRO_ACCESS_USER;
	v.walk.user = true;
	v.walk.result = VITRO_WALK_RESERVED;
	v.walk.blamed = 2;
	v.walk.fault = (struct vitro_fault){ .vector = 14, .has_error = true, .error = 0xf };
	v.walk.step[2].reserved = 1ULL << 51;
	v.target[1].withheld = true;
	v.target[2] = (struct walk_target){ .gpa = ~0ULL };	/* no gpa at all */
	v.target[3].nr = 2;
	v.target[3].page_size = 0;
	v.target[3].entry[2] = 0;
	v.target[3].entry[3] = 0;
	json = walk_to_json(&v);
	ASSERT_TRUE(walk_from_json(json, &back));
	EXPECT_EQ(0, memcmp(&v, &back, sizeof(v)));
	json_decref(json);
}

/* One value of a good answer replaced by another; is it still taken? */
static bool taken(const char *path, json_t *value)
{
	struct walk_view v = good(), back;
	json_t *json = walk_to_json(&v), *at = json;
	char copy[64], *part, *next, *rest = copy;
	bool good_json;

	snprintf(copy, sizeof(copy), "%s", path);
	for (part = strtok_r(copy, ".", &rest); (next = strtok_r(NULL, ".", &rest)); part = next)
		at = json_is_array(at) ? json_array_get(at, atoi(part)) : json_object_get(at, part);
	if (json_is_array(at))
		json_array_set_new(at, atoi(part), value);
	else if (value)
		json_object_set_new(at, part, value);
	else
		json_object_del(at, part);
	good_json = walk_from_json(json, &back);
	json_decref(json);
	return good_json;
}

static json_t *many(unsigned int nr, json_t *value)
{
	json_t *list = json_array();

	while (nr--)
		json_array_append(list, value);
	json_decref(value);
	return list;
}

TEST(answers_that_make_no_sense)
{
	struct walk_view back;
	json_t *json = json_array();

	EXPECT_FALSE(walk_from_json(json, &back));
	EXPECT_FALSE(walk_from_json(NULL, &back));
	json_decref(json);
	EXPECT_TRUE(taken("vcpu", json_integer(0)));
	EXPECT_FALSE(taken("vcpu", json_integer(-1)));
	EXPECT_FALSE(taken("vcpu", json_string("1")));
	EXPECT_FALSE(taken("cpl", json_integer(4)));
	EXPECT_FALSE(taken("vendor", NULL));
	EXPECT_TRUE(taken("cr3", json_string("0xffffffffffffffff")));
	EXPECT_FALSE(taken("cr3", json_string("0x10000000000000000")));
	EXPECT_FALSE(taken("cr3", json_string("0x")));
	EXPECT_FALSE(taken("cr3", json_string("0x-1")));
	EXPECT_FALSE(taken("cr3", json_string("0x1\033[31m")));
	EXPECT_FALSE(taken("cr3", json_string("12")));
	EXPECT_FALSE(taken("walk", NULL));
	EXPECT_FALSE(taken("walk.levels", json_integer(6)));
	EXPECT_FALSE(taken("walk.levels", json_integer(3)));	/* with four steps */
	EXPECT_FALSE(taken("walk.entry_size", json_integer(9)));
	EXPECT_FALSE(taken("walk.result", json_string("fine")));
	EXPECT_FALSE(taken("walk.blamed", json_integer(4)));
	EXPECT_FALSE(taken("walk.page_size", json_integer(4095)));
	EXPECT_FALSE(taken("walk.page_size", json_integer(0)));	/* with a fifth address */
	EXPECT_FALSE(taken("walk.steps", many(6, json_object())));
	EXPECT_FALSE(taken("walk.steps.0.level", json_integer(0)));
	EXPECT_FALSE(taken("walk.steps.0.level", json_integer(6)));
	EXPECT_FALSE(taken("walk.steps.0.index", json_integer(1024)));
	EXPECT_FALSE(taken("walk.steps.3", json_string("step")));
	EXPECT_FALSE(taken("walk.fault", json_pack("{s:i, s:s}", "vector", 32, "error", "0x0")));
	EXPECT_FALSE(taken("second", many(7, json_object())));
	EXPECT_FALSE(taken("second", NULL));
	EXPECT_FALSE(taken("second.4.gpa", NULL));
	EXPECT_FALSE(taken("second.4.levels", json_integer(3)));
	EXPECT_FALSE(taken("second.4.levels", json_integer(6)));
	EXPECT_FALSE(taken("second.4.page_size", json_integer(-4096)));
	EXPECT_FALSE(taken("second.4.entries", many(6, json_string("0x1"))));
	EXPECT_FALSE(taken("second.4.entries", json_array()));
	EXPECT_FALSE(taken("second.4.entries.0", json_integer(1)));
}

TEST(a_good_end_that_is_nowhere)
{
	struct walk_view v = { .vendor = VITRO_VENDOR_SVM }, back;
	json_t *json = walk_to_json(&v);

	EXPECT_FALSE(walk_from_json(json, &back));
	json_decref(json);
	v.walk.result = VITRO_WALK_CANONICAL;
	json = walk_to_json(&v);
	EXPECT_TRUE(walk_from_json(json, &back));
	json_decref(json);
}

/* ---------------------------------------------------------------------- the words */

static const char *why_of(struct walk_view v)
{
	static char text[WALK_WHY];

	walk_why(&v, text, sizeof(text));
	return text;
}

#define EXPECT_SAYS(words, v)						\
	do {								\
		const char *said_ = why_of(v);				\
		EXPECT_NE(NULL, strstr(said_, words)) TH_LOG("%s", said_); \
	} while (0)

TEST(why_the_guest_faults)
{
	struct walk_view v = fails(VITRO_WALK_RESERVED, 2);

	EXPECT_SAYS("#PF, error code 0x5", fails(VITRO_WALK_ABSENT, 2));
	EXPECT_SAYS("PDE 2 at gpa 0x3010 is not present", fails(VITRO_WALK_ABSENT, 2));
	v.walk.step[2].reserved = 1ULL << 51;
	EXPECT_SAYS("PDE 2 at gpa 0x3010 has bits set that must be 0 there: 0x8000000000000", v);
	EXPECT_SAYS("PML4E 0 at gpa 0x1000 is for the kernel only", fails(VITRO_WALK_USER, 0));
	EXPECT_SAYS("PTE 3 at gpa 0x4018 is read-only", fails(VITRO_WALK_WRITE, 3));
	EXPECT_SAYS("CR0.WP is 1", fails(VITRO_WALK_WRITE, 3));
	EXPECT_SAYS("bit 63, XD, is 1", fails(VITRO_WALK_EXEC, 3));
	EXPECT_SAYS("CR4.SMEP is 1", fails(VITRO_WALK_SMEP, 3));
	EXPECT_SAYS("CR4.SMAP is 1", fails(VITRO_WALK_SMAP, 3));
	v = fails(VITRO_WALK_CANONICAL, 0);
	v.walk.fault.vector = 13;
	EXPECT_SAYS("#GP", v);
	EXPECT_SAYS("bits 63 to 47", v);
	v.walk.levels = 5;
	EXPECT_SAYS("bits 63 to 56", v);
	v = fails(VITRO_WALK_NO_MEMORY, 3);
	v.walk.fault.has_error = false;
	EXPECT_SAYS("no memory at gpa 0x4018, where its PTE should be", v);
}

TEST(why_it_exits)
{
	struct walk_view v = good();
	struct walk_target *data = &v.target[4];

	EXPECT_SAYS("gpa 0x5123, which is hpa 0x7004000", v);
	data->withheld = true;
	EXPECT_SAYS("which the host has in memory", v);
	data->entry[3] &= ~W;
	EXPECT_SAYS("which the host has in memory", v);
	v.walk.access = VITRO_ACCESS_WRITE;
	EXPECT_SAYS("which the NPT does not let it write now", v);
	data->page_size = 0;
	EXPECT_SAYS("which is not in the NPT now", v);
	data->memory = false;
	EXPECT_SAYS("as one to a device", v);
	data->levels = 0;
	EXPECT_SAYS("no guest has so long a gpa", v);
}

TEST(bits_and_rights)
{
	struct walk_view v = good();
	struct vitro_walk_step *s = &v.walk.step[3];
	char text[WALK_BITS], rights[5];

	walk_bits(&v, s, text, sizeof(text));
	EXPECT_STREQ("P R/W U/S XD", text);
	walk_rights(s, rights);
	EXPECT_STREQ("rw-u", rights);
	s->entry = 0x1ff | 5ULL << 59;
	v.cr4 |= CR4_PKE;
	walk_bits(&v, s, text, sizeof(text));
	EXPECT_STREQ("P R/W U/S PWT PCD A D PAT G key 5", text);
	s->level = 2;
	walk_bits(&v, s, text, sizeof(text));
	EXPECT_NE(NULL, strstr(text, " PS G"));
	v.walk.levels = 3;
	s->level = 3;			/* a PDPTE of PAE's has no rights */
	s->leaf = false;
	walk_bits(&v, s, text, sizeof(text));
	EXPECT_STREQ("P PWT PCD", text);
	s->entry = 0x123456000;
	walk_bits(&v, s, text, sizeof(text));
	EXPECT_STREQ("not present", text);

	v = good_on_intel();
	walk_second_bits(&v, 0x3b7, text, sizeof(text));
	EXPECT_STREQ("R W X PS A D", text);
	walk_second_bits(&v, 0xfff0, text, sizeof(text));
	EXPECT_STREQ("absent", text);
	walk_second_rights(&v, &v.target[0], rights);
	EXPECT_STREQ("rwx", rights);
	v.target[0].entry[2] &= ~4ULL;	/* execution, to be had from all levels */
	v.target[0].entry[1] &= ~2ULL;
	walk_second_rights(&v, &v.target[0], rights);
	EXPECT_STREQ("r--", rights);
	v = good();
	walk_second_rights(&v, &v.target[0], rights);
	EXPECT_STREQ("rwx", rights);
	v.target[0].entry[2] |= XD;
	walk_second_rights(&v, &v.target[0], rights);
	EXPECT_STREQ("rw-", rights);
	EXPECT_EQ(24, walk_entries_read(&v));
}

/* ---------------------------------------------------------------- text and picture */

static char shown[65536];

static void show(const struct walk_view *v, bool picture, bool colour)
{
	FILE *out = fmemopen(shown, sizeof(shown), "w");

	if (picture)
		walk_print_svg(v, out);
	else
		walk_print_text(v, out, colour);
	fclose(out);
}

static unsigned int count(const char *text)
{
	const char *p = shown;
	unsigned int n;

	for (n = 0; (p = strstr(p, text)); n++)
		p += strlen(text);
	return n;
}

TEST(as_text)
{
	struct walk_view v = fails(VITRO_WALK_WRITE, 2);

	show(&v, false, false);
	EXPECT_EQ(1, count(">> PDE        2")) TH_LOG("%s", shown);
	EXPECT_EQ(1, count(">>"));
	EXPECT_EQ(5, count("0x7000000 (4") + count("0x7001000 (4") + count("0x7002000 (4") +
		     count("0x7003000 (4") + count("0x7004000 (4"));
	EXPECT_EQ(0, count("\033"));
	show(&v, false, true);
	EXPECT_EQ(2, count("\033[1;31m"));	/* the entry and the sentence */
	v.target[0].withheld = true;
	show(&v, false, false);
	EXPECT_EQ(1, count("withheld"));
	EXPECT_EQ(4, count("...007"));
	EXPECT_EQ(0, count("0x7000000 (4"));
}

/* Every tag is closed, in the right order. */
static bool is_nested(void)
{
	const char *open[16];
	unsigned int depth = 0;
	const char *p = shown;

	while ((p = strchr(p, '<'))) {
		const char *end = strchr(p, '>');

		if (!end)
			return false;
		if (p[1] == '/') {
			if (!depth || strncmp(open[--depth], p + 2, end - p - 2))
				return false;
		} else if (end[-1] != '/') {
			if (depth == 16)
				return false;
			open[depth++] = p + 1;
		}
		p = end;
	}
	return !depth;
}

TEST(as_picture)
{
	struct walk_view v = good();

	show(&v, true, false);
	EXPECT_TRUE(is_nested()) TH_LOG("%s", shown);
	EXPECT_EQ(5, count("<rect class=\"gpa\""));
	EXPECT_EQ(20, count("<rect class=\"second\""));
	EXPECT_EQ(4, count("<rect class=\"entry\""));
	EXPECT_EQ(1, count("<rect class=\"data\""));
	EXPECT_EQ(0, count("<rect class=\"bad\""));
	EXPECT_EQ(1, count(">24</text>"));	/* entries are numbered */
	EXPECT_EQ(0, count(">25</text>"));
	v = fails(VITRO_WALK_EXEC, 1);
	show(&v, true, false);
	EXPECT_EQ(1, count("<rect class=\"bad\""));
	EXPECT_EQ(3, count("<rect class=\"entry\""));
	EXPECT_EQ(1, count("<g class=\"beyond\">"));
	EXPECT_EQ(1, count(">20</text>"));	/* the CPU does not come to the data */
	EXPECT_EQ(0, count(">21</text>"));
	v = good();
	v.target[4].nr = 3;
	v.target[4].entry[2] = 0;
	v.target[4].page_size = 0;
	show(&v, true, false);
	EXPECT_EQ(2, count("<rect class=\"away\""));	/* the entry, and so the data */
	EXPECT_EQ(1, count("<rect class=\"void\""));
	EXPECT_EQ(1, count("not mapped yet"));
}

/* All that a walk can be: no levels, five, no steps; nothing is written out of bounds. */
TEST(all_shapes)
{
	unsigned int levels, nr, result, second;

	for (levels = 0; levels <= 5; levels++) {
		if (levels == 1)
			continue;
		for (nr = 0; nr <= levels; nr++) {
			for (result = 0; result <= VITRO_WALK_NO_MEMORY; result++) {
				struct walk_view v = fails(result, nr ? nr - 1 : 0);

				second = (levels + nr + result) % 6;
				v.walk.levels = levels;
				v.walk.nr = nr;
				v.nr_targets = nr + 1;
				for (unsigned int i = 0; i < nr; i++)
					v.walk.step[i].level = levels - i;
				for (unsigned int i = 0; i <= nr; i++) {
					v.target[i].levels = second;
					v.target[i].nr = second ? 1 + i % second : 0;
					v.target[i].page_size = second ? 4096 : 0;
				}
				show(&v, true, false);
				EXPECT_TRUE(is_nested()) TH_LOG("%s", shown);
				EXPECT_NE(0, shown[0]);
				show(&v, false, true);
				EXPECT_NE(0, shown[0]);
			}
		}
	}
}

TEST_HARNESS_MAIN
