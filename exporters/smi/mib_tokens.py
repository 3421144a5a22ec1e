"""From the text of a MIB file to the tokens of its declarations.

pysmi's grammar is fed one declaration at a time, so that a fault costs one object instead of its
module, and so that every object knows its line: pysmi's syntax tree has neither. This module does
what comes before the grammar: it splits text into tokens, finds the modules of a file, their
IMPORTS, and where each declaration starts.

It takes text as vendors write it. A comment runs from ``--`` to the end of its line: rows of dashes
of any length are the most common comment, and the rule of ASN.1 by which a second ``--`` ends a
comment would turn a third of them into code. Identifiers may hold underscores and end in a hyphen,
a character that means nothing is reported and passed over.

What the tokens mean is not known here; ``exporters.smi.mib_grammar`` knows.

Sources: RFC 2578 section 3 (modules, IMPORTS, identifiers), X.680 section 12 (lexical items), and
net-snmp's parser for what is tolerated.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from exporters.smi.mib_findings import Finding, Severity


class Token:
    """A lexical item, with the attributes that ply asks of one."""

    __slots__ = ("lexer", "lexpos", "lineno", "type", "value")

    def __init__(self, kind: str, value: str | int, lineno: int) -> None:
        self.type = kind
        self.value = value
        self.lineno = lineno
        self.lexpos = 0
        self.lexer: object = None

    def __repr__(self) -> str:
        return f"Token({self.type}, {self.value!r}, line {self.lineno})"


@dataclass(slots=True)
class SourceModule:
    """A module of a file: its name, what it imports, and the tokens of each declaration."""

    name: str
    line: int
    imports: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Symbol to the module it comes from, and the line that says so."""
    declarations: list[list[Token]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


_WORDS = """
    ACCESS AGENT-CAPABILITIES APPLICATION AUGMENTS BEGIN BITS CHOICE CONTACT-INFO CREATION-REQUIRES
    Counter32 Counter64 DEFINITIONS DEFVAL DESCRIPTION DISPLAY-HINT END ENTERPRISE EXPORTS FROM
    GROUP Gauge32 IDENTIFIER IMPLICIT IMPLIED IMPORTS INCLUDES INDEX INTEGER Integer32 IpAddress
    LAST-UPDATED MACRO MANDATORY-GROUPS MAX-ACCESS MIN-ACCESS MODULE MODULE-COMPLIANCE
    MODULE-IDENTITY NetworkAddress NOTIFICATION-GROUP NOTIFICATION-TYPE NOTIFICATIONS OBJECT
    OBJECT-GROUP OBJECT-IDENTITY OBJECT-TYPE OBJECTS OCTET OF ORGANIZATION Opaque PRODUCT-RELEASE
    REFERENCE REVISION SEQUENCE SIZE STATUS STRING SUPPORTS SYNTAX TEXTUAL-CONVENTION TimeTicks
    TRAP-TYPE UNITS UNIVERSAL Unsigned32 VARIABLES VARIATION WRITE-SYNTAX
"""
RESERVED = {word: word.replace("-", "_").upper() for word in _WORDS.split()} | {
    "Counter": "COUNTER32",
    "Gauge": "GAUGE32",
}
"""Words with a meaning of their own, and pysmi's names of their tokens."""

UPPERCASE = "UPPERCASE_IDENTIFIER"
LOWERCASE = "LOWERCASE_IDENTIFIER"
TEXT = "QUOTED_STRING"

MACROS = frozenset(
    (
        "AGENT_CAPABILITIES", "MODULE_COMPLIANCE", "MODULE_IDENTITY", "NOTIFICATION_GROUP",
        "NOTIFICATION_TYPE", "OBJECT_GROUP", "OBJECT_IDENTITY", "OBJECT_TYPE", "TRAP_TYPE",
    )
)  # fmt: skip
"""Tokens that follow the name of what they define."""

_ITEM = re.compile(
    r"""
      (?P<newline>\r\n|\n|\r)
    | (?P<blank>[\ \t\f\v\x00\x1a\ufeff\xa0]+)
    | (?P<comment>--[^\r\n]*)
    | (?P<remark>//[^\r\n]*)
    | (?P<word>[0-9]*[A-Za-z](?:[A-Za-z0-9_]|-(?!-)|/(?=[A-Za-z0-9]))*)
    | (?P<number>-?[0-9]+)
    | (?P<text>"[^"]*"?)
    | (?P<assign>::=)
    | (?P<range>\.\.)
    | (?P<octets>'[0-9A-Fa-f\s]*'[HhBb])
    | (?P<mark>[][{}():;,|.])
    | (?P<other>.)
    """,
    re.VERBOSE,
)
_LINE_END = re.compile(r"\r\n|\n|\r")
_END_OF_MACRO = re.compile(r"\bEND\b")
_END_OF_CHOICE = re.compile(r"\}")
_BIGGEST_32 = 0xFFFFFFFF
_AFTER_BLANKS = re.compile(r"\s*(?:(?P<word>[A-Za-z][A-Za-z0-9_-]*)|(?P<other>[^\s{}();,:\"-]))")
_LOST_QUOTE = re.compile(
    r"[\r\n]\s*(?:::=\s*(?:\{|[0-9])|[A-Za-z][\w-]*\s+(?:OBJECT|NOTIFICATION|TRAP)-TYPE\s)"
)
"""Where a declaration ends or starts, which inside of a text it does only by mistake."""


def decode_source(content: bytes) -> str:
    """Decode the bytes of a MIB file: UTF-8 with or without a byte order mark, else Latin-1."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


_PAGE_BREAK = re.compile(
    r"""^ [^"\r\n]* \[ Page [ ]+ [0-9]+ [ ]* \] [ \t]* $
      | ^ (?: RFC [ ]+ [0-9]+ | INTERNET-DRAFT | Internet[- ]Draft ) [ ]{2} [^"\r\n]*
          \b (?:19|20) [0-9]{2} [ \t]* $""",
    re.VERBOSE | re.MULTILINE,
)


def split_modules(source: str) -> tuple[list[SourceModule], list[Finding]]:
    """Split the text of a file into its modules.

    Returns:
        The modules in their order, and what was found outside of any.
    """
    findings: list[Finding] = []
    # Modules that were cut out of an RFC have the last line of a page and the first of the next.
    tokens = list(_tokens(_PAGE_BREAK.sub("", source), findings))
    modules: list[SourceModule] = []
    heads = [*_module_heads(tokens), (len(tokens), len(tokens))]
    for (start, body), (end, _) in pairwise(heads):
        module = SourceModule(str(tokens[start].value), tokens[start].lineno)
        _fill_module(module, tokens[body:end])
        modules.append(module)
    if not modules:
        return [], findings
    for finding in findings:
        # What stands before the first module is a letter, a licence, or a page of an RFC.
        inside = [module for module in modules if module.line <= finding.line]
        if inside:
            inside[-1].findings.append(finding)
    return modules, []


def _tokens(source: str, findings: list[Finding]) -> Iterator[Token]:
    """Give the tokens of *source*, without comments and without the bodies of macros."""
    line = 1
    position = 0
    end = len(source)
    while position < end:
        match = _ITEM.match(source, position)
        if match is None:  # pragma: no cover - "other" takes whatever the rest does not
            raise AssertionError("the pattern of items matches any character")
        kind = match.lastgroup
        position = match.end()
        if kind == "newline":
            line += 1
        elif kind == "word":
            word = match.group()
            reserved = RESERVED.get(word)
            if reserved in ("MACRO", "CHOICE"):
                # What a macro or a choice says inside is ASN.1 for which nobody has a use.
                closing = _END_OF_MACRO if reserved == "MACRO" else _END_OF_CHOICE
                yield Token(reserved, word, line)
                found = closing.search(source, position)
                stop = found.start() if found and reserved == "MACRO" else position
                if found and reserved == "CHOICE":
                    stop = found.end()
                line += len(_LINE_END.findall(source, position, stop))
                position = stop
            else:
                yield _word(word, reserved, line)
        elif kind == "number":
            yield _number(int(match.group()), line)
        elif kind == "text":
            text, position = _text(source, match, line, findings)
            yield Token(TEXT, text, line)
            line += len(_LINE_END.findall(source, match.start(), position))
        elif kind == "octets":
            line_of_octets = line
            line += len(_LINE_END.findall(match.group()))
            text = "".join(match.group().split())
            yield Token("HEX_STRING" if text[-1] in "Hh" else "BIN_STRING", text, line_of_octets)
        elif kind == "assign":
            yield Token("COLON_COLON_EQUAL", "::=", line)
        elif kind == "range":
            yield Token("DOT_DOT", "..", line)
        elif kind == "mark":
            yield Token(match.group(), match.group(), line)
        elif kind == "remark":
            findings.append(
                Finding(line, Severity.WARNING, "a comment starts with --, not with //")
            )
        elif kind == "other":
            _note_character(match.group(), line, findings)


def _word(word: str, reserved: str | None, line: int) -> Token:
    if reserved is None:
        reserved = UPPERCASE if word[0].isupper() else LOWERCASE
    return Token(reserved, word, line)


def _number(value: int, line: int) -> Token:
    kind = "NEGATIVENUMBER" if value < 0 else "NUMBER"
    return Token(kind if abs(value) <= _BIGGEST_32 else f"{kind}64", value, line)


def _text(source: str, match: re.Match[str], line: int, findings: list[Finding]) -> tuple[str, int]:
    """A quoted text and where it ends, which for a text without an end is a guess."""
    text = match.group()
    closed = len(text) > 1 and text.endswith('"')
    if closed and not (_LOST_QUOTE.search(text) and _is_followed_by_prose(source, match.end())):
        return text, match.end()
    lost = _LOST_QUOTE.search(text)
    stop = match.start() + (lost.start() if lost else len(text))
    problem = "the quotation mark that ends this text is missing"
    findings.append(Finding(line, Severity.WARNING, problem))
    return f'"{source[match.start() + 1 : stop]}"', stop


def _is_followed_by_prose(source: str, position: int) -> bool:
    """Whether what stands at *position* is no keyword and no mark.

    Where a closing mark is missing, the mark that seems to close a text opens the next one.
    """
    follows = _AFTER_BLANKS.match(source, position)
    return follows is not None and follows["word"] not in RESERVED


def _note_character(character: str, line: int, findings: list[Finding]) -> None:
    problem = f"a character without a meaning here: {character!r}"
    if not (findings and findings[-1].line == line):  # a row of them is one finding
        findings.append(Finding(line, Severity.WARNING, problem))


def _module_heads(tokens: list[Token]) -> Iterator[tuple[int, int]]:
    """Where each module's name stands, and where what follows its BEGIN starts."""
    for place, token in enumerate(tokens):
        if token.type != "DEFINITIONS":
            continue
        start = place - 1
        if start >= 0 and tokens[start].type == "}":  # NAME { iso 1 } DEFINITIONS
            while start > 0 and tokens[start].type != "{":
                start -= 1
            start -= 1
        if start < 0 or tokens[start].type not in (UPPERCASE, LOWERCASE):
            continue
        body = place + 1
        while body < len(tokens) and tokens[body].type != "BEGIN" and body < place + 6:
            body += 1
        if body < len(tokens) and tokens[body].type == "BEGIN":
            yield start, body + 1


def _fill_module(module: SourceModule, tokens: list[Token]) -> None:
    place = 0
    if tokens and tokens[0].type == "EXPORTS":
        place = _after(tokens, 0, ";")
    if place < len(tokens) and tokens[place].type == "IMPORTS":
        place = _read_imports(module, tokens, place + 1)
    starts = list(_declaration_starts(tokens, place))
    for start, end in pairwise([*starts, len(tokens)]):
        if tokens[start + 1].type != "MACRO":
            module.declarations.append(_until_end(tokens[start:end]))
    _report_strays(module, tokens[place : starts[0] if starts else len(tokens)])


def _until_end(declaration: list[Token]) -> list[Token]:
    """The last declaration is followed by END, and often by remarks that are no comments."""
    for place, token in enumerate(declaration):
        if token.type == "END":
            return declaration[:place]
    return declaration


def _after(tokens: list[Token], place: int, kind: str) -> int:
    while place < len(tokens) and tokens[place].type != kind:
        place += 1
    return min(place + 1, len(tokens))


def _report_strays(module: SourceModule, strays: list[Token]) -> None:
    strays = [token for token in strays if token.type not in ("END", ";")]
    if strays:
        problem = f"nothing that a module has starts with {strays[0].value!r}"
        module.findings.append(Finding(strays[0].lineno, Severity.WARNING, problem))


def _read_imports(module: SourceModule, tokens: list[Token], place: int) -> int:
    """Read ``a, b FROM M  c FROM N ;`` and return where the declarations start.

    Commas may be missing or too many. A missing semicolon shows by a definition that follows.
    """
    symbols: list[Token] = []
    while place < len(tokens):
        token = tokens[place]
        if token.type == ";":
            return place + 1
        if token.type == "FROM" and place + 1 < len(tokens):
            source = str(tokens[place + 1].value)
            for symbol in symbols:
                module.imports.setdefault(str(symbol.value), (source, symbol.lineno))
            symbols.clear()
            place += 2
            if place < len(tokens) and tokens[place].type == "{":  # FROM NAME { iso 1 }
                place = _after(tokens, place, "}")
            continue
        if not symbols and _starts_declaration(tokens, place):
            problem = "the semicolon that ends IMPORTS is missing"
            module.findings.append(Finding(token.lineno, Severity.WARNING, problem))
            return place
        if token.type != ",":
            symbols.append(token)
        place += 1
    return place


def _declaration_starts(tokens: list[Token], place: int) -> Iterator[int]:
    in_macro = False
    while place < len(tokens):
        if tokens[place].type == "MACRO":
            in_macro = True
        elif in_macro:
            in_macro = tokens[place].type != "END"
        elif _starts_declaration(tokens, place):
            yield place
        place += 1


def _starts_declaration(tokens: list[Token], place: int) -> bool:
    """Whether a name stands at *place* and what follows makes it the name of a definition."""
    kind = tokens[place].type
    after = [token.type for token in tokens[place + 1 : place + 4]]
    if len(after) < 2:
        return False
    follows = after[0]
    if follows == "MACRO" or (kind in MACROS and follows == "MACRO"):
        return True
    if kind in ("{", "}", "(", ")", ",", ";", "|", TEXT, "NUMBER", "COLON_COLON_EQUAL"):
        return False
    if follows in MACROS:
        # "OBJECT ifIndex OBJECT-TYPE" is no more than a slip; a macro's name needs a name before.
        return kind in (UPPERCASE, LOWERCASE) and after[1] != ","
    if follows == "OBJECT":
        return after[1] == "IDENTIFIER" and after[2:] == ["COLON_COLON_EQUAL"]
    # A type: no object's "::=" is followed by anything but an opening brace or a number.
    if follows != "COLON_COLON_EQUAL" or kind == "END" or kind in MACROS:
        return False
    return after[1] not in ("{", "NUMBER")
