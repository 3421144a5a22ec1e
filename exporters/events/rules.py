"""Rules compiled to be tried fast: an index by name, OID and application, then by words.

A message is judged by the rules that can match its name, application and vendor, in the order of
the files; which these are is worked out once for each such class. Of rules that only a pattern
tells apart, those are tried whose word is in the text (``exporters.events.pattern_words``). What
the index leaves out could not have matched: judging with it and without it gives the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Final, NamedTuple

from exporters.config.event_rules import EventRule, Kind
from exporters.config.event_taxonomy import OTHER, SEVERITIES, UNKNOWN
from exporters.config.re2 import Regex
from exporters.events.conditions import (
    NamePatterns,
    compile_class_conditions,
    compile_conditions,
)
from exporters.events.event import CLEARED, RAISED, Action, Message, Verdict
from exporters.events.pattern_words import mandatory_literal, mandatory_word, words_of
from exporters.events.rule_values import CONSTANT, StateChange, Values, split_names
from exporters.events.searching import search

HEADER_FIELDS: Final = frozenset(("host", "process", "message_id"))
"""Fields of syslog that are not in the text of a message, nor in its structured data."""

_MOST_PLANS: Final = 20_000
_WORTH_WORDS: Final = 8
"""With fewer patterns than this, finding the words of a text costs more than it saves."""


class Trial(NamedTuple):
    """How one rule fared with a message; *failed* is the condition that did not hold, or ""."""

    rule: str
    matched: bool
    failed: str


class RuleSet:
    """The rules for messages of one kind, compiled."""

    def __init__(self, rules: Iterable[EventRule], kind: Kind) -> None:
        own = [rule for rule in rules if rule.match.kind() in (None, kind)]
        self._rules = [_Rule(place, rule) for place, rule in enumerate(own)]
        self._by_name: dict[str, list[_Rule]] = defaultdict(list)
        self._by_oid: dict[bytes, list[_Rule]] = defaultdict(list)
        self._by_app: dict[str, list[_Rule]] = defaultdict(list)
        self._by_vendor: dict[str, list[_Rule]] = defaultdict(list)
        self._by_prefix: list[_Rule] = []
        self._exact_names: set[str] = set()
        self._anywhere: list[_Rule] = []
        for rule in self._rules:
            self._file(rule)
        self._plans: dict[tuple[str, bytes | str, str], _Plan] = {}
        self._plan_of_others = _Plan(self._anywhere)

    def __len__(self) -> int:
        return len(self._rules)

    @property
    def trap_names(self) -> frozenset[str]:
        """The names of traps that rules look for, so that it can be said which are not known."""
        return frozenset(self._by_name)

    @property
    def field_names(self) -> frozenset[str]:
        """The fields that rules look at; groups of patterns may be among them."""
        return frozenset(name for rule in self._rules for name in rule.field_names)

    @property
    def label_names(self) -> tuple[str, ...]:
        """The labels that rules give."""
        return tuple(sorted({name for rule in self._rules for name, _ in rule.labels}))

    @property
    def outcomes(self) -> frozenset[tuple[str, ...]]:
        """Event, severity and, if there is one, state, that rules give whatever the sender says."""
        return frozenset(
            (rule.source.event, rule.source.severity, *rule.state)
            for rule in self._rules
            if rule.source.event and rule.source.severity
        )

    def judge(self, message: Message) -> Verdict:
        """Give what the rules say of a message."""
        plan = self._plans.get((message.name, message.oid or message.app, message.vendor))
        if plan is None:
            plan = self._plan(message)
        if plan.settled is not None:
            verdict = plan.settled.get(message.severity)
            if verdict is not None:
                return verdict
        return _judge(plan.candidates(message), message)

    def settled(self, message: Message) -> Verdict | None:
        """Give the verdict on all messages of this class and severity, if it is one.

        None where it depends on what else a message says, or changes states: each is then judged.
        """
        key = (message.name, message.oid or message.app, message.vendor)
        plan = self._plans.get(key) or self._plan(message)
        verdict = plan.settled.get(message.severity) if plan.settled is not None else None
        return None if verdict is None or verdict.restarted else verdict

    def judges_by_text(self, message: Message) -> bool:
        """Whether messages of this class and one text have one verdict, whoever sent them.

        Of one class: of this name, application, severity, facility and vendor.
        """
        key = (message.name, message.oid or message.app, message.vendor)
        plan = self._plans.get(key) or self._plan(message)
        return plan.looks_at_text_alone

    def catalogue_name(self, message: Message) -> str:
        """Give what a vendor's event is counted as: of a bounded set, whatever senders make up.

        Its name where a rule has it, ``BGP-*`` where a rule has only its beginning, else ``other``.
        """
        if message.name in self._exact_names:
            return message.name
        patterns = (
            rule.names.pattern_of(message.name)
            for rule in self._by_prefix
            if rule.names is not None and rule.is_of_class(message)
        )
        return next(filter(None, patterns), OTHER)

    def explain(self, message: Message) -> tuple[Verdict, list[Trial]]:
        """Give the verdict, and how each rule fared, by trying all of them without the index."""
        trials = []
        matching = []
        decided = False
        for rule in self._rules:
            failed = "a rule before it has decided" if decided else rule.failed_condition(message)
            trials.append(Trial(rule.source.name, not failed, failed))
            if not failed:
                matching.append(rule)
                decided = not rule.source.goes_on
        return _combine(matching, message), trials

    def _file(self, rule: _Rule) -> None:
        match = rule.source.match
        if rule.names is not None:
            self._exact_names |= rule.names.names
        if rule.names is not None and rule.names.has_prefixes:
            self._by_prefix.append(rule)
        elif rule.names is not None:
            for name in rule.names.names:
                self._by_name[name].append(rule)
            for oid in rule.names.oids:
                self._by_oid[oid].append(rule)
        elif match.app:
            for app in match.app:
                self._by_app[app].append(rule)
        elif match.vendor:
            for vendor in match.vendor:
                self._by_vendor[vendor].append(rule)
        else:
            self._anywhere.append(rule)

    def _plan(self, message: Message) -> _Plan:
        """Give the plan for messages of this name, application and vendor, and remember it."""
        found = {
            *self._by_name.get(message.name, ()),
            *self._by_oid.get(message.oid, ()),
            *self._by_app.get(message.app, ()),
            *self._by_vendor.get(message.vendor, ()),
            *(rule for rule in self._by_prefix if rule.is_named(message)),
        }
        found = {rule for rule in found if rule.is_of_class(message)}
        plan = self._plan_of_others
        if found:
            plan = _Plan(sorted((*found, *self._anywhere), key=attrgetter("place")))
        if len(self._plans) >= _MOST_PLANS:
            self._plans.clear()  # names are chosen by senders; what is wanted is soon there again
        self._plans[message.name, message.oid or message.app, message.vendor] = plan
        return plan


class _Rule:
    """One rule, compiled."""

    __slots__ = (
        "class_conditions", "conditions", "field_names", "group_sources", "is_settled", "labels",
        "literal", "looks_at_text_alone", "names", "pattern", "place", "source", "states",
        "verdicts", "word",
    )  # fmt: skip

    def __init__(self, place: int, source: EventRule) -> None:
        match = source.match
        self.place = place
        self.source = source
        patterns = match.trap or match.vendor_event
        self.names = NamePatterns(patterns, has_oids=bool(match.trap)) if patterns else None
        self.class_conditions = tuple(compile_class_conditions(match))
        self.conditions = tuple(compile_conditions(match))
        self.pattern = match.message
        self.word = mandatory_word(match.message.source) if match.message else ""
        self.literal = mandatory_literal(match.message.source) if match.message else ""
        self.labels = tuple((name, split_names(values)) for name, values in source.labels.items())
        self.group_sources = tuple(_group_sources(source))
        self.field_names = frozenset(_field_names(source))
        self.looks_at_text_alone = not (
            match.device or match.source or self.field_names & HEADER_FIELDS
        )
        self.states = tuple(
            StateChange(state, source.event)
            for state in (source.raised, source.cleared)
            if state is not None
        )
        self.is_settled = not (self.labels or self.states)
        self.verdicts = {
            severity: Verdict(
                event=source.event or OTHER,
                severity=source.severity or severity or UNKNOWN,
                action=Action(source.action),
                restarted=source.restart,
                rules=(source.name,),
            )
            for severity in ("", *SEVERITIES)
        }

    @property
    def state(self) -> tuple[str, ...]:
        """What becomes of a state by it; empty where it has none."""
        if not self.states:
            return ()
        return (CLEARED if self.source.raised is None else RAISED,)

    @property
    def decides_by_class(self) -> bool:
        """Whether it matches all of a class, with the same verdict but for the severity."""
        return not (self.conditions or self.pattern or self.source.goes_on or not self.is_settled)

    def is_named(self, message: Message) -> bool:
        """Whether the name or OID of the message is one of its names."""
        return self.names is None or self.names.holds(message)

    def is_of_class(self, message: Message) -> bool:
        """Whether it is for messages of this application and vendor."""
        return all(condition.holds(message) for condition in self.class_conditions)

    def matches(self, message: Message) -> bool:
        """Whether a message, of its names and class, meets its conditions."""
        for condition in self.conditions:
            if not condition.holds(message):
                return False
        if self.pattern is None:
            return True
        text = message.details.text()
        return self.literal in text and search(self.pattern, text) is not None

    def failed_condition(self, message: Message) -> str:
        """Give the first condition that does not hold, in words; "" if all do."""
        if self.names is not None and not self.names.holds(message):
            what = "trap" if self.source.match.trap else "vendor_event"
            return f"{what} is {self.names.words}"
        for condition in (*self.class_conditions, *self.conditions):
            if not condition.holds(message):
                return condition.words
        if self.pattern is not None and not search(self.pattern, message.details.text()):
            return f"message matches {self.pattern.source}"
        return ""

    def verdict(self, message: Message) -> Verdict:
        """Give what it says of a message that it matches."""
        severity = message.severity if message.severity in self.verdicts else ""
        verdict = self.verdicts[severity]
        if self.is_settled:
            return verdict
        values = Values(self.group_sources, message.details)
        changes = tuple([state.change(values) for state in self.states])
        labels = [(name, values.first(names)) for name, names in self.labels]
        return Verdict(
            verdict.event,
            verdict.severity,
            tuple([label for label in labels if label[1]]),
            changes,
            verdict.action,
            verdict.restarted,
            verdict.rules,
        )


class _Plan:
    """The rules to try for messages of one name, application and vendor, in their order."""

    __slots__ = ("_always", "_by_word", "looks_at_text_alone", "settled")

    def __init__(self, rules: Sequence[_Rule]) -> None:
        rules = list(_up_to_the_last(rules))
        first = next(iter(rules), None)
        self.looks_at_text_alone = all(rule.looks_at_text_alone for rule in rules)
        self.settled: Mapping[str, Verdict] | None = None
        if first is None:
            self.settled = _OF_NO_RULE
        elif first.decides_by_class:
            self.settled = first.verdicts
        self._always: list[_Rule] = []
        self._by_word: dict[str, list[_Rule]] = {}
        worded = [rule for rule in rules if rule.word]
        if len(worded) < _WORTH_WORDS:
            self._always = rules
            return
        self._always = [rule for rule in rules if not rule.word]
        for rule in worded:
            self._by_word.setdefault(rule.word, []).append(rule)

    def candidates(self, message: Message) -> Sequence[_Rule]:
        """Give the rules that may match, in their order."""
        if not self._by_word:
            return self._always
        hits = self._by_word.keys() & words_of(message.details.text())
        if not hits:
            return self._always
        found = [rule for word in hits for rule in self._by_word[word]]
        return sorted((*self._always, *found), key=attrgetter("place"))


def _up_to_the_last(rules: Iterable[_Rule]) -> Iterator[_Rule]:
    """Give the rules up to the first that matches all that it is tried on, and ends it."""
    for rule in rules:
        yield rule
        if not (rule.conditions or rule.pattern or rule.source.goes_on):
            return


def _judge(candidates: Iterable[_Rule], message: Message) -> Verdict:
    matching: list[_Rule] = []
    for rule in candidates:
        if rule.matches(message):
            if not rule.source.goes_on and not matching:
                return rule.verdict(message)
            matching.append(rule)
            if not rule.source.goes_on:
                break
    return _combine(matching, message)


def _combine(rules: Sequence[_Rule], message: Message) -> Verdict:
    """Put together what several rules say: the first word counts, changes and labels add up."""
    if not rules:
        return _OF_NO_RULE.get(message.severity, _OF_NO_RULE[""])
    verdicts = [rule.verdict(message) for rule in rules]
    if len(verdicts) == 1:
        return verdicts[0]
    labels: dict[str, str] = {}
    for verdict in verdicts:
        labels = {**dict(verdict.labels), **labels}
    events = (rule.source.event for rule in rules if rule.source.event)
    severities = (rule.source.severity for rule in rules if rule.source.severity)
    actions = {verdict.action for verdict in verdicts}
    return Verdict(
        event=next(events, OTHER),
        severity=next(severities, message.severity or UNKNOWN),
        labels=tuple(labels.items()),
        changes=tuple(change for verdict in verdicts for change in verdict.changes),
        action=next(action for action in _STRONGEST_FIRST if action in actions),
        restarted=any(verdict.restarted for verdict in verdicts),
        rules=tuple(name for verdict in verdicts for name in verdict.rules),
    )


def _group_sources(rule: EventRule) -> Iterator[tuple[str, Regex]]:
    """Give the patterns with named groups, and the field that each is for, "" for the message."""
    if rule.match.message is not None and rule.match.message.pattern.groupindex:
        yield "", rule.match.message
    for name, condition in rule.match.fields.items():
        if condition.matches is not None and condition.matches.pattern.groupindex:
            yield name, condition.matches


def _field_names(rule: EventRule) -> Iterator[str]:
    yield from rule.match.fields
    states = [state for state in (rule.raised, rule.cleared) if state is not None]
    lists = [*rule.labels.values(), *(state.key for state in states)]
    for alternatives in (*lists, *(state.instance for state in states)):
        for names in alternatives:
            yield from (name for name in names.split() if not name.startswith(CONSTANT))


_STRONGEST_FIRST: Final = (Action.DROP, Action.COUNT_ONLY, Action.RECORD)
_OF_NO_RULE: Final = {
    severity: Verdict(severity=severity or UNKNOWN) for severity in ("", *SEVERITIES)
}
