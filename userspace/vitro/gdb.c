// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What gdb asks for, packet by packet (Debugging with GDB, E.2 to E.4).  An unknown packet
 * gets an empty answer, which is how gdb learns what there is.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gdb.h"

#define SIGNAL_INT	2	/* gdb's numbers of signals */
#define SIGNAL_TRAP	5

/* Registers that gdb asks for after every stop: they come with it. */
#define NR_EXPEDITED	3
static const unsigned int expedited[NR_EXPEDITED] = { 6, 7, 16 };	/* rbp, rsp, rip */

static void reply(struct gdb *g, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void reply(struct gdb *g, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	link_send(&g->link, text, strlen(text));
}

static void reply_result(struct gdb *g, int err)
{
	if (err < 0)
		reply(g, "E%02x", -err & 0xff);
	else
		reply(g, "OK");
}

/* ------------------------------------------------------------- parts of packets */

/* Takes a hexadecimal number off the text; false if there is none, or too long a one. */
static bool take_hex(const char **text, uint64_t *value)
{
	const char *p = *text;

	for (*value = 0; hex_digit(*p) >= 0; p++) {
		if (*value >> 60)
			return false;
		*value = *value << 4 | hex_digit(*p);
	}
	if (p == *text)
		return false;
	*text = p;
	return true;
}

static bool take_char(const char **text, char c)
{
	if (**text != c)
		return false;
	(*text)++;
	return true;
}

static bool take_word(const char **text, const char *word)
{
	size_t len = strlen(word);

	if (strncmp(*text, word, len))
		return false;
	*text += len;
	return true;
}

/* "ADDR,LENGTH", as most packets have it. */
static bool take_range(const char **text, uint64_t *addr, uint64_t *len)
{
	return take_hex(text, addr) && take_char(text, ',') && take_hex(text, len);
}

/* A thread: a vCPU's number + 1; -1 is all of them, and 0 any. */
static bool take_thread(struct gdb *g, const char **text, int *cpu)
{
	uint64_t id;

	if (take_word(text, "-1")) {
		*cpu = -1;
		return true;
	}
	if (!take_hex(text, &id) || id > target_nr_cpus(g))
		return false;
	*cpu = id ? (int)id - 1 : (int)g->cpu;
	return true;
}

/* -------------------------------------------------------------------- registers */

static void read_registers(struct gdb *g)
{
	unsigned int reg, nr = regs_nr(g->avx);
	char text[2 * GDB_REG_MAX * 128];
	uint8_t value[GDB_REG_MAX];
	size_t len = 0;

	for (reg = 0; reg < nr; reg++) {
		if (target_get_reg(g, g->cpu, reg, value)) {
			reply(g, "E%02x", EIO);
			return;
		}
		len += hex_encode(text + len, value, regs_size(reg));
	}
	link_send(&g->link, text, len);
}

static void write_registers(struct gdb *g, const char *text)
{
	unsigned int reg, nr = regs_nr(g->avx);
	uint8_t value[GDB_REG_MAX];
	int err = 0;

	for (reg = 0; reg < nr && *text && !err; reg++) {
		/* A digit that is missing ends the text, and is none. */
		if (!hex_decode(value, text, regs_size(reg)))
			err = -EINVAL;
		else
			err = target_set_reg(g, g->cpu, reg, value);
		text += 2 * regs_size(reg);
	}
	reply_result(g, err);
}

static void read_register(struct gdb *g, const char *text)
{
	char digits[2 * GDB_REG_MAX];
	uint8_t value[GDB_REG_MAX];
	uint64_t reg;

	if (!take_hex(&text, &reg) || *text || reg >= regs_nr(g->avx)) {
		reply(g, "E%02x", EINVAL);
		return;
	}
	if (target_get_reg(g, g->cpu, reg, value))
		reply(g, "E%02x", EIO);
	else
		link_send(&g->link, digits, hex_encode(digits, value, regs_size(reg)));
}

static void write_register(struct gdb *g, const char *text)
{
	uint8_t value[GDB_REG_MAX];
	uint64_t reg;

	if (!take_hex(&text, &reg) || !take_char(&text, '=') || reg >= regs_nr(g->avx) ||
	    !hex_decode(value, text, regs_size(reg)))
		reply(g, "E%02x", EINVAL);
	else
		reply_result(g, target_set_reg(g, g->cpu, reg, value));
}

/* ----------------------------------------------------------------------- memory */

static void read_memory(struct gdb *g, const char *text)
{
	static uint8_t bytes[GDB_PACKET_MAX / 2];
	static char digits[GDB_PACKET_MAX];
	uint64_t addr, len;
	ssize_t n;

	if (!take_range(&text, &addr, &len) || *text) {
		reply(g, "E%02x", EINVAL);
		return;
	}
	/* Less than was asked for is an answer, too: gdb asks on. */
	n = target_read(g, addr, bytes, len < sizeof(bytes) ? len : sizeof(bytes));
	if (n < 0)
		reply(g, "E%02x", (int)-n);
	else
		link_send(&g->link, digits, hex_encode(digits, bytes, n));
}

/* M has digits, X has bytes. */
static void write_memory(struct gdb *g, const char *text, bool binary)
{
	static uint8_t bytes[GDB_PACKET_MAX / 2];
	const char *end = g->link.packet + g->link.len;
	const void *data = bytes;
	uint64_t addr, len;

	if (!take_range(&text, &addr, &len) || !take_char(&text, ':') ||
	    len > (size_t)(end - text) / (binary ? 1 : 2)) {
		reply(g, "E%02x", EINVAL);
		return;
	}
	if (binary) {
		data = text;
	} else if (!hex_decode(bytes, text, len)) {
		reply(g, "E%02x", EINVAL);
		return;
	}
	reply_result(g, target_write(g, addr, data, len));
}

/* Z and z: KIND,ADDR,LENGTH; conditions and commands, which may follow, are not offered. */
static void breakpoint(struct gdb *g, const char *text, bool insert)
{
	uint64_t kind, addr, len;
	int err;

	if (!take_hex(&text, &kind) || !take_char(&text, ',') || !take_range(&text, &addr, &len)) {
		reply(g, "E%02x", EINVAL);
		return;
	}
	/* Debug registers cannot watch for reads alone. */
	if (kind > GDB_ACCESS || kind == GDB_READ) {
		reply(g, "%s", "");
		return;
	}
	err = insert ? target_insert(g, kind, addr, len) : target_remove(g, kind, addr, len);
	reply_result(g, err);
}

/* ---------------------------------------------------------------- going on, stopping */

/* Actions of one vCont, each with the threads it is for: the first that fits counts. */
static bool parse_actions(struct gdb *g, const char *text)
{
	unsigned int i, nr = target_nr_cpus(g);
	bool given[VITRO_MAX_VCPUS] = { false };
	enum gdb_action action;
	uint64_t signal;
	int cpu;

	for (i = 0; i < nr; i++)
		g->action[i] = GDB_STAY;
	while (take_char(&text, ';')) {
		bool with_signal = *text == 'C' || *text == 'S';

		if (*text != 'c' && *text != 'C' && *text != 's' && *text != 'S')
			return false;
		action = *text == 'c' || *text == 'C' ? GDB_CONTINUE : GDB_STEP;
		text++;
		/* A guest gets no signals. */
		if (with_signal && !take_hex(&text, &signal))
			return false;
		cpu = -1;
		if (take_char(&text, ':') && !take_thread(g, &text, &cpu))
			return false;
		for (i = 0; i < nr; i++) {
			if (given[i] || (cpu >= 0 && (unsigned int)cpu != i))
				continue;
			g->action[i] = action;
			given[i] = true;
		}
	}
	return !*text;
}

static enum gdb_turn resume(struct gdb *g, const char *text)
{
	unsigned int i;

	if (parse_actions(g, text)) {
		for (i = 0; i < target_nr_cpus(g); i++) {
			if (g->action[i] != GDB_STAY) {
				target_resume(g);
				return GDB_RUNS;
			}
		}
	}
	reply(g, "E%02x", EINVAL);
	return GDB_STAYS;
}

/**
 * gdb_tell_stop - the answer to what let the machine go on: it has stopped
 * @g: the stub
 * @stop: why
 */
void gdb_tell_stop(struct gdb *g, const struct gdb_stop *stop)
{
	int signal = stop->why == STOP_INTERRUPT ? SIGNAL_INT : SIGNAL_TRAP;
	uint8_t value[GDB_REG_MAX];
	char text[256];
	size_t len, i;

	g->cpu = stop->cpu;
	len = snprintf(text, sizeof(text), "T%02xthread:%x;", signal, stop->cpu + 1);
	switch (stop->why) {
	case STOP_SOFT:
		len += sprintf(text + len, "swbreak:;");
		break;
	case STOP_HARD:
		len += sprintf(text + len, "hwbreak:;");
		break;
	case STOP_WRITE:
	case STOP_ACCESS:
		len += sprintf(text + len, "%swatch:%llx;", stop->why == STOP_ACCESS ? "a" : "",
			       (unsigned long long)stop->addr);
		break;
	default:
		break;
	}
	for (i = 0; i < NR_EXPEDITED; i++) {
		if (target_get_reg(g, stop->cpu, expedited[i], value))
			continue;
		len += sprintf(text + len, "%x:", expedited[i]);
		len += hex_encode(text + len, value, regs_size(expedited[i]));
		text[len++] = ';';
	}
	link_send(&g->link, text, len);
}

/**
 * gdb_tell_end - the machine has ended
 * @g: the stub
 * @status: the exit status of vitro run
 */
void gdb_tell_end(struct gdb *g, unsigned int status)
{
	reply(g, "W%02x", status & 0xff);
}

/* --------------------------------------------------------------------- questions */

static void list_threads(struct gdb *g)
{
	unsigned int i, nr = target_nr_cpus(g);
	char text[4 * VITRO_MAX_VCPUS];
	size_t len = 0;

	for (i = 0; i < nr; i++)
		len += sprintf(text + len, "%c%x", i ? ',' : 'm', i + 1);
	link_send(&g->link, text, len);
}

static void describe_thread(struct gdb *g, const char *text)
{
	char what[128], digits[2 * sizeof(what)];
	int cpu;

	if (!take_thread(g, &text, &cpu) || cpu < 0) {
		reply(g, "E%02x", EINVAL);
		return;
	}
	target_describe(g, cpu, what, sizeof(what));
	link_send(&g->link, digits, hex_encode(digits, what, strlen(what)));
}

/* A part of the target description: "target.xml:OFFSET,LENGTH". */
static void send_features(struct gdb *g, const char *text)
{
	static char part[GDB_PACKET_MAX];
	uint64_t offset, len;
	size_t size;
	char *xml;

	if (!take_word(&text, "target.xml:") || !take_range(&text, &offset, &len)) {
		reply(g, "E00");
		return;
	}
	xml = regs_xml(g->avx);
	size = xml ? strlen(xml) : 0;
	if (!xml || offset > size) {
		reply(g, "E%02x", EINVAL);
	} else {
		if (len > sizeof(part) / 2)	/* each byte of it may need an escape */
			len = sizeof(part) / 2;
		part[0] = len < size - offset ? 'm' : 'l';
		if (len > size - offset)
			len = size - offset;
		memcpy(part + 1, xml + offset, len);
		link_send(&g->link, part, len + 1);
	}
	free(xml);
}

/* "monitor ...": the answer is text, in as many packets as it takes, and OK. */
static void monitor(struct gdb *g, const char *text)
{
	static char digits[GDB_PACKET_MAX];
	size_t len = strlen(text) / 2, size = 0, at, n;
	char command[256], *answer = NULL;
	FILE *out = NULL;

	if (len < sizeof(command) && hex_decode(command, text, len))
		out = open_memstream(&answer, &size);
	if (!out) {
		reply(g, "E%02x", EINVAL);
		return;
	}
	command[len] = '\0';
	gdb_monitor(g, command, out);
	if (!fclose(out)) {
		for (at = 0; at < size; at += n) {
			n = size - at < sizeof(digits) / 4 ? size - at : sizeof(digits) / 4;
			digits[0] = 'O';
			hex_encode(digits + 1, answer + at, n);
			link_send(&g->link, digits, 1 + 2 * n);
		}
	}
	free(answer);
	reply(g, "OK");
}

static void query(struct gdb *g, const char *text)
{
	if (take_word(&text, "Supported"))
		reply(g, "PacketSize=%x;qXfer:features:read+;vContSupported+;swbreak+;hwbreak+;"
		      "QStartNoAckMode+", GDB_PACKET_MAX);
	else if (take_word(&text, "Xfer:features:read:"))
		send_features(g, text);
	else if (take_word(&text, "fThreadInfo"))
		list_threads(g);
	else if (take_word(&text, "sThreadInfo"))
		reply(g, "l");
	else if (take_word(&text, "ThreadExtraInfo,"))
		describe_thread(g, text);
	else if (take_word(&text, "Rcmd,"))
		monitor(g, text);
	else if (take_word(&text, "Attached"))
		reply(g, "1");		/* so gdb detaches at its end, and does not kill */
	else if (!strcmp(text, "C"))
		reply(g, "QC%x", g->cpu + 1);
	else
		reply(g, "%s", "");
}

/* -------------------------------------------------------------------------- all */

static void set_thread(struct gdb *g, const char *text)
{
	int cpu;

	/* Hc is of the time before vCont. */
	if (take_char(&text, 'g') && take_thread(g, &text, &cpu)) {
		if (cpu >= 0)
			g->cpu = cpu;
		reply(g, "OK");
	} else if (take_char(&text, 'c')) {
		reply(g, "OK");
	} else {
		reply(g, "E%02x", EINVAL);
	}
}

static void thread_alive(struct gdb *g, const char *text)
{
	int cpu;

	reply_result(g, take_thread(g, &text, &cpu) ? 0 : -ESRCH);
}

static enum gdb_turn packet_v(struct gdb *g, const char *text)
{
	if (take_word(&text, "Cont?")) {
		reply(g, "vCont;c;C;s;S");
		return GDB_STAYS;
	}
	if (take_word(&text, "Cont"))
		return resume(g, text);
	if (take_word(&text, "Kill")) {
		reply(g, "OK");
		target_kill(g);
		return GDB_LEAVES;
	}
	reply(g, "%s", "");
	return GDB_STAYS;
}

/**
 * gdb_packet - do what the packet in g->link asks for
 * @g: the stub of a machine that stands
 *
 * Return: what follows.
 */
enum gdb_turn gdb_packet(struct gdb *g)
{
	const char *text = g->link.packet + 1;
	char step[16];

	switch (g->link.packet[0]) {
	case '?':
		gdb_tell_stop(g, &g->stop);
		break;
	case 'g':
		read_registers(g);
		break;
	case 'G':
		write_registers(g, text);
		break;
	case 'p':
		read_register(g, text);
		break;
	case 'P':
		write_register(g, text);
		break;
	case 'm':
		read_memory(g, text);
		break;
	case 'M':
	case 'X':
		write_memory(g, text, g->link.packet[0] == 'X');
		break;
	case 'Z':
	case 'z':
		breakpoint(g, text, g->link.packet[0] == 'Z');
		break;
	case 'H':
		set_thread(g, text);
		break;
	case 'T':
		thread_alive(g, text);
		break;
	case 'q':
		query(g, text);
		break;
	case 'Q':
		if (strcmp(text, "StartNoAckMode")) {
			reply(g, "%s", "");
			break;
		}
		reply(g, "OK");
		g->link.noack = true;
		break;
	case 'v':
		return packet_v(g, text);
	case 'c':
		return resume(g, ";c");
	case 's':
		snprintf(step, sizeof(step), ";s:%x", g->cpu + 1);
		return resume(g, step);
	case 'D':
		target_let_go(g);
		reply(g, "OK");
		return GDB_LEAVES;
	case 'k':
		target_kill(g);
		return GDB_LEAVES;
	default:
		reply(g, "%s", "");
		break;
	}
	return GDB_STAYS;
}
