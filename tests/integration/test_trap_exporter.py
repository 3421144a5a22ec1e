"""The trap exporter as its users have it, and real senders: net-snmp and pysnmp."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from random import Random

import pytest
import yaml

from .exposition import series
from .inside import inside
from .namespaces import needs_root, network_namespace
from .processes import NETEXPORTERS, Programs, has_ipv6, netexporters, run, until
from .snmpd import AUTH_PROTOCOLS, PRIV_PROTOCOLS
from .trap_exporter import (
    COLD_START,
    LINK_DOWN,
    LINK_UP,
    TrapExporter,
    link_trap,
    snmptrap,
)

pytestmark = pytest.mark.peer("snmptrap", "snmp")

PASSWORD, PRIVACY = "authentic password", "private password"
LEVELS = [
    ("", ""),
    *((auth, "") for auth in AUTH_PROTOCOLS),
    *((auth, priv) for auth in AUTH_PROTOCOLS for priv in PRIV_PROTOCOLS),
]


def user_name(auth: str, priv: str) -> str:
    return f"{auth or 'no'}-{priv or 'no'}"


def user(auth: str, priv: str) -> dict[str, str]:
    level = "authPriv" if priv else "authNoPriv" if auth else "noAuthNoPriv"
    entry = {"username": user_name(auth, priv), "security_level": level}
    if auth:
        entry |= {"auth_protocol": auth, "password": PASSWORD}
    if priv:
        entry |= {"priv_protocol": priv, "priv_password": PRIVACY}
    return entry


def words_of(auth: str, priv: str) -> list[str]:
    """The words by which net-snmp's commands are told a user."""
    level = "authPriv" if priv else "authNoPriv" if auth else "noAuthNoPriv"
    words = ["-v", "3", "-u", user_name(auth, priv), "-l", level]
    if auth:
        words += ["-a", AUTH_PROTOCOLS[auth], "-A", PASSWORD]
    if priv:
        words += ["-x", PRIV_PROTOCOLS[priv], "-X", PRIVACY]
    return words


@pytest.fixture(scope="module")
def exporter(module_programs: Programs) -> TrapExporter:
    listen = ("127.0.0.1:0", "udp://[::1]:0") if has_ipv6() else ("127.0.0.1:0",)
    config = yaml.safe_dump({"users": [user(*pair) for pair in LEVELS]})
    return TrapExporter(module_programs, config, listen=listen)


# --- senders ----------------------------------------------------------------------------------


def test_traps_of_version_1_and_2c_are_told(exporter: TrapExporter) -> None:
    link_trap(exporter.target)
    generic = ("-v", "1", "-c", "public", exporter.target, "1.3.6.1.4.1.9.1", "192.0.2.9")
    assert snmptrap(*generic, "2", "0", "55", "1.3.6.1.2.1.2.2.1.1.9", "i", "9").returncode == 0
    until(lambda: len(exporter.events()) >= 2, "two events")
    second, first = exporter.events()[:2]
    assert (first["name"], first["fields"]) == ("linkDown", {"ifIndex": 7, "ifDescr": "Gi0/7"})
    assert (second["name"], second["version"]) == ("linkDown", "1")
    assert second["device"] == "switch-1"  # whatever its agent address says


def test_informs_are_answered(exporter: TrapExporter) -> None:
    before = exporter.metrics().value("trap_exporter_informs_acked_total")
    inform = ("-v", "2c", "-c", "public", exporter.target, "5", LINK_UP)
    assert snmptrap(*inform, inform=True).returncode == 0
    assert exporter.metrics().value("trap_exporter_informs_acked_total") == before + 1


def test_ipv6_sender_is_the_same_device(exporter: TrapExporter) -> None:
    if not has_ipv6():
        pytest.skip("this machine has no IPv6")
    link_trap(f"udp6:{exporter.targets[1]}", index=66)
    until(lambda: exporter.events()[0]["fields"] == {"ifIndex": 66, "ifDescr": "Gi0/66"}, "it")
    assert exporter.events()[0]["device"] == "switch-1"
    assert exporter.events()[0]["source"] == "::1"


@pytest.mark.parametrize(("auth", "priv"), LEVELS)
def test_trap_and_inform_of_version_3_are_taken(
    exporter: TrapExporter, auth: str, priv: str
) -> None:
    words = words_of(auth, priv)
    before = exporter.metrics()
    engine = os.urandom(8).hex()
    trap = snmptrap("-e", f"0x80000000{engine}", *words, exporter.target, "77", COLD_START)
    if "not supported" in trap.stderr or "Invalid" in trap.stderr:
        pytest.skip(f"net-snmp of this machine: {trap.stderr.splitlines()[0]}")
    assert trap.returncode == 0, trap.stderr
    assert snmptrap(*words, exporter.target, "78", COLD_START, inform=True).returncode == 0

    def counted() -> bool:
        metrics = exporter.metrics()
        name = "snmp_trap_notifications_total"
        return all(
            metrics.value(name, version="3", type=kind)
            == before.value(name, version="3", type=kind) + 1
            for kind in ("trap", "inform")
        )

    until(counted, "a trap and an inform of version 3")


@pytest.mark.peer("snmpd", "snmpd")
def test_agent_tells_its_start_and_its_end(programs: Programs) -> None:
    exporter = TrapExporter(programs)
    configuration = programs.folder / "snmpd.conf"
    host, _, port = exporter.target.rpartition(":")
    configuration.write_text(f"trap2sink {host}:{port} public\nrocommunity public\n")
    agent = programs.start(
        *("snmpd", "-f", "-Lo", "-C", "-c", configuration, "-p", programs.folder / "pid"),
        "127.0.0.1:0",
        environment={"SNMP_PERSISTENT_DIR": str(programs.folder), "MIBS": ""},
    )

    def names() -> list[object]:
        return [event["name"] for event in exporter.events()]

    agent.until(lambda: "coldStart" in names(), "the agent's coldStart")
    agent.end()
    until(lambda: "nsNotifyShutdown" in names(), "the agent's shutdown")


LINK_MONITOR = """
createUser watcher SHA "watchers password"
rouser watcher auth
agentSecName watcher
trap2sink {target} public
notificationEvent down .1.3.6.1.6.3.1.1.5.3 {row}.1 {row}.7 {row}.8
notificationEvent up .1.3.6.1.6.3.1.1.5.4 {row}.1 {row}.7 {row}.8
monitor -S -r 1 -e down "goes down" {row}.8 == 2
monitor -S -r 1 -e up "comes up" {row}.8 != 2
"""


@needs_root
@pytest.mark.peer("snmpd", "snmpd")
def test_agent_tells_of_a_real_link_that_goes_down_and_comes_up(programs: Programs) -> None:
    with network_namespace() as namespace, inside(namespace):
        namespace.run("ip", "link", "add", "uplink", "type", "veth", "peer", "name", "far")
        for name in ("uplink", "far"):
            namespace.run("ip", "link", "set", name, "up")
        index = namespace.run("cat", "/sys/class/net/uplink/ifindex").stdout.strip()
        exporter = TrapExporter(programs)
        configuration = programs.folder / "snmpd.conf"
        configuration.write_text(
            LINK_MONITOR.format(target=exporter.target, row=".1.3.6.1.2.1.2.2.1")
        )
        agent = programs.start(
            *("snmpd", "-f", "-Lo", "-C", "-c", configuration, "-p", programs.folder / "pid"),
            "127.0.0.1:1161",
            environment={"SNMP_PERSISTENT_DIR": str(programs.folder), "MIBS": ""},
        )
        agent.until(lambda: exporter.events(), "the agent's coldStart")
        state = {"device": "switch-1", "event": "link", "instance": index}

        def is_down() -> float:
            return exporter.metrics().samples.get(series("network_event_active", state), -1)

        namespace.run("ip", "link", "set", "far", "down")
        agent.until(lambda: is_down() == 1, "linkDown")
        namespace.run("ip", "link", "set", "far", "up")
        agent.until(lambda: is_down() == 0, "linkUp")
        exporter.program.end()


def test_pysnmp_is_a_sender_too(exporter: TrapExporter) -> None:
    port = exporter.target.rpartition(":")[2]
    script = f"""
import asyncio
from pysnmp.hlapi.v3arch.asyncio import *

async def main():
    engine = SnmpEngine()
    target = await UdpTransportTarget.create(("127.0.0.1", {port}))
    user = UsmUserData("SHA256-AES", {PASSWORD!r}, {PRIVACY!r},
                       authProtocol=usmHMAC192SHA256AuthProtocol, privProtocol=usmAesCfb128Protocol)
    kinds = NotificationType(ObjectIdentity("1.3.6.1.6.3.1.1.5.3"))
    for auth, kind in ((CommunityData("public"), "trap"), (user, "trap"), (user, "inform")):
        error, *_ = await send_notification(engine, auth, target, ContextData(), kind, kinds)
        assert not error, error
    engine.close_dispatcher()

asyncio.run(main())
"""
    before = exporter.metrics()
    result = run(sys.executable, "-c", script)
    assert result.returncode == 0, result.stderr
    name = "snmp_trap_notifications_total"
    for version, kind in (("2c", "trap"), ("3", "trap"), ("3", "inform")):
        wanted = before.value(name, version=version, type=kind) + 1
        until(
            lambda v=version, k=kind, w=wanted: (
                exporter.metrics().value(name, version=v, type=k) >= w
            ),
            f"{version} {kind}",
        )


# --- garbage ----------------------------------------------------------------------------------


def test_garbage_is_counted_and_floods_no_log(exporter: TrapExporter) -> None:
    host, _, port = exporter.target.rpartition(":")
    before, log = exporter.outcome("ber_error"), exporter.program.errors.count("\n")
    random = Random(500)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for number in range(500):
            sender.sendto(b"\x30" + random.randbytes(number % 90), (host, int(port)))
        sender.sendto(b"", (host, int(port)))
        sender.sendto(b"\x30\x82" + b"x" * 60_000, (host, int(port)))
    exporter.wait_for_outcome("ber_error", int(before) + 502)
    assert exporter.program.errors.count("\n") - log < 5


# --- restarts ---------------------------------------------------------------------------------


def v3_trap(target: str) -> None:
    words = ("-e", "0x8000000001020304", *words_of("SHA", "AES"))
    result = snmptrap(*words, target, "77", LINK_DOWN, "1.3.6.1.2.1.2.2.1.1.3", "i", "3")
    assert result.returncode == 0, result.stderr


class Recorder:
    """Stands before the exporter, and keeps what passes."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(10)
        self.target = f"127.0.0.1:{self._socket.getsockname()[1]}"

    def close(self) -> None:
        self._socket.close()

    def record(self) -> bytes:
        return self._socket.recv(65535)

    def play(self, packet: bytes, target: str) -> None:
        host, _, port = target.rpartition(":")
        self._socket.sendto(packet, (host, int(port)))


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def test_states_engines_and_boots_survive_kill_9(programs: Programs, stack: ExitStack) -> None:
    exporter = TrapExporter(programs, yaml.safe_dump({"users": [user("SHA", "AES")]}))
    recorder = stack.enter_context(closing(Recorder()))
    v3_trap(recorder.target)
    packet = recorder.record()
    recorder.play(packet, exporter.target)
    exporter.wait_for_outcome("accepted", 1)
    recorder.play(packet, exporter.target)
    exporter.wait_for_outcome("duplicate", 1)
    state = {"device": "switch-1", "event": "link", "instance": "3"}
    assert exporter.metrics().value("network_event_active", **state) == 1
    engine_file = exporter.folder / "trap.state.engine"
    engine, boots = engine_file.read_text().split()
    written = exporter.folder / "trap.state"
    until(lambda: b"engine" in written.read_bytes() and b"state" in written.read_bytes(), "it")

    exporter.program.kill()
    exporter.start()
    assert exporter.metrics().value("network_event_active", **state) == 1
    recorder.play(packet, exporter.target)
    exporter.wait_for_outcome("time_window", 1)
    assert engine_file.read_text() == f"{engine} {int(boots) + 1:010}\n"
    noauth = snmptrap(
        *("-e", "0x8000000001020304", "-v", "3", "-u", "SHA-AES", "-l", "noAuthNoPriv"),
        *(exporter.target, "77", LINK_DOWN),
    )
    assert noauth.returncode == 0, noauth.stderr
    exporter.wait_for_outcome("level_too_low", 1)
    assert exporter.outcome("accepted") == 0


def test_engine_can_be_forgotten(programs: Programs) -> None:
    exporter = TrapExporter(programs, yaml.safe_dump({"users": [user("SHA", "AES")]}))
    v3_trap(exporter.target)
    exporter.wait_for_outcome("accepted", 1)
    path = "/-/forget-engine?engine_id=0x8000000001020304"
    assert exporter.http.request(path, method="POST").status == 200
    assert exporter.http.request(path, method="POST").status == 404
    assert exporter.http.request("/-/forget-engine?engine_id=x", method="POST").status == 400
    assert exporter.metrics().value("trap_exporter_engines") == 0


def test_reload_takes_rules_and_communities_and_loses_no_socket(programs: Programs) -> None:
    exporter = TrapExporter(programs, "communities: [other]\n")
    link_trap(exporter.target)
    exporter.wait_for_outcome("bad_community", 1)
    (exporter.folder / "rules.yml").write_text(
        "rules: [{name: mine, match: {trap: linkDown}, event: security, severity: alert}]\n"
    )
    (exporter.folder / "trap.yml").write_text("rule_files: [rules.yml]\n")
    assert exporter.http.request("/-/reload", method="POST").status == 200
    link_trap(exporter.target)
    exporter.wait_for_outcome("accepted", 1)
    assert exporter.events()[0]["event"] == "security"
    assert exporter.outcome("bad_community") == 1
    (exporter.folder / "trap.yml").write_text("rule_files: [nowhere.yml]\n")
    assert exporter.http.request("/-/reload", method="POST").status == 500
    link_trap(exporter.target)
    exporter.wait_for_outcome("accepted", 2)


# --- what can be wrong ------------------------------------------------------------------------


def start_in_vain(folder: Path, *flags: str) -> str:
    result = netexporters(
        "trap", "--web.listen-address=127.0.0.1:0", *flags, cwd=folder, seconds=30
    )
    assert result.returncode == 1
    return result.stderr.strip().splitlines()[-1]


def test_damaged_engine_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "s.engine").write_text("nonsense")
    flags = (f"--events.state-file={tmp_path}/s", "--trap.listen-address=127.0.0.1:0")
    for _ in range(2):
        line = start_in_vain(tmp_path, *flags)
        assert line.startswith(f"{tmp_path}/s.engine: is damaged: expected an engine id")


def test_address_in_use_is_told(exporter: TrapExporter, tmp_path: Path) -> None:
    line = start_in_vain(
        tmp_path, f"--events.state-file={tmp_path}/s", f"--trap.listen-address={exporter.target}"
    )
    assert line == (
        f"cannot listen on UDP {exporter.target}: address already in use; "
        "stop what listens there, or choose another --trap.listen-address"
    )


def test_state_file_of_another_exporter_is_told(exporter: TrapExporter) -> None:
    path = exporter.folder / "trap.state"
    line = start_in_vain(exporter.folder, f"--events.state-file={path}")
    assert (
        line == f"{path}: is in use by another process; each exporter needs a state file of its own"
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_port_162_without_the_capability_names_the_remedy(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    for folder in tmp_path.parents:
        if folder != Path("/") and folder.stat().st_uid == os.geteuid() and folder != Path("/tmp"):
            folder.chmod(folder.stat().st_mode | 0o055)
    limit = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
    if limit.exists() and int(limit.read_text()) <= 162:
        pytest.skip("everybody may listen on port 162 here")
    result = run(
        *("setpriv", "--reuid=65534", "--clear-groups", "--bounding-set=-all", "--inh-caps=-all"),
        *(NETEXPORTERS, "trap", "--web.listen-address=127.0.0.1:0", "--events.state-file=none"),
        cwd=tmp_path,
        environment={"HOME": str(tmp_path)},
    )
    assert result.returncode == 1
    assert result.stderr.strip().splitlines()[-1] == (
        "cannot listen on UDP :162: permission denied; ports below 1024 need the capability "
        "CAP_NET_BIND_SERVICE (systemd: AmbientCapabilities=CAP_NET_BIND_SERVICE), or choose "
        "another --trap.listen-address"
    )


def test_configuration_can_be_checked_beside_a_running_exporter(exporter: TrapExporter) -> None:
    result = netexporters(
        "trap",
        "--config.check",
        f"--config.file={exporter.folder}/trap.yml",
        f"--events.state-file={exporter.folder}/trap.state",
    )
    assert result.returncode == 0, result.stderr
    assert "the configuration is right" in result.stdout


def test_sender_hears_from_the_address_that_it_has_asked(programs: Programs) -> None:
    exporter = TrapExporter(programs, listen=("0.0.0.0:0",))
    port = exporter.target.rpartition(":")[2]
    for host in ("127.0.0.1", "127.0.0.2", "127.1.2.3"):
        inform = ("-v", "2c", "-c", "public", "-r", "0", f"{host}:{port}", "5", LINK_UP)
        assert snmptrap(*inform, inform=True).returncode == 0
