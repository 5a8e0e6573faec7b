# SPDX-License-Identifier: GPL-2.0-or-later
"""A terminal's screen, as "tmux capture-pane -e -N" gives it, as a page of HTML, to take a picture of."""
import html
import re

BACKGROUND, TEXT = '#14171a', '#e6e9ec'
BASE = ['#2e3436', '#d0504f', '#4fae5b', '#d9a520', '#4a8fdb', '#b06ab3', '#3aa6a6', '#d3d7cf',
        '#7a8288', '#f07171', '#7fd98a', '#ffd75f', '#7fb8ff', '#dd9be0', '#6fd6d6', '#ffffff']
PAGE = '''<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>
body{{margin:0;background:{background}}}
pre{{margin:0;padding:14px 16px;display:inline-block;color:{text};
font:15px/19px "DejaVu Sans Mono",monospace}}
span{{display:inline-block;height:19px;vertical-align:top}}
</style></head><body><pre>{body}</pre></body></html>
'''


def color(number):
    """A color of 256: the base ones, a cube of 6 steps a side, 24 greys."""
    if number < 16:
        return BASE[number]
    if number >= 232:
        return '#' + f'{8 + 10 * (number - 232):02x}' * 3
    steps = [0, 95, 135, 175, 215, 255]
    number -= 16
    return '#' + ''.join(f'{steps[number // 6 ** i % 6]:02x}' for i in (2, 1, 0))


class Look:
    """What SGR sequences have set (ECMA-48 8.3.117)."""

    def __init__(self):
        self.reset()

    def reset(self):
        self.on = set()
        self.front = self.back = None

    def set(self, parameters):
        codes = [int(code or 0) for code in parameters.split(';')]
        while codes:
            code = codes.pop(0)
            if code == 0:
                self.reset()
            elif code in (1, 2, 4, 7):
                self.on.add(code)
            elif code == 22:
                self.on -= {1, 2}
            elif code in (24, 27):
                self.on.discard(code - 20)
            elif code in (38, 48) and codes[0] == 5:
                chosen = color(codes[1])
                self.front, self.back = (chosen, self.back) if code == 38 else (self.front, chosen)
                del codes[:2]
            elif 30 <= code <= 37 or 90 <= code <= 97:
                self.front = color(code % 10 + (8 if code >= 90 else 0))
            elif 40 <= code <= 47:
                self.back = color(code - 40)
            elif code == 39:
                self.front = None
            elif code == 49:
                self.back = None

    def style(self):
        front, back = self.front or TEXT, self.back or BACKGROUND
        if 7 in self.on:
            front, back = back, front
        return (f'color:{front};background:{back}' + (';font-weight:bold' if 1 in self.on else '') +
                (';opacity:.7' if 2 in self.on else '') + (';text-decoration:underline' if 4 in self.on else ''))


def page(screen, title):
    """The page of a screen."""
    look, lines = Look(), []
    for line in screen.rstrip('\n').split('\n'):
        parts = []
        for text, parameters in re.findall(r'([^\x1b]+)|\x1b\[([0-9;]*)m', line):
            if text:
                parts.append(f'<span style="{look.style()}">{html.escape(text)}</span>')
            else:
                look.set(parameters)
        lines.append(''.join(parts))
    return PAGE.format(title=html.escape(title), background=BACKGROUND, text=TEXT, body='\n'.join(lines))
