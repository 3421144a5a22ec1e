"""Cases as data: a test argument named ``target_case`` gets each case of ``targets.yml``, one named
``good_target_case`` those that are not refused.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

CASES = Path(__file__).resolve().parents[2] / "cases" / "snmp" / "targets.yml"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    for name in {"target_case", "good_target_case"} & set(metafunc.fixturenames):
        cases = yaml.safe_load(CASES.read_text(encoding="utf-8"))
        if name == "good_target_case":
            cases = [case for case in cases if "error" not in case]
        metafunc.parametrize(name, cases, ids=[case["id"] for case in cases])
