"""``netexporters demo``: what it prints is true, and nothing of it is left behind."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sys
import urllib.request
from pathlib import Path

import pytest

from .exposition import read_exposition
from .namespaces import needs_root
from .processes import ENVIRONMENT, NETEXPORTERS, Program, Programs, netexporters, until

DEVICES = ("core-sw-01", "access-sw-02", "edge-rtr-01")
SCRAPED = "All 3 devices were scraped"


def start_demo(programs: Programs, folder: Path) -> Program:
    program = programs.start(NETEXPORTERS, "demo", environment={"TMPDIR": str(folder)})
    program.until(lambda: "Ctrl-C ends the demo." in program.output, "the demo runs")
    return program


def page(url: str) -> str:
    with urllib.request.urlopen(url, timeout=30) as response:
        text: str = response.read().decode()
    return text


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_every_address_that_the_demo_prints_answers(programs: Programs, tmp_path: Path) -> None:
    output = start_demo(programs, tmp_path).output
    addresses = re.findall(r"http://\S+", output)
    assert all(f"    {device} " in output for device in DEVICES)
    assert len(addresses) >= 4 + len(DEVICES)
    for address in addresses:
        with urllib.request.urlopen(address, timeout=30) as response:
            assert response.status == 200
            assert response.read()
    assert "ifHCInOctets{" in output
    assert "sysUpTime " in output


def test_demo_that_is_ended_leaves_nothing_behind(programs: Programs, tmp_path: Path) -> None:
    program = start_demo(programs, tmp_path)
    children = children_of(program.pid)
    assert children
    assert list(tmp_path.iterdir())
    program.send(signal.SIGINT)
    assert program.wait() == 0
    assert not any(Path(f"/proc/{child}").exists() for child in children)
    assert list(tmp_path.iterdir()) == []
    assert program.errors == ""


def test_demo_for_a_time_checks_that_all_was_scraped(tmp_path: Path) -> None:
    result = netexporters("demo", "--duration=1", environment={"TMPDIR": str(tmp_path)}, seconds=60)
    assert result.returncode == 0, result.stderr
    assert SCRAPED in result.stdout
    installed = shutil.which("prometheus", path=ENVIRONMENT["PATH"]) is not None
    assert ("are up in Prometheus" in result.stdout) == installed


@needs_root
@pytest.mark.peer("unshare", "util-linux")
def test_demo_pings_its_devices_one_well_one_badly_one_not_at_all(
    programs: Programs, tmp_path: Path
) -> None:
    output = start_demo(programs, tmp_path).output
    match = re.search(r"what it measures +(\S+)", output)
    assert match, output
    url = match[1]
    families = ("icmp_replies_total", "icmp_lost_total")

    def totals() -> dict[str, tuple[float, float]]:
        with urllib.request.urlopen(url, timeout=30) as response:
            found = read_exposition(response.read().decode())
        return {
            device: tuple(
                sum(
                    value
                    for labels, value in found.named(family).items()
                    if ("device", device) in labels
                )
                for family in families
            )
            for device in DEVICES
        }

    until(lambda: totals()["access-sw-02"][1] >= 2, "pings are lost")
    (well, loses, unreachable) = (totals()[device] for device in DEVICES)
    assert well[0] > 0
    assert well[1] == 0
    assert loses[0] > loses[1]
    assert unreachable[0] == 0
    assert unreachable[1] > 0


@pytest.mark.parametrize(
    ("label", "names"),
    [
        pytest.param(
            "what devices tell",
            {
                ("access-sw-02", "linkDown"),
                ("access-sw-02", "linkUp"),
                ("core-sw-01", "authenticationFailure"),
                ("edge-rtr-01", "linkDown"),
            },
            id="traps",
        ),
        pytest.param(
            "what devices log",
            {
                ("access-sw-02", "LINK-3-UPDOWN"),
                ("core-sw-01", "SSH/4/SSH_FAIL"),
                ("edge-rtr-01", "SNMP_TRAP_LINK_DOWN"),
                ("edge-rtr-01", "RPD_BGP_NEIGHBOR_STATE_CHANGED"),
            },
            id="syslog",
        ),
    ],
)
def test_demo_shows_a_link_that_is_down_and_one_that_came_up_again(
    programs: Programs, tmp_path: Path, label: str, names: set[tuple[str, str]]
) -> None:
    output = start_demo(programs, tmp_path).output
    match = re.search(rf"{label} +(\S+)/events", output)
    assert match, output

    def state(device: str, link: str) -> float | None:
        found = read_exposition(page(f"{match[1]}/metrics")).named("network_event_active")
        labels = {("device", device), ("event", "link"), ("instance", link)}
        return next((value for key, value in found.items() if labels <= set(key)), None)

    until(lambda: state("access-sw-02", "Uplink1") == 1, "a link goes down")
    until(lambda: state("access-sw-02", "Uplink1") == 0, "it comes up")
    assert state("edge-rtr-01", "xe-0/0/1") == 1
    events = json.loads(page(f"{match[1]}/events.json"))
    assert {(event["device"], event["name"]) for event in events} == names


def test_demo_explains_the_example_of_its_pages_as_one_of_its_devices(
    programs: Programs, tmp_path: Path
) -> None:
    output = start_demo(programs, tmp_path).output
    examples = {
        "Trap": b"linkDown",
        "Syslog": b"<187>%LINK-3-UPDOWN: Interface e1, changed state to down",
    }
    for label, example in examples.items():
        match = re.search(rf"{label} exporter +(\S+?)/\n", output)
        assert match, output
        request = urllib.request.Request(f"{match[1]}/explain", data=example)
        with urllib.request.urlopen(request, timeout=30) as response:
            told = response.read().decode()
        assert "device: core-sw-01\n" in told
        assert "event: link\n" in told


def test_demo_polls_the_link_that_traps_and_messages_are_about(
    programs: Programs, tmp_path: Path
) -> None:
    output = start_demo(programs, tmp_path).output
    match = re.search(r"access-sw-02 +(\S+/snmp\S+)", output)
    assert match, output

    def status() -> float | None:
        found = read_exposition(page(match[1])).named("ifOperStatus")
        return next(value for key, value in found.items() if ("ifName", "Uplink1") in key)

    until(lambda: status() == 2, "the link goes down")
    until(lambda: status() == 1, "it comes up")


def test_demo_without_a_network_namespace_says_so_and_goes_on(tmp_path: Path) -> None:
    environment = {"TMPDIR": str(tmp_path), "PATH": str(Path(NETEXPORTERS).parent)}
    result = netexporters("demo", "--duration=0.5", environment=environment)
    assert result.returncode == 0, result.stderr
    assert "There is no ICMP exporter: " in result.stdout


def test_two_demos_do_not_disturb_each_other(programs: Programs, tmp_path: Path) -> None:
    """The second one finds the usual ports taken."""
    first, second = start_demo(programs, tmp_path), start_demo(programs, tmp_path)
    pattern = r"SNMP exporter +(\S+)"
    one, other = (re.search(pattern, program.output) for program in (first, second))
    assert one and other and one[1] != other[1]


def test_demo_without_prometheus_says_so(tmp_path: Path) -> None:
    environment = {"TMPDIR": str(tmp_path), "PATH": str(Path(NETEXPORTERS).parent)}
    result = netexporters("demo", "--duration=0.5", environment=environment)
    assert result.returncode == 0, result.stderr
    assert "Prometheus is not installed" in result.stdout
    assert SCRAPED in result.stdout


def test_demo_ends_with_a_word_if_a_part_of_it_does(programs: Programs, tmp_path: Path) -> None:
    program = start_demo(programs, tmp_path)
    exporter = next(
        child
        for child in children_of(program.pid)
        if b"snmp" in Path(f"/proc/{child}/cmdline").read_bytes()
    )
    os.kill(exporter, signal.SIGKILL)
    assert program.wait() == 1
    assert program.errors.splitlines() == ["netexporters: snmp exporter ended with exit code -9"]
    until(lambda: not list(tmp_path.iterdir()), "the demo has tidied up")


@pytest.mark.skipif(sys.platform != "linux", reason="the system does not tell of a parent's end")
def test_demo_that_is_killed_takes_all_of_its_programs_along(
    programs: Programs, tmp_path: Path
) -> None:
    program = start_demo(programs, tmp_path)
    children = children_of(program.pid)
    assert len(children) >= 4
    program.send(signal.SIGKILL)
    program.wait()

    def running() -> list[int]:
        states = {child: Path(f"/proc/{child}/stat") for child in children}
        return [
            child
            for child, stat in states.items()
            if stat.exists() and stat.read_text().rpartition(") ")[2][0] != "Z"
        ]

    until(lambda: not running(), "the exporters and Prometheus have ended")


def test_duration_that_is_none_is_told() -> None:
    result = netexporters("demo", "--duration=long")
    assert result.returncode == 2
    assert "argument --duration: " in result.stderr
    assert result.stderr.count("\n") == 1
