// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Packets of gdb's remote protocol (Debugging with GDB, E.1): $data#sum, where sum is the
 * sum of the bytes of data as two hexadecimal digits.  Each is answered by + or -, until
 * both sides have agreed to trust their connection.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "gdb.h"

#define ESCAPE		'}'	/* the next byte is XORed with: */
#define ESCAPE_XOR	0x20
#define INTERRUPT	0x03	/* Ctrl-C, outside of packets */

/**
 * hex_digit - the value of a hexadecimal digit
 * @c: the digit
 *
 * Return: 0 to 15, or -1 if it is none.
 */
int hex_digit(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/**
 * hex_encode - bytes as hexadecimal digits
 * @to: room for two digits a byte
 * @from: the bytes
 * @len: their number
 *
 * Return: digits written.
 */
size_t hex_encode(char *to, const void *from, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *bytes = from;
	size_t i;

	for (i = 0; i < len; i++) {
		*to++ = digits[bytes[i] >> 4];
		*to++ = digits[bytes[i] & 15];
	}
	return 2 * len;
}

/**
 * hex_decode - hexadecimal digits as bytes
 * @to: the bytes
 * @from: two digits a byte
 * @len: number of bytes
 *
 * Return: false: something else is among the digits.
 */
bool hex_decode(void *to, const char *from, size_t len)
{
	uint8_t *bytes = to;
	int high, low;

	for (; len; len--, from += 2) {
		high = hex_digit(from[0]);
		low = high < 0 ? -1 : hex_digit(from[1]);
		if (low < 0)
			return false;
		*bytes++ = high << 4 | low;
	}
	return true;
}

/**
 * link_init - a new connection
 * @l: the link
 * @fd: the connection
 * @wake_fd: what ends waiting for room to write
 */
void link_init(struct gdb_link *l, int fd, int wake_fd)
{
	l->fd = fd;
	l->wake_fd = wake_fd;
	l->noack = false;
	l->broken = false;
	l->state = LINK_IDLE;
	l->len = 0;
	l->out_len = 0;
}

/* All of it, unless the other end, or the machine, has gone. */
static void write_all(struct gdb_link *l, const char *data, size_t len)
{
	struct pollfd wait[] = {
		{ .fd = l->fd, .events = POLLOUT },
		{ .fd = l->wake_fd, .events = POLLIN },
	};
	ssize_t n;

	while (len && !l->broken) {
		n = write(l->fd, data, len);
		if (n > 0) {
			data += n;
			len -= n;
		} else if (n < 0 && errno == EAGAIN) {
			poll(wait, 2, -1);
			if (!wait[0].revents && wait[1].revents)
				l->broken = true;
		} else if (n == 0 || errno != EINTR) {
			l->broken = true;
		}
	}
}

static void add_data(struct gdb_link *l, uint8_t c)
{
	if (l->len < GDB_PACKET_MAX)
		l->packet[l->len] = c;
	if (l->len <= GDB_PACKET_MAX)
		l->len++;
}

/* The packet is there; is it any good? */
static enum gdb_news finish_packet(struct gdb_link *l)
{
	bool good = l->sum == l->told && l->len <= GDB_PACKET_MAX;

	if (!l->noack)
		write_all(l, good ? "+" : "-", 1);
	if (!good)
		return GDB_NOTHING;
	l->packet[l->len] = '\0';
	return GDB_PACKET;
}

/**
 * link_byte - take in a byte
 * @l: the link
 * @c: the byte
 *
 * Return: what has come: GDB_PACKET: l->packet holds one.
 */
enum gdb_news link_byte(struct gdb_link *l, uint8_t c)
{
	switch (l->state) {
	case LINK_IDLE:
		if (c == INTERRUPT)
			return GDB_INTERRUPT;
		if (c == '-')		/* once more, please */
			write_all(l, l->out, l->out_len);
		if (c != '$')
			break;
		l->state = LINK_DATA;
		l->sum = 0;
		l->len = 0;
		break;
	case LINK_DATA:
		if (c == '#') {
			l->state = LINK_SUM1;
			break;
		}
		l->sum += c;
		if (c == ESCAPE)
			l->state = LINK_ESCAPE;
		else
			add_data(l, c);
		break;
	case LINK_ESCAPE:
		l->sum += c;
		add_data(l, c ^ ESCAPE_XOR);
		l->state = LINK_DATA;
		break;
	case LINK_SUM1:
		l->told = (hex_digit(c) & 15) << 4;
		l->state = LINK_SUM2;
		break;
	case LINK_SUM2:
		l->told |= hex_digit(c) & 15;
		l->state = LINK_IDLE;
		return finish_packet(l);
	}
	return GDB_NOTHING;
}

/**
 * link_send - send a packet
 * @l: the link
 * @data: its data
 * @len: bytes, up to GDB_PACKET_MAX
 */
void link_send(struct gdb_link *l, const char *data, size_t len)
{
	size_t i, n = 0;
	uint8_t sum = 0;

	l->out[n++] = '$';
	for (i = 0; i < len; i++) {
		/* The first two end packets, the third is itself, the last would repeat. */
		if (strchr("#$}*", data[i]) && data[i]) {
			l->out[n++] = ESCAPE;
			sum += ESCAPE;
			l->out[n++] = data[i] ^ ESCAPE_XOR;
		} else {
			l->out[n++] = data[i];
		}
		sum += l->out[n - 1];
	}
	l->out[n++] = '#';
	n += hex_encode(l->out + n, &sum, 1);
	l->out_len = n;
	write_all(l, l->out, n);
}
