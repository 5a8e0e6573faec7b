/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Arithmetic of struct vitro_times: sums, differences, quantiles. */
#ifndef VITRO_TIMES_H
#define VITRO_TIMES_H

#include <linux/vitro.h>
#include <stdint.h>

void times_add(struct vitro_times *to, const struct vitro_times *t);
struct vitro_times times_since(const struct vitro_times *now, const struct vitro_times *before);
uint64_t times_count(const struct vitro_times *t);
uint64_t times_cycles(const struct vitro_times *t);
uint64_t times_quantile(const struct vitro_times *t, unsigned int percent);
const char *times_text(uint64_t cycles, uint32_t tsc_khz, char buf[16]);

#endif /* VITRO_TIMES_H */
