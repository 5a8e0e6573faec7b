/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of vitro doctor share: doctor.c, and one file a CPU vendor. */
#ifndef VITRO_DOCTOR_H
#define VITRO_DOCTOR_H

#include <stdbool.h>
#include <stdint.h>

enum verdict { OK, MISSING, UNKNOWN };

/* For what only the msr driver can tell. */
#define CURE_MSR	"as root: modprobe msr; then run vitro doctor again"

/* doctor.c */
__attribute__((format(printf, 5, 6)))
void found(const char *name, bool needed, enum verdict verdict, const char *cure,
	   const char *fmt, ...);
bool read_msr(uint32_t index, uint64_t *value);
bool has_cpu_flag(const char *flag);
void check_kvm(const char *module, const char *cure);

/* doctor_amd.c, doctor_intel.c */
void check_amd(void);
void check_intel(void);

#endif /* VITRO_DOCTOR_H */
