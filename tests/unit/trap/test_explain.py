"""``netexporters explain trap``, from a datagram, a capture, or a name."""

from __future__ import annotations

import io
import struct
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from exporters.cli import main
from exporters.errors import WireError
from exporters.flags import FlagParser, add_exporter_arguments
from exporters.trap import exporter
from exporters.trap.example import shipped_cases
from exporters.web.settings import add_web_arguments
from exporters.web.shell import build_app
from exporters.wire.pcap import CapturedDatagram, read_datagrams

from .conftest import link_down, trap_v1

DEVICES = "devices: [{name: core-1, addresses: [192.0.2.1]}]"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "devices.yml").write_text(DEVICES)


def explain(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["explain", "trap", "--devices.file=devices.yml", *words]) == 0
    return capsys.readouterr().out


CASES = {
    "v1-link-down": ("accepted", "linkDown", "link_down"),
    "v1-rising-alarm": ("accepted", "risingAlarm", "rmon_rising"),
    "v2c-bgp-down": ("accepted", "bgpBackwardTransition", "bgp_down"),
    "v2c-inform": ("accepted", "linkDown", "link_down"),
    "v2c-link-down": ("accepted", "linkDown", "link_down"),
    "v2c-link-up": ("accepted", "linkUp", "link_up"),
    "v2c-relayed": ("accepted", "linkDown", "link_down"),
    "v2c-rising-alarm": ("accepted", "risingAlarm", "rmon_rising"),
    "v2c-unknown": ("accepted", "-", "none"),
    "v3-auth-priv": ("accepted", "linkDown", "link_down"),
    "v3-trap": ("unknown_user", "", ""),
}


def test_every_shipped_case_is_known_here_and_documented(repository: Path) -> None:
    assert list(shipped_cases()) == sorted(CASES)
    page = (repository / "docs/commands.md").read_text()
    assert [name for name in CASES if f"`{name}`" not in page] == []


@pytest.mark.parametrize("case", CASES)
def test_shipped_case_is_explained(case: str, capsys: pytest.CaptureFixture[str]) -> None:
    outcome, name, rule = CASES[case]
    text = explain(capsys, case)
    assert text.startswith(f"outcome: {outcome}: ")
    assert (f"name: {name}\n" in text) == bool(name)
    assert (f"rules that match: {rule}" in text) == bool(rule)
    assert ("answered: yes" in text) == (case == "v2c-inform")


def test_datagram_in_hexadecimal_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    lines = explain(capsys, link_down().hex()).splitlines()
    assert lines[0] == "outcome: accepted: a notification, which is counted as an event"
    for line in (
        "device: core-1",
        "name: linkDown",
        "text: linkDown: ifIndex.7=7, ifDescr.7=Gi0/7",
        "raises: link Gi0/7",
        "rules that match: link_down",
        "  not link_down_by_operator: ifAdminStatus equals 2",
        '  snmp_trap_received_total{device="core-1",trap="linkDown",severity="error"} 1',
        '  network_event_active{device="core-1",event="link",instance="Gi0/7"} 1',
    ):
        assert line in lines


def test_hexadecimal_longer_than_any_file_name_is_no_file(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert explain(capsys, "30" * 5000).startswith("outcome: ")


def test_stranger_is_told_that_it_has_no_states(capsys: pytest.CaptureFixture[str]) -> None:
    text = explain(capsys, "--source=198.51.100.1", "linkDown")
    assert "raises: link 1, but senders outside of the inventory have none" in text
    assert "network_event_active" not in text


def test_datagram_that_is_none_has_its_outcome_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert explain(capsys, "30 00") == ("outcome: ber_error: no SNMP message, or not whole\n")


def test_rule_can_be_tried_before_it_is_deployed(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "mine.yml").write_text(
        "rules: [{name: mine, match: {trap: bgp*}, event: bgp, severity: alert}]"
    )
    (tmp_path / "trap.yml").write_text("rule_files: [mine.yml]")
    text = explain(capsys, "bgpBackwardTransition")
    assert "rules that match: mine" in text
    assert "severity: alert" in text


def test_users_of_a_case_are_those_of_no_other_message(
    capsys: pytest.CaptureFixture[str], repository: Path
) -> None:
    case = repository / "modules/trap/cases/v3-auth-priv.hex"
    assert explain(capsys, str(case)).startswith("outcome: unknown_user: ")
    users = f"--config.file={case.with_suffix('.yml')}"
    assert explain(capsys, users, str(case)).startswith("outcome: accepted: ")


def test_hexadecimal_comes_from_standard_input(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{trap_v1(2).hex(':')}\n"))
    assert "name: linkDown" in explain(capsys, "-")


def test_what_is_nothing_of_the_kind_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "trap", "linkDwn"]) == 1
    assert capsys.readouterr().err == (
        "'linkDwn' is no datagram in hexadecimal, and no trap's name; "
        "a file with one will do too, or the name of a case that ships: "
        f"{', '.join(CASES)}\n"
    )


def test_source_that_is_no_address_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "trap", "--source=core-1", "linkDown"]) == 1
    assert capsys.readouterr().err == "'core-1' is no IP address; write --source=192.0.2.1\n"


# --- the page ---------------------------------------------------------------------------------


async def client() -> TestClient[web.Request, web.Application]:
    parser = FlagParser("trap", "")
    add_web_arguments(parser, 9162)
    exporter.add_arguments(parser)
    add_exporter_arguments(parser, "trap", "")
    service = exporter.build(parser.parse(["--devices.file=devices.yml"]))
    return TestClient(TestServer(build_app(replace(service, lifespan=nullcontext))))


async def test_page_explains_what_its_form_sends() -> None:
    async with await client() as browser:
        page = await (await browser.get("/explain")).text()
        assert ">linkDown</textarea>" in page
        assert ", ".join(CASES) in page
        form = {"message": "linkDown", "source": "192.0.2.1"}
        text = await (await browser.post("/explain", data=form)).text()
        assert "raises: link 1\n" in text
        answer = await browser.post("/explain", data={"message": "<script>"})
        assert answer.status == 400
        assert "<script>" not in await answer.text()


async def test_message_that_is_posted_is_explained_as_text_and_not_counted() -> None:
    async with await client() as browser:
        data = link_down().hex().encode()
        for kind in ("text/plain", "application/x-www-form-urlencoded"):
            headers = {"Content-Type": kind}
            answer = await browser.post("/explain?source=192.0.2.1", data=data, headers=headers)
            assert (await answer.text()).startswith("outcome: accepted")
        assert await (await browser.get("/events.json")).json() == []


# --- captures ---------------------------------------------------------------------------------


def udp(content: bytes, port: int = 162) -> bytes:
    return struct.pack("!HHHH", 40000, port, 8 + len(content), 0) + content


def ipv4(segment: bytes, protocol: int = 17) -> bytes:
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(segment), 0, 0, 64, protocol, 0)
    return head + bytes((192, 0, 2, 1, 192, 0, 2, 9)) + segment


def ipv6(segment: bytes) -> bytes:
    addresses = bytes.fromhex("20010db8" + "00" * 11 + "01") * 2
    return struct.pack("!IHBB", 0x60000000, len(segment), 17, 64) + addresses + segment


def capture(*packets: bytes, link: int = 1, order: str = "<") -> bytes:
    magic = struct.pack(f"{order}I", 0xA1B2C3D4)
    head = magic + struct.pack(f"{order}HHIIII", 2, 4, 0, 0, 65535, link)
    body = (struct.pack(f"{order}IIII", 0, 0, len(p), len(p)) + p for p in packets)
    return head + b"".join(body)


ETHERNET = bytes(12) + b"\x08\x00"


def test_capture_is_explained_datagram_by_datagram(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    packets = [ipv4(udp(link_down())), ipv4(udp(b"dns", 53)), ipv4(udp(trap_v1(0)))]
    (tmp_path / "traps.pcap").write_bytes(capture(*(ETHERNET + p for p in packets)))
    text = explain(capsys, "traps.pcap")
    assert text.count("outcome: accepted") == 2
    assert "name: coldStart" in text
    assert "device: core-1" in text


def test_capture_without_traps_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "x.pcap").write_bytes(capture())
    assert main(["explain", "trap", "x.pcap"]) == 1
    assert "has no datagram to UDP port 162; name another --port" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("data", "source"),
    [
        (capture(ETHERNET + ipv4(udp(b"x"))), "192.0.2.1"),
        (capture(ETHERNET + ipv4(udp(b"x")), order=">"), "192.0.2.1"),
        (capture(bytes(12) + b"\x81\x00\x00\x07\x08\x00" + ipv4(udp(b"x"))), "192.0.2.1"),
        (capture(bytes(16) + ipv4(udp(b"x")), link=113), "192.0.2.1"),
        (capture(bytes(20) + ipv4(udp(b"x")), link=276), "192.0.2.1"),
        (capture(ipv6(udp(b"x")), link=101), "2001:db8::1"),
    ],
)
def test_datagram_is_found_behind_every_link_layer(data: bytes, source: str) -> None:
    assert list(read_datagrams(data)) == [CapturedDatagram(source, 162, b"x")]


def test_what_is_no_udp_is_passed_over() -> None:
    tcp = ipv4(b"\0" * 20, protocol=6)
    assert list(read_datagrams(capture(ETHERNET + tcp, ETHERNET, b""))) == []


@pytest.mark.parametrize("data", [b"", b"\xd4\xc3\xb2\xa1", capture(link=999)])
def test_what_is_no_capture_is_refused(data: bytes) -> None:
    with pytest.raises(WireError):
        list(read_datagrams(data))


def test_capture_that_is_cut_gives_what_there_is() -> None:
    data = capture(ETHERNET + ipv4(udp(b"x" * 10)))
    for end in range(24, len(data)):
        for datagram in read_datagrams(data[:end]):
            assert datagram.content == b"x" * len(datagram.content)
