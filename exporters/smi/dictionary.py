"""The OID dictionary: what names and OIDs mean, according to MIB modules.

A dictionary is one or several stores of compiled modules, the first before the next: a user's own
modules stand before those that ship, and a module of a user replaces the shipped one of that name
as a whole. Names are qualified by their module everywhere, because modules share names: ``by_name``
gives all that have a name, the best first.

Best is, of objects with one name or one OID: what a standard defines; what an earlier store has;
SMIv2 before SMIv1; what is current rather than deprecated; the later revision.

Looking up takes some ten microseconds, and a file is read the first time that something of its
module is asked for. Nothing of compiling is imported here.

Sources: RFC 2578 section 3.5 (object identifiers as instances), net-snmp's way to write them.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from exporters.errors import WireError
from exporters.smi.instance_names import (
    InstancePart,
    format_instance,
    instance_parts,
    parse_instance,
)
from exporters.smi.mib_objects import Convention, IndexPart, Kind, LinkedModule, MibObject
from exporters.smi.mib_store import MibStore
from exporters.smi.near_names import KnownNames, match_rank, nearest_name
from exporters.wire.ber import (
    Oid,
    decode_oid,
    decode_subids,
    encode_oid,
    encode_subids,
    format_oid,
    parent_oid,
)

Arcs = tuple[int, ...]

STANDARD_FOLDERS = ("iana/", "ieee/", "ietf/")
"""Folders of a store whose modules are those of a standard, wherever else they are found."""

_SMI = "SNMPv2-SMI"
_LEAVES = frozenset((Kind.COLUMN, Kind.SCALAR))
_FRAMEWORK = frozenset((Kind.NODE, Kind.GROUP, Kind.COMPLIANCE, Kind.CAPABILITIES))
"""What holds a module together, and nobody reads from a device."""
_SHORTEST_INNER_SEARCH = 3

_Rank = tuple[Any, ...]
"""What sorts the best first."""


class UnknownNameError(ValueError):
    """A name or an OID that the dictionary cannot place; the message says what may be meant."""


@dataclass(frozen=True, slots=True)
class Child:
    """A place in the tree below another one."""

    oid: Oid
    objects: tuple[MibObject, ...]
    """What is defined there, the best first; empty for a number that only leads further down."""


class Dictionary:
    """The modules of several stores, as one; an empty one knows no name."""

    def __init__(self, stores: Sequence[MibStore] = ()) -> None:
        self.stores = tuple(stores)
        self._hidden: list[set[str]] = []
        seen: set[str] = set()
        for store in self.stores:
            self._hidden.append(seen & store.modules.keys())
            seen = seen | store.modules.keys()
        self._standards = {
            entry.name
            for store in self.stores
            for entry in store.modules.values()
            if entry.file.startswith(STANDARD_FOLDERS)
        }
        self._module_ranks: dict[tuple[int, str], _Rank] = {}
        self._last: MibObject | None = None
        self._by_lower_case: dict[str, str] | None = None
        self._parts: dict[str, tuple[InstancePart, ...]] = {}
        self._names: KnownNames | None = None

    # Modules

    def _module_named(self, name: str) -> str:
        """The module of that name, else one whose name differs in case, else the name itself."""
        if any(name in store.modules for store in self.stores):
            return name
        if self._by_lower_case is None:
            self._by_lower_case = {known.lower(): known for known in self.modules}
        return self._by_lower_case.get(name.lower(), name)

    @property
    def modules(self) -> list[str]:
        """The names of all modules, sorted."""
        return sorted({name for store in self.stores for name in store.modules})

    def module(self, name: str) -> LinkedModule | None:
        """A module as a whole."""
        for store in self.stores:
            if name in store.modules:
                return store.linked(name)
        return None

    def conventions(self, module: str) -> tuple[Convention, ...]:
        """The textual conventions that a module defines or uses."""
        linked = self.module(module)
        return () if linked is None else linked.conventions

    # By name

    def by_name(self, name: str) -> tuple[MibObject, ...]:
        """All objects with that name, the best first."""
        return _ranked(
            [
                (self._rank(place, item), item)
                for place, store in enumerate(self.stores)
                for item in store.by_name(name)
                if item.module not in self._hidden[place]
            ]
        )

    def by_qualified(self, name: str) -> MibObject | None:
        """The object ``MIB::name``, or None.

        Where no module is called so, one that differs in case is meant: vendors call their modules
        otherwise from one revision to the next (PowerNet-MIB, POWERNET-MIB).
        """
        module, _, own_name = name.partition("::")
        module = self._module_named(module)
        for store in self.stores:
            if module in store.modules:
                return next(store.text(module).by_name(own_name), None)
        return None

    def find(self, name: str) -> MibObject | None:
        """The object ``MIB::name``, or the best one of that name, or None."""
        if "::" in name:
            return self.by_qualified(name)
        return next(iter(self.by_name(name)), None)

    def parse_oid(self, text: str) -> Oid:
        """Read an OID that may start with a name.

        Examples: ``1.3.6.1.2.1.1.3.0``, ``sysUpTime.0``, ``IF-MIB::ifDescr``, ``ifDescr.3``, and
        whatever ``format_oid_named`` writes: ``vacmAccessStatus."admin"."".3.authPriv``.

        Raises:
            UnknownNameError: No module has the name, or what follows it is no instance.
        """
        stripped = text.strip().removeprefix(".")
        if stripped[:1].isdigit():
            try:
                return encode_oid(stripped)
            except ValueError as error:
                if stripped.partition(".")[0].isdigit():
                    raise UnknownNameError(str(error)) from error
        name, _, instance = stripped.partition(".")
        item = self.find(name)
        if item is None:
            raise UnknownNameError(f"no MIB module has the name {name!r}{self._suggestion(name)}")
        try:
            return item.oid + encode_subids(parse_instance(self._instance_parts(item), instance))
        except ValueError as error:
            problem = f"{text!r}: what follows {name} is no instance of it: {error}"
            raise UnknownNameError(problem) from error

    def _suggestion(self, name: str) -> str:
        module, _, own_name = name.rpartition("::")
        if module and module not in self.modules:
            close = difflib.get_close_matches(module, self.modules, n=1, cutoff=0.5)
            hint = f", did you mean {close[0]}?" if close else ""
            return f": there is no module {module}{hint}"
        if module:
            linked = self.module(module)
            near = nearest_name(own_name, [item.name for item in linked.objects] if linked else ())
        else:
            if self._names is None:
                self._names = KnownNames(self._object_names())
            near = self._names.nearest(own_name)
        return f", did you mean {near}?" if near else ""

    def _object_names(self) -> Iterator[bytes]:
        for store, hidden in zip(self.stores, self._hidden, strict=True):
            for module in store.modules.keys() - hidden:
                yield from store.object_names(module)

    # By OID

    def by_oid(self, oid: Oid) -> tuple[MibObject, bytes] | None:
        """The nearest object at or above *oid*, and the sub-identifiers that follow it.

        What lies below a scalar or a column is an instance of it, also where a module names that
        instance (``sysUpTimeInstance``). None where nothing is known above *oid*, or it is none.
        """
        last = self._last
        if last is not None and oid.startswith(last.oid):  # nothing is defined below a column
            return last, oid[len(last.oid) :]
        try:
            arcs = decode_oid(oid)
        except WireError:
            return None
        found = self._nearest(arcs)
        if not found:
            return None
        item = found[0]
        if item.kind is Kind.NODE:
            above = self._nearest(decode_oid(item.oid)[:-1])
            if above and above[0].kind in _LEAVES:
                item = above[0]
        if item.kind in _LEAVES:
            self._last = item
        return item, oid[len(item.oid) :]

    def _nearest(self, arcs: Arcs) -> tuple[MibObject, ...]:
        """The objects at the nearest place at or above *arcs*, the best first."""
        deepest: Arcs = ()
        places: list[tuple[int, str]] = []
        for place, store in enumerate(self.stores):
            at, modules = self._nearest_in(place, store, arcs)
            if len(at) > len(deepest):
                deepest, places = at, []
            if len(at) == len(deepest):
                places.extend((place, module) for module in modules)
        return self._objects(deepest, places)

    def _nearest_in(self, place: int, store: MibStore, arcs: Arcs) -> tuple[Arcs, tuple[str, ...]]:
        while arcs and (found := store.nearest(arcs)):
            at, modules = found
            shown = tuple(module for module in modules if module not in self._hidden[place])
            if shown:
                return at, shown
            arcs = at[:-1]
        return (), ()

    def _objects(self, arcs: Arcs, places: Iterable[tuple[int, str]]) -> tuple[MibObject, ...]:
        found = [
            (self._rank(place, item), item)
            for place, module in places
            for item in self.stores[place].text(module).at(arcs)
        ]
        return _ranked(found)

    def at(self, oid: Oid) -> tuple[MibObject, ...]:
        """All objects with exactly that OID, the best first."""
        try:
            arcs = decode_oid(oid)
        except WireError:
            return ()
        places = [
            (place, module)
            for place, store in enumerate(self.stores)
            for module in store.modules_at(arcs)
            if module not in self._hidden[place]
        ]
        return self._objects(arcs, places)

    def children(self, oid: Oid = b"") -> list[Child]:
        """The places right below *oid*, in their order; of the whole tree for an empty OID.

        The first byte of an OID carries two numbers, so the highest places are 0.0, 1.0, 1.3, ...
        """
        above: Arcs = decode_oid(oid) if oid else ()
        depth = len(above) + 1 if oid else 2
        found: list[Child] = []
        arcs = self._following((*above, 0))
        while arcs is not None and arcs[: len(above)] == above:
            if len(arcs) < depth:
                arcs = self._following((*arcs, 0))
                continue
            child = encode_oid(".".join(map(str, arcs[:depth])))
            found.append(Child(child, self.at(child)))
            arcs = self._following((*arcs[: depth - 1], arcs[depth - 1] + 1))
        return found

    def subtree(self, oid: Oid) -> Iterator[tuple[MibObject, ...]]:
        """What is defined at *oid* and below it, place by place in their order.

        Each place comes with all objects that are defined there, the best first. This reads whole
        stretches of modules at once, which is faster than going down with ``children``.
        """
        above = decode_oid(oid)
        found: dict[Arcs, list[tuple[int, MibObject]]] = {}
        for place, store in enumerate(self.stores):
            for module in store.modules_below(above) - self._hidden[place]:
                for arcs, item in store.text(module).subtree(above):
                    found.setdefault(arcs, []).append((place, item))
        for arcs in sorted(found):
            items = found[arcs]
            if len(items) == 1:
                yield (items[0][1],)
            else:
                yield _ranked([(self._rank(place, item), item) for place, item in items])

    def _following(self, arcs: Arcs) -> Arcs | None:
        """The first OID of any object that is *arcs* or comes after it."""
        found: Arcs | None = None
        for place, store in enumerate(self.stores):
            candidate = store.following(arcs)
            while candidate is not None and self._is_hidden(place, store, candidate):
                candidate = store.following((*candidate, 0))
            if candidate is not None and (found is None or candidate < found):
                found = candidate
        return found

    def _is_hidden(self, place: int, store: MibStore, arcs: Arcs) -> bool:
        hidden = self._hidden[place]
        return bool(hidden) and hidden.issuperset(store.modules_at(arcs))

    def format_oid_named(self, oid: Oid) -> str:
        """Write an OID with a name as far as one is known.

        Examples: ``IF-MIB::ifDescr.1``, ``SNMPv2-SMI::enterprises.99999.1``, and with labels and
        text of the index ``SNMP-VIEW-BASED-ACM-MIB::vacmAccessStatus."admin"."".3.authPriv``. An
        OID of which nothing is known, or that is none, is written in numbers, or in hexadecimal.
        """
        found = self.by_oid(oid)
        try:
            if found is None:
                return format_oid(oid)
            item, instance = found
            if not instance:
                return item.qualified_name
            subids = decode_subids(instance)
        except WireError:
            return oid.hex()
        return f"{item.qualified_name}.{format_instance(self._instance_parts(item), subids)}"

    def _instance_parts(self, item: MibObject) -> tuple[InstancePart, ...]:
        parts = self._parts.get(item.qualified_name)
        if parts is None:
            parts = instance_parts(self.indexes_of(item) if item.kind is Kind.COLUMN else ())
            self._parts[item.qualified_name] = parts
        return parts

    # Relations

    def row_of(self, item: MibObject) -> MibObject | None:
        """The row of a column; a row is its own."""
        if item.kind is Kind.ROW:
            return item
        if item.kind is not Kind.COLUMN:
            return None
        parents = self.at(parent_oid(item.oid))
        same_module = (above for above in parents if above.module == item.module)
        rows = [above for above in (*same_module, *parents) if above.kind is Kind.ROW]
        return rows[0] if rows else None

    def indexes_of(self, item: MibObject) -> tuple[tuple[IndexPart, MibObject | None], ...]:
        """The index of a row, or of the row of a column, with the objects that it names.

        An index that no module defines, or that is a type (SMIv1), comes without an object.
        """
        row = self.base_row_of(item)
        parts = row.indexes if row is not None else ()
        return tuple((part, self._index_object(part)) for part in parts)

    def base_row_of(self, item: MibObject) -> MibObject | None:
        """The row of a column, or if that augments another one, the row that it augments."""
        row = self.row_of(item)
        seen: set[str] = set()
        while row is not None and row.augments and row.qualified_name not in seen:
            seen.add(row.qualified_name)
            row = self.find(row.augments)
        return row

    def _index_object(self, part: IndexPart) -> MibObject | None:
        return self.by_qualified(part.qualified_name) if part.module else None

    def columns_of(self, item: MibObject) -> list[MibObject]:
        """The columns of a table or a row, in their order, as the module of the row has them."""
        row = item
        if item.kind is Kind.TABLE:
            rows = (found for child in self.children(item.oid) for found in child.objects)
            row = next((found for found in rows if found.kind is Kind.ROW), item)
        if row.kind is not Kind.ROW:
            return []
        columns: list[MibObject] = []
        for child in self.children(row.oid):
            here = sorted(child.objects, key=lambda found: found.module != row.module)
            columns.extend(found for found in here[:1] if found.kind is Kind.COLUMN)
        return columns

    # Searching

    def search(self, text: str, limit: int = 100) -> list[MibObject]:
        """Objects that *text* finds, the best first: a name, a part of one, or an OID.

        ``MIB::part`` looks in one module. Up to two letters find only names that start with them.
        """
        text = text.strip()
        if not text:
            return []
        if text.removeprefix(".").replace(".", "").isdigit():
            return self._search_oid(text.strip("."))[:limit]
        module, _, part = text.rpartition("::")
        inside = len(part) >= _SHORTEST_INNER_SEARCH
        # One name at one OID is one object, whichever modules repeat it.
        best: dict[tuple[str, str], tuple[_Rank, int, str]] = {}
        for place, store in enumerate(self.stores):
            for owner, oid, kind, name in store.search(part, inside=inside, within=module):
                if owner in self._hidden[place]:
                    continue
                foreign, *rest = self._module_rank(place, owner)
                match = match_rank(name, part)
                rank = (match, foreign, kind in _FRAMEWORK, len(name), name, *rest)
                known = best.get((oid, name))
                if known is None or rank < known[0]:
                    best[oid, name] = (rank, place, owner)
        ranked = sorted(best, key=lambda key: best[key][0])[:limit]
        return [self._object_at(oid, name, *best[oid, name][1:]) for oid, name in ranked]

    def _object_at(self, oid: str, name: str, place: int, module: str) -> MibObject:
        items = self.stores[place].text(module).at(tuple(map(int, oid.split("."))))
        return next(item for item in items if item.name == name)

    def _search_oid(self, text: str) -> list[MibObject]:
        try:
            oid = encode_oid(text)
        except ValueError:
            return []
        nearest = list(self._nearest(decode_oid(oid)))
        if not nearest or nearest[0].oid != oid:
            return nearest
        return nearest + [child.objects[0] for child in self.children(oid) if child.objects]

    def _rank(self, place: int, item: MibObject) -> _Rank:
        standard, store, smi, version, *revision = self._module_rank(place, item.module)
        return (standard, store, smi, version, item.status != "current", *revision)

    def _module_rank(self, place: int, module: str) -> _Rank:
        """Smaller is better: which of several modules is to be believed."""
        rank = self._module_ranks.get((place, module))
        if rank is None:
            entry = self.stores[place].modules[module]
            newest_first = tuple(-int(part) for part in entry.revision.split("-") if part)
            rank = (
                module not in self._standards,
                place,
                module != _SMI,  # the roots are its, whoever repeats them
                -entry.smi_version,
                not newest_first,
                newest_first,
                module,
            )
            self._module_ranks[place, module] = rank
        return rank


def _ranked(found: list[tuple[_Rank, MibObject]]) -> tuple[MibObject, ...]:
    return tuple(item for _, item in sorted(found, key=lambda pair: pair[0]))
