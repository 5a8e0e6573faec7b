// SPDX-License-Identifier: LGPL-2.1-or-later
/* The sentence that explains the last failure, one per thread. */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "internal.h"

static _Thread_local char message[512] = "no error";

const char *vitro_error(void)
{
	return message;
}

/**
 * vi_fail - note an error and give its number back
 * @err: positive errno
 * @fmt: the sentence: what failed, why, what helps
 *
 * The sentence is put together before it replaces the last one, which may be among
 * its arguments.
 *
 * Return: -@err; errno is @err too.
 */
int vi_fail(int err, const char *fmt, ...)
{
	char text[sizeof(message)];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	snprintf(message, sizeof(message), "%s", text);
	errno = err;
	return -err;
}

/**
 * vi_fail_ptr - vi_fail() for functions that return a pointer
 * @err: positive errno
 * @fmt: the sentence
 *
 * Return: NULL; errno is @err.
 */
void *vi_fail_ptr(int err, const char *fmt, ...)
{
	char text[sizeof(message)];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	vi_fail(err, "%s", text);
	return NULL;
}
