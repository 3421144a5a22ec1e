"""How many files may be open, and who gets how many."""

from __future__ import annotations

import resource

import pytest

from exporters import open_files


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The soft and the hard limit, as the system would keep them."""
    kept = [1024, 4096]

    def setrlimit(_: int, wanted: tuple[int, int]) -> None:
        if wanted[1] > kept[1]:
            raise ValueError("not allowed to raise maximum limit")
        kept[:] = wanted

    monkeypatch.setattr(resource, "getrlimit", lambda _: tuple(kept))
    monkeypatch.setattr(resource, "setrlimit", setrlimit)
    return kept


def test_soft_limit_is_raised_to_the_hard_one(limits: list[int]) -> None:
    before = open_files.connections()
    open_files.raise_limit()
    assert limits == [4096, 4096]
    assert open_files.connections() > 3 * before


def test_limit_that_cannot_be_raised_stays(
    limits: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: int, wanted: tuple[int, int]) -> None:
        raise ValueError("current limit exceeds maximum limit")

    monkeypatch.setattr(resource, "setrlimit", refuse)
    open_files.raise_limit()
    assert limits == [1024, 4096]


@pytest.mark.parametrize("limit", [16, 96, 256, 1024, 4096, 1 << 20])
def test_all_shares_and_the_reserve_fit_the_limit(limits: list[int], limit: int) -> None:
    limits[0] = limit
    connections, sockets = open_files.connections(), open_files.device_sockets()
    assert connections > sockets > 3
    assert connections + sockets + open_files.RESERVE <= max(limit, open_files.RESERVE + 10)


def test_unlimited_files_still_have_a_bound(limits: list[int]) -> None:
    limits[0] = resource.RLIM_INFINITY
    assert 10_000 < open_files.device_sockets() < open_files.connections() <= 200_000
