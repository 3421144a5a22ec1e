"""What the demo's devices say by themselves, and what of it must be seen."""

from __future__ import annotations

import pytest

from exporters.demo import trapping_devices
from exporters.demo.pretend_network import PRETEND_NETWORK

SHOWN = (
    'network_event_active{device="edge-rtr-01",event="link",instance="xe-0/0/1"} 1',
    'network_event_active{device="access-sw-02",event="link",instance="Uplink1"} 0',
    "snmp_trap_last_seen_timestamp_seconds"
    '{device="core-sw-01",trap="authenticationFailure"} 1790000000.000',
)


def test_nothing_is_missing_when_all_is_shown() -> None:
    assert trapping_devices.missing("\n".join(SHOWN), PRETEND_NETWORK) == []


@pytest.mark.parametrize(
    ("number", "line", "missing"),
    [
        pytest.param(0, "", "xe-0/0/1 of edge-rtr-01 is down", id="never raised"),
        pytest.param(0, SHOWN[0][:-1] + "0", "xe-0/0/1 of edge-rtr-01 is down", id="cleared"),
        pytest.param(1, SHOWN[1][:-1] + "1", "Uplink1 of access-sw-02 is up again", id="raised"),
        pytest.param(2, "", "core-sw-01 was asked with a wrong community", id="no trap"),
    ],
)
def test_what_is_not_shown_is_missing(number: int, line: str, missing: str) -> None:
    lines = [*SHOWN[:number], line, *SHOWN[number + 1 :]]
    assert trapping_devices.missing("\n".join(lines), PRETEND_NETWORK) == [missing]
