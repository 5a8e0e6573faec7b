// SPDX-License-Identifier: GPL-2.0-or-later
/* Symbols of guests: of an ELF file, which is this program, and of maps. */
#include "kselftest_harness.h"
#include <sys/mman.h>
#include "../../userspace/vitro/symbols.c"

#define TEXT	0xffffffff81000000ULL

/* As nm sorts a vmlinux, from which System.map is made. */
static const char map[] =
	"0000000000000000 D __per_cpu_start\n"
	"000000000001fb00 D runqueues\n"
	"0000000001000000 A phys_startup_64\n"
	"ffffffff81000000 T _stext\n"
	"ffffffff81000000 T _text\n"
	"ffffffff81000000 T startup_64\n"
	"ffffffff81000040 t verify_cpu\n"
	"ffffffff81000100 T entry_SYSCALL_64\n"
	"ffffffff82000000 D jiffies\n"
	"ffffffffc0201000 t do_work\t[some_module]\n";

static struct symbols *open_bytes(const void *data, size_t len)
{
	int fd = memfd_create("symbols", 0);
	struct symbols *s;
	char path[32];

	if (fd < 0 || write(fd, data, len) != (ssize_t)len)
		ksft_exit_fail_msg("cannot write to a memfd: %s\n", strerror(errno));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	s = symbols_open(path);
	close(fd);
	return s;
}

static struct symbols *open_map(const char *text)
{
	return open_bytes(text, strlen(text));
}

static const char *text_of(const struct symbols *s, uint64_t address)
{
	static char text[SYMBOL_TEXT];

	symbols_format(s, address, text, sizeof(text));
	return text;
}

TEST(of_a_map)
{
	struct symbols *s = open_map(map);
	uint64_t address, size;

	ASSERT_NE(NULL, s);
	EXPECT_STREQ("startup_64", text_of(s, TEXT));
	EXPECT_STREQ("startup_64+0x3f", text_of(s, TEXT + 0x3f));
	EXPECT_STREQ("verify_cpu", text_of(s, TEXT + 0x40));
	EXPECT_STREQ("entry_SYSCALL_64+0x10", text_of(s, TEXT + 0x110));
	EXPECT_STREQ("do_work+0x2", text_of(s, 0xffffffffc0201002));
	/* Below the first, and too far from any. */
	EXPECT_STREQ("", text_of(s, TEXT - 1));
	EXPECT_STREQ("", text_of(s, TEXT + 0x800000));
	EXPECT_STREQ("", text_of(s, UINT64_MAX));
	/* Offsets of per-CPU data are no addresses, nor are constants. */
	EXPECT_STREQ("", text_of(s, 0x1fb00));
	EXPECT_STREQ("", text_of(s, 0x1000000));

	ASSERT_TRUE(symbols_find(s, "verify_cpu", &address, &size));
	EXPECT_EQ(TEXT + 0x40, address);
	EXPECT_EQ(0xc0, size);
	EXPECT_TRUE(symbols_find(s, "_text", &address, NULL));
	EXPECT_FALSE(symbols_find(s, "runqueues", &address, &size));
	symbols_close(s);
}

TEST(of_a_kernel_that_moved)
{
	struct symbols *s = open_map(map);
	uint64_t slide = 0x1c600000, address, size;

	ASSERT_NE(NULL, s);
	ASSERT_TRUE(symbols_detect(s, TEXT + 0x100 + slide));
	EXPECT_STREQ("verify_cpu+0x1", text_of(s, TEXT + 0x41 + slide));
	EXPECT_STREQ("", text_of(s, TEXT + 0x41));
	ASSERT_TRUE(symbols_find(s, "verify_cpu", &address, &size));
	EXPECT_EQ(TEXT + 0x40 + slide, address);
	EXPECT_TRUE(symbols_detect(s, TEXT + 0x100));
	EXPECT_STREQ("verify_cpu+0x1", text_of(s, TEXT + 0x41));
	EXPECT_TRUE(symbols_detect(s, TEXT + 0x100 - (2 << 20)));
	EXPECT_STREQ("verify_cpu+0x1", text_of(s, TEXT + 0x41 - (2 << 20)));
	/* Not that kernel: not in steps, too far; or a guest that has set nothing yet. */
	EXPECT_FALSE(symbols_detect(s, TEXT + 0x108 + slide));
	EXPECT_FALSE(symbols_detect(s, TEXT + 0x100 + (1 << 30)));
	EXPECT_FALSE(symbols_detect(s, TEXT + 0x100 - (1 << 30)));
	EXPECT_FALSE(symbols_detect(s, 0));
	symbols_slide(s, 0x200000);
	EXPECT_STREQ("verify_cpu", text_of(s, TEXT + 0x200040));
	symbols_close(s);
}

TEST(of_a_low_program)
{
	struct symbols *s = open_map("0000000000007c00 T start\n0000000000007c10 t loop\n");

	ASSERT_NE(NULL, s);
	EXPECT_STREQ("start+0xf", text_of(s, 0x7c0f));
	EXPECT_STREQ("loop+0x5", text_of(s, 0x7c15));
	EXPECT_FALSE(symbols_detect(s, 0x7c00));
	symbols_close(s);
}

TEST(of_an_elf_file)
{
	struct symbols *s = symbols_open("/proc/self/exe");
	uint64_t open_at, close_at, size, offset;

	ASSERT_NE(NULL, s);
	ASSERT_TRUE(symbols_find(s, "symbols_close", &close_at, &size));
	ASSERT_TRUE(symbols_find(s, "symbols_open", &open_at, &size));
	/* The linker has put them as far from each other as they are in memory. */
	EXPECT_EQ((uint64_t)symbols_close - (uint64_t)symbols_open, close_at - open_at);
	EXPECT_STREQ("symbols_open", symbols_at(s, open_at, &offset));
	EXPECT_EQ(0, offset);
	EXPECT_STREQ("symbols_open", symbols_at(s, open_at + size - 1, &offset));
	EXPECT_EQ(size - 1, offset);
	symbols_slide(s, (uint64_t)symbols_open - open_at);
	EXPECT_STREQ("symbols_close", text_of(s, (uint64_t)symbols_close));
	symbols_close(s);
}

/* An ELF file that ends anywhere is refused, or read as far as it goes. */
TEST(of_a_broken_elf_file)
{
	static char data[1 << 20];
	int in = open("/proc/self/exe", O_RDONLY);
	ssize_t len = read(in, data, sizeof(data));
	int refused = 0;

	ASSERT_LT(1000, len);
	close(in);
	for (ssize_t n = 4; n < len; n += n < 64 ? 3 : 9973) {
		struct symbols *s = open_bytes(data, n);

		refused += !s;
		text_of(s, 0x1000);
		symbols_close(s);
	}
	EXPECT_LT(10, refused);
}

TEST(refused)
{
	EXPECT_EQ(NULL, symbols_open("/nonexistent"));
	EXPECT_EQ(NULL, symbols_open("/"));
	EXPECT_EQ(NULL, open_map(""));
	EXPECT_EQ(NULL, open_map("This is no map.\n"));
	EXPECT_EQ(NULL, open_map("ffffffffffffffff B The real System.map is elsewhere\n"));
	EXPECT_EQ(NULL, open_map("0000000000000000 T _text\n0000000000000000 T start\n"));
	EXPECT_STREQ("", text_of(NULL, TEXT));
}

TEST_HARNESS_MAIN
