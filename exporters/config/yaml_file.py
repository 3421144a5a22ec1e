"""Reading a YAML file into plain values, and finding the line of a key when an error needs it.

The file is built from the parser's events: no node graph is made, so a file of 2 MB costs a few
megabytes for the time of loading. What ``yaml.safe_load`` lets pass is refused: a key given
twice, aliases that unfold without end, several documents in one file. What a plain scalar means
is told in ``exporters.config.scalars``.

Lines are not kept while loading; ``exporters.config.source_lines`` finds them again. What the
values should be is the matter of ``exporters.config.validation``.

Sources: YAML 1.1, its merge key type, PyYAML's events.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import yaml

from exporters.config.rejection import KeyPath, format_key_path
from exporters.config.scalars import Scalar, resolve, text_of
from exporters.config.source_lines import LOADER, MERGE_KEY, SourceLines
from exporters.errors import ConfigError, Problem

MAX_DEPTH = 100
MAX_ALIASED_VALUES = 1_000_000
"""How many values the aliases of one file may unfold to, before it is taken for a bomb."""

_TAG = "tag:yaml.org,2002:"
_KEY_NOT_SCALAR = "a key must be text or a number, not a list or a mapping"


def load_yaml(path: Path) -> Any:
    """Give the values of a YAML file: dicts, lists and scalars; ``None`` for an empty file.

    Equal strings are one object, and so is whatever an alias repeats: do not change the result.

    Raises:
        ConfigError: The file cannot be read, is not UTF-8 or not YAML, or holds what is refused.
    """
    return parse_yaml(read_bytes(path), file=str(path))


def parse_yaml(data: bytes, *, file: str = "") -> Any:
    """Give the values of YAML text; *file* is the name that errors bear.

    Raises:
        ConfigError: As ``load_yaml``.
    """
    _check_utf8(data, file)
    builder = _Builder(file)
    try:
        value = builder.build(LOADER(data))
    except yaml.YAMLError as error:
        # From None: the error of the Python parser quotes the line, which may hold a secret.
        raise ConfigError((*builder.problems, _syntax_problem(error, data, file))) from None
    if builder.problems:
        raise ConfigError(builder.problems_with_first_lines(data))
    return value


def read_bytes(path: Path) -> bytes:
    """Read a file whole.

    Raises:
        ConfigError: The operating system says why not.
    """
    try:
        return path.read_bytes()
    except IsADirectoryError as error:
        hint = f"name a file, or a pattern such as {path / '*.yml'}"
        raise ConfigError((Problem("is a directory", hint, str(path)),)) from error
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ConfigError((Problem(f"cannot be read: {reason}", file=str(path)),)) from error


class _Frame:
    """A mapping or list that is being filled."""

    __slots__ = ("anchor", "container", "key", "merged", "needs_key", "values_before")

    def __init__(
        self, container: dict[Any, Any] | list[Any], anchor: str | None, values: int
    ) -> None:
        self.container = container
        self.anchor = anchor
        self.values_before = values
        self.needs_key = isinstance(container, dict)
        self.key: Any = None
        self.merged: list[dict[Any, Any]] | None = None

    def part(self) -> str | int | None:
        """The key or index that is being filled, if one is."""
        if isinstance(self.container, list):
            return len(self.container)
        return None if self.needs_key else text_of(self.key)


class _Builder:
    """Turns a parser's events into values, with a stack of its own instead of recursion."""

    def __init__(self, file: str) -> None:
        self.problems: list[Problem] = []
        self._repeated: list[tuple[int, KeyPath]] = []
        self._file = file
        self._frames: list[_Frame] = []
        self._plain: dict[str, Scalar] = {}
        self._quoted: dict[str, str] = {}
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._open_anchors: set[str] = set()
        self._values = 0
        self._aliased_values = 0
        self._result: Any = None
        self._documents = 0

    def build(self, loader: yaml.SafeLoader) -> Any:
        get_event: Callable[[], yaml.Event] = loader.get_event
        while not isinstance(event := get_event(), yaml.StreamEndEvent):
            if isinstance(event, yaml.ScalarEvent):
                self._scalar(event)
            elif isinstance(event, yaml.MappingStartEvent):
                self._open({}, event, "map")
            elif isinstance(event, yaml.SequenceStartEvent):
                self._open([], event, "seq")
            elif isinstance(event, yaml.CollectionEndEvent):
                self._close(event)
            elif isinstance(event, yaml.AliasEvent):
                self._alias(event)
            elif isinstance(event, yaml.DocumentStartEvent):
                self._start_document(event)
        return self._result

    def problems_with_first_lines(self, data: bytes) -> list[Problem]:
        """Tell of each repeated key where it stood first."""
        lines = SourceLines(data)
        problems = list(self.problems)
        for position, key_path in self._repeated:
            hint = f"it is on line {lines.line(key_path)} already; keep one of them"
            problems[position] = replace(problems[position], hint=hint)
        return problems

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        text = event.value
        value: Scalar
        if event.tag is not None:
            value = self._tagged(event, event.tag)
        elif event.implicit[0]:
            try:
                value = self._plain[text]
            except KeyError:
                value = self._plain[text] = resolve(text)
        else:
            value = self._quoted.setdefault(text, text)
        self._values += 1
        if event.anchor is not None:
            self._anchors[event.anchor] = (value, 1)
        frame = self._frames[-1] if self._frames else None
        if frame is not None and frame.needs_key:
            self._key(frame, value, event, merges=text == MERGE_KEY and event.implicit[0])
        else:
            self._place(value, event)

    def _tagged(self, event: yaml.ScalarEvent, tag: str) -> Scalar:
        value = resolve(event.value)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        fits = {
            "str": True,
            "int": is_number and isinstance(value, int),
            "float": is_number,
            "bool": isinstance(value, bool),
            "null": value is None,
        }
        name = "str" if tag == "!" else tag.removeprefix(_TAG)
        if name not in fits:
            self._refuse_tag(event, tag)
        elif not fits[name]:
            self._report(event, f"this is not what its tag !!{name} says")
        return str(event.value) if name == "str" else value

    def _refuse_tag(self, event: yaml.Event, tag: str) -> None:
        self._report(event, f"the tag {tag.replace(_TAG, '!!')} is not supported", "leave it out")

    def _key(self, frame: _Frame, key: Scalar, event: yaml.Event, *, merges: bool) -> None:
        frame.needs_key = False
        frame.key = key
        if merges:
            if frame.merged is None:
                frame.merged = []
            else:
                hint = "merge a list instead: <<: [*a, *b]"
                self._report(event, 'the merge key "<<" is given twice', hint)
        elif key in frame.container:
            self._repeated.append((len(self.problems), self._key_path()))
            self._report(event, "this key is given twice", "keep one of them")

    def _place(self, value: Any, event: yaml.Event) -> None:
        if not self._frames:
            self._result = value
            return
        frame = self._frames[-1]
        container = frame.container
        if isinstance(container, list):
            container.append(value)
            return
        frame.needs_key = True
        if frame.key == MERGE_KEY and frame.merged is not None:
            self._merge(frame.merged, value, event)
        else:
            container.setdefault(frame.key, value)

    def _merge(self, merged: list[dict[Any, Any]], value: Any, event: yaml.Event) -> None:
        mappings = value if isinstance(value, list) else [value]
        if not all(isinstance(mapping, dict) for mapping in mappings):
            problem = 'only mappings can be merged with "<<"'
            self._report(event, problem, "write <<: *anchor or <<: [*a, *b]")
            return
        merged += mappings

    def _open(
        self, container: dict[Any, Any] | list[Any], event: yaml.CollectionStartEvent, tag: str
    ) -> None:
        if event.tag is not None and event.tag not in ("!", _TAG + tag):
            self._refuse_tag(event, event.tag)
        if self._frames and self._frames[-1].needs_key:
            self._stop(event, _KEY_NOT_SCALAR)
        if len(self._frames) >= MAX_DEPTH:
            self._stop(event, f"nested deeper than {MAX_DEPTH} levels")
        self._frames.append(_Frame(container, event.anchor, self._values))
        if event.anchor is not None:
            self._open_anchors.add(event.anchor)
        self._values += 1

    def _close(self, event: yaml.Event) -> None:
        frame = self._frames.pop()
        if frame.merged and isinstance(frame.container, dict):
            for mapping in frame.merged:
                for key, value in mapping.items():
                    frame.container.setdefault(key, value)
        if frame.anchor is not None:
            self._open_anchors.discard(frame.anchor)
            self._anchors[frame.anchor] = (frame.container, self._values - frame.values_before)
        self._place(frame.container, event)

    def _alias(self, event: yaml.AliasEvent) -> None:
        anchor = str(event.anchor)
        if anchor in self._open_anchors:
            self._stop(event, f"the alias *{anchor} stands inside what it repeats")
        if anchor not in self._anchors:
            self._stop(event, f"the alias *{anchor} has no anchor &{anchor} before it")
        value, values = self._anchors[anchor]
        self._values += values
        self._aliased_values += values
        if self._aliased_values > MAX_ALIASED_VALUES:
            self._stop(event, f"the aliases unfold to more than {MAX_ALIASED_VALUES:,} values")
        frame = self._frames[-1]
        if not frame.needs_key:
            self._place(value, event)
        elif isinstance(value, dict | list):
            self._stop(event, _KEY_NOT_SCALAR)
        else:
            self._key(frame, value, event, merges=False)

    def _start_document(self, event: yaml.DocumentStartEvent) -> None:
        self._documents += 1
        if self._documents > 1:
            self._stop(
                event, "a second document begins here", "one file holds one document: drop the ---"
            )

    def _report(self, event: yaml.Event, problem: str, hint: str = "") -> None:
        mark = event.start_mark
        line = None if mark is None else mark.line + 1
        key_path = format_key_path(self._key_path())
        self.problems.append(Problem(problem, hint, self._file, line, key_path))

    def _key_path(self) -> KeyPath:
        parts = (frame.part() for frame in self._frames)
        return tuple(part for part in parts if part is not None)

    def _stop(self, event: yaml.Event, problem: str, hint: str = "") -> NoReturn:
        self._report(event, problem, hint)
        raise ConfigError(self.problems)


def _check_utf8(data: bytes, file: str) -> None:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        problem = f"byte 0x{data[error.start]:02x} is not UTF-8"
        raise ConfigError((Problem(problem, "save the file as UTF-8", file, line),)) from error


def _syntax_problem(error: yaml.YAMLError, data: bytes, file: str) -> Problem:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        line = error.problem_mark.line + 1
        lines = data.split(b"\n")
        indent = lines[line - 1] if line <= len(lines) else b""
        hint = "YAML is indented with spaces, not tabs" if b"\t" in indent else ""
        return Problem(f"is not YAML: {error.problem}", hint, file, line)
    if isinstance(error, yaml.reader.ReaderError):
        line = data.count(b"\n", 0, error.position) + 1
        return Problem(f"is not YAML: {error.reason}", "remove the control character", file, line)
    return Problem("is not YAML", file=file)
