"""What a MIB module defines, resolved: objects, their syntax, and textual conventions.

These are the values that the dictionary answers with. They hold facts: names, OIDs, types, numbers.
Descriptions are not among them but for ``help``, the first sentence, which is kept of a user's own
files alone and is empty in whatever ships.

Sources: RFC 2578 section 7 (OBJECT-TYPE), section 8 (NOTIFICATION-TYPE), RFC 2579 section 3
(TEXTUAL-CONVENTION).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from exporters.wire.ber import Oid, format_oid

BASE_TYPES = frozenset(
    (
        "BITS", "Counter32", "Counter64", "Gauge32", "INTEGER", "Integer32", "IpAddress", "NULL",
        "NetworkAddress", "NsapAddress", "OBJECT IDENTIFIER", "OCTET STRING", "Opaque",
        "TimeTicks", "UInteger32", "Unsigned32",
    )
)  # fmt: skip
"""The types that SMIv1 and SMIv2 themselves have; ``Counter`` and ``Gauge`` are the 32-bit ones."""


class Kind(StrEnum):
    """What an object is."""

    SCALAR = "scalar"
    TABLE = "table"
    ROW = "row"
    COLUMN = "column"
    NOTIFICATION = "notification"
    IDENTITY = "identity"
    NODE = "node"
    GROUP = "group"
    COMPLIANCE = "compliance"
    CAPABILITIES = "capabilities"


@dataclass(frozen=True, slots=True)
class Convention:
    """A textual convention, or in SMIv1 a type that was given a name."""

    module: str
    name: str
    syntax: Syntax
    display_hint: str = ""

    @property
    def qualified_name(self) -> str:
        """``MIB::name``."""
        return f"{self.module}::{self.name}"


@dataclass(frozen=True, slots=True)
class Syntax:
    """The type of an object or of a convention."""

    type_name: str
    """As it is written: a base type, or the name of a convention."""
    convention: Convention | None = None
    """None for a base type, and for a name that nothing defines."""
    labels: tuple[tuple[int, str], ...] = ()
    """Names of numbers or bits that are written here, not those of the convention."""
    ranges: tuple[tuple[int, int], ...] = ()
    """Values or sizes that are allowed here; none: as the convention says."""

    def conventions(self) -> Iterator[Convention]:
        """The convention, the one that it is built on, and so on."""
        convention = self.convention
        while convention is not None:
            yield convention
            convention = convention.syntax.convention

    @property
    def base(self) -> str:
        """The base type, or empty where a name on the way is not known."""
        last = self
        for convention in self.conventions():
            last = convention.syntax
        return last.type_name if last.type_name in BASE_TYPES else ""

    @property
    def display_hint(self) -> str:
        """The DISPLAY-HINT of the nearest convention that has one."""
        return next((item.display_hint for item in self.conventions() if item.display_hint), "")

    @property
    def enumeration(self) -> tuple[tuple[int, str], ...]:
        """Names of numbers or of bits, written here or at the nearest convention."""
        return self.labels or next(
            (item.syntax.labels for item in self.conventions() if item.syntax.labels), ()
        )

    @property
    def effective_ranges(self) -> tuple[tuple[int, int], ...]:
        """Allowed values or sizes, written here or at the nearest convention."""
        return self.ranges or next(
            (item.syntax.ranges for item in self.conventions() if item.syntax.ranges), ()
        )


@dataclass(frozen=True, slots=True)
class IndexPart:
    """One name of an INDEX clause."""

    module: str
    """Empty where SMIv1 names a type instead of an object."""
    name: str
    implied: bool = False

    @property
    def qualified_name(self) -> str:
        """``MIB::name``, or the name of a type."""
        return f"{self.module}::{self.name}" if self.module else self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class MibObject:
    """One name of a MIB module, with all that the module says of it as facts."""

    module: str
    name: str
    oid: Oid
    kind: Kind
    syntax: Syntax | None = None
    """Of scalars and columns."""
    access: str = ""
    """``read-only``, ``not-accessible``, ... as the MIB words it."""
    status: str = "current"
    """``current``, ``deprecated`` or ``obsolete``; SMIv1's ``mandatory`` is current."""
    units: str = ""
    indexes: tuple[IndexPart, ...] = ()
    """Of a row, in their order; empty for a row that augments another."""
    augments: str = ""
    """Of a row: the qualified name of the row whose indexes it has."""
    objects: tuple[str, ...] = ()
    """Of a notification: the qualified names of the objects that it carries."""
    help: str = ""

    @property
    def qualified_name(self) -> str:
        """``MIB::name``."""
        return f"{self.module}::{self.name}"

    @property
    def dotted_oid(self) -> str:
        """The OID in dotted decimal."""
        return format_oid(self.oid)


@dataclass(frozen=True, slots=True)
class LinkedModule:
    """A module with every name resolved."""

    name: str
    smi_version: int
    revision: str
    """LAST-UPDATED as ``YYYY-MM-DD``, or empty."""
    conventions: tuple[Convention, ...]
    """Its own ones, and those of other modules that its objects need."""
    objects: tuple[MibObject, ...]
    """In the order of their OIDs."""
