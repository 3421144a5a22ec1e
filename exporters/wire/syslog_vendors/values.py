r"""What vendors' messages list: pairs of names and values, columns, parts of a mnemonic.

Forms::

    name=value name="a \"quoted\" value"        Fortinet, SonicWall, Sophos, Meraki
    Name=value, Name=value,                      Cisco ISE
    Name: value, Name: value                     Cisco FTD
    name:"value"; name:"value"                   Check Point
    (Name=value, Name=value) CID=0x80;           Huawei
    -Name=value-Name=value; text                 H3C
    a,b,"with, a comma",c                        Palo Alto: columns, by the type in the fourth
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Final

_MOST: Final = 256
"""Values of one message; the longest real ones have half of that."""

_PAIRS: Final = re.compile(
    r"""(?<![\w.-])([A-Za-z_][\w.-]*)=(?:"((?:[^"\\]|\\.)*+)"|'([^']*+)'|([^\s,;"')]*+))"""
)
_LISTED_PAIRS: Final = re.compile(r"(?:(?<=,)|\A)([^=,]*+)=([^,]*+)")
_COLON_PAIRS: Final = re.compile(r"(?<![^\s,])([A-Za-z]\w*+): ([^,]*+)(?:,|\Z)")
_QUOTED_PAIRS: Final = re.compile(r'(?<![\w.-])([\w.-]++):"((?:[^"\\]|\\.)*+)"')
_DASHED_PAIRS: Final = re.compile(r"-([A-Za-z]\w*+)=([^;=]*?)(?=-[A-Za-z]\w*=|;|\Z)")
_HUAWEI: Final = re.compile(r"%{1,2} ?\d\d(\w+)/\d/(\w+)(?:\((\w)\))?(?:\[(\d+)\])?")
_ESCAPE: Final = re.compile(r'\\(["\\])')

_PALO_ALTO_HEAD: Final = ("", "receive_time", "serial", "type", "subtype", "", "time_generated")
_PALO_ALTO_FLOW: Final = (
    "src", "dst", "natsrc", "natdst", "rule", "srcuser", "dstuser", "app", "vsys", "from", "to",
    "inbound_if", "outbound_if", "logset", "", "sessionid", "repeatcnt", "sport", "dport",
    "natsport", "natdport", "flags", "proto", "action",
)  # fmt: skip
_PALO_ALTO_COLUMNS: Final = {
    "SYSTEM": ("vsys", "eventid", "object", "", "", "module", "severity", "opaque"),
    "CONFIG": ("host", "vsys", "cmd", "admin", "client", "result", "path"),
    "TRAFFIC": _PALO_ALTO_FLOW,
    "THREAT": (*_PALO_ALTO_FLOW, "misc", "threatid", "category", "severity", "direction"),
}


def read_values(vendor: str, event: str, text: str) -> Mapping[str, str]:
    """Read what a message of a vendor lists; of a name that occurs twice, the first."""
    reader = _READERS.get("cisco " + event.partition("-")[0] if vendor == "cisco" else vendor)
    if reader is None and vendor == "cisco" and event.isdigit():
        reader = _listed_pairs
    if reader is None and vendor == "cisco" and "-" not in event:
        reader = _pairs
    return {} if reader is None else reader(text)


def own_hostname(vendor: str, values: Mapping[str, str]) -> str:
    """Give the host of a message whose header has none but whose values tell."""
    name = _HOSTNAMES.get(vendor)
    return values.get(name, "") if name else ""


def own_stamp(vendor: str, values: Mapping[str, str]) -> str:
    """Give the time stamp that stands among the values; empty where none does."""
    names = _STAMPS.get(vendor, ())
    return " ".join(values[name] for name in names if name in values)


_HOSTNAMES: Final = {"fortinet": "devname", "sophos": "device_name"}
_STAMPS: Final[Mapping[str, Sequence[str]]] = {
    "fortinet": ("date", "time", "tz"),
    "sophos": ("timestamp",),
    "sonicwall": ("time",),
}


def _pairs(text: str) -> dict[str, str]:
    values: dict[str, str] = {}
    for match in islice(_PAIRS.finditer(text), _MOST):
        name, quoted, single, plain = match.groups()
        value = _ESCAPE.sub(r"\1", quoted) if quoted is not None else single or plain or ""
        values.setdefault(name, value)
    return values


def _simple_pairs(pattern: re.Pattern[str]) -> Callable[[str], dict[str, str]]:
    def read(text: str) -> dict[str, str]:
        values: dict[str, str] = {}
        for name, value in islice(pattern.findall(text), _MOST):
            values.setdefault(name.strip(), value.strip())
        return values

    return read


_listed_pairs: Final = _simple_pairs(_LISTED_PAIRS)


def _huawei(text: str) -> dict[str, str]:
    values: dict[str, str] = {}
    if match := _HUAWEI.match(text):
        parts = zip(("module", "mnemonic", "type", "number"), match.groups(), strict=True)
        values = {name: value for name, value in parts if value}
    return values | _pairs(text)


def _comware(text: str) -> dict[str, str]:
    return {**_huawei(text), **_simple_pairs(_DASHED_PAIRS)(text)}


def _palo_alto(text: str) -> dict[str, str]:
    line = text.partition("\n")[0].replace("\r", " ").replace("\0", "")
    try:
        columns = next(csv.reader([line]), [])
    except csv.Error:  # a column longer than any real one
        columns = line.split(",", _MOST)
    kind = columns[3] if len(columns) > 3 else ""
    names = (*_PALO_ALTO_HEAD, *_PALO_ALTO_COLUMNS.get(kind, ()))
    return {name: value for name, value in zip(names, columns, strict=False) if name and value}


def _mikrotik(text: str) -> dict[str, str]:
    return {"topics": text.partition(" ")[0]}


_READERS: Final[Mapping[str, Callable[[str], Mapping[str, str]]]] = {
    "fortinet": _pairs,
    "sonicwall": _pairs,
    "sophos": _pairs,
    "huawei": _huawei,
    "h3c": _comware,
    "checkpoint": _simple_pairs(_QUOTED_PAIRS),
    "paloalto": _palo_alto,
    "mikrotik": _mikrotik,
    "cisco FTD": _simple_pairs(_COLON_PAIRS),
}
