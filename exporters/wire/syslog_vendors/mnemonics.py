"""Events named with a percent sign: Cisco's and Arista's, Huawei's and H3C's.

Forms::

    %FACILITY[-SUBFACILITY ...]-SEVERITY-MNEMONIC:      Cisco, Arista EOS
    %%01MODULE/SEVERITY/MNEMONIC(type)[number]:         Huawei VRP
    %%10MODULE/SEVERITY/MNEMONIC:                       H3C, HPE and 3Com Comware

Arista's agents write their name before it, as RFC 3164 has it; Cisco's IOS does not, and IOS XR
writes node and process.
"""

from __future__ import annotations

import re
from typing import Final

from exporters.wire.syslog_shape import Shape
from exporters.wire.syslog_vendors.signature import Signature, severity_of_digit, text_of

_CISCO: Final = re.compile(r"%(?P<event>(?P<facility>[\w$-]+)-(?P<severity>[0-7])-[\w-]+)\Z")
_HUAWEI: Final = re.compile(r"%{1,2} ?(?P<form>\d\d)(?P<event>\w+/(?P<severity>\d)/\w+)\Z")
_COMWARE_FORM: Final = "10"
_ARISTA_AGENT: Final = re.compile(r"[A-Z][a-z]\w*(?:-[\w-]+)?\Z")
_CISCO_ALONE: Final = frozenset(("ASA", "FTD", "PIX", "FWSM"))


def recognise(shape: Shape) -> Signature | None:
    """Recognise an event that is named with a percent sign."""
    token = text_of(shape.token)
    if not token.startswith("%"):
        return None
    if match := _HUAWEI.match(token):
        vendor = "h3c" if match["form"] == _COMWARE_FORM else "huawei"
        return Signature(vendor, match["event"], severity_of_digit(match["severity"]))
    match = _CISCO.match(token)
    if match is None:
        return None
    app = text_of(shape.process or shape.app or shape.app_5424)
    is_arista = _ARISTA_AGENT.match(app) and match["facility"] not in _CISCO_ALONE
    return Signature(
        "arista" if is_arista and not shape.process else "cisco",
        match["event"],
        severity_of_digit(match["severity"]),
        "" if app == "-" else app,
    )
