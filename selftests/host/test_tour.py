#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""Does Documentation/tour.md tell the truth about names?

    test_tour.py [TREE]

"FILE: FUNCTION()" must be defined in that file.  In a block marked "calls", each line is a function that
the nearest line above it with less indentation calls, in the order of the lines.  With "by X" it does so
by way of X; if that is a pointer in a struct, the callee's file must put the function there.
"""
import pathlib
import re
import sys

TREE = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parents[2])
DOCS = TREE / 'Documentation'
NAMED = re.compile(r'([\w/]+\.[chS]):\s+(\w+)\(\)')
CALL = re.compile(r'( *)([\w/]+\.[chS]): (\w+)\(\)(?: +by (\S+))?')


def code(file):
    """A file's text without comments, which may name anything."""
    path = TREE / file
    return re.sub(r'/\*.*?\*/', '', path.read_text(), flags=re.S) if path.is_file() else ''


def body(file, function):
    """Definition of a C function, an assembly function or a guest's snippet; None if there is none."""
    found = re.search(rf'^\w[^\n;]*\b{function}\([^;{{}}]*\{{.*?^\}}|'
                      rf'^(?:SYM_FUNC_START|GUEST\d+)\({function}\).*?(?=^SYM_FUNC_END|^GUEST|\Z)',
                      code(file), re.M | re.S)
    return found and found[0]


def missing(text):
    return [f'{file} has no {function}()' for file, function in sorted(set(NAMED.findall(text)))
            if body(file, function) is None]


def wrong_calls(block):
    """What is wrong with one tree of calls; the path holds depth, name, body and where in it we are."""
    path, wrong = [], []
    for line in block.splitlines():
        call = CALL.fullmatch(line)
        if not call:
            wrong.append(f'not in the form "FILE: FUNCTION() by X": {line}')
            continue
        depth, (file, function, way) = len(call[1]), call.groups()[1:]
        while path and path[-1][0] >= depth:
            path.pop()
        if path:
            _, name, caller, start = path[-1]
            what = rf'(?<!\w){re.escape(way)}(?!\w)' if way else rf'\b{function}\('
            found = re.compile(what).search(caller, start)
            if found:
                path[-1][3] = found.end()
            else:
                wrong.append(f'{name}() has no {way or function + "()"}, or not in this order')
            if way and '->' in way and f'.{way.split("->")[1]} = {function}' not in code(file):
                wrong.append(f'{file} does not make {function}() a {way}')
        path.append([depth, function, body(file, function) or '', 0])
    return wrong


def main():
    tour = (DOCS / 'tour.md').read_text()
    blocks = re.findall(r'^```calls\n(.*?)^```', tour, re.M | re.S)
    first = blocks[0].splitlines()
    links = [(doc.name, link) for doc in sorted(DOCS.glob('*.md'))
             for link in re.findall(r'\]\(([^)#:]+)\)', doc.read_text())]
    cases = {
        'each function is where the tour says': missing(tour),
        'each calls what the tour says, in that order': sum(map(wrong_calls, blocks), []),
        'links lead to files': [f'{name}: {link}' for name, link in links if not (DOCS / link).exists()],
        # Could the above fail at all?
        'a function that is not there is noticed':
            [name for name in set(NAMED.findall(tour)) if not missing(f'{name[0]}: {name[1]}_gone()')],
        'a call that is not there is noticed':
            [] if wrong_calls('\n'.join([first[0], '  ' + first[-1].strip()])) else ['nothing was'],
        'an order that is not that of the code is noticed':
            [] if wrong_calls(blocks[0] + first[1]) else ['nothing was'],
    }
    print(f'TAP version 13\n1..{len(cases)}')
    for number, (what, wrong) in enumerate(cases.items(), 1):
        print(f'{"not ok" if wrong else "ok"} {number} {what}', *wrong, sep='\n# ')
    sys.exit(any(cases.values()))


if __name__ == '__main__':
    main()
