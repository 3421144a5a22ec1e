"""The exporter polls net-snmp's agent: every version, protocol and transport, every value.

What is right is what net-snmp's own tools say of the same agent. The samples that follow from it
are made here, by other code than ours, from the names, OIDs and types in the module files.
"""

from __future__ import annotations

import re
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from .agents import SYSTEM_ROWS, start_simulation, write_recording
from .exporter import Exporter, start_exporter
from .exposition import Exposition, Series, series
from .processes import Programs, has_ipv6
from .snmpd import AUTH_PASSWORD, COMMUNITY, EVERY_USER, PRIV_PASSWORD, Snmpd, User

pytestmark = [pytest.mark.peer("snmpd", "snmpd"), pytest.mark.peer("snmpbulkwalk", "snmp")]

V1 = ("-v1", "-c", COMMUNITY)
V2C = ("-v2c", "-c", COMMUNITY)
ROOTS = ("1.3.6.1.2.1.1", "1.3.6.1.2.1.2", "1.3.6.1.2.1.31.1.1")
ENGINE_ID = "1.3.6.1.6.3.10.2.1.1.0"
ENGINE_BOOTS = "1.3.6.1.6.3.10.2.1.2.0"
TRIES = 5

ENCRYPTING = User("sha256-aes", "SHA256", "AES")
REMOTE_NAME = "behind-the-proxy"

needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6 loopback address")


# --- the programs ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def snmpd(module_programs: Programs, tmp_path_factory: pytest.TempPathFactory) -> Snmpd:
    """An agent with every kind of user, and with a second context, which a proxy serves."""
    folder = tmp_path_factory.mktemp("snmpd")
    rows = [
        (oid, tag, REMOTE_NAME if value == "switch-1" else value) for oid, tag, value in SYSTEM_ROWS
    ]
    recording = write_recording(folder / "remote.snmprec", tuple(rows))
    _, remote = start_simulation(module_programs, recording)
    return Snmpd(
        module_programs,
        folder,
        users=(*EVERY_USER, User("signer", "SHA256"), User("strict", "SHA256", "AES")),
        directives=f"""
            view everything included .1
            view systemonly included .1.3.6.1.2.1.1
            createUser roaming SHA-256 "{AUTH_PASSWORD}" AES "{PRIV_PASSWORD}"
            rouser roaming priv -V everything *
            createUser banished SHA-256 "{AUTH_PASSWORD}" AES "{PRIV_PASSWORD}"
            createUser narrow SHA-256 "{AUTH_PASSWORD}" AES "{PRIV_PASSWORD}"
            rouser narrow priv -V systemonly
            proxy -Cn remote -v 2c -c public {remote} .1.3.6.1.2.1.1
        """,
    )


def auths() -> dict[str, Mapping[str, object]]:
    """Every auth of these tests, right and wrong."""
    strict = User("strict", "SHA256", "AES").auth()
    roaming = User("roaming", "SHA256", "AES").auth()
    return {
        "v1": {"version": 1, "community": COMMUNITY},
        "v2c": {"version": 2, "community": COMMUNITY},
        **{user.name: user.auth() for user in EVERY_USER},
        "roaming": roaming,
        "remote": roaming | {"context_name": "remote"},
        "narrow": roaming | {"username": "narrow"},
        "wrong community": {"version": 2, "community": "wrong"},
        "wrong password": strict | {"password": "wrong password"},
        "wrong auth_protocol": strict | {"auth_protocol": "SHA512"},
        "wrong priv_password": strict | {"priv_password": "wrong password"},
        "wrong priv_protocol": strict | {"priv_protocol": "DES"},
        "wrong key extension": User("sha-aes256", "SHA", "AES256C").auth(),
        "unknown user": strict | {"username": "stranger"},
        "level beyond the user's": strict | {"username": "signer"},
        "level below what is asked for": strict | {"security_level": "authNoPriv"},
        "user without access": strict | {"username": "banished"},
    }


@pytest.fixture(scope="module")
def exporter(
    module_programs: Programs, tmp_path_factory: pytest.TempPathFactory, repository: Path
) -> Exporter:
    return start_exporter(module_programs, *_configuration(tmp_path_factory, repository))


def _configuration(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> list[str]:
    file = tmp_path_factory.mktemp("configuration") / "auths.yml"
    file.write_text(yaml.safe_dump({"auths": auths()}))
    return [f"--config.file={file}", f"--config.file={repository}/modules/snmp/*.yml"]


@pytest.fixture(scope="module")
def modules(repository: Path) -> list[Mapping[str, Any]]:
    folder = repository / "modules/snmp"
    return [
        yaml.safe_load((folder / f"{name}.yml").read_text())["modules"][name]
        for name in ("system", "if_mib")
    ]


# --- what net-snmp's rows mean --------------------------------------------------------------


def number(row: str) -> float:
    """``Counter32: 5`` and, of TimeTicks, ``5``."""
    match = re.fullmatch(r"(?:[A-Za-z0-9]+: )?(-?\d+)", row)
    assert match, row
    return float(match[1])


def octets(row: str) -> bytes:
    """``Hex-STRING: 62 6F 78 `` or, of none, ``""``."""
    return bytes.fromhex(row.removeprefix("Hex-STRING: ").removeprefix('""'))


def text(row: str) -> str:
    if row.startswith("OID: "):
        return row.removeprefix("OID: .")
    return octets(row).decode()


def physical_address(row: str) -> str:
    return octets(row).ljust(6, b"\0").hex(":").upper()


def wanted_samples(
    metrics: list[Mapping[str, Any]], rows: Mapping[str, str]
) -> dict[Series, float]:
    """The samples that these rows of an agent make."""
    samples: dict[Series, float] = {}
    for metric in metrics:
        name, kind = metric["name"], metric["type"]
        for oid, row in rows.items():
            column, _, index = oid.rpartition(".")
            if column != metric["oid"]:
                continue
            labels = {label["labelname"]: index for label in metric.get("indexes", ())}
            for lookup in metric.get("lookups", ()):
                found = rows.get(f"{lookup['oid']}.{index}")
                labels[lookup["labelname"]] = "" if found is None else text(found)
            match kind:
                case "gauge" | "counter":
                    samples[series(name, labels)] = number(row)
                case "EnumAsInfo":
                    state = metric["enum_values"][int(number(row))]
                    samples[series(f"{name}_info", {**labels, name: state})] = 1
                case "PhysAddress48":
                    samples[series(name, {**labels, name: physical_address(row)})] = 1
                case _:
                    samples[series(name, {**labels, name: text(row)})] = 1
    return samples


def assert_every_value_is_right(
    exporter: Exporter,
    snmpd: Snmpd,
    modules: list[Mapping[str, Any]],
    *,
    target: str = "",
    auth: str = "v2c",
) -> None:
    """Scrape between two walks of net-snmp: each value must lie between theirs.

    Most do not move, and so must be equal. Interfaces may come and go on a machine that other
    tests use too: the walks must agree on what there is.
    """
    metrics = [metric for module in modules for metric in module["metrics"]]
    flags = V1 if auth == "v1" else V2C  # version 1 has no 64-bit counters
    for _ in range(TRIES):
        before = wanted_samples(metrics, snmpd.walk(flags, *ROOTS))
        answer = exporter.scrape(target or snmpd.target, "system", "if_mib", auth=auth)
        after = wanted_samples(metrics, snmpd.walk(flags, *ROOTS))
        if before.keys() == after.keys():
            break
    served = {key: v for key, v in answer.exposition.samples.items() if key[0][:5] != "snmp_"}
    assert len(before) > 60
    assert set(served) - set(before) == set()
    assert set(before) - set(served) == set()
    wrong = {
        key: (before[key], value, after[key])
        for key, value in served.items()
        if not _between(before[key], value, after[key])
    }
    assert wrong == {}
    assert_outcome(answer.exposition, success=1)


def _between(before: float, value: float, after: float) -> bool:
    if before <= after:
        return before <= value <= after
    return value >= before or value <= after  # a counter that went around


def assert_outcome(exposition: Exposition, *, success: int, up: int = 1) -> None:
    for module in ("system", "if_mib"):
        assert exposition.value("snmp_module_success", module=module) == success
    assert exposition.value("snmp_up") == up


# --- every way to a value -------------------------------------------------------------------


@pytest.mark.parametrize("auth", ["v1", "v2c", ENCRYPTING.name])
@pytest.mark.parametrize(
    "transport",
    [
        "127.0.0.1",
        "udp4://localhost",
        "tcp://127.0.0.1",
        pytest.param("[::1]", marks=needs_ipv6),
        pytest.param("tcp6://[::1]", marks=needs_ipv6),
    ],
)
def test_every_value_is_what_net_snmp_says_over_every_transport(
    exporter: Exporter,
    snmpd: Snmpd,
    modules: list[Mapping[str, Any]],
    transport: str,
    auth: str,
) -> None:
    target = f"{transport}:{snmpd.port}"
    assert_every_value_is_right(exporter, snmpd, modules, target=target, auth=auth)


@pytest.mark.parametrize("user", EVERY_USER, ids=lambda user: user.name)
def test_every_value_is_what_net_snmp_says_for_every_user(
    exporter: Exporter, snmpd: Snmpd, modules: list[Mapping[str, Any]], user: User
) -> None:
    own = snmpd.tool("snmpget", user.flags(), "1.3.6.1.2.1.1.5.0")
    assert own.returncode == 0, own.stderr
    assert_every_value_is_right(exporter, snmpd, modules, auth=user.name)


def test_context_selects_what_the_proxy_serves(exporter: Exporter, snmpd: Snmpd) -> None:
    by_auth = exporter.scrape(snmpd.target, auth="remote")
    by_query = exporter.scrape(snmpd.target, auth="roaming", snmp_context="remote")
    neither = exporter.scrape(snmpd.target, auth="roaming")
    empty = exporter.scrape(snmpd.target, auth="remote", snmp_context="")
    for answer, name in (
        (by_auth, REMOTE_NAME),
        (by_query, REMOTE_NAME),
        (neither, "tested"),
        (empty, REMOTE_NAME),
    ):
        assert answer.exposition.named("sysName") == {frozenset({("sysName", name)}): 1}


def test_context_engine_id_of_the_query_reaches_the_agent(exporter: Exporter, snmpd: Snmpd) -> None:
    (row,) = snmpd.walk(V2C, ENGINE_ID).values()
    engine_id = octets(row).hex()
    answer = exporter.scrape(snmpd.target, auth=ENCRYPTING.name, snmp_engineid=engine_id)
    assert answer.exposition.value("sysName", sysName="tested") == 1


def test_view_of_a_user_bounds_what_is_served(exporter: Exporter, snmpd: Snmpd) -> None:
    exposition = exporter.scrape(snmpd.target, "system", "if_mib", auth="narrow").exposition
    assert exposition.value("sysName", sysName="tested") == 1
    assert exposition.named("ifNumber") == {}


# --- what fails, and why --------------------------------------------------------------------


class Failure(NamedTuple):
    auth: str
    reason: str
    says: str


FAILURES = [
    Failure("wrong password", "auth_wrong_digest", "wrong password or auth_protocol"),
    Failure("wrong auth_protocol", "auth_wrong_digest", "refuses the digest of user 'strict'"),
    Failure("unknown user", "auth_unknown_user", "does not know user 'stranger'"),
    Failure("level beyond the user's", "auth_unsupported_level", "at security level authPriv"),
    Failure("level below what is asked for", "no_access", "authorizationError"),
    Failure("user without access", "no_access", "authorizationError"),
    # net-snmp says nothing to a stranger's community, nor when it decrypts to nonsense.
    Failure("wrong community", "timeout", "is silent after"),
    Failure("wrong priv_password", "timeout", "is silent after"),
    Failure("wrong priv_protocol", "timeout", "is silent after"),
    Failure("wrong key extension", "timeout", "is silent after"),
]


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.auth)
def test_wrong_credentials_fail_with_their_reason(
    exporter: Exporter, snmpd: Snmpd, failure: Failure
) -> None:
    before = exporter.failures(failure.reason)
    answer = exporter.scrape(snmpd.target, auth=failure.auth, timeout=1)
    assert answer.status == 500
    assert answer.headers["content-type"].startswith("text/plain")
    assert f"error walking target {snmpd.target}: module system: " in answer.text
    assert answer.text.endswith(f" ({failure.reason})\n")
    assert failure.says in answer.text
    assert exporter.failures(failure.reason) == before + 1


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.auth)
def test_wrong_credentials_are_metrics_if_asked_so(
    exporter: Exporter, snmpd: Snmpd, failure: Failure
) -> None:
    answer = exporter.scrape(
        snmpd.target, "system", "if_mib", auth=failure.auth, timeout=1, failure="metrics"
    )
    assert_outcome(answer.exposition, success=0, up=0)
    reasons = {dict(labels)["reason"] for labels in answer.exposition.named("snmp_module_failure")}
    assert reasons == {failure.reason}


# --- an agent that starts again -------------------------------------------------------------


@pytest.mark.parametrize("loses", ["nothing", "its boots", "its engine id"])
def test_agent_that_starts_again_is_scraped_at_once(
    exporter: Exporter, programs: Programs, tmp_path: Path, loses: str
) -> None:
    """Boots grow; with its memory lost boots fall, or the engine is another one."""
    fixed = "exactEngineID 0x80001f8804746573746564\n" if loses == "its boots" else ""
    snmpd = Snmpd(programs, tmp_path, users=(ENCRYPTING,), directives=fixed)
    for _ in range(3):
        snmpd.program.send(signal.SIGTERM)
        snmpd.program.wait()
        snmpd.start()
    assert exporter.scrape(snmpd.target, auth=ENCRYPTING.name).status == 200
    first = snmpd.walk(V2C, ENGINE_ID, ENGINE_BOOTS)
    snmpd.program.kill()
    if loses != "nothing":
        snmpd.forget()
    snmpd.start()
    second = snmpd.walk(V2C, ENGINE_ID, ENGINE_BOOTS)
    answer = exporter.scrape(snmpd.target, auth=ENCRYPTING.name)
    assert answer.status == 200, answer.text
    assert answer.exposition.value("snmp_scrape_packets_retried", module="system") == 0
    assert (first[ENGINE_ID] == second[ENGINE_ID]) == (loses != "its engine id")
    if loses == "nothing":
        assert number(second[ENGINE_BOOTS]) > number(first[ENGINE_BOOTS])
    else:
        assert number(second[ENGINE_BOOTS]) < number(first[ENGINE_BOOTS])
