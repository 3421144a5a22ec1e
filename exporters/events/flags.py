"""The flags that receivers of events share: where states are kept, and where events are logged."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from exporters.errors import ConfigError, Problem

_NOWHERE: Final = "none"


def add_event_arguments(parser: argparse._ActionsContainer, name: str) -> None:
    """Add the flags; *name* is the exporter's."""
    parser.add_argument(
        "--events.state-file",
        dest="state_file",
        metavar="FILE",
        default="",
        help=f"where states are kept over a restart; {_NOWHERE}: nowhere (default: {name}.state in "
        "$STATE_DIRECTORY, or in the user's state directory)",
    )
    parser.add_argument(
        "--events.log",
        dest="events_log",
        metavar="TARGET",
        default="",
        help="log events as lines of JSON: stdout, or a file (default: they are not logged)",
    )


def state_path(given: str, name: str, environment: Mapping[str, str] = os.environ) -> Path | None:
    """Give the path of the state file, whose directory is made if need be; None for nowhere.

    Raises:
        ConfigError: The environment names no place, or the directory cannot be made.
    """
    if given == _NOWHERE:
        return None
    path = Path(given) if given else _default_directory(environment) / f"{name}.state"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        problem = f"{path.parent} cannot be made: {reason}"
        hint = f"name a file with --events.state-file, or write --events.state-file={_NOWHERE}"
        raise ConfigError([Problem(problem, hint)]) from error
    return path


def _default_directory(environment: Mapping[str, str]) -> Path:
    # systemd gives several directories with colons between them.
    if service := environment.get("STATE_DIRECTORY", "").partition(":")[0]:
        return Path(service)
    if user := environment.get("XDG_STATE_HOME"):
        return Path(user) / "netexporters"
    if home := environment.get("HOME"):
        return Path(home) / ".local" / "state" / "netexporters"
    hint = f"name a file with --events.state-file, or write --events.state-file={_NOWHERE}"
    raise ConfigError([Problem("there is no place for the state file", hint)])
