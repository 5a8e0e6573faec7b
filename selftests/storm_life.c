// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Storms over the life of machines: descriptors closed and processes killed at any moment,
 * the module removed and inserted.  After each, no file holds the module any more.  (Memory
 * that stays behind is for kmemleak to find, in a debug kernel: see log.c.)
 */
#define _GNU_SOURCE
#include "kselftest_harness.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include "module.h"
#include "storm.h"

#define FEW		8
#define REFCNT		"/sys/module/vitro/refcnt"

static struct crew crew;

static bool unused(void *arg)
{
	(void)arg;
	return storm_read(REFCNT) == 0;
}

static void nobody_holds_the_module(void)
{
	storm_await(unused, NULL, "the last user of the module to be gone");
}

/* Between nothing and @limit microseconds. */
static void pause_below(unsigned int limit)
{
	struct timespec t = { .tv_nsec = 0 };
	uint64_t ns = (uint64_t)(limit ? storm_random() % limit : 0) * 1000;

	t.tv_sec = ns / 1000000000;
	t.tv_nsec = ns % 1000000000;
	nanosleep(&t, NULL);
}

/* ------------------------------------------------------- closed under the runners */

static void *run_until_closed(void *arg)
{
	struct worker *w = arg;

	while (!w->stop)
		if (vt_ioctl(w->cpu->fd, VITRO_RUN, NULL) == -EBADF)
			break;
	return NULL;
}

/* All that a process has of its machine, each in its turn, while the vCPUs run. */
static void close_in_any_order(void)
{
	int fd[2 + WORKERS_MAX] = { crew.vm->dev, crew.vm->fd };
	int nr = 2 + crew.nr, i;

	for (i = 0; i < crew.nr; i++)
		fd[2 + i] = crew.worker[i].cpu->fd;
	while (nr) {
		i = storm_random() % nr;
		close(fd[i]);
		fd[i] = fd[--nr];
		pause_below(200);
	}
}

TEST(closed_while_running)
{
	int i;

	while (storm_goes_on(8)) {
		crew_form(&crew, FEW, true, false);
		for (i = 0; i < crew.nr; i++)
			ASSERT_EQ(0, pthread_create(&crew.worker[i].thread, NULL, run_until_closed,
						    &crew.worker[i]));
		pause_below(2000);
		close_in_any_order();
		/* The memory goes, too, under guests that may still run. */
		crew_unmap(&crew);
		for (i = 0; i < crew.nr; i++) {
			struct worker *w = &crew.worker[i];

			w->stop = true;
			w->cpu->comm->immediate_exit = 1;
			pthread_kill(w->thread, SIGUSR1);
		}
		for (i = 0; i < crew.nr; i++)
			pthread_join(crew.worker[i].thread, NULL);
		crew_forget(&crew);
		nobody_holds_the_module();
	}
	storm_report("machines closed while they ran");
}

/* ------------------------------------------------------------------------ killed */

/* How far the victim has come, in memory that is shared with it. */
enum step { NOTHING, OPENING, CREATING, STARTING, RUNNING, NR_STEPS };

static const char *const steps[NR_STEPS] = {
	"had done nothing yet", "opened the device", "created VM, slots and vCPUs",
	"started the guests", "ran guests, and changed all that can be changed",
};

static volatile enum step *step;

/* Opens, creates, runs, and changes what can be changed, until it is killed. */
static void live(void)
{
	struct vt_cpu *cpu;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	*step = OPENING;
	close(vt_open());
	*step = CREATING;
	crew_form(&crew, FEW, true, false);
	*step = STARTING;
	crew_start(&crew);
	crew_await(&crew, 0);
	*step = RUNNING;
	for (;;) {
		vt_slot(crew.vm, 1, 0, 0, NULL, 0);
		vt_slot(crew.vm, 1, AREA_GPA, crew.size, crew.area,
			storm_random() & 1 ? VITRO_SLOT_LOG_DIRTY : 0);
		madvise(crew.area, crew.size, MADV_DONTNEED);
		vt_msi(crew.vm, VT_MSI, 0x40);
		/* One more vCPU, and away with it: its mapping holds it as well. */
		cpu = vt_cpu(crew.vm, 2 + storm_random() % 8);
		munmap(cpu->comm, crew.vm->info.comm_size);
		close(cpu->fd);
		free(cpu);
	}
}

static pid_t give_birth(void)
{
	pid_t child;

	*step = NOTHING;
	child = fork();
	if (!child) {
		live();
		_exit(1);
	}
	return child;
}

static bool lives(void *unused_)
{
	(void)unused_;
	return *step == RUNNING;
}

static void put_to_death(pid_t child)
{
	int status;

	kill(child, SIGKILL);
	if (waitpid(child, &status, 0) != child || !WIFSIGNALED(status) ||
	    WTERMSIG(status) != SIGKILL)
		vt_die("cycle %u: status %#x instead of death by SIGKILL", storm_cycles(), status);
}

TEST(killed_at_any_moment)
{
	unsigned int hit[NR_STEPS] = {};
	uint64_t begin, life;
	pid_t child;
	size_t i;

	step = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	/* How long they take to come to running, here and today. */
	begin = vt_now_ns();
	child = give_birth();
	storm_await(lives, NULL, "a guest to run");
	life = (vt_now_ns() - begin) / 1000;
	put_to_death(child);

	while (storm_goes_on(20)) {
		child = give_birth();
		pause_below(life + life / 2);
		put_to_death(child);
		hit[*step]++;
		nobody_holds_the_module();
	}
	storm_report("processes killed");
	for (i = 0; i < NR_STEPS; i++)
		fprintf(stderr, "# figure: killed when it %s: %u\n", steps[i], hit[i]);
}

/* -------------------------------------------------------------------- the module */

/* devtmpfs makes the node in a thread of its own. */
static bool node_there(void *arg)
{
	(void)arg;
	return access("/dev/vitro", R_OK | W_OK) == 0;
}

static void run_a_guest(void)
{
	int i;

	crew_form(&crew, FEW, false, false);
	crew_start(&crew);
	crew_await(&crew, 0);
	crew_stop(&crew);
	crew_compare(&crew);
	for (i = 0; i < crew.nr; i++)
		close(crew.worker[i].cpu->fd);
	close(crew.vm->fd);
	close(crew.vm->dev);
	crew_unmap(&crew);
	crew_forget(&crew);
}

TEST(unloaded_and_loaded)
{
	while (storm_goes_on(3)) {
		run_a_guest();
		ASSERT_EQ(-EEXIST, load());
		ASSERT_EQ(0, unload());
		ASSERT_EQ(0, load());
		storm_await(node_there, NULL, "/dev/vitro");
	}
	storm_report("times unloaded and loaded");
}

/* Who has it open, or had it a moment ago, while another removes the module. */
static volatile unsigned long held, refusals;
static volatile bool over;

static void *open_and_close(void *arg)
{
	struct vitro_info info = {};
	int fd;

	(void)arg;
	while (!over) {
		fd = open("/dev/vitro", O_RDWR | O_CLOEXEC);
		if (fd < 0) {
			sched_yield();
			continue;
		}
		held++;		/* odd: from here on it must not go */
		if (vt_ioctl(fd, VITRO_GET_INFO, &info))
			vt_die("an open device does not work");
		sched_yield();
		held++;
		close(fd);
	}
	return NULL;
}

TEST(unloaded_while_opened)
{
	unsigned int removed = 0;
	pthread_t thread;
	int ret;

	ASSERT_EQ(0, pthread_create(&thread, NULL, open_and_close, NULL));
	while (storm_goes_on(20)) {
		unsigned long before = held;

		ret = unload();
		if (ret == -EWOULDBLOCK) {
			refusals++;
			pause_below(500);
			continue;
		}
		ASSERT_EQ(0, ret);
		if ((before & 1) && held == before)
			vt_die("the module went while the device was open");
		removed++;
		ASSERT_EQ(0, load());
	}
	over = true;
	pthread_join(thread, NULL);
	storm_await(node_there, NULL, "/dev/vitro");
	run_a_guest();
	storm_report("tries to unload while others open");
	fprintf(stderr, "# figure: removed %u times, refused %lu times\n", removed, refusals);
}

int main(int argc, char **argv)
{
	return storm_main(argc, argv);
}
