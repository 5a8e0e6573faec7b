// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * guest-writer FILE: writes numbered records, one after the other, until the power
 * goes.  Each is on stable storage, by fsync(), before its number is printed: that is
 * what the test of power cuts holds the disk to.
 *
 * guest-writer --check FILE: the number of the last record before the first that is
 * missing or wrong; -1 if there is none.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Not a divisor of a block: records cross the borders of blocks. */
#define WORDS	150

/**
 * struct record - what is written
 * @number: from 0
 * @word: a sequence that only this number has
 */
struct record {
	uint64_t number;
	uint64_t word[WORDS];
};

static void fill(struct record *record, uint64_t number)
{
	int i;

	record->number = number;
	for (i = 0; i < WORDS; i++)
		record->word[i] = (number * WORDS + i) * 0x9e3779b97f4a7c15ULL;
}

static int write_records(int fd)
{
	struct record record;
	uint64_t number;

	for (number = 0;; number++) {
		fill(&record, number);
		if (write(fd, &record, sizeof(record)) != sizeof(record) || fsync(fd)) {
			perror("guest-writer");
			return 1;
		}
		printf("stable %llu\n", (unsigned long long)number);
		fflush(stdout);
	}
}

static int check_records(int fd)
{
	struct record record, expected;
	uint64_t number;

	for (number = 0;; number++) {
		fill(&expected, number);
		if (read(fd, &record, sizeof(record)) != sizeof(record) ||
		    memcmp(&record, &expected, sizeof(record)))
			break;
	}
	printf("records to %lld\n", (long long)number - 1);
	return 0;
}

int main(int argc, char **argv)
{
	int check = argc == 3 && !strcmp(argv[1], "--check");
	int fd;

	if (argc != 2 && !check) {
		fprintf(stderr, "usage: guest-writer [--check] FILE\n");
		return 2;
	}
	fd = open(argv[argc - 1], check ? O_RDONLY : O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0) {
		perror(argv[argc - 1]);
		return 1;
	}
	return check ? check_records(fd) : write_records(fd);
}
