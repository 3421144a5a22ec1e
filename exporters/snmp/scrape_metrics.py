"""What a response says of its own scrape: durations, packets, and what did not succeed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from exporters.config.snmp_auth import Auth
from exporters.metrics.exposition import Exposition
from exporters.metrics.text import FamilyType, format_value, label_text
from exporters.snmp.collect import ModuleOutcome

_Value = Callable[[ModuleOutcome], int | float]

# The first five are snmp_exporter's.
_PER_ANSWERED_MODULE: tuple[tuple[str, str, _Value], ...] = (
    (
        "snmp_scrape_walk_duration_seconds",
        "Time SNMP walk/bulkwalk took.",
        lambda outcome: outcome.walk_seconds,
    ),
    (
        "snmp_scrape_packets_sent",
        "Packets sent for get, bulkget, and walk; including retries.",
        lambda outcome: outcome.traffic.packets_sent,
    ),
    (
        "snmp_scrape_packets_retried",
        "Packets retried for get, bulkget, and walk.",
        lambda outcome: outcome.traffic.packets_retried,
    ),
    (
        "snmp_scrape_pdus_returned",
        "PDUs returned from get, bulkget, and walk.",
        lambda outcome: outcome.rows,
    ),
    (
        "snmp_scrape_duration_seconds",
        "Total SNMP time scrape took (walk and processing).",
        lambda outcome: outcome.seconds,
    ),
    (
        "snmp_scrape_decode_duration_seconds",
        "Time that decoding answers took, part of the walk.",
        lambda outcome: outcome.traffic.decode_seconds,
    ),
    (
        "snmp_scrape_write_duration_seconds",
        "Time that writing samples took.",
        lambda outcome: outcome.write_seconds,
    ),
    (
        "snmp_scrape_limit_wait_duration_seconds",
        "Time in which packets waited for the limits of the device.",
        lambda outcome: outcome.traffic.limit_wait_seconds,
    ),
    (
        "snmp_scrape_round_trips",
        "Requests that were answered.",
        lambda outcome: len(outcome.traffic.round_trips),
    ),
    (
        "snmp_scrape_bytes_sent",
        "Bytes of SNMP messages sent, with retries.",
        lambda outcome: outcome.traffic.bytes_sent,
    ),
    (
        "snmp_scrape_bytes_received",
        "Bytes of SNMP messages received.",
        lambda outcome: outcome.traffic.bytes_received,
    ),
    (
        "snmp_scrape_varbinds_received",
        "Varbinds in all answers, with those that were not needed.",
        lambda outcome: outcome.varbinds,
    ),
    (
        "snmp_scrape_varbinds_per_answer",
        "Varbinds that an answer of this agent may hold, as learnt so far.",
        lambda outcome: outcome.varbinds_per_answer,
    ),
)


def add_outcomes(exposition: Exposition, outcomes: Sequence[ModuleOutcome]) -> None:
    """Add the metrics of a scrape about itself."""
    answered = [outcome for outcome in outcomes if outcome.answered]
    for name, help_text, value in _PER_ANSWERED_MODULE:
        _add(exposition, name, help_text, [({"module": o.module}, value(o)) for o in answered])
    _add(
        exposition,
        "snmp_module_success",
        "Whether all of a module was read.",
        [({"module": outcome.module}, int(outcome.succeeded)) for outcome in outcomes],
    )
    _add(
        exposition,
        "snmp_module_failure",
        "Why a module was not read completely.",
        [
            ({"module": outcome.module, "reason": reason}, 1)
            for outcome in outcomes
            for reason in dict.fromkeys(failure.reason.value for failure in outcome.failures)
        ],
    )
    _add(
        exposition,
        "snmp_up",
        "Whether the target answered at least one module.",
        [({}, int(bool(answered)))],
    )


def add_session(exposition: Exposition, auth: Auth) -> None:
    """Add how the target was asked: which version of SNMP, and how protected."""
    version = {1: "1", 2: "2c", 3: "3"}[auth.version]
    level = auth.security_level if auth.version == 3 else ""
    _add(
        exposition,
        "snmp_session_info",
        "Which version of SNMP the target answers, and at which security level.",
        [({"version": version, "security_level": level}, 1)],
    )


def failure_text(target: str, outcomes: Sequence[ModuleOutcome]) -> str:
    """Why nothing could be read, a line for each module and reason."""
    lines = [
        f"error walking target {target}: module {outcome.module}: {failure}"
        for outcome in outcomes
        for failure in dict.fromkeys(map(str, outcome.failures))
    ]
    return "An error has occurred while serving metrics:\n\n" + "\n".join(lines)


def _add(
    exposition: Exposition,
    name: str,
    help_text: str,
    samples: Sequence[tuple[dict[str, str], int | float]],
) -> None:
    lines = [
        f"{name}{label_text(labels.items())} {format_value(value)}\n" for labels, value in samples
    ]
    exposition.add(name, FamilyType.GAUGE, help_text, lines, unique=True)
