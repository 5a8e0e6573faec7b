// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From an entry that the CPU refuses to the rule that it violates: libvitro's
 * vitro_vcpu_entry(), and the command "vitro why" on what that has saved.
 */
#include "kselftest_harness.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vitro/vitro.h>
#include <vitro/why.h>

#include "../userspace/vitro/exitcode.h"
#include "vt.h"

GUEST(g_stubs);		/* each test program has a guest; this one's is made by libvitro */

#define SAVED		"/tmp/refused.entry"
#define MEMORY		(1 << 20)
#define TABLES		0x10000
#define CODE		0x1000
#define L_AND_D		"64-bit code (CS.L) "

FIXTURE(refused) {
	struct vitro *dev;
	struct vitro_vm *vm;
	struct vitro_vcpu *vcpu;
	struct vitro_entry *entry;
};

FIXTURE_SETUP(refused)
{
	self->dev = vitro_open(NULL);
	ASSERT_NE(NULL, self->dev) TH_LOG("%s", vitro_error());
	self->vm = vitro_vm_create(self->dev);
	ASSERT_NE(NULL, self->vm);
	ASSERT_NE(NULL, vitro_mem_alloc(self->vm, 0, MEMORY, 0));
	self->vcpu = vitro_vcpu_create(self->vm, 0);
	ASSERT_NE(NULL, self->vcpu);
	ASSERT_EQ(0, vitro_vcpu_set_mode(self->vcpu, VITRO_MODE_LONG, CODE, TABLES));
}

FIXTURE_TEARDOWN(refused)
{
	vitro_entry_free(self->entry);
	vitro_vcpu_destroy(self->vcpu);
	vitro_vm_destroy(self->vm);
	vitro_close(self->dev);
}

/* VITRO_EXIT_INTR is the kernel's own business. */
static int run(struct vitro_vcpu *vcpu)
{
	int ret;

	do {
		ret = vitro_vcpu_run(vcpu);
	} while (!ret && vitro_vcpu_comm(vcpu)->exit.reason == VITRO_EXIT_INTR);
	return ret;
}

/* A code segment of 32 and of 64 bits at once. */
static bool is_refused(struct vitro_vcpu *vcpu)
{
	struct vitro_comm *comm = vitro_vcpu_comm(vcpu);

	if (vitro_vcpu_get(vcpu, VITRO_STATE_SEGS) < 0)
		return false;
	comm->state.segs.seg[VITRO_CS].attrib |= VITRO_SEG_L | VITRO_SEG_DB;
	vitro_vcpu_put(vcpu, VITRO_STATE_SEGS);
	return !run(vcpu) && comm->exit.reason == VITRO_EXIT_FAIL_ENTRY;
}

/* Runs "vitro why ARGS", and keeps what it prints. */
static int run_why(const char *args, char *out, size_t size)
{
	char command[200];
	FILE *pipe;
	size_t n;

	snprintf(command, sizeof(command), "vitro why %s " SAVED " 2>&1", args);
	pipe = popen(command, "r");
	if (!pipe)
		return -1;
	n = fread(out, 1, size - 1, pipe);
	out[n] = 0;
	return WEXITSTATUS(pclose(pipe));
}

static bool save(const struct vitro_entry *entry)
{
	FILE *file = fopen(SAVED, "w");

	if (!file)
		return false;
	vitro_entry_write(entry, file);
	return !fclose(file);
}

TEST_F(refused, rule)
{
	struct vitro_violation v[4];
	size_t nr, i;

	ASSERT_TRUE(is_refused(self->vcpu));
	self->entry = vitro_vcpu_entry(self->vcpu);
	ASSERT_NE(NULL, self->entry) TH_LOG("%s", vitro_error());
	nr = vitro_why(self->entry, v, ARRAY_SIZE(v));
	for (i = 1; i < nr && i < ARRAY_SIZE(v); i++)
		TH_LOG("also: %s", v[i].rule);
	ASSERT_EQ(1, nr) TH_LOG("and it has no other fault");
	EXPECT_EQ(0, strncmp(v[0].rule, L_AND_D, strlen(L_AND_D))) TH_LOG("%s", v[0].rule);
}

/* What was refused for one reason is entered without it: else the explainer sees ghosts. */
TEST_F(refused, entered_when_repaired)
{
	struct vitro_comm *comm = vitro_vcpu_comm(self->vcpu);

	ASSERT_TRUE(is_refused(self->vcpu));
	comm->state.segs.seg[VITRO_CS].attrib &= ~VITRO_SEG_DB;
	vitro_vcpu_put(self->vcpu, VITRO_STATE_SEGS);
	ASSERT_EQ(0, run(self->vcpu));
	EXPECT_NE(VITRO_EXIT_FAIL_ENTRY, comm->exit.reason);
	self->entry = vitro_vcpu_entry(self->vcpu);
	ASSERT_NE(NULL, self->entry);
	EXPECT_EQ(0, vitro_why(self->entry, NULL, 0));
}

/* Without CAP_SYS_ADMIN the host's state is withheld; what is left is enough here. */
TEST_F(refused, ordinary_user)
{
	struct vitro_violation v[2];

	ASSERT_TRUE(is_refused(self->vcpu));
	ASSERT_EQ(0, setuid(65534));
	self->entry = vitro_vcpu_entry(self->vcpu);
	ASSERT_NE(NULL, self->entry) TH_LOG("%s", vitro_error());
	ASSERT_EQ(1, vitro_why(self->entry, v, ARRAY_SIZE(v)));
	EXPECT_EQ(0, strncmp(v[0].rule, L_AND_D, strlen(L_AND_D)));
}

TEST_F(refused, command)
{
	const bool svm = vitro_get_info(self->dev)->vendor == VITRO_VENDOR_SVM;
	char out[4096], args[100];
	struct vitro_violation v;

	ASSERT_TRUE(is_refused(self->vcpu));
	self->entry = vitro_vcpu_entry(self->vcpu);
	ASSERT_NE(NULL, self->entry);
	ASSERT_TRUE(save(self->entry));
	EXPECT_EQ(END_ENTRY, run_why("", out, sizeof(out)));
	EXPECT_NE(NULL, strstr(out, L_AND_D)) TH_LOG("%s", out);
	EXPECT_NE(NULL, strstr(out, svm ? "APM 2 15.5.1" : "SDM 3C 27.3.1.2")) TH_LOG("%s", out);
	EXPECT_EQ(END_ENTRY, run_why("--json", out, sizeof(out)));
	EXPECT_NE(NULL, strstr(out, "\"enters\": false")) TH_LOG("%s", out);

	vitro_why(self->entry, &v, 1);
	snprintf(args, sizeof(args), "--what-if %s=0x%llx",
		 vitro_field_name(vitro_entry_vendor(self->entry), v.field[0].id),
		 (unsigned long long)v.field[0].nearest);
	EXPECT_EQ(0, run_why(args, out, sizeof(out))) TH_LOG("%s: %s", args, out);
}

TEST_HARNESS_MAIN
