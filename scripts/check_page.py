# SPDX-License-Identifier: GPL-2.0-or-later
"""What must be true of a page by vitro report: well-formed, closed to the world, drawn within its
figures, and in agreement with the recording.  For tests; problems() is a list of what is wrong."""
import collections
import json
import re
import subprocess
import xml.etree.ElementTree as ElementTree

MAX_SIZE = 3 << 20
XHTML = '{http://www.w3.org/1999/xhtml}'
SHAPES = ('rect', 'path')
PLACES = ('burst_ns', 'kernel_ns', 'user_ns')


class Page:
    """A page by vitro report, parsed."""

    def __init__(self, path):
        with open(path, 'rb') as file:
            self.text = file.read()
        self.root = ElementTree.fromstring(self.text)

    def all(self, name, below=None):
        return list((self.root if below is None else below).iter(XHTML + name))

    def by_id(self, name):
        found = [element for element in self.root.iter() if element.get('id') == name]
        return found[0] if len(found) == 1 else None

    def value(self, name):
        """The number in the <data> of that id."""
        return float(self.by_id(name).get('value'))

    def rows(self, table):
        """Of each row of a table its first cell's name and the numbers in full."""
        for row in self.all('tr', self.by_id(table)):
            names = self.all('b', row)
            numbers = [float(data.get('value')) for data in self.all('data', row)]
            if numbers:
                yield names[0].text if names else '', numbers


def counts(element):
    """What the tool tips below an element add up to: "12 ms: 1,234" and so on."""
    return sum(int(title.text.rsplit(': ', 1)[1].replace(',', ''))
               for title in element.iter(XHTML + 'title'))


# ------------------------------------------------------------------------- the page by itself

def closed(page):
    """Nothing is loaded, nothing runs."""
    if page.all('script'):
        yield 'there is a script'
    for element in page.root.iter():
        for name, value in element.attrib.items():
            if name.startswith('on'):
                yield f'{element.tag} has {name}'
            if name.rsplit('}')[-1] in ('href', 'src', 'action', 'data') and not value.startswith(('data:', '#')):
                yield f'{element.tag} loads {value}'
    for style in page.all('style'):
        if re.search(r'url\(|@import', style.text):
            yield 'the style loads something'


def inside(svg):
    """All that is drawn is within the figure."""
    width, height = (float(n) for n in svg.get('viewBox').split()[2:])
    for rect in svg.iter(XHTML + 'rect'):
        x, y, w, h = (float(rect.get(name, 0)) for name in ('x', 'y', 'width', 'height'))
        if not (x >= 0 and y >= -0.01 and w >= 0 and h >= 0 and x + w <= width + 0.02 and y + h <= height + 0.02):
            yield f'a {rect.get("class")} at {x},{y} of {w} by {h} is not within {width} by {height}'
    for path in svg.iter(XHTML + 'path'):
        for command, numbers in re.findall(r'([A-Za-z])([-0-9. naif]*)', path.get('d')):
            values = [float(n) for n in numbers.split()]
            limits = {'M': (width, height), 'H': (width,), 'V': (height,)}.get(command, ())
            for value, limit in zip(values, limits):
                if not -0.01 <= value <= limit + 0.01:
                    yield f'a path goes to {command}{value} of {limit}'


def accessible(page):
    """Each figure says what it is; each is in a place that has a class in the style."""
    style = page.all('style')[0].text
    for svg in page.all('svg'):
        if svg.get('aria-hidden') == 'true':
            continue
        if svg.get('role') != 'img' or not page.all('desc', svg):
            yield 'a figure has no description'
    for name in {word for element in page.root.iter() for word in (element.get('class') or '').split()}:
        if not re.search(rf'\.{re.escape(name)}\b', style):
            yield f'class {name} is not in the style'


def drawn(page):
    """Each strip and each histogram has all of its exits."""
    exits, lost = page.value('exits'), page.value('lost')
    rows = [row for row in page.by_id('strip') if 'bars' in row.get('class') or 'shades' in row.get('class')]
    if counts(rows[0]) != exits:
        yield f'the bars are of {counts(rows[0])} exits, not of {exits}'
    names = {row[0].text: counts(row) for row in rows[1:]}
    if lost and names.pop('(lost)', 0) > lost:
        yield 'more exits are drawn as lost than were'
    table = {name: numbers[0] for name, numbers in page.rows('reasons')}
    if names != table:
        yield f'the strips are of {names}, the table of {table}'
    if sum(table.values()) != exits:
        yield f'the reasons have {sum(table.values())} exits, not {exits}'
    for row in page.by_id('times'):
        if 'hist' in row.get('class') and counts(row) != table[page.all('b', row)[0].text]:
            yield f'the histogram of {page.all("b", row)[0].text} has {counts(row)} exits'


# --------------------------------------------------------------------- the page and the recording

def recorded(vitro, recording):
    """The exits of a recording, as vitro trace show has them."""
    output = subprocess.run([vitro, 'trace', 'show', '--json', recording], check=True,
                            stdout=subprocess.PIPE).stdout
    return [json.loads(line) for line in output.splitlines()]


def near(one, other):
    return abs(one - other) <= 2e-9 + 1e-6 * abs(other)


def agrees(page, exits):
    """The numbers are the recording's."""
    by_reason = collections.defaultdict(list)
    for e in exits:
        by_reason[e['reason']].append(sum(e[place] for place in PLACES) / 1e9)
    table = dict(page.rows('reasons'))
    if set(table) != set(by_reason):
        yield f'the reasons are {sorted(table)} instead of {sorted(by_reason)}'
        return
    for name, times in by_reason.items():
        times.sort()
        want = [len(times), sum(times), times[0], times[(len(times) - 1) // 2],
                times[int(0.99 * (len(times) - 1))], times[-1]]
        for got, expected in zip(table[name], want):
            if not near(got, expected):
                yield f'{name} has {table[name]} instead of {want}'
                break
    if page.value('exits') != len(exits):
        yield f'{page.value("exits")} exits instead of {len(exits)}'
    if page.value('lost') < sum(e['lost'] for e in exits):
        yield f'{page.value("lost")} exits lost are less than those in the recording'
    longest = max(max(times) for times in by_reason.values())
    shown = [numbers[0] for _, numbers in page.rows('longest')]
    if not near(shown[0], longest) or shown != sorted(shown, reverse=True):
        yield f'the longest exit is {longest} s, those shown are {shown}'


def problems(path, exits=None):
    """What is wrong with a page; with the recording's exits, also whether it is about these."""
    try:
        page = Page(path)
    except ElementTree.ParseError as error:
        return [f'not well-formed: {error}']
    found = list(closed(page)) + list(accessible(page)) + list(drawn(page))
    for svg in page.all('svg'):
        if svg.get('viewBox'):
            found += inside(svg)
    if len(page.text) > MAX_SIZE:
        found.append(f'{len(page.text)} bytes are too many')
    if exits is not None:
        found += agrees(page, exits)
    return found


# ------------------------------------------------------------------------------- in a browser

WIDTHS = (1280, 600)
SCHEMES = ('light', 'dark')

# What is cut off, what overlaps, what can hardly be read; as sentences.
JUDGE = r'''
const wrong = [];
const box = element => element.getBoundingClientRect();
if (document.documentElement.scrollWidth > innerWidth)
	wrong.push(`the page is ${document.documentElement.scrollWidth} wide`);
for (const svg of document.querySelectorAll('.axis svg, .names svg')) {
	const texts = [...svg.querySelectorAll('text')].sort((a, b) => box(a).left - box(b).left);
	texts.forEach((text, i) => {
		if (box(text).left < box(svg).left - 1 || box(text).right > innerWidth)
			wrong.push(`"${text.textContent}" sticks out`);
		if (i && box(texts[i - 1]).right > box(text).left)
			wrong.push(`"${texts[i - 1].textContent}" and "${text.textContent}" overlap`);
	});
}
for (const element of document.querySelectorAll('.row > span, td, th, dd, dt, h1, h2, h3, .scroll, li'))
	if (element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).display !== 'inline')
		wrong.push(`"${element.textContent.slice(0, 40)}" is cut off`);
const channels = color => color.match(/[\d.]+/g).map(Number);
const luminance = color => channels(color).slice(0, 3).map(v => v / 255)
	.map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
	.reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
const behind = element => {
	for (; element; element = element.parentElement) {
		const color = getComputedStyle(element).backgroundColor;
		if (channels(color).length < 4 || channels(color)[3] > 0)
			return color;
	}
};
const low = new Set();
for (const element of document.querySelectorAll('body *')) {
	const own = [...element.childNodes].some(node => node.nodeType === 3 && node.textContent.trim());
	if (!own || element.closest('title, desc') || !box(element).width)
		continue;
	const style = getComputedStyle(element);
	const color = element.matches('text') ? style.fill : style.color;
	const [a, b] = [luminance(color), luminance(behind(element))].sort((x, y) => y - x);
	if ((a + 0.05) / (b + 0.05) < 4.5)
		low.add(`${color} on ${behind(element)}`);
}
low.forEach(pair => wrong.push(`text of ${pair} has too little contrast`));
wrong.push(...(luminance(behind(document.body)) > 0.5 ? 'light' : 'dark') === arguments[0] ? [] :
	[`the page is not ${arguments[0]}`]);
return wrong;
'''


def rendered(browser, path, pictures=None):
    """What is wrong with a page as a browser shows it, light and dark, wide and narrow.  With a
    directory for pictures, they are kept there."""
    url = f'file://{path}'
    for scheme in SCHEMES:
        for width in WIDTHS:
            browser.open(url, width, 900, scheme)
            name = f'{path.stem}-{scheme}-{width}'
            if pictures:
                browser.picture(pictures / f'{name}.png')
            for wrong in browser.run(JUDGE, scheme):
                yield f'{name}: {wrong}'
            for wrong in browser.complaints():
                yield f'{name}: the browser complains: {wrong}'
            for wrong in set(browser.requests()) - {url, 'data:,'}:
                yield f'{name}: it loads {wrong}'
