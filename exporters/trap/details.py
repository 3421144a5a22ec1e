"""What a trap says, decoded when somebody asks.

Most traps are only counted. What rules and pages want to know is read from the bytes that came,
which are kept as long as the event is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from exporters.events.event import Remarks
from exporters.trap.objects import Objects, Value, oid_text
from exporters.wire.ber import Oid
from exporters.wire.snmp_message import VarBind, decode_varbinds
from exporters.wire.tags import NULL

_MOST_SHOWN: Final = 64
_LONGEST_VALUE_CHARACTERS: Final = 1024
_NO_VALUE: Final = frozenset((NULL, 0x80, 0x81, 0x82))


class TrapDetails:
    """The varbinds of one trap, in the words of ``exporters.events``."""

    __slots__ = ("_name", "_objects", "_start", "_varbinds")

    def __init__(
        self,
        objects: Objects,
        name: str | Oid,
        varbinds: bytes | Sequence[VarBind],
        start: int = 0,
    ) -> None:
        """Keep varbinds, decoded, or a message that ends with encoded ones.

        Args:
            objects: What varbinds are called.
            name: The trap's, or its OID.
            varbinds: The varbinds, or a whole message, which is known to be right.
            start: Where in the message they begin.
        """
        self._objects = objects
        self._name = name
        self._varbinds = varbinds
        self._start = start

    def field(self, name: str) -> Value | None:
        """Give the value of the first varbind of that object, or the index of its row."""
        wants_index, objects = self._objects.named(name)
        if not objects:
            return None
        varbinds = self._varbinds
        if isinstance(varbinds, bytes):
            varbinds = self._decoded()
        for prefix, known in objects:
            for oid, tag, content in varbinds:
                if oid.startswith(prefix):
                    if wants_index:
                        return known.index(oid[len(prefix) :])
                    return None if tag in _NO_VALUE else known.value(tag, content)
        return None

    def fields(self) -> Mapping[str, Value]:
        """Give all varbinds by the names of their objects; where two are alike, with the index."""
        found: dict[str, Value] = {}
        for name, index, value in self._named():
            found[f"{name}.{index}" if name in found and index else name] = value
        return found

    def text(self) -> str:
        """Give the trap and its varbinds in one line."""
        varbinds = ", ".join(
            f"{name}.{index}={value}" if index else f"{name}={value}"
            for name, index, value in self._named()
        )
        name = self._name if isinstance(self._name, str) else oid_text(self._name)
        return f"{name}: {varbinds}" if varbinds else name

    def remarks(self, received_at: float) -> Remarks:
        """Give nothing: a trap says no more of itself."""
        return Remarks()

    def _decoded(self) -> Sequence[VarBind]:
        varbinds = self._varbinds
        if isinstance(varbinds, bytes):
            varbinds = decode_varbinds(varbinds, self._start, len(varbinds))
            self._varbinds = varbinds
        return varbinds

    def _named(self) -> Iterator[tuple[str, str, Value]]:
        for oid, tag, content in self._decoded()[:_MOST_SHOWN]:
            instance = self._objects.instance(oid)
            known = instance.object
            value = "" if tag in _NO_VALUE else known.value(tag, content)
            if isinstance(value, str) and len(value) > _LONGEST_VALUE_CHARACTERS:
                value = value[:_LONGEST_VALUE_CHARACTERS] + "..."
            yield known.name, instance.index, value
