"""The MIB files below some directories, and what was read from each.

Vendors name MIB files as they like, so that a file is one if it says so: a module starts with
``DEFINITIONS ::= BEGIN``. Other files are left alone.

Reading a file is what compiling costs. What was read is kept as JSON under the hash of the file's
bytes, so that a file is read once, however often it is compiled, moved or renamed. The cache is a
user's own; the first sentences of descriptions are in it, as they are in the user's files.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exporters.errors import ConfigError, Problem
from exporters.logs import fields
from exporters.smi.mib_declarations import ParsedModule, module_from_json, module_to_json
from exporters.smi.mib_findings import Finding, Severity

if TYPE_CHECKING:
    from exporters.smi.mib_grammar import MibParser

logger = logging.getLogger(__name__)

FORMAT_VERSION = 1
"""Goes up when the same file would be read otherwise than before."""

_LARGEST_FILE_BYTES = 64 * 1024 * 1024
_HEAD = re.compile(rb"\bDEFINITIONS\b[^\r\n:]{0,80}\s*::=\s*(?:--[^\r\n]*\s*)*BEGIN\b")


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file, and what changes when it does."""

    path: Path
    size: int
    modified_ns: int

    @property
    def fingerprint(self) -> tuple[str, int, int]:
        """The same for a file that has not been written since."""
        return str(self.path), self.size, self.modified_ns


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A file that holds MIB modules, or says that it does."""

    path: Path
    modules: tuple[ParsedModule, ...]
    findings: tuple[Finding, ...]
    """What is wrong outside of any module."""


def find_sources(places: Iterable[Path]) -> list[SourceFile]:
    """List the files at *places*, which are files or directories; hidden ones are passed over.

    Raises:
        ConfigError: A place is not there.
    """
    found: dict[Path, SourceFile] = {}
    for place in places:
        if not place.exists():
            hint = "name a directory with MIB files, or a MIB file"
            raise ConfigError((Problem("there is no such file or directory", hint, str(place)),))
        for path in sorted(_walk(place)) if place.is_dir() else [place]:
            status = path.stat()
            found[path] = SourceFile(path, status.st_size, status.st_mtime_ns)
    return list(found.values())


def _walk(directory: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(directory):
        folders[:] = sorted(folder for folder in folders if not folder.startswith("."))
        for name in files:
            path = Path(parent, name)
            if not name.startswith(".") and path.is_file():
                yield path


_Read = tuple[tuple[ParsedModule, ...], tuple[Finding, ...]]


def _from_json(value: list[Any]) -> _Read:
    modules, findings = value
    return (
        tuple(module_from_json(module) for module in modules),
        tuple(Finding(line, Severity(severity), text) for line, severity, text in findings),
    )


class SourceReader:
    """Reads files, and remembers in *cache* what was in them; without one it remembers nothing."""

    def __init__(self, cache: Path | None) -> None:
        self._cache = cache
        self._parser: MibParser | None = None

    def read(self, source: SourceFile) -> ReadFile | None:
        """Read a file; None where it has no MIB module.

        A file that cannot be read is one with a finding, not a failure of all.
        """
        if source.size > _LARGEST_FILE_BYTES:
            return self._failed(source, f"it has {source.size} bytes, which no MIB file has")
        try:
            content = source.path.read_bytes()
        except OSError as error:
            return self._failed(source, error.strerror or str(error))
        if _HEAD.search(content) is None:
            return None
        digest = hashlib.sha256(content).hexdigest()
        read = self._remembered(digest)
        if read is None:
            value = self._parse(content)
            self._remember(digest, value)
            read = _from_json(value)
        return ReadFile(source.path, *read)

    def _failed(self, source: SourceFile, problem: str) -> ReadFile:
        return ReadFile(source.path, (), (Finding(1, Severity.ERROR, problem),))

    def _parse(self, content: bytes) -> list[Any]:
        if self._parser is None:
            # Here and not above: who has everything in the cache does not need the grammar.
            from exporters.smi.mib_grammar import MibParser

            self._parser = MibParser()
        modules, findings = self._parser.parse(content)
        return [
            [module_to_json(module) for module in modules],
            [[finding.line, finding.severity, finding.text] for finding in findings],
        ]

    def _path(self, digest: str) -> Path | None:
        return None if self._cache is None else self._cache / f"{digest}.{FORMAT_VERSION}.json"

    def _remembered(self, digest: str) -> _Read | None:
        path = self._path(digest)
        if path is None:
            return None
        try:
            return _from_json(json.loads(path.read_bytes()))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, KeyError, TypeError, ValueError) as error:
            logger.warning("cached MIB file not readable", extra=fields(file=path, err=error))
            return None

    def _remember(self, digest: str, value: list[Any]) -> None:
        path = self._path(digest)
        if path is None:
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Another process may write the same at the same time; neither shows half a file.
            partial = path.with_suffix(f".{os.getpid()}")
            partial.write_text(json.dumps(value, separators=(",", ":")), encoding="utf-8")
            partial.replace(path)
        except OSError as error:
            logger.warning("MIB cache not writable", extra=fields(directory=path.parent, err=error))
            self._cache = None
