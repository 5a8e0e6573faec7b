// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Machine files of vitro run with random damage, under the address and undefined behaviour
 * sanitizers.  Whatever a file says, it is either taken, or refused with a line that says
 * why.  One that is taken means the same when it has been written by --dump-config and read
 * again.  Values are damaged as well as syntax, since most of the damage that JSON's own
 * parser finds is of no interest here.
 *
 *	test_fuzz_config [--seconds N] [--seed N]
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../userspace/vitro/args.c"
#include "../../userspace/vitro/config.c"
#include "../../userspace/vitro/config_json.c"
#include "../../userspace/vitro/options.c"
#include "fuzz.h"
#include "tap.h"

#define ROUNDS		6000
#define FILE_MAX	4096

/**
 * struct tally - what came of it
 * @taken: @refused: files
 * @wrong: of them, against the rules above
 */
static struct tally {
	unsigned long taken, refused, wrong;
} tally;

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
		return rnd(8) ? len : rnd(len) + 1;
	case 2:					/* a part comes twice */
		end = at + rnd(sizeof(copy)) < len ? at + rnd(len - at) : len;
		end = end - at > sizeof(copy) ? at + sizeof(copy) : end;
		memcpy(copy, text + at, end - at);
		return replace(text, len, at, 0, copy, end - at);
	default:
		return replace(text, len, at, end - at, word, strlen(word));
	}
}

/* A file without a name on any disk. */
static void name_of(int fd, char *path, size_t size)
{
	snprintf(path, size, "/proc/self/fd/%d", fd);
}

static bool load(struct config *config, int fd, struct complaint *why)
{
	char path[64];

	memset(config, 0, sizeof(*config));
	name_of(fd, path, sizeof(path));
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

static void write_file(int fd, const char *text, size_t len)
{
	if (ftruncate(fd, 0) || pwrite(fd, text, len, 0) != (ssize_t)len)
		abort();
}

/* What was taken, written and read again, is the same. */
static const char *judge_taken(const struct config *config, int fd)
{
	static char once[4 * FILE_MAX], twice[4 * FILE_MAX];
	struct complaint why = { "" };
	struct config again;
	size_t len = dump(config, once, sizeof(once)), other;
	bool good;

	write_file(fd, once, len);
	good = load(&again, fd, &why);
	other = good ? dump(&again, twice, sizeof(twice)) : 0;
	config_free(run_options, &again);
	if (!good)
		return "its own dump is refused";
	good = len == other && !memcmp(once, twice, len);
	return good ? NULL : "its own dump means something else";
}

static void one_round(int fd)
{
	static char text[FILE_MAX + 1];
	struct complaint why = { "" };
	const char *wrong = NULL;
	struct config config;
	size_t len = sizeof(whole) - 1;
	unsigned int n;

	memcpy(text, whole, len);
	for (n = rnd(4) + 1; n; n--)
		len = damage(text, len);
	write_file(fd, text, len);
	if (load(&config, fd, &why)) {
		tally.taken++;
		wrong = judge_taken(&config, fd);
	} else {
		tally.refused++;
		if (!why.text[0] || strchr(why.text, '\n'))
			wrong = "refused without a line that says why";
	}
	config_free(run_options, &config);
	if (wrong && tally.wrong++ < 5)
		printf("# %s: %s\n# %.*s\n", wrong, why.text, (int)strcspn(text, "\n"), text);
}

int main(int argc, char **argv)
{
	unsigned long seconds = fuzz_options(argc, argv);
	int fd = memfd_create("machine file", MFD_CLOEXEC);
	struct complaint why = { "" };
	struct config config;
	struct fuzz_clock clock;

	write_file(fd, whole, sizeof(whole) - 1);
	check("undamaged, it is taken", load(&config, fd, &why));
	if (why.text[0])
		printf("# %s\n", why.text);
	config_free(run_options, &config);
	fuzz_begin(&clock, seconds, ROUNDS);
	while (fuzz_goes_on(&clock))
		one_round(fd);
	printf("# figure: machine files: %lu taken, %lu refused\n", tally.taken, tally.refused);
	check("damaged", !tally.wrong && tally.taken && tally.refused);
	close(fd);
	return tap_done();
}
