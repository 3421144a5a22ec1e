"""The metrics of a probe: exactly blackbox_exporter's, and ours where several pings were asked for.

Source: blackbox_exporter's handler and ICMP prober, whose names and order are kept.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Final

from exporters.icmp.probe import ProbeResult
from exporters.icmp.query import ProbeQuery
from exporters.metrics.negotiation import TextFormat
from exporters.metrics.text import FamilyType, family_header, format_value
from exporters.sockets.host_resolution import IpAddress

_FNV_OFFSET: Final = 0x811C9DC5
_FNV_PRIME: Final = 0x01000193

HELP: Final = {
    "probe_dns_lookup_time_seconds": "Time that resolving the target took.",
    "probe_duration_seconds": "Time that the whole probe took.",
    "probe_icmp_duration_seconds": "Time that each phase of the probe took; rtt is 0 without a "
    "reply, and the mean of several.",
    "probe_icmp_loss_ratio": "Share of the echo requests that stayed without a reply, 0 to 1.",
    "probe_icmp_replies": "Replies that came.",
    "probe_icmp_reply_hop_limit": "TTL or hop limit that the last reply came with.",
    "probe_icmp_requests": "Echo requests that were sent.",
    "probe_icmp_rtt_avg_seconds": "Mean round-trip time.",
    "probe_icmp_rtt_max_seconds": "Longest round-trip time.",
    "probe_icmp_rtt_min_seconds": "Shortest round-trip time.",
    "probe_icmp_rtt_stddev_seconds": "Standard deviation of the round-trip times.",
    "probe_ip_addr_hash": "Hash of the target's address; it changes when the address does.",
    "probe_ip_protocol": "4 or 6; 0 if the target did not resolve.",
    "probe_success": "Whether a reply came.",
    "probe_timeout_seconds": "Time that the probe was allowed to take.",
}


def probe_text(query: ProbeQuery, result: ProbeResult) -> str:
    """Write the metrics of a probe, sorted by name."""
    samples = list(_samples(query, result))
    if query.statistics:
        samples += _statistics(query, result)
    lines = []
    told = ""
    for name, labels, value in sorted(samples):
        if name != told:
            told = name
            lines.append(family_header(name, FamilyType.GAUGE, HELP[name], TextFormat.PROMETHEUS))
        lines.append(f"{name}{labels} {format_value(value)}\n")
    return "".join(lines)


def address_hash(ip: IpAddress) -> int:
    """Give FNV-1a, of 32 bits, of the address' 4 or 16 bytes."""
    value = _FNV_OFFSET
    for octet in ip.packed:
        value = ((value ^ octet) * _FNV_PRIME) & 0xFFFFFFFF
    return value


Sample = tuple[str, str, float]


def _samples(query: ProbeQuery, result: ProbeResult) -> Iterator[Sample]:
    resolved = result.ip is not None
    phases = {
        "resolve": result.lookup_seconds if resolved else 0,
        "setup": result.setup_seconds,
        "rtt": _mean(result.rtts) if result.rtts else 0,
    }
    yield "probe_success", "", int(result.success)
    yield "probe_duration_seconds", "", result.duration_seconds
    yield "probe_timeout_seconds", "", query.timeout_seconds
    yield "probe_dns_lookup_time_seconds", "", result.lookup_seconds
    yield "probe_ip_protocol", "", 0 if result.ip is None else result.ip.version
    yield "probe_ip_addr_hash", "", 0 if result.ip is None else address_hash(result.ip)
    for phase, seconds in phases.items():
        yield "probe_icmp_duration_seconds", f'{{phase="{phase}"}}', seconds
    if result.hop_limit is not None:
        yield "probe_icmp_reply_hop_limit", "", result.hop_limit


def _statistics(query: ProbeQuery, result: ProbeResult) -> Iterable[Sample]:
    """What several pings tell; a request that could not be sent is lost too."""
    rtts = result.rtts
    yield "probe_icmp_requests", "", result.sent
    yield "probe_icmp_replies", "", len(rtts)
    yield "probe_icmp_loss_ratio", "", 1 - len(rtts) / query.count
    if rtts:
        mean = _mean(rtts)
        yield "probe_icmp_rtt_min_seconds", "", min(rtts)
        yield "probe_icmp_rtt_avg_seconds", "", mean
        yield "probe_icmp_rtt_max_seconds", "", max(rtts)
        deviation = math.sqrt(math.fsum((rtt - mean) ** 2 for rtt in rtts) / len(rtts))
        yield "probe_icmp_rtt_stddev_seconds", "", deviation


def _mean(values: list[float]) -> float:
    return math.fsum(values) / len(values)
