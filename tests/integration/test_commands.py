"""``get``, ``walk``, ``record`` and ``simulate``, against each other and against net-snmp."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from .agents import (
    SYSTEM_ROWS,
    address_of,
    interface_rows,
    silent_udp,
    start_simulation,
    write_recording,
)
from .exporter import start_exporter
from .processes import ENVIRONMENT, NETEXPORTERS, Programs, has_ipv6, netexporters, until
from .snmpd import AUTH_PASSWORD, COMMUNITY, PRIV_PASSWORD, Snmpd, User, walk

USER = User("sha256-aes", "SHA256", "AES")
V2C = ("-v2c", "-c", COMMUNITY)
SYS_NAME = "1.3.6.1.2.1.1.5.0"
# Rows of every type, of bytes that are no text, and of text that needs care.
TYPES = (
    ("1.3.6.1.4.1.99999.1.1.0", 2, "-2147483648"),
    ("1.3.6.1.4.1.99999.1.2.0", "4x", "00ff80"),
    ("1.3.6.1.4.1.99999.1.3.0", 4, ""),
    ("1.3.6.1.4.1.99999.1.4.0", "4x", "c3a9207c2022205c"),
    ("1.3.6.1.4.1.99999.1.5.0", "4x", "6c696e65310a6c696e6532"),
    ("1.3.6.1.4.1.99999.1.6.0", 6, "1.3.6.1.4.1.4294967295.128.16384"),
    ("1.3.6.1.4.1.99999.1.7.0", "64x", "c00002ff"),
    ("1.3.6.1.4.1.99999.1.8.0", 65, "4294967295"),
    ("1.3.6.1.4.1.99999.1.9.0", 66, "0"),
    ("1.3.6.1.4.1.99999.1.10.0", 67, "8640000"),
    ("1.3.6.1.4.1.99999.1.11.0", "68x", "9f780442f60000"),
    ("1.3.6.1.4.1.99999.1.12.0", 70, "18446744073709551615"),
    ("1.3.6.1.4.1.99999.1.4294967295.0", 2, "1"),
    ("1.3.6.1.4.1.99999.2.1.0", 5, ""),
)


@pytest.fixture(scope="module")
def recording(module_programs: Programs) -> Path:
    path = module_programs.folder / "device.snmprec"
    return write_recording(path, SYSTEM_ROWS, interface_rows(5), TYPES)


@pytest.fixture(scope="module")
def agent(module_programs: Programs, recording: Path) -> str:
    return start_simulation(module_programs, recording, "--tcp")[1]


@pytest.fixture(scope="module")
def snmpd(module_programs: Programs, tmp_path_factory: pytest.TempPathFactory) -> Snmpd:
    return Snmpd(module_programs, tmp_path_factory.mktemp("snmpd"), users=(USER,))


def lines(result: subprocess.CompletedProcess[str]) -> list[str]:
    """The output of a command that went well, and had nothing to say but how many rows it wrote."""
    output = result.stdout.splitlines()
    assert result.returncode == 0, result.stderr
    assert result.stderr in ("", f"{len(output)} rows recorded\n")
    return output


# --- record and simulate --------------------------------------------------------------------


@pytest.mark.parametrize("flags", [(), ("-v1", "--repetitions=3"), ("--repetitions=1000",)])
def test_recording_of_a_simulation_is_the_recording(
    agent: str, recording: Path, flags: Sequence[str]
) -> None:
    wanted = recording.read_text().splitlines()
    if "-v1" in flags:  # which has no 64-bit counters
        wanted = [line for line in wanted if "|70|" not in line]
    assert lines(netexporters("record", *flags, agent)) == wanted


def test_recording_over_tcp_of_some_subtrees_leaves_others_out(agent: str, recording: Path) -> None:
    flags = ("--leave-out=1.3.6.1.2.1.2.2.1.2", "--leave-out", "1.3.6.1.2.1.1.4")
    result = netexporters("record", *flags, f"tcp://{agent}", "1.3.6.1.2.1.1", "1.3.6.1.2.1.2")
    assert lines(result) == [
        line
        for line in recording.read_text().splitlines()
        if line.startswith(("1.3.6.1.2.1.1.", "1.3.6.1.2.1.2."))
        and not line.startswith(("1.3.6.1.2.1.2.2.1.2.", "1.3.6.1.2.1.1.4."))
    ]


@pytest.mark.peer("snmpd", "snmpd")
@pytest.mark.peer("snmpbulkwalk", "snmp")
@pytest.mark.parametrize("version", ["v1", "v2c", "v3"])
def test_recording_of_net_snmp_answers_as_net_snmp_did(
    programs: Programs, snmpd: Snmpd, tmp_path: Path, version: str
) -> None:
    """Record the real agent, simulate it, and let net-snmp's tool compare the two."""
    # Subtrees that stand still: no clocks, no counters, no list of processes.
    roots = ("1.3.6.1.2.1.1.9", "1.3.6.1.2.1.11.30", "1.3.6.1.6.3.11", "1.3.6.1.6.3.16")
    roots += ("1.3.6.1.2.1.2.2.1.2", "1.3.6.1.2.1.31.1.1.1.1", "1.3.6.1.2.1.1.5")
    flags = {"v1": ("-v1", "-c", COMMUNITY), "v2c": V2C, "v3": tuple(own_flags(USER))}[version]
    result = netexporters("record", *flags, snmpd.target, *roots)
    assert result.returncode == 0, result.stderr
    file = tmp_path / "recorded.snmprec"
    file.write_text(result.stdout)
    _, simulated = start_simulation(programs, file, f"--community={COMMUNITY}")
    for root in roots:
        real = snmpd.walk(V2C, root)
        assert walk(tmp_path, V2C, simulated, root) == real
        assert real or root == "1.3.6.1.2.1.11.30"


def test_simulation_of_several_files_serves_each_by_its_name(
    programs: Programs, tmp_path: Path
) -> None:
    for name in ("north", "south"):
        rows = ((SYS_NAME, 4, name),)
        write_recording(tmp_path / f"{name}.snmprec", rows)
    files = (tmp_path / "north.snmprec", tmp_path / "south.snmprec")
    _, target = start_simulation(programs, "--one-port", *files)
    for name in ("north", "south"):
        wanted = [f'{SYS_NAME} = STRING: "{name}"']
        assert lines(netexporters("get", "--numbers", "-c", name, target, SYS_NAME)) == wanted


def test_simulation_ends_at_once_when_told(programs: Programs, recording: Path) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        program, _ = start_simulation(programs, recording)
        program.send(number)
        assert program.wait(5) == 0


# --- get and walk ---------------------------------------------------------------------------


def test_get_prints_a_line_for_each_instance(agent: str) -> None:
    oids = [oid for oid, _, _ in TYPES]
    others = ("1.3.6.1.2.1.1.5.1", "1.3.9.9")
    assert lines(netexporters("get", "--numbers", agent, *oids, *others)) == [
        f"{oids[0]} = INTEGER: -2147483648",
        f"{oids[1]} = Hex-STRING: 00 FF 80",
        f'{oids[2]} = STRING: ""',
        f'{oids[3]} = STRING: "é | \\" \\\\"',
        f'{oids[4]} = STRING: "line1',
        'line2"',
        f"{oids[5]} = OID: 1.3.6.1.4.1.4294967295.128.16384",
        f"{oids[6]} = IpAddress: 192.0.2.255",
        f"{oids[7]} = Counter32: 4294967295",
        f"{oids[8]} = Gauge32: 0",
        f"{oids[9]} = Timeticks: (8640000) 1 days, 0:00:00.00",
        f"{oids[10]} = Opaque: 123",
        f"{oids[11]} = Counter64: 18446744073709551615",
        f"{oids[12]} = INTEGER: 1",
        f"{oids[13]} = NULL",
        "1.3.6.1.2.1.1.5.1 = No Such Instance currently exists at this OID",
        "1.3.9.9 = No Such Object available on this agent at this OID",
    ]


@pytest.mark.parametrize("target", ["AGENT", "udp://AGENT", "tcp://AGENT", "tcp4://AGENT"])
def test_walk_prints_every_instance_in_order(agent: str, recording: Path, target: str) -> None:
    roots = ("1.3.6.1.2.1.2", "1.3.6.1.2.1.1")
    result = netexporters("walk", "--numbers", target.replace("AGENT", agent), *roots)
    oids = [line.partition("|")[0] for line in recording.read_text().splitlines()]
    wanted = [oid for oid in oids if oid.startswith("1.3.6.1.2.1.2.")]
    wanted += [oid for oid in oids if oid.startswith("1.3.6.1.2.1.1.")]
    assert [line.partition(" = ")[0] for line in lines(result)] == wanted


@pytest.mark.parametrize("root", [".1.3.6.1.2.1.1", "1.3.6.1.2.1.1.", "1.3", "1", ".1", "iso"])
def test_walk_takes_oids_as_users_write_them(agent: str, root: str) -> None:
    if root.endswith("."):
        assert netexporters("walk", agent, root).returncode == 2
        return
    result = netexporters("walk", "--numbers", agent, root)
    oids = [line.partition(" = ")[0] for line in lines(result)]
    assert {oid for oid, _, _ in SYSTEM_ROWS} <= set(oids)


def test_flags_may_stand_anywhere(agent: str) -> None:
    root = "1.3.6.1.2.1.1.5"
    wanted = [f'{SYS_NAME} = STRING: "switch-1"']
    for words in (("-v2c", agent, root), (agent, "-v2c", root), (agent, root, "-v2c")):
        assert lines(netexporters("walk", "--numbers", *words)) == wanted


def test_auth_of_a_configuration_is_used(programs: Programs, tmp_path: Path) -> None:
    recording = write_recording(tmp_path / "a.snmprec", SYSTEM_ROWS)
    _, target = start_simulation(programs, recording, "--community=private")
    auths = {"own": {"version": 2, "community": "${PRIVATE}"}}
    (tmp_path / "auths.yml").write_text(yaml.safe_dump({"auths": auths}))
    file = f"--config.file={tmp_path}/auths.yml"
    wanted = [f'{SYS_NAME} = STRING: "switch-1"']
    environment = {"PRIVATE": "private"}
    words = ("--numbers", file, "--auth=own", target, SYS_NAME)
    result = netexporters("get", *words, environment=environment)
    assert lines(result) == wanted


def own_flags(user: User) -> list[str]:
    """The credentials as our commands take them: net-snmp's flags, our names of protocols."""
    return ["-v3", "-u", user.name, "-l", user.level, "-a", user.auth_protocol,
            "-A", AUTH_PASSWORD, "-x", user.priv_protocol, "-X", PRIV_PASSWORD]  # fmt: skip


@pytest.mark.peer("snmpd", "snmpd")
@pytest.mark.peer("snmpbulkwalk", "snmp")
@pytest.mark.parametrize(
    ("version", "transport"),
    [
        ("v1", "127.0.0.1"),
        ("v2c", "tcp://127.0.0.1"),
        ("v3", "[::1]"),
        ("v3 by half the flags", "tcp6://[::1]"),
    ],
)
def test_walk_of_net_snmp_prints_what_its_own_tool_does(
    snmpd: Snmpd, transport: str, version: str
) -> None:
    if "::" in transport and not has_ipv6():
        pytest.skip("this machine has no IPv6 loopback address")
    flags = {
        "v1": ["-v1", "-c", COMMUNITY],
        "v2c": ["-c", COMMUNITY],
        "v3": own_flags(USER),
        "v3 by half the flags": ["-u", USER.name, "-a", "SHA256", "-A", AUTH_PASSWORD,
                                 "-X", PRIV_PASSWORD],
    }[version]  # fmt: skip
    target = f"{transport}:{snmpd.port}"
    root = "1.3.6.1.2.1.1.9.1.2"
    wanted = [f"{oid} = {value.replace('OID: .', 'OID: ')}"
              for oid, value in snmpd.walk(V2C, root).items()]  # fmt: skip
    assert len(wanted) > 5
    assert lines(netexporters("walk", "--numbers", *flags, target, root)) == wanted
    name = netexporters("get", "--numbers", *flags, target, SYS_NAME, "1.3.6.1.2.1.1.6.0")
    assert lines(name) == [f'{SYS_NAME} = STRING: "tested"',
                           '1.3.6.1.2.1.1.6.0 = STRING: "cellar"']  # fmt: skip


@pytest.mark.peer("snmpd", "snmpd")
@pytest.mark.parametrize(
    ("flags", "reason"),
    [
        (["-u", "stranger"], "auth_unknown_user"),
        (["-A", "wrong password"], "auth_wrong_digest"),
        (["-X", "wrong password"], "timeout"),
        (["-l", "authNoPriv"], "agent_error"),
    ],
)
def test_wrong_credentials_are_told_in_one_line(
    snmpd: Snmpd, flags: list[str], reason: str
) -> None:
    patience = ("-t", "200ms", "-r", "0")
    words = (*own_flags(USER), *flags, *patience, snmpd.target, SYS_NAME)
    result = netexporters("get", *words)
    assert result.stderr.startswith("netexporters: ")
    assert result.stderr.endswith(f" ({reason})\n")
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (1, "", 1)


# --- what goes wrong ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("get", "127.0.0.1:1", SYS_NAME), 1,
         "netexporters: udp 127.0.0.1 port 1: Connection refused (refused)"),
        (("walk", "tcp://127.0.0.1:1"), 1,
         "netexporters: tcp 127.0.0.1 port 1: Connection refused (refused)"),
        (("record", "no-such-host.invalid"), 1, "netexporters: no-such-host.invalid: "),
        (("get", "AGENT"), 2, "netexporters get: the following arguments are required: OID; see "
         "netexporters get --help"),
        (("get",), 2, "netexporters get: the following arguments are required: TARGET, OID; see "
         "netexporters get --help"),
        (("get", "AGENT", "1.3.x"), 2, "netexporters get: argument OID: '1.3.x' is not an OID"),
        (("get", "AGENT", "sysNam.0"), 1,
         "no MIB module has the name 'sysNam', did you mean sysName?"),
        (("get", "--numbers", "AGENT", "SNMPv2-MIB::sysNam.0"), 1,
         "no MIB module has the name 'SNMPv2-MIB::sysNam', did you mean sysName?"),
        (("get", "AGENT", "sysName.x"), 1, "'sysName.x': what follows sysName is no instance"),
        (("get", "--mib.dir=/no/such", "AGENT", "1.3.6"), 1,
         "/no/such: there is no such file or directory"),
        (("get", "AGENT", "1.3.6.4294967296"), 2, "netexporters get: argument OID: "
         "sub-identifier 4294967296 does not fit 32 unsigned bits"),
        (("get", "AGENT", "1.3.6.-1"), 2, "netexporters get: argument OID: '1.3.6.-1' is not"),
        (("get", "AGENT", "9.9.9"), 2, "netexporters get: argument OID: "),
        (("walk", "AGENT:x"), 2, "netexporters walk: argument TARGET: "),
        (("walk", "AGENT", "1.3.6.1.9"), 1, "the agent has nothing there"),
        (("walk", "-c", "wrong", "-t", "100ms", "-r", "1", "AGENT"), 1,
         "netexporters: request timeout: udp 127.0.0.1 port <port> is silent after 2 tries, "
         "or does not know the community (timeout)"),
        (("walk", "--auth=nope", "AGENT"), 1,
         "there is no auth 'nope'; there are public_v1, public_v2"),
        (("walk", "--config.file=/no/file.yml", "AGENT"), 1,
         "/no/file.yml: cannot be read: no such file or directory"),
        (("walk", "-v4", "AGENT"), 2, "netexporters walk: argument -v: invalid choice: '4'"),
        (("walk", "-v3", "AGENT"), 1, "command line: username: is missing or empty; SNMPv3 needs"),
        (("walk", "-u", "a", "-a", "SHA3", "-A", "p", "AGENT"), 1,
         'command line: auth_protocol: unknown value "SHA3"; did you mean "SHA"?'),
        (("walk", "-t", "soon", "AGENT"), 2, "netexporters walk: argument -t/--timeout: 'soon' "),
        (("walk", "-t", "0", "AGENT"), 2, "netexporters walk: argument -t/--timeout: '0' "),
        (("walk", "-r", "x", "AGENT"), 2, "netexporters walk: argument -r/--retries: invalid "),
        (("walk", "--repetition=3", "AGENT"), 2,
         "netexporters walk: unknown flag --repetition, did you mean --repetitions?"),
        (("simulate",), 2, "netexporters simulate: the following arguments are required: FILE"),
        (("simulate", "/no/file"), 1, "/no/file: cannot be read: No such file or directory"),
        (("simulate", "--listen-address=1161", "/no/file"), 2,
         "netexporters simulate: argument --listen-address: '1161' is not HOST:PORT"),
        (("simulate", "--drop=2", "/no/file"), 2,
         "netexporters simulate: argument --drop: '2' is not a share between 0 and 1"),
        (("simulate", "--auth-protocol=SHA", "/no/file"), 1,
         "--auth-protocol and --priv-protocol need --user"),
        (("simulate", "--rmon-endless", "/no/file"), 1,
         "--rmon-intervals, --rmon-torn and --rmon-endless need --rmon"),
        (("simulate", "--rmon=1,", "/no/file"), 2,
         "netexporters simulate: argument --rmon: '1,' is not a list of ifIndex such as 1,2,49"),
        (("simulate", "--rmon=1", "--rmon-intervals=0", "/no/file"), 2,
         "netexporters simulate: argument --rmon-intervals: '0' is not a list of seconds such as"),
        (("wlak", "AGENT"), 2, "netexporters: unknown command 'wlak', did you mean walk?"),
        (("healthcheck", "--address=127.0.0.1:1"), 1, "no exporter is healthy at 127.0.0.1:1"),
        (("healthcheck", "--address=127.0.0.1:x"), 2,
         "netexporters healthcheck: argument --address: '127.0.0.1:x' is not HOST:PORT"),
        (("check",), 1, "no file is named to check; netexporters check snmp.yml devices.yml"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)  # fmt: skip
def test_mistake_is_told_in_one_line(
    agent: str, words: tuple[str, ...], code: int, message: str
) -> None:
    words = tuple(word.replace("AGENT", agent) for word in words)
    result = netexporters(*words)
    assert (result.returncode, result.stdout) == (code, "")
    assert result.stderr.startswith(message.replace("<port>", agent.rpartition(":")[2]))
    assert result.stderr.count("\n") == 1


def test_file_that_is_no_recording_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "x.snmprec"
    file.write_text("this\nis\nprose\n")
    result = netexporters("simulate", file)
    problem = "the line is not OID|TAG|VALUE"
    assert (result.returncode, result.stderr.splitlines()) == (
        1,
        [
            f"{file}: no line is OID|TAG|VALUE; a recording in .snmprec format",
            *(f"{file}:{number}: {problem}" for number in (1, 2, 3)),
        ],
    )


def test_port_that_is_taken_is_told(recording: Path) -> None:
    with silent_udp() as taken:
        result = netexporters("simulate", f"--listen-address={address_of(taken)}", recording)
    assert result.returncode == 1
    assert "address already in use" in result.stderr.lower()
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["get", "walk", "record", "help"])
def test_reader_that_has_seen_enough_is_no_error(agent: str, command: str) -> None:
    """``| head -1``: the pipe closes while, or before, we write."""
    words = {"get": ("get", agent, SYS_NAME), "help": ("--help",)}.get(command, (command, agent))
    process = subprocess.Popen(
        [NETEXPORTERS, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
        text=True,
    )
    with process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        errors = process.stderr.read()
    assert "Traceback" not in errors
    assert "Exception" not in errors
    assert process.returncode in (0, 128 + signal.SIGPIPE)


@pytest.mark.parametrize("stdout", ["closed", "full"])
def test_output_that_cannot_be_written_is_told_in_one_line(agent: str, stdout: str) -> None:
    redirection = {"closed": ">&-", "full": ">/dev/full"}[stdout]
    command = f'"$0" get {agent} {SYS_NAME} {redirection}'
    result = subprocess.run(
        ["sh", "-c", command, NETEXPORTERS],
        check=False, capture_output=True, text=True, env=ENVIRONMENT, timeout=30,
    )  # fmt: skip
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert result.stderr.count("\n") == 1


def test_terminal_that_knows_ascii_alone_gets_escapes(agent: str) -> None:
    oid = "1.3.6.1.4.1.99999.1.4.0"
    environment = {"PYTHONIOENCODING": "ascii"}
    result = netexporters("get", "--numbers", agent, oid, environment=environment)
    assert lines(result) == [rf'{oid} = STRING: "\xe9 | \" \\"']


def test_interrupt_ends_a_command_without_a_word(programs: Programs) -> None:
    with silent_udp() as silent:
        program = programs.start(NETEXPORTERS, "walk", "-t", "30", address_of(silent))
        silent.recv(65535)
        program.send(signal.SIGINT)
        assert program.wait(5) == 128 + signal.SIGINT
    assert program.errors == ""


def test_help_of_every_command_is_there() -> None:
    overview = netexporters("--help").stdout
    told = [line for line in overview.splitlines() if line.startswith("  ")]
    commands = [re.split(r"  +", line.strip())[0] for line in told]
    assert {"snmp", "snmp module", "check", "get", "walk", "record", "demo"} <= set(commands)
    for command in commands:
        result = netexporters(*command.split(), "--help")
        assert result.returncode == 0
        assert result.stdout.startswith(f"usage: netexporters {command} ")
        text = result.stdout.replace("netexporters snmp module", "")
        assert not re.search(r"\b(snmp|oids?) [a-z]", text)  # names keep their capitals


def test_healthcheck_asks_the_exporter_that_runs(programs: Programs) -> None:
    exporter = start_exporter(programs)
    address = f"--address=127.0.0.1:{exporter.port}"
    assert lines(netexporters("healthcheck", address)) == []
    assert lines(netexporters("healthcheck", "--address=127.0.0.1:1", address)) == []


def test_walk_writes_as_answers_arrive(programs: Programs) -> None:
    """A walk that hangs half way has printed what came before."""
    recording = write_recording(programs.folder / "a.snmprec", SYSTEM_ROWS, interface_rows(200))
    _, target = start_simulation(programs, recording, "--delay=100ms")
    program = programs.start(NETEXPORTERS, "walk", target, "1.3.6.1.2.1", "--repetitions=5")
    until(lambda: program.output, "the first lines are written")
    assert not program.ended
    program.send(signal.SIGINT)
    assert program.wait(5) == 128 + signal.SIGINT
