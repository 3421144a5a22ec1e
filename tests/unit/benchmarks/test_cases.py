"""Which cases a benchmark runs, by their names."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest

from benchmarks.cases import EVERY_CASE, choose_cases


def names(*patterns: str, quick: bool = False) -> list[str]:
    return [case.name for case in choose_cases(patterns, quick=quick)]


def test_every_case_has_a_name_of_its_own() -> None:
    assert len({case.name for case in EVERY_CASE}) == len(EVERY_CASE)


def test_cases_that_are_named_are_run_whatever_they_take() -> None:
    assert names("ruijie/50ms/v2c/c1") == ["ruijie/50ms/v2c/c1"]
    assert names("arista/50ms-loss*/v2c/c8") == [
        "arista/50ms-loss2/v2c/c8",
        "arista/50ms-loss20/v2c/c8",
    ]


def test_case_that_two_patterns_name_is_run_once() -> None:
    assert names("arista/loopback/*/c1", "*/loopback/v2c/c1").count("arista/loopback/v2c/c1") == 1


def test_unknown_name_is_no_case() -> None:
    assert names("arista/loopback") == []


def test_patterns_overrule_the_quick_choice() -> None:
    assert names("juniper/50ms/v3/c8", quick=True) == ["juniper/50ms/v3/c8"]


@pytest.mark.parametrize("pattern", ["*/50ms-loss*", "ruijie/50ms/*"])
def test_slow_cases_are_left_out_unless_they_are_named(pattern: str) -> None:
    assert names(pattern + "*")
    assert not [name for name in names() if fnmatchcase(name, pattern)]


def test_quick_choice_is_part_of_the_usual_one_and_one_device() -> None:
    quick = names(quick=True)
    assert 0 < len(quick) < len(names())
    assert set(quick) <= set(names())
    assert {name.partition("/")[0] for name in quick} == {"arista"}


def test_loss_is_that_of_the_network() -> None:
    lossy = {case.network.name for case in EVERY_CASE if case.network.lossy}
    assert lossy == {"50ms-loss2", "50ms-loss20"}


def test_cases_where_the_agent_waits_have_the_stricter_target() -> None:
    (near,) = choose_cases(["arista/loopback/v2c/c1"], quick=False)
    (far,) = choose_cases(["arista/50ms/v3/c1"], quick=False)
    assert (near.cpu_target, near.wall_target) == (0.25, 0.5)
    assert (far.cpu_target, far.wall_target) == (0.5, 0.25)
