/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the explainer says to an entry, for the commands that ask it. */
#ifndef VITRO_WHY_PRINT_H
#define VITRO_WHY_PRINT_H

#include <jansson.h>
#include <vitro/why.h>

bool why_repair(struct vitro_entry *entry, const char *text);
json_t *why_json(const struct vitro_entry *entry, int *status);
int why_print(const struct vitro_entry *entry);

#endif /* VITRO_WHY_PRINT_H */
