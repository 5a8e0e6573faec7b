// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What goes into a page of HTML that is well-formed XML, too: text from elsewhere, and
 * numbers for people.
 */
#include <inttypes.h>
#include <string.h>

#include "report.h"

/* Length of the character at @s in UTF-8; 0 if that is none, or none that XML can have. */
static unsigned int utf8_length(const unsigned char *s)
{
	static const uint32_t first[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned int n = s[0] < 0x80 ? 1 : s[0] < 0xc0 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 :
			 s[0] < 0xf8 ? 4 : 0;
	uint32_t c;
	unsigned int i;

	if (n < 2)
		return n && s[0] >= ' ' && s[0] != 0x7f;
	c = s[0] & (0x7f >> n);
	for (i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	/* Overlong, a C1 control, a surrogate, none in Unicode. */
	if (c < first[n] || c < 0xa0 || (c >= 0xd800 && c < 0xe000) || c > 0x10ffff ||
	    (c & 0xfffe) == 0xfffe)
		return 0;
	return n;
}

/**
 * html_text - text as text, whatever is in it, also between quotes
 * @out: where it goes
 * @s: it; what is no character of UTF-8, or a control character, is replaced
 */
void html_text(FILE *out, const char *s)
{
	while (*s) {
		unsigned int n = utf8_length((const unsigned char *)s);

		if (!n)
			fputs("\xef\xbf\xbd", out);	/* U+FFFD */
		else if (n == 1 && strchr("&<>\"'", *s))
			fprintf(out, "&#%d;", *s);
		else
			fwrite(s, n, 1, out);
		s += n ? n : 1;
	}
}

/**
 * html_count - a number, its digits in groups of three
 * @out: where it goes
 * @n: it
 */
void html_count(FILE *out, uint64_t n)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%" PRIu64, n), i;

	for (i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			fputc(',', out);
		fputc(digits[i], out);
	}
}

/**
 * html_time - a time to three digits, with its unit
 * @seconds: it
 * @buf: where it goes
 *
 * Return: @buf.
 */
const char *html_time(double seconds, char buf[24])
{
	static const char *const units[] = { "ns", "\xc2\xb5s", "ms", "s" };
	double value = seconds * 1e9;
	unsigned int i = 0;

	/* 999.5 would become 1000. */
	while (i < 3 && value >= 999.5) {
		value /= 1e3;
		i++;
	}
	/* A space that does not break the line. */
	snprintf(buf, 24, "%.*f\xc2\xa0%s", i == 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2,
		 value, units[i]);
	return buf;
}

/**
 * html_percent - a share
 * @share: from 0 to 1
 * @buf: where it goes, as markup
 *
 * Return: @buf.
 */
const char *html_percent(double share, char buf[24])
{
	if (share > 0 && share < 0.0005)
		snprintf(buf, 24, "&lt;\xc2\xa0%.1f\xc2\xa0%%", 0.1);
	else
		snprintf(buf, 24, "%.1f\xc2\xa0%%", share * 100);
	return buf;
}
