"""Which notification an OID is, by the OID dictionary.

Asked once for each OID and remembered, up to a number: OIDs are chosen by senders. Asking takes 0.1
ms, so senders outside of the inventory, who may make up as many as they like, have it asked so many
times a second and no more; what is beyond has no name. A trap that went
through version 1 has another OID than the MIB says (``exporters.wire.snmp_trap.oid_forms``); all
forms lead to the one that the MIB has.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, NamedTuple

from exporters.config.event_settings import RateLimit
from exporters.config.event_taxonomy import UNKNOWN
from exporters.events.sources import SourceLimiter
from exporters.smi.dictionary import Dictionary
from exporters.smi.mib_objects import Kind, MibObject
from exporters.wire.ber import Oid
from exporters.wire.snmp_trap import oid_forms

_MOST_REMEMBERED: Final = 20_000
_STRANGERS_PER_SECOND: Final = 500
_STRANGERS_AT_ONCE: Final = 2000


class Trap(NamedTuple):
    """A notification, as the dictionary knows it.

    Attributes:
        name: Its short name, ``linkDown``; empty where no module has it.
        oid: As the module has it; as it was sent where no module has it.
    """

    name: str
    oid: Oid


class Catalogue:
    """All notifications of a dictionary."""

    def __init__(
        self, dictionary: Dictionary, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._dictionary = dictionary
        self._monotonic = monotonic
        self._known: dict[Oid, Trap] = {}
        limit = RateLimit(per_second=_STRANGERS_PER_SECOND, burst=_STRANGERS_AT_ONCE)
        self._strangers = SourceLimiter(limit)

    def trap(self, oid: Oid, *, of_stranger: bool = False) -> Trap:
        """Give the notification that an OID stands for, in whatever form it came."""
        found = self._known.get(oid)
        if found is None:
            if of_stranger and not self._strangers.take(UNKNOWN, self._monotonic()):
                return Trap("", oid)
            found = self._look_up(oid)
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()  # made up; what is wanted is soon there again
            self._known[oid] = found
        return found

    def has_name(self, name: str) -> bool:
        """Whether a notification has that name."""
        return any(item.kind is Kind.NOTIFICATION for item in self._dictionary.by_name(name))

    def module_of(self, oid: Oid) -> str:
        """Give the MIB module that a notification is of; empty where none has it."""
        found = self._notification(oid)
        return "" if found is None else found.module

    def _look_up(self, oid: Oid) -> Trap:
        for form in oid_forms(oid):
            if found := self._notification(form):
                return Trap(found.name, form)
        return Trap("", oid)

    def _notification(self, oid: Oid) -> MibObject | None:
        named = (item for item in self._dictionary.at(oid) if item.kind is Kind.NOTIFICATION)
        return next(named, None)
