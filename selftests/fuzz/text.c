// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Programs as text: one call a line, with its name, the thread that makes it, and those of
 * its arguments that are not 0, in hexadecimal.
 *
 *	program user
 *	t0 CREATE_VM on=0x0 to=0x5
 *	parallel
 *	t1 enter fd=0x6 exits=0x10
 *	end
 *
 * A line that begins with # is a comment.
 */
#include <stdlib.h>
#include <string.h>
#include "fuzz.h"

/**
 * print_program() - write a program as text
 * @f: where to
 * @p: the program
 * @results: what each call returned, for comments; or NULL
 */
void print_program(FILE *f, const struct program *p, const int32_t *results)
{
	unsigned int i, j;

	fprintf(f, "program%s\n", p->user ? " user" : "");
	for (i = 0; i < p->nr; i++) {
		const struct call *c = &p->call[i];
		const struct call_type *t = &call_types[c->type];

		if (i == p->serial)
			fprintf(f, "parallel\n");
		fprintf(f, "t%u %s", c->thread, t->name);
		for (j = 0; t->field[j].type != F_END; j++)
			if (c->arg[j])
				fprintf(f, " %s=%#llx", t->field[j].name,
					(unsigned long long)c->arg[j]);
		if (results && results[i] == UNCALLED)
			fprintf(f, " # not called");
		else if (results)
			fprintf(f, " # %d", results[i]);
		fputc('\n', f);
	}
	fprintf(f, "end\n");
	fflush(f);
}

static const char blanks[] = "\n ";

static bool parse_argument(struct call *c, const struct call_type *t, const char *word)
{
	const char *equals = strchr(word, '=');
	unsigned int i;
	char *end;

	if (!equals)
		return false;
	for (i = 0; t->field[i].type != F_END; i++) {
		const char *name = t->field[i].name;

		if (strlen(name) != (size_t)(equals - word) ||
		    strncmp(name, word, equals - word))
			continue;
		c->arg[i] = strtoull(equals + 1, &end, 0);
		return end != equals + 1 && !*end;
	}
	return false;
}

static bool parse_call(struct call *c, char *line)
{
	char *rest, *thread = strtok_r(line, blanks, &rest), *name, *word;

	*c = (struct call){};
	if (!thread || thread[0] != 't' || thread[1] < '0' || thread[1] >= '0' + NR_THREADS)
		return false;
	c->thread = thread[1] - '0';
	name = strtok_r(NULL, blanks, &rest);
	if (!name)
		return false;
	while (c->type < nr_call_types && strcmp(name, call_types[c->type].name))
		c->type++;
	if (c->type == nr_call_types)
		return false;
	for (word = strtok_r(NULL, blanks, &rest); word; word = strtok_r(NULL, blanks, &rest))
		if (!parse_argument(c, &call_types[c->type], word))
			return false;
	return true;
}

/**
 * parse_program() - read the next program
 * @f: where from
 * @p: room for it
 *
 * Return: 1 when there is one, 0 at the end of the file, -1 for what is not a program; what
 * is wrong with it has been said.
 */
int parse_program(FILE *f, struct program *p)
{
	bool begun = false, parallel = false;
	char line[1024], was[1024], *comment;

	while (fgets(line, sizeof(line), f)) {
		strcpy(was, line);
		comment = strchr(line, '#');
		if (comment)
			*comment = 0;
		line[strcspn(line, "\n")] = 0;
		if (!line[0])
			continue;
		if (!begun) {
			*p = (struct program){ .user = !strcmp(line, "program user") };
			begun = p->user || !strcmp(line, "program");
			if (!begun)
				break;
		} else if (!strcmp(line, "end")) {
			if (!parallel)
				p->serial = p->nr;
			return 1;
		} else if (!strcmp(line, "parallel")) {
			p->serial = p->nr;
			parallel = true;
		} else if (p->nr == MAX_CALLS || !parse_call(&p->call[p->nr++], line)) {
			break;
		}
		was[0] = 0;
	}
	if (!begun && feof(f))
		return 0;
	printf("# no call of a program: %s\n", feof(f) ? "(no end)" : was);
	return -1;
}

/**
 * same_program() - are two programs the same?
 * @a: @b: they
 */
bool same_program(const struct program *a, const struct program *b)
{
	unsigned int i;

	if (a->user != b->user || a->nr != b->nr || a->serial != b->serial)
		return false;
	for (i = 0; i < a->nr; i++)
		if (a->call[i].type != b->call[i].type ||
		    a->call[i].thread != b->call[i].thread ||
		    memcmp(a->call[i].arg, b->call[i].arg, sizeof(a->call[i].arg)))
			return false;
	return true;
}
