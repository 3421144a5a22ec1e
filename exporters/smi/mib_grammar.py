"""The declarations of a MIB module, read by pysmi's grammar.

pysmi's parser (the SMIv1 and SMIv2 grammar with its relaxations) is given each declaration as a
module of its own. What it refuses is repaired where the meaning is plain, and read again: clauses
in another order or twice, names in the wrong case, ``Integer32 { up(1) }``, ranges that are no
numbers. What cannot be repaired keeps at least its name and place, so that what lies below it is
not lost. Every repair is a warning and every loss an error, at its line.

Agent capabilities, compliance statements and groups are read for their name and place alone.

Sources: RFC 2578, 2579, 2580 (SMIv2), RFC 1155, 1212, 1215 (SMIv1), and pysmi's grammar.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pysmi.error import PySmiError
from pysmi.parser.dialect import smi_v1_relaxed
from pysmi.parser.smi import parserFactory

from exporters.smi.mib_clauses import declaration_end, status_of, written_oid
from exporters.smi.mib_declarations import (
    Clause,
    Declaration,
    Form,
    ParsedModule,
    WrittenOid,
    WrittenSyntax,
)
from exporters.smi.mib_findings import Finding, Severity
from exporters.smi.mib_repair import repairs
from exporters.smi.mib_tokens import UPPERCASE, SourceModule, Token, decode_source, split_modules

_CLAUSES = {
    "AGENT_CAPABILITIES": Clause.CAPABILITIES,
    "MODULE_COMPLIANCE": Clause.COMPLIANCE,
    "MODULE_IDENTITY": Clause.MODULE,
    "NOTIFICATION_GROUP": Clause.GROUP,
    "NOTIFICATION_TYPE": Clause.NOTIFICATION,
    "OBJECT": Clause.NODE,
    "OBJECT_GROUP": Clause.GROUP,
    "OBJECT_IDENTITY": Clause.IDENTITY,
    "OBJECT_TYPE": Clause.OBJECT,
    "TRAP_TYPE": Clause.TRAP,
}
_PLACE_ALONE = frozenset((Clause.CAPABILITIES, Clause.COMPLIANCE, Clause.GROUP))
_SHORTEST = 3
_TOO_SHORT = "it ends too early"
_CANONICAL_TYPES = {"Counter": "Counter32", "Gauge": "Gauge32"}

_HEAD = (
    Token(UPPERCASE, "A", 0),
    Token("DEFINITIONS", "DEFINITIONS", 0),
    Token("COLON_COLON_EQUAL", "::=", 0),
    Token("BEGIN", "BEGIN", 0),
)
_FOOT = Token("END", "END", 0)


class GrammarError(ValueError):
    """Tokens that are no declaration, and the line where they cease to be one."""

    def __init__(self, text: str, line: int = 0) -> None:
        super().__init__(text)
        self.line = line


class _Tokens:
    """What ply takes for a lexer: tokens one by one, then None."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = iter((*_HEAD, *tokens, _FOOT))

    def token(self) -> Token | None:
        return next(self._tokens, None)


class MibParser:
    """Reads MIB files; making one builds the tables of the grammar, which takes a moment."""

    def __init__(self) -> None:
        self._parser = parserFactory(**smi_v1_relaxed)()

    def parse(self, content: bytes) -> tuple[list[ParsedModule], list[Finding]]:
        """Read the bytes of a file.

        Returns:
            The modules in it, and what is wrong outside of any.
        """
        modules, findings = split_modules(decode_source(content))
        return [self._module(module) for module in modules], findings

    def _module(self, source: SourceModule) -> ParsedModule:
        declarations: list[Declaration] = []
        findings = source.findings
        for tokens in source.declarations:
            if len(tokens) < _SHORTEST:
                declaration = _rescue(Clause.TYPE, tokens, findings, GrammarError(_TOO_SHORT))
            else:
                declaration = self._declaration(_cut(tokens, findings), findings)
            if declaration is not None:
                declarations.append(declaration)
        return ParsedModule(
            source.name, source.line, source.imports, tuple(declarations), tuple(findings)
        )

    def _declaration(self, tokens: list[Token], findings: list[Finding]) -> Declaration | None:
        name = str(tokens[0].value)
        clause = _CLAUSES.get(tokens[1].type, Clause.TYPE)
        if clause in _PLACE_ALONE:
            return _placed(clause, tokens, findings)
        try:
            return _declaration(self._tree(tokens), tokens[0].lineno)
        except GrammarError as error:
            first_error = error
        for repaired in repairs(clause, tokens):
            try:
                declaration = _declaration(self._tree(repaired), tokens[0].lineno)
            except GrammarError:
                continue
            line = first_error.line or tokens[0].lineno
            text = f"{name}: {first_error}; repaired"
            findings.append(Finding(line, Severity.WARNING, text))
            return declaration
        return _rescue(clause, tokens, findings, first_error)

    def _tree(self, tokens: Sequence[Token]) -> Any:
        """Give the syntax tree that pysmi makes of one declaration.

        Raises:
            GrammarError: It is none.
        """
        try:
            tree = self._parser.parser.parse(lexer=_Tokens(tokens))
        except PySmiError as error:
            raise GrammarError(_complaint(error), getattr(error, "lineno", 0) or 0) from error
        declarations = tree and tree[1] and tree[1][0][3]
        if not declarations or len(declarations) != 1 or declarations[0] is None:
            raise GrammarError(_TOO_SHORT)
        return declarations[0]


def _complaint(error: PySmiError) -> str:
    """The words of pysmi without its internal names: what stood where it could not go on."""
    text = str(getattr(error, "msg", error))
    return "unexpected " + text.partition(", value ")[2] if ", value " in text else text


def _finding(tokens: Sequence[Token], severity: Severity, text: str) -> Finding:
    return Finding(tokens[0].lineno, severity, text)


def _cut(tokens: list[Token], findings: list[Finding]) -> list[Token]:
    """Cut off what follows the end of a declaration, such as the page breaks of an RFC."""
    end = declaration_end(tokens)
    if end < len(tokens) and tokens[end].type not in (";", "}"):
        problem = f"nothing that a module has starts with {tokens[end].value!r}"
        findings.append(_finding(tokens[end:], Severity.WARNING, problem))
    return tokens[:end]


# What is kept when the grammar refuses


def _placed(clause: Clause, tokens: list[Token], findings: list[Finding]) -> Declaration | None:
    """A declaration of which only the name and the place are wanted."""
    name = str(tokens[0].value)
    oid = written_oid(tokens)
    if oid is None:
        findings.append(_finding(tokens, Severity.ERROR, f"{name}: it has no OID"))
        return None
    return Declaration(
        clause=clause, name=name, line=tokens[0].lineno, oid=oid, status=status_of(tokens)
    )


def _rescue(
    clause: Clause, tokens: list[Token], findings: list[Finding], error: GrammarError
) -> Declaration | None:
    """The name and place of what could not be read; an object without syntax is a node."""
    name = str(tokens[0].value)
    oid = None if clause in (Clause.TYPE, Clause.TRAP) else written_oid(tokens)
    lost = "left out" if oid is None else "only its name and OID are kept"
    line = error.line or tokens[0].lineno
    findings.append(Finding(line, Severity.ERROR, f"{name}: {error}; {lost}"))
    if oid is None:
        return None
    kept = Clause.NODE if clause is Clause.OBJECT else clause
    return Declaration(clause=kept, name=name, line=tokens[0].lineno, oid=oid)


# From pysmi's tree to a declaration


def _declaration(tree: Any, line: int) -> Declaration:
    match tree:
        case (
            "objectTypeClause",
            name,
            syntax,
            units,
            access,
            status,
            text,
            _,
            augments,
            index,
            *_,
        ):
            return Declaration(
                clause=Clause.OBJECT,
                name=name,
                line=line,
                oid=_oid(tree[-1]),
                syntax=_syntax(syntax),
                status=status[1],
                access=access[1] if access else "",
                units=_one_line(units[1]) if units else "",
                augments=augments or "",
                indexes=tuple((bool(implied), word) for implied, word in index[1]) if index else (),
                help=_first_sentence(text),
            )
        case ("typeDeclaration", name, ("typeDeclarationRHS", hint, status, text, _, syntax)):
            return Declaration(
                clause=Clause.TYPE,
                name=name,
                line=line,
                syntax=_syntax(syntax),
                status=status[1],
                display_hint=hint[1] if hint else "",
                help=_first_sentence(text),
            )
        case ("typeDeclaration", name, ("typeDeclarationRHS", syntax)):
            return Declaration(
                clause=Clause.TYPE, name=name, line=line, syntax=_syntax(syntax) if syntax else None
            )
        case ("typeDeclaration", name, None):
            return Declaration(clause=Clause.TYPE, name=name, line=line)
        case ("valueDeclaration", name, oid):
            return Declaration(clause=Clause.NODE, name=name, line=line, oid=_oid(oid))
    return _named_place(tree, line)


def _named_place(tree: Any, line: int) -> Declaration:
    match tree:
        case ("moduleIdentityClause", name, (_, updated), _, _, text, _, oid):
            return Declaration(
                clause=Clause.MODULE,
                name=name,
                line=line,
                oid=_oid(oid),
                revision=updated,
                help=_first_sentence(text),
            )
        case ("objectIdentityClause", name, status, text, _, oid):
            return Declaration(
                clause=Clause.IDENTITY,
                name=name,
                line=line,
                oid=_oid(oid),
                status=status[1],
                help=_first_sentence(text),
            )
        case ("notificationTypeClause", name, objects, status, text, _, oid):
            return Declaration(
                clause=Clause.NOTIFICATION,
                name=name,
                line=line,
                oid=_oid(oid),
                status=status[1],
                objects=tuple(objects[1]) if objects else (),
                help=_first_sentence(text),
            )
        case ("trapTypeClause", name, enterprise, variables, text, _, number):
            return Declaration(
                clause=Clause.TRAP,
                name=name,
                line=line,
                oid=(*_oid(enterprise), number),
                objects=tuple(variables[1]) if variables else (),
                help=_first_sentence(text),
            )
    raise GrammarError(f"a {tree[0]} is not expected here")


def _oid(tree: Any) -> WrittenOid:
    return tuple(tree[1])


def _syntax(tree: Any) -> WrittenSyntax:
    match tree:
        case ("conceptualTable", (_, row)):
            return WrittenSyntax(Form.ROWS, row)
        case ("row", name):
            return WrittenSyntax(Form.TYPE, name)
        case ("SEQUENCE", _):
            return WrittenSyntax(Form.SEQUENCE, "")
        case ("BITS", labels):
            return WrittenSyntax(Form.TYPE, "BITS", _numbered(labels))
        case (_, name):
            return WrittenSyntax(Form.TYPE, _CANONICAL_TYPES.get(name, name))
        case (_, name, subtype):
            written = WrittenSyntax(Form.TYPE, _CANONICAL_TYPES.get(name, name))
            return _narrowed(written, subtype)
    raise GrammarError(f"{tree!r} is no syntax")


def _narrowed(written: WrittenSyntax, subtype: Any) -> WrittenSyntax:
    match subtype:
        case ("enumSpec", labels):
            return replace(written, labels=_numbered(labels))
        case (_, ranges):
            return replace(written, ranges=tuple(_range(item) for item in ranges))
    return written


def _numbered(labels: Any) -> tuple[tuple[str, int], ...]:
    return tuple((name, int(number)) for name, number in labels)


def _range(item: Any) -> tuple[int, int]:
    low, *high = (_value(bound) for bound in item)
    return low, high[0] if high else low


def _value(bound: int | str) -> int:
    if isinstance(bound, int):
        return bound
    digits, base = bound[1:-2], bound[-1]
    return int(digits or "0", 16 if base in "Hh" else 2)


def _first_sentence(text: Any) -> str:
    """What stands before the first full stop of a description, on one line."""
    return "" if not text else _one_line(text[1]).partition(". ")[0]


def _one_line(text: str) -> str:
    return " ".join(text.split())
