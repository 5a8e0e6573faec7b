# SPDX-License-Identifier: GPL-2.0-or-later
"""Judges the TAP of one test program, and writes it as a KTAP subtest.

KTAP is Documentation/dev-tools/ktap.rst of the kernel.  A program is not taken at its word: it must
announce a plan, deliver a result for each case of it in order, exit as its results say, and give a
reason for each case that it skips.  What is missing counts as a failed case.
"""
import re

PLAN = re.compile(r'1\.\.(\d+)\s*(?:#\s*SKIP\b\s*(.*))?$', re.IGNORECASE)
RESULT = re.compile(r'(not )?ok\b\s*(\d+)?(?:\s*-)?\s*([^#]*?)\s*(?:#\s*(\w+)\s*(.*))?$')
VERSION = re.compile(r'K?TAP version \d+$', re.IGNORECASE)
# Of kselftest_harness.h: names the case that runs (its SKIP lines have no name), and noise.
RUN = re.compile(r'#\s+RUN\s+(\S+)')
NOISE = re.compile(r'#\s+OK\s|# (Starting|PASSED:|Totals:)')
NO_REASON = ('', 'unknown')  # kselftest_harness.h says "unknown" when it was given none


class Program:
    """One program: feed() its lines, then finish(); emit(line) is called for each line of KTAP."""

    def __init__(self, name, emit):
        self.name = name
        self.emit = lambda line: emit('  ' + line)
        self.emit_result = emit
        self.plan = None
        self.running = ''
        self.admits = False  # that a case failed
        self.passed = self.failed = self.skipped = 0
        self.emit('KTAP version 1')
        self.emit(f'# Subtest: {name}')

    def count(self):
        return self.passed + self.failed + self.skipped

    def fail(self, what):
        self.failed += 1
        self.emit(f'not ok {self.count()} {what}')

    def feed(self, line):
        line = line.strip()
        if match := PLAN.match(line):
            self.planned(int(match[1]), match[2])
        elif match := RESULT.match(line):
            self.result(*match.groups())
        elif match := RUN.match(line):
            self.running = match[1]
        elif line and not VERSION.match(line) and not NOISE.match(line):
            self.emit(line if line.startswith('#') else f'# {line}')

    def planned(self, number, reason):
        if self.plan is not None:
            return self.fail('a second plan')
        self.plan = number
        self.emit(f'1..{number or 1}')
        if number == 0:  # all of the program is skipped: counts as one case
            self.plan = 1
            self.result(None, None, self.name, 'SKIP', reason or '')

    def result(self, not_ok, number, name, directive, text):
        name = name or self.running or '(no name)'
        expected = self.count() + 1
        if number is not None and int(number) != expected:
            self.fail(f'{name}: reported as result {number}, but it is number {expected}')
        elif not_ok:
            self.admits = True
            self.fail(name)
        elif directive and directive.upper() == 'SKIP':
            if text.strip() in NO_REASON:
                return self.fail(f'{name}: skipped without a reason')
            self.skipped += 1
            self.emit(f'ok {expected} {name} # SKIP {text}')
        else:
            self.passed += 1
            self.emit(f'ok {expected} {name}')

    def finish(self, status):
        """status: exit status as a shell gives it, or a text that says why there is none."""
        if self.plan is None:
            self.fail('no plan')
        elif self.count() > self.plan:
            self.fail(f'{self.count()} results, but {self.plan} were planned')
        while self.plan is not None and self.count() < self.plan:
            self.fail('no result')
        if not isinstance(status, int):
            self.fail(status)
        elif status > 128:
            self.fail(f'ended by signal {status - 128}')
        elif self.admits and status == 0:
            self.fail('exit status 0, in spite of a failed case')
        elif not self.admits and status not in self.good_statuses():
            self.fail(f'exit status {status}')

    def good_statuses(self):
        return (0, 4) if self.passed == 0 else (0,)  # kselftests exit with 4 when all is skipped

    def ok(self):
        return self.failed == 0

    def summary(self, number):
        skip = ' # SKIP all its cases' if self.ok() and self.passed == 0 else ''
        self.emit_result(f'{"ok" if self.ok() else "not ok"} {number} {self.name}{skip}')
