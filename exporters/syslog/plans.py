"""What is done with all messages of a class, worked out once for each class and set of rules."""

from __future__ import annotations

from typing import Final, NamedTuple

from exporters.config.event_taxonomy import UNKNOWN
from exporters.events.event import Action, Message, Verdict
from exporters.events.rules import RuleSet
from exporters.syslog.details import SyslogDetails
from exporters.wire.syslog_classes import MessageClass, MessageFormat

_MOST_REMEMBERED: Final = 50_000


class Plan(NamedTuple):
    """What is done with the messages of a class.

    Attributes:
        outcome: What becomes of them.
        facility: Label.
        severity: Label.
        vendor: Label.
        event: Label: the vendor's name of the event, if a rule names it.
        verdict: What the rules say of all of them; None: each must be judged.
        is_event: Whether they are events at all, as far as is settled.
        is_by_text: Whether those of one text have one verdict.
    """

    outcome: str
    facility: str
    severity: str
    vendor: str
    event: str
    verdict: Verdict | None
    is_event: bool
    is_by_text: bool


class Plans:
    """The plans for all classes that have come, by one set of rules.

    Attributes:
        rules: What messages are judged by.
        plain: Classes that are settled, and whose messages tell nothing of others.
        hidden: Those of settled classes whose messages are not shown.
        settled: The verdicts on classes that are settled.
    """

    def __init__(self, rules: RuleSet) -> None:
        self.rules = rules
        self.plain: set[MessageClass] = set()
        self.hidden: set[MessageClass] = set()
        self.settled: dict[MessageClass, Verdict] = {}
        self._plans: dict[MessageClass, Plan] = {}

    def plan(self, message_class: MessageClass) -> Plan:
        """Give the plan for a class."""
        plan = self._plans.get(message_class)
        if plan is None:
            plan = self._plans[message_class] = _plan(self.rules, message_class)
            if plan.verdict is not None:
                self.settled[message_class] = plan.verdict
                if plan.verdict.action is not Action.RECORD:
                    self.hidden.add(message_class)
                if not message_class.is_repeat:
                    self.plain.add(message_class)
        return plan

    def tidy(self) -> None:
        """Forget all if there is too much, of made-up shapes; what is wanted is soon there again.

        Events that are to be made of messages keep the verdicts that they need.
        """
        if len(self._plans) >= _MOST_REMEMBERED:
            self.plain, self.hidden, self.settled, self._plans = set(), set(), {}, {}


def _plan(rules: RuleSet, message_class: MessageClass) -> Plan:
    example = Message(
        "syslog",
        0.0,
        "",
        "",
        message_class.event,
        SyslogDetails(b"", message_class),
        severity=message_class.severity,
        facility=message_class.facility,
        app=message_class.app,
        vendor=message_class.vendor,
    )
    verdict = rules.settled(example)
    if message_class.format is MessageFormat.EMPTY:
        verdict = Verdict(action=Action.DROP)
    return Plan(
        outcome=message_class.format.value,
        facility=message_class.facility or UNKNOWN,
        severity=message_class.severity or UNKNOWN,
        vendor=message_class.vendor or UNKNOWN,
        event=rules.catalogue_name(example),
        verdict=verdict,
        is_event=verdict is None or verdict.action is not Action.DROP,
        is_by_text=rules.judges_by_text(example),
    )
