// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Making a recording: the kernel's rings of exits, one a vCPU, are emptied into a file.
 *
 * Whoever has the rings can do it: the machine's own process (record_machine.c), or
 * another one to which it has passed them (record_command.c).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "record.h"

#define RING_BYTES	(VITRO_RING_RECORDS + RING_RECORDS * sizeof(struct vitro_record))

static void say_failed(const struct recorder *r, int err)
{
	fprintf(stderr, "vitro trace: cannot write '%s': %s\n", r->file, strerror(err));
}

/**
 * recorder_open - begin a file
 * @r: filled in; recorder_close() is due on success
 * @file: its name
 * @h: its header, but for the magic and sizes
 *
 * Return: false if it cannot be; the reason has been said.
 */
bool recorder_open(struct recorder *r, const char *file, const struct trace_header *h)
{
	memset(r, 0, sizeof(*r));
	r->file = file;
	r->header = *h;
	memcpy(r->header.magic, TRACE_MAGIC, sizeof(r->header.magic));
	r->header.entry_size = sizeof(struct trace_entry);
	r->out = fopen(file, "we");
	if (r->out && fwrite(&r->header, sizeof(r->header), 1, r->out) == 1)
		return true;
	say_failed(r, errno);
	if (r->out)
		fclose(r->out);
	return false;
}

/**
 * recorder_add - the next vCPU's ring
 * @r: with fewer rings than its header has vCPUs
 * @fd: the ring, as VITRO_RECORD gave it; closed
 *
 * Return: false if it is none; the reason has been said.
 */
bool recorder_add(struct recorder *r, int fd)
{
	const struct vitro_ring *ring = mmap(NULL, RING_BYTES, PROT_READ, MAP_SHARED, fd, 0);

	close(fd);
	if (ring == MAP_FAILED) {
		fprintf(stderr, "vitro trace: cannot map the recorder: %s\n", strerror(errno));
		return false;
	}
	if (ring->nr != RING_RECORDS || ring->record_size != sizeof(struct vitro_record)) {
		fprintf(stderr, "vitro trace: the recorder is of another version of vitro\n");
		munmap((void *)ring, RING_BYTES);
		return false;
	}
	r->source[r->nr++].ring = ring;
	return true;
}

static void write_entry(struct recorder *r, const struct trace_entry *e)
{
	if (fwrite(e, sizeof(*e), 1, r->out) != 1 && !r->failed)
		r->failed = errno;
	r->written++;
}

/* Reads what is complete: all but the youngest, which is taken with @all too. */
static void drain(struct recorder *r, unsigned int vcpu, bool all)
{
	struct source *s = &r->source[vcpu];
	const struct vitro_record *slots = (const void *)((const char *)s->ring +
							  VITRO_RING_RECORDS);
	uint64_t head = __atomic_load_n(&s->ring->head, __ATOMIC_ACQUIRE);
	uint64_t end = all || !head ? head : head - 1, overwritten;
	struct trace_entry e;

	/* These are gone, and need not be looked at one by one. */
	if (end > s->next && end - s->next > RING_RECORDS) {
		s->lost += end - RING_RECORDS - s->next;
		s->next = end - RING_RECORDS;
	}
	for (; s->next < end; s->next++) {
		memset(&e, 0, sizeof(e));
		e.record = slots[s->next % RING_RECORDS];
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		/* With the record just behind the oldest one, the kernel may be busy. */
		overwritten = s->ring->overwritten;
		if (overwritten && s->next <= overwritten) {
			s->lost++;
			continue;
		}
		e.vcpu = vcpu;
		e.lost = s->lost;
		r->header.lost += s->lost;
		s->lost = 0;
		write_entry(r, &e);
	}
}

/**
 * recorder_drain - write what has been recorded since the last time
 * @r: the recorder
 * @all: nothing is being recorded any more
 *
 * Return: false when that is so, as all vCPUs are gone.
 */
bool recorder_drain(struct recorder *r, bool all)
{
	bool alive = false;
	unsigned int i;

	for (i = 0; i < r->nr; i++) {
		bool ended = __atomic_load_n(&r->source[i].ring->ended, __ATOMIC_ACQUIRE);

		drain(r, i, all || ended);
		alive |= !ended;
	}
	return alive;
}

/**
 * recorder_close - complete the file, and say how much is in it
 * @r: the recorder
 *
 * Return: false if it could not be written; the reason has been said.
 */
bool recorder_close(struct recorder *r)
{
	unsigned int i;

	for (i = 0; i < r->nr; i++) {
		r->header.lost += r->source[i].lost;
		munmap((void *)r->source[i].ring, RING_BYTES);
	}
	/* What its header says now was not known in the beginning. */
	rewind(r->out);
	if (fwrite(&r->header, sizeof(r->header), 1, r->out) != 1 && !r->failed)
		r->failed = errno;
	if (fclose(r->out) && !r->failed)
		r->failed = errno;
	if (r->failed)
		say_failed(r, r->failed);
	fprintf(stderr, "vitro trace: %llu exits recorded in %s, %llu lost\n",
		(unsigned long long)r->written, r->file, (unsigned long long)r->header.lost);
	return !r->failed;
}
