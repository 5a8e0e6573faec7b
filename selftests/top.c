// SPDX-License-Identifier: GPL-2.0-or-later
/* vitro top, on a terminal and without, while machines run. */
#include "kselftest_harness.h"
#include "commands.h"
#include "terminal.h"

/* 16-bit code: STI, then HLT for ever; nothing wakes it up. */
#define ASLEEP	"\xfb\xf4\xeb\xfc"

#define NR_MACHINES	3

/* Waits until a text is on the screen; when it does not come, shows what is there. */
static bool see(struct terminal *t, const char *text)
{
	if (terminal_wait(t, text, true))
		return true;
	printf("# no '%s' in:\n", text);
	terminal_print(t);
	return false;
}

/* Waits until there is a mark at the beginning of a line. */
static bool marked(struct terminal *t, int line)
{
	time_t end = time(NULL) + PATIENCE;

	while (t->screen[line][0] != '>') {
		if (!terminal_read(t, 100) || time(NULL) >= end) {
			terminal_print(t);
			return false;
		}
	}
	return true;
}

/* The number in a column of a line, which ends at a position; -1 if there is none. */
static double number_at(const char *line, int end)
{
	int start = end;
	double value;

	while (start > 0 && line[start - 1] != ' ')
		start--;
	return sscanf(line + start, "%lf", &value) == 1 ? value : -1;
}

static pid_t run_asleep(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		execlp("vitro", "vitro", "trace", "run", "/tmp/asleep.trc", "--quiet",
		       "--name", "asleep", "--mode", "16", "/tmp/asleep.bin", NULL);
		_exit(127);
	}
	return pid;
}

static pid_t run(const char *name, const char *file)
{
	pid_t pid = fork();

	if (pid == 0) {
		if (!freopen("/dev/null", "w", stderr))
			_exit(127);
		execlp("vitro", "vitro", "run", "--name", name, "--mode", "16", file, NULL);
		_exit(127);
	}
	return pid;
}

FIXTURE(top) {
	struct terminal t;
	pid_t pid[NR_MACHINES];
};

static bool they_run(unsigned int nr)
{
	int i;

	for (i = 0; i < 10 * PATIENCE; i++) {
		if (!sh("vitro ps --vcpus") && count("vcpu 0") == nr)
			return true;
		usleep(100000);
	}
	return false;
}

/*
 * The one that sleeps is the first, and recorded: so the module's static key is on before the
 * others start.  With two CPUs in bursts, to turn it may hang the test machine: see "An INT3 that
 * stays" in Documentation/machines.rst.
 */
FIXTURE_SETUP(top)
{
	write_file("/tmp/forever.bin", FOR_EVER, sizeof(FOR_EVER) - 1);
	write_file("/tmp/asleep.bin", ASLEEP, sizeof(ASLEEP) - 1);
	self->pid[2] = run_asleep();
	ASSERT_TRUE(they_run(1)) TH_LOG("the machine does not run:\n%s", output);
	self->pid[0] = run("busy", "/tmp/forever.bin");
	self->pid[1] = run("other", "/tmp/forever.bin");
	ASSERT_TRUE(they_run(NR_MACHINES)) TH_LOG("the machines do not run:\n%s", output);
}

FIXTURE_TEARDOWN(top)
{
	int i;

	for (i = 0; i < NR_MACHINES; i++)
		kill(self->pid[i], SIGTERM);
	for (i = 0; i < NR_MACHINES; i++)
		waitpid(self->pid[i], NULL, 0);
}

static void start(struct terminal *t)
{
	terminal_start(t, 24, 80, "vitro top --interval 300ms");
}

TEST_F_TIMEOUT(top, screen, 4 * PATIENCE)
{
	struct terminal *t = &self->t;
	double shares = 0;
	int line, i;

	start(t);
	ASSERT_TRUE(see(t, "3 machines, 3 vCPUs"));
	ASSERT_TRUE(see(t, "EXITS/S GUEST BURST  KERN  USER  IDLE"));
	/* One of the busy machines is the first, thus the selected one. */
	ASSERT_TRUE(see(t, "cpuid "));
	ASSERT_TRUE(see(t, "REASON "));
	/* Asleep is asleep: it has not exited for long. */
	ASSERT_TRUE(see(t, " 100.0 ."));
	line = terminal_find(t, " asleep ");
	ASSERT_LE(4, line);
	EXPECT_EQ(100, number_at(t->screen[line], 67)) TH_LOG("%s", t->screen[line]);
	EXPECT_EQ(0, number_at(t->screen[line], 37));
	/* A busy one exits; its shares are all of its time. */
	line = terminal_find(t, " busy ");
	ASSERT_LE(2, line);
	EXPECT_LT(0, number_at(t->screen[line], 37)) TH_LOG("%s", t->screen[line]);
	for (i = 0; i < 5; i++)
		shares += number_at(t->screen[line], 43 + 6 * i);
	EXPECT_LT(99.7, shares) TH_LOG("%s", t->screen[line]);
	EXPECT_GT(100.3, shares) TH_LOG("%s", t->screen[line]);
	EXPECT_EQ(0, strncmp(t->screen[23], "q quit", 6));
	terminal_type(t, "q");
	EXPECT_EQ(0, terminal_end(t));
	ASSERT_EQ(0, sh("vitro ps --json"));
	EXPECT_EQ(NR_MACHINES, count("\"watched\": false"));
}

TEST_F_TIMEOUT(top, keys, 4 * PATIENCE)
{
	struct terminal *t = &self->t;

	start(t);
	ASSERT_TRUE(see(t, "every 0.3 s"));
	ASSERT_TRUE(see(t, " vcpu 0 "));
	terminal_type(t, "v");		/* all, then none */
	terminal_type(t, "v");
	ASSERT_TRUE(terminal_wait(t, " vcpu 0 ", false)) terminal_print(t);
	terminal_type(t, "p");
	ASSERT_TRUE(see(t, "PAUSED"));
	terminal_type(t, " +");
	ASSERT_TRUE(see(t, "every 0.6 s"));
	terminal_type(t, "h");
	ASSERT_TRUE(see(t, "select a machine"));
	terminal_type(t, "h");
	ASSERT_TRUE(see(t, "REASON "));
	terminal_type(t, "n");		/* by name: the one that sleeps comes first */
	while (terminal_find(t, " asleep ") != 2)
		ASSERT_TRUE(terminal_wait(t, "vitro top", true) && terminal_read(t, 1000));
	/* Arrows, as a vt100 sends them: no farther than to the first, which has no reasons. */
	terminal_type(t, "\033OA\033OA\033OA");
	ASSERT_TRUE(terminal_wait(t, "REASON ", false)) terminal_print(t);
	ASSERT_TRUE(marked(t, 2));
	terminal_type(t, "\033OB");
	ASSERT_TRUE(see(t, "REASON "));
	ASSERT_TRUE(marked(t, 3));
	terminal_type(t, "q");
	EXPECT_EQ(0, terminal_end(t));
}

TEST_F_TIMEOUT(top, sizes, 4 * PATIENCE)
{
	struct terminal *t = &self->t;

	start(t);
	ASSERT_TRUE(see(t, "REASON "));
	terminal_size(t, 10, 50);
	while (strncmp(t->screen[9], "q quit", 6) || terminal_find(t, "REASON ") < 0)
		ASSERT_TRUE(terminal_read(t, 1000)) terminal_print(t);
	terminal_size(t, 3, 20);
	ASSERT_TRUE(see(t, "too small"));
	terminal_size(t, 1, 1);
	terminal_size(t, 40, 132);
	while (strncmp(t->screen[39], "q quit", 6) || terminal_find(t, "REASON ") < 0)
		ASSERT_TRUE(terminal_read(t, 1000)) terminal_print(t);
	/* The bars are longer now. */
	ASSERT_TRUE(see(t, " 100.0 ........................................"));
	/* A signal ends it in order, too. */
	kill(t->pid, SIGTERM);
	EXPECT_EQ(0, terminal_end(t));
	ASSERT_EQ(0, sh("vitro ps --json"));
	EXPECT_EQ(NR_MACHINES, count("\"watched\": false"));
}

TEST_F_TIMEOUT(top, machines_come_and_go, 4 * PATIENCE)
{
	struct terminal *t = &self->t;

	start(t);
	ASSERT_TRUE(see(t, "3 machines, 3 vCPUs"));
	kill(self->pid[0], SIGTERM);
	ASSERT_TRUE(see(t, "2 machines, 2 vCPUs"));
	ASSERT_TRUE(terminal_wait(t, " busy ", false)) terminal_print(t);
	waitpid(self->pid[0], NULL, 0);
	self->pid[0] = run("busy", "/tmp/forever.bin");
	ASSERT_TRUE(see(t, "3 machines, 3 vCPUs"));
	ASSERT_TRUE(see(t, " busy "));
	/* The terminal goes away. */
	close(t->fd);
	EXPECT_EQ(t->pid, waitpid(t->pid, NULL, 0));
}

TEST_F_TIMEOUT(top, batch, 4 * PATIENCE)
{
	ASSERT_EQ(0, sh("vitro top --batch --count 2 --interval 300ms </dev/null"));
	EXPECT_EQ(2, count("vitro top ")) TH_LOG("%s", output);
	EXPECT_EQ(6, count("vcpu 0 "));
	EXPECT_LE(3, count("cpuid "));
	EXPECT_EQ(0, count("\033"));
	ASSERT_EQ(0, sh("vitro top --json --count 2 --interval 300ms"));
	EXPECT_EQ(2, count("\n"));
	EXPECT_EQ(2, count("\"name\":\"asleep\"")) TH_LOG("%s", output);
	EXPECT_EQ(64, sh("vitro top </dev/null 2>&1"));
	EXPECT_EQ(1, count("no terminal"));
	EXPECT_EQ(64, sh("vitro top --interval 0 2>&1"));
	EXPECT_EQ(64, sh("vitro top busy 2>&1"));
}

TEST_HARNESS_MAIN
