// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The gdb stub's packets: framing, answers, and what a hostile gdb can do, which is nothing.
 * A target of a few bytes stands for the machine.  Built with the sanitizers.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../userspace/vitro/gdb.c"
#include "../../userspace/vitro/gdb_link.c"
#include "../../userspace/vitro/gdb_regs.c"
#include "tap.h"

#define MEMORY		64	/* bytes that there are, from address 0 */
#define FUZZ_ROUNDS	20000

static struct gdb gdb;
static struct vitro_state state[2];
static uint8_t memory[MEMORY];
static unsigned int resumed, let_go, killed, inserted;
static int other_end;

/* ---------------------------------------------------------------- the target */

unsigned int target_nr_cpus(const struct gdb *g)
{
	(void)g;
	return 2;
}

int target_get_reg(struct gdb *g, unsigned int cpu, unsigned int reg, uint8_t *value)
{
	(void)g;
	regs_get(&state[cpu], reg, value);
	return 0;
}

int target_set_reg(struct gdb *g, unsigned int cpu, unsigned int reg, const uint8_t *value)
{
	(void)g;
	regs_set(&state[cpu], reg, value);
	return 0;
}

ssize_t target_read(struct gdb *g, uint64_t gva, void *buf, size_t len)
{
	(void)g;
	if (gva >= MEMORY)
		return -EFAULT;
	if (len > MEMORY - gva)
		len = MEMORY - gva;
	memcpy(buf, memory + gva, len);
	return len;
}

int target_write(struct gdb *g, uint64_t gva, const void *buf, size_t len)
{
	(void)g;
	if (gva > MEMORY || len > MEMORY - gva)
		return -EFAULT;
	memcpy(memory + gva, buf, len);
	return 0;
}

int target_insert(struct gdb *g, enum gdb_kind kind, uint64_t gva, uint64_t len)
{
	(void)g;
	(void)kind;
	(void)gva;
	(void)len;
	inserted++;
	return 0;
}

int target_remove(struct gdb *g, enum gdb_kind kind, uint64_t gva, uint64_t len)
{
	(void)g;
	(void)kind;
	(void)gva;
	(void)len;
	return -ENOENT;
}

void target_resume(struct gdb *g)
{
	(void)g;
	resumed++;
}

void target_let_go(struct gdb *g)
{
	(void)g;
	let_go++;
}

void target_kill(struct gdb *g)
{
	(void)g;
	killed++;
}

void target_describe(struct gdb *g, unsigned int cpu, char *text, size_t size)
{
	(void)g;
	snprintf(text, size, "CPU %u", cpu);
}

void gdb_monitor(struct gdb *g, const char *command, FILE *out)
{
	(void)g;
	fprintf(out, "you said %s\n", command);
}

/* ------------------------------------------------------------------- talking */

static void start(void)
{
	int pair[2];

	if (gdb.link.fd > 0) {
		close(gdb.link.fd);
		close(other_end);
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair))
		exit(1);
	other_end = pair[1];
	gdb.cpu = 0;
	link_init(&gdb.link, pair[0], -1);
}

/* All that the stub has said. */
static const char *heard(void)
{
	static char text[3 * GDB_PACKET_MAX];
	ssize_t n = read(other_end, text, sizeof(text) - 1);

	text[n < 0 ? 0 : n] = '\0';
	return text;
}

static enum gdb_turn feed(const char *bytes, size_t len)
{
	enum gdb_turn turn = GDB_STAYS;

	for (; len; len--) {
		if (link_byte(&gdb.link, *bytes++) == GDB_PACKET)
			turn = gdb_packet(&gdb);
	}
	return turn;
}

static size_t frame(char *to, const char *data, size_t len)
{
	uint8_t sum = 0;
	size_t i;

	*to = '$';
	for (i = 0; i < len; i++)
		sum += data[i];
	memcpy(to + 1, data, len);
	return 1 + len + sprintf(to + 1 + len, "#%02x", sum);
}

/* Sends a packet; is this the answer's data? */
static bool answers(const char *data, const char *expected)
{
	char packet[1024], wanted[1024] = "+";
	const char *got;

	feed(packet, frame(packet, data, strlen(data)));
	frame(wanted + 1, expected, strlen(expected));
	got = heard();
	if (!strcmp(got, wanted))
		return true;
	printf("# %s: %s\n", data, got);
	return false;
}

/* ---------------------------------------------------------------------- cases */

static void test_framing(void)
{
	start();
	feed("$?#3f", 5);
	check("a packet is acknowledged and answered", !strncmp(heard(), "+$T02thread:1;", 14));
	feed("-", 1);
	check("and sent again if gdb asks", !strncmp(heard(), "$T02thread:1;", 13));
	feed("$?#00", 5);
	check("a wrong sum is refused", !strcmp(heard(), "-"));
	feed("garbage+++$qC#b4", 16);
	check("what is between packets is skipped", !strcmp(heard(), "+$QC1#c5"));
	check("Ctrl-C is one, outside of packets", link_byte(&gdb.link, 3) == GDB_INTERRUPT);
	check("no acknowledgements", answers("QStartNoAckMode", "OK"));
	feed("$qC#b4", 6);
	check("when that was agreed upon", !strcmp(heard(), "$QC1#c5"));
}

static void test_escapes(void)
{
	start();
	memset(memory, 0, sizeof(memory));
	feed("$X0,2:}\x03}\x04#21", 13);
	check("escapes are undone", !strcmp(heard(), "+$OK#9a") && !memcmp(memory, "#$", 2));
	memory[0] = '}';
	check("memory is told in digits", answers("m0,3", "7d2400"));
}

static void test_long_packets(void)
{
	static char packet[2 * GDB_PACKET_MAX];

	start();
	memset(packet, 'm', sizeof(packet));
	feed("$", 1);
	feed(packet, sizeof(packet));
	feed("#00", 3);
	check("a packet that is too long is refused", !strcmp(heard(), "-"));
	check("and the next one is not", answers("qC", "QC1"));
}

static void test_memory(void)
{
	start();
	check("write", answers("M4,2:beef", "OK"));
	check("read", answers("m3,4", "00beef00"));
	check("up to its end", answers("m3e,8", "0000"));
	check("and not behind", answers("m40,1", "E0e"));
	check("less data than was announced", answers("M4,3:beef", "E16"));
	check("no data, but digits", answers("M4,1:zz", "E16"));
	check("a length that wraps around", answers("M4,ffffffffffffffff:00", "E16"));
	check("an address of 68 bits", answers("m10000000000000000,1", "E16"));
}

static void test_threads(void)
{
	start();
	check("all", answers("qfThreadInfo", "m1,2"));
	check("one that there is", answers("T2", "OK"));
	check("one that there is not", answers("T3", "E03"));
	check("chosen", answers("Hg2", "OK") && gdb.cpu == 1);
	check("none such", answers("Hg9", "E16") && gdb.cpu == 1);
}

static void test_actions(void)
{
	start();
	resumed = 0;
	feed("$vCont;s:1;c#c1", 15);
	check("the first action that fits a thread counts", resumed == 1 &&
	      gdb.action[0] == GDB_STEP && gdb.action[1] == GDB_CONTINUE);
	heard();
	feed("$vCont;C05:2#59", 15);
	check("who is not named, stays", resumed == 2 && gdb.action[0] == GDB_STAY &&
	      gdb.action[1] == GDB_CONTINUE);
	heard();
	check("nobody goes on", answers("vCont", "E16") && resumed == 2);
	check("an unknown action", answers("vCont;x:1", "E16") && resumed == 2);
	check("an unknown thread", answers("vCont;c:7", "E16") && resumed == 2);
}

static void test_registers(void)
{
	unsigned int reg, avx;
	uint8_t value[GDB_REG_MAX];
	size_t len = 0;
	char *xml;

	start();
	for (avx = 0; avx < 2; avx++) {
		xml = regs_xml(avx);
		for (reg = 0; reg < regs_nr(avx); reg++) {
			char name[32];

			snprintf(name, sizeof(name), "regnum=\"%u\"/>", reg);
			if (!xml || !strstr(xml, name))
				break;
		}
		check("the description has all registers", reg == regs_nr(avx));
		free(xml);
	}
	for (reg = 0; reg < regs_nr(true); reg++) {
		memset(value, 0x5a, sizeof(value));
		regs_set(&state[0], reg, value);
		memset(value, 0, sizeof(value));
		regs_get(&state[0], reg, value);
		if (value[0] != 0x5a && regs_size(reg) != 4)
			break;
		len += regs_size(reg);
	}
	check("each keeps what is written to it", reg == regs_nr(true));
	check("and all fit into a packet", 2 * len < GDB_PACKET_MAX);
	check("an empty x87 register has tag 3", widen_tags(0xfe) == 3 && abridge_tags(3) == 0xfe);
}

static void test_ends(void)
{
	start();
	let_go = 0;
	killed = 0;
	check("detach", feed("$D#44", 5) == GDB_LEAVES && let_go == 1);
	check("kill", feed("$k#6b", 5) == GDB_LEAVES && killed == 1);
}

/* Packets as they are, with a few bytes changed, framed as they should be, and noise. */
static void test_fuzz(void)
{
	static const char *const seeds[] = {
		"?", "g", "G00", "p10", "P10=0000", "m0,40", "M0,4:00112233", "X0,3:abc",
		"Z0,10,1", "z4,10,8", "vCont;s:1;c", "vCont;C05:-1", "Hg1", "Hc-1", "T1", "qC",
		"qSupported:a+;b-", "qXfer:features:read:target.xml:0,fff", "qRcmd,68656c70",
		"qThreadExtraInfo,1", "QStartNoAckMode", "vKill;1", "c", "s", "D", "k", NULL
	};
	char data[256], packet[300];
	size_t len, i, nr = 0;
	int round;

	while (seeds[nr])
		nr++;
	srand(1);
	for (round = 0; round < FUZZ_ROUNDS; round++) {
		if (round % 100 == 0)
			start();
		len = sprintf(data, "%s", seeds[rand() % nr]);
		for (i = rand() % 4; i; i--)
			data[rand() % len] = rand();
		if (rand() % 8 == 0)
			len = rand() % len + 1;
		feed(packet, frame(packet, data, len));
		feed(data, rand() % len);
		heard();
	}
	/* Whatever half a packet it has left, the stub still answers. */
	start();
	check("after 20,000 packets that are none, it still answers", answers("qC", "QC1"));
}

int main(void)
{
	test_framing();
	test_escapes();
	test_long_packets();
	test_memory();
	test_threads();
	test_actions();
	test_registers();
	test_ends();
	test_fuzz();
	return tap_done();
}
