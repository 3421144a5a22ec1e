"""The shipped dictionary, and one with made-up modules before it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from exporters.smi.dictionary import Dictionary
from exporters.smi.mib_grammar import MibParser
from exporters.smi.mib_linker import Linker, LinkResult
from exporters.smi.mib_store import DirectoryFiles, MemoryFiles, MibStore, build_files

MIB_CASES = Path(__file__).resolve().parents[1] / "cases" / "mibs"

Link = Callable[..., dict[str, LinkResult]]


@pytest.fixture(scope="session")
def shipped(repository: Path) -> Dictionary:
    """The dictionary of the modules that ship."""
    return Dictionary((MibStore(DirectoryFiles(repository / "modules" / "mibs")),))


@pytest.fixture(scope="session")
def mib_parser() -> MibParser:
    return MibParser()


@pytest.fixture(scope="session")
def link(mib_parser: MibParser, shipped: Dictionary) -> Link:
    """Link the modules of files in tests/cases/mibs, or of texts, over those that ship."""

    def link(*sources: str) -> dict[str, LinkResult]:
        modules = []
        for source in sources:
            text = source if "\n" in source else (MIB_CASES / source).read_text()
            modules.extend(mib_parser.parse(text.encode())[0])
        linker = Linker(
            modules, shipped.module, lambda name: [item.module for item in shipped.by_name(name)]
        )
        return {module.name: linker.link(module.name) for module in modules}

    return link


@pytest.fixture(scope="session")
def examples(link: Link, shipped: Dictionary) -> Dictionary:
    """A dictionary of the made-up modules, before those that ship."""
    files = ("EXAMPLE-MIB.txt", "EXAMPLE-V1-MIB.txt", "SAME-NAMES.txt", "CYCLES.txt")
    modules = [result.module for result in link(*files).values()]
    store = MibStore(MemoryFiles(build_files(modules, lambda _: "")))
    return Dictionary((store, *shipped.stores))
