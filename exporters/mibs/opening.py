"""The dictionary that a command line asks for: what ships, and the user's own MIB files before it.

A directory of ``--mib.dir`` holds MIB files, which are compiled when one of them has changed, or
what ``netexporters mib compile --output`` made of them. Compiled files are kept in a cache:
``--mib.cache-dir``, else ``$CACHE_DIRECTORY`` (systemd), ``$XDG_CACHE_HOME`` or ``~/.cache``. Where
none of these can be written, files are compiled at each start, in memory.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from exporters.bundled import bundled_directory
from exporters.mibs.compiling import MibProblem
from exporters.mibs.states import CompiledState, compile_state, is_store, open_store
from exporters.smi.dictionary import Dictionary


@dataclass(frozen=True, slots=True)
class OpenedDictionary:
    """A dictionary, and what was wrong in the user's files."""

    dictionary: Dictionary
    problems: tuple[MibProblem, ...] = ()
    summary: str = ""
    """Of the user's files; empty where there are none to compile."""


def open_dictionary(arguments: argparse.Namespace) -> OpenedDictionary:
    """Open the dictionary that the flags of ``exporters.mibs.flags`` ask for.

    Raises:
        ConfigError: A directory is not there, or compiled modules are not what they should be.
    """
    return open_with_directories(arguments.mib_directories, arguments.mib_cache_directory)


def open_with_directories(directories: Sequence[Path], cache: Path | None) -> OpenedDictionary:
    """Open *directories* before what ships; compiled ones before those that are compiled now.

    Args:
        directories: Directories of MIB files, or of compiled modules.
        cache: Where compiled files are kept; None: where the environment says.

    Raises:
        ConfigError: As ``open_dictionary``.
    """
    compiled = [open_store(directory) for directory in directories if is_store(directory)]
    known = Dictionary((*compiled, open_store(bundled_directory("modules") / "mibs")))
    rest = [directory for directory in directories if not is_store(directory)]
    if not rest:
        return OpenedDictionary(known)
    state = compile_state(rest, known, cache or default_cache_directory(os.environ))
    stores = (*compiled, state.store, *known.stores[len(compiled) :])
    return OpenedDictionary(Dictionary(stores), state.problems, state.summary)


def compile_directories(directories: Sequence[Path], cache: Path | None) -> CompiledState:
    """Compile *directories* over what ships, as ``open_with_directories`` would.

    Raises:
        ConfigError: A directory is not there.
    """
    known = Dictionary((open_store(bundled_directory("modules") / "mibs"),))
    return compile_state(directories, known, cache or default_cache_directory(os.environ))


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
