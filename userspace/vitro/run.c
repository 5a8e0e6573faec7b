// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vitro run: a kernel, or a snippet of machine code, as a guest.
 *
 * This file reads the command line and builds the machine.  Then each vCPU gets a
 * thread (cpu.c), and the main thread waits for the world outside (world.c).
 */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "machine.h"
#include "../devices/acpi.h"

/* Guest physical memory (see Documentation/vitro-run.rst). */
#define LOW_RAM_END	0xa0000ULL	/* then video memory on a PC, and firmware */
#define HIGH_RAM	0x100000ULL
#define HOLE_START	0xc0000000ULL	/* devices live below 4 GiB */
#define HOLE_END	0x100000000ULL
#define MIN_MEMORY	0x100000ULL

#define MAP_MAX		4	/* lines of the memory map */

#define SNIPPET_BASE	0x1000
#define SNIPPET_TABLES	0x80000		/* GDT and page tables of modes 32 and 64 */
#define SNIPPET_MAX	(SNIPPET_TABLES - SNIPPET_BASE)

/**
 * struct options - the command line
 * @kernel: file, or NULL
 * @initrd: file, or NULL
 * @append: kernel parameters
 * @snippet: file, or NULL
 * @mode: processor mode that a snippet starts in
 * @memory: bytes
 * @deadline: nanoseconds, 0 for none
 * @cpus: number
 * @name: for messages, or NULL
 * @quiet: do not say how it ended
 */
struct options {
	const char *kernel;
	const char *initrd;
	const char *append;
	const char *snippet;
	enum vitro_mode mode;
	uint64_t memory;
	uint64_t deadline;
	unsigned int cpus;
	const char *name;
	bool quiet;
};

/**
 * struct images - the files
 * @code: kernel or snippet
 * @initrd: empty if there is none
 */
struct images {
	struct vitro_image code;
	struct vitro_image initrd;
};

/* ---------------------------------------------------------------- messages */

static void say(const struct options *opt, const char *what)
{
	if (opt->name)
		fprintf(stderr, "vitro: %s: %s\n", opt->name, what);
	else
		fprintf(stderr, "vitro: %s\n", what);
}

__attribute__((format(printf, 1, 2)))
static int usage_error(const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "vitro run: ");
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fprintf(stderr, " (\"vitro run --help\" lists the options)\n");
	return END_USAGE;
}

static void list_options(void)
{
	printf("usage: vitro run [OPTION]... --kernel FILE\n"
	       "       vitro run [OPTION]... SNIPPET\n\n"
	       "Runs a guest until it ends; the exit status says how.\n\n"
	       "  -k, --kernel FILE    kernel: bzImage, or ELF with a PVH entry\n"
	       "  -i, --initrd FILE    its initial RAM disk\n"
	       "  -a, --append STRING  its parameters (default: console=ttyS0)\n"
	       "  -M, --mode MODE      mode a snippet starts in: 16, 32 or 64 (default: 16)\n"
	       "  -m, --memory SIZE    guest memory, such as 64M or 1G (default: 256M)\n"
	       "  -c, --cpus N         processors (default: 1)\n"
	       "  -d, --deadline TIME  end the guest after TIME, such as 60s or 2m\n"
	       "  -n, --name NAME      name of the guest in messages\n"
	       "  -q, --quiet          do not say how it ended\n"
	       "  -h, --help           this help\n\n"
	       "The guest's serial port (COM1) is this terminal; Ctrl-A h lists its keys.\n"
	       "A SNIPPET is raw machine code, loaded and started at 0x%x; what it writes to\n"
	       "port 0xe9 or COM1 is printed, and HLT with interrupts off ends it.\n\n"
	       "exit status: 0 power-off (or a snippet's HLT), %d reset, %d guest panic,\n"
	       "%d triple fault, %d the CPU refused the guest's state, %d deadline, %d halted,\n"
	       "%d stopped by the user or a signal, %d bad usage, %d the guest did something\n"
	       "unknown to vitro, %d an error of the host.\n",
	       SNIPPET_BASE, END_RESET, END_PANIC, END_TRIPLE, END_ENTRY, END_DEADLINE,
	       END_HALTED, END_STOPPED, END_USAGE, END_UNSUPPORTED, END_HOST);
}

/* ----------------------------------------------------------------- options */

static const struct option long_options[] = {
	{ "kernel", required_argument, NULL, 'k' },
	{ "initrd", required_argument, NULL, 'i' },
	{ "append", required_argument, NULL, 'a' },
	{ "mode", required_argument, NULL, 'M' },
	{ "memory", required_argument, NULL, 'm' },
	{ "cpus", required_argument, NULL, 'c' },
	{ "deadline", required_argument, NULL, 'd' },
	{ "name", required_argument, NULL, 'n' },
	{ "quiet", no_argument, NULL, 'q' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 }
};

static int parse_mode(const char *s, enum vitro_mode *mode)
{
	if (!strcmp(s, "16"))
		*mode = VITRO_MODE_REAL;
	else if (!strcmp(s, "32"))
		*mode = VITRO_MODE_PROTECTED;
	else if (!strcmp(s, "64"))
		*mode = VITRO_MODE_LONG;
	else
		return usage_error("--mode '%s': 16, 32 or 64", s);
	return 0;
}

static int parse_memory(const char *s, uint64_t *memory)
{
	if (!parse_size(s, memory))
		return usage_error("--memory '%s': a size such as 256M or 1G", s);
	if (*memory < MIN_MEMORY || *memory % 4096)
		return usage_error("--memory '%s': at least 1M, and a multiple of 4096", s);
	return 0;
}

static int parse_cpus(const char *s, unsigned int *cpus)
{
	uint64_t n;

	if (!parse_number(s, 1, VITRO_MAX_VCPUS, &n))
		return usage_error("--cpus '%s': a number from 1 to %d", s, VITRO_MAX_VCPUS);
	*cpus = n;
	return 0;
}

/* One option; returns 0 or an exit status. */
static int parse_option(int c, struct options *opt)
{
	switch (c) {
	case 'k':
		opt->kernel = optarg;
		return 0;
	case 'i':
		opt->initrd = optarg;
		return 0;
	case 'a':
		opt->append = optarg;
		return 0;
	case 'M':
		return parse_mode(optarg, &opt->mode);
	case 'm':
		return parse_memory(optarg, &opt->memory);
	case 'c':
		return parse_cpus(optarg, &opt->cpus);
	case 'd':
		if (!parse_duration(optarg, &opt->deadline) || !opt->deadline)
			return usage_error("--deadline '%s': a time such as 500ms, 60s or 2m",
					   optarg);
		return 0;
	case 'n':
		opt->name = optarg;
		return 0;
	case 'q':
		opt->quiet = true;
		return 0;
	default:
		return END_USAGE;	/* getopt has said why */
	}
}

/* Returns 0 or an exit status. */
static int check_options(const struct options *opt)
{
	if (!opt->kernel && !opt->snippet)
		return usage_error("nothing to run: give --kernel FILE, or a snippet");
	if (opt->kernel && opt->snippet)
		return usage_error("'%s': a snippet has no kernel; give one of them",
				   opt->snippet);
	if (opt->snippet && opt->initrd)
		return usage_error("--initrd is for kernels");
	return 0;
}

/* ------------------------------------------------------------------- files */

static int read_image(struct vitro_image *image, const char *path)
{
	int err = vitro_image_read(image, path);

	if (!err)
		return 0;
	fprintf(stderr, "vitro run: cannot read '%s': %s\n", path, strerror(-err));
	return END_USAGE;
}

/* Returns 0 or an exit status; free_images() is due in any case. */
static int read_images(struct images *images, const struct options *opt)
{
	int status = read_image(&images->code, opt->kernel ? opt->kernel : opt->snippet);

	if (!status && opt->initrd)
		status = read_image(&images->initrd, opt->initrd);
	if (!status && opt->snippet && images->code.size > SNIPPET_MAX)
		status = usage_error("'%s': %zu bytes; a snippet has at most %d", opt->snippet,
				     images->code.size, SNIPPET_MAX);
	return status;
}

static void free_images(struct images *images)
{
	vitro_image_free(&images->code);
	vitro_image_free(&images->initrd);
}

/* -------------------------------------------------------------- the guest */

/* Memory up to the device hole, and the rest above it. */
static bool add_memory(struct machine *m, uint64_t size)
{
	uint64_t low = size < HOLE_START ? size : HOLE_START;

	if (!vitro_mem_alloc(m->vm, 0, low, 0))
		return false;
	return size == low || vitro_mem_alloc(m->vm, HOLE_END, size - low, 0);
}

/* What the guest is told about it; returns the number of lines, at most MAP_MAX. */
static unsigned int memory_map(uint64_t size, struct vitro_range *map)
{
	uint64_t low = size < HOLE_START ? size : HOLE_START;
	unsigned int nr = 0;

	map[nr++] = (struct vitro_range){ 0, LOW_RAM_END, VITRO_RANGE_RAM };
	map[nr++] = (struct vitro_range){ ACPI_BASE, HIGH_RAM - ACPI_BASE, VITRO_RANGE_RESERVED };
	if (low > HIGH_RAM)
		map[nr++] = (struct vitro_range){ HIGH_RAM, low - HIGH_RAM, VITRO_RANGE_RAM };
	if (size > low)
		map[nr++] = (struct vitro_range){ HOLE_END, size - low, VITRO_RANGE_RAM };
	return nr;
}

static bool add_cpus(struct machine *m, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		m->cpu[i].machine = m;
		m->cpu[i].id = i;
		m->cpu[i].vcpu = vitro_vcpu_create(m->vm, i);
		if (!m->cpu[i].vcpu)
			return false;
		m->nr_cpus++;
	}
	return true;
}

static bool add_acpi(struct machine *m)
{
	static uint8_t tables[ACPI_SIZE];
	size_t len = acpi_build(tables, sizeof(tables), ACPI_BASE, m->nr_cpus);

	return len && !vitro_write_gpa(m->vm, ACPI_BASE, tables, len);
}

static bool load_kernel(struct machine *m, const struct options *opt,
			const struct images *images)
{
	struct vitro_range map[MAP_MAX];
	const struct vitro_boot boot = {
		.kernel = images->code,
		.initrd = images->initrd,
		.cmdline = opt->append,
		.map = map,
		.nr_map = memory_map(opt->memory, map),
		.rsdp = ACPI_BASE,
	};

	return vitro_load_kernel(m->cpu[0].vcpu, &boot) == 0;
}

static bool load_snippet(struct machine *m, const struct options *opt,
			 const struct images *images)
{
	struct vitro_vcpu *vcpu = m->cpu[0].vcpu;

	if (vitro_load_flat(m->vm, &images->code, SNIPPET_BASE) < 0 ||
	    vitro_vcpu_set_mode(vcpu, opt->mode, SNIPPET_BASE, SNIPPET_TABLES) < 0)
		return false;
	/* A stack, below the code. */
	vitro_vcpu_comm(vcpu)->state.gprs.gpr[VITRO_RSP] = SNIPPET_BASE;
	return true;
}

static int host_error(void)
{
	fprintf(stderr, "vitro run: %s\n", vitro_error());
	return END_HOST;
}

/* Everything before the first instruction; returns 0 or an exit status. */
static int build(struct machine *m, const struct options *opt, const struct images *images)
{
	const struct vitro_info *info;

	m->is_snippet = opt->snippet;
	m->dev = vitro_open(NULL);
	if (!m->dev)
		return host_error();
	info = vitro_get_info(m->dev);
	if (opt->cpus > info->max_vcpus)
		return usage_error("--cpus %u: this host runs guests with up to %u",
				   opt->cpus, info->max_vcpus);
	if (opt->memory + (HOLE_END - HOLE_START) > 1ULL << info->gpa_bits)
		return usage_error("--memory: guests on this host have addresses of %u bits",
				   info->gpa_bits);
	m->vm = vitro_vm_create(m->dev);
	if (!m->vm || !add_memory(m, opt->memory) || !add_cpus(m, opt->cpus) || !add_acpi(m))
		return host_error();
	if (opt->snippet)
		return load_snippet(m, opt, images) ? 0 : host_error();
	if (load_kernel(m, opt, images))
		return 0;
	fprintf(stderr, "vitro run: cannot load '%s': %s\n", opt->kernel, vitro_error());
	return END_USAGE;
}

static int run_machine(struct machine *m, const struct options *opt)
{
	int err = world_run(m, opt->deadline);

	if (err) {
		fprintf(stderr, "vitro run: epoll, signalfd, timerfd, thread: %s\n",
			strerror(err));
		return END_HOST;
	}
	if (!opt->quiet) {
		if (m->console.last && m->console.last != '\n' && isatty(STDOUT_FILENO))
			fputc('\n', stderr);
		say(opt, m->why);
	}
	return m->status;
}

/**
 * cmd_run - the subcommand
 * @argc: arguments, the subcommand's name first
 * @argv: they
 *
 * Return: the exit status, an enum exitcode.
 */
int cmd_run(int argc, char **argv)
{
	static struct machine machine;
	struct options opt = {
		.append = "console=ttyS0",
		.mode = VITRO_MODE_REAL,
		.memory = 256ULL << 20,
		.cpus = 1,
	};
	struct images images = { .code.size = 0 };
	int c, status;

	while ((c = getopt_long(argc, argv, "k:i:a:M:m:c:d:n:qh", long_options, NULL)) != -1) {
		if (c == 'h') {
			list_options();
			return 0;
		}
		status = parse_option(c, &opt);
		if (status)
			return status;
	}
	if (optind < argc)
		opt.snippet = argv[optind++];
	if (optind < argc)
		return usage_error("'%s': one snippet at a time", argv[optind]);
	status = check_options(&opt);
	if (status)
		return status;

	status = read_images(&images, &opt);
	if (status)
		goto out_images;
	if (!machine_init(&machine)) {
		fprintf(stderr, "vitro run: eventfd, timerfd: %s\n", strerror(errno));
		status = END_HOST;
		goto out_images;
	}
	status = build(&machine, &opt, &images);
	if (!status)
		status = run_machine(&machine, &opt);
	machine_fini(&machine);

out_images:
	free_images(&images);
	return status;
}
