from __future__ import annotations

import pytest

from exporters.smi.mib_findings import Severity
from exporters.smi.mib_tokens import SourceModule, decode_source, split_modules


def only_module(body: str) -> SourceModule:
    modules, stray = split_modules(f"X-MIB DEFINITIONS ::= BEGIN\n{body}\nEND\n")
    assert (len(modules), stray) == (1, [])
    return modules[0]


def words(module: SourceModule) -> list[list[str | int]]:
    return [[token.value for token in declaration] for declaration in module.declarations]


def test_declarations_are_found_with_their_lines() -> None:
    module = only_module(
        "a OBJECT IDENTIFIER ::= { iso 3 }\n\n"
        "B ::= INTEGER\n"
        'c OBJECT-TYPE SYNTAX B ACCESS read-only STATUS mandatory DESCRIPTION "" ::= { a 1 }'
    )

    assert [str(item[0]) for item in words(module)] == ["a", "B", "c"]
    assert [declaration[0].lineno for declaration in module.declarations] == [2, 4, 5]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["unix", "windows", "old mac"])
def test_any_line_end_counts_as_one_line(end: str) -> None:
    lines = """X-MIB DEFINITIONS ::= BEGIN
        -- c
        a OBJECT-IDENTITY DESCRIPTION "1
        2"
        ::= { iso 3 }

        c OBJECT IDENTIFIER ::= { a 1 }
        END"""
    text = end.join(lines.split("\n"))

    (module,), _ = split_modules(text)

    assert [declaration[0].lineno for declaration in module.declarations] == [3, 7]


@pytest.mark.parametrize(
    "comment",
    ["--", "---", "----- a -----", "-- a -- b OBJECT IDENTIFIER ::= { iso 9 }", '-- "', "--x--y"],
)
def test_a_comment_runs_to_the_end_of_its_line(comment: str) -> None:
    module = only_module(f"a OBJECT IDENTIFIER ::= {{ iso 3 }} {comment}\nB ::= INTEGER")

    assert words(module) == [
        ["a", "OBJECT", "IDENTIFIER", "::=", "{", "iso", 3, "}"],
        ["B", "::=", "INTEGER"],
    ]


def test_a_comment_ends_an_identifier() -> None:
    assert words(only_module("B ::= INTEGER--or not"))[0] == ["B", "::=", "INTEGER"]


def test_the_body_of_a_macro_is_passed_over() -> None:
    macro = 'OBJECT-TYPE MACRO ::= BEGIN\n TYPE NOTATION ::= "SYNTAX" x OBJECT-TYPE y\nEND\n'
    module = only_module(f"{macro}B ::= INTEGER")

    assert words(module) == [["B", "::=", "INTEGER"]]
    assert module.declarations[0][0].lineno == 5


def test_a_choice_is_passed_over() -> None:
    module = only_module("N ::= CHOICE {\n internet IpAddress\n}\nB ::= INTEGER")

    assert words(module) == [["N", "::=", "CHOICE"], ["B", "::=", "INTEGER"]]


@pytest.mark.parametrize(
    ("clause", "imports"),
    [
        ("IMPORTS a, b FROM M c FROM N;", {"a": "M", "b": "M", "c": "N"}),
        ("IMPORTS a, , b, FROM M;", {"a": "M", "b": "M"}),
        ("IMPORTS a b FROM M", {"a": "M", "b": "M"}),
        ("IMPORTS a FROM M { iso 3 } b FROM N;", {"a": "M", "b": "N"}),
        ("IMPORTS a FROM M a FROM N;", {"a": "M"}),
        ("IMPORTS;", {}),
        ("EXPORTS a, b;\nIMPORTS a FROM M;", {"a": "M"}),
    ],
    ids=["plain", "commas", "no semicolon", "oid", "twice", "empty", "exports"],
)
def test_imports_are_read(clause: str, imports: dict[str, str]) -> None:
    module = only_module(f"{clause}\nd OBJECT IDENTIFIER ::= {{ a 1 }}")

    assert {name: origin for name, (origin, _) in module.imports.items()} == imports
    assert len(module.declarations) == 1


def test_several_modules_of_a_file_are_told_apart() -> None:
    one = (
        "A-MIB DEFINITIONS ::= BEGIN\nIMPORTS x FROM B-MIB;\na OBJECT IDENTIFIER ::= { x 1 }\nEND\n"
    )

    modules, _ = split_modules(f"Dear reader;\n{one}{one.replace('A-MIB', 'C-MIB')}")

    assert [(module.name, module.line) for module in modules] == [("A-MIB", 2), ("C-MIB", 6)]
    assert [len(module.declarations) for module in modules] == [1, 1]


@pytest.mark.parametrize(
    "head",
    [
        "X-MIB DEFINITIONS::=BEGIN",
        "X-MIB { iso 3 } DEFINITIONS ::=\nBEGIN",
        "X-MIB DEFINITIONS IMPLICIT TAGS ::= BEGIN",
    ],
)
def test_heads_of_modules_are_known_in_their_forms(head: str) -> None:
    assert split_modules(f"{head}\nEND")[0][0].name == "X-MIB"


def test_a_text_without_modules_has_none() -> None:
    assert split_modules("Nothing of the kind.")[0] == []


def test_page_breaks_of_an_rfc_are_no_tokens() -> None:
    module = only_module(
        "a OBJECT IDENTIFIER ::=\n\nMcCloghrie       Standards Track       [Page 9]\n"
        "RFC 2863                The Interfaces Group MIB                June 2000\n { iso 3 }"
    )

    assert words(module)[0][-4:] == ["{", "iso", 3, "}"]
    assert module.findings == []


def test_a_page_break_keeps_the_lines_that_follow() -> None:
    module = only_module("A       B       [Page 9]\na OBJECT IDENTIFIER ::= { iso 3 }")

    assert module.declarations[0][0].lineno == 3


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("a OBJECT IDENTIFIER ::= { iso @ 3 }", "a character without a meaning here: '@'"),
        ("// no\na OBJECT IDENTIFIER ::= { iso 3 }", "a comment starts with --, not with //"),
        (
            "one two\na OBJECT IDENTIFIER ::= { iso 3 }",
            "nothing that a module has starts with 'one'",
        ),
    ],
    ids=["character", "remark", "stray"],
)
def test_what_does_not_belong_is_reported_and_passed_over(body: str, text: str) -> None:
    module = only_module(body)

    assert [(finding.severity, finding.text) for finding in module.findings] == [
        (Severity.WARNING, text)
    ]
    assert words(module)[0][0] == "a"


def test_a_text_that_nothing_ends_costs_one_declaration() -> None:
    module = only_module(
        'a OBJECT-TYPE SYNTAX INTEGER DESCRIPTION "not closed\n    ::= { iso 3 }\n'
        'b OBJECT-TYPE SYNTAX INTEGER DESCRIPTION "closed" ::= { iso 4 }'
    )

    assert [str(item[0]) for item in words(module)] == ["a", "b"]
    assert words(module)[0][-4:] == ["{", "iso", 3, "}"]
    assert module.findings[0].line == 2


def test_a_text_may_show_what_a_declaration_looks_like() -> None:
    text = '"Write\n   x OBJECT-TYPE SYNTAX INTEGER\n   ::= { y 1 }\n for it."'
    module = only_module(f"a OBJECT-IDENTITY STATUS current DESCRIPTION {text} ::= {{ iso 3 }}")

    assert words(module)[0][5] == text
    assert module.findings == []


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"\xef\xbb\xbfa", "a"),
        ("Müller".encode(), "Müller"),
        ("Müller".encode("latin-1"), "Müller"),
    ],
    ids=["byte order mark", "utf-8", "latin-1"],
)
def test_files_are_decoded_whatever_their_encoding(content: bytes, text: str) -> None:
    assert decode_source(content) == text


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("4294967295", "NUMBER"), ("4294967296", "NUMBER64"), ("-1", "NEGATIVENUMBER"),
        ("-4294967296", "NEGATIVENUMBER64"), ("'0F'h", "HEX_STRING"), ("'01'B", "BIN_STRING"),
        ("3com", "LOWERCASE_IDENTIFIER"), ("a_b", "LOWERCASE_IDENTIFIER"),
        ("a-", "LOWERCASE_IDENTIFIER"), ("a/b", "LOWERCASE_IDENTIFIER"),
        ("Counter", "COUNTER32"), ("MAX", "UPPERCASE_IDENTIFIER"),
    ],
)  # fmt: skip
def test_words_and_numbers_become_their_tokens(written: str, kind: str) -> None:
    declaration = only_module(f"B ::= INTEGER ( {written} )").declarations[0]

    assert declaration[4].type == kind
