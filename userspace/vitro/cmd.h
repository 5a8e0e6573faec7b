/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The subcommands, and what they share. */
#ifndef VITRO_CMD_H
#define VITRO_CMD_H

#include <stdbool.h>
#include <stdint.h>

#include "exitcode.h"

int cmd_run(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_ps(int argc, char **argv);
int cmd_stat(int argc, char **argv);
int cmd_events(int argc, char **argv);
int cmd_trace(int argc, char **argv);
int cmd_top(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_gdb(int argc, char **argv);
int cmd_image(int argc, char **argv);
int cmd_why(int argc, char **argv);
int cmd_walk(int argc, char **argv);
int cmd_snip(int argc, char **argv);

/* args.c */
bool parse_size(const char *s, uint64_t *bytes);
bool parse_duration(const char *s, uint64_t *ns);
bool parse_number(const char *s, uint64_t min, uint64_t max, uint64_t *value);

#endif /* VITRO_CMD_H */
