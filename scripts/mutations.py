# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads selftests/mutations/: one-line breakages of the module, each with the test that must notice it.

A mutation is a paragraph:

    name: no-kick
    why: a vCPU in the guest does not hear of its interrupt before it exits by itself
    file: core/vcpu.c
    test: interrupts kicked_by_an_interrupt
     		if (cpu != raw_smp_processor_id())
    -			smp_send_reschedule(cpu);
    +			;

The end of it is a diff without line numbers: one line goes, one comes, and lines of context, which begin
with a space, say which is meant if it is not the only one like it.
"""
import collections
import pathlib

TOP = pathlib.Path(__file__).resolve().parent.parent
FIELDS = ('name', 'why', 'file', 'test')


class Mutation(collections.namedtuple('Mutation', FIELDS + ('before', 'after'))):
    """file is below module/; test is a program and a case of it; before and after are text."""

    def path(self):
        return f'module/{self.file}'

    def program(self):
        return self.test.split()[0]

    def case(self):
        """As the harness names it: with the fixture, which is "global" for TEST()."""
        name = self.test.split()[1]
        return name if '.' in name else f'global.{name}'

    def row(self):
        """Its row of the table in Documentation/testing.md."""
        return f'| `{self.name}` | `{self.file}` | {self.why} | `{self.test}` |'

    def apply(self, text):
        """The mutated text; ValueError if the mutation does not fit, or fits more than once."""
        found = text.count(self.before)
        if found != 1:
            raise ValueError(f'what {self.path()} should have once, it has {found} times:\n{self.before}')
        return text.replace(self.before, self.after)


def parse(paragraph):
    """One Mutation; ValueError says what is wrong with it."""
    fields, before, after, gone, come = {}, [], [], 0, 0
    for line in paragraph.splitlines():
        if line[0] in ' -+':
            before += [line[1:]] if line[0] != '+' else []
            after += [line[1:]] if line[0] != '-' else []
            gone += line[0] == '-'
            come += line[0] == '+'
        else:
            key, _, value = line.partition(': ')
            fields[key] = value
    if tuple(fields) != FIELDS or len(fields['test'].split()) != 2:
        raise ValueError(f'a mutation has {", ".join(FIELDS)}, but here is:\n{paragraph}')
    if (gone, come) != (1, 1):
        raise ValueError(f'{fields["name"]}: {gone} lines go and {come} come, instead of one')
    return Mutation(*fields.values(), '\n'.join(before) + '\n', '\n'.join(after) + '\n')


def load(directory=TOP / 'selftests/mutations'):
    """All mutations, in the order of the files' names and in the files'."""
    mutations = []
    for file in sorted(directory.iterdir()):
        text = '\n'.join(line for line in file.read_text().splitlines() if not line.startswith('#'))
        mutations += [parse(paragraph) for paragraph in text.strip('\n').split('\n\n')]
    return mutations
