"""Record conversations between net-snmp's tools and net-snmp's agent, for the tests of the codec.

    python tests/packets/snmp/capture.py [NAME...]

starts snmpd on the loopback with a configuration of its own, runs each client below through a
recording UDP relay and writes one ``NAME.hex`` beside this file. Run it to add a conversation (give
its name) or to record all anew with another net-snmp; the recordings are what the tests read, so
they need neither this script nor net-snmp. Needs the Debian packages snmpd and snmp.

Format of a recording: ``#`` starts a comment; a line with ``>`` alone starts a packet from client
to agent, ``<`` one from agent to client; the lines below it are its bytes in hex.
"""

from __future__ import annotations

import os
import select
import shlex
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
ENGINE_ID = "80001f880477697265"
ZEROS_ENGINE_ID = "8000000004" + "00" * 24  # more zeros in a row than the digest of MD5 or SHA has
AUTH_PASSWORD = "correct horse battery"
PRIV_PASSWORD = "staple the packets"
AUTH = {
    "md5": "MD5",
    "sha": "SHA",
    "sha224": "SHA-224",
    "sha256": "SHA-256",
    "sha384": "SHA-384",
    "sha512": "SHA-512",
}
PRIV = {
    "des": "DES",
    "aes": "AES",
    "aes192": "AES-192",
    "aes256": "AES-256",
    "aes192c": "AES-192-C",
    "aes256c": "AES-256-C",
}
USERS = (
    ["plain"]
    + list(AUTH)
    + [f"{auth}_{priv}" for auth in ("md5", "sha", "sha256", "sha512") for priv in PRIV]
)
TEST = "1.3.6.1.4.1.8072.9999.9999"  # netSnmpPlaypen
TYPES = f"""
override {TEST}.1.0 integer -2147483648
override {TEST}.2.0 octet_str "text"
override {TEST}.3.0 object_id 1.3.6.1.4.1.4294967295
override {TEST}.5.0 counter 4294967295
override {TEST}.6.0 uinteger 4000000000
override {TEST}.7.0 timeticks 4294967295
override {TEST}.9.0 octet_str "{"0123456789" * 90}"
"""
COUNTER64 = "1.3.6.1.2.1.31.1.1.1.6.1"  # ifHCInOctets of the loopback
IP_ADDRESS = "1.3.6.1.2.1.4.20.1.1.127.0.0.1"  # ipAdEntAddr
SCALARS = " ".join(f"{TEST}.{n}.0" for n in (1, 2, 3, 5, 6, 7)) + f" {COUNTER64} {IP_ADDRESS}"
DESCRIPTION = "1.3.6.1.2.1.1.1.0"
TABLE = "1.3.6.1.2.1.1.9.1.2 1.3.6.1.2.1.1.9.1.3 1.3.6.1.2.1.1.9.1.4"  # sysORTable

V1, V2C = "-v1 -c public", "-v2c -c public"
AGENT = "{agent}"


def v3(user: str, level: str = "", options: str = "") -> str:
    """Options of a client that is the given user, at the highest level the user has."""
    auth, _, priv = user.partition("_")
    words = [f"-v3 -u {user}"]
    if auth in AUTH:
        words.append(f"-a {AUTH[auth]} -A '{AUTH_PASSWORD}'")
    if priv:
        words.append(f"-x {PRIV[priv]} -X '{PRIV_PASSWORD}'")
    best = "authPriv" if priv else "authNoPriv" if auth in AUTH else "noAuthNoPriv"
    return " ".join([*words, f"-l {level or best}", options]).strip()


CONVERSATIONS = {
    "v1_get": f"snmpget {V1} {AGENT} {DESCRIPTION} {TEST}.1.0 {IP_ADDRESS}",
    "v1_getnext": f"snmpgetnext {V1} {AGENT} 1.3.6.1.2.1.1",
    "v1_no_such_name": f"snmpget -Cf {V1} {AGENT} {DESCRIPTION} 1.3.6.1.2.1.1.99.0",
    "v1_set_refused": f"snmpset {V1} {AGENT} {DESCRIPTION} s x",
    "v2c_types": f"snmpget {V2C} {AGENT} {SCALARS}",
    "v2c_opaque_float": f"snmpget {V2C} {AGENT} 1.3.6.1.4.1.2021.10.1.6.1",
    "v2c_long_string": f"snmpget {V2C} {AGENT} {TEST}.9.0",
    "v2c_table": f"snmpbulkget -Cr12 {V2C} {AGENT} {TABLE}",
    "v2c_exceptions": f"snmpget {V2C} {AGENT} 1.3.6.1.2.1.1.99.0 1.3.6.1.2.1.1.1.1",
    "v2c_end_of_mib": f"snmpbulkget -Cr2 {V2C} {AGENT} 1.3.6.1.9",
    "v2c_set_refused": f"snmpset {V2C} {AGENT} {TEST}.1.0 i 1",
    "v1_trap": f"snmptrap {V1} {AGENT} 1.3.6.1.4.1.8072.4 192.0.2.7 6 2 12345 {TEST}.2.0 s down",
    "v2c_trap": f"snmptrap {V2C} {AGENT} 12345 1.3.6.1.6.3.1.1.5.3 1.3.6.1.2.1.2.2.1.1.7 i 7",
    "v2c_inform": f"snmpinform -r0 -t0.2 {V2C} {AGENT} 12345 1.3.6.1.6.3.1.1.5.4 {TEST}.2.0 s up",
    "v3_trap": (
        f"snmptrap -e {ENGINE_ID} {v3('sha_aes')} {AGENT} 12345 1.3.6.1.6.3.1.1.5.3 "
        "1.3.6.1.2.1.2.2.1.1.7 i 7"
    ),
    "v3_table": f"snmpbulkget -Cr8 {v3('sha256_aes256')} {AGENT} {TABLE}",
    "v3_context": f"snmpget {v3('sha_aes', options='-n no-such-context')} {AGENT} {DESCRIPTION}",
    "v3_report_unknown_user": f"snmpget {v3('nobody')} {AGENT} {DESCRIPTION}",
    "v3_report_wrong_digest": (
        f"snmpget -v3 -u sha -l authNoPriv -a SHA -A 'not the password' {AGENT} {DESCRIPTION}"
    ),
    "v3_report_unsupported_level": (
        f"snmpget -v3 -u sha -l authPriv -a SHA -A '{AUTH_PASSWORD}' -x AES -X '{PRIV_PASSWORD}' "
        f"{AGENT} {DESCRIPTION}"
    ),
    "v3_report_time_window": f"snmpget {v3('sha', options='-Z 99,5')} {AGENT} {DESCRIPTION}",
    "v3_wrong_privacy_password": (
        f"snmpget -v3 -u sha_des -l authPriv -a SHA -A '{AUTH_PASSWORD}' -x DES "
        f"-X 'not the password' {AGENT} {DESCRIPTION}"
    ),
    **{f"v3_{user}": f"snmpget {v3(user)} {AGENT} {DESCRIPTION} {COUNTER64}" for user in USERS},
}
# One user's discovery of the engine is like another's: keep those of the conversations above.
DISCOVERY = {f"v3_{user}": 2 for user in USERS if user != "plain"}
ZEROS_CONVERSATIONS = {
    f"v3_zeros_{user}": f"snmpget {v3(user)} {AGENT} {DESCRIPTION}" for user in ("md5", "sha_aes")
}


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def agent_config(port: int, engine_id: str) -> str:
    lines = [
        f"agentaddress udp:127.0.0.1:{port}",
        f"exactEngineID 0x{engine_id}",
        "sysDescr A pretend switch",
        "rocommunity public 127.0.0.1",
        "rouser plain noauth",
        TYPES,
    ]
    for user in USERS:
        auth, _, priv = user.partition("_")
        words = ["createUser", user]
        if auth in AUTH:
            words += [AUTH[auth], f'"{AUTH_PASSWORD}"']
        if priv:
            words += [PRIV[priv], f'"{PRIV_PASSWORD}"']
        lines.append(" ".join(words))
        if user != "plain":
            lines.append(f"rouser {user} {'priv' if priv else 'auth'}")
    return "\n".join(lines) + "\n"


@contextmanager
def running_agent(engine_id: str) -> Iterator[int]:
    """Run snmpd and give its port."""
    with tempfile.TemporaryDirectory() as directory:
        port = free_port()
        config = Path(directory, "snmpd.conf")
        config.write_text(agent_config(port, engine_id))
        with subprocess.Popen(
            ["/usr/sbin/snmpd", "-f", "-Le", "-C", "-c", str(config), "-I", "-smux"],
            env={**os.environ, "SNMP_PERSISTENT_DIR": directory, "MIBS": ""},
            stderr=subprocess.PIPE,
            text=True,
        ) as agent:
            assert agent.stderr is not None
            for line in agent.stderr:
                if "NET-SNMP version" in line:
                    break
                print("snmpd:", line, end="")
            try:
                yield port
            finally:
                agent.terminate()


def converse(command: str, agent_port: int) -> list[tuple[str, bytes]]:
    """Run a client against the agent and give what passed between them."""
    packets: list[tuple[str, bytes]] = []
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as front,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as back,
        tempfile.TemporaryDirectory() as directory,
    ):
        front.bind(("127.0.0.1", 0))
        back.connect(("127.0.0.1", agent_port))
        words = shlex.split(command.format(agent=f"127.0.0.1:{front.getsockname()[1]}"))
        environment = {
            **os.environ,
            "SNMP_PERSISTENT_DIR": directory,
            "SNMPCONFPATH": directory,
            "MIBS": "",
        }
        if words[0] not in ("snmptrap", "snmpinform"):
            words[1:1] = ["-r0", "-t1"]
        client: tuple[str, int] | None = None
        deadline = time.monotonic() + 10
        with subprocess.Popen(
            words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            while time.monotonic() < deadline:
                ready, _, _ = select.select([front, back], [], [], 0.1)
                if not ready and process.poll() is not None:
                    break
                if front in ready:
                    data, client = front.recvfrom(65535)
                    packets.append((">", data))
                    if words[0] not in ("snmptrap", "snmpinform"):
                        back.send(data)
                if back in ready and client is not None:
                    data = back.recv(65535)
                    packets.append(("<", data))
                    front.sendto(data, client)
    return packets


def write(name: str, command: str, packets: list[tuple[str, bytes]], version: str) -> None:
    lines = [f"# {version}: {command.format(agent='AGENT').strip()}"[:400]]
    for direction, data in packets:
        lines.append(direction)
        lines.extend(data[at : at + 32].hex() for at in range(0, len(data), 32))
    (HERE / f"{name}.hex").write_text("\n".join(lines) + "\n")
    print(name, [(direction, len(data)) for direction, data in packets])


def main(names: list[str]) -> None:
    told = subprocess.run(["snmpget", "-V"], capture_output=True, text=True, check=True).stderr
    version = told.strip().replace("NET-SNMP version:", "net-snmp").replace("  ", " ")
    for engine_id, conversations in (
        (ENGINE_ID, CONVERSATIONS),
        (ZEROS_ENGINE_ID, ZEROS_CONVERSATIONS),
    ):
        wanted = {name: text for name, text in conversations.items() if name in names or not names}
        if wanted:
            with running_agent(engine_id) as port:
                for name, command in wanted.items():
                    packets = converse(command, port)
                    write(name, command, packets[DISCOVERY.get(name, 0) :], version)


if __name__ == "__main__":
    main(sys.argv[1:])
