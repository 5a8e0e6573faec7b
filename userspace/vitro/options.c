// SPDX-License-Identifier: GPL-2.0-or-later
/* The options of "vitro run": a line each. */
#include <vitro/vitro.h>

#include "config.h"

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
	{ "append", 'a', "STRING", OPT_STRING, FIELD(append), .initial = "console=ttyS0",
	  .help = "its parameters" },
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
	{ "disk", 0, "FILE,...", OPT_LIST, FIELD(disk), .max = MAX_DISKS,
	  .fields = disk_options, .item_size = sizeof(struct disk_config),
	  .offset_nr = FIELD(nr_disks),
	  .help = "a disk: FILE[,ro][,overlay=FILE]; may be repeated" },
	{ "debug-exit", 0, "PORT", OPT_NUMBER, FIELD(debug_exit), .max = 0xffff,
	  .help = "the guest's OUT of N to PORT ends the run with status 2*N+1" },
	{ "deadline", 'd', "TIME", OPT_DURATION, FIELD(deadline),
	  .help = "end the guest after TIME, such as 60s or 2m" },
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
