"""What one declaration of a MIB module says, before any name in it is resolved.

Plain values between two steps that know nothing of each other: ``exporters.smi.mib_grammar`` reads
them from tokens, ``exporters.smi.mib_linker`` gives their names a meaning. They can be written as
JSON and read again, because reading a declaration is what costs time, and a file that has not
changed says the same as before.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from exporters.smi.mib_findings import Finding, Severity

SubId = str | int | tuple[str, int]
"""A part of a written OID: a name, a number, or both as in ``org(3)``."""

WrittenOid = tuple[SubId, ...]


class Clause(StrEnum):
    """Which macro, or which kind of assignment, a declaration is."""

    CAPABILITIES = "capabilities"
    COMPLIANCE = "compliance"
    GROUP = "group"
    IDENTITY = "identity"
    MODULE = "module"
    NODE = "node"
    NOTIFICATION = "notification"
    OBJECT = "object"
    TRAP = "trap"
    TYPE = "type"


class Form(StrEnum):
    """What a written syntax is."""

    ROWS = "rows"
    """``SEQUENCE OF X``"""
    SEQUENCE = "sequence"
    """``SEQUENCE { ... }``, the type of a row"""
    TYPE = "type"
    """A type by name, perhaps narrowed by numbers or names in brackets"""


@dataclass(frozen=True, slots=True)
class WrittenSyntax:
    """A syntax as it stands in the file, its type by name."""

    form: Form
    type_name: str
    labels: tuple[tuple[str, int], ...] = ()
    """Names of numbers or, under BITS, of bits."""
    ranges: tuple[tuple[int, int], ...] = ()
    """Allowed values of a number, or allowed sizes of a string."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """One declaration; what its clause does not have is empty."""

    clause: Clause
    name: str
    line: int
    oid: WrittenOid = ()
    syntax: WrittenSyntax | None = None
    status: str = ""
    access: str = ""
    units: str = ""
    display_hint: str = ""
    augments: str = ""
    indexes: tuple[tuple[bool, str], ...] = ()
    """Whether it is IMPLIED, and its name."""
    objects: tuple[str, ...] = ()
    revision: str = ""
    help: str = ""
    """The first sentence of the description."""


@dataclass(frozen=True, slots=True)
class ParsedModule:
    """A module of a file, declaration by declaration."""

    name: str
    line: int
    imports: dict[str, tuple[str, int]]
    declarations: tuple[Declaration, ...]
    findings: tuple[Finding, ...]


def module_to_json(module: ParsedModule) -> list[Any]:
    """Give *module* as what ``json`` writes."""
    return [
        module.name,
        module.line,
        {symbol: list(origin) for symbol, origin in module.imports.items()},
        [_declaration_to_json(declaration) for declaration in module.declarations],
        [[finding.line, finding.severity, finding.text] for finding in module.findings],
    ]


def module_from_json(value: list[Any]) -> ParsedModule:
    """Read what ``module_to_json`` gave; another shape raises TypeError, ValueError or KeyError."""
    name, line, imports, declarations, findings = value
    return ParsedModule(
        name,
        line,
        {symbol: (module, at) for symbol, (module, at) in imports.items()},
        tuple(_declaration_from_json(item) for item in declarations),
        tuple(Finding(at, Severity(severity), text) for at, severity, text in findings),
    )


def _declaration_to_json(declaration: Declaration) -> list[Any]:
    syntax = declaration.syntax
    rest: dict[str, Any] = {
        name: value
        for name in _PLAIN_FIELDS
        if (value := getattr(declaration, name))  # most are empty
    }
    if syntax is not None:
        rest["syntax"] = [syntax.form, syntax.type_name, syntax.labels, syntax.ranges]
    return [declaration.clause, declaration.name, declaration.line, rest]


_PLAIN_FIELDS = (
    "oid", "status", "access", "units", "display_hint", "augments", "indexes", "objects",
    "revision", "help",
)  # fmt: skip


def _declaration_from_json(item: list[Any]) -> Declaration:
    clause, name, line, rest = item
    for field in ("indexes", "oid", "objects"):
        if field in rest:
            rest[field] = _tuples(rest[field])
    if "syntax" in rest:
        form, type_name, labels, ranges = rest["syntax"]
        rest["syntax"] = WrittenSyntax(Form(form), type_name, _tuples(labels), _tuples(ranges))
    return Declaration(clause=Clause(clause), name=name, line=line, **rest)


def _tuples(items: list[Any]) -> tuple[Any, ...]:
    return tuple(tuple(item) if isinstance(item, list) else item for item in items)
