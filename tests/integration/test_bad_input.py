"""What users get wrong, and what they are told: the place, the problem, and what would be right.

One line for a problem, exit code 1 for a file and 2 for a flag, and never a stack trace.
"""

from __future__ import annotations

import os
import shlex
import socket
from pathlib import Path
from typing import NamedTuple

import pytest

from .agents import address_of
from .processes import netexporters

AUTH = "auths: {public_v2: {version: 2}}\n"
MODULE = "modules: {a: {walk: [1.3.6.1.2.1.1.5], metrics: []}}\n"
METRIC = """\
modules:
  a:
    walk: [1.3.6.1.2.1.1.5]
    metrics:
      - name: sysName
        oid: 1.3.6.1.2.1.1.5
        type: DisplayString
        help: name
"""
SNMP = "--config.file=@/snmp.yml"
DEVICES = f"{SNMP} --devices.file=@/devices.yml"
WEB = f"{SNMP} --web.config.file=@/web.yml"
NO_AUTH = (
    "no auth is configured; add auths, as in auths: {public_v2: {version: 2, community: public}}"
)


class Case(NamedTuple):
    """Files of a folder, flags that name them, and all that is said, line by line.

    ``@`` is the folder; a line that ends in ``...`` goes on, with all that there is to choose from.
    """

    files: dict[str, str]
    says: list[str]
    flags: str = SNMP


def snmp(text: str, *says: str) -> Case:
    """A case of one ``snmp.yml``, of which each line says something."""
    return Case({"snmp.yml": text}, [f"@/snmp.yml:{line}" for line in says])


FILES = {
    "keys": snmp(
        "auths:\n  public_v2:\n    comunity: a\nmodules:\n  a:\n    walks: [1.3.6]\n",
        '3: auths.public_v2.comunity: unknown key; did you mean "community"?',
        '6: modules.a.walks: unknown key; did you mean "walk"?',
    ),
    "OIDs": snmp(
        AUTH + "modules:\n  a:\n    walk: [1.3.x]\n    get: [sysName.0]\n    metrics: []\n",
        '4: modules.a.walk[0]: "1.3.x" is not an OID; expected dotted numbers such as '
        "1.3.6.1.2.1.1.3.0",
        '5: modules.a.get[0]: "sysName.0" is not an OID; expected dotted numbers such as '
        "1.3.6.1.2.1.1.3.0",
    ),
    "index type": snmp(
        METRIC + "        indexes: [{labelname: a, type: Strnig}]\n" + AUTH,
        '9: modules.a.metrics[0].indexes[0].type: unknown index type "Strnig"; known index types: '
        "gauge, counter, Integer, ...",
    ),
    "pattern": snmp(
        METRIC + "        regex_extracts: {A: [{regex: '(a', value: '$1'}]}\n" + AUTH,
        '9: modules.a.metrics[0].regex_extracts.A[0].regex: "(a" is not a regular expression: '
        "a ( is not closed",
    ),
    "secret file that is missing": snmp(
        "auths: {a: {community_file: missing}}\n" + MODULE,
        "1: auths.a.community_file: @/missing cannot be read: no such file or directory",
    ),
    "secret file that is a folder": snmp(
        "auths: {a: {community_file: .}}\n" + MODULE,
        "1: auths.a.community_file: @ cannot be read: is a directory",
    ),
    "secret in two ways": snmp(
        "auths: {a: {community: b, community_file: c}}\n" + MODULE,
        "1: auths.a.community_file: community is given as well; keep one of the two",
    ),
    "variable that is not set": snmp(
        "auths: {a: {community: '${NETEXPORTERS_NO}'}}\n" + MODULE,
        "1: auths.a.community: the environment variable NETEXPORTERS_NO is not set; for a literal "
        "${ write $${",
    ),
    "YAML that does not end": snmp(
        "auths: {a: {version: 2\n", "2: is not YAML: did not find expected ',' or '}'"
    ),
    "YAML with a tab": snmp(
        "auths:\n\ta: {}\n",
        "2: is not YAML: found character that cannot start any token; YAML is indented with "
        "spaces, not tabs",
    ),
    "key given twice": snmp(
        AUTH + "modules:\n  a: {walk: [1.3]}\n  a: {}\n",
        "4: modules.a: this key is given twice; it is on line 3 already; keep one of them",
    ),
    "list": snmp("- a\n- b\n", " expected a mapping, found a list"),
    "layout of snmp_exporter before 0.23": snmp(
        "if_mib:\n  walk: [1.3.6]\n  version: 2\n  auth: {community: public}\n",
        "1: if_mib: a module at the top level, as snmp_exporter had them before 0.23; move "
        "modules below modules:, and their version and auth below auths:",
    ),
    "names that no MIB has": snmp(
        AUTH + "modules:\n  a:\n    walk: [ifTabel, loadOfTheLift]\n",
        '4: modules.a.walk[0]: no MIB module has the name "ifTabel", did you mean ifTable?',
        '4: modules.a.walk[1]: no MIB module has the name "loadOfTheLift"; --mib.dir names a '
        "directory with your own MIB files",
    ),
    "keys of the other syntax": snmp(
        AUTH + "modules:\n  a:\n    walk: [ifTable]\n    overides: {}\n"
        "  b: {walk: [1.3], metrics: [], overrides: {}}\n",
        '5: modules.a.overides: unknown key; did you mean "overrides"?',
        "6: modules.b.overrides: unknown key; known keys: max_repetitions, ...",
    ),
    "user without a name": snmp(
        "auths: {a: {version: 3}}\n" + MODULE,
        "1: auths.a.username: is missing or empty; SNMPv3 needs it",
    ),
    "names of protocols and levels": snmp(
        "auths:\n  a: {version: 3, username: u, security_level: authpriv}\n"
        "  b: {version: 3, username: u, security_level: authNoPriv, auth_protocol: SHA-1}\n"
        + MODULE,
        '2: auths.a.security_level: unknown value "authpriv"; did you mean "authPriv"?',
        "3: auths.b.password: is missing or empty; security_level authNoPriv needs it",
        '3: auths.b.auth_protocol: unknown value "SHA-1"; did you mean "SHA"?',
    ),
    "version": snmp(
        "auths: {a: {version: 2c}}\n" + MODULE,
        '1: auths.a.version: expected an SNMP version, found "2c"; write 2 for SNMPv2c',
    ),
    "network": snmp(
        "auths: {a: {targets: [10.0.0.0/33]}}\n" + MODULE,
        '1: auths.a.targets[0]: "10.0.0.0/33" is not a network; write it as 192.0.2.0/24 or '
        "2001:db8::/32",
    ),
}


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What ``netexporters check`` says of each file, all of them checked at once."""
    folder = tmp_path_factory.mktemp("files")
    files: dict[str, Path] = {}
    for number, (name, case) in enumerate(FILES.items()):
        files[name] = folder / str(number) / "snmp.yml"
        files[name].parent.mkdir()
        files[name].write_text(case.files["snmp.yml"])
    result = netexporters("check", "--kind=snmp", *files.values())
    assert (result.returncode, result.stdout) == (1, "")
    said = result.stderr.splitlines()
    places = {name: str(file.parent) for name, file in files.items()}
    assert all(line.startswith(tuple(f"{place}/" for place in places.values())) for line in said)
    return {
        name: [line.replace(place, "@") for line in said if line.startswith(f"{place}/")]
        for name, place in places.items()
    }


@pytest.mark.parametrize("name", FILES)
def test_mistake_in_a_file_is_told_with_its_place(checked: dict[str, list[str]], name: str) -> None:
    assert_said(checked[name], FILES[name].says)


def assert_said(said: list[str], wanted: list[str]) -> None:
    for number, (line, start) in enumerate(zip(said, wanted, strict=False)):
        if start.endswith("...") and line.startswith(start[:-3]):
            said[number] = start
    assert sorted(said) == sorted(wanted)


CONFIGURATIONS = {
    "nothing": snmp(
        "",
        f" {NO_AUTH}",
        " no module is configured; add modules, or a file that has some, such as ...",
    ),
    "no auth": snmp(MODULE, f" {NO_AUTH}"),
    "no file": Case({}, ["@/snmp.yml: cannot be read: no such file or directory"]),
    "folder for a file": Case(
        {},
        ["@: is a directory; name a file, or a pattern such as @/*.yml"],
        "--config.file=@",
    ),
    "module in two files": Case(
        {"one.yml": AUTH + MODULE, "two.yml": "\n" + MODULE},
        ['@/two.yml:2: modules.a: the module "a" is given twice; it is in @/one.yml:2 already; '
         "keep one of them"],
        "--config.file=@/*.yml",
    ),
    "auth in two files": Case(
        {"one.yml": AUTH + MODULE, "two.yml": AUTH},
        ['@/two.yml:1: auths.public_v2: the auth "public_v2" is given twice; it is in '
         "@/one.yml:1 already; keep one of them"],
        "--config.file=@/one.yml --config.file=@/two.yml",
    ),
    "device with an unknown auth and module": Case(
        {"snmp.yml": AUTH + MODULE,
         "devices.yml": "devices:\n  - name: x\n    addresses: [192.0.2.1]\n    auth: nope\n"
                        "    modules: [a, b]\n"},
        ["@/devices.yml:5: devices[0].modules[1]: unknown module 'b'; name a module of the SNMP "
         "configuration, or write auto",
         "@/devices.yml:4: devices[0].auth: unknown auth 'nope'; the SNMP configuration has "
         "public_v2"],
        DEVICES,
    ),
    "a module that auto is to leave out, and that is not there": Case(
        {"snmp.yml": AUTH + MODULE},
        ["--snmp.auto-exclude: there is no module 'b'; there are: a"],
        "--config.file=@/snmp.yml --snmp.auto-exclude=b",
    ),
    "device given twice": Case(
        {"snmp.yml": AUTH + MODULE,
         "devices.yml": "devices:\n  - {name: x, addresses: [192.0.2.1]}\n"
                        "  - {name: x, addresses: [192.0.2.1]}\n"},
        ['@/devices.yml:3: devices[1].name: "x" is the name of another device on line 2; give '
         "each device a name of its own",
         '@/devices.yml:3: devices[1].addresses[0]: 192.0.2.1 is an address of "x" already on '
         "line 2; an address belongs to one device"],
        DEVICES,
    ),
    "no file of devices": Case(
        {"snmp.yml": AUTH + MODULE},
        ["@/devices.yml: cannot be read: no such file or directory"],
        DEVICES,
    ),
    "web configuration": Case(
        {"snmp.yml": AUTH + MODULE, "web.yml": "basic_auth_users: {a: plain}\ntls: {}\n"},
        ["@/web.yml:1: basic_auth_users.a: is not a bcrypt hash; make one with: htpasswd -nBC 10 "
         "NAME",
         "@/web.yml:2: tls: unknown key; known keys: tls_server_config, ..."],
        WEB,
    ),
    "no TLS key": Case(
        {"snmp.yml": AUTH + MODULE, "c.pem": "",
         "web.yml": "tls_server_config: {cert_file: c.pem, key_file: k.pem}\n"},
        ["@/web.yml:1: tls_server_config.key_file: @/k.pem cannot be read: no such file or "
         "directory"],
        WEB,
    ),
    "TLS certificate that is none": Case(
        {"snmp.yml": AUTH + MODULE, "c.pem": "nonsense", "k.pem": "nonsense",
         "web.yml": "tls_server_config: {cert_file: c.pem, key_file: k.pem}\n"},
        ["@/web.yml:1: tls_server_config.cert_file: holds no PEM certificate"],
        WEB,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_mistake_in_a_configuration_is_told_with_its_place(tmp_path: Path, case: Case) -> None:
    for name, text in case.files.items():
        (tmp_path / name).write_text(text)
    flags = shlex.split(case.flags.replace("@", str(tmp_path)))
    result = netexporters("snmp", "--config.check", *flags, cwd=tmp_path)
    assert_said(result.stderr.replace(str(tmp_path), "@").splitlines(), case.says)
    assert (result.returncode, result.stdout) == (1, "")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_secret_file_that_may_not_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "secret").chmod(0)
    (tmp_path / "snmp.yml").write_text("auths: {a: {community_file: secret}}\n" + MODULE)
    result = netexporters("check", tmp_path / "snmp.yml")
    assert result.returncode == 1
    assert result.stderr.endswith("/secret cannot be read: permission denied\n")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ("--config.fiel=a", "unknown flag --config.fiel, did you mean --config.file?"),
        ("--snmp.concurency 4", "unknown flag --snmp.concurency, did you mean --snmp.concurrency?"),
        ("-config.file=a", "unknown flag -config.file, did you mean --config.file?"),
        ("serve", "unexpected argument 'serve'"),
        ("--config.file", "argument --config.file: expected one argument"),
        ("--targets.allow=10.0.0.0/33", "argument --targets.allow: '10.0.0.0/33' is not a "
         "network; expected one such as 192.0.2.0/24"),
        ("--targets.allow=switch", "argument --targets.allow: 'switch' is not a network; expected "
         "one such as 192.0.2.0/24"),
        ("--snmp.concurrency=many", "argument --snmp.concurrency: 'many' is not a number"),
        ("--snmp.source-address=eth0", "argument --snmp.source-address: 'eth0' is not a local "
         "address; expected 192.0.2.1 or 192.0.2.1:5000"),
        ("--snmp.source-address=127.0.0.1:70000", "argument --snmp.source-address: "
         "'127.0.0.1:70000' is not a local address; expected 192.0.2.1 or 192.0.2.1:5000"),
        ("--timeout-offset=soon", "argument --timeout-offset: 'soon' is not a duration; expected "
         "seconds, such as 0.5, or 500ms"),
        ("--timeout-offset=-1", "argument --timeout-offset: '-1' is not a number of seconds"),
        ("--scrape.longest=inf", "argument --scrape.longest: 'inf' is not a number of seconds"),
        ("--log.level=loud", "argument --log.level: invalid choice: 'loud' (choose from"),
    ],
)  # fmt: skip
def test_wrong_flag_is_told_with_what_would_be_right(flags: str, message: str) -> None:
    result = netexporters("snmp", *flags.split())
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith(f"netexporters snmp: {message}")
    assert result.stderr.endswith("; see netexporters snmp --help\n")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("--web.listen-address=9116", "--web.listen-address=9116 has no port; write :9116"),
        ("--web.listen-address=::1", "--web.listen-address=::1 is ambiguous; write IPv6 addresses "
         "in brackets, [::1]:9116"),
        ("--web.listen-address=:99999", "--web.listen-address=:99999 has the port '99999'; a port "
         "is a number from 0 to 65535"),
        ("--web.telemetry-path=metrics", "--web.telemetry-path=metrics is no path; write one such "
         "as /metrics"),
        ("--web.telemetry-path=/snmp", "--web.telemetry-path=/snmp is taken; choose another path"),
        ("--web.systemd-socket", "--web.systemd-socket is set, but systemd passed no socket; start "
         "the .socket unit, or use --web.listen-address"),
        ("--web.listen-address=192.0.2.1:0", "cannot listen on 192.0.2.1:0: cannot assign "
         "requested address; choose an address of this machine"),
    ],
)  # fmt: skip
def test_address_that_cannot_be_served_is_told(flag: str, message: str) -> None:
    result = netexporters("snmp", "--log.level=warn", flag)
    assert (result.returncode, result.stdout, result.stderr) == (1, "", f"{message}\n")


def test_port_that_is_taken_is_told() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = address_of(taken)
        result = netexporters("snmp", "--log.level=warn", f"--web.listen-address={address}")
    assert result.returncode == 1
    assert result.stderr == (
        f"cannot listen on {address}: address already in use; stop what listens there, or choose "
        "another --web.listen-address\n"
    )


def test_right_configuration_is_summed_up(tmp_path: Path) -> None:
    (tmp_path / "snmp.yml").write_text(AUTH + MODULE)
    (tmp_path / "devices.yml").write_text("devices: [{name: a, addresses: [192.0.2.1]}]\n")
    flags = ("--config.check", "--devices.file=devices.yml")
    result = netexporters("snmp", *flags, cwd=tmp_path)  # snmp.yml is found where it stands
    said = "SNMP exporter: the configuration is right: 1 module, 1 auth, 1 device\n"
    assert (result.returncode, result.stdout, result.stderr) == (0, said, "")
