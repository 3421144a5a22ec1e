"""``netexporters explain syslog``, from a message, a file, or the name of an example."""

from __future__ import annotations

from pathlib import Path

import pytest

from exporters.cli import main
from exporters.syslog.cases import shipped_cases

DEVICES = "devices: [{name: core-1, addresses: [192.0.2.1]}]"
UP = "<187>42: *Mar  1 18:46:11: %LINK-3-UPDOWN: Interface Gi0/7, changed state to up"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "devices.yml").write_text(DEVICES)


def explain(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["explain", "syslog", "--devices.file=devices.yml", *words]) == 0
    return capsys.readouterr().out


def test_message_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    told = explain(capsys, UP)
    assert "clears: link Gi0/7\n" in told
    assert "rules that match: cisco_link_up\n" in told


@pytest.mark.parametrize(
    "message", [UP.removeprefix("<187>") + "x" * 5000, "X" * 5000], ids=["words", "one word"]
)
def test_message_longer_than_any_file_name_is_no_file(
    capsys: pytest.CaptureFixture[str], message: str
) -> None:
    assert "device: core-1\n" in explain(capsys, message)


def test_rules_of_other_vendors_are_not_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert [line for line in explain(capsys, UP).splitlines() if line.startswith("  not ")] == [
        "  not cisco_link_down: message matches "
        r"Interface (?P<interface>[^\s,]+), changed state to (Down|down)"
    ]


def test_example_is_shown_and_explained(capsys: pytest.CaptureFixture[str]) -> None:
    told = explain(capsys, "junos-link-down")
    assert told.startswith("<28>Mar 14 09:26:53 mx-1 mib2d[2902]: SNMP_TRAP_LINK_DOWN: ")
    assert "raises: link ge-0/0/3\n" in told
    assert 'network_event_active{device="core-1",event="link",instance="ge-0/0/3"} 1' in told


def test_group_lists_its_examples(capsys: pytest.CaptureFixture[str]) -> None:
    lines = explain(capsys, "fortinet").splitlines()
    assert [line.split()[0] for line in lines] == [
        case.name for case in shipped_cases() if case.group == "fortinet"
    ]
    assert lines[0].endswith(" link, error, raises port3")


def test_unknown_example_says_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "syslog", "junos-lnk-down"]) != 0
    told = capsys.readouterr().err
    assert "there is no example 'junos-lnk-down', and no such file" in told
    assert "cisco-firewalls" in told


def test_file_counts_more_than_an_example_of_its_name(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "cisco").write_text(f"{UP}\n")
    assert "clears: link Gi0/7\n" in explain(capsys, "cisco")
