// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Storms over the CPUs that run guests: they go offline and come back, the guests' threads
 * are moved about, NMIs hit them, the machine goes to sleep.  The guests' memory and
 * registers are as they were, and they go on.
 *
 * "The CPUs" are those that this program may use: machine amd keeps one for itself.
 */
#define _GNU_SOURCE
#include "kselftest_harness.h"
#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include "storm.h"
#include "storm/storm.h"

#define FEW	8

static struct crew crew;
static int cpu[CPU_SETSIZE], nr_cpus;

static void find_cpus(void)
{
	cpu_set_t set;
	int i;

	sched_getaffinity(0, sizeof(set), &set);
	for (i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &set))
			cpu[nr_cpus++] = i;
}

static void pin(pid_t thread, int to)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(to, &set);
	/* EINVAL: it is offline. */
	if (sched_setaffinity(thread, sizeof(set), &set) && errno != EINVAL)
		vt_die("sched_setaffinity to CPU %d: %s", to, strerror(errno));
}

static void start(void)
{
	find_cpus();
	crew_form(&crew, FEW, false, false);
	crew_start(&crew);
	crew_await(&crew, 1);
}

static void finish(const char *what)
{
	crew_stop(&crew);
	crew_compare(&crew);
	storm_report(what);
}

/* --------------------------------------------------------------------- hotplug */

static bool set_online(int n, bool online)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/online", n);
	return storm_write(path, online ? "1" : "0");
}

TEST(hotplug)
{
	int i = 0;

	find_cpus();
	if (nr_cpus < 2)
		SKIP(return, "the guests need another CPU to go to");
	nr_cpus = 0;
	start();
	while (storm_goes_on(6)) {
		/* The first CPU of a machine cannot go. */
		i = (i + 1) % nr_cpus;
		if (cpu[i] == 0)
			i = (i + 1) % nr_cpus;
		if (!set_online(cpu[i], false))
			vt_die("CPU %d does not go offline: %s", cpu[i], strerror(errno));
		crew_await(&crew, 0);
		if (!set_online(cpu[i], true))
			vt_die("CPU %d does not come back: %s", cpu[i], strerror(errno));
		crew_await(&crew, 0);
		crew_compare(&crew);
	}
	finish("times a CPU offline and online");
}

/* Interrupts for vCPUs whose CPU goes away: each kick looks where the vCPU is. */
static volatile bool over;

static void *kick_all(void *arg)
{
	int i;

	(void)arg;
	while (!over)
		for (i = 0; i < crew.nr; i++)
			/* Fixed, to APIC i: held back by RFLAGS.IF, but kicked all the same. */
			vt_msi(crew.vm, VT_MSI | i << 12, 0x40);
	return NULL;
}

TEST(kicked_during_hotplug)
{
	pthread_t thread;
	int away;

	find_cpus();
	if (nr_cpus < 2)
		SKIP(return, "the guests need another CPU to go to");
	away = cpu[nr_cpus - 1];
	nr_cpus = 0;
	start();
	ASSERT_EQ(0, pthread_create(&thread, NULL, kick_all, NULL));
	while (storm_goes_on(3)) {
		if (!set_online(away, false) || !set_online(away, true))
			vt_die("CPU %d does not go and come back: %s", away, strerror(errno));
		crew_await(&crew, 0);
	}
	over = true;
	pthread_join(thread, NULL);
	finish("times likewise, with interrupts for all vCPUs");
}

/* -------------------------------------------------------------------- migration */

/* By the thread itself, every few exits.  Signals make the exits. */
static void change_cpu(struct worker *w)
{
	if (w->exits % 3 == 0)
		pin(0, cpu[w->exits / 3 % nr_cpus]);
}

TEST(migrated_every_few_exits)
{
	int i;

	find_cpus();
	crew_form(&crew, FEW, false, false);
	for (i = 0; i < crew.nr; i++)
		crew.worker[i].between = change_cpu;
	crew_start(&crew);
	crew_await(&crew, 0);
	while (storm_goes_on(60)) {
		for (i = 0; i < crew.nr; i++)
			pthread_kill(crew.worker[i].thread, SIGUSR1);
		if (storm_cycles() % 8 == 0) {
			crew_await(&crew, 0);
			crew_compare(&crew);
		}
	}
	finish("migrations every third exit");
}

static volatile pid_t tid[WORKERS_MAX];

static void note_tid(struct worker *w)
{
	tid[w - crew.worker] = syscall(SYS_gettid);
}

/* By another thread, in the middle of a burst: the guest never asks for it. */
TEST(migrated_in_a_burst)
{
	int i;

	find_cpus();
	crew_form(&crew, FEW, false, false);
	for (i = 0; i < crew.nr; i++)
		crew.worker[i].between = note_tid;
	crew_start(&crew);
	crew_await(&crew, 0);
	for (i = 0; i < crew.nr; i++)
		while (!tid[i]) {
			pthread_kill(crew.worker[i].thread, SIGUSR1);
			vt_sleep_ms(1);
		}
	while (storm_goes_on(30)) {
		i = storm_cycles() % crew.nr;
		pin(tid[i], cpu[storm_random() % nr_cpus]);
		if (storm_cycles() % 4 == 0) {
			crew_await(&crew, 0);
			crew_compare(&crew);
		}
	}
	finish("migrations in a burst");
}

/* -------------------------------------------------------------------------- NMIs */

static int storm_device(void)
{
	if (access("/dev/storm", F_OK) && system("insmod /storm.ko 2>/dev/null"))
		return -1;
	return open("/dev/storm", O_RDWR | O_CLOEXEC);
}

/* One thread sends them from the last CPU; the guests are on the others. */
TEST(nmis)
{
	struct storm_nmis n = { .nr = 20 };
	unsigned long sum = 0;
	int fd = storm_device(), i, ret;

	if (fd < 0)
		SKIP(return, "no storm.ko");
	find_cpus();
	if (nr_cpus < 2)
		SKIP(return, "it takes another CPU to send NMIs");
	crew_form(&crew, FEW, false, false);
	for (i = 0; i < crew.nr; i++)
		crew.worker[i].between = note_tid;
	crew_start(&crew);
	crew_await(&crew, 0);
	while (storm_goes_on(20)) {
		i = storm_cycles() % nr_cpus;
		/* The sender goes where it does not send to; the guests stay everywhere. */
		pin(0, cpu[(i + 1) % nr_cpus]);
		n.cpu = cpu[i];
		ret = vt_ioctl(fd, STORM_NMIS, &n);
		sum += n.arrived;
		if (ret && ret != -EAGAIN)
			vt_die("cycle %u: NMI %u to CPU %u: %s", storm_cycles(), n.arrived, n.cpu,
			       strerror(-ret));
		crew_await(&crew, 0);
	}
	finish("volleys of NMIs");
	fprintf(stderr, "# figure: %lu NMIs, each of which arrived\n", sum);
}

/* ------------------------------------------------------------------------- sleep */

#define DELAY	"/sys/module/suspend/parameters/pm_test_delay"

/*
 * By a process of its own: when the CPUs that it may use go offline, Linux lets it use
 * any, for ever.  All others are frozen at that moment.
 */
static bool sleeps_as(const char *level, const char *state)
{
	int status;
	pid_t child = fork();

	if (!child) {
		if (!storm_write("/sys/power/pm_test", level))
			_exit(EINVAL);
		_exit(storm_write("/sys/power/state", state) ? 0 : errno);
	}
	if (waitpid(child, &status, 0) != child || !WIFEXITED(status))
		vt_die("who puts the machine to sleep has died");
	/* EBUSY: something has kept it awake; that may go better next time. */
	if (WEXITSTATUS(status) && WEXITSTATUS(status) != EBUSY)
		vt_die("cycle %u: the machine does not sleep: pm_test %s, state %s: %s",
		       storm_cycles(), level, state, strerror(WEXITSTATUS(status)));
	return !status;
}

/* pm_test: up to this point, and back: freezing, suspending devices, taking CPUs offline. */
TEST(suspend_as_far_as_it_goes)
{
	static const char *const levels[][2] = {
		{ "freezer", "freeze" }, { "platform", "freeze" }, { "core", "mem" },
	};
	int i, tries;

	if (access("/sys/power/pm_test", W_OK))
		SKIP(return, "this kernel has no CONFIG_PM_DEBUG");
	storm_write(DELAY, "0");
	start();
	while (storm_goes_on(3)) {
		i = storm_cycles() % ARRAY_SIZE(levels);
		for (tries = 0; !sleeps_as(levels[i][0], levels[i][1]); tries++)
			ASSERT_LT(tries, 10);
		crew_await(&crew, 0);
		crew_compare(&crew);
	}
	finish("suspends with pm_test");
	storm_write("/sys/power/pm_test", "none");
}

/* Do timers go on while the CPUs idle?  With a driver for that, Linux stops them in this sleep. */
static bool timers_go_on(void)
{
	char driver[16] = "none";
	FILE *f = fopen("/sys/devices/system/cpu/cpuidle/current_driver", "r");

	if (f) {
		if (!fgets(driver, sizeof(driver), f))
			driver[0] = 0;
		fclose(f);
	}
	return !strncmp(driver, "none", 4);
}

TEST(suspend_to_idle)
{
	int fd = storm_device(), ms;

	if (fd < 0)
		SKIP(return, "no storm.ko");
	if (access("/sys/power/state", W_OK))
		SKIP(return, "this kernel does not suspend");
	if (!timers_go_on())
		SKIP(return, "storm.ko could not wake this machine");
	start();
	while (storm_goes_on(2)) {
		/* If it was woken too early, it takes longer than that to fall asleep. */
		for (ms = 1000; ms < 100000; ms *= 2) {
			ASSERT_EQ(0, vt_ioctl(fd, STORM_WAKE, (void *)(long)ms));
			if (sleeps_as("none", "freeze"))
				break;
		}
		ASSERT_EQ(0, vt_ioctl(fd, STORM_WAKE, NULL));
		ASSERT_LT(ms, 100000);
		crew_await(&crew, 0);
		crew_compare(&crew);
	}
	finish("suspends to idle");
}

int main(int argc, char **argv)
{
	return storm_main(argc, argv);
}
