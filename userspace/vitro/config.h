/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What "vitro run" is asked for, and where it is written: on the command line
 * (cmdline.c) or in a machine file (config_json.c).
 *
 * Both read the same table, run_options in options.c.  A new option is a field of
 * struct config and a line there; --help, the machine file, --dump-config and the
 * completion follow.
 */
#ifndef VITRO_CONFIG_H
#define VITRO_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define MAX_DISKS	8
#define MAX_MODULES	16
#define MAX_NETS	4
#define MAX_FORWARDS	16

/**
 * struct disk_config - a disk as it is asked for
 * @file: its sectors, or those that @overlay does not have
 * @ro: the guest cannot write it
 * @overlay: file for what the guest writes; made if it does not exist
 */
struct disk_config {
	char *file;
	bool ro;
	char *overlay;
};

/**
 * struct module_config - a multiboot module as it is asked for
 * @file: file
 * @args: its string, or NULL
 */
struct module_config {
	char *file;
	char *args;
};

/**
 * struct forward_config - a port of the host's for the guest, as it is asked for
 * @rule: as QEMU writes it: [tcp|udp]:[HOSTADDR]:PORT-[GUESTADDR]:PORT
 */
struct forward_config {
	char *rule;
};

/**
 * struct net_config - a network card as it is asked for
 * @user: user-mode networking
 * @tap: or a TAP interface
 * @forward: ports of the host's, with @user
 * @nr_forwards: how many
 * @mac: its address, or NULL
 * @mtu: largest packet, 0 for the usual
 */
struct net_config {
	bool user;
	char *tap;
	struct forward_config forward[MAX_FORWARDS];
	unsigned int nr_forwards;
	char *mac;
	unsigned int mtu;
};

/**
 * struct balloon_config - a balloon as it is asked for
 * @size: bytes that the guest is asked to do without
 */
struct balloon_config {
	uint64_t size;
};

/* What --memory-backing says of transparent huge pages. */
enum thp {
	THP_DEFAULT,
	THP_ALWAYS,
	THP_NEVER,
};

/**
 * struct backing_config - where the guest's memory comes from, as it is asked for
 * @ksm: equal pages may be merged
 * @thp: enum thp
 * @hugetlb: huge pages of 1 << @hugetlb bytes, 0 for none
 * @prealloc: all of it now
 */
struct backing_config {
	bool ksm;
	unsigned int thp;
	unsigned int hugetlb;
	bool prealloc;
};

/* What the terminal is for the guest. */
enum console_kind {
	CONSOLE_SERIAL,
	CONSOLE_VIRTIO,
};

/**
 * struct config - a machine as it is asked for
 *
 * Strings belong to the struct and are NULL when not given.
 *
 * @kernel: file
 * @initrd: file
 * @append: kernel parameters; NULL: those that suit @console
 * @snippet: file
 * @mode: enum vitro_mode that a snippet starts in
 * @load: gpa where it is loaded and started
 * @module: more files for a multiboot kernel
 * @nr_modules: how many
 * @debug_exit: port by which the guest can end the run, 0 for none
 * @memory: bytes
 * @backing: how @memory is had
 * @nr_backings: how many: one or none
 * @cpus: number
 * @cpu_weight: share of CPU time, 0 for the usual
 * @cpu_max: limit of CPU time, as cgroup_enter() reads it, or NULL
 * @memory_max: limit of memory, bytes, 0 for none
 * @cgroup: directory of the group above the machine's, or NULL
 * @disk: disks
 * @nr_disks: how many
 * @net: network cards
 * @nr_nets: how many
 * @console: enum console_kind
 * @balloon: a balloon
 * @nr_balloons: how many: one or none
 * @rng: a source of random numbers
 * @dump_entry: file for an entry that the CPU refuses, or NULL
 * @stuck: nanoseconds after which a guest that gets nowhere is called stuck
 * @symbols: file with names of the guest's addresses, or NULL
 * @deadline: nanoseconds, 0 for none
 * @gdb: where to wait for gdb, or NULL
 * @sandbox: confine the threads: sandbox.h
 * @name: for messages
 * @quiet: do not say how it ended
 */
struct config {
	char *kernel;
	char *initrd;
	char *append;
	char *snippet;
	unsigned int mode;
	unsigned int load;
	struct module_config module[MAX_MODULES];
	unsigned int nr_modules;
	unsigned int debug_exit;
	uint64_t memory;
	struct backing_config backing[1];
	unsigned int nr_backings;
	unsigned int cpus;
	unsigned int cpu_weight;
	char *cpu_max;
	uint64_t memory_max;
	char *cgroup;
	struct disk_config disk[MAX_DISKS];
	unsigned int nr_disks;
	struct net_config net[MAX_NETS];
	unsigned int nr_nets;
	unsigned int console;
	struct balloon_config balloon[1];
	unsigned int nr_balloons;
	bool rng;
	char *dump_entry;
	uint64_t stuck;
	char *symbols;
	uint64_t deadline;
	char *gdb;
	unsigned int sandbox;
	char *name;
	bool quiet;
};

enum opt_kind {
	OPT_FLAG,	/* bool; --name */
	OPT_STRING,	/* char * */
	OPT_NUMBER,	/* unsigned int, decimal or 0x..., from min to max */
	OPT_SIZE,	/* uint64_t, bytes: a multiple of 4096 from min on */
	OPT_DURATION,	/* uint64_t, nanoseconds, not 0 */
	OPT_CHOICE,	/* unsigned int, one of choices */
	OPT_LIST,	/* array of structures with options of their own; may be repeated */

	/* On the command line only. */
	OPT_CONFIG,	/* --config FILE */
	OPT_DUMP,	/* --dump-config */
	OPT_HELP,
};

/**
 * struct opt_choice - a word that an option takes
 * @word: it; NULL ends a list
 * @value: what it stands for
 */
struct opt_choice {
	const char *word;
	unsigned int value;
};

/**
 * struct opt - an option, or a field of a repeatable one
 * @name: on the command line after "--", and in the machine file; NULL ends a table
 * @letter: short option, or 0
 * @arg: what its value is called in the help, in capitals; NULL if it has none
 * @kind: what its value is, and where it goes
 * @offset: of the field in the structure
 * @initial: value when not given, as on the command line; NULL for all zero
 * @min: @max: of a number; @min of a size
 * @choices: of OPT_CHOICE
 * @fields: of OPT_LIST: "--name VALUE,field,field=VALUE"
 * @item_size: of OPT_LIST: bytes of one structure
 * @offset_nr: of OPT_LIST: an unsigned int, how many there are; @max is the room
 * @unnamed: a word without its name before it: an argument that is no option, or the
 *	first in an item of a list
 * @help: a line or two for --help
 */
struct opt {
	const char *name;
	char letter;
	const char *arg;
	enum opt_kind kind;
	size_t offset;
	const char *initial;
	uint64_t min, max;
	const struct opt_choice *choices;
	const struct opt *fields;
	size_t item_size;
	size_t offset_nr;
	bool unnamed;
	const char *help;
};

/**
 * struct complaint - what is wrong with a value
 * @text: one line without its end
 */
struct complaint {
	char text[512];
};

/* options.c */
extern const struct opt run_options[];

/* config.c */
void config_init(const struct opt *table, void *base);
void config_free(const struct opt *table, void *base);
const struct opt *opt_find(const struct opt *table, const char *name);
bool opt_set(const struct opt *opt, void *base, const char *text, struct complaint *why);
void *opt_add_item(const struct opt *opt, void *base, struct complaint *why);
void complain(struct complaint *why, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* config_json.c */
bool config_load(const struct opt *table, void *base, const char *path, struct complaint *why);
bool config_dump(const struct opt *table, const void *base, FILE *out);

/* cmdline.c */
int cmdline_parse(struct config *config, int argc, char **argv, bool *done);
int usage_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif /* VITRO_CONFIG_H */
