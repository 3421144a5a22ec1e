"""The cases of tests/cases/modules: module files, a device, and the samples or the refusal."""

from __future__ import annotations

from pathlib import Path

import pytest

from exporters.config.snmp_config import SnmpConfig, load_snmp_config
from exporters.config.snmp_dump import dump_snmp_config
from exporters.demo.snmprec import load_recording
from exporters.errors import ConfigError
from exporters.smi.dictionary import Dictionary
from exporters.snmp.plan import compile_module

from .collecting import Collector

CASES = Path(__file__).resolve().parents[2] / "cases" / "modules"
FOLDERS = sorted(path for path in CASES.iterdir() if path.is_dir())
SCRAPED = [path for path in FOLDERS if (path / "samples.txt").exists()]
REFUSED = [path for path in FOLDERS if path not in SCRAPED]


def load(folder: Path, dictionary: Dictionary) -> SnmpConfig:
    return load_snmp_config(
        sorted(folder.glob("*.yml")),
        environment={},
        open_dictionary=lambda: dictionary,
        need_auths=False,
    )


async def scrapes(config: SnmpConfig, folder: Path, times: int = 1, **options: float) -> list[str]:
    """The samples of each of several scrapes of a device, one after another."""
    recording = folder / "device.snmprec"
    device = load_recording(recording if recording.exists() else CASES / "interfaces.snmprec")
    collector = Collector(compile_module("module", config.modules["module"]), **options)
    found = []
    for _ in range(times):
        scrape = await collector.scrape(list(device))
        assert scrape.outcome.failures == []
        found.append("".join(f"{line}\n" for line in scrape.samples))
    return found


@pytest.mark.parametrize("folder", SCRAPED, ids=lambda path: path.name)
async def test_a_case_gives_these_samples_however_it_is_read(
    folder: Path, shipped: Dictionary
) -> None:
    config = load(folder, shipped)
    expected = (folder / "samples.txt").read_text()

    read = await scrapes(config, folder, times=3)
    remembered = await scrapes(config, folder, times=2, default_seconds=600.0)

    assert [*read, *remembered] == [expected] * 5


@pytest.mark.parametrize("folder", SCRAPED, ids=lambda path: path.name)
async def test_what_config_shows_of_a_case_gives_the_same_samples(
    folder: Path, shipped: Dictionary, tmp_path: Path
) -> None:
    shown = tmp_path / "snmp.yml"
    shown.write_text(dump_snmp_config(load(folder, shipped)))

    again = load_snmp_config([shown], environment={}, need_auths=False)

    assert await scrapes(again, folder) == [(folder / "samples.txt").read_text()]


@pytest.mark.parametrize("folder", REFUSED, ids=lambda path: path.name)
def test_a_case_is_refused_in_these_words(
    folder: Path, shipped: Dictionary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    with pytest.raises(ConfigError) as refused:
        load(Path(), shipped)
    assert f"{refused.value}\n" == Path("problems.txt").read_text()
