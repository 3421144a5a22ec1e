from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from exporters.errors import ConfigError
from exporters.mibs.on_demand import DictionaryOnDemand

Module = Callable[..., str]

# What is imported before somebody asks for the dictionary, and after.
UNUSED = """
import sys
import exporters.snmp.exporter
from exporters.mibs.on_demand import DictionaryOnDemand
before = set(sys.modules)
dictionary = DictionaryOnDemand((), None)
assert set(sys.modules) == before
print(*sorted(before))
dictionary.get()
print(*sorted(sys.modules))
"""
PARTS = {
    "difflib", "pysmi", "exporters.mibs.compiling", "exporters.mibs.opening",
    "exporters.smi.dictionary", "exporters.smi.mib_description", "exporters.smi.mib_objects",
    "exporters.smi.mib_store", "exporters.smi.mib_text", "exporters.web.oid_answers",
    "exporters.web.oid_content",
}  # fmt: skip


def test_an_exporter_that_does_not_use_the_dictionary_does_not_import_it() -> None:
    run = subprocess.run(
        [sys.executable, "-c", UNUSED], capture_output=True, text=True, check=True, timeout=60
    )
    before, after = (set(line.split()) for line in run.stdout.splitlines())

    assert before & (PARTS - {"difflib"}) == set()  # difflib is argparse's and the flags'
    assert {"exporters.smi.dictionary", "exporters.smi.mib_store"} <= after
    assert "pysmi" not in after  # what ships needs no grammar


def test_what_ships_is_opened_once() -> None:
    dictionary = DictionaryOnDemand((), None)

    assert dictionary.get().find("ifDescr") is not None
    assert dictionary.get() is dictionary.get()


def test_own_files_are_compiled_once_and_their_errors_logged(
    mibs: Path, cache: Path, module: Module, caplog: pytest.LogCaptureFixture
) -> None:
    (mibs / "A-MIB").write_text(module("A-MIB", "one OBJECT IDENTIFIER ::= { root 1 }"))
    (mibs / "B-MIB").write_text(module("B-MIB", "x OBJECT-TYPE SYNTAX ::= { root 1 }"))
    dictionary = DictionaryOnDemand((mibs,), cache)
    assert caplog.records == []

    found = [dictionary.get().find("A-MIB::one") for _ in range(2)]

    assert found[0] is not None
    (record,) = caplog.records
    assert record.getMessage() == "MIB files have errors, which netexporters mib compile tells"
    assert str(mibs / "B-MIB") in str(record.__dict__)


def test_a_directory_that_is_not_there_is_refused(tmp_path: Path) -> None:
    dictionary = DictionaryOnDemand((tmp_path / "none",), None)

    with pytest.raises(ConfigError, match="there is no such file or directory"):
        dictionary.get()


def test_names_stand_beside_oids() -> None:
    dictionary = DictionaryOnDemand((), None)

    assert dictionary.name_oids("genErr at 1.3.6.1.2.1.1.5.0") == (
        "genErr at SNMPv2-MIB::sysName.0 (1.3.6.1.2.1.1.5.0)"
    )


def test_text_stays_as_it_is_where_nothing_can_be_looked_up(
    mibs: Path, cache: Path, module: Module, caplog: pytest.LogCaptureFixture
) -> None:
    (mibs / "A-MIB").write_text(module("A-MIB", "one OBJECT IDENTIFIER ::= { root 1 }"))
    dictionary = DictionaryOnDemand((mibs,), cache)
    dictionary.get()
    shutil.rmtree(cache)
    text = "genErr at 1.3.6.1.4.1.32473.1.0"

    assert dictionary.name_oids(text) == text
    assert caplog.records[-1].getMessage() == "OID dictionary not readable"
    assert dictionary.name_oids("no OID in it") == "no OID in it"
