"""Networks that lose, delay, double and swap datagrams: scrapes are complete, or say that they are
not, and are never wrong.

"2 % lost" is of all datagrams each way, each by itself: of a hundred requests, four stay without an
answer. Each path loses by a seed of its own; which datagram a loss hits depends on the moment too,
since a scrape has several under way.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from exporters.demo.bad_network import Impairment

from .agents import start_simulation
from .bad_paths import BadPath, bad_paths
from .exporter import Answer, Exporter, start_exporter
from .exposition import Exposition, Series, of_the_device
from .processes import Programs

SWITCH = "cloud/arista-dcs-7150s-52-cl.snmprec.bz2"
"""59 ports: a scrape of if_mib takes about forty packets, and is 2,243 samples."""
SCRAPE_TIMEOUT_SECONDS = 10.0
"""Prometheus' own default."""
PATHS = 24
DELAY_SECONDS = 0.025
OUT_OF_ORDER = {"reorder_rate": 0.1, "reorder_seconds": 0.06, "duplicate_rate": 0.1}
"""A datagram that is held back by 60 ms comes after the answer to the next question."""


V3 = {
    "version": 3,
    "security_level": "authPriv",
    "username": "reader",
    "auth_protocol": "SHA",
    "password": "authentication",
    "priv_protocol": "AES",
    "priv_password": "confidential",
}


@pytest.fixture(scope="module")
def agent(module_programs: Programs, recordings_dir: Path) -> str:
    return start_simulation(
        module_programs,
        recordings_dir / SWITCH,
        f"--user={V3['username']}",
        f"--auth-protocol={V3['auth_protocol']}",
        f"--auth-password={V3['password']}",
        f"--priv-protocol={V3['priv_protocol']}",
        f"--priv-password={V3['priv_password']}",
    )[1]


@pytest.fixture(scope="module")
def exporter(module_programs: Programs, repository: Path) -> Exporter:
    auths = module_programs.folder / "auths.yml"
    auths.write_text(yaml.safe_dump({"auths": {"v3": V3}}))
    shipped = repository / "modules/snmp/*.yml"
    return start_exporter(module_programs, f"--config.file={shipped}", f"--config.file={auths}")


@pytest.fixture(scope="module")
def whole(exporter: Exporter, agent: str) -> dict[Series, float]:
    """What a scrape gives where nothing is lost."""
    samples = of_the_device(exporter.scrape(agent, "if_mib").exposition)
    assert len(samples) > 2000
    return samples


def scrape_all(exporter: Exporter, paths: Sequence[BadPath], auth: str = "") -> list[Answer]:
    """Scrape over all paths at the same time."""

    def scrape(path: BadPath) -> Answer:
        return exporter.scrape(path.target, "if_mib", auth=auth, timeout=SCRAPE_TIMEOUT_SECONDS)

    with ThreadPoolExecutor(len(paths)) as pool:
        return list(pool.map(scrape, paths))


def is_complete(exposition: Exposition) -> bool:
    return exposition.value("snmp_module_success", module="if_mib") == 1


@pytest.mark.parametrize(
    "further",
    [
        pytest.param({}, id="loss alone"),
        pytest.param(OUT_OF_ORDER, id="with reordering and duplicates"),
    ],
)
def test_two_percent_lost_each_way_leave_every_scrape_complete_and_in_time(
    exporter: Exporter, agent: str, whole: dict[Series, float], further: dict[str, float]
) -> None:
    impairment = Impairment(delay_seconds=DELAY_SECONDS, drop_rate=0.02, **further)
    with bad_paths(agent, PATHS, requests=impairment, answers=impairment) as paths:
        # The first time the exporter knows nothing of the agent, the second time its limits.
        for _ in range(2):
            for answer in scrape_all(exporter, paths):
                assert answer.seconds < SCRAPE_TIMEOUT_SECONDS
                assert is_complete(answer.exposition)
                assert of_the_device(answer.exposition) == whole
        lost = sum(path.datagrams_lost for path in paths)
    assert lost > PATHS


@pytest.mark.parametrize(
    "further",
    [
        pytest.param({}, id="loss alone"),
        pytest.param(OUT_OF_ORDER, id="with reordering and duplicates"),
    ],
)
def test_twenty_percent_lost_each_way_cost_some_rows_at_worst(
    exporter: Exporter, agent: str, whole: dict[Series, float], further: dict[str, float]
) -> None:
    impairment = Impairment(delay_seconds=DELAY_SECONDS, drop_rate=0.2, **further)
    complete = 0
    with bad_paths(agent, PATHS, requests=impairment, answers=impairment) as paths:
        answers = scrape_all(exporter, paths)
        for answer, path in zip(answers, paths, strict=True):
            assert answer.seconds < SCRAPE_TIMEOUT_SECONDS
            if answer.status == 500:  # for the one reason that there is
                assert path.answers_delivered == 0
                assert "(timeout)" in answer.text
                continue
            exposition = answer.exposition
            samples = of_the_device(exposition)
            assert samples.items() <= whole.items()
            if is_complete(exposition):
                complete += 1
                assert samples == whole
            else:
                assert exposition.value("snmp_module_failure", module="if_mib", reason="timeout")
    assert complete > 0.6 * PATHS


def test_answers_with_flipped_bits_are_lost_to_version_3(
    exporter: Exporter, agent: str, whole: dict[Series, float]
) -> None:
    """What UDP's checksum does not find, version 3's digest does."""
    sound = Impairment(delay_seconds=DELAY_SECONDS)
    flipping = Impairment(delay_seconds=DELAY_SECONDS, corrupt_rate=0.05)
    with bad_paths(agent, PATHS, requests=sound, answers=flipping) as paths:
        for _ in range(2):
            for answer in scrape_all(exporter, paths, "v3"):
                assert is_complete(answer.exposition)
                assert of_the_device(answer.exposition) == whole
        flipped = sum(path.network.answers.counts.corrupted for path in paths)
    assert flipped > PATHS
