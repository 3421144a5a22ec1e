"""What is wrong in modules by name is told with its place and what would be right."""

from __future__ import annotations

import pytest

from exporters.config.by_name import drafts

MIB_DIR = "--mib.dir names a directory with your own MIB files"
LOOKUP = "walk: [exampleIfEnabled]\nlookups: [{source_indexes: [ifIndex], lookup: %s}]"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "walk: [examplePortTabel]",
            'walk[0]: no MIB module has the name "examplePortTabel", did you mean '
            "examplePortTable?",
        ),
        (
            "walk: [exampleUpTime, EXAMPEL-MIB::x]",
            'walk[1]: no MIB module has the name "EXAMPEL-MIB::x": there is no module '
            "EXAMPEL-MIB, did you mean EXAMPLE-MIB?",
        ),
        ("walk: [qqqqqq]", f'walk[0]: no MIB module has the name "qqqqqq"; {MIB_DIR}'),
        (
            "walk: [1.3.6.1.4.1.32473.77]",
            'walk[0]: no MIB module knows what is at "1.3.6.1.4.1.32473.77", below '
            f"EXAMPLE-V1-MIB::example; {MIB_DIR}",
        ),
        (
            "walk: [1.3.x]",
            'walk[0]: "1.3.x" is not an OID; expected dotted numbers such as 1.3.6.1.2.1.1.3.0',
        ),
        ("walk: [exampleUpTime.3]", "walk[0]: exampleUpTime is a scalar; its only instance is "
         "exampleUpTime.0"),
        (
            "walk: [exampleChannel]",
            "walk[0]: becomes no metric: its access is accessible-for-notify, so that no agent "
            "shows it",
        ),
        ("walk: [exampleRules]", "walk[0]: becomes no metric: nothing there has a value"),
        ("{}", ": asks for nothing; name what to read below walk"),
        (
            "get: [examplePortState]",
            'get[0]: "examplePortState" is a column; name a row, as in examplePortState.1, or '
            "name the column below walk",
        ),
        ("get: [ifTable]", 'get[0]: "ifTable" is not a single value; name it below walk'),
        (LOOKUP % "ifTable", 'lookups[0].lookup: "ifTable" is not a column'),
        (
            LOOKUP % "ifDescr.3",
            'lookups[0].lookup: "ifDescr.3" is a row of ifDescr; name the column',
        ),
        (
            LOOKUP % "ifDescrr",
            'lookups[0].lookup: no MIB module has the name "ifDescrr", did you mean ifDescr?',
        ),
        (
            LOOKUP % "examplePortSince",
            "lookups[0].lookup: cannot be a label: the type DateAndTime has no text that a label "
            "could hold",
        ),
        (
            "walk: [exampleUpTime]\nfilters: {static: [{targets: [nothing1], indices: [1]}]}",
            f'filters.static[0].targets[0]: no MIB module has the name "nothing1"; {MIB_DIR}',
        ),
        (
            "walk: [exampleUpTime]\nfilters: {dynamic: [{oid: ifTable, values: [a]}]}",
            'filters.dynamic[0].oid: "ifTable" is not a column',
        ),
        (
            "walk: [exampleTemperature]\noverrides: {exampleTemperature: {type: ParseDateAndTime}}",
            "overrides.exampleTemperature.datetime_pattern: is missing; ParseDateAndTime needs it",
        ),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else None,
)  # fmt: skip
def test_what_cannot_be_is_told_with_its_place(refuse, text, problem):
    assert refuse(text) == [problem]


def test_every_fault_of_a_module_is_told_at_once(refuse):
    faults = refuse(
        """
        walk: [nothing1, exampleRules]
        lookups: [{source_indexes: [ifIndex], lookup: nothing2}]
        filters: {dynamic: [{oid: nothing3, targets: [nothing4]}]}
        """
    )

    assert [fault.partition(":")[0] for fault in faults] == [
        "walk[0]",
        "walk[1]",
        "lookups[0].lookup",
        "filters.dynamic[0].oid",
        "filters.dynamic[0].targets[0]",
    ]


def test_more_than_any_device_has_is_refused(refuse, monkeypatch):
    monkeypatch.setattr(drafts, "MAX_METRICS", 9)

    assert refuse("walk: [exampleUpTime, ifTable]") == [
        "walk[1]: more than 9 columns and scalars are known below; name the tables that the "
        "device has"
    ]
