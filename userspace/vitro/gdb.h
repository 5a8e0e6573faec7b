/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The gdb stub: gdb's remote serial protocol (Debugging with GDB, appendix E), spoken for a
 * machine that runs, or waits to.
 *
 *   gdb_link.c      bytes to packets and back
 *   gdb.c           what a packet asks for
 *   gdb_regs.c      registers, and the target description that tells gdb of them
 *   gdb_target.c    the vCPUs: stopping, stepping, breakpoints; their memory
 *   gdb_monitor.c   "monitor" commands
 *   gdb_server.c    the thread that listens, and talks to one gdb at a time
 *   gdb_where.c     sockets and serial lines
 *   gdb_attach.c    vitro gdb, which asks a machine to listen
 *
 * gdb's threads are the vCPUs; its thread 1 is vCPU 0.  The machine stops as a whole
 * ("all-stop"): as long as gdb thinks, it is held (pause.h).  When gdb lets single
 * processors go on, as for a step, the others are frozen.
 *
 * What comes over the link is hostile, as anybody may connect: packets are bounded, and
 * whatever they say can hurt the guest only, which is what a debugger is for.
 */
#ifndef VITRO_GDB_H
#define VITRO_GDB_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include <vitro/vitro.h>

struct cpu;
struct machine;

/* ------------------------------------------------------------------- gdb_link.c */

#define GDB_PACKET_MAX	16384	/* bytes of a packet's data; gdb is told so */

/**
 * struct gdb_link - a connection to gdb
 * @fd: the connection
 * @wake_fd: when this becomes readable, nothing is waited for any more
 * @noack: neither side acknowledges packets any more
 * @broken: the other end has gone
 * @state: where in a packet we are
 * @sum: of its data so far; @told: what the packet says it is
 * @len: bytes of @packet; more than GDB_PACKET_MAX: too long a packet
 * @packet: its data, escapes undone, and a 0 at the end
 * @out_len: bytes of @out
 * @out: the last packet sent, should gdb want it again
 */
struct gdb_link {
	int fd;
	int wake_fd;
	bool noack;
	bool broken;
	enum { LINK_IDLE, LINK_DATA, LINK_ESCAPE, LINK_SUM1, LINK_SUM2 } state;
	uint8_t sum, told;
	size_t len;
	char packet[GDB_PACKET_MAX + 1];
	size_t out_len;
	char out[2 * GDB_PACKET_MAX + 5];
};

/* What a byte has brought. */
enum gdb_news { GDB_NOTHING, GDB_PACKET, GDB_INTERRUPT };

void link_init(struct gdb_link *l, int fd, int wake_fd);
enum gdb_news link_byte(struct gdb_link *l, uint8_t c);
void link_send(struct gdb_link *l, const char *data, size_t len);
int hex_digit(int c);
size_t hex_encode(char *to, const void *from, size_t len);
bool hex_decode(void *to, const char *from, size_t len);

/* ------------------------------------------------------------------- gdb_regs.c */

#define GDB_REG_MAX	16	/* bytes of the largest register */

unsigned int regs_nr(bool avx);
size_t regs_size(unsigned int reg);
uint64_t regs_group(unsigned int reg);
void regs_get(const struct vitro_state *state, unsigned int reg, uint8_t value[GDB_REG_MAX]);
void regs_set(struct vitro_state *state, unsigned int reg, const uint8_t value[GDB_REG_MAX]);
char *regs_xml(bool avx);

/* ---------------------------------------------------------------- gdb_target.c */

#define GDB_MAX_BREAKPOINTS	256
#define GDB_NR_DRS		4

/* Kinds of breakpoints, as the Z packets number them. */
enum gdb_kind { GDB_SOFT, GDB_HARD, GDB_WRITE, GDB_READ, GDB_ACCESS };

/**
 * struct gdb_soft - an INT3 in the guest's memory
 * @gva: where gdb wants it
 * @gpa: where it is
 * @byte: what was there
 */
struct gdb_soft {
	uint64_t gva;
	uint64_t gpa;
	uint8_t byte;
};

/**
 * struct gdb_hard - a debug register in use
 * @used: it is
 * @kind: GDB_HARD, GDB_WRITE or GDB_ACCESS
 * @gva: its address
 * @len: bytes that it covers: 1, 2, 4 or 8
 * @start: @size: the address and length that gdb knows it by
 */
struct gdb_hard {
	bool used;
	enum gdb_kind kind;
	uint64_t gva;
	unsigned int len;
	uint64_t start;
	uint64_t size;
};

/**
 * struct gdb_stop - why the machine has stopped
 * @why: what happened
 * @cpu: to which vCPU
 * @addr: STOP_WRITE, STOP_ACCESS: to which address
 */
struct gdb_stop {
	enum {
		STOP_INTERRUPT,		/* gdb asked for it */
		STOP_TRAP,		/* a step, or an INT3 of ours at another address */
		STOP_SOFT,
		STOP_HARD,
		STOP_WRITE,
		STOP_ACCESS,
	} why;
	unsigned int cpu;
	uint64_t addr;
};

/* What a vCPU shall do when gdb lets the machine go on. */
enum gdb_action { GDB_STAY, GDB_CONTINUE, GDB_STEP };

/**
 * struct gdb - the stub of a machine
 *
 * Lock legend: [I] immutable once its thread runs; [s] changed only while the machine
 * stands, and so without a lock; [l] lock; the rest is its thread's own.
 *
 * @m: [I] the machine
 * @listener: [I] where gdbs connect, or -1
 * @thread: [I] talks to them
 * @has_thread: @done: there is one; it has finished: gdb_server.c's lock
 * @event_fd: [I] eventfd: the machine shall stop, or has ended
 * @link: the connection, with @link.fd -1 if there is none
 * @avx: [I] the guest's CPU may have AVX
 * @cpu: the vCPU that packets are about
 * @soft: @nr_soft: [s] breakpoints in memory
 * @hard: [s] breakpoints in debug registers
 * @action: [s] what each vCPU is doing
 * @missed: [s] a stop of a vCPU that came when another one's had been taken
 * @has_missed: [s] there is one
 * @lock: guards:
 * @running: [l] the machine is not held by us
 * @stopping: [l] it is, but vCPUs may run still
 * @over: [l] the machine has ended
 * @stop: [l] why it stopped
 */
struct gdb {
	struct machine *m;
	int listener;
	pthread_t thread;
	bool has_thread;
	bool done;
	int event_fd;
	struct gdb_link link;
	bool avx;
	unsigned int cpu;

	struct gdb_soft soft[GDB_MAX_BREAKPOINTS];
	unsigned int nr_soft;
	struct gdb_hard hard[GDB_NR_DRS];
	enum gdb_action action[VITRO_MAX_VCPUS];
	struct gdb_stop missed[VITRO_MAX_VCPUS];
	bool has_missed[VITRO_MAX_VCPUS];

	pthread_mutex_t lock;
	bool running;
	bool stopping;
	bool over;
	struct gdb_stop stop;
};

unsigned int target_nr_cpus(const struct gdb *g);
int target_get_reg(struct gdb *g, unsigned int cpu, unsigned int reg, uint8_t *value);
int target_set_reg(struct gdb *g, unsigned int cpu, unsigned int reg, const uint8_t *value);
ssize_t target_read(struct gdb *g, uint64_t gva, void *buf, size_t len);
int target_write(struct gdb *g, uint64_t gva, const void *buf, size_t len);
int target_insert(struct gdb *g, enum gdb_kind kind, uint64_t gva, uint64_t len);
int target_remove(struct gdb *g, enum gdb_kind kind, uint64_t gva, uint64_t len);
void target_ask_stop(struct gdb *g, const struct gdb_stop *stop);
bool target_stopped(struct gdb *g);
void target_resume(struct gdb *g);
void target_let_go(struct gdb *g);
void target_kill(struct gdb *g);
void target_describe(struct gdb *g, unsigned int cpu, char *text, size_t size);

/* for vCPUs' threads */
void gdb_look(struct cpu *cpu);

/* ---------------------------------------------------------------------- gdb.c */

/* What a packet has led to. */
enum gdb_turn { GDB_STAYS, GDB_RUNS, GDB_LEAVES };

enum gdb_turn gdb_packet(struct gdb *g);
void gdb_tell_stop(struct gdb *g, const struct gdb_stop *stop);
void gdb_tell_end(struct gdb *g, unsigned int status);

/* -------------------------------------------------------------- gdb_monitor.c */

void gdb_monitor(struct gdb *g, const char *command, FILE *out);

/* --------------------------------------------------------------- gdb_server.c */

/* ----------------------------------------------------------------- gdb_where.c */

int gdb_where_open(const char *where, char *error, size_t size);
void gdb_where_describe(int fd, const char *where, char *text, size_t size);
void gdb_where_close(int fd);

/* ---------------------------------------------------------------- gdb_server.c */

bool gdb_open(struct machine *m, const char *where);
bool gdb_run(struct machine *m);
void gdb_end(struct machine *m);
void gdb_free(struct machine *m);
void gdb_serve(struct machine *m);

#endif /* VITRO_GDB_H */
