// SPDX-License-Identifier: GPL-2.0-or-later
/* Sizes, durations and numbers on the command line. */
#include "../../userspace/vitro/args.c"
#include "tap.h"

static bool size_is(const char *s, uint64_t want)
{
	uint64_t value;

	return parse_size(s, &value) && value == want;
}

static bool duration_is(const char *s, uint64_t want_ms)
{
	uint64_t value;

	return parse_duration(s, &value) && value == want_ms * 1000000;
}

int main(void)
{
	static const char * const bad[] = {
		"", "M", "-1", " 1", "+1", "1 ", "1MM", "1.5G", "0x10", "1T", "1s",
		"18446744073709551616", "99999999999999999G", NULL
	};
	const char * const *s;
	uint64_t value;

	check("bytes", size_is("4096", 4096));
	check("K", size_is("64K", 65536) && size_is("64k", 65536));
	check("M", size_is("256M", 256ULL << 20));
	check("G", size_is("3G", 3ULL << 30));
	for (s = bad; *s; s++)
		check("not a size", !parse_size(*s, &value));

	check("seconds", duration_is("60", 60000) && duration_is("60s", 60000));
	check("milliseconds", duration_is("500ms", 500));
	check("minutes", duration_is("2m", 120000));
	check("hours", duration_is("1h", 3600000));
	check("not a duration", !parse_duration("1M", &value) && !parse_duration("s", &value));
	check("too long", !parse_duration("99999999999h", &value));

	check("in the range", parse_number("7", 1, 8, &value) && value == 7);
	check("below it", !parse_number("0", 1, 8, &value));
	check("above it", !parse_number("9", 1, 8, &value));
	return tap_done();
}
