"""``/metrics`` of paths and path MTUs, for the targets whose groups want them.

Hops are told by their place on the path, never by address: addresses change with every reroute, and
stand on the target's page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from exporters.icmp.path import PathTracker
from exporters.icmp.pmtu_prober import PmtuState
from exporters.icmp.surveys import Surveys
from exporters.icmp.target import Target
from exporters.metrics.negotiation import TextFormat
from exporters.metrics.text import FamilyType, escape_label_value, family_header


class _Family(NamedTuple):
    """A family of metrics."""

    name: str
    kind: FamilyType
    help: str


_HOPS: Final = _Family(
    "icmp_path_hops", FamilyType.GAUGE, "Hops to the target, or to the last that answers."
)
_COMPLETE: Final = _Family(
    "icmp_path_complete", FamilyType.GAUGE, "Whether the path is known to its end."
)
_INFO: Final = _Family(
    "icmp_path_info", FamilyType.GAUGE, "Always 1; the hash is another when the path is."
)
_CHANGES: Final = _Family(
    "icmp_path_changes_total", FamilyType.COUNTER, "How often the path became another."
)
_CHANGED: Final = _Family(
    "icmp_path_last_change_timestamp_seconds",
    FamilyType.GAUGE,
    "When the path became another for the last time.",
)
_PROBES: Final = _Family(
    "icmp_path_hop_probes_total", FamilyType.COUNTER, "Probes that were to end at this hop."
)
_ANSWERS: Final = _Family(
    "icmp_path_hop_answers_total", FamilyType.COUNTER, "Probes that this hop answered."
)
_TIMES: Final = _Family(
    "icmp_path_hop_rtt_seconds", FamilyType.GAUGE, "Round-trip time of the hop's last answer."
)
_LIMITED: Final = _Family(
    "icmp_path_hop_rate_limited",
    FamilyType.GAUGE,
    "Whether the hop's losses do not persist behind it: it limits its errors, the path is whole.",
)
_MTU: Final = _Family(
    "icmp_path_mtu_bytes", FamilyType.GAUGE, "The largest IP packet that reaches the target whole."
)
_BLACK_HOLE: Final = _Family(
    "icmp_path_mtu_black_hole",
    FamilyType.GAUGE,
    "Whether larger packets vanish without an ICMP error.",
)
_MTU_INFO: Final = _Family(
    "icmp_path_mtu_info", FamilyType.GAUGE, "Always 1; who reported the path MTU, if anybody did."
)

FAMILIES: Final = (
    *(_HOPS, _COMPLETE, _INFO, _CHANGES, _CHANGED, _PROBES, _ANSWERS, _TIMES, _LIMITED),
    *(_MTU, _BLACK_HOLE, _MTU_INFO),
)


def write_surveys(
    targets: Sequence[Target], surveys: Surveys, text_format: TextFormat
) -> Iterator[str]:
    """Write what is known, in turns of one family; nothing for families without samples."""
    paths = [
        (target.label_text, path.tracker)
        for target in targets
        if (path := surveys.path_of(target)) is not None and path.tracker.path.hops
    ]
    yield from _write_paths(paths, text_format)
    pmtus = [
        (target.label_text, state)
        for target in targets
        if (state := surveys.pmtu_of(target)) is not None and state.found is not None
    ]
    yield from _write_pmtus(pmtus, text_format)


def _write_paths(
    paths: Sequence[tuple[str, PathTracker]], text_format: TextFormat
) -> Iterator[str]:
    def write(family: _Family, value: Callable[[PathTracker], object]) -> str:
        lines = (f"{family.name}{{{labels}}} {value(path)}\n" for labels, path in paths)
        return _header(family, text_format) + "".join(lines)

    if not paths:
        return
    yield write(_HOPS, lambda tracker: len(tracker.path.hops))
    yield write(_COMPLETE, lambda tracker: int(tracker.path.complete))
    yield _header(_INFO, text_format) + "".join(
        f'{_INFO.name}{{{labels},hash="{tracker.path.hash()}"}} 1\n' for labels, tracker in paths
    )
    yield write(_CHANGES, lambda tracker: tracker.changes)
    changed = [
        f"{_CHANGED.name}{{{labels}}} {tracker.changed_at:.3f}\n"
        for labels, tracker in paths
        if tracker.changed_at is not None
    ]
    if changed:
        yield _header(_CHANGED, text_format) + "".join(changed)
    yield from _write_hops(paths, text_format)


def _write_hops(paths: Sequence[tuple[str, PathTracker]], text_format: TextFormat) -> Iterator[str]:
    def write(family: _Family, value: Callable[[PathTracker, int], object]) -> str:
        lines = (
            f'{family.name}{{{labels},hop="{limit}"}} {shown}\n'
            for labels, tracker in paths
            for limit in range(1, len(tracker.hops) + 1)
            if (shown := value(tracker, limit)) is not None
        )
        return _header(family, text_format) + "".join(lines)

    yield write(_PROBES, lambda tracker, limit: tracker.hops[limit - 1].probes)
    yield write(_ANSWERS, lambda tracker, limit: tracker.hops[limit - 1].answers)
    yield write(_TIMES, _hop_time)
    yield write(_LIMITED, lambda tracker, limit: int(tracker.rate_limited(limit)))


def _hop_time(tracker: PathTracker, limit: int) -> str | None:
    hop = tracker.hops[limit - 1]
    return f"{hop.rtt_seconds:.6g}" if hop.answers else None


def _write_pmtus(pmtus: Sequence[tuple[str, PmtuState]], text_format: TextFormat) -> Iterator[str]:
    known = [(labels, state.found) for labels, state in pmtus if state.found is not None]
    if not known:
        return
    yield _header(_MTU, text_format) + "".join(
        f"{_MTU.name}{{{labels}}} {found.mtu_bytes}\n" for labels, found in known
    )
    yield _header(_BLACK_HOLE, text_format) + "".join(
        f"{_BLACK_HOLE.name}{{{labels}}} {int(found.black_hole)}\n" for labels, found in known
    )
    reporters = [
        f'{_MTU_INFO.name}{{{labels},reporter="{escape_label_value(found.reporter)}"}} 1\n'
        for labels, found in known
        if found.reporter
    ]
    if reporters:
        yield _header(_MTU_INFO, text_format) + "".join(reporters)


def _header(family: _Family, text_format: TextFormat) -> str:
    return family_header(family.name, family.kind, family.help, text_format)
