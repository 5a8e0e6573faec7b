// SPDX-License-Identifier: GPL-2.0-or-later
/* The machine's side of vitro walk: it stops, looks, and goes on. */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "machine.h"
#include "walk.h"

static void look_at_target(struct machine *m, uint64_t gpa, struct walk_target *t)
{
	struct vitro_tdp_walk w = { .gpa = gpa };
	unsigned int i;

	*t = (struct walk_target){ .gpa = gpa, .memory = vitro_gpa_to_hva(m->vm, gpa, 1) };
	if (ioctl(vitro_vm_fd(m->vm), VITRO_TDP_WALK, &w))
		return;		/* more bits than a guest's address has */
	t->levels = w.levels;
	t->nr = w.nr;
	t->withheld = w.withheld;
	t->root = w.root;
	t->page_size = w.page_size;
	t->hpa = w.hpa;
	for (i = 0; i < w.nr; i++)
		t->entry[i] = w.entry[i];
}

/**
 * walk_look - walk both dimensions
 * @m: the machine, which the caller holds, with pause_lock()
 * @vcpu: number of the vCPU
 * @gva: linear address
 * @access: VITRO_ACCESS_*
 * @v: filled in
 *
 * Return: as vitro_walk().
 */
int walk_look(struct machine *m, unsigned int vcpu, uint64_t gva, unsigned int access,
	      struct walk_view *v)
{
	const struct vitro_state *s = &vitro_vcpu_comm(m->cpu[vcpu].vcpu)->state;
	unsigned int i;
	int err;

	*v = (struct walk_view){ .vcpu = vcpu };
	err = vitro_walk(m->cpu[vcpu].vcpu, gva, access, &v->walk);
	if (err)
		return err;
	v->vendor = vitro_get_info(m->dev)->vendor;
	v->cpl = (s->segs.seg[VITRO_SS].attrib & VITRO_SEG_DPL) >> 5;
	v->cr0 = s->crs.cr0;
	v->cr3 = s->crs.cr3;
	v->cr4 = s->crs.cr4;
	v->efer = s->crs.efer;
	for (i = 0; i < v->walk.nr; i++)
		look_at_target(m, v->walk.step[i].gpa, &v->target[i]);
	if (v->walk.page_size)
		look_at_target(m, v->walk.gpa, &v->target[i++]);
	v->nr_targets = i;
	return 0;
}

/* The address in a register, as the CPU would use it; false: no such register. */
static bool register_gva(struct vitro_vcpu *vcpu, const char *name, uint64_t *gva)
{
	const struct vitro_state *s = &vitro_vcpu_comm(vcpu)->state;

	if (vitro_vcpu_get(vcpu, VITRO_STATE_GPRS | VITRO_STATE_SEGS | VITRO_STATE_CRS) < 0)
		return false;
	if (!strcmp(name, "rip"))
		*gva = cpu_linear(s, VITRO_CS, s->gprs.rip);
	else if (!strcmp(name, "rsp"))
		*gva = cpu_linear(s, VITRO_SS, s->gprs.gpr[VITRO_RSP]);
	else if (!strcmp(name, "cr2"))
		*gva = s->crs.cr2;
	else
		return false;
	return true;
}

static bool flag(const json_t *args, const char *name)
{
	return json_is_true(json_object_get(args, name));
}

static json_t *walk_held(struct control_request *req, struct machine *m, unsigned int vcpu)
{
	const char *name = json_string_value(json_object_get(req->args, "register"));
	unsigned int access = 0;
	struct walk_view v;
	uint64_t gva;

	if (flag(req->args, "write"))
		access |= VITRO_ACCESS_WRITE;
	if (flag(req->args, "exec"))
		access |= VITRO_ACCESS_EXEC;
	if (flag(req->args, "user"))
		access |= VITRO_ACCESS_USER;
	if (flag(req->args, "system"))
		access |= VITRO_ACCESS_SYSTEM;
	if (!json_hex_value(json_object_get(req->args, "gva"), &gva) &&
	    (!name || !register_gva(m->cpu[vcpu].vcpu, name, &gva)))
		return control_fail(req, "no address: \"gva\", or \"register\": rip, rsp, cr2");
	if (walk_look(m, vcpu, gva, access, &v))
		return control_fail(req, "%s", vitro_error());
	return walk_to_json(&v);
}

static json_t *walk_answer(struct control_request *req, void *opaque)
{
	const json_t *vcpu = json_object_get(req->args, "vcpu");
	json_int_t id = json_integer_value(vcpu);
	struct machine *m = opaque;
	json_t *result;

	if (!json_is_integer(vcpu) || id < 0 || id >= m->nr_cpus)
		return control_fail(req, "vCPUs of this machine have numbers from 0 to %u",
				    m->nr_cpus - 1);
	if (!pause_machine(m))
		return control_fail(req, "the machine does not come to a stop");
	pause_lock(m);
	result = walk_held(req, m, id);
	pause_unlock(m);
	pause_resume(m);
	return result;
}

/**
 * walk_serve - let others see how this machine's addresses are translated
 * @m: the machine
 */
void walk_serve(struct machine *m)
{
	control_add(m->control, "walk", walk_answer, m);
}
