"""Rules of events: what a trap or a syslog message means, as ``modules/trap/*.yml`` have it.

    rules:
      - name: link_down
        match: {trap: linkDown}
        event: link
        severity: error
        raise: {key: ifIndex, instance: [ifDescr, ifName, ifIndex], ttl: 168h}

Rules are tried in the order of the files, and the first that matches decides, unless it says
``continue``. A user's rule with the name of a shipped one replaces it. One file may hold rules for
traps and for syslog: which of the two a rule is for, its conditions say.

How rules are tried is the matter of ``exporters.events.rules``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.dataclasses import dataclass

from exporters.config.context import LoadContext
from exporters.config.event_taxonomy import EVENTS, SEVERITIES
from exporters.config.fields import (
    EMPTY_MAPPING,
    FROZEN,
    NULL_IS_EMPTY_LIST,
    NULL_IS_EMPTY_MAPPING,
    Boolean,
    Duration,
    Integer,
    LabelName,
    Name,
    Network,
    Number,
    SearchedRegex,
    one_of,
)
from exporters.config.rejection import Fault, Rejected, quote
from exporters.config.source_lines import line_of
from exporters.config.validation import validate
from exporters.config.yaml_file import load_yaml
from exporters.errors import ConfigError, Problem
from exporters.wire.ber import encode_oid

_CONFIG = ConfigDict(extra="forbid")
_OID = re.compile(r"\.?\d+(?:\.\d+)*(?:\.\*)?\Z")
_WEEK_SECONDS = 7 * 24 * 3600.0
_TAKEN_LABELS = frozenset(("device", "event", "severity", "state", "instance", "trap", "job"))

Kind = Literal["trap", "syslog"]


def _listed(value: object) -> object:
    """One of something is a list of one."""
    if value is None:
        return []
    return value if isinstance(value, list | tuple) else [value]


_ONE_OR_MORE = BeforeValidator(_listed)


def _name_pattern(text: str) -> str:
    """A name, or the beginning of one before a ``*``."""
    body = text.removesuffix("*")
    if "*" in body or not body:
        raise Rejected(f"{quote(text)} has a * elsewhere than at its end", "write it as BGP-5-*")
    return text


def _trap_pattern(text: str) -> str:
    """The same, or an OID, or the upper part of one."""
    text = _name_pattern(text)
    if _OID.match(text):
        try:
            encode_oid(text.removesuffix(".*"))
        except ValueError as error:
            raise Rejected(f"{quote(text)} is not an OID") from error
    return text


def _oid_pattern(text: str) -> str:
    if not _OID.match(text):
        raise Rejected(f"{quote(text)} is not an OID", "write it as 1.3.6.1.4.1.9.1 or 1.3.6.1.*")
    return _trap_pattern(text)


def _value_names(text: str) -> str:
    if not text.split():
        raise Rejected("is empty", "name a field, or a group of the pattern")
    return text


def _label(name: str) -> str:
    if name in _TAKEN_LABELS:
        raise Rejected(f"the label {name} is taken", "choose another name")
    return name


Names = Annotated[tuple[Annotated[Name, AfterValidator(_name_pattern)], ...], _ONE_OR_MORE]
Traps = Annotated[tuple[Annotated[Name, AfterValidator(_trap_pattern)], ...], _ONE_OR_MORE]
Oids = Annotated[tuple[Annotated[Name, AfterValidator(_oid_pattern)], ...], _ONE_OR_MORE]
Texts = Annotated[tuple[Name, ...], _ONE_OR_MORE]
Integers = Annotated[tuple[Integer, ...], _ONE_OR_MORE]
Severity = Annotated[str, one_of(SEVERITIES, "severity level")]
ValueNames = Annotated[tuple[Annotated[Name, AfterValidator(_value_names)], ...], _ONE_OR_MORE]
"""Where a value comes from: the first alternative that the message has. An alternative names a
field or a group of the message's pattern, or several with spaces between, which are all needed."""


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class FieldCondition:
    """What a field must be; all that is given must hold."""

    equals: Annotated[Texts, Field(description="One of these, as text or as number.")] = ()
    above: Annotated[Number | None, Field(description="A number greater than this.")] = None
    below: Annotated[Number | None, Field(description="A number less than this.")] = None
    matches: Annotated[
        SearchedRegex | None, Field(description="RE2 pattern, found anywhere in the text.")
    ] = None
    present: Annotated[
        Boolean | None, Field(description="Whether the message has the field at all.")
    ] = None


def _short_condition(value: object) -> object:
    """Read ``ifOperStatus: 2`` and ``ifOperStatus: [2, 7]`` as what it must equal."""
    return value if isinstance(value, dict | FieldCondition) else {"equals": _listed(value)}


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class Match:
    """Conditions, all of which must hold; of the entries of a list, one."""

    device: Annotated[Texts, Field(description="Names of devices.")] = ()
    source: Annotated[
        tuple[Network, ...], _ONE_OR_MORE, Field(description="Networks of the sender.")
    ] = ()
    fields: Annotated[
        Mapping[Name, Annotated[FieldCondition, BeforeValidator(_short_condition)]],
        FROZEN,
        NULL_IS_EMPTY_MAPPING,
        Field(description="Varbinds of a trap, fields of a syslog message, by name."),
    ] = field(default_factory=lambda: EMPTY_MAPPING, hash=False)
    trap: Annotated[Traps, Field(description="Names or OIDs of traps, or * after a prefix.")] = ()
    version: Annotated[
        tuple[Annotated[str, one_of(("1", "2c", "3"), "version")], ...],
        _ONE_OR_MORE,
        Field(description="Versions of SNMP."),
    ] = ()
    enterprise: Annotated[Oids, Field(description="Enterprises of version 1 traps.")] = ()
    generic: Annotated[Integers, Field(description="Generic traps of version 1.")] = ()
    specific: Annotated[Integers, Field(description="Specific traps of version 1.")] = ()
    vendor: Annotated[Texts, Field(description="Vendors whose form the message has.")] = ()
    vendor_event: Annotated[
        Names, Field(description="The vendor's names of the event, or * after a prefix.")
    ] = ()
    app: Annotated[Texts, Field(description="Applications or processes.")] = ()
    facility: Annotated[Texts, Field(description="Syslog facilities, by name.")] = ()
    severity: Annotated[
        tuple[Severity, ...], _ONE_OR_MORE, Field(description="Severities, as the sender says.")
    ] = ()
    message: Annotated[
        SearchedRegex | None, Field(description="RE2 pattern, found anywhere in the message.")
    ] = None

    def kind(self) -> Kind | None:
        """Which messages it can match; None: traps and syslog."""
        if any((self.trap, self.version, self.enterprise, self.generic, self.specific)):
            return "trap"
        if self.message is not None or any(
            (self.vendor, self.vendor_event, self.app, self.facility, self.severity)
        ):
            return "syslog"
        return None

    @model_validator(mode="after")
    def _of_one_kind(self) -> Match:
        of_traps = [name for name in _TRAP_CONDITIONS if getattr(self, name)]
        of_syslog = [name for name in _SYSLOG_CONDITIONS if getattr(self, name)]
        if of_traps and of_syslog:
            problem = f"{of_traps[0]} is of traps and {of_syslog[0]} of syslog"
            raise Rejected([Fault(problem, "make two rules of it", at=(of_syslog[0],))])
        return self


_TRAP_CONDITIONS = ("trap", "version", "enterprise", "generic", "specific")
_SYSLOG_CONDITIONS = ("vendor", "vendor_event", "app", "facility", "severity", "message")


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class Cleared:
    """A state that is cleared."""

    event: Annotated[
        str, one_of(EVENTS, "event"), Field(description="Of another event than the rule's.")
    ] = ""
    instance: Annotated[ValueNames, Field(description="What people know it by.")] = ()
    key: Annotated[
        ValueNames, Field(description="What tells states apart, if not the instance.")
    ] = ()


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class Raised(Cleared):
    """A state that is raised."""

    ttl: Annotated[
        Duration, Field(description="How long it holds if it is not raised again; 0: for ever.")
    ] = _WEEK_SECONDS
    survives_restart: Annotated[
        Boolean, Field(description="Whether it holds when the device restarts.")
    ] = False


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class EventRule:
    """What a message means that matches."""

    name: Annotated[Name, Field(description="Of the rule, for logs and explanations.")]
    match: Annotated[Match, Field(description="Conditions; none: every message.")] = field(
        default_factory=Match
    )
    event: Annotated[str, one_of(EVENTS, "event"), Field(description="What has happened.")] = ""
    severity: Annotated[
        Severity | None, Field(description="How bad it is, whatever the sender says.")
    ] = None
    labels: Annotated[
        Mapping[Annotated[LabelName, AfterValidator(_label)], ValueNames],
        FROZEN,
        NULL_IS_EMPTY_MAPPING,
        Field(description="Further labels of the counter of events, and where they come from."),
    ] = field(default_factory=lambda: EMPTY_MAPPING, hash=False)
    raised: Annotated[Raised | None, Field(alias="raise", description="A state that begins.")] = (
        None
    )
    cleared: Annotated[Cleared | None, Field(alias="clear", description="A state that ends.")] = (
        None
    )
    restart: Annotated[
        Boolean, Field(description="Whether it says that the device has restarted.")
    ] = False
    action: Annotated[
        str,
        one_of(("record", "count_only", "drop"), "action", empty="record"),
        Field(description="record, count_only (not among recent events), or drop."),
    ] = "record"
    goes_on: Annotated[
        Boolean, Field(alias="continue", description="Whether the rules after it are tried too.")
    ] = False

    @model_validator(mode="after")
    def _states_have_an_event(self) -> EventRule:
        faults = [
            Fault("has no event", "give the rule an event, or the state", at=(key,))
            for key, state in (("raise", self.raised), ("clear", self.cleared))
            if state is not None and not (state.event or self.event)
        ]
        if faults:
            raise Rejected(faults)
        return self


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class EventRules:
    """The rules of one file; names are unique."""

    rules: Annotated[
        tuple[EventRule, ...], NULL_IS_EMPTY_LIST, Field(description="In their order.")
    ]

    @model_validator(mode="after")
    def _names_are_unique(self) -> EventRules:
        seen: dict[str, int] = {}
        faults = []
        for place, rule in enumerate(self.rules):
            first = seen.setdefault(rule.name, place)
            if first != place:
                at, clash = ("rules", place, "name"), ("rules", first, "name")
                problem = f"{quote(rule.name)} is the name of another rule"
                faults.append(Fault(problem, "give each rule a name of its own", at, clash))
        if faults:
            raise Rejected(faults)
        return self


def load_event_rules(
    files: Iterable[Path],
    shipped: Iterable[Path] = (),
    *,
    environment: Mapping[str, str],
) -> tuple[EventRule, ...]:
    """Give the rules of the user's *files*, then those *shipped* whose names no user's rule has.

    Raises:
        ConfigError: Something is wrong in the files; has every problem.
    """
    problems: list[Problem] = []
    own = _load_all(files, environment, problems)
    problems += _repeated_names(own)
    delivered = _load_all(shipped, environment, problems)
    problems += _repeated_names(delivered)
    if problems:
        raise ConfigError(problems)
    mine = [rule for config in own.values() for rule in config.rules]
    names = {rule.name for rule in mine}
    theirs = [rule for config in delivered.values() for rule in config.rules]
    return (*mine, *(rule for rule in theirs if rule.name not in names))


def _load_all(
    files: Iterable[Path], environment: Mapping[str, str], problems: list[Problem]
) -> dict[Path, EventRules]:
    loaded: dict[Path, EventRules] = {}
    shared: dict[Any, Any] = {}
    for path in files:
        context = LoadContext(environment, path.parent, shared=shared)
        try:
            loaded[path] = validate(EventRules, load_yaml(path), path=path, context=context)
        except ConfigError as error:
            problems += error.problems
    return loaded


def _repeated_names(loaded: Mapping[Path, EventRules]) -> Iterator[Problem]:
    seen: dict[str, tuple[Path, int]] = {}
    for path, config in loaded.items():
        for place, rule in enumerate(config.rules):
            first, first_place = seen.setdefault(rule.name, (path, place))
            if first != path:
                hint = f"it is in {first}:{line_of(first, ('rules', first_place))} already"
                line = line_of(path, ("rules", place))
                problem = f"the rule {quote(rule.name)} is given twice"
                yield Problem(problem, hint, str(path), line, f"rules[{place}].name")
