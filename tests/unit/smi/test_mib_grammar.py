from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporters.smi.mib_declarations import (
    Clause,
    Declaration,
    Form,
    ParsedModule,
    WrittenSyntax,
    module_from_json,
    module_to_json,
)
from exporters.smi.mib_findings import Finding, Severity
from exporters.smi.mib_grammar import MibParser

CASES = Path(__file__).resolve().parents[2] / "cases" / "mibs"


def parse(parser: MibParser, body: str) -> ParsedModule:
    modules, stray = parser.parse(f"X-MIB DEFINITIONS ::= BEGIN\n{body}\nEND\n".encode())
    assert (len(modules), stray) == (1, [])
    return modules[0]


def declaration(parser: MibParser, body: str) -> Declaration:
    module = parse(parser, body)
    assert module.findings == ()
    assert len(module.declarations) == 1
    return module.declarations[0]


def test_an_object_is_read_with_all_its_clauses(mib_parser: MibParser) -> None:
    read = declaration(
        mib_parser,
        'a OBJECT-TYPE SYNTAX B (0..7) UNITS "one  two" MAX-ACCESS read-create STATUS current'
        ' DESCRIPTION "First\n  sentence.  Second one." REFERENCE "none" INDEX { c, IMPLIED d }'
        " DEFVAL { 3 } ::= { iso org(3) x 1 }",
    )

    assert read == Declaration(
        clause=Clause.OBJECT,
        name="a",
        line=2,
        oid=("iso", ("org", 3), "x", 1),
        syntax=WrittenSyntax(Form.TYPE, "B", ranges=((0, 7),)),
        status="current",
        access="read-create",
        units="one two",
        indexes=((False, "c"), (True, "d")),
        help="First sentence",
    )


@pytest.mark.parametrize(
    ("written", "syntax"),
    [
        ("INTEGER", WrittenSyntax(Form.TYPE, "INTEGER")),
        ("Counter", WrittenSyntax(Form.TYPE, "Counter32")),
        ("Gauge", WrittenSyntax(Form.TYPE, "Gauge32")),
        ("OCTET STRING", WrittenSyntax(Form.TYPE, "OCTET STRING")),
        ("OBJECT IDENTIFIER", WrittenSyntax(Form.TYPE, "OBJECT IDENTIFIER")),
        ("NetworkAddress", WrittenSyntax(Form.TYPE, "NetworkAddress")),
        ("NULL", WrittenSyntax(Form.TYPE, "NULL")),
        ("SomeType", WrittenSyntax(Form.TYPE, "SomeType")),
        (
            "OCTET STRING (SIZE (0 | 4..16))",
            WrittenSyntax(Form.TYPE, "OCTET STRING", ranges=((0, 0), (4, 16))),
        ),
        ("INTEGER (-5..'0F'h)", WrittenSyntax(Form.TYPE, "INTEGER", ranges=((-5, 15),))),
        (
            "INTEGER { up(1), down(-2) }",
            WrittenSyntax(Form.TYPE, "INTEGER", labels=(("up", 1), ("down", -2))),
        ),
        (
            "BITS { a(0), b-c(9) }",
            WrittenSyntax(Form.TYPE, "BITS", labels=(("a", 0), ("b-c", 9))),
        ),
        ("SEQUENCE OF SomeEntry", WrittenSyntax(Form.ROWS, "SomeEntry")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_syntaxes_are_read(mib_parser: MibParser, written: str, syntax: WrittenSyntax) -> None:
    body = f"a OBJECT-TYPE SYNTAX {written} ACCESS read-only STATUS mandatory ::= {{ b 1 }}"

    assert declaration(mib_parser, body).syntax == syntax


@pytest.mark.parametrize(
    ("body", "clause", "name"),
    [
        ("a OBJECT IDENTIFIER ::= { b 1 }", Clause.NODE, "a"),
        ("A OBJECT IDENTIFIER ::= { b 1 }", Clause.NODE, "A"),
        ('a OBJECT-IDENTITY STATUS current DESCRIPTION "" ::= { b 1 }', Clause.IDENTITY, "a"),
        (
            'a OBJECT-GROUP OBJECTS { c } STATUS current DESCRIPTION "" ::= { b 1 }',
            Clause.GROUP,
            "a",
        ),
        ("a MODULE-COMPLIANCE whatever it says ::= { b 1 }", Clause.COMPLIANCE, "a"),
        ("a AGENT-CAPABILITIES whatever it says ::= { b 1 }", Clause.CAPABILITIES, "a"),
    ],
    ids=["node", "capital", "identity", "group", "compliance", "capabilities"],
)
def test_places_are_read(mib_parser: MibParser, body: str, clause: Clause, name: str) -> None:
    read = declaration(mib_parser, body)

    assert (read.clause, read.name, read.oid) == (clause, name, ("b", 1))


def test_a_module_identity_tells_the_revision(mib_parser: MibParser) -> None:
    read = declaration(
        mib_parser,
        'a MODULE-IDENTITY LAST-UPDATED "9912312359Z" ORGANIZATION "o" CONTACT-INFO "c"'
        ' DESCRIPTION "d" REVISION "9912312359Z" DESCRIPTION "r" ::= { b 1 }',
    )

    assert (read.clause, read.revision) == (Clause.MODULE, "9912312359Z")


def test_a_textual_convention_has_hint_and_syntax(mib_parser: MibParser) -> None:
    read = declaration(
        mib_parser,
        'B ::= TEXTUAL-CONVENTION DISPLAY-HINT "1x:" STATUS current DESCRIPTION "d"'
        " SYNTAX OCTET STRING (SIZE (6))",
    )

    assert (read.clause, read.display_hint) == (Clause.TYPE, "1x:")
    assert read.syntax == WrittenSyntax(Form.TYPE, "OCTET STRING", ranges=((6, 6),))


def test_a_tagged_type_is_what_it_tags(mib_parser: MibParser) -> None:
    read = declaration(mib_parser, "B ::= [APPLICATION 7] IMPLICIT OCTET STRING")

    assert read.syntax == WrittenSyntax(Form.TYPE, "OCTET STRING")


def test_a_trap_ends_in_its_number(mib_parser: MibParser) -> None:
    read = declaration(mib_parser, "a TRAP-TYPE ENTERPRISE b VARIABLES { c, d } ::= 5")

    assert (read.clause, read.oid, read.objects) == (Clause.TRAP, ("b", 5), ("c", "d"))


def test_a_notification_has_its_objects(mib_parser: MibParser) -> None:
    read = declaration(
        mib_parser,
        'a NOTIFICATION-TYPE OBJECTS { c, d } STATUS current DESCRIPTION "" ::= { b 0 5 }',
    )

    assert (read.clause, read.oid, read.objects) == (Clause.NOTIFICATION, ("b", 0, 5), ("c", "d"))


SYNTAX_OF_REPAIRED = {
    "orderOfClauses": WrittenSyntax(Form.TYPE, "Integer32"),
    "enumOfInteger32": WrittenSyntax(
        Form.TYPE, "INTEGER", labels=(("yes", 1), ("No", 2), ("MAX", 3), ("pre/post", 4))
    ),
    "rangeOfNames": WrittenSyntax(Form.TYPE, "Integer32"),
    "UpperCase": WrittenSyntax(Form.TYPE, "DisplayString", ranges=((0, 8),)),
    "with_underscore": WrittenSyntax(Form.TYPE, "Integer32"),
    "trailing-hyphen-": WrittenSyntax(Form.TYPE, "Integer32"),
    "bitsWithoutNames": WrittenSyntax(Form.TYPE, "BITS"),
    "afterTheRemark": WrittenSyntax(Form.TYPE, "Integer32"),
    "lostQuote": WrittenSyntax(Form.TYPE, "Integer32"),
    "afterLostQuote": WrittenSyntax(Form.TYPE, "Integer32"),
    "belowBeyondRepair": WrittenSyntax(Form.TYPE, "Integer32"),
}


@pytest.fixture(scope="module")
def broken(mib_parser: MibParser) -> ParsedModule:
    (module,), _ = mib_parser.parse((CASES / "BROKEN-MIB.txt").read_bytes())
    return module


@pytest.mark.parametrize("name", SYNTAX_OF_REPAIRED)
def test_a_broken_object_is_read_where_its_meaning_is_plain(
    broken: ParsedModule, name: str
) -> None:
    read = next(item for item in broken.declarations if item.name == name)

    assert read.syntax == SYNTAX_OF_REPAIRED[name]
    assert read.access == "read-only"


def test_an_object_beyond_repair_keeps_its_place(broken: ParsedModule) -> None:
    read = next(item for item in broken.declarations if item.name == "beyondRepair")

    assert (read.clause, read.oid) == (Clause.NODE, ("broken", 8))


def test_every_fault_is_reported_at_its_line(broken: ParsedModule) -> None:
    lines = (CASES / "BROKEN-MIB.txt").read_text().splitlines()
    faults = {finding.text.partition(":")[0]: finding for finding in broken.findings}

    assert "ACCESS" in lines[faults["orderOfClauses"].line - 1]
    assert "brokenMost" in lines[faults["rangeOfNames"].line - 1]
    assert "( | )" in lines[faults["beyondRepair"].line - 1]
    assert [name for name, item in faults.items() if item.severity is Severity.ERROR] == [
        "beyondRepair",
        "withoutOid",
        "tooLarge",
    ]


@pytest.mark.parametrize(
    ("body", "syntax"),
    [
        ("B ::= SEQUENCE { a Integer32 (0..x), b }", WrittenSyntax(Form.SEQUENCE, "")),
        ("b ::= SEQUENCE { a INTEGER }", WrittenSyntax(Form.SEQUENCE, "")),
        (
            'B ::= TEXTUAL-CONVENTION DESCRIPTION "d" SYNTAX INTEGER { a(1) }',
            WrittenSyntax(Form.TYPE, "INTEGER", labels=(("a", 1),)),
        ),
    ],
    ids=["row", "small letter", "no status"],
)
def test_a_broken_type_is_repaired(mib_parser: MibParser, body: str, syntax: WrittenSyntax) -> None:
    module = parse(mib_parser, body)

    assert module.declarations[0].syntax == syntax
    assert [finding.severity for finding in module.findings] == [Severity.WARNING]


def test_a_broken_notification_keeps_its_objects(mib_parser: MibParser) -> None:
    module = parse(mib_parser, 'a NOTIFICATION-TYPE DESCRIPTION "" OBJECTS { c d, } ::= { b 0 5 }')

    assert module.declarations[0].objects == ("c", "d")
    assert [finding.severity for finding in module.findings] == [Severity.WARNING]


def test_what_follows_a_declaration_is_cut_off(mib_parser: MibParser) -> None:
    module = parse(mib_parser, "a OBJECT IDENTIFIER ::= { b 1 }\nA Page Of A Draft\nB ::= INTEGER")

    assert [item.name for item in module.declarations] == ["a", "B"]
    problem = "nothing that a module has starts with 'A'"
    assert module.findings == (Finding(3, Severity.WARNING, problem),)


def test_what_was_read_survives_json(mib_parser: MibParser) -> None:
    for path in sorted(CASES.iterdir()):
        for module in mib_parser.parse(path.read_bytes())[0]:
            text = json.dumps(module_to_json(module))
            assert module_from_json(json.loads(text)) == module


PIECES = (CASES / "EXAMPLE-MIB.txt").read_text().split()


@settings(max_examples=150)
@given(words=st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=60))
def test_any_words_are_read_without_an_exception(words: list[str]) -> None:
    text = "X-MIB DEFINITIONS ::= BEGIN " + " ".join(words) + " END"

    modules, _ = PARSER.parse(text.encode("utf-8", "replace"))

    assert modules[0].name == "X-MIB"


PARSER = MibParser()


@settings(max_examples=150)
@given(data=st.data())
def test_a_file_that_lost_a_part_is_read_without_an_exception(data: st.DataObject) -> None:
    text = (CASES / "EXAMPLE-MIB.txt").read_text()
    start = data.draw(st.integers(text.index("BEGIN") + 5, len(text)))
    stop = data.draw(st.integers(start, min(len(text), start + 400)))

    (module, *_), _ = PARSER.parse(f"{text[:start]}\n{text[stop:]}".encode())

    assert module.name == "EXAMPLE-MIB"
