#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""Holds uapi/vitro.yaml against uapi/linux/vitro_netlink.h: same names, same numbers."""
import pathlib
import re

import yaml

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
SPEC = yaml.safe_load((TOP / 'uapi/vitro.yaml').read_text())
HEADER = (TOP / 'uapi/linux/vitro_netlink.h').read_text()
CODE = re.sub(r'/\*.*?\*/', '', HEADER, flags=re.S)


def constants():
    """The members of all enums, by name."""
    found = {}
    for body in re.findall(r'enum\s*\w*\s*{(.*?)}', CODE, flags=re.S):
        value = -1
        for member in filter(None, (m.strip() for m in body.split(','))):
            name, _, given = (part.strip() for part in member.partition('='))
            value = int(given) if given.isdigit() else value + 1
            if not name.startswith('__') and not given.startswith('__'):
                found[name] = value
    return found


def upper(prefix, name):
    return (prefix + name).replace('-', '_').upper()


def described():
    """What the specification says that they are."""
    found = {}
    attributes = SPEC['attribute-sets'][0]
    for number, attribute in enumerate(attributes['attributes'], 1):
        found[upper(attributes['name-prefix'], attribute['name'])] = number
    for number, operation in enumerate(SPEC['operations']['list'], 1):
        found[upper(SPEC['operations']['name-prefix'], operation['name'])] = number
    event = SPEC['definitions'][0]
    for number, name in enumerate(event['entries'], event['value-start']):
        found[upper('vitro-event-', name)] = number
    return found


def used():
    """Attributes that operations name, and those that there are."""
    names = set()
    for operation in SPEC['operations']['list']:
        for kind in ('do', 'dump', 'event'):
            part = operation.get(kind, {})
            for message in (part, part.get('request', {}), part.get('reply', {})):
                names.update(message.get('attributes', []))
    return names, {a['name'] for a in SPEC['attribute-sets'][0]['attributes']}


def types():
    """Types by the header's comments, and by the specification; those that differ."""
    differ = []
    for attribute in SPEC['attribute-sets'][0]['attributes']:
        name = upper('vitro-a-', attribute['name'])
        comment = re.search(rf'\b{name},?\s*/\* (\w+)', HEADER)
        if attribute['type'] != 'pad' and (not comment or comment[1] != attribute['type']):
            differ.append(name)
    return differ


def main():
    names, there = used()
    results = [
        ('constants', constants() == described()),
        ('types', not types()),
        ('attributes', names | {'pad'} == there),
        ('family', f'VITRO_FAMILY_NAME\t"{SPEC["name"]}"' in HEADER and
         f'VITRO_FAMILY_VERSION\t{SPEC["version"]}' in HEADER),
        ('groups', [g['name'] for g in SPEC['mcast-groups']['list']] ==
         re.findall(r'MCGRP_\w+\s+"(\w+)"', HEADER)),
        ('protocol', SPEC['protocol'] == 'genetlink'),
    ]
    print('TAP version 13')
    print(f'1..{len(results)}')
    for number, (name, ok) in enumerate(results, 1):
        print(f'{"ok" if ok else "not ok"} {number} {name}')
    if constants() != described():
        print('# differ:', sorted(set(constants().items()) ^ set(described().items())))
    if types():
        print('# types differ:', types())
    raise SystemExit(not all(ok for _, ok in results))


main()
