"""The tokens of one declaration: where they end, and what stands in which clause.

Nothing here needs the grammar, so that it works on declarations that the grammar refuses.

Sources: RFC 2578 section 3.1 (macro invocations), RFC 1212 section 4 (clauses of SMIv1).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from exporters.smi.mib_declarations import SubId, WrittenOid
from exporters.smi.mib_tokens import LOWERCASE, UPPERCASE, Token

_BRACKETS = {"{": 1, "(": 1, "}": -1, ")": -1}


def declaration_end(tokens: list[Token]) -> int:
    """Where what follows the declaration starts: page breaks of an RFC, remarks without ``--``."""
    if tokens[1].type == "COLON_COLON_EQUAL":
        return syntax_end(tokens, syntax_start(tokens))
    assign = last_assignment(tokens)
    if assign is None:
        return len(tokens)
    after = assign + 1
    if after < len(tokens) and tokens[after].type == "{":
        while after < len(tokens) and tokens[after].type != "}":
            after += 1
    return min(after + 1, len(tokens))


def last_assignment(tokens: Sequence[Token]) -> int | None:
    """Where the last ``::=`` stands."""
    for place in range(len(tokens) - 1, 0, -1):
        if tokens[place].type == "COLON_COLON_EQUAL":
            return place
    return None


def syntax_start(tokens: Sequence[Token]) -> int:
    """Where the syntax of a type declaration starts: after ``::=``, or after the macro's SYNTAX."""
    if len(tokens) < 3 or tokens[2].type != "TEXTUAL_CONVENTION":
        return 2
    starts = (place + 1 for place, token in enumerate(tokens) if token.type == "SYNTAX")
    return next(starts, len(tokens))


def syntax_end(tokens: Sequence[Token], place: int) -> int:
    """Where what follows the syntax that starts at *place* starts."""
    if place < len(tokens) and tokens[place].type == "[":  # [APPLICATION 1] IMPLICIT
        while place < len(tokens) and tokens[place].type != "]":
            place += 1
        place += 2 if place + 1 < len(tokens) and tokens[place + 1].type == "IMPLICIT" else 1
    words = [token.type for token in tokens[place : place + 2]]
    place += 2 if words in (["OCTET", "STRING"], ["OBJECT", "IDENTIFIER"]) else 1
    if words == ["SEQUENCE", "OF"]:
        place += 2
    if place < len(tokens) and tokens[place].type in ("{", "("):
        place = closing(tokens, place) + 1
    return min(place, len(tokens))


def closing(tokens: Sequence[Token], place: int) -> int:
    """Where the bracket that opens at *place* closes."""
    depth = 0
    while place < len(tokens):
        depth += _BRACKETS.get(tokens[place].type, 0)
        if depth <= 0:
            return place
        place += 1
    return place


def written_oid(tokens: Sequence[Token]) -> WrittenOid | None:
    """The OID that the declaration ends with, or None where that is none."""
    assign = last_assignment(tokens)
    if assign is None or len(tokens) < assign + 4 or tokens[assign + 1].type != "{":
        return None
    parts: list[SubId] = []
    for before, token in pairwise(tokens[assign + 1 :]):
        if token.type == "}":
            return tuple(parts) if len(parts) > 1 else None
        last = parts[-1] if parts else None
        if before.type == "(" and isinstance(last, str) and isinstance(token.value, int):
            parts[-1] = (last, token.value)
        elif token.type in (LOWERCASE, UPPERCASE, "NUMBER"):
            parts.append(token.value)
        elif token.type not in ("(", ")"):
            return None
    return None


def status_of(tokens: Sequence[Token]) -> str:
    """What stands after STATUS."""
    for token, following in pairwise(tokens):
        if token.type == "STATUS":
            return str(following.value)
    return ""


def as_kind(kind: str, token: Token) -> Token:
    """The same word as another kind of token."""
    return Token(kind, token.value, token.lineno)


def mark(kind: str, line: int, value: str = "") -> Token:
    """A token that stands nowhere in the file."""
    return Token(kind, value or kind, line)


def split_clauses(tokens: Sequence[Token], words: frozenset[str]) -> dict[str, list[Token]]:
    """The tokens of each clause, by the word that starts it; of two with one word the first."""
    clauses: dict[str, list[Token]] = {}
    current: list[Token] = []
    depth = 0
    for token in tokens:
        if depth <= 0 and token.type in words:
            current = []
            word = "MAX_ACCESS" if token.type == "ACCESS" else token.type
            clauses.setdefault(word, current)
        else:
            depth += _BRACKETS.get(token.type, 0)
            current.append(token)
    return clauses
