"""Whatever stands for a name, a module is resolved or refused in words."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from exporters.config.by_name.model import (
    NamedDynamicFilter,
    NamedFilters,
    NamedLookup,
    NamedModule,
    Override,
    StaticFilter,
)
from exporters.config.by_name.resolving import resolve
from exporters.config.context import LoadContext
from exporters.config.rejection import Rejected
from exporters.smi.dictionary import Dictionary
from exporters.smi.mib_store import MemoryFiles, MibStore, build_files

PARTS = st.sampled_from(
    ["IF-MIB", "::", "ifTable", "ifDescr", "sysUpTime", ".", "0", "1", "1.3.6.1.2.1.2.2.1", " ",
     "x", "4294967296", "-1", "é", "\t", "\0", "ifIndex", "hrStorageTable", "HOST-RESOURCES-MIB"]
)  # fmt: skip
NAMES = st.lists(PARTS, min_size=1, max_size=4).map("".join) | st.text(min_size=1, max_size=12)
GIVEN = NAMES.filter(str.strip)


@pytest.fixture(scope="module")
def few(shipped: Dictionary) -> Dictionary:
    """A dictionary that is quick to search, as every unknown name is searched for."""
    linked = [shipped.module(name) for name in ("SNMPv2-MIB", "IF-MIB", "HOST-RESOURCES-MIB")]
    modules = [module for module in linked if module is not None]
    return Dictionary((MibStore(MemoryFiles(build_files(modules, lambda _: ""))),))


@given(names=st.lists(GIVEN, min_size=5, max_size=5))
@example(names=["::", ":: ", "a::", "::a", "1"])
@example(names=["0", "2.39", "1.3", "3.1", "."])
@example(names=["ifTable", "ifDescr", "ifDescr.1", "ifIndex", "ifTable"])
def test_any_names_are_resolved_or_refused(few, names):
    walk, lookup, override, target, column = names
    try:
        module = NamedModule(
            walk=[walk],
            get=[target],
            lookups=[NamedLookup(source_indexes=["ifIndex", override], lookup=lookup)],
            overrides={override: Override(scale=2)},
            filters=NamedFilters(
                static=[StaticFilter(targets=[target], indices=["1.2"])],
                dynamic=[NamedDynamicFilter(oid=column, targets=[walk], values=["a"])],
            ),
        )
    except ValueError:  # a key of overrides that is an OID, and none
        return
    try:
        found = resolve(module, few, LoadContext()).module
    except Rejected as refused:
        assert all(fault.problem for fault in refused.faults)
    else:
        assert found.metrics
