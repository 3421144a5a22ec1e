from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .scraping import expected, outcome, read_cases


@pytest.mark.parametrize("case", read_cases("labels"), ids=lambda case: case["id"])
def test_labels_of_case(case: dict[str, Any], tmp_path: Path) -> None:
    assert outcome(case, tmp_path) == expected(case)
