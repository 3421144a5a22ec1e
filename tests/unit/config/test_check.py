from __future__ import annotations

import pytest

from exporters.config.check import check_file


@pytest.mark.parametrize(
    "case",
    [
        "snmp/full.good.yml",
        "icmp/full.good.yml",
        "icmp/blackbox.good.yml",
        "smokeping/full.good.yml",
        "ping_exporter/full.good.yml",
        "devices/full.good.yml",
        "web/headers.good.yml",
        "web/users.good.yml",
    ],
)
def test_good_file_of_any_kind_has_no_problem(case, cases):
    assert check_file(cases / case, environment={}) == []


@pytest.mark.parametrize(
    ("case", "line"),
    [
        ("icmp/modules", 2),
        ("smokeping/bad_values", 2),
        ("ping_exporter/bad_values", 3),
        ("snmp/unknown_keys", 3),
        ("devices/repeated", 3),
        ("web/headers", 3),
        ("yaml/too_deep", 1),
    ],
)
def test_problems_are_those_of_the_kind(case, line, cases):
    problems = check_file(cases / f"{case}.bad.yml", environment={})
    assert problems[0].line == line


def test_part_of_a_configuration_is_no_problem(write):
    path = write("auths.yml", "auths: {public_v2: {}}")
    assert check_file(path, environment={}) == []


def test_flag_for_bare_variables_is_passed_on(write):
    path = write("auths.yml", "auths: {a: {password: $NOT_SET}}")
    assert check_file(path, environment={}) == []
    (problem,) = check_file(path, environment={}, expand_environment_variables=True)
    assert problem.problem == "the environment variable NOT_SET is not set"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("module: {}", 'it is not clear which kind of file this is; did you mean "modules"?'),
        ("[a]", "expected a mapping, found a list"),
    ],
)
def test_file_of_no_kind_is_a_problem(content, message, write):
    path = write("x.yml", content)
    (problem,) = check_file(path, environment={})
    assert str(problem) == f"{path}:1: {message}"


@pytest.mark.parametrize("content", ["{}", "auths: {}\ndevices: []"], ids=["none", "two kinds"])
def test_file_of_no_clear_kind_is_told_what_there_is(content, write):
    (problem,) = check_file(write("x.yml", content), environment={})
    assert problem.problem == "it is not clear which kind of file this is"
    for key in ("modules", "devices", "basic_auth_users") if content == "{}" else ("auths",):
        assert key in problem.hint


def test_kind_may_be_told(write):
    path = write("x.yml", "{}")
    assert check_file(path, "snmp", environment={}) == []
    (problem,) = check_file(path, "devices", environment={})
    assert str(problem) == f"{path}: devices: is missing; this key is required"


def test_missing_file_is_a_problem(tmp_path):
    (problem,) = check_file(tmp_path / "none.yml", environment={})
    assert problem.problem == "cannot be read: no such file or directory"
