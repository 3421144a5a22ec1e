"""The overrides of a module by name, and which objects they are for.

A key is a name, ``MIB::name`` or an OID. The most specific key of an object counts, alone: an OID
before a qualified name before a plain one. A plain name is for every object that has it, as metric,
index or lookup, and may be written as the name of the metric (``digital_sen1_1``).
"""

from __future__ import annotations

from collections.abc import Mapping

from exporters.config.by_name.model import Override, is_oid
from exporters.smi.generator_rules import sanitize_name
from exporters.smi.mib_objects import MibObject
from exporters.wire.ber import encode_oid


class Overrides:
    """The overrides of a module, asked by object."""

    def __init__(self, overrides: Mapping[str, Override]) -> None:
        self._overrides = overrides
        self._keys_by_oid = {encode_oid(key): key for key in overrides if is_oid(key)}
        self._keys_by_name = {_folded(key): key for key in overrides if not is_oid(key)}
        self._used: set[str] = set()

    def key_of(self, item: MibObject) -> str | None:
        """Give the key that counts for *item*, if any does."""
        key = self._keys_by_oid.get(item.oid)
        if key is None:
            names = (_folded(item.qualified_name), item.name, sanitize_name(item.name))
            keys = (self._keys_by_name.get(name) for name in names)
            key = next((found for found in keys if found is not None), None)
        if key is not None:
            self._used.add(key)
        return key

    def of(self, item: MibObject) -> Override:
        """Give what a module says of *item*; an empty override where it says nothing."""
        key = self.key_of(item)
        return _NOTHING if key is None else self._overrides[key]

    def type_of(self, item: MibObject) -> str | None:
        """Give the type that a module gives to *item*, if it does."""
        return self.of(item).type

    def unused(self) -> tuple[str, ...]:
        """Give the keys that nobody has asked for so far."""
        return tuple(key for key in self._overrides if key not in self._used)


def _folded(name: str) -> str:
    """A name with its module in lower case, as the dictionary finds modules."""
    module, colons, own_name = name.rpartition("::")
    return module.lower() + colons + own_name


_NOTHING = Override()
