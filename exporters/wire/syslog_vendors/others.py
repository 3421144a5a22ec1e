"""Access switches, wireless, servers, hypervisors: one small form each.

Forms::

    ... CISE_Failed_Attempts 0000012 1 0 DATE TIME ZONE 0001 5400 NOTICE ...     Cisco ISE
    1 1563249630.774247467 HOST events type=vpn_connectivity_change ...          Cisco Meraki
    1 1563249630.774247467 HOST events port 3 status changed from 1Gfdx to down  the same
    system,info,account user admin logged in ...                                 MikroTik
    stm[3459]: <501065> <ERRS> ...                                               Aruba
    intfd 1633 - [...] Event|404|LOG_INFO|AMM|1/1|Link status ...                Aruba CX
    HOST 00076 ports: ...                                                        ProCurve
    ("U7PG2,788a20aabbcc,v4.0.21.9965") hostapd: ...                             UniFi
    HOST  IP6[015]: ...                                                          NEC IX
    HOST port02 2018-Nov- 9 15:42:06.972 SIGNAL: ...                             Opengear
    orchagent - - -  :- setHostTxReady: ...                                      SONiC
    vobd:  [netCorrelator] 12us: [esx.problem.net.vmnic.linkstate.down] ...      VMware
    sshd[812]: ...                                                               Linux
"""

from __future__ import annotations

import re
from typing import Final

from exporters.wire.syslog_shape import Shape
from exporters.wire.syslog_vendors.signature import Signature, severity_of_word, text_of

_MERAKI: Final = re.compile(
    r"(?:(?:airmarshal_)?events type=(?P<type>\w+)|security_event (?P<event>\w+)"
    r"|(?P<log>flows|ip_flow_start|ip_flow_end|urls|firewall|vpn_firewall|ids-alerts)(?: \w+)?)\Z"
)
_ARUBA: Final = re.compile(r"(?:<(?=\d{6}>)|Event\|)(\d+)(?:> <|\|LOG_)(\w+)>?\Z")
_PROCURVE: Final = re.compile(r"(\d{5}) ([a-z][\w-]*)\Z")
_NEC: Final = re.compile(r"([A-Z\d]{2,5})\[(\d{3})\]\Z")
_SONIC: Final = re.compile(r":- (\w+)\Z")
_VMWARE_EVENT: Final = re.compile(r"(?:esx|vprob|vob)\.[\w.]+\Z")
_VMWARE_APPS: Final = frozenset(
    b"Hostd Vpxa Rhttpproxy Fdm vmkernel vmkwarning vobd vpxd hostd vpxa hostd-probe esxupdate"
    b" vsanmgmtd vmauthd storageRM VMware".split()
)
_LINUX_APPS: Final = frozenset(
    b"sshd kernel systemd systemd-logind systemd-networkd systemd-resolved systemd-timesyncd"
    b" sudo su CRON cron crond anacron login dbus-daemon NetworkManager rsyslogd auditd audit"
    b" chronyd ntpd dhclient useradd usermod groupadd passwd postfix/smtpd postfix/qmgr"
    b" postfix/cleanup snmpd smartd mdadm multipathd iptables ufw pam_unix polkitd agetty"
    b" logger keepalived wpa_supplicant dockerd containerd kubelet firewalld named dnsmasq"
    b" irqbalance lvm".split()
)
_TOPICS: Final = frozenset(
    b"info critical warning error debug account async backup bfd bgp bridge calc caps"
    b" certificate clock container ddns dhcp disk dns dot1x dude e-mail event evpn firewall gps"
    b" gsm health hotspot igmp-proxy interface ipsec iscsi isdn isis kidcontrol kvm l2tp lora"
    b" ldp lte manager mme mpls mqtt natpmp netinstall netwatch ntp ospf ovpn packet pim"
    b" poe-out ppp pppoe pptp ptp queue radius radvd raw read rip route rpki rsvp script sertcp"
    b" simulator smb snmp socksify ssh sstp state store stp supout sms system telephony test"
    b" tftp timer tr069 transfer ups upnp vpls vrrp watchdog web-proxy wireguard wireless write"
    b" zerotier".split()
)


def recognise(shape: Shape) -> Signature | None:
    """Recognise what the larger families have not."""
    token = text_of(shape.token)
    app = text_of(shape.app_5424 or shape.app)
    if shape.placed:
        return Signature("unifi", app=app)
    if app:
        return _with_app(token, app, shape)
    if token.startswith("CISE_"):
        code, _, word = text_of(shape.detail).partition(" ")
        return Signature("cisco", code, severity_of_word(word), token)
    if match := _PROCURVE.match(token):
        return Signature("procurve", match[1], app=match[2])
    if match := _NEC.match(token):
        return Signature("nec", f"{match[1]}.{match[2]}", app=match[1])
    if token.startswith("port") and shape.detail:
        return Signature("opengear", text_of(shape.detail))
    if token.startswith("events port"):
        return Signature("cisco", "port_status", app="meraki")
    if match := _MERAKI.match(token):
        return Signature("cisco", match["type"] or match["event"] or match["log"], app="meraki")
    return _mikrotik(shape)


def _with_app(token: str, app: str, shape: Shape) -> Signature | None:
    if match := _ARUBA.match(token):
        return Signature("aruba", match[1], severity_of_word(match[2]), app)
    if match := _SONIC.match(token):
        return Signature("sonic", match[1], app=app)
    name = shape.app_5424 or shape.app
    if name in _VMWARE_APPS:
        if _VMWARE_EVENT.match(token):
            return Signature("vmware", token, app=app)
        if name != b"vmkernel" or not shape.version:
            return Signature("vmware", "", severity_of_word(token), app)
    if name in _LINUX_APPS:
        return Signature("linux", app=app)
    return None


def _mikrotik(shape: Shape) -> Signature | None:
    topics = shape.token.split(b",")
    if len(topics) < 2 or not _TOPICS.issuperset(topic.lstrip(b"!") for topic in topics):
        return None
    words = (severity_of_word(text_of(topic)) for topic in topics)
    return Signature("mikrotik", "", next(filter(None, words), ""), text_of(topics[0]))
