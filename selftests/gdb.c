// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The gdb stub of vitro run, as gdb sees it: a small client of the remote protocol
 * (Debugging with GDB, appendix E) debugs a few instructions.  A real gdb with a real kernel
 * is in scripts/guests/gdb.
 */
#include "kselftest_harness.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../userspace/vitro/exitcode.h"
#include "vendor.h"

#define SNIPPET		"/tmp/gdb-snippet.bin"
#define SOCKET		"/tmp/gdb-stub.sock"
#define NAME		"gdb-test"
#define PATIENCE_S	60
#define SECONDS		120		/* for a case */

/*
 * Loaded at 0x1000 in 64-bit mode:
 *
 *	1000	mov eax, 'A'
 *	1005	mov [0x2000], eax
 *	100c	inc eax
 *	100e	out 0xe9, al
 *	1010	jmp 1005
 *	1012	hlt
 */
static const char code[] =
	"\xb8\x41\x00\x00\x00\x89\x04\x25\x00\x20\x00\x00\xff\xc0\xe6\xe9\xeb\xf3\xf4";

FIXTURE(gdb)
{
	pid_t pid;
	int fd;
};

static char answer[40000];

static void write_snippet(void)
{
	int fd = open(SNIPPET, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, code, sizeof(code) - 1) != sizeof(code) - 1)
		vt_die("cannot write %s: %s", SNIPPET, strerror(errno));
	close(fd);
}

/* vitro run, with its output in a file. */
static pid_t launch(const char *where, const char *out)
{
	pid_t pid = fork();
	int fd;

	if (pid)
		return pid;
	fd = open(out, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	close(STDIN_FILENO);
	open("/dev/null", O_RDONLY);
	execlp("vitro", "vitro", "run", "--mode", "64", "--cpus", "2", "--name", NAME,
	       "--deadline", "300s", SNIPPET, where ? "--gdb" : NULL, where, NULL);
	_exit(127);
}

static int connect_stub(void)
{
	const struct sockaddr_un addr = { .sun_family = AF_UNIX, .sun_path = SOCKET };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), i;

	for (i = 0; i < PATIENCE_S * 10; i++) {
		if (!connect(fd, (const struct sockaddr *)&addr, sizeof(addr)))
			return fd;
		usleep(100000);
	}
	vt_die("nobody listens at %s", SOCKET);
}

/* --------------------------------------------------------------- packets */

static void send_packet(int fd, const char *data, size_t len)
{
	unsigned char sum = 0;
	char end[4];
	size_t i;

	for (i = 0; i < len; i++)
		sum += data[i];
	snprintf(end, sizeof(end), "#%02x", sum);
	if (write(fd, "$", 1) != 1 || write(fd, data, len) != (ssize_t)len ||
	    write(fd, end, 3) != 3)
		vt_die("the stub has closed the connection");
}

static int get_byte(int fd)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	unsigned char c;

	if (poll(&wait, 1, PATIENCE_S * 1000) != 1)
		vt_die("no answer within %d s", PATIENCE_S);
	return read(fd, &c, 1) == 1 ? c : -1;
}

/* The next packet, in answer; which needs no answer. */
static const char *receive(int fd)
{
	size_t len = 0;
	int c;

	do {
		c = get_byte(fd);
	} while (c >= 0 && c != '$');
	while (c >= 0 && (c = get_byte(fd)) >= 0 && c != '#') {
		if (c == '}')
			c = get_byte(fd) ^ 0x20;
		if (len < sizeof(answer) - 1)
			answer[len++] = c;
	}
	answer[len] = '\0';
	get_byte(fd);
	get_byte(fd);
	return answer;
}

static const char *ask(int fd, const char *packet)
{
	send_packet(fd, packet, strlen(packet));
	return receive(fd);
}

static bool says(int fd, const char *packet, const char *expected)
{
	const char *got = ask(fd, packet);

	if (!strcmp(got, expected))
		return true;
	fprintf(stderr, "# %s: \"%s\" instead of \"%s\"\n", packet, got, expected);
	return false;
}

/* A stop for this reason ("" for none), and the place where it was. */
static bool stopped(const char *got, const char *reason, uint64_t rip)
{
	const char *pc = strstr(got, "10:");	/* register 16, least byte first */
	uint64_t value = 0;
	unsigned int byte;
	int i;

	for (i = 7; pc && i >= 0; i--) {
		if (sscanf(pc + 3 + 2 * i, "%2x", &byte) != 1)
			return false;
		value = value << 8 | byte;
	}
	if (!strncmp(got, "T05thread:1;", 12) && strstr(got, reason) && value == rip)
		return true;
	fprintf(stderr, "# stopped by \"%s\", not by \"%s\" at %#llx\n", got, reason,
		(unsigned long long)rip);
	return false;
}

FIXTURE_SETUP(gdb)
{
	if (system("vitro --version >/dev/null"))
		SKIP(return, "no command vitro on this machine");
	signal(SIGPIPE, SIG_IGN);
	unlink(SOCKET);
	write_snippet();
	self->pid = launch(SOCKET, "/tmp/gdb-out");
	self->fd = connect_stub();
	ASSERT_TRUE(strstr(ask(self->fd, "qSupported:multiprocess+;swbreak+"), "PacketSize="));
	ASSERT_TRUE(says(self->fd, "QStartNoAckMode", "OK"));
}

FIXTURE_TEARDOWN(gdb)
{
	if (self->pid > 0) {
		kill(self->pid, SIGKILL);
		waitpid(self->pid, NULL, 0);
	}
	unlink(SNIPPET);
	unlink(SOCKET);
}

static int end_of(pid_t *pid)
{
	int status;

	waitpid(*pid, &status, 0);
	*pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* ---------------------------------------------------------------- the cases */

TEST_F_TIMEOUT(gdb, waits_before_the_first_instruction, SECONDS)
{
	ASSERT_TRUE(stopped(ask(self->fd, "?"), "", 0x1000));
	EXPECT_TRUE(says(self->fd, "qfThreadInfo", "m1,2"));
	EXPECT_TRUE(says(self->fd, "qsThreadInfo", "l"));
	EXPECT_TRUE(says(self->fd, "T2", "OK"));
	EXPECT_TRUE(says(self->fd, "T3", "E03"));
	EXPECT_TRUE(says(self->fd, "qC", "QC1"));
	/* "CPU 1, not started" */
	EXPECT_TRUE(says(self->fd, "qThreadExtraInfo,2", "43505520312c206e6f742073746172746564"));
	EXPECT_TRUE(says(self->fd, "vMustReplyEmpty", ""));
}

TEST_F_TIMEOUT(gdb, registers, SECONDS)
{
	char *text;

	/* Description and values are of one length. */
	text = strstr(ask(self->fd, "qXfer:features:read:target.xml:0,1f00"), "<target");
	ASSERT_NE(NULL, text);
	EXPECT_NE(NULL, strstr(text, "name=\"cr3\""));
	EXPECT_NE(NULL, strstr(text, "name=\"efer\""));
	ASSERT_EQ('E', ask(self->fd, "qXfer:features:read:other.xml:0,100")[0]);
	EXPECT_TRUE(says(self->fd, "p10", "0010000000000000"));		/* rip */
	EXPECT_TRUE(says(self->fd, "p11", "02000000"));			/* eflags */
	EXPECT_TRUE(says(self->fd, "P0=8877665544332211", "OK"));
	EXPECT_TRUE(says(self->fd, "p0", "8877665544332211"));
	ASSERT_EQ(0, strncmp(ask(self->fd, "g"), "8877665544332211", 16));
	EXPECT_LT(1000, strlen(answer));
	EXPECT_TRUE(says(self->fd, "P28=000102030405060708090a0b0c0d0e0f", "OK"));	/* xmm0 */
	EXPECT_TRUE(says(self->fd, "p28", "000102030405060708090a0b0c0d0e0f"));
	/* CR0 without PE, but with PG: the CPU would refuse that. */
	EXPECT_TRUE(says(self->fd, "P3b=0000008000000000", "E16"));
	ASSERT_EQ('E', ask(self->fd, "pfff")[0]);
	EXPECT_TRUE(says(self->fd, "Hg2", "OK"));
	EXPECT_TRUE(says(self->fd, "p10", "f0ff000000000000"));		/* after power-on */
}

TEST_F_TIMEOUT(gdb, memory, SECONDS)
{
	EXPECT_TRUE(says(self->fd, "m1000,5", "b841000000"));
	EXPECT_TRUE(says(self->fd, "M3000,4:deadbeef", "OK"));
	EXPECT_TRUE(says(self->fd, "m3000,4", "deadbeef"));
	send_packet(self->fd, "X3002,3:\0\1\2", 11);
	EXPECT_EQ(0, strcmp("OK", receive(self->fd)));
	EXPECT_TRUE(says(self->fd, "m3000,6", "dead00010200"));
	EXPECT_TRUE(says(self->fd, "mffff800000000000,4", "E0e"));
	EXPECT_TRUE(says(self->fd, "Mffff800000000000,1:00", "E0e"));
	EXPECT_TRUE(says(self->fd, "M3000,5:0011", "E16"));
	/* The end of memory, in the middle of what is asked for: what there is. */
	EXPECT_TRUE(says(self->fd, "mffffffc,8", "00000000"));
}

TEST_F_TIMEOUT(gdb, breakpoint_and_step, SECONDS)
{
	ASSERT_TRUE(says(self->fd, "Z0,1005,1", "OK"));
	ASSERT_TRUE(stopped(ask(self->fd, "vCont;c"), "swbreak:;", 0x1005));
	EXPECT_TRUE(says(self->fd, "p0", "4100000000000000"));
	EXPECT_TRUE(says(self->fd, "m1004,2", "0089"));		/* no INT3 to be seen */
	EXPECT_TRUE(says(self->fd, "M1005,1:89", "OK"));	/* nor to be overwritten */
	ASSERT_TRUE(says(self->fd, "z0,1005,1", "OK"));
	EXPECT_TRUE(says(self->fd, "z0,1005,1", "E02"));
	ASSERT_TRUE(stopped(ask(self->fd, "vCont;s:1"), "", 0x100c));
	EXPECT_TRUE(says(self->fd, "m2000,4", "41000000"));
	ASSERT_TRUE(stopped(ask(self->fd, "vCont;s:1"), "", 0x100e));
	ASSERT_TRUE(stopped(ask(self->fd, "vCont;s:1;c"), "", 0x1010));	/* OUT: in userspace */
	ASSERT_TRUE(says(self->fd, "Z0,1005,1", "OK"));
	ASSERT_TRUE(stopped(ask(self->fd, "vCont;c"), "swbreak:;", 0x1005));
	EXPECT_TRUE(says(self->fd, "p0", "4200000000000000"));
	ASSERT_TRUE(says(self->fd, "P10=1210000000000000", "OK"));	/* to the HLT */
	ASSERT_TRUE(says(self->fd, "vCont;c", "W00"));
	EXPECT_EQ(END_POWEROFF, end_of(&self->pid));
}

TEST_F_TIMEOUT(gdb, hardware_breakpoints, SECONDS)
{
	if (vendor_is_tcg())
		SKIP(return, "QEMU TCG arms no breakpoints by VMRUN, only by MOV to DR7");
	ASSERT_TRUE(says(self->fd, "Z1,100c,1", "OK"));
	ASSERT_TRUE(stopped(ask(self->fd, "vCont;c"), "hwbreak:;", 0x100c));
	ASSERT_TRUE(says(self->fd, "z1,100c,1", "OK"));
	EXPECT_TRUE(says(self->fd, "Z3,2000,4", ""));		/* reads alone cannot be watched */
	ASSERT_TRUE(says(self->fd, "Z2,2000,4", "OK"));
	ASSERT_TRUE(stopped(ask(self->fd, "vCont;c"), "watch:2000;", 0x100c));
	ASSERT_TRUE(stopped(ask(self->fd, "vCont;c"), "watch:2000;", 0x100c));
	EXPECT_TRUE(says(self->fd, "m2000,4", "43000000"));
	ASSERT_TRUE(says(self->fd, "z2,2000,4", "OK"));
	/* Five unaligned bytes take three registers, and three more there are not. */
	EXPECT_TRUE(says(self->fd, "Z4,3001,5", "OK"));
	EXPECT_TRUE(says(self->fd, "Z4,4001,5", "E1c"));
	EXPECT_TRUE(says(self->fd, "z4,3001,5", "OK"));
}

TEST_F_TIMEOUT(gdb, interrupt_detach_and_attach_again, SECONDS)
{
	char *text;

	send_packet(self->fd, "vCont;c", 7);
	ASSERT_EQ(1, write(self->fd, "\3", 1));
	ASSERT_EQ(0, strncmp(receive(self->fd), "T02", 3));
	ASSERT_TRUE(says(self->fd, "Z0,100c,1", "OK"));
	ASSERT_TRUE(says(self->fd, "D", "OK"));
	close(self->fd);
	/* Nothing is left behind: it runs on, and is found running. */
	self->fd = connect_stub();
	ASSERT_EQ(0, strncmp(ask(self->fd, "?"), "T02", 3));
	EXPECT_TRUE(says(self->fd, "m100c,2", "ffc0"));
	EXPECT_TRUE(says(self->fd, "QStartNoAckMode", "OK"));
	text = strstr(ask(self->fd, "qRcmd,6865"), "O");	/* "he", which is no command */
	EXPECT_NE(NULL, text);
	EXPECT_EQ(0, strcmp("OK", receive(self->fd)));
	/* "walk 0x1000"; the host's addresses are "withheld". */
	ASSERT_EQ('O', ask(self->fd, "qRcmd,77616c6b20307831303030")[0]);
	EXPECT_NE(NULL, strstr(answer, "7769746868656c64")) TH_LOG("%s", answer);
	EXPECT_EQ(0, strcmp("OK", receive(self->fd)));
	/* "vmcs HOST_RIP", "vmcb N_CR3": there is none to be seen. */
	EXPECT_TRUE(says(self->fd, "qRcmd,766d637320484f53545f524950", "OK"));
	EXPECT_TRUE(says(self->fd, "qRcmd,766d6362204e5f435233", "OK"));
	/* Gone without a word, it has left a guest that runs. */
	close(self->fd);
	self->fd = connect_stub();
	ASSERT_EQ(0, strncmp(ask(self->fd, "?"), "T02", 3));
	send_packet(self->fd, "k", 1);
	EXPECT_EQ(END_STOPPED, end_of(&self->pid));
}

FIXTURE(running)
{
};

FIXTURE_SETUP(running)
{
}

FIXTURE_TEARDOWN(running)
{
	unlink(SNIPPET);
}

/* A machine that nobody has prepared for it; twice, as the first time leaves nothing. */
TEST_F_TIMEOUT(running, vitro_gdb_attaches, SECONDS)
{
	pid_t run, pid;
	int to[2], i;

	if (system("vitro --version >/dev/null"))
		SKIP(return, "no command vitro on this machine");
	signal(SIGPIPE, SIG_IGN);
	write_snippet();
	run = launch(NULL, "/tmp/gdb-out2");
	for (i = 0; i < PATIENCE_S * 10 && system("vitro ps | grep -q " NAME); i++)
		usleep(100000);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, to));
		pid = fork();
		if (pid == 0) {
			dup2(to[1], STDIN_FILENO);
			dup2(to[1], STDOUT_FILENO);
			close(to[0]);
			close(to[1]);
			execlp("vitro", "vitro", "gdb", NAME, NULL);
			_exit(127);
		}
		close(to[1]);
		ASSERT_EQ(0, strncmp(ask(to[0], "?"), "T02", 3));
		EXPECT_TRUE(says(to[0], "m1000,5", "b841000000"));
		close(to[0]);
		waitpid(pid, NULL, 0);
	}
	kill(run, SIGTERM);
	EXPECT_EQ(END_STOPPED, end_of(&run));
}

/* vitro gdb opens the socket, and the machine, which cannot open any, listens at it. */
TEST_F_TIMEOUT(running, vitro_gdb_lets_it_listen, SECONDS)
{
	pid_t run;
	int fd, i;

	if (system("vitro --version >/dev/null"))
		SKIP(return, "no command vitro on this machine");
	unlink(SOCKET);
	write_snippet();
	run = launch(NULL, "/tmp/gdb-out3");
	for (i = 0; i < PATIENCE_S * 10 && system("vitro ps | grep -q " NAME); i++)
		usleep(100000);
	ASSERT_EQ(0, system("vitro gdb " NAME " " SOCKET));
	fd = connect_stub();
	ASSERT_EQ(0, strncmp(ask(fd, "?"), "T02", 3));
	close(fd);
	/* One stub is enough, and who asks for another leaves nothing. */
	EXPECT_NE(0, system("vitro gdb " NAME " " SOCKET ".2 2>/dev/null"));
	EXPECT_NE(0, access(SOCKET ".2", F_OK));
	kill(run, SIGTERM);
	EXPECT_EQ(END_STOPPED, end_of(&run));
	EXPECT_NE(0, access(SOCKET, F_OK));
}

TEST_HARNESS_MAIN
