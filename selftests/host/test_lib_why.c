// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libvitro's explainer of failed VM entries: that what it proposes helps, and that
 * entries can be written and read as text.  test_lib_why_rules.c is about the rules.
 */
#include "kselftest_harness.h"

#include "why_states.h"

#define MAX	32

/* ---------------------------------------------------------- any state whatever */

static uint64_t next(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static bool is_among(const struct vitro_violation *v, const struct vitro_violation *found,
		     size_t nr)
{
	size_t i;

	for (i = 0; i < nr && i < MAX; i++)
		if (found[i].rule == v->rule && found[i].field[0].id == v->field[0].id)
			return true;
	return false;
}

/* Repairs one violation at a time: returns false if the rule goes on to be violated. */
static bool repairs_help(const struct vitro_entry *entry)
{
	struct vitro_violation found[MAX], left[MAX];
	struct vitro_entry_field field;
	struct vitro_entry *repaired;
	size_t i, j, nr = vitro_why(entry, found, MAX);
	bool ok = true;

	for (i = 0; i < nr && i < MAX && ok; i++) {
		repaired = vitro_entry_new(vitro_entry_vendor(entry));
		for (j = 0; vitro_entry_field_at(entry, j, &field); j++)
			vitro_entry_set(repaired, field.id, field.value);
		for (j = 0; j < found[i].nr_fields; j++)
			vitro_entry_set(repaired, found[i].field[j].id, found[i].field[j].nearest);
		ok = !is_among(&found[i], left, vitro_why(repaired, left, MAX));
		if (!ok)
			fprintf(stderr, "# no help: %s %s\n", found[i].section, found[i].rule);
		vitro_entry_free(repaired);
	}
	return ok;
}

/*
 * The nearest legal value is legal: random states are repaired field by field.  Of a
 * rule that concerns two fields the explainer proposes to change one.
 */
static bool random_states_can_be_repaired(unsigned int vendor)
{
	const struct change *base = vendor == VITRO_VENDOR_SVM ? svm_good : vmx_good;
	uint64_t seed = 20261122, value;
	struct vitro_entry *entry;
	struct vitro_entry_field field;
	unsigned int i, n, nr = 0;
	bool ok = true;

	while (base[nr].field)
		nr++;
	for (n = 0; n < 20000 && ok; n++) {
		entry = good(vendor);
		for (i = 0; i < 3; i++) {
			vitro_entry_field_at(entry, next(&seed) % nr, &field);
			/* Of what the CPU can do, nothing is repaired. */
			if (field.id >= 0x40000 || (field.id >= 0x10000 && field.id < 0x30000))
				continue;
			value = next(&seed) & 1 ? next(&seed) :
				field.value ^ 1ULL << next(&seed) % 64;
			vitro_entry_set(entry, field.id, value);
		}
		ok = repairs_help(entry);
		vitro_entry_free(entry);
	}
	return ok;
}

TEST(vmx_nearest_is_legal)
{
	EXPECT_TRUE(random_states_can_be_repaired(VITRO_VENDOR_VMX));
}

TEST(svm_nearest_is_legal)
{
	EXPECT_TRUE(random_states_can_be_repaired(VITRO_VENDOR_SVM));
}

/* ---------------------------------------------------------------------- text */

static struct vitro_entry *read_text(const char *text)
{
	FILE *file = fmemopen((char *)text, strlen(text), "r");
	struct vitro_entry *entry = vitro_entry_read(file, "text");

	fclose(file);
	return entry;
}

TEST(text_there_and_back)
{
	struct vitro_entry *entry = good(VITRO_VENDOR_VMX), *copy;
	struct vitro_entry_field a, b;
	char text[16384] = "";
	FILE *file = fmemopen(text, sizeof(text), "w");
	size_t i;

	vitro_entry_write(entry, file);
	fclose(file);
	copy = read_text(text);
	ASSERT_NE(NULL, copy) TH_LOG("%s", vitro_error());
	for (i = 0; vitro_entry_field_at(entry, i, &a); i++) {
		ASSERT_TRUE(vitro_entry_field_at(copy, i, &b));
		EXPECT_EQ(a.id, b.id);
		EXPECT_EQ(a.value, b.value);
	}
	EXPECT_LT(70, i);
	EXPECT_FALSE(vitro_entry_field_at(copy, i, &b));
	vitro_entry_free(copy);
	vitro_entry_free(entry);
}

TEST(text_errors_name_the_line)
{
	static const struct {
		const char *text, *error;
	} bad[] = {
		{ "", "is empty" },
		{ "GUEST_CR0 1\n", "text:1: the first line is" },
		{ "vendor via\n", "text:1: 'vendor via'" },
		{ "vendor vmx\nvendor svm\n", "text:2: 'vendor svm'" },
		{ "vendor vmx\n\n# fine\nGUEST_CR9 1\n", "text:4: 'GUEST_CR9' is the name" },
		{ "vendor svm\nGUEST_CR0 1\n", "text:2: 'GUEST_CR0' is" },
		{ "vendor vmx\nGUEST_CR0\n", "text:2: a line has" },
		{ "vendor vmx\nGUEST_CR0 1 2\n", "text:2: a line has" },
		{ "vendor vmx\nGUEST_CR0 -1\n", "text:2: '-1' is no number" },
		{ "vendor vmx\nGUEST_CR0 0x1ffffffffffffffff\n", "is no number" },
		{ "vendor vmx\nGUEST_CR0 0xfg\n", "is no number" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(NULL, read_text(bad[i].text[0] ? bad[i].text : "\n"));
		EXPECT_NE(NULL, strstr(vitro_error(), bad[i].error)) TH_LOG("%s", vitro_error());
	}
}

TEST(fields_have_widths)
{
	struct vitro_entry *entry = vitro_entry_new(VITRO_VENDOR_VMX);
	uint64_t value;
	uint32_t id;

	ASSERT_TRUE(vitro_field_id(VITRO_VENDOR_VMX, "guest_cs_selector", &id));
	EXPECT_STREQ("GUEST_CS_SELECTOR", vitro_field_name(VITRO_VENDOR_VMX, id));
	EXPECT_EQ(0x802, id);
	EXPECT_EQ(16, vitro_field_bits(VITRO_VENDOR_VMX, id));
	EXPECT_EQ(0, vitro_entry_set(entry, id, 0x12345));
	EXPECT_TRUE(vitro_entry_get(entry, id, &value));
	EXPECT_EQ(0x2345, value);
	EXPECT_FALSE(vitro_entry_get(entry, 0x804, &value));
	EXPECT_EQ(-22, vitro_entry_set(entry, 0x7ffe, 0));
	vitro_entry_free(entry);
}

/* More violations than there is room for are counted, and not written. */
TEST(violations_are_counted)
{
	static const struct change broken[] = {
		{ "GUEST_RFLAGS", 0 }, { "GUEST_CR0", 0 }, { "HOST_CS_SELECTOR", 0 }, { NULL, 0 }
	};
	struct vitro_violation found[MAX], few[2];
	struct vitro_entry *entry = good(VITRO_VENDOR_VMX);
	size_t nr;

	ASSERT_TRUE(apply(entry, broken));
	nr = vitro_why(entry, found, MAX);
	EXPECT_LT(2, nr);
	memset(few, 0x5a, sizeof(few));
	EXPECT_EQ(nr, vitro_why(entry, few, 1));
	EXPECT_EQ(0x5a, ((unsigned char *)&few[1])[0]);
	EXPECT_EQ(nr, vitro_why(entry, NULL, 0));
	vitro_entry_free(entry);
}

/* What a dump withholds is nobody's fault. */
TEST(missing_fields_violate_nothing)
{
	const unsigned int vendor[] = { VITRO_VENDOR_VMX, VITRO_VENDOR_SVM };
	struct vitro_entry *entry;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(vendor); i++) {
		entry = vitro_entry_new(vendor[i]);
		EXPECT_EQ(0, vitro_why(entry, NULL, 0));
		vitro_entry_free(entry);
	}
}

TEST_HARNESS_MAIN
