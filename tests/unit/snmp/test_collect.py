"""What an outcome says of its target."""

from __future__ import annotations

import pytest

from exporters.errors import FailureReason, TargetError
from exporters.snmp.collect import ModuleOutcome


def outcome(*reasons: FailureReason, answered: bool = False) -> ModuleOutcome:
    failures = [TargetError(reason, "what went wrong") for reason in reasons]
    return ModuleOutcome("if_mib", failures, answered=answered)


@pytest.mark.parametrize(
    "reasons",
    [
        pytest.param([FailureReason.TIMEOUT], id="no answer"),
        pytest.param([FailureReason.UNREACHABLE], id="a router says that there is no way"),
        pytest.param([FailureReason.TIMEOUT, FailureReason.UNREACHABLE], id="both"),
    ],
)
def test_target_that_is_not_there_counts_as_silent(reasons: list[FailureReason]) -> None:
    assert outcome(*reasons).silent


@pytest.mark.parametrize(
    "reasons",
    [
        pytest.param([FailureReason.REFUSED], id="its port is closed"),
        pytest.param([FailureReason.AUTH_WRONG_DIGEST], id="it knows another password"),
        pytest.param([FailureReason.TIMEOUT, FailureReason.DECODE], id="it sends garbage"),
    ],
)
def test_target_that_says_anything_is_not_silent(reasons: list[FailureReason]) -> None:
    assert not outcome(*reasons).silent


def test_target_that_answered_something_is_not_silent() -> None:
    assert not outcome(FailureReason.TIMEOUT, answered=True).silent
    assert not outcome(answered=True).silent
