"""The flags that say where MIB files are; apart, because a parser needs nothing else of MIBs."""

from __future__ import annotations

import argparse
from pathlib import Path


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
    add_cache_argument(group)


def add_cache_argument(parser: argparse._ActionsContainer) -> None:
    """Add the flag that says where compiled MIB files are kept."""
    parser.add_argument(
        "--mib.cache-dir",
        dest="mib_cache_directory",
        metavar="DIR",
        type=Path,
        help="where compiled MIB files are kept (default: the user's cache directory)",
    )
