"""Reload: what is right is put to use, what is wrong changes nothing, and both can be seen."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from .agents import SYSTEM_ROWS, start_simulation, write_recording
from .exporter import Exporter, start_exporter
from .processes import Programs, until

SUCCESSFUL = "snmp_exporter_config_last_reload_successful"
TIMESTAMP = "snmp_exporter_config_last_reload_success_timestamp_seconds"

AUTHS = {"public_v2": {"version": 2, "community": "public"}}
NAME = {"walk": ["1.3.6.1.2.1.1.5"],
        "metrics": [{"name": "sysName", "oid": "1.3.6.1.2.1.1.5", "type": "DisplayString",
                     "help": "name"}]}  # fmt: skip
OLD = {"auths": AUTHS, "modules": {"old": NAME}}
NEW = {"auths": AUTHS, "modules": {"new": NAME}}
DEVICES = [{"name": "a", "addresses": ["127.0.0.1"], "auth": "public_v2", "modules": ["old"]}]

Reload = Callable[[Exporter], str]


def by_post(exporter: Exporter) -> str:
    return exporter.request("/-/reload", method="POST").text


def by_hangup(exporter: Exporter) -> str:
    """What the log says of it, which is all that a signal answers."""
    before = len(exporter.program.errors)
    exporter.program.send(signal.SIGHUP)
    pattern = re.compile(r"msg=.(reload refused|configuration reloaded).*")
    match = until(
        lambda: pattern.search(exporter.program.errors[before:]), "the log tells of a reload"
    )
    return match[0] + "\n"


@pytest.fixture(scope="module")
def file(module_programs: Programs) -> Path:
    path = module_programs.folder / "snmp.yml"
    path.write_text(yaml.safe_dump(OLD))
    return path


@pytest.fixture(scope="module")
def devices(module_programs: Programs) -> Path:
    path = module_programs.folder / "devices.yml"
    path.write_text("devices: []\n")
    return path


@pytest.fixture(scope="module")
def started(module_programs: Programs, file: Path, devices: Path) -> Exporter:
    return start_exporter(module_programs, f"--config.file={file}", f"--devices.file={devices}")


@pytest.fixture
def exporter(started: Exporter, file: Path, devices: Path) -> Exporter:
    """The exporter, back at where it started."""
    file.write_text(yaml.safe_dump(OLD))
    devices.write_text("devices: []\n")
    assert started.request("/-/reload", method="POST").status == 200
    return started


@pytest.fixture(scope="module")
def agent(module_programs: Programs) -> str:
    recording = write_recording(module_programs.folder / "a.snmprec", SYSTEM_ROWS)
    return start_simulation(module_programs, recording)[1]


@pytest.mark.parametrize("reload", [by_post, by_hangup])
def test_right_file_is_put_to_use(
    exporter: Exporter, agent: str, file: Path, devices: Path, reload: Reload
) -> None:
    assert exporter.scrape(agent, "old").status == 200
    started_at = exporter.telemetry().value(TIMESTAMP)
    file.write_text(yaml.safe_dump(NEW))
    devices.write_text(yaml.safe_dump({"devices": [DEVICES[0] | {"modules": ["new"]}]}))
    assert "eloaded" in reload(exporter)
    assert exporter.scrape(agent, "new").exposition.value("sysName", sysName="switch-1") == 1
    assert exporter.scrape(agent, "old").text == "Unknown module 'old'\n"
    assert "__param_module" in exporter.request("/sd").text
    assert "new:" in exporter.request("/config").text
    telemetry = exporter.telemetry()
    assert telemetry.value(SUCCESSFUL) == 1
    assert telemetry.value(TIMESTAMP) > started_at
    assert telemetry.value("snmp_collection_duration_seconds_count", module="new") >= 1


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("modules: {new: {walk: [1.3.6.x]}}\n", "snmp.yml:1: modules.new.walk[0]: ",
                     id="wrong value"),
        pytest.param("modules: [\n", "snmp.yml:2: is not YAML: ", id="no YAML"),
        pytest.param("", "snmp.yml: no auth is configured", id="empty"),
        pytest.param(yaml.safe_dump(NEW), "devices.yml:6: devices[0].modules[0]: unknown module ",
                     id="does not fit"),
        pytest.param(None, "snmp.yml: cannot be read: no such file or directory", id="gone"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("reload", [by_post, by_hangup])
def test_wrong_file_changes_nothing_and_is_told(
    exporter: Exporter,
    agent: str,
    file: Path,
    devices: Path,
    reload: Reload,
    text: str | None,
    problem: str,
) -> None:
    before = exporter.telemetry().value(TIMESTAMP)
    devices.write_text("devices:\n" + yaml.safe_dump(DEVICES))
    config = exporter.request("/config").text
    if text is None:
        file.unlink()
    else:
        file.write_text(text)
    said = reload(exporter)
    assert problem in said.replace('\\"', '"')
    assert "Traceback" not in said
    telemetry = exporter.telemetry()
    assert (telemetry.value(SUCCESSFUL), telemetry.value(TIMESTAMP)) == (0, before)
    assert exporter.request("/config").text == config
    assert exporter.scrape(agent, "old").exposition.value("sysName", sysName="switch-1") == 1
    assert exporter.request("/sd").text == "[]"
    assert exporter.request("/-/ready").status == 200

    file.write_text(yaml.safe_dump(OLD))
    assert "eloaded" in reload(exporter)
    assert exporter.telemetry().value(SUCCESSFUL) == 1


def test_refused_reload_answers_500_with_every_problem(exporter: Exporter, file: Path) -> None:
    file.write_text(
        "auths: {a: {version: 9}}\nmodules: {b: {walk: [x], metrics: [], retries: -1}}\n"
    )
    answer = exporter.request("/-/reload", method="POST")
    assert answer.status == 500
    assert answer.text.startswith("The configuration is wrong:\n")
    problems = answer.text.splitlines()[1:]
    assert [problem.split(": ")[1] for problem in problems] == [
        "auths.a.version",
        "modules.b.retries",
        "modules.b.walk[0]",
    ]


def test_changed_credentials_are_used_at_once(
    exporter: Exporter, programs: Programs, file: Path
) -> None:
    recording = write_recording(programs.folder / "private.snmprec", SYSTEM_ROWS)
    _, agent = start_simulation(programs, recording, "--community=private")
    assert exporter.scrape(agent, "old", timeout=1).status == 500
    auths = {"public_v2": {"version": 2, "community": "private"}}
    file.write_text(yaml.safe_dump({"auths": auths, "modules": OLD["modules"]}))
    assert exporter.request("/-/reload", method="POST").status == 200
    assert exporter.scrape(agent, "old", timeout=5).status == 200


def test_reloads_in_a_row_all_count(exporter: Exporter, agent: str) -> None:
    for _ in range(20):
        exporter.program.send(signal.SIGHUP)
        assert exporter.scrape(agent, "old").status == 200
    assert exporter.request("/-/reload", method="POST").status == 200
    assert exporter.telemetry().value(SUCCESSFUL) == 1
