"""Compiled MIB files, kept until a file changes.

What a set of directories compiles to is a state. It is kept in a directory of its own, named after
everything that it depends on, and never changed: a process that uses one is not disturbed by
another that compiles. The last few states of a set of directories stay, older ones go.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exporters import __version__
from exporters.errors import ConfigError, Problem
from exporters.logs import fields
from exporters.mibs.compiling import Compilation, MibProblem, compile_sources
from exporters.mibs.sources import SourceFile, SourceReader, find_sources
from exporters.smi.dictionary import Dictionary
from exporters.smi.mib_findings import Severity
from exporters.smi.mib_store import (
    MODULES_FILE,
    DirectoryFiles,
    MemoryFiles,
    MibStore,
    MibStoreError,
)

logger = logging.getLogger(__name__)

_MANIFEST = "manifest.json"
_STATES_KEPT = 3


@dataclass(frozen=True, slots=True)
class CompiledState:
    """What some directories compile to."""

    store: MibStore
    problems: tuple[MibProblem, ...]
    summary: str


def compile_state(
    directories: Sequence[Path], known: Dictionary, cache: Path | None
) -> CompiledState:
    """Give what *directories* compile to, over the modules of *known*; from *cache* if it can be.

    Raises:
        ConfigError: A directory is not there.
    """
    sources = find_sources(directories)
    if cache is None:
        return _in_memory(compile_sources(sources, SourceReader(None), known))
    place = cache / _digest([str(path.resolve()) for path in directories])
    directory = place / _name_of_state(sources, known)
    state = _open(directory)
    if state is None:
        compilation = compile_sources(sources, SourceReader(cache / "read"), known)
        state = _keep(directory, compilation) or _in_memory(compilation)
    return state


def _in_memory(compilation: Compilation) -> CompiledState:
    store = MibStore(MemoryFiles(compilation.files))
    return CompiledState(store, tuple(compilation.problems), compilation.summary())


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:16]


def _name_of_state(sources: Sequence[SourceFile], known: Dictionary) -> str:
    """What is different when anything has changed that the compiled modules depend on."""
    others = [
        (entry.name, entry.revision) for store in known.stores for entry in store.modules.values()
    ]
    return _digest([__version__, others, [source.fingerprint for source in sources]])


def _open(directory: Path) -> CompiledState | None:
    """A state that was kept, None where there is none, or none that is whole."""
    try:
        manifest = json.loads((directory / _MANIFEST).read_bytes())
        problems = tuple(
            MibProblem(file, line, Severity(severity), module, text)
            for file, line, severity, module, text in manifest["problems"]
        )
        state = CompiledState(MibStore(DirectoryFiles(directory)), problems, manifest["summary"])
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, KeyError, TypeError, ValueError) as error:
        logger.warning(
            "compiled MIB files not usable", extra=fields(directory=directory, err=error)
        )
        return None
    _touch(directory)
    return state


def _touch(directory: Path) -> None:
    """Mark a state as one that is used, so that it stays."""
    try:
        os.utime(directory)
    except OSError as error:  # a cache that somebody else filled
        logger.debug("MIB cache not writable", extra=fields(directory=directory, err=error))


def _keep(directory: Path, compilation: Compilation) -> CompiledState | None:
    """Write a state, whole or not at all, and open it; None where it cannot be written."""
    manifest = {
        "problems": [
            [problem.file, problem.line, problem.severity, problem.module, problem.text]
            for problem in compilation.problems
        ],
        "summary": compilation.summary(),
    }
    files = {**compilation.files, _MANIFEST: json.dumps(manifest).encode()}
    try:
        replace_directory(directory, files)
        _drop_old_states(directory.parent)
    except OSError as error:
        logger.warning("MIB cache not writable", extra=fields(directory=directory, err=error))
        return None
    return _open(directory)


def _drop_old_states(place: Path) -> None:
    states = [path for path in place.iterdir() if (path / MODULES_FILE).is_file()]
    states.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    for path in states[_STATES_KEPT:]:
        shutil.rmtree(path, ignore_errors=True)


def is_store(directory: Path) -> bool:
    """Whether a directory holds compiled modules."""
    return (directory / MODULES_FILE).is_file()


def open_store(directory: Path) -> MibStore:
    """Open a directory of compiled modules.

    Raises:
        ConfigError: They are not what they should be.
    """
    try:
        return MibStore(DirectoryFiles(directory))
    except MibStoreError as error:
        hint = "compile them again"
        raise ConfigError((Problem(f"compiled MIB modules: {error}", hint),)) from error


def write_store(directory: Path, store: MibStore) -> None:
    """Write the modules of *store* to a directory that is new, empty, or holds a store already.

    Raises:
        ConfigError: It holds something else.
        OSError: It cannot be written.
    """
    is_new = not directory.exists() or (directory.is_dir() and not any(directory.iterdir()))
    if not is_new and not is_store(directory):
        hint = "name a directory that is new or empty"
        problem = "there is something else than compiled MIB modules"
        raise ConfigError((Problem(problem, hint, str(directory)),))
    replace_directory(directory, store.contents())


def replace_directory(directory: Path, files: Mapping[str, bytes]) -> None:
    """Write *files* so that *directory* holds them and nothing else, at once.

    Raises:
        OSError: It cannot be written.
    """
    directory.parent.mkdir(parents=True, exist_ok=True)
    partial = directory.with_name(f".{directory.name}.{os.getpid()}")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        for name, content in files.items():
            path = partial / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        shutil.rmtree(directory, ignore_errors=True)
        partial.rename(directory)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
