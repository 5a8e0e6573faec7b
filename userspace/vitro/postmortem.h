/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a guest came to its triple fault, in words and as JSON. */
#ifndef VITRO_POSTMORTEM_PRINT_H
#define VITRO_POSTMORTEM_PRINT_H

#include <jansson.h>
#include <stdio.h>
#include <vitro/postmortem.h>

struct symbols;

void postmortem_print(struct vitro_vcpu *vcpu, const struct symbols *symbols, FILE *out);
json_t *postmortem_json(struct vitro_vcpu *vcpu, const struct symbols *symbols);

#endif /* VITRO_POSTMORTEM_PRINT_H */
