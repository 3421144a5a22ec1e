"""Firewalls and balancers whose messages are lists of values.

Forms::

    date=2019-05-10 time=... logid="0100032002" type="event" ... level="warning" ...   Fortinet
    1,2020/10/11 22:14:15,007200001056,SYSTEM,general,...,informational,"..."         Palo Alto
    ... CheckPoint 12345 - [action:"Accept"; ...]                                     Check Point
    ... [fields@1.3.6.1.4.1.2620 Action="Accept" ...]                                 Check Point
    id=firewall sn=... time="..." fw=... pri=6 c=1024 m=537 ...                       SonicWall
    device_name="SFW" ... log_id="010101600001" ... severity="Information"            Sophos
    notice mcpd[5012]: 01070638:5: ...                                                F5
    09/11/2021:21:13:15 GMT host 0-PPE-0 : default TCP CONN_TERMINATE ...             NetScaler
"""

from __future__ import annotations

import re
from typing import Final

from exporters.wire.syslog_shape import Shape
from exporters.wire.syslog_vendors.signature import (
    Signature,
    severity_of_digit,
    severity_of_word,
    text_of,
)

_LOG_ID: Final = re.compile(r'log_?id="?(\d+)\Z')
_SONICWALL: Final = re.compile(r"pri=(\d) c=\d+ m=(\d+)\Z")
_F5: Final = re.compile(r"([\da-f]{8}):(\d)\Z")
_NETSCALER: Final = re.compile(r"PPE-\d+ : (?:default )?(\w+) (\w+)\Z")
_PALO_ALTO: Final = re.compile(r"([A-Z]\w+),([\w-]+)\Z")
_CHECK_POINT_ACTION: Final = re.compile(r'\[action:"([\w ]+)"')
_CHECK_POINT_ENTERPRISE: Final = "@1.3.6.1.4.1.2620"
_PALO_ALTO_WORDS: Final = {
    "informational": "info", "low": "notice", "medium": "warning", "high": "error",
    "critical": "critical",
}  # fmt: skip
_SOPHOS_DIGITS: Final = 12
"""Of its log ids; those of Fortinet have ten, or five in old releases."""


def recognise(shape: Shape) -> Signature | None:
    """Recognise a firewall's message."""
    if shape.version:
        return _check_point(shape)
    token = text_of(shape.token)
    detail = text_of(shape.detail)
    if match := _LOG_ID.match(token):
        vendor = "sophos" if len(match[1]) >= _SOPHOS_DIGITS else "fortinet"
        return Signature(vendor, match[1], severity_of_word(detail))
    if match := _SONICWALL.match(token):
        return Signature("sonicwall", match[2], severity_of_digit(match[1]))
    if match := _F5.match(token):
        return Signature("f5", match[1], severity_of_digit(match[2]), text_of(shape.app))
    if match := _NETSCALER.match(token):
        return Signature("netscaler", match[2], app=match[1])
    if match := _PALO_ALTO.match(token):
        return Signature("paloalto", f"{match[1]}/{match[2]}", _PALO_ALTO_WORDS.get(detail, ""))
    return None


def _check_point(shape: Shape) -> Signature | None:
    element = text_of(shape.sd_id)
    match = _CHECK_POINT_ACTION.match(element)
    if shape.app_5424 != b"CheckPoint" and _CHECK_POINT_ENTERPRISE not in element:
        return None
    return Signature("checkpoint", match[1] if match else "", app="CheckPoint")
