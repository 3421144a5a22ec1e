"""Which files the rules of an exporter come from: the user's, and those that ship."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from exporters.bundled import modules_directory
from exporters.config.config_files import matching_files
from exporters.config.event_rules import EventRule, load_event_rules
from exporters.errors import ConfigError


def shipped_rule_files(name: str) -> list[Path]:
    """Give the files of rules that ship with an exporter, in the order in which they are tried."""
    return sorted(modules_directory(name).glob("*.yml"))


def load_rules(name: str, patterns: Sequence[str], *, shipped: bool) -> tuple[EventRule, ...]:
    """Load the rules in files that *patterns* match, and those that ship behind them if wanted.

    Raises:
        ConfigError: Files are missing, or wrong.
    """
    files, problems = matching_files(patterns)
    if problems:
        raise ConfigError(problems)
    delivered = shipped_rule_files(name) if shipped else []
    return load_event_rules(files, delivered, environment=os.environ)
