// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a machine tells about itself to those who look from outside: each exit, when
 * "vitro trace run" runs it, or when "vitro trace record" asks; its name; and that its
 * guest has panicked.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#include "control.h"
#include "machine.h"
#include "pause.h"
#include "record.h"
#include "sandbox.h"

/* One at a time, as a vCPU has but one ring. */
static atomic_bool recorded;

/**
 * struct own - the recording that this process makes of its machine
 * @file: its name, NULL if nothing is to be recorded
 * @started: it is being made
 * @recorder: the rings, and where they go
 * @thread: who empties them
 * @stop: it shall stop
 */
static struct own {
	const char *file;
	bool started;
	struct recorder recorder;
	pthread_t thread;
	atomic_bool stop;
} own;

static void *read_rings(void *unused)
{
	const struct timespec pause = { .tv_nsec = RECORD_PAUSE_NS };

	(void)unused;
	/* Without this thread, the rings run over, and the recording says how much is lost. */
	if (!sandbox_enter(SANDBOX_RECORD))
		return NULL;
	while (!own.stop) {
		recorder_drain(&own.recorder, false);
		nanosleep(&pause, NULL);
	}
	return NULL;
}

/* The guest's LSTAR, by which Linux tells where it is; 0 if it cannot be read. */
static uint64_t get_lstar(const struct machine *m)
{
	struct vitro_vcpu *vcpu = m->cpu[0].vcpu;

	return vitro_vcpu_get(vcpu, VITRO_STATE_MSRS) ? 0 :
	       vitro_vcpu_comm(vcpu)->state.msrs.lstar;
}

/* A ring of @nr records for a vCPU that does not run; an fd, or -1.  No ring with @nr 0. */
static int set_ring(const struct machine *m, unsigned int i, unsigned int nr)
{
	struct vitro_record_start start = { .nr = nr };

	return ioctl(vitro_vcpu_fd(m->cpu[i].vcpu), VITRO_RECORD, &start);
}

/* ------------------------------------------------------------ by this process */

static bool add_ring(const struct machine *m, unsigned int i)
{
	int fd = set_ring(m, i, RING_RECORDS);

	if (fd < 0) {
		fprintf(stderr, "vitro trace: cannot record vCPU %u: %s\n", i, strerror(errno));
		return false;
	}
	return recorder_add(&own.recorder, fd);
}

/**
 * record_to - record the machine that this process is going to run
 * @file: into this file
 */
void record_to(const char *file)
{
	own.file = file;
}

/**
 * record_start - from now on
 * @m: the machine, about to run
 *
 * Return: false if it cannot be; the reason has been said.
 */
bool record_start(struct machine *m)
{
	const struct vitro_info *info = vitro_get_info(m->dev);
	struct trace_header h = {
		.vendor = info->vendor, .tsc_khz = info->tsc_khz, .nr_vcpus = m->nr_cpus,
	};
	unsigned int i;

	if (!own.file)
		return true;
	if (!recorder_open(&own.recorder, own.file, &h))
		return false;
	for (i = 0; i < m->nr_cpus; i++) {
		if (!add_ring(m, i))
			goto fail;
	}
	if (pthread_create(&own.thread, NULL, read_rings, NULL)) {
		fprintf(stderr, "vitro trace: cannot create a thread\n");
		goto fail;
	}
	own.started = true;
	recorded = true;
	return true;
fail:
	recorder_close(&own.recorder);
	return false;
}

/**
 * record_stop - the machine does not run any more
 * @m: the machine
 *
 * Return: true if the recording is complete as far as it goes, and in the file.
 */
bool record_stop(struct machine *m)
{
	if (!own.started)
		return true;
	own.stop = true;
	pthread_join(own.thread, NULL);
	own.recorder.header.lstar = get_lstar(m);
	recorder_drain(&own.recorder, true);
	return recorder_close(&own.recorder);
}

/* ---------------------------------------------------------- by another process */

/* Returns LSTAR; when the machine has ended, there is nothing to stop. */
static uint64_t stop_rings(struct machine *m)
{
	uint64_t lstar = 0;
	unsigned int i;

	if (pause_machine(m)) {
		pause_lock(m);
		for (i = 0; i < m->nr_cpus; i++)
			set_ring(m, i, 0);
		lstar = get_lstar(m);
		pause_unlock(m);
		pause_resume(m);
	}
	recorded = false;
	return lstar;
}

static void client_gone(void *opaque)
{
	stop_rings(opaque);
}

/* The rings, as far as they could be had, go to @fds. */
static bool start_rings(struct machine *m, struct control_fds *fds, uint64_t *lstar)
{
	bool ok = true;
	int fd;

	if (!pause_machine(m))
		return false;
	pause_lock(m);
	for (unsigned int i = 0; ok && i < m->nr_cpus; i++) {
		fd = set_ring(m, i, RING_RECORDS);
		ok = fd >= 0;
		if (ok)
			fds->fd[fds->nr++] = fd;
	}
	*lstar = get_lstar(m);
	pause_unlock(m);
	pause_resume(m);
	return ok;
}

static json_t *answer_record(struct control_request *req, void *opaque)
{
	struct machine *m = opaque;
	const struct vitro_info *info = vitro_get_info(m->dev);
	uint64_t lstar;

	if (atomic_exchange(&recorded, true))
		return control_fail(req, "the machine is being recorded already");
	if (!start_rings(m, &req->out, &lstar) || !control_at_close(req, client_gone, m)) {
		stop_rings(m);
		return control_fail(req, "the machine does not stop, or has no memory for records");
	}
	return json_pack("{s:i, s:i, s:I}", "vendor", info->vendor, "tsc_khz", info->tsc_khz,
			 "lstar", (json_int_t)lstar);
}

static json_t *answer_record_stop(struct control_request *req, void *opaque)
{
	struct machine *m = opaque;

	if (!control_not_at_close(req, client_gone, m))
		return control_fail(req, "who has not begun a recording cannot end it");
	return json_pack("{s:I}", "lstar", (json_int_t)stop_rings(m));
}

/**
 * record_serve - let others record the machine
 * @m: the machine
 */
void record_serve(struct machine *m)
{
	control_add(m->control, "record", answer_record, m);
	control_add(m->control, "record-stop", answer_record_stop, m);
}

/* ----------------------------------------------------------- what is told at once */

/**
 * tell_name - what vitro ps is to call the machine
 * @m: the machine
 * @name: its name, or NULL; what the module does not take becomes a dash
 */
void tell_name(const struct machine *m, const char *name)
{
	struct vitro_name n = { .name = "" };
	size_t i;

	for (i = 0; name && name[i] && i < sizeof(n.name) - 1; i++) {
		bool good = name[i] > ' ' && name[i] <= '~' && !strchr("\"'\\", name[i]);

		n.name[i] = good ? name[i] : '-';
	}
	if (i)
		ioctl(vitro_vm_fd(m->vm), VITRO_SET_NAME, &n);
}

/**
 * tell_panic - the guest has panicked
 * @m: the machine
 */
void tell_panic(const struct machine *m)
{
	struct vitro_report report = { .what = VITRO_REPORT_PANIC };

	ioctl(vitro_vm_fd(m->vm), VITRO_REPORT, &report);
}
