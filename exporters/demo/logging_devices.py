"""The part of the demo that logs: devices of three vendors, each in its vendor's words.

Messages come from the loopback interface and name their devices, as those of a relay do.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from typing import Final

from exporters.demo.event_exporters import Line
from exporters.demo.link import Link
from exporters.demo.pretend_network import PretendDevice
from exporters.demo.syslog_corpus import FORMS, Form, SyslogCorpus

_CISCO_LINK: Final = next(form for form in FORMS if form.event == "LINK-3-UPDOWN")
_JUNIPER_LINK_DOWN: Final = Form(
    "juniper", "SNMP_TRAP_LINK_DOWN", 4, 1,
    "<28>{bsd} {host} mib2d[{pid}]: SNMP_TRAP_LINK_DOWN: ifIndex {d}, ifAdminStatus up(1),"
    " ifOperStatus down(2), ifName {port}",
)  # fmt: skip
_JUNIPER_BGP_DOWN: Final = next(
    form for form in FORMS if form.event == "RPD_BGP_NEIGHBOR_STATE_CHANGED"
)
_HUAWEI_LOGIN_FAILED: Final = Form(
    "huawei", "SSH/4/SSH_FAIL", 4, 1,
    "<188>{bsd} {year} {host} %%01SSH/4/SSH_FAIL(l)[{pid}]:Failed to log in. (UserName={user},"
    " UserAddress={ip})",
)  # fmt: skip
_BGP_PEER: Final = "198.51.100.7"


class LogSender:
    """The devices, as far as they log."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._corpus = SyslogCorpus(now=lambda: datetime.now(UTC))
        self._numbers: dict[str, Iterator[int]] = defaultdict(lambda: count(1))

    def link_changed(self, link: Link) -> None:
        """Log a link, and the BGP session that a broken one takes with it."""
        known = {"host": link.device.name, "port": link.port.name}
        if link.device.role == "edge":
            self._log(_JUNIPER_LINK_DOWN, **known, d=link.port.index)
            self._log(_JUNIPER_BGP_DOWN, **known, ip=_BGP_PEER)
        else:
            updown = "up" if link.up else "down"
            number = next(self._numbers[link.device.name])
            self._log(_CISCO_LINK, **known, updown=updown, n=number)

    def intruder_refused(self, device: PretendDevice) -> None:
        """Log a login that failed."""
        self._log(_HUAWEI_LOGIN_FAILED, host=device.name)

    def _log(self, form: Form, **known: object) -> None:
        self._line.send(self._corpus.fill(form, **known))


def missing(text: str, core: PretendDevice) -> list[str]:
    """Say what ``/metrics`` does not show: that a login has failed."""
    seen = "network_event_last_seen_timestamp_seconds"
    failure = f'{seen}{{device="{core.name}",event="auth"}} '
    return [] if failure in text else [f"a login to {core.name} has failed"]
