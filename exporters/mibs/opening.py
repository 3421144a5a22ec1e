"""The dictionary that a command line asks for: what ships, and the user's own MIB files before it.

The user's files are compiled when something in ``--mib.dir`` has changed, and kept compiled in a
cache: ``$CACHE_DIRECTORY`` (systemd), else ``$XDG_CACHE_HOME``, else ``~/.cache``. Where none of
these can be written, they are compiled at each start, in memory.

A compiled state is a directory of its own that is never changed, so that a process that uses one is
not disturbed by another that compiles. The last few states stay.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exporters.bundled import bundled_directory
from exporters.errors import ConfigError, Problem
from exporters.logs import fields
from exporters.mibs.compiling import Compilation, MibProblem, compile_sources
from exporters.mibs.sources import FORMAT_VERSION, SourceFile, SourceReader, find_sources
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
class OpenedDictionary:
    """A dictionary, and what was wrong in the user's files."""

    dictionary: Dictionary
    problems: tuple[MibProblem, ...] = ()
    summary: str = ""
    """Of the user's files; empty where there are none."""


def add_mib_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags that say where MIB files are."""
    group = parser.add_argument_group("MIB files")
    group.add_argument(
        "--mib.dir",
        dest="mib_directories",
        metavar="DIR",
        action="append",
        default=[],
        type=Path,
        help="directory with your own MIB files, which come before those that ship; repeatable",
    )
    group.add_argument(
        "--mib.cache-dir",
        dest="mib_cache_directory",
        metavar="DIR",
        type=Path,
        help="where compiled MIB files are kept (default: the user's cache directory)",
    )


def open_dictionary(arguments: argparse.Namespace) -> OpenedDictionary:
    """Open the dictionary that the flags of ``add_mib_arguments`` ask for.

    Raises:
        ConfigError: A directory is not there, or what ships is not what it should be.
    """
    shipped = open_shipped()
    if not arguments.mib_directories:
        return OpenedDictionary(Dictionary((shipped,)))
    cache = arguments.mib_cache_directory or default_cache_directory(os.environ)
    return open_with_directories(arguments.mib_directories, shipped, cache)


def open_shipped() -> MibStore:
    """Open the modules that ship.

    Raises:
        ConfigError: They are missing, or damaged.
    """
    directory = bundled_directory("modules") / "mibs"
    try:
        return MibStore(DirectoryFiles(directory))
    except MibStoreError as error:
        hint = "install the package again"
        raise ConfigError((Problem(f"MIB modules that ship: {error}", hint),)) from error


def default_cache_directory(environment: Mapping[str, str]) -> Path | None:
    """Where compiled MIB files are kept, or None where the environment names no place."""
    # systemd gives several directories with colons between them.
    if service := environment.get("CACHE_DIRECTORY", "").partition(":")[0]:
        return Path(service) / "mibs"
    if user := environment.get("XDG_CACHE_HOME"):
        return Path(user) / "netexporters" / "mibs"
    if home := environment.get("HOME"):
        return Path(home) / ".cache" / "netexporters" / "mibs"
    return None


def open_with_directories(
    directories: Sequence[Path], shipped: MibStore, cache: Path | None
) -> OpenedDictionary:
    """Open the modules of *directories* before those that ship, compiled anew where need be.

    Raises:
        ConfigError: A directory is not there.
    """
    sources = find_sources(directories)
    place = (
        None if cache is None else cache / _digest([str(path.resolve()) for path in directories])
    )
    state = _state(sources, shipped)
    opened = None if place is None else _open_state(place, state, shipped)
    if opened is not None:
        return opened
    reader = SourceReader(None if cache is None else cache / "read")
    compilation = compile_sources(sources, reader, Dictionary((shipped,)))
    if place is not None and _keep_state(place, state, compilation):
        opened = _open_state(place, state, shipped)
    return opened or OpenedDictionary(
        Dictionary((MibStore(MemoryFiles(compilation.files)), shipped)),
        tuple(compilation.problems),
        compilation.summary(),
    )


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:16]


def _state(sources: Sequence[SourceFile], shipped: MibStore) -> str:
    """What is different when anything has changed that the compiled modules depend on."""
    ours = [(entry.name, entry.revision) for entry in shipped.modules.values()]
    return _digest([FORMAT_VERSION, ours, [source.fingerprint for source in sources]])


def _open_state(place: Path, state: str, shipped: MibStore) -> OpenedDictionary | None:
    """A state that was kept, None where there is none, or none that is whole."""
    directory = place / state
    try:
        manifest = json.loads((directory / _MANIFEST).read_bytes())
        problems = tuple(
            MibProblem(file, line, Severity(severity), module, text)
            for file, line, severity, module, text in manifest["problems"]
        )
        store = MibStore(DirectoryFiles(directory))
        os.utime(directory)  # the states that are used stay
    except FileNotFoundError:
        return None
    except (OSError, KeyError, TypeError, ValueError) as error:
        logger.warning(
            "compiled MIB files not usable", extra=fields(directory=directory, err=error)
        )
        return None
    return OpenedDictionary(Dictionary((store, shipped)), problems, manifest["summary"])


def _keep_state(place: Path, state: str, compilation: Compilation) -> bool:
    """Write a state, whole or not at all; whether it is there now."""
    partial = place / f"{state}.{os.getpid()}"
    manifest = {
        "problems": [
            [problem.file, problem.line, problem.severity, problem.module, problem.text]
            for problem in compilation.problems
        ],
        "summary": compilation.summary(),
    }
    try:
        shutil.rmtree(partial, ignore_errors=True)
        write_files(partial, {**compilation.files, _MANIFEST: json.dumps(manifest).encode()})
        shutil.rmtree(place / state, ignore_errors=True)  # one that was not usable
        try:
            partial.rename(place / state)
        except OSError:  # another process was as quick
            shutil.rmtree(partial, ignore_errors=True)
        _drop_old_states(place)
    except OSError as error:
        logger.warning("MIB cache not writable", extra=fields(directory=place, err=error))
        return False
    return True


def _drop_old_states(place: Path) -> None:
    states = [path for path in place.iterdir() if (path / MODULES_FILE).is_file()]
    states.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    for path in states[_STATES_KEPT:]:
        shutil.rmtree(path, ignore_errors=True)


def write_files(directory: Path, files: Mapping[str, bytes]) -> None:
    """Write the files of a store below *directory*.

    Raises:
        OSError: It cannot be written.
    """
    for name, content in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
