"""Modules that include others, as far as the cases of tests/cases/modules do not show it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from exporters.bundled import modules_directory
from exporters.config.by_name.including import Home, join
from exporters.config.by_name.model import NamedModule
from exporters.config.rejection import Rejected
from exporters.config.shipped_modules import shipped_file

PATH = Path("a.yml")


def chain(length: int) -> dict[str, Home]:
    """Modules of which each includes the next one, and walks something of its own."""
    return {
        str(number): Home(
            NamedModule(
                include=(str(number + 1),) if number + 1 < length else (),
                walk=(f"object{number}",),
            ),
            PATH,
        )
        for number in range(length)
    }


def test_what_is_included_comes_first_at_any_depth():
    joined = join("0", chain(40))
    assert joined.walk == tuple(f"object{number}" for number in reversed(range(40)))
    assert joined.origin(("walk", 0)) == ("39", ("walk", 0))
    assert joined.origin(("walk", 39, "x")) == ("0", ("walk", 0, "x"))
    assert joined.origin(("get",)) == (None, ("get",))


def test_a_chain_that_never_ends_is_refused():
    with pytest.raises(Rejected, match="more than 50 modules include one another"):
        join("0", chain(5000))


def test_a_module_that_two_include_counts_once():
    homes = {
        "top": Home(NamedModule(include=("left", "right")), PATH),
        "left": Home(NamedModule(include=("base",), walk=("a",)), PATH),
        "right": Home(NamedModule(include=("base",), walk=("a", "c")), PATH),
        "base": Home(NamedModule(walk=("b",), labels={"site": "x"}), PATH),
    }
    joined = join("top", homes)
    assert (joined.walk, dict(joined.labels)) == (("b", "a", "c"), {"site": "x"})


def test_how_a_device_is_asked_is_taken_from_nobody():
    homes = {
        "top": Home(NamedModule(include=("base",), retries=1), PATH),
        "base": Home(NamedModule(walk=("a",), retries=7, timeout="1s"), PATH),
    }
    assert (join("top", homes).parameters.retries, join("top", homes).parameters.timeout) == (
        1,
        5.0,
    )


def test_a_shipped_module_that_is_in_no_file_is_named_with_its_file():
    homes = {"top": Home(NamedModule(include=("if_mib",)), PATH)}
    with pytest.raises(Rejected) as refused:
        join("top", homes)
    (fault,) = refused.value.faults
    assert fault.problem == 'there is no module "if_mib"'
    shipped = modules_directory("snmp") / "if_mib.yml"
    assert fault.hint == f"it ships with netexporters: name {shipped} as a further file"


@pytest.mark.parametrize("file", sorted(modules_directory("snmp").glob("*.yml")), ids=str)
def test_a_shipped_file_of_modules_has_the_module_of_its_name(file: Path):
    modules = yaml.safe_load(file.read_text()).get("modules", {})
    assert shipped_file(file.stem) == (file if file.stem in modules else None)
