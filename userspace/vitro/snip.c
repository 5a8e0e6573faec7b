// SPDX-License-Identifier: GPL-2.0-or-later
/* vitro snip: a few instructions in a fresh machine, and every exit they cause. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <vitro/why.h>

#include "postmortem.h"
#include "snip.h"
#include "why.h"

#define VECTOR_GP	13	/* SDM 3A 6.15: general protection */
#define MAX_EXITS	1000
#define DEADLINE	10000000000ULL	/* 10 s */

static const char help[] =
"usage: vitro snip [OPTION]... 'INSTRUCTION; ...'\n"
"       vitro snip [OPTION]... --bytes 'b0 2a e6 80 f4'\n\n"
"Runs a few instructions in a machine of their own: 2 MiB of flat memory, no devices, the\n"
"code at 0x1000, the stack below it.  Shows each exit, what it was about and which registers\n"
"have changed, and in the end the registers.  It ends at HLT, triple fault, or when the CPU\n"
"refuses the state.  IN and reads where no memory is give all ones.\n\n"
"options:\n"
"  -M, --mode MODE       mode it starts in: 16, 32 or 64 (default 64)\n"
"  -I, --intel           the instructions are in Intel's syntax (default AT&T's, as GNU as)\n"
"  -b, --bytes HEX       machine code instead of instructions\n"
"  -f, --file FILE       the same from a file\n"
"  -s, --set NAME=VALUE,...  initial registers, such as rax=1,cs.attrib=0x209b; the name of a\n"
"                        VMCS or VMCB field asks what the CPU would say to it, without trying\n"
"  -w, --why             if the CPU refuses the state, say by which rule of the manual\n"
"  -t, --trace           show the exits, too, that the module deals with by itself\n"
"  -x, --max-exits N     end after so many exits (default 1000)\n"
"  -d, --deadline TIME   end after TIME, such as 500ms (default 10s)\n"
"  -j, --json            all of it for programs\n"
"  -h, --help            this help\n\n"
"Exit status: 0 HLT, 12 triple fault, 13 the CPU refused the state, 14 deadline or too many\n"
"exits, 64 usage or an error in the instructions, 70 something unknown, 71 the host's error.\n";

/**
 * snip_error - say what is wrong
 * @fmt: what
 *
 * Return: END_USAGE.
 */
int snip_error(const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "vitro snip: ");
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fprintf(stderr, "\n");
	return END_USAGE;
}

static int host_error(void)
{
	snip_error("%s", vitro_error());
	return END_HOST;
}

/* ------------------------------------------------------------------------ the clock */

static struct vitro_vcpu *volatile alarm_vcpu;
static volatile sig_atomic_t alarm_rang;

static void on_alarm(int sig)
{
	(void)sig;
	alarm_rang = 1;
	vitro_vcpu_kick(alarm_vcpu);
}

/* For 0, it does not ring: the vCPU that it would kick may be destroyed. */
static void set_alarm(struct vitro_vcpu *vcpu, uint64_t ns)
{
	const struct itimerval when = {
		.it_value = { .tv_sec = ns / 1000000000, .tv_usec = ns % 1000000000 / 1000 },
	};

	alarm_vcpu = vcpu;
	signal(SIGALRM, on_alarm);
	setitimer(ITIMER_REAL, &when, NULL);
}

/* ---------------------------------------------------------------------------- exits */

static int go_on(int err)
{
	if (!err)
		return -1;
	snip_error("%s", vitro_error());
	return END_UNSUPPORTED;
}

/* Does what the exit asks for; -1: run on, else the exit status. */
static int handle_exit(struct snip *s)
{
	static const struct vitro_bus nothing = { .io = NULL };
	struct vitro_comm *comm = vitro_vcpu_comm(s->vcpu);

	switch (comm->exit.reason) {
	case VITRO_EXIT_IO:
		return go_on(vitro_emulate_io(s->vcpu, &nothing));
	case VITRO_EXIT_MMIO:
		return go_on(vitro_emulate_mmio(s->vcpu, &nothing));
	case VITRO_EXIT_RDMSR:
	case VITRO_EXIT_WRMSR:		/* there is no such register */
		return go_on(vitro_raise(s->vcpu, VECTOR_GP, true, 0));
	case VITRO_EXIT_HYPERCALL:	/* there is none that would do anything */
		return go_on(vitro_finish_insn(s->vcpu));
	case VITRO_EXIT_HLT:
		return 0;
	case VITRO_EXIT_SHUTDOWN:
		return END_TRIPLE;
	case VITRO_EXIT_FAIL_ENTRY:
		return END_ENTRY;
	default:
		return END_UNSUPPORTED;
	}
}

/* Until the end; its exit status. */
static int run_guest(struct snip *s)
{
	const struct vitro_comm *comm = vitro_vcpu_comm(s->vcpu);
	int status;

	for (;;) {
		if (vitro_vcpu_run(s->vcpu) || vitro_vcpu_get(s->vcpu, SNIP_GROUPS))
			return host_error();
		if (alarm_rang) {
			snip_error("the deadline has passed");
			snip_show_exit(s);
			return END_DEADLINE;
		}
		if (comm->exit.reason == VITRO_EXIT_INTR)
			continue;
		snip_show_exit(s);
		status = handle_exit(s);
		if (status >= 0)
			return status;
		if (s->nr_exits >= s->max_exits) {
			snip_error("%" PRIu64 " exits: that is the limit (--max-exits)",
				   s->nr_exits);
			return END_DEADLINE;
		}
	}
}

/* ----------------------------------------------------------------------------- the end */

/* Fields of the control structure, which nobody can load, but the explainer can judge. */
static int set_fields(struct snip *s, struct vitro_entry *entry)
{
	unsigned int i;

	for (i = 0; i < s->nr_sets; i++)
		if (!snip_is_register(s->set[i], strcspn(s->set[i], "=")) &&
		    !why_repair(entry, s->set[i]))
			return END_USAGE;
	return 0;
}

static bool has_fields(const struct snip *s)
{
	unsigned int i;

	for (i = 0; i < s->nr_sets; i++)
		if (!snip_is_register(s->set[i], strcspn(s->set[i], "=")))
			return true;
	return false;
}

/*
 * What the explainer says to the last entry, if it was asked; into @root, or printed.
 * Returns the exit status: that of the run, @status, unless the explainer objects.
 */
static int explain(struct snip *s, int status, json_t *root)
{
	struct vitro_entry *entry;
	int verdict;

	if (!has_fields(s) && !(s->why && status == END_ENTRY))
		return status;
	entry = vitro_vcpu_entry(s->vcpu);
	if (!entry)
		return host_error();
	verdict = set_fields(s, entry);
	if (!verdict && !root && has_fields(s))
		printf("with the fields of --set in the last entry, by the manual:\n");
	if (!verdict && root)
		json_object_set_new(root, "why", why_json(entry, &verdict));
	else if (!verdict)
		verdict = why_print(entry);
	vitro_entry_free(entry);
	return verdict ? verdict : status;
}

static int say_end(struct snip *s, int status)
{
	static const char *const words[] = {
		[END_POWEROFF] = "HLT",
		[END_TRIPLE] = "triple fault",
		[END_ENTRY] = "the CPU refused the state (--why)",
		[END_DEADLINE] = "stopped",
	};
	const size_t nr = ARRAY_SIZE(words);

	printf("the end, after %" PRIu64 " exits: %s\n", s->nr_exits,
	       (size_t)status < nr && words[status] ? words[status] : "something unknown");
	snip_print_registers(&vitro_vcpu_comm(s->vcpu)->state);
	if (status == END_TRIPLE)
		postmortem_print(s->vcpu, NULL, stdout);
	return explain(s, status, NULL);
}

static int end_json(struct snip *s, int status)
{
	json_t *root = json_object();

	json_object_set(root, "exits", s->list);
	json_object_set_new(root, "registers",
			    snip_registers(&vitro_vcpu_comm(s->vcpu)->state));
	if (status == END_TRIPLE)
		json_object_set_new(root, "postmortem", postmortem_json(s->vcpu, NULL));
	status = explain(s, status, root);
	json_object_set_new(root, "status", json_integer(status));
	json_dumpf(root, stdout, JSON_INDENT(2));
	printf("\n");
	json_decref(root);
	return status;
}

/* ------------------------------------------------------------------------- the machine */

static int read_code(const struct snip *s, struct vitro_image *image)
{
	if (s->text)
		return snip_assemble(s->text, s->mode, s->intel, image);
	if (s->bytes)
		return snip_bytes(s->bytes, image);
	return vitro_image_read(image, s->file) ? snip_error("%s", vitro_error()) : 0;
}

static int load(struct snip *s, const struct vitro_image *image)
{
	struct vitro_comm *comm = vitro_vcpu_comm(s->vcpu);
	unsigned int i;
	int status = 0;

	if (image->size > SNIP_TABLES - SNIP_CODE)
		return snip_error("%zu bytes are too many; vitro run takes more", image->size);
	if (vitro_load_flat(vitro_vcpu_vm(s->vcpu), image, SNIP_CODE) ||
	    vitro_vcpu_set_mode(s->vcpu, s->mode, SNIP_CODE, SNIP_TABLES))
		return host_error();
	comm->state.gprs.gpr[VITRO_RSP] = SNIP_STACK;
	for (i = 0; i < s->nr_sets && !status; i++)
		if (snip_is_register(s->set[i], strcspn(s->set[i], "=")))
			status = snip_set(s->vcpu, s->set[i]);
	if (!status && vitro_vcpu_get(s->vcpu, SNIP_GROUPS))
		return host_error();
	s->before = comm->state;
	comm->wanted = SNIP_GROUPS;
	return status;
}

static int run_loaded(struct snip *s, const struct vitro_image *image)
{
	int status = load(s, image);

	if (status)
		return status;
	if (s->trace && !snip_trace_start(s))
		return END_HOST;
	s->list = json_array();
	set_alarm(s->vcpu, s->deadline);
	status = run_guest(s);
	set_alarm(s->vcpu, 0);
	if (status != END_HOST)
		status = s->json ? end_json(s, status) : say_end(s, status);
	json_decref(s->list);
	return status;
}

static int run(struct snip *s)
{
	struct vitro_image image = { .size = 0 };
	int status = read_code(s, &image);
	struct vitro *dev;
	struct vitro_vm *vm;

	if (status)
		return status;
	dev = vitro_open(NULL);
	vm = dev ? vitro_vm_create(dev) : NULL;
	s->vcpu = vm && vitro_mem_alloc(vm, 0, SNIP_MEMORY, 0) ? vitro_vcpu_create(vm, 0) : NULL;
	status = s->vcpu ? run_loaded(s, &image) : host_error();
	vitro_vcpu_destroy(s->vcpu);
	vitro_vm_destroy(vm);
	vitro_close(dev);
	vitro_image_free(&image);
	return status;
}

/* ------------------------------------------------------------------------------ options */

static bool parse_mode(const char *value, enum vitro_mode *mode)
{
	uint64_t bits;

	if (!parse_number(value, 16, 64, &bits) || (bits != 16 && bits != 32 && bits != 64))
		return false;
	*mode = bits;
	return true;
}

/* "NAME=VALUE,NAME=VALUE": the commas become ends of strings. */
static bool add_sets(struct snip *s, char *list)
{
	char *set;

	for (set = strtok(list, ","); set; set = strtok(NULL, ",")) {
		if (s->nr_sets == SNIP_MAX_SETS)
			return false;
		s->set[s->nr_sets++] = set;
	}
	return true;
}

/* One option; 0 or an exit status. */
static int set_option(struct snip *s, int c, char *value)
{
	switch (c) {
	case 'M':
		return parse_mode(value, &s->mode) ? 0 : snip_error("--mode '%s': 16, 32 or 64",
								    value);
	case 'I':
		s->intel = true;
		return 0;
	case 'b':
		s->bytes = value;
		return 0;
	case 'f':
		s->file = value;
		return 0;
	case 's':
		return add_sets(s, value) ? 0 : snip_error("--set: that is too much");
	case 'w':
		s->why = true;
		return 0;
	case 't':
		s->trace = true;
		return 0;
	case 'x':
		return parse_number(value, 1, UINT64_MAX, &s->max_exits) ? 0 :
		       snip_error("--max-exits '%s': a number", value);
	case 'd':
		return parse_duration(value, &s->deadline) && s->deadline ? 0 :
		       snip_error("--deadline '%s': a time such as 500ms or 2s", value);
	case 'j':
		s->json = true;
		return 0;
	default:
		return END_USAGE;
	}
}

/**
 * cmd_snip - the subcommand
 * @argc: arguments, the subcommand's name first
 * @argv: they
 *
 * Return: the exit status, an enum exitcode.
 */
int cmd_snip(int argc, char **argv)
{
	static const struct option options[] = {
		{ "mode", required_argument, NULL, 'M' },
		{ "intel", no_argument, NULL, 'I' },
		{ "bytes", required_argument, NULL, 'b' },
		{ "file", required_argument, NULL, 'f' },
		{ "set", required_argument, NULL, 's' },
		{ "why", no_argument, NULL, 'w' },
		{ "trace", no_argument, NULL, 't' },
		{ "max-exits", required_argument, NULL, 'x' },
		{ "deadline", required_argument, NULL, 'd' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 }
	};
	static struct snip snip = {
		.mode = VITRO_MODE_LONG, .max_exits = MAX_EXITS, .deadline = DEADLINE,
	};
	int c, status;

	while ((c = getopt_long(argc, argv, "M:Ib:f:s:wtx:d:jh", options, NULL)) != -1) {
		if (c == 'h') {
			fputs(help, stdout);
			return 0;
		}
		status = set_option(&snip, c, optarg);
		if (status)
			return status;
	}
	if (optind < argc)
		snip.text = argv[optind];
	if (optind + 1 < argc)
		return snip_error("'%s': put all instructions into one argument, in quotes",
				  argv[optind + 1]);
	if (!!snip.text + !!snip.bytes + !!snip.file != 1)
		return snip_error("give instructions, or --bytes, or --file; see --help");
	return run(&snip);
}
