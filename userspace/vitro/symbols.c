// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Names of a guest's addresses, from an ELF file (a vmlinux), a System.map, or a copy of
 * the guest's own /proc/kallsyms.
 *
 * Linux is at another address each time it boots, unless it is told "nokaslr".  How far it
 * has moved, the guest itself says: the MSR LSTAR has the address of its system call entry,
 * a symbol that every 64-bit Linux has.
 */
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <inttypes.h>
#include <libelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "symbols.h"

#define UPPER_HALF	(1ULL << 63)
#define MAX_REACH	(1ULL << 20)	/* further from its symbol, an address has none */

/* The kernel moves in steps of its alignment, within its 1 GiB of addresses. */
#define SLIDE_STEP	(2ULL << 20)
#define SLIDE_MAX	(1ULL << 30)
#define SYSCALL_ENTRY	"entry_SYSCALL_64"

/**
 * struct symbol - a name of an address
 * @address: as in the file
 * @size: bytes, 0 if the file does not say
 * @rank: of several at an address, the lowest is the best to show
 * @name: it
 */
struct symbol {
	uint64_t address;
	uint64_t size;
	unsigned int rank;
	char *name;
};

/**
 * struct symbols - those of a file
 * @symbol: they, by address, then by rank
 * @nr: how many
 * @room: for so many
 * @slide: what to add to get the guest's addresses
 */
struct symbols {
	struct symbol *symbol;
	size_t nr, room;
	uint64_t slide;
};

/* ------------------------------------------------------------------- reading */

/* Linker and compiler mark places with underscores; a name for people has fewer. */
static unsigned int rank_of(const char *name, bool is_function)
{
	return strspn(name, "_") + (is_function ? 0 : 16);
}

/* Returns false when there is no memory. */
static bool add(struct symbols *s, uint64_t address, uint64_t size, bool is_function,
		const char *name)
{
	struct symbol *symbol;

	if (s->nr == s->room) {
		size_t room = s->room ? 2 * s->room : 1024;

		symbol = realloc(s->symbol, room * sizeof(*symbol));
		if (!symbol)
			return false;
		s->symbol = symbol;
		s->room = room;
	}
	symbol = &s->symbol[s->nr];
	symbol->address = address;
	symbol->size = size;
	symbol->rank = rank_of(name, is_function);
	symbol->name = strdup(name);
	if (!symbol->name)
		return false;
	/* It goes to terminals and into JSON as it is. */
	for (char *c = symbol->name; *c; c++) {
		if (*c <= ' ' || *c > '~' || *c == '"' || *c == '\\')
			*c = '?';
	}
	s->nr++;
	return true;
}

/* What has an address of its own: no file, no section, no constant, nothing of another file. */
static bool is_place(const GElf_Sym *sym)
{
	unsigned int type = GELF_ST_TYPE(sym->st_info);

	return sym->st_shndx != SHN_UNDEF && sym->st_shndx != SHN_ABS &&
	       (type == STT_NOTYPE || type == STT_OBJECT || type == STT_FUNC);
}

/* Returns NULL, or what is wrong with the file. */
static const char *read_elf(struct symbols *s, int fd)
{
	Elf *elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	Elf_Data *data = NULL;
	Elf_Scn *scn = NULL;
	GElf_Shdr shdr;
	GElf_Sym sym;

	while (elf && !data && (scn = elf_nextscn(elf, scn))) {
		if (gelf_getshdr(scn, &shdr) && shdr.sh_type == SHT_SYMTAB)
			data = elf_getdata(scn, NULL);
	}
	for (int i = 0; data && gelf_getsym(data, i, &sym); i++) {
		const char *name = elf_strptr(elf, shdr.sh_link, sym.st_name);

		if (!name || !name[0] || !is_place(&sym))
			continue;
		if (!add(s, sym.st_value, sym.st_size, GELF_ST_TYPE(sym.st_info) == STT_FUNC,
			 name)) {
			elf_end(elf);
			return "no memory";
		}
	}
	elf_end(elf);
	return s->nr ? NULL : "it has no symbols, or is cut off; was it stripped?";
}

/* Lines as "ffffffff81000000 T _text", and "[module]" behind those of a module. */
static const char *read_map(struct symbols *s, FILE *f)
{
	bool any = false, all_zero = true;
	const char *error = NULL;
	char *line = NULL;
	size_t size = 0;

	while (!error && getline(&line, &size, f) > 0) {
		char type, name[512];
		uint64_t address;

		if (sscanf(line, "%" SCNx64 " %c %511s", &address, &type, name) != 3) {
			error = "it is neither an ELF file nor a System.map";
			break;
		}
		all_zero &= !address;
		any = true;
		/* The only line that Debian's has, all ones, says where the real one is. */
		if (address != UINT64_MAX && !strchr("aAU", type) &&
		    !add(s, address, 0, strchr("tTwW", type), name))
			error = "no memory";
	}
	free(line);
	if (error)
		return error;
	if (any && all_zero)
		return "all its addresses are 0; the guest shows them to its root alone";
	return s->nr ? NULL : "it has none; take linux-image-VERSION-dbg's, or a guest's kallsyms";
}

static int by_address(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return strcmp(x->name, y->name);
}

/*
 * In a kernel of the upper half, what has a low "address" is an offset into the memory that
 * each of its CPUs has for itself.
 */
static void drop_offsets(struct symbols *s)
{
	size_t i, first = 0;

	if (s->symbol[s->nr - 1].address < UPPER_HALF)
		return;
	while (s->symbol[first].address < UPPER_HALF)
		free(s->symbol[first++].name);
	for (i = first; i < s->nr; i++)
		s->symbol[i - first] = s->symbol[i];
	s->nr -= first;
}

static const char *read_file(struct symbols *s, int fd)
{
	char magic[SELFMAG] = "";
	const char *error;
	FILE *f;

	if (read(fd, magic, sizeof(magic)) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return strerror(errno);
	if (!memcmp(magic, ELFMAG, SELFMAG)) {
		elf_version(EV_CURRENT);
		return read_elf(s, fd);
	}
	f = fdopen(dup(fd), "r");
	if (!f)
		return strerror(errno);
	error = read_map(s, f);
	fclose(f);
	return error;
}

/**
 * symbols_open - read the symbols of a file
 * @file: ELF, System.map or a copy of /proc/kallsyms
 *
 * Return: them, for symbols_close(), or NULL; then the reason has been said.
 */
struct symbols *symbols_open(const char *file)
{
	struct symbols *s = calloc(1, sizeof(*s));
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	const char *error = !s ? "no memory" : fd < 0 ? strerror(errno) : read_file(s, fd);

	if (fd >= 0)
		close(fd);
	if (error) {
		fprintf(stderr, "vitro: cannot read symbols from '%s': %s\n", file, error);
		symbols_close(s);
		return NULL;
	}
	qsort(s->symbol, s->nr, sizeof(*s->symbol), by_address);
	drop_offsets(s);
	return s;
}

/**
 * symbols_close - undo symbols_open()
 * @s: symbols; NULL does nothing
 */
void symbols_close(struct symbols *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->nr; i++)
		free(s->symbol[i].name);
	free(s->symbol);
	free(s);
}

/* --------------------------------------------------------------- where they are */

/**
 * symbols_slide - the guest's addresses are so much higher than the file's
 * @s: symbols
 * @slide: bytes, modulo 2^64
 */
void symbols_slide(struct symbols *s, uint64_t slide)
{
	s->slide = slide;
}

/**
 * symbols_detect - find out how far a 64-bit Linux has moved
 * @s: its symbols; on success they have the guest's addresses
 * @lstar: the guest's MSR LSTAR
 *
 * Return: false if @lstar is no place where this kernel could have its system call entry.
 */
bool symbols_detect(struct symbols *s, uint64_t lstar)
{
	uint64_t entry, slide;

	s->slide = 0;
	if (!lstar || !symbols_find(s, SYSCALL_ENTRY, &entry, NULL))
		return false;
	slide = lstar - entry;
	/* Less than 0, if the file is what another boot of it had in /proc/kallsyms. */
	if (slide % SLIDE_STEP || (slide >= SLIDE_MAX && -slide >= SLIDE_MAX))
		return false;
	s->slide = slide;
	return true;
}

/* ------------------------------------------------------------------ looking up */

/* How many symbols are at or below an address of the file. */
static size_t count_up_to(const struct symbols *s, uint64_t address)
{
	size_t low = 0, high = s->nr;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (s->symbol[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Up to the next symbol, if the file does not say; and never too far. */
static uint64_t reach(const struct symbols *s, const struct symbol *symbol)
{
	size_t next = count_up_to(s, symbol->address);
	uint64_t size = symbol->size;

	if (!size && next < s->nr)
		size = s->symbol[next].address - symbol->address;
	return size && size < MAX_REACH ? size : MAX_REACH;
}

/**
 * symbols_find - where a symbol is
 * @s: symbols, or NULL
 * @name: which
 * @address: set to its address in the guest
 * @size: set to the bytes that are its; may be NULL
 *
 * Return: false if there is none.
 */
bool symbols_find(const struct symbols *s, const char *name, uint64_t *address, uint64_t *size)
{
	for (size_t i = 0; s && i < s->nr; i++) {
		if (strcmp(s->symbol[i].name, name))
			continue;
		*address = s->symbol[i].address + s->slide;
		if (size)
			*size = reach(s, &s->symbol[i]);
		return true;
	}
	return false;
}

/**
 * symbols_at - whose an address is
 * @s: symbols, or NULL
 * @address: in the guest
 * @offset: set to its distance from the symbol
 *
 * Return: the symbol's name, or NULL.
 */
const char *symbols_at(const struct symbols *s, uint64_t address, uint64_t *offset)
{
	size_t i;

	if (!s)
		return NULL;
	address -= s->slide;
	i = count_up_to(s, address);
	if (!i)
		return NULL;
	/* The first of those at the same address is the best. */
	for (i--; i && s->symbol[i - 1].address == s->symbol[i].address; i--)
		;
	*offset = address - s->symbol[i].address;
	return *offset < reach(s, &s->symbol[i]) ? s->symbol[i].name : NULL;
}

/**
 * symbols_format - an address in words, as "schedule+0x1c"
 * @s: symbols, or NULL
 * @address: in the guest
 * @buf: set to the text, or to nothing when no symbol is there
 * @size: of @buf
 */
void symbols_format(const struct symbols *s, uint64_t address, char *buf, size_t size)
{
	uint64_t offset = 0;
	const char *name = symbols_at(s, address, &offset);

	if (!name)
		buf[0] = '\0';
	else if (offset)
		snprintf(buf, size, "%s+0x%" PRIx64, name, offset);
	else
		snprintf(buf, size, "%s", name);
}
