// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Machine files of vitro run with random damage, under the address and undefined behaviour
 * sanitizers.  Whatever a file says, it is either taken, or refused with a line that says
 * why.  One that is taken means the same when it has been written by --dump-config and read
 * again.  Values are damaged as well as syntax, since most of the damage that JSON's own
 * parser finds is of no interest here.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../userspace/vitro/args.c"
#include "../../userspace/vitro/config.c"
#include "../../userspace/vitro/config_json.c"
#include "../../userspace/vitro/options.c"
#include "fuzz.h"

#define ROUNDS		6000
#define DAMAGES		4
#define INPUT_MAX	64	/* enough for them, unless a part comes twice */
#define FILE_MAX	4096

enum { TAKEN, REFUSED };

static int file;	/* without a name on any disk */

/* Every option; values that are right. */
static const char whole[] =
	"{\"kernel\": \"bzImage\", \"initrd\": \"initrd\", \"append\": \"console=ttyS0 quiet\",\n"
	" \"module\": [{\"file\": \"a\", \"args\": \"b c\"}, \"d\"], \"mode\": \"64\", \"load\": 4096,\n"
	" \"memory\": \"256M\", \"cpus\": 4, \"memory-backing\": [{\"ksm\": true, \"thp\": \"on\"}],\n"
	" \"cpu-weight\": 200, \"cpu-max\": \"50000/100000\", \"memory-max\": \"1G\", \"cgroup\": \"/x\",\n"
	" \"disk\": [{\"file\": \"d.img\", \"ro\": true}, {\"file\": \"e\", \"overlay\": \"o\"}],\n"
	" \"net\": [{\"user\": true, \"hostfwd\": [\"tcp::2222-:22\"], \"mac\": \"52:54:00:12:34:56\",\n"
	" \"mtu\": 9000}, {\"tap\": \"tap0\"}], \"console\": \"virtio\", \"balloon\": [{\"size\": \"64M\"}],\n"
	" \"rng\": true, \"debug-exit\": 244, \"gdb\": \"1234\", \"stuck\": \"10s\", \"deadline\": \"1h\",\n"
	" \"sandbox\": \"off\", \"name\": \"n\", \"quiet\": false}\n";

/* What a value may be replaced by, right or wrong; and words that are syntax. */
static const char *const words[] = {
	"0", "1", "-1", "4294967295", "4294967296", "18446744073709551615", "1e308", "0.5",
	"99999999999999999999999999", "true", "false", "null", "\"\"", "\"1\"", "\"0x10\"",
	"\"16\"", "\"1G\"", "\"1h\"", "\"99999999999G\"", "\"on\"", "\"\\u0000\"", "\"\\ud800\"",
	"\"\xc3\xa4\"", "\"\xff\"", "[]", "{}", "[[]]", "[{}]", "[{\"file\": 1}]", "{\"file\": []}",
	"\"memory\"", "\"disk\"", "\"nonsense\"", ",", ":", "{", "}", "[", "]", "\"", "\\", " ",
};

/* A place where a value, a name or a piece of syntax begins. */
static size_t some_token(const char *text, size_t len)
{
	size_t at = rnd(len);

	while (at + 1 < len && !strchr(",:[{ ", text[at]))
		at++;
	return at + 1 < len ? at + 1 : at;
}

static size_t token_end(const char *text, size_t len, size_t at)
{
	bool quoted = text[at] == '"';

	for (at++; at < len; at++) {
		if (quoted ? text[at] == '"' : !!strchr(",]}\n ", text[at]))
			return at + quoted;
	}
	return len;
}

/* Replaces @old bytes at @at; returns the new length. */
static size_t replace(char *text, size_t len, size_t at, size_t old, const char *new, size_t n)
{
	if (len - old + n > FILE_MAX)
		return len;
	memmove(text + at + n, text + at + old, len - at - old);
	memcpy(text + at, new, n);
	return len - old + n;
}

static size_t damage(char *text, size_t len)
{
	size_t at = some_token(text, len), end = token_end(text, len, at);
	const char *word = words[rnd(sizeof(words) / sizeof(*words))];
	char copy[256];

	switch (rnd(8)) {
	case 0:					/* a byte */
		text[rnd(len)] = rnd(256);
		return len;
	case 1:					/* the rest is missing */
		return one_in(8) ? rnd(len) + 1 : len;
	case 2:					/* a part comes twice */
		end = at + rnd(sizeof(copy)) < len ? at + rnd(len - at) : len;
		end = end - at > sizeof(copy) ? at + sizeof(copy) : end;
		memcpy(copy, text + at, end - at);
		return replace(text, len, at, 0, copy, end - at);
	default:
		return replace(text, len, at, end - at, word, strlen(word));
	}
}

static bool load(struct config *config, struct complaint *why)
{
	char path[64];

	memset(config, 0, sizeof(*config));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	config_init(run_options, config);
	return config_load(run_options, config, path, why);
}

static size_t dump(const struct config *config, char *text, size_t size)
{
	FILE *out = fmemopen(text, size, "w");
	size_t len;

	if (!out || !config_dump(run_options, config, out))
		abort();
	fflush(out);
	len = ftell(out);
	fclose(out);
	return len;
}

static void write_file(const char *text, size_t len)
{
	if (ftruncate(file, 0) || pwrite(file, text, len, 0) != (ssize_t)len)
		abort();
}

/* What was taken, written and read again, is the same. */
static const char *judge_taken(const struct config *config)
{
	static char once[4 * FILE_MAX], twice[4 * FILE_MAX];
	struct complaint why = { "" };
	struct config again;
	size_t len = dump(config, once, sizeof(once)), other;
	bool good;

	write_file(once, len);
	good = load(&again, &why);
	other = good ? dump(&again, twice, sizeof(twice)) : 0;
	config_free(run_options, &again);
	if (!good)
		return "its own dump is refused";
	good = len == other && !memcmp(once, twice, len);
	return good ? NULL : "its own dump means something else";
}

static void one_round(const void *what)
{
	static char text[FILE_MAX + 1];
	struct complaint why = { "" };
	const char *wrong = NULL;
	struct config config;
	size_t len = sizeof(whole) - 1;
	unsigned int n;

	(void)what;
	memcpy(text, whole, len);
	for (n = 0; n < DAMAGES && fuzz_more(); n++)
		len = damage(text, len);
	write_file(text, len);
	if (load(&config, &why)) {
		fuzz_count(TAKEN);
		wrong = judge_taken(&config);
	} else {
		fuzz_count(REFUSED);
		if (!n)
			wrong = "undamaged, it is refused";
		else if (!why.text[0] || strchr(why.text, '\n'))
			wrong = "refused without a line that says why";
	}
	config_free(run_options, &config);
	if (wrong)
		fuzz_wrong("%s: %s\n%.*s", wrong, why.text, (int)len, text);
}

static const struct fuzz_target machine_file = {
	"machine-file", one_round, NULL, ROUNDS, INPUT_MAX, { "taken", "refused" }
};

int main(int argc, char **argv)
{
	file = memfd_create("machine file", MFD_CLOEXEC);
	return fuzz_main(argc, argv, &machine_file, 1);
}
