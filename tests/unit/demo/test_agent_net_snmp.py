"""net-snmp's tools against the simulated agent: every version, every protocol, every value."""

from __future__ import annotations

import asyncio
import bz2
import os
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from exporters.demo.agent import AgentSettings, SimulatedAgent
from exporters.demo.faults import Faults
from exporters.demo.listeners import Address
from exporters.demo.recording import Recording
from exporters.demo.snmprec import load_recording, read_recording
from exporters.wire.usm import AuthProtocol, PrivProtocol, UsmUser

pytestmark = pytest.mark.peer("snmpwalk", "snmp")

PATIENCE_SECONDS = 120
SYS_NAME = "1.3.6.1.2.1.1.5.0"
# numeric OIDs, enumerations and times as numbers, no units, all strings in hexadecimal
OUTPUT = "-OnetUx"

V1 = ("-v1", "-c", "public")
V2C = ("-v2c", "-c", "public")


class Output(NamedTuple):
    status: int
    text: str
    errors: str


Tool = Callable[..., Awaitable[Output]]


@pytest.fixture
def tool(tmp_path: Path) -> Tool:
    """Run one of net-snmp's programs against an address."""
    (tmp_path / "snmp.conf").write_text("hexOutputLength 0\n")
    (tmp_path / "cert_indexes").mkdir()  # or else the tools say that they made it
    environment = {
        **os.environ,
        "SNMPCONFPATH": str(tmp_path),
        "SNMP_PERSISTENT_DIR": str(tmp_path),
        "MIBS": "",
    }

    async def run(program: str, flags: tuple[str, ...], address: Address, *oids: str) -> Output:
        process = await asyncio.create_subprocess_exec(
            program,
            *flags,
            OUTPUT,
            f"{address[0]}:{address[1]}",
            *oids,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment,
        )
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                text, errors = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        assert process.returncode is not None
        return Output(process.returncode, text.decode(), errors.decode())

    return run


def values(text: str) -> list[tuple[str, str]]:
    """What a tool printed, as pairs of OID and value, without the end of the MIB."""
    pairs = [line.partition(" = ") for line in text.splitlines()]
    return [
        (oid.removeprefix("."), value)
        for oid, _, value in pairs
        if oid != "End of MIB" and not value.startswith("No more variables")
    ]


def rows_of(path: Path) -> dict[str, tuple[str, str]]:
    """A recording file, read without our reader: tag and value by OID."""
    data = bz2.decompress(path.read_bytes()) if path.suffix == ".bz2" else path.read_bytes()
    rows = {}
    for line in data.decode("latin-1").split("\n"):
        if line.strip() and not line.startswith("#"):
            oid, tag, value = line.rstrip("\r").split("|", 2)
            rows[oid] = (tag, value)
    return rows


def in_order(rows: dict[str, tuple[str, str]]) -> list[tuple[str, str]]:
    """What a walk of these rows prints."""
    arcs = {oid: [int(arc) for arc in oid.split(".")] for oid in rows}
    return [(oid, in_words(*rows[oid])) for oid in sorted(rows, key=arcs.__getitem__)]


def in_words(tag: str, value: str) -> str:
    if tag in {"4", "4x"}:
        raw = bytes.fromhex(value) if tag == "4x" else value.encode("latin-1")
        return f"Hex-STRING: {raw.hex(' ').upper()} " if raw else '""'
    if tag == "64x":
        return "IpAddress: " + ".".join(str(octet) for octet in bytes.fromhex(value))
    if tag == "68x":
        raw = bytes.fromhex(value)
        if raw.startswith(b"\x9f\x78\x04"):
            return f"Opaque: Float: {struct.unpack('>f', raw[3:])[0]:.6f}"
        return f"OPAQUE: {raw.hex(' ').upper()} "
    names = {
        "2": "INTEGER: ",
        "5": "NULL",
        "6": "OID: .",
        "64": "IpAddress: ",
        "65": "Counter32: ",
        "66": "Gauge32: ",
        "67": "",
        "70": "Counter64: ",
    }
    return names[tag] + value


@pytest.mark.parametrize(
    "name",
    [
        "bmc/hp-onboard-administrator.snmprec.bz2",  # Opaque values
        "camera/hikvision.snmprec.bz2",
        "network/switch/brocade-ds-5100b.snmprec.bz2",  # out of order, arcs of five bytes
        "network/switch/cisco-c3560.snmprec.bz2",
        "network/switch/dcrs-5980-28t-dc.snmprec.bz2",  # NULL values
        "network/switch/metel-poe-box.snmprec.bz2",  # binary text
        "UPS/phoenixtec-power.snmprec.bz2",  # lines that end in CR LF
    ],
)
async def test_bulk_walk_prints_the_recording(tool: Tool, recordings_dir: Path, name: str) -> None:
    path = recordings_dir / name
    async with SimulatedAgent(load_recording(path)).serve() as address:
        output = await tool("snmpbulkwalk", (*V2C, "-Cr50"), address, ".1")
    assert (output.status, output.errors) == (0, "")
    assert values(output.text) == in_order(rows_of(path))


@pytest.mark.parametrize("name", ["camera/semac-ipcam-500.snmprec.bz2", "UPS/apc-8932.snmprec"])
async def test_version_1_walk_prints_the_recording_without_counter64(
    tool: Tool, recordings_dir: Path, name: str
) -> None:
    still = {oid: row for oid, row in rows_of(recordings_dir / name).items() if ":" not in row[0]}
    lines = ["|".join((oid, *row)).encode("latin-1") for oid, row in still.items()]
    async with SimulatedAgent(read_recording(lines)).serve() as address:
        output = await tool("snmpwalk", V1, address, ".1")
    assert output.status == 0
    narrow = {oid: row for oid, row in still.items() if row[0] != "70"}
    assert 300 < len(narrow) < len(still)
    assert values(output.text) == in_order(narrow)


async def test_walk_over_tcp_prints_the_recording(tool: Tool, recordings_dir: Path) -> None:
    path = recordings_dir / "camera/hikvision.snmprec.bz2"
    async with SimulatedAgent(load_recording(path)).serve_tcp() as (host, port):
        output = await tool("snmpwalk", V2C, (f"tcp:{host}", port), ".1")
    assert values(output.text) == in_order(rows_of(path))


# --- single requests ------------------------------------------------------------------------


@pytest.fixture
def small() -> Recording:
    lines = [f"{SYS_NAME}|4|box", "1.3.6.1.2.1.1.7.0|2|72", "1.3.6.1.2.1.31.1.1.1.6.1|70|9"]
    return read_recording(line.encode() for line in lines)


BOX = (SYS_NAME, "Hex-STRING: 62 6F 78 ")
SERVICES = ("1.3.6.1.2.1.1.7.0", "INTEGER: 72")
WIDE = ("1.3.6.1.2.1.31.1.1.1.6.1", "Counter64: 9")


async def test_get_and_get_next(tool: Tool, small: Recording) -> None:
    async with SimulatedAgent(small).serve() as address:
        got = await tool("snmpget", V2C, address, SYS_NAME, WIDE[0], "1.3.6.1.2.1.1.7.1", "1.3.9")
        following = await tool("snmpgetnext", V2C, address, SYS_NAME, "1.3.6.1.2.1.1.7.0")
        last = await tool("snmpgetnext", V2C, address, WIDE[0])
    assert values(got.text) == [
        BOX,
        WIDE,
        ("1.3.6.1.2.1.1.7.1", "No Such Instance currently exists at this OID"),
        ("1.3.9", "No Such Object available on this agent at this OID"),
    ]
    assert values(following.text) == [SERVICES, WIDE]
    assert "No more variables left in this MIB View" in last.text


async def test_version_1_get_and_get_next(tool: Tool, small: Recording) -> None:
    async with SimulatedAgent(small).serve() as address:
        missing = await tool("snmpget", (*V1, "-Cf"), address, SYS_NAME, "1.3.9")
        wide = await tool("snmpget", (*V1, "-Cf"), address, WIDE[0])
        following = await tool("snmpgetnext", (*V1, "-Cf"), address, SYS_NAME)
        last = await tool("snmpgetnext", (*V1, "-Cf"), address, SERVICES[0])
    assert "(noSuchName)" in missing.errors
    assert "Failed object: .1.3.9" in missing.errors
    assert "(noSuchName)" in wide.errors
    assert values(following.text) == [SERVICES]
    assert "(noSuchName)" in last.errors


async def test_get_bulk_with_non_repeaters(tool: Tool, small: Recording) -> None:
    async with SimulatedAgent(small).serve() as address:
        flags = (*V2C, "-Cn1", "-Cr2")
        output = await tool("snmpbulkget", flags, address, "1.3", "1.3", "1.3.6.1.2.1.1.6")
    assert values(output.text) == [BOX, BOX, SERVICES, SERVICES, WIDE]


@pytest.mark.parametrize(
    ("flags", "oid", "status"),
    [
        pytest.param(V2C, SYS_NAME, "notWritable", id="a row"),
        pytest.param(V2C, "1.3.9", "noAccess", id="no row"),
        pytest.param(V1, SYS_NAME, "(noSuchName)", id="version 1"),
    ],
)
async def test_set_is_refused(
    tool: Tool, small: Recording, flags: tuple[str, ...], oid: str, status: str
) -> None:
    async with SimulatedAgent(small).serve() as address:
        output = await tool("snmpset", flags, address, oid, "s", "other")
        after = await tool("snmpget", V2C, address, SYS_NAME)
    assert output.status != 0
    assert status in output.errors
    assert values(after.text) == [BOX]


async def test_unknown_community_gets_no_answer(tool: Tool, small: Recording) -> None:
    flags = ("-v2c", "-c", "wrong", "-r0", "-t0.2")
    async with SimulatedAgent(small).serve() as address:
        output = await tool("snmpget", flags, address, SYS_NAME)
    assert "Timeout: No Response" in output.errors


async def test_walk_of_an_agent_that_goes_backwards_is_stopped(
    tool: Tool, small: Recording
) -> None:
    faults = Faults(successors={SERVICES[0]: SYS_NAME})
    async with SimulatedAgent(small, AgentSettings(faults=faults)).serve() as address:
        output = await tool("snmpwalk", V2C, address, ".1")
    assert "OID not increasing" in output.errors


# --- version 3 ------------------------------------------------------------------------------

AUTH_FLAGS = {
    AuthProtocol.MD5: "MD5",
    AuthProtocol.SHA: "SHA",
    AuthProtocol.SHA224: "SHA-224",
    AuthProtocol.SHA256: "SHA-256",
    AuthProtocol.SHA384: "SHA-384",
    AuthProtocol.SHA512: "SHA-512",
}
PRIV_FLAGS = {
    PrivProtocol.DES: "DES",
    PrivProtocol.AES: "AES",
    PrivProtocol.AES192: "AES-192",
    PrivProtocol.AES256: "AES-256",
    PrivProtocol.AES192C: "AES-192-C",
    PrivProtocol.AES256C: "AES-256-C",
}
AUTH_PASSWORD, PRIV_PASSWORD = "auth password", "priv password"


def user_of(auth: AuthProtocol | None, priv: PrivProtocol | None) -> UsmUser:
    return UsmUser("ann", auth, AUTH_PASSWORD if auth else "", priv, PRIV_PASSWORD if priv else "")


def v3_flags(user: UsmUser) -> tuple[str, ...]:
    flags = ["-v3", "-r1", "-u", user.name, "-l", user.level.name]
    if user.auth_protocol is not None:
        flags += ["-a", AUTH_FLAGS[user.auth_protocol], "-A", user.auth_password]
    if user.priv_protocol is not None:
        flags += ["-x", PRIV_FLAGS[user.priv_protocol], "-X", user.priv_password]
    return tuple(flags)


USERS = [
    user_of(None, None),
    *(user_of(auth, None) for auth in AUTH_FLAGS),
    *(user_of(auth, priv) for auth in AUTH_FLAGS for priv in PRIV_FLAGS),
]


@pytest.mark.parametrize(
    "user",
    [pytest.param(user, id=f"{user.auth_protocol}-{user.priv_protocol}") for user in USERS],
)
async def test_version_3_with_every_protocol(tool: Tool, small: Recording, user: UsmUser) -> None:
    async with SimulatedAgent(small, AgentSettings(users=(user,))).serve() as address:
        output = await tool("snmpbulkwalk", v3_flags(user), address, ".1")
    assert output.errors == ""
    assert values(output.text) == [BOX, SERVICES, WIDE]


SIGNING = user_of(AuthProtocol.SHA256, None)
ENCRYPTING = user_of(AuthProtocol.SHA256, PrivProtocol.AES)


async def test_version_3_walk_prints_the_recording(tool: Tool, recordings_dir: Path) -> None:
    path = recordings_dir / "network/switch/metel-poe-box.snmprec.bz2"
    agent = SimulatedAgent(load_recording(path), AgentSettings(users=(ENCRYPTING,)))
    async with agent.serve() as address:
        output = await tool("snmpbulkwalk", v3_flags(ENCRYPTING), address, ".1")
    assert (output.status, output.errors) == (0, "")
    assert values(output.text) == in_order(rows_of(path))


@pytest.mark.parametrize(
    ("flags", "error"),
    [
        pytest.param(("-A", "wrong password"), "Authentication failure", id="auth password"),
        pytest.param(("-a", "SHA-512"), "Authentication failure", id="auth protocol"),
        pytest.param(("-X", "wrong password"), "Decryption error", id="priv password"),
        pytest.param(("-u", "bob"), "Unknown user name", id="user"),
        pytest.param(("-n", "nowhere"), "Bad context specified", id="context"),
        pytest.param(("-l", "authNoPriv"), "authorizationError", id="level below the user's"),
    ],
)
async def test_version_3_mistakes_are_told_in_reports(
    tool: Tool, small: Recording, flags: tuple[str, ...], error: str
) -> None:
    agent = SimulatedAgent(small, AgentSettings(users=(ENCRYPTING,)))
    async with agent.serve() as address:
        output = await tool("snmpget", (*v3_flags(ENCRYPTING), *flags), address, SYS_NAME)
    assert output.status != 0
    assert error in output.errors


async def test_version_3_level_beyond_the_users_keys_is_told(tool: Tool, small: Recording) -> None:
    agent = SimulatedAgent(small, AgentSettings(users=(SIGNING,)))
    async with agent.serve() as address:
        output = await tool("snmpget", v3_flags(ENCRYPTING), address, SYS_NAME)
    assert "Unsupported security level" in output.errors


async def test_version_3_client_with_a_wrong_clock_is_put_right(
    tool: Tool, small: Recording
) -> None:
    agent = SimulatedAgent(small, AgentSettings(users=(ENCRYPTING,), engine_boots=7))
    async with agent.serve() as address:
        wrong_clock = (*v3_flags(ENCRYPTING), "-Z", "3,1000")
        output = await tool("snmpget", wrong_clock, address, SYS_NAME)
    assert values(output.text) == [BOX]


async def test_version_3_context_selects_the_recording(tool: Tool, small: Recording) -> None:
    other = read_recording([f"{SYS_NAME}|4|two".encode()])
    agent = SimulatedAgent({"one": small, "two": other}, AgentSettings(users=(SIGNING,)))
    async with agent.serve() as address:
        output = await tool("snmpget", (*v3_flags(SIGNING), "-n", "two"), address, SYS_NAME)
    assert values(output.text) == [(SYS_NAME, "Hex-STRING: 74 77 6F ")]
