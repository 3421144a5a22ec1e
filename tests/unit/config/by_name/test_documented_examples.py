"""The examples of docs/modules.md load, with the MIBs and the modules that ship."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from exporters.config.snmp_config import load_snmp_config
from exporters.smi.dictionary import Dictionary

PAGE = Path(__file__).resolve().parents[4] / "docs" / "modules.md"
EXAMPLES = [
    text
    for text in re.findall(r"^```yaml\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    if not text.startswith("# acme.yml")  # with a MIB of its own; an integration test has it
]


def test_there_are_examples():
    assert len(EXAMPLES) > 8


@pytest.mark.parametrize("text", EXAMPLES, ids=lambda text: text.split()[1].rstrip(":"))
def test_example_loads(text: str, shipped: Dictionary, tmp_path: Path, repository: Path):
    path = tmp_path / "example.yml"
    path.write_text(text)

    config = load_snmp_config(
        [path, repository / "modules" / "snmp" / "*.yml"],
        environment={},
        open_dictionary=lambda: shipped,
        need_auths=False,
    )

    assert all(module.metrics for module in config.modules.values())
