"""Fixtures of the configuration tests."""

from __future__ import annotations

from pathlib import Path

import pytest

CASES = Path(__file__).parents[2] / "cases" / "config"

ENVIRONMENT = {"SNMP_USER": "scott", "SNMP_PASSWORD": "tiger", "EMPTY": ""}


@pytest.fixture
def cases() -> Path:
    """Where the configuration cases are: NAME.good.yml, NAME.bad.yml with its NAME.bad.txt."""
    return CASES


@pytest.fixture
def environment() -> dict[str, str]:
    """The variables that the cases know."""
    return dict(ENVIRONMENT)


@pytest.fixture
def write(tmp_path):
    """Write a file below tmp_path, and give its path."""

    def write(name: str, text: str | bytes) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return write
