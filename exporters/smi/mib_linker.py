"""From declarations to objects: a MIB module with every name in it resolved.

Nothing stops at a name that is not known. An object without an OID is left out, one without a type
is kept without, and each cause is reported once, with the number of objects that it costs.

Sources: RFC 2578 sections 7.7, 7.8 (INDEX, AUGMENTS), RFC 1212 section 4.1.6 (INDEX of SMIv1).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from exporters.smi.mib_declarations import Clause, Declaration, Form, ParsedModule
from exporters.smi.mib_findings import Finding, Severity
from exporters.smi.mib_names import Elsewhere, Foreign, Names, no_module, nowhere
from exporters.smi.mib_objects import (
    BASE_TYPES,
    Convention,
    IndexPart,
    Kind,
    LinkedModule,
    MibObject,
    Syntax,
)
from exporters.smi.mib_roots import Arcs
from exporters.wire.ber import Oid, decode_oid, encode_oid

_LONGEST_UNITS = 40
"""Units are a word or two; what is longer describes the object."""
_CURRENT = frozenset(("", "current", "mandatory", "optional"))
_SMI_V2_MODULES = frozenset(("SNMPv2-SMI", "SNMPv2-TC", "SNMPv2-CONF"))
_KINDS = {
    Clause.CAPABILITIES: Kind.CAPABILITIES,
    Clause.COMPLIANCE: Kind.COMPLIANCE,
    Clause.GROUP: Kind.GROUP,
    Clause.IDENTITY: Kind.IDENTITY,
    Clause.MODULE: Kind.IDENTITY,
    Clause.NODE: Kind.NODE,
    Clause.NOTIFICATION: Kind.NOTIFICATION,
    Clause.TRAP: Kind.NOTIFICATION,
}


@dataclass(slots=True)
class _Losses:
    """Why objects of one module are incomplete: cause to line, and how many suffer."""

    lines: dict[str, int] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, cause: str, line: int) -> None:
        self.lines.setdefault(cause, line)
        self.counts[cause] += 1


@dataclass(frozen=True, slots=True)
class LinkResult:
    """A module with what could be resolved of it."""

    module: LinkedModule
    findings: tuple[Finding, ...]
    """What is wrong in it, by line."""
    lost: int
    """How many objects have no OID."""


class Linker:
    """Links modules that were parsed together, over a dictionary of modules linked before."""

    def __init__(
        self,
        modules: Iterable[ParsedModule],
        foreign: Foreign = no_module,
        elsewhere: Elsewhere = nowhere,
    ) -> None:
        self._modules = {module.name: module for module in modules}
        self._names = Names(self._modules.values(), foreign, elsewhere)

    def link(self, name: str) -> LinkResult:
        """Link the module *name*, one of those that were given."""
        return _ModuleLink(self._names, self._modules[name]).result()


def _encode(oid: Arcs) -> Oid:
    return encode_oid(".".join(map(str, oid)))


class _ModuleLink:
    """The linking of one module: its objects, the conventions they need, what is missing."""

    def __init__(self, names: Names, module: ParsedModule) -> None:
        self._names = names
        self._module = module
        self._findings = list(module.findings)
        self._no_oid = _Losses()
        self._no_type = _Losses()
        self._conventions: dict[str, Convention] = {}

    def result(self) -> LinkResult:
        objects: list[MibObject] = []
        seen: dict[str, Declaration] = {}
        named_on_the_way: dict[str, MibObject] = {}
        for declaration in self._module.declarations:
            if declaration.clause is Clause.TYPE:
                self._own_convention(declaration)
                continue
            item = self._object(declaration)
            if item is None:
                continue
            self._note_repetition(seen, declaration)
            objects.append(item)
            named_on_the_way.update(self._named_on_the_way(declaration, decode_oid(item.oid)))
        objects.extend(item for name, item in named_on_the_way.items() if name not in seen)
        objects.sort(key=lambda item: (decode_oid(item.oid), item.name))
        self._note_losses()
        self._findings.extend(self._names.warnings(self._module.name))
        linked = LinkedModule(
            self._module.name,
            self._smi_version(),
            self._revision(),
            tuple(sorted(self._conventions.values(), key=self._convention_order)),
            tuple(objects),
        )
        findings = sorted(self._findings, key=lambda finding: finding.line)
        return LinkResult(linked, tuple(findings), self._no_oid.counts.total())

    def _convention_order(self, convention: Convention) -> tuple[bool, str, str]:
        return convention.module != self._module.name, convention.name, convention.module

    def _smi_version(self) -> int:
        sources = {origin for origin, _ in self._module.imports.values()}
        if sources & _SMI_V2_MODULES or self._module.name in _SMI_V2_MODULES:
            return 2
        clauses = {declaration.clause for declaration in self._module.declarations}
        return 2 if Clause.MODULE in clauses else 1

    def _revision(self) -> str:
        for declaration in self._module.declarations:
            if declaration.clause is Clause.MODULE:
                return parse_revision(declaration.revision)
        return ""

    def _note_repetition(self, seen: dict[str, Declaration], declaration: Declaration) -> None:
        first = seen.setdefault(declaration.name, declaration)
        if first is not declaration:
            text = f"{declaration.name} is defined at line {first.line} already"
            self._findings.append(Finding(declaration.line, Severity.WARNING, text))

    def _note_losses(self) -> None:
        for losses, what in ((self._no_oid, "no OID"), (self._no_type, "no type")):
            for cause, count in losses.counts.items():
                objects = "1 object has" if count == 1 else f"{count} objects have"
                text = f"{cause}; {objects} {what}"
                self._findings.append(Finding(losses.lines[cause], Severity.ERROR, text))

    # Conventions

    def _own_convention(self, declaration: Declaration) -> None:
        syntax = declaration.syntax
        if declaration.name in BASE_TYPES or declaration.name in ("Counter", "Gauge"):
            return
        if syntax is None or syntax.form is not Form.TYPE:
            return
        found = self._names.convention_of(self._module.name, declaration.name, declaration.line)
        if not isinstance(found, str):
            self._keep(found)

    def _keep(self, convention: Convention | None) -> None:
        while convention is not None and convention.qualified_name not in self._conventions:
            self._conventions[convention.qualified_name] = convention
            convention = convention.syntax.convention

    # Objects

    def _object(self, declaration: Declaration) -> MibObject | None:
        oid = self._names.written_oid(self._module.name, declaration)
        if isinstance(oid, str):
            self._no_oid.add(oid, declaration.line)
            return None
        if len(oid) < 2:
            return None  # "iso" itself, which everybody knows
        try:
            encoded = _encode(oid)
        except ValueError as error:
            self._no_oid.add(str(error), declaration.line)
            return None
        kind = self._kind(declaration)
        has_value = kind in (Kind.SCALAR, Kind.COLUMN)
        return MibObject(
            module=self._module.name,
            name=declaration.name,
            oid=encoded,
            kind=kind,
            syntax=self._syntax(declaration) if has_value else None,
            access=declaration.access if has_value else "",
            status="current" if declaration.status in _CURRENT else declaration.status,
            units=declaration.units if len(declaration.units) <= _LONGEST_UNITS else "",
            indexes=self._indexes(declaration) if kind is Kind.ROW else (),
            augments=self._augmented(declaration),
            objects=self._carried(declaration),
            help=declaration.help,
        )

    def _named_on_the_way(
        self, declaration: Declaration, oid: Arcs
    ) -> Iterator[tuple[str, MibObject]]:
        """The nodes that ``{ iso std(0) iso8802(8802) 1 }`` names before its own: std, iso8802."""
        written = declaration.oid
        if declaration.clause is Clause.TRAP or not any(
            isinstance(part, tuple) for part in written
        ):
            return
        start = len(oid) - len(written) + 1
        for place, part in enumerate(written[1:-1], start=start):
            if isinstance(part, tuple) and oid[place] == part[1]:
                name, encoded = part[0], _encode(oid[: place + 1])
                node = MibObject(module=self._module.name, name=name, oid=encoded, kind=Kind.NODE)
                yield name, node

    def _kind(self, declaration: Declaration) -> Kind:
        simple = _KINDS.get(declaration.clause)
        if simple is not None:
            return simple
        syntax = declaration.syntax
        if syntax is not None and syntax.form is Form.ROWS:
            return Kind.TABLE
        if self._names.is_row_declaration(self._module.name, declaration):
            return Kind.ROW
        parent = declaration.oid[-2] if len(declaration.oid) > 1 else 0
        is_column = self._names.is_row(self._module.name, parent)
        return Kind.COLUMN if is_column else Kind.SCALAR

    def _syntax(self, declaration: Declaration) -> Syntax | None:
        written = declaration.syntax
        if written is None:
            return None
        syntax = self._names.syntax_of(self._module.name, written, declaration.line)
        if not syntax.base:
            # "SYNTAX ifIndex": an object's name where its type was meant.
            of_object = self._names.object_syntax(self._module.name, written.type_name)
            if of_object is not None and of_object.base:
                syntax = of_object
            else:
                self._no_type.add(self._why_no_type(syntax, declaration.line), declaration.line)
        self._keep(syntax.convention)
        return syntax

    def _why_no_type(self, syntax: Syntax, line: int) -> str:
        module, name = self._module.name, syntax.type_name
        for convention in syntax.conventions():
            module, name = convention.module, convention.syntax.type_name
        found = self._names.convention_of(module, name, line)
        return found if isinstance(found, str) else f"the type {name} is none that values have"

    def _indexes(self, declaration: Declaration) -> tuple[IndexPart, ...]:
        parts: list[IndexPart] = []
        for implied, name in declaration.indexes:
            qualified = self._names.qualify(self._module.name, name, declaration.line)
            if qualified:
                parts.append(IndexPart(qualified.partition("::")[0], name, implied))
            elif name in BASE_TYPES:
                parts.append(IndexPart("", name, implied))
            else:
                self._unknown(declaration, "the index", name)
                parts.append(IndexPart("", name, implied))
        return tuple(parts)

    def _unknown(self, declaration: Declaration, role: str, name: str) -> None:
        text = f"{role} {name} of {declaration.name} is defined nowhere"
        self._findings.append(Finding(declaration.line, Severity.ERROR, text))

    def _augmented(self, declaration: Declaration) -> str:
        if not declaration.augments:
            return ""
        qualified = self._names.qualify(self._module.name, declaration.augments, declaration.line)
        if not qualified:
            self._unknown(declaration, "the row", declaration.augments)
        return qualified or declaration.augments

    def _carried(self, declaration: Declaration) -> tuple[str, ...]:
        carried: list[str] = []
        for name in declaration.objects:
            qualified = self._names.qualify(self._module.name, name, declaration.line)
            if not qualified:
                self._unknown(declaration, "the object", name)
            carried.append(qualified or name)
        return tuple(carried)


def parse_revision(text: str) -> str:
    """Read LAST-UPDATED, ``YYYYMMDDHHMMZ`` or with two digits of the year, as ``YYYY-MM-DD``.

    Empty where it is neither. Two digits are a year from 1970 to 2069: RFC 2578 section 2 allows
    them for the 20th century alone, and vendors went on using them.
    """
    digits = text.strip().rstrip("Zz")
    if not digits.isascii() or not digits.isdigit() or len(digits) not in (10, 12):
        return ""
    if len(digits) == 10:
        digits = f"{19 if digits >= '70' else 20}{digits}"
    return f"{digits[:4]}-{digits[4:6]}-{digits[6:8]}"
