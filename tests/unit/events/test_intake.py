"""What becomes of a message, from the rules to the metrics and back from the state file."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text
from pydantic import TypeAdapter

from exporters.config.event_settings import EventSettings
from exporters.events.counters import CounterFamily
from exporters.events.exposition import write_families
from exporters.events.intake import Intake
from exporters.events.json_lines import JsonLines
from exporters.events.recent import Query
from exporters.events.rules import RuleSet
from exporters.events.state_file import StateFile
from exporters.metrics.negotiation import TextFormat

from .conftest import make_message, read_rules

RULES = """
rules:
  - {name: down, match: {trap: linkDown}, event: link, severity: error, labels: {port: ifDescr},
     raise: {instance: ifDescr, ttl: 1h}}
  - {name: up, match: {trap: linkUp}, event: link, severity: info, clear: {instance: ifDescr}}
  - {name: cold, match: {trap: coldStart}, event: reboot, severity: notice, restart: true}
  - {name: noise, match: {trap: noise}, action: drop}
  - {name: many, match: {trap: many}, event: rmon, action: count_only}
"""


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def settings(**values: Any) -> EventSettings:
    return TypeAdapter(EventSettings).validate_python(values)


def make(clock: Clock | None = None, **parts: Any) -> Intake:
    limits = settings(**parts.pop("settings", {}))
    rules = RuleSet(read_rules(RULES), "trap")
    intake = Intake("trap", rules, limits, devices=["core-1"], clock=clock or Clock())
    intake.attach(**parts)
    return intake


def samples(intake: Intake, at: float = 0.0) -> dict[tuple[str, ...], float]:
    text = "".join(write_families(intake.families(), TextFormat.PROMETHEUS, clock=lambda: at))
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in parse_text(text)
        for sample in family.samples
    }


def down(port: str = "eth7", **parts: Any) -> Any:
    return make_message("linkDown", f"{port} down", {"ifDescr": port}, **parts)


def up(port: str = "eth7", **parts: Any) -> Any:
    return make_message("linkUp", f"{port} up", {"ifDescr": port}, **parts)


def test_first_event_ever_raises_a_state_and_increases_a_counter():
    intake = make()
    before = samples(intake, 0.0)
    samples(intake, 100.0)
    intake.take(down())
    first = samples(intake, 200.0)
    later = samples(intake, 300.0)

    assert ("network_event_active", "core-1", "link", "eth7") not in before
    assert first["network_event_active", "core-1", "link", "eth7"] == 1
    assert first["network_events_total", "core-1", "link", "error", "raised", "eth7"] == 0
    assert later["network_events_total", "core-1", "link", "error", "raised", "eth7"] == 1
    assert first["network_event_last_seen_timestamp_seconds", "core-1", "link"] == 1000


def test_series_that_rules_let_expect_are_there_at_0():
    found = samples(make())

    assert found["network_events_total", "core-1", "link", "info", "cleared"] == 0
    assert found["network_events_total", "core-1", "reboot", "notice"] == 0


def test_dropped_message_is_nowhere():
    intake = make()
    before = samples(intake)
    intake.take(make_message("noise"))

    assert samples(intake) == before
    assert len(intake.recent) == 0


def test_message_that_is_only_counted_is_not_shown():
    intake = make()
    intake.take(make_message("many"))

    assert len(intake.recent) == 0
    assert intake.events.family.value(("core-1", "rmon", "unknown")) == 1


def test_restart_clears_the_states_of_its_device():
    intake = make()
    intake.take(down())
    intake.take(make_message("coldStart"))

    assert samples(intake)["network_event_active", "core-1", "link", "eth7"] == 0


def test_stranger_makes_no_states_and_no_series_of_its_own():
    intake = make()
    for number in range(100):
        intake.take(down(f"eth{number}", device="unknown", source=f"203.0.113.{number}"))

    assert len(intake.states) == 0
    assert intake.unkept_states == 100
    devices = {key[1] for key in samples(intake) if key[0] == "network_events_total"}
    assert devices == {"core-1", "unknown"}


def test_event_of_a_state_says_so_and_one_that_changed_none_does_not():
    intake = make()
    for message in (down(), up(), make_message("coldStart"), down(device="unknown")):
        intake.take(message)

    value = intake.events.family.value
    assert value(("core-1", "link", "error", "raised", "eth7")) == 1
    assert value(("core-1", "link", "info", "cleared")) == 1
    assert value(("core-1", "reboot", "notice")) == 1
    assert value(("unknown", "link", "error", "", "eth7")) == 1


def test_label_of_a_rule_has_a_limited_number_of_values():
    intake = make(settings={"label_values_limit": 3})
    for number in range(10):
        intake.take(down(f"eth{number}"))

    ports = {key[5] for key in samples(intake) if key[0] == "network_events_total" and key[5:]}
    assert ports == {"eth0", "eth1", "eth2", "other"}


def test_reload_exchanges_rules_and_keeps_what_was_counted():
    intake = make()
    intake.take(down())
    rules = read_rules("rules: [{name: all, event: fan, severity: alert, labels: {x: ifDescr}}]")

    intake.replace(RuleSet(rules, "trap"), ["core-1", "edge-1"])
    intake.take(down())

    family = intake.events.family
    assert family.value(("core-1", "link", "error", "raised", "eth7")) == 1
    assert family.value(("core-1", "fan", "alert", "", "", "eth7")) == 1
    assert samples(intake)["network_event_active", "core-1", "link", "eth7"] == 1
    assert ("network_events_total", "edge-1", "fan", "alert") in samples(intake)


def test_states_of_a_device_that_left_the_inventory_end():
    intake = make()
    intake.take(down())

    intake.replace(intake.rules, ["edge-1"])

    assert samples(intake)["network_event_active", "core-1", "link", "eth7"] == 0


def test_family_of_the_exporter_is_shown_and_accounted_for():
    intake = make()
    family = CounterFamily(
        "snmp_trap_received_total",
        "Traps.",
        ("device", "trap"),
        open_labels=("trap",),
        limit=2,
        scrape_interval_seconds=1.0,
    )
    intake.add_family(family)
    for trap in "abc":
        family.inc(("core-1", trap))

    found = samples(intake)
    assert found["snmp_trap_received_total", "core-1", "other"] == 0
    assert found["trap_exporter_overflow_total", "snmp_trap_received_total"] == 1
    assert found["trap_exporter_series_limit", "snmp_trap_received_total"] == 2


@pytest.mark.parametrize("text_format", list(TextFormat))
def test_text_is_what_prometheus_reads_whatever_was_sent(text_format):
    intake = make()
    intake.take(down('a"b\\c\nd\x00\ud800', uptime_ticks=5))
    intake.take(down("ü"))
    text = "".join(write_families(intake.families(), text_format))

    if text_format is TextFormat.OPENMETRICS:
        families = list(parse_openmetrics(text + "# EOF\n"))
    else:
        families = list(parse_text(text))
    names = [family.name for family in families]
    assert len(names) == len(set(names)) > 10
    text.encode()


def test_states_and_last_seen_outlive_a_process_that_is_killed(tmp_path: Path):
    clock = Clock()
    file = StateFile.open(tmp_path / "state")
    intake = make(clock, state_file=file)
    intake.take(down("eth1"))
    intake.take(down("eth2"))
    intake.take(up("eth2"))
    intake.keep_states()
    file.flush()
    (tmp_path / "copy").write_bytes((tmp_path / "state").read_bytes())  # as kill -9 leaves it

    clock.now = 1010.0
    again = make(clock, state_file=StateFile.open(tmp_path / "copy"))

    found = samples(again)
    assert found["network_event_active", "core-1", "link", "eth1"] == 1
    assert found["network_event_active", "core-1", "link", "eth2"] == 0
    assert found["network_event_since_timestamp_seconds", "core-1", "link", "eth1"] == 1000
    again.take(up("eth1"))
    assert samples(again)["network_event_active", "core-1", "link", "eth1"] == 0
    file.close()


async def test_storm_that_ends_with_the_process_is_kept_whole(tmp_path: Path):
    file = StateFile.open(tmp_path / "state")
    intake = make(state_file=file, settings={"device_states_limit": 5000})
    async with intake.running():
        for port in range(3000):
            intake.take(down(f"eth{port}"))
    file.close()

    again = make(
        state_file=StateFile.open(tmp_path / "state"), settings={"device_states_limit": 5000}
    )
    assert len(again.states) == 3000


async def test_what_changes_is_kept_while_it_runs_and_at_the_end(tmp_path: Path, monkeypatch):
    file = StateFile.open(tmp_path / "state")
    flush, flushed = file.flush, threading.Event()
    monkeypatch.setattr(file, "flush", lambda: flush() and (flushed.set() or True))
    log = tmp_path / "log"
    intake = make(state_file=file, json_lines=JsonLines(str(log)))
    async with intake.running():
        intake.take(down())
        assert await asyncio.to_thread(flushed.wait, 10)
        assert b"eth7" in (tmp_path / "state").read_bytes()

    assert dict(file.items("seen\t")) == {"seen\tcore-1\tlink": 1000.0}
    assert len(log.read_text().splitlines()) == 1
    file.close()


def test_saved_state_that_is_not_understood_is_told_and_forgotten(tmp_path: Path, caplog):
    file = StateFile.open(tmp_path / "state")
    file.put("state\tcore-1\tlink\teth7", "nonsense")
    file.put("seen\tcore-1\tnothing", 5)

    intake = make(state_file=file)

    assert len(intake.states) == 0
    assert [record.message for record in caplog.records] == ["saved states not understood"]
    assert dict(file.items("state\t")) == {}
    file.close()


def test_secret_is_not_shown_because_nobody_can_ask_for_it():
    """An event shows what its details give, and details give no community."""
    intake = make()
    intake.take(down())

    (event,) = intake.recent.search(Query(), limit=1)
    assert set(event.as_json()) == {
        "id", "time", "kind", "device", "source", "event", "severity", "name", "text", "fields",
        "labels", "states", "rules",
    }  # fmt: skip
