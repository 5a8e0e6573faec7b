// SPDX-License-Identifier: GPL-2.0-or-later
/* Options of "vitro run": from words and from machine files to a struct, and back. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../userspace/vitro/args.c"
#include "../../userspace/vitro/config.c"
#include "../../userspace/vitro/config_json.c"
#include "../../userspace/vitro/options.c"
#include "tap.h"

/**
 * struct part - of an option that may be repeated
 * @file: unnamed
 * @over: named
 * @ro: a flag
 * @level: 1 to 9, at first 5
 */
struct part {
	char *file, *over;
	bool ro;
	unsigned int level;
};

/**
 * struct sample - one field of each kind
 */
struct sample {
	bool flag;
	char *string;
	unsigned int number, choice, nr_parts;
	uint64_t size, duration;
	struct part part[2];
};

static const struct opt part_fields[] = {
	{ "file", 0, "FILE", OPT_STRING, .offset = offsetof(struct part, file), .unnamed = true },
	{ "over", 0, "FILE", OPT_STRING, .offset = offsetof(struct part, over) },
	{ "ro", 0, NULL, OPT_FLAG, .offset = offsetof(struct part, ro) },
	{ "level", 0, "N", OPT_NUMBER, .offset = offsetof(struct part, level), .initial = "5",
	  .min = 1, .max = 9 },
	{ .name = NULL }
};

static const struct opt_choice colours[] = { { "red", 7 }, { "blue", 8 }, { NULL, 0 } };

static const struct opt table[] = {
	{ "flag", 0, NULL, OPT_FLAG, .offset = offsetof(struct sample, flag) },
	{ "string", 0, "S", OPT_STRING, .offset = offsetof(struct sample, string),
	  .initial = "first" },
	{ "number", 0, "N", OPT_NUMBER, .offset = offsetof(struct sample, number),
	  .min = 1, .max = 300 },
	{ "choice", 0, "C", OPT_CHOICE, .offset = offsetof(struct sample, choice),
	  .choices = colours },
	{ "size", 0, "SIZE", OPT_SIZE, .offset = offsetof(struct sample, size), .min = 8192 },
	{ "duration", 0, "TIME", OPT_DURATION, .offset = offsetof(struct sample, duration) },
	{ "part", 0, "PART", OPT_LIST, .offset = offsetof(struct sample, part), .max = 2,
	  .fields = part_fields, .item_size = sizeof(struct part),
	  .offset_nr = offsetof(struct sample, nr_parts) },
	{ "config", 0, "FILE", OPT_CONFIG, .offset = 0 },
	{ .name = NULL }
};

static struct sample sample;
static struct complaint why;

static void start(void)
{
	config_free(table, &sample);
	memset(&sample, 0, sizeof(sample));
	config_init(table, &sample);
}

/* ------------------------------------------------------------------- words */

static bool set(const char *name, const char *text)
{
	why.text[0] = '\0';
	return opt_set(opt_find(table, name), &sample, text, &why);
}

/* Refused, and the complaint names @reason. */
static bool refuses(const char *name, const char *text, const char *reason)
{
	bool ok = !set(name, text) && strstr(why.text, reason);

	if (!ok)
		printf("# %s '%s': %s\n", name, text, why.text);
	return ok;
}

static void words(void)
{
	start();
	check("initial value", !strcmp(sample.string, "first") && !sample.flag);
	check("flag", set("flag", NULL) && sample.flag);
	check("string", set("string", "a,b=c") && !strcmp(sample.string, "a,b=c"));
	check("number", set("number", "300") && sample.number == 300);
	check("hexadecimal", set("number", "0xf4") && sample.number == 244);
	check("choice", set("choice", "blue") && sample.choice == 8);
	check("size", set("size", "8K") && sample.size == 8192);
	check("duration", set("duration", "2m") && sample.duration == 120000000000);

	check("number too large", refuses("number", "301", "from 1 to 300"));
	check("no number", refuses("number", "0x", "a number"));
	check("no number either", refuses("number", "0x-1", "a number"));
	check("no choice", refuses("choice", "green", "red blue"));
	check("small size", refuses("size", "4096", "at least 8K"));
	check("odd size", refuses("size", "8193", "a multiple of 4K"));
	check("no duration", refuses("duration", "0", "a time"));
	check("the value stays", sample.number == 244 && sample.size == 8192);
	check("no such option", !opt_find(table, "flagg"));
}

static void lists(void)
{
	start();
	check("one part", set("part", "f.img"));
	check("its fields", sample.nr_parts == 1 && !strcmp(sample.part[0].file, "f.img") &&
	      !sample.part[0].over && !sample.part[0].ro && sample.part[0].level == 5);
	check("all fields", set("part", "a=b,ro,over=c=d,level=9"));
	check("all values", sample.nr_parts == 2 && !strcmp(sample.part[1].file, "a=b") &&
	      !strcmp(sample.part[1].over, "c=d") && sample.part[1].ro &&
	      sample.part[1].level == 9);
	check("full", refuses("part", "x", "at most 2"));

	start();
	check("unknown field", refuses("part", "f,rw", "it has no 'rw'"));
	start();
	check("no value", refuses("part", "f,over", "'over' needs a value"));
	start();
	check("a value too many", refuses("part", "f,ro=1", "'ro' takes no value"));
	start();
	check("a bad value", refuses("part", "f,level=10", "from 1 to 9"));
}

/* ------------------------------------------------------------------- files */

#define FILE_TEMPLATE "/tmp/vitro-config-XXXXXX"

static char file[sizeof(FILE_TEMPLATE)];

static bool load(const char *text)
{
	FILE *f = fopen(file, "we");

	fputs(text, f);
	fclose(f);
	start();
	return config_load(table, &sample, file, &why);
}

/* Refused at @place, "line:column:", for @reason. */
static bool rejects(const char *text, const char *place, const char *reason)
{
	bool loaded = load(text);
	const char *rest = why.text + strlen(file) + 1;

	if (!loaded && !strncmp(why.text, file, strlen(file)) &&
	    !strncmp(rest, place, strlen(place)) && strstr(rest, reason))
		return true;
	printf("# %s: %s\n", text, loaded ? "was taken" : why.text);
	return false;
}

/* A value of each type; and, three levels down, the only bad one. */
#define SCALARS "{\"flag\": true, \"string\": \"s\", \"number\": 5, " \
		"\"choice\": \"red\", \"size\": \"1M\", \"duration\": 3}"
#define NESTED	"{\"flag\" : false, \"part\" : [ {\"file\":\"}\", \"ro\":true },\n" \
		"  {\"ro\":true ,\n" \
		"   \"level\" : 10}]}"

static void files(void)
{
	check("empty object", load("{}") && !strcmp(sample.string, "first"));
	check("scalars", load(SCALARS));
	check("their values", sample.flag && !strcmp(sample.string, "s") &&
	      sample.number == 5 && sample.choice == 7 && sample.size == 1 << 20 &&
	      sample.duration == 3000000000);
	check("other types", load("{\"number\": \"0x10\", \"size\": 12288, \"flag\": false}") &&
	      sample.number == 16 && sample.size == 12288 && !sample.flag);
	check("parts", load("{\"part\": [\"f,ro\", {\"file\": \"a,b\", \"level\": 2}]}"));
	check("their fields", sample.nr_parts == 2 && sample.part[0].ro &&
	      !strcmp(sample.part[1].file, "a,b") && sample.part[1].level == 2);

	check("not JSON", rejects("{\n \"flag\": tru\n}", "2:", "'tru'"));
	check("no end", rejects("{\"flag\": true", "1:", "'}' expected"));
	check("something behind", rejects("{} x", "1:", "end of file"));
	check("no object", rejects("[]", "1:1:", "is an object"));
	check("a line end in it", rejects("{\"string\": \"\\\n\"}", "2:", "invalid escape") &&
	      !strchr(why.text, '\n'));
	check("a terminal's command in it", rejects("{\"\\u001b[2J\": 1}", "1:2:", "no \"?[2J\""));
	check("twice", rejects("{\"flag\":true,\n\"flag\":true}", "2:", "duplicate"));
	check("unknown key", rejects("{\"flag\": true,\n  \"flog\": true}", "2:3:",
				     "there is no \"flog\""));
	check("not in a file", rejects("{\"config\": \"x\"}", "1:2:", "there is no \"config\""));
	check("wrong type", rejects("{ \"number\": true }", "1:3:",
				    "\"number\" is true where a number is due"));
	check("a fraction", rejects("{\"size\":1.5}", "1:2:", "a fraction"));
	check("a number as flag", rejects("{\"flag\":1}", "1:2:", "true or false is due"));
	check("null", rejects("{\"string\":null}", "1:2:", "null where a string is due"));
	check("bad value", rejects("{\"string\": \"}],:\\\"{\",\n\t\"number\" : 0}", "2:2:",
				   "\"number\": '0': a number from 1 to 300"));
	check("negative", rejects("{\"number\":-1}", "1:2:", "'-1'"));
	check("no array", rejects("{\"part\":\"f\"}", "1:2:", "an array is due"));
	check("bad element", rejects("{\"part\":[\"f\",\n 7]}", "2:2:", "a string or an object"));
	check("too many", rejects("{\"part\":[\"f\",\"g\",\n\n  \"h\"]}", "3:3:", "at most 2"));
	check("bad text", rejects("{\"part\":[ \"f,x\"]}", "1:11:", "it has no 'x'"));
	check("bad field", rejects(NESTED, "3:4:", "from 1 to 9"));
	check("unknown field", rejects("{\"part\":[{\n\"size\":1}]}", "2:1:", "no \"size\""));
	check("no file", !config_load(table, &sample, "/nowhere/x", &why) &&
	      strstr(why.text, "No such file"));
}

/* ------------------------------------------------------------ there and back */

/* Dump, load, dump: the same text. */
static bool survives(const struct opt *options, void *base, size_t size)
{
	char *first = NULL, *second = NULL;
	size_t len;
	FILE *out = open_memstream(&first, &len);
	bool ok;

	ok = config_dump(options, base, out);
	fclose(out);
	out = fopen(file, "we");
	fputs(first, out);
	fclose(out);

	config_free(options, base);
	memset(base, 0, size);
	ok = ok && config_load(options, base, file, &why);
	out = open_memstream(&second, &len);
	ok = ok && config_dump(options, base, out);
	fclose(out);
	ok = ok && !strcmp(first, second);
	if (!ok)
		printf("# %s\n# %s\n# %s\n", first, why.text, second);
	free(first);
	free(second);
	return ok;
}

static void dumps(void)
{
	struct config config = { .kernel = NULL };

	start();
	check("initial values survive", survives(table, &sample, sizeof(sample)) &&
	      !strcmp(sample.string, "first") && !sample.number);
	start();
	set("flag", NULL);
	set("string", "\"x\"\n");
	set("number", "7");
	set("choice", "blue");
	set("size", "1028K");
	set("duration", "1500ms");
	set("part", "f,ro,over=g");
	set("part", "h");
	check("all kinds survive", survives(table, &sample, sizeof(sample)));
	check("with their values", sample.flag && !strcmp(sample.string, "\"x\"\n") &&
	      sample.number == 7 && sample.choice == 8 && sample.size == 1028 << 10 &&
	      sample.duration == 1500000000 && sample.nr_parts == 2 && sample.part[0].ro &&
	      !strcmp(sample.part[0].over, "g") && !sample.part[1].ro);
	config_init(run_options, &config);
	check("the real table", survives(run_options, &config, sizeof(config)) &&
	      config.memory == 256 << 20 && config.cpus == 1);
	config_free(run_options, &config);
}

int main(void)
{
	int fd;

	strcpy(file, FILE_TEMPLATE);
	fd = mkstemp(file);
	if (fd < 0)
		return 1;
	close(fd);
	words();
	lists();
	files();
	dumps();
	config_free(table, &sample);
	unlink(file);
	return tap_done();
}
