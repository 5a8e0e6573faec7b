// SPDX-License-Identifier: GPL-2.0-or-later
/* The options of "vitro run": a line each. */
#include <vitro/vitro.h>

#include "config.h"
#include "../devices/net.h"

#define FIELD(name)	offsetof(struct config, name)

static const struct opt_choice modes[] = {
	{ "16", VITRO_MODE_REAL },
	{ "32", VITRO_MODE_PROTECTED },
	{ "64", VITRO_MODE_LONG },
	{ NULL, 0 }
};

static const struct opt disk_options[] = {
	{ "file", 0, "FILE", OPT_STRING, offsetof(struct disk_config, file), .unnamed = true,
	  .help = "file or block device with the disk's sectors" },
	{ "ro", 0, NULL, OPT_FLAG, offsetof(struct disk_config, ro),
	  .help = "the guest cannot write it" },
	{ "overlay", 0, "FILE", OPT_STRING, offsetof(struct disk_config, overlay),
	  .help = "what the guest writes goes here; made if it does not exist" },
	{ .name = NULL }
};

static const struct opt forward_options[] = {
	{ "rule", 0, "RULE", OPT_STRING, offsetof(struct forward_config, rule), .unnamed = true,
	  .help = "[tcp|udp]:[HOSTADDR]:PORT-[GUESTADDR]:PORT" },
	{ .name = NULL }
};

static const struct opt net_options[] = {
	{ "user", 0, NULL, OPT_FLAG, offsetof(struct net_config, user),
	  .help = "a network of the guest's own, without privileges" },
	{ "tap", 0, "NAME", OPT_STRING, offsetof(struct net_config, tap),
	  .help = "a TAP interface of the host's" },
	{ "hostfwd", 0, "RULE", OPT_LIST, offsetof(struct net_config, forward),
	  .max = MAX_FORWARDS, .fields = forward_options,
	  .item_size = sizeof(struct forward_config),
	  .offset_nr = offsetof(struct net_config, nr_forwards),
	  .help = "with user: the host listens for the guest" },
	{ "mac", 0, "ADDR", OPT_STRING, offsetof(struct net_config, mac),
	  .help = "the card's address" },
	{ "mtu", 0, "BYTES", OPT_NUMBER, offsetof(struct net_config, mtu),
	  .min = NET_MTU_MIN, .max = NET_MTU_MAX,
	  .help = "with user: the largest packet" },
	{ .name = NULL }
};

static const struct opt balloon_options[] = {
	{ "size", 0, "SIZE", OPT_SIZE, offsetof(struct balloon_config, size), .unnamed = true,
	  .help = "memory that the guest is asked to do without" },
	{ .name = NULL }
};

static const struct opt_choice thp_choices[] = {
	{ "on", THP_ALWAYS },
	{ "off", THP_NEVER },
	{ NULL, 0 }
};

static const struct opt_choice huge_sizes[] = { { "2M", 21 }, { "1G", 30 }, { NULL, 0 } };

static const struct opt backing_options[] = {
	{ "ksm", 0, NULL, OPT_FLAG, offsetof(struct backing_config, ksm),
	  .help = "equal pages may be merged" },
	{ "thp", 0, "on|off", OPT_CHOICE, offsetof(struct backing_config, thp),
	  .choices = thp_choices, .help = "transparent huge pages, wherever possible or nowhere" },
	{ "hugetlb", 0, "2M|1G", OPT_CHOICE, offsetof(struct backing_config, hugetlb),
	  .choices = huge_sizes, .help = "huge pages that the host has set aside" },
	{ "prealloc", 0, NULL, OPT_FLAG, offsetof(struct backing_config, prealloc),
	  .help = "all of it before the guest starts" },
	{ .name = NULL }
};

static const struct opt_choice on_off[] = { { "on", true }, { "off", false }, { NULL, 0 } };

static const struct opt_choice consoles[] = {
	{ "serial", CONSOLE_SERIAL },
	{ "virtio", CONSOLE_VIRTIO },
	{ NULL, 0 }
};

static const struct opt module_options[] = {
	{ "file", 0, "FILE", OPT_STRING, offsetof(struct module_config, file), .unnamed = true,
	  .help = "its content" },
	{ "args", 0, "STRING", OPT_STRING, offsetof(struct module_config, args),
	  .help = "its string" },
	{ .name = NULL }
};

const struct opt run_options[] = {
	{ "kernel", 'k', "FILE", OPT_STRING, FIELD(kernel),
	  .help = "kernel: bzImage, multiboot, ELF with a PVH entry, vmlinux" },
	{ "initrd", 'i', "FILE", OPT_STRING, FIELD(initrd),
	  .help = "its initial RAM disk" },
	{ "module", 0, "FILE,...", OPT_LIST, FIELD(module), .max = MAX_MODULES,
	  .fields = module_options, .item_size = sizeof(struct module_config),
	  .offset_nr = FIELD(nr_modules),
	  .help = "a module of a multiboot kernel: FILE[,args=STRING]; may be repeated" },
	{ "append", 'a', "STRING", OPT_STRING, FIELD(append),
	  .help = "its parameters (default: console= what --console says)" },
	{ "snippet", 0, "FILE", OPT_STRING, FIELD(snippet), .unnamed = true,
	  .help = "raw machine code instead of a kernel" },
	{ "mode", 'M', "MODE", OPT_CHOICE, FIELD(mode), .initial = "16", .choices = modes,
	  .help = "mode a snippet starts in: 16, 32 or 64" },
	{ "load", 0, "ADDR", OPT_NUMBER, FIELD(load), .initial = "0x1000", .max = 0xffffffff,
	  .help = "address where a snippet is loaded and started" },
	{ "memory", 'm', "SIZE", OPT_SIZE, FIELD(memory), .initial = "256M", .min = 1 << 20,
	  .help = "guest memory, such as 64M or 1G" },
	{ "cpus", 'c', "N", OPT_NUMBER, FIELD(cpus), .initial = "1",
	  .min = 1, .max = VITRO_MAX_VCPUS,
	  .help = "processors" },
	{ "memory-backing", 0, "HOW,...", OPT_LIST, FIELD(backing), .max = 1,
	  .fields = backing_options, .item_size = sizeof(struct backing_config),
	  .offset_nr = FIELD(nr_backings),
	  .help = "ksm, thp=on, thp=off, hugetlb=2M, hugetlb=1G, prealloc" },
	{ "cpu-weight", 0, "N", OPT_NUMBER, FIELD(cpu_weight), .min = 1, .max = 10000,
	  .help = "share of the host's CPU time; others have 100" },
	{ "cpu-max", 0, "QUOTA", OPT_STRING, FIELD(cpu_max),
	  .help = "limit of CPU time, such as 50000/100000: half a CPU" },
	{ "memory-max", 0, "SIZE", OPT_SIZE, FIELD(memory_max), .min = 1 << 20,
	  .help = "limit of the host's memory, vitro's own included" },
	{ "cgroup", 0, "DIR", OPT_STRING, FIELD(cgroup),
	  .help = "make the group for these limits here" },
	{ "disk", 0, "FILE,...", OPT_LIST, FIELD(disk), .max = MAX_DISKS,
	  .fields = disk_options, .item_size = sizeof(struct disk_config),
	  .offset_nr = FIELD(nr_disks),
	  .help = "a disk: FILE[,ro][,overlay=FILE]; may be repeated" },
	{ "net", 0, "user|tap=NAME,...", OPT_LIST, FIELD(net), .max = MAX_NETS,
	  .fields = net_options, .item_size = sizeof(struct net_config),
	  .offset_nr = FIELD(nr_nets),
	  .help = "a network card: user[,hostfwd=RULE]... or tap=NAME; may be repeated" },
	{ "console", 0, "KIND", OPT_CHOICE, FIELD(console), .initial = "serial",
	  .choices = consoles,
	  .help = "what the terminal is for the guest: serial (ttyS0) or virtio (hvc0)" },
	{ "balloon", 0, "SIZE", OPT_LIST, FIELD(balloon), .max = 1,
	  .fields = balloon_options, .item_size = sizeof(struct balloon_config),
	  .offset_nr = FIELD(nr_balloons),
	  .help = "a balloon, to get memory back: SIZE of it at once, 0 just what is free" },
	{ "rng", 0, NULL, OPT_FLAG, FIELD(rng),
	  .help = "a source of random numbers" },
	{ "debug-exit", 0, "PORT", OPT_NUMBER, FIELD(debug_exit), .max = 0xffff,
	  .help = "the guest's OUT of N to PORT ends the run with status 2*N+1" },
	{ "dump-entry", 0, "FILE", OPT_STRING, FIELD(dump_entry),
	  .help = "if the CPU refuses the guest, write what it refused, for \"vitro why\"" },
	{ "gdb", 0, "WHERE", OPT_STRING, FIELD(gdb),
	  .help = "wait for gdb at [HOST:]PORT or PATH; with \",nowait\", run until it comes" },
	{ "symbols", 0, "FILE", OPT_STRING, FIELD(symbols),
	  .help = "names of the guest's addresses: vmlinux, System.map or its kallsyms" },
	{ "stuck", 0, "TIME", OPT_DURATION, FIELD(stuck), .initial = "10s",
	  .help = "say so when the guest gets nowhere for TIME" },
	{ "deadline", 'd', "TIME", OPT_DURATION, FIELD(deadline),
	  .help = "end the guest after TIME, such as 60s or 2m" },
	{ "sandbox", 0, "on|off", OPT_CHOICE, FIELD(sandbox), .initial = "on", .choices = on_off,
	  .help = "on: let a guest that breaks out do next to nothing" },
	{ "name", 'n', "NAME", OPT_STRING, FIELD(name),
	  .help = "name of the guest in messages" },
	{ "quiet", 'q', NULL, OPT_FLAG, FIELD(quiet),
	  .help = "do not say how it ended" },
	{ "config", 0, "FILE", OPT_CONFIG,
	  .help = "read options from a JSON file; the command line overrides it" },
	{ "dump-config", 0, NULL, OPT_DUMP,
	  .help = "print such a file for this machine, and do not run it" },
	{ "help", 'h', NULL, OPT_HELP,
	  .help = "this help" },
	{ .name = NULL }
};
