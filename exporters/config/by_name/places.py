"""What the names of a module mean in the OID dictionary.

A name is that of an object, qualified or not, or an OID, and numbers may follow that name an
instance: ``ifXTable``, ``IF-MIB::ifDescr``, ``ifDescr.3``, ``1.3.6.1.2.1.2``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from exporters.config.by_name.model import is_oid
from exporters.config.rejection import Rejected, quote
from exporters.smi.dictionary import Dictionary, UnknownNameError
from exporters.smi.mib_objects import Kind, MibObject
from exporters.wire.ber import Oid, encode_oid, encode_subids, parent_oid

LEAVES = frozenset((Kind.SCALAR, Kind.COLUMN))
SCALAR_INSTANCE = encode_subids([0])
_MIB_DIR = "--mib.dir names a directory with your own MIB files"


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the tree that a module names."""

    oid: Oid
    """Of the object: a subtree, or with *instance* the column or scalar of the instance."""
    item: MibObject | None
    """The object that was meant; None where only a number leads further down."""
    instance: bytes = b""

    @property
    def is_leaf(self) -> bool:
        """Whether it is a column or a scalar, or an instance of one."""
        return self.item is not None and self.item.kind in LEAVES


class Places:
    """Finds places by what a module writes.

    Every method raises ``Rejected`` for a name that means nothing, or not what is asked for.
    """

    def __init__(self, dictionary: Dictionary) -> None:
        self._dictionary = dictionary

    def find(self, text: str) -> Place:
        """Give the place that *text* names."""
        try:
            oid = encode_oid(text) if is_oid(text) else self._dictionary.parse_oid(text)
        except UnknownNameError as error:
            hint = "" if "did you mean" in str(error) else _MIB_DIR
            raise Rejected(_quoted(error, text), hint) from error
        except ValueError as error:
            raise Rejected(*_quoted(error, text).split(": ", 1)) from error
        found = self._dictionary.by_oid(oid)
        if found is None:
            raise Rejected(f"no MIB module knows what {quote(text)} is", _MIB_DIR)
        item, instance = found
        if not instance:
            return Place(oid, self._dictionary.find(text) or item)
        if item.kind in LEAVES:
            if item.kind is Kind.SCALAR and instance != SCALAR_INSTANCE:
                raise Rejected(f"{item.name} is a scalar", f"its only instance is {item.name}.0")
            return Place(item.oid, item, instance)
        if next(self._dictionary.subtree(oid), None) is None:
            problem = f"no MIB module knows what is at {quote(text)}, below {item.qualified_name}"
            raise Rejected(problem, _MIB_DIR)
        return Place(oid, None)

    def instance(self, text: str) -> Place:
        """Give the instance that *text* names; a scalar has only one."""
        place = self.find(text)
        if place.item is None or not place.is_leaf:
            raise Rejected(f"{quote(text)} is not a single value", "name it below walk")
        if not place.instance and place.item.kind is Kind.COLUMN:
            hint = f"name a row, as in {place.item.name}.1, or name the column below walk"
            raise Rejected(f"{quote(text)} is a column", hint)
        return Place(place.oid, place.item, place.instance or SCALAR_INSTANCE)

    def column(self, text: str) -> MibObject:
        """Give the column, or scalar, that *text* names."""
        return self._columns(text)[0]

    def column_near(self, text: str, metric: MibObject) -> MibObject:
        """Give the column that *text* names; of several, the one that *metric* is nearest to.

        MIB modules share names. A plain name means the column of the metric's own row, else that
        of its own module, else the best one.
        """
        columns = self._columns(text)
        row = parent_oid(metric.oid)
        in_row = [item for item in columns if parent_oid(item.oid) == row]
        in_module = [item for item in columns if item.module == metric.module]
        return next(iter((*in_row, *in_module, *columns)))

    def _columns(self, text: str) -> Sequence[MibObject]:
        """The columns and scalars that *text* may mean, the best first."""
        named = [item for item in self._dictionary.by_name(text) if item.kind in LEAVES]
        if named:
            return named
        place = self.find(text)
        if place.item is None or not place.is_leaf:
            raise Rejected(f"{quote(text)} is not a column")
        if place.instance:
            raise Rejected(f"{quote(text)} is a row of {place.item.name}", "name the column")
        return (place.item,)

    def leaves(self, place: Place) -> Iterator[tuple[MibObject, ...]]:
        """Give the scalars and columns at and below *place*, in the order of their OIDs.

        Several modules may define one OID: each comes with all objects that it has, those of the
        module that was named first, then the best.
        """
        named = "" if place.item is None else place.item.module
        for objects in self._dictionary.subtree(place.oid):
            found = [item for item in objects if item.kind in LEAVES]
            if found:
                yield tuple(sorted(found, key=lambda item: item.module != named))


def _quoted(error: ValueError, text: str) -> str:
    """The words of an error, with the text in double quotes as elsewhere."""
    return str(error).replace(repr(text), quote(text), 1)
