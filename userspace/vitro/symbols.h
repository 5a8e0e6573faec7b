/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of a guest's addresses, for whoever prints some. */
#ifndef VITRO_SYMBOLS_H
#define VITRO_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SYMBOL_TEXT	96	/* room for symbols_format(), cut off or not */

struct symbols;

/* NULL when the reason has been said on stderr. */
struct symbols *symbols_open(const char *file);
void symbols_close(struct symbols *s);

/* Where a kernel that was randomized at boot is, other than in the file. */
void symbols_slide(struct symbols *s, uint64_t slide);
bool symbols_detect(struct symbols *s, uint64_t lstar);

/* By name, and by address.  @s may be NULL: then there are none. */
bool symbols_find(const struct symbols *s, const char *name, uint64_t *address, uint64_t *size);
const char *symbols_at(const struct symbols *s, uint64_t address, uint64_t *offset);
void symbols_format(const struct symbols *s, uint64_t address, char *buf, size_t size);

#endif /* VITRO_SYMBOLS_H */
