from __future__ import annotations

from pathlib import Path

import pytest

_HERE = Path(__file__).resolve().parent
_CASE_FILES = sorted((_HERE.parents[1] / "cases" / "smi").iterdir())


@pytest.mark.parametrize("path", _CASE_FILES, ids=lambda path: path.name)
def test_every_case_file_is_used_by_a_test(path: Path) -> None:
    tests = "".join(module.read_text() for module in _HERE.glob("test_*.py"))

    assert path.suffix == ".yml"
    assert f"({path.stem}_case: " in tests
