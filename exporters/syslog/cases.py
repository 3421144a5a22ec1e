"""Messages that ship as examples in ``modules/syslog/cases``, each named after its rule.

    # a comment
    @ <189>4711: core-1: Mar 14 09:26:53.123 UTC:
    cisco_link_down: link error raise GigabitEthernet0/7
    %LINK-3-UPDOWN: Interface GigabitEthernet0/7, changed state to down

``@`` gives what messages begin with from there on, ``@`` alone that they are whole. A case is two
lines: the rule that decides, and what it comes to; then the message. ``explain syslog`` knows a
case by the name of its rule with hyphens, the second one of a rule by ``-2`` behind it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from exporters.bundled import modules_directory

_HEADER: Final = "@"


class Case(NamedTuple):
    """One message.

    Attributes:
        name: ``cisco-link-down``.
        group: The file's name, ``cisco``.
        rule: That decides.
        event: What it says has happened.
        severity: How bad it says that is.
        change: ``raise`` or ``clear``, and the instance of the state; empty where none changes.
        message: As a device sends it.
    """

    name: str
    group: str
    rule: str
    event: str
    severity: str
    change: str
    message: bytes


def shipped_cases() -> list[Case]:
    """Give the cases that ship, by the names of their files and in their order."""
    seen: Counter[str] = Counter()
    files = sorted(modules_directory("syslog").glob("cases/*.txt"))
    return [case for file in files for case in _cases(file, seen)]


def cases_named(name: str) -> list[Case]:
    """Give the case of that name, or all of the group of that name."""
    return [case for case in shipped_cases() if name in (case.name, case.group)]


def _cases(file: Path, seen: Counter[str]) -> Iterator[Case]:
    header = meaning = ""
    for line in file.read_text().splitlines():
        if line.startswith(_HEADER):
            header = line.removeprefix(_HEADER).removeprefix(" ")
        elif meaning:
            rule, _, words = meaning.partition(": ")
            event, severity, *change = words.split(" ", 2)
            seen[rule] += 1
            number = f"-{seen[rule]}" if seen[rule] > 1 else ""
            name = rule.replace("_", "-") + number
            message = (header + line).encode()
            yield Case(name, file.stem, rule, event, severity, "".join(change), message)
            meaning = ""
        elif line and not line.startswith("#"):
            meaning = line
