"""The cases of tests/cases/config: the file name is the verdict, and bad ones tell why."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from exporters.config.check import KINDS
from exporters.config.validation import load_model
from exporters.config.yaml_file import load_yaml
from exporters.errors import ConfigError

CASES = Path(__file__).parents[2] / "cases" / "config"

GOOD = sorted(path.relative_to(CASES) for path in CASES.rglob("*.good.yml"))
BAD = sorted(path.relative_to(CASES) for path in CASES.rglob("*.bad.yml"))

PARSER_WORDING = {"tab_indent.bad.yml", "unclosed_quote.bad.yml", "control_character.bad.yml"}


def load(case: Path, environment: dict[str, str]) -> object:
    if case.parts[0] == "yaml":
        return load_yaml(Path(case.name))
    return load_model(KINDS[case.parts[0]], Path(case.name), environment=environment)


def test_there_are_cases():
    assert {path.parts[0] for path in GOOD} == {path.parts[0] for path in BAD}
    assert len(BAD) > 30


@pytest.mark.parametrize("case", GOOD, ids=str)
def test_good_case_loads(case, environment, monkeypatch):
    monkeypatch.chdir(CASES / case.parent)
    load(case, environment)


@pytest.mark.parametrize("case", BAD, ids=str)
def test_bad_case_is_refused_in_these_words(case, environment, monkeypatch):
    if case.name in PARSER_WORDING and not yaml.__with_libyaml__:
        pytest.skip("the wording is libyaml's")
    monkeypatch.chdir(CASES / case.parent)
    with pytest.raises(ConfigError) as refused:
        load(case, environment)
    assert f"{refused.value}\n" == Path(case.name).with_suffix(".txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("case", BAD, ids=str)
def test_no_message_shows_a_secret_or_speaks_of_the_program(case):
    text = (CASES / case).with_suffix(".txt").read_text(encoding="utf-8").lower()
    for word in (
        "pydantic",
        "input should",
        "http://",
        "https://",
        "str ",
        "dict",
        "tiger",
    ):
        assert word not in text
