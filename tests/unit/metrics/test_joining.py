"""Texts of several processes as one: against a model, and as those read it whom it is for."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as read_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families as read_text

from exporters.metrics.joining import JoinedFamily, join, split_by_life
from exporters.metrics.negotiation import TextFormat
from exporters.metrics.text import (
    OPENMETRICS_END,
    FamilyType,
    family_header,
    format_value,
    label_text,
)

FAMILIES: dict[str, tuple[FamilyType, Callable[[Iterable[float]], float]]] = {
    "network_events_total": (FamilyType.COUNTER, sum),
    "syslog_messages_total": (FamilyType.COUNTER, sum),
    "network_event_transitions_total": (FamilyType.COUNTER, max),
    "network_event_states": (FamilyType.GAUGE, sum),
    "network_event_active": (FamilyType.GAUGE, max),
    "network_event_last_seen_timestamp_seconds": (FamilyType.GAUGE, max),
    "trap_exporter_config_last_reload_successful": (FamilyType.GAUGE, min),
}
HELP = 'What a "sender" \\n says\\ of\nitself.'

Values = dict[str, float]
"""By device."""
Process = dict[str, Values]
"""By family."""

devices = st.sampled_from(["unknown", "core 1", "}", 'a"b\\', "x\n# TYPE y counter", "é # {", ""])
numbers = st.integers(0, 10**18) | st.floats(0, 2e9).map(lambda value: round(value, 3))
processes = st.lists(
    st.dictionaries(
        st.sampled_from(sorted(FAMILIES)), st.dictionaries(devices, numbers), max_size=7
    ),
    max_size=4,
)


def write(process: Process) -> str:
    parts = []
    for name, values in process.items():
        parts.append(family_header(name, FAMILIES[name][0], HELP, TextFormat.PROMETHEUS))
        for device, value in values.items():
            labels = label_text((("device", device), ("z", "1")))
            parts.append(f"{name}{labels} {format_value(value)}\n")
    return "".join(parts)


def text(families: Iterable[JoinedFamily], text_format: TextFormat = TextFormat.PROMETHEUS) -> str:
    return "".join(family.text(text_format) for family in families)


def expected(processes: list[Process]) -> Process:
    found: Process = {}
    for name, (_, combine) in FAMILIES.items():
        of_family = [process[name] for process in processes if name in process]
        seen = {device for values in of_family for device in values}
        if of_family:
            found[name] = {
                device: combine([values[device] for values in of_family if device in values])
                for device in seen
            }
    return found


@given(processes)
def test_joined_text_reads_as_what_the_processes_have_together(processes):
    joined = text(join(map(write, processes)))
    model = expected(processes)
    families = {family.name: family for family in read_text(joined)}
    assert len(families) == len(model)
    for name, values in model.items():
        family = families[name.removesuffix("_total")]
        assert family.type == FAMILIES[name][0].value
        assert family.documentation == HELP
        found = {sample.labels.get("device", ""): sample.value for sample in family.samples}
        assert len(found) == len(family.samples)
        assert found == pytest.approx({device: float(value) for device, value in values.items()})


@given(processes)
def test_joined_text_is_openmetrics_where_that_is_asked_for(processes):
    joined = text(join(map(write, processes)), TextFormat.OPENMETRICS) + OPENMETRICS_END
    found = {family.name: len(family.samples) for family in read_openmetrics(joined)}
    model = expected(processes)
    assert found == {name.removesuffix("_total"): len(values) for name, values in model.items()}


@given(processes)
def test_text_of_one_process_stays_as_it_is(processes):
    for process in processes:
        assert text(join([write(process)])) == write(process)


@given(processes)
def test_joining_is_the_same_at_once_and_step_by_step(processes):
    texts = list(map(write, processes))
    step_by_step = ""
    for one in texts:
        step_by_step = text(join((step_by_step, one)))
    once = list(read_text(text(join(texts))))
    assert [family.name for family in once] == [family.name for family in read_text(step_by_step)]
    for first, second in zip(once, read_text(step_by_step), strict=True):
        values = [sample.value for sample in second.samples]
        assert [sample.value for sample in first.samples] == pytest.approx(values)


def test_integers_add_up_exactly_however_large():
    one = write({"network_events_total": {"unknown": 2**60 + 1}})
    (family,) = join([one, one])
    assert list(family.values.values()) == [str(2**61 + 2)]


@pytest.mark.parametrize(
    ("values", "joined"),
    [(("1.5", "1.5"), "3"), (("NaN", "1"), "NaN"), (("+Inf", "1"), "+Inf"), (("-1", "3"), "2")],
)
def test_numbers_that_are_no_counts_add_up(values, joined):
    header = family_header("waiting", FamilyType.GAUGE, "", TextFormat.PROMETHEUS)
    (family,) = join(f"{header}waiting {value}\n" for value in values)
    assert family.values == {"waiting": joined}


def test_family_without_help_has_none_and_does_not_take_that_of_another():
    first = write({"network_event_states": {"a": 1}})
    (_, family) = join([first + "# TYPE bare gauge\nbare 1\n"])
    assert family.text(TextFormat.PROMETHEUS) == "# TYPE bare gauge\nbare 1\n"


def test_samples_that_no_family_precedes_are_refused():
    with pytest.raises(ValueError, match="samples without a family: 'a 1'"):
        join(["a 1\n# TYPE b gauge\nb 2\n"])


def test_what_is_left_of_a_process_counts_on_and_the_rest_can_be_told_apart():
    counted, seen, now = (
        {"network_events_total": {"a": 7}, "network_event_transitions_total": {"a": 3}},
        {"network_event_last_seen_timestamp_seconds": {"a": 1.7e9}},
        {"network_event_active": {"a": 1}},
    )
    stays, goes = split_by_life(join([write(counted | seen | now)]))
    assert [family.name for family in join([stays])] == [
        "network_events_total",
        "network_event_last_seen_timestamp_seconds",
    ]
    assert [family.name for family in join([goes])] == [
        "network_event_transitions_total",
        "network_event_active",
    ]
    assert text(join([stays, stays]))[-80:].count("1700000000") == 1


@pytest.mark.peer("promtool", "prometheus")
def test_promtool_has_nothing_to_say_against_it():
    process = {
        "network_events_total": {"a": 1, "unknown": 2},
        "network_event_last_seen_timestamp_seconds": {"a": 1.7e9},
    }
    joined = text(join([write(process), write(process)]))
    checked = subprocess.run(
        ["promtool", "check", "metrics"], input=joined, capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
