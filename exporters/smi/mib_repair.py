"""Declarations that the grammar refuses, written as it would have them.

The repairs are for what vendors' files really have: clauses in another order or twice, names in the
wrong case, ``Integer32 { up(1) }``, ranges of names, a row type that lists no columns, page breaks
in the middle. Clauses that say nothing we keep are left out. What comes back may still be refused.

Sources: pysmi's grammar, and the MIB files of some hundred vendors.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from exporters.smi.mib_clauses import as_kind, last_assignment, mark, split_clauses, syntax_start
from exporters.smi.mib_declarations import Clause
from exporters.smi.mib_tokens import LOWERCASE, MACROS, TEXT, UPPERCASE, Token

_OBJECT_CLAUSES = (
    "SYNTAX", "UNITS", "MAX_ACCESS", "STATUS", "DESCRIPTION", "AUGMENTS", "INDEX",
)  # fmt: skip
"""The clauses of an OBJECT-TYPE that say something we keep, in the order that the grammar wants."""
_ALL_CLAUSES = frozenset((*_OBJECT_CLAUSES, "ACCESS", "REFERENCE", "DEFVAL", "COLON_COLON_EQUAL"))


def repairs(clause: Clause, tokens: list[Token]) -> Iterator[list[Token]]:
    """Write a declaration in ways that the grammar may take, from the least to the most change."""
    if clause is Clause.TYPE:
        start = syntax_start(tokens)
        for syntax in (tokens[start:], _plain(tokens[start:])):
            if tokens[2].type == "TEXTUAL_CONVENTION":
                yield [*tokens[:2], *_repaired_convention(tokens[2:start]), *syntax]
            else:
                yield [as_kind(UPPERCASE, tokens[0]), *tokens[1:start], *syntax]
        return
    tokens = [as_kind(LOWERCASE, tokens[0]), *tokens[1:]]
    yield tokens
    if clause is Clause.OBJECT:
        yield _repaired_object(tokens, plain=False)
        yield _repaired_object(tokens, plain=True)
    elif clause in (Clause.NOTIFICATION, Clause.TRAP):
        yield _repaired_notification(clause, tokens)


def _repaired_object(tokens: list[Token], *, plain: bool) -> list[Token]:
    """The clauses that are kept, in the order that the grammar wants."""
    line = tokens[0].lineno
    clauses = split_clauses(tokens[2:], _ALL_CLAUSES)
    if plain:
        clauses["SYNTAX"] = _plain(clauses.get("SYNTAX", []))
    clauses["STATUS"] = _one_word(clauses.get("STATUS", []), line, "current")
    if "MAX_ACCESS" in clauses:
        clauses["MAX_ACCESS"] = _one_word(clauses["MAX_ACCESS"], line, "read-only")
    for word in ("AUGMENTS", "INDEX"):
        if word in clauses and len(clauses[word]) < 3:
            del clauses[word]
    for word in ("UNITS", "DESCRIPTION"):
        if [token.type for token in clauses.get(word, [])] != [TEXT]:
            clauses.pop(word, None)
    repaired = tokens[:2]
    for word in _OBJECT_CLAUSES:
        if word in clauses:
            repaired.append(mark(word, line))
            repaired.extend(clauses[word])
    return [*repaired, *_assigned(tokens)]


def _assigned(tokens: Sequence[Token]) -> list[Token]:
    place = last_assignment(tokens)
    return [] if place is None else list(tokens[place:])


def _one_word(tokens: Sequence[Token], line: int, default: str) -> list[Token]:
    words = [token for token in tokens if token.type in (LOWERCASE, UPPERCASE)]
    return [as_kind(LOWERCASE, words[0]) if words else mark(LOWERCASE, line, default)]


def _repaired_convention(tokens: Sequence[Token]) -> list[Token]:
    """``TEXTUAL-CONVENTION ... SYNTAX`` with the clauses that the grammar insists on."""
    line = tokens[0].lineno
    words = frozenset(("DISPLAY_HINT", "STATUS", "DESCRIPTION", "REFERENCE", "SYNTAX"))
    clauses = split_clauses(tokens[1:], words)
    hint = [token for token in clauses.get("DISPLAY_HINT", []) if token.type == TEXT][:1]
    return [
        tokens[0],
        *((mark("DISPLAY_HINT", line), *hint) if hint else ()),
        mark("STATUS", line),
        *_one_word(clauses.get("STATUS", []), line, "current"),
        mark("DESCRIPTION", line),
        mark(TEXT, line, '""'),
        mark("SYNTAX", line),
    ]


def _repaired_notification(clause: Clause, tokens: list[Token]) -> list[Token]:
    line = tokens[0].lineno
    words = frozenset(
        ("ENTERPRISE", "VARIABLES", "OBJECTS", "STATUS", "DESCRIPTION", "REFERENCE")
    ) | {"COLON_COLON_EQUAL"}
    clauses = split_clauses(tokens[2:], words)
    repaired = tokens[:2]
    listed = clauses.get("VARIABLES") or clauses.get("OBJECTS") or []
    names = [
        token for token in listed if token.type in (LOWERCASE, UPPERCASE) or token.type in MACROS
    ]
    if clause is Clause.TRAP:
        repaired += [mark("ENTERPRISE", line), *clauses.get("ENTERPRISE", [])]
    if names:
        word = "VARIABLES" if clause is Clause.TRAP else "OBJECTS"
        repaired += [mark(word, line), mark("{", line)]
        for name in names:
            repaired += [as_kind(LOWERCASE, name), mark(",", line)]
        repaired[-1] = mark("}", line)
    if clause is Clause.NOTIFICATION:
        repaired += [mark("STATUS", line), *_one_word(clauses.get("STATUS", []), line, "current")]
        repaired += [mark("DESCRIPTION", line), mark(TEXT, line, '""')]
    return [*repaired, *_assigned(tokens)]


def _plain(tokens: Sequence[Token]) -> list[Token]:
    """A syntax with no more than a type, and names of numbers where it has them."""
    if not tokens:
        return []
    line = tokens[0].lineno
    kinds = [token.type for token in tokens]
    if kinds[:2] == ["SEQUENCE", "OF"]:
        return [*tokens[:2], *(as_kind(UPPERCASE, token) for token in tokens[2:3])]
    if kinds[:2] == ["SEQUENCE", "{"]:
        # What a row consists of is told by the objects below it.
        return [tokens[0], *_sequence_of_nothing(line)]
    end = 2 if kinds[:2] in (["OCTET", "STRING"], ["OBJECT", "IDENTIFIER"]) else 1
    labels = list(_labels(tokens[end:])) if "{" in kinds else []
    if labels:
        kind = "BITS" if kinds[0] == "BITS" else UPPERCASE
        name = tokens[0].value if kind == "BITS" or kinds[0] == UPPERCASE else "INTEGER"
        plain = [mark(kind if name != "INTEGER" else "INTEGER", line, str(name)), mark("{", line)]
        for word, number in labels:
            plain += [as_kind(LOWERCASE, word), mark("(", line), number, mark(")", line)]
            plain.append(mark(",", line))
        return [*plain[:-1], mark("}", line)]
    if kinds[0] == "BITS" or kinds[0] == LOWERCASE:
        return [as_kind(UPPERCASE, tokens[0])]
    return list(tokens[:end])


def _sequence_of_nothing(line: int) -> list[Token]:
    return [
        mark("{", line), mark(LOWERCASE, line, "x"), mark("INTEGER", line), mark("}", line),
    ]  # fmt: skip


def _labels(tokens: Sequence[Token]) -> Iterator[tuple[Token, Token]]:
    """The pairs ``name(number)`` among *tokens*."""
    for place in range(1, len(tokens) - 1):
        word, opening, number = tokens[place - 1 : place + 2]
        is_word = isinstance(word.value, str) and word.value[:1].isalnum()
        if opening.type == "(" and is_word and number.type in ("NUMBER", "NEGATIVENUMBER"):
            yield word, number
