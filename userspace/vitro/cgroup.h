/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a machine may take of the host: a control group of its own (cgroup v2). */
#ifndef VITRO_CGROUP_H
#define VITRO_CGROUP_H

#include "config.h"

#define CGROUP_PATH	4096

/**
 * struct cgroup - the group that this process moved to
 * @path: its directory, below @parent; empty if there is none
 * @parent: the directory that it was made in
 * @home: the directory where the process was before
 * @home_procs: @parent_control: files of those two, open, or -1; set with @path
 * @enabled: the controllers that were turned on for it in @parent, as "-cpu -memory"
 */
struct cgroup {
	char path[CGROUP_PATH];
	char parent[CGROUP_PATH];
	char home[CGROUP_PATH];
	int home_procs;
	int parent_control;
	char enabled[32];
};

int cgroup_enter(struct cgroup *group, const struct config *config);
void cgroup_leave(struct cgroup *group);

#endif /* VITRO_CGROUP_H */
