"""The part of the demo that sends traps: devices whose links go down and come up.

One link has gone down and stays so, another goes down and comes up all the time, and somebody tries
a wrong community. Traps come from the loopback interface and say whose they are, as those of a
relay do.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Final

import yaml

from exporters.demo.children import Child, free_port, start_child
from exporters.demo.pretend_network import PretendDevice
from exporters.wire.ber import encode_integer_content, encode_oid, encode_subids
from exporters.wire.snmp_message import (
    VarBind,
    Version,
    encode_community_message,
    encode_pdu,
    encode_varbinds,
)
from exporters.wire.snmp_trap import SNMP_TRAP_OID, SYS_UP_TIME
from exporters.wire.tags import (
    INTEGER,
    IP_ADDRESS,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    TIME_TICKS,
    TRAP_V2,
)

_HOST: Final = "127.0.0.1"
_WEB_PORT: Final = 9162
_TRAP_PORT: Final = 1162
_TICKS_A_DAY: Final = 8_640_000
_DOWN_SECONDS: Final = 3.0
_UP_SECONDS: Final = 7.0

_TRAPS: Final = encode_oid("1.3.6.1.6.3.1.1.5")
_LINK_DOWN: Final = _TRAPS + b"\x03"
_LINK_UP: Final = _TRAPS + b"\x04"
_AUTHENTICATION_FAILURE: Final = _TRAPS + b"\x05"
_TRAP_ADDRESS: Final = encode_oid("1.3.6.1.6.3.18.1.3.0")
_IF_ENTRY: Final = encode_oid("1.3.6.1.2.1.2.2.1")
_UP, _DOWN = b"\x01", b"\x02"


@dataclass(frozen=True, slots=True)
class TrapExporter:
    """Where the exporter is: its pages, and what receives traps."""

    web: str
    port: int
    child: Child


async def start_trap_exporter(
    stack: AsyncExitStack, folder: Path, devices: Path, scrape_interval: str
) -> TrapExporter:
    """Start the exporter on the loopback interface."""
    port = free_port(_TRAP_PORT, socket.SOCK_DGRAM)
    web = f"{_HOST}:{free_port(_WEB_PORT)}"
    access = {"allowed_networks": [f"{_HOST}/32"], "trusted_relays": [f"{_HOST}/32"]}
    events = {"scrape_interval": scrape_interval}
    config = folder / "trap.yml"
    config.write_text(yaml.safe_dump({"access": access, "events": events}))
    command = [sys.executable, "-m", "exporters", "trap", f"--web.listen-address={web}"]
    command += [f"--trap.listen-address={_HOST}:{port}", "--trap.receive-buffer=65536"]
    command += [f"--config.file={config}", f"--devices.file={devices}"]
    command += [f"--events.state-file={folder}/trap.state", "--log.level=warn"]
    return TrapExporter(web, port, await start_child(stack, "trap exporter", command))


class TrapSender:
    """What the devices say by themselves."""

    def __init__(self, devices: Sequence[PretendDevice], addresses: Sequence[str]) -> None:
        self._addresses = {
            device.name: address for device, address in zip(devices, addresses, strict=True)
        }
        self._core, self._access, self._edge = devices
        self._started_at = monotonic()

    @asynccontextmanager
    async def sending(self, port: int) -> AsyncIterator[None]:
        """Send to a port of the loopback interface meanwhile."""
        # No task group: an error of the caller's would come out of it as a group of errors.
        task = asyncio.create_task(self._send(port))
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _send(self, port: int) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:

            def tell(trap: bytes) -> None:
                line.sendto(trap, (_HOST, port))

            tell(self._link(self._edge, broken_link(self._edge), up=False))
            while True:
                tell(self._link(self._access, changing_link(self._access), up=False))
                tell(self._trap(self._core, _AUTHENTICATION_FAILURE))
                await asyncio.sleep(_DOWN_SECONDS)
                tell(self._link(self._access, changing_link(self._access), up=True))
                await asyncio.sleep(_UP_SECONDS)

    def _link(self, device: PretendDevice, name: str, *, up: bool) -> bytes:
        port = next(port for port in device.ports if port.name == name)
        instance = encode_subids((port.index,))
        return self._trap(
            device,
            _LINK_UP if up else _LINK_DOWN,
            (_IF_ENTRY + b"\x01" + instance, INTEGER, encode_integer_content(port.index)),
            (_IF_ENTRY + b"\x07" + instance, INTEGER, _UP),
            (_IF_ENTRY + b"\x08" + instance, INTEGER, _UP if up else _DOWN),
            (_IF_ENTRY + b"\x02" + instance, OCTET_STRING, name.encode()),
        )

    def _trap(self, device: PretendDevice, oid: bytes, *objects: VarBind) -> bytes:
        """Make a trap of version 2c, which tells the address of its device."""
        ticks = device.uptime_days * _TICKS_A_DAY + int((monotonic() - self._started_at) * 100)
        address = socket.inet_aton(self._addresses[device.name])
        varbinds = encode_varbinds(
            (
                (SYS_UP_TIME, TIME_TICKS, encode_integer_content(ticks)),
                (SNMP_TRAP_OID, OBJECT_IDENTIFIER, oid),
                *objects,
                (_TRAP_ADDRESS, IP_ADDRESS, address),
            )
        )
        pdu = encode_pdu(TRAP_V2, ticks % 2**31, 0, 0, varbinds)
        return encode_community_message(Version.V2C, b"public", pdu)


def broken_link(device: PretendDevice) -> str:
    """Give the interface of a device that has gone down."""
    return next(port.name for port in device.ports if not port.up)


def changing_link(device: PretendDevice) -> str:
    """Give the interface of a device that goes down and comes up."""
    return next(port.name for port in device.ports if port.name.startswith("Uplink"))


def missing(text: str, devices: Sequence[PretendDevice]) -> list[str]:
    """Say what ``/metrics`` does not show: a state is raised, one was cleared, a trap was seen."""
    core, access, edge = devices
    lines = set(text.splitlines())

    def state(device: PretendDevice, link: str) -> str:
        return f'network_event_active{{device="{device.name}",event="link",instance="{link}"}}'

    seen = "snmp_trap_last_seen_timestamp_seconds"
    failure = f'{seen}{{device="{core.name}",trap="authenticationFailure"}} '
    shown = {
        f"{broken_link(edge)} of {edge.name} is down": f"{state(edge, broken_link(edge))} 1"
        in lines,
        f"{changing_link(access)} of {access.name} is up again": (
            f"{state(access, changing_link(access))} 0" in lines
        ),
        f"{core.name} was asked with a wrong community": failure in text,
    }
    return [what for what, is_so in shown.items() if not is_so]
