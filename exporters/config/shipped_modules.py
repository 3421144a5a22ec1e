"""The files of SNMP modules that ship, for whoever configures files of his own beside them."""

from __future__ import annotations

from pathlib import Path

from exporters.bundled import modules_directory
from exporters.errors import ConfigError


def shipped_file(module: str) -> Path | None:
    """Give the file of a module that ships, which is named like it; None if there is none."""
    try:
        files = modules_directory("snmp").glob("*.yml")
    except ConfigError:
        return None
    return next((file for file in files if file.stem == module and module != "auths"), None)
