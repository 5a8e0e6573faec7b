// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vitro run: a kernel, or a snippet of machine code, as a guest.
 *
 * What is asked for (cmdline.c) becomes a machine (build.c) with something to run
 * (boot.c).  Then each vCPU gets a thread (cpu.c), and the main thread waits for the
 * world outside (world.c).
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "boot.h"
#include "cgroup.h"
#include "cmd.h"
#include "gdb.h"
#include "postmortem.h"
#include "record.h"
#include "sandbox.h"
#include "symbols.h"
#include "walk.h"

static void say(const struct config *config, const char *what)
{
	if (config->name)
		fprintf(stderr, "vitro: %s: %s\n", config->name, what);
	else
		fprintf(stderr, "vitro: %s\n", what);
}

/* Options that are wrong together; returns 0 or an exit status. */
static int check_config(const struct config *config)
{
	if (!config->kernel && !config->snippet)
		return usage_error("nothing to run: give --kernel FILE, or a snippet");
	if (config->kernel && config->snippet)
		return usage_error("'%s': a snippet has no kernel; give one of them",
				   config->snippet);
	if (config->snippet && config->initrd)
		return usage_error("--initrd is for kernels");
	if (config->snippet && config->nr_modules)
		return usage_error("--module is for multiboot kernels");
	return 0;
}

/* What other processes can ask of the machine: one line for each feature. */
static void serve(struct machine *m)
{
	m->control = control_new();
	walk_serve(m);
	record_serve(m);
	gdb_serve(m);
}

/* A Linux that has moved itself tells by LSTAR how far; before it sets that, it has not. */
static void explain_triple(struct machine *m)
{
	struct vitro_vcpu *vcpu = m->fallen->vcpu;

	if (m->symbols && !vitro_vcpu_get(vcpu, VITRO_STATE_MSRS))
		symbols_detect(m->symbols, vitro_vcpu_comm(vcpu)->state.msrs.lstar);
	postmortem_print(vcpu, m->symbols, stderr);
}

static int run_machine(struct machine *m, const struct config *config, bool limited)
{
	bool recorded;
	int err;

	tell_name(m, config->name);
	serve(m);
	if (config->gdb && !gdb_open(m, config->gdb))
		return END_HOST;
	if (config->sandbox && !sandbox_begin(limited))
		return END_HOST;
	if (!record_start(m))
		return END_HOST;
	err = world_run(m, config->deadline);
	recorded = record_stop(m);
	if (m->panicked)
		tell_panic(m);
	if (err) {
		fprintf(stderr, "vitro run: epoll, signalfd, timerfd, deadline, thread: %s\n",
			strerror(err));
		return END_HOST;
	}
	if (!config->quiet) {
		if (m->console.last && m->console.last != '\n' && isatty(STDOUT_FILENO))
			fputc('\n', stderr);
		say(config, m->why);
		if (m->fallen)
			explain_triple(m);
	}
	return recorded ? m->status : END_HOST;
}

static int run(const struct config *config)
{
	static struct machine machine;
	static struct cgroup group;
	struct images images = { .code.size = 0 };
	int status = cgroup_enter(&group, config);

	if (!status && config->symbols) {
		machine.symbols = symbols_open(config->symbols);
		status = machine.symbols ? 0 : END_USAGE;
	}
	if (!status)
		status = images_read(&images, config);
	if (!status) {
		status = machine_build(&machine, config);
		if (!status)
			status = boot_load(&machine, config, &images);
		if (!status)
			status = run_machine(&machine, config, group.path[0]);
		machine_fini(&machine);
	}
	images_free(&images);
	symbols_close(machine.symbols);
	cgroup_leave(&group);
	return status;
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
	struct config config = { .kernel = NULL };
	bool done;
	int status = cmdline_parse(&config, argc, argv, &done);

	if (!status && !done)
		status = check_config(&config);
	if (!status && !done)
		status = run(&config);
	config_free(run_options, &config);
	return status;
}
