r"""Conditions on the rows of a table: ``ifOperStatus == up and ifAlias =~ "core.*"``.

    or_    = and_ { "or" and_ }
    and_   = not_ { "and" not_ }
    not_   = "not" not_ | "(" or_ ")" | column operator value
    column = name | MIB "::" name | OID
    value  = number | name of a number | text in quotes

The operators are those of PromQL: ``== != < <= > >=``, and ``=~ !~`` for patterns, which must match
from end to end. Text stands in double or single quotes; a backslash stands for itself, so that
patterns need no second one, but before a quote.

Parsing knows no columns; ``resolve`` gives every comparison its meaning once they are known.
Positions count from 1, in characters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from exporters.config.re2 import Regex, compile_regex
from exporters.config.rejection import quote, suggest

EQUAL, NOT_EQUAL, MATCHES, MATCHES_NOT = "==", "!=", "=~", "!~"
_PATTERN_OPERATORS: Final = (MATCHES, MATCHES_NOT)
_ORDER_OPERATORS: Final = ("<", "<=", ">", ">=")
_MAX_DEPTH: Final = 50
_TOKEN: Final = re.compile(
    r"""(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    | (?P<oid>\.?\d+(?:\.\d+){2,}(?![\w.]))
    | (?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w.]))
    | (?P<name>[A-Za-z][\w-]*(?:::[A-Za-z][\w-]*)?)
    | (?P<operator>==|!=|<=|>=|=~|!~|<|>)
    | (?P<parenthesis>[()])""",
    re.VERBOSE | re.DOTALL,
)
_SPACE: Final = re.compile(r"\s*")
_ESCAPED_QUOTE: Final = re.compile(r"\\([\"'])")
_OTHER_LANGUAGES: Final = {
    "=": "equality is ==",
    "&&": "write and",
    "||": "write or",
    "!": "write not",
    '"': "the quote is not closed",
    "'": "the quote is not closed",
}


class ExpressionError(ValueError):
    """An expression is wrong: what, what would be right, and at which character."""

    def __init__(self, problem: str, at: int, hint: str = "") -> None:
        super().__init__(f"character {at + 1}: {problem}")
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Word:
    """A value that is written without quotes: the name of a number."""

    text: str


Literal = Word | str | float


@dataclass(frozen=True, slots=True)
class Comparison:
    """A column, an operator, and a value as it is written; *at* is where each stands."""

    column: str
    operator: str
    value: Literal
    at: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class NumberTest:
    """A column whose number is compared."""

    column: str
    operator: str
    number: float


@dataclass(frozen=True, slots=True)
class TextTest:
    """A column whose text is compared: with another one, or with a pattern."""

    column: str
    operator: str
    text: str | Regex


@dataclass(frozen=True, slots=True)
class Not:
    """What does not hold."""

    inner: Node


@dataclass(frozen=True, slots=True)
class And:
    """What holds together."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Of what one at least holds."""

    parts: tuple[Node, ...]


Node = Comparison | NumberTest | TextTest | Not | And | Or


@dataclass(frozen=True, slots=True)
class RowExpression:
    """A parsed condition that knows how it was written; equal texts are equal conditions."""

    source: str
    root: Node = field(repr=False, compare=False)

    def comparisons(self) -> Iterator[Comparison]:
        """Give all comparisons, from left to right."""
        return _comparisons(self.root)


@dataclass(frozen=True, slots=True)
class ColumnKind:
    """What values a column has: numbers, with or without names, or text."""

    is_text: bool
    enum_values: Mapping[int, str] = field(default_factory=dict)


def parse_row_expression(source: str) -> RowExpression:
    """Parse a condition.

    Raises:
        ExpressionError: It is none; says where.
    """
    return RowExpression(source, _Parser(source).parse())


def resolve(expression: RowExpression, kind_of: Callable[[str], ColumnKind]) -> Node:
    """Give the condition with the meaning of every comparison.

    Raises:
        ExpressionError: A column has no such values.
    """

    def resolved(node: Node) -> Node:
        if isinstance(node, Not):
            return Not(resolved(node.inner))
        if isinstance(node, And):
            return And(tuple(map(resolved, node.parts)))
        if isinstance(node, Or):
            return Or(tuple(map(resolved, node.parts)))
        if isinstance(node, Comparison):
            kind = kind_of(node.column)
            return _text_test(node) if kind.is_text else _number_test(node, kind.enum_values)
        return node

    return resolved(expression.root)


def _comparisons(node: Node) -> Iterator[Comparison]:
    if isinstance(node, Comparison):
        yield node
    elif isinstance(node, Not):
        yield from _comparisons(node.inner)
    elif isinstance(node, And | Or):
        for part in node.parts:
            yield from _comparisons(part)


# --- what comparisons mean ---


def _text_test(node: Comparison) -> TextTest:
    value, (_, operator_at, value_at) = node.value, node.at
    if node.operator in _ORDER_OPERATORS:
        problem = f"{node.column} is text, which {node.operator} does not compare"
        raise ExpressionError(problem, operator_at, "text has ==, !=, =~ and !~")
    if not isinstance(value, str):
        written = value.text if isinstance(value, Word) else f"{value:g}"
        problem = f"{node.column} is text, and {written} is not"
        raise ExpressionError(problem, value_at, f'write "{written}"')
    if node.operator in _PATTERN_OPERATORS:
        return TextTest(node.column, node.operator, _pattern(value, value_at))
    return TextTest(node.column, node.operator, value)


def _number_test(node: Comparison, names: Mapping[int, str]) -> Node:
    value, value_at = node.value, node.at[2]
    if node.operator in _PATTERN_OPERATORS:
        return _names_that_match(node, names)
    if isinstance(value, float):
        return NumberTest(node.column, node.operator, value)
    written = value.text if isinstance(value, Word) else value
    numbers = [number for number, name in names.items() if name == written]
    if not names:
        hint = "compare it with a number"
        raise ExpressionError(f"{node.column} has no names for its numbers", value_at, hint)
    if not numbers:
        hint = suggest(written, list(names.values()), "it may be")
        raise ExpressionError(f"{node.column} is never {quote(written)}", value_at, hint)
    tests = tuple(NumberTest(node.column, node.operator, number) for number in numbers)
    if len(tests) == 1:
        return tests[0]
    return And(tests) if node.operator == NOT_EQUAL else Or(tests)


def _names_that_match(node: Comparison, names: Mapping[int, str]) -> Node:
    value, (_, operator_at, value_at) = node.value, node.at
    if not names:
        problem = f"{node.column} is a number, which {node.operator} does not compare"
        raise ExpressionError(problem, operator_at, "numbers have == != < <= > >=")
    if not isinstance(value, str):
        raise ExpressionError("a pattern stands in quotes", value_at)
    pattern = _pattern(value, value_at)
    numbers = [number for number, name in names.items() if pattern.search(name)]
    if not numbers:
        hint = f"it may be: {', '.join(names.values())}"
        raise ExpressionError(f"{node.column} is never {quote(value)}", value_at, hint)
    equal = NOT_EQUAL if node.operator == MATCHES_NOT else EQUAL
    tests = tuple(NumberTest(node.column, equal, number) for number in numbers)
    return Or(tests) if node.operator == MATCHES else And(tests)


def _pattern(text: str, at: int) -> Regex:
    try:
        return compile_regex(text, whole=True)
    except ValueError as error:
        problem = f"{quote(text)} is not a regular expression: {error}"
        raise ExpressionError(problem, at) from error


# --- grammar ---


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int


_END: Final = "end"


class _Parser:
    def __init__(self, source: str) -> None:
        self._tokens = [*_tokens(source), _Token(_END, "", len(source.rstrip()))]
        self._place = 0
        self._depth = 0

    def parse(self) -> Node:
        node = self._or()
        token = self._tokens[self._place]
        if token.text == ")":
            raise ExpressionError("a ) has no ( before it", token.at)
        if token.kind != _END:
            hint = "join conditions with and, or"
            raise ExpressionError(f"found {quote(token.text)} after a condition", token.at, hint)
        return node

    def _or(self) -> Node:
        parts = [self._and()]
        while self._takes("or"):
            parts.append(self._and())
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _and(self) -> Node:
        parts = [self._not()]
        while self._takes("and"):
            parts.append(self._not())
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _not(self) -> Node:
        at = self._tokens[self._place].at
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise ExpressionError(f"more than {_MAX_DEPTH} conditions in one another", at)
        if self._takes("not"):
            node: Node = Not(self._not())
        elif self._takes("("):
            node = self._or()
            if not self._takes(")"):
                raise ExpressionError("this ( is not closed", at)
        else:
            node = self._comparison()
        self._depth -= 1
        return node

    def _comparison(self) -> Comparison:
        column = self._next()
        if column.kind not in ("name", "oid") or column.text in ("and", "or", "not"):
            hint = 'write it as ifOperStatus == up, ifAlias =~ "core.*" or ifSpeed > 1e9'
            raise ExpressionError(f"expected a column, found {_shown(column)}", column.at, hint)
        operator = self._next()
        if operator.kind != "operator":
            problem = f"expected an operator after {column.text}, found {_shown(operator)}"
            raise ExpressionError(problem, operator.at, "there are == != < <= > >= =~ !~")
        value = self._next()
        literal = _literal(value)
        if literal is None:
            problem = f"expected a value after {operator.text}, found {_shown(value)}"
            hint = "a value is a number, the name of a number, or text in quotes"
            raise ExpressionError(problem, value.at, hint)
        at = (column.at, operator.at, value.at)
        return Comparison(column.text, operator.text, literal, at)

    def _next(self) -> _Token:
        token = self._tokens[self._place]
        if token.kind != _END:
            self._place += 1
        return token

    def _takes(self, text: str) -> bool:
        token = self._tokens[self._place]
        taken = token.text == text and token.kind in ("name", "parenthesis")
        self._place += taken
        return taken


def _tokens(source: str) -> Iterator[_Token]:
    at = 0
    while True:
        space = _SPACE.match(source, at)
        at = space.end() if space else at
        if at == len(source):
            return
        found = _TOKEN.match(source, at)
        if found is None or found.lastgroup is None:
            shown = source[at : at + 2] if source[at : at + 2] in _OTHER_LANGUAGES else source[at]
            hint = _OTHER_LANGUAGES.get(shown, "")
            if source[at].isdigit():
                shown = source[at:].split()[0]
                hint = "text and names that begin with a digit stand in quotes"
            raise ExpressionError(f"{quote(shown)} means nothing here", at, hint)
        yield _Token(found.lastgroup, found[0], at)
        at = found.end()


def _literal(token: _Token) -> Literal | None:
    if token.kind == "number":
        return float(token.text)
    if token.kind == "text":
        return _ESCAPED_QUOTE.sub(r"\1", token.text[1:-1])
    if token.kind == "name" and token.text not in ("and", "or", "not"):
        return Word(token.text)
    return None


def _shown(token: _Token) -> str:
    return "the end" if token.kind == _END else quote(token.text)
