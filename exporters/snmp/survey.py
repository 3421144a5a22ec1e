"""Which of the loaded modules an agent has anything for: ``auto`` instead of the name of a module.

An agent is asked with GetNext what follows the roots of modules. Each answer tells more than that:
between what was asked and what came there is nothing, so all roots between are absent, without a
question. Of some thousand roots, of modules for the devices of all vendors, a few dozen are asked.

A module counts by the objects that its metrics are made of, not those of its labels: names of
interfaces are everywhere. Of a module with metrics below ``enterprises``, only those count, because
a vendor's module reads standard tables beside its own. Of others, the group ``system`` does not
count, unless they have nothing else.

Nothing here sends or remembers: ``exporters.snmp.module_choice`` does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from exporters.polling.cursor import is_after
from exporters.smi.subtrees import covering, outermost
from exporters.snmp.plan import ModulePlan
from exporters.wire.ber import Oid, decode_subids, encode_oid, encode_subids
from exporters.wire.snmp_message import VarBind
from exporters.wire.tags import EXCEPTIONS

_ENTERPRISES: Final = encode_oid("1.3.6.1.4.1")
_SYSTEM: Final = encode_oid("1.3.6.1.2.1.1")
_LAST_SUBID: Final = (1 << 32) - 1


@dataclass(frozen=True, slots=True)
class Root:
    """A part of the tree that modules read; *asked* is the name whose successor may lie in it."""

    oid: Oid
    asked: Oid


class Candidates:
    """The modules to choose from, in the order of the configuration, and their roots in theirs."""

    def __init__(self, plans: Mapping[str, ModulePlan]) -> None:
        self.names = tuple(plans)
        self._metrics = {name: _metric_names(plan) for name, plan in plans.items()}
        modules: dict[Root, list[str]] = {}
        for name, plan in plans.items():
            for root in telling_roots(plan):
                modules.setdefault(root, []).append(name)
        self.roots = tuple(sorted(modules, key=lambda root: decode_subids(root.oid)))
        self.modules = tuple(frozenset(modules[root]) for root in self.roots)

    def choose(self, answered: Iterable[str]) -> tuple[list[str], dict[str, str]]:
        """Choose from the modules that were *answered*.

        Gives those that are to be read, and those left out, each with a module that has all metrics
        of it and more, or the same and comes first.
        """
        found = set(answered)
        by_size = sorted(
            (name for name in self.names if name in found),
            key=lambda name: len(self._metrics[name]),
            reverse=True,
        )
        chosen: list[str] = []
        covered: dict[str, str] = {}
        for name in by_size:
            larger = next((o for o in chosen if self._metrics[name] <= self._metrics[o]), None)
            if larger is None:
                chosen.append(name)
            else:
                covered[name] = larger
        return [name for name in self.names if name in chosen], covered


def _metric_names(plan: ModulePlan) -> frozenset[str]:
    names = [metric.name for metric in plan.module.metrics]
    return frozenset([*names, *(constant.name for constant in plan.module.constants)])


def telling_roots(plan: ModulePlan) -> set[Root]:
    """The roots of which one at least must have an object for the module to be chosen."""
    roots = set(_roots_of_metrics(plan))
    own = {root for root in roots if root.oid.startswith(_ENTERPRISES)}
    own = own or {root for root in roots if not root.oid.startswith(_SYSTEM)}
    return own or roots


def _roots_of_metrics(plan: ModulePlan) -> Iterator[Root]:
    """The tables of columns, and whatever else is read that metrics are made of."""
    columns = outermost(
        [*(item.column for item in plan.ranges), *(item.column for item in plan.instances)]
    )
    of_metrics = {covering(columns, metric.oid) for metric in plan.module.metrics}
    for item in plan.ranges:
        if item.column in of_metrics:
            if item.root != item.column or item.root.endswith(b"\0"):
                yield Root(item.root, _just_before(item.root))
            else:
                root = item.root if item.scalar else item.table
                yield Root(root, root)
    for instance in plan.instances:
        if instance.column in of_metrics:
            yield Root(instance.oid, _just_before(instance.oid))


def _just_before(oid: Oid) -> Oid:
    """A name whose successor may be *oid* itself."""
    *above, last = decode_subids(oid)
    return encode_subids([*above, last - 1, _LAST_SUBID] if last else above)


class Survey:
    """What is known of the candidates' roots in one agent; answers come in one by one."""

    def __init__(self, candidates: Candidates) -> None:
        self._roots = candidates.roots
        self._modules = candidates.modules
        self._open = dict.fromkeys(range(len(self._roots)))
        """The places of roots of which nothing is known."""
        self.answered: dict[str, Oid] = {}
        """Modules that have an object, and which one."""

    def next_places(self, most: int) -> list[int]:
        """The places of the roots to ask for next, spread over what is open; none if all is known.

        Roots of modules that were answered need not be known.
        """
        found = self.answered.keys()
        places = [place for place in self._open if not found >= self._modules[place]]
        count = min(most, len(places))
        return [places[number * len(places) // count] for number in range(count)]

    def asked(self, place: int) -> Oid:
        """The name that the root at *place* is asked for by."""
        return self._roots[place].asked

    def take(self, first: int, answer: VarBind | None) -> None:
        """Take in what follows the name that the root at *first* is asked by; None if unknown."""
        asked = self._roots[first].asked
        open_places = [place for place in self._open if place >= first]
        self._open.pop(first, None)
        if answer is None:
            return
        oid, tag, _ = answer
        ended = tag in EXCEPTIONS
        if not ended and not is_after(oid, asked):
            return  # an agent that goes back tells of nothing else
        for place in open_places:
            root = self._roots[place]
            inside = not ended and oid.startswith(root.oid)
            if not ended and not inside and not is_after(oid, root.oid):
                return
            if is_after(asked, root.asked):
                continue  # this root starts before what was asked
            self._open.pop(place, None)
            if inside:
                for module in self._modules[place]:
                    self.answered.setdefault(module, oid)
