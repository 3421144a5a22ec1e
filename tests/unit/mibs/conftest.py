"""MIB files of our own in a directory, a cache beside it, and how often a file was read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from exporters.mibs.compiling import Compilation, compile_sources
from exporters.mibs.sources import SourceReader, find_sources
from exporters.smi.dictionary import Dictionary

CASES = Path(__file__).resolve().parents[2] / "cases" / "mibs"


@pytest.fixture(scope="session")
def cases() -> Path:
    """The made-up modules."""
    return CASES


@pytest.fixture
def mibs(tmp_path: Path) -> Path:
    """A directory for MIB files."""
    directory = tmp_path / "mibs"
    directory.mkdir()
    return directory


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def compiled(shipped: Dictionary, mibs: Path) -> Callable[[], Compilation]:
    """Compile whatever is in the directory now."""
    return lambda: compile_sources(find_sources([mibs]), SourceReader(None), shipped)


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bytes]]:
    """The contents that the grammar was asked to read."""
    seen: list[bytes] = []
    original = SourceReader._parse

    def parse(self: SourceReader, content: bytes) -> object:
        seen.append(content)
        return original(self, content)

    monkeypatch.setattr(SourceReader, "_parse", parse)
    return seen


def module(name: str, body: str = "", imports: str = "") -> str:
    """The text of a module that defines ``root`` below the number for documentation."""
    return (
        f"{name} DEFINITIONS ::= BEGIN\nIMPORTS enterprises FROM SNMPv2-SMI {imports};\n"
        f"root OBJECT IDENTIFIER ::= {{ enterprises 32473 }}\n{body}\nEND\n"
    )


@pytest.fixture(name="module", scope="session")
def module_fixture() -> Callable[..., str]:
    return module
