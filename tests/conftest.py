"""Fixtures that every test may use."""

from __future__ import annotations

import os
import shutil
import signal
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import settings

# A machine that is busy elsewhere must not fail a property.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

# A shell that starts the tests in the background has them ignore SIGINT, and so their children,
# which are to be tested for what they do with it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def repository() -> Path:
    """The checkout under test."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """Reference files of the developers (peers' configurations, MIBs), which users do not have."""
    path = REPOSITORY.parent / "shared"
    if not path.is_dir():
        pytest.skip("the developers' reference files are not beside this checkout")
    return path


@pytest.fixture(scope="session")
def recordings_dir() -> Path:
    """The folder of snmpsim-data: recordings of real devices."""
    found = find_spec("snmpsim_data")
    if found is None or not found.submodule_search_locations:
        pytest.skip("the Python package snmpsim-data is not installed")
    return Path(found.submodule_search_locations[0]) / "data"


@pytest.fixture(autouse=True)
def _require_peer(request: pytest.FixtureRequest) -> None:
    """Skip a test marked ``peer(program, package)`` where the program is missing; fail under CI.

    A program of which there is no command is a path, with wildcards for what differs by machine.
    """
    for marker in request.node.iter_markers("peer"):
        program, package = marker.args
        if not _is_installed(program):
            reason = f"{program} is missing: install the Debian package {package}"
            if os.environ.get("CI") == "true":
                pytest.fail(reason)
            pytest.skip(reason)


def _is_installed(program: str) -> bool:
    if program.startswith("/"):
        return any(Path("/").glob(program[1:]))
    return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin") is not None
