"""net-snmp's agent and tools: the real peer, with a configuration of the test's own."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .processes import Program, Programs, free_port, has_ipv6, run

COMMUNITY = "gemeinschaft"
AUTH_PASSWORD = "auth password"
PRIV_PASSWORD = "priv password"

# Our names of the protocols, and net-snmp's. AES-192 and AES-256 extend keys as Blumenthal says;
# with -C they do as Cisco's devices.
AUTH_PROTOCOLS = {
    "MD5": "MD5",
    "SHA": "SHA",
    "SHA224": "SHA-224",
    "SHA256": "SHA-256",
    "SHA384": "SHA-384",
    "SHA512": "SHA-512",
}
PRIV_PROTOCOLS = {
    "DES": "DES",
    "AES": "AES",
    "AES192": "AES-192",
    "AES256": "AES-256",
    "AES192C": "AES-192-C",
    "AES256C": "AES-256-C",
}
_LEVELS = {"noAuthNoPriv": "noauth", "authNoPriv": "auth", "authPriv": "priv"}
_LISTENS = re.compile(r"^NET-SNMP version", re.MULTILINE)
# Numeric OIDs, enumerations and times as numbers, no units, every string in hexadecimal.
_OUTPUT = "-OnetUx"


@dataclass(frozen=True, slots=True)
class User:
    """A user of SNMPv3, with our names of the protocols."""

    name: str
    auth_protocol: str = ""
    priv_protocol: str = ""

    @property
    def level(self) -> str:
        if self.priv_protocol:
            return "authPriv"
        return "authNoPriv" if self.auth_protocol else "noAuthNoPriv"

    def auth(self) -> dict[str, object]:
        """The entry of ``auths`` for this user."""
        entry: dict[str, object] = {
            "version": 3,
            "security_level": self.level,
            "username": self.name,
        }
        if self.auth_protocol:
            entry |= {"auth_protocol": self.auth_protocol, "password": AUTH_PASSWORD}
        if self.priv_protocol:
            entry |= {"priv_protocol": self.priv_protocol, "priv_password": PRIV_PASSWORD}
        return entry

    def flags(self) -> list[str]:
        """The credentials as net-snmp's tools take them."""
        flags = ["-v3", "-u", self.name, "-l", self.level]
        if self.auth_protocol:
            flags += ["-a", AUTH_PROTOCOLS[self.auth_protocol], "-A", AUTH_PASSWORD]
        if self.priv_protocol:
            flags += ["-x", PRIV_PROTOCOLS[self.priv_protocol], "-X", PRIV_PASSWORD]
        return flags

    def directives(self) -> str:
        create = f"createUser {self.name}"
        if self.auth_protocol:
            create += f' {AUTH_PROTOCOLS[self.auth_protocol]} "{AUTH_PASSWORD}"'
        if self.priv_protocol:
            create += f' {PRIV_PROTOCOLS[self.priv_protocol]} "{PRIV_PASSWORD}"'
        return f"{create}\nrouser {self.name} {_LEVELS[self.level]}\n"


EVERY_USER = (
    User("nobody"),
    *(User(auth.lower(), auth) for auth in AUTH_PROTOCOLS),
    *(User(f"{a.lower()}-{p.lower()}", a, p) for a in AUTH_PROTOCOLS for p in PRIV_PROTOCOLS),
)


class Snmpd:
    """A running snmpd on loopback: UDP and TCP, IPv4 and, where there is one, IPv6, on one port."""

    def __init__(
        self,
        programs: Programs,
        folder: Path,
        *,
        users: Sequence[User] = (),
        directives: str = "",
    ) -> None:
        self._programs = programs
        self._folder = folder
        self.port = free_port()
        self._persistent = folder / "persistent"
        addresses = [f"udp:127.0.0.1:{self.port}", f"tcp:127.0.0.1:{self.port}"]
        if has_ipv6():
            addresses += [f"udp6:[::1]:{self.port}", f"tcp6:[::1]:{self.port}"]
        self._etc = folder / "etc"
        self._etc.mkdir()
        (self._etc / "snmpd.conf").write_text(
            f"agentAddress {','.join(addresses)}\n"
            f"rocommunity {COMMUNITY} default\n"
            f"rocommunity6 {COMMUNITY} default\n"
            "sysName tested\nsysContact Zoë <zoe@example.com>\nsysLocation cellar\nsysServices 72\n"
            + "".join(user.directives() for user in users)
            + directives
        )
        self.program = self.start()

    @property
    def target(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> Program:
        """Start it, again perhaps, and wait until it answers."""
        self._persistent.mkdir(exist_ok=True)
        self.program = self._programs.start(
            "snmpd",
            *("-f", "-Lo", "-r", "-I", "-smux"),
            # Not the flags -C -c, with which it would not read what it remembers either.
            environment={
                "SNMPCONFPATH": f"{self._etc}:{self._persistent}",
                "SNMP_PERSISTENT_DIR": str(self._persistent),
            },
        )
        self.program.until(self._answers, "snmpd answers")
        return self.program

    def _answers(self) -> bool:
        if not _LISTENS.search(self.program.output):
            return False
        flags = ["-v2c", "-c", COMMUNITY, "-t", "1", "-r", "0"]
        return self.tool("snmpget", flags, "1.3.6.1.2.1.1.3.0").returncode == 0

    def tool(
        self, program: str, flags: Sequence[str], *oids: str, target: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run one of net-snmp's tools against this agent."""
        return net_snmp(program, self._folder, flags, target or self.target, *oids)

    def walk(self, flags: Sequence[str], *roots: str, target: str = "") -> dict[str, str]:
        """What net-snmp's own walk says is below *roots*: ``TYPE: value`` by OID."""
        rows: dict[str, str] = {}
        for root in roots:
            rows |= walk(self._folder, flags, target or self.target, root)
        return rows

    def forget(self) -> None:
        """Lose what it remembers over a restart: its engine's id and boots."""
        shutil.rmtree(self._persistent)


def net_snmp(
    program: str, folder: Path, flags: Sequence[str], target: str, *oids: str
) -> subprocess.CompletedProcess[str]:
    """Run one of net-snmp's tools, without MIBs and without anybody's configuration."""
    home = folder / "tools"
    if not home.is_dir():
        (home / "cert_indexes").mkdir(parents=True)  # or else the tools say that they made it
        (home / "snmp.conf").write_text("hexOutputLength 0\n")
    return run(
        program,
        *flags,
        _OUTPUT,
        target,
        *oids,
        environment={"SNMPCONFPATH": str(home), "SNMP_PERSISTENT_DIR": str(home), "MIBS": ""},
    )


def walk(folder: Path, flags: Sequence[str], target: str, root: str) -> dict[str, str]:
    """Walk one subtree with net-snmp's tool: ``TYPE: value`` by OID."""
    program = "snmpwalk" if "-v1" in flags else "snmpbulkwalk"
    result = net_snmp(program, folder, flags, target, root)
    assert result.returncode == 0, result.stderr
    rows = {}
    for line in result.stdout.splitlines():
        oid, equals, value = line.partition(" = ")
        if equals and not value.startswith("No "):
            rows[oid.removeprefix(".")] = value
    return rows
