"""Whether two exporters answer a scrape with the same samples; else they do not race fairly."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

_SAMPLE: Final = re.compile(r"([a-zA-Z_:][\w:]*)(\{.*\})? (\S+)")
_OF_THE_SCRAPE: Final = ("snmp_scrape_", "snmp_module_", "snmp_up")


def read_samples(text: str) -> dict[str, float]:
    """Series, as text with its labels in the alphabet's order, and value of each sample.

    Raises:
        ValueError: A line is no sample.
    """
    samples: dict[str, float] = {}
    for line in text.split("\n"):
        if not line or line.startswith("#"):
            continue
        match = _SAMPLE.fullmatch(line)
        if match is None:
            raise ValueError(f"no sample: {line!r}")
        samples[f"{match[1]}{match[2] or ''}"] = float(match[3])
    return samples


def of_the_device(samples: Mapping[str, float]) -> dict[str, float]:
    """What the device has told, without what a scrape says of itself."""
    return {
        series: value for series, value in samples.items() if not series.startswith(_OF_THE_SCRAPE)
    }


def packets_sent(samples: Mapping[str, float]) -> float:
    """What a scrape says of its packets."""
    return sum(
        value for series, value in samples.items() if series.startswith("snmp_scrape_packets_sent")
    )


def differences(ours: Mapping[str, float], peers: Mapping[str, float]) -> list[str]:
    """Say what one has and the other has not, or has otherwise."""
    told = [f"only ours: {series}" for series in ours.keys() - peers.keys()]
    told += [f"only the peer's: {series}" for series in peers.keys() - ours.keys()]
    told += [
        f"{series}: {ours[series]!r}, the peer {peers[series]!r}"
        for series in ours.keys() & peers.keys()
        if ours[series] != peers[series]
    ]
    return told
