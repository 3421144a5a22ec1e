"""Where shipped data is found."""

from __future__ import annotations

import pytest

from exporters.bundled import bundled_directory
from exporters.errors import ConfigError


@pytest.fixture
def package(tmp_path):
    package = tmp_path / "exporters"
    package.mkdir()
    return package


def test_checkout_has_it_beside_the_package(package):
    (package.parent / "pyproject.toml").touch()
    (package.parent / "modules").mkdir()
    assert bundled_directory("modules", package) == package.parent / "modules"


def test_wheel_has_it_inside_the_package(package):
    (package / "_bundled" / "modules").mkdir(parents=True)
    (package.parent / "modules").mkdir()  # of another package in site-packages
    assert bundled_directory("modules", package) == package / "_bundled" / "modules"


def test_checkout_is_before_a_wheel_that_was_built_in_it(package):
    (package.parent / "pyproject.toml").touch()
    (package.parent / "modules").mkdir()
    (package / "_bundled" / "modules").mkdir(parents=True)
    assert bundled_directory("modules", package) == package.parent / "modules"


def test_missing_directory_is_told_with_where_it_was_looked_for(package):
    with pytest.raises(ConfigError) as refusal:
        bundled_directory("modules", package)
    (problem,) = refusal.value.problems
    assert "'modules'" in problem.problem
    assert str(package / "_bundled" / "modules") in problem.hint
