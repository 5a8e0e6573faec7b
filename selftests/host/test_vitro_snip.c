// SPDX-License-Identifier: GPL-2.0-or-later
/* vitro snip's way from text to machine code: by the assembler, and from digits. */
#include <stdarg.h>

#include "../../userspace/vitro/args.c"
#include "../../userspace/vitro/snip_asm.c"
#include "tap.h"

/* What was complained about, with what the assembler has printed. */
static char complaint[512];

int snip_error(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(complaint, sizeof(complaint), fmt, args);
	va_end(args);
	return END_USAGE;
}

/* Is it these bytes, written as two digits each? */
static bool is_code(const struct vitro_image *image, const char *digits)
{
	const uint8_t *data = image->data;
	char text[256] = "";
	size_t i;

	for (i = 0; i < image->size && i < sizeof(text) / 2 - 1; i++)
		sprintf(text + 2 * i, "%02x", data[i]);
	return !strcmp(text, digits);
}

static bool assembles(const char *text, enum vitro_mode mode, bool intel, const char *code)
{
	struct vitro_image image = { .size = 0 };
	bool good = !snip_assemble(text, mode, intel, &image) && is_code(&image, code);

	vitro_image_free(&image);
	return good;
}

static bool splits(const char *text, const char *lines)
{
	char *got = split(text);
	bool good = !strcmp(got, lines);

	free(got);
	return good;
}

/* What goes to standard error while the text is assembled. */
static const char *messages(const char *text)
{
	static char got[1024];
	struct vitro_image image;
	int saved = dup(STDERR_FILENO), pipes[2];
	ssize_t n;

	if (pipe(pipes))
		return "no pipe";
	dup2(pipes[1], STDERR_FILENO);
	if (!snip_assemble(text, VITRO_MODE_LONG, false, &image))
		vitro_image_free(&image);
	fflush(stderr);
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(pipes[1]);
	n = read(pipes[0], got, sizeof(got) - 1);
	got[n > 0 ? n : 0] = '\0';
	close(pipes[0]);
	return got;
}

static bool has_bytes(const char *hex, const char *code)
{
	struct vitro_image image = { .size = 0 };
	bool good = !snip_bytes(hex, &image) && is_code(&image, code);

	vitro_image_free(&image);
	return good;
}

static bool no_bytes(const char *hex)
{
	struct vitro_image image;

	return snip_bytes(hex, &image) == END_USAGE;
}

int main(void)
{
	check("semicolons separate statements", splits("nop; hlt", "nop\n hlt"));
	check("... not in strings",
	      splits(".ascii \"a;\\\";b\"; hlt", ".ascii \"a;\\\";b\"\n hlt"));
	check("... not as characters", splits("mov $';',%al; hlt", "mov $';',%al\n hlt"));
	check("... not in comments", splits("nop # a; b\nhlt", "nop # a; b\nhlt"));

	check("64-bit code", assembles("mov $42,%al; out %al,$0x80; hlt", VITRO_MODE_LONG, false,
				       "b02ae680f4"));
	check("32-bit code", assembles("push %eax; mov $1,%eax", VITRO_MODE_PROTECTED, false,
				       "50b801000000"));
	check("16-bit code", assembles("mov $1,%eax; mov $1,%ax", VITRO_MODE_REAL, false,
				       "66b801000000b80100"));
	check("Intel's syntax", assembles("mov eax, [rbx+8]; hlt", VITRO_MODE_LONG, true,
					  "8b4308f4"));
	check("addresses are those of the guest",
	      assembles("mov $x,%eax; hlt; x: .byte 7", VITRO_MODE_LONG, false,
			"b806100000f407"));
	check("data follows code", assembles(".data; .byte 1; .text; hlt", VITRO_MODE_LONG, false,
					     "f401"));

	check("an error names the statement",
	      strstr(messages("nop; mvo %al,%bl; hlt"), "statement 2, 'mvo %al,%bl': Error: "));
	check("so does one on a later line",
	      strstr(messages("nop\nnop; mov %al"), "statement 3, 'mov %al': Error: "));
	check("undefined symbols are told", strstr(messages("jmp nowhere"), "`nowhere'"));
	complaint[0] = '\0';
	messages("# nothing");
	check("nothing is nothing to run", strstr(complaint, "there is no code"));
	setenv("PATH", "/nonexistent", 1);
	messages("hlt");
	check("without an assembler there is a way out", strstr(complaint, "--bytes"));

	check("digits", has_bytes("b0 2a,e6 0x80\tF4", "b02ae680f4"));
	check("... without blanks", has_bytes("b02ae680f4", "b02ae680f4"));
	check("half a byte is none", no_bytes("b0 2"));
	check("letters are none", no_bytes("b0 xx"));
	check("nothing is none", no_bytes(" "));
	return tap_done();
}
