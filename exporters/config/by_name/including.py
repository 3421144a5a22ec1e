"""Modules that are made of others: ``include``.

A module has the lines of all that it includes, each module once, before its own. Where two say
different things of one thing, the one that includes the other has the last word; two that do not
are a clash, which a module that includes both can settle. How a device is asked is taken from
nobody.

A module in the form of ``snmp.yml`` can be included too: its metrics are taken as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from exporters.config.by_name.model import (
    NamedConstant,
    NamedFilters,
    NamedLookup,
    NamedModule,
    Override,
    Rename,
)
from exporters.config.rejection import Fault, KeyPath, Rejected, format_key_path, quote, suggest
from exporters.config.row_expression import RowExpression
from exporters.config.shipped_modules import shipped_file
from exporters.config.snmp_module import Module, WalkParameters
from exporters.config.snmp_relabel import Relabel

AnyModule = Module | NamedModule

_LISTS = ("walk", "get", "lookups", "where", "relabel", "constants")
_MAPPINGS: tuple[KeyPath, ...] = (
    ("overrides",),
    ("labels",),
    ("rename", "metrics"),
    ("rename", "labels"),
)
_MAX_DEPTH = 50
_SETTINGS = ("timeticks", "state_sets", "info_labels")


@dataclass(frozen=True, slots=True)
class Home:
    """A module, and the file that it is written in."""

    module: AnyModule
    path: Path


@dataclass(frozen=True, slots=True)
class JoinedModule:
    """A module with the lines of all that it includes; keys as ``NamedModule`` has them."""

    parameters: WalkParameters
    walk: tuple[str, ...]
    get: tuple[str, ...]
    lookups: tuple[NamedLookup, ...]
    overrides: Mapping[str, Override]
    filters: NamedFilters
    where: tuple[RowExpression, ...]
    labels: Mapping[str, str]
    rename: Rename
    relabel: tuple[Relabel, ...]
    constants: tuple[NamedConstant, ...]
    timeticks: str | None
    state_sets: tuple[str, ...] | bool | None
    info_labels: str | bool | None
    by_oid: tuple[Module, ...]
    origins: Mapping[KeyPath, tuple[str, KeyPath]]
    """Where each entry was written: the module, and the place in it."""

    def origin(self, at: KeyPath) -> tuple[str | None, KeyPath]:
        """Give the module that a place was written in, None for this one, and the place in that."""
        for end in range(len(at), 0, -1):
            found = self.origins.get(at[:end])
            if found is not None:
                return found[0], (*found[1], *at[end:])
        return None, at


def alone(named: NamedModule) -> JoinedModule:
    """Give a module that includes nothing."""
    return join("", {"": Home(named, Path())})


def join(name: str, homes: Mapping[str, Home]) -> JoinedModule:
    """Give the module *name*, which is written by name, with all that it includes.

    Raises:
        Rejected: It includes what there is not, or itself, or what clashes.
    """
    return _Joining(name, homes).join()


class _Joining:
    def __init__(self, name: str, homes: Mapping[str, Home]) -> None:
        self._name = name
        self._homes = homes
        self._order: list[str] = []
        """Every module once, those that are included before those that include them."""
        self._below: dict[str, set[str]] = {}
        """What each module includes, at whatever distance."""
        self._origins: dict[KeyPath, tuple[str, KeyPath]] = {}
        self._faults: list[Fault] = []

    def join(self) -> JoinedModule:
        """Tell the steps."""
        self._visit(self._name, ())
        lists: dict[str, Any] = {key: self._list(key) for key in _LISTS}
        static = self._entries(("filters", "static"))
        dynamic = self._entries(("filters", "dynamic"))
        mappings = {at: self._mapping(at) for at in _MAPPINGS}
        settings = {key: self._setting(key) for key in _SETTINGS}
        own = self._homes[self._name].module
        if self._faults:
            raise Rejected(self._faults)
        by_oid = (self._homes[name].module for name in self._order)
        return JoinedModule(
            parameters=own,
            filters=NamedFilters(static=tuple(static), dynamic=tuple(dynamic)),
            overrides=mappings[("overrides",)],
            labels=mappings[("labels",)],
            rename=Rename(
                metrics=mappings[("rename", "metrics")], labels=mappings[("rename", "labels")]
            ),
            by_oid=tuple(module for module in by_oid if isinstance(module, Module)),
            origins=self._origins,
            **lists,
            **settings,
        )

    # Which modules

    def _visit(self, name: str, path: tuple[str, ...]) -> None:
        """Put what *name* includes into the order, then itself."""
        module = self._homes[name].module
        below = self._below[name] = set()
        for place, other in enumerate(getattr(module, "include", ())):
            at = ("include", place)
            if len(path) >= _MAX_DEPTH:
                fault = Fault(f"more than {_MAX_DEPTH} modules include one another", at=at)
                self._refuse(name, fault)
            elif other in (*path, name):
                chain = " includes ".join([*path[[*path, name].index(other) :], name, other])
                self._refuse(name, Fault(f"{chain}: a circle", "drop one of them", at))
            elif other not in self._homes:
                known = [known for known in self._homes if known != name]
                shipped = shipped_file(other)
                hint = (
                    f"it ships with netexporters: name {shipped} as a further file"
                    if shipped
                    else suggest(other, known, "modules of these files")
                )
                self._refuse(name, Fault(f"there is no module {quote(other)}", hint, at))
            else:
                if other not in self._below:
                    self._visit(other, (*path, name))
                below |= {other, *self._below[other]}
        self._order.append(name)

    def _refuse(self, name: str, fault: Fault) -> None:
        """Note a fault at its place in the module *name*."""
        if name == self._name:
            self._faults.append(fault)
        else:  # its own load tells it; this one cannot go on without it
            place = self._homes[self._name].module
            included = list(getattr(place, "include", ()))
            through = next(
                (
                    n
                    for n, each in enumerate(included)
                    if name in {each, *self._below.get(each, ())}
                ),
                0,
            )
            problem = f"{name} cannot be included: {fault.problem}"
            self._faults.append(Fault(problem, fault.hint, ("include", through)))

    # What they say

    def _named(self) -> Iterator[tuple[str, NamedModule]]:
        for name in self._order:
            module = self._homes[name].module
            if isinstance(module, NamedModule):
                yield name, module

    def _list(self, key: str) -> tuple[Any, ...]:
        if key == "lookups":
            return self._distinct(("lookups",), lambda item: (item.source_indexes, label_of(item)))
        if key == "constants":
            return self._distinct(("constants",), lambda item: item.name)
        return tuple(self._entries((key,)))

    def _entries(self, key: KeyPath) -> list[Any]:
        """The entries of a list in all modules, without those that another module has too."""
        found: list[Any] = []
        for name, module in self._named():
            others = len(found)
            for place, item in enumerate(_at(module, key)):
                if item not in found[:others]:
                    self._note((*key, len(found)), name, (*key, place))
                    found.append(item)
        return found

    def _distinct(self, key: KeyPath, key_of: Callable[[Any], Hashable]) -> tuple[Any, ...]:
        """The entries of a list, one for each key within two modules that do not agree."""
        said: dict[Hashable, list[tuple[str, KeyPath, Any]]] = {}
        for name, module in self._named():
            own: dict[Hashable, int] = {}
            for place, item in enumerate(_at(module, key)):
                known = key_of(item)
                own[known] = own.get(known, -1) + 1  # a module may give one label several lookups
                said.setdefault((known, own[known]), []).append((name, (*key, place), item))
        found: list[Any] = []
        for entries in said.values():
            name, at, item = self._last_word(entries)
            self._note((*key, len(found)), name, at)
            found.append(item)
        return tuple(found)

    def _mapping(self, at: KeyPath) -> Mapping[Any, Any]:
        said: dict[str, list[tuple[str, KeyPath, Any]]] = {}
        modules: Iterable[tuple[str, AnyModule]] = self._named()
        if at == ("labels",):
            modules = ((name, self._homes[name].module) for name in self._order)
        for name, module in modules:
            for key, value in _at(module, at).items():
                said.setdefault(key, []).append((name, (*at, key), value))
        found: dict[str, Any] = {}
        for key, entries in said.items():
            name, place, found[key] = self._last_word(entries)
            self._note((*at, key), name, place)
        return MappingProxyType(found)

    def _setting(self, key: str) -> Any:
        said = [
            (name, (key,), value)
            for name, module in self._named()
            if (value := getattr(module, key)) is not None
        ]
        if not said:
            return None
        name, at, value = self._last_word(said)
        self._note((key,), name, at)
        return value

    def _last_word(self, said: Sequence[tuple[str, KeyPath, Any]]) -> tuple[str, KeyPath, Any]:
        """Of what several modules say of one thing, what counts."""
        last = said[-1]
        for name, at, value in said[:-1]:
            if value != last[2] and name not in self._below[last[0]]:
                shown = format_key_path(at)
                if isinstance(value, NamedLookup):
                    shown = f"the lookup of the label {label_of(value)}"
                problem = f"{name} and {last[0]} differ in {shown}"
                hint = "say here which it is"
                include = list(getattr(self._homes[self._name].module, "include", ()))
                place = next(
                    n for n, each in enumerate(include) if last[0] in {each, *self._below[each]}
                )
                self._faults.append(Fault(problem, hint, ("include", place)))
        return last

    def _note(self, at: KeyPath, name: str, origin: KeyPath) -> None:
        if name != self._name or at != origin:
            self._origins[at] = (name, origin)


def label_of(item: NamedLookup) -> str:
    """Give the label that a lookup makes, as it is written."""
    return item.labelname or item.columns[0].rpartition("::")[2]


def _at(module: object, path: KeyPath) -> Any:
    for key in path:
        module = getattr(module, str(key))
    return module
