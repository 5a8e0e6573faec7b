// SPDX-License-Identifier: GPL-2.0-or-later
/* vitro trace record: the exits of a machine that runs already, by its control socket. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cmd.h"
#include "control.h"
#include "record.h"

static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
	(void)sig;
	interrupted = true;
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

/* Until the user, the clock or the machine says that it is enough. */
static void read_rings(struct recorder *r, uint64_t duration)
{
	const struct timespec pause = { .tv_nsec = RECORD_PAUSE_NS };
	const struct sigaction action = { .sa_handler = on_signal };
	uint64_t end = duration ? now_ns() + duration : UINT64_MAX;

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	while (!interrupted && now_ns() < end && recorder_drain(r, false))
		nanosleep(&pause, NULL);
}

/* The machine's answer to "record": a header, and a ring for each vCPU. */
static bool begin(struct recorder *r, struct control_client *c, const char *file)
{
	struct control_fds *fds = &c->wire.fds;
	struct trace_header h = { .lstar = 0 };
	json_int_t lstar = 0;
	int vendor, tsc_khz;
	unsigned int i;
	json_t *answer;
	bool good;

	answer = control_call(c, json_pack("{s:s}", "command", "record"));
	if (!answer) {
		fprintf(stderr, "vitro trace: %s\n", c->error);
		return false;
	}
	good = !json_unpack(answer, "{s:i, s:i, s:I}", "vendor", &vendor, "tsc_khz", &tsc_khz,
			    "lstar", &lstar);
	json_decref(answer);
	if (!good || tsc_khz <= 0 || !fds->nr || fds->nr > VITRO_MAX_VCPUS) {
		fprintf(stderr, "vitro trace: the machine's answer makes no sense\n");
		return false;
	}
	h.vendor = vendor;
	h.tsc_khz = tsc_khz;
	h.nr_vcpus = fds->nr;
	h.lstar = lstar;
	if (!recorder_open(r, file, &h))
		return false;
	for (i = 0; i < h.nr_vcpus; i++) {
		if (!recorder_add(r, control_take_fd(fds, i))) {
			recorder_close(r);
			return false;
		}
	}
	return true;
}

/* Now LSTAR may be known, if the guest was still booting when it began. */
static void end(struct recorder *r, struct control_client *c)
{
	json_t *answer = control_call(c, json_pack("{s:s}", "command", "record-stop"));
	json_int_t lstar = json_integer_value(json_object_get(answer, "lstar"));

	if (lstar)
		r->header.lstar = lstar;
	json_decref(answer);
	recorder_drain(r, true);
}

/**
 * record_command - record a machine that runs
 * @file: into this file
 * @which: its name or id, or NULL if there is but one
 * @duration: for so many nanoseconds; 0 until SIGINT or its end
 *
 * Return: an exit status.
 */
int record_command(const char *file, const char *which, uint64_t duration)
{
	static struct recorder r;
	struct control_client c;
	int status = control_connect(&c, "trace", which);

	if (status)
		return status;
	status = END_HOST;
	if (begin(&r, &c, file)) {
		read_rings(&r, duration);
		end(&r, &c);
		if (recorder_close(&r))
			status = 0;
	}
	control_disconnect(&c);
	return status;
}
