"""Cases as data: a test argument named ``numbers_case`` gets each case of ``numbers.yml``.

To add a case, add a line to a file in ``tests/cases/smi``; to add a subject, add a file and a test
that takes its cases.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import settings

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
