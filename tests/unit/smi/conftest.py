"""Cases as data: a test argument named ``numbers_case`` gets each case of ``numbers.yml``.

To add a case, add a line to a file in ``tests/cases/smi``; to add a subject, add a file and a test
that takes its cases.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import settings

from exporters.smi.dictionary import Dictionary
from exporters.smi.mib_grammar import MibParser
from exporters.smi.mib_linker import Linker, LinkResult
from exporters.smi.mib_store import DirectoryFiles, MemoryFiles, MibStore, build_files

# A machine that is busy elsewhere must not fail a property.
settings.register_profile("smi", deadline=None)
settings.load_profile("smi")

CASES = Path(__file__).resolve().parents[2] / "cases" / "smi"
_SUFFIX = "_case"


def read_cases(path: Path) -> list[dict[str, Any]]:
    """Give the cases of a file, whose ids must be different."""
    cases = yaml.safe_load(path.read_text(encoding="utf-8"))
    ids = [case["id"] for case in cases]
    repeated = sorted({case_id for case_id in ids if ids.count(case_id) > 1})
    if repeated:
        raise ValueError(f"{path}: the ids {repeated} stand there more than once")
    for case in cases:
        if "raw" in case:
            case["raw"] = bytes.fromhex(case["raw"])
    return cases


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    for name in metafunc.fixturenames:
        if name.endswith(_SUFFIX):
            cases = read_cases(CASES / f"{name.removesuffix(_SUFFIX)}.yml")
            metafunc.parametrize(name, cases, ids=[case["id"] for case in cases])


MIB_CASES = Path(__file__).resolve().parents[2] / "cases" / "mibs"

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
