// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vitro run as its users see it: the exit status says how the guest ended, and the
 * console carries characters both ways (Documentation/vitro-run.rst).
 *
 * Guests are 16-bit snippets of a few instructions, and, for what only a kernel
 * can show, the Linux kernel that the machine has for guests.
 */
#include "kselftest_harness.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "../userspace/vitro/exitcode.h"
#include "vt.h"	/* how long a case may take */

#define SNIPPET		"/tmp/launcher-snippet.bin"
#define ENTRY		"/tmp/launcher-refused.entry"
#define KERNEL		"/boot/vmlinuz"
#define INITRD		"/boot/guest-initrd.img"
#define MAX_ARGS	16

/* Instructions, as bytes in strings. */
#define OUT_E9(c)	"\xb0" c "\xe6\xe9"			/* mov al, c; out 0xe9, al */
#define MOV_DX(port)	"\xba" port				/* mov dx, port */
#define OUT_DX(port, v)	MOV_DX(port) "\xb0" v "\xee"		/* mov al, v; out dx, al */
#define OUT_DX16(port, v) MOV_DX(port) "\xb8" v "\xef"		/* mov ax, v; out dx, ax */
#define HLT		"\xf4"
#define LOOP_FOREVER	"\xeb\xfe"				/* jmp $ */
#define RESET		"\xb0\xfe\xe6\x64"			/* mov al, 0xfe; out 0x64, al */

/**
 * struct launched - a "vitro run" and its ends of the pipes
 * @pid: of the process
 * @in: its standard input, to be written
 * @out: its standard output
 * @err: its standard error
 */
struct launched {
	pid_t pid;
	int in, out, err;
};

static void write_snippet(const char *code, size_t len)
{
	int fd = open(SNIPPET, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, code, len) != (ssize_t)len)
		ksft_exit_fail_msg("cannot write %s: %s\n", SNIPPET, strerror(errno));
	close(fd);
}

static void in_child(const char * const *args, int in, int out, int err)
{
	char *argv[MAX_ARGS + 3] = { "vitro", "run" };
	int i;

	for (i = 0; i < MAX_ARGS && args[i]; i++)
		argv[2 + i] = (char *)args[i];
	dup2(in, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	execvp(argv[0], argv);
	_exit(127);
}

static struct launched launch(const char * const *args)
{
	struct launched l;
	int in[2], out[2], err[2];

	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
		ksft_exit_fail_msg("pipe: %s\n", strerror(errno));
	l.pid = fork();
	if (l.pid == 0)
		in_child(args, in[0], out[1], err[1]);
	close(in[0]);
	close(out[1]);
	close(err[1]);
	l.in = in[1];
	l.out = out[0];
	l.err = err[0];
	return l;
}

/* All that comes until the end, as a string. */
static void read_all(int fd, char *buf, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while (len < size - 1) {
		n = read(fd, buf + len, size - 1 - len);
		if (n <= 0)
			break;
		len += n;
	}
	buf[len] = '\0';
	close(fd);
}

static int wait_status(struct launched *l)
{
	int status;

	if (l->in >= 0)
		close(l->in);
	waitpid(l->pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/* What the last run printed. */
static char output[65536], message[4096];

static int run(const char * const *args)
{
	struct launched l = launch(args);

	close(l.in);
	l.in = -1;
	read_all(l.out, output, sizeof(output));
	read_all(l.err, message, sizeof(message));
	return wait_status(&l);
}

#define RUN(...)	run((const char * const[]){ __VA_ARGS__, NULL })

static int run_snippet(const char *code, size_t len)
{
	write_snippet(code, len);
	return RUN("--deadline", "20s", SNIPPET);
}

#define RUN_SNIPPET(code)	run_snippet(code, sizeof(code) - 1)

FIXTURE(launcher)
{
};

FIXTURE_SETUP(launcher)
{
	if (system("vitro --version >/dev/null"))
		SKIP(return, "no command vitro on this machine");
}

FIXTURE_TEARDOWN(launcher)
{
	unlink(SNIPPET);
}

/* ------------------------------------------------------------- how it ends */

TEST_F(launcher, hlt_ends_a_snippet)
{
	EXPECT_EQ(END_POWEROFF, RUN_SNIPPET(HLT));
	EXPECT_TRUE(strstr(message, "halted")) TH_LOG("%s", message);
}

TEST_F(launcher, poweroff)
{
	/* PM1a control: SLP_TYP 5, SLP_EN */
	EXPECT_EQ(END_POWEROFF, RUN_SNIPPET(OUT_DX16("\x04\x06", "\x00\x34") LOOP_FOREVER));
	EXPECT_TRUE(strstr(message, "powered itself off")) TH_LOG("%s", message);
}

TEST_F(launcher, reset)
{
	EXPECT_EQ(END_RESET, RUN_SNIPPET(RESET LOOP_FOREVER));
	EXPECT_EQ(END_RESET, RUN_SNIPPET(OUT_DX("\xf9\x0c", "\x06") LOOP_FOREVER));
}

TEST_F(launcher, triple_fault)
{
	/* lidt [0x800], where zeros are: limit 0; then int3 */
	EXPECT_EQ(END_TRIPLE, RUN_SNIPPET("\x0f\x01\x1e\x00\x08\xcc"));
	EXPECT_TRUE(strstr(message, "int3")) TH_LOG("%s", message);
}

/*
 * A guest state that the CPU refuses, reached by the guest itself: QEMU lets a far
 * return load a code segment with both L and D set, and then VMRUN finds the state
 * inconsistent (APM 2 15.5.1).  A CPU faults in the far return.
 */
TEST_F(launcher, entry_failure)
{
	static const char code[] =
		"\x0f\x01\x15\x0f\x00\x00\x00"	/* lgdt [rip + 15] */
		"\x6a\x08"				/* push 8 */
		"\x48\x8d\x05\x03\x00\x00\x00\x50"	/* lea rax, [rip + 3]; push rax */
		"\x48\xcb\x0f\xa2" HLT		/* retfq; cpuid */
		"\x0f\x00\x20\x10\x00\x00\x00\x00\x00\x00"	/* limit 15, base 0x1020 */
		"\x00\x00\x00\x00\x00\x00\x00\x00"	/* null */
		"\xff\xff\x00\x00\x00\x9a\xef\x00";	/* code, L, D */
	int status;

	write_snippet(code, sizeof(code) - 1);
	status = RUN("--deadline", "20s", "--mode", "64", "--dump-entry", ENTRY, SNIPPET);
	if (status == END_TRIPLE)
		SKIP(return, "this CPU lets no guest get into a state that it refuses");
	EXPECT_EQ(END_ENTRY, status);
	EXPECT_TRUE(strstr(message, "refused")) TH_LOG("%s", message);
	EXPECT_TRUE(strstr(message, "15.5.1: 64-bit code (CS.L) has D = 0")) TH_LOG("%s", message);
	/* What it has saved is explained alike. */
	status = system("vitro why " ENTRY " >/tmp/why.txt");
	EXPECT_EQ(END_ENTRY, WEXITSTATUS(status));
	EXPECT_EQ(0, system("grep -q '15.5.1: 64-bit code (CS.L) has D = 0' /tmp/why.txt"));
}

TEST_F(launcher, deadline)
{
	write_snippet(LOOP_FOREVER, sizeof(LOOP_FOREVER) - 1);
	EXPECT_EQ(END_DEADLINE, RUN("--deadline", "300ms", SNIPPET));
}

TEST_F(launcher, panic_by_device)
{
	EXPECT_EQ(END_PANIC, RUN_SNIPPET(OUT_DX("\x05\x05", "\x01") LOOP_FOREVER));
}

TEST_F(launcher, panic_by_console)
{
	/* The text ends with a zero, and the code after it resets. */
	static const char code[] = "\xbe\x10\x10"	/* 1000 mov si, 0x1010 */
				   "\xac"		/* 1003 lodsb */
				   "\x84\xc0"		/* 1004 test al, al */
				   "\x74\x04"		/* 1006 jz 0x100c */
				   "\xe6\xe9"		/* 1008 out 0xe9, al */
				   "\xeb\xf7"		/* 100a jmp 0x1003 */
				   RESET		/* 100c */
				   "[    1.234567] Kernel panic - not syncing: a test\n";

	EXPECT_EQ(END_PANIC, run_snippet(code, sizeof(code)));
	EXPECT_TRUE(strstr(message, "guest panic; then the guest reset itself"))
		TH_LOG("%s", message);
	EXPECT_TRUE(strstr(output, "a test\n"));
}

TEST_F(launcher, bad_usage)
{
	EXPECT_EQ(END_USAGE, RUN("--no-such-option"));
	EXPECT_EQ(END_USAGE, RUN("--memory", "1X", SNIPPET));
	EXPECT_EQ(END_USAGE, RUN("--deadline", "0", SNIPPET));
	EXPECT_EQ(END_USAGE, RUN("--mode", "8", SNIPPET));
	EXPECT_EQ(END_USAGE, RUN("--cpus", "0", SNIPPET));
	EXPECT_EQ(END_USAGE, RUN("--quiet"));
	EXPECT_EQ(END_USAGE, RUN("/nowhere"));
	EXPECT_TRUE(strstr(message, "No such file")) TH_LOG("%s", message);
	write_snippet(HLT, 1);
	EXPECT_EQ(END_USAGE, RUN("--kernel", SNIPPET));		/* not a kernel */
	EXPECT_EQ(END_USAGE, RUN("--kernel", SNIPPET, SNIPPET));
}

TEST_F(launcher, unsupported)
{
	/* 32-bit: jmp to where no memory is: mov eax, 0xd0000000; jmp eax */
	write_snippet("\xb8\x00\x00\x00\xd0\xff\xe0", 7);
	EXPECT_EQ(END_UNSUPPORTED, RUN("--deadline", "20s", "--mode", "32", SNIPPET));
	EXPECT_TRUE(strstr(message, "d0000000")) TH_LOG("%s", message);
}

TEST_F(launcher, host_error)
{
	struct launched l;

	/* Nobody reads the guest's output: printing on and on, it finds that out. */
	write_snippet(OUT_E9("x") "\xeb\xfa", 6);
	l = launch((const char * const[]){ "--deadline", "20s", SNIPPET, NULL });
	close(l.out);
	read_all(l.err, message, sizeof(message));
	EXPECT_EQ(END_HOST, wait_status(&l));
	EXPECT_TRUE(strstr(message, "Broken pipe")) TH_LOG("%s", message);
}

TEST_F(launcher, signals_stop_it)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT };
	struct launched l;
	size_t i;
	char c;

	/* It prints, so that we know when it runs. */
	write_snippet(OUT_E9("!") LOOP_FOREVER, 6);
	for (i = 0; i < ARRAY_SIZE(signals); i++) {
		l = launch((const char * const[]){ "--deadline", "20s", SNIPPET, NULL });
		EXPECT_EQ(1, read(l.out, &c, 1));
		kill(l.pid, signals[i]);
		EXPECT_EQ(END_STOPPED, wait_status(&l)) TH_LOG("signal %d", signals[i]);
		close(l.out);
		close(l.err);
	}
}

/* A reader that does not read must not keep the deadline from being met. */
TEST_F(launcher, deadline_with_a_stalled_reader)
{
	struct launched l;

	write_snippet(OUT_E9("x") "\xeb\xfa", 6);
	l = launch((const char * const[]){ "--deadline", "1s", SNIPPET, NULL });
	read_all(l.err, message, sizeof(message));	/* until it ends */
	EXPECT_EQ(END_DEADLINE, wait_status(&l));
	close(l.out);
}

/* ---------------------------------------------------------------- messages */

TEST_F(launcher, quiet_and_name)
{
	write_snippet(HLT, 1);
	EXPECT_EQ(END_POWEROFF, RUN("--quiet", SNIPPET));
	EXPECT_STREQ("", message);
	EXPECT_EQ(END_POWEROFF, RUN("--name", "alice", SNIPPET));
	EXPECT_TRUE(strstr(message, "alice")) TH_LOG("%s", message);
}

/* ----------------------------------------------------------------- console */

TEST_F(launcher, output_is_complete)
{
	/* mov dx, 0x3f8; mov al, 0; out dx, al; inc al; jnz back; hlt: all 256 characters */
	size_t i;
	struct launched l;
	char buf[512];
	ssize_t n, len = 0;

	write_snippet("\xba\xf8\x03\xb0\x00\xee\xfe\xc0\x75\xfb\xf4", 11);
	l = launch((const char * const[]){ "--deadline", "20s", SNIPPET, NULL });
	while ((n = read(l.out, buf + len, sizeof(buf) - len)) > 0)
		len += n;
	EXPECT_EQ(END_POWEROFF, wait_status(&l));
	ASSERT_EQ(256, len);
	for (i = 0; i < 256; i++)
		ASSERT_EQ((char)i, buf[i]);
	close(l.out);
	close(l.err);
}

/* A thousand exits, which took 7 seconds in an emulated machine among twenty busy programs. */
TEST_F(launcher, input_is_complete)
{
	/* Poll COM1, print what comes, end at a dot. */
	static const char echo[] = "\xba\xfd\x03"	/* 1000 mov dx, 0x3fd */
				   "\xec"		/* 1003 in al, dx */
				   "\xa8\x01"		/* 1004 test al, 1 */
				   "\x74\xfb"		/* 1006 jz 0x1003 */
				   "\xba\xf8\x03"	/* 1008 mov dx, 0x3f8 */
				   "\xec"		/* 100b in al, dx */
				   "\xe6\xe9"		/* 100c out 0xe9, al */
				   "\x3c\x2e"		/* 100e cmp al, '.' */
				   "\x75\xee"		/* 1010 jne 0x1000 */
				   HLT;
	char text[301];
	struct launched l;
	size_t i;

	for (i = 0; i < sizeof(text) - 2; i++)
		text[i] = 'a' + i * i % 26;
	text[i] = '.';
	text[i + 1] = '\0';
	write_snippet(echo, sizeof(echo) - 1);
	l = launch((const char * const[]){ "--deadline", "100s", SNIPPET, NULL });
	ASSERT_EQ(sizeof(text) - 1, write(l.in, text, sizeof(text) - 1));
	read_all(l.out, output, sizeof(output));
	read_all(l.err, message, sizeof(message));
	EXPECT_EQ(END_POWEROFF, wait_status(&l)) TH_LOG("%s", message);
	EXPECT_STREQ(text, output);
}

/* ---------------------------------------------------------------- terminal */

/* A terminal, and a "vitro run" on it: returns its master side, or -1. */
static int launch_on_terminal(const char * const *args, struct launched *l, int *tty)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY);

	if (master < 0 || grantpt(master) || unlockpt(master))
		return -1;
	*tty = open(ptsname(master), O_RDWR | O_NOCTTY);
	if (*tty < 0)
		return -1;
	l->in = -1;
	l->pid = fork();
	if (l->pid == 0) {
		setsid();
		ioctl(*tty, TIOCSCTTY, 0);
		in_child(args, *tty, *tty, *tty);
	}
	return master;
}

static bool is_raw(int tty)
{
	struct termios t;

	return tcgetattr(tty, &t) == 0 && !(t.c_lflag & (ICANON | ECHO | ISIG));
}

static bool read_until(int fd, const char *text)
{
	char buf[4096] = "";
	size_t len = 0;
	ssize_t n;

	while (len < sizeof(buf) - 1 && !strstr(buf, text)) {
		n = read(fd, buf + len, 1);
		if (n <= 0)
			return false;
		len += n;
		buf[len] = '\0';
	}
	return true;
}

TEST_F(launcher, terminal)
{
	static const char * const args[] = { "--deadline", "20s", SNIPPET, NULL };
	static const int signals[] = { 0, SIGTERM, SIGSEGV };
	static const int ends[] = { END_STOPPED, END_STOPPED, 1000 + SIGSEGV };
	struct launched l;
	int master, tty;
	size_t i;

	/* It prints, so that we know when it runs. */
	write_snippet(OUT_E9("!") LOOP_FOREVER, 6);
	for (i = 0; i < ARRAY_SIZE(signals); i++) {
		master = launch_on_terminal(args, &l, &tty);
		if (master < 0)
			SKIP(return, "this machine has no pseudo-terminals (devpts)");
		EXPECT_TRUE(read_until(master, "!"));
		EXPECT_TRUE(is_raw(tty)) TH_LOG("case %zu", i);
		if (signals[i]) {
			kill(l.pid, signals[i]);
		} else {
			EXPECT_EQ(2, write(master, "\x01h", 2));
			EXPECT_TRUE(read_until(master, "Ctrl-A x"));
			EXPECT_EQ(2, write(master, "\x01x", 2));
		}
		EXPECT_EQ(ends[i], wait_status(&l)) TH_LOG("case %zu", i);
		EXPECT_FALSE(is_raw(tty)) TH_LOG("case %zu: the terminal is still raw", i);
		close(tty);
		close(master);
	}
}

TEST_F(launcher, modes)
{
	/* 16: mov ax, 0; hlt.  32 and 64: mov eax, 0x90f40000; jmp $ */
	static const char code16[] = "\xb8\x00\x00\xf4\x90" LOOP_FOREVER;
	/* xor eax, eax; 32: dec eax; nop; 64: rex.w nop; then hlt unless ZF is 0 */
	static const char code64[] = "\x31\xc0\x48\x90\x75\x01" HLT LOOP_FOREVER;

	write_snippet(code16, sizeof(code16) - 1);
	EXPECT_EQ(END_POWEROFF, RUN("--deadline", "20s", SNIPPET));
	EXPECT_EQ(END_POWEROFF, RUN("--deadline", "20s", "--mode", "16", SNIPPET));
	EXPECT_EQ(END_DEADLINE, RUN("--deadline", "500ms", "--mode", "32", SNIPPET));
	write_snippet(code64, sizeof(code64) - 1);
	EXPECT_EQ(END_DEADLINE, RUN("--deadline", "500ms", "--mode", "32", SNIPPET));
	EXPECT_EQ(END_POWEROFF, RUN("--deadline", "20s", "--mode", "64", SNIPPET));
}

/* ------------------------------------------------------------------ doctor */

static int doctor(const char *option)
{
	char cmd[64];
	FILE *f;
	size_t n;
	int status;

	snprintf(cmd, sizeof(cmd), "vitro doctor %s 2>&1", option);
	f = popen(cmd, "r");
	if (!f)
		return -1;
	n = fread(output, 1, sizeof(output) - 1, f);
	output[n] = '\0';
	status = pclose(f);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_F(launcher, doctor)
{
	/* This machine can: the other tests show it. */
	EXPECT_EQ(0, doctor(""));
	EXPECT_TRUE(strstr(output, "ok       SVM ") || strstr(output, "ok       VMX "))
		TH_LOG("%s", output);
	EXPECT_TRUE(strstr(output, "vitro can run here.")) TH_LOG("%s", output);
	EXPECT_EQ(0, doctor("--json"));
	EXPECT_TRUE(strstr(output, "\"can_run\": true")) TH_LOG("%s", output);
	EXPECT_EQ(END_USAGE, doctor("--nonsense"));
	EXPECT_EQ(END_USAGE, doctor("argument"));
}

/* ------------------------------------------------------------------- Linux */

/* A real panic, of a kernel that knows nothing of vitro. */
TEST_F(launcher, linux_panic)
{
	if (access(KERNEL, R_OK) || access(INITRD, R_OK))
		SKIP(return, "no " KERNEL " or no " INITRD " on this machine");
	EXPECT_EQ(END_PANIC, RUN("--kernel", KERNEL, "--initrd", INITRD, "--deadline", "100s",
				 "--append", "console=ttyS0 quiet guest.end=panic panic=-1"))
		TH_LOG("%s", message);
	EXPECT_TRUE(strstr(output, "Kernel panic - not syncing"));
}

TEST_HARNESS_MAIN
