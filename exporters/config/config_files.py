"""Which files a configuration is made of, and that no two of them give the same name.

A configuration may lie in several files, which are merged: one may hold only credentials, another
only modules.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from exporters.config.go_glob import glob, is_pattern
from exporters.config.rejection import quote
from exporters.config.source_lines import line_of
from exporters.errors import Problem
from exporters.logs import fields

logger = logging.getLogger(__name__)


def matching_files(patterns: Iterable[str | Path]) -> tuple[list[Path], list[Problem]]:
    """Give each file once, in the order of the patterns (``exporters.config.go_glob``).

    A pattern that matches nothing is logged; a name that does not exist is an error when it is
    read.
    """
    found: dict[Path, None] = {}
    problems: list[Problem] = []
    for pattern in map(str, patterns):
        if not is_pattern(pattern):
            found[Path(pattern)] = None  # reading it will say if it is not there
            continue
        try:
            matches = glob(pattern)
        except ValueError as error:
            problems.append(Problem(f"is not a file pattern: {error}", file=pattern))
            continue
        if not matches:
            logger.warning("no configuration file matches", extra=fields(pattern=pattern))
        found.update(dict.fromkeys(matches))
    return list(found), problems


def repeated_names(
    part: str, kind: str, names_by_file: Mapping[Path, Iterable[str]]
) -> Iterator[Problem]:
    """Tell of each name below the key *part* that two files have; *kind* is what it names."""
    seen: dict[str, Path] = {}
    for path, names in names_by_file.items():
        for name in names:
            first = seen.setdefault(name, path)
            if first is not path:
                where = (part, name)
                line = line_of(first, where)
                place = f"{first}:{line}" if line else str(first)
                hint = f"it is in {place} already; keep one of them"
                problem = f"the {kind} {quote(name)} is given twice"
                yield Problem(problem, hint, str(path), line_of(path, where), f"{part}.{name}")
