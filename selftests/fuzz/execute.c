// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Runs a program, in a process made for it: first the serial calls, one after the other;
 * then all threads make theirs at the same time.
 *
 * Nothing may stay in the kernel for long: after some milliseconds the main thread begins
 * to interrupt the others by signals, and goes on until they are done.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <unistd.h>
#include "../inject.h"
#include "../vendor.h"
#include "ops.h"

#define KICK_MS		10	/* between two signals */
#define STOP_MS		1000	/* then, no more calls are made */
#define NOBODY		65534	/* user and group of programs for an ordinary user */

static int fds[NR_FDS];
static volatile bool stop;
static volatile bool go;	/* the serial part is over */
static struct exec execs[NR_THREADS];
static pthread_t threads[NR_THREADS];
static volatile bool running[NR_THREADS];

/* A page that can be written, one that cannot, and one that is not there. */
static char *edge;

/* ----------------------------------------------------------------- touching memory */

static __thread sigjmp_buf *escape;

static void fault(int sig)
{
	if (escape)
		siglongjmp(*escape, 1);
	signal(sig, SIG_DFL);
}

static void kicked(int sig)
{
	(void)sig;
}

static void handle(int sig, void (*handler)(int))
{
	struct sigaction act = { .sa_handler = handler };	/* no SA_RESTART */

	sigaction(sig, &act, NULL);
}

/**
 * guarded() - access memory that may not be there, or go away meanwhile
 * @access: does it
 * @arg: its argument
 *
 * Return: false if it could not be done, or not to its end.
 */
bool guarded(void (*access)(void *), void *arg)
{
	sigjmp_buf here;

	if (sigsetjmp(here, 1)) {
		escape = NULL;
		return false;
	}
	escape = &here;
	access(arg);
	escape = NULL;
	return true;
}

/* ---------------------------------------------------------------------------- calls */

/* Writes an argument into the ioctl's struct; a long field is filled with copies. */
static void put_field(struct exec *x, char *buffer, const struct field *f, uint64_t value)
{
	unsigned int done;

	if (f->type == F_EVENTFD && value < NR_FDS)
		value = x->fds[value];
	for (done = 0; done < f->size; done += 8)
		memcpy(buffer + f->offset + done, &value, f->size - done < 8 ? f->size - done : 8);
	/* A name that fits in one word ends there. */
	if (f->size > 8 && value >> 56 == 0)
		memset(buffer + f->offset + 8, 0, f->size - 8);
}

/* The struct where and as long as the form says; *@cmd becomes what that takes. */
static void *place_struct(char *buffer, enum form form, unsigned long *cmd)
{
	unsigned int dir = _IOC_DIR(*cmd), size = _IOC_SIZE(*cmd), type = _IOC_TYPE(*cmd);
	char *at = buffer;

	switch (form) {
	case FORM_LONGER_NONZERO:
		buffer[size + 3] = 1;
		size += 16;
		break;
	case FORM_LONGER:
		size += 16;
		break;
	case FORM_SHORTER:
		size -= size < 4 ? 0 : 4;
		break;
	case FORM_NULL:
		at = NULL;
		break;
	case FORM_KERNEL:
		at = (char *)0xffff888000000000;
		break;
	case FORM_STRADDLE:
		at = edge + 8192 - size / 2;
		break;
	case FORM_READONLY:
		at = edge + 4096;
		break;
	case FORM_DIRECTION:
		dir ^= _IOC_READ;
		break;
	case FORM_OTHER_TYPE:
		type++;
		break;
	default:
		break;
	}
	*cmd = _IOC(dir, type, _IOC_NR(*cmd), size);
	return at;
}

/*
 * QEMU dies of a guest's breakpoints (Documentation/fuzzing.md).  So on TCG each vCPU has a
 * debugger from the beginning, to whom the CPU's debug registers are lent, and who has no
 * breakpoints in them: what the guest, or its state, has in DR7 then does nothing.
 */
static bool keep_debugger(struct vitro_debug *debug, enum form form)
{
	debug->flags |= VITRO_DEBUG_HW;
	debug->dr7 &= ~0xffULL;
	return form != FORM_READONLY;	/* which has all zeroes */
}

static void lend_debug_registers(int fd)
{
	const struct vitro_debug debug = { .flags = VITRO_DEBUG_HW };

	ioctl(fd, VITRO_SET_DEBUG, &debug);
}

static long call_ioctl(struct exec *x, const struct call_type *t, const uint64_t *arg)
{
	static __thread char buffer[1024];
	unsigned long cmd = t->cmd;
	unsigned int i;
	void *at;
	int ret;

	memset(buffer, 0, sizeof(buffer));
	for (i = 3; t->field[i].type != F_END; i++)
		put_field(x, buffer, &t->field[i], arg[i]);
	if (cmd == VITRO_SET_DEBUG && vendor_is_tcg() &&
	    !keep_debugger((void *)buffer, arg[2] % NR_FORMS))
		return 0;
	at = place_struct(buffer, arg[2] % NR_FORMS, &cmd);
	ret = ioctl(x->fds[arg[0] % NR_FDS], cmd, at);
	if (ret >= 0 && t->cmd == VITRO_CREATE_VCPU && vendor_is_tcg())
		lend_debug_registers(ret);
	if (ret >= 0 && t->makes)
		set_fd(x, arg[1], ret);
	return ret;
}

/**
 * set_fd() - put an fd into the table
 * @x: the thread
 * @to: place; what is there is closed
 * @fd: the fd, or -1
 *
 * Another thread may do the same at the same moment; then an fd stays open until the
 * process ends.
 */
void set_fd(struct exec *x, uint64_t to, int fd)
{
	int old = x->fds[to % NR_FDS];

	x->fds[to % NR_FDS] = fd;
	if (old >= 0)
		close(old);
}

static long make_call(struct exec *x, const struct call_type *t, const uint64_t *arg)
{
	return t->op ? t->op(x, arg) : call_ioctl(x, t, arg);
}

/* The same, while the kernel makes something fail, if it can: see inject.h. */
static long make_failing_call(struct exec *x, const struct call_type *t, const uint64_t *arg)
{
	struct inject in = { .nth = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC) };
	long ret;
	int err;

	if (in.nth < 0)
		return make_call(x, t, arg);
	inject_arm(&in, x->fail);
	ret = make_call(x, t, arg);
	err = errno;
	inject_disarm(&in);
	close(in.nth);
	errno = err;
	return ret;
}

/**
 * execute_call() - make a call of a program
 * @x: the thread
 * @i: which call
 */
void execute_call(struct exec *x, unsigned int i)
{
	const struct call *c = &x->program->call[i];
	const struct call_type *t = &call_types[c->type];
	long ret;

	x->next = i + 1;
	errno = 0;
	if (x->fail && (t->cmd || t->op == op_enter || t->op == op_map)) {
		ret = make_failing_call(x, t, c->arg);
		x->fail = 0;
	} else {
		ret = make_call(x, t, c->arg);
	}
	if (ret < 0 && !t->op)
		ret = -errno;
	kcov_collect(x->thread, x->shared);
	x->shared->results[i] = ret;
	__atomic_add_fetch(&x->shared->calls, 1, __ATOMIC_RELAXED);
}

/* -------------------------------------------------------------------------- threads */

static void *thread_main(void *arg)
{
	struct exec *x = arg;
	unsigned int i;

	kcov_start(x->thread);
	if (x->thread == 0)
		for (i = 0; i < x->program->serial && !stop; i++)
			execute_call(x, i);
	go = true;
	for (i = x->program->serial; i < x->program->nr && !stop; i++)
		if (x->program->call[i].thread == x->thread)
			execute_call(x, i);
	running[x->thread] = false;
	/* The thread stays, so that others may send it signals. */
	for (;;)
		pause();
	return NULL;
}

static bool any_running(void)
{
	unsigned int i;

	for (i = 0; i < NR_THREADS; i++)
		if (running[i])
			return true;
	return false;
}

/**
 * interrupt_thread() - send a thread of the program a signal
 * @thread: its number
 */
void interrupt_thread(unsigned int thread)
{
	if (running[thread % NR_THREADS])
		pthread_kill(threads[thread % NR_THREADS], SIGUSR1);
}

static void interrupt_all(void)
{
	unsigned int i;

	for (i = 0; i < NR_THREADS; i++)
		interrupt_thread(i);
}

/**
 * run_alone() - what a forked child does: some of the calls, on what it has inherited
 * @x: the thread that forked
 * @nr: so many
 *
 * It has no other thread to interrupt it, and gets its signals from a timer.
 */
void run_alone(struct exec *x, unsigned int nr)
{
	const struct itimerval often = { { 0, KICK_MS * 1000 }, { 0, KICK_MS * 1000 } };
	unsigned int i;

	handle(SIGALRM, kicked);
	setitimer(ITIMER_REAL, &often, NULL);
	kcov_forget();
	memset((void *)running, 0, sizeof(running));
	for (i = x->next; nr-- && i < x->program->nr; i++)
		execute_call(x, i);
}

/* If memory runs out, it is programs that have it. */
static void be_the_first_to_go(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY);

	if (fd >= 0) {
		if (write(fd, "1000", 4) < 0)
			perror("# oom_score_adj");
		close(fd);
	}
}

static void set_up(const struct program *p, int dev)
{
	const int fixed = MAP_ANONYMOUS | MAP_FIXED;
	unsigned int i;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	be_the_first_to_go();
	handle(SIGSEGV, fault);
	handle(SIGBUS, fault);
	handle(SIGUSR1, kicked);
	handle(SIGPIPE, SIG_IGN);
	if (mmap((void *)ARENA, ARENA_SIZE, PROT_READ | PROT_WRITE, fixed | MAP_PRIVATE, -1, 0) ==
	    MAP_FAILED)
		vt_die("no memory for a program");
	memcpy((char *)ARENA + GUEST_BASE, guest_image, guest_image_end - guest_image);
	edge = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);
	mprotect(edge + 4096, 4096, PROT_READ);
	munmap(edge + 8192, 4096);
	for (i = 0; i < NR_FDS; i++)
		fds[i] = -1;
	fds[FD_DEV] = dev;
	fds[FD_EVENT] = eventfd(0, EFD_NONBLOCK);
	fds[FD_EVENT2] = eventfd(0, EFD_NONBLOCK);
	fds[FD_NULL] = open("/dev/null", O_RDWR);
	if (p->user && (setgid(NOBODY) || setuid(NOBODY)))
		vt_die("cannot become an ordinary user");
	/* Or an ordinary user could not write to files of its own under /proc. */
	prctl(PR_SET_DUMPABLE, 1);
}

static void start_thread(const struct program *p, struct shared *shared, unsigned int thread)
{
	execs[thread] = (struct exec){
		.shared = shared, .program = p, .fds = fds, .thread = thread, .stop = &stop,
	};
	running[thread] = true;
	if (pthread_create(&threads[thread], NULL, thread_main, &execs[thread]))
		vt_die("no thread for a program");
}

/**
 * execute() - run a program, and end
 * @p: the program
 * @shared: with the judge
 * @dev: /dev/vitro
 */
void execute(const struct program *p, struct shared *shared, int dev)
{
	unsigned int wanted = p->serial < p->nr ? NR_THREADS : 1, started = 1, ms;

	set_up(p, dev);
	start_thread(p, shared, 0);
	for (ms = 0; any_running() || started < wanted; ms++) {
		usleep(1000);
		while (go && started < wanted)
			start_thread(p, shared, started++);
		stop = ms >= STOP_MS;
		if (ms % KICK_MS == KICK_MS - 1)
			interrupt_all();
	}
	_exit(0);
}
