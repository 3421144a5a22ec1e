"""The Dockerfile, as far as it can be read: no container engine is needed, and none is used."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest

from exporters.cli import COMMANDS, EXPORTERS

BUILD_TOOLS = re.compile(r"\b(gcc|g\+\+|make|build-essential|python3?-dev|pip|apt-get|apt|apk)\b")


class Instruction(NamedTuple):
    word: str
    value: str


def instructions(text: str) -> list[Instruction]:
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    parts = [line.split(None, 1) for line in joined.splitlines() if line.strip()]
    return [Instruction(word.upper(), value) for word, value in parts]


@pytest.fixture(scope="module")
def stages(repository: Path) -> list[list[Instruction]]:
    """The instructions of each stage, from its FROM on."""
    found: list[list[Instruction]] = []
    for instruction in instructions((repository / "Dockerfile").read_text()):
        if instruction.word == "FROM":
            found.append([])
        found[-1].append(instruction)
    return found


def values(stage: list[Instruction], word: str) -> list[str]:
    return [instruction.value for instruction in stage if instruction.word == word]


def test_image_is_built_in_one_stage_and_run_in_another(stages: list[list[Instruction]]) -> None:
    assert len(stages) == 2
    build, final = (values(stage, "FROM")[0].split() for stage in stages)
    assert build[1:] == ["AS", "build"]
    assert final[0] == build[0], "the same Python, for which the environment was made"


def test_python_of_the_image_is_one_that_the_package_takes(
    stages: list[list[Instruction]], repository: Path
) -> None:
    project = tomllib.loads((repository / "pyproject.toml").read_text())["project"]
    least = re.fullmatch(r">=3\.(\d+)", project["requires-python"])
    image = re.fullmatch(r"python:3\.(\d+)-slim", values(stages[-1], "FROM")[0])
    assert least and image
    assert int(image[1]) >= int(least[1])


def test_final_stage_has_no_tools_to_build_with(stages: list[list[Instruction]]) -> None:
    assert [run for run in values(stages[-1], "RUN") if BUILD_TOOLS.search(run)] == []
    copied = values(stages[-1], "COPY")
    assert copied
    assert all(value.startswith("--from=build ") for value in copied)


def test_final_stage_runs_as_somebody_else_than_root(stages: list[list[Instruction]]) -> None:
    """By number: Kubernetes' runAsNonRoot cannot judge a name."""
    users = values(stages[-1], "USER")
    assert users
    assert users[-1].isdigit()
    assert int(users[-1]) > 0
    last_run = max(i for i, item in enumerate(stages[-1]) if item.word in ("RUN", "COPY"))
    assert [item.word for item in stages[-1]].index("USER") > last_run


def test_image_is_the_command(stages: list[list[Instruction]]) -> None:
    """In exec form, so that signals reach it and not a shell."""
    final = stages[-1]
    assert json.loads(values(final, "ENTRYPOINT")[0]) == ["netexporters"]
    (word,) = json.loads(values(final, "CMD")[0])
    assert word in EXPORTERS


def test_image_is_asked_for_its_health(stages: list[list[Instruction]]) -> None:
    (check,) = values(stages[-1], "HEALTHCHECK")
    program, *words = json.loads(check.partition("CMD ")[2])
    assert program == "netexporters"
    assert words[0] in COMMANDS
    assert "--interval=" in check
    assert "--timeout=" in check


def test_port_of_every_exporter_is_exposed(stages: list[list[Instruction]]) -> None:
    exposed = {port for value in values(stages[-1], "EXPOSE") for port in value.split()}
    assert exposed == {str(entry.port) for entry in EXPORTERS.values()}


def test_every_source_that_is_copied_exists(
    stages: list[list[Instruction]], repository: Path
) -> None:
    names = {values(stage, "FROM")[0].partition(" AS ")[2] for stage in stages} - {""}
    for stage in stages:
        for value in values(stage, "COPY"):
            words = value.split()
            if words[0].startswith("--from="):
                assert words[0].removeprefix("--from=") in names
                continue
            assert [source for source in words[:-1] if not (repository / source).exists()] == []


def test_all_that_the_wheel_is_made_of_is_copied(
    stages: list[list[Instruction]], repository: Path
) -> None:
    project = tomllib.loads((repository / "pyproject.toml").read_text())
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {
        "pyproject.toml",
        project["project"]["readme"],
        *project["project"]["license-files"],
        *wheel["packages"],
        *wheel["force-include"],
    }
    copied = {source for value in values(stages[0], "COPY") for source in value.split()[:-1]}
    assert needed - copied == set()


def test_nothing_that_changes_by_itself_is_built_upon(stages: list[list[Instruction]]) -> None:
    images = [values(stage, "FROM")[0].split()[0] for stage in stages]
    assert [image for image in images if ":" not in image or image.endswith(":latest")] == []
