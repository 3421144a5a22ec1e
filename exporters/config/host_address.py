"""Hosts as configuration files name them: an IP address or a host name, in one spelling each."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated

from pydantic import AfterValidator

from exporters.config.fields import Text
from exporters.config.rejection import Rejected, quote

_HOST_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)\Z")
_MOST_CHARACTERS = 253


def normalize_ip(text: str) -> str | None:
    """Give the one spelling of an IP address, IPv4 where it is IPv4 in IPv6; ``None``: no IP."""
    try:
        ip = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    return str(ip)


def _host_address(text: str) -> str:
    """Check an address and give its one spelling: IPs normalised, names in lower case."""
    if ip := normalize_ip(text):
        return ip
    labels = text.removesuffix(".").split(".")
    if (
        len(text) > _MOST_CHARACTERS
        or labels[-1].isdigit()
        or not all(_HOST_LABEL.match(label) for label in labels)
    ):
        hint = "write it as 192.0.2.1, 2001:db8::1 or switch.example, without port or prefix"
        raise Rejected(f"{quote(text)} is neither an IP address nor a host name", hint)
    return text.lower()


HostAddress = Annotated[Text, AfterValidator(_host_address)]
"""An IP address or a host name, without port."""
