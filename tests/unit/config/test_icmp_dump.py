from __future__ import annotations

import pytest
import yaml

from exporters.config.icmp_config import load_icmp_config
from exporters.config.icmp_dump import dump_icmp_config, dump_module


@pytest.mark.parametrize(
    "case",
    ["icmp/full", "icmp/empty", "icmp/blackbox", "smokeping/full", "ping_exporter/full"],
)
def test_dump_loads_again_to_the_same(case, cases, write):
    config = load_icmp_config([cases / f"{case}.good.yml"], environment={})
    dumped = dump_icmp_config(config)
    again = load_icmp_config([write("again.yml", dumped)], environment={})
    assert again == config
    assert dump_icmp_config(again) == dumped


def test_module_is_shown_as_blackbox_exporter_writes_it(cases):
    config = load_icmp_config([cases / "icmp" / "full.good.yml"], environment={})
    assert dump_module(config.modules["full"]) == (
        "prober: icmp\n"
        "timeout: 5s\n"
        "icmp:\n"
        "  preferred_ip_protocol: ip4\n"
        "  ip_protocol_fallback: false\n"
        "  source_ip_address: 192.0.2.9\n"
        "  payload_size: 65507\n"
        "  dont_fragment: true\n"
        "  ttl: 255\n"
    )


def test_options_of_other_probers_are_not_shown(cases):
    dumped = dump_icmp_config(
        load_icmp_config([cases / "icmp" / "blackbox.good.yml"], environment={})
    )
    assert "tiger" not in dumped
    assert yaml.safe_load(dumped)["modules"]["http_2xx"] == {"prober": "http", "timeout": "5s"}
