"""Files of modules, checked over the shipped MIB modules."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from exporters.authoring.lint import lint_files
from exporters.config.devices import Inventory
from exporters.smi.dictionary import Dictionary

Lint = Callable[..., list[str]]


@pytest.fixture
def lint(shipped: Dictionary, tmp_path: Path) -> Lint:
    """Give what lint says of the text of a file: ``line: key.path: problem; hint``."""

    def lint_text(text: str, inventory: Inventory | None = None) -> list[str]:
        path = tmp_path / "snmp.yml"
        path.write_text(text)
        found = lint_files([path], lambda: shipped, environment={}, inventory=inventory)
        return [str(problem).removeprefix(f"{path}:") for problem in found]

    return lint_text
