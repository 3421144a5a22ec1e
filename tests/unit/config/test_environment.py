from __future__ import annotations

import pytest

from exporters.config.environment import expand_variables
from exporters.config.rejection import Rejected

VARIABLES = {"NAME": "value", "_A1": "x", "EMPTY": "", "MONEY": "$NAME ${NAME}"}


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("${NAME}", "value"),
        ("a${NAME}b${_A1}", "avaluebx"),
        ("[${EMPTY}]", "[]"),
        ("$NAME", "$NAME"),
        ("$${NAME}", "${NAME}"),
        ("$$${NAME}", "$${NAME}"),
        ("$$", "$$"),
        ("${MONEY}", "$NAME ${NAME}"),
        ("plain", "plain"),
        ("", ""),
    ],
)
def test_braces_are_expanded_and_nothing_else(text, expanded):
    assert expand_variables(text, VARIABLES) == expanded


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("$NAME", "value"),
        ("$NAME-$_A1", "value-x"),
        ("${NAME}s", "values"),
        ("$", "$"),
        ("a$ b", "a$ b"),
        ("$.", "$."),
        ("$${NAME}", "${NAME}"),
        ("$MONEY", "$NAME ${NAME}"),
    ],
)
def test_bare_names_are_expanded_as_go_does(text, expanded):
    assert expand_variables(text, VARIABLES, bare=True) == expanded


@pytest.mark.parametrize(
    ("text", "bare", "problems"),
    [
        ("${NO}", False, ["the environment variable NO is not set"]),
        (
            "${NO}${NOT}",
            False,
            ["the environment variable NO is not set", "the environment variable NOT is not set"],
        ),
        ("$NAMES", True, ["the environment variable NAMES is not set"]),
        ("$1a", True, ["the environment variable 1 is not set"]),
        ("$$", True, ["the environment variable $ is not set"]),
        ("${NAME", False, ["a ${ is not closed with }"]),
        ("${}", True, ["a ${...} does not hold the name of a variable"]),
        ("${secret part}", False, ["a ${...} does not hold the name of a variable"]),
    ],
)
def test_what_cannot_be_expanded_is_named(text, bare, problems):
    with pytest.raises(Rejected) as refused:
        expand_variables(text, VARIABLES, bare=bare)
    assert [fault.problem for fault in refused.value.faults] == problems
