"""Configuration of rsyslog that counts messages by the labels that the exporter has.

Two ways to tell events, both counted by dynstats: one POSIX pattern for names with a percent sign,
and a hundred rules that look for a word each, those that ``benchmarks.syslog_sender`` sends most
first. Rules are in one ruleset without a queue, which runs in the thread of the input; no message
is written, and no name is looked up.

Sources: rsyslog's manual on dynstats, imudp, imtcp, RainerScript.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from exporters.demo.syslog_corpus import FORMS

_RULES: Final = 100
_PATTERN: Final = "%([A-Z0-9_]+(-[A-Z0-9_]+)*-[0-7]-[A-Z0-9_]+)"


def configuration(port: int, statistics: str, *, by_pattern: bool, buffer_bytes: int) -> str:
    """Give a whole configuration; counts are written to the file *statistics* every two seconds."""
    lines = [
        'global(net.enableDNS="off" maxMessageSize="8k")',
        f'module(load="impstats" interval="2" format="json" resetCounters="off" log.syslog="off"'
        f' log.file="{statistics}")',
        'module(load="imudp" threads="1" batchSize="128" timeRequery="8")',
        'module(load="imtcp" maxSessions="100")',
        'dyn_stats(name="messages" resettable="off" maxCardinality="100000")',
        'dyn_stats(name="events" resettable="off" maxCardinality="100000")',
        'ruleset(name="count" queue.type="Direct") {',
        '  set $.counted = dyn_inc("messages", $fromhost-ip & "," & $syslogfacility-text & ","'
        " & $syslogseverity-text);",
        *(_pattern() if by_pattern else _rules()),
        "}",
        f'input(type="imudp" port="{port}" address="127.0.0.1" rcvbufSize="{buffer_bytes}"'
        ' ruleset="count")',
        f'input(type="imtcp" port="{port}" address="127.0.0.1" ruleset="count")',
        'action(type="omfile" file="/dev/null")',  # of its own messages; it wants one action
    ]
    return "\n".join(lines) + "\n"


def _pattern() -> Iterator[str]:
    yield f'  set $.event = re_extract($rawmsg, "{_PATTERN}", 0, 1, "other");'
    yield '  if $.event == "other" then { set $.vendor = "unknown"; }'
    yield '  else { set $.vendor = "cisco"; }'
    yield '  set $.counted = dyn_inc("events", $fromhost-ip & "," & $.vendor & "," & $.event);'


def _rules() -> Iterator[str]:
    """Give a chain of conditions, which ends with the first that holds."""
    named = sorted((form for form in FORMS if form.event), key=lambda form: -form.weight)
    events = {(form.vendor, form.event): _word(form.event) for form in named}
    for number in range(_RULES - len(events)):
        events["cisco", f"MODULE-3-EVENT{number}"] = f"%MODULE-3-EVENT{number}:"
    begin = "if"
    for (vendor, event), word in events.items():
        count = f'dyn_inc("events", $fromhost-ip & ",{vendor},{event}")'
        yield f"  {begin} $rawmsg contains '{word}' then {{ set $.counted = {count}; }}"
        begin = "else if"
    yield '  else { set $.counted = dyn_inc("events", $fromhost-ip & ",unknown,other"); }'


def _word(event: str) -> str:
    return event.replace("TRAFFIC/end", "TRAFFIC,end").replace("SYSTEM/general", "SYSTEM,general")
