"""Compiled MIB modules in files, looked up without reading them all.

A store is a directory, or the same files in memory::

    index/modules.txt   MODULE  file  SMI version  revision
    index/names.txt     name  MODULE[ MODULE...]     sorted by the bytes of the name
    index/trees.txt     OID   MODULE[ MODULE...]     sorted by OID
    ietf/IF-MIB.txt     ... and the modules, as exporters.smi.mib_text writes them

A line of ``trees.txt`` says which modules define the objects from its OID on, until the next line
says otherwise, and ``names.txt`` the same of names. Modules fill stretches of the tree, and their
prefixes stretches of the alphabet, so that both are short: 350,000 objects of 2,850 modules have
5,800 stretches of OIDs and 25,000 of names. Both are mapped and searched by halving; a module is
read when something of it is asked for, and the last few stay. So opening a store costs the reading
of one short file, whatever it holds.

This knows one store. What several of them say together is ``exporters.smi.dictionary``.
"""

from __future__ import annotations

import mmap
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from exporters.smi.mib_objects import Convention, LinkedModule, MibObject
from exporters.smi.mib_text import (
    TypeTable,
    format_module,
    parse_head,
    parse_module,
    parse_object,
)
from exporters.wire.ber import decode_oid

Arcs = tuple[int, ...]
Buffer = bytes | mmap.mmap
_Key = TypeVar("_Key", bytes, Arcs)

MODULES_FILE = "index/modules.txt"
NAMES_FILE = "index/names.txt"
TREES_FILE = "index/trees.txt"

_KEPT_BYTES = 4_000_000
_NAMED = rb"^(?:\.[0-9]+|[0-9][0-9.]*\t(?P<kind>[a-z]+))\t(?P<name>%b%b[^\t\n]*)"
"""Lines of objects, where their names start so and go on so."""
_ANY_NAME = re.compile(rb"\n(?:\.[0-9]+|[0-9][0-9.]*\t[a-z]+)\t([^\t\n]*)")
"""The name in a line of any object. What starts with a newline is found faster than with ``^``."""


class MibStoreError(ValueError):
    """Files that are no store, or one that does not fit together."""


class Files(Protocol):
    """Where the files of a store come from."""

    def read(self, name: str) -> bytes:
        """All of a file; a missing one raises MibStoreError."""

    def buffer(self, name: str) -> Buffer:
        """A file to search in, which need not be read as a whole."""


class DirectoryFiles:
    """The files of a directory, which may be read-only."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def read(self, name: str) -> bytes:
        """All of a file."""
        try:
            return (self._directory / name).read_bytes()
        except OSError as error:
            raise MibStoreError(f"{self._directory / name}: {error.strerror}") from error

    def buffer(self, name: str) -> Buffer:
        """A file, mapped."""
        try:
            with (self._directory / name).open("rb") as file:
                return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except OSError as error:
            raise MibStoreError(f"{self._directory / name}: {error.strerror}") from error
        except ValueError:
            return b""  # an empty file cannot be mapped


class MemoryFiles:
    """Files that are nowhere but here."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = files

    def read(self, name: str) -> bytes:
        """All of a file."""
        try:
            return self._files[name]
        except KeyError:
            raise MibStoreError(f"{name} is not there") from None

    def buffer(self, name: str) -> Buffer:
        """All of a file."""
        return self.read(name)


@dataclass(frozen=True, slots=True)
class ModuleEntry:
    """A module as the index tells of it."""

    name: str
    file: str
    smi_version: int
    revision: str


# Searching in sorted lines


def _line_start(buffer: Buffer, position: int, low: int) -> int:
    """Where the line that holds the byte at *position* starts, not before *low*."""
    found = buffer.rfind(b"\n", low, position)
    return low if found < 0 else found + 1


def _line_end(buffer: Buffer, position: int, high: int) -> int:
    found = buffer.find(b"\n", position, high)
    return high if found < 0 else found


def _first_column(buffer: Buffer, start: int) -> bytes:
    return buffer[start : buffer.find(b"\t", start)]


def _arcs(dotted: bytes) -> Arcs:
    return tuple(map(int, dotted.split(b".")))


def _first_not_below(
    buffer: Buffer, low: int, high: int, key: Callable[[int], _Key], wanted: _Key
) -> int:
    """Where the first line between *low* and *high* starts whose key is not below *wanted*.

    Keys ascend from line to line; *key* gives that of the line that starts at a position.
    """
    start = low
    while low < high:
        line = _line_start(buffer, (low + high) // 2, start)
        line = max(line, low)
        end = _line_end(buffer, line, high)
        if key(line) < wanted:
            low = end + 1
        else:
            high = line
    return min(low, high)


# One module


class ModuleText:
    """The text of one module; its lines become objects when they are asked for."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        head_end = content.find(b"\n\n")
        types_end = content.find(b"\n\n", head_end + 2)
        if head_end < 0 or types_end < 0:
            raise MibStoreError("a module's file has not its three parts")
        self._start = types_end + 2
        self._end = len(content.rstrip(b"\n")) if len(content.rstrip(b"\n")) > self._start else 0
        self._end = max(self._end, self._start)
        self._types_text = content[head_end + 2 : types_end]
        self._types: Mapping[str, Convention] | None = None
        head = parse_head(content[:head_end].decode())
        self.name = head["module"]
        self._below = _arcs(head["below"].encode()) if "below" in head else ()

    @property
    def types(self) -> Mapping[str, Convention]:
        """The types of the module's lines, by the names that they have there."""
        if self._types is None:
            self._types = TypeTable(self._types_text.decode(), self.name)
        return self._types

    def _object(self, start: int) -> MibObject:
        line = self.content[start : _line_end(self.content, start, self._end)]
        above = self._row(start) if self._is_column(start) else self._below
        return parse_object(line.decode(), ".".join(map(str, above)), self.name, self.types)

    def _is_column(self, start: int) -> bool:
        """Whether the line at *start* is one of a column that goes on from the row before it."""
        return self.content.startswith(b".", start)

    def _row(self, start: int) -> Arcs:
        """The OID of the row before the column at *start*."""
        end = start
        while (end := self.content.rfind(b"\trow\t", self._start, end)) >= 0:
            row = _line_start(self.content, end, self._start)
            # An object may be called row, which then stands in another place of its line.
            if not self._is_column(row) and self.content.find(b"\t", row) == end:
                return self._arcs(row)
        raise MibStoreError(f"{self.name}: a column stands before any row")

    def _arcs(self, start: int) -> Arcs:
        """The OID of the line at *start*."""
        if self._is_column(start):
            return (*self._row(start), int(_first_column(self.content, start)[1:]))
        return self._below + _arcs(_first_column(self.content, start))

    def by_name(self, name: str) -> Iterator[MibObject]:
        """The objects of that name; seldom more than one."""
        column = b"\t" + name.encode()
        starts = set()
        for end in (b"\t", b"\n"):  # a name ends its line, or another column follows it
            position = self.content.find(column + end, self._start)
            while position >= 0:
                start = _line_start(self.content, position, self._start)
                before = 0 if self.content.startswith(b".", start) else 1  # such lines have no kind
                if self.content.count(b"\t", start, position) == before:
                    starts.add(start)
                position = self.content.find(column + end, position + 1)
        for start in sorted(starts):
            yield self._object(start)

    def search(self, pattern: re.Pattern[bytes]) -> Iterator[tuple[str, str, str]]:
        """OID, kind and name of each object whose line *pattern* finds, as ``_NAMED`` tells."""
        for match in pattern.finditer(self.content, self._start, self._end):
            kind = (match["kind"] or b"column").decode()
            oid = ".".join(map(str, self._arcs(match.start())))
            yield oid, kind, match["name"].decode()

    def at(self, arcs: Arcs) -> Iterator[MibObject]:
        """The objects with exactly that OID."""
        start = self._first_not_below(arcs)
        while start < self._end and self._arcs(start) == arcs:
            yield self._object(start)
            start = _line_end(self.content, start, self._end) + 1

    def subtree(self, arcs: Arcs) -> Iterator[tuple[Arcs, MibObject]]:
        """The objects at *arcs* and below it, with their OIDs, in order."""
        start = self._first_not_below(arcs)
        while start < self._end and (found := self._arcs(start))[: len(arcs)] == arcs:
            yield found, self._object(start)
            start = _line_end(self.content, start, self._end) + 1

    def not_below(self, arcs: Arcs) -> Arcs | None:
        """The first OID of an object that is *arcs* or comes after it."""
        start = self._first_not_below(arcs)
        return self._arcs(start) if start < self._end else None

    def not_above(self, arcs: Arcs) -> Arcs | None:
        """The last OID of an object that is *arcs* or comes before it."""
        start = self._first_not_below((*arcs, -1))
        if start <= self._start:
            return None
        return self._arcs(_line_start(self.content, start - 1, self._start))

    def _first_not_below(self, arcs: Arcs) -> int:
        return _first_not_below(self.content, self._start, self._end, self._arcs, arcs)

    def module(self) -> LinkedModule:
        """All of it."""
        return parse_module(self.content.decode())


# A store


class MibStore:
    """The modules of a directory, or of files in memory.

    Raises:
        MibStoreError: The files are no store.
    """

    def __init__(self, files: Files) -> None:
        self._files = files
        self.modules: dict[str, ModuleEntry] = {}
        for line in files.read(MODULES_FILE).decode().splitlines():
            fields = line.split("\t")
            if not 3 <= len(fields) <= 4:
                raise MibStoreError(f"{MODULES_FILE}: not a module: {line!r}")
            name, file, smi_version, *revision = fields
            self.modules[name] = ModuleEntry(name, file, int(smi_version), "".join(revision))
        self._names: Buffer = files.buffer(NAMES_FILE)
        self._trees: Buffer = files.buffer(TREES_FILE)
        self._texts: OrderedDict[str, ModuleText] = OrderedDict()
        self._kept = 0
        self._lock = threading.Lock()

    def text(self, module: str) -> ModuleText:
        """The text of a module of this store.

        Raises:
            KeyError: The store has no such module.
            MibStoreError: Its file is not what it should be.
        """
        with self._lock:  # pages look up in threads
            text = self._texts.get(module)
            if text is not None:
                self._texts.move_to_end(module)
                return text
            entry = self.modules[module]
            text = ModuleText(self._files.read(entry.file))
            self._texts[module] = text
            self._kept += len(text.content)
            while self._kept > _KEPT_BYTES and len(self._texts) > 1:
                _, dropped = self._texts.popitem(last=False)
                self._kept -= len(dropped.content)
            return text

    def contents(self) -> dict[str, bytes]:
        """All files of the store, by their names."""
        names = [entry.file for entry in self.modules.values()]
        return {
            name: self._files.read(name) for name in (MODULES_FILE, NAMES_FILE, TREES_FILE, *names)
        }

    def linked(self, module: str) -> LinkedModule | None:
        """A module as a whole, None where the store has none of that name."""
        return self.text(module).module() if module in self.modules else None

    def modules_with(self, name: str) -> tuple[str, ...]:
        """The modules that may define *name*: all that do, if it is defined at all."""
        buffer, size = self._names, len(self._names)
        wanted = name.encode() + b"\0"
        after = _first_not_below(buffer, 0, size, lambda at: _first_column(buffer, at), wanted)
        if after == 0:
            return ()
        start = _line_start(buffer, after - 1, 0)
        return tuple(buffer[start : after - 1].partition(b"\t")[2].decode().split(" "))

    def by_name(self, name: str) -> Iterator[MibObject]:
        """The objects of that name."""
        for module in self.modules_with(name):
            yield from self.text(module).by_name(name)

    def object_names(self, module: str) -> list[bytes]:
        """The names of a module's objects, in the order of their OIDs; nothing of it is kept."""
        return _ANY_NAME.findall(self._files.read(self.modules[module].file))

    def search(
        self, text: str, *, inside: bool = True, within: str = ""
    ) -> Iterator[tuple[str, str, str, str]]:
        """Module, OID, kind and name of each object with *text* in its name, whatever the case.

        Args:
            text: What to look for.
            inside: Whether it may stand anywhere in a name, or only at its start.
            within: Look in the module of this name, whatever its case; every module is read else.
        """
        wanted = text.lower().encode()
        pattern = re.compile(
            _NAMED % (rb"[^\t\n]*?" if inside else b"", re.escape(wanted)),
            re.MULTILINE | re.IGNORECASE,
        )
        for entry in self.modules.values():
            if within and entry.name.lower() != within.lower():
                continue
            content = self._files.read(entry.file)
            if wanted in content.lower():
                for found in ModuleText(content).search(pattern):
                    yield entry.name, *found

    def _tree_key(self, start: int) -> Arcs:
        """The OID of the line of the trees that starts there."""
        return _arcs(_first_column(self._trees, start))

    def _stretch(self, arcs: Arcs) -> tuple[tuple[str, ...], Arcs | None]:
        """The modules that *arcs* falls to, and the OID from which on it is others."""
        buffer, size = self._trees, len(self._trees)
        after = _first_not_below(buffer, 0, size, self._tree_key, (*arcs, -1))
        following = self._tree_key(after) if after < size else None
        if after == 0:
            return (), following
        start = _line_start(buffer, after - 1, 0)
        modules = buffer[start : after - 1].partition(b"\t")[2]
        return tuple(modules.decode().split(" ")), following

    def nearest(self, arcs: Arcs) -> tuple[Arcs, tuple[str, ...]] | None:
        """The OID of the nearest object at or above *arcs*, and the modules that define it."""
        while arcs:
            modules, _ = self._stretch(arcs)
            if not modules:
                return None
            last = self.text(modules[0]).not_above(arcs)
            if last is None:
                return None
            if last == arcs[: len(last)]:
                return last, modules if len(last) == len(arcs) else self._stretch(last)[0]
            arcs = _common(last, arcs)
        return None

    def following(self, arcs: Arcs) -> Arcs | None:
        """The OID of the first object that is *arcs* or comes after it."""
        modules, next_stretch = self._stretch(arcs)
        if modules:
            found = self.text(modules[0]).not_below(arcs)
            if found is not None and (next_stretch is None or found < next_stretch):
                return found
        return next_stretch

    def modules_below(self, arcs: Arcs) -> set[str]:
        """The modules that define what is at *arcs* or below it, and maybe others."""
        found, _ = self._stretch(arcs)
        modules = set(found)
        buffer, size = self._trees, len(self._trees)
        start = _first_not_below(buffer, 0, size, self._tree_key, arcs)
        while start < size and self._tree_key(start)[: len(arcs)] == arcs:
            end = _line_end(buffer, start, size)
            modules.update(buffer[start:end].partition(b"\t")[2].decode().split(" "))
            start = end + 1
        return modules

    def modules_at(self, arcs: Arcs) -> tuple[str, ...]:
        """The modules that have an object with exactly this OID."""
        return tuple(
            module
            for module in self._stretch(arcs)[0]
            if next(self.text(module).at(arcs), None) is not None
        )


def _common(one: Arcs, other: Arcs) -> Arcs:
    length = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        length += 1
    return one[:length]


# Building


def build_files(modules: Iterable[LinkedModule], folder: Callable[[str], str]) -> dict[str, bytes]:
    """The files of a store that holds *modules*.

    Args:
        modules: No two of one name.
        folder: Where the file of a module goes, empty for the store's own directory.
    """
    files: dict[str, bytes] = {}
    entries: dict[str, str] = {}
    names: dict[str, set[str]] = {}
    owners: dict[Arcs, set[str]] = {}
    for module in modules:
        inside = folder(module.name)
        file = f"{inside}/{module.name}.txt" if inside else f"{module.name}.txt"
        files[file] = format_module(module).encode()
        fields = (module.name, file, str(module.smi_version), module.revision)
        entries[module.name] = "\t".join(fields).rstrip("\t")
        for item in module.objects:
            names.setdefault(item.name, set()).add(module.name)
            owners.setdefault(decode_oid(item.oid), set()).add(module.name)
    files[MODULES_FILE] = _lines(entries[name] for name in sorted(entries))
    files[NAMES_FILE] = _lines(
        f"{name.decode()}\t{modules}"
        for name, modules in _stretches({name.encode(): names[name] for name in names})
    )
    files[TREES_FILE] = _lines(
        f"{'.'.join(map(str, arcs))}\t{modules}" for arcs, modules in _stretches(owners)
    )
    return files


def _stretches(owners: Mapping[_Key, set[str]]) -> Iterator[tuple[_Key, str]]:
    """Each key at which the modules become others, in order, with the modules."""
    current: set[str] = set()
    for key in sorted(owners):
        if owners[key] != current:
            current = owners[key]
            yield key, " ".join(sorted(current))


def _lines(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()
