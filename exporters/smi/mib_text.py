"""The text of a compiled MIB module: one fact a line, for people, for git and for looking up.

Three parts with an empty line between them: what the module is, the types that its objects need,
its objects in the order of their OIDs. Columns are separated by tabs; a line ends after its last
column that says something::

    module    IF-MIB
    smi       2
    revision  2000-06-14
    below     1.3.6.1

    type  InterfaceIndex           Integer32(1..2147483647)  d
    type  DisplayString  SNMPv2-TC OCTET STRING(0..255)      255a

    2.1.2.2        table   ifTable
    2.1.2.2.1      row     ifEntry  index=ifIndex
    .2             ifDescr  DisplayString(0..255)  ro
    .7             ifAdminStatus  INTEGER{1 up,2 down,3 testing}  rw
    6.3.1.1.5.3    notification  linkDown  objects=ifIndex,ifAdminStatus,ifOperStatus

The OIDs of objects go on from the one that all of them lie ``below``. A line that starts with a dot
is a column of the row before it, and goes on from that.

A type has its name, the module that defines it if that is another, its syntax and its DISPLAY-HINT.
An object has its OID, kind and name; a scalar or column also syntax and access (``ro``, ``rw``,
``rc`` read-create, ``na`` not-accessible, ``an`` accessible-for-notify, ``wo``). What follows is
``key=value``: index (``implied`` before a name that is), augments, objects, units, status, help.
Names of other modules stand as ``MIB::name``, names that no module has (and in SMIv1 the types that
may stand for an index) as ``:name``.

A file stands for itself: it repeats the types that it needs of other modules, so that an object can
be told from its line and from the types above it. This module turns lines into values and back; it
knows no files.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import takewhile

from exporters.smi.mib_objects import (
    Convention,
    IndexPart,
    Kind,
    LinkedModule,
    MibObject,
    Syntax,
)
from exporters.wire.ber import encode_oid

_ACCESS_CODES = {
    "accessible-for-notify": "an",
    "not-accessible": "na",
    "read-create": "rc",
    "read-only": "ro",
    "read-write": "rw",
    "write-only": "wo",
}
_ACCESS_WORDS = {code: word for word, code in _ACCESS_CODES.items()}
_SYNTAX = re.compile(r"(?P<name>[^{(]+)(?:\{(?P<labels>[^}]*)\})?(?:\((?P<ranges>[^)]*)\))?")
_BASE_END = re.compile(r"[{(]")
_VALUE_KINDS = frozenset((Kind.COLUMN, Kind.SCALAR))


class MibTextError(ValueError):
    """Text that is no compiled module; says which line is wrong."""


TypeNames = Callable[[Convention], str]


# Writing


def format_module(module: LinkedModule) -> str:
    """Write *module*; ``parse_module`` of the text gives an equal module."""
    type_name = _type_names(module)
    head = [f"module\t{module.name}", f"smi\t{module.smi_version}"]
    if module.revision:
        head.append(f"revision\t{module.revision}")
    below = _common_root([item.dotted_oid for item in module.objects])
    if below:
        head.append(f"below\t{below}")
    types = [_type_line(module, item, type_name) for item in module.conventions]
    objects = list(_object_lines(module, below, type_name))
    return "\n\n".join("\n".join(part) for part in (head, types, objects)) + "\n"


def _common_root(oids: Sequence[str]) -> str:
    """The longest OID below which all *oids* are, in dotted decimal; empty where there is none."""
    if not oids:
        return ""
    arcs = [_arcs(oid) for oid in oids]
    # All lie between the first and the last, and so have in common what these two have.
    pairs = zip(min(arcs)[:-1], max(arcs)[:-1], strict=False)
    common = takewhile(lambda pair: pair[0] == pair[1], pairs)
    return ".".join(str(arc) for arc, _ in common)


def _arcs(oid: str) -> tuple[int, ...]:
    return tuple(map(int, oid.split(".")))


def _type_names(module: LinkedModule) -> TypeNames:
    """How each type is called in the lines: by its name alone where no other has that name."""
    first: dict[str, str] = {}
    for convention in module.conventions:
        first.setdefault(convention.name, convention.module)

    def name(convention: Convention) -> str:
        if first.get(convention.name, convention.module) == convention.module:
            return convention.name
        return convention.qualified_name

    return name


def _type_line(module: LinkedModule, convention: Convention, type_name: TypeNames) -> str:
    origin = "" if convention.module == module.name else convention.module
    syntax = _format_syntax(convention.syntax, type_name)
    hint = convention.display_hint
    return _line("type", type_name(convention), origin, syntax, _one_line(hint))


def _object_lines(module: LinkedModule, below: str, type_name: TypeNames) -> Iterator[str]:
    row = ""
    for item in module.objects:
        oid = item.dotted_oid
        parent, _, last = oid.rpartition(".")
        if item.kind is Kind.COLUMN and parent == row:
            place = [f".{last}"]
        else:
            place = [oid.removeprefix(f"{below}.") if below else oid, item.kind.value]
        if item.kind is Kind.ROW:
            row = oid
        yield _line(*place, *_object_columns(module, item, type_name))


def _object_columns(module: LinkedModule, item: MibObject, type_name: TypeNames) -> Iterator[str]:
    own = f"{module.name}::"
    yield item.name
    if item.kind in _VALUE_KINDS:
        yield "" if item.syntax is None else _format_syntax(item.syntax, type_name)
        yield _ACCESS_CODES.get(item.access, item.access)
    extras = {
        "index": ",".join(_format_index(part, own) for part in item.indexes),
        "augments": _format_name(item.augments, own) if item.augments else "",
        "objects": ",".join(_format_name(name, own) for name in item.objects),
        "units": item.units,
        "status": "" if item.status == "current" else item.status,
        "help": item.help,
    }
    yield from (f"{key}={_one_line(value)}" for key, value in extras.items() if value)


def _format_index(part: IndexPart, own: str) -> str:
    name = _format_name(part.qualified_name, own)
    return f"implied {name}" if part.implied else name


def _format_name(name: str, own: str) -> str:
    """The name alone in its own module; with a colon before it where no module has it."""
    return name.removeprefix(own) if "::" in name else f":{name}"


def _format_syntax(syntax: Syntax, type_name: TypeNames) -> str:
    text = syntax.type_name if syntax.convention is None else type_name(syntax.convention)
    if syntax.labels:
        text += "{" + ",".join(f"{number} {label}" for number, label in syntax.labels) + "}"
    if syntax.ranges:
        text += "(" + "|".join(map(_format_range, syntax.ranges)) + ")"
    return text


def _format_range(bounds: tuple[int, int]) -> str:
    low, high = bounds
    return str(low) if low == high else f"{low}..{high}"


def _line(*columns: str) -> str:
    return "\t".join(columns).rstrip("\t")


def _one_line(text: str) -> str:
    return text if text.isprintable() else " ".join(text.split())


# Reading


def parse_module(text: str) -> LinkedModule:
    """Read a whole module.

    Raises:
        MibTextError: A line is none of a module.
    """
    parts = text.split("\n\n", 2)
    if len(parts) != 3:
        raise MibTextError("expected three parts with an empty line between them")
    head = parse_head(parts[0])
    conventions = TypeTable(parts[1], head["module"])
    objects = _parse_objects(parts[2], head.get("below", ""), head["module"], conventions)
    return LinkedModule(
        head["module"],
        int(head.get("smi", "2")),
        head.get("revision", ""),
        tuple(dict.fromkeys(conventions.values())),
        tuple(objects),
    )


def _parse_objects(
    text: str, below: str, module: str, types: Mapping[str, Convention]
) -> Iterator[MibObject]:
    row = ""
    for line in filter(None, text.split("\n")):
        item = parse_object(line, row if line.startswith(".") else below, module, types)
        if item.kind is Kind.ROW:
            row = item.dotted_oid
        yield item


def parse_head(text: str) -> dict[str, str]:
    """Read the first part: ``module``, ``smi``, ``revision`` and ``below``, as text.

    Raises:
        MibTextError: It names no module.
    """
    head = dict(line.split("\t", 1) for line in text.split("\n") if "\t" in line)
    if "module" not in head:
        raise MibTextError("the first part names no module")
    return head


class TypeTable(Mapping[str, Convention]):
    """The second part: types by the names that objects call them by, read when they are asked for.

    Some modules repeat a thousand types of others, of which a look-up needs one.

    Raises:
        MibTextError: A line is no type; when a type is asked for, that it is none.
    """

    def __init__(self, text: str, module: str) -> None:
        self._module = module
        self._written: dict[str, str] = {}
        self._read: dict[str, Convention] = {}
        for line in filter(None, text.split("\n")):
            word, _, rest = line.partition("\t")
            name, _, type_text = rest.partition("\t")
            if word != "type" or not type_text:
                raise MibTextError(f"not a type: {line!r}")
            self._written[name] = type_text

    def __getitem__(self, name: str) -> Convention:
        """The type of that name."""
        if name not in self._read:
            self._read_type(name, ())
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        """The names, in the order of the file."""
        return iter(self._written)

    def __len__(self) -> int:
        """How many types there are."""
        return len(self._written)

    def __contains__(self, name: object) -> bool:
        """Whether there is a type of that name, which need not be read for this."""
        return name in self._written

    def _read_type(self, name: str, above: tuple[str, ...]) -> None:
        """Read the type *name* after those that it is built on."""
        if name in above:
            raise MibTextError(f"the type {name} is built on itself")
        origin, syntax, hint, *_ = [*self._written[name].split("\t"), "", ""]
        base = _BASE_END.split(syntax, maxsplit=1)[0]
        if base in self._written and base not in self._read:
            self._read_type(base, (*above, name))
        plain_name = name.rpartition("::")[2]
        self._read[name] = Convention(
            origin or self._module, plain_name, parse_syntax(syntax, self._read), hint
        )


def parse_syntax(text: str, types: Mapping[str, Convention]) -> Syntax:
    """Read a syntax such as ``INTEGER{1 up,2 down}`` or ``DisplayString(0..255)``.

    Raises:
        MibTextError: It is none.
    """
    match = _SYNTAX.fullmatch(text)
    if match is None:
        raise MibTextError(f"not a syntax: {text!r}")
    name = match["name"]
    convention = types.get(name)
    try:
        return Syntax(
            name if convention is None else convention.name,
            convention,
            tuple(_labels(match["labels"] or "")),
            tuple(_ranges(match["ranges"] or "")),
        )
    except ValueError as error:
        raise MibTextError(f"not a syntax: {text!r}") from error


def _labels(text: str) -> Iterator[tuple[int, str]]:
    for item in filter(None, text.split(",")):
        number, _, label = item.partition(" ")
        yield int(number), label


def _ranges(text: str) -> Iterator[tuple[int, int]]:
    for item in filter(None, text.split("|")):
        low, _, high = item.partition("..")
        yield int(low), int(high or low)


def parse_object(line: str, above: str, module: str, types: Mapping[str, Convention]) -> MibObject:
    """Read the line of an object.

    Args:
        line: The line.
        above: The OID that the line's own goes on from, in dotted decimal: that of the row before
            it where the line starts with a dot, else the one that the whole module lies below.
        module: The module's name.
        types: The types of the module's file.

    Raises:
        MibTextError: It is none.
    """
    place, *columns = line.split("\t")
    try:
        if place.startswith("."):
            kind, encoded = Kind.COLUMN, encode_oid(above + place)
            name, *rest = columns
        else:
            encoded = encode_oid(f"{above}.{place}" if above else place)
            kind_word, name, *rest = columns
            kind = Kind(kind_word)
    except ValueError as error:
        raise MibTextError(f"not an object: {line!r}") from error
    syntax, access = None, ""
    if kind in _VALUE_KINDS:
        padded = [*rest, "", ""]
        syntax = parse_syntax(padded[0], types) if padded[0] else None
        access = padded[1]
        rest = rest[2:]
    extras = dict(item.split("=", 1) for item in rest if "=" in item)
    return MibObject(
        module=module,
        name=name,
        oid=encoded,
        kind=kind,
        syntax=syntax,
        access=_ACCESS_WORDS.get(access, access),
        status=extras.get("status", "current"),
        units=extras.get("units", ""),
        indexes=tuple(_indexes(extras.get("index", ""), module)),
        augments=_qualified(extras.get("augments", ""), module),
        objects=tuple(_names(extras.get("objects", ""), module)),
        help=extras.get("help", ""),
    )


def _indexes(text: str, module: str) -> Iterator[IndexPart]:
    for item in filter(None, text.split(",")):
        name = item.removeprefix("implied ")
        implied = name != item
        if name.startswith(":"):
            yield IndexPart("", name[1:], implied)
        else:
            origin, _, own = name.rpartition("::")
            yield IndexPart(origin or module, own, implied)


def _names(text: str, module: str) -> Iterable[str]:
    return (_qualified(name, module) for name in filter(None, text.split(",")))


def _qualified(name: str, module: str) -> str:
    if name.startswith(":"):
        return name[1:]
    return name if "::" in name or not name else f"{module}::{name}"
