// SPDX-License-Identifier: GPL-2.0-or-later
/* vitro top on a terminal. */
#include <curses.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "top.h"

#define FIRST_NS	300000000ULL	/* the first rates, without waiting for a long interval */
#define MIN_NS		100000000ULL
#define MAX_NS		60000000000ULL
#define MIN_COLUMNS	40
#define MIN_LINES	8

/* Which machines have a line for each of their vCPUs. */
enum detail {
	DETAIL_SELECTED,
	DETAIL_ALL,
	DETAIL_NONE,
	NR_DETAILS
};

/**
 * struct screen - what is shown
 * @top: the machines
 * @interval_ns: time between two looks
 * @selected: id of the machine whose reasons are shown; of the first if it is gone
 * @detail: enum detail
 * @scroll: lines of the list that are above the screen
 * @paused: no looks
 * @help: show the keys, not the machines
 * @quit: the user has had enough
 */
struct screen {
	struct top *top;
	uint64_t interval_ns;
	uint64_t selected;
	enum detail detail;
	unsigned int scroll;
	bool paused;
	bool help;
	bool quit;
};

/* --------------------------------------------------------------------- colours */

/* Color pair of a share; where there are many colors, those that vitro report has, too. */
static int pair_of(enum share share)
{
	return share + 1;
}

static void set_colours(void)
{
	static const short few[NR_SHARES] = {
		COLOR_GREEN, COLOR_YELLOW, COLOR_BLUE, COLOR_MAGENTA, COLOR_WHITE
	};
	static const short many[NR_SHARES] = { 36, 214, 32, 175, 243 };
	int i;

	if (!has_colors())
		return;
	start_color();
	use_default_colors();
	for (i = 0; i < NR_SHARES; i++)
		init_pair(pair_of(i), COLORS >= 256 ? many[i] : few[i], -1);
}

static attr_t look_of(enum share share)
{
	return has_colors() ? COLOR_PAIR(pair_of(share)) : A_NORMAL;
}

/* --------------------------------------------------------------------- drawing */

/* A line, and what is behind it; cut off at the edge. */
static void put_line(int y, attr_t attributes, const char *text)
{
	attrset(attributes);
	mvaddnstr(y, 0, text, COLS);
	clrtoeol();
	attrset(A_NORMAL);
}

/* In reverse from edge to edge. */
static void put_heads(int y, const char *text)
{
	attrset(A_REVERSE);
	mvprintw(y, 0, "%-*.*s", COLS, COLS, text);
	attrset(A_NORMAL);
}

/*
 * Shares as a bar from @x to the edge: colors, and letters for those who have none.  Each
 * cell belongs to the share in which its middle lies.
 */
static void put_bar(int y, int x, const double share[NR_SHARES])
{
	static const char letters[NR_SHARES] = { 'G', 'B', 'K', 'U', '.' };
	int width = COLS - x - 1, i, k = 0;
	double end = share[0];

	for (i = 0; i < width; i++) {
		while (k < NR_SHARES - 1 && (i + 0.5) / width > end)
			end += share[++k];
		attrset(look_of(k) | (has_colors() && k != SHARE_IDLE ? A_REVERSE : 0));
		mvaddch(y, x + i, letters[k]);
	}
	attrset(A_NORMAL);
}

/* The columns of shares, each in its color; and the bar. */
static void put_shares(int y, const char *line, const double share[NR_SHARES], attr_t more)
{
	int i, x;

	for (i = 0; i < NR_SHARES; i++) {
		x = TOP_SHARES_AT + i * TOP_SHARE_WIDTH;
		if (x + TOP_SHARE_WIDTH > COLS || (int)strlen(line) < x + TOP_SHARE_WIDTH)
			return;
		attrset(look_of(i) | more);
		mvaddnstr(y, x, line + x, TOP_SHARE_WIDTH);
	}
	attrset(A_NORMAL);
	put_bar(y, TOP_BAR_AT + 1, share);
}

/* The heads of the columns; the one that is sorted by is in bold and not reversed. */
static void put_top_heads(int y, enum top_key key)
{
	static const struct {
		int x, width;
	} column[NR_TOP_KEYS] = {
		[TOP_BY_ID] = { 0, 6 }, [TOP_BY_NAME] = { 7, 16 }, [TOP_BY_EXITS] = { 29, 9 },
	};
	int x = column[key].x, width = column[key].width;
	char line[TOP_LINE];

	if (key >= TOP_BY_SHARE) {
		x = TOP_SHARES_AT + (key - TOP_BY_SHARE) * TOP_SHARE_WIDTH + 1;
		width = TOP_SHARE_WIDTH - 1;
	}
	top_heads(line);
	put_heads(y, line);
	if (x + width > COLS)
		return;
	attrset(A_BOLD | A_UNDERLINE);
	mvaddnstr(y, x, line + x, width);
	attrset(A_NORMAL);
}

static void draw_title(const struct screen *s)
{
	char line[TOP_LINE], every[32];
	int x;

	top_summary(s->top, line);
	put_line(0, A_BOLD, line);
	if (s->paused)
		snprintf(every, sizeof(every), "PAUSED");
	else
		snprintf(every, sizeof(every), "every %.1f s", s->interval_ns / 1e9);
	x = COLS - strlen(every);
	if (x <= (int)strlen(line))
		return;
	attrset(s->paused ? A_REVERSE : A_NORMAL);
	mvaddstr(0, x, every);
	attrset(A_NORMAL);
}

static void draw_help(void)
{
	static const char *const lines[] = {
		"",
		"  up, down   select a machine: its reasons to exit are below",
		"  v          lines for vCPUs: of the selected machine, of all, of none",
		"  s          sort by the next column; or by",
		"               i id     n name     e exits",
		"               g guest  b burst    k kernel  u user  d idle",
		"  p, space   pause and go on",
		"  + -        look less often, more often",
		"  h, ?       these lines",
		"  q          quit",
		"",
		"  GUEST      the CPU runs the guest",
		"  BURST      in vitro.ko, with interrupts off, between exit and entry",
		"  KERN       elsewhere in the host's kernel",
		"  USER       in the process that runs the machine: its devices",
		"  IDLE       asleep, for the guest has nothing to do",
	};
	unsigned int i;

	for (i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		put_line(i + 1, A_NORMAL, lines[i]);
}

/* ------------------------------------------------------------------------ list */

static struct top_machine *selected(const struct screen *s)
{
	unsigned int i;

	for (i = 0; i < s->top->nr; i++) {
		if (s->top->machine[i]->vm.id == s->selected)
			return s->top->machine[i];
	}
	return s->top->nr ? s->top->machine[0] : NULL;
}

static bool has_details(const struct screen *s, const struct top_machine *m)
{
	return s->detail == DETAIL_ALL || (s->detail == DETAIL_SELECTED && m == selected(s));
}

static unsigned int lines_of(const struct screen *s, const struct top_machine *m)
{
	unsigned int n = 1, i;

	for (i = 0; has_details(s, m) && i < VITRO_MAX_VCPUS; i++)
		n += m->vcpu[i].there;
	return n;
}

/* Draws those lines of the list that are in @nr lines from @y on, after those scrolled away. */
static void draw_list(const struct screen *s, int y, unsigned int nr)
{
	unsigned int line = 0, i, k;
	char text[TOP_LINE];

	for (i = 0; i < s->top->nr; i++) {
		const struct top_machine *m = s->top->machine[i];
		attr_t more = m == selected(s) ? A_BOLD : A_NORMAL;

		if (line >= s->scroll && line - s->scroll < nr) {
			int at = y + line - s->scroll;

			top_machine_line(m, text);
			put_line(at, more, text);
			put_shares(at, text, m->share, more);
			if (more) {
				attrset(A_BOLD);
				mvaddch(at, 0, '>');
			}
		}
		line++;
		for (k = 0; has_details(s, m) && k < VITRO_MAX_VCPUS; k++) {
			if (!m->vcpu[k].there)
				continue;
			if (line >= s->scroll && line - s->scroll < nr) {
				top_vcpu_line(m, k, text);
				put_line(y + line - s->scroll, A_NORMAL, text);
				put_shares(y + line - s->scroll, text, m->vcpu[k].share, 0);
			}
			line++;
		}
	}
}

/* The selected machine, and as many of its vCPUs as there is room for, are to be seen. */
static void scroll_to_selected(struct screen *s, unsigned int nr)
{
	unsigned int line = 0, i, n = 0;

	for (i = 0; i < s->top->nr; i++) {
		n = lines_of(s, s->top->machine[i]);
		if (s->top->machine[i] == selected(s))
			break;
		line += n;
	}
	if (line + n > s->scroll + nr)
		s->scroll = line + n - nr;
	if (line < s->scroll)
		s->scroll = line;
}

static void draw_reasons(const struct top_machine *m, int y, int nr)
{
	unsigned int order[VITRO_NR_REASONS], n = top_reasons(m, order);
	char text[TOP_LINE];
	int i;

	top_reason_heads(text);
	put_heads(y, text);
	for (i = 0; i < nr - 1 && i < (int)n; i++) {
		top_reason_line(m, order[i], text);
		put_line(y + 1 + i, A_NORMAL, text);
	}
}

/* Lines between the heads and the keys: first the list, then, after an empty one, the reasons. */
static void draw_machines(struct screen *s)
{
	unsigned int order[VITRO_NR_REASONS], all = LINES - 3, list = 0, reasons, i;
	const struct top_machine *m = selected(s);

	put_top_heads(1, s->top->key);
	if (!m) {
		put_line(3, A_NORMAL, "  No machine runs that you may see.");
		return;
	}
	for (i = 0; i < s->top->nr; i++)
		list += lines_of(s, s->top->machine[i]);
	reasons = top_reasons(m, order) + 2;
	if (list + reasons > all) {
		if (reasons > all / 2)
			reasons = list < all - all / 2 ? all - list : all / 2;
		if (list > all - reasons)
			list = all - reasons;
	}
	scroll_to_selected(s, list);
	draw_list(s, 2, list);
	if (reasons > 2)
		draw_reasons(m, 2 + list + 1, reasons - 1);
}

static void draw(struct screen *s)
{
	erase();
	if (COLS < MIN_COLUMNS || LINES < MIN_LINES) {
		mvaddnstr(0, 0, "too small", COLS);
		refresh();
		return;
	}
	draw_title(s);
	if (s->help)
		draw_help();
	else
		draw_machines(s);
	put_line(LINES - 1, A_DIM,
		 "q quit  up/down select  s sort  v vCPUs  p pause  +/- interval  h help");
	refresh();
}

/* ------------------------------------------------------------------------ keys */

static void select_next(struct screen *s, int step)
{
	int i, n = s->top->nr;

	for (i = 0; i < n; i++) {
		if (s->top->machine[i] != selected(s))
			continue;
		i += step;
		if (i >= 0 && i < n)
			s->selected = s->top->machine[i]->vm.id;
		return;
	}
}

static void sort_by(struct screen *s, int key)
{
	/* What was selected by being the first stays so. */
	if (selected(s))
		s->selected = selected(s)->vm.id;
	s->top->key = key;
	top_sort(s->top);
}

static void set_interval(struct screen *s, uint64_t ns)
{
	s->interval_ns = ns < MIN_NS ? MIN_NS : ns > MAX_NS ? MAX_NS : ns;
}

static void handle_key(struct screen *s, int key)
{
	static const char sorts[] = "inegbkud";	/* in the order of enum top_key */
	const char *sort = key > 0 && key < 128 ? strchr(sorts, key) : NULL;

	if (sort) {
		sort_by(s, sort - sorts);
		return;
	}
	switch (key) {
	case 'q':
	case 3:		/* Ctrl-C, should the terminal be in raw mode */
		s->quit = true;
		break;
	case KEY_UP:
		select_next(s, -1);
		break;
	case KEY_DOWN:
		select_next(s, 1);
		break;
	case 's':
		sort_by(s, (s->top->key + 1) % NR_TOP_KEYS);
		break;
	case 'v':
		s->detail = (s->detail + 1) % NR_DETAILS;
		break;
	case 'p':
	case ' ':
		s->paused = !s->paused;
		break;
	case '+':
		set_interval(s, s->interval_ns * 2);
		break;
	case '-':
		set_interval(s, s->interval_ns / 2);
		break;
	case 'h':
	case '?':
		s->help = !s->help;
		break;
	case 12:	/* Ctrl-L: somebody has written over it */
		clearok(curscr, TRUE);
		break;
	}
}

/* Waits for keys until it is time for a look; false when there is no terminal any more. */
static bool wait_for_keys(struct screen *s, uint64_t due)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	uint64_t now = top_now();
	int key, wait = -1;

	if (!s->paused)
		wait = due > now ? (due - now) / 1000000 + 1 : 0;
	if (poll(&in, 1, wait) < 0 && errno != EINTR)
		return false;
	if (in.revents & (POLLHUP | POLLERR | POLLNVAL))
		return false;
	/* After a signal there may be KEY_RESIZE to be got, without any input. */
	while ((key = getch()) != ERR)
		handle_key(s, key);
	return true;
}

/**
 * top_screen - show machines until the user has seen enough
 * @t: they, looked at once
 * @o: what was asked for
 *
 * Return: the exit status.
 */
int top_screen(struct top *t, const struct top_options *o)
{
	struct screen s = { .top = t, .interval_ns = o->interval_ns };
	uint64_t due = top_now() + (o->interval_ns < FIRST_NS ? o->interval_ns : FIRST_NS);
	SCREEN *terminal = newterm(NULL, stdout, stdin);
	uint64_t looks = 0;
	int err = 0;

	if (!terminal) {
		fprintf(stderr, "vitro top: terminal '%s' is not known here; --batch needs none\n",
			getenv("TERM") ? getenv("TERM") : "");
		return END_USAGE;
	}
	cbreak();
	noecho();
	nodelay(stdscr, TRUE);
	keypad(stdscr, TRUE);
	curs_set(0);
	set_colours();
	while (!err && !s.quit && !top_stopped() && (!o->count || looks < o->count)) {
		draw(&s);
		if (!wait_for_keys(&s, due))
			break;
		if (s.paused || top_now() < due)
			continue;
		err = top_look(t);
		looks++;
		due = top_now() + s.interval_ns;
	}
	endwin();
	delscreen(terminal);
	return top_status(err);
}
