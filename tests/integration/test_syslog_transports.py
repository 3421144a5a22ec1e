"""Transports of the syslog exporter, with real senders: rsyslog, openssl, logger, and a shell."""

from __future__ import annotations

import resource
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from .certificates import Authority
from .processes import ENVIRONMENT, NETEXPORTERS, Program, Programs, netexporters, run, until
from .syslog_exporter import SyslogExporter

GTLS = pytest.mark.peer("/usr/lib/*/rsyslog/lmnsd_gtls.so", "rsyslog-gnutls")
MESSAGE = "<187>42: *Mar  1 18:46:11: %LINK-3-UPDOWN: Interface Gi0/7, changed state to down"
MEMBERS = (
    "tls: {cert_file: server.crt, key_file: server.key, client_ca_file: ca.crt, "
    "client_auth_type: RequireAndVerifyClientCert}\n"
)

Start = Callable[..., SyslogExporter]


@pytest.fixture
def programs(tmp_path: Path) -> Iterator[Programs]:
    with ExitStack() as stack:
        programs = Programs(tmp_path)
        stack.callback(programs.close)
        yield programs


@pytest.fixture
def start(programs: Programs) -> Start:
    def start(*addresses: str, config: str = "") -> SyslogExporter:
        return SyslogExporter(programs, addresses, config or "shipped_rules: true\n")

    return start


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    authority = Authority(tmp_path)
    for name in ("server", "member"):
        authority.issue(name)
    return authority


def known_by(fingerprint: str) -> str:
    return (
        "tls: {cert_file: server.crt, key_file: server.key, "
        f"client_auth_type: RequireAnyClientCert, client_fingerprints: ['{fingerprint}']}}\n"
    )


def rsyslog(exporter: SyslogExporter, client: str, lines: int = 200) -> Program:
    """Have rsyslog send lines over TLS, with a client's certificate."""
    folder = exporter.programs.folder
    (folder / "in.log").write_text("".join(f"line {number}\n" for number in range(lines)))
    (folder / "rsyslog.conf").write_text(
        f"""
        global(workDirectory="{folder}" defaultNetstreamDriverCAFile="{folder}/ca.crt"
               defaultNetstreamDriverCertFile="{folder}/{client}.crt"
               defaultNetstreamDriverKeyFile="{folder}/{client}.key")
        module(load="imfile")
        input(type="imfile" file="{folder}/in.log" tag="app:")
        action(type="omfwd" target="127.0.0.1" port="{exporter.ports["tls"]}" protocol="tcp"
               TCP_Framing="octet-counted" template="RSYSLOG_SyslogProtocol23Format"
               StreamDriver="gtls" StreamDriverMode="1" StreamDriverAuthMode="x509/name"
               StreamDriverPermittedPeers="server.example"
               action.resumeInterval="1" action.resumeRetryCount="-1")
        """
    )
    rsyslogd = shutil.which("rsyslogd") or "/usr/sbin/rsyslogd"
    return exporter.programs.start(
        rsyslogd, "-n", "-f", folder / "rsyslog.conf", "-i", folder / "rsyslog.pid"
    )


def failures(exporter: SyslogExporter) -> dict[str, float]:
    found = exporter.metrics().named("syslog_exporter_tls_failures_total")
    return {dict(labels)["reason"]: value for labels, value in found.items() if value}


def s_client(
    exporter: SyslogExporter, text: str, client: str = "", *words: str
) -> subprocess.CompletedProcess[str]:
    """Send *text* with openssl, as a person does who tries it."""
    folder = exporter.programs.folder
    proof = ("-cert", f"{folder}/{client}.crt", "-key", f"{folder}/{client}.key") if client else ()
    port = exporter.ports["tls"]
    command = ("openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-CAfile", "ca.crt")
    return run(*command, "-verify_return_error", "-quiet", "-no_ign_eof", *proof, *words,
               cwd=folder, text_in=text)  # fmt: skip


# --- TLS ------------------------------------------------------------------------------------------


@GTLS
def test_rsyslog_with_a_certificate_is_heard_over_tls(start: Start, authority: Authority) -> None:
    exporter = start("tls://127.0.0.1:0", config=MEMBERS)
    rsyslog(exporter, "member")
    exporter.wait_for("rfc5424", 200)
    metrics = exporter.metrics()
    assert metrics.value("syslog_received_total", transport="tls") >= 200
    assert metrics.value("syslog_outcomes_total", outcome="framing_fault") == 0
    assert failures(exporter) == {}


@GTLS
def test_rsyslog_is_refused_until_a_reload_knows_its_fingerprint(
    start: Start, authority: Authority
) -> None:
    own = authority.issue("loner", signs_itself=True)
    exporter = start("tls://127.0.0.1:0", config=known_by("sha-256:" + ":".join(["AB"] * 32)))
    rsyslog(exporter, "loner")
    until(lambda: failures(exporter).get("fingerprint"), "rsyslog is refused")
    assert f"its certificate is {own}" in exporter.http.program.errors
    assert sum(exporter.metrics().named("syslog_received_total").values()) == 0
    exporter.configure(known_by(own))
    exporter.reload()

    def write_more() -> bool:
        """TLS 1.3 lets a client write before it hears of a refusal: some lines are lost."""
        with (exporter.programs.folder / "in.log").open("a") as log:
            log.write("one more line\n")
        return exporter.metrics().value("syslog_outcomes_total", outcome="rfc5424") > 0

    until(write_more, "rsyslog is heard")
    assert set(failures(exporter)) == {"fingerprint"}


@GTLS
def test_certificates_are_renewed_while_rsyslog_is_connected(
    start: Start, authority: Authority
) -> None:
    exporter = start("tls://127.0.0.1:0", config=MEMBERS)
    rsyslog(exporter, "member")
    exporter.wait_for("rfc5424", 200)
    before = exporter.metrics().value("syslog_exporter_tls_certificate_not_after_timestamp_seconds")
    authority.issue("server")
    exporter.reload()
    after = exporter.metrics()
    assert after.value("syslog_exporter_tls_certificate_not_after_timestamp_seconds") >= before
    assert after.value("syslog_exporter_connections") == 1
    with (exporter.programs.folder / "in.log").open("a") as log:
        log.write("one more line\n")
    exporter.wait_for("rfc5424", 201)
    assert sum(exporter.metrics().named("syslog_exporter_connections_closed_total").values()) == 0
    assert s_client(exporter, MESSAGE + "\n", "member").returncode == 0
    exporter.wait_for("vendor", 1)


def test_wrong_certificate_is_refused_by_a_reload_and_the_old_one_stays(
    start: Start, authority: Authority
) -> None:
    exporter = start("tls://127.0.0.1:0", config=MEMBERS)
    authority.issue("other")
    (exporter.programs.folder / "server.key").write_bytes(
        (exporter.programs.folder / "other.key").read_bytes()
    )
    answer = exporter.http.request("/-/reload", method="POST")
    assert answer.status != 200
    assert "is not the key of the certificate" in answer.text
    assert "PRIVATE" not in answer.text + exporter.http.program.errors
    s_client(exporter, MESSAGE + "\n", "member")
    exporter.wait_for("vendor", 1)


@pytest.mark.peer("openssl", "openssl")
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_openssl_is_heard_with_a_certificate_and_refused_without(
    start: Start, authority: Authority, version: str
) -> None:
    authority.issue("loner", signs_itself=True)
    exporter = start("tls://127.0.0.1:0", config=MEMBERS)
    s_client(exporter, MESSAGE + "\n", "member", version)
    exporter.wait_for("vendor", 1)
    s_client(exporter, MESSAGE + "\n", "", version)
    until(lambda: failures(exporter) == {"no_certificate": 1}, "one without a certificate")
    s_client(exporter, MESSAGE + "\n", "loner", version)
    until(lambda: failures(exporter).get("untrusted") == 1, "one of a stranger")
    assert exporter.metrics().value("syslog_received_total", transport="tls") == 1


@pytest.mark.peer("openssl", "openssl")
def test_openssl_with_an_old_version_or_without_trust_is_told_by_reason(
    start: Start, authority: Authority
) -> None:
    exporter = start(
        "tls://127.0.0.1:0",
        config="tls: {cert_file: server.crt, key_file: server.key, min_version: TLS13}\n",
    )
    s_client(exporter, "", "", "-tls1_2")
    until(lambda: failures(exporter) == {"version": 1}, "an old version")
    authority.issue("loner", signs_itself=True)
    shutil.copy(exporter.programs.folder / "loner.crt", exporter.programs.folder / "ca.crt")
    s_client(exporter, "")
    until(lambda: failures(exporter).get("refused_by_client") == 1, "a client without trust")


@pytest.mark.peer("logger", "bsdutils")
def test_logger_without_tls_at_a_port_of_tls_is_told(start: Start, authority: Authority) -> None:
    exporter = start("tls://127.0.0.1:0", config=MEMBERS)
    run("logger", "-T", "-n", "127.0.0.1", "-P", str(exporter.ports["tls"]), "hello")
    until(lambda: failures(exporter) == {"not_tls": 1}, "plain text is told")


# --- Unix sockets ---------------------------------------------------------------------------------


@pytest.mark.peer("logger", "bsdutils")
@pytest.mark.parametrize("kind", ["unix-dgram", "unix-stream"])
def test_logger_is_heard_over_a_unix_socket(start: Start, tmp_path: Path, kind: str) -> None:
    exporter = start(f"{kind}://{tmp_path}/log")
    for number in range(3):
        result = run(
            "logger", "-u", f"{tmp_path}/log", "-t", "probe", "-p", "auth.err", f"n{number}"
        )
        assert result.returncode == 0, result.stderr
    exporter.wait_for("rfc3164", 3)
    events = exporter.events()
    assert {event["text"] for event in events} == {"n0", "n1", "n2"}
    assert {(event["device"], event["app"]) for event in events} == {("switch-1", "probe")}
    assert exporter.metrics().value("syslog_received_total", transport=kind) == 3
    exporter.http.program.end()
    assert not (tmp_path / "log").exists()


@pytest.mark.peer("logger", "bsdutils")
def test_unix_socket_of_a_killed_exporter_is_taken_over_and_that_of_a_living_one_is_not(
    start: Start, tmp_path: Path
) -> None:
    exporter = start(f"unix-dgram://{tmp_path}/log")
    words = ("syslog", f"--syslog.listen-address=unix-dgram://{tmp_path}/log",
             "--events.state-file=none", "--web.listen-address=127.0.0.1:0")  # fmt: skip
    second = netexporters(*words)
    assert second.returncode == 1
    assert f"cannot listen on {tmp_path}/log: address already in use" in second.stderr
    exporter.http.program.kill()
    assert (tmp_path / "log").exists()
    exporter.start()
    run("logger", "-u", f"{tmp_path}/log", "again")
    exporter.wait_for("rfc3164", 1)


@pytest.mark.peer("rsyslogd", "rsyslog")
def test_rsyslog_relays_over_a_unix_socket_what_is_of_other_devices(
    start: Start, programs: Programs, tmp_path: Path
) -> None:
    exporter = start(
        f"unix-dgram://{tmp_path}/log", config="access: {trusted_relays: [127.0.0.1/32]}\n"
    )
    (tmp_path / "devices.yml").write_text("devices: [{name: edge-1, addresses: [192.0.2.77]}]\n")
    exporter.reload()
    (tmp_path / "in.log").write_text("a line\n")
    (tmp_path / "rsyslog.conf").write_text(
        f"""
        global(workDirectory="{tmp_path}" localHostname="edge-1")
        module(load="imfile")
        module(load="omuxsock")
        input(type="imfile" file="{tmp_path}/in.log" tag="app:")
        $OMUxSockSocket {tmp_path}/log
        *.* :omuxsock:
        """
    )
    rsyslogd = shutil.which("rsyslogd") or "/usr/sbin/rsyslogd"
    programs.start(rsyslogd, "-n", "-f", tmp_path / "rsyslog.conf", "-i", tmp_path / "rsyslog.pid")
    until(lambda: any(event["app"] == "app" for event in exporter.events()), "the line")
    assert {e["device"] for e in exporter.events() if e["app"] == "app"} == {"edge-1"}


# --- logger, in the modes that concern what it sends; --journald writes to systemd's journal alone


@pytest.mark.peer("logger", "bsdutils")
@pytest.mark.parametrize(
    "words",
    [
        ("-d",),
        ("-T",),
        ("-T", "--octet-count"),
        ("-T", "--octet-count", "--rfc5424", "--msgid", "ID47", "--id=77"),
        ("-T", "--rfc5424=notime,notq,nohost"),
        ("-d", "--rfc5424", "--sd-id", "zoo@123", "--sd-param", 'tiger="hungry \\"x\\""'),
        ("-d", "--rfc3164", "-i"),
        ("-d", "--rfc3164", "--size", "8000"),
    ],
    ids=" ".join,
)
def test_every_mode_of_logger_gives_its_lines(start: Start, words: tuple[str, ...]) -> None:
    exporter = start("udp://127.0.0.1:0", "tcp://127.0.0.1:0")
    port = exporter.ports["udp" if words[0] == "-d" else "tcp"]
    lines = ["first line", "second: line", "x" * 900]
    result = run("logger", "-n", "127.0.0.1", "-P", str(port), *words, "-t", "probe",
                 text_in="\n".join(lines) + "\n")  # fmt: skip
    assert result.returncode == 0, result.stderr
    until(lambda: len(exporter.events()) >= 3, "three events")
    assert sorted(event["text"] for event in exporter.events()) == sorted(lines)
    assert {event["app"] for event in exporter.events()} == {"probe"}


# --- raw octets -----------------------------------------------------------------------------------


def test_shell_that_writes_raw_octets_is_heard(start: Start) -> None:
    exporter = start("tcp://127.0.0.1:0", "udp://127.0.0.1:0")
    tcp, udp = exporter.ports["tcp"], exporter.ports["udp"]
    script = f"""
    printf '<13>one\\n5 <13>a<13>two\\0<13>three\\r\\n<13>last' > /dev/tcp/127.0.0.1/{tcp}
    printf '<13>datagram\\nof two lines\\n' | cat > /dev/udp/127.0.0.1/{udp}
    """
    subprocess.run(["bash", "-c", script], check=True, env=ENVIRONMENT)
    until(lambda: len(exporter.events()) == 6, "six events")
    texts = {event["text"] for event in exporter.events()}
    assert texts == {"one", "a", "two", "three", "last", r"datagram\nof two lines"}
    assert exporter.metrics().value("syslog_partial_total") == 1


@pytest.mark.parametrize(
    "header",
    [
        b"PROXY TCP4 192.0.2.77 127.0.0.1 56324 514\r\n",
        bytes.fromhex("0d0a0d0a000d0a515549540a 2111 000c c000024d 7f000001 dc04 0202"),
    ],
    ids=["version 1", "version 2"],
)
def test_header_of_a_balancer_names_the_sender(start: Start, tmp_path: Path, header: bytes) -> None:
    config = "connections: {trusted_balancers: [127.0.0.1/32]}\n"
    exporter = start("tcp://127.0.0.1:0", config=config)
    (tmp_path / "devices.yml").write_text("devices: [{name: edge-1, addresses: [192.0.2.77]}]\n")
    exporter.reload()
    exporter.send(header + MESSAGE.encode() + b"\n")
    exporter.send(MESSAGE.encode() + b"\n")
    exporter.wait_for("vendor", 1)
    closed = "syslog_exporter_connections_closed_total"
    until(lambda: exporter.metrics().value(closed, reason="proxy") == 1, "one without a header")
    assert [event["device"] for event in exporter.events()] == ["edge-1"]


# --- limits ---------------------------------------------------------------------------------------


def test_connections_that_say_nothing_keep_nobody_else_out(start: Start) -> None:
    exporter = start(
        "tcp://127.0.0.1:0",
        config="connections: {limit: 20, idle_timeout: 1s, frame_timeout: 1s}\n",
    )
    with ExitStack() as stack:
        for number in range(30):
            silent = socket.create_connection(("127.0.0.1", exporter.ports["tcp"]))
            stack.enter_context(silent)
            if number % 2:
                silent.sendall(b"<13>an endless")
        closed = "syslog_exporter_connections_closed_total"
        until(lambda: exporter.metrics().value(closed, reason="limit") == 10, "ten are too many")
        until(
            lambda: exporter.metrics().value("syslog_exporter_connections") == 0, "all have ended"
        )
        metrics = exporter.metrics()
        assert metrics.value(closed, reason="idle") == 10
        assert metrics.value(closed, reason="slow_frame") == 10
        assert metrics.value("syslog_exporter_buffer_bytes") == 0
    exporter.send(MESSAGE.encode() + b"\n")
    exporter.wait_for("vendor", 1)


def test_exporter_without_files_left_survives_and_says_so_once(
    start: Start,
) -> None:
    exporter = start("tcp://127.0.0.1:0", "udp://127.0.0.1:0")
    # Fewer than are open: no connection can be accepted, whatever the limits are.
    pid = exporter.http.program.pid
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (8, before[1]))
    with ExitStack() as stack:
        for _ in range(50):
            stack.enter_context(socket.create_connection(("127.0.0.1", exporter.ports["tcp"])))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(MESSAGE.encode(), ("127.0.0.1", exporter.ports["udp"]))
        log = "cannot accept connections"
        until(lambda: log in exporter.http.program.errors, "the log says so")
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
        until(
            lambda: exporter.metrics().value("syslog_exporter_connections") == 50, "50 connections"
        )
    assert exporter.metrics().value("syslog_exporter_accept_failures_total") >= 1
    assert exporter.http.program.errors.count(f'logger=exporters.syslog.accepting msg="{log}"') == 1
    exporter.wait_for("vendor", 1)
    exporter.send(MESSAGE.encode() + b"\n")
    exporter.wait_for("vendor", 2)


# --- addresses ------------------------------------------------------------------------------------


def test_every_family_is_heard_on_one_address_and_is_one_device(start: Start) -> None:
    exporter = start("tcp://:0", "tcp://127.0.0.1:0", "udp://127.0.0.1:0", "udp://127.0.0.1:0")
    port = next(
        line.partition("address=:")[2].partition(" ")[0]
        for line in exporter.http.program.errors.splitlines()
        if "address=:" in line
    )
    for host in ("127.0.0.1", "::1"):
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(MESSAGE.encode() + b"\n")
    exporter.send(MESSAGE.encode() + b"\n")
    exporter.wait_for("vendor", 3)
    assert {event["device"] for event in exporter.events()} == {"switch-1"}


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("tcp://203.0.113.1:5514", "choose an address of this machine"),
        ("tls://127.0.0.1:0", "give cert_file and key_file under tls"),
        ("unix-dgram:///nowhere/at/all", "make its directory"),
        ("http://:80", "does not begin with udp:// or tcp:// or tls:// or unix-dgram://"),
        ("unix-stream://log", "has no absolute path"),
        ("tcp://127.0.0.1", "has no port"),
    ],
)
def test_address_that_cannot_be_is_told_in_one_line(address: str, words: str) -> None:
    others = ("--events.state-file=none", "--web.listen-address=127.0.0.1:0")
    result = netexporters("syslog", f"--syslog.listen-address={address}", *others)
    assert result.returncode != 0
    assert [words in line for line in result.stderr.splitlines()].count(True) == 1


@pytest.mark.peer("setpriv", "util-linux")
@pytest.mark.parametrize("scheme", ["udp", "tcp"])
def test_low_port_without_the_capability_names_the_remedy(scheme: str) -> None:
    if Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text().strip() == "0":
        pytest.skip("every user may have low ports here (net.ipv4.ip_unprivileged_port_start)")
    result = run("setpriv", "--bounding-set=-net_bind_service", "--inh-caps=-net_bind_service",
                 NETEXPORTERS, "syslog", f"--syslog.listen-address={scheme}://127.0.0.1:514",
                 "--events.state-file=none", "--web.listen-address=127.0.0.1:0")  # fmt: skip
    assert result.returncode == 1
    (line,) = [line for line in result.stderr.splitlines() if "cannot listen" in line]
    assert "CAP_NET_BIND_SERVICE" in line
