// SPDX-License-Identifier: GPL-2.0-or-later
/* A look at all machines: what the module says of them, what has changed since the last. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "times.h"
#include "top.h"

/**
 * top_now - the time that intervals are measured by
 *
 * Return: nanoseconds.
 */
uint64_t top_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

/* --------------------------------------------------------------- one machine */

static struct top_vcpu *vcpu_of(struct top_machine *m, struct nlattr **attrs)
{
	uint32_t id = attr_u32(attrs, VITRO_A_VCPU_ID);

	return attrs[VITRO_A_VCPU_ID] && id < VITRO_MAX_VCPUS ? &m->vcpu[id] : NULL;
}

static void add_times(struct nlattr **attrs, void *opaque)
{
	uint32_t reason = attr_u32(attrs, VITRO_A_REASON);
	struct top_machine *m = opaque;
	struct top_vcpu *v = vcpu_of(m, attrs);
	enum share kernel = SHARE_KERNEL;
	struct vitro_times t;

	if (!v || !attrs[VITRO_A_TIMES] || reason >= VITRO_NR_REASONS)
		return;
	memcpy(&t, nla_data(attrs[VITRO_A_TIMES]), sizeof(t));
	times_add(&m->times[reason], &t);
	if (reason == VITRO_EXIT_HLT)
		kernel = SHARE_IDLE;
	v->used.nr += times_count(&t);
	v->used.cycles[SHARE_BURST] += t.cycles[VITRO_PLACE_BURST];
	v->used.cycles[kernel] += t.cycles[VITRO_PLACE_KERNEL];
	v->used.cycles[SHARE_USER] += t.cycles[VITRO_PLACE_USER];
}

static void add_state(struct nlattr **attrs, void *opaque)
{
	struct top_vcpu *v = vcpu_of(opaque, attrs);

	if (!v)
		return;
	v->there = true;
	v->state = attr_u32(attrs, VITRO_A_MP_STATE);
	v->in_guest = attr_u32(attrs, VITRO_A_IN_GUEST);
}

static void set_rates(struct top_machine *m, const struct top_machine *before)
{
	double cycles = (m->ns - before->ns) / 1e6 * m->vm.tsc_khz;
	unsigned int i, k, nr = 0;

	m->measured = true;
	for (i = 0; i < VITRO_NR_REASONS; i++)
		m->since[i] = times_since(&m->times[i], &before->times[i]);
	for (i = 0; i < VITRO_MAX_VCPUS; i++) {
		struct top_vcpu *v = &m->vcpu[i];

		if (!v->there)
			continue;
		nr++;
		top_share(v, &before->vcpu[i].used, cycles);
		v->exits *= 1e9 / (m->ns - before->ns);
		m->exits += v->exits;
		for (k = 0; k < NR_SHARES; k++)
			m->share[k] += v->share[k];
	}
	for (k = 0; nr && k < NR_SHARES; k++)
		m->share[k] /= nr;
}

/* Names come from other people's programs; the module has looked at them, too. */
static void clean(char *name)
{
	for (; *name; name++) {
		if (!isprint((unsigned char)*name))
			*name = '?';
	}
}

static int look_at(struct top *t, struct top_machine *m, const struct top_machine *before)
{
	int err = 0;

	/* Another reader may have stopped it at its end. */
	if (!m->vm.watched)
		err = family_watch(&t->family, m->vm.id, true);
	m->ours = !m->vm.watched || (before && before->ours);
	m->ns = top_now();
	if (!err)
		err = family_dump(&t->family, VITRO_CMD_STATS_GET, m->vm.id, add_times, m);
	if (!err)
		err = family_dump(&t->family, VITRO_CMD_VCPU_GET, m->vm.id, add_state, m);
	if (!err && before && m->ns > before->ns)
		set_rates(m, before);
	return err;
}

/* -------------------------------------------------------------- all machines */

static const struct top_machine *find(struct top_machine **all, unsigned int nr, uint64_t id)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		if (all[i]->vm.id == id)
			return all[i];
	}
	return NULL;
}

static void free_all(struct top_machine **all, unsigned int nr)
{
	while (nr)
		free(all[--nr]);
	free(all);
}

/* As they were found; one that has ended meanwhile is no matter. */
static void leave_all(struct top *t, struct top_machine **all, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		if (all[i]->ours)
			family_watch(&t->family, all[i]->vm.id, false);
	}
	free_all(all, nr);
}

static double key_of(const struct top_machine *m, enum top_key key)
{
	return key == TOP_BY_EXITS ? m->exits : m->share[key - TOP_BY_SHARE];
}

static int compare(const void *a, const void *b, void *opaque)
{
	const struct top_machine *x = *(struct top_machine **)a, *y = *(struct top_machine **)b;
	enum top_key key = *(enum top_key *)opaque;
	int order = 0;

	if (key == TOP_BY_NAME)
		order = strcmp(x->vm.name, y->vm.name);
	else if (key != TOP_BY_ID && key_of(x, key) != key_of(y, key))
		order = key_of(x, key) > key_of(y, key) ? -1 : 1;
	return order ? order : (x->vm.id > y->vm.id) - (x->vm.id < y->vm.id);
}

/**
 * top_sort - bring machines into the order asked for: names and ids upwards, else the most first
 * @t: they
 */
void top_sort(struct top *t)
{
	qsort_r(t->machine, t->nr, sizeof(*t->machine), compare, &t->key);
}

/**
 * top_look - look at all machines that this user may see
 * @t: they as they were at the last look, if there was one
 *
 * Their exits are timed from now on.
 *
 * Return: 0, or a negative number for nl_geterror().
 */
int top_look(struct top *t)
{
	struct top_machine **all;
	unsigned int nr, i, found = 0;
	struct vm_info *vms;
	int err = family_list(&t->family, &vms, &nr);

	if (err)
		return err;
	all = calloc(nr + 1, sizeof(*all));
	for (i = 0; all && !err && i < nr; i++) {
		struct top_machine *m = calloc(1, sizeof(*m));

		if (!m) {
			err = -NLE_NOMEM;
			break;
		}
		m->vm = vms[i];
		clean(m->vm.name);
		err = look_at(t, m, find(t->machine, t->nr, m->vm.id));
		if (err == -NLE_OBJ_NOTFOUND) {
			free(m);	/* it has just ended */
			err = 0;
			continue;
		}
		all[found++] = m;
	}
	free(vms);
	if (!all)
		return -NLE_NOMEM;
	if (err) {	/* those of the last look are top_end()'s */
		leave_all(t, all, found);
		return err;
	}
	free_all(t->machine, t->nr);
	t->machine = all;
	t->nr = found;
	top_sort(t);
	return 0;
}

/**
 * top_end - leave all machines as they were found
 * @t: they
 */
void top_end(struct top *t)
{
	leave_all(t, t->machine, t->nr);
	t->machine = NULL;
	t->nr = 0;
}
