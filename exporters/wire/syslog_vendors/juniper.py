"""Junos: events named in capitals, behind a daemon's name or as MSGID.

Forms::

    rpd[2902]: RPD_BGP_NEIGHBOR_STATE_CHANGED: ...
    <165>1 DATE HOST mgd 3046 UI_COMMIT [junos@2636.1.1.1.2.18 ...] ...
    /kernel: ...                                        without a name
    fpc0 ...                                            a line card
"""

from __future__ import annotations

import re
from typing import Final

from exporters.wire.syslog_shape import Shape
from exporters.wire.syslog_vendors.signature import Signature, text_of

_EVENT: Final = re.compile(rb"[A-Z][A-Z\d]*(?:_[A-Z\d]+)+\Z")
_ENTERPRISE: Final = b"@2636"
_DAEMONS: Final = frozenset(
    b"/kernel alarmd aamwd authd bbe-smgd bfdd cfmd chassisd clksyncd cosd craftd dcd dfwd dfcd"
    b" dot1xd eswd eventd ifinfo ifstraced ilmid inetd-jnpr jdhcpd jdiameterd jddosd"
    b" jpppd jsrpd kmd l2ald l2cpd lacpd license-check lfmd lldpd mcsnoopd mgd mgd-api mib2d"
    b" mplsoamd mspd nsd nstraced pfed pfex pgcpd pkid ppmd rdd relayd rmopd rpd rtlogd sdxd"
    b" sflowd smihelperd spd subinfo tnetd utmd vccpd vrrpd wwand xntpd-jnpr RT_FLOW RT_IDP RT_UTM"
    b" RT_AAMW RT_SCREEN RT_IDS".split()
)
_CARD: Final = re.compile(rb"fpc\d{1,3}\Z")
_PREFIXES: Final = frozenset(
    b"AAMW ACCT ALARMD ANALYZER APPIDD AUTHD BFDD BOOTPD CFMD CHASSISD CONTENT COSD DCD DDOS DFWD"
    b" DHCPD DOT1XD ESWD EVENTD EVENT FIPS FLOW GGSN HTTPD IDP IFP JADE JDIAMETERD JSRPD JTASK KMD"
    b" L2ALD L2CPD LACPD LACP LFMD LIBJNX LIBJSNMP LICENSE LLDPD LOGIN LPDFD LSYSD MIB2D MPLS NSD"
    b" NTPDATE PFE PFED PING PKID PPMD PPPD RDD RMOPD RPD RT RTPERF SAVAL SMTPD SNMP SNMPD SPD"
    b" SSHD SYSTEM TFTPD UI UTMD VCCPD VRRPD WEB WEBFILTER XNTPD".split()
)
"""What the names of events begin with, up to their first underscore."""


def recognise(shape: Shape) -> Signature | None:
    """Recognise an event of Junos, or a daemon or card that nobody else has."""
    if shape.token.startswith(b"Event|"):
        return None  # Aruba CX, which has daemons of the same names
    if _CARD.match(shape.token) and not shape.app:
        return Signature("juniper", app=text_of(shape.token))
    if shape.version:
        is_junos = _ENTERPRISE in shape.sd_id or shape.app_5424 in _DAEMONS
        name, app = shape.message_id, shape.app_5424
    else:
        is_junos = shape.app in _DAEMONS
        name, app = shape.token, shape.app
    is_named = _EVENT.match(name) is not None
    if not is_junos and not (is_named and app and name.partition(b"_")[0] in _PREFIXES):
        return None
    return Signature("juniper", text_of(name) if is_named else "", app=text_of(app))
